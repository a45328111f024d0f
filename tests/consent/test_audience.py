"""Laws of deciding about many: each is answered as if they had been asked about alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent.audience import AudienceCount, AudienceMember
from crmcore.consent.customer_decision import Member, decide_customer, decide_each
from crmcore.consent.decision import Question
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Attempt, Collection, Facts, Listing, PointFacts, Subject
from crmcore.consent.pack_reading import Laws, shipped_packs
from crmcore.consent.policy import Policy
from crmcore.consent.practice import Practice
from crmcore.consent.request import Message, Request
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.ids import CustomerId
from crmcore.values.partial_date import PartialDate
from tests.consent import cases
from tests.consent.cases import NOW

POINT = "a@x.org"


def earlier(facts: Facts, by: int) -> Facts:
    """The same history, so many hours earlier and under other ids."""
    gap = timedelta(hours=by)
    return attrs.evolve(
        facts,
        events=tuple(
            attrs.evolve(
                event,
                id=f"{event.id}-{by}",
                occurred_at=event.occurred_at - gap,
                corrects=None if event.corrects is None else f"{event.corrects}-{by}",
            )
            for event in facts.events
        ),
    )


def neighbours(one: Facts, other: Facts) -> Iterator[Facts]:
    """*one*, and what differs from it in a single thing, as that is in *other*, or in a single thing of its acts."""
    yield one
    for field in attrs.fields(Facts):
        if field.name not in ("unknown", "joined", "others_lifting"):
            yield attrs.evolve(one, **{field.name: getattr(other, field.name)})
    for name in ("subject", "point", "collection"):
        part, others = getattr(one, name), getattr(other, name)
        for field in attrs.fields(type(part)):
            if field.name != "unknown":
                part_else = attrs.evolve(part, **{field.name: getattr(others, field.name)})
                yield attrs.evolve(one, **{name: part_else})
    for place, act in enumerate(one.events[:3]):
        for changed in otherwise(act, other.events):
            yield attrs.evolve(one, events=(*one.events[:place], changed, *one.events[place + 1 :]))


def otherwise(act: ConsentEvent, others: tuple[ConsentEvent, ...]) -> Iterator[ConsentEvent]:
    """*act* with one thing otherwise."""
    for other in others[:2]:
        for name in ("kind", "occurred_at", "scope", "evidence", "valid_until", "night", "any_time"):
            yield attrs.evolve(act, **{name: getattr(other, name)})
        yield attrs.evolve(act, corrects=other.id)
    yield attrs.evolve(act, record="other")
    yield attrs.evolve(act, open_ended=True)
    yield attrs.evolve(act, via="sms")
    yield attrs.evolve(act, valid_until=act.occurred_at)
    scopes: dict[str, Any] = {
        "controller": "beta",
        "brand": "brand",
        "topics": {"news"},
        "recipients": {"gamma"},
        "right": "sale",
        "point": "b@x.org",
        "points": frozenset({"b@x.org"}),
    }
    for name, value in scopes.items():
        yield attrs.evolve(act, scope=attrs.evolve(act.scope, **{name: value}))
    if act.evidence is not None:
        for name in ("explicit", "condition_of_contract", "given_by"):
            changed: dict[str, Any] = {name: "child" if name == "given_by" else None}
            yield attrs.evolve(act, evidence=attrs.evolve(act.evidence, **changed))


@given(
    cases.requests,
    cases.facts,
    cases.facts,
    st.integers(0, 9000),
    cases.jurisdictions,
    st.sampled_from((None, None, Policy(withdrawal_grace="legal_max"))),
    st.sampled_from((None, None, Practice(offered_to_children=False, marketing=Message.marketing()))),
)
def test_each_of_many_is_answered_as_if_asked_about_alone(
    request: Request,
    one: Facts,
    other: Facts,
    by: int,
    names: list[str],
    policy: Policy | None,
    practice: Practice | None,
) -> None:
    told = [*neighbours(one, other), earlier(one, by), one]
    customers = [
        (POINT, [Member(record="r", points=frozenset({POINT}), facts=facts, jurisdictions=tuple(names))])
        for facts in told
    ]
    answers = decide_each(request, customers, policy=policy, practice=practice)
    for found, (point, members) in zip(answers, customers, strict=True):
        alone = decide_customer(request.to(point), members, policy=policy, practice=practice)
        assert attrs.evolve(found, trace=alone.trace, reasons=alone.reasons) == alone


WITHDRAWN = attrs.evolve(
    cases.GIVEN, id="withdrawn", kind="withdraw", evidence=None, occurred_at=NOW - timedelta(days=3)
)
ASSERTED = attrs.evolve(
    cases.GIVEN,
    id="asserted",
    kind="assert_import",
    evidence=Evidence.imported(),
    occurred_at=NOW - timedelta(days=800),
    valid_until=NOW + timedelta(days=9),
)
CONTRARY = Facts(
    events=(WITHDRAWN, ASSERTED),
    subject=Subject(
        kind="corporate",
        birth_dates=(PartialDate.parse("2013-02-28"),),
        adult=False,
        deceased=True,
        restricted_since=NOW.date() - timedelta(days=9),
        erased_on=NOW.date() - timedelta(days=9),
        presumed_interest=True,
        known=True,
    ),
    point=PointFacts(line="business", kind=None, holder_since=NOW.date() - timedelta(days=9)),
    collection=Collection(source="purchased_list", opt_out_offered=False, published=True, informed=True),
    listings=(Listing(list="internal", since=NOW.date() - timedelta(days=9)),),
    attempts=tuple(Attempt(at=NOW - timedelta(hours=hours)) for hours in range(1, 9)),
    zones=("Asia/Tokyo",),
    gpc=True,
    refused_in_call=NOW.date() - timedelta(days=9),
    others_birth_dates=(PartialDate.parse("2014"),),
    others_under_age=True,
    others_days=FrozenMap({"subject.restricted_since": (NOW.date() - timedelta(days=9),)}),
)
HISTORIES = ((), (cases.GIVEN,), (cases.GIVEN, WITHDRAWN), (ASSERTED,), (ASSERTED, cases.GIVEN))


BORN = (PartialDate.parse("1970-03-01"),)
DAY = NOW.date() - timedelta(days=9)


def crowd() -> list[Facts]:
    """People who differ from each other in one thing: from a settled customer, and from one who is the contrary."""
    found = [
        facts
        for acts in HISTORIES
        for one, other in ((cases.SETTLED, CONTRARY), (attrs.evolve(CONTRARY, others_days=FrozenMap()), cases.SETTLED))
        for facts in neighbours(attrs.evolve(one, events=acts), attrs.evolve(other, events=CONTRARY.events))
    ]
    said = attrs.evolve(cases.SETTLED, events=(cases.GIVEN,), subject=Subject(kind="consumer"))
    found += [
        attrs.evolve(said, subject=attrs.evolve(said.subject, birth_dates=BORN)),
        attrs.evolve(said, others_birth_dates=BORN),
        attrs.evolve(said, subject=attrs.evolve(said.subject, birth_dates=BORN), others_birth_dates=BORN),
    ]
    for path in ("subject.restricted_since", "subject.erased_on", "facts.refused_in_call"):
        found.append(attrs.evolve(said, others_days=FrozenMap({path: (DAY,)})))
    return found


CROWD = crowd()


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("channel", ["email", "voice"])
def test_each_law_answers_whoever_differs_in_one_thing_as_if_asked_about_alone(
    channel: Any, turned: bool
) -> None:
    laws = Laws(
        shipped_packs()
    )  # of which nobody was asked, so that the first of each kind makes what others meet
    request = attrs.evolve(cases.NEWSLETTER, channel=channel, basis=None)
    for name in (*cases.RULED, "*"):
        told = [
            (POINT, [Member(record="r", points=frozenset({POINT}), facts=facts, jurisdictions=(name,))])
            for facts in (reversed(CROWD) if turned else CROWD)
        ]
        for found, (point, members) in zip(decide_each(request, told, laws=laws), told, strict=True):
            alone = decide_customer(request.to(point), members, laws=laws)
            assert attrs.evolve(found, trace=alone.trace, reasons=alone.reasons) == alone


@given(
    cases.requests, st.lists(cases.facts, min_size=2, max_size=3), cases.jurisdictions, st.integers(0, 900)
)
def test_each_of_many_of_several_records_is_answered_as_if_asked_about_alone(
    request: Request, told: list[Facts], names: list[str], since: int
) -> None:
    members = [
        Member(
            record=f"r{number}",
            points=frozenset({POINT}),
            facts=facts,
            jurisdictions=tuple(names[: number + 1]),
            since=NOW - timedelta(days=since) if number else None,
        )
        for number, facts in enumerate(told)
    ]
    (found,) = decide_each(request, [(POINT, members)])
    assert found == decide_customer(request.to(POINT), members, trace=False)


def history(*kinds: str, hours: int = 1) -> Facts:
    """Acts about the address, one every so many hours."""
    events = tuple(
        ConsentEvent(
            id=f"{number}-{hours}",
            kind=kind,  # type: ignore[arg-type]  # one of them
            occurred_at=NOW - timedelta(days=30) + timedelta(hours=number * hours),
            scope=Scope(controller="acme", channels={"email"}, purposes={"marketing"}, point=POINT),
            evidence=Evidence(kind="double_opt_in", condition_of_contract=False),
            record="r",
        )
        for number, kind in enumerate(kinds)
    )
    return Facts(events=events, subject=Subject(kind="consumer", adult=True))


ASKED = Request(
    controller="acme",
    channel="email",
    purpose="marketing",
    at=NOW,
    message=Message.marketing(sender_identified=True, unsubscribe=True, postal_address=True),
    offered_to_children=False,
)


def test_people_who_did_the_same_are_decided_about_once(monkeypatch: pytest.MonkeyPatch) -> None:
    worked_out = 0
    work_out = Question._answer

    def counted(self: Question, *arguments: object, **options: object) -> object:
        nonlocal worked_out
        worked_out += 1
        return work_out(self, *arguments, **options)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(Question, "_answer", counted)
    told = [history("give", hours=hours) for hours in (1, 2, 3)] + [history("give", "withdraw", hours=4)]
    customers = [
        (
            f"{number}@x.org",
            [Member(record="r", points=frozenset({f"{number}@x.org"}), facts=moved, jurisdictions=("DE",))],
        )
        for number, facts in enumerate(told * 5)
        for moved in [to(facts, f"{number}@x.org")]
    ]
    answers = [one.answer for one in decide_each(ASKED, customers)]
    assert answers == ["allow", "allow", "allow", "deny"] * 5
    assert worked_out == 2


def to(facts: Facts, point: str) -> Facts:
    """The same acts about another address."""
    return attrs.evolve(
        facts,
        events=tuple(
            attrs.evolve(event, scope=attrs.evolve(event.scope, point=point)) for event in facts.events
        ),
    )


def test_an_audience_is_counted_by_reason_the_most_frequent_first() -> None:
    decisions = [
        decide_customer(
            ASKED.to(POINT),
            [Member(record="r", points=frozenset({POINT}), facts=facts, jurisdictions=("DE",))],
        )
        for facts in (history("give"), history(), history(), history("give", "withdraw"))
    ]
    audience = [
        AudienceMember(
            ref=str(number),
            customer=CustomerId("018bcfe5-6800-7000-8000-00000000000" + str(number)),
            decision=one,
        )
        for number, one in enumerate(decisions)
    ]
    audience += [AudienceMember(ref="nobody", barrier="not_found")]
    count = AudienceCount.of(iter(audience))
    assert (count.total, count.allowed) == (5, 1)
    assert [one.count for one in count.reasons] == [2, 1, 1, 1]
    assert count.text().splitlines()[:2] == [
        "1 of 5 may be contacted",
        "2  No: nothing permits it [DE]",
    ]
    assert "the reference leads to nobody" in count.text()
    assert AudienceCount.of([]) == AudienceCount(total=0, allowed=0, reasons=())
    assert "nobody" not in repr(audience[-1])
