"""Laws of partial dates."""

from __future__ import annotations

import json
import pickle
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidDate
from crmcore.values.partial_date import Leap, PartialDate
from tests.values.strategies import HOSTILE
from tests.values.strategies_time import partial_dates

# Years around one that looks like a leap year and is none.
YEARS = (1898, 1905)
DATES = [
    date.fromordinal(number)
    for number in range(date(1898, 1, 1).toordinal(), date(1905, 12, 31).toordinal() + 1)
]


def possible(known: PartialDate) -> set[date]:
    """The oracle: all dates of those years whose ISO text agrees with what is known."""
    head, _, tail = known.text.partition("--")
    if head:  # a year comes first
        return {day for day in DATES if day.isoformat().startswith(head)}
    if tail.startswith("-"):
        return {day for day in DATES if day.isoformat().endswith(tail)}
    return {day for day in DATES if day.isoformat()[5:].startswith(tail)}


@given(partial_dates())
@settings(max_examples=200)
def test_text_json_and_pickle_lose_nothing(known: PartialDate) -> None:
    assert PartialDate.parse(known.text) == known
    assert PartialDate.from_json(json.loads(json.dumps(known.to_json()))) == known
    assert pickle.loads(pickle.dumps(known)) == known
    assert hash(PartialDate.parse(known.text)) == hash(known)


@pytest.mark.parametrize(
    ("text", "parts", "canonical"),
    [
        ("1985", (1985, None, None), "1985"),
        ("1985-04", (1985, 4, None), "1985-04"),
        ("1985-04-12", (1985, 4, 12), "1985-04-12"),
        ("19850412", (1985, 4, 12), "1985-04-12"),
        ("--04-12", (None, 4, 12), "--04-12"),
        ("--0412", (None, 4, 12), "--04-12"),
        ("--04", (None, 4, None), "--04"),
        ("---12", (None, None, 12), "---12"),
        ("--02-29", (None, 2, 29), "--02-29"),
        ("2000-02-29", (2000, 2, 29), "2000-02-29"),
        ("0001", (1, None, None), "0001"),
        ("1604-04-12", (1604, 4, 12), "1604-04-12"),
        (" 1985-04-12\n", (1985, 4, 12), "1985-04-12"),
    ],
)
def test_iso_and_vcard_forms(text: str, parts: tuple[int | None, ...], canonical: str) -> None:
    known = PartialDate.parse(text)
    assert (known.year, known.month, known.day) == parts
    assert known.text == canonical


@pytest.mark.parametrize(
    ("text", "order", "canonical"),
    [
        ("04/12/1985", "mdy", "1985-04-12"),
        ("04/12/1985", "dmy", "1985-12-04"),
        ("12.4.1985", "dmy", "1985-04-12"),
        ("12. 4. 1985", "dmy", "1985-04-12"),
        ("4-12-1985", "mdy", "1985-04-12"),
        ("13/04/1985", None, "1985-04-13"),
        ("04/13/1985", None, "1985-04-13"),
        ("04/04/1985", None, "1985-04-04"),
        ("1985/4/12", None, "1985-04-12"),
        ("1985.04.12", "ymd", "1985-04-12"),
        ("1985/4/12", "dmy", "1985-04-12"),
        ("1985-04-12", "mdy", "1985-04-12"),
        ("4/1985", None, "1985-04"),
        ("1985/04", None, "1985-04"),
        ("31 Jan 2013", None, "2013-01-31"),
        ("31-JAN-2013", None, "2013-01-31"),
        ("January 31st, 2013", None, "2013-01-31"),
        ("Sept. 1, 2013", None, "2013-09-01"),
        ("2nd of May 2013", None, None),
        ("2013 March 2", None, "2013-03-02"),
        ("March 2013", None, "2013-03"),
        ("29 February", None, "--02-29"),
        ("Feb 29, 2013", None, None),
    ],
)
def test_how_people_write_dates(
    text: str, order: Literal["mdy", "dmy", "ymd"] | None, canonical: str | None
) -> None:
    if canonical is None:
        with pytest.raises(InvalidDate):
            PartialDate.parse(text, order=order)
    else:
        assert PartialDate.parse(text, order=order).text == canonical


@given(st.dates(), st.sampled_from("/.-"), st.booleans())
@settings(max_examples=200)
def test_the_order_is_told_or_shown_and_never_guessed(day: date, mark: str, padded: bool) -> None:
    form = "{:02d}" if padded else "{:d}"
    d, m, y = form.format(day.day), form.format(day.month), f"{day.year:04d}"
    dmy, mdy = mark.join((d, m, y)), mark.join((m, d, y))
    whole = PartialDate.of(day)
    assert PartialDate.parse(dmy, order="dmy") == PartialDate.parse(mdy, order="mdy") == whole
    for text in (dmy, mdy):
        if day.day > 12 or day.day == day.month:
            assert PartialDate.parse(text) == whole
        else:
            with pytest.raises(InvalidDate) as refusal:
                PartialDate.parse(text)
            assert refusal.value.reason == "order"
    if day.day > 12:
        for text, order in ((dmy, "mdy"), (mdy, "dmy"), (dmy, "ymd")):
            with pytest.raises(InvalidDate) as refusal:
                PartialDate.parse(text, order=order)  # type: ignore[arg-type] # mypy widens the literal
            assert refusal.value.reason == "order"


@given(st.dates(), st.sampled_from(["%d %b %Y", "%d %B %Y", "%b %d, %Y", "%d-%b-%Y", "%Y %b %d", "%B %d %Y"]))
@settings(max_examples=150)
def test_named_months_need_no_order(day: date, form: str) -> None:
    # Years before 1000 are not padded by every C library.
    text = day.strftime(form.replace("%Y", f"{day.year:04d}"))
    for written in (text, text.upper(), text.lower()):
        assert PartialDate.parse(written).exact == day


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("1985-02-29", "range"),
        ("1900-02-29", "range"),
        ("19850231", "range"),
        ("--02-30", "range"),
        ("--13", "range"),
        ("---32", "range"),
        ("---00", "range"),
        ("0000", "range"),
        ("0000-04-12", "range"),
        ("1985-00", "range"),
        ("31 Feb 2013", "range"),
        ("31/02/2013", "range"),
        ("13/13/2013", "range"),
        ("04/12/1985", "order"),
        ("04/12/85", "century"),
        ("1/2/3", "century"),
        ("31 Jan 13", "century"),
        ("1985-04-12T00:00:00", "time"),
        ("1985-04-12 00:00", "time"),
        ("4/12/1985 12:30:00 AM", "time"),
        ("19531015T231000Z", "time"),
        ("198504", "malformed"),
        ("85", "malformed"),
        ("-04-12", "malformed"),
        ("1985-4", "malformed"),
        ("1985--12", "malformed"),
        ("1985-04-12-", "malformed"),
        ("--4-12", "malformed"),
        ("04/12-1985", "malformed"),
        ("+1985", "malformed"),
        ("１９８５", "malformed"),
        ("1985-W15", "malformed"),
        ("1985-102-1", "malformed"),
        ("Jan", "malformed"),
        ("Jan Feb 2013", "malformed"),
        ("31 Janvier 2013", "malformed"),
        ("Jan 2013 2014", "malformed"),
        ("Jan 123", "malformed"),
        ("12345", "malformed"),
        ("31013.0", "malformed"),
        ("unknown", "malformed"),
    ],
)
def test_refusals_have_a_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidDate) as refusal:
        PartialDate.parse(text)
    assert refusal.value.reason == reason


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_refused_quickly(text: str) -> None:
    start = time.process_time()
    with pytest.raises(InvalidDate):
        PartialDate.parse(text)
    assert time.process_time() - start < 0.5


@given(st.text(max_size=40) | st.text("0123456789-/. JanFebT:,", max_size=24))
@settings(max_examples=200)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        known = PartialDate.parse(text)
    except InvalidDate as refusal:
        hanging = refusal.__context__
    else:
        hanging = None
        assert PartialDate.parse(known.text) == known
    assert hanging is None, "nothing that quotes the text hangs on the error"


@given(partial_dates(*YEARS), st.sampled_from(DATES))
@settings(max_examples=150)
def test_a_date_is_contained_when_its_text_agrees(known: PartialDate, day: date) -> None:
    assert known.contains(day) == (day in possible(known))
    assert PartialDate.of(day).exact == day
    assert PartialDate.of(day).contains(day)


@given(partial_dates(*YEARS), partial_dates(*YEARS))
@example(PartialDate(1900), PartialDate(None, 2, 29))
@example(PartialDate(None, 4), PartialDate(None, None, 31))
@example(PartialDate(1901), PartialDate(None, None, 31))
@example(PartialDate(None, 2), PartialDate(None, None, 29))
@settings(max_examples=150)
def test_two_are_compatible_when_one_date_fits_both(one: PartialDate, two: PartialDate) -> None:
    assert one.compatible(two) == bool(possible(one) & possible(two))
    assert one.compatible(two) == two.compatible(one)
    assert one.compatible(one)


@given(partial_dates(*YEARS))
@settings(max_examples=100)
def test_earliest_and_latest_are_the_ends_of_what_is_possible(known: PartialDate) -> None:
    if known.year is None:
        assert known.earliest() is None
        assert known.latest() is None
    else:
        assert known.earliest() == min(possible(known))
        assert known.latest() == max(possible(known))
    assert (known.exact is not None) == (known.earliest() is not None and known.earliest() == known.latest())


def birthdays(born: date, on: date, leap: Literal["feb28", "mar1"]) -> int:
    """The oracle of ages: the birthdays from the first to *on*, those of 29 February kept on a day that there is."""
    count = 0
    for year in range(born.year + 1, on.year + 1):
        try:
            birthday = born.replace(year=year)
        except ValueError:
            birthday = date(year, 3, 1) if leap == "mar1" else date(year, 2, 28)
        count += birthday <= on
    return count


@given(
    partial_dates(*YEARS) | st.just(PartialDate(1904, 2, 29)),
    st.dates(date(1898, 1, 1), date(1990, 12, 31))
    | st.builds(date, st.integers(1905, 1960), st.just(2), st.just(28)),
    st.sampled_from(("feb28", "mar1")),
)
@settings(max_examples=150)
def test_the_age_range_is_that_of_all_possible_births(
    known: PartialDate, on: date, leap: Literal["feb28", "mar1"]
) -> None:
    ages = {birthdays(born, on, leap) for born in possible(known) if born <= on}
    if known.year is None or not ages:
        assert known.age_range(on, leap) is None
    else:
        assert known.age_range(on, leap) == (min(ages), max(ages))


@pytest.mark.parametrize(
    ("text", "ages"),
    [
        ("1985", (40, 41)),
        ("1985-04", (41, 41)),
        ("--04", None),
        ("--04-12", None),
        ("2026", (0, 0)),
        ("2027", None),
    ],
)
def test_golden_ages(text: str, ages: tuple[int, int] | None) -> None:
    assert PartialDate.parse(text).age_range(date(2026, 11, 22)) == ages


@pytest.mark.parametrize(
    ("leap", "expected"),
    [("feb28", date(2027, 2, 28)), ("mar1", date(2027, 3, 1)), ("leap_year", date(2028, 2, 29))],
)
def test_golden_anniversaries_of_a_leap_day(leap: Leap, expected: date) -> None:
    assert PartialDate.parse("--02-29").next_anniversary(date(2026, 3, 1), leap=leap) == expected


def kept(known: PartialDate, day: date, leap: Leap) -> bool:
    """The oracle of anniversaries, a day at a time."""
    text = f"{known.month:02d}-{known.day:02d}"
    if known.year is not None and day.year <= known.year:
        return False
    if text != "02-29" or (day.year % 4 == 0 and day.year not in (1900, 2100)):
        return day.isoformat()[5:] == text
    return leap != "leap_year" and day.isoformat()[5:] == {"feb28": "02-28", "mar1": "03-01"}[leap]


@given(
    partial_dates(1890, 1910) | st.sampled_from([PartialDate(None, 2, 29), PartialDate(1896, 2, 29)]),
    st.dates(date(1890, 1, 1), date(1910, 12, 31)),
    st.sampled_from(["feb28", "mar1", "leap_year"]),
)
@settings(max_examples=60)
def test_the_next_anniversary_is_the_first_later_day_that_is_one(
    known: PartialDate, after: date, leap: Leap
) -> None:
    found = known.next_anniversary(after, leap=leap)
    if known.month is None or known.day is None:
        assert found is None
        return
    day = after + timedelta(1)
    while not kept(known, day, leap):
        day += timedelta(1)
    assert found == day


def test_there_is_no_anniversary_after_the_end_of_the_calendar() -> None:
    assert PartialDate(None, 4, 12).next_anniversary(date(9999, 4, 12)) is None
    assert PartialDate(9999, 4, 12).next_anniversary(date(2026, 1, 1)) is None
    assert PartialDate(None, 4, 12).next_anniversary(date(9999, 4, 11)) == date(9999, 4, 12)
    assert PartialDate(None, 2, 29).next_anniversary(date(1896, 2, 29), leap="leap_year") == date(1904, 2, 29)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ((None, None, None), "empty"),
        ((1985, None, 12), "gap"),
        ((1985, 2, 29), "range"),
        ((None, 4, 31), "range"),
        ((0, 1, 1), "range"),
        ((10000, 1, 1), "range"),
        ((1985, 13, 1), "range"),
        (("1985", 1, 1), "type"),
        ((True, 1, 1), "type"),
        ((1985.0, 1, 1), "type"),
    ],
)
def test_parts_that_are_no_date_are_refused(parts: tuple[Any, ...], reason: str) -> None:
    with pytest.raises(InvalidDate) as refusal:
        PartialDate(*parts)
    assert refusal.value.reason == reason


@pytest.mark.parametrize("text", ["19850412", "--0412", " 1985", "31 Jan 2013", "1985/04/12"])
def test_only_canonical_texts_are_stored(text: str) -> None:
    with pytest.raises(InvalidDate):
        PartialDate.from_json(text)


def test_wrong_kinds_are_refused() -> None:
    with pytest.raises(InvalidDate):
        PartialDate.of(datetime(1985, 4, 12, tzinfo=UTC))
    with pytest.raises(InvalidDate):
        PartialDate.parse(19850412)  # type: ignore[arg-type] # the point of the test
    with pytest.raises(InvalidDate):
        PartialDate.parse("1985", order="ydm")  # type: ignore[arg-type] # the point of the test
    with pytest.raises(InvalidDate):
        PartialDate(None, 4, 12).next_anniversary(date(2026, 1, 1), leap="never")  # type: ignore[arg-type] # likewise


@given(partial_dates())
@settings(max_examples=100)
def test_repr_and_str_hide_the_date(known: PartialDate) -> None:
    shown = ", ".join(
        f"{name}={'None' if getattr(known, name) is None else '<hidden>'}"
        for name in ("year", "month", "day")
    )
    assert repr(known) == str(known) == f"{known:}" == f"PartialDate({shown})"
