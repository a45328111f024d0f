"""A change of address opts nobody in again."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any, cast

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crmcore import Crm, Person
from crmcore.consent import Facts, Message, Offer, Subject
from crmcore.consent.words import CHANNELS_OF, NOES
from crmcore.party.contact_point import ContactPoint, EmailPoint, OnlinePoint, PhonePoint, PostalPoint
from crmcore.values.ids import PartyId
from tests.app.houses import Clock
from tests.consent.asking import PRACTICE, YES, company

HOUR = timedelta(hours=1)
SAID: Any = {"purposes": ["marketing"], "channels": ["email"]}
POINTS = ("a@x.org", "b@y.org", "c@z.org")
RANK = {"allow": 2, "need_confirmation": 1, "deny": 0}


def answer(crm: Crm, ref: str, law: str = "US", **more: Any) -> str:
    """Whether marketing by e-mail is allowed, if nothing else is said."""
    asked: Any = {
        "purpose": "marketing",
        "channel": "email",
        "jurisdictions": [law],
        "offered_to_children": False,
        "message": PRACTICE.marketing,
        "facts": Facts(
            subject=Subject(kind="consumer", adult=True), zones=("America/New_York",), point=PRACTICE.point
        ),
        **more,
    }
    return str(crm.consent.decide(ref, **asked).answer)


def alike(crm: Crm, ref: str, **asked: Any) -> None:
    """Check that an audience gets the answer of who is asked about alone."""
    asked = {"jurisdictions": ["US"], "offered_to_children": False, **asked}
    found, decision = next(crm.consent.audience([ref], **asked)).decision, crm.consent.decide(ref, **asked)
    assert found is not None
    assert (found.answer, found.rule) == (decision.answer, decision.rule)


def ann_of(*points: str) -> tuple[Clock, Crm, PartyId]:
    """A person with these addresses, or numbers."""
    clock = Clock()
    crm = company(clock)
    draft = Person.of("Ann Lee")
    for point in points:
        draft = draft.with_email(point) if "@" in point else draft.with_phone(point)
    return clock, crm, crm.parties.add(draft).id


def moves(clock: Clock, crm: Crm, ref: PartyId, old: str, new: str | None = None) -> None:
    crm.parties.change(ref, lambda p: p.without(old) if new is None else p.without(old).with_email(new))
    clock.now += HOUR


KINDS = (
    "withdraw",
    "object",
    "give",
    "give",
    "restrict",
    "lift",
    "refuse",
    "invalidate",
    "confirm",
    "request",
)


@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.sampled_from((*POINTS, None)), st.booleans()),
        min_size=2,
        max_size=5,
    ),
    st.sampled_from(("US", "US", "DE", "AU", "CA")),
)
@example([("withdraw", "a@x.org", False), ("withdraw", "b@y.org", False), ("give", "a@x.org", False)], "US")
@example([("withdraw", "a@x.org", False), ("object", None, True), ("give", "a@x.org", False)], "US")
@example([("restrict", "a@x.org", True), ("restrict", "b@y.org", True), ("lift", "a@x.org", True)], "DE")
@example([("restrict", "b@y.org", True), ("lift", "a@x.org", True)], "US")
@example([("object", "a@x.org", True)], "US")
@example([("withdraw", "a@x.org", False), ("give", None, False)], "US")
@example([("withdraw", "a@x.org", False), ("request", None, False), ("confirm", None, True)], "US")
def test_no_change_of_address_makes_a_no_into_a_yes(
    acts: list[tuple[Any, str | None, bool]], law: str
) -> None:
    clock, crm, ann = ann_of(*POINTS)
    for kind, point, wide in acts:
        yes = kind in ("give", "request") or (kind == "confirm" and not wide)
        said = {**SAID, "evidence": YES} if yes else {} if wide else SAID
        more = {"evidence": YES} if kind == "confirm" else {}
        crm.consent.record(kind, ann if point is None else point, **{**said, **more})
        clock.now += HOUR

    def answers(moving: str) -> list[int]:
        kept = (answer(crm, ann, law, channel="in_app"), answer(crm, ann, law, point="b@y.org"))
        there = (answer(crm, moving, law, channel="in_app"), answer(crm, moving, law, point=moving))
        return [RANK[one] for one in (*kept, *there)]

    before = answers("a@x.org")
    moves(clock, crm, ann, "a@x.org", "n@x.org")
    after = answers("n@x.org")
    assert all(now <= then for now, then in zip(after, before, strict=True))
    if law == "US" and not any(point is None and kind in NOES for kind, point, _ in acts):
        assert (
            after[2:] == before[2:]
        )  # where nobody needs to agree, whoever was not refused is not refused now


def test_what_lifted_a_no_at_a_former_address_lifts_no_other() -> None:
    clock, crm, ann = ann_of(*POINTS[:2])
    acts: Any = (("withdraw", "a@x.org"), ("withdraw", "b@y.org"), ("give", "a@x.org"))
    for kind, point in acts:
        crm.consent.record(kind, point, **SAID, evidence=YES if kind == "give" else None)
        clock.now += HOUR
    moves(clock, crm, ann, "a@x.org", "n@x.org")
    assert (answer(crm, ann, point="b@y.org"), answer(crm, ann, point="n@x.org")) == ("deny", "allow")
    lines = (Offer(purpose="marketing", channel="email"),)
    states = [
        crm.preferences.centre(ann, lines, points={"email": point}).choices[0].state
        for point in ("b@y.org", "n@x.org")
    ]
    assert states == ["off", "unsaid"]


def test_a_no_stays_where_the_last_address_is_given_up() -> None:
    clock, crm, ann = ann_of("a@x.org")
    crm.consent.record("object", "a@x.org")
    clock.now += HOUR
    assert answer(crm, ann, channel="in_app") == "deny"
    moves(clock, crm, ann, "a@x.org")
    assert answer(crm, ann, channel="in_app") == "deny"
    decision = crm.consent.decide(ann, purpose="marketing", channel="email", jurisdictions=["US"])
    assert decision.answer == "deny"
    crm.consent.record("lift", ann)
    assert answer(crm, ann, channel="in_app") == "deny"
    crm.parties.change(ann, lambda p: p.with_email("n@x.org"))
    assert answer(crm, ann, point="n@x.org") == "deny"


@pytest.mark.parametrize(
    ("former", "new"), [("a@x.org", "n@x.org"), ("+1 212 555 0100", "+1 212 555 0177"), ("a@x.org", None)]
)
def test_a_no_about_a_former_point_is_as_wide_as_it_was(former: str, new: str | None) -> None:
    kept = "+1 212 555 0199" if "@" in former else "k@x.org"
    clock, crm, ann = ann_of(former, kept)
    crm.consent.record("object", former)
    clock.now += HOUR
    by: Any = ("sms", "email")["@" in former]
    other: Any = ("email", "sms")["@" in former]

    def answers(point: str | None) -> tuple[str, ...]:
        return (
            *(() if point is None else (answer(crm, ann, channel=by, point=point),)),
            answer(crm, ann, channel="in_app"),
            answer(crm, ann, channel="in_app", purpose="profiling"),
        )

    assert set(answers(former)) == {"deny"}
    there = crm.consent.decide(ann, purpose="service", channel=other, point=kept, jurisdictions=["US"])
    crm.parties.change(ann, lambda p: p.without(former))
    if new is not None:
        crm.parties.change(ann, lambda p: p.with_email(new) if "@" in new else p.with_phone(new))
    clock.now += HOUR
    assert set(answers(new)) == {"deny"}
    after = crm.consent.decide(ann, purpose="service", channel=other, point=kept, jurisdictions=["US"])
    assert (after.answer, after.rule) == (there.answer, there.rule)


@pytest.mark.parametrize(
    "former",
    [
        EmailPoint.of("a@x.org"),
        PhonePoint.of("2125550100"),
        PostalPoint.of("1 High Street, Leeds"),
        OnlinePoint.of("annlee", service="web"),
    ],
    ids=lambda one: one.kind,
)
def test_a_no_goes_along_by_the_ways_by_which_it_spoke(former: ContactPoint) -> None:
    clock, crm, ann = ann_of("k@x.org", "+1 212 555 0199")
    change: Any = crm.parties.change
    change(ann, lambda p: attrs.evolve(p, contact_points=(*p.contact_points, former)))
    crm.consent.record("object", ann, point=former.raw)
    clock.now += HOUR
    ways: Any = {"email": "k@x.org", "sms": "+1 212 555 0199", "in_app": "k@x.org", "push": "+1 212 555 0199"}
    service: Any = {"purpose": "service", "message": Message.service(kind="receipt")}

    def answers(**asked: Any) -> dict[str, str]:
        return {channel: answer(crm, ref, "DE", channel=channel, **asked) for channel, ref in ways.items()}

    before = answers(**service)
    assert "deny" not in (before["email"], before["sms"])
    change(ann, lambda p: attrs.evolve(p, contact_points=p.contact_points[:-1]))
    clock.now += HOUR
    spoken = {"in_app", "push", *CHANNELS_OF.get(former.kind, ())}
    assert answers(**service) == {way: "deny" if way in spoken else before[way] for way in ways}
    assert set(answers(purpose="profiling").values()) == {"deny"}
    assert {answer(crm, ann, "DE", channel=way, **service) for way in ("in_app", "push")} == {"deny"}
    for channel, ref in ways.items():
        alike(crm, ref, jurisdictions=["DE"], channel=channel, **service)


@pytest.mark.parametrize("lifted", [False, True])
def test_a_no_at_a_former_address_reaches_the_records_that_were_merged_with_it(lifted: bool) -> None:
    clock, crm, ann = ann_of("a@x.org")
    other = crm.parties.add(Person.of("Ann Lee", email="k@x.org")).id
    for kind in ("object", "give")[: 1 + lifted]:
        crm.consent.record(cast("Any", kind), "a@x.org", **SAID, evidence=YES)
        clock.now += HOUR
    moves(clock, crm, ann, "a@x.org")
    assert answer(crm, other) == "allow"
    crm.identity.merge(ann, other)
    clock.now += HOUR
    crm.parties.change(other, lambda p: p.with_email("n@x.org"))
    expected = ("deny", "allow")[lifted]
    for ref in ("n@x.org", "k@x.org"):
        assert answer(crm, ref) == expected
        assert answer(crm, ref, channel="in_app") == answer(crm, ann, channel="in_app")
        alike(crm, ref, purpose="marketing", channel="email")
    crm.consent.record("give", ann, point="n@x.org", **SAID, evidence=YES)
    assert answer(crm, "n@x.org") == "allow"


def test_an_act_that_goes_along_is_named_once() -> None:
    clock, crm, ann = ann_of(*POINTS)
    crm.consent.record("object", "a@x.org", channels=["in_app"])
    moves(clock, crm, ann, "a@x.org")
    decision = crm.consent.decide(ann, purpose="marketing", channel="in_app", jurisdictions=["US"])
    assert [hit.why for hit in decision.trace if hit.because] == ["object of 2026-03-14"]


def test_a_no_that_was_said_for_several_records_is_one_of_each_when_they_move() -> None:
    """What one of them says after they were told apart lifts it for nobody else, nor after they are merged again."""
    offers = (Offer(purpose="marketing", channel="email"),)
    for at_centre, same in itertools.product((False, True), repeat=2):
        clock = Clock()
        crm = company(clock)
        ids = [crm.parties.add(Person.of(name, email="h@x.org")).id for name in ("Al Poe", "Bea Poe")]
        judged = crm.identity.merge(*ids)
        clock.now += HOUR
        if at_centre:
            shown = crm.preferences.centre(ids[0], offers, points={"email": "h@x.org"})
            off = shown.choose("marketing", "email", on=False)
            (no,) = crm.preferences.change(ids[0], shown, off, evidence=None).events
        else:
            no = crm.consent.withdraw("h@x.org", **SAID)
        assert no.members == tuple(map(str, ids))
        crm.identity.retract(judged.id)
        clock.now += HOUR
        new = ["n@x.org", "n@x.org" if same else "m@x.org"]
        for id, point in zip(ids, new, strict=True):
            moves(clock, crm, id, "h@x.org", point)
        for said in (SAID, {**SAID, "point": "n@x.org"}):
            crm.consent.record("give", ids[0], evidence=YES, **said)
        clock.now += HOUR
        assert [answer(crm, id) for id in ids] == ["allow", "deny"]
        crm.identity.merge(*ids)
        clock.now += HOUR
        assert {answer(crm, ids[0], point=point) for point in new} == {"deny"}
        crm.consent.record("give", ids[0], evidence=YES, **SAID)
        clock.now += HOUR
        assert answer(crm, ids[0], point="n@x.org") == "allow"
