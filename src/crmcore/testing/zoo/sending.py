"""Stores that break what is promised of keys, outcomes and what is handed over.

Invariant: each breaks one promise, and is good otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs

from crmcore.errors import (
    Contention,
    Fenced,
    StoreError,
)
from crmcore.storage import (
    Append,
    Batch,
    Entry,
    Page,
    Put,
    Receipt,
    Record,
    Ref,
)
from crmcore.testing.zoo.mutant import Mutant


class DoesNotFence(Mutant):
    """Says that a batch was not applied, and lets it apply later."""

    caught_by = "an_outcome_of_none_is_final"

    def outcome(self, tenant: str, idem: str) -> Receipt | None:
        found = super().outcome(tenant, idem)
        if found is None:
            del self._tenants[tenant].batches[idem]
        return found


class DropsRepeatedEntries(Mutant):
    """Takes an entry with the body of the one before for the same one."""

    caught_by = "entries_are_numbered_without_gaps"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        def new(op: Any) -> list[Any]:
            last = (
                self.ledger(batch.tenant, [op.stream], reverse=True, limit=1)[op.stream].items
                if isinstance(op, Append)
                else ()
            )
            return [] if last and last[0].body == op.entry.body else [op]

        return self.again(batch, new, timeout)


class DigestsKeysAlone(Mutant):
    """Takes batches for the same that write the same records, whatever else is in them."""

    caught_by = "another_batch_under_the_same_key_is_refused"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        written = {op.ref for op in batch.ops if isinstance(op, Put)}
        known = self.outcome(batch.tenant, batch.idem) if self.get(written) else None
        if known is not None and written == set(known.versions):
            return known
        return super().apply(batch, timeout=timeout)


class UsesUpTheKey(Mutant):
    """Fences a batch that it refuses."""

    caught_by = "a_refused_batch_does_not_use_up_its_key"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        try:
            return super().apply(batch, timeout=timeout)
        except StoreError:
            self.outcome(batch.tenant, batch.idem)
            raise


class CommitUnknownAsNotApplied(Mutant):
    """Writes, then says that it was too busy to."""

    caught_by = "an_error_that_says_not_applied_is_true"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        receipt = super().apply(batch, timeout=timeout)
        if timeout < 0.01 and not receipt.replayed:
            raise Contention("others were writing all the time: send the same batch again")
        return receipt


class ForgetsLengths(Mutant):
    """Answers outcome without the lengths of the ledgers."""

    caught_by = "outcome_answers_with_the_receipt"

    def outcome(self, tenant: str, idem: str) -> Receipt | None:
        found = super().outcome(tenant, idem)
        return found and attrs.evolve(found, seqs={})


class FencesOnce(Mutant):
    """Refuses a late batch the first time, and applies it the second."""

    caught_by = "a_batch_that_was_asked_about_never_applies_after_others_did"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        try:
            return super().apply(batch, timeout=timeout)
        except Fenced:
            del self._tenants[batch.tenant].batches[batch.idem]
            raise


class AnswersWhenClosed(Mutant):
    """Goes on answering after it was closed."""

    caught_by = "a_closed_store_says_so"

    def close(self) -> None:
        self.save_file()


class Dawdles(Mutant):
    """Takes longer than it was given."""

    caught_by = "no_call_outlasts_its_timeout"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        if 0 < timeout < 1:
            time.sleep(timeout + 1.1)
        return super().apply(batch, timeout=timeout)


class KeepsWhatItWasGiven(Mutant):
    """Keeps the body that it was given, not a copy of it."""

    caught_by = "what_was_passed_in_can_be_changed_afterwards"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        self.given = {op.ref: op.body for op in batch.ops if isinstance(op, Put)}
        return super().apply(batch, timeout=timeout)

    def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        there = super().get(refs).items()
        return {ref: attrs.evolve(one, body=self.given.get(ref, one.body)) for ref, one in there}


class SharesEntries(Mutant):
    """Hands out one entry again and again."""

    caught_by = "what_was_handed_out_can_be_changed"

    def ledger(self, tenant: str, streams: Sequence[str], **options: Any) -> Mapping[str, Page[Entry]]:
        self.seen: dict[str, Any] = getattr(self, "seen", {})
        return {
            name: self.seen.setdefault(name, page)
            for name, page in super().ledger(tenant, streams, **options).items()
        }


class MarksWhatItWasGiven(Mutant):
    """Adds an id to every body that it was given, as some drivers do."""

    caught_by = "what_was_passed_in_can_be_changed_afterwards"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        receipt = super().apply(batch, timeout=timeout)
        for op in batch.ops:
            if isinstance(op, Put) and type(op.body) is dict:
                op.body["_id"] = op.ref.id
        return receipt


class MarksWhatItRefuses(Mutant):
    """Adds an id to every body of a batch that it refuses."""

    caught_by = "what_was_passed_in_can_be_changed_afterwards"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        try:
            return super().apply(batch, timeout=timeout)
        except StoreError:
            for op in batch.ops:
                if isinstance(op, Put) and type(op.body) is dict:
                    op.body["_id"] = op.ref.id
            raise


class SharesReceipts(Mutant):
    """Hands out one mapping of lengths for a batch again and again."""

    caught_by = "what_was_handed_out_can_be_changed"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        self.kept: dict[Any, Any] = getattr(self, "kept", {})
        given = super().apply(batch, timeout=timeout)
        return attrs.evolve(given, seqs=self.kept.setdefault((batch.tenant, batch.idem), dict(given.seqs)))


class KeepsReadersBusy(Mutant):
    """Keeps a reader for every page after which nobody read on, and has fifty."""

    caught_by = "what_is_not_read_to_its_end_holds_nothing_up"
    readers = 0

    def scan(self, tenant: str, kind: str, **options: Any) -> Page[Record]:
        page = super().scan(tenant, kind, **options)
        self.readers += page.next is not None
        if self.readers > 50:
            raise Contention("every reader is busy: try again later")
        return page


class FencesEverybody(Mutant):
    """Fences the batch of every tenant when one has asked for it."""

    caught_by = "a_store_does_what_the_model_says"

    def outcome(self, tenant: str, idem: str) -> Receipt | None:
        found = super().outcome(tenant, idem)
        for data in self._tenants.values():
            if found is None and data.known(idem) is None:
                data.batches[idem] = None
        return found
