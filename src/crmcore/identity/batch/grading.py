"""How far pairs of records agree, column by column: the levels of the reference, worked out once for each two values.

Invariant: what is settled here without the reference's grader is settled alike. Equal codes and missing values are
settled first; of what is left each two distinct values are compared once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from crmcore.identity.batch.arrays import ArrayTable, ColumnArrays
from crmcore.identity.batch.arrow import pc
from crmcore.identity.batch.exact import ASK, EXACT, NAMES
from crmcore.identity.batch.forms import Forms, blooms_of, may_be_alike, may_share
from crmcore.identity.batch.graders import BEST, ITSELF, LISTENED, MASKS, NAME_MASKS, Heard
from crmcore.identity.batch.street_grading import StreetGrader
from crmcore.identity.batch.texts import Ints, Levels, Longs, compress, each, values_at
from crmcore.identity.model.patterns import BITS, MASK, Comparer, crossed, crossing

CHUNK = 1 << 18
_MEMORY = 1 << 20


class Grader:
    """Grades pairs of codes of one column; remembers what the reference said of two values."""

    def __init__(self, column: ColumnArrays) -> None:
        self.column = column
        name = column.column.name if column.column.source is None else ""
        self.same = np.full(column.size, column.column.top if name in BEST else 0, dtype=np.uint8)
        if name in ITSELF:
            self.same = ITSELF[name](column)
        self.may = MASKS[name](column) if name in MASKS else None
        self.exact = EXACT[name](column) if name in EXACT else None
        if name in NAMES:
            heard = Heard(LISTENED[name](column.content))
            self.may, self.exact = NAME_MASKS[name](column, heard), NAMES[name](column, heard)
        self._known: dict[int, int] = {}

    def levels(self, a: Ints, b: Ints) -> Levels:
        """The level of each pair of codes; 0 where one is missing."""
        found = np.zeros(len(a), dtype=np.uint8)
        equal = np.nonzero((a == b) & (a > 0))[0]
        if len(equal):
            found[equal] = self._same(a[equal])
        left = np.nonzero((a != b) & (a > 0) & (b > 0))[0]
        if len(left):
            if self.may is not None:
                found[left] = 1
                left = left[self.may(a[left], b[left])]
            if len(left):
                found[left] = self._different(a[left], b[left])
        return found

    def _same(self, codes: Ints) -> Levels:
        """What two equal values are at: not always the best, where a value is half of one."""
        levels = self.same[codes]
        unknown = np.unique(codes[levels == 0])
        if len(unknown):
            values, compare = self.column.values, self.column.column.compare
            for code in unknown.tolist():
                # 255 stands for no level at all.
                self.same[code] = compare(values[code], values[code]) or 255
            levels = self.same[codes]
        return np.where(levels == 255, np.uint8(0), levels)

    def _different(self, a: Ints, b: Ints) -> Levels:
        low, high = np.minimum(a, b).astype(np.int64), np.maximum(a, b).astype(np.int64)
        pairs, where = compress(low * self.column.size + high)
        return self._graded(pairs)[where]

    def _graded(self, pairs: Longs) -> Levels:
        """The levels of distinct pairs of values."""
        found = np.full(len(pairs), ASK, dtype=np.uint8)
        if self.exact is not None:
            one, other = np.divmod(pairs, self.column.size)
            found = self.exact(one.astype(np.int32), other.astype(np.int32))
        left = np.nonzero(found == ASK)[0]
        if len(left):
            found[left] = self._asked(pairs[left])
        return found

    def _asked(self, pairs: Longs) -> list[int]:
        """What the reference says."""
        known, compare = self._known, self.column.column.compare
        new = np.array([pair for pair in pairs.tolist() if pair not in known], dtype=np.int64)
        ones, others = (values_at(self.column.values, codes) for codes in np.divmod(new, self.column.size))
        for pair, one, other in zip(new.tolist(), ones, others, strict=True):
            known[pair] = compare(one, other)
        return [known[pair] for pair in pairs.tolist()]


def grader_of(column: ColumnArrays) -> Grader | StreetGrader:
    """What grades a column."""
    if column.column.name == "street" and column.column.source is None:
        return StreetGrader(column)
    return Grader(column)


class PairGrader:
    """The patterns of pairs of records."""

    def __init__(self, table: ArrayTable) -> None:
        self.table = table
        self._variants: dict[tuple[int, int], tuple[tuple[int, ...], tuple[int, ...]]] = {}
        self.graders = each(grader_of, table.columns, table.records)
        names = [column.column.name for column in table.columns]
        self.given = names.index("given name") if "given name" in names else -1
        self.family = names.index("family name") if "family name" in names else -1
        if self.given >= 0 and self.family >= 0:
            self.crossing = Crossing(table.columns[self.given], table.columns[self.family])

    def aligned(self, at: int, a: Ints, b: Ints) -> tuple[Ints, Ints]:
        """The codes of a column by which records are compared; of several variants the reference finds the best."""
        codes = self.table.columns[at].codes
        one, other = codes[a], codes[b]
        comparer = self.table.comparer
        if comparer is not None:
            for pair in np.nonzero(self.table.several[a] | self.table.several[b])[0].tolist():
                known = self._best(comparer, int(a[pair]), int(b[pair]))
                one[pair], other[pair] = known[0][at], known[1][at]
        return one, other

    def _best(self, comparer: Comparer, i: int, j: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        known = self._variants.get((i, j))
        if known is None:
            known = comparer.aligned(i, j)
            if len(self._variants) < _MEMORY:
                self._variants[i, j] = known
        return known

    def patterns(self, a: Ints, b: Ints, on_done: Callable[[int], None] | None = None) -> Longs:
        """The packed levels of pairs of records."""
        found = np.empty(len(a), dtype=np.int64)
        for start in range(0, len(a), CHUNK):
            part = slice(start, start + CHUNK)
            found[part] = self._patterns(a[part], b[part])
            if on_done is not None:
                on_done(min(start + CHUNK, len(a)))
        return found

    def _patterns(self, a: Ints, b: Ints) -> Longs:
        packed = np.zeros(len(a), dtype=np.int64)
        graders = range(len(self.graders))
        every = each(lambda at: self.graders[at].levels(*self.aligned(at, a, b)), graders, len(a))
        for at, levels in enumerate(every):
            packed |= levels.astype(np.int64) << at * BITS
        if self.given >= 0 and self.family >= 0:
            packed = self._ordered(packed, a, b)
        return packed

    def _ordered(self, packed: Longs, a: Ints, b: Ints) -> Longs:
        """With the names compared crosswise where that fits better."""
        shift = len(self.graders) * BITS
        given, family = packed >> self.given * BITS & MASK, packed >> self.family * BITS & MASK
        usual = (given >= 5) & (family >= 4)
        packed = packed | usual.astype(np.int64) << shift
        open_ = ~usual & ~((given > 0) & (family > 0) & ((given > 3) | (family > 3)))
        return self._crossed(packed, np.nonzero(open_)[0], a, b)

    def _crossed(self, packed: Longs, at: Longs, a: Ints, b: Ints) -> Longs:
        """With those of the patterns at these places changed that fit better crosswise."""
        one_given, other_given = (codes[at] for codes in self.aligned(self.given, a, b))
        one_family, other_family = (codes[at] for codes in self.aligned(self.family, a, b))
        x = self.crossing.levels(one_given, other_family)
        y = self.crossing.levels(other_given, one_family)
        for level in np.unique(x).tolist():
            for other in np.unique(y).tolist():
                mine = at[(x == level) & (y == other)]
                patterns, where = compress(packed[mine])
                better = [
                    crossed(p, level - 1, other - 1, self.given, self.family, len(self.graders))
                    for p in patterns.tolist()
                ]
                packed[mine] = np.array(better, dtype=np.int64)[where]
        return packed


class Crossing:
    """How given names agree with family names: one more than the reference's `crossing`."""

    def __init__(self, given: ColumnArrays, family: ColumnArrays) -> None:
        self.given, self.family = given, family
        first_joined, last_joined = (pc.replace_substring(c.content, " ", "") for c in (given, family))
        self.firsts, self.lasts = Forms.of(first_joined), Forms.of(last_joined)
        firsts = pc.replace_substring_regex(given.content, " .*$", "")
        self.first_words = blooms_of(firsts, np.arange(given.size + 1)) | blooms_of(
            first_joined, np.arange(given.size + 1)
        )
        words = pc.utf8_split_whitespace(family.content)
        offsets = np.asarray(words.offsets, dtype=np.int64) - words.offsets[0].as_py()
        self.last_words = blooms_of(words.flatten(), offsets) | blooms_of(
            last_joined, np.arange(family.size + 1)
        )
        self._known: dict[int, int] = {}

    def levels(self, given: Ints, family: Ints) -> Levels:
        """For each given and family name their level and one more; 0 where one is missing."""
        found = np.zeros(len(given), dtype=np.uint8)
        both = np.nonzero((given > 0) & (family > 0))[0]
        found[both] = 1
        one, other = given[both], family[both]
        open_ = may_share(self.first_words[one], self.last_words[other])
        first, last = self.firsts.take(one), self.lasts.take(other)
        open_ |= may_be_alike(first, last, 2)
        left = both[open_]
        if len(left):
            size = self.family.size
            pairs, where = compress(given[left].astype(np.int64) * size + family[left])
            known = self._known
            new = np.array([pair for pair in pairs.tolist() if pair not in known], dtype=np.int64)
            ones, others = np.divmod(new, size)
            for pair, one, other in zip(
                new.tolist(),
                values_at(self.given.values, ones),
                values_at(self.family.values, others),
                strict=True,
            ):
                known[pair] = crossing(one, other) + 1
            levels = np.array([known[pair] for pair in pairs.tolist()], dtype=np.uint8)
            found[left] = levels[where]
        return found
