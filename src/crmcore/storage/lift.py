"""Two directions between the colours: a sync store under asynchronous flows, and a flow run by synchronous code.

Invariant: nothing here waits, makes a thread or knows an event loop. A lifted store answers within the call, so a
flow over it never suspends, and one `send` runs it to its end.
"""

from __future__ import annotations

from collections.abc import Collection, Coroutine, Mapping, Sequence
from typing import Any, TypeVar, cast

from crmcore.storage.bulk import Bulk, Chunk, ChunkReceipt, claimed
from crmcore.storage.nearness import Near
from crmcore.storage.protocol import (
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
    Store,
)

T = TypeVar("T")


def run(flow: Coroutine[Any, Any, T]) -> T:
    """Run a flow over lifted stores to its end and give its result.

    Raises:
        RuntimeError: if the flow suspends, because it waits for something else than a lifted store.

    >>> from crmcore.storage.memory import MemoryStore
    >>> run(lift(MemoryStore()).outcome("acme", "import-1")) is None
    True
    """
    try:
        flow.send(None)
    except StopIteration as finished:
        result: T = finished.value
        return result
    flow.close()
    raise RuntimeError(
        "a flow of the synchronous side suspended: let it await nothing but calls of a lifted store, "
        "or run it with an event loop"
    )


def lift(store: Store) -> Lifted:
    """An `AsyncStore` whose calls block: for flows that `run` drives, and for tests.

    Under an event loop use a store that is asynchronous itself: a lifted one holds up the loop.
    """
    return Lifted(store)


class Lifted:
    """What `lift` makes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._near = store if isinstance(store, Near) else None  # told by every method, so once

    def describe(self) -> Description:
        return self._store.describe()

    async def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        return self._store.get(refs)

    async def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        return self._store.find(tenant, keys, limit_per_key=limit_per_key, after=after)

    async def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        return self._store.fanout(tenant, keys, cap=cap)

    async def range(
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
        return self._store.range(
            tenant, namespace, parts, lo=lo, hi=hi, after=after, limit=limit, reverse=reverse
        )

    async def scan(
        self,
        tenant: str,
        kind: str,
        *,
        shards: tuple[int, int] | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> Page[Record]:
        return self._store.scan(tenant, kind, shards=shards, after=after, limit=limit)

    async def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        return self._store.ledger(tenant, streams, after=after, limit=limit, reverse=reverse)

    async def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        return self._store.changes(tenant, after, limit)

    def near_call(self) -> Near | None:
        """The store, if it can tell in one call who carries rare keys."""
        return self._near

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return self._store.apply(batch, timeout=timeout)

    async def outcome(self, tenant: str, idem: str) -> Receipt | None:
        return self._store.outcome(tenant, idem)

    async def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        return self._bulk.load(chunk, timeout=timeout)

    async def loaded(self, tenant: str, idem: str, digest: str) -> ChunkReceipt | None:
        return self._bulk.loaded(tenant, idem, digest)

    async def close(self) -> None:
        self._store.close()

    @property
    def _bulk(self) -> Bulk:
        claimed(self._store.describe())
        return cast("Bulk", self._store)
