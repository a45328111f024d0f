"""Restoring a snapshot into PostgreSQL: all of it in one transaction, copied in some megabytes at a time.

Invariant: rows are gone through once and few of them are held; that an exclusive key has one holder is looked at before
its row is copied, so that who has a conflict is told which namespace it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crmcore.storage.document import write
from crmcore.storage.plan import Event
from crmcore.storage.postgres_copy import BatchRow, Copying, EntryRow, RecordRow
from crmcore.storage.postgres_driver import DriverError
from crmcore.storage.postgres_errors import state_of
from crmcore.storage.postgres_export import HAS_SOMETHING
from crmcore.storage.postgres_locks import whole_tenant
from crmcore.storage.postgres_lookup import Tenant
from crmcore.storage.postgres_rows import key_mark, packed
from crmcore.storage.postgres_transaction import Transaction
from crmcore.storage.postgres_write import rekeyed_text
from crmcore.storage.protocol import Limits
from crmcore.storage.restoring import Counts, checked_rows, not_empty, refuse_shared, twice
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
from crmcore.storage.validate import KeyPair, carried

_THERE = f"SELECT no, {HAS_SOMETHING} FROM {{tenant}} AS t WHERE name = $1"
_NEW = "INSERT INTO {tenant} (name, pepper) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET pepper = $2 RETURNING no"
_ERA = "SELECT convert_from(value, 'UTF8')::bigint, pg_current_xact_id()::text FROM {meta} WHERE name = 'era'"
_LOCK = "SELECT pg_advisory_xact_lock($1)"
_HELD = "SELECT h::text FROM {claim} WHERE tenant = $1 AND h = ANY ($2::uuid[])"
_UNIQUE_VIOLATION = "23505"


async def restore(
    writing: Transaction,
    secret: bytes,
    exclusive: frozenset[str],
    rows: Iterable[Stored],
    limits: Limits,
    timeout: float,
) -> Restored:
    """Write *rows*, the rows of a snapshot; the caller commits. Each step has *timeout* seconds.

    Raises:
        NotEmpty: if a tenant among them has something here.
        KeyConflict: if two records carry a key that is exclusive here.
        InvalidRecord: if the rows are in another order, or one of them cannot be kept.
    """
    ((era, tx),) = await writing.ask(_ERA)
    writer = _Writer(writing, secret, exclusive, era, int(tx), timeout)
    counts = Counts()
    writing.rest()
    for row in checked_rows(rows, limits):
        counts.add(row)
        await writer.take(row)
    await writer.flush()
    return counts.restored()


class _Writer:
    """Gathers the rows of a tenant, and writes them when there are many."""

    def __init__(
        self,
        writing: Transaction,
        secret: bytes,
        exclusive: frozenset[str],
        era: int,
        tx: int,
        timeout: float,
    ) -> None:
        self._writing = writing
        self._secret = secret
        self._exclusive = exclusive
        self._era, self._tx, self._timeout = era, tx, timeout
        self._owner: Tenant | None = None
        self._records: list[RecordRow] = []
        self._entries: list[EntryRow] = []
        self._batches: list[BatchRow] = []
        self._changes: list[tuple[int, int, int, str]] = []
        self._no = self._n = self._weight = 0

    async def take(self, row: Stored) -> None:
        if isinstance(row, StoredTenant):
            await self.flush()
            await self._begin(row)
        elif isinstance(row, StoredRecord):
            self._records.append(
                (
                    *(row.kind, row.id, row.version, row.schema),
                    *(carried(row.keys, row.sorts), row.body, row.keys, row.sorts),
                )
            )
        elif isinstance(row, StoredEntry):
            _, stream, seq, occurred, recorded, subjects, name, body = row
            self._entries.append((stream, seq, occurred, recorded, write(subjects), name, body))
        else:
            self._batch(row)
        self._weight += weight(row)
        if self._weight >= MOST_BYTES:
            await self.flush()

    async def _begin(self, row: StoredTenant) -> None:
        self._writing.resume(self._timeout)
        ((number,), _) = whole_tenant(self._secret, row.tenant)
        await self._writing.ask(_LOCK, number)
        there = await self._writing.ask(_THERE, row.tenant)
        if there and there[0][1]:
            raise not_empty()
        ((number,),) = await self._writing.ask(_NEW, row.tenant, row.pepper)
        self._owner = Tenant(number, row.pepper, self._era)
        self._no = self._n = 0
        self._writing.rest()

    def _batch(self, row: StoredBatch) -> None:
        _, idem, digest, at, actor, reason, events, load, erasure, rekeyed = row
        rows, refused = load or (None, None)
        changes = [
            (n, self._no, size, text) for n, size, text in packed([Event(*e) for e in events], self._n)
        ]
        self._n += len(events)
        self._changes += changes
        idle = (
            None
            if events or digest is None
            else write((self._era, self._tx, self._n) if self._n else (0, 0, 0))
        )
        self._batches.append(
            (
                idem,
                digest,
                at,
                self._era,
                self._no,
                self._n,
                idle,
                actor,
                reason,
                rows,
                refused,
                erasure,
                rekeyed_text(rekeyed),
            )
        )
        self._no += 1

    async def flush(self) -> None:
        """Write what waits."""
        self._writing.resume(self._timeout)
        if self._owner is None:
            return
        self._weight = 0
        link = self._writing.link
        await self._refuse_shared(self._owner, self._records)
        copying = Copying(self._owner, self._secret, self._exclusive)
        await copying.records(link, self._records)
        await copying.entries(link, self._entries)
        await copying.rest(link)
        try:
            await copying.batches(link, self._batches)
        except DriverError as error:
            if state_of(error) != _UNIQUE_VIOLATION:
                raise
            raise twice() from None  # of the rest, every row is new by its order
        await copying.changes(link, self._changes)
        for waiting in (self._records, self._entries, self._batches, self._changes):
            waiting.clear()
        self._writing.rest()

    async def _refuse_shared(self, owner: Tenant, records: Sequence[RecordRow]) -> None:
        claims: dict[str, KeyPair] = {}
        for *_, keys, _ in records:
            for pair in keys:
                if pair[0] in self._exclusive:
                    mark = key_mark(self._secret, *pair)
                    refuse_shared(pair if mark in claims else None)
                    claims[mark] = pair
        for (held,) in await self._writing.ask(_HELD, owner.number, list(claims)):
            refuse_shared(claims[held.replace("-", "")])
