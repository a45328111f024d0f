"""Whose Yes counts: no address that is taken over, given up or erased brings a Yes of others, or ends one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmcore import Crm, Person
from crmcore.app import ErasureFacts, consent_reading
from crmcore.consent import ConsentEvent, Facts, LegalHold, Offer, Subject
from crmcore.errors import InvalidConsent
from crmcore.serde import Codec
from crmcore.values.ids import PartyId
from tests.app.houses import Clock
from tests.app.requests import collecting
from tests.consent.asking import PRACTICE, YES, company

A, B = POINTS = ("a@x.org", "b@x.org")
PEOPLE = range(3)
SAID: Any = {"purposes": ["marketing"], "channels": ["email"]}
ASKED: Any = {
    "purpose": "marketing",
    "channel": "email",
    "jurisdictions": ["DE"],
    "offered_to_children": False,
    "message": PRACTICE.marketing,
    "facts": Facts(subject=Subject(kind="consumer", adult=True), point=PRACTICE.point),
}
DAY = timedelta(days=1)


class Act(NamedTuple):
    """A Yes or a No of somebody at an address, on a day; *over* are the Noes of others that it names."""

    day: int
    yes: bool
    who: int
    point: str
    over: frozenset[int] = frozenset()


@attrs.define
class Model:
    """Who has what, who is one customer with whom and since when, and what was said."""

    has: list[set[str]]
    acts: list[Act] = attrs.Factory(list)
    carried: list[set[int]] = attrs.Factory(lambda: [set() for _ in PEOPLE])
    pair: frozenset[int] = frozenset()
    since: int = 0
    gone: set[int] = attrs.Factory(set)
    day: int = 0

    def customer(self, who: int) -> frozenset[int]:
        return self.pair if who in self.pair else frozenset({who})

    def points(self, who: int) -> set[str]:
        return set().union(*(self.has[one] for one in self.customer(who)))

    def together(self, day: int, *people: int) -> bool:
        """Whether they had been one customer by that day, and are."""
        return len(set(people)) == 1 or (self.pair.issuperset(people) and day >= self.since)

    def noes_at(self, point: str) -> Iterator[int]:
        return (n for n, act in enumerate(self.acts) if not act.yes and act.point == point)

    def say(self, yes: bool, who: int, point: str) -> None:
        over: set[int] = set()
        own = self.customer(who)
        for n in [*self.noes_at(point), *(n for one in own for n in self.carried[one])] if yes else ():
            no = self.acts[n]
            former = no.point not in self.points(who)
            if no.who not in own and (former or no.point not in self.has[no.who]):
                over.add(n)
        self.acts.append(Act(self.day, yes, who, point, frozenset(over)))

    def drop(self, who: int, point: str) -> None:
        self.carried[who].update(self.noes_at(point))
        self.has[who].discard(point)

    def merge(self, one: int, other: int) -> None:
        self.pair, self.since = frozenset({one, other}), self.day

    def erase(self, who: int) -> None:
        for one in self.customer(who):
            self.gone.add(one)
            self.has[one].clear()
        self.pair -= self.gone

    def allowed(self, who: int, point: str) -> bool:
        """Every record that has the address must be allowed."""
        return all(
            any(self._permits(yes, member, point) for yes in self.acts if yes.yes and yes.point == point)
            for member in self.customer(who)
            if point in self.has[member]
        )

    def _permits(self, yes: Act, member: int, point: str) -> bool:
        return self._counts(yes, member) and all(
            self._lifts(yes, n, member) or self._ended(yes, self.acts[n], member) for n in self.noes_at(point)
        )

    def _counts(self, yes: Act, member: int) -> bool:
        return yes.point in self.has[yes.who] or self.together(yes.day, yes.who, member)

    def _ended(self, yes: Act, no: Act, member: int) -> bool:
        """Whether who said no had said yes again by then, which permits nothing any more."""
        return any(
            one.yes
            and (one.who, one.point) == (no.who, no.point)
            and no.day < one.day < yes.day
            and not self._counts(one, member)
            for one in self.acts
        )

    def _lifts(self, yes: Act, number: int, member: int) -> bool:
        no, own = self.acts[number], self.customer(member)
        if yes.day <= no.day:
            return False
        named = (
            number in yes.over
            and yes.who in own
            and no.who not in own
            and no.point not in self.has[no.who]
            and self.together(yes.day, yes.who, member)
        )
        return (
            named
            or yes.who == no.who
            or (yes.who in own and no.who in own and self.together(yes.day, yes.who, no.who, member))
        )

    def exact(self, who: int, point: str) -> bool:
        """Whether nothing that was carried from another address speaks of this one."""
        return not any(
            self.acts[n].point not in self.has[one] for one in self.customer(who) for n in self.carried[one]
        )


STEPS = st.one_of(
    st.tuples(
        st.sampled_from(("yes", "yes", "no", "drop", "take")),
        st.sampled_from(PEOPLE),
        st.sampled_from(POINTS),
    ),
    st.tuples(st.just("merge"), st.just(0), st.sampled_from(("1", "2"))),
    st.tuples(st.just("erase"), st.sampled_from(PEOPLE), st.just("")),
)


class World:
    """The same as the model, in a crm."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.crm = company(self.clock)
        held = ({A}, {A, B}, {B})
        self.model = Model(has=[set(some) for some in held])
        self.ids = [
            self.crm.parties.add(_draft(name, *sorted(some))).id
            for name, some in zip(("Ann Lee", "Bo Kim", "Cy Roe"), held, strict=True)
        ]

    def step(self, what: str, who: int, more: str) -> None:
        """Do a step in both, if it can be done."""
        model, id = self.model, self.ids[who]
        if who in model.gone:
            return
        if what in ("yes", "no") and more in model.has[who]:
            self.crm.consent.record(
                "give" if what == "yes" else "withdraw", id, point=more, **SAID, evidence=YES
            )
            model.say(what == "yes", who, more)
        elif what == "drop" and more in model.has[who]:
            self.crm.parties.change(id, lambda p: p.without(more))
            model.drop(who, more)
        elif what == "take" and more not in model.has[who]:
            self.crm.parties.change(id, lambda p: p.with_email(more))
            model.has[who].add(more)
        elif what == "merge" and not model.pair and int(more) not in model.gone:
            self.crm.identity.merge(id, self.ids[int(more)])
            model.merge(who, int(more))
        elif what == "erase":
            erased(self.crm, id)
            model.erase(who)
        self.clock.now += DAY
        model.day += 1

    def check(self) -> None:
        """The answers are those of the model, and an audience gives the same."""
        model = self.model
        for who in set(PEOPLE) - model.gone:
            best = False
            for point in sorted(model.points(who)):
                allowed = answer(self.crm, self.ids[who], point) == "allow"
                assert allowed <= model.allowed(who, point)
                if model.exact(who, point):
                    assert allowed == model.allowed(who, point)
                best |= allowed
            if model.points(who):
                assert audience(self.crm, self.ids[who]) == best


def _draft(name: str, *addresses: str) -> Person:
    draft = Person.of(name)
    for address in addresses:
        draft = draft.with_email(address)
    return draft


def erased(crm: Crm, who: PartyId, facts: ErasureFacts | None = None, *, asked: Any = None) -> None:
    request = asked or collecting(crm, who, "erasure")
    plan = crm.requests.erasure_plan(request.id, facts=facts)
    crm.requests.erase(request.id, plan_sha256=plan.digest, facts=facts)


def audience(crm: Crm, who: PartyId) -> bool:
    """Whether somebody may be written to, as an audience tells it."""
    (one,) = crm.consent.audience([who], **ASKED)
    return one.allowed


def short_and_long(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Ledgers that an audience takes for short, which it reads at once, then the same for long ones."""
    for short in (50, 1):
        monkeypatch.setattr(consent_reading, "SHORT", short)
        yield short


def said_no(world: World) -> tuple[Crm, Clock, list[PartyId]]:
    """The first one has withdrawn at the address that they share, the day before."""
    world.crm.consent.withdraw(world.ids[0], point=A, **SAID)
    world.clock.now += DAY
    return world.crm, world.clock, world.ids


def answer(crm: Crm, who: str, point: str, **more: Any) -> str:
    """Whether marketing by e-mail is allowed in Germany, where it takes a Yes."""
    return str(crm.consent.decide(who, point=point, **{**ASKED, **more}).answer)


def yes(crm: Crm, who: str, point: str) -> None:
    crm.consent.record("give", who, point=point, **SAID, evidence=YES)


@settings(max_examples=10)
@given(st.lists(STEPS, min_size=3, max_size=9))
@example([("yes", 0, A), ("drop", 0, A), ("merge", 0, "1")])
@example([("no", 0, A), ("yes", 1, A), ("drop", 0, A)])
@example([("no", 0, A), ("drop", 0, A), ("yes", 1, A), ("erase", 0, "")])
@example([("no", 0, A), ("drop", 0, A), ("yes", 1, A), ("take", 0, A)])
@example([("no", 0, A), ("drop", 0, A), ("yes", 1, A), ("merge", 0, "1")])
@example([("no", 2, B), ("drop", 2, B), ("take", 0, B), ("yes", 1, B), ("merge", 0, "1")])
@example([("take", 2, A), ("merge", 0, "1"), ("no", 0, A), ("yes", 1, A)])
@example([("no", 0, A), ("yes", 0, A), ("yes", 1, A), ("drop", 0, A)])
def test_a_yes_goes_with_who_said_it(steps: list[tuple[str, int, str]]) -> None:
    world = World()
    for step in steps:
        world.step(*step)
    world.check()


def test_an_erasure_ends_no_yes_of_anybody_else() -> None:
    world = World()
    crm, clock, (ann, bo, cy) = world.crm, world.clock, world.ids
    crm.parties.change(cy, lambda p: p.with_email(A))
    for who in (ann, bo):
        yes(crm, who, A)
        clock.now += DAY
    assert [answer(crm, who, A) for who in (ann, bo, cy)] == ["allow"] * 3
    held = ErasureFacts(holds=(LegalHold(id="h", reason="r", kinds=frozenset({"party"})),))
    asked = collecting(crm, ann, "erasure")
    for _ in range(2):
        erased(crm, ann, held, asked=asked)
        clock.now += DAY
        assert [act.alone for act in crm.consent.events(ann) if act.scope.point == A and act.record == ann][
            -1
        ]
        assert [answer(crm, who, A) for who in (ann, bo)] == ["deny", "allow"]
        crm.consent.record("lift", ann)
        clock.now += DAY
        assert answer(crm, ann, A) == "deny"  # the consent is over, whatever becomes of the restriction
        yes(crm, ann, A)  # a new one is another
        clock.now += DAY
        assert answer(crm, ann, A) == "allow"
    erased(crm, ann)
    clock.now += DAY
    assert [audience(crm, bo), answer(crm, bo, A), answer(crm, cy, A)] == [True, "allow", "allow"]
    erased(crm, bo)
    assert answer(crm, cy, A) == "deny"


def test_whose_record_is_held_permits_nothing_to_others() -> None:
    world = World()
    ann, bo, _ = world.ids
    yes(world.crm, ann, A)
    world.clock.now += DAY
    assert answer(world.crm, bo, A) == "allow"
    erased(world.crm, ann, ErasureFacts(holds=(LegalHold(id="h", reason="r", kinds=frozenset({"party"})),)))
    world.clock.now += DAY
    assert (answer(world.crm, bo, A), audience(world.crm, bo)) == ("deny", False)
    assert [act.kind for act in world.crm.consent.events(bo)] == []


def test_a_record_that_was_taken_back_permits_nothing_to_others_and_its_no_stands() -> None:
    world = World()
    crm, clock, (ann, bo, _) = world.crm, world.clock, world.ids
    yes(crm, ann, A)
    then = clock.now
    clock.now += DAY
    crm.parties.retract(ann, reason="entered by mistake")
    assert (answer(crm, bo, A), audience(crm, bo)) == ("deny", False)
    assert answer(crm, bo, A, known_at=then) == "allow"
    assert answer(crm, bo, A, jurisdictions=["US"]) == "allow"
    crm.consent.withdraw(ann, point=A, **SAID)
    clock.now += DAY
    yes(crm, bo, A)
    clock.now += DAY
    assert (answer(crm, bo, A), audience(crm, bo)) == ("deny", False)


def test_nobody_says_of_an_act_what_the_crm_fills_in() -> None:
    world = World()
    crm, (ann, *_) = world.crm, world.ids
    filled_in: list[dict[str, Any]] = [{"alone": True}, {"takes_back": ("1",)}, {"members": ()}]
    for more in filled_in:
        with pytest.raises(InvalidConsent, match=f"^{next(iter(more))} of an act is filled in by this crm"):
            crm.consent.record("give", ann, point=A, **SAID, evidence=YES, **more)
    assert crm.consent.events(ann) == ()


def test_recording_a_yes_reads_of_what_others_said_their_noes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    crm, (ann, bo, _) = world.crm, world.ids
    for _ in range(5):
        yes(crm, ann, A)
    crm.consent.withdraw(ann, point=A, **SAID)
    read: list[str] = []
    load = Codec.load

    def counted(codec: Codec[Any], body: Any, *schema: Any) -> Any:
        found = load(codec, body, *schema)
        if isinstance(found, ConsentEvent):
            read.append(found.kind)
        return found

    monkeypatch.setattr(Codec, "load", counted)
    yes(crm, bo, A)
    assert read.count("withdraw") == 1
    assert read.count("give") <= 1  # what is written is proven


def test_who_comes_back_after_an_erasure_can_say_yes() -> None:
    world = World()
    crm, clock, ann = world.crm, world.clock, world.ids[0]
    yes(crm, ann, A)
    clock.now += DAY
    crm.consent.withdraw(ann, point=A)
    clock.now += DAY
    erased(crm, ann)
    clock.now += DAY
    again = crm.parties.add(Person.of("Ann Lee", email=A)).id
    assert answer(crm, again, A) == "deny"
    yes(crm, again, A)
    clock.now += DAY
    assert (answer(crm, again, A), audience(crm, again)) == ("allow", True)
    assert answer(crm, world.ids[1], A) == "deny"  # who has it too and did not say so


def test_a_yes_is_not_taken_over_with_an_address() -> None:
    world = World()
    crm, clock, (ann, bo, _) = world.crm, world.clock, world.ids
    yes(crm, ann, A)
    then = clock.now
    clock.now += DAY
    crm.parties.change(ann, lambda p: p.without(A))
    line = (Offer(purpose="marketing", channel="email"),)
    assert answer(crm, bo, A) == "deny"
    assert answer(crm, bo, A, known_at=then) == "allow"
    centre = crm.preferences.centre(bo, line, points={"email": A})
    assert centre.choices[0].state == "unsaid"
    crm.preferences.change(bo, centre, centre.choose("marketing", "email", on=True), evidence=YES)
    clock.now += DAY
    assert answer(crm, bo, A) == "allow"
    crm.parties.change(ann, lambda p: p.with_email(A))
    assert answer(crm, ann, A) == "allow"


def test_a_no_of_others_that_was_carried_is_lifted_by_a_yes_and_theirs_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crm, clock, (ann, bo, _) = said_no(World())
    crm.parties.change(bo, lambda p: p.without(A))
    clock.now += DAY
    for _ in range(2):
        yes(crm, bo, B)
        clock.now += DAY
    for _ in short_and_long(monkeypatch):
        assert (answer(crm, bo, B), audience(crm, bo)) == ("allow", True)
    yes(crm, ann, A)
    clock.now += DAY
    crm.consent.withdraw(ann, point=A, **SAID)
    crm.parties.change(bo, lambda p: p.with_email(A))
    assert [answer(crm, who, A) for who in (ann, bo)] == ["deny", "deny"]
    assert (answer(crm, bo, B), audience(crm, bo)) == ("allow", True)
    crm.parties.change(ann, lambda p: p.without(A).with_email(B))
    clock.now += DAY
    assert [answer(crm, ann, B), answer(crm, bo, A)] == ["deny", "deny"]
    yes(crm, bo, A)
    clock.now += DAY
    assert [answer(crm, ann, B), answer(crm, bo, A)] == ["deny", "allow"]
    crm.parties.change(ann, lambda p: p.with_email(A))  # who said no has it again
    assert [answer(crm, ann, A), answer(crm, bo, A)] == ["deny", "deny"]


def test_a_no_that_its_own_yes_lifted_stays_lifted_when_who_said_both_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crm, clock, (ann, bo, _) = said_no(World())
    for who in (ann, bo):
        yes(crm, who, A)
        clock.now += DAY
    crm.parties.change(ann, lambda p: p.without(A))
    line = (Offer(purpose="marketing", channel="email"),)
    assert crm.preferences.centre(bo, line, points={"email": A}).choices[0].state == "on"
    for _ in short_and_long(monkeypatch):
        for law in ("DE", "US"):
            (one,) = crm.consent.audience([bo], **{**ASKED, "jurisdictions": [law]})
            assert (answer(crm, bo, A, jurisdictions=[law]), one.allowed) == ("allow", True)
    assert [act.record for act in crm.consent.events(bo) if act.kind == "give"] == [bo]


@pytest.mark.parametrize("speaker", [1, 2])
def test_a_no_of_others_is_taken_back_for_all_records_of_a_customer(speaker: int) -> None:
    crm, clock, (ann, bo, cy) = said_no(World())
    crm.parties.change(bo, lambda p: p.without(A))
    crm.parties.change(cy, lambda p: p.without(B).with_email("c@x.org"))
    crm.identity.merge(bo, cy)
    clock.now += DAY
    points = (B, "c@x.org")
    assert [answer(crm, bo, point) for point in points] == ["deny", "deny"]
    for point in points:
        crm.consent.record("give", (ann, bo, cy)[speaker], point=point, **SAID, evidence=YES)
        clock.now += DAY
    crm.parties.change(ann, lambda p: p.with_email("d@x.org"))
    assert [answer(crm, bo, point) for point in points] == ["allow", "allow"]
    assert {
        one.point: one.allowed for p in points for one in crm.consent.audience([p], **ASKED)
    } == dict.fromkeys(points, True)
    yes(crm, ann, A)
    crm.parties.change(cy, lambda p: p.with_email(A))  # who said no has the point, too: theirs stands
    crm.consent.withdraw(ann, point=A, **SAID)
    assert answer(crm, bo, A) == "deny"
