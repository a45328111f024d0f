"""All that the SQLite file keeps, as rows of one snapshot.

Invariant: a snapshot has a connection of its own and one transaction on it, so it shows one moment, holds up nobody who
writes, and holds a row at a time. While it is open the write-ahead log cannot be emptied beyond its moment, and grows.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from crmcore.errors import StoreClosed
from crmcore.storage.document import Json, decode
from crmcore.storage.sqlite_read import to_text
from crmcore.storage.sqlite_schema import translating
from crmcore.storage.stored import (
    Happened,
    Portions,
    Stored,
    StoredBatch,
    StoredEntry,
    StoredRecord,
    StoredTenant,
)
from crmcore.storage.validate import carried_by, check_limit


class SqliteSnapshot:
    """A `Snapshot` of an SQLite file. *connection* is its own, in a transaction, and is closed with it."""

    def __init__(self, connection: sqlite3.Connection, name: str, tenants: Collection[str] | None) -> None:
        self._connection = connection
        self._name = name
        self._rows = Portions(rows_of(connection, tenants))
        self._lock = threading.Lock()
        self._closed = False

    def read(self, limit: int = 1000) -> Sequence[Stored]:
        check_limit(limit)
        with self._lock, translating(self._name):
            if self._closed:
                raise StoreClosed("this snapshot is closed: take another one")
            return self._rows.take(limit)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._connection.close()


def rows_of(connection: sqlite3.Connection, tenants: Collection[str] | None) -> Iterator[Stored]:
    """The rows of these tenants, or of all, in the order of `crmcore.storage.stored`."""
    wanted = None if tenants is None else set(tenants)
    names = connection.execute("SELECT name, no, pepper FROM tenant ORDER BY name").fetchall()
    for tenant, number, pepper in names:
        if wanted is None or tenant in wanted:
            yield StoredTenant(tenant, pepper or b"")
            yield from _records(connection, tenant, number)
            yield from _entries(connection, tenant, number)
            yield from _batches(connection, tenant, number)
            yield from _fences(connection, tenant, number)


def _records(connection: sqlite3.Connection, tenant: str, number: int) -> Iterator[Stored]:
    rows = connection.execute(
        "SELECT kind, id, version, schema, body, carries FROM record WHERE tenant = ? ORDER BY kind, id",
        (number,),
    )
    for kind, blob, version, schema, body, carries in rows:
        text = None if body is None else Json(body)
        yield StoredRecord(tenant, kind, to_text(blob), version, schema, text, *carried_by(carries))


def _entries(connection: sqlite3.Connection, tenant: str, number: int) -> Iterator[Stored]:
    rows = connection.execute(
        "SELECT stream, seq, occurred, recorded, subjects, schema, body FROM ledger WHERE tenant = ? "
        "ORDER BY stream, seq",
        (number,),
    )
    for stream, seq, occurred, recorded, subjects, schema, body in rows:
        named = tuple(decode(subjects))
        yield StoredEntry(tenant, stream, seq, occurred, recorded, named, schema, Json(body))


def _batches(connection: sqlite3.Connection, tenant: str, number: int) -> Iterator[Stored]:
    # The numbers of batches ascend as their changes do, so both are gone through side by side.
    feed = connection.execute(
        "SELECT op, name, id, what FROM feed WHERE tenant = ? ORDER BY number", (number,)
    )
    rows = connection.execute(
        "SELECT idem, digest, at, first, last, actor, reason, rows, refused, text, rekeyed FROM batch "
        "LEFT JOIN load ON load.batch = batch.no LEFT JOIN erasure ON erasure.batch = batch.no "
        "WHERE tenant = ? AND digest IS NOT NULL ORDER BY batch.no",
        (number,),
    )
    for idem, digest, at, first, last, actor, reason, count, refused, text, rekeyed in rows:
        events: tuple[Happened, ...] = tuple(
            (op, name, to_text(blob) if blob else "", what)
            for op, name, blob, what in islice(feed, last - first)
        )
        load = None if count is None else (count, refused)
        only_rekeyed = tuple((kind, id_) for kind, id_ in decode(rekeyed)) if rekeyed else ()
        yield StoredBatch(tenant, idem, digest, at, actor, reason, events, load, text, only_rekeyed)


def _fences(connection: sqlite3.Connection, tenant: str, number: int) -> Iterator[Stored]:
    rows = connection.execute(
        "SELECT idem FROM batch WHERE tenant = ? AND digest IS NULL ORDER BY idem", (number,)
    )
    for (idem,) in rows:
        yield StoredBatch(tenant, idem, None, 0, "", None)
