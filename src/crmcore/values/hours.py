"""Opening hours within a day, and the texts of a week's rules.

Invariant: hours open before they close and last 24 hours at most; a window over midnight belongs to the day on which
it opens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

import attrs

from crmcore.errors import InvalidCalendar
from crmcore.values.validate import whole

DAY = 24 * 60
"""Minutes in a day as a clock on the wall shows it."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")
_DAYS = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?")


@attrs.frozen
class Hours:
    """Open from the minute *opens* of a day up to the minute *closes*; more than 1440 is on the next day.

    >>> Hours.parse("22:00-06:00")
    Hours(opens=1320, closes=1800)
    """

    opens: int = attrs.field(validator=whole(0, DAY - 1, error=InvalidCalendar))
    closes: int = attrs.field(validator=whole(0, 2 * DAY - 1, error=InvalidCalendar))

    def __attrs_post_init__(self) -> None:
        if not 0 < self.closes - self.opens <= DAY:
            raise InvalidCalendar("hours must close after they open, within 24 hours", reason="order")
        if self.closes - self.opens == DAY and self.opens:
            raise InvalidCalendar("hours of a whole day begin at midnight: write 00:00-24:00", reason="order")

    @classmethod
    def parse(cls, text: str) -> Hours:
        """Read ``09:00-17:00``; hours that close earlier than they open run over midnight.

        Raises:
            InvalidCalendar: if *text* is anything else, or has no length (the whole day is ``00:00-24:00``).

        >>> Hours.parse("09:00-17:30").text
        '09:00-17:30'
        """
        match = _HOURS.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise InvalidCalendar("hours are written as HH:MM-HH:MM, from 00:00 to 24:00", reason="hours")
        opens = int(match[1]) * 60 + int(match[2])
        closes = DAY if match[3] is None else int(match[3]) * 60 + int(match[4])
        return cls(opens, closes + DAY if closes < opens else closes)

    @property
    def text(self) -> str:
        """The inverse of `parse`.

        >>> Hours(1320, 1800).text
        '22:00-06:00'
        """
        closes = self.closes if self.closes <= DAY else self.closes - DAY
        return f"{self.opens // 60:02d}:{self.opens % 60:02d}-{closes // 60:02d}:{closes % 60:02d}"

    def __str__(self) -> str:
        return self.text


def day_hours(hours: str | Iterable[str | Hours]) -> tuple[Hours, ...]:
    """The windows of one day in order, from texts or values; adjacent ones may touch.

    Raises:
        InvalidCalendar: if one is no window, or two of them overlap.

    >>> [window.text for window in day_hours("13:00-17:00 09:00-12:00")]
    ['09:00-12:00', '13:00-17:00']
    """
    if isinstance(hours, str):
        hours = re.split(r"[,\s]+", hours.strip()) if hours.strip() else ()
    windows = sorted(
        (window if isinstance(window, Hours) else Hours.parse(window) for window in hours),
        key=lambda window: (window.opens, window.closes),
    )
    if any(earlier.closes > later.opens for earlier, later in pairwise(windows)):
        raise InvalidCalendar("two windows of one day overlap: join them or move one", reason="overlap")
    return tuple(windows)


def week_hours(rules: Iterable[str]) -> tuple[tuple[Hours, ...], ...]:
    """The windows of the seven days from Monday on, from texts such as ``mon-fri 09:00-12:00,13:00-17:00``.

    Days are ``mon`` to ``sun``, runs of them (``fri-mon``), several (``mon,wed-fri``) or ``daily``. Rules add up.

    Raises:
        InvalidCalendar: if a rule is not days and hours, or windows of one day overlap.

    >>> [len(day) for day in week_hours(["mon-fri 09:00-12:00,13:00-17:00", "sat 10:00-14:00"])]
    [2, 2, 2, 2, 2, 1, 0]
    """
    week: list[tuple[Hours, ...]] = [()] * 7
    for rule in rules:
        days, _, hours = rule.strip().lower().partition(" ")
        windows = day_hours(hours)
        if not windows:
            raise InvalidCalendar("a rule needs days and hours: 'mon-fri 09:00-17:00'", reason="rule")
        for day in _days(days):
            week[day] = day_hours((*week[day], *windows))
    return tuple(week)


def _days(text: str) -> list[int]:
    if text == "daily":
        return list(range(7))
    found: list[int] = []
    for part in text.split(","):
        match = _DAYS.fullmatch(part)
        if match is None or not {match[1], match[2] or match[1]} <= set(WEEKDAYS):
            raise InvalidCalendar(
                "days are mon, tue, wed, thu, fri, sat, sun, runs such as mon-fri, or daily", reason="days"
            )
        first, last = WEEKDAYS.index(match[1]), WEEKDAYS.index(match[2] or match[1])
        found += [(first + step) % 7 for step in range((last - first) % 7 + 1)]
    return found
