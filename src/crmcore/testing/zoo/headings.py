"""Stores that are careless with what stands above and beside a body.

Invariant: each breaks one promise, and is good otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import attrs

from crmcore.storage import (
    Append,
    Batch,
    Chunk,
    ChunkReceipt,
    Draft,
    Entry,
    FeedPage,
    NewEntry,
    Page,
    Position,
    Put,
    Receipt,
    Restored,
    Stored,
    StoredBatch,
    StoredEntry,
)
from crmcore.testing.zoo.mutant import Mutant, each_append, each_put
from crmcore.values.source import SYSTEM


class RecordedToTheSecond(Mutant):
    """Keeps when an entry was recorded to the second."""

    caught_by = "an_entry_comes_back_with_all_that_it_was_given"

    def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        def cut(one: Entry) -> Entry:
            return attrs.evolve(one, recorded_at=one.recorded_at.replace(microsecond=0))

        pages = super().ledger(tenant, streams, after=after, limit=limit, reverse=reverse)
        return {name: Page(tuple(map(cut, page.items)), page.next) for name, page in pages.items()}


class RecordedByTheWall(Mutant):
    """Takes the wall clock of another zone for that of Greenwich."""

    caught_by = "an_entry_comes_back_with_all_that_it_was_given"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def local(op: Append) -> Append:
            entry = op.entry
            zoned = isinstance(entry, Draft) and entry.recorded_at.tzinfo
            wall = entry.recorded_at.replace(tzinfo=UTC)
            return attrs.evolve(op, entry=attrs.evolve(entry, recorded_at=wall)) if zoned else op

        return self.again(batch, each_append(local), timeout)


class BatchesByTheWall(Mutant):
    """Forgets the zone of a batch."""

    caught_by = "a_receipt_bears_the_instant_of_its_batch"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        at = batch.at.replace(tzinfo=UTC) if batch.at.tzinfo else batch.at
        return super().apply(attrs.evolve(batch, at=at), timeout=timeout)


class BatchesToTheSecond(Mutant):
    """Keeps the instant of a batch to the second."""

    caught_by = "a_receipt_bears_the_instant_of_its_batch"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return super().apply(attrs.evolve(batch, at=batch.at.replace(microsecond=0)), timeout=timeout)


class FeedOfNineteenSeventy(Mutant):
    """Gives every change the same instant."""

    caught_by = "the_feed_says_who_when_and_why"

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        page = super().changes(tenant, after, limit)
        first = datetime(1970, 1, 1, tzinfo=UTC)
        return attrs.evolve(page, items=tuple(attrs.evolve(one, at=first) for one in page.items))


class ActsForNobody(Mutant):
    """Forgets on whose behalf somebody acted, and what else is not known of an actor."""

    caught_by = "the_feed_says_who_when_and_why"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return super().apply(
            attrs.evolve(batch, actor=attrs.evolve(batch.actor, unknown={})), timeout=timeout
        )


class LoadsWithoutInstants(Mutant):
    """Gives what is loaded the instant of its chunk, and no subjects."""

    caught_by = "what_is_loaded_comes_back_with_all_that_it_was_given"

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        def plain(one: NewEntry) -> NewEntry:
            return one._replace(occurred_at=chunk.at, recorded_at=chunk.at, subjects=())

        rows = tuple(row._replace(entries=tuple(map(plain, row.entries))) for row in chunk.rows)
        return super().load(attrs.evolve(chunk, rows=rows), timeout=timeout)


class LoadsTheFirstSchema(Mutant):
    """Takes what is loaded for the first schema."""

    caught_by = "what_is_loaded_comes_back_with_all_that_it_was_given"

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        rows = tuple(
            row._replace(records=tuple(one._replace(schema=1) for one in row.records)) for row in chunk.rows
        )
        return super().load(attrs.evolve(chunk, rows=rows), timeout=timeout)


class LoadsByItself(Mutant):
    """Says that the system loaded what somebody else did."""

    caught_by = "what_is_loaded_comes_back_with_all_that_it_was_given"

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        return super().load(attrs.evolve(chunk, actor=SYSTEM), timeout=timeout)


class Changed:
    """A snapshot whose rows are changed on the way."""

    def __init__(self, rows: Iterable[Stored]) -> None:
        self.left = list(rows)

    def read(self, limit: int = 1000) -> Sequence[Stored]:
        some, self.left = self.left[:limit], self.left[limit:]
        return some

    def close(self) -> None:
        self.left = []


class ExportsToTheSecond(Mutant):
    """Cuts the instants in a snapshot to the second."""

    caught_by = "a_snapshot_has_every_field"

    def export(self, tenants=None) -> Changed:  # type: ignore[no-untyped-def, override]  # as its base
        rows = super().export(tenants).read(1_000_000)
        second = 1_000_000
        return Changed(
            row._replace(occurred=row.occurred // second * second) if isinstance(row, StoredEntry) else row
            for row in rows
        )


class ExportsNoActor(Mutant):
    """Says in a snapshot that the system did everything."""

    caught_by = "a_snapshot_has_every_field"

    def export(self, tenants=None) -> Changed:  # type: ignore[no-untyped-def, override]  # as its base
        system = '{"id":"crmcore","kind":"system","on_behalf_of":null}'
        rows = super().export(tenants).read(1_000_000)
        return Changed(row._replace(actor=system) if isinstance(row, StoredBatch) else row for row in rows)


class RestoresNoChunks(Mutant):
    """Takes a chunk of a snapshot for one without rows."""

    caught_by = "a_restored_store_has_every_heading"

    def restore(self, rows: Iterable[Stored]) -> Restored:
        return super().restore(
            row._replace(load=row.load and (0, "[]")) if isinstance(row, StoredBatch) else row for row in rows
        )


class CutsTextsInTheMiddle(Mutant):
    """Cuts a text to the length of a column."""

    caught_by = "texts_of_every_length_are_kept"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def cut(op: Put) -> Put:
            text = op.body.get("t") if isinstance(op.body, dict) else None
            return attrs.evolve(op, body={"t": text[:65_535]}) if isinstance(text, str) else op

        return self.again(batch, each_put(cut), timeout)
