"""Laws of the short ways in which records and acts are read for many: they read what the long ones read."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent import act_reading
from crmcore.consent.act_reading import ActReader
from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.ledger import CODECS
from crmcore.consent.reach import reach_of, reach_of_stored
from crmcore.errors import CrmError, InvalidDocument
from crmcore.party import Party
from crmcore.party.party_keys import PARTY
from crmcore.storage.document import Json, decode
from crmcore.values.source import Actor
from tests.party.strategies import parties
from tests.serde.strategies import acts

ACT = CODECS[1]
BROKEN = st.sampled_from((None, 7, True, "", "x", [], {}, ["x"], {"point": 7}, "2026-13-01T00:00:00Z"))


def body_of(party: Party) -> dict[str, Any]:
    return {name: value for name, value in PARTY.dump(party).items() if name not in ("id", "version")}


@given(parties())
def test_how_somebody_is_reached_is_the_same_read_from_what_is_stored(party: Party) -> None:
    assert reach_of_stored(body_of(party), PARTY.schema) == reach_of(party)


@given(parties(), st.sampled_from(("kind", "contact_points", "birth_date")), BROKEN)
def test_what_is_no_party_is_refused_as_it_is_by_the_long_way(party: Party, name: str, value: Any) -> None:
    body = {**body_of(party), name: value}
    try:
        whole = PARTY.load(
            {**body, "id": str(party.id or "018bcfe5-6800-7000-8000-000000000000"), "version": 1}
        )
    except CrmError:
        return  # of what the short way does not look at, it says nothing
    assert reach_of_stored(body, PARTY.schema) == reach_of(whole)


def test_a_record_without_its_kind_is_refused_in_a_sentence() -> None:
    with pytest.raises(InvalidDocument):
        reach_of_stored({"names": [{"full": "Ann Lee"}]}, PARTY.schema)


def text_of(act: ConsentEvent) -> str:
    return Json.of(ACT.dump(act))


@given(st.lists(acts, min_size=1, max_size=4))
def test_acts_are_read_by_the_thousand_as_one_by_one(some: list[ConsentEvent]) -> None:
    reader = ActReader(ACT)
    assert [reader.read(ACT.dump(one)) for one in [*some, *some]] == [*some, *some]
    assert [reader.read(text_of(one)) for one in [*some, *some]] == [*some, *some]


RECORDED = ConsentEvent(
    id="a-1",
    kind="give",
    occurred_at=datetime(2026, 3, 1, tzinfo=UTC),
    recorded_at=datetime(2026, 3, 2, tzinfo=UTC),
    scope=Scope(controller="acme", point="a@x.org"),
    actor=Actor(kind="person", id="ann"),
    record="r-1",
    words="yes",
    ledger="l-1",
)
"""An act of the form in which most are recorded: texts of it are told apart without being decoded."""

SAID = ("a-1", "a-2", "", 'a "b"', "c\\", "d\n", "e\x7f\u2028", "f")


@given(st.lists(st.tuples(*[st.sampled_from(SAID)] * 5, acts), max_size=4))
def test_a_text_is_sketched_as_its_body(said: list[tuple[Any, ...]]) -> None:
    reader = ActReader(ACT)
    for id, record, point, ledger, words, when in [("b-1", "r-1", "b@x.org", "l-1", "no", RECORDED), *said]:
        act = attrs.evolve(
            RECORDED,
            id=id,
            record=record,
            ledger=ledger,
            words=words,
            occurred_at=when.occurred_at,
            recorded_at=when.recorded_at,
            scope=attrs.evolve(RECORDED.scope, point=point),
        )
        short, long = reader.sketch(text_of(act)), reader.sketch(ACT.dump(act))
        assert short[2:-1] == long[2:-1]
        assert reader.act(short) == act


def test_a_text_of_a_known_form_is_refused_as_its_body_is() -> None:
    dates = ("2026-13-01T00:00:00Z", "0001-01-01T00:00:00Z", "2026-03-01T00:00:00")
    names = ("id", "occurred_at", "recorded_at", "record", "ledger", "words", "members", "point", "points")
    values: tuple[Any, ...] = (None, 7, "", "x", [], ["x"], {}, *dates)
    for name, value in product(names, values):
        reader, body = ActReader(ACT), ACT.dump(RECORDED)
        reader.read(text_of(RECORDED))
        inner = {**body["scope"], name: value}
        body = {**body, "scope": inner} if name.startswith("point") else {**body, name: value}
        for _ in range(2):
            try:
                whole = ACT.load(body)
            except CrmError:
                with pytest.raises(InvalidDocument):
                    reader.read(Json.of(body))
            else:
                assert reader.read(Json.of(body)) == whole


@pytest.mark.parametrize("name", ["id", "record", "point", "words"])
def test_what_is_nested_under_the_name_of_what_is_an_acts_own_tells_acts_apart(name: str) -> None:
    """The codec keeps what it does not know, as it was written by whoever knew more."""
    body, reader = ACT.dump(RECORDED), ActReader(ACT)
    texts = [
        Json.of({**body, name: value, nested: {"a": 1, name: more}})
        for nested in ("a_new_key", "z_new_key")
        for value, more in (("x", "x"), ("x", "y"), ("y", "x"))
    ]
    for text in (*texts, *texts):
        whole = ACT.load(decode(text))
        assert reader.read(text) == whole
        assert reader.sketch(text).id == whole.id


NAMES = (
    "id",
    "scope",
    "occurred_at",
    "recorded_at",
    "record",
    "members",
    "ledger",
    "words",
    "kind",
    "evidence",
    "new_key",
)


@given(acts, acts, st.sampled_from(NAMES), BROKEN)
def test_what_is_no_act_is_refused_also_after_one_that_was_like_it(
    first: ConsentEvent, one: ConsentEvent, name: str, value: Any
) -> None:
    reader, body = ActReader(ACT), {**ACT.dump(first), name: value}
    for known in (first, one):
        reader.read(ACT.dump(known))
        reader.read(text_of(known))
    try:
        whole = ACT.load(body)
    except CrmError:
        with pytest.raises(InvalidDocument):
            reader.read(body)
        with pytest.raises(InvalidDocument):
            reader.read(Json.of(body))
        return
    assert reader.read(body) == whole
    assert reader.read(body) == whole
    assert reader.read(Json.of(body)) == whole
    assert reader.read(Json.of(body)) == whole


def test_no_form_is_given_twice_also_when_those_before_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(act_reading, "_KEPT", 1)
    reader = ActReader(ACT)
    kinds: tuple[Any, ...] = ("give", "withdraw", "give", "object")
    forms = [
        reader.sketch(
            ACT.dump(ConsentEvent(id="1", kind=kind, occurred_at=datetime(2026, 3, 1, tzinfo=UTC)))
        ).form
        for kind in kinds
    ]
    assert len(set(forms)) == 4
