"""The parts of a page: sections, tables, lists of facts, badges, folds.

Invariant: a part takes plain values and looks the same wherever it stands; what is text stays text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from crmcore.render.html import Child, Html, is_plain_address, join, tag

Tone = Literal["plain", "good", "bad", "warn", "note"]
"""What a colour says. It never says it alone: the words beside it do as well."""


def section(title: Child, *body: Child, id: str | None = None, level: int = 2) -> Html:
    """A part of the page under a heading. *id* is what a `link` to ``"#id"`` finds.

    >>> section("Names", "Ann Lee", id="names")
    Html('<section id="names"><h2>Names</h2>Ann Lee</section>')
    """
    return tag("section", tag(f"h{min(max(level, 1), 6)}", title), body, id=id)


def link(text: Child, url: str) -> Html:
    """A link; or, if *url* is not a plain address (it may come from anybody), only its text.

    >>> link("site", "https://example.org")
    Html('<a href="https://example.org">site</a>')
    >>> link("site", "javascript:alert(1)")
    Html('site')
    """
    return tag("a", text, href=url) if is_plain_address(url) else join(text)


def contents(entries: Iterable[tuple[Child, str]]) -> Html:
    """A row of links to sections of this page: text and id.

    >>> contents([("Names", "names")])
    Html('<nav aria-label="Contents"><ul><li><a href="#names">Names</a></li></ul></nav>')
    """
    items = (tag("li", tag("a", text, href=f"#{id}")) for text, id in entries)
    return tag("nav", tag("ul", items), aria_label="Contents")


def badge(text: Child, tone: Tone = "plain") -> Html:
    """A short mark: a status, a count.

    >>> badge("same", "good")
    Html('<span class="badge good">same</span>')
    """
    return tag("span", text, class_="badge" if tone == "plain" else f"badge {tone}")


def notice(*body: Child, tone: Tone = "note") -> Html:
    """A sentence that must not be missed.

    >>> notice("3 pairs wait for a decision", tone="warn")
    Html('<p class="notice warn">3 pairs wait for a decision</p>')
    """
    return tag("p", body, class_="notice" if tone == "plain" else f"notice {tone}")


def definitions(pairs: Iterable[tuple[Child, Child]]) -> Html:
    """Facts as label and value; on a phone the value stands below its label.

    >>> definitions([("city", "Musashino, JP")])
    Html('<dl><dt>city</dt><dd>Musashino, JP</dd></dl>')
    """
    return tag("dl", ((tag("dt", label), tag("dd", value)) for label, value in pairs))


def figures(pairs: Iterable[tuple[Child, Child]]) -> Html:
    """The few numbers that a reader should see first: value and what it counts.

    >>> figures([(3895, "records")])
    Html('<div class="figures"><div><b>3,895</b><span>records</span></div></div>')
    """
    tiles = (
        tag("div", tag("b", f"{value:,}" if isinstance(value, int) else value), tag("span", label))
        for value, label in pairs
    )
    return tag("div", tiles, class_="figures")


def details(summary: Child, *body: Child, open: bool = False, id: str | None = None) -> Html:
    """A fold: *summary* is always seen, the body when the reader opens it.

    >>> details("2 records", "more")
    Html('<details><summary>2 records</summary><div>more</div></details>')
    """
    return tag("details", tag("summary", summary), tag("div", body), open=open, id=id)


def bullets(items: Iterable[Child]) -> Html:
    """A list.

    >>> bullets(["a", "b"])
    Html('<ul><li>a</li><li>b</li></ul>')
    """
    return tag("ul", (tag("li", item) for item in items))


def table(headers: Sequence[Child], rows: Iterable[Sequence[Child]], *, caption: Child = None) -> Html:
    """A table; one that is wider than the screen scrolls in its own frame. Cells that are numbers stand to the right.

    Raises:
        ValueError: if a row has more or fewer cells than there are *headers*.

    >>> print(table(["name", "records"], [["Ann", 2]]))
    <div class="scroll" role="region" tabindex="0"><table><thead>...<td>Ann</td><td class="number">2</td>...
    """
    lines = [_as_long_as(headers, row) for row in rows]
    # A heading stands over its numbers, so it must know whether the whole column holds them.
    columns = (
        zip(headers, zip(*lines, strict=True), strict=True)
        if lines
        else ((header, ("",)) for header in headers)
    )
    kinds = ((header, "number" if all(map(_is_number, cells)) else None) for header, cells in columns)
    head = tag("thead", tag("tr", (tag("th", header, scope="col", class_=kind) for header, kind in kinds)))
    body = tag("tbody", (tag("tr", map(_cell, row)) for row in lines))
    title = None if caption is None else tag("caption", caption)
    # A frame that scrolls must be reachable by keyboard, hence the tabindex.
    return tag("div", tag("table", title, head, body), class_="scroll", role="region", tabindex=0)


def _as_long_as(headers: Sequence[Child], row: Sequence[Child]) -> Sequence[Child]:
    if len(row) != len(headers):
        raise ValueError(f"a row has {len(row)} cells where the table has {len(headers)} columns")
    return row


def _cell(value: Child) -> Html:
    kind = "number" if _is_number(value) else "day" if isinstance(value, date) else None
    return tag("td", value, class_=kind)


def _is_number(value: Child) -> bool:
    return isinstance(value, (int, float, Decimal))
