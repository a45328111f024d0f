"""An asynchronous store that never suspends, as a synchronous one: how a wrapper that is written once gets its other
colour.

Invariant: nothing here waits, makes a thread or knows an event loop. A wrapper over a lifted store answers within the
call, so one `send` runs each of its calls to the end; a call that would suspend is refused with `RuntimeError`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from typing import Self

from crmcore.storage.acting import for_actor
from crmcore.storage.bulk import Chunk, ChunkReceipt, bulk_of
from crmcore.storage.erasure import Erasure, ErasureReport, eraser_of
from crmcore.storage.lift import NEAR, near_of, run, skim_of, stands_for
from crmcore.storage.nearness import Breadth, NearHits
from crmcore.storage.protocol import (
    AsyncStore,
    Batch,
    Description,
    Entry,
    FeedPage,
    Hits,
    Key,
    Page,
    Position,
    Receipt,
    Record,
    Ref,
    Sort,
)
from crmcore.storage.skimming import Beginning, Skimmed
from crmcore.storage.stored import Stored
from crmcore.storage.stream import AsyncSnapshot, Restored, backup_of, stream_of
from crmcore.storage.upkeep import Integrity, SchemaState, durable_of, schema_of, tenants_of
from crmcore.values.source import Actor


def lower(store: AsyncStore) -> Lowered:
    """A `Store` whose calls run those of *store*, which may be over lifted stores only.

    >>> from crmcore.storage import MemoryStore, lift
    >>> store = lower(lift(MemoryStore()))
    >>> store.outcome("acme", "import-1") is None
    True
    """
    return Lowered(store)


class Lowered:
    """What `lower` makes."""

    def __init__(self, store: AsyncStore) -> None:
        self._store = store
        near, skim = near_of(store), skim_of(store)
        # Attributes of this one alone: who looks for the calls must not find them elsewhere.
        if near is not None and stands_for(self, "_near", *NEAR):
            self._nearness = near
            self.near = self._near
        if skim is not None and stands_for(self, "_skim", "scan", "ledger"):
            self._skimmed = skim
            self.skim, self.skim_ledgers = self._skim, self._skim_ledgers

    @property
    def within(self) -> AsyncStore:
        """The store that was lowered."""
        return self._store

    def acting(self, actor: Actor, *, purpose: str | None = None) -> Self:
        """See `crmcore.storage.acting`."""
        store = for_actor(self._store, actor, purpose=purpose)
        if store is self._store:
            return self
        other = copy(self)  # of a subclass the same, whatever it is made with
        for call in ("near", "skim", "skim_ledgers"):
            vars(other).pop(call, None)
        Lowered.__init__(other, store)
        return other

    def describe(self) -> Description:
        return self._store.describe()

    def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        return run(self._store.get(refs))

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        return run(self._store.find(tenant, keys, limit_per_key=limit_per_key, after=after))

    def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        return run(self._store.fanout(tenant, keys, cap=cap))

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
        return run(
            self._store.range(
                tenant, namespace, parts, lo=lo, hi=hi, after=after, limit=limit, reverse=reverse
            )
        )

    def scan(
        self,
        tenant: str,
        kind: str,
        *,
        shards: tuple[int, int] | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> Page[Record]:
        return run(self._store.scan(tenant, kind, shards=shards, after=after, limit=limit))

    def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        return run(self._store.ledger(tenant, streams, after=after, limit=limit, reverse=reverse))

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        return run(self._store.changes(tenant, after, limit))

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return run(self._store.apply(batch, timeout=timeout))

    def outcome(self, tenant: str, idem: str) -> Receipt | None:
        return run(self._store.outcome(tenant, idem))

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        return run(bulk_of(self._store).load(chunk, timeout=timeout))

    def loaded(self, tenant: str, idem: str, digest: str) -> ChunkReceipt | None:
        return run(bulk_of(self._store).loaded(tenant, idem, digest))

    def export(self, tenants: Collection[str] | None = None) -> LoweredSnapshot:
        return LoweredSnapshot(run(stream_of(self._store).export(tenants)))

    def restore(self, rows: Iterable[Stored]) -> Restored:
        return run(backup_of(self._store).restore(rows))

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        return run(eraser_of(self._store).erase(erasure, timeout=timeout))

    def erasures(self, tenant: str, *, after: str | None = None, limit: int = 500) -> Page[Erasure]:
        return run(eraser_of(self._store).erasures(tenant, after=after, limit=limit))

    def verify(self) -> Integrity:
        return run(durable_of(self._store).verify())

    def schema(self) -> SchemaState:
        return run(schema_of(self._store).schema())

    def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]:
        return run(schema_of(self._store).migrate(timeout=timeout))

    def tenants(self, *, after: str | None = None, limit: int = 500) -> Page[str]:
        return run(tenants_of(self._store).tenants(after=after, limit=limit))

    def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        return run(tenants_of(self._store).drop_tenant(tenant, timeout=timeout))

    def close(self) -> None:
        run(self._store.close())

    def _near(
        self, tenant: str, namespace: str, values: Sequence[str], kind: str, *, breadth: Breadth
    ) -> NearHits:
        return run(self._nearness.near(tenant, namespace, values, kind, breadth=breadth))

    def _skim(self, tenant: str, kind: str, *, after: str | None = None, limit: int = 500) -> Page[Skimmed]:
        return run(self._skimmed.skim(tenant, kind, after=after, limit=limit))

    def _skim_ledgers(
        self, tenant: str, streams: Sequence[str], *, limit: int = 500
    ) -> Mapping[str, Beginning | None]:
        return run(self._skimmed.skim_ledgers(tenant, streams, limit=limit))


class LoweredSnapshot:
    """What `Lowered.export` gives: a snapshot whose calls run those of an asynchronous one."""

    def __init__(self, snapshot: AsyncSnapshot) -> None:
        self._snapshot = snapshot

    def read(self, limit: int = 1000) -> Sequence[Stored]:
        return run(self._snapshot.read(limit))

    def close(self) -> None:
        run(self._snapshot.close())
