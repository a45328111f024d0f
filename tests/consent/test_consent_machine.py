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
HELD = (("a@x.org",), ("a@x.org", "b@x.org"), ("b@x.org",))
LAWS = ("DE", "US")
ACTS = ("give", "withdraw", "give", "withdraw", "object", "confirm", "refuse", "lift", "assert_import")
WHO = st.integers(0, 2)
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
    """Three records that share addresses, and what their people say."""

    merges: Bundle[JudgementId] = Bundle("merges")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(now=datetime(2025, 1, 1, tzinfo=UTC))
        self.crm = company(self.clock)
        self.ids: list[PartyId] = []
        for addresses in HELD:
            draft = Person.of("Ann Lee")
            for address in addresses:
                draft = draft.with_email(address)
            self.ids.append(self.crm.parties.add(draft).id)
        self.noes: dict[PartyId, list[str]] = {id: [] for id in self.ids}

    def owned(self, id: PartyId) -> list[str]:
        return [one.key for one in self.crm.parties.get(id).contact_points]

    @rule(who=WHO, act=st.sampled_from(ACTS), number=st.integers(0, 3), wide=st.integers(0, 3))
    def say(self, who: int, act: Any, number: int, wide: int) -> None:
        """About an address of the record, or about the person."""
        self.clock.now += timedelta(days=1)
        party = self.ids[who]
        owned = self.owned(party)
        point = owned[number % len(owned)] if number < 3 else None
        said = self.crm.consent.record(
            act,
            party,
            point=point,
            purposes=["marketing"] if wide or act in ("give", "confirm", "assert_import") else [],
            channels=["email"] if wide or act in ("give", "confirm", "assert_import") else [],
            evidence=YES,
        )
        if point is None and act in ("withdraw", "refuse", "object"):
            for member in said.members:
                self.noes[PartyId(member)].append(said.id)

    @rule(target=merges, pair=st.sampled_from([(0, 1), (1, 2), (0, 2)]), lasting=st.booleans())
    def merge(self, pair: tuple[int, int], lasting: bool) -> Any:
        a, b = self.ids[pair[0]], self.ids[pair[1]]
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
        return self.crm.identity.merge(a, b).id if lasting else multiple()

    @rule(judgement=consumes(merges))
    def split(self, judgement: JudgementId) -> None:
        self.clock.now += timedelta(days=1)
        self.crm.identity.retract(judgement)

    @rule(who=WHO, number=st.integers(0, 1))
    def move(self, who: int, number: int) -> None:
        self.clock.now += timedelta(days=1)
        """To an address that nobody ever had: it is opted in nowhere, and opted out where the old one was."""
        party = self.ids[who]
        owned = self.owned(party)
        old, new = owned[number % len(owned)], f"new{self.clock.now:%Y%m%d}@x.org"
        before = answers(self.crm, [party])
        self.crm.parties.change(party, lambda p: p.without(old).with_email(new))
        after = answers(self.crm, [party])
        assert after[party, new, "DE"] != "allow", "moving carried a Yes"
        if len(self.crm.customers.resolve(party).members) == 1 and before[party, old, "US"] == "deny":
            assert after[party, new, "US"] == "deny", "moving lost a No"

    def acts(self) -> dict[PartyId, tuple[ConsentEvent, ...]]:
        return {id: self.crm.consent.events(id) for id in self.ids}

    @invariant()
    def a_no_of_the_person_is_in_every_record_of_the_customer(self) -> None:  # M2
        for id in self.ids:
            said = {event.id for event in self.crm.consent.events(id)}
            for member in self.crm.customers.resolve(id).members:
                assert set(self.noes[member]) <= said


TestPermissions = Permissions.TestCase
TestPermissions.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)


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


def test_a_yes_of_before_a_merge_lifts_no_no_that_stands_for_the_other_record() -> None:
    clock = Clock(now=datetime(2025, 1, 1, tzinfo=UTC))
    crm = company(clock)
    ann, bo = (crm.parties.add(Person.of(name).with_email("fam@x.org")) for name in ("Ann Lee", "Bo Lee"))

    def say(act: Any, point: str | None) -> None:
        clock.now += timedelta(days=1)
        crm.consent.record(act, bo.id, point=point, purposes=["marketing"], channels=["email"], evidence=YES)

    say("withdraw", "fam@x.org")
    say("give", None)
    alone = [asked(crm, one.id, point="fam@x.org", jurisdictions=["US"]).answer for one in (ann, bo)]
    assert alone == ["deny", "allow"]
    crm.identity.merge(ann.id, bo.id)
    assert asked(crm, ann.id, point="fam@x.org", jurisdictions=["US"]).answer == "deny"
    say("give", None)
    assert asked(crm, ann.id, point="fam@x.org", jurisdictions=["US"]).answer == "allow"
