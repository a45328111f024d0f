"""Hypothesis strategies for times, dates, calendars and money."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from crmcore.values.calendar import BusinessCalendar
from crmcore.values.currency import CURRENT, WITHDRAWN
from crmcore.values.hours import Hours
from crmcore.values.money import Money
from crmcore.values.partial_date import PartialDate
from crmcore.values.period import Period

FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",  # half an hour off, and changed clocks at 00:01 until 2011
    "Australia/Lord_Howe",  # changes by half an hour
    "Asia/Kathmandu",  # five hours and three quarters
    "Africa/Casablanca",  # changes around Ramadan
    "Pacific/Apia",  # had no 30 December 2011
    "America/Santiago",  # changes at midnight
)

# Days around which clocks of these zones change, or the calendar of one leaps.
TURNS = (
    date(2026, 3, 29),
    date(2026, 10, 25),
    date(2026, 3, 8),
    date(2026, 11, 1),
    date(2026, 4, 5),
    date(2026, 10, 4),
    date(2026, 9, 6),
    date(2026, 2, 15),
    date(2026, 3, 22),
    date(2011, 12, 30),
    date(2010, 11, 7),
    date(2026, 12, 31),
    date(2028, 2, 29),
)


def instants() -> st.SearchStrategy[datetime]:
    """Any instant in UTC, to the microsecond."""
    whole = (LAST - FIRST) // timedelta(microseconds=1)
    return st.integers(0, whole).map(lambda number: FIRST + timedelta(microseconds=number))


def aware_datetimes() -> st.SearchStrategy[datetime]:
    """Datetimes in zones with rules and with fixed offsets, far enough from the ends of the calendar for any offset."""
    offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
    zones = st.sampled_from(ZONES).map(ZoneInfo)
    return st.builds(
        lambda naive, zone, fold: naive.replace(tzinfo=zone, fold=fold),
        st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 28)),
        offsets | zones,
        st.sampled_from([0, 1]),
    )


@st.composite
def partial_dates(draw: st.DrawFn, low: int = 1, high: int = 9999) -> PartialDate:
    """Any of the six forms, with years from *low* to *high*."""
    form = draw(st.sampled_from(["y", "ym", "ymd", "md", "m", "d"]))
    year = draw(st.integers(low, high)) if "y" in form else None
    month = draw(st.integers(1, 12)) if "m" in form else None
    days = monthrange(year or 2000, month)[1] if month else 31
    day = draw(st.integers(1, days)) if "d" in form else None
    return PartialDate(year, month, day)


def date_periods() -> st.SearchStrategy[Period[date]]:
    """Periods of a few weeks, so that they meet, touch and part."""
    ends = st.none() | st.integers(0, 40).map(lambda days: date(2020, 2, 1) + timedelta(days))
    return (
        st.tuples(ends, ends)
        .map(_ordered)
        .filter(lambda pair: pair[0] != pair[1] or None in pair)
        .map(_period)
    )


def instant_periods() -> st.SearchStrategy[Period[datetime]]:
    """Periods of instants, whichever they are."""
    ends = st.none() | instants()
    return (
        st.tuples(ends, ends)
        .map(_ordered)
        .filter(lambda pair: pair[0] != pair[1] or None in pair)
        .map(_period)
    )


def _ordered(pair: tuple[date | None, date | None]) -> tuple[date | None, date | None]:
    one, two = pair
    return (two, one) if one is not None and two is not None and two < one else (one, two)


def _period(pair: tuple[Any, Any]) -> Period[Any]:
    return Period(*pair)


@st.composite
def day_windows(draw: st.DrawFn, over_midnight: bool = True) -> tuple[Hours, ...]:
    """None to three windows of a day that do not overlap; the last may run over midnight."""
    marks = sorted(draw(st.lists(st.integers(0, 1440), min_size=0, max_size=6, unique=True)))
    windows = [Hours(opens, closes) for opens, closes in zip(marks[::2], marks[1::2], strict=False)]
    if windows and over_midnight and draw(st.booleans()) and windows[-1].opens:
        late = windows.pop()
        windows.append(
            Hours(late.opens, 1440 + draw(st.integers(1, late.opens - 1)) if late.opens > 1 else 1440)
        )
    return tuple(windows)


@st.composite
def calendars(draw: st.DrawFn, *, around: date | None = None) -> BusinessCalendar:
    """Calendars with odd hours in awkward zones, and exceptions in the days after *around*."""
    if draw(st.integers(0, 5)) == 0:
        return BusinessCalendar.always(draw(st.sampled_from(ZONES)))
    days = st.integers(-1, 4).map(lambda step: (around or draw(st.sampled_from(TURNS))) + timedelta(step))
    return BusinessCalendar(
        zone=draw(st.sampled_from(ZONES)),
        weekly=tuple(draw(day_windows()) for _ in range(7)),
        exceptions=draw(st.dictionaries(days, day_windows(), max_size=2)),
    )


def currencies() -> st.SearchStrategy[str]:
    """Codes, the usual ones most often."""
    return st.sampled_from(["EUR", "USD", "JPY", "KWD", "CLF", "XAU"]) | st.sampled_from(
        sorted(CURRENT | WITHDRAWN)
    )


def amounts() -> st.SearchStrategy[Decimal]:
    """Amounts of every size and precision that money takes."""
    exact = st.builds(
        lambda digits, scale: Decimal(digits).scaleb(-scale),
        st.integers(-(10**18), 10**18),
        st.integers(0, 9),
    )
    widest = st.integers(-(10**36), 10**36).map(lambda digits: Decimal(f"{digits}E-18"))
    return (
        exact
        | widest
        | st.integers(-(10**6), 10**6).map(lambda cents: Decimal(cents) / 100)
        | st.just(Decimal("0.00"))
    )


def moneys(currency: str | None = None) -> st.SearchStrategy[Money]:
    """Money in *currency*, or in any."""
    return st.builds(Money, amounts(), currencies() if currency is None else st.just(currency))
