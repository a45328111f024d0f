"""Drawings of what was measured: growth on two logarithmic axes, and how many times as long others take.

Invariant: each is a file of its own, readable in light and dark, on a phone too, and says in words what it shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, exp, floor, log, log10
from statistics import linear_regression

import attrs

from crmcore.render.drawing import Scale, clipped, drawing
from crmcore.render.html import Html, tag

_KINDS = ("up", "down", "also", "total")  # the drawing's colours: the first line has the first one
_HEAD = 26
_LEGEND = 20
_ABOVE = 18  # room for the number of a point that stands at the top
_PLOT = 240
_AXIS = 26
_LEFT, _RIGHT = 12.0, 98.0
_INSIDE = 9.0  # from the ends of the lines to the first and the last power of ten, for the numbers of points
_ROW = 52
_BAR = 11
_LETTERS = 34


@attrs.frozen(kw_only=True)
class Line:
    """What grows under a *name*: pairs of rows and a figure.

    >>> Line(name="crmcore", points=((10, 1.0), (1000, 100.0))).exponent
    1.0
    """

    name: str
    points: tuple[tuple[float, float], ...]

    @property
    def exponent(self) -> float | None:
        """By which power of the rows it grows, fitted to all points; None where all have as many rows."""
        return None if len({rows for rows, _ in self.points}) < 2 else round(self._fit()[0], 6)

    def fitted(self, rows: float) -> float:
        """The figure that the fit has for so many rows."""
        slope, start = self._fit()
        return exp(start + slope * log(rows))

    def _fit(self) -> tuple[float, float]:
        slope, start = linear_regression(
            [log(rows) for rows, _ in self.points], [log(figure) for _, figure in self.points]
        )
        return slope, start


def growth(lines: Sequence[Line], *, title: str, unit: str) -> Html:
    """Points on two logarithmic axes with the straight lines fitted to them, whose slope is the exponent.

    >>> made = growth([Line(name="a", points=((10, 1.0), (1000, 100.0)))], title="Time", unit="s")
    >>> "a: 10 rows 1 s, 1,000 rows 100 s, grows with the rows to the power of 1.00" in made
    True
    """
    known = [line for line in lines if line.points]
    if not known:
        return drawing(
            tag("text", f"{title}: nothing measured", y=14), title=title, said="nothing", height=20
        )
    top = _HEAD + _LEGEND * len(known) + _ABOVE
    across = _axis([rows for line in known for rows, _ in line.points], _LEFT + _INSIDE, _RIGHT - _INSIDE)
    up = _axis([figure for line in known for _, figure in line.points], float(top + _PLOT), float(top))
    body = [
        tag("text", clipped(title, 46), x="0%", y=14, class_="head"),
        *_grid(across, up, unit),
        *(_fitted(line, across, up) for line in known if line.exponent is not None),
        *(_points(number, known, across, up) for number in range(len(known))),
        *(_legend(line, number) for number, line in enumerate(known)),
    ]
    said = "; ".join(_said(line, unit) for line in known)
    return drawing(body, title=title, said=said, height=top + _PLOT + _AXIS)


def _axis(values: Sequence[float], left: float, right: float) -> Scale:
    """From power of ten to power of ten."""
    least, most = floor(log10(min(values))), ceil(log10(max(values)))
    return Scale(least=least, most=max(most, least + 1), left=left, right=right)


def _grid(across: Scale, up: Scale, unit: str) -> Iterator[Html]:
    for power in range(round(across.least), round(across.most) + 1):
        x = across.at(power)
        yield tag("line", x1=x, x2=x, y1=up.right, y2=up.left, class_="grid")
        yield tag("text", short(10**power), x=x, y=up.left + 19, text_anchor="middle", class_="quiet")
    for power in range(round(up.least), round(up.most) + 1):
        y = round(up.share(power), 1)
        yield tag("line", x1=f"{_LEFT}%", x2=f"{_RIGHT}%", y1=y, y2=y, class_="grid")
        yield tag(
            "text", f"{10.0**power:,g}", x=f"{_LEFT - 1.5}%", y=y + 4, text_anchor="end", class_="quiet"
        )
    yield tag("text", unit, x=f"{_LEFT - 1.5}%", y=up.right - 10, text_anchor="end", class_="quiet")


def short(rows: float) -> str:
    """So many rows in few letters.

    >>> short(100), short(10_000), short(10_000_000)
    ('100', '10 k', '10 M')
    """
    for size, letter in ((1e6, " M"), (1e3, " k")):
        if rows >= size:
            return f"{rows / size:g}{letter}"
    return f"{rows:g}"


def figure(value: float) -> str:
    """Three digits, as many as a measurement is worth.

    >>> figure(0.4249), figure(12.345), figure(1234.5)
    ('0.42', '12.3', '1,234')
    """
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _fitted(line: Line, across: Scale, up: Scale) -> Html:
    """The fit from the fewest rows to the most, as far as it stays in the drawing."""
    ends = []
    for rows in (min(rows for rows, _ in line.points), max(rows for rows, _ in line.points)):
        height = min(max(log10(line.fitted(rows)), up.least), up.most)
        ends.append((across.at(log10(rows)), round(up.share(height), 1)))
    (x1, y1), (x2, y2) = ends
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_="rail")


def _points(number: int, lines: Sequence[Line], across: Scale, up: Scale) -> Iterator[Html]:
    line = lines[number]
    for rows, value in line.points:
        # The lowest of several points has its number below it, the others above.
        lower = any(other < value for one in lines for many, other in one.points if many == rows)
        away = -10 if lower else 20
        x, y = across.at(log10(rows)), round(up.share(log10(value)), 1)
        text = figure(value)
        name = tag("title", f"{line.name}: {rows:,} rows, {text}")
        yield tag("circle", name, cx=x, cy=y, r=5, class_=_kind(number))
        yield tag("text", text, x=x, y=y + away, text_anchor="middle", class_="number quiet")


def _legend(line: Line, number: int) -> Html:
    y = _HEAD + _LEGEND * number
    power = "" if line.exponent is None else f": rows to the power of {line.exponent:.2f}"
    return tag(
        "g",
        tag("circle", cx="1.5%", cy=y + 7, r=5, class_=_kind(number)),
        tag("text", clipped(line.name, _LETTERS) + power, x="4%", y=y + 12),
    )


def _kind(number: int) -> str:
    return _KINDS[number % len(_KINDS)]


def _said(line: Line, unit: str) -> str:
    points = ", ".join(f"{rows:,} rows {value:,.4g} {unit}" for rows, value in line.points)
    power = line.exponent
    end = "" if power is None else f", grows with the rows to the power of {power:.2f}"
    return f"{line.name}: {points}{end}"


@attrs.frozen(kw_only=True)
class Ratio:
    """How many times as long another takes under a *label*: inside the process, and the *whole* of it; or it failed."""

    label: str
    inside: float | None
    whole: float | None = None


def ratios(rows: Sequence[Ratio], *, title: str) -> Html:
    """A bar for each ratio with a line where both take as long; one that failed stands there without bars.

    >>> made = ratios([Ratio(label="a", inside=12.5, whole=8.0), Ratio(label="b", inside=None)], title="Slower")
    >>> "a: 12.5 times, 8.0 times the whole process; b: failed" in made
    True
    """
    values = [value for row in rows for value in (row.inside, row.whole) if value is not None]
    scale = Scale(least=0.0, most=max([1.0, *values]), left=0.0, right=84.0)
    top = _HEAD + _LEGEND
    bottom = top + _ROW * len(rows)
    body = [
        tag("text", clipped(title, 46), x="0%", y=14, class_="head"),
        tag("rect", x="0%", y=_HEAD, width=11, height=11, rx=2, class_="up"),
        tag("text", "inside the process", x="4%", y=_HEAD + 10, class_="quiet"),
        tag("rect", x="50%", y=_HEAD, width=11, height=11, rx=2, class_="also"),
        tag("text", "whole process", x="54%", y=_HEAD + 10, class_="quiet"),
        tag("line", x1=scale.at(1), x2=scale.at(1), y1=top, y2=bottom, class_="mark"),
        *(_ratio(row, scale, top + _ROW * number) for number, row in enumerate(rows)),
        tag("text", "as long as crmcore", x=scale.at(1), y=bottom + 14, class_="quiet"),
    ]
    return drawing(body, title=title, said="; ".join(map(_ratio_said, rows)), height=bottom + 20)


def _ratio(row: Ratio, scale: Scale, y: int) -> Html:
    bars: list[Html] = []
    for value, top, kind in ((row.inside, y + 20, "up"), (row.whole, y + 20 + _BAR + 2, "also")):
        if value is not None:
            bars.append(scale.bar(0, value, top, _BAR, kind))
            text = f"{value:.1f}x"
            x = f"{scale.share(value) + 1.5:.2f}%"
            bars.append(tag("text", text, x=x, y=top + 10, class_="number quiet"))
    if row.inside is None:
        bars.append(tag("text", "failed", x="0%", y=y + 32, class_="quiet"))
    return tag("g", tag("text", clipped(row.label, 46), x="0%", y=y + 14), bars)


def _ratio_said(row: Ratio) -> str:
    if row.inside is None:
        return f"{row.label}: failed"
    whole = "" if row.whole is None else f", {row.whole:.1f} times the whole process"
    return f"{row.label}: {row.inside:.1f} times{whole}"
