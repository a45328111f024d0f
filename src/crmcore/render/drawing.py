"""What drawings share that stand alone: a sheet of their own with its style, numbers with a sign, texts that fit.

Invariant: a drawing needs no page around it. It brings its colours, light and dark, its text keeps its size however
narrow it is, and it is well-formed XML, so that the same text is a file and a part of a page.
"""

from __future__ import annotations

import attrs

from crmcore.render.html import Child, Html, escape, tag

_STYLE = """
.crm-drawing { display: block; width: 100%; max-width: 46rem; overflow: visible; --card: #ffffff; --ink: #1d2126;
  --quiet: #5c6570; --line: #e3e0da; --up: #2467b0; --down: #b8560b; --also: #5d6672; }
@media (prefers-color-scheme: dark) { .crm-drawing { --card: #1c2026; --ink: #e6e8eb; --quiet: #a2abb6;
  --line: #323841; --up: #7fb4f1; --down: #f0a463; --also: #acb6c2; } }
.crm-drawing svg { width: 94%; overflow: visible; }
.crm-drawing text { fill: var(--ink); stroke: var(--card); stroke-width: 3px; paint-order: stroke;
  font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif; }
.crm-drawing .head { font-size: 14px; font-weight: 600; }
.crm-drawing .number { font-variant-numeric: tabular-nums; }
.crm-drawing .quiet { fill: var(--quiet); font-size: 12px; }
.crm-drawing .card { fill: var(--card); stroke: var(--line); }
.crm-drawing .up { fill: var(--up); } .crm-drawing .down { fill: var(--down); }
.crm-drawing .also { fill: var(--also); fill-opacity: .55; } .crm-drawing .total { fill: var(--ink); }
.crm-drawing .grid { stroke: var(--line); stroke-width: 1px; }
.crm-drawing .rail { stroke: var(--quiet); stroke-width: 1px; stroke-dasharray: 2 2; }
.crm-drawing .mark { stroke: var(--quiet); stroke-width: 1px; stroke-dasharray: 5 3; }
"""
_PAD = 12


def drawing(*body: Child, title: str, said: str, height: int) -> Html:
    """A sheet *height* pixels high and as wide as there is room. *title* and *said* tell it to those who cannot see it.

    >>> drawing(title="Nothing", said="no bars", height=20).count("<svg")
    2
    """
    whole = height + 2 * _PAD
    inner = tag("svg", body, x="3%", y=_PAD, width="94%", height=height)
    sheet = tag("rect", x=0.5, y=0.5, width="99.8%", height=whole - 1, rx=8, class_="card")
    return Html(
        f'<svg xmlns="http://www.w3.org/2000/svg" class="crm-drawing" role="img" aria-label="{escape(title)}" '
        f'width="100%" height="{whole}"><style>{_STYLE}</style>{tag("desc", said)}{sheet}{inner}</svg>'
    )


@attrs.frozen(kw_only=True)
class Scale:
    """Values from *least* to *most* as shares of the width, from *left* to *right* percent."""

    least: float
    most: float
    left: float = 0.0
    right: float = 100.0

    def share(self, value: float) -> float:
        """Where *value* stands, in percent.

        >>> Scale(least=-10, most=10).share(5)
        75.0
        """
        if self.most <= self.least:
            return self.left
        return self.left + (self.right - self.left) * (value - self.least) / (self.most - self.least)

    def at(self, value: float) -> str:
        """The same as an attribute.

        >>> Scale(least=-10, most=10).at(0)
        '50.00%'
        """
        return f"{self.share(value):.2f}%"

    def bar(self, start: float, end: float, y: int, height: int, kind: str) -> Html:
        """A bar from one value to another; one without length can still be seen."""
        left, right = sorted((self.share(start), self.share(end)))
        width = max(right - left, 0.5)
        return tag(
            "rect", x=f"{left:.2f}%", width=f"{width:.2f}%", y=y, height=height, rx=2, class_=kind
        )  # fmt: skip


def signed(value: float) -> str:
    """A number with its sign and one decimal.

    >>> signed(17.34), signed(-0.01)
    ('+17.3', '+0.0')
    """
    text = f"{value:+.1f}"
    return "+0.0" if text == "-0.0" else text


def clipped(text: str, most: int) -> str:
    """A text that is no longer than *most* letters, and one that is not said to have been.

    >>> clipped("organization name", 9)
    'organiza…'
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"
