"""Laws of `crm.parties` over every engine: what is stored, what its history says, and how it is found."""

from __future__ import annotations

from datetime import date
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore import Actor, Anonymous, Crm, Extra, Household, Organization, Party, Person, Source
from crmcore.errors import InvalidParty, NoDesignation, NotFound, SourceTaken
from crmcore.party import PartyAdded, PartyChanged, replay
from crmcore.party.party_keys import PARTY
from crmcore.storage import Batch, Put, Ref
from crmcore.storage.protocol import Key
from crmcore.values.ids import PartyId
from tests.app.houses import CLERK, START, in_memory
from tests.party.strategies import people

NOBODY = PartyId("01977420-dc00-7000-8000-000000000000")
ANN = Person.of("Ann Lee", email="ann@x.org", phone="020 7946 0018", region="GB")
KINDS: list[Party] = [
    ANN,
    Organization.of("Acme Ltd", email="info@acme.example"),
    Household.of("the Lees", address="1 High Street, Oxford"),
    Anonymous.of("cookie 1"),
]


def body(party: Party) -> dict[str, Any]:
    """What stands in the store, without what the address of the record says."""
    plain = PARTY.dump(party)
    return {key: value for key, value in plain.items() if key not in ("id", "version")}


# --- storing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("draft", KINDS, ids=lambda draft: draft.kind)
def test_what_is_added_is_the_draft_with_an_id_and_a_version(crm: Crm, draft: Any) -> None:
    stored = crm.parties.add(draft)
    assert stored == attrs.evolve(draft, id=stored.id, version=1)
    assert crm.parties.get(stored.id) == stored


def test_many_are_added_in_order_and_found_again(crm: Crm) -> None:
    drafts = [Person.of(f"Person {number}", email=f"p{number}@x.org") for number in range(30)]
    stored = crm.parties.add_many(drafts)
    assert [party.display_name for party in stored] == [f"Person {number}" for number in range(30)]
    assert len({party.id for party in stored}) == 30
    assert crm.parties.find(email="P7@x.org") == (stored[7],)
    assert crm.parties.add_many([]) == ()


def test_a_stored_party_is_no_draft_any_more(crm: Crm) -> None:
    stored = crm.parties.add(ANN)
    with pytest.raises(InvalidParty, match="change"):
        crm.parties.add(stored)


@pytest.mark.parametrize("id", [NOBODY, PartyId("nonsense"), PartyId("\ud800"), PartyId("a\x00b")])
def test_a_party_that_is_not_there_is_not_found(crm: Crm, id: PartyId) -> None:
    for call in (
        lambda: crm.parties.get(id),
        lambda: crm.parties.change(id, lambda party: party),
        lambda: crm.parties.retract(id, reason="x"),
        lambda: crm.parties.history(id),
    ):
        with pytest.raises(NotFound):
            call()


# --- changing ------------------------------------------------------------------------------------------


def test_a_change_raises_the_version_and_stands(crm: Crm) -> None:
    ann = crm.parties.add(ANN)
    changed = crm.parties.change(ann.id, lambda p: p.with_email("a@y.org").renamed("Ann Hill"))
    assert changed.version == 2
    assert crm.parties.get(ann.id) == changed
    assert [point.raw for point in changed.emails] == ["ann@x.org", "a@y.org"]


def test_a_change_that_changes_nothing_writes_nothing(crm: Crm) -> None:
    ann = crm.parties.add(ANN)
    before = crm.store.changes("default").watermark
    same = crm.parties.change(ann.id, lambda p: p.with_source("x", "1").changed(sources=p.sources))
    assert same == ann
    assert len(crm.parties.history(ann.id)) == 1
    assert len(crm.events().items) == 1
    assert crm.store.changes("default").watermark == before


@pytest.mark.parametrize(
    "change",
    [
        lambda party: None,
        lambda party: "Ann Hill",
        lambda party: Person.of("Somebody else"),
        lambda party: Organization.of("Acme").changed(id=party.id, version=1),
        lambda party: party.changed(id=NOBODY),
    ],
)
def test_a_change_returns_the_same_party_or_is_refused(crm: Crm, change: Any) -> None:
    ann = crm.parties.add(ANN)
    with pytest.raises(InvalidParty):
        crm.parties.change(ann.id, change)
    assert crm.parties.get(ann.id) == ann


def test_a_change_that_raises_changes_nothing(crm: Crm) -> None:
    ben = crm.parties.add(Person.of(email="ben@x.org"))
    with pytest.raises(NoDesignation):
        crm.parties.change(ben.id, lambda party: party.without("ben@x.org"))
    assert crm.parties.get(ben.id) == ben


def test_a_typed_extra_is_stored_with_the_party(crm: Crm) -> None:
    size = Extra("shoe_size", int)
    ann = crm.parties.add(ANN.with_extra(size, 42))
    crm.parties.change(ann.id, lambda party: party.with_extra(size, 43))
    assert crm.parties.get(ann.id).get(size) == 43


# --- history -------------------------------------------------------------------------------------------


def test_every_change_is_in_the_history_with_actor_and_reason(crm: Crm) -> None:
    ann = crm.parties.add(ANN)
    other = Actor(kind="person", id="u-17")
    crm.acting_as(other).parties.change(ann.id, lambda p: p.with_tag("vip"), reason="promoted")
    crm.parties.retract(ann.id, reason="a test")
    crm.parties.restore(ann.id, reason="no test")
    history = crm.parties.history(ann.id)
    assert [(event.type, event.actor, event.reason) for event in history] == [
        ("party.added", CLERK, None),
        ("party.changed", other, "promoted"),
        ("party.changed", CLERK, "a test"),
        ("party.changed", CLERK, "no test"),
    ]
    versions = [event.version for event in history if isinstance(event, PartyChanged)]
    assert versions == [2, 3, 4]


@pytest.mark.needs("large_batches")
def test_a_long_history_is_read_to_its_end(crm: Crm) -> None:
    ann = crm.parties.add(ANN)
    with crm.batch() as batch:
        for number in range(600):
            batch.parties.change(ann.id, lambda p, number=number: p.changed(occupation=f"job {number}"))  # type: ignore[misc]  # a default argument
    history = crm.parties.history(ann.id)
    assert len(history) == 601
    assert replay(history) == body(crm.parties.get(ann.id))


@settings(max_examples=25)
@given(st.lists(people(stored=False), min_size=1, max_size=4))
def test_replaying_the_history_gives_what_stands(states: list[Person]) -> None:
    crm = in_memory()
    party = crm.parties.add(states[0])
    for state in states[1:]:
        party = crm.parties.change(party.id, lambda p, state=state: attrs.evolve(state, id=p.id))  # type: ignore[misc]  # a default argument
        assert crm.parties.get(party.id) == party
    history = crm.parties.history(party.id)
    assert replay(history) == body(party)
    assert isinstance(history[0], PartyAdded)
    assert party.version == len(history)


# --- finding -------------------------------------------------------------------------------------------


def test_a_party_is_found_by_any_spelling_of_what_it_carries(crm: Crm) -> None:
    ann = crm.parties.add(ANN.with_source("shop", "A#1"))
    assert crm.parties.find(email=" ANN@X.org ") == (ann,)
    assert crm.parties.find(phone="+44 (0)20 7946-0018") == (ann,)
    assert crm.parties.find(phone="02079460018", region="GB") == (ann,)
    assert crm.parties.find(source=Source("shop", "A#1")) == (ann,)
    assert crm.parties.find(email="ann@x.org", phone="112") == (ann,)
    assert crm.parties.find() == ()
    assert crm.parties.find(email="ben@x.org") == ()


def test_a_text_without_a_normal_form_is_found_as_it_was_written(crm: Crm) -> None:
    ann = crm.parties.add(Person.of("Ann Lee", email="ann at x.org", phone="call the front desk"))
    assert crm.parties.find(email="ann at x.org") == (ann,)
    assert crm.parties.find(phone="Call the  front desk") == (ann,)


@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "x" * 10_000, "@" * 600, "\u202e@x.org"])
def test_looking_for_a_hostile_text_finds_nobody(crm: Crm, text: str) -> None:
    assert crm.parties.find(email=text) == ()
    assert crm.parties.find(phone=text) == ()


def test_families_share_an_address(crm: Crm) -> None:
    two = crm.parties.add_many(
        [Person.of("Ann Lee", email="lees@x.org"), Person.of("Ben Lee", email="lees@x.org")]
    )
    assert crm.parties.find(email="lees@x.org") == two


def test_a_change_moves_the_keys(crm: Crm) -> None:
    ann = crm.parties.add(ANN)
    crm.parties.change(ann.id, lambda p: p.without("ann@x.org").with_email("a@y.org"))
    assert crm.parties.find(email="ann@x.org") == ()
    assert [party.id for party in crm.parties.find(email="a@y.org")] == [ann.id]


# --- sources -------------------------------------------------------------------------------------------


def test_a_record_of_a_source_stands_for_one_party(crm: Crm) -> None:
    ann = crm.parties.add(ANN.with_source("shop", "1"))
    ben = crm.parties.add(Person.of("Ben Lee"))
    with pytest.raises(SourceTaken) as raised:
        crm.parties.add(Person.of("Ann L.").with_source("shop", "1"))
    assert raised.value.holder == ann.id
    with pytest.raises(SourceTaken):
        crm.parties.change(ben.id, lambda p: p.with_source("shop", "1"))
    with pytest.raises(SourceTaken):
        crm.parties.add_many(
            [Person.of("C").with_source("shop", "2"), Person.of("D").with_source("shop", "2")]
        )
    assert crm.parties.find(source=Source("shop", "2")) == ()
    assert crm.parties.get(ben.id) == ben


def test_a_party_may_stand_for_one_record_once(crm: Crm) -> None:
    twice = Person.of("Ann Lee", sources=(Source("shop", "1"), Source("shop", "1")))
    ann = crm.parties.add(twice)
    assert [p.id for p in crm.parties.find(source=Source("shop", "1"))] == [ann.id]


def test_a_source_that_was_given_up_can_be_taken(crm: Crm) -> None:
    ann = crm.parties.add(ANN.with_source("shop", "1"))
    crm.parties.change(ann.id, lambda p: p.changed(sources=()))
    ben = crm.parties.add(Person.of("Ben Lee").with_source("shop", "1"))
    assert crm.parties.find(source=Source("shop", "1")) == (ben,)


# --- retracting ----------------------------------------------------------------------------------------


@pytest.mark.needs("ordered_text")
def test_a_retracted_party_is_found_no_more_and_restoring_undoes_it(crm: Crm) -> None:
    ann = crm.parties.add(ANN)
    retracted = crm.parties.retract(ann.id, reason="entered by mistake")
    assert retracted.standing == "retracted"
    assert crm.parties.find(email="ann@x.org") == ()
    assert crm.customers.search("ann@x.org") == crm.customers.search("Ann Lee") == ()
    assert crm.customers.page().items == ()
    assert crm.parties.get(ann.id) == retracted
    restored = crm.parties.restore(ann.id, reason="no mistake")
    assert attrs.evolve(restored, version=1) == ann
    assert crm.parties.find(email="ann@x.org") == (restored,)
    assert len(crm.customers.page().items) == 1


def test_a_retracted_party_reserves_no_address_but_keeps_its_record_of_a_source(crm: Crm) -> None:
    ann = crm.parties.add(ANN.with_source("shop", "1"))
    crm.parties.retract(ann.id, reason="mistake")
    again = crm.parties.add(ANN)
    assert crm.parties.find(email="ann@x.org") == (again,)
    with pytest.raises(SourceTaken):
        crm.parties.add(Person.of("Ann Lee").with_source("shop", "1"))
    assert [party.id for party in crm.parties.find(source=Source("shop", "1"))] == [ann.id]


def test_retracting_twice_changes_nothing(crm: Crm) -> None:
    ann = crm.parties.add(ANN)
    once = crm.parties.retract(ann.id, reason="mistake")
    assert crm.parties.retract(ann.id, reason="mistake") == once


# --- more keys than a record may carry -----------------------------------------------------------------


def _everywhere(count: int) -> Person:
    person = Person.of("Ann Lee").with_source("shop", "1")
    for number in range(count):
        person = person.with_email(f"ann{number}@x.org")
    return person


@pytest.mark.needs("large_batches")
@pytest.mark.parametrize("count", [30, 45, 130])
def test_a_party_is_found_by_all_of_its_keys_however_many(crm: Crm, count: int) -> None:
    ann = crm.parties.add(_everywhere(count))
    assert crm.parties.get(ann.id) == ann
    assert not ann.unknown
    for number in range(count):
        assert crm.parties.find(email=f"ann{number}@x.org") == (ann,)
    assert crm.customers.resolve("shop#1").members == (ann.id,)
    with pytest.raises(SourceTaken):
        crm.parties.add(Person.of("Ben Lee").with_source("shop", "1"))


@pytest.mark.needs("large_batches")
def test_keys_grow_and_shrink_with_the_party(crm: Crm) -> None:
    ann = crm.parties.add(_everywhere(5))
    for count in (130, 41, 90, 3, 60, 0):
        wanted = _everywhere(count).contact_points
        ann = crm.parties.change(ann.id, lambda p, wanted=wanted: p.changed(contact_points=wanted))  # type: ignore[misc]  # a default argument
        assert crm.parties.get(ann.id) == ann
        found = [len(crm.parties.find(email=f"ann{number}@x.org")) for number in range(130)]
        assert found == [1] * count + [0] * (130 - count)
    assert replay(crm.parties.history(ann.id)) == body(ann)


@pytest.mark.needs("large_batches")
def test_a_retracted_party_leaves_no_key_on_other_records(crm: Crm) -> None:
    ann = crm.parties.add(_everywhere(100))
    crm.parties.retract(ann.id, reason="mistake")
    assert not any(crm.parties.find(email=f"ann{number}@x.org") for number in range(100))
    back = crm.parties.restore(ann.id, reason="no mistake")
    assert all(crm.parties.find(email=f"ann{number}@x.org") == (back,) for number in range(100))


@pytest.mark.needs("large_batches")
def test_growing_within_one_batch_is_as_good_as_growing_in_many(crm: Crm) -> None:
    ann = crm.parties.add(_everywhere(5))
    with crm.batch() as batch:
        for count in (130, 41, 90):
            wanted = _everywhere(count).contact_points
            batch.parties.change(ann.id, lambda p, wanted=wanted: p.changed(contact_points=wanted))  # type: ignore[misc]  # a default argument
            assert len(batch.parties.find(email=f"ann{count - 1}@x.org")) == 1
            assert batch.parties.find(email=f"ann{count}@x.org") == ()
    found = [len(crm.parties.find(email=f"ann{number}@x.org")) for number in range(130)]
    assert found == [1] * 90 + [0] * 40


# --- documents of a newer version ----------------------------------------------------------------------


def test_what_a_newer_version_wrote_survives_a_change() -> None:
    crm = in_memory()
    newer = {
        "kind": "person",
        "names": [{"full": "Ann Lee", "voice": "ann.ogg"}],
        "contact_points": [
            {"kind": "email", "raw": "ann@x.org", "value": "ann@x.org", "echo": [1, {"a": None}]}
        ],
        "aura": {"colour": "green"},
    }
    keys = frozenset({Key("email", "ann@x.org")})
    put = Put(ref=Ref("default", "party", NOBODY), expect=0, schema=1, body=newer, keys=keys)
    crm.store.apply(Batch(tenant="default", ops=(put,), idem="newer", actor=CLERK, at=START))
    (ann,) = crm.parties.find(email="ann@x.org")
    crm.parties.change(ann.id, lambda p: p.with_tag("vip").changed(observed_at=date(2026, 1, 1)))
    stored = crm.store.get([put.ref])[put.ref].body
    assert stored == {**newer, "tags": ["vip"], "observed_at": "2026-01-01"}
    assert crm.customers.view(ann.id).name == "Ann Lee"
