"""What waits for a person: exactly what nobody settled, likeliest first, and a page of it costs a page."""

from __future__ import annotations

from typing import Any, cast

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.identity.features import Features
from crmcore.identity.identity_keys import REVIEW
from crmcore.identity.matcher import Match
from crmcore.identity.population import Population
from crmcore.storage import MemoryStore
from crmcore.storage.protocol import Store
from crmcore.values.ids import PartyId
from tests.app.houses import in_memory, options
from tests.app.judging import MailboxMatcher
from tests.app.reviews import unordered

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
