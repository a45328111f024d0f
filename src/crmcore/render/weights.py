"""Weights for and against: bars to the right of a line for what is above 0, to the left for what is below.

Invariant: all bars of a drawing have one scale, so that they can be compared across groups.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from crmcore.render.drawing import Scale, clipped, drawing, signed
from crmcore.render.html import Html, tag

_TITLE = 28
_LEGEND = 22
_HEAD = 30
_LINE = 18
_LETTERS = 20
_LEFT, _RIGHT = 43.0, 83.0


@attrs.frozen(kw_only=True)
class Weight:
    """A weight under its *label*; *also* is a second one to compare it with, where there is one.

    >>> Weight(label="same", value=12.5).also is None
    True
    """

    label: str
    value: float
    also: float | None = None


def weights(
    groups: Iterable[tuple[str, Iterable[Weight]]], *, title: str, series: tuple[str, str] = ("", "")
) -> Html:
    """Draw *groups* of weights under their headings; *series* names the two kinds of bars, where there are two.

    >>> made = weights([("city", [Weight(label="different", value=-3), Weight(label="same", value=4)])], title="Town")
    >>> "city: different -3.0, same +4.0" in made
    True
    """
    known = [(name, list(rows)) for name, rows in groups]
    rows = [row for _, found in known for row in found]
    values = [0.0, *(row.value for row in rows), *(row.also for row in rows if row.also is not None)]
    scale = Scale(least=min(values), most=max(values), left=_LEFT, right=_RIGHT)
    both = any(row.also is not None for row in rows)
    body, y = [tag("text", clipped(title, 42), x="0%", y=14, class_="head")], _TITLE
    if both:
        body.append(_legend(series, y))
        y += _LEGEND
    for name, found in known:
        body.append(tag("text", clipped(name, 40), tag("title", name), x="0%", y=y + 22, class_="head"))
        y += _HEAD
        height = _LINE * sum(1 if row.also is None else 2 for row in found)
        body.append(tag("line", x1=scale.at(0), x2=scale.at(0), y1=y, y2=y + height, class_="grid"))
        for row in found:
            body.append(_row(row, scale, y))
            y += _LINE * (1 if row.also is None else 2)
    said = "; ".join(f"{name}: {', '.join(map(_said, found))}" for name, found in known)
    return drawing(body, title=title, said=said, height=y + 4)


def _said(row: Weight) -> str:
    return f"{row.label} {signed(row.value)}" + (f" ({signed(row.also)})" if row.also is not None else "")


def _legend(series: tuple[str, str], y: int) -> Html:
    one, other = series
    return tag(
        "g",
        tag("rect", x="0%", y=y, width=11, height=11, rx=2, class_="up"),
        tag("text", clipped(one, 18), x="5%", y=y + 10, class_="quiet"),
        tag("rect", x="50%", y=y, width=11, height=11, rx=2, class_="also"),
        tag("text", clipped(other, 18), x="55%", y=y + 10, class_="quiet"),
    )


def _row(row: Weight, scale: Scale, y: int) -> Html:
    return tag(
        "g",
        tag("title", _said(row)),
        scale.bar(0, row.value, y + 4, 11, "up" if row.value >= 0 else "down"),
        tag("text", clipped(row.label, _LETTERS), x="0%", y=y + 14),
        _number(row.value, y, "number"),
        None
        if row.also is None
        else (
            scale.bar(0, row.also, y + _LINE, 11, "also"),
            _number(row.also, y + _LINE - 3, "number quiet"),
        ),
    )


def _number(value: float, y: int, kind: str) -> Html:
    return tag("text", signed(value), x="100%", y=y + 14, text_anchor="end", class_=kind)
