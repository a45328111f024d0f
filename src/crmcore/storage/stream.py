"""Reading a whole store as of one moment, and writing it into another: two optional parts, ``stream`` and ``backup``.

Invariant: a snapshot shows no batch that was applied after it was taken and all of those before, however long it is
read; it holds few rows in memory at a time. A restore writes everything or nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol, cast

import attrs

from crmcore.storage.capability import BACKUP, STREAM, claimed
from crmcore.storage.protocol import AsyncStore
from crmcore.storage.stored import Stored


class Snapshot(Protocol):
    """A store as of one moment. It takes room in the store until it is closed, so read it and close it."""

    def read(self, limit: int = 1000) -> Sequence[Stored]:
        """The next rows, *limit* at most, in the order that `crmcore.storage.stored` states; none: that was all."""
        ...

    def close(self) -> None:
        """Give it back. May be repeated."""
        ...


class AsyncSnapshot(Protocol):
    """A `Snapshot` for asynchronous code."""

    async def read(self, limit: int = 1000) -> Sequence[Stored]: ...

    async def close(self) -> None: ...


class Stream(Protocol):
    """What a `Store` that claims ``stream`` also has."""

    def export(self, tenants: Collection[str] | None = None) -> Snapshot:
        """A snapshot of these tenants, or of all. A tenant that has nothing gives no row."""
        ...


class AsyncStream(Protocol):
    """What an `AsyncStore` that claims ``stream`` also has."""

    async def export(self, tenants: Collection[str] | None = None) -> AsyncSnapshot: ...


@attrs.frozen(kw_only=True)
class Restored:
    """How many rows of each sort were written."""

    tenants: int
    records: int
    entries: int
    batches: int


class Backup(Protocol):
    """What a `Store` that claims ``backup`` also has."""

    def restore(self, rows: Iterable[Stored]) -> Restored:
        """Write the rows of a snapshot, in their order: all, in one transaction, or nothing.

        *rows* is gone through once and never held as a whole.

        Raises:
            NotEmpty: if a tenant among them has something in this store already.
            KeyConflict: if two records carry a key that is exclusive in this store.
            InvalidRecord: if the rows are in another order, or this store cannot keep one of them.
        """
        ...


class AsyncBackup(Protocol):
    """What an `AsyncStore` that claims ``backup`` also has."""

    async def restore(self, rows: Iterable[Stored]) -> Restored: ...


def stream_of(store: AsyncStore) -> AsyncStream:
    """The part of *store* that gives snapshots.

    Raises:
        CapabilityMissing: if it does not claim to have one.
    """
    claimed(store.describe(), STREAM)
    return cast("AsyncStream", store)


def backup_of(store: AsyncStore) -> AsyncBackup:
    """The part of *store* that a snapshot can be restored into.

    Raises:
        CapabilityMissing: if it does not claim to have one.
    """
    claimed(store.describe(), BACKUP)
    return cast("AsyncBackup", store)
