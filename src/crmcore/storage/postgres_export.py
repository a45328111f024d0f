"""All that a store on PostgreSQL keeps, as rows of one snapshot.

Invariant: a snapshot has a connection of its own and one transaction on it, which only reads: it shows one moment,
holds up nobody who writes nor the feed, and has a few hundred rows in memory at a time, or some megabytes of them.
While it is open the server cannot clear away what was changed since.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

from crmcore.errors import StoreClosed
from crmcore.storage.document import Json, decode
from crmcore.storage.kept import from_kept
from crmcore.storage.plan import Event
from crmcore.storage.postgres_driver import DriverError, Late, Link
from crmcore.storage.postgres_errors import translated
from crmcore.storage.postgres_exchange import Row
from crmcore.storage.postgres_rows import carried_by, unpacked
from crmcore.storage.stored import (
    MOST_BYTES,
    Happened,
    Stored,
    StoredBatch,
    StoredEntry,
    StoredRecord,
    StoredTenant,
    weight,
)
from crmcore.storage.validate import check_limit

_AT_A_TIME = 250
BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
UNHURRIED = (
    "SELECT set_config('statement_timeout', '0', true), "
    "set_config('idle_in_transaction_session_timeout', '0', true)"
)

HAS_SOMETHING = (
    "(EXISTS (SELECT FROM {batch} AS b WHERE b.tenant = t.no) OR EXISTS (SELECT FROM {record} AS r "
    "WHERE r.tenant = t.no) OR EXISTS (SELECT FROM {ledger} AS l WHERE l.tenant = t.no))"
)
"""Whether there is anything of a tenant beside its number."""

_NAMES = f"SELECT name, no, pepper FROM {{tenant}} AS t WHERE {HAS_SOMETHING} ORDER BY name"
_RECORDS = "SELECT kind, id, version, schema, body, carries FROM {record} WHERE tenant = $1 ORDER BY kind, id"
_ENTRIES = (
    "SELECT stream, seq, occurred, recorded, subjects, schema, body FROM {ledger} WHERE tenant = $1 "
    "ORDER BY stream, seq"
)
# Canonical JSON has no line break, so one stands between the rows of the feed.
_BATCHES = (
    "SELECT idem, digest, at, actor, reason, rows, refused, erasure, rekeyed, "
    "(SELECT string_agg(f.changes, chr(10) ORDER BY f.n) FROM {feed} AS f "
    "WHERE f.tenant = b.tenant AND f.era = b.era AND f.tx = b.tx AND f.no = b.no) "
    "FROM {batch} AS b WHERE tenant = $1 AND digest IS NOT NULL ORDER BY era, tx, no"
)
_FENCES = "SELECT idem FROM {batch} WHERE tenant = $1 AND digest IS NULL ORDER BY idem"


async def through(link: Link, text: str, *parameters: Any) -> AsyncIterator[Row]:
    """The rows of a statement, few at a time, fewer of large ones; until the end the connection does nothing else."""
    await link.begin(text, parameters)
    while rows := await link.some(_AT_A_TIME, MOST_BYTES):
        for row in rows:
            yield row


async def rows_of(link: Link, tenants: Collection[str] | None) -> AsyncIterator[Stored]:
    """The rows of these tenants, or of all, in the order of `crmcore.storage.stored`."""
    for tenant, number, pepper in await link.ask(_NAMES):
        if tenants is not None and tenant not in tenants:
            continue
        yield StoredTenant(tenant, pepper)
        async for kind, id_, version, schema, body, carries in through(link, _RECORDS, number):
            text = None if body is None else Json(body)
            yield StoredRecord(tenant, kind, id_, version, schema, text, *carried_by(carries))
        async for stream, seq, occurred, recorded, subjects, schema, body in through(link, _ENTRIES, number):
            named = _subjects(subjects)
            yield StoredEntry(tenant, stream, seq, occurred, recorded, named, schema, Json(body))
        async for row in through(link, _BATCHES, number):
            yield _batch(tenant, *row)
        async for (idem,) in through(link, _FENCES, number):
            yield StoredBatch(tenant, idem, None, 0, "", None)


@from_kept
def _subjects(text: str) -> tuple[str, ...]:
    return tuple(decode(text))


def _batch(
    tenant: str,
    idem: str,
    digest: bytes,
    at: int,
    actor: str,
    reason: str | None,
    rows: int | None,
    refused: str | None,
    erasure: str | None,
    rekeyed: str | None,
    changes: str | None,
) -> StoredBatch:
    texts = [] if changes is None else changes.split("\n")
    events = tuple([happened(event) for text in texts for event in unpacked(text)])
    load = None if rows is None or refused is None else (rows, refused)
    return StoredBatch(tenant, idem, digest, at, actor, reason, events, load, erasure, _rekeyed(rekeyed))


@from_kept
def _rekeyed(text: str | None) -> tuple[tuple[str, str], ...]:
    return tuple((kind, id_) for kind, id_ in decode(text)) if text else ()


def happened(event: Event) -> Happened:
    """A change, as a plain tuple."""
    return event.op, event.name, event.id, event.number


class AsyncPostgresSnapshot:
    """An `AsyncSnapshot`. *link* is its own, in a transaction, and is closed with it."""

    def __init__(self, link: Link, tenants: Collection[str] | None, timeout: float) -> None:
        self._link = link
        self._timeout = timeout
        self._rows = rows_of(link, None if tenants is None else frozenset(tenants))
        self._closed = self._failed = self._busy = False

    async def read(self, limit: int = 1000) -> Sequence[Stored]:
        check_limit(limit)
        self._busy = True  # before it is asked whether it is closed: who closes asks the other way round
        try:
            return await self._portion(limit)
        finally:
            self._busy = False
            if self._closed or self._failed:
                self._link.drop()

    async def _portion(self, limit: int) -> list[Stored]:
        if self._closed:
            raise StoreClosed("this snapshot is closed, or its store: take another one")
        if self._failed:
            raise StoreClosed(
                "reading this snapshot failed before, so its rows are not all there: take another one"
            )
        self._link.until(time.monotonic() + self._timeout)
        self._failed = True  # unless it goes well: half of the rows are not all of them
        found: list[Stored] = []
        weighed = 0
        try:
            async for row in self._rows:
                found.append(row)
                weighed += weight(row)
                if len(found) == limit or weighed >= MOST_BYTES:
                    break
        except (DriverError, Late) as error:
            raise translated(error) from None
        self._failed = False
        return found

    async def close(self) -> None:
        self.end()

    def end(self) -> None:
        """Close it; a read that is under way, in another thread, drops the connection when it ends."""
        self._closed = True
        if not self._busy:
            self._link.drop()  # the server ends what a closed connection had begun
