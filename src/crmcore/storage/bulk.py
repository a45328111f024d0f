"""Bulk loading, an optional part of the protocol: many new records at a time, each row for itself.

Invariant: a chunk is written once and keeps every law of `apply`: what it writes is in the ledgers and in the feed, and
an exclusive key has one holder. Within it each row is written whole or refused whole, so one bad row costs no other.
A store has this part if it claims the capability ``bulk``; `bulk_of` refuses the others, and nothing stands in for it.

Rows are plain columns (named tuples of texts), since they are made by the million and since that is what a database
copies in: a store on PostgreSQL can copy a chunk into staging tables and insert from those in the order of its keys.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple, Protocol, cast

import attrs

from crmcore.storage.capability import BULK, claimed
from crmcore.storage.document import Json
from crmcore.storage.protocol import AsyncStore, Position, Ref
from crmcore.values.source import Actor


class NewRecord(NamedTuple):
    """A record that must not be there yet, as `Put` with *expect* 0 writes it.

    *keys* and *sorts* are `Key` and `Sort`, or plain tuples of the same, which cost less to make.
    """

    kind: str
    id: str
    schema: int
    body: Json
    keys: Collection[tuple[str, str]] = ()
    sorts: Collection[tuple[str, str, bytes]] = ()

    def __repr__(self) -> str:
        return f"NewRecord(kind={self.kind!r}, id={self.id!r}, <hidden>)"


class NewEntry(NamedTuple):
    """An entry for the end of a ledger, as `Append` writes it."""

    stream: str
    occurred_at: datetime
    recorded_at: datetime
    subjects: tuple[str, ...]
    schema: str
    body: Json

    def __repr__(self) -> str:
        return f"NewEntry(schema={self.schema!r}, <hidden>)"


class Row(NamedTuple):
    """What belongs together, such as a party and the first entry of its history: written whole or refused whole."""

    records: tuple[NewRecord, ...]
    entries: tuple[NewEntry, ...] = ()


@attrs.frozen(kw_only=True)
class Chunk:
    """Rows to write in one go. *at* is the library's clock.

    *rows* is gone through once for each time that the chunk is sent, so it may make its rows as they are asked for.
    *idem* makes the chunk safe to send again, and *digest*, any text of the caller's, says what it was made from. It is
    the same chunk when both are the same, also if the ids in its rows are not: a load that was cut off makes new ones.
    """

    tenant: str
    rows: Collection[Row] = attrs.field(repr=lambda rows: f"<{len(rows)} rows>")
    idem: str
    digest: str
    actor: Actor
    reason: str | None = None
    at: datetime


@attrs.frozen(kw_only=True)
class Refusal:
    """A row that was not written: its place in the chunk, counted from 0, the *code* of the error and why.

    The codes are ``key_conflict`` (an exclusive key, of *namespace*, is held by another record, *holder*),
    ``version_conflict`` (a record is there already), ``invalid_record`` and ``batch_too_large``. Of rows of one chunk
    that cannot all be written the first is. The message holds no stored value.
    """

    row: int
    code: str
    message: str
    namespace: str | None = None
    holder: Ref | None = None


@attrs.frozen(kw_only=True)
class ChunkReceipt:
    """What a chunk did: how many *rows* it had, and those *refused*, in order; all others were written.

    *position* is that of its last change in the feed, *replayed* says that it had been written before.
    """

    position: Position
    rows: int
    refused: tuple[Refusal, ...]
    at: datetime
    replayed: bool = False

    @property
    def written(self) -> int:
        """How many rows were written."""
        return self.rows - len(self.refused)


class Bulk(Protocol):
    """What a `Store` that claims ``bulk`` also has."""

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        """Write the rows of *chunk* that can be written, together; sent again it is answered with its receipt.

        *timeout* is how long to wait for others, in seconds.

        Raises:
            BatchTooLarge: if the chunk is over a limit (`Limits.max_rows`, `Limits.max_chunk_bytes`).
            InvalidRecord: if its heading cannot be kept; what is wrong with a row refuses that row.
            IdempotencyMismatch: if something else was sent under this key.
            Fenced: if `outcome` has already said that it was not applied.
            Contention: if others were writing for all of *timeout*.
            CommitUnknown: if it cannot be told whether it was written.
        """
        ...

    def loaded(self, tenant: str, idem: str, digest: str) -> ChunkReceipt | None:
        """The receipt of a chunk that was written, or None. It may still be written later: nothing is fenced.

        Raises:
            IdempotencyMismatch: if something else was sent under this key.
            Fenced: if `outcome` has already said that it was not applied.
        """
        ...


class AsyncBulk(Protocol):
    """What an `AsyncStore` that claims ``bulk`` also has."""

    async def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt: ...

    async def loaded(self, tenant: str, idem: str, digest: str) -> ChunkReceipt | None: ...


def bulk_of(store: AsyncStore) -> AsyncBulk:
    """The part of *store* that loads in bulk.

    Raises:
        CapabilityMissing: if it does not claim to have one.

    >>> from crmcore.storage.memory import AsyncMemoryStore
    >>> store = AsyncMemoryStore()
    >>> bulk_of(store) is store
    True
    """
    claimed(store.describe(), BULK)
    return cast("AsyncBulk", store)
