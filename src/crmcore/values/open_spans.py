"""Business calendars on the axis of UTC: when exactly they are open, a year at a time.

Invariant: spans are pairs of microseconds since the year 1 in UTC, half-open, sorted and apart; all arithmetic is on
integers, so nothing is rounded. A calendar is open whenever a clock on the wall there reads a time within its hours:
where clocks go back, hours within the repeated hour count twice; where they go forward, skipped hours never come.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Protocol
from zoneinfo import ZoneInfo

import attrs

from crmcore.values.hours import Hours
from crmcore.values.instant import MICROSECOND, from_micros

Span = tuple[int, int]

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
END = date.max.toordinal() * DAY
"""Where the calendar of Python ends: the first microsecond after the year 9999."""


class HoursOfDays(Protocol):
    """What is asked of a calendar here: its zone, and the windows that open on a date."""

    @property
    def zone(self) -> str: ...

    def hours_on(self, day: date) -> tuple[Hours, ...]: ...

    def __hash__(self) -> int: ...


@attrs.frozen
class OpenYear:
    """The open spans of one UTC year. *before* and *sums* hold the open time of the year up to each one's ends."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    before: tuple[int, ...]
    sums: tuple[int, ...]
    total: int

    def open_until(self, moment: int) -> int:
        """The open time from the beginning of the year to *moment*."""
        at = bisect_right(self.starts, moment) - 1
        if at < 0:
            return 0
        return self.before[at] + min(moment, self.ends[at]) - self.starts[at]


def year_bounds(year: int) -> Span:
    """The first microsecond of a UTC year, and of the next one."""
    last = date(year, 12, 31).toordinal()
    return (date(year, 1, 1).toordinal() - 1) * DAY, last * DAY


@lru_cache(maxsize=512)
def open_year(calendar: HoursOfDays, year: int) -> OpenYear:
    """The spans of *calendar* within the UTC year *year*; remembered, since clocks of one team share them."""
    low, high = year_bounds(year)
    # Offsets reach 15 hours either way in the past, and a window runs into the next day: three days are enough.
    first, last = low // DAY + 1 - 3, high // DAY + 3
    spans = merged(to_utc(calendar.zone, year, local_windows(calendar, first, last)))
    clipped = [(max(start, low), min(end, high)) for start, end in spans if start < high and end > low]
    lengths = [end - start for start, end in clipped]
    sums = list(accumulate(lengths, initial=0))
    return OpenYear(
        starts=tuple(start for start, _ in clipped),
        ends=tuple(end for _, end in clipped),
        before=tuple(sums[:-1]),
        sums=tuple(sums[1:]),
        total=sums[-1],
    )


def local_windows(calendar: HoursOfDays, first: int, last: int) -> Iterator[Span]:
    """The windows that open on the days *first* to *last* (ordinals, both included), in wall-clock microseconds."""
    for ordinal in range(max(first, 1), min(last, date.max.toordinal()) + 1):
        midnight = (ordinal - 1) * DAY
        for window in calendar.hours_on(date.fromordinal(ordinal)):
            yield midnight + window.opens * MINUTE, midnight + window.closes * MINUTE


def to_utc(zone: str, year: int, windows: Iterable[Span]) -> Iterator[Span]:
    """When a clock in *zone* reads a time within *windows*, which lie in or around the UTC year *year*."""
    pieces = _offsets(zone, year)
    for opens, closes in windows:
        for start, end, offset in pieces:
            low, high = max(opens - offset, start), min(closes - offset, end)
            if low < high:
                yield low, high


def merged(spans: Iterable[Span]) -> list[Span]:
    """*spans* in order, those that touch or overlap made one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


@lru_cache(maxsize=1024)
def _offsets(zone: str, year: int) -> tuple[tuple[int, int, int], ...]:
    """The stretches of constant offset from UTC around *year*: start, end, offset."""
    info = ZoneInfo(zone)
    low, high = year_bounds(year)
    low, high = low - 4 * DAY, high + 4 * DAY
    pieces: list[tuple[int, int, int]] = []
    start, offset = low, _offset(info, low)
    # No zone has ever changed and changed back within a day; `test_no_zone_changes_twice_within_a_day` watches it.
    for probe in range(low + DAY, high + 1, DAY):
        if _offset(info, probe) != offset:
            change = _change(info, probe - DAY, probe)
            pieces.append((start, change, offset))
            start, offset = change, _offset(info, probe)
    pieces.append((start, high, offset))
    return tuple(pieces)


def _change(info: ZoneInfo, before: int, after: int) -> int:
    """The first microsecond of the offset at *after*, found by halving; zones change on whole seconds."""
    old = _offset(info, before)
    while after - before > SECOND:
        middle = (before + after) // 2 // SECOND * SECOND
        if _offset(info, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(info: ZoneInfo, moment: int) -> int:
    # A zone cannot be asked in the first and last hours of the calendar; the rule of a day further in holds there.
    inside = min(max(moment, 2 * DAY), END - 2 * DAY)
    offset = from_micros(inside).astimezone(info).utcoffset() or timedelta()
    return offset // MICROSECOND
