"""Counting time as laws do, each way by its name.

Invariant: every way is a pure function of days; which day it is somewhere is asked of the case, never of a machine.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Set
from datetime import date
from typing import Literal, get_args

import attrs

from crmcore.errors import InvalidPack

Counting = Literal[
    "calendar_months",
    "interpretation_act_s28",
    "civil_months",
    "months_beginning_on",
    "days",
    "business_days_exclusive",
    "business_days_inclusive",
    "nth_working_day",
]
"""*calendar_months* and *interpretation_act_s28* (Canada) count back from the day to the same number of an earlier
month, or its last day where it has no such number. *civil_months* (Korea's Civil Act, article 160) counts on from the
day to the same number of a later month, or its last day; *months_beginning_on* (Australia's Acts Interpretation Act
1901, s2G) includes the first day, and so ends before that number comes again. *business_days_exclusive* leaves out the
first day (15 USC 7704); *business_days_inclusive* begins on it (Spam Act 2003 Sch 2 cl 6); what is due on the
*nth_working_day* (UEMA 2007 s9(2)) is so from the beginning of that day."""

COUNTINGS: frozenset[str] = frozenset(get_args(Counting))
_PERIOD = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?$")


@attrs.frozen
class Span:
    """So many months and days.

    >>> Span.parse("P1Y6M")
    Span(months=18, days=0)
    """

    months: int = 0
    days: int = 0

    @classmethod
    def parse(cls, text: str) -> Span:
        """From an ISO 8601 duration of years, months and days.

        Raises:
            InvalidPack: if it is none.
        """
        found = _PERIOD.match(text) if isinstance(text, str) else None
        if found is None or not any(found.groups()):
            raise InvalidPack(f"a period is written like 'P18M', 'P2Y' or 'P28D', not {text!r}")
        years, months, days = (int(part or 0) for part in found.groups())
        return cls(12 * years + months, days)

    def before(self, day: date) -> date:
        """The day so long before *day*, in the month's last day where it has no such number.

        >>> Span.parse("P6M").before(date(2026, 8, 31)).isoformat()
        '2026-02-28'
        """
        return shifted(_moved(day, -self.months), -self.days)

    def after(self, day: date) -> date:
        """The day so long after *day*.

        >>> Span.parse("P1M").after(date(2026, 1, 31)).isoformat()
        '2026-02-28'
        """
        return shifted(_moved(day, self.months), self.days)

    def last_day(self, start: date) -> date:
        """The last day from which this long before reaches back to *start*.

        >>> Span.parse("P6M").last_day(date(2026, 2, 28)).isoformat()
        '2026-08-31'
        """
        day = self.after(start)
        if not self.months:
            return day
        while day < date.max and self.before(shifted(day, 1)) <= start:
            day = shifted(day, 1)
        return day


def last_day(span: Span, start: date, counting: str) -> date:
    """The last day of a time of that length that *start* begins, counted in a named way.

    >>> last_day(Span.parse("P6M"), date(2026, 2, 28), "civil_months").isoformat()
    '2026-08-28'
    >>> last_day(Span.parse("P6M"), date(2026, 2, 28), "interpretation_act_s28").isoformat()
    '2026-08-31'
    >>> last_day(Span.parse("P3M"), date(2026, 2, 12), "months_beginning_on").isoformat()
    '2026-05-11'
    >>> last_day(Span.parse("P3M"), date(2025, 11, 30), "months_beginning_on").isoformat()
    '2026-02-28'
    """
    if counting == "civil_months":
        return span.after(start)
    if counting == "months_beginning_on":
        end = span.after(start)
        return end if not span.days and end.day != start.day else shifted(end, -1)
    return span.last_day(start)


def shifted(day: date, days: int) -> date:
    """So many *days* after *day*, or before it; no further than the calendar goes.

    >>> shifted(date(9999, 12, 30), 28).isoformat()
    '9999-12-31'
    """
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def _moved(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year < 1:
        return date.min
    if year > 9999:
        return date.max
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def effective_day(received: date, number: int, counting: str, holidays: Set[date]) -> date:
    """The day from whose beginning a withdrawal counts that was *received* on a day.

    >>> effective_day(date(2026, 3, 2), 10, "business_days_exclusive", frozenset()).isoformat()
    '2026-03-17'
    >>> effective_day(date(2026, 5, 11), 5, "business_days_inclusive", frozenset()).isoformat()
    '2026-05-16'
    >>> effective_day(date(2026, 5, 11), 5, "nth_working_day", frozenset()).isoformat()
    '2026-05-18'
    """
    if counting == "days":
        return shifted(received, number)
    day, left = received, number
    if counting == "business_days_inclusive":
        day = shifted(day, -1)
    while left and day < date.max:
        day = shifted(day, 1)
        left -= day.weekday() < 5 and day not in holidays
    return day if counting == "nth_working_day" else shifted(day, 1)
