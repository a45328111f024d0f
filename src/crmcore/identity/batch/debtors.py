"""Pairs that stand for all that blocks leave out which are too large: those that the reference draws.

Invariant: the same blocks and pairs as `crmcore.identity.model.recall_debt.sample` finds.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.arrays import Keys
from crmcore.identity.batch.texts import Ints, Longs
from crmcore.identity.model.recall_debt import Sample, block_of, blocks_a_stratum, pairs_a_block, stratum_of

_CHUNK = 1 << 14


@attrs.frozen(eq=False, repr=False)
class Debtors:
    """A *sample* of pairs *a* < *b*, and in how many too large blocks (*times*) each is; 0 for those that are compared
    all the same."""

    sample: Sample
    a: Ints
    b: Ints
    times: Longs


def debtors(keys: Keys, sizes: Longs, cap: int, compared: Longs, records: int) -> Debtors:
    """The sample of the blocks above the *cap*; *compared* has the pairs of so many records that are compared, packed
    and sorted."""
    drawn, strata = _drawn(keys, sizes, cap, records)
    members = _members(keys, drawn, len(sizes))
    drawn_of = Counter(stratum_of(len(mine)) for mine in members)
    blocks = [
        block_of(number, mine, pairs_a_block(records, drawn_of[stratum_of(len(mine))]))
        for number, mine in zip(keys.numbers(drawn).tolist(), members, strict=True)
    ]
    sample = Sample(blocks, strata)
    pairs = np.array(sample.pairs, dtype=np.int64).reshape(-1, 2)
    packed = pairs[:, 0] * records + pairs[:, 1]
    where = np.minimum(np.searchsorted(compared, packed), max(len(compared) - 1, 0))
    known = compared[where] == packed if len(compared) else np.zeros(len(packed), dtype=np.bool_)
    times = np.where(known, 0, _shared(keys, sizes > cap, pairs))
    return Debtors(sample, pairs[:, 0].astype(np.int32), pairs[:, 1].astype(np.int32), times)


def _drawn(keys: Keys, sizes: Longs, cap: int, records: int) -> tuple[Longs, dict[int, int]]:
    """The keys of the blocks that are drawn, by stratum and number; and how many blocks each stratum has."""
    wide = np.nonzero(sizes > cap)[0]
    bounds = [1 << at for at in range(stratum_of(int(sizes.max(initial=0))) + 1)]
    strata = np.searchsorted(bounds, sizes[wide], side="right")
    numbers, most = keys.numbers(wide), blocks_a_stratum(records)
    drawn: list[Longs] = []
    counts: dict[int, int] = {}
    for stratum in np.unique(strata).tolist():
        mine = np.nonzero(strata == stratum)[0]
        counts[stratum] = len(mine)
        drawn.append(wide[mine[np.argsort(numbers[mine], kind="stable")[:most]]])
    return np.concatenate(drawn) if drawn else wide, counts


def _members(keys: Keys, drawn: Longs, count: int) -> list[Longs]:
    """The records that have each of the drawn keys, ascending."""
    place = np.full(count, -1, dtype=np.int32)
    place[drawn] = np.arange(len(drawn), dtype=np.int32)
    found: list[tuple[Ints, Longs]] = []
    for slot in keys.slots:
        mine = np.where(slot >= 0, place[slot], np.int32(-1))
        rows = np.nonzero(mine >= 0)[0]
        found.append((mine[rows], rows))
    if not found:
        return []
    which, rows = (np.concatenate(every) for every in zip(*found, strict=True))
    # There are few drawn blocks: numbers of 16 bits are sorted in one pass.
    narrow = which.astype(np.uint16) if len(drawn) < 1 << 16 else which
    rows = rows[np.argsort(narrow, kind="stable")]
    bounds = np.concatenate([[0], np.cumsum(np.bincount(which, minlength=len(drawn)))])
    return [np.sort(rows[low:high]) for low, high in pairwise(bounds.tolist())]


def _shared(keys: Keys, wide: NDArray[np.bool_], pairs: Longs) -> Longs:
    """How many wide keys two records have in common."""
    found = np.zeros(len(pairs), dtype=np.int64)
    if not keys.slots:
        return found
    for start in range(0, len(pairs), _CHUNK):
        part = pairs[start : start + _CHUNK]
        one, other = (np.stack([slot[part[:, side]] for slot in keys.slots]) for side in (0, 1))
        one = np.where((one >= 0) & wide[one], one, -1)
        for mine in one:
            found[start : start + _CHUNK] += ((mine >= 0) & (mine == other)).sum(axis=0)
    return found
