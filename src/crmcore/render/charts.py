"""Charts as inline SVG: dots on a time axis, bars.

Invariant: a chart is drawn in shares of its width, so that its text stays readable on a phone; whatever it shows
is also there as text, for those who cannot see it; the same values give the same drawing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

import attrs

from crmcore.render.html import Child, Html, tag
from crmcore.render.style import SERIES

_LANE = 46  # pixels from one lane to the next: its label above, its rail below
_TOP = 6
_AXIS = 26
_TICKS = 8  # as many years as fit side by side on a phone
_LISTED = 12  # labels in the tooltip of one dot


@attrs.frozen(kw_only=True)
class Dot:
    """Something that happened: *at* a day or instant, in the lane *series*, told by *label*.

    >>> Dot(at=date(2019, 10, 15), series="Musashino IP", label="filing").at.year
    2019
    """

    at: date
    series: str
    label: str = ""


def timeline(dots: Iterable[Dot], *, title: str, lanes: int = 12) -> Html:
    """Dots on a time axis, one lane a series, in order of first appearance; dots that touch become one larger dot.

    *title* says what is shown. Of more than *lanes* series the last ones share a lane. A dot tells its dates and labels
    when it is pointed at. No dots give a sentence instead of a drawing.

    >>> print(timeline([Dot(at=date(2019, 10, 15), series="A", label="filing")], title="Contacts"))
    <figure class="chart"><svg ...<title>2019-10-15: filing</title>...
    """
    known = sorted(dots, key=lambda dot: (_day(dot.at), dot.series, dot.label))
    if not known:
        return tag("p", f"{title}: nothing recorded", class_="quiet")
    rows = _rows(known, lanes)
    first, last = _day(known[0].at), _day(known[-1].at)
    height = _TOP + _LANE * len(rows) + _AXIS
    bottom = height - _AXIS
    scale = _Scale(first=first.toordinal(), last=last.toordinal())
    grid = [
        (
            tag("line", x1=scale.at(day), x2=scale.at(day), y1=_TOP, y2=bottom, class_="grid"),
            tag("text", text, x=scale.at(day), y=height - 8, text_anchor="middle"),
        )
        for day, text in _ticks(first, last)
    ]
    drawn = [_lane(name, row, number, scale) for number, (name, row) in enumerate(rows)]
    summary = f"{title}: {len(known)} from {first} to {last}"
    svg = tag("svg", grid, drawn, role="img", aria_label=summary, width="100%", height=height)
    return tag("figure", svg, tag("figcaption", summary), class_="chart")


@attrs.frozen(kw_only=True)
class _Scale:
    """Days to shares of the width, with room for half a label at both ends."""

    first: int
    last: int

    def share(self, day: date) -> float:
        if self.first == self.last:
            return 50.0
        return 4 + 92 * (day.toordinal() - self.first) / (self.last - self.first)

    def at(self, day: date) -> str:
        return f"{self.share(day):.2f}%"


def _day(at: date) -> date:
    return at.date() if isinstance(at, datetime) else at


def _rows(dots: Sequence[Dot], lanes: int) -> list[tuple[str, list[Dot]]]:
    rows: dict[str, list[Dot]] = {}
    for dot in dots:
        rows.setdefault(dot.series, []).append(dot)
    named = list(rows.items())
    if len(named) <= max(lanes, 1):
        return named
    kept, rest = named[: max(lanes, 1) - 1], named[max(lanes, 1) - 1 :]
    return [*kept, (f"{len(rest)} others", [dot for _, row in rest for dot in row])]


def _lane(name: str, dots: Sequence[Dot], number: int, scale: _Scale) -> Html:
    top = _TOP + _LANE * number
    rail = top + 32
    groups: dict[int, list[Dot]] = {}
    for dot in dots:
        groups.setdefault(round(scale.share(_day(dot.at))), []).append(dot)
    return tag(
        "g",
        tag("line", x1="0%", x2="100%", y1=rail, y2=rail, class_="rail"),
        tag("text", f"{name} ({len(dots)})" if name else f"({len(dots)})", x="0%", y=top + 16, class_="lane"),
        (_dot(group, rail, number % SERIES, scale) for group in groups.values()),
    )


def _dot(group: Sequence[Dot], y: int, colour: int, scale: _Scale) -> Html:
    days = sorted(_day(dot.at) for dot in group)
    lines = [f"{_day(dot.at)}: {dot.label}" if dot.label else f"{_day(dot.at)}" for dot in group[:_LISTED]]
    if len(group) > _LISTED:
        lines.append(f"and {len(group) - _LISTED} more")
    radius = min(5 + 0.8 * (len(group) - 1), 11)
    return tag(
        "circle",
        tag("title", "\n".join(lines)),
        cx=scale.at(days[len(days) // 2]),
        cy=y,
        r=f"{radius:.1f}",
        class_=f"dot s{colour}",
    )


def _ticks(first: date, last: date) -> list[tuple[date, str]]:
    """Where the axis is labelled: at beginnings of years, or of months when there are few years, or at the days."""
    for step in (1, 2, 4, 5, 10, 20, 25, 50, 100, 200, 500, 1000):
        years = [year for year in range(first.year, last.year + 1) if year % step == 0]
        ticks = [(date(year, 1, 1), str(year)) for year in years if date(year, 1, 1) >= first]
        if len(ticks) <= _TICKS:
            break
    if len(ticks) >= 3:
        return ticks
    months = [(month // 12, month % 12 + 1) for month in _months(first, last)]
    for step in (1, 2, 3, 6):
        chosen = [date(year, month, 1) for year, month in months if (month - 1) % step == 0]
        if len(chosen) <= _TICKS // 2:  # their labels are twice as long
            break
    if len(chosen) >= 2:
        return [(day, f"{day:%Y-%m}") for day in chosen]
    return [(first, str(first)), (last, str(last))] if (last - first).days > 0 else [(first, str(first))]


def _months(first: date, last: date) -> range:
    begin = first.year * 12 + first.month - 1
    return range(begin if first.day == 1 else begin + 1, last.year * 12 + last.month)


def bars(rows: Iterable[tuple[str, int | float | Decimal]], *, title: str, unit: str = "") -> Html:
    """Horizontal bars, longest value the full width, as a table whose numbers can be read.

    Raises:
        ValueError: if a value is negative or not a number: a bar has a length.

    >>> print(bars([("same", 30), ("unsure", 15)], title="Judgements"))
    <figure class="chart bars"><table>...<rect width="50.0%"...
    """
    values = list(rows)
    if any(not value >= 0 for _, value in values):
        raise ValueError("a bar needs a value of zero or more: leave out what is negative or unknown")
    longest = max((value for _, value in values), default=0)
    body = tag("tbody", (_bar(label, value, longest, unit) for label, value in values))
    return tag("figure", tag("table", body), tag("figcaption", title), class_="chart bars")


def _bar(label: str, value: int | float | Decimal, longest: int | float | Decimal, unit: str) -> Html:
    share = 100 * float(value) / float(longest) if longest else 0.0
    track = tag(
        "svg",
        tag("rect", width=f"{share:.1f}%", height=12, rx=3, class_="s0"),
        width="100%",
        height=12,
        aria_hidden="true",
        class_="track",
    )
    number: Child = f"{value:,}{' ' if unit else ''}{unit}"
    return tag("tr", tag("th", label, scope="row"), tag("td", track), tag("td", number, class_="number"))
