"""Stretches of equal numbers, and the pairs within them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from crmcore.identity.batch.texts import Longs


def pairs_in(packed: Longs, records: int) -> Iterator[Longs]:
    """All pairs within each block of *packed* numbers, sorted: a block's number times the *records*, and a record."""
    block, record = np.divmod(packed, records)
    starts, sizes = runs(block)
    for size in np.unique(sizes):
        if size > 1:
            rows = record[starts[sizes == size][:, None] + np.arange(size)]
            first, second = np.triu_indices(int(size), 1)
            yield (rows[:, first] * records + rows[:, second]).ravel()


def runs(values: Longs) -> tuple[Longs, Longs]:
    """Where runs of equal values begin, and how long they are."""
    if not len(values):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    starts = np.concatenate([[0], np.nonzero(values[1:] != values[:-1])[0] + 1])
    return starts, np.diff(np.concatenate([starts, [len(values)]]))


def pairs_within(sizes: Longs, cap: int) -> int:
    """How many pairs there are in the blocks that are compared whole."""
    few = sizes[sizes <= cap]
    return int((few * (few - 1) // 2).sum())
