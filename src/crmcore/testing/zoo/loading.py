"""Stores that load in bulk wrongly.

Invariant: each breaks one promise, and is good otherwise.
"""

from __future__ import annotations

import attrs

from crmcore.storage import (
    Batch,
    Chunk,
    ChunkReceipt,
    Delete,
    Ref,
    Row,
)
from crmcore.testing.zoo.mutant import Mutant


class HalfRows(Mutant):
    """Writes the entries of rows that it refuses."""

    caught_by = "a_row_is_written_whole_or_refused_whole"

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        receipt = super().load(chunk, timeout=timeout)
        rows = list(chunk.rows)
        rest = tuple(Row((), rows[one.row].entries) for one in receipt.refused if rows[one.row].entries)
        super().load(attrs.evolve(chunk, rows=rest, idem=f"{chunk.idem}/rest"))
        return receipt


class LoadsTwice(Mutant):
    """Takes a chunk that is sent again for another one."""

    caught_by = "a_chunk_sent_again_writes_nothing"
    times = 0

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        self.times += 1
        return super().load(attrs.evolve(chunk, idem=f"{chunk.idem}/{self.times}"), timeout=timeout)


class AllRowsOrNone(Mutant):
    """Lets one bad row take the others with it."""

    caught_by = "what_no_store_can_keep_refuses_its_row_alone"

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        receipt = super().load(attrs.evolve(chunk, idem=f"{chunk.idem}/trial"), timeout=timeout)
        return super().load(attrs.evolve(chunk, rows=())) if receipt.refused else receipt


class Replaces(Mutant):
    """Loads over records that are there."""

    caught_by = "a_row_never_replaces_a_record"

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        there = self.get([Ref(chunk.tenant, one.kind, one.id) for row in chunk.rows for one in row.records])
        ops = tuple(Delete(ref=ref, expect=record.version) for ref, record in there.items())
        self.apply(
            Batch(tenant=chunk.tenant, ops=ops, idem=f"{chunk.idem}/x", actor=chunk.actor, at=chunk.at)
        )
        return super().load(chunk, timeout=timeout)


class FencesOnAsking(Mutant):
    """Takes a question for a chunk as the end of it."""

    caught_by = "asking_for_a_chunk_does_not_fence_it"

    def loaded(self, tenant: str, idem: str, digest: str) -> ChunkReceipt | None:
        self.outcome(tenant, idem)
        return super().loaded(tenant, idem, digest)


class EntriesFirst(Mutant):
    """Tells what was loaded in another order than that of the rows."""

    caught_by = "the_feed_has_what_was_loaded"

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        rows = list(chunk.rows)
        apart = (*(Row((), row.entries) for row in rows), *(Row(row.records) for row in rows))
        return super().load(attrs.evolve(chunk, rows=apart), timeout=timeout)


class LoadsWithoutKeys(Mutant):
    """Loads records and leaves their keys for later."""

    caught_by = "what_is_loaded_is_found_ordered_and_in_its_ledgers"

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        rows = [
            row._replace(records=tuple(one._replace(keys=()) for one in row.records)) for row in chunk.rows
        ]
        return super().load(attrs.evolve(chunk, rows=rows), timeout=timeout)


class KnowsChunksOfOthers(Mutant):
    """Takes a chunk for one that another tenant has loaded."""

    caught_by = "a_chunk_is_of_one_tenant"

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        for tenant in list(self._tenants):
            known = super().loaded(tenant, chunk.idem, chunk.digest)
            if known is not None:
                return known
        return super().load(chunk, timeout=timeout)
