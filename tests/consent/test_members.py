"""What is known of one record of a customer counts against contact with all of them, whatever another record says."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import attrs
import pytest

from crmcore.consent.customer_decision import Member, decide_customer
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Facts, RegisterCheck, Subject
from crmcore.consent.request import Message, Request
from crmcore.values.partial_date import PartialDate
from tests.consent.cases import NOW

TODAY = NOW.date()
ASKED = Request(
    controller="acme",
    channel="email",
    purpose="marketing",
    at=NOW,
    point="a@x.org",
    offered_to_children=False,
    message=Message.marketing(
        kind="other", unsubscribe=True, unsubscribe_burdened=False, sender_identified=True
    ),
)


def of(record: str, days_ago: int | None = None, jurisdiction: str = "EU", **known: Any) -> Member:
    """A record, which consented so many days ago."""
    yes = () if days_ago is None else (_yes(record, days_ago),)
    return Member(
        record=record,
        points=frozenset({"a@x.org"} if record == "a" else {"b@x.org"}),
        facts=Facts(events=yes, zones=("UTC",), **{"subject": Subject(adult=True), **known}),
        jurisdictions=(jurisdiction,),
        since=None if record == "a" else NOW,
    )


def _yes(record: str, days_ago: int) -> ConsentEvent:
    return ConsentEvent(
        id=f"yes-{record}",
        kind="give",
        occurred_at=NOW - timedelta(days=days_ago),
        record=record,
        scope=Scope(controller="acme", channels={"email"}, purposes={"marketing"}),
        evidence=Evidence(kind="double_opt_in", condition_of_contract=False),
    )


@pytest.mark.parametrize("what", ["restricted_since", "erased_on"])
@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        (None, None, "allow"),
        (-20, None, "allow"),
        (None, -20, "allow"),
        (-5, None, "deny"),
        (-5, -20, "deny"),
        (-20, -5, "deny"),
        (-5, 20, "deny"),
        (20, -5, "deny"),
        (20, 30, "allow"),
    ],
)
def test_every_restriction_and_every_erasure_counts(
    what: str, own: int | None, other: int | None, expected: str
) -> None:
    def known(ago: int | None) -> Subject:
        return Subject(adult=True, **{what: None if ago is None else TODAY + timedelta(days=ago)})  # type: ignore[arg-type]  # one of two

    found = decide_customer(ASKED, (of("a", 10, subject=known(own)), of("b", subject=known(other))))
    assert found.answer == expected
    if own == 20:
        assert found.expires_at is not None or expected == "deny"
        later = attrs.evolve(ASKED, at=NOW + timedelta(days=21))
        members = (of("a", 10, subject=known(own)), of("b", subject=known(other)))
        assert decide_customer(later, members).answer == "deny"


@pytest.mark.parametrize(("own", "other"), [(-1, 5), (5, -1), (None, -1), (-1, -300)])
def test_every_refusal_in_a_call_counts(own: int | None, other: int | None) -> None:
    def day(ago: int | None) -> date | None:
        return None if ago is None else TODAY + timedelta(days=ago)

    request = attrs.evolve(
        ASKED,
        channel="voice",
        at=NOW.replace(hour=10),
        hours="not_at_issue",
        dialer="manual",
        exempt_seller=False,
    )
    subject = Subject(adult=True, kind="consumer")
    members = [
        attrs.evolve(
            one,
            facts=attrs.evolve(
                one.facts, refused_in_call=day(ago), checks=(RegisterCheck(list="*", on=TODAY),)
            ),
        )
        for one, ago in (
            (of("a", None, "JP", subject=subject), own),
            (of("b", None, "JP", subject=subject), other),
        )
    ]
    found = decide_customer(request, members)
    assert (found.answer, found.rule) == ("deny", "jp.scta.refused_in_call")


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        ({"adult": True}, {"adult": True}, {"allow"}),
        ({"adult": True}, {"adult": False}, {"deny", "need_confirmation"}),
        ({"birth_dates": ("1990-01-01",)}, {"adult": False}, {"deny", "need_confirmation"}),
        ({"birth_dates": ("2009-01-01",)}, {"adult": False}, {"allow"}),
    ],
)
def test_who_is_under_age_in_one_record_is_so_in_all(
    own: dict[str, Any], other: dict[str, Any], expected: set[str]
) -> None:
    def subject(told: dict[str, Any]) -> Subject:
        births = tuple(PartialDate.parse(one) for one in told.get("birth_dates", ()))
        return Subject(adult=told.get("adult"), birth_dates=births)

    request = attrs.evolve(ASKED, offered_to_children=True)
    members = (of("a", 10, subject=subject(own)), of("b", subject=subject(other)))
    assert decide_customer(request, members).answer in expected
    assert decide_customer(request, members[:1]).answer == "allow"


def _act(kind: Any, record: str, days: int, **scope: Any) -> ConsentEvent:
    """What was done so many days before or after the records were joined."""
    return ConsentEvent(
        id=f"{kind}-{record}-{days}",
        kind=kind,
        occurred_at=JOINED + timedelta(days=days),
        record=record,
        scope=Scope(**{"controller": "acme", "channels": {"post"}, "purposes": {"marketing"}, **scope}),
        evidence=Evidence(kind="double_opt_in", condition_of_contract=False) if kind == "give" else None,
    )


JOINED = NOW - timedelta(days=100)
BY_POST = attrs.evolve(ASKED, channel="post", point="b@x.org", basis="legitimate_interest", balanced=True)


def _customer(of_a: list[ConsentEvent], of_b: list[ConsentEvent]) -> tuple[Member, Member]:
    a, b = of("a"), of("b")
    return (
        attrs.evolve(a, facts=attrs.evolve(a.facts, events=tuple(of_a))),
        attrs.evolve(b, since=JOINED, facts=attrs.evolve(b.facts, events=tuple(of_b))),
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (_act("give", "a", 1), "allow"),
        (_act("give", "a", -1), "deny"),
        (attrs.evolve(_act("give", "a", -1), recorded_at=JOINED), "allow"),
        (_act("give", "a", 1, points={"a@x.org"}), "deny"),
        (attrs.evolve(_act("give", "a", 1), evidence=None), "deny"),
        (_act("assert_import", "a", 1), "deny"),
        (_act("lift", "a", 1), "deny"),
    ],
)
def test_a_yes_of_another_record_lifts_a_no_once_they_are_one(given: ConsentEvent, expected: str) -> None:
    members = _customer([given], [_act("object", "b", -5, channels=())])
    assert decide_customer(BY_POST, members).answer == expected


def test_a_lift_of_another_record_ends_a_restriction() -> None:
    restricted = _act("restrict", "a", 1)
    assert decide_customer(BY_POST, _customer([restricted], [restricted])).answer == "deny"
    lifted = _customer([restricted, _act("lift", "a", 2)], [restricted])
    assert decide_customer(BY_POST, lifted).answer == "allow"


def test_a_yes_of_another_record_permits_nothing() -> None:
    given = _act("give", "a", 1, channels={"email"})
    members = _customer([given], [_act("object", "b", -5, channels={"email"})])
    assert decide_customer(attrs.evolve(BY_POST, channel="email"), members).answer == "deny"


def test_a_yes_of_another_record_that_is_to_come_ends_the_answer() -> None:
    given = _act("give", "a", 120)
    members = _customer([given], [_act("object", "b", -5)])
    found = decide_customer(BY_POST, members)
    assert (found.answer, found.expires_at) == ("deny", given.occurred_at)


def test_a_yes_of_another_record_that_was_corrected_lifts_nothing() -> None:
    given = _act("give", "a", 1)
    corrected = attrs.evolve(_act("request", "a", 2), corrects=given.id)
    members = _customer([given, corrected], [_act("object", "b", -5)])
    assert decide_customer(BY_POST, members).answer == "deny"
