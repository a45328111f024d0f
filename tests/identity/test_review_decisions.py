"""Files of decisions: what a page saves is read as it was meant, and anything else is refused in one sentence."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.errors import InvalidDecisions
from crmcore.identity.review_decisions import MOST_BYTES, Decisions

SECRET = "zq-secret-7"
PARTY = "01900000-0000-7000-8000-000000000000"
PAGE = {"id": "p1", "made_at": "2026-03-14T12:00:00Z", "of": "file", "name": "people.csv", "digest": "d"}


def decision(**more: Any) -> dict[str, Any]:
    return {"item": "i1", "kind": "pair", "records": ["a", "b"], "verdict": "same", **more}


def customer(**more: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {"kind": "customer", "records": ["a", "b", "c"], "links": [[0, 1], [1, 2]]}
    return decision(**{**shown, **more})


def document(*decisions: Any, **more: Any) -> dict[str, Any]:
    return {"format": "crmcore.decisions/1", "page": PAGE, "decisions": list(decisions), **more}


def said(data: dict[str, Any]) -> list[Any]:
    (found,) = Decisions.parse(json.dumps(document(data))).decisions
    return list(found.said)


def test_a_pair_is_the_same_or_different_and_a_skipped_one_neither() -> None:
    assert said(decision()) == [("same", ("a", "b"))]
    assert said(decision(verdict="different")) == [("different", ("a", "b"))]
    assert said(decision(verdict="skip")) == []


def test_a_customer_is_confirmed_by_the_links_that_were_shown() -> None:
    assert said(customer()) == [("same", ("a", "b")), ("same", ("b", "c"))]


def test_a_record_that_is_split_off_is_different_from_all_others_whose_links_stay() -> None:
    found = said(customer(verdict="different", apart=["c"]))
    assert found == [("different", ("c", "a")), ("different", ("c", "b")), ("same", ("a", "b"))]


def test_a_customer_that_is_skipped_or_split_needs_no_link() -> None:
    assert said(customer(verdict="skip", links=[])) == []
    assert said(customer(verdict="different", apart=["c"], links=[])) == [
        ("different", ("c", "a")),
        ("different", ("c", "b")),
    ]


def test_when_it_was_decided_may_be_left_out() -> None:
    moment = "2026-03-14T13:00:00.250Z"
    at = [decision(at=moment), decision(item="i2", at=""), decision(item="i3")]
    found = Decisions.parse(json.dumps(document(*at))).decisions
    assert [one.at for one in found] == [datetime(2026, 3, 14, 13, 0, 0, 250_000, tzinfo=UTC), None, None]


WRONG: dict[str, Any] = {
    "no object": [SECRET],
    "no format": {"page": PAGE, "decisions": [decision()]},
    "another format": document(decision(), format="crmcore.decisions/99"),
    "no decision": document(),
    "decisions that are no array": {**document(), "decisions": {"0": decision()}},
    "no page": document(decision(), page=None),
    "no moment": document(decision(), page={**PAGE, "made_at": SECRET}),
    "another kind of place": document(decision(), page={**PAGE, "of": "moon"}),
    "a decision that is a text": document(SECRET),
    "one decided twice": document(decision(), decision(verdict="different")),
    "one record": document(decision(records=["a"])),
    "one record twice": document(decision(records=["a", "a"])),
    "three records in a pair": document(decision(records=["a", "b", "c"])),
    "records that are numbers": document(decision(records=[1, 2])),
    "a record that no store can hold": document(decision(records=["a\x00", "b"])),
    "half a character": document(decision(records=["a\ud800", "b"])),
    "a long record": document(decision(records=["a" * 600, "b"])),
    "too many records": document(customer(records=[f"r{n}" for n in range(1001)])),
    "an unknown verdict": document(decision(verdict=SECRET)),
    "a verdict that is a map": document(decision(verdict={})),
    "a pair split": document(decision(verdict="different", apart=["a"])),
    "nothing split off": document(customer(verdict="different")),
    "everything split off": document(customer(verdict="different", apart=["a", "b", "c"])),
    "somebody else split off": document(customer(verdict="different", apart=["z"])),
    "a customer confirmed without a link": document(customer(links=[])),
    "a customer confirmed whose links are left out": document(
        {key: value for key, value in customer().items() if key != "links"}
    ),
    "split and yet the same": document(customer(apart=["c"])),
    "too many split off": document(
        customer(
            records=[f"r{n}" for n in range(900)], verdict="different", apart=[f"r{n}" for n in range(450)]
        )
    ),
    "a link to nowhere": document(customer(links=[[0, 7]])),
    "a link to itself": document(customer(links=[[1, 1]])),
    "a link before the beginning": document(customer(links=[[-1, 0]])),
    "a link of truths": document(customer(links=[[False, True]])),
    "a link of fractions": document(customer(links=[[0.0, 1.0]])),
    "decided at no moment": document(decision(at=SECRET)),
    "decided at a number": document(decision(at=7)),
    "a long note": document(decision(note=SECRET * 200)),
    "a note that is a number": document(decision(note=7)),
    "nobody": document(decision(by="")),
    "a person who is a list": document(decision(by=[SECRET])),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_no_page_saves_is_refused_in_one_sentence_without_values(name: str) -> None:
    with pytest.raises(InvalidDecisions) as caught:
        Decisions.parse(json.dumps(WRONG[name]))
    message = str(caught.value)
    assert SECRET not in message
    assert "\n" not in message
    assert len(message) < 200


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        "{" * 100_000,
        "[" * 100_000,
        "9" * 5000,
        b'{"format":',
        "NaN",
        " " * (MOST_BYTES + 1),
    ],
    ids=["empty", "bytes", "braces", "brackets", "digits", "cut", "nan", "huge"],
)
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(InvalidDecisions):
        Decisions.parse(text)


@pytest.mark.parametrize(
    "given", [None, 5, {"a": 1}, ["x"], object()], ids=lambda given: type(given).__name__
)
def test_what_is_no_text_is_refused_in_a_sentence(given: Any) -> None:
    with pytest.raises(InvalidDecisions, match="no file of decisions"):
        Decisions.parse(given)


@pytest.mark.parametrize(
    "changed", [{"item": SECRET}, {"records": [PARTY, SECRET]}, {"records": [PARTY, "\x1b[2J"]}]
)
def test_decisions_on_a_store_name_its_records_by_their_ids(changed: dict[str, Any]) -> None:
    whole = {**decision(item=PARTY, records=[PARTY, PARTY[:-1] + "1"])}
    page = {**PAGE, "of": "store", "name": "default"}
    assert Decisions.parse(json.dumps(document(whole, page=page))).of == "store"
    with pytest.raises(InvalidDecisions, match="decision 1 "):
        Decisions.parse(json.dumps(document({**whole, **changed}, page=page)))


def test_a_note_and_who_decided_are_not_shown() -> None:
    (found,) = Decisions.parse(
        json.dumps(document(decision(item=SECRET, records=[SECRET, "b"], note=SECRET, by=SECRET)))
    ).decisions
    assert (found.note, found.by) == (SECRET, SECRET)
    assert SECRET not in repr(found) + str(found)


_plain = (
    st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=3) | st.sampled_from(["same", "a", "b"])
)
_json = (
    _plain
    | st.lists(_plain | st.lists(_plain, max_size=3), max_size=3)
    | st.dictionaries(st.text(max_size=5), _plain)
)


@given(st.data())
def test_whatever_is_changed_is_read_or_refused(data: st.DataObject) -> None:
    whole = document(customer(verdict="different", apart=["c"], note="n", by="ada"))
    target: Any = data.draw(st.sampled_from([whole, whole["page"], whole["decisions"][0]]))
    whole["page"] = dict(whole["page"])
    target[data.draw(st.sampled_from(sorted(target)))] = data.draw(_json)
    try:
        found = Decisions.parse(json.dumps(whole))
    except InvalidDecisions:
        return
    for each in found.decisions:
        assert {record for _, pair in each.said for record in pair} <= set(each.records)
