"""Stores that break what `apply` promises.

Invariant: each breaks one promise, and is good otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import attrs

from crmcore.errors import IdempotencyMismatch, KeyConflict, StoreError
from crmcore.storage import (
    EXCLUSIVE,
    Append,
    Batch,
    Check,
    CheckKey,
    CheckStream,
    Delete,
    Description,
    Put,
    Receipt,
    Record,
    Ref,
    Rekey,
)
from crmcore.testing.zoo.mutant import Mutant, each_append, each_put


class LostUpdate(Mutant):
    """Writes over whatever version is there."""

    caught_by = "of_two_writes_over_one_version_the_second_is_refused"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def latest(op: Put) -> Put:
            there = self.get([op.ref]).get(op.ref) if op.expect else None
            return attrs.evolve(op, expect=there.version) if there else op

        return self.again(batch, each_put(latest), timeout)


class NoReadSet(Mutant):
    """Ignores what was read and not written, if it is there at all."""

    caught_by = "what_was_read_and_not_written_can_be_checked"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return self.again(
            batch, lambda op: [] if isinstance(op, Check) and self.get([op.ref]) else [op], timeout
        )


class NoStreamCheck(Mutant):
    """Ignores how long a ledger was when it was read."""

    caught_by = "a_ledger_that_was_read_can_be_checked"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return self.again(batch, lambda op: [] if isinstance(op, CheckStream) else [op], timeout)


class SharedExclusiveKey(Mutant):
    """Declares exclusive namespaces and shares them."""

    caught_by = "an_exclusive_key_has_one_holder"

    def describe(self) -> Description:
        described, self._exclusive = super().describe(), frozenset()
        return attrs.evolve(described, exclusive=EXCLUSIVE)


class PartialApply(Mutant):
    """Applies the operations of a batch one after another."""

    caught_by = "a_refused_batch_leaves_nothing"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        for number, op in enumerate(batch.ops[:-1]):
            super().apply(attrs.evolve(batch, ops=(op,), idem=f"{batch.idem}-{number}"), timeout=timeout)
        return super().apply(attrs.evolve(batch, ops=batch.ops[-1:]), timeout=timeout)


class NoIdempotency(Mutant):
    """Takes every batch for a new one."""

    caught_by = "the_same_batch_twice_is_applied_once"

    def __init__(self, place: Path) -> None:
        super().__init__(place)
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


class TakesForgedTenants(Mutant):
    """Takes every operation as one of the tenant of its batch."""

    caught_by = "an_operation_on_another_tenant_is_refused"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def own(op: Put) -> Put:
            return attrs.evolve(op, ref=attrs.evolve(op.ref, tenant=batch.tenant))

        return self.again(batch, each_put(own), timeout)


class AliasedReads(Mutant):
    """Hands out one object again and again."""

    caught_by = "what_was_handed_out_can_be_changed"

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self._seen: dict[tuple[Ref, int], Record] = {}

    def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        found = super().get(refs)
        return {ref: self._seen.setdefault((ref, record.version), record) for ref, record in found.items()}


class IgnoresExpectSeq(Mutant):
    """Appends to a ledger of any length."""

    caught_by = "a_ledger_that_was_read_can_be_checked"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return self.again(batch, each_append(lambda op: attrs.evolve(op, expect_seq=None)), timeout)


class IgnoresHolders(Mutant):
    """Takes what was read of a key for granted."""

    caught_by = "what_nobody_held_and_somebody_took_is_noticed"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return self.again(batch, lambda op: [] if isinstance(op, CheckKey) else [op], timeout)


class ReadCommittedSkew(Mutant):
    """Checks the first of the records that were read."""

    caught_by = "what_was_read_holds_for_every_batch_of_many"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        checks = [op for op in batch.ops if isinstance(op, Check)]
        return self.again(batch, lambda op: [] if op in checks[1:] else [op], timeout)


class DeletesWhateverIsThere(Mutant):
    """Deletes a record at any version."""

    caught_by = "a_write_that_expects_another_version_is_refused"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def latest(op: Any) -> list[Any]:
            there = self.get([op.ref]).get(op.ref) if isinstance(op, Delete) else None
            return [attrs.evolve(op, expect=there.version) if there else op]

        return self.again(batch, latest, timeout)


class CommitsOnException(Mutant):
    """Keeps the entries of a batch that it refuses."""

    caught_by = "a_refused_batch_leaves_nothing"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        try:
            return super().apply(batch, timeout=timeout)
        except StoreError:
            kept = tuple(op for op in batch.ops if isinstance(op, Append) and op.expect_seq is None)
            super().apply(attrs.evolve(batch, ops=kept, idem=f"{batch.idem}-rest"), timeout=timeout)
            raise


class NumbersWhatItRefuses(Mutant):
    """Gives numbers of a ledger to entries of batches that it refuses."""

    caught_by = "entries_are_numbered_without_gaps"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        try:
            return super().apply(batch, timeout=timeout)
        except StoreError:
            gap = next(op for op in batch.ops if isinstance(op, Append))
            gap = attrs.evolve(gap, expect_seq=None, entry=attrs.evolve(gap.entry, body={"n": 0}))
            super().apply(attrs.evolve(batch, ops=(gap,), idem=f"{batch.idem}-gap"))
            raise


class RekeyIsAWrite(Mutant):
    """Counts a Rekey as a new version."""

    caught_by = "rekey_changes_keys_and_nothing_else"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def put(op: Any) -> list[Any]:
            for there in self.get([op.ref]).values() if isinstance(op, Rekey) else ():
                kept: dict[str, Any] = {"schema": there.schema, "body": there.body}
                return [Put(ref=op.ref, expect=op.expect, keys=op.keys, sorts=op.sorts, **kept)]
            return [op]

        return self.again(batch, put, timeout)


class AppliesTwice(Mutant):
    """Sends every batch again, under another key, to be safe."""

    caught_by = "a_batch_is_applied_as_a_whole"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        again = tuple(op for op in batch.ops if isinstance(op, Append) and op.expect_seq is None)
        receipt = super().apply(batch, timeout=timeout)
        if not receipt.replayed and again:
            super().apply(attrs.evolve(batch, ops=again, idem=f"{batch.idem}-again"), timeout=timeout)
        return receipt


class ChecksEveryOtherRecord(Mutant):
    """Checks what was read of half of the records."""

    caught_by = "three_that_read_each_other_do_not_all_apply"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def some(op: Any) -> list[Any]:
            return [] if isinstance(op, Check) and int(op.ref.id[:8], 16) % 2 else [op]

        return self.again(batch, some, timeout)


class ChecksTheLiving(Mutant):
    """Takes a record that is gone for one that nobody has read."""

    caught_by = "a_merge_with_what_was_deleted_meanwhile_is_refused"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return self.again(
            batch, lambda op: [] if isinstance(op, Check) and not self.get([op.ref]) else [op], timeout
        )


class ChecksEmptyLedgers(Mutant):
    """Checks the length of a ledger only where it had none."""

    caught_by = "a_no_that_came_meanwhile_stops_what_was_decided_without_it"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return self.again(batch, lambda op: [] if isinstance(op, CheckStream) and op.seq else [op], timeout)


class SharesMembers(Mutant):
    """Keeps one of its exclusive namespaces for whoever comes."""

    caught_by = "of_two_merges_of_the_same_records_one_applies"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        self._exclusive = EXCLUSIVE - {"member"}
        try:
            return super().apply(batch, timeout=timeout)
        finally:
            self._exclusive = EXCLUSIVE


class ChecksOnlyForNobody(Mutant):
    """Checks that a key is free, not that it is held by whom it was."""

    caught_by = "that_nobody_holds_a_key_can_be_checked"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return self.again(batch, lambda op: [] if isinstance(op, CheckKey) and op.holder else [op], timeout)


class RefusesHandOver(Mutant):
    """Judges an exclusive key before the batch, not after it."""

    caught_by = "an_exclusive_key_is_handed_over_within_a_batch"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        data = self._tenant(batch.tenant)
        for op in (op for op in batch.ops if isinstance(op, Put)):
            for key in (key for key in op.keys if key.namespace in EXCLUSIVE):
                holder = data.holder((key.namespace, key.value))
                if holder not in (None, (op.ref.kind, op.ref.id)):
                    raise KeyConflict("a key is held", namespace=key.namespace, holder=holder[1])
        return super().apply(batch, timeout=timeout)
