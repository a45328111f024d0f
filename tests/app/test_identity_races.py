"""However the verbs of several clients cross: nobody is in two customers, and nothing joins what people keep apart."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore import Crm, Person
from crmcore.app.unit import load_record
from crmcore.errors import CrmError, KeyConflict, RuleViolation, StreamConflict, VersionConflict
from crmcore.identity.identity_keys import CLUSTER
from crmcore.storage import MemoryStore
from crmcore.storage.protocol import Batch, Store
from crmcore.values.ids import PartyId
from tests.app.houses import options
from tests.app.judging import MailboxMatcher, grouped, judged, seen
from tests.app.troubled import interrupted

Verb = Callable[[Crm], object]


class _Held(Exception):
    """The batch was planned and is held back."""


def planned(store: Store, verb: Verb, **shared: Any) -> Batch | None:
    """The batch that a verb would send now; None if it is refused or has nothing to write."""

    def hold() -> object:
        raise _Held

    troubled = interrupted(store, hold)
    try:
        verb(Crm(troubled, **shared))
    except _Held:
        batch: Batch = troubled.batches[0]  # type: ignore[attr-defined]  # what the troubled store remembers
        return batch
    except RuleViolation:
        return None
    return None


def arrives(store: Store, batch: Batch | None) -> bool:
    """Whether a batch that was held back can still be applied."""
    if batch is None:
        return False
    try:
        store.apply(batch)
    except (VersionConflict, KeyConflict, StreamConflict):
        return False
    return True


def in_order(store: Store, crm: Crm, ids: list[PartyId]) -> None:
    """What must hold whatever happened."""
    judgements = judged(crm, ids).values()
    clusters = [load_record(CLUSTER, record) for record in store.scan("default", "cluster").items]
    members = [member for cluster in clusters for member in cluster.members]
    assert len(members) == len(set(members)), "somebody is in two customers"
    apart = [j.pair for j in judgements if j.live and j.human and j.verdict == "different"]
    assert not any(set(pair) <= set(c.members) for pair in apart for c in clusters), (
        "joined across a DIFFERENT"
    )
    assert seen(crm, ids) == grouped(ids, judgements), "customers do not follow from the live judgements"


def setting(count: int) -> tuple[Store, dict[str, Any], Crm, list[PartyId]]:
    store, shared = MemoryStore(), options(matcher=MailboxMatcher())
    crm = Crm(store, **shared)
    mailboxes = ["a@x.org", "b@x.org"]
    ids = [crm.parties.add(Person.of(f"Person {n}", email=mailboxes[n % 2])).id for n in range(count)]
    return store, shared, crm, ids


def test_a_join_and_a_different_that_meet_by_way_of_a_third_never_both_stand() -> None:
    store, shared, crm, (ann, ben, cleo) = setting(3)
    apart = planned(store, lambda c: c.identity.mark_different(ben, cleo), **shared)
    crm.identity.merge(ann, ben)
    joined = planned(store, lambda c: c.identity.merge(ann, cleo), **shared)
    assert not (arrives(store, apart) and arrives(store, joined))
    in_order(store, crm, [ann, ben, cleo])


@pytest.mark.parametrize("first", ["merge", "mark_different"])
@pytest.mark.parametrize("second", ["merge", "mark_different"])
def test_who_is_slower_plans_again_on_what_the_faster_one_left(first: str, second: str) -> None:
    store, shared, other, (ann, ben) = setting(2)
    crm = Crm(interrupted(store, lambda: getattr(other.identity, second)(ben, ann)), **shared)
    if (first, second) == ("merge", "mark_different"):
        with pytest.raises(CrmError, match="different"):
            crm.identity.merge(ann, ben)
    else:
        getattr(crm.identity, first)(ann, ben)
    in_order(store, other, [ann, ben])
    joined = other.customers.resolve(ann) == other.customers.resolve(ben)
    assert joined == ("mark_different" not in (first, second))


def test_who_judges_while_a_deduplication_runs_is_heard() -> None:
    store, shared, other, ids = setting(4)
    crm = Crm(interrupted(store, lambda: other.identity.mark_different(ids[0], ids[2])), **shared)
    crm.identity.dedupe()
    in_order(store, other, ids)
    assert other.customers.resolve(ids[0]) != other.customers.resolve(ids[2])
    assert other.customers.resolve(ids[1]) == other.customers.resolve(ids[3])
    assert other.identity.dedupe().written == 0


PAIRS = list(combinations(range(4), 2))
WORDS = st.sampled_from(["merge", "merge", "mark_different", "retract", "dedupe"])
VERBS = st.tuples(WORDS, st.sampled_from(PAIRS), st.integers(0, 5))


def _verb(ids: list[PartyId], said: tuple[str, tuple[int, int], int]) -> Verb:
    word, (a, b), number = said

    def verb(crm: Crm) -> object:
        if word == "dedupe":
            return crm.identity.dedupe()
        if word == "retract":
            live = sorted(id for id, found in judged(crm, ids).items() if found.live)
            return crm.identity.retract(live[number % len(live)]) if live else None  # type: ignore[arg-type]  # a text
        return getattr(crm.identity, word)(ids[a], ids[b])

    return verb


@settings(max_examples=120)
@given(st.data())
def test_verbs_that_cross_in_any_way_leave_customers_in_order(data: st.DataObject) -> None:
    store, shared, crm, ids = setting(4)
    for said in data.draw(st.lists(VERBS, max_size=3)):
        try:
            _verb(ids, said)(crm)
        except RuleViolation:
            continue
    verbs = [_verb(ids, said) for said in data.draw(st.lists(VERBS, min_size=2, max_size=4))]
    steps = data.draw(st.permutations([*range(len(verbs))] * 2))
    held: dict[int, Batch | None] = {}
    for number in steps:
        if number not in held:
            held[number] = planned(store, verbs[number], **shared)
        else:
            arrives(store, held[number])
            in_order(store, crm, ids)
