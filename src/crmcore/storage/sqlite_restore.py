"""Restoring rows into the SQLite file, within a transaction that the caller has begun and will end.

Invariant: a tenant is restored only where it has nothing. Rows are written a few hundred or a few megabytes at a time,
so as many of them are held and no more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence, Set
from typing import Any

from crmcore.storage.cursor import new_generation
from crmcore.storage.document import write
from crmcore.storage.protocol import Limits
from crmcore.storage.restoring import Counts, checked_rows, not_empty, refuse_shared, twice
from crmcore.storage.sqlite_read import to_blob
from crmcore.storage.sqlite_write import insert
from crmcore.storage.stored import (
    MOST_BYTES,
    Stored,
    StoredBatch,
    StoredEntry,
    StoredRecord,
    StoredTenant,
    weight,
)
from crmcore.storage.stream import Restored
from crmcore.storage.validate import carried

_TOGETHER = 512

_TABLES = {
    "record (tenant, kind, id, version, schema, carries, body)": 7,
    "key (tenant, namespace, value, kind, id)": 5,
    "sort (tenant, namespace, part, value, id, kind)": 6,
    "ledger (tenant, stream, seq, occurred, recorded, subjects, schema, body)": 8,
    "batch (no, tenant, idem, digest, at, first, last, actor, reason, rekeyed)": 10,
    "feed (tenant, number, batch, op, name, id, what)": 7,
    "load (batch, rows, refused)": 3,
    "erasure (batch, text)": 2,
}
_RECORD, _KEY, _SORT, _LEDGER, _BATCH, _FEED, _LOAD, _ERASURE = _TABLES


def restore(
    connection: sqlite3.Connection, rows: Iterable[Stored], limits: Limits, exclusive: Set[str]
) -> Restored:
    """Write *rows*, the rows of a snapshot.

    Raises:
        NotEmpty: if a tenant among them has something here.
        KeyConflict: if two records carry a key that is exclusive here.
        InvalidRecord: if the rows are in another order, or one of them cannot be kept.
    """
    counts = Counts()
    writer = _Writer(connection, exclusive)
    for row in checked_rows(rows, limits):
        counts.add(row)
        writer.take(row)
    writer.end_tenant()
    return counts.restored()


class _Writer:
    """Gathers rows of tables, and writes them when there are many."""

    def __init__(self, connection: sqlite3.Connection, exclusive: Set[str]) -> None:
        self._connection = connection
        self._exclusive = exclusive
        self._waiting: dict[str, list[tuple[Any, ...]]] = {into: [] for into in _TABLES}
        self._tenant = 0
        self._rows = 0
        self._weight = 0
        self._head = 0
        self._batch = int(connection.execute("SELECT coalesce(max(no), 0) FROM batch").fetchone()[0])

    def take(self, row: Stored) -> None:
        if isinstance(row, StoredTenant):
            self.end_tenant()
            self._begin_tenant(row)
            return
        self._rows += 1
        self._weight += weight(row)
        if isinstance(row, StoredRecord):
            self._record(row)
        elif isinstance(row, StoredEntry):
            _, stream, seq, occurred, recorded, subjects, schema, body = row
            entry = (self._tenant, stream, seq, occurred, recorded, write(subjects), schema, str(body))
            self._add(_LEDGER, [entry])
        else:
            self._note(row)
        if self._weight >= MOST_BYTES:
            self._flush_all()

    def _begin_tenant(self, row: StoredTenant) -> None:
        if self._connection.execute("SELECT 1 FROM tenant WHERE name = ?", (row.tenant,)).fetchone():
            raise not_empty()
        number = self._connection.execute(
            "INSERT INTO tenant (name, head, pepper, generation) VALUES (?, 0, ?, ?)",
            (row.tenant, row.pepper or None, new_generation()),
        ).lastrowid
        assert number is not None  # for the type checker: a row was inserted
        self._tenant, self._rows, self._head = number, 0, 0

    def end_tenant(self) -> None:
        """Write what waits, and look at the tenant as a whole."""
        self._flush_all()
        if not self._rows:  # nothing is kept of a tenant that has nothing
            self._connection.execute("DELETE FROM tenant WHERE no = ?", (self._tenant,))
        self._connection.execute("UPDATE tenant SET head = ? WHERE no = ?", (self._head, self._tenant))
        for namespace in sorted(self._exclusive):
            row = self._connection.execute(
                "SELECT namespace, value FROM key WHERE tenant = ? AND namespace = ? "
                "GROUP BY value HAVING count(*) > 1 LIMIT 1",
                (self._tenant, namespace),
            ).fetchone()
            refuse_shared(row)

    def _record(self, row: StoredRecord) -> None:
        _, kind, id_, version, schema, body, keys, sorts = row
        number, blob = self._tenant, to_blob(id_)
        text = None if body is None else str(body)
        self._add(_RECORD, [(number, kind, blob, version, schema, carried(keys, sorts), text)])
        self._add(_KEY, [(number, *pair, kind, blob) for pair in keys])
        self._add(_SORT, [(number, *triple, blob, kind) for triple in sorts])

    def _note(self, row: StoredBatch) -> None:
        _, idem, digest, at, actor, reason, events, load, erasure, rekeyed = row
        self._batch += 1
        first = 0 if digest is None else self._head
        last = first + len(events)
        text = write(rekeyed) if rekeyed else None
        self._add(_BATCH, [(self._batch, self._tenant, idem, digest, at, first, last, actor, reason, text)])
        changes = [
            (self._tenant, place, self._batch, op, name, to_blob(id_), what)
            for place, (op, name, id_, what) in enumerate(events, first + 1)
        ]
        self._add(_FEED, changes)
        self._head = max(self._head, last)
        if load is not None:
            self._add(_LOAD, [(self._batch, *load)])
        if erasure is not None:
            self._add(_ERASURE, [(self._batch, erasure)])

    def _add(self, into: str, rows: Sequence[tuple[Any, ...]]) -> None:
        waiting = self._waiting[into]
        waiting += rows
        if len(waiting) >= _TOGETHER:
            self._flush(into)

    def _flush_all(self) -> None:
        self._weight = 0
        for into in _TABLES:
            self._flush(into)

    def _flush(self, into: str) -> None:
        waiting, self._waiting[into] = self._waiting[into], []
        try:
            insert(self._connection, into, _TABLES[into], waiting)
        except sqlite3.IntegrityError:
            # Every other row is new by its order, and only keys of batches come in none.
            raise twice() from None
