"""Stores that give bad snapshots, or restore them badly.

Invariant: each breaks one promise, and is good otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from crmcore.errors import (
    StoreError,
)
from crmcore.storage import (
    Restored,
    Stored,
    StoredBatch,
    StoredEntry,
    StoredRecord,
    StoredTenant,
)
from crmcore.testing.zoo.mutant import Mutant


class Live:
    """No snapshot: each time that it is read, it reads what is there now."""

    def __init__(self, export: Any, tenants: Collection[str] | None) -> None:
        self._export, self._tenants, self._place = export, tenants, 0

    def read(self, limit: int = 1000) -> list[Stored]:
        self._place += limit
        return list(self._export(self._tenants).read(1_000_000))[self._place - limit : self._place]

    def close(self) -> None:
        pass


class Changed:
    """A snapshot whose rows are changed as they are read."""

    def __init__(self, snapshot: Any, change: Any) -> None:
        self._snapshot, self._change = snapshot, change
        self.close = snapshot.close

    def read(self, limit: int = 1000) -> list[Stored]:
        some: list[Stored] = []
        while not some and (read := self._snapshot.read(limit)):
            some = [new for row in read for new in self._change(row)]
        return some


def takes(rows: Iterable[Stored]) -> Iterator[Stored]:
    """The rows up to where they cannot be read on."""
    try:
        yield from rows
    except StoreError:
        return


class NotASnapshot(Mutant):
    """Reads what is there when it is read."""

    caught_by = "a_snapshot_shows_nothing_that_came_later"

    def export(self, tenants: Collection[str] | None = None) -> Any:
        return Live(super().export, tenants)


class SnapshotOfAll(Mutant):
    """Gives the rows of every tenant, whoever was asked for."""

    caught_by = "a_snapshot_is_of_the_tenants_asked_for"

    def export(self, tenants: Collection[str] | None = None) -> Any:
        return super().export()


class SnapshotWithoutKeys(Mutant):
    """Leaves the keys out of a snapshot."""

    caught_by = "a_snapshot_has_all_that_can_be_read"

    def export(self, tenants: Collection[str] | None = None) -> Any:
        return Changed(
            super().export(tenants),
            lambda row: [row._replace(keys=()) if isinstance(row, StoredRecord) else row],
        )


class SnapshotWithoutFences(Mutant):
    """Leaves the fences out of a snapshot."""

    caught_by = "rows_come_in_their_order_whatever_the_chunk"

    def export(self, tenants: Collection[str] | None = None) -> Any:
        return Changed(
            super().export(tenants),
            lambda row: [] if isinstance(row, StoredBatch) and row.digest is None else [row],
        )


class RestoresNoLedgers(Mutant):
    """Restores the records alone."""

    caught_by = "a_restored_store_is_equal"

    def restore(self, rows: Iterable[Stored]) -> Restored:
        return super().restore(row for row in rows if not isinstance(row, StoredEntry))


class RestoresNoReceipts(Mutant):
    """Restores what can be seen, not what was sent."""

    caught_by = "a_restored_store_goes_on"

    def restore(self, rows: Iterable[Stored]) -> Restored:
        return super().restore(row for row in rows if not isinstance(row, StoredBatch))


class RestoresOver(Mutant):
    """Restores into a tenant that has something."""

    caught_by = "a_store_that_has_something_is_not_restored_into"

    def restore(self, rows: Iterable[Stored]) -> Restored:
        self._tenants.clear()
        return super().restore(rows)


class RestoresHalf(Mutant):
    """Keeps the rows before a bad one."""

    caught_by = "a_restore_writes_everything_or_nothing"

    def restore(self, rows: Iterable[Stored]) -> Restored:
        kept = list(takes(rows))
        try:
            return super().restore(kept)
        except StoreError:
            super().restore(row for row in kept if isinstance(row, StoredTenant))
            raise
