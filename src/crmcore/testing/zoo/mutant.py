"""What the mutants are made from: a good store, and short ways to change what it is given.

Invariant: a mutant breaks one promise, in at most ten lines, and names the check that is about that promise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs

from crmcore.storage import Append, Batch, Operation, Put, Receipt
from crmcore.testing.toy import Toy, damaged, newer, older

HOOKS: dict[str, Any] = {"older": older, "newer": newer, "damaged": damaged}


class Mutant(Toy):
    """A good store; the mutants override one call. *caught_by* names the check that must turn red."""

    caught_by = ""

    def again(self, batch: Batch, change: Callable[[Any], Iterable[Operation]], timeout: float) -> Receipt:
        """Apply *batch* with each of its operations replaced by those that *change* gives for it."""
        ops = tuple(new for op in batch.ops for new in change(op))
        return super().apply(attrs.evolve(batch, ops=ops), timeout=timeout)


def each_put(change: Callable[[Put], Put]) -> Callable[[Any], list[Operation]]:
    """A change of puts alone."""
    return lambda op: [change(op) if isinstance(op, Put) else op]


def each_append(change: Callable[[Append], Append]) -> Callable[[Any], list[Operation]]:
    """A change of appends alone."""
    return lambda op: [change(op) if isinstance(op, Append) else op]
