"""Laws of writing over a busy store and a bad line: verbs are planned again, batches written once, events come once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore import Actor, Crm, Person
from crmcore.app.flow import ATTEMPTS
from crmcore.errors import (
    CommitUnknown,
    Contention,
    InvalidRecord,
    KeyConflict,
    StoreClosed,
    StoreError,
    StreamConflict,
    Unavailable,
    VersionConflict,
)
from crmcore.identity.identity_events import CustomersMerged, CustomerSplit, JudgementMade, JudgementRetracted
from crmcore.party import PartyAdded, PartyChanged
from crmcore.storage import MemoryStore
from crmcore.storage.wrappers import wrapped
from crmcore.testing.faulty import Fault, Faulty, scripted
from crmcore.values.ids import CustomerId
from tests.app.houses import CLERK, options
from tests.app.troubled import interrupted, lossy, refusing

ANN = Person.of("Ann Lee", email="ann@x.org")
CONFLICTS: list[StoreError] = [
    VersionConflict("somebody was faster", expected=1, actual=2),
    KeyConflict("somebody was faster", namespace="source", holder=None),
    StreamConflict("somebody was faster", expected=1, actual=2),
]


def feed(crm: Crm, limit: int = 500) -> list[Any]:
    """The whole feed, read in pages."""
    events: list[Any] = []
    after = ""
    while True:
        page = crm.events(after, limit=limit)
        if page.next == after:
            return events
        events += page.items
        after = page.next


# --- planned again -------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", CONFLICTS, ids=lambda error: error.code)
def test_a_conflict_makes_the_verb_be_planned_again(error: StoreError) -> None:
    store, shared = MemoryStore(), options()
    crm = Crm(refusing(store, *[error] * (ATTEMPTS - 1)), **shared)
    ann = crm.parties.add(ANN)
    assert Crm(store, **shared).parties.get(ann.id) == ann
    assert len(feed(crm)) == 1


@pytest.mark.parametrize("error", CONFLICTS, ids=lambda error: error.code)
def test_a_conflict_that_does_not_end_is_told_and_nothing_is_written(error: StoreError) -> None:
    store = MemoryStore()
    crm = Crm(refusing(store, *[error] * ATTEMPTS), **options())
    with pytest.raises(type(error)):
        crm.parties.add(ANN)
    assert store.changes("default").items == ()


@pytest.mark.parametrize(
    "error", [InvalidRecord("no"), Unavailable("no"), Contention("no")], ids=lambda error: error.code
)
def test_any_other_refusal_is_told_at_once(error: StoreError) -> None:
    store = MemoryStore()
    crm = Crm(refusing(store, error), **options())
    with pytest.raises(type(error)):
        crm.parties.add(ANN)
    assert store.changes("default").items == ()


def test_a_change_runs_again_on_what_the_other_one_left() -> None:
    store, shared = MemoryStore(), options()
    other = Crm(store, **shared)
    ann = other.parties.add(ANN)
    crm = Crm(
        interrupted(
            store,
            lambda: other.parties.change(ann.id, lambda p: p.with_tag("theirs")),
            lambda: other.parties.change(ann.id, lambda p: p.renamed("Ann Hill")),
        ),
        **shared,
    )
    seen: list[frozenset[str]] = []

    def change(party: Person) -> Person:
        seen.append(party.tags)
        return party.with_tag("ours")

    changed = crm.parties.change(ann.id, change)
    assert seen == [frozenset(), {"theirs"}, {"theirs"}]
    assert changed.tags == {"theirs", "ours"}
    assert (changed.display_name, changed.version) == ("Ann Hill", 4)
    assert crm.parties.get(ann.id) == changed
    assert [
        event.version for event in crm.parties.history(ann.id)[1:] if isinstance(event, PartyChanged)
    ] == [2, 3, 4]


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, unique=True))
def test_no_change_of_anybody_is_lost(tags: list[str]) -> None:
    store, shared = MemoryStore(), options()
    other = Crm(store, **shared)
    ann = other.parties.add(ANN)
    meanwhile = [
        lambda tag=tag: other.parties.change(ann.id, lambda p: p.with_tag(f"theirs {tag}")) for tag in tags
    ]
    crm = Crm(interrupted(store, *meanwhile), **shared)
    for tag in tags:
        crm.parties.change(ann.id, lambda p, tag=tag: p.with_tag(f"ours {tag}"))  # type: ignore[misc]  # a default argument
    assert crm.parties.get(ann.id).tags == {f"{whose} {tag}" for whose in ("theirs", "ours") for tag in tags}
    assert crm.parties.get(ann.id).version == len(crm.parties.history(ann.id))


# --- an answer that is lost ----------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["q", "a", "qa", "aq", "qq", "aa"])
def test_while_nobody_knows_the_same_batch_is_sent_again_and_written_once(lost: str) -> None:
    store, shared = MemoryStore(), options()
    troubled = lossy(store, lost)
    crm = Crm(troubled, **shared)
    ann = crm.parties.add(ANN)
    assert crm.parties.get(ann.id) == ann
    assert len(feed(crm)) == 1
    batches = troubled.batches  # type: ignore[attr-defined]  # what the troubled store remembers
    assert len(batches) == len(lost) + 1
    assert all(batch == batches[0] for batch in batches)


@pytest.mark.parametrize("lost", ["qqq", "aaa", "qqa"])
def test_when_nobody_ever_knows_that_is_said_with_the_key_to_ask_with(lost: str) -> None:
    store = MemoryStore()
    crm = Crm(lossy(store, lost), **options())
    with pytest.raises(CommitUnknown) as raised:
        crm.parties.add(ANN)
    receipt = store.outcome("default", raised.value.idem)
    assert (receipt is not None) == ("a" in lost)
    assert len(store.scan("default", "party").items) == (1 if "a" in lost else 0)


@pytest.mark.parametrize(
    "later", [Unavailable("no"), Contention("no"), StoreClosed("no")], ids=lambda e: e.code
)
def test_what_fails_after_a_lost_answer_does_not_say_that_nothing_was_written(later: StoreError) -> None:
    writes: list[Callable[[Crm], object]] = [
        lambda crm: crm.parties.add(ANN),
        lambda crm: crm.parties.load([ANN], idem="one"),
    ]
    for write in writes:
        store, faults = MemoryStore(), scripted(Fault("after"), Fault("before", error=later))
        crm = Crm(wrapped(store, partial(Faulty, plan=faults)), **options())
        with pytest.raises(CommitUnknown):
            write(crm)
        assert len(store.scan("default", "party").items) == 1


def test_after_a_lost_question_a_conflict_is_still_a_conflict() -> None:
    store, shared = MemoryStore(), options()
    other = Crm(store, **shared)
    ann = other.parties.add(ANN)
    theirs = interrupted(
        store, lambda: None, lambda: other.parties.change(ann.id, lambda p: p.with_tag("theirs"))
    )
    crm = Crm(lossy(theirs, "q"), **shared)
    crm.parties.change(ann.id, lambda p: p.with_tag("ours"))
    crm.parties.change(ann.id, lambda p: p.with_tag("more"))
    assert crm.parties.get(ann.id).tags == {"theirs", "ours", "more"}


# --- the feed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
def test_the_feed_has_every_event_once_in_the_order_of_commits(crm: Crm, limit: int) -> None:
    ann = crm.parties.add(ANN)
    ben = crm.parties.add(Person.of("Ben Lee"))
    crm.parties.change(ann.id, lambda p: p.with_tag("vip"))
    judgement = crm.identity.merge(ann.id, ben.id)
    with crm.batch() as b:
        b.parties.change(ben.id, lambda p: p.with_tag("a"))
        b.parties.change(ann.id, lambda p: p.with_tag("b"))
    crm.identity.retract(judgement.id)
    events = feed(crm, limit)
    assert [type(found.event) for found in events] == [
        PartyAdded,
        PartyAdded,
        PartyChanged,
        JudgementMade,
        CustomersMerged,
        PartyChanged,
        PartyChanged,
        JudgementRetracted,
        CustomerSplit,
    ]
    assert len({found.position for found in events}) == len(events)
    assert len({(found.stream, found.seq) for found in events}) == len(events)
    assert [found.recorded_at for found in events] == sorted(found.recorded_at for found in events)
    assert crm.events(crm.events(limit=500).next).items == ()


def test_a_reader_of_the_feed_goes_on_where_it_stopped(crm: Crm) -> None:
    crm.parties.add(ANN)
    first = crm.events()
    ben = crm.parties.add(Person.of("Ben Lee"))
    second = crm.events(first.next)
    assert [found.event.party for found in second.items] == [ben.id]
    assert crm.events(second.next).items == ()
    assert crm.events(second.next).next == second.next


def test_who_acts_is_named_on_everything_that_is_written(crm: Crm) -> None:
    desk = Actor(kind="person", id="u-17", on_behalf_of="desk 3")
    acting = crm.acting_as(desk)
    ann, ben = acting.parties.add(ANN), acting.parties.add(Person.of("Ben Lee"))
    judgement = acting.identity.merge(ann.id, ben.id, reason="looked")
    assert judgement.actor == desk
    changes = crm.store.changes("default").items
    assert {change.actor for change in changes} == {desk}
    assert [change.reason for change in changes][-1] == "looked"
    crm.parties.change(ann.id, lambda p: p.with_tag("vip"))
    assert crm.store.changes("default").items[-1].actor == CLERK


def test_tenants_do_not_see_each_other() -> None:
    store = MemoryStore()
    one, other = (Crm(store, **options(), tenant=tenant) for tenant in ("one", "other"))
    ann = one.parties.add(ANN.with_source("shop", "1"))
    assert other.customers.search("ann@x.org") == other.customers.search(ann.id) == ()
    assert other.events().items == ()
    twin = other.parties.add(ANN.with_source("shop", "1"))
    assert one.customers.page().items[0].id == CustomerId(ann.id)
    assert other.customers.page().items[0].id == CustomerId(twin.id)
