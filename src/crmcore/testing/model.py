"""What a store is, in the plainest words: one dict, copied for every batch. It shares no code with any store."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from crmcore.storage import (
    Append,
    Batch,
    Check,
    CheckKey,
    CheckStream,
    Chunk,
    Delete,
    Draft,
    Key,
    Put,
    Ref,
    Rekey,
    Row,
    Sort,
)
from crmcore.testing.kit import EXCLUSIVE


class Known(NamedTuple):
    """What came under an idempotency key: *said* is what makes it the same again, *refused* are the rows of a chunk."""

    said: Any
    versions: dict[Ref, int]
    seqs: dict[str, int]
    at: datetime
    refused: dict[int, str] | None = None


class Model:
    """What a store holds. *known* has a `Known` for each key, or None for one that is fenced; each change in *feeds* is
    the key, what was done, to what, its number, and when, by whom and why."""

    def __init__(self) -> None:
        self.live: dict[Ref, dict[str, Any]] = {}
        self.versions: dict[Ref, int] = {}
        self.ledgers: dict[tuple[str, str], list[Any]] = {}
        self.feeds: dict[str, list[Any]] = {}
        self.known: dict[tuple[str, str], Known | None] = {}

    def copied(self) -> Model:
        """Another model that holds the same, and shares nothing that is ever changed."""
        other = Model()
        other.live = {ref: dict(one) for ref, one in self.live.items()}
        other.versions, other.known = dict(self.versions), dict(self.known)
        other.ledgers = {name: list(entries) for name, entries in self.ledgers.items()}
        other.feeds = {tenant: list(changes) for tenant, changes in self.feeds.items()}
        return other

    def apply(self, batch: Batch) -> Any:
        """The name of an error, or versions, lengths and instant, and whether the batch was known."""
        name = (batch.tenant, batch.idem)
        if name in self.known:
            known = self.known[name]
            if known is None:
                return "Fenced"
            same = known.said == said(batch)
            return (known.versions, known.seqs, known.at, True) if same else "IdempotencyMismatch"
        trial = self.copied()
        error, versions, seqs = trial._try(batch, self)
        if error:
            return error
        trial.known[name] = Known(said(batch), versions, seqs, batch.at)
        self.__dict__ = trial.__dict__
        return versions, seqs, batch.at, False

    def load(self, chunk: Chunk) -> Any:
        """The name of an error, or the rows that were refused, with why, and whether the chunk was known.

        To the model a chunk is as many batches as it has rows.
        """
        name = (chunk.tenant, chunk.idem)
        if name in self.known:
            known = self.known[name]
            if known is None:
                return "Fenced"
            return (known.refused, True) if known.said == ("chunk", chunk.digest) else "IdempotencyMismatch"
        refused: dict[int, str] = {}
        versions: dict[Ref, int] = {}
        seqs: dict[str, int] = {}
        for number, row in enumerate(chunk.rows):
            ops = ops_of(chunk.tenant, row)
            batch = Batch(
                tenant=chunk.tenant,
                ops=ops,
                idem=chunk.idem,
                actor=chunk.actor,
                reason=chunk.reason,
                at=chunk.at,
            )
            trial = self.copied()
            error, put, appended = trial._try(batch, self)
            if error:
                refused[number] = error
                continue
            self.__dict__ = trial.__dict__
            versions.update(put)
            seqs.update(appended)
        self.known[name] = Known(("chunk", chunk.digest), versions, seqs, chunk.at, refused)
        return refused, False

    def outcome(self, tenant: str, idem: str) -> Any:
        """What a batch wrote; one that never came is fenced."""
        known = self.known.setdefault((tenant, idem), None)
        return None if known is None else (known.versions, known.seqs, known.at)

    def drop(self, tenant: str) -> None:
        """Forget a tenant, as if it had never been."""
        self.live = {ref: one for ref, one in self.live.items() if ref.tenant != tenant}
        self.versions = {ref: version for ref, version in self.versions.items() if ref.tenant != tenant}
        self.ledgers = {name: entries for name, entries in self.ledgers.items() if name[0] != tenant}
        self.known = {name: known for name, known in self.known.items() if name[0] != tenant}
        self.feeds.pop(tenant, None)

    def holder(self, tenant: str, key: Key) -> set[Ref]:
        return {ref for ref, one in self.live.items() if ref.tenant == tenant and key in one["keys"]}

    def version(self, ref: Ref) -> int:
        return self.versions[ref] if ref in self.live else 0

    def _try(self, batch: Batch, before: Model) -> tuple[str | None, dict[Ref, int], dict[str, int]]:
        versions: dict[Ref, int] = {}
        seqs: dict[str, int] = {}
        feed = self.feeds.setdefault(batch.tenant, [])
        problems: set[str] = set()
        heading = (batch.at, batch.actor, batch.reason)
        for op in batch.ops:
            if isinstance(op, CheckStream):
                if len(before.ledgers.get((batch.tenant, op.stream), [])) != op.seq:
                    problems.add("StreamConflict")
            elif isinstance(op, CheckKey):
                if before.holder(batch.tenant, op.key) != ({op.holder} if op.holder else set()):
                    problems.add("KeyConflict")
            elif isinstance(op, Append):
                ledger = self.ledgers.setdefault((batch.tenant, op.stream), [])
                if op.expect_seq is not None and op.expect_seq != len(ledger):
                    problems.add("StreamConflict")
                ledger.append(op.entry)
                seqs[op.stream] = len(ledger)
                feed.append((batch.idem, "append", op.stream, len(ledger), *heading))
            else:
                if before.version(op.ref) != op.expect:
                    problems.add("VersionConflict")
                if not isinstance(op, Check):
                    self._write(op, versions)
                if isinstance(op, (Put, Delete)):
                    what = "put" if isinstance(op, Put) else "delete"
                    feed.append((batch.idem, what, op.ref, versions[op.ref], *heading))
        taken = [
            key
            for key in {
                key for one in self.live.values() for key in one["keys"] if key.namespace in EXCLUSIVE
            }
            if len(self.holder(batch.tenant, key)) > 1
        ]
        if taken:
            problems.add("KeyConflict")
        return (" or ".join(sorted(problems)) or None), versions, seqs

    def _write(self, op: Put | Delete | Rekey, versions: dict[Ref, int]) -> None:
        if isinstance(op, Rekey):
            if op.ref in self.live:
                self.live[op.ref] |= {"keys": op.keys, "sorts": op.sorts}
            return
        self.versions[op.ref] = versions[op.ref] = self.versions.get(op.ref, 0) + 1
        if isinstance(op, Delete):
            self.live.pop(op.ref, None)
        else:
            self.live[op.ref] = {"schema": op.schema, "body": op.body, "keys": op.keys, "sorts": op.sorts}

    # what can be read

    def found(self, tenant: str, key: Key) -> list[Ref]:
        return sorted(self.holder(tenant, key))

    def ordered(self, tenant: str, namespace: str, parts: Iterable[str]) -> list[tuple[Sort, Ref]]:
        """What carries a sort of one of *parts*, by value and id."""
        wanted = {(namespace, part) for part in parts}
        items = [
            (sort, ref)
            for ref, one in self.live.items()
            for sort in one["sorts"]
            if ref.tenant == tenant and (sort.namespace, sort.part) in wanted
        ]
        return sorted(items, key=lambda item: (item[0].value, item[1].id))

    def of_kind(self, tenant: str, kind: str) -> list[Ref]:
        return sorted(ref for ref in self.live if (ref.tenant, ref.kind) == (tenant, kind))


def ops_of(tenant: str, row: Row) -> tuple[Put | Append, ...]:
    """A row in the words of a batch."""
    puts = [
        Put(
            ref=Ref(tenant, one.kind, one.id),
            expect=0,
            schema=one.schema,
            body=json.loads(one.body),
            keys=frozenset(Key(*key) for key in one.keys),
            sorts=frozenset(Sort(*sort) for sort in one.sorts),
        )
        for one in row.records
    ]
    appends = [
        Append(
            stream=one.stream,
            entry=Draft(
                occurred_at=one.occurred_at,
                recorded_at=one.recorded_at,
                subjects=one.subjects,
                schema=one.schema,
                body=json.loads(one.body),
            ),
        )
        for one in row.entries
    ]
    return (*puts, *appends)


def said(batch: Batch) -> Any:
    """What makes a batch the same batch: all but the library's clock."""
    ops = [
        (op.stream, op.expect_seq, op.entry.occurred_at, op.entry.subjects, op.entry.schema, op.entry.body)
        if isinstance(op, Append)
        else op
        for op in batch.ops
    ]
    return ops, batch.actor, batch.reason
