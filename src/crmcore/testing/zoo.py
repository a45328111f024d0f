"""Stores that break one promise each, to show that the checks can fail."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import count
from typing import Any

import attrs

from crmcore.errors import IdempotencyMismatch
from crmcore.storage import (
    Batch,
    Check,
    CheckStream,
    Chunk,
    ChunkReceipt,
    Delete,
    Entry,
    FeedPage,
    Hits,
    Key,
    MemoryStore,
    Page,
    Position,
    Put,
    Receipt,
    Record,
    Ref,
    Row,
    Sort,
)
from crmcore.storage.cursor import Cursors
from crmcore.testing.kit import EXCLUSIVE


class Mutant(MemoryStore):
    """A good store; the mutants below override one call. *caught_by* names the check that must turn red."""

    caught_by = ""

    def __init__(self) -> None:
        super().__init__(exclusive=EXCLUSIVE)


class LostUpdate(Mutant):
    """Writes over whatever version is there."""

    caught_by = "of_two_writes_over_one_version_the_second_is_refused"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        there = self.get([op.ref for op in batch.ops if isinstance(op, Put) and op.expect])
        ops = [
            attrs.evolve(op, expect=there[op.ref].version) if isinstance(op, Put) and op.ref in there else op
            for op in batch.ops
        ]
        return super().apply(attrs.evolve(batch, ops=tuple(ops)), timeout=timeout)


class NoReadSet(Mutant):
    """Ignores what was read and not written, if it is there at all."""

    caught_by = "what_was_read_and_not_written_can_be_checked"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        ops = tuple(op for op in batch.ops if not isinstance(op, Check) or not self.get([op.ref]))
        return super().apply(attrs.evolve(batch, ops=ops), timeout=timeout)


class NoStreamCheck(Mutant):
    """Ignores how long a ledger was when it was read."""

    caught_by = "a_ledger_that_was_read_can_be_checked"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        ops = tuple(op for op in batch.ops if not isinstance(op, CheckStream))
        return super().apply(attrs.evolve(batch, ops=ops), timeout=timeout)


class SharedExclusiveKey(Mutant):
    """Declares exclusive namespaces and shares them."""

    caught_by = "an_exclusive_key_has_one_holder"

    def __init__(self) -> None:
        super().__init__()
        self._exclusive = frozenset()


class PartialApply(Mutant):
    """Applies the operations of a batch one after another."""

    caught_by = "a_refused_batch_leaves_nothing"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        for number, op in enumerate(batch.ops[:-1]):
            super().apply(attrs.evolve(batch, ops=(op,), idem=f"{batch.idem}-{number}"), timeout=timeout)
        return super().apply(attrs.evolve(batch, ops=batch.ops[-1:]), timeout=timeout)


class StaleIndex(Mutant):
    """Finds whoever has ever carried a key."""

    caught_by = "find_gives_exactly_the_records_that_carry_a_key"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        there = self.get([op.ref for op in batch.ops if isinstance(op, Put)])
        ops = [
            attrs.evolve(op, keys=op.keys | there[op.ref].keys)
            if isinstance(op, Put) and op.ref in there
            else op
            for op in batch.ops
        ]
        return super().apply(attrs.evolve(batch, ops=tuple(ops)), timeout=timeout)


class NoIdempotency(Mutant):
    """Takes every batch for a new one."""

    caught_by = "the_same_batch_twice_is_applied_once"

    def __init__(self) -> None:
        super().__init__()
        self._number = count()

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return super().apply(attrs.evolve(batch, idem=f"{batch.idem}-{next(self._number)}"), timeout=timeout)


class IdempotencyIgnoresTheBatch(Mutant):
    """Answers any batch under a known key with the receipt of the first."""

    caught_by = "another_batch_under_the_same_key_is_refused"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        try:
            return super().apply(batch, timeout=timeout)
        except IdempotencyMismatch:
            known = self.outcome(batch.tenant, batch.idem)
            assert known is not None
            return known


class VersionReset(Mutant):
    """Forgets the version of what was deleted."""

    caught_by = "a_version_is_never_used_again"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        receipt = super().apply(batch, timeout=timeout)
        for op in batch.ops:
            if isinstance(op, Delete):
                self._tenants[batch.tenant].rows.pop((op.ref.kind, op.ref.id))
        return receipt


class FindsAcrossTenants(Mutant):
    """Looks for a key in every tenant."""

    caught_by = "no_call_sees_another_tenant"

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        all_ = [super(FindsAcrossTenants, self).find(name, keys) for name in self._tenants]
        return {key: Hits(tuple(ref for hits in all_ for ref in hits[key].refs)) for key in keys}


class TakesForgedTenants(Mutant):
    """Takes every operation as one of the tenant of its batch."""

    caught_by = "an_operation_on_another_tenant_is_refused"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        ops = [
            attrs.evolve(op, ref=attrs.evolve(op.ref, tenant=batch.tenant)) if isinstance(op, Put) else op
            for op in batch.ops
        ]
        return super().apply(attrs.evolve(batch, ops=tuple(ops)), timeout=timeout)


class AliasedReads(Mutant):
    """Hands out one object again and again."""

    caught_by = "what_was_handed_out_can_be_changed"

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[Ref, int], Record] = {}

    def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        found = super().get(refs)
        return {ref: self._seen.setdefault((ref, record.version), record) for ref, record in found.items()}


class OffsetPaging(Mutant):
    """Goes on after so many records, not after the last one."""

    caught_by = "a_scan_gives_what_stays_exactly_once"

    def scan(
        self,
        tenant: str,
        kind: str,
        *,
        shards: tuple[int, int] | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> Page[Record]:
        start = int(after or 0)
        rest = super().scan(tenant, kind, shards=shards, limit=1_000_000).items[start:]
        return Page(rest[:limit], str(start + limit) if len(rest) > limit else None)


class UnboundCursors(Mutant):
    """Seals cursors without saying what they are for."""

    caught_by = "a_cursor_is_good_for_one_tenant_and_one_question"

    def __init__(self) -> None:
        super().__init__()

        class Unbound(Cursors):
            def _tag(self, scope: Sequence[Any], plain: bytes) -> bytes:
                return super()._tag(scope[:1], plain)

        self._cursors = Unbound(bytes(32))


class FoldsCase(Mutant):
    """Keeps keys in lower case."""

    caught_by = "keys_are_compared_byte_by_byte"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        ops = [
            attrs.evolve(op, keys=frozenset(Key(key.namespace, key.value.lower()) for key in op.keys))
            if isinstance(op, Put)
            else op
            for op in batch.ops
        ]
        return super().apply(attrs.evolve(batch, ops=tuple(ops)), timeout=timeout)


class TruncatesFind(Mutant):
    """Gives the first page of hits as if it were all."""

    caught_by = "find_never_ends_early_in_silence"

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        found = super().find(tenant, keys, limit_per_key=limit_per_key, after=after)
        return {key: Hits(hits.refs) for key, hits in found.items()}


class InclusiveUpperBound(Mutant):
    """Takes the upper end of a range for a part of it."""

    caught_by = "range_is_half_open_and_ordered_by_bytes"

    def range(
        self,
        tenant: str,
        namespace: str,
        parts: Collection[str],
        *,
        lo: bytes | None = None,
        hi: bytes | None = None,
        after: str | None = None,
        limit: int = 100,
        reverse: bool = False,
    ) -> Page[tuple[Sort, Ref]]:
        end = None if hi is None else hi + b"\x00"
        return super().range(
            tenant, namespace, parts, lo=lo, hi=end, after=after, limit=limit, reverse=reverse
        )


class DropsAChange(Mutant):
    """Leaves the last change of a full page for nobody."""

    caught_by = "the_feed_has_every_change_once_in_order"

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        page = super().changes(tenant, after, limit)
        return attrs.evolve(page, items=page.items[:-1]) if len(page.items) == limit > 1 else page


class OneBasedAfter(Mutant):
    """Reads ledgers backwards with the entry that was seen last again."""

    caught_by = "ledgers_are_read_in_pages_from_either_end"

    def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        shifted = (
            {stream: seq + 1 for stream, seq in (after or {}).items()} if reverse and limit > 1 else after
        )
        return super().ledger(tenant, streams, after=shifted, limit=limit, reverse=reverse)


class DoesNotFence(Mutant):
    """Says that a batch was not applied, and lets it apply later."""

    caught_by = "an_outcome_of_none_is_final"

    def outcome(self, tenant: str, idem: str) -> Receipt | None:
        found = super().outcome(tenant, idem)
        if found is None:
            del self._tenants[tenant].batches[idem]
        return found


class RoundsFloats(Mutant):
    """Keeps floats as integers instead of refusing them."""

    caught_by = "what_no_store_can_keep_is_refused"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def rounded(body: Any) -> Any:
            if isinstance(body, dict) and body.get("x") == 1.5:
                return {**body, "x": 1}
            return body

        ops = [attrs.evolve(op, body=rounded(op.body)) if isinstance(op, Put) else op for op in batch.ops]
        return super().apply(attrs.evolve(batch, ops=tuple(ops)), timeout=timeout)


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


class ForgetsOnReopen(Mutant):
    """Says that it keeps things, and does not."""

    caught_by = "a_reopened_store_has_everything"


MUTANTS: tuple[type[Mutant], ...] = tuple(Mutant.__subclasses__())
