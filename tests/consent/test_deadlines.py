"""By when a request must be answered, against a calendar that walks day by day."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore import Crm, Person
from crmcore.consent.counting import Span
from crmcore.consent.deadline import (
    Stop,
    confirm_by,
    deadline_for,
    end_of,
    last_day_of,
    read_deadlines,
    shipped_deadlines,
)
from crmcore.consent.rights_words import Right
from crmcore.errors import InvalidPack, InvalidRightsRequest

BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)
GDPR, UK = deadline_for("gdpr", "access"), deadline_for("uk_gdpr", "access")
MOMENTS = st.datetimes(datetime(2023, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))


def same_number(day: date, months: int) -> date:
    """The model's months: one at a time, in a calendar that knows how long each of them is."""
    year, month = day.year, day.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def walked(received: datetime, nights: int, stops: list[Stop], holidays: set[date], *, rolls: bool) -> date:
    """The first day, working if it must be, at whose end the clock runs and has run at so many ends of days before."""
    day = received.astimezone(BERLIN).date()
    left = nights
    while True:
        midnight = datetime.combine(day + DAY, time(), tzinfo=BERLIN)
        runs = not any(stop.start < midnight and midnight <= (stop.end or midnight) for stop in stops)
        if runs and left <= 0 and (not rolls or (day.weekday() < 5 and day not in holidays)):
            return day
        left -= runs
        day += DAY


@given(
    MOMENTS,
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 500)), max_size=4),
    st.data(),
)
def test_a_deadline_is_what_a_walk_from_day_to_day_finds(
    received: datetime, extended: bool, gaps: list[tuple[int, int]], data: st.DataObject
) -> None:
    stops: list[Stop] = []
    at = received
    for days, hours in gaps:
        start = at + days * DAY + timedelta(hours=data.draw(st.integers(1, 23)))
        due = last_day_of(GDPR, received, zone="Europe/Berlin", stops=stops, extended=extended)
        if due is None or start >= end_of(due, "Europe/Berlin"):
            break
        at = start + timedelta(hours=hours)
        stops.append(Stop(start=start, end=at))
    holidays = data.draw(st.sets(st.integers(1, 200).map(lambda n: received.date() + n * DAY), max_size=20))
    first = received.astimezone(BERLIN).date()
    nights = (same_number(first, 3 if extended else 1) - first).days
    found = last_day_of(
        GDPR, received, zone="Europe/Berlin", stops=stops, extended=extended, holidays=holidays
    )
    assert found == walked(received, nights, stops, holidays, rolls=True)


@given(MOMENTS, st.integers(1, 60), st.sets(st.integers(1, 90), max_size=20))
def test_business_days_are_counted_one_by_one(received: datetime, number: int, off: set[int]) -> None:
    start = received.astimezone(BERLIN).date()
    holidays = {start + n * DAY for n in off}
    rule = attrs.evolve(deadline_for("ccpa", "limit"), period=Span(days=number))
    working = (day for n in range(1, 400) if (day := start + n * DAY).weekday() < 5 and day not in holidays)
    last = [next(working) for _ in range(number)][-1]
    assert last_day_of(rule, received, zone="Europe/Berlin", holidays=holidays) == last


@pytest.mark.parametrize(
    ("law", "right", "received", "due"),
    [
        ("gdpr", "access", "2026-01-31T09:00+01:00", "2026-03-02"),  # 28 February is a Saturday
        ("gdpr", "access", "2024-01-31T09:00+01:00", "2024-02-29"),
        (
            "gdpr",
            "erasure",
            "2026-03-05T23:59+01:00",
            "2026-04-07",
        ),  # 5 April is Easter Sunday, the 6th a holiday
        ("gdpr", "access", "2026-08-31T00:00+02:00", "2026-09-30"),
        ("ccpa", "access", "2026-01-02T12:00-08:00", "2026-02-16"),
        ("ccpa", "opt_out_of_sale", "2026-06-01T12:00-07:00", "2026-06-22"),
        ("lgpd", "access", "2026-02-20T12:00-03:00", "2026-03-07"),
        ("pipeda", "access", "2026-01-30T12:00-05:00", "2026-03-01"),
        ("dsg_ch", "access", "2026-01-30T12:00+01:00", "2026-03-01"),
        ("dsg_ch", "portability", "2026-01-30T12:00+01:00", "2026-03-01"),
        ("privacy_act_nz", "access", "2026-03-16T12:00+13:00", "2026-04-15"),  # two days of Easter among them
        ("privacy_act_nz", "rectification", "2026-05-01T12:00+12:00", "2026-05-29"),
        ("pipa_kr", "access", "2026-05-01T12:00+09:00", "2026-05-11"),
        ("pipa_kr", "restriction", "2026-05-01T12:00+09:00", "2026-05-11"),
    ],
)
def test_dates_that_can_be_counted_on_fingers(law: str, right: str, received: str, due: str) -> None:
    zones = {
        "gdpr": "Europe/Berlin",
        "ccpa": "America/Los_Angeles",
        "lgpd": "America/Sao_Paulo",
        "dsg_ch": "Europe/Zurich",
        "privacy_act_nz": "Pacific/Auckland",
        "pipa_kr": "Asia/Seoul",
    }
    rule, easter = deadline_for(law, right), {date(2026, 4, 3), date(2026, 4, 6)}
    at = datetime.fromisoformat(received)
    found = last_day_of(rule, at, zone=zones.get(law, "America/Toronto"), holidays=easter)
    assert found == date.fromisoformat(due)


def test_the_day_of_receipt_is_that_of_the_zone() -> None:
    late = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # 1 April in Berlin already
    assert last_day_of(GDPR, late, zone="Europe/Berlin") == date(2026, 5, 1)
    assert last_day_of(GDPR, late, zone="Europe/London") == date(2026, 4, 30)


def test_an_extension_is_three_months_from_receipt_in_all() -> None:
    at = datetime(2026, 1, 30, 9, tzinfo=UTC)
    assert last_day_of(GDPR, at, zone="Europe/Berlin", extended=True) == date(2026, 4, 30)


def test_a_clock_that_stands_still_has_no_deadline() -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert last_day_of(UK, at, zone="Europe/London", stops=[Stop(start=at)]) is None
    over = Stop(start=at + 60 * DAY)
    assert last_day_of(UK, at, zone="Europe/London", stops=[over]) == date(2026, 4, 2)


def test_receipt_is_confirmed_in_california_within_ten_business_days() -> None:
    at = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert confirm_by(deadline_for("ccpa", "access"), at, zone="America/Los_Angeles") == date(2026, 6, 15)
    assert confirm_by(GDPR, at, zone="Europe/Berlin") is None


def test_no_zone_is_guessed_and_no_right_made_up() -> None:
    with pytest.raises(InvalidRightsRequest, match="IANA"):
        last_day_of(GDPR, datetime(2026, 6, 1, tzinfo=UTC), zone="Europe/Nowhere")
    with pytest.raises(InvalidRightsRequest, match="no such right"):
        deadline_for("gdpr", "opt_out_of_sale")
    with pytest.raises(InvalidRightsRequest, match="knows no such right, or none with a time that is known"):
        deadline_for("dsg_ch", "opt_out_of_sale")


GOOD = 'id="x"\nlaw="gdpr"\nrights=["access"]\nperiod="P1M"\ncounting="month"\ntext="t"\ncite="c"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[deadline]]\n" + GOOD + 'perod="P2M"', "unknown key perod"),
        ("[[deadline]]\n" + GOOD.replace('cite="c"', ""), "cite is missing"),
        ("[[deadline]]\n" + GOOD.replace('"month"', '"moons"'), "unknown word"),
        ("[[deadline]]\n" + GOOD.replace('"access"', '"acess"'), "acess"),
        ("[[deadline]]\n" + GOOD.replace("P1M", "one month"), "a period"),
        ("[[deadline]]\n" + GOOD + "[[deadline]]\n" + GOOD, "two deadlines"),
        (
            "[[deadline]]\n" + GOOD.replace('"month"', '"business_days"') + 'pauses=["identity"]',
            "no pauses",
        ),
        ("[[deadline]]\n" + GOOD.replace('period="P1M"', ""), "period is missing"),
        ("[[deadline]]\n" + GOOD.replace("P1M", "none"), "counting counts nothing"),
        (
            "[[deadline]]\n" + GOOD.replace("P1M", "none").replace('counting="month"', "rolls=true"),
            "rolls counts",
        ),
        ("[[deadline", "no TOML"),
    ],
)
def test_a_table_with_a_slip_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(InvalidPack, match=said):
        read_deadlines(text)


def test_every_shipped_deadline_is_cited() -> None:
    assert len(shipped_deadlines()) >= 9
    assert all(rule.cite and rule.text for rule in shipped_deadlines())


@pytest.mark.parametrize("right", ["erasure", "objection", "automated_decision_review"])
def test_a_right_that_a_law_knows_without_naming_days_can_be_asked_for_and_has_no_last_day(
    right: Right,
) -> None:
    rule = deadline_for("dsg_ch", right)
    at = datetime(2026, 1, 30, 12, tzinfo=UTC)
    stop = Stop(start=at, end=at + DAY)
    for extended in (True, False):
        assert last_day_of(rule, at, zone="Europe/Zurich", stops=[stop], extended=extended) is None
    crm = Crm.open(clock=lambda: at)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    request = crm.requests.receive(
        ann.id, right=right, law="dsg_ch", channel="email", zone="Europe/Zurich", received_at=at
    )
    due = crm.requests.due(request.id)
    assert (due.day, due.at, due.overdue(at + 999 * DAY)) == (None, None, False)
    with pytest.raises(InvalidRightsRequest, match="no extension"):
        crm.requests.extend(request.id, reason="many")


def test_a_law_without_a_time_is_told_from_a_right_that_a_law_does_not_know() -> None:
    with pytest.raises(InvalidRightsRequest, match="no time is known for this law: known are ccpa, "):
        deadline_for("appi_jp", "access")
    with pytest.raises(InvalidRightsRequest, match="knows no such right"):
        deadline_for("pipa_kr", "opt_out_of_sale")
