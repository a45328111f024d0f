"""Whatever is said and taken back, in whatever order: what users read follows from the facts that stand."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from crmcore import Crm, Judgement, Person
from crmcore.errors import DecidedDifferent, RelationshipCycle, RelationshipOverlap
from crmcore.values.ids import CustomerId, PartyId
from tests.app.houses import START, in_memory
from tests.app.judging import Groups, MailboxMatcher, doubts, grouped, judged, seen

MAILBOXES = ("a@x.org", "b@x.org", "c@x.org")
PHONES = ("+442079460018", "+442079460019")
DAY = timedelta(days=1)
Picture = dict[str, Any]


def picture(crm: Crm, ids: list[PartyId], formers: set[str]) -> Picture:
    """All that a user can read."""
    return {
        "views": {id: crm.customers.view(id).digest for id in ids},
        "references": {id: crm.customers.resolve(id).id for id in sorted({*ids, *formers})},
        "searches": {text: [c.members for c in crm.customers.search(text)] for text in (*MAILBOXES, *PHONES, "Person")},
        "timelines": {id: crm.interactions.timeline(id).items for id in ids},
        "relationships": {id: crm.relationships.of(id) for id in ids},
        "pages": {c.members for c in crm.customers.page().items},
    }  # fmt: skip


class Customers(RuleBasedStateMachine):
    """Up to six records about which people and a matcher say things, and take them back."""

    parties: Bundle[PartyId] = Bundle("parties")

    def __init__(self) -> None:
        super().__init__()
        self.crm = in_memory(matcher=MailboxMatcher())
        self.mailboxes: dict[PartyId, str | None] = {}
        self.formers: set[str] = set()
        self.interactions: dict[str, tuple[PartyId, ...]] = {}
        self.relationships = 0

    @property
    def ids(self) -> list[PartyId]:
        return sorted(self.mailboxes)

    def groups(self) -> Groups:
        return grouped(self.ids, judged(self.crm, self.ids).values())

    def customer(self, party: PartyId) -> frozenset[PartyId]:
        return next(group for group in self.groups() if party in group)

    def forbidden(self, a: PartyId, b: PartyId) -> bool:
        """Whether a person said that somebody of the one customer and somebody of the other are different."""
        one, other = self.customer(a), self.customer(b)
        judgements = judged(self.crm, self.ids).values()
        apart = [{j.a, j.b} for j in judgements if j.live and j.human and j.verdict == "different"]
        return any(pair == {a, b} or (one != other and pair & one and pair & other) for pair in apart)

    # --- what happens ---

    @rule(
        target=parties,
        mailbox=st.none() | st.sampled_from(MAILBOXES),
        phone=st.none() | st.sampled_from(PHONES),
    )
    def add(self, mailbox: str | None, phone: str | None) -> Any:
        if len(self.mailboxes) == 6:
            return multiple()
        party = self.crm.parties.add(Person.of(f"Person {len(self.mailboxes)}", email=mailbox, phone=phone))
        self.mailboxes[party.id] = mailbox
        return party.id

    @rule(a=parties, b=parties)
    def merge(self, a: PartyId, b: PartyId) -> None:
        if a == b:
            return
        if self.forbidden(a, b):
            with pytest.raises(DecidedDifferent):
                self.crm.identity.merge(a, b)
        else:
            self.crm.identity.merge(a, b)
            assert self.crm.customers.resolve(a) == self.crm.customers.resolve(b)

    @rule(a=parties, b=parties)
    def merge_and_take_it_back(self, a: PartyId, b: PartyId) -> None:
        if a == b or self.forbidden(a, b):
            return
        before = picture(self.crm, self.ids, self.formers)
        self.crm.identity.retract(self.crm.identity.merge(a, b).id)
        assert picture(self.crm, self.ids, self.formers) == before

    @rule(a=parties, b=parties)
    def mark_different(self, a: PartyId, b: PartyId) -> None:
        if a != b:
            self.crm.identity.mark_different(a, b)
            assert self.crm.customers.resolve(a) != self.crm.customers.resolve(b)

    @rule(a=parties, b=parties)
    def mark_different_and_take_it_back(self, a: PartyId, b: PartyId) -> None:
        if a != b:
            before = picture(self.crm, self.ids, self.formers)
            self.crm.identity.retract(self.crm.identity.mark_different(a, b).id)
            assert picture(self.crm, self.ids, self.formers) == before

    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        live = sorted(id for id, judgement in judged(self.crm, self.ids).items() if judgement.live)
        if live:
            chosen: Any = data.draw(st.sampled_from(live))
            self.crm.identity.retract(chosen)

    @rule()
    def deduplicate(self) -> None:
        before = judged(self.crm, self.ids)
        self.crm.identity.dedupe()
        after = judged(self.crm, self.ids)
        settled = {j.pair for j in before.values() if j.live and j.human}
        new = [after[id] for id in after.keys() - before.keys()]
        assert not any(j.pair in settled or j.human for j in new)
        taken_back = [j for id, j in before.items() if after[id] != j]
        assert all(j.live and not j.human and not after[j.id].live for j in taken_back)
        assert self.crm.identity.dedupe().written == 0

    @rule(party=parties, mailbox=st.sampled_from(MAILBOXES))
    def change(self, party: PartyId, mailbox: str) -> None:
        def moved(person: Person) -> Person:
            return person.changed(contact_points=person.phones).with_email(mailbox)

        self.crm.parties.change(party, moved)
        self.mailboxes[party] = mailbox

    @rule(a=parties, b=parties, days=st.integers(1, 3))
    def record(self, a: PartyId, b: PartyId, days: int) -> None:
        who = sorted({a, b})
        call = self.crm.interactions.record(
            "call", direction="inbound", occurred_at=START - days * DAY, with_=who
        )
        self.interactions[call.id] = call.parties

    @rule(a=parties, b=parties)
    def relate(self, a: PartyId, b: PartyId) -> None:
        if a != b:
            try:
                self.crm.relationships.add("reports_to", a, b)
            except (RelationshipCycle, RelationshipOverlap):
                return
            self.relationships += 1

    # --- what holds ---

    @invariant()
    def customers_follow_from_live_judgements(self) -> None:
        groups = self.groups()
        assert seen(self.crm, self.ids) == groups
        for group in groups:
            customer = self.crm.customers.resolve(min(group))
            assert customer.members == tuple(sorted(group))
            assert customer.id == CustomerId(min(group))
            self.formers.add(customer.id)

    @invariant()
    def what_waits_for_a_person_is_what_nobody_settled(self) -> None:
        review = self.crm.identity.to_review()
        asked = {frozenset({self.customer(j.a), self.customer(j.b)}): j.score for j in review}
        assert asked == doubts(self.ids, judged(self.crm, self.ids).values())
        assert len(asked) == len(review)
        assert [j.score for j in review] == sorted((j.score for j in review), reverse=True)

    @invariant()
    def a_former_id_always_leads_to_somebody(self) -> None:
        for former in self.formers:
            assert former in self.crm.customers.resolve(former).members

    @invariant()
    def an_address_leads_to_the_customers_who_have_it(self) -> None:
        groups = self.groups()
        for mailbox in MAILBOXES:
            owners = {id for id, owned in self.mailboxes.items() if owned == mailbox}
            expected = {group for group in groups if group & owners}
            assert {frozenset(c.members) for c in self.crm.customers.search(mailbox)} == expected

    @invariant()
    def no_fact_is_lost_and_none_is_seen_twice(self) -> None:
        customers = self.crm.customers.page().items
        assert sorted(m for customer in customers for m in customer.members) == self.ids
        for customer in customers:
            shown = [found.id for found in self.crm.interactions.timeline(customer.id).items]
            mine = [id for id, who in self.interactions.items() if set(who) & set(customer.members)]
            assert sorted(shown) == sorted(mine)
            assert self.crm.customers.view(customer.id).timeline.count == len(mine)
        found = {r.id for id in self.ids for r in self.crm.relationships.of(id)}
        assert len(found) == self.relationships


TestCustomers = Customers.TestCase
TestCustomers.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


# --- the order of merges -------------------------------------------------------------------------------


def _told(crm: Crm, said: list[tuple[str, int, int]]) -> tuple[list[PartyId], list[Judgement]]:
    ids = [crm.parties.add(Person.of(f"Person {n}", email=MAILBOXES[n % 3])).id for n in range(5)]
    made: list[Judgement] = []
    for verb, a, b in said:
        made.append(getattr(crm.identity, verb)(ids[a], ids[b]))
    return ids, made


PAIRS = list(combinations(range(5), 2))


@settings(max_examples=30)
@given(st.lists(st.sampled_from(PAIRS), unique=True, min_size=1), st.randoms(use_true_random=False))
def test_the_order_of_merges_does_not_matter(pairs: list[tuple[int, int]], random: Any) -> None:
    shuffled = [pair if random.random() < 0.5 else pair[::-1] for pair in pairs]
    random.shuffle(shuffled)
    pictures: list[Any] = []
    for order in (pairs, shuffled):
        crm = in_memory()
        ids, _ = _told(crm, [("merge", *pair) for pair in order])
        groups = [tuple(ids.index(m) for m in crm.customers.resolve(id).members) for id in ids]
        names = [crm.customers.view(id).name for id in ids]
        searches = [len(crm.customers.search(mailbox)) for mailbox in MAILBOXES]
        pictures.append((groups, names, searches))
    assert pictures[0] == pictures[1]


@settings(max_examples=30)
@given(st.lists(st.sampled_from(PAIRS), unique=True, min_size=1), st.randoms(use_true_random=False))
def test_taking_back_all_merges_in_any_order_leaves_what_was_before(
    pairs: list[tuple[int, int]], random: Any
) -> None:
    crm = in_memory()
    ids, _ = _told(crm, [])
    before = picture(crm, ids, set())
    made = [crm.identity.merge(ids[a], ids[b]) for a, b in pairs]
    random.shuffle(made)
    for judgement in made:
        crm.identity.retract(judgement.id)
        assert seen(crm, ids) == grouped(ids, judged(crm, ids).values())
    assert picture(crm, ids, set()) == before
