"""Streets compared part by part: each two numbers and each two names once, however many doors there are.

Invariant: the levels are those of `crmcore.identity.field_levels.streets`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.arrays import ColumnArrays
from crmcore.identity.batch.arrow import pa, pc
from crmcore.identity.batch.forms import Forms, blooms_of, may_be_alike, may_share
from crmcore.identity.batch.street_columns import Streets
from crmcore.identity.batch.texts import Flags, Ints, Levels, compress, ids_of
from crmcore.identity.field_levels import named_alike, numbers_alike, says_box


class StreetGrader:
    """Grades pairs of codes of the column of streets."""

    def __init__(self, column: ColumnArrays) -> None:
        values = column.values if isinstance(column.values, Streets) else Streets.of(column.values)
        self._number, _, self._numbers = ids_of(values.number)
        self._name, _, self._names = ids_of(values.street)
        self._type, _, _ = ids_of(values.type)
        self._direction, _, _ = ids_of(values.direction)
        self._unit, _, _ = ids_of(values.unit)
        joined = pc.replace_substring(self._names, " ", "")
        self._joined, _, _ = ids_of(joined)
        self._numeral = np.array([text.isdigit() for text in joined.to_pylist()], dtype=np.bool_)
        self._forms = Forms.of(joined)
        split = pc.utf8_split_whitespace(self._names)
        offsets = np.asarray(split.offsets, dtype=np.int64) - split.offsets[0].as_py()
        self._words = blooms_of(split.flatten(), offsets)
        boxes = np.array([says_box(text) for text in joined.to_pylist()], dtype=np.bool_)
        self._box = boxes[self._name] & (self._type == 0)
        self._numbers_known: dict[int, int] = {}
        self._names_known: dict[int, int] = {}
        named, numbered = self._name > 0, self._number > 0
        # With itself: the door, or as much as there is of it.
        self._itself = np.where(named, np.where(numbered, 6, 4), np.where(numbered, 2, 0)).astype(np.uint8)

    def levels(self, a: Ints, b: Ints) -> Levels:
        """The level of each pair of codes; 0 where one is missing, or says nothing of the other."""
        found = np.zeros(len(a), dtype=np.uint8)
        there = (a > 0) & (b > 0) & (self._box[a] == self._box[b])
        equal = np.nonzero(there & (a == b))[0]
        found[equal] = self._itself[a[equal]]
        left = np.nonzero(there & (a != b))[0]
        found[left] = self._different(a[left], b[left])
        return found

    def _different(self, a: Ints, b: Ints) -> Levels:
        street = self._alike(a, b)
        numbers = np.full(len(a), -1, dtype=np.int8)
        unnamed = (self._name[a] == 0) | (self._name[b] == 0)
        both = np.nonzero((self._number[a] > 0) & (self._number[b] > 0) & (unnamed | (street > 0)))[0]
        numbers[both] = self._by_pair(
            self._number[a[both]], self._number[b[both]], self._numbers, numbers_alike, self._numbers_known, 3
        )
        other_unit = self._other(self._unit, a, b)
        found = np.where(numbers < 0, 4, np.where(numbers > 0, 3, 2))
        found[street == 1] = 2
        found[numbers == 3] = np.where((street == 3) & ~other_unit, 6, 5)[numbers == 3]
        found[street == 0] = 1
        found[unnamed] = np.where(numbers < 0, 0, np.where(numbers == 3, 2, 1))[unnamed]
        return found.astype(np.uint8)

    def _alike(self, a: Ints, b: Ints) -> NDArray[np.int8]:
        """3 the same, 2 another kind, direction or a typing error, 1 roughly, 0 different."""
        one, other = self._name[a], self._name[b]
        same = self._joined[one] == self._joined[other]
        turned = self._other(self._type, a, b) | self._other(self._direction, a, b)
        found = np.where(same, np.where(turned, 2, 3), 0).astype(np.int8)
        open_ = ~same & ~(self._numeral[one] | self._numeral[other]) & (one > 0) & (other > 0)
        at = np.nonzero(open_)[0]
        one, other = one[at], other[at]
        may = may_be_alike(self._forms.take(one), self._forms.take(other), 1)
        may |= may_share(self._words[one], self._words[other])
        at, one, other = at[may], one[may], other[may]
        found[at] = self._by_pair(one, other, self._names, named_alike, self._names_known, -1)
        return found

    def _other(self, part: Ints, a: Ints, b: Ints) -> Flags:
        one, other = part[a], part[b]
        return (one > 0) & (other > 0) & (one != other)

    def _by_pair(
        self,
        one: Ints,
        other: Ints,
        texts: Any,
        compare: Callable[[str, str], int],
        known: dict[int, int],
        equal: int,
    ) -> NDArray[np.int8]:
        """What two texts are at, each two compared once."""
        size = len(texts)
        low, high = np.minimum(one, other).astype(np.int64), np.maximum(one, other)
        pairs, which = compress(low * size + high)
        new = [pair for pair in pairs.tolist() if pair not in known]
        firsts, seconds = (
            (
                texts.take(pa.array(ids, type=pa.int64())).to_pylist()
                for ids in zip(*(divmod(p, size) for p in new), strict=True)
            )
            if new
            else ((), ())
        )
        for pair, x, y in zip(new, firsts, seconds, strict=True):
            known[pair] = equal if x == y and equal >= 0 else compare(x, y)
        return np.array([known[pair] for pair in pairs.tolist()], dtype=np.int8)[which]
