"""Business calendars: when a team is at work, and arithmetic on that time.

Invariant: everything is counted between instants, on spans of UTC made from the hours that a clock on the wall shows,
so a day on which clocks change has the hours that it really had. No search runs beyond its horizon, and a calendar
that never opens is an error, never "always open".
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from crmcore.errors import CalendarNeverOpen, InvalidCalendar, InvalidPeriod
from crmcore.values.frozen_map import FrozenMap, thaw
from crmcore.values.hours import WEEKDAYS, Hours, day_hours, week_hours
from crmcore.values.instant import MICROSECOND, from_micros, micros
from crmcore.values.open_spans import DAY, END, Span, local_windows, merged, open_year, to_utc, year_bounds
from crmcore.values.period import Period
from crmcore.values.personal import Document

HORIZON = timedelta(days=3653)
"""How long a calendar may stay closed before it counts as never open: ten years."""


# Names that mean whatever a machine was set to.
_LOCAL_NAMES = frozenset({"localtime", "posixrules", "Factory"})


def _is_zone(name: object) -> bool:
    if not isinstance(name, str) or not name or name in _LOCAL_NAMES:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _zone(instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not _is_zone(value):
        raise InvalidCalendar(
            "a calendar needs the name of an IANA time zone that this system knows, such as 'Europe/Berlin'",
            reason="zone",
        )


def _weekly(value: Iterable[Iterable[Hours]]) -> tuple[tuple[Hours, ...], ...]:
    week = tuple(day_hours(day) for day in value)
    if len(week) != 7:
        raise InvalidCalendar("a week has seven days: give the hours of each, from Monday on", reason="week")
    return week


def _exceptions(value: Mapping[date, Iterable[Hours]]) -> FrozenMap[date, tuple[Hours, ...]]:
    if any(type(day) is not date for day in value):
        raise InvalidCalendar("exceptions are given by date, without a time of day", reason="date")
    return FrozenMap({day: day_hours(hours) for day, hours in sorted(value.items())})


@attrs.frozen(cache_hash=True)
class BusinessCalendar(Document):
    """Hours of the seven days from Monday on, in a zone, and dates with hours of their own (none: closed).

    A window belongs to the day on which it opens, also when it runs over midnight: an exception replaces the
    windows that open on its date, and last night's shift still ends in the morning. A calendar is open whenever a
    clock on the wall there reads a time within its hours: where clocks go back, the hours within the repeated hour
    count twice; where they go forward, the hours that are skipped never come.

    >>> office = BusinessCalendar.of("Europe/Berlin", "mon-fri 09:00-17:00", closed=[date(2026, 12, 25)])
    >>> office.add(datetime.fromisoformat("2026-12-24T16:00:00+01:00"), timedelta(hours=2)).isoformat()
    '2026-12-28T09:00:00+00:00'
    """

    zone: str = attrs.field(validator=_zone)
    weekly: tuple[tuple[Hours, ...], ...] = attrs.field(converter=_weekly)
    exceptions: FrozenMap[date, tuple[Hours, ...]] = attrs.field(factory=FrozenMap, converter=_exceptions)

    @classmethod
    def of(
        cls,
        zone: str,
        *rules: str,
        closed: Iterable[date] = (),
        special: Mapping[date, str] | None = None,
    ) -> BusinessCalendar:
        """A calendar from texts: weekly *rules*, dates that are *closed*, and dates with *special* hours.

        Raises:
            InvalidCalendar: if the zone is unknown, a rule cannot be read, windows of a day overlap, or a date is
                both closed and special.

        >>> night = BusinessCalendar.of("Asia/Tokyo", "daily 22:00-06:00", special={date(2027, 1, 1): "23:00-24:00"})
        >>> [hours.text for hours in night.hours_on(date(2027, 1, 1))]
        ['23:00-24:00']
        """
        exceptions: dict[date, tuple[Hours, ...]] = dict.fromkeys(closed, ())
        for day, hours in (special or {}).items():
            if day in exceptions:
                raise InvalidCalendar("a date is either closed or has special hours, not both", reason="date")
            exceptions[day] = day_hours(hours)
        return cls(zone=zone, weekly=week_hours(rules), exceptions=exceptions)

    @classmethod
    def always(cls, zone: str = "UTC") -> BusinessCalendar:
        """Round the clock, every day.

        >>> BusinessCalendar.always().is_open(datetime.fromisoformat("2026-11-22T03:00:00Z"))
        True
        """
        return cls.of(zone, "daily 00:00-24:00")

    def hours_on(self, day: date) -> tuple[Hours, ...]:
        """The windows that open on *day*.

        >>> BusinessCalendar.of("UTC", "mon 09:00-17:00").hours_on(date(2026, 11, 22))
        ()
        """
        special = self.exceptions.get(day)
        return self.weekly[day.weekday()] if special is None else special

    def is_open(self, moment: datetime) -> bool:
        """Whether the calendar is open at *moment*; at the moment of closing it no longer is.

        >>> office = BusinessCalendar.of("Europe/Berlin", "mon-fri 09:00-17:00")
        >>> office.is_open(datetime.fromisoformat("2026-11-23T08:00:00Z"))
        True
        """
        at = micros(moment)
        year = open_year(self, from_micros(at).year)
        index = bisect_right(year.starts, at) - 1
        return index >= 0 and at < year.ends[index]

    def next_open(self, moment: datetime, *, horizon: timedelta = HORIZON) -> datetime:
        """The first open moment at or after *moment*.

        Raises:
            CalendarNeverOpen: if there is none within *horizon*.

        >>> office = BusinessCalendar.of("Europe/Berlin", "mon-fri 09:00-17:00")
        >>> office.next_open(datetime.fromisoformat("2026-11-21T20:00:00+01:00")).isoformat()
        '2026-11-23T08:00:00+00:00'
        """
        return from_micros(self._next_open(micros(moment), horizon))

    def add(
        self,
        start: datetime,
        duration: timedelta,
        pauses: Iterable[Period[datetime]] = (),
        *,
        horizon: timedelta = HORIZON,
    ) -> datetime:
        """The first moment at which *duration* of open time has passed since *start*, *pauses* not counted.

        That is the closing time when the duration ends there, and *start* itself for no duration at all.

        Raises:
            CalendarNeverOpen: if the calendar stays closed for longer than *horizon*, or past the year 9999.
            InvalidCalendar: if *duration* is negative.
            InvalidPeriod: if the end of a pause without one would be needed: end it at the present first.

        >>> office = BusinessCalendar.of("Europe/Berlin", "mon-fri 09:00-17:00")
        >>> office.add(datetime.fromisoformat("2026-11-20T16:00:00+01:00"), timedelta(hours=2)).isoformat()
        '2026-11-23T09:00:00+00:00'
        """
        at, left = micros(start), duration // MICROSECOND
        if left < 0:
            raise InvalidCalendar(
                "open time to add cannot be negative: swap the ends and use between", reason="negative"
            )
        if not left:
            return from_micros(at)
        for low, high in _pauses(pauses):
            if high is not None and high <= at:
                continue
            due = self._advance(at, left, horizon)
            if due <= low:
                return from_micros(due)
            if high is None:
                raise InvalidPeriod(
                    "a pause without an end has no due moment: end it first", reason="open_end"
                )
            left -= self._open(at, low)
            at = high
        return from_micros(self._advance(at, left, horizon))

    def between(self, start: datetime, end: datetime, pauses: Iterable[Period[datetime]] = ()) -> timedelta:
        """The open time from *start* to *end*, *pauses* not counted; negative when *end* is the earlier one.

        >>> office = BusinessCalendar.of("Europe/Berlin", "mon-fri 09:00-17:00")
        >>> friday, monday = "2026-11-20T16:00:00+01:00", "2026-11-23T10:00:00+01:00"
        >>> office.between(datetime.fromisoformat(friday), datetime.fromisoformat(monday))
        datetime.timedelta(seconds=7200)
        """
        low, high = micros(start), micros(end)
        if high < low:
            return -self.between(end, start, pauses)
        found = self._open(low, high)
        for begin, stop in _pauses(pauses):
            found -= self._open(max(low, begin), high if stop is None else min(high, stop))
        return found * MICROSECOND

    def windows(self, first: date, last: date) -> tuple[Period[datetime], ...]:
        """The open stretches on the local dates from *first* up to, but not including, *last*, in order.

        Windows that touch are one; those over midnight are cut at the ends of the range.

        >>> office = BusinessCalendar.of("Europe/Berlin", "mon-fri 09:00-17:00")
        >>> [str(window) for window in office.windows(date(2026, 11, 23), date(2026, 11, 24))]
        ['2026-11-23T08:00:00.000000Z/2026-11-23T16:00:00.000000Z']
        """
        low, high = (first.toordinal() - 1) * DAY, (last.toordinal() - 1) * DAY
        spans: list[Span] = []
        for year in range(max(first.year - 1, 1), min(last.year + 1, 9999) + 1):
            begin, end = year_bounds(year)
            opening = local_windows(
                self, max(low, begin - 3 * DAY) // DAY, min(high, end + 3 * DAY) // DAY + 1
            )
            cut = ((max(opens, low), min(closes, high)) for opens, closes in opening)
            spans += [
                (max(start, begin), min(stop, end))
                for start, stop in to_utc(self.zone, year, ((a, b) for a, b in cut if a < b))
                if start < end and stop > begin
            ]
        return tuple(Period(from_micros(start), from_micros(end)) for start, end in merged(spans))

    def _next_open(self, at: int, horizon: timedelta) -> int:
        limit = at + horizon // MICROSECOND
        for number in range(from_micros(at).year, 10_000):
            year = open_year(self, number)
            index = bisect_right(year.ends, at)
            found = max(year.starts[index], at) if index < len(year.starts) else None
            if found is not None and found <= limit:
                return found
            if found is not None or year_bounds(number)[1] > limit:
                break
        raise CalendarNeverOpen(
            "the calendar does not open within the horizon: give it hours, or search further",
            reason="never_open",
        )

    def _advance(self, at: int, left: int, horizon: timedelta) -> int:
        """Where *left* > 0 microseconds of open time have passed since *at*."""
        while True:
            at = self._next_open(at, horizon)
            number = from_micros(at).year
            year = open_year(self, number)
            goal = year.open_until(at) + left
            if goal <= year.total:
                index = bisect_left(year.sums, goal)
                return year.starts[index] + goal - year.before[index]
            left = goal - year.total
            at = year_bounds(number)[1]
            if at >= END:
                raise CalendarNeverOpen("the due moment lies after the year 9999", reason="range")

    def _open(self, low: int, high: int) -> int:
        """Open microseconds from *low* to *high*; none when *high* is not later."""
        if high <= low:
            return 0
        first, last = from_micros(low).year, from_micros(high).year
        before = sum(open_year(self, number).total for number in range(first, last))
        return before + open_year(self, last).open_until(high) - open_year(self, first).open_until(low)

    def to_json(self) -> dict[str, Any]:
        """The JSON object of this calendar.

        >>> BusinessCalendar.of("UTC", "sat 10:00-14:00", closed=[date(2026, 12, 26)]).to_json()
        {'zone': 'UTC', 'weekly': {'sat': ['10:00-14:00']}, 'exceptions': {'2026-12-26': []}}
        """
        return {
            **thaw(self.unknown),
            "zone": self.zone,
            "weekly": {
                name: [window.text for window in windows]
                for name, windows in zip(WEEKDAYS, self.weekly, strict=True)
                if windows
            },
            "exceptions": {
                day.isoformat(): [window.text for window in windows]
                for day, windows in self.exceptions.items()
            },
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> BusinessCalendar:
        """The inverse of `to_json`.

        Raises:
            InvalidCalendar: if *document* has not that shape.

        >>> office = BusinessCalendar.of("UTC", "sat 10:00-14:00")
        >>> BusinessCalendar.from_json(office.to_json()) == office
        True
        """
        known = {"zone": str, "weekly": Mapping, "exceptions": Mapping}
        if not isinstance(document, Mapping) or not all(
            isinstance(document.get(key), shape) for key, shape in known.items()
        ):
            raise InvalidCalendar(
                "a calendar is stored as 'zone', 'weekly' and 'exceptions'", reason="document"
            )
        weekly = document["weekly"]
        if not set(weekly) <= set(WEEKDAYS):
            raise InvalidCalendar("days are mon, tue, wed, thu, fri, sat, sun", reason="days")
        return cls(
            zone=document["zone"],
            weekly=[_listed(weekly.get(name, ())) for name in WEEKDAYS],
            exceptions={_date(day): _listed(hours) for day, hours in document["exceptions"].items()},
            unknown=FrozenMap({key: value for key, value in document.items() if key not in known}),
        )


def _listed(hours: object) -> tuple[Hours, ...]:
    if not isinstance(hours, (list, tuple)):
        raise InvalidCalendar("the hours of a day are stored as a list of texts", reason="document")
    return day_hours(Hours.parse(window) for window in hours)


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except (ValueError, TypeError):
        day = None
    if day is None or day.isoformat() != text:
        raise InvalidCalendar("exceptions are stored by date: YYYY-MM-DD", reason="date")
    return day


def _pauses(pauses: Iterable[Period[datetime]]) -> list[tuple[int, int | None]]:
    """Pauses as disjoint spans in order; only the last may have no end."""
    spans: list[Span] = []
    for pause in pauses:
        if not all(end is None or isinstance(end, datetime) for end in (pause.start, pause.end)):
            raise InvalidPeriod("pauses run between instants, not dates", reason="mixed")
        begin = 0 if pause.start is None else micros(pause.start)
        spans.append((begin, END if pause.end is None else micros(pause.end)))
    return [(begin, None if end == END else end) for begin, end in merged(spans)]
