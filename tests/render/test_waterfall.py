"""A drawing shows every value in its place, says it in words too, and stands alone."""

from __future__ import annotations

import re
from itertools import accumulate
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.render import Html, Step, Weight, waterfall, weights
from tests.render.test_html import HOSTILE, Seen, held

values = st.integers(-600, 600).map(lambda number: number / 8)
steps = st.lists(st.builds(Step, label=st.sampled_from(["a", "b"]), value=values), max_size=12)


def bars(markup: str, *kinds: str) -> list[tuple[float, float]]:
    """The left and right end of every bar of one of these kinds, in percent."""
    found = [attributes for name, attributes in Seen(markup).elements if name == "rect"]
    ends = [(at["x"] or "", at["width"] or "") for at in found if at.get("class") in kinds]
    places = [(x, width) for x, width in ends if width.endswith("%")]
    return [(float(x[:-1]), float(x[:-1]) + float(width[:-1])) for x, width in places]


@given(steps)
def test_each_step_begins_where_the_last_one_ended(known: list[Step]) -> None:
    made = waterfall(known, title="t")
    totals = [0.0, *accumulate(step.value for step in known)]
    least, most = min(totals), max(totals)
    found = bars(made, "up", "down")
    assert len(found) == len(known)
    for (left, right), start, end in zip(found, totals, totals[1:], strict=False):
        if abs(start - end) / (most - least or 1) < 0.01:
            continue
        share = [1 + 98 * (value - least) / (most - least) for value in sorted((start, end))]
        assert [left, right] == pytest.approx(share, abs=0.02)
    assert f"in all {totals[-1]:+.1f}" in made.replace("-0.0", "+0.0")


@given(steps)
def test_everything_is_drawn_inside(known: list[Step]) -> None:
    made = waterfall(known, title="t", marks=[("same from", 0.0), ("review from", -4.0)])
    assert all(0 <= left <= right <= 100 for left, right in bars(made, "up", "down", "total"))
    root = ElementTree.fromstring(made)
    height = float(root.attrib["height"])
    for element in root.iter():
        for name in ("y", "y1", "y2"):
            assert 0 <= float(element.attrib.get(name, 0)) <= height


@given(st.lists(st.builds(Weight, label=st.just("x"), value=values, also=st.none() | values), max_size=9))
def test_weights_for_are_right_and_weights_against_are_left_of_one_line(rows: list[Weight]) -> None:
    made = weights([("city", rows)], title="t", series=("same", "related"))
    ElementTree.fromstring(made)
    lines = [attributes["x1"] or "" for name, attributes in Seen(made).elements if name == "line"]
    zero = float(lines[0].rstrip("%"))
    assert all(left == pytest.approx(zero, abs=0.02) for left, _ in bars(made, "up"))
    assert all(right >= zero - 0.51 and left <= zero for left, right in bars(made, "down"))
    assert len(bars(made, "also")) == sum(row.also is not None for row in rows)
    assert all(0 <= left <= right <= 100 for left, right in bars(made, "up", "down", "also"))


def drawings(text: str) -> list[Html]:
    """Both kinds of drawing with *text* in every place that takes one."""
    fall = waterfall(
        [Step(label=text, value=1.0, note=text)], title=text, total=text, unit=text, marks=[(text, 0.5)]
    )
    row = Weight(label=text, value=1.0, also=-1.0)
    return [fall, weights([(text, [row])], title=text, series=(text, text))]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_stays_text_wherever_it_stands(text: str) -> None:
    for hostile, plain in zip(drawings(text), drawings("plain"), strict=True):
        seen, expected = Seen(hostile), Seen(plain)
        assert [name for name, _ in seen.elements] == [name for name, _ in expected.elements]
        assert [list(at) for _, at in seen.elements] == [list(at) for _, at in expected.elements]
        assert seen.other == []
        assert held(text)[:20] in seen.text
        ElementTree.fromstring(hostile)


def test_a_drawing_stands_alone_and_loads_nothing() -> None:
    for made in drawings("plain"):
        assert isinstance(made, Html)
        assert "prefers-color-scheme: dark" in made
        assert (
            re.findall(r"(?:https?:|url\(|@import|href|src=)", made.replace("http://www.w3.org/2000/svg", ""))
            == []
        )
        styles = re.findall(r"<style>(.*?)</style>", made, re.DOTALL)
        assert len(styles) == 1
        selectors = re.findall(r"([^{}]+)\{", styles[0])
        assert all(
            ".crm-drawing" in name or "@media" in name for name in selectors
        )  # the page keeps its style


def test_a_long_text_is_cut_where_it_is_drawn_and_whole_where_it_is_told() -> None:
    label = "the name of a column that an expert made up without thinking of phones"
    made = waterfall([Step(label=label, value=1.0)], title="t")
    assert f"<title>{label} +1.0</title>" in made
    assert f">{label}</text>" not in made


def test_no_steps_are_a_sum_of_nothing() -> None:
    assert "in all +0.0 bits" in waterfall([], title="t")
    assert ElementTree.fromstring(weights([], title="t")) is not None


def test_the_same_values_give_the_same_drawing() -> None:
    assert drawings("x") == drawings("x")
