"""Where the strict baseline draws its lines: what is just allowed, and what just is not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import pytest

from crmcore.consent.facts import Attempt, RegisterCheck, Subject
from crmcore.values.partial_date import PartialDate
from tests.consent.nearly import NOON
from tests.consent.test_strict import allowed, case


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A time of the Monday of all cases."""
    return datetime(2026, 8, 10, hour, minute, second, tzinfo=UTC)


def born(text: str) -> dict[str, Any]:
    """A birth date; the yes was said on 1 July 2026."""
    return {"facts__subject": Subject(kind="consumer", birth_dates=(PartialDate.parse(text),))}


def tried(*ago: timedelta) -> dict[str, Any]:
    return {"facts__attempts": tuple(Attempt(at=NOON - one) for one in ago)}


DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
LINES: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [
    ("from ten", "sms", "marketing", {"request__at": at(10)}, {"request__at": at(9, 59, 59)}),
    ("until one", "voice", "marketing", {"request__at": at(13)}, {"request__at": at(13, 0, 1)}),
    ("from two", "fax", "marketing", {"request__at": at(14)}, {"request__at": at(13, 59, 59)}),
    ("until eight", "push", "marketing", {"request__at": at(20)}, {"request__at": at(20, 0, 1)}),
    (
        "never on holidays",
        "automated_call",
        "marketing",
        {"facts__holidays": frozenset({date(2026, 8, 11)})},
        {"facts__holidays": frozenset({date(2026, 8, 10)})},
    ),
    ("of age", "email", "marketing", born("2008-07-01"), born("2008-07-02")),
    (
        "known to be a child",
        "email",
        "service",
        {"facts__subject": Subject(kind="consumer")},
        born("2008-08-11"),
    ),
    (
        "registers asked today",
        "voice",
        "marketing",
        {"facts__checks": (RegisterCheck(list="*", on=date(2026, 8, 10)),)},
        {"facts__checks": (RegisterCheck(list="*", on=date(2026, 8, 9)),)},
    ),
    (
        "three months",
        "voice",
        "marketing",
        {"act__occurred_at": datetime(2026, 5, 11, 12, tzinfo=UTC), "act__open_ended": False},
        {"act__occurred_at": datetime(2026, 5, 10, 12, tzinfo=UTC), "act__open_ended": False},
    ),
    (
        "three a day",
        "sms",
        "marketing",
        tried(HOUR, 2 * HOUR, DAY),
        tried(HOUR, 2 * HOUR, DAY - SECOND),
    ),
    (
        "four a month",
        "automated_call",
        "marketing",
        tried(5 * DAY, 9 * DAY, 15 * DAY, 30 * DAY),
        tried(5 * DAY, 9 * DAY, 15 * DAY, 30 * DAY - SECOND),
    ),
    (
        "sixty days",
        "voice",
        "marketing",
        {"facts__refused_in_call": date(2026, 6, 10)},
        {"facts__refused_in_call": date(2026, 6, 11)},
    ),
]


@pytest.mark.parametrize(
    ("name", "channel", "purpose", "inside", "outside"), LINES, ids=lambda one: str(one)[:20]
)
def test_a_line_is_drawn_where_it_should_be(
    name: str, channel: str, purpose: str, inside: dict[str, Any], outside: dict[str, Any]
) -> None:
    within, beyond = case(channel, purpose, **inside), case(channel, purpose, **outside)
    assert allowed(*within, "*").answer == "allow"
    assert allowed(*beyond, "*").answer != "allow"


def test_weekends_are_left_alone() -> None:
    for ahead, answer in ((4, "allow"), (5, "deny"), (6, "deny"), (7, "allow")):
        day = NOON.date() + ahead * DAY
        request, facts = case(
            "sms",
            "marketing",
            request__at=NOON + ahead * DAY,
            facts__checks=(RegisterCheck(list="*", on=day),),
        )
        assert allowed(request, facts, "*").answer == answer, ahead


def test_hours_are_those_of_every_place_where_they_may_be() -> None:
    request, facts = case("sms", "marketing")
    for zones, answer in (
        (("UTC", "Europe/Paris"), "allow"),
        (("UTC", "+02:00", "+09:00"), "need_confirmation"),
        (("+09:00",), "deny"),
        ((), "need_confirmation"),
    ):
        assert allowed(request, attrs.evolve(facts, zones=zones), "*").answer == answer, zones
