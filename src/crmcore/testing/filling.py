"""Filling a store with more than a page, in batches that it takes.

Invariant: no batch that is made here is over a limit that the store declares, so a refusal is the store's fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from crmcore.storage import Limits, Operation, Put
from crmcore.testing.kit import Writer

MOST = 500
"""Operations in a batch at most, whatever the store takes: one more makes a check slower and no stricter."""


async def fill(write: Writer, ops: Iterable[Operation]) -> None:
    """Write *ops* in their order, in as many batches as it takes."""
    for some in _portions(write.store.describe().limits, ops):
        await write(*some)


def _portions(limits: Limits, ops: Iterable[Operation]) -> Iterator[Sequence[Operation]]:
    most = min(limits.max_ops, MOST)
    some: list[Operation] = []
    items = 0
    for op in ops:
        cost = 2 + len(op.keys) + len(op.sorts) if isinstance(op, Put) else 1
        if some and (len(some) == most or items + cost > limits.max_items):
            yield some
            some, items = [], 0
        some.append(op)
        items += cost
    if some:
        yield some
