"""A chart draws every value in its place, and says it in words too."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.render import Dot, bars, timeline
from tests.render.test_html import Seen

dots = st.builds(
    Dot,
    at=st.dates() | st.datetimes(timezones=st.just(UTC)),
    series=st.sampled_from("abcde"),
    label=st.sampled_from(["x", "y", ""]),
)


def drawn(markup: str, element: str) -> list[dict[str, str | None]]:
    return [attributes for name, attributes in Seen(markup).elements if name == element]


def places(markup: str, element: str, attribute: str) -> list[float]:
    return [float((attributes[attribute] or "").rstrip("%")) for attributes in drawn(markup, element)]


@given(st.lists(dots, min_size=1, max_size=40))
def test_everything_is_drawn_inside_and_counted(events: list[Dot]) -> None:
    made = timeline(events, title="Contacts")
    assert all(0 <= place <= 100 for place in places(made, "circle", "cx") + places(made, "line", "x1"))
    height = float(drawn(made, "svg")[0]["height"] or 0)
    assert all(0 < y < height for y in places(made, "circle", "cy"))
    assert f"Contacts: {len(events)} from " in made
    lanes = re.findall(r'class="lane">\w \((\d+)\)', made)
    assert sum(map(int, lanes)) == len(events)


@given(st.lists(dots, max_size=10), st.data())
def test_the_order_of_the_dots_does_not_matter(events: list[Dot], data: st.DataObject) -> None:
    again = data.draw(st.permutations(events))
    assert timeline(events, title="t") == timeline(again, title="t")


@given(st.lists(st.dates(), min_size=1, max_size=20))
def test_later_is_further_right(days: list[date]) -> None:
    made = timeline([Dot(at=day, series="a", label="") for day in days], title="t")
    at = places(made, "circle", "cx")
    assert at == sorted(at)


@given(st.dates(), st.integers(0, 80_000))
def test_the_axis_is_labelled_and_not_crowded(first: date, days: int) -> None:
    last = min(first + timedelta(days=days), date.max) if days < (date.max - first).days else date.max
    made = timeline([Dot(at=first, series="a"), Dot(at=last, series="a")], title="t")
    labels = re.findall(r'text-anchor="middle">([^<]+)<', made)
    assert 1 <= len(labels) <= 8
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        (date(2000, 10, 31), date(2019, 10, 15), ["2004", "2008", "2012", "2016"]),
        (date(2015, 1, 1), date(2019, 5, 5), ["2015", "2016", "2017", "2018", "2019"]),
        (date(2019, 1, 20), date(2019, 4, 20), ["2019-02", "2019-03", "2019-04"]),
        (date(2019, 1, 2), date(2019, 1, 5), ["2019-01-02", "2019-01-05"]),
        (date(2019, 1, 2), date(2019, 1, 2), ["2019-01-02"]),
    ],
)
def test_the_axis_suits_its_span(first: date, last: date, labels: list[str]) -> None:
    made = timeline([Dot(at=first, series="a"), Dot(at=last, series="a")], title="t")
    assert re.findall(r'text-anchor="middle">([^<]+)<', made) == labels


def test_dots_that_touch_become_one_that_tells_them_all() -> None:
    day = datetime(2020, 5, 1, 23, tzinfo=UTC)
    many = [Dot(at=day, series="a", label=f"call {n:02}") for n in range(20)]
    made = timeline([*many, Dot(at=date(2010, 1, 1), series="a")], title="t")
    assert len(drawn(made, "circle")) == 2
    assert "2020-05-01: call 00\n" in made
    assert "and 8 more" in made


def test_too_many_series_share_the_last_lane() -> None:
    made = timeline([Dot(at=date(2000 + n, 1, 1), series=f"firm {n}") for n in range(20)], title="t", lanes=3)
    assert re.findall(r'class="lane">([^<]+)<', made) == ["firm 0 (1)", "firm 1 (1)", "18 others (18)"]


def test_colours_begin_again_after_the_last() -> None:
    made = timeline([Dot(at=date(2000 + n, 1, 1), series=f"{n}") for n in range(10)], title="t")
    assert [dot["class"] for dot in drawn(made, "circle")][-2:] == ["dot s0", "dot s1"]


def test_nothing_to_draw_is_said() -> None:
    assert timeline([], title="Contacts") == '<p class="quiet">Contacts: nothing recorded</p>'


def test_the_longest_bar_is_the_full_width() -> None:
    made = bars([("a", 30), ("b", Decimal("7.5")), ("c", 0)], title="t", unit="pairs")
    assert places(made, "rect", "width") == [100.0, 25.0, 0.0]
    assert "30 pairs" in made
    assert "1,234,567" in bars([("a", 1234567)], title="t")


def test_bars_of_nothing_and_of_zeros_are_drawn() -> None:
    assert places(bars([], title="t"), "rect", "width") == []
    assert places(bars([("a", 0)], title="t"), "rect", "width") == [0.0]


@pytest.mark.parametrize("value", [-1, float("nan")])
def test_a_bar_without_a_length_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="zero or more"):
        bars([("a", value)], title="t")
