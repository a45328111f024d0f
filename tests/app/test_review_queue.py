"""What waits for a person: exactly what nobody settled, likeliest first, and a page of it costs a page."""

from __future__ import annotations

from typing import Any, cast

import attrs
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from crmcore import Crm, Person
from crmcore.identity.customer import customers
from crmcore.identity.features import Features
from crmcore.identity.identity_keys import REVIEW
from crmcore.identity.matcher import Match
from crmcore.identity.population import Population
from crmcore.identity.review_queue import waiting
from crmcore.storage import MemoryStore
from crmcore.storage.protocol import Store
from crmcore.values.ids import PartyId
from tests.app.frozen_store import Row, everyone, frozen
from tests.app.houses import in_memory, options
from tests.app.judging import MailboxMatcher, doubts, judged, seen
from tests.app.reviews import unordered
from tests.app.test_incremental_dedupe import ACTS, act

PHONE = "+44 20 7946 0018"


def doubtful(crm: Crm, count: int = 3, phone: str = PHONE) -> list[PartyId]:
    """So many people who share a telephone: every two of them are a doubt."""
    return [crm.parties.add(Person.of(f"P {n}", phone=phone)).id for n in range(count)]


def pairs(crm: Crm) -> list[tuple[PartyId, PartyId]]:
    return [judgement.pair for judgement in crm.identity.to_review()]


class Counting:
    """A store that counts the records that it gives."""

    def __init__(self, below: Store) -> None:
        self.below = below
        self.records = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)

    def get(self, refs: Any) -> Any:
        found = self.below.get(refs)
        self.records += len(found)
        return found

    def scan(self, *args: Any, **more: Any) -> Any:
        page = self.below.scan(*args, **more)
        self.records += len(page.items)
        return page


@pytest.mark.parametrize("verb", ["merge", "mark_different"])
def test_a_decided_pair_never_returns(verb: str) -> None:
    crm = in_memory(matcher=MailboxMatcher())
    a, b = doubtful(crm, 2)
    crm.identity.dedupe()
    assert pairs(crm) == [(a, b)]
    getattr(crm.identity, verb)(a, b)
    assert pairs(crm) == []
    crm.identity.dedupe()
    assert pairs(crm) == []


def test_what_was_settled_by_way_of_another_record_waits_again_when_that_one_is_split_off() -> None:
    crm = in_memory(matcher=MailboxMatcher())
    a, c = doubtful(crm, 2)
    x = crm.parties.add(Person.of("X")).id
    crm.identity.dedupe()
    merged = crm.identity.merge(a, x)
    crm.identity.mark_different(x, c)
    assert pairs(crm) == []
    crm.identity.retract(merged.id)
    assert pairs(crm) == [(a, c)]


def test_a_doubt_that_is_settled_from_afar_is_passed_over_and_leaves_the_order_with_the_next_run() -> None:
    crm = in_memory(matcher=MailboxMatcher())
    a, c = doubtful(crm, 2)
    x = crm.parties.add(Person.of("X")).id
    crm.identity.dedupe()
    crm.identity.mark_different(x, c)
    crm.identity.merge(a, x)
    assert pairs(crm) == []
    assert in_order(crm) == 1
    crm.identity.dedupe()
    assert in_order(crm) == 0


def in_order(crm: Crm, place: str = "pair") -> int:
    return len(crm.store.range("default", REVIEW, [place], limit=100).items)


def test_a_page_costs_a_page_however_much_was_decided() -> None:
    costs = []
    for decided in (5, 60):
        store = Counting(MemoryStore())
        crm = Crm(cast("Store", store), **options(matcher=MailboxMatcher()))
        for number in range(decided + 10):
            doubtful(crm, 2, f"+44 20 7946 {number:04}")
        crm.identity.dedupe()
        for judgement in crm.identity.to_review()[:decided]:
            crm.identity.mark_different(judgement.a, judgement.b)
        store.records = 0
        assert len(crm.identity.to_review(limit=10)) == 10
        costs.append(store.records)
    assert costs[0] == costs[1] <= 60


def test_the_first_ones_are_the_first_of_all() -> None:
    crm = in_memory(matcher=MailboxMatcher())
    for number in range(130):  # more than are looked at together
        doubtful(crm, 2, f"+44 20 7946 {number:04}")
    crm.identity.dedupe()
    everything = crm.identity.to_review(limit=1000)
    assert len(everything) == len({j.pair for j in everything}) == 130
    for limit in (0, 1, 99, 100, 101, 130):
        assert crm.identity.to_review(limit=limit) == everything[:limit]


def test_a_store_written_before_there_was_an_order_is_read_whole_until_its_next_run() -> None:
    crm = in_memory(matcher=MailboxMatcher())
    a, b, c = doubtful(crm)
    crm.identity.dedupe()
    before = crm.identity.to_review()
    unordered(crm)
    assert crm.identity.to_review() == before
    assert in_order(crm) == 0
    crm.identity.mark_different(a, b)
    assert set(pairs(crm)) == {(a, c), (b, c)}
    assert crm.identity.dedupe().written == 0
    assert set(pairs(crm)) == {(a, c), (b, c)}
    assert in_order(crm) == 2


def test_nobody_is_asked_about_a_record_that_was_taken_back() -> None:
    here = in_memory(matcher=MailboxMatcher())
    a, b, c = doubtful(here)
    here.identity.dedupe()
    here.parties.retract(c, reason="a test")
    assert pairs(here) == [(a, b)]
    assert here.identity.dedupe().review == 1
    here.parties.restore(c, reason="no test")
    assert here.identity.dedupe().review == len(here.identity.to_review()) == 3


def test_a_batch_sees_what_it_has_settled() -> None:
    crm = in_memory(matcher=MailboxMatcher())
    a, b, c = doubtful(crm)
    crm.identity.dedupe()
    with crm.batch() as batch:
        batch.identity.mark_different(a, b)
        assert {j.pair for j in batch.identity.to_review()} == {(a, c), (b, c)}


@attrs.frozen
class WeakMatcher(MailboxMatcher):
    """Who shares a telephone is the same, but hardly."""

    def compare(self, a: Features, b: Features, population: Population) -> Match:
        found = super().compare(a, b, population)
        return attrs.evolve(found, verdict="same", weak=True) if found.verdict == "unsure" else found


def test_a_link_waits_until_a_person_has_judged_it() -> None:
    crm = in_memory(matcher=WeakMatcher())
    a, b = doubtful(crm, 2)
    crm.identity.dedupe()
    assert in_order(crm, "weak") == 1
    judgement = crm.identity.merge(a, b)
    assert in_order(crm, "weak") == 0
    crm.identity.retract(judgement.id)
    assert in_order(crm, "weak") == 1
    crm.identity.mark_different(a, b)
    assert in_order(crm, "weak") == 0


# --- deduplicating what changed ---------------------------------------------------------------------------


def check_queue(crm: Crm, ids: list[PartyId]) -> None:
    """What waits is what every pair of records says, and all of it stands in the order."""
    gone = {party.id for party in everyone(crm) if party.standing != "active"}
    said = judged(crm, ids)
    expected = doubts(ids, said.values(), gone)
    customer = {party: group for group in seen(crm, ids) for party in group}
    asked = crm.identity.to_review(limit=1000)
    assert [(-j.score, j.id) for j in asked] == sorted((-j.score, j.id) for j in asked)
    assert {frozenset(customer[end] for end in j.pair): j.score for j in asked} == expected
    assert len(asked) == len(expected)
    places = places_in_order(crm)
    assert {j.id for j in asked} <= {id for id, place in places.items() if place == "pair"}
    for id, place in places.items():
        one = said[id]
        assert one.live, "what was taken back leaves the order"
        assert one.model is not None
        assert (place == "pair") == (one.verdict == "unsure")
        assert place != "pair" or customer[one.a] != customer[one.b], "two that became one wait no more"


def places_in_order(crm: Crm) -> dict[str, str]:
    """Where each judgement stands that stands in the order."""
    return {
        ref.id: place
        for place in ("pair", "weak", "link")
        for _, ref in crm.store.range("default", REVIEW, [place], limit=1000).items
    }


# A likelier pair of the same two customers stands in the order, of a record that is taken back.
TAKEN_BACK: list[tuple[Any, ...]] = [
    ("add", Row("jacob", "castro", email="olivia7@mail.example", street="9 mill lane")),
    ("add", Row("olivia", "brandt", "1985-04-12", street="12 harbour street", city="vigo")),
    (
        "add",
        Row("olivia", "brantd", "1990-07-01", phone="+44 20 7946 0002", street="9 mill lane", city="vigo"),
    ),
    ("add", Row("jacob", "brantd", "1985-04-13", phone="+44 20 7946 0001")),
    (
        "add",
        Row(
            "jacob",
            "brantd",
            "1985-04-13",
            "emma.brandt@mail.example",
            street="12 harbour street",
            city="kiel",
        ),
    ),
    (
        "add",
        Row("olivia", "castro", "1985-04-12", "emma.brandt@mail.example", street="9 mill lane", city="vigo"),
    ),
    ("dedupe",),
    ("take_back", 4),
]


# Not shrunk: each example deduplicates several times, and shrinking one takes minutes.
@settings(max_examples=80, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(cap=st.integers(2, 4), acts=st.lists(ACTS, min_size=6, max_size=22), reads=st.booleans())
@example(cap=2, acts=TAKEN_BACK, reads=True)
def test_what_waits_after_runs_over_what_changed_is_what_every_pair_says(
    cap: int, acts: list[tuple[Any, ...]], reads: bool
) -> None:
    crm = frozen(MemoryStore(), cap, **options())
    if reads:
        crm.identity.dedupe(relearn=True)  # keeps an order from the first
    ids: list[PartyId] = []
    for said in [*acts, ("dedupe",)]:
        act(crm, ids, said)
        check_queue(crm, ids)
    for relearn in (False, True):
        crm.identity.dedupe(relearn=relearn)
        check_queue(crm, ids)
        known = list(judged(crm, ids).values())
        assert places_in_order(crm) == waiting(known, customers(ids, known))


def test_what_was_doubtful_of_a_record_that_was_taken_back_is_asked_of_another_one_of_the_customer() -> None:
    crm = frozen(MemoryStore(), 40, **options())
    known = Row("olivia", "castro", "1985-04-13", street="12 harbour street")
    a, b = (crm.parties.add(known.draft()).id for _ in range(2))
    c = crm.parties.add(Row("olivia", "castro").draft()).id
    crm.identity.dedupe()
    assert crm.customers.resolve(a).members == (a, b)
    (asked,) = crm.identity.to_review()
    (mine,) = set(asked.pair) - {c}
    crm.parties.retract(mine, reason="a test")
    assert crm.identity.to_review() == ()
    report = crm.identity.dedupe()
    assert report.looked_at is not None
    assert report.review == 1
    (again,) = crm.identity.to_review()
    assert set(again.pair) == {a, b, c} - {mine}
    check_queue(crm, [a, b, c])
    crm.identity.merge(b, c)
    crm.identity.dedupe()
    assert crm.identity.to_review() == ()
    assert in_order(crm) == 0
    check_queue(crm, [a, b, c])


def test_a_doubt_that_is_settled_from_afar_leaves_the_order_with_a_run_over_what_changed() -> None:
    crm = frozen(MemoryStore(), 40, **options())
    a = crm.parties.add(Row("olivia", "castro", "1985-04-13", street="12 harbour street").draft()).id
    c = crm.parties.add(Row("olivia", "castro").draft()).id
    x = crm.parties.add(Row("jacob", "brandt").draft()).id
    crm.identity.dedupe()
    assert pairs(crm) == [(a, c)]
    different = crm.identity.mark_different(x, c)
    crm.identity.merge(a, x)
    assert (pairs(crm), in_order(crm)) == ([], 1)
    assert crm.identity.dedupe().looked_at is not None
    assert in_order(crm) == 0
    end = crm.store.changes("default", "", 1).watermark
    crm.identity.dedupe()
    assert crm.store.changes("default", "", 1).watermark == end
    crm.identity.retract(different.id)
    assert (pairs(crm), in_order(crm)) == ([(a, c)], 1)
    check_queue(crm, [a, c, x])
