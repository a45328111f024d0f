"""Laws of business calendars, with a stepper that looks at a clock every minute as the oracle."""

from __future__ import annotations

import json
import pickle
import time
import zoneinfo
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import CalendarNeverOpen, InvalidCalendar, InvalidPeriod, NaiveDatetime
from crmcore.values.calendar import BusinessCalendar
from crmcore.values.hours import Hours
from crmcore.values.period import Period
from tests.values.strategies_time import TURNS, ZONES, calendars, day_windows

MINUTE = timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = BusinessCalendar.of("Europe/Berlin", "mon-fri 09:00-17:00")


# --- the golden vectors: calendar Europe/Berlin unless said ---------------------------------------------------


def local(text: str) -> datetime:
    """A local time of Berlin; the day of the week, written in front, is checked."""
    weekday, _, moment = text.partition(" ")
    found = datetime.strptime(moment, "%Y-%m-%d %H:%M").replace(tzinfo=BERLIN)
    assert found.strftime("%a") == weekday
    return found


LUNCH = BusinessCalendar.of("Europe/Berlin", "mon-fri 09:00-12:00,13:00-17:00")
CHRISTMAS = BusinessCalendar.of("Europe/Berlin", "mon-fri 09:00-17:00", closed=[date(2026, 12, 25)])
ALWAYS = BusinessCalendar.always("Europe/Berlin")
WEEKEND_PAUSE = ("Fri 2026-11-20 16:30", "Mon 2026-11-23 09:30")


@pytest.mark.parametrize(
    ("calendar", "start", "hours", "pause", "due"),
    [
        (OFFICE, "Fri 2026-11-20 16:00", 2, None, "Mon 2026-11-23 10:00"),
        (OFFICE, "Sat 2026-11-21 20:00", 2, None, "Mon 2026-11-23 11:00"),
        (OFFICE, "Sat 2026-11-21 12:00", 2, None, "Mon 2026-11-23 11:00"),
        (OFFICE, "Fri 2026-11-20 16:00", 2, WEEKEND_PAUSE, "Mon 2026-11-23 11:00"),
        (CHRISTMAS, "Thu 2026-12-24 16:00", 2, None, "Mon 2026-12-28 10:00"),
        (LUNCH, "Fri 2026-11-20 11:30", 2, None, "Fri 2026-11-20 14:30"),
        (ALWAYS, "Sun 2026-03-29 00:30", 4, None, "Sun 2026-03-29 05:30"),
        (ALWAYS, "Sun 2026-10-25 00:30", 4, None, "Sun 2026-10-25 03:30"),
    ],
)
def test_golden_due_moments(
    calendar: BusinessCalendar, start: str, hours: int, pause: tuple[str, str] | None, due: str
) -> None:
    pauses: list[Period[datetime]] = [Period(local(pause[0]), local(pause[1]))] if pause else []
    expected = local(due).astimezone(UTC)
    assert calendar.add(local(start), timedelta(hours=hours), pauses) == expected
    assert calendar.between(local(start), expected, pauses) == timedelta(hours=hours)


@pytest.mark.parametrize(
    "calendar",
    [
        BusinessCalendar.of("Europe/Berlin"),
        BusinessCalendar.of("Europe/Berlin", special={date(2020, 1, 1): "09:00-17:00"}),
        BusinessCalendar.of("Europe/Berlin", special={date(2040, 1, 1): "09:00-17:00"}),
    ],
)
def test_a_calendar_that_never_opens_is_an_error_at_once(calendar: BusinessCalendar) -> None:
    begun = time.process_time()
    with pytest.raises(CalendarNeverOpen):
        calendar.add(local("Fri 2026-11-20 16:00"), timedelta(hours=2))
    with pytest.raises(CalendarNeverOpen):
        calendar.next_open(local("Fri 2026-11-20 16:00"))
    assert time.process_time() - begun < 2
    assert not calendar.is_open(local("Fri 2026-11-20 16:00"))
    assert calendar.between(local("Fri 2026-11-20 16:00"), local("Mon 2026-11-23 09:30")) == timedelta()


def test_a_longer_horizon_finds_a_later_opening() -> None:
    once = BusinessCalendar.of("UTC", special={date(2040, 1, 1): "09:00-17:00"})
    start = datetime(2026, 11, 20, tzinfo=UTC)
    found = once.next_open(start, horizon=timedelta(days=20 * 366))
    assert found == datetime(2040, 1, 1, 9, tzinfo=UTC)
    assert once.add(start, timedelta(hours=1), horizon=timedelta(days=20 * 366)) == found + timedelta(hours=1)
    with pytest.raises(CalendarNeverOpen):
        once.next_open(start, horizon=found - start - MINUTE)
    assert once.next_open(start, horizon=found - start) == found


# --- the oracle -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def shown(window: Hours) -> tuple[str, str]:
    """A window as two readings of a clock."""
    opens, closes = window.text.split("-")
    return opens, closes


def on_the_wall(calendar: BusinessCalendar, moment: datetime) -> bool:
    """Whether a clock on the wall reads a time within the hours, told from the texts of the windows alone."""
    there = moment.astimezone(ZoneInfo(calendar.zone))
    reading = f"{there.hour:02d}:{there.minute:02d}"
    today = [shown(window) for window in calendar.hours_on(there.date())]
    yesterday = [shown(window) for window in calendar.hours_on(there.date() - timedelta(1))]
    return any(opens <= reading and (reading < closes or closes <= opens) for opens, closes in today) or any(
        closes <= opens and reading < closes for opens, closes in yesterday
    )


def _stepped(calendar: BusinessCalendar, start: datetime, minutes: int) -> tuple[bool, ...]:
    return tuple(on_the_wall(calendar, start + step * MINUTE) for step in range(minutes))


@st.composite
def scenes(draw: st.DrawFn) -> tuple[BusinessCalendar, datetime, tuple[bool, ...], list[Period[datetime]]]:
    """A calendar, a start on a whole minute near a change of clocks, the next 2,000 minutes, and some pauses."""
    day = draw(st.sampled_from(TURNS))
    calendar = draw(calendars(around=day))
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) + draw(st.integers(-900, 600)) * MINUTE
    minutes = st.integers(-100, 2200)
    ends = draw(st.lists(st.tuples(minutes, minutes), max_size=3))
    pauses: list[Period[datetime]] = [
        Period(start + min(pair) * MINUTE, start + (max(pair) + 1) * MINUTE) for pair in ends
    ]
    return calendar, start, _stepped(calendar, start, 2000), pauses


Scene = tuple[BusinessCalendar, datetime, tuple[bool, ...], list[Period[datetime]]]


@given(scenes(), st.integers(0, 1999))
@settings(max_examples=60)
def test_it_is_open_when_the_clock_on_the_wall_says_so(scene: Scene, step: int) -> None:
    calendar, start, steps, _ = scene
    for minute in range(step, min(step + 120, 2000)):
        assert calendar.is_open(start + minute * MINUTE) == steps[minute]


@given(scenes(), st.integers(1, 1500))
@settings(max_examples=80)
def test_add_ends_where_the_stepper_has_counted_enough(scene: Scene, minutes: int) -> None:
    calendar, start, steps, pauses = scene
    left, expected = minutes, None
    for step, is_open in enumerate(steps):
        moment = start + step * MINUTE
        if is_open and not any(pause.contains(moment) for pause in pauses):
            left -= 1
            if not left:
                expected = moment + MINUTE
                break
    try:
        due = calendar.add(start, minutes * MINUTE, pauses)
    except CalendarNeverOpen:
        assert expected is None
        assert not any(calendar.weekly)
        return
    if expected is None:
        assert due > start + len(steps) * MINUTE
    else:
        assert due == expected


@given(scenes(), st.integers(0, 1999), st.integers(0, 1999))
@settings(max_examples=60)
def test_between_counts_what_the_stepper_counts(scene: Scene, low: int, high: int) -> None:
    calendar, start, steps, pauses = scene
    low, high = min(low, high), max(low, high)
    counted = sum(
        steps[step] and not any(pause.contains(start + step * MINUTE) for pause in pauses)
        for step in range(low, high)
    )
    one, two = start + low * MINUTE, start + high * MINUTE
    assert calendar.between(one, two, pauses) == counted * MINUTE
    assert calendar.between(two, one, pauses) == -counted * MINUTE


@given(scenes())
@settings(max_examples=60)
def test_the_next_opening_is_the_first_open_minute(scene: Scene) -> None:
    calendar, start, steps, _ = scene
    if True in steps:
        assert calendar.next_open(start) == start + steps.index(True) * MINUTE
    elif any(calendar.weekly):
        assert calendar.next_open(start) >= start + len(steps) * MINUTE


@given(scenes())
@settings(max_examples=40)
def test_windows_are_the_open_minutes_of_the_local_days(scene: Scene) -> None:
    calendar, start, _, _ = scene
    zone = ZoneInfo(calendar.zone)
    first = start.astimezone(zone).date()
    windows = calendar.windows(first, first + timedelta(2))
    for one, two in pairwise(windows):
        assert one.end is not None
        assert two.start is not None
        assert one.end < two.start, "windows are in order and do not touch"
    begin = start - timedelta(days=1)
    for step in range(0, 5 * 1440, 7):
        moment = begin + step * MINUTE
        inside = first <= moment.astimezone(zone).date() < first + timedelta(2)
        assert any(window.contains(moment) for window in windows) == (
            inside and on_the_wall(calendar, moment)
        )


# --- algebra, to the microsecond and over years ---------------------------------------------------------------

MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)
SPANS = st.timedeltas(timedelta(), timedelta(days=300))
WEEKLY = calendars().filter(lambda calendar: any(calendar.weekly))


def _pauses(start: datetime, spans: list[tuple[timedelta, timedelta]]) -> list[Period[datetime]]:
    return [Period(start + at, start + at + length + MINUTE) for at, length in spans]


@given(
    WEEKLY,
    MOMENTS,
    st.timedeltas(timedelta(), timedelta(days=9)),
    st.lists(st.tuples(SPANS, SPANS), max_size=3),
)
@settings(max_examples=60)
def test_what_was_added_lies_between(
    calendar: BusinessCalendar, start: datetime, length: timedelta, spans: list[tuple[timedelta, timedelta]]
) -> None:
    pauses = _pauses(start, spans)
    due = calendar.add(start, length, pauses)
    assert calendar.between(start, due, pauses) == length
    if length:
        # The first such moment: a microsecond earlier, something is still missing.
        assert calendar.between(start, due - timedelta(microseconds=1), pauses) < length


@given(
    WEEKLY,
    MOMENTS,
    st.timedeltas(timedelta(), timedelta(days=9)),
    st.timedeltas(timedelta(), timedelta(days=9)),
)
@settings(max_examples=60)
def test_adding_twice_is_adding_the_sum(
    calendar: BusinessCalendar, start: datetime, one: timedelta, two: timedelta
) -> None:
    assert calendar.add(calendar.add(start, one), two) == calendar.add(start, one + two)


@given(calendars(), MOMENTS, MOMENTS, MOMENTS)
@settings(max_examples=60)
def test_stretches_add_up(calendar: BusinessCalendar, one: datetime, two: datetime, three: datetime) -> None:
    assert calendar.between(one, two) + calendar.between(two, three) == calendar.between(one, three)
    assert abs(calendar.between(one, two)) <= abs(two - one)


@given(st.sampled_from(ZONES), MOMENTS, MOMENTS)
@settings(max_examples=60)
def test_round_the_clock_is_plain_time(zone: str, start: datetime, end: datetime) -> None:
    always = BusinessCalendar.always(zone)
    assert always.between(start, end) == end - start
    if start <= end:
        assert always.add(start, end - start) == end


def test_a_duration_that_ends_at_closing_time_is_due_at_closing_time() -> None:
    assert OFFICE.add(local("Fri 2026-11-20 16:00"), timedelta(hours=1)) == local("Fri 2026-11-20 17:00")
    assert LUNCH.add(local("Fri 2026-11-20 11:00"), timedelta(hours=1)) == local("Fri 2026-11-20 12:00")
    assert OFFICE.add(local("Fri 2026-11-20 18:00"), timedelta()) == local("Fri 2026-11-20 18:00")


def test_years_are_added_without_stepping() -> None:
    start = local("Fri 2026-11-20 16:00")
    begun = time.process_time()
    due = LUNCH.add(start, timedelta(hours=20 * 52 * 35))
    assert time.process_time() - begun < 2
    assert timedelta(days=19 * 365) < due - start < timedelta(days=21 * 366)
    assert LUNCH.between(start, due) == timedelta(hours=20 * 52 * 35)


# --- the days on which clocks change --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "day", "minutes"),
    [
        ("02:15-02:45", date(2026, 3, 29), 0),  # skipped
        ("02:30-05:00", date(2026, 3, 29), 120),  # begins when clocks jump to 03:00
        ("01:00-02:30", date(2026, 3, 29), 60),  # ends when they jump
        ("02:15-02:45", date(2026, 10, 25), 60),  # comes twice
        ("01:00-02:30", date(2026, 10, 25), 120),  # 01:00 to 02:30, and the second 02:00 to 02:30
        ("00:00-24:00", date(2026, 3, 29), 23 * 60),
        ("00:00-24:00", date(2026, 10, 25), 25 * 60),
    ],
)
def test_hours_in_a_skipped_or_repeated_hour(hours: str, day: date, minutes: int) -> None:
    calendar = BusinessCalendar.of("Europe/Berlin", f"sun {hours}")
    begin = datetime(day.year, day.month, day.day, tzinfo=BERLIN)
    assert calendar.between(begin, begin + timedelta(days=1)) == minutes * MINUTE


def test_a_night_shift_belongs_to_the_day_on_which_it_opens() -> None:
    night = BusinessCalendar.of("Europe/Berlin", "daily 22:00-06:00", closed=[date(2026, 12, 25)])
    assert night.is_open(local("Fri 2026-12-25 05:59")), "the shift of the day before ends in the morning"
    assert not night.is_open(local("Fri 2026-12-25 22:30")), "the shift of the day itself does not take place"
    assert not night.is_open(local("Sat 2026-12-26 05:59"))
    assert night.is_open(local("Sat 2026-12-26 22:00"))


def test_special_hours_replace_those_of_the_week() -> None:
    calendar = BusinessCalendar.of(
        "Europe/Berlin",
        "mon-fri 09:00-17:00",
        special={date(2026, 12, 24): "09:00-12:00", date(2026, 12, 26): "10:00-11:00"},
    )
    assert calendar.add(local("Thu 2026-12-24 11:00"), timedelta(hours=2)) == local("Fri 2026-12-25 10:00")
    assert calendar.is_open(local("Sat 2026-12-26 10:30"))


def test_a_day_that_a_zone_skipped_has_no_hours() -> None:
    apia = BusinessCalendar.of("Pacific/Apia", "fri 00:00-24:00")
    assert apia.windows(date(2011, 12, 30), date(2011, 12, 31)) == ()
    assert len(apia.windows(date(2011, 12, 23), date(2011, 12, 24))) == 1


def test_no_zone_changes_twice_within_a_day() -> None:
    """What the search for changes relies on; asked of every zone, every twelve hours of a year with many changes."""
    begin = datetime(1945, 1, 1, tzinfo=UTC)
    for name in sorted(zoneinfo.available_timezones() - {"localtime", "Factory", "posixrules"}):
        zone = ZoneInfo(name)
        offsets = [
            (begin + step * timedelta(hours=12)).astimezone(zone).utcoffset() for step in range(2 * 365)
        ]
        changes = [step for step in range(1, len(offsets)) if offsets[step] != offsets[step - 1]]
        assert all(two - one > 2 for one, two in pairwise(changes)), name


def test_the_ends_of_the_calendar_are_open_too() -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    always = BusinessCalendar.always("Asia/Kathmandu")
    assert always.is_open(first)
    assert always.is_open(last - timedelta(days=2))
    assert always.next_open(first) == first
    with pytest.raises(CalendarNeverOpen):
        BusinessCalendar.always().add(last - timedelta(hours=1), timedelta(hours=2))
    with pytest.raises(CalendarNeverOpen):
        OFFICE.next_open(last)


# --- pauses ---------------------------------------------------------------------------------------------------


def test_an_open_pause_matters_only_when_it_is_reached() -> None:
    start = local("Fri 2026-11-20 16:00")
    pause = Period.since(local("Fri 2026-11-20 16:30"))
    assert OFFICE.add(start, 30 * MINUTE, [pause]) == local("Fri 2026-11-20 16:30")
    with pytest.raises(InvalidPeriod) as refusal:
        OFFICE.add(start, 31 * MINUTE, [pause])
    assert refusal.value.reason == "open_end"
    assert OFFICE.between(start, local("Mon 2026-11-23 10:00"), [pause]) == 30 * MINUTE


def test_pauses_that_overlap_count_once() -> None:
    start = local("Fri 2026-11-20 09:00")
    pauses = [
        Period(local("Fri 2026-11-20 10:00"), local("Fri 2026-11-20 12:00")),
        Period(local("Fri 2026-11-20 11:00"), local("Fri 2026-11-20 13:00")),
        Period.until(local("Fri 2026-11-20 09:30")),
    ]
    assert OFFICE.add(start, timedelta(hours=1), pauses) == local("Fri 2026-11-20 13:30")
    assert OFFICE.add(start, timedelta(), pauses) == start


def test_pauses_that_ended_before_the_start_change_nothing() -> None:
    start = local("Fri 2026-11-20 12:00")
    pauses = [Period.until(local("Fri 2026-11-20 10:00")), Period(local("Fri 2026-11-20 11:00"), start)]
    assert OFFICE.add(start, timedelta(hours=2), pauses) == local("Fri 2026-11-20 14:00")
    assert OFFICE.between(start, local("Fri 2026-11-20 14:00"), pauses) == timedelta(hours=2)


def test_pauses_are_of_instants() -> None:
    pauses: list[Any] = [Period.since(date(2026, 11, 20))]
    with pytest.raises(InvalidPeriod) as refusal:
        OFFICE.between(local("Fri 2026-11-20 16:00"), local("Mon 2026-11-23 10:00"), pauses)
    assert refusal.value.reason == "mixed"


# --- values ---------------------------------------------------------------------------------------------------


@given(calendars())
@settings(max_examples=80)
def test_json_and_pickle_lose_nothing(calendar: BusinessCalendar) -> None:
    assert BusinessCalendar.from_json(json.loads(json.dumps(calendar.to_json()))) == calendar
    assert pickle.loads(pickle.dumps(calendar)) == calendar
    assert hash(BusinessCalendar.from_json(calendar.to_json())) == hash(calendar)


def test_keys_of_newer_versions_are_kept() -> None:
    stored = {**OFFICE.to_json(), "name": "Office", "breaks": {"mon": [1]}}
    assert BusinessCalendar.from_json(stored).to_json() == stored


@given(day_windows())
@settings(max_examples=100)
def test_hours_are_read_as_they_are_written(windows: tuple[Hours, ...]) -> None:
    for window in windows:
        assert Hours.parse(window.text) == window
        assert Hours.parse(str(window)) == window


def test_rules_of_a_week() -> None:
    assert BusinessCalendar.of("UTC", "Mon-Fri 09:00-17:00") == BusinessCalendar.of(
        "UTC", "mon,tue 09:00-17:00", "wed-fri 09:00-17:00"
    )
    weekend = BusinessCalendar.of("UTC", "fri-mon 10:00-11:00")
    assert [len(day) for day in weekend.weekly] == [1, 0, 0, 0, 1, 1, 1]
    assert BusinessCalendar.of("UTC", "daily 22:00-00:00").weekly[0] == (Hours(1320, 1440),)
    assert len(BusinessCalendar.of("UTC", "mon 09:00-12:00,12:00-13:00").weekly[0]) == 2
    lunch = BusinessCalendar.of("UTC", "mon 09:00-12:00", "mon 13:00-17:00")
    assert lunch == BusinessCalendar.of("UTC", "mon 13:00-17:00, 09:00-12:00")


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (["mon 09:00-12:00,11:00-13:00"], "overlap"),
        (["mon 09:00-12:00", "mon-fri 11:00-13:00"], "overlap"),
        (["mon 22:00-06:00,23:00-24:00"], "overlap"),
        (["mon"], "rule"),
        ([""], "rule"),
        (["mon 09:00"], "hours"),
        (["mon 9:00-17:00"], "hours"),
        (["mon 09:00-24:30"], "hours"),
        (["mon 25:00-26:00"], "hours"),
        (["mon 09:00-09:00"], "order"),
        (["mon 00:00-00:00"], "order"),
        (["monday 09:00-17:00"], "days"),
        (["mon- 09:00-17:00"], "days"),
        (["xyz 09:00-17:00"], "days"),
    ],
)
def test_other_rules_are_refused(rules: list[str], reason: str) -> None:
    with pytest.raises(InvalidCalendar) as refusal:
        BusinessCalendar.of("UTC", *rules)
    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Mars/Olympus",
        "Europe",
        "../etc/passwd",
        "/etc/localtime",
        "localtime",
        "a\0b",
        "x" * 5000,
        "\ud800",
        None,
        5,
    ],
)
def test_unknown_zones_are_refused(zone: Any) -> None:
    with pytest.raises(InvalidCalendar) as refusal:
        BusinessCalendar.of(zone, "mon 09:00-17:00")
    assert refusal.value.reason == "zone"


@pytest.mark.parametrize(
    ("opens", "closes"),
    [(60, 60), (60, 30), (1, 1441), (-1, 60), (1440, 1500), (0, 1441), (0.5, 60), (True, 60), ("0", 60)],
)
def test_hours_that_are_none_are_refused(opens: Any, closes: Any) -> None:
    with pytest.raises(InvalidCalendar):
        Hours(opens, closes)


def test_other_calendars_are_refused() -> None:
    with pytest.raises(InvalidCalendar):
        BusinessCalendar(zone="UTC", weekly=[()] * 6)
    with pytest.raises(InvalidCalendar):
        BusinessCalendar(zone="UTC", weekly=[()] * 7, exceptions={datetime(2026, 1, 1, tzinfo=UTC): ()})
    with pytest.raises(InvalidCalendar):
        BusinessCalendar.of("UTC", closed=[date(2026, 1, 1)], special={date(2026, 1, 1): "09:00-10:00"})
    with pytest.raises(InvalidCalendar):
        OFFICE.add(local("Fri 2026-11-20 16:00"), -MINUTE)
    with pytest.raises(NaiveDatetime):
        OFFICE.add(datetime(2026, 11, 20, 16), MINUTE)


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"zone": "UTC", "weekly": [], "exceptions": {}},
        {"zone": "UTC", "weekly": {"monday": []}, "exceptions": {}},
        {"zone": "UTC", "weekly": {"mon": "09:00-17:00"}, "exceptions": {}},
        {"zone": "UTC", "weekly": {"mon": [5]}, "exceptions": {}},
        {"zone": "UTC", "weekly": {}, "exceptions": {"2026-02-30": []}},
        {"zone": "UTC", "weekly": {}, "exceptions": {"20260101": []}},
        {"zone": "UTC", "weekly": {}, "exceptions": {"2026-01-01": None}},
        {"zone": 5, "weekly": {}, "exceptions": {}},
    ],
)
def test_other_documents_are_refused(document: Any) -> None:
    with pytest.raises(InvalidCalendar):
        BusinessCalendar.from_json(document)
