"""Laws of periods."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidPeriod, InvalidValue, NaiveDatetime
from crmcore.values.period import Period
from tests.values.strategies import HOSTILE
from tests.values.strategies_time import date_periods, instant_periods

# All days that the strategy's periods may begin or end on, and some beyond them.
DAYS = [date(2020, 1, 30) + timedelta(step) for step in range(50)]
NOON = datetime(2020, 2, 3, 12, tzinfo=UTC)


def days(period: Period[date] | None) -> set[date]:
    """The oracle: a period as the plain set of its days."""
    if period is None:
        return set()
    low, high = period.start or date.min, period.end or date.max
    return {day for day in DAYS if low <= day < high}


@given(date_periods())
@settings(max_examples=150)
def test_a_period_contains_its_days_and_no_other(period: Period[date]) -> None:
    assert {day for day in DAYS if period.contains(day)} == days(period)


@given(date_periods(), date_periods())
@settings(max_examples=200)
def test_overlap_and_common_part_are_those_of_sets(one: Period[date], two: Period[date]) -> None:
    assert one.overlaps(two) == bool(days(one) & days(two))
    assert days(one.clip(two)) == days(one) & days(two)
    assert one.clip(two) == two.clip(one)
    assert (one.clip(two) is None) == (not one.overlaps(two))


@given(date_periods(), st.lists(date_periods(), max_size=4))
@settings(max_examples=200)
def test_gaps_are_what_is_left(period: Period[date], others: list[Period[date]]) -> None:
    gaps = period.gaps(others)
    covered = set().union(*(days(other) for other in others))
    assert set().union(*(days(gap) for gap in gaps)) == days(period) - covered
    for one, two in pairwise(gaps):
        assert one.end is not None
        assert two.start is not None
        assert one.end < two.start, "gaps are in order and do not touch"
    assert period.gaps([*others, *gaps]) == ()


@given(date_periods() | instant_periods())
@settings(max_examples=200)
def test_text_json_and_pickle_lose_nothing(period: Period[Any]) -> None:
    assert Period.parse(period.text) == period
    assert str(period) == period.text
    assert Period.from_json(json.loads(json.dumps(period.to_json()))) == period
    assert pickle.loads(pickle.dumps(period)) == period
    assert copy.deepcopy(period) == period
    assert hash(Period.parse(period.text)) == hash(period)


def test_keys_of_newer_versions_are_kept() -> None:
    stored = {"start": "2020-01-01", "end": None, "zone": "Europe/Berlin", "more": [{"a": 1}]}
    assert Period.from_json(stored).to_json() == stored


def test_a_period_ends_where_the_next_begins() -> None:
    spring, summer = Period.parse("2020-03-01/2020-06-01"), Period.parse("2020-06-01/2020-09-01")
    assert not spring.overlaps(summer)
    assert spring.clip(summer) is None
    assert Period.parse("2020-03-01/2020-09-01").gaps([summer, spring]) == ()


def test_open_ends_contain_everything_on_their_side() -> None:
    assert Period.since(date(2020, 1, 1)).contains(date.max)
    assert Period.until(date(2020, 1, 1)).contains(date.min)
    assert Period.always().contains(date.max)
    assert Period.always().contains(NOON)
    assert Period.always().gaps([]) == (Period.always(),)
    assert Period.always().gaps([Period.always()]) == ()
    assert Period.always().gaps([Period.since(NOON)]) == (Period.until(NOON),)


def test_instants_are_kept_in_utc() -> None:
    period = Period.since(datetime.fromisoformat("2020-02-03T13:00:00+01:00"))
    assert period == Period.since(NOON)
    assert period.text == "2020-02-03T12:00:00.000000Z/.."
    assert period.contains(datetime.fromisoformat("2020-02-03T13:00:00+01:00"))


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (date(2020, 1, 2), date(2020, 1, 1), "order"),
        (date(2020, 1, 1), date(2020, 1, 1), "order"),
        (NOON, NOON, "order"),
        (date(2020, 1, 1), NOON, "mixed"),
        (NOON, date(2021, 1, 1), "mixed"),
        ("2020-01-01", None, "type"),
        (None, 5, "type"),
    ],
)
def test_what_is_no_period_is_refused(start: Any, end: Any, reason: str) -> None:
    with pytest.raises(InvalidPeriod) as refusal:
        Period(start, end)
    assert refusal.value.reason == reason


def test_naive_ends_are_refused() -> None:
    with pytest.raises(NaiveDatetime):
        Period.since(datetime(2020, 1, 1))
    with pytest.raises(NaiveDatetime):
        Period.since(NOON).contains(datetime(2020, 1, 1))


def test_dates_and_instants_do_not_mix() -> None:
    employment: Period[Any] = Period.since(date(2020, 1, 1))
    call: Period[Any] = Period.since(NOON)
    for mixed in (
        lambda: employment.contains(NOON),
        lambda: call.contains(date(2020, 1, 1)),
        lambda: employment.overlaps(call),
        lambda: call.clip(employment),
        lambda: call.gaps([employment]),
    ):
        with pytest.raises(InvalidPeriod) as refusal:
            mixed()
        assert refusal.value.reason == "mixed"
    with pytest.raises(InvalidPeriod):
        employment.contains(None)


class Birthday(date):
    """A date as some libraries subclass it."""


def test_subclasses_of_date_become_plain_dates() -> None:
    assert type(Period.since(Birthday(2020, 1, 1)).start) is date


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE,
        "2020-01-01",
        "/",
        "2020-01-01/",
        "../",
        "2020-01-01/../..",
        "2020-02-30/..",
        "20200101/..",
        "2020-W01-1/..",
        "2020-01-01/2020-01-01T00:00:00Z",
        "2020-01-01T00:00:00/..",
        "2020-1-1/..",
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        Period.parse(text)


@pytest.mark.parametrize(
    "document", [None, [], "2020-01-01/..", {"start": 5}, {"start": "x"}, {"end": ["2020-01-01"]}]
)
def test_other_documents_are_refused(document: Any) -> None:
    with pytest.raises(InvalidValue):
        Period.from_json(document)


@given(st.text(max_size=60))
@settings(max_examples=100)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        period = Period.parse(text)
    except InvalidValue:
        return
    assert Period.parse(period.text) == period
