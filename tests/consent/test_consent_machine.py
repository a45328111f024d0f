"""Whatever is said, merged, split, imported and moved, in whatever order: the laws of permission under merge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from crmcore import Crm, Person
from crmcore.consent import ConsentEvent
from crmcore.values.ids import JudgementId, PartyId
from tests.app.houses import Clock
from tests.consent.asking import YES, asked, company

ADDRESSES = ("a@x.org", "b@x.org", "c@x.org")
LAWS = ("DE", "US")
ACTS = ("give", "confirm", "withdraw", "refuse", "object", "lift", "assert_import")
Answers = dict[tuple[PartyId, str, str], str]


def answers(crm: Crm, ids: list[PartyId]) -> Answers:
    """What is answered for every record, address and law."""
    found: Answers = {}
    for id in ids:
        members = crm.customers.resolve(id).members
        owned = {one.key for member in members for one in crm.parties.get(member).contact_points}
        for address in sorted(owned):
            for law in LAWS:
                found[id, address, law] = asked(crm, id, point=address, jurisdictions=[law]).answer
    return found


class Permissions(RuleBasedStateMachine):
    """Up to four records that share addresses, and what their people say."""

    parties: Bundle[PartyId] = Bundle("parties")
    merges: Bundle[JudgementId] = Bundle("merges")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(now=datetime(2025, 1, 1, tzinfo=UTC))
        self.crm = company(self.clock)
        self.ids: list[PartyId] = []
        self.noes: dict[PartyId, list[str]] = {}

    def owned(self, id: PartyId) -> list[str]:
        return [one.key for one in self.crm.parties.get(id).contact_points]

    @rule(target=parties, addresses=st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=2, unique=True))
    def add(self, addresses: list[str]) -> Any:
        if len(self.ids) == 4:
            return multiple()
        draft = Person.of(f"Person {len(self.ids)}")
        for address in addresses:
            draft = draft.with_email(address)
        id = self.crm.parties.add(draft).id
        self.ids.append(id)
        self.noes[id] = []
        return id

    @rule(party=parties, act=st.sampled_from(ACTS), number=st.integers(0, 2), narrow=st.booleans())
    def say(self, party: PartyId, act: Any, number: int, narrow: bool) -> None:
        """About an address of the record, or about the person."""
        self.clock.now += timedelta(days=1)
        owned = self.owned(party)
        point = owned[number] if number < len(owned) else None
        said = self.crm.consent.record(
            act,
            party,
            point=point,
            purposes=["marketing"] if narrow or act in ("give", "confirm", "assert_import") else [],
            channels=["email"] if narrow or act in ("give", "confirm", "assert_import") else [],
            evidence=YES,
        )
        if point is None and act in ("withdraw", "refuse", "object"):
            for member in said.members:
                self.noes[PartyId(member)].append(said.id)

    @rule(target=merges, a=parties, b=parties)
    def merge(self, a: PartyId, b: PartyId) -> Any:
        if self.crm.customers.resolve(a) == self.crm.customers.resolve(b):
            return multiple()
        self.clock.now += timedelta(days=1)
        before, acts = answers(self.crm, self.ids), self.acts()
        judgement = self.crm.identity.merge(a, b)
        after = answers(self.crm, self.ids)
        for (id, address, law), found in after.items():
            if found == "allow" and address in self.owned(id):
                assert before[id, address, law] == "allow", "a merge made a permission"  # M1
        self.crm.identity.retract(judgement.id)
        assert answers(self.crm, self.ids) == before, "a split left something behind"  # M4
        assert self.acts() == acts
        return self.crm.identity.merge(a, b).id

    @rule(judgement=consumes(merges))
    def split(self, judgement: JudgementId) -> None:
        self.clock.now += timedelta(days=1)
        self.crm.identity.retract(judgement)

    @rule(party=parties, number=st.integers(0, 1), new=st.sampled_from(ADDRESSES))
    def move(self, party: PartyId, number: int, new: str) -> None:
        self.clock.now += timedelta(days=1)
        owned = self.owned(party)
        old = owned[number % len(owned)]
        if new in owned:
            return
        before = answers(self.crm, [party])
        others = {one for one in self.ids if one != party and new in self.owned(one)}
        self.crm.parties.change(party, lambda p: p.without(old).with_email(new))
        for law in LAWS:
            now = answers(self.crm, [party])[party, new, law]
            if now == "allow" and before[party, old, law] != "allow":
                # Only a Yes of somebody who had the new address before, or of this record, can be behind it.
                assert law == "DE", "moving lost a No"
            if now == "allow" and law == "DE":
                assert others or self.said_yes(new), "moving carried a Yes"

    def said_yes(self, address: str) -> bool:
        events = [event for id in self.ids for event in self.crm.consent.events(id)]
        return any(
            event.kind in ("give", "confirm", "assert_import")
            and (event.scope.point == address or address in (event.scope.points or ()))
            for event in events
        )

    def acts(self) -> dict[PartyId, tuple[ConsentEvent, ...]]:
        return {id: self.crm.consent.events(id) for id in self.ids}

    @invariant()
    def a_no_of_the_person_is_in_every_record_of_the_customer(self) -> None:  # M2
        for id in self.ids:
            said = {event.id for event in self.crm.consent.events(id)}
            for member in self.crm.customers.resolve(id).members:
                assert set(self.noes[member]) <= said


TestPermissions = Permissions.TestCase
TestPermissions.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)


@settings(max_examples=15, deadline=None)
@given(
    said=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(ACTS), st.booleans()), max_size=6),
    order=st.permutations([(0, 1), (1, 2), (2, 3)]),
    turned=st.booleans(),
)
def test_the_order_of_merges_does_not_matter(
    said: list[tuple[int, Any, bool]], order: list[tuple[int, int]], turned: bool
) -> None:  # M3
    found: list[Any] = []
    for merges in ([(0, 1), (1, 2), (2, 3)], [pair[::-1] if turned else pair for pair in order]):
        clock = Clock(now=datetime(2025, 1, 1, tzinfo=UTC))
        crm = company(clock)
        people = [Person.of(f"P {n}", email=ADDRESSES[n % 3]) for n in range(4)]
        ids = [crm.parties.add(one).id for one in people]
        for number, act, about in said:
            clock.now += timedelta(days=1)
            point = ADDRESSES[number % 3] if about else None
            crm.consent.record(
                act, ids[number], point=point, purposes=["marketing"], channels=["email"], evidence=YES
            )
        clock.now = datetime(2026, 1, 1, tzinfo=UTC)
        for a, b in merges:
            crm.identity.merge(ids[a], ids[b])
        clock.now = datetime(2026, 2, 1, tzinfo=UTC)
        found.append([answer for _, answer in sorted(answers(crm, ids).items())])
    assert found[0] == found[1]
