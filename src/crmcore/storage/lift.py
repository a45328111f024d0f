"""Two directions between the colours: a sync store under asynchronous flows, and a flow run by synchronous code.

Invariant: nothing here waits, makes a thread or knows an event loop. A lifted store answers within the call, so a
flow over it never suspends, and one `send` runs it to its end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, Self, TypeVar, cast

from crmcore.storage.acting import for_actor
from crmcore.storage.bulk import Bulk, Chunk, ChunkReceipt
from crmcore.storage.capability import BACKUP, BULK, DURABLE, ERASER, SCHEMA, STREAM, TENANTS, claimed
from crmcore.storage.erasure import Eraser, Erasure, ErasureReport
from crmcore.storage.nearness import AsyncNear, Breadth, Near, NearHits
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
    Store,
)
from crmcore.storage.skimming import AsyncSkim, Beginning, Skim, Skimmed
from crmcore.storage.stored import Stored
from crmcore.storage.stream import Backup, Restored, Snapshot, Stream
from crmcore.storage.upkeep import Durable, Integrity, Schema, SchemaState, Tenants
from crmcore.values.source import Actor

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


def drawn(flow: AsyncIterator[T]) -> Iterator[T]:
    """What a flow over lifted stores gives, one by one.

    Raises:
        RuntimeError: if the flow suspends, as in `run`.
    """
    while True:
        try:
            one = run(cast("Coroutine[Any, Any, T]", anext(flow)))
        except StopAsyncIteration:
            return
        yield one


def lift(store: Store) -> Lifted:
    """An `AsyncStore` whose calls block: for flows that `run` drives, and for tests.

    Under an event loop use a store that is asynchronous itself: a lifted one holds up the loop.
    """
    return Lifted(store)


class Outer:
    """A store that is made around another: what it has of the optional calls, the other decides.

    `near_of` and `skim_of` ask it, and not where a subclass, or somebody on this one alone, has changed a plain call.
    """

    __slots__ = ()

    def near_call(self) -> AsyncNear | None:
        """What asks in one call who carries rare keys, if there is that."""
        return None

    def skim_calls(self) -> AsyncSkim | None:
        """What reads bodies alone, if there is that."""
        return None


class Lifted(Outer):
    """What `lift` makes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # Told by every method, so once.
        self._near = LiftedNear(store) if isinstance(store, Near) else None
        self._skim = LiftedSkim(store) if isinstance(store, Skim) else None

    @property
    def within(self) -> Store:
        """The store that was lifted."""
        return self._store

    def acting(self, actor: Actor, *, purpose: str | None = None) -> Self:
        """See `crmcore.storage.acting`."""
        store = for_actor(self._store, actor, purpose=purpose)
        if store is self._store:
            return self
        other = copy(self)  # of a subclass the same, whatever it is made with
        Lifted.__init__(other, store)
        return other

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

    def near_call(self) -> AsyncNear | None:
        """What asks the store in one call who carries rare keys, if it has that call."""
        return self._near if stands_for(self._store, "near", *NEAR) else None

    def skim_calls(self) -> AsyncSkim | None:
        """What reads bodies alone, if the store has those calls."""
        return self._skim if _skims(self._store) else None

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return self._store.apply(batch, timeout=timeout)

    async def outcome(self, tenant: str, idem: str) -> Receipt | None:
        return self._store.outcome(tenant, idem)

    async def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        return cast("Bulk", self._having(BULK)).load(chunk, timeout=timeout)

    async def loaded(self, tenant: str, idem: str, digest: str) -> ChunkReceipt | None:
        return cast("Bulk", self._having(BULK)).loaded(tenant, idem, digest)

    async def export(self, tenants: Collection[str] | None = None) -> LiftedSnapshot:
        return LiftedSnapshot(cast("Stream", self._having(STREAM)).export(tenants))

    async def restore(self, rows: Iterable[Stored]) -> Restored:
        return cast("Backup", self._having(BACKUP)).restore(rows)

    async def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        return cast("Eraser", self._having(ERASER)).erase(erasure, timeout=timeout)

    async def erasures(self, tenant: str, *, after: str | None = None, limit: int = 500) -> Page[Erasure]:
        return cast("Eraser", self._having(ERASER)).erasures(tenant, after=after, limit=limit)

    async def verify(self) -> Integrity:
        return cast("Durable", self._having(DURABLE)).verify()

    async def schema(self) -> SchemaState:
        return cast("Schema", self._having(SCHEMA)).schema()

    async def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]:
        return cast("Schema", self._having(SCHEMA)).migrate(timeout=timeout)

    async def tenants(self, *, after: str | None = None, limit: int = 500) -> Page[str]:
        return cast("Tenants", self._having(TENANTS)).tenants(after=after, limit=limit)

    async def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        return cast("Tenants", self._having(TENANTS)).drop_tenant(tenant, timeout=timeout)

    async def close(self) -> None:
        self._store.close()

    def _having(self, part: str) -> Store:
        claimed(self._store.describe(), part)
        return self._store


class LiftedNear:
    """The call of `crmcore.storage.nearness` of a lifted store."""

    def __init__(self, store: Near) -> None:
        self._store = store

    async def near(
        self, tenant: str, namespace: str, values: Sequence[str], kind: str, *, breadth: Breadth
    ) -> NearHits:
        return self._store.near(tenant, namespace, values, kind, breadth=breadth)


class LiftedSkim:
    """The calls of `crmcore.storage.skimming` of a lifted store."""

    def __init__(self, store: Skim) -> None:
        self._store = store

    async def skim(
        self, tenant: str, kind: str, *, after: str | None = None, limit: int = 500
    ) -> Page[Skimmed]:
        return self._store.skim(tenant, kind, after=after, limit=limit)

    async def skim_ledgers(
        self, tenant: str, streams: Sequence[str], *, limit: int = 500
    ) -> Mapping[str, Beginning | None]:
        return self._store.skim_ledgers(tenant, streams, limit=limit)


NEAR = ("get", "find", "fanout")
"""The plain calls that `near` stands for."""


def near_of(store: AsyncStore) -> AsyncNear | None:
    """What asks *store* in one call who carries rare keys; None: make the three calls instead."""
    if isinstance(store, AsyncNear):
        return store if stands_for(store, "near", *NEAR) else None
    return store.near_call() if isinstance(store, Outer) and stands_for(store, "near_call", *NEAR) else None


def skim_of(store: AsyncStore) -> AsyncSkim | None:
    """What reads bodies of *store* alone; None: make the plain calls instead."""
    if isinstance(store, Outer):
        return store.skim_calls() if stands_for(store, "skim_calls", "scan", "ledger") else None
    return store if isinstance(store, AsyncSkim) and _skims(store) else None


def _skims(store: object) -> bool:
    return stands_for(store, "skim", "scan") and stands_for(store, "skim_ledgers", "ledger")


def stands_for(store: object, call: str, *plain: str) -> bool:
    """Whether an optional *call* gives what the *plain* ones do: not where those alone were changed, in a subclass
    or on this one store."""
    own = getattr(store, "__dict__", {})
    # A wrapper may have set the optional call itself: a plain one beside it is somebody else's.
    if not own.keys().isdisjoint(plain):
        return False
    if call in own:
        return True
    for cls in type(store).__mro__:
        held = vars(cls)
        if call in held:
            return True
        if not held.keys().isdisjoint(plain):
            return False
    return False


class LiftedSnapshot:
    """What `Lifted.export` gives: a snapshot whose calls block."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    async def read(self, limit: int = 1000) -> Sequence[Stored]:
        return self._snapshot.read(limit)

    async def close(self) -> None:
        self._snapshot.close()
