"""The laws of permission under merge, over customers of any records in any order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crmcore.consent.customer_decision import Member, decide_customer, facts_of
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Facts
from crmcore.consent.request import Request
from crmcore.errors import InvalidConsent
from tests.consent.cases import (
    GIVEN,
    JURISDICTIONS,
    NOW,
    SETTLED,
    events,
    facts,
    moments,
    newsletters,
    plain_noes,
    requests,
    settled,
)

POINTS = ("a@x.org", "b@x.org")
few: st.SearchStrategy[list[ConsentEvent]] = st.just([])
places = st.sampled_from(("US", "US", "DE", "GB")) | st.sampled_from(JURISDICTIONS)
asked = newsletters | newsletters | requests


@st.composite
def customers(draw: Any) -> tuple[Member, ...]:
    """Two or three records that share the acts about a point they both own. Of half of them little is open, and half
    of the customers live in one place."""
    count = draw(st.integers(2, 3))
    home = draw(st.none() | places)
    shared = {point: _at(point, draw(few | events), count, draw) for point in POINTS}
    members = []
    for number in range(count):
        points = draw(st.frozensets(st.sampled_from(POINTS), min_size=1))
        known: Facts = draw(settled | facts)
        own = tuple(
            attrs.evolve(
                one, id=f"{number}-{one.id}", record=str(number), scope=attrs.evolve(one.scope, point=None)
            )
            for one in known.events
        )
        of_points = tuple(one for point in sorted(points) for one in shared[point])
        members.append(
            Member(
                record=str(number),
                points=points,
                facts=attrs.evolve(known, events=own + of_points),
                jurisdictions=tuple(draw(st.lists(places, max_size=1))) if home is None else (home,),
                since=draw(moments) if number else None,
            )
        )
    return tuple(members)


def _at(point: str, acts: list[ConsentEvent], count: int, draw: Any) -> tuple[ConsentEvent, ...]:
    return tuple(
        attrs.evolve(
            one,
            id=f"{point}-{one.id}",
            record=str(draw(st.integers(0, count - 1))),
            scope=attrs.evolve(one.scope, point=point),
        )
        for one in acts
    )


@st.composite
def opposed(draw: Any) -> tuple[Member, ...]:
    """Two records in one place that share a point, or do not: one of them said no, and the other said yes."""
    home = (draw(places),)
    no, yes = draw(plain_noes), [GIVEN]
    members = []
    for record, acts in (("0", no), ("1", yes)):
        own = tuple(
            attrs.evolve(
                one, id=f"{record}-{one.id}", record=record, scope=attrs.evolve(one.scope, point=None)
            )
            for one in acts
        )
        points = draw(st.frozensets(st.sampled_from(POINTS), min_size=1))
        known = attrs.evolve(SETTLED, events=own)
        since = draw(moments) if record == "1" else None
        members.append(Member(record=record, points=points, facts=known, jurisdictions=home, since=since))
    return tuple(draw(st.permutations(members)))


merged = customers() | customers() | opposed()


def just_joined(members: tuple[Member, ...]) -> tuple[Member, ...]:
    """*members*, who became one customer after all that they did: nothing that one did since lifts a No of another."""
    return tuple(
        one if one.since is None else attrs.evolve(one, since=NOW + timedelta(days=999)) for one in members
    )


def answer(request: Request, members: tuple[Member, ...]) -> str:
    return decide_customer(request, members).answer


@given(asked, merged)
def test_no_merge_makes_a_permission(request: Request, members: tuple[Member, ...]) -> None:
    request = attrs.evolve(request, point=POINTS[0])
    members = just_joined(members)
    owners = [member for member in members if POINTS[0] in member.points]
    assume(owners)
    if answer(request, members) == "allow":
        assert {answer(request, (owner,)) for owner in owners} == {"allow"}


@given(asked, merged, moments, st.integers(0, 2))
def test_a_no_about_the_person_reaches_every_record(
    request: Request, members: tuple[Member, ...], when: Any, number: int
) -> None:
    request = attrs.evolve(request, point=POINTS[0], purpose="marketing", at=NOW)
    assume(any(POINTS[0] in member.points for member in members) and when <= NOW)
    no = ConsentEvent(
        id="no", kind="object", occurred_at=when, record="nobody", scope=Scope(purposes={"direct_marketing"})
    )
    chosen = members[number % len(members)]
    objected = attrs.evolve(chosen, facts=attrs.evolve(chosen.facts, events=(*chosen.facts.events, no)))
    assert answer(request, tuple(objected if one is chosen else one for one in members)) == "deny"


@given(asked, merged, st.randoms())
def test_the_order_of_the_records_means_nothing(
    request: Request, members: tuple[Member, ...], chance: Any
) -> None:
    request = attrs.evolve(request, point=POINTS[0])
    assume(any(POINTS[0] in member.points for member in members))
    turned = list(members)
    chance.shuffle(turned)
    assert answer(request, tuple(turned)) == answer(request, members)


@given(asked, merged)
def test_a_record_more_never_helps(request: Request, members: tuple[Member, ...]) -> None:
    request = attrs.evolve(request, point=POINTS[0])
    members = just_joined(members)
    assume(any(POINTS[0] in member.points for member in members[:-1]))
    if answer(request, members) == "allow":
        assert answer(request, members[:-1]) == "allow"


def test_what_was_bought_by_another_record_permits_nothing() -> None:
    yes = ConsentEvent(
        id="yes",
        kind="give",
        occurred_at=NOW.replace(year=2025),
        record="1",
        scope=Scope(controller="acme", channels={"email"}, purposes={"marketing"}, point="b@x.org"),
        evidence=Evidence(kind="double_opt_in", condition_of_contract=False),
    )
    request = Request(
        controller="acme",
        channel="email",
        purpose="marketing",
        at=NOW,
        point="a@x.org",
        offered_to_children=False,
    )
    ann = Member(record="0", points=frozenset({"a@x.org"}), facts=Facts(), jurisdictions=("EU",))
    annie = Member(
        record="1",
        points=frozenset({"b@x.org"}),
        facts=Facts(events=(yes,)),
        jurisdictions=("EU",),
        since=NOW,
    )
    assert answer(request, (ann, annie)) != "allow"
    assert (
        answer(
            attrs.evolve(
                request,
                point="b@x.org",
                message=attrs.evolve(
                    request.message, unsubscribe=True, unsubscribe_burdened=False, sender_identified=True
                ),
            ),
            (ann, annie),
        )
        == "allow"
    )


def test_one_act_that_is_the_no_of_several_records_counts_for_each_that_was_apart_since() -> None:
    """What the one said meanwhile lifts it for the one; what was said while they were together, for both."""
    about = Scope(controller="acme", channels={"email"}, purposes={"marketing"})
    no = ConsentEvent(
        id="no",
        kind="withdraw",
        occurred_at=NOW - timedelta(days=9),
        record="0",
        members=("0", "1"),
        scope=about,
    )
    yes = attrs.evolve(GIVEN, id="yes", occurred_at=NOW - timedelta(days=5), record="0", scope=about)
    request = Request(controller="acme", channel="email", purpose="marketing", at=NOW, point=POINTS[0])
    found = {}
    for days in (1, 5, 9, 10):
        members = [
            Member(
                record="0",
                points=frozenset(POINTS[:1]),
                facts=attrs.evolve(SETTLED, events=(no, yes)),
                jurisdictions=("US",),
            ),
            Member(
                record="1",
                points=frozenset(POINTS[1:]),
                facts=attrs.evolve(SETTLED, events=(no,)),
                jurisdictions=("US",),
                since=NOW - timedelta(days=days),
            ),
        ]
        found[days] = [answer(request, told) == "deny" for told in (tuple(members[:1]), tuple(members))]
    assert found == {1: [False, True], 5: [False, False], 9: [False, False], 10: [False, False]}


def test_of_the_noes_of_many_records_each_is_looked_at_once() -> None:
    records = tuple(map(str, range(9)))
    noes = tuple(
        attrs.evolve(
            GIVEN, id=f"no-{n}", kind="withdraw", scope=Scope(), record=records[n % 9], members=records
        )
        for n in range(30)
    )
    members = [
        Member(record=one, points=frozenset(POINTS), facts=Facts(events=noes), since=NOW) for one in records
    ]
    assert [len(facts_of(one, members).events) for one in members] == [30] * 9


def test_a_record_is_told_once() -> None:
    ann = Member(record="0", points=frozenset({"a@x.org"}), facts=Facts(), jurisdictions=("EU",))
    request = Request(controller="acme", channel="email", purpose="marketing", at=NOW, point="a@x.org")
    with pytest.raises(InvalidConsent, match="twice"):
        decide_customer(request, (ann, ann))
