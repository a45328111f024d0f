"""Laws of deciding about many: each is answered as if they had been asked about alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent.act_reading import ActReader
from crmcore.consent.audience import AudienceCount, AudienceMember
from crmcore.consent.customer_decision import Member, answer, decide_customer, decide_each
from crmcore.consent.decision import Question, decide
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Attempt, Collection, Facts, Listing, PointFacts, RegisterCheck, Subject
from crmcore.consent.hint import hint_of
from crmcore.consent.known import facts_of_record
from crmcore.consent.ledger import CODECS
from crmcore.consent.pack_reading import Laws, read_pack, shipped_packs
from crmcore.consent.policy import Policy
from crmcore.consent.practice import Form, Practice
from crmcore.consent.reach import Reach, ReachedPoint
from crmcore.consent.request import Message, Request
from crmcore.errors import InvalidConsent
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
    yield attrs.evolve(act, record="r")
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


BORN = (PartialDate.parse("1970-03-01"),)
EARLIER = attrs.evolve(WITHDRAWN, id="earlier", occurred_at=cases.GIVEN.occurred_at - timedelta(days=9))
AT_ONCE = attrs.evolve(WITHDRAWN, id="at once", occurred_at=cases.GIVEN.occurred_at)
HISTORIES = (
    (cases.GIVEN,),
    (cases.GIVEN, WITHDRAWN),
    (EARLIER, cases.GIVEN),
    (ASSERTED, cases.GIVEN),
    (cases.GIVEN, AT_ONCE),
    (AT_ONCE, cases.GIVEN),
    (attrs.evolve(WITHDRAWN, id="refused", kind="refuse"),),
)
LAWS = ("AU", "BR", "CA", "DE", "FR", "GB", "IN", "JP", "KR", "SG", "US-CA", "US-TX", "*")


def one_otherwise() -> Iterator[tuple[Facts, Facts]]:
    """Pairs of people who differ in one thing that is no act."""
    for acts in ((), (cases.GIVEN,)):
        settled = attrs.evolve(cases.SETTLED, events=acts)
        for other in neighbours(settled, attrs.evolve(CONTRARY, events=acts)):
            if other.events == acts:
                yield settled, other
        yield settled, attrs.evolve(settled, zones=())
        long_ago, on = (
            attrs.evolve(settled, checks=(RegisterCheck(list="*", on=NOW.date() - timedelta(days=days)),))
            for days in (400, 0)
        )
        yield long_ago, on
        ours, theirs = (
            attrs.evolve(
                settled, checks=(), listings=(Listing(list=name, since=NOW.date() - timedelta(days=400)),)
            )
            for name in ("internal", "robinson")
        )
        yield ours, theirs
        bare = attrs.evolve(settled, subject=Subject(kind="consumer"))
        born = attrs.evolve(bare, subject=Subject(kind="consumer", birth_dates=BORN))
        yield born, attrs.evolve(bare, others_birth_dates=BORN)
        yield born, attrs.evolve(born, others_birth_dates=CONTRARY.others_birth_dates)
        yield (
            born,
            attrs.evolve(bare, subject=Subject(kind="consumer", birth_dates=CONTRARY.subject.birth_dates)),
        )
        yield bare, attrs.evolve(bare, others_birth_dates=BORN)
        for path in ("subject.restricted_since", "subject.erased_on", "facts.refused_in_call"):
            day = FrozenMap({path: (NOW.date() - timedelta(days=9),)})
            yield (
                attrs.evolve(settled, others_days=FrozenMap({"point.holder_since": day[path]})),
                attrs.evolve(settled, others_days=day),
            )


PAIRS = tuple(one_otherwise())


def forget(laws: Laws, name: str) -> None:
    """Take away what was made of dockets for people who were asked about before."""
    for docket in laws.of(name)._dockets.values():
        docket.narrowed.clear()


WAYS = [("email", "marketing"), ("voice", "marketing"), ("in_app", "third_party_sharing")]


@pytest.mark.parametrize(("channel", "purpose"), WAYS)
@pytest.mark.parametrize("name", LAWS)
def test_whoever_is_asked_about_first_changes_no_answer_about_others(
    name: str, channel: Any, purpose: Any
) -> None:
    laws = Laws(shipped_packs())
    request = attrs.evolve(cases.NEWSLETTER, channel=channel, purpose=purpose, basis=None)
    for pair in PAIRS:
        whole = [decide(request, facts, jurisdictions=[name], laws=laws) for facts in pair]
        for order in ((0, 1), (1, 0)):
            forget(laws, name)
            for which in order:
                brief = decide(request, pair[which], jurisdictions=[name], laws=laws, trace=False)
                assert (
                    attrs.evolve(brief, trace=whole[which].trace, reasons=whole[which].reasons)
                    == whole[which]
                )


@pytest.mark.parametrize("policy", [None, Policy(withdrawal_grace="legal_max")])
@pytest.mark.parametrize("name", LAWS)
def test_whoever_did_nearly_the_same_is_answered_as_if_asked_about_alone(
    name: str, policy: Policy | None
) -> None:
    ways: list[dict[str, Any]] = [{"channel": "email"}, {"channel": "voice", "hours": "not_at_issue"}]
    for way in ways:
        request = attrs.evolve(cases.NEWSLETTER, basis=None, **way)
        for acts in HISTORIES:
            one = attrs.evolve(cases.SETTLED, events=acts, relations=(), checks=())
            people = [*neighbours(one, attrs.evolve(one, events=(WITHDRAWN, ASSERTED)))]
            others = [attrs.evolve(one, events=other) for other in HISTORIES]
            for facts in [*(other for other in people if other.events != acts), *others, earlier(one, 9000)]:
                for told in ([one, facts], [facts, one]):
                    alike(request, told, name, policy)


def alike(request: Request, told: list[Facts], name: str, policy: Policy | None) -> None:
    """Check that each is answered as if asked about alone; the last also as one who came to the customer lately."""
    customers = [
        (
            POINT,
            [Member(record="r", points=frozenset({POINT}), facts=facts, jurisdictions=(name,), since=since)],
        )
        for facts, since in [*((facts, None) for facts in told), (told[-1], NOW - timedelta(days=50))]
    ]
    for found, (point, members) in zip(
        decide_each(request, customers, policy=policy), customers, strict=True
    ):
        assert found == decide_customer(request.to(point), members, policy=policy, trace=False)


CHANGING = """
id = "changing"
jurisdiction = "XC"
name = "A land whose law changes"
version = "1"
lifts = "consent"

[profile.consent]
"evidence.kind" = "double_opt_in"

[[rule]]
id = "changing.consent"
stage = "permit"
effect = "permit"
when = { consent = "consent" }
text = "Who said yes may be written to."
cite = "Act 1"

[[rule]]
id = "changing.none"
stage = "stop"
effect = "deny"
in_force = "2026-09-01/2026-09-30"
when = { "message.promotion" = true }
text = "In September nobody is."
cite = "Act 2"
"""


RECENT = (
    CHANGING
    + """
[[rule]]
id = "changing.recent"
stage = "stop"
effect = "deny"
when = { no = { kinds = ["object"], lifts = "never", within = "P2M", counting = "calendar_months" } }
text = "Who objected lately is left alone."
cite = "Act 3"
"""
)


def test_when_it_was_done_is_not_forgotten_where_a_law_asks_for_it() -> None:
    pack = read_pack(RECENT)
    laws = Laws({**shipped_packs(), pack.id: pack})
    lately = history("object", "give")
    people = [lately, earlier(lately, 24 * 90), lately]
    told = [
        (POINT, [Member(record="r", points=frozenset({POINT}), facts=facts, jurisdictions=("XC",))])
        for facts in people
    ]
    assert [one.answer for one in decide_each(ASKED, told, laws=laws)] == ["deny", "allow", "deny"]


LATELY = """
[profile.lately]
"evidence.kind" = "double_opt_in"
unlapsed = { within = "P2M", counting = "calendar_months" }

[profile.by_way_of_another]
consent = "lately"
"""
OBJECTED = """
[[rule]]
id = "changing.objected"
stage = "stop"
effect = "deny"
when = { no = { kinds = ["object"]LIFTS } }
text = "Who objected is left alone."
cite = "Act 3"
"""


@pytest.mark.parametrize(
    ("law", "acts"),
    [
        (CHANGING.replace('{ consent = "consent" }', '{ consent = "lately" }'), ["give"]),
        (CHANGING.replace('{ consent = "consent" }', '{ consent = "by_way_of_another" }'), ["give"]),
        (
            CHANGING.replace('lifts = "consent"', 'lifts = "lately"') + OBJECTED.replace("LIFTS", ""),
            ["object", "give"],
        ),
        (CHANGING + OBJECTED.replace("LIFTS", ', lifts = "lately"'), ["object", "give"]),
    ],
)
def test_a_yes_that_runs_out_is_not_remembered_wherever_a_law_asks_for_it(law: str, acts: list[str]) -> None:
    pack = read_pack(law + LATELY)
    laws = Laws({**shipped_packs(), pack.id: pack})
    said = history(*acts)
    said = attrs.evolve(said, events=tuple(attrs.evolve(act, open_ended=False) for act in said.events))
    told = [
        (POINT, [Member(record="r", points=frozenset({POINT}), facts=facts, jurisdictions=("XC",))])
        for facts in (said, earlier(said, 24 * 90), said)
    ]
    assert [one.answer for one in decide_each(ASKED, told, laws=laws)] == ["allow", "deny", "allow"]


def test_what_is_remembered_ends_when_the_law_changes() -> None:
    pack = read_pack(CHANGING)
    laws = Laws({**shipped_packs(), pack.id: pack})
    facts = history("give")
    question = Question(ASKED.to(POINT), laws=laws)
    months = ((8, "allow"), (8, "allow"), (9, "deny"), (10, "allow"), (9, "deny"), (8, "allow"))
    for month, expected in months:
        moment = NOW.replace(month=month, day=12)
        question = question.at(moment)
        found = question.briefly(facts, ("XC",))
        assert found.answer == expected
        assert found == decide(question.request, facts, jurisdictions=["XC"], laws=laws, trace=False)


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
    unused = read_pack(CHANGING + LATELY)
    for place, laws in (("DE", None), ("XC", Laws({**shipped_packs(), unused.id: unused}))):
        worked_out = 0
        people = [(point, [attrs.evolve(member, jurisdictions=(place,))]) for point, (member,) in customers]
        answers = [one.answer for one in decide_each(ASKED, people, laws=laws)]
        assert answers[:3] == ["allow", "allow", "allow"]
        assert answers == answers[:4] * 5
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


def reached(kind: Any, *places: str, born: str | None = None, also: str | None = None) -> Reach:
    points = [ReachedPoint("email", normal, None) for normal in (POINT, also) if normal is not None]
    return Reach(kind, tuple(points), places, None if born is None else PartialDate.parse(born))


Asked = tuple[Reach, Facts, tuple[ConsentEvent, ...], str | None]


def found_again(request: Request, people: Sequence[Asked]) -> None:
    """Check that each gets the answer of who is asked about alone, also where it is found by a hint."""
    question, reader = Question(request.to(None)), ActReader(CODECS[1])
    for reach, told, acts, point in people:
        hint = hint_of(
            reach, "r", [reader.sketch(CODECS[1].dump(act)) for act in acts], told, point=point, at=request.at
        )
        mine = Member(
            record="r",
            points=frozenset(one.normal for one in reach.points),
            facts=facts_of_record(reach, told, acts),
            jurisdictions=reach.jurisdictions,
        )
        found = None if hint is None else question.recall(hint)
        if found is None:
            found = answer(question, [mine], point=point, again=True, hint=hint)
        assert found == decide_customer(request.to(point), [mine], trace=False)


def histories_like(acts: tuple[ConsentEvent, ...]) -> Iterator[tuple[ConsentEvent, ...]]:
    """*acts*, and what is nearly the same."""
    yield acts
    for changed in otherwise(acts[0], (WITHDRAWN, ASSERTED)):
        yield changed, *acts[1:]
    for point in (None, POINT, "b@x.org", "gone@x.org", "kept@x.org"):
        given_up: Any = "email" if point == "kept@x.org" else None
        scope = attrs.evolve(acts[-1].scope, point=point, given_up=given_up)
        yield *acts, attrs.evolve(WITHDRAWN, id="more", scope=scope)
    yield tuple(reversed(acts))
    for days in (-7000, 0, 1):
        yield tuple(attrs.evolve(act, occurred_at=NOW + timedelta(days=days)) for act in acts)


@pytest.mark.parametrize("name", ["AU", "DE", "US-CA", "*"])
def test_whoever_did_nearly_the_same_has_another_hint_or_the_same_answer(name: str) -> None:
    one = reached("consumer", name, also="b@x.org")
    alone = attrs.evolve(cases.SETTLED, events=(), relations=(), checks=())
    people: list[Asked] = [
        (one, alone, other, point)
        for acts in HISTORIES
        for other in histories_like(acts)
        for point in (POINT, None)
    ]
    found_again(cases.NEWSLETTER, people)
    found_again(cases.NEWSLETTER, people[::-1])


REACHES = [
    *(reached(kind, place) for kind in ("consumer", None, "corporate") for place in ("GB", "DE", "FR")),
    reached("consumer", "DE", "FR"),
    reached("consumer"),
    *(
        reached("consumer", "DE", born=born)
        for born in ("1950", "1995-05-05", "2015-03", "2009-09-01", "--03-01")
    ),
]


@pytest.mark.parametrize("children", [True, False])
def test_whoever_is_known_otherwise_has_another_hint_or_the_same_answer(children: bool) -> None:
    bare = Facts(zones=("UTC",), holidays=frozenset(), gpc=False)
    request = attrs.evolve(cases.NEWSLETTER, offered_to_children=children, basis=None)
    people: list[Asked] = [
        (reach, bare, history, POINT)
        for acts in ((), *HISTORIES[:2])
        for days in (0, 7000)
        for history in [tuple(attrs.evolve(one, occurred_at=NOW - timedelta(days=days)) for one in acts)]
        for reach in REACHES
    ]
    found_again(request, people)
    found_again(request, people[::-1])


def test_what_an_app_says_of_acts_is_in_no_hint() -> None:
    told = attrs.evolve(cases.SETTLED, events=(cases.GIVEN,), relations=(), checks=())
    acts = [(attrs.evolve(WITHDRAWN, occurred_at=NOW - timedelta(days=days)),) for days in (1, 900)]
    found_again(cases.NEWSLETTER, [(reached("consumer", "DE"), told, some, POINT) for some in acts])


def test_of_which_former_point_something_was_said_is_forgotten_nowhere() -> None:
    alone = attrs.evolve(cases.SETTLED, events=(), relations=(), checks=())
    people = []
    told: Any = (("email", "gone"), ("email", "other"), ("postal", "other"), (None, "other"))
    for given_up, lifted in told:
        scope = Scope(controller=cases.GIVEN.scope.controller, point="gone", given_up=given_up)
        no = attrs.evolve(
            WITHDRAWN, id="no", kind="restrict", occurred_at=NOW - timedelta(days=3), scope=scope
        )
        lift = attrs.evolve(
            no, id="lift", kind="lift", occurred_at=NOW - timedelta(days=2), scope=Scope(point=lifted)
        )
        people.append(attrs.evolve(alone, events=(cases.GIVEN, no, lift)))
    rules = [decide(cases.NEWSLETTER, one, jurisdictions=["DE"]).rule for one in people]
    assert [rule == "eu.restricted" for rule in rules] == [False, True, False, False]
    for two in permutations(people, 2):
        alike(cases.NEWSLETTER, list(two), "DE", None)


def test_what_a_practice_filled_in_is_told_in_the_same_order_whatever_came_first() -> None:
    forms = [Form(notice="a", unambiguous=True), Form(notice="b", condition_of_contract=False)]
    acts = [
        attrs.evolve(cases.GIVEN, id=name, evidence=Evidence(kind="web_form", notice=name)) for name in "ab"
    ]
    told = [Practice(forms=forms).tells(Facts(events=tuple(some)))[1] for some in (acts, acts[::-1])]
    assert told[0] == told[1] == ("evidence.condition_of_contract", "evidence.unambiguous")


@pytest.mark.parametrize(
    ("cls", "told"),
    [
        (Form, {"notice": "a", "explicit": "yes"}),
        (Practice, {"exempt_seller": 1}),
        (Practice, {"forms": ["a"]}),
        (Practice, {"forms": "a"}),
    ],
)
def test_a_practice_that_says_something_of_another_kind_is_refused_where_it_is_told(
    cls: Any, told: dict[str, Any]
) -> None:
    with pytest.raises(InvalidConsent):
        cls(**told)
