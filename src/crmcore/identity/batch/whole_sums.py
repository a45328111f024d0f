"""Sums and tables of whole numbers: exact, however large, and what the reference says in a few steps for many pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.pairs import runs
from crmcore.identity.batch.texts import Ints, Longs, compress
from crmcore.identity.model.evidence import LEVELS, PART, Agreements, alternatives, certainties, place
from crmcore.identity.model.patterns import BITS, MASK
from crmcore.identity.model.policy import UNIT

_STEP = UNIT >> 8
_LOW = 15
_EXACT = 1 << 53


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Patterns:
    """The different patterns, with a column of levels for each; *of* has for each pair which one it has."""

    values: Longs
    levels: NDArray[np.uint8]
    of: Ints


def patterns_of(packed: Longs, width: int) -> Patterns:
    """The different patterns among those of pairs."""
    values, of = compress(packed)
    levels = np.stack([(values >> at * BITS & MASK).astype(np.uint8) for at in range(width)], axis=1)
    return Patterns(values=values, levels=levels, of=of.astype(np.int32))


def looked_up(rows: Sequence[Sequence[int]], levels: NDArray[np.uint8]) -> Longs:
    """What the levels of each pattern are worth together; a row of *rows* has that of each level of a column."""
    total = np.zeros(len(levels), dtype=np.int64)
    for at, row in enumerate(rows):
        total += np.array(row, dtype=np.int64)[levels[:, at]]
    return total


def probabilities(bits: Longs, other: Longs | None = None) -> Longs:
    """What `crmcore.identity.model.evidence.probability` says of each."""
    if other is not None:
        bits = bits - _table(alternatives)[_places(other)]
    return _table(certainties)[_places(bits)]


@cache
def _table(of: Callable[[], Sequence[int]]) -> Longs:
    return np.array(of(), dtype=np.int64)


def _places(bits: Longs) -> Longs:
    middle = place(0)
    return np.clip((bits + _STEP // 2) // _STEP + middle, 0, 2 * middle)


@attrs.frozen(eq=False, repr=False)
class Grouped:
    """Places put in *order* by their keys, so that amounts are added in one pass; the different *keys*, and where those
    of each begin."""

    order: Longs
    keys: NDArray[Any]
    starts: Longs

    @classmethod
    def of(cls, keys: NDArray[Any]) -> Grouped:
        """The places of some keys."""
        order = np.argsort(keys, kind="stable")
        starts, _ = runs(keys[order])
        return cls(order, keys[order[starts]], starts)

    def sums(self, amounts: Longs) -> Longs:
        """The sum of each key's amounts, which come in order."""
        return np.add.reduceat(amounts, self.starts) if len(self.starts) else np.zeros(0, dtype=np.int64)


def exact(places: NDArray[Any], amounts: NDArray[Any], count: int) -> Longs:
    """Sums of whole numbers by place: exact, since sums below 2^53 are, and larger ones are made of two halves."""
    if len(amounts) * int(amounts.max(initial=0)) < _EXACT:
        return np.bincount(places, weights=amounts, minlength=count).astype(np.int64)
    low = np.bincount(places, weights=amounts & (1 << 26) - 1, minlength=count)
    high = np.bincount(places, weights=amounts >> 26, minlength=count)
    return low.astype(np.int64) + (high.astype(np.int64) << 26)


def dot(share: Longs, amounts: Longs) -> int:
    """A sum of products that may not fit into 64 bits."""
    high, low = share >> _LOW, share & (1 << _LOW) - 1
    return (int((high * amounts).sum()) << _LOW) + int((low * amounts).sum())


def by_level(share: Longs, weight: Longs, starts: Longs, levels: NDArray[np.uint8]) -> list[int]:
    """Sums of products by the levels that the stretches of items have which begin at *starts*."""
    high, low = (share >> _LOW) * weight, (share & (1 << _LOW) - 1) * weight
    halves = [np.add.reduceat(part, starts) if len(starts) else part for part in (high, low)]
    found: list[int] = []
    for at in range(levels.shape[1]):
        highs, lows = (exact(levels[:, at], part, LEVELS).tolist() for part in halves)
        found += [0, *((one << _LOW) + other for one, other in zip(highs[1:], lows[1:], strict=True))]
    return found


def agreeing(one: Longs, ones: int, other: Longs, others: int, parts: Longs) -> Agreements:
    """How much agrees in two columns of so many values, and in both, where each record counts for a part."""
    both = np.nonzero((one > 0) & (other > 0))[0]
    mine, theirs, part = one[both], other[both], parts[both]
    return Agreements(
        count=int(part.sum()),
        one=_twice(exact(mine, part, ones)),
        other=_twice(exact(theirs, part, others)),
        both=_twice(sums_by(mine * others + theirs, part)),
    )


def sums_by(keys: Longs, amounts: Longs) -> Longs:
    """The sum of the amounts of each key."""
    found = Grouped.of(keys)
    return found.sums(amounts[found.order])


def _twice(counts: Longs) -> int:
    return int((counts * np.maximum(counts - PART, 0)).sum())
