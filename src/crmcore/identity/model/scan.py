"""Patterns of agreement: for a pair of records the level of every column, packed into one integer.

Invariant: a pattern is a function of the two records, symmetric, and free of how common values are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crmcore.identity.model import levels
from crmcore.identity.model.encoding import Table

BITS = 3
CROSSED = 2


class Comparer:
    """Compares records of one table; remembers the level of every pair of values it has met."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.rows = table.rows
        self.count = len(table.columns)
        self.memory: list[dict[int, int]] = [{} for _ in table.columns]
        self.sizes = [len(values) for values in table.values]
        names = [column.name for column in table.columns]
        self.given = names.index("given name") if "given name" in names else -1
        self.family = names.index("family name") if "family name" in names else -1
        self.crossing: dict[tuple[int, int], int] = {}
        self.order_shift = self.count * BITS

    def level(self, at: int, a: int, b: int) -> int:
        """The level of two codes of a column."""
        if a > b:
            a, b = b, a
        key = a * self.sizes[at] + b
        known = self.memory[at].get(key)
        if known is None:
            values = self.table.values[at]
            known = self.memory[at][key] = self.table.columns[at].compare(values[a], values[b])
        return known

    def pattern(self, i: int, j: int) -> int:
        """The packed levels of two records, column 0 in the lowest bits; above all columns the order of the names."""
        one, other = self.rows[i], self.rows[j]
        if i in self.table.more or j in self.table.more:
            return self._several(i, j)
        return self._packed(one, other)

    def _packed(self, one: tuple[int, ...], other: tuple[int, ...]) -> int:
        packed = shift = at = 0
        memory, sizes = self.memory, self.sizes
        for a, b in zip(one, other, strict=True):
            if a and b:
                key = a * sizes[at] + b if a < b else b * sizes[at] + a
                known = memory[at].get(key)
                if known is None:
                    known = self.level(at, a, b)
                packed |= known << shift
            shift += BITS
            at += 1
        if self.given >= 0 and self.family >= 0:
            packed = self._order(packed, one, other)
        return packed

    def _order(self, packed: int, one: tuple[int, ...], other: tuple[int, ...]) -> int:
        given, family = packed >> self.given * BITS & 7, packed >> self.family * BITS & 7
        if given >= 5 and family >= 4:
            return packed | 1 << self.order_shift
        if (given >= 5 or family >= 4) and given and family and not (given <= 3 and family <= 3):
            return packed
        x = self.cross(one[self.given], other[self.family])
        y = self.cross(other[self.given], one[self.family])
        if x >= 2 and y >= 2:
            levels_ = (5 if x == 2 else 6, 4 if y == 2 else 5)
        elif max(x, y) == 3 and min(x, y) == -1 and not (given >= 4 or family >= 3):
            levels_ = (6, 0)
        else:
            return packed
        keep = ~((7 << self.given * BITS) | (7 << self.family * BITS))
        return (
            packed & keep | levels_[0] << self.given * BITS | levels_[1] << self.family * BITS | CROSSED << self.order_shift
        )

    def cross(self, given: int, family: int) -> int:
        """How a given name and a family name agree as words; -1 when one is missing."""
        if not given or not family:
            return -1
        known = self.crossing.get((given, family))
        if known is None:
            one, other = self.table.values[self.given][given], self.table.values[self.family][family]
            known = levels.word_level("".join(one), "".join(other))
            if known < 3 and (one[0] == "".join(other) or "".join(one) in other) and len(one[0]) > 2:
                known = 3
            self.crossing[given, family] = known
        return known

    def _several(self, i: int, j: int) -> int:
        """Of several values in a group the pair of variants that agrees best."""
        table = self.table
        one, other = list(self.rows[i]), list(self.rows[j])
        for group in {*table.more.get(i, {}), *table.more.get(j, {})}:
            places = [at for at, column in enumerate(table.columns) if column.group == group]
            mine = table.more.get(i, {}).get(group) or [tuple(one[at] for at in places)]
            theirs = table.more.get(j, {}).get(group) or [tuple(other[at] for at in places)]
            best: tuple[int, Any, Any] | None = None
            for a in mine:
                for b in theirs:
                    worth = sum(self._worth(at, x, y) for at, x, y in zip(places, a, b, strict=True))
                    if best is None or worth > best[0]:
                        best = (worth, a, b)
            assert best is not None
            for at, x, y in zip(places, best[1], best[2], strict=True):
                one[at], other[at] = x, y
        return self._packed(tuple(one), tuple(other))

    def _worth(self, at: int, a: int, b: int) -> int:
        if not a or not b:
            return 0
        level = self.level(at, a, b)
        column = self.table.columns[at]
        return round((level - 1) / (len(column.labels) - 1) * (column.rarity + 4) * 16) - 64


Term = Callable[[Any], str]
