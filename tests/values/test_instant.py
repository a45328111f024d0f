"""Laws of instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidDate, InvalidValue, NaiveDatetime
from crmcore.values.instant import ensure_aware, from_micros, from_sort, from_text, micros, to_sort, to_text
from tests.values.strategies import HOSTILE
from tests.values.strategies_time import FIRST, LAST, aware_datetimes, instants


@given(aware_datetimes())
@settings(max_examples=150)
def test_an_instant_in_utc_is_the_same_moment(moment: datetime) -> None:
    utc = ensure_aware(moment)
    # Datetimes of different zones compare unequal in a repeated hour, so the oracle subtracts the offset by hand.
    offset = moment.utcoffset()
    assert offset is not None
    assert utc.replace(tzinfo=None) == moment.replace(tzinfo=None, fold=0) - offset
    assert utc.tzinfo is UTC
    assert utc.fold == 0
    assert ensure_aware(utc) is utc


@given(instants())
@example(FIRST)
@example(LAST)
@settings(max_examples=200)
def test_text_and_bytes_lose_nothing(moment: datetime) -> None:
    assert from_text(to_text(moment)) == moment
    assert from_sort(to_sort(moment)) == moment
    assert from_micros(micros(moment)) == moment
    assert len(to_sort(moment)) == 8
    assert len(to_text(moment)) == 27


@given(instants(), instants())
@settings(max_examples=200)
def test_text_and_bytes_sort_as_time_does(one: datetime, two: datetime) -> None:
    assert (to_sort(one) < to_sort(two)) == (one < two)
    assert (to_text(one) < to_text(two)) == (one < two)


@given(instants())
@settings(max_examples=100)
def test_micros_count_days_and_seconds(moment: datetime) -> None:
    clock = (moment.hour * 3600 + moment.minute * 60 + moment.second) * 1_000_000 + moment.microsecond
    assert micros(moment) == (moment.toordinal() - 1) * 86_400_000_000 + clock


def test_the_ends_of_the_calendar_have_an_order_key() -> None:
    assert to_sort(FIRST) == bytes(8)
    assert to_text(FIRST) == "0001-01-01T00:00:00.000000Z"
    assert from_text("9999-12-31T23:59:59.999999Z") == LAST


@pytest.mark.parametrize(
    "moment",
    [
        datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
    ],
)
def test_a_moment_that_utc_cannot_hold_is_refused(moment: datetime) -> None:
    with pytest.raises(InvalidDate) as refusal:
        ensure_aware(moment, "the meeting")
    assert refusal.value.reason == "range"
    assert "the meeting" in str(refusal.value)


class Vague(tzinfo):
    """A zone that does not know its offset."""

    def utcoffset(self, moment: datetime | None) -> None:
        return None

    dst = tzname = utcoffset


@pytest.mark.parametrize(
    "moment", [datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=Vague()), date(2026, 1, 1), None, 7]
)
def test_what_is_no_instant_is_refused_by_name(moment: object) -> None:
    with pytest.raises(NaiveDatetime, match=r"^the start of a call "):
        ensure_aware(moment, "the start of a call")  # type: ignore[arg-type] # the point of the test


class Finer(datetime):
    """A datetime as data frames have them, with more in it than is stored."""

    nanosecond = 7


def test_a_subclass_becomes_a_plain_datetime() -> None:
    moment = Finer(2026, 11, 22, 9, tzinfo=UTC)
    assert type(ensure_aware(moment)) is datetime
    assert ensure_aware(moment) == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert ensure_aware(datetime(2026, 1, 1, tzinfo=UTC, fold=1)).fold == 0


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-22T10:30:00+01:00", "2026-11-22T09:30:00.000000Z"),
        ("2026-11-22T09:30:00Z", "2026-11-22T09:30:00.000000Z"),
        ("2026-11-22T09:30:00.5Z", "2026-11-22T09:30:00.500000Z"),
        ("2026-11-22T09:30:00.000001Z", "2026-11-22T09:30:00.000001Z"),
        ("2026-11-22T00:00:00-23:59", "2026-11-22T23:59:00.000000Z"),
    ],
)
def test_other_offsets_and_fewer_decimals_are_read(text: str, utc: str) -> None:
    assert to_text(from_text(text)) == utc


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE,
        "2026-11-22",
        "2026-11-22 09:30:00Z",
        "2026-11-22T09:30Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T23:59:60Z",
        "2026-02-29T00:00:00Z",
        "2026-11-22T09:30:00.1234567Z",
        "2026-11-22T09:30:00.Z",
        "2026-11-22T09:30:00,5Z",
        "2026-11-22t09:30:00z",
        "20261122T093000Z",
        "2026-W47-7T09:30:00Z",
        "2026-11-22T09:30:00+0100",
        "2026-11-22T09:30:00+24:00",
        "2026-11-22T09:30:00+05:60",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "９９９９-12-31T00:00:00Z",
        " 2026-11-22T09:30:00Z",
        "2026-11-22T09:30:00Z\n",
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InvalidDate):
        from_text(text)


def test_a_text_without_offset_is_naive() -> None:
    with pytest.raises(NaiveDatetime):
        from_text("2026-11-22T09:30:00")


@pytest.mark.parametrize("value", [None, 5, b"2026-11-22T09:30:00Z"])
def test_only_text_is_read(value: object) -> None:
    with pytest.raises(InvalidDate):
        from_text(value)  # type: ignore[arg-type] # the point of the test


@pytest.mark.parametrize("key", [b"", bytes(7), bytes(9), b"\xff" * 8, "\0" * 8])
def test_other_keys_are_refused(key: object) -> None:
    with pytest.raises(InvalidDate):
        from_sort(key)  # type: ignore[arg-type] # the point of the test


@given(st.text(max_size=40))
@settings(max_examples=100)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        moment = from_text(text)
    except InvalidValue:
        return
    assert moment.tzinfo is UTC
