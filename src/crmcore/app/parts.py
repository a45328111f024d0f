"""Writing many things in as few batches as a store takes.

Invariant: a thing is written once. A batch that is too large for the store wrote nothing, so its halves may follow.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from crmcore.errors import BatchTooLarge
from crmcore.storage.protocol import Limits

A = TypeVar("A")
R = TypeVar("R")

ITEMS_PER_PARTY = 30
"""About how many items of a store (`Limits.max_items`) a party makes, with its history and what it is matched by."""


def room_for(limits: Limits, *, ops: int, items: int) -> int:
    """How many things fit into one batch, each of so many operations and about so many items; one at least."""
    return max(1, min(limits.max_ops // ops, limits.max_items // items))


async def in_parts(
    commit: Callable[[Sequence[A]], Awaitable[R]], chunk: Sequence[A], into: Callable[[R], object]
) -> None:
    """Give *into* what *commit* gives for *chunk*, or for each of its halves where the store takes no more at a time.

    Raises:
        BatchTooLarge: if a single thing is too much for the store.
    """
    try:
        result = await commit(chunk)
    except BatchTooLarge:
        if len(chunk) < 2:
            raise
    else:
        into(result)
        return
    middle = len(chunk) // 2
    await in_parts(commit, chunk[:middle], into)
    await in_parts(commit, chunk[middle:], into)
