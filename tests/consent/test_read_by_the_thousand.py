"""Laws of the short ways in which records and acts are read for many: they read what the long ones read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent import act_reading
from crmcore.consent.act_reading import ActReader
from crmcore.consent.event import ConsentEvent
from crmcore.consent.ledger import CODECS
from crmcore.consent.reach import reach_of, reach_of_stored
from crmcore.errors import CrmError, InvalidDocument
from crmcore.party import Party
from crmcore.party.party_keys import PARTY
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


@given(st.lists(acts, min_size=1, max_size=4))
def test_acts_are_read_by_the_thousand_as_one_by_one(some: list[ConsentEvent]) -> None:
    reader = ActReader(ACT)
    assert [reader.read(ACT.dump(one)) for one in [*some, *some]] == [*some, *some]


@given(
    acts, st.lists(st.none() | st.sampled_from(("a@x.org", "b@x.org")), min_size=2, max_size=4), st.booleans()
)
def test_acts_that_differ_in_their_points_alone_are_told_apart(
    one: ConsentEvent, points: list[str | None], several: bool
) -> None:
    some = [
        attrs.evolve(
            one,
            scope=attrs.evolve(
                one.scope, point=point, points=frozenset({"c@x.org"}) if several and number else None
            ),
        )
        for number, point in enumerate(points)
    ]
    reader = ActReader(ACT)
    assert [reader.read(ACT.dump(act)) for act in some] == some


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
    reader.read(ACT.dump(first))
    reader.read(ACT.dump(one))
    try:
        whole = ACT.load(body)
    except CrmError:
        with pytest.raises(InvalidDocument):
            reader.read(body)
        return
    assert reader.read(body) == whole
    assert reader.read(body) == whole


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
