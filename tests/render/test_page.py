"""A page is one file that loads nothing, runs nothing and holds whatever it is given as text."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given

from crmcore.render import (
    CSS,
    POLICY,
    Dot,
    Html,
    badge,
    bars,
    bullets,
    contents,
    definitions,
    details,
    figures,
    notice,
    page,
    section,
    table,
    timeline,
)
from tests.render.test_html import Seen, held, texts


def everything(text: str) -> Html:
    """A page with *text* in every place that takes one."""
    return page(
        text,
        contents([(text, text)]),
        figures([(text, text)]),
        notice(text, tone="warn"),
        section(text, definitions([(text, badge(text, "good"))]), id=text),
        table([text], [[text], [details(text, text, id=text)]], caption=text),
        bullets([text]),
        timeline([Dot(at=date(2020, 1, 1), series=text, label=text)], title=text),
        bars([(text, 1)], title=text, unit=text),
        lead=text,
        footer=text,
        lang=text,
    )


def shape(markup: str) -> list[tuple[str, list[str]]]:
    return [(name, sorted(attributes)) for name, attributes in Seen(markup).elements]


@given(texts)
def test_no_text_changes_the_elements_and_attributes_of_a_page(text: str) -> None:
    made = everything(text)
    assert shape(made) == shape(everything("x"))
    seen = Seen(made)
    assert seen.other == ["doctype html"]
    assert seen.text.count(held(text)) >= 14


def test_a_page_loads_and_runs_nothing() -> None:
    made = everything("x")
    metas = [attributes for name, attributes in Seen(made).elements if name == "meta"]
    assert {"http-equiv": "Content-Security-Policy", "content": POLICY} in metas
    assert POLICY.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert not re.search(r"url\(|@import|https?:|<script|<link|</style>.*</style>", CSS)
    assert not {name for name, _ in Seen(made).elements} & {
        "script",
        "link",
        "iframe",
        "object",
        "base",
        "form",
    }


def test_a_page_says_its_encoding_first_and_fits_a_phone() -> None:
    made = page("Título ☎", "x")
    assert made.index('<meta charset="utf-8">') < 100
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in made
    assert "<title>Título ☎</title>" in made
    assert "<h1>Título ☎</h1>" in made


def test_a_page_has_light_and_dark_colours_for_every_name() -> None:
    light, dark = (
        set(re.findall(r"(--[a-z0-9-]+):", part)) for part in CSS.split("prefers-color-scheme: dark")[:2]
    )
    assert light == dark
    assert set(re.findall(r"var\((--[a-z0-9-]+)\)", CSS)) == light


@pytest.mark.parametrize("scheme", [0, 1])
def test_text_stands_out_from_its_ground(scheme: int) -> None:
    part = CSS.split("prefers-color-scheme: dark")[scheme]
    colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", part))
    pairs = [(ink, ground) for ink in ("ink", "quiet", "accent") for ground in ("ground", "card", "soft")]
    pairs += [(tone, f"{tone}-bg") for tone in ("good", "bad", "warn", "note")]
    for ink, ground in pairs:
        assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for number in range(8):
        assert contrast(colours[f"s{number}"], colours["card"]) >= 3, number


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2, 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_numbers_stand_to_the_right_and_a_heading_over_its_numbers() -> None:
    seen = Seen(table(["a", "b", "c"], [[1, "1", date(2020, 1, 1)], [2, 3, None]])).elements
    assert [attributes.get("class") for name, attributes in seen if name == "td"] == (
        ["number", None, "day", "number", "number", None]
    )
    assert [attributes.get("class") for name, attributes in seen if name == "th"] == ["number", None, None]


def test_the_first_figures_are_grouped_in_thousands() -> None:
    assert "<b>3,895</b>" in figures([(3895, "records")])


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells"):
        table(["a"], [["b", "c"]])


def test_an_empty_table_is_a_table() -> None:
    assert [name for name, _ in Seen(table(["a"], [])).elements] == [
        "div",
        "table",
        "thead",
        "tr",
        "th",
        "tbody",
    ]
