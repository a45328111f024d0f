"""Mutants that look before they lock.

Invariant: each is good as long as one call ends before the next begins.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

import attrs

from crmcore.storage import Batch, Chunk, ChunkReceipt, Hits, Key, Put, Receipt, Ref
from crmcore.testing.zoo.mutant import Mutant


def without(found: Mapping[Key, Hits], refs: Collection[Ref]) -> Mapping[Key, Hits]:
    """The hits but for those of *refs*."""
    return {
        key: Hits(tuple(ref for ref in hits.refs if ref not in refs), hits.next)
        for key, hits in found.items()
    }


class IndexesOneAtATime(Mutant):
    """Does not index what is written while it is still busy with the index."""

    caught_by = "what_many_left_behind_is_found_exactly"

    busy = False
    lost: frozenset[Ref] = frozenset()

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        before, self.busy = self.busy, True
        time.sleep(0.003)
        self.lost |= {op.ref for op in batch.ops if isinstance(op, Put) and before}
        try:
            return super().apply(batch, timeout=timeout)
        finally:
            self.busy = False

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        found = super().find(tenant, keys, limit_per_key=limit_per_key, after=after)
        return without(found, self.lost)


class LooksForTheBatchTooEarly(Mutant):
    """Looks whether a batch has come before, and locks only then."""

    caught_by = "a_batch_sent_by_many_at_once_is_applied_once"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        new = self._tenant(batch.tenant).known(batch.idem) is None
        time.sleep(0.0005)
        with self._open():
            if new and self._tenant(batch.tenant).known(batch.idem) is not None:
                batch = attrs.evolve(batch, idem=f"{batch.idem}~{len(self._tenant(batch.tenant).feed)}")
            return super().apply(batch, timeout=timeout)


class LooksForTheChunkTooEarly(Mutant):
    """Looks whether a chunk has come before, and locks only then."""

    caught_by = "a_chunk_sent_by_many_at_once_is_written_once"

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        new = self._tenant(chunk.tenant).known(chunk.idem) is None
        time.sleep(0.0005)
        with self._open():
            if new and self._tenant(chunk.tenant).known(chunk.idem) is not None:
                chunk = attrs.evolve(chunk, idem=f"{chunk.idem}~{len(self._tenant(chunk.tenant).feed)}")
            return super().load(chunk, timeout=timeout)


class LooksForTheHolderTooEarly(Mutant):
    """Looks whether an exclusive key is free, and locks only then."""

    caught_by = "of_many_claims_of_one_key_one_wins"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        keys = [key for op in batch.ops if isinstance(op, Put) for key in op.keys]
        free = all(self._tenant(batch.tenant).holder((key.namespace, key.value)) is None for key in keys)
        time.sleep(0.0005)
        with self._open():
            kept, self._exclusive = self._exclusive, frozenset() if free else self._exclusive
            try:
                return super().apply(batch, timeout=timeout)
            finally:
                self._exclusive = kept


class FencesTooLate(Mutant):
    """Says from a first look that a batch was not applied, and fences it only then."""

    caught_by = "an_outcome_asked_while_the_batch_arrives_is_true"

    def outcome(self, tenant: str, idem: str) -> Receipt | None:
        new = self._tenant(tenant).known(idem) is None
        time.sleep(0.0005)
        found = super().outcome(tenant, idem)
        return None if new else found


class FindsTooLate(Mutant):
    """Takes a while until what was written can be found by its keys."""

    caught_by = "every_call_sees_whole_batches_while_others_write"

    hidden: frozenset[Ref] = frozenset()

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        self.hidden = frozenset(op.ref for op in batch.ops if isinstance(op, Put))
        try:
            receipt = super().apply(batch, timeout=timeout)
            time.sleep(0.0005)
            return receipt
        finally:
            self.hidden = frozenset()

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        found = super().find(tenant, keys, limit_per_key=limit_per_key, after=after)
        return without(found, self.hidden)
