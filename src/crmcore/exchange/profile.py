"""What is in each column of a table: how many cells are filled, how many differ, what they look like.

Invariant: a profile is counts; it holds no cell. It counts every row, and looks at every distinct text up to a
bound that it reports.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import attrs

from crmcore.exchange.detect import Look, looks
from crmcore.exchange.reading import Row
from crmcore.values.frozen_map import FrozenMap

MOST_ROWS = 100_000
"""Rows whose cells are looked at; a suggestion needs no more, and says how many it saw."""


@attrs.frozen(kw_only=True)
class ColumnProfile:
    """Counts of a column over the rows seen: *filled* cells, *distinct* texts, cells by *looks*, *words* in all."""

    column: str
    filled: int = 0
    distinct: int = 0
    words: int = 0
    looks: FrozenMap[Look, int] = attrs.field(factory=lambda: FrozenMap())

    def count(self, *wanted: Look) -> int:
        """The cells that have the look, at most all of them when several are given."""
        return min(self.filled, sum(self.looks.get(look, 0) for look in wanted))

    @property
    def unique(self) -> bool:
        """Whether no two filled cells are equal."""
        return 0 < self.filled == self.distinct


@attrs.frozen(kw_only=True)
class Profile:
    """The columns of a table and the number of *rows* seen, blank ones and the *broken* ones not among them."""

    rows: int
    broken: int = 0
    columns: tuple[ColumnProfile, ...]
    complete: bool = True


def profiled(columns: tuple[str, ...], rows: Iterable[Row]) -> Profile:
    """The profile of rows under *columns*.

    >>> rows = [Row(number=2, line=2, cells=("ann@x.org", ""), raw="")]
    >>> [(c.column, c.filled, c.count("email")) for c in profiled(("mail", "n"), rows).columns]
    [('mail', 1, 1), ('n', 0, 0)]
    """
    seen: list[Counter[str]] = [Counter() for _ in columns]
    number = broken = 0
    complete = True
    for row in rows:
        if row.problem is not None:
            broken += 1
            continue
        if row.blank:
            continue
        if number == MOST_ROWS:
            complete = False
            break
        number += 1
        for counter, cell in zip(seen, row.cells, strict=True):
            if cell:
                counter[cell] += 1
    made = tuple(_column(name, counter) for name, counter in zip(columns, seen, strict=True))
    return Profile(rows=number, broken=broken, columns=made, complete=complete)


def _column(name: str, counter: Counter[str]) -> ColumnProfile:
    found: Counter[Look] = Counter()
    filled = distinct = words = 0
    for cell, times in counter.items():
        text = cell.strip()
        if not text:
            continue
        filled += times
        distinct += 1
        words += (text.count(" ") + 1) * times
        for look in looks(text):
            found[look] += times
    return ColumnProfile(column=name, filled=filled, distinct=distinct, words=words, looks=FrozenMap(found))
