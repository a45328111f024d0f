"""Patterns of agreement: for a pair of records the level of every column, packed into one integer.

Invariant: a pattern is a function of what the two records hold, symmetric, and blind to how common values are. Column
k has the bits from 3k on; above all columns stands the order of the names.
"""

from __future__ import annotations

from crmcore.identity.model.encoding import Table
from crmcore.identity.name_levels import Words, word_level

BITS = 3
MASK = (1 << BITS) - 1
ORDER_LABELS = ("as usual", "crossed")
"""Whether given and family name agree as they are, or each with the other one."""

CROSSED = 2
_MEMORY = 1 << 22
"""So many pairs of values of a column are remembered; beyond, they are compared again."""


class Comparer:
    """Compares records of one table; remembers the levels of the pairs of values it has met."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.rows = table.rows
        self._sizes = tuple(len(values) for values in table.values)
        self._known: tuple[dict[int, int], ...] = tuple({} for _ in table.columns)
        names = [column.name for column in table.columns]
        self.given = names.index("given name") if "given name" in names else -1
        self.family = names.index("family name") if "family name" in names else -1
        self.order_shift = len(names) * BITS
        self._crossings: dict[tuple[int, int], int] = {}

    def level(self, at: int, a: int, b: int) -> int:
        """The level of two codes of a column."""
        key = a * self._sizes[at] + b if a < b else b * self._sizes[at] + a
        known = self._known[at].get(key)
        if known is None:
            values = self.table.values[at]
            known = self.table.columns[at].compare(values[a], values[b])
            if len(self._known[at]) < _MEMORY:
                self._known[at][key] = known
        return known

    def aligned(self, i: int, j: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The codes by which two records are compared: of several variants of a group the two that fit best."""
        one, other = self.rows[i], self.rows[j]
        more = self.table.more
        if i not in more and j not in more:
            return one, other
        first, second = list(one), list(other)
        for group in sorted({*more.get(i, ()), *more.get(j, ())}):
            places = self.table.places[group]
            mine = more.get(i, {}).get(group) or [tuple(one[at] for at in places)]
            theirs = more.get(j, {}).get(group) or [tuple(other[at] for at in places)]
            a, b = max(
                ((a, b) for a in mine for b in theirs),
                key=lambda pair: (
                    self._worth(places, *pair),
                    *sorted(self._numbers(places, o) for o in pair),
                ),
            )
            for at, x, y in zip(places, a, b, strict=True):
                first[at], second[at] = x, y
        return tuple(first), tuple(second)

    def _numbers(self, places: tuple[int, ...], option: tuple[int, ...]) -> tuple[int, ...]:
        """What a variant holds, as numbers: a code is another one in another table."""
        return tuple(self.table.value_numbers[at][code] for at, code in zip(places, option, strict=True))

    def _worth(self, places: tuple[int, ...], a: tuple[int, ...], b: tuple[int, ...]) -> int:
        """How well two variants fit, by what the columns are by nature: in sixteenths of a bit."""
        worth = 0
        for at, x, y in zip(places, a, b, strict=True):
            if x and y:
                column = self.table.columns[at]
                worth += round(16 * ((self.level(at, x, y) - 1) / (column.top - 1) * (column.rarity + 4) - 4))
        return worth

    def pattern(self, i: int, j: int) -> int:
        """The packed levels of two records."""
        return self.packed(*self.aligned(i, j))

    def packed(self, one: tuple[int, ...], other: tuple[int, ...]) -> int:
        """The packed levels of two records by their aligned codes."""
        packed = shift = 0
        sizes, memory = self._sizes, self._known
        for at, (a, b) in enumerate(zip(one, other, strict=True)):
            if a and b:
                known = memory[at].get(a * sizes[at] + b if a < b else b * sizes[at] + a)
                packed |= (self.level(at, a, b) if known is None else known) << shift
            shift += BITS
        return self._ordered(packed, one, other) if self.given >= 0 and self.family >= 0 else packed

    def _ordered(self, packed: int, one: tuple[int, ...], other: tuple[int, ...]) -> int:
        """The pattern with the names compared crosswise, where that fits better."""
        given, family = packed >> self.given * BITS & MASK, packed >> self.family * BITS & MASK
        if given >= 5 and family >= 4:
            return packed | 1 << self.order_shift
        if given and family and (given > 3 or family > 3):
            return packed
        x = self._crossing(one[self.given], other[self.family])
        y = self._crossing(other[self.given], one[self.family])
        return crossed(packed, x, y, self.given, self.family, len(self.table.columns))

    def _crossing(self, given: int, family: int) -> int:
        if not given or not family:
            return -1
        known = self._crossings.get((given, family))
        if known is None:
            known = crossing(self.table.values[self.given][given], self.table.values[self.family][family])
            if len(self._crossings) < _MEMORY:
                self._crossings[given, family] = known
        return known


def crossing(firsts: Words, lasts: Words) -> int:
    """How a given and a family name agree as words: 3 the same to 0 not at all.

    >>> crossing(("lee",), ("lee",)), crossing(("ann",), ("lee",))
    (3, 0)
    """
    first, last = "".join(firsts), "".join(lasts)
    level = word_level(first, last)
    if level < 3 and len(firsts[0]) > 2 and (firsts[0] == last or first in lasts):
        return 3
    return level


def crossed(packed: int, x: int, y: int, given: int, family: int, columns: int) -> int:
    """The pattern with the names compared crosswise, where that fits better: *x* and *y* are the levels of each given
    name and the other family name, -1 where one is missing. *given* and *family* are the places of the columns."""
    if min(x, y) >= 2:
        better = (3 + x, 2 + x) if x == y else (6, 4)
    elif {x, y} == {3, -1} and packed >> given * BITS & MASK < 4 and packed >> family * BITS & MASK < 3:
        better = (6, 0)
    else:
        return packed
    kept = packed & ~(MASK << given * BITS | MASK << family * BITS)
    return kept | better[0] << given * BITS | better[1] << family * BITS | CROSSED << columns * BITS


def levels_of(pattern: int, count: int) -> tuple[int, ...]:
    """The levels in a pattern, those of *count* columns and of the order of the names.

    >>> levels_of(6 | 5 << 3 | 1 << 6, 2)
    (6, 5, 1)
    """
    return tuple(pattern >> at * BITS & MASK for at in range(count + 1))
