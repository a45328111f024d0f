"""The wrapper that changes nothing: what every other one is made from.

Invariant: a call comes out as it would without the wrapper. A part that the store within does not claim is refused with
its own reason, and no part appears that is not there. All calls but `describe` go through one place, `around`; a new
part of the protocol is added to this page alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Self, TypeVar, cast

from crmcore.storage.acting import for_actor
from crmcore.storage.bulk import Chunk, ChunkReceipt, bulk_of
from crmcore.storage.capability import BACKUP, BULK, DURABLE, ERASER, SCHEMA, STREAM, TENANTS, claimed
from crmcore.storage.erasure import Erasure, ErasureReport, eraser_of
from crmcore.storage.lift import Outer, near_of, skim_of
from crmcore.storage.nearness import AsyncNear, Breadth, NearHits
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
from crmcore.storage.skimming import AsyncSkim, Beginning, Skimmed
from crmcore.storage.stored import Stored
from crmcore.storage.stream import AsyncSnapshot, Restored, backup_of, stream_of
from crmcore.storage.upkeep import Integrity, SchemaState, durable_of, schema_of, tenants_of
from crmcore.storage.wrappers.call import Around, Call, Repeat
from crmcore.values.source import Actor

T = TypeVar("T")


class Passing(Outer):
    """An `AsyncStore` over *inner* that passes every call on, the optional ones too.

    Override `around` to do something at every call, `describe` to say of it, or a single call to change that one: then
    no optional call is offered that would stand for it. For synchronous code, see `wrapped`.
    """

    # What is within is the one thing that is not shared by a wrapper and the same wrapper for another actor.
    __slots__ = ("__dict__", "__weakref__", "inner")

    inner: AsyncStore

    def __init__(self, inner: AsyncStore) -> None:
        self.inner = inner

    def acting(self, actor: Actor, *, purpose: str | None = None) -> Self:
        """This wrapper, with all that it knows and counts, over what is within for *actor*."""
        inner = for_actor(self.inner, actor, purpose=purpose)
        if inner is self.inner:
            return self
        other = type(self).__new__(type(self))
        other.__dict__ = self.__dict__
        other.inner = inner
        return other

    async def around(self, call: Call[T]) -> T:
        """Every call but `describe` comes by here.

        Optional calls that read in bulk come under names of their own, ``near``, ``skim`` and ``skim_ledgers``, and not
        as the plain ones: to change what is read, override the plain calls, which all are made then.
        """
        return await call.through()

    def describe(self) -> Description:
        return self.inner.describe()

    # --- reading ---

    async def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        return await self._read("get", lambda: self.inner.get(refs), None, refs=refs)

    async def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        return await self._read(
            "find",
            lambda: self.inner.find(tenant, keys, limit_per_key=limit_per_key, after=after),
            tenant,
            keys=keys,
        )

    async def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        return await self._read("fanout", lambda: self.inner.fanout(tenant, keys, cap=cap), tenant, keys=keys)

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
        return await self._read(
            "range",
            lambda: self.inner.range(
                tenant, namespace, parts, lo=lo, hi=hi, after=after, limit=limit, reverse=reverse
            ),
            tenant,
            parts=parts,
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
        return await self._read(
            "scan", lambda: self.inner.scan(tenant, kind, shards=shards, after=after, limit=limit), tenant
        )

    async def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        return await self._read(
            "ledger",
            lambda: self.inner.ledger(tenant, streams, after=after, limit=limit, reverse=reverse),
            tenant,
            streams=streams,
        )

    async def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        return await self._read("changes", lambda: self.inner.changes(tenant, after, limit), tenant)

    def near_call(self) -> AsyncNear | None:
        """The call of `crmcore.storage.nearness` of what is within, by way of `around`."""
        return None if near_of(self.inner) is None else PassedNear(self)

    def skim_calls(self) -> AsyncSkim | None:
        """The calls of `crmcore.storage.skimming` of what is within, by way of `around`."""
        return None if skim_of(self.inner) is None else PassedSkim(self)

    # --- writing ---

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return await self._write(
            "apply",
            lambda seconds: self.inner.apply(batch, timeout=seconds),
            batch.tenant,
            timeout=timeout,
            idem=batch.idem,
            ops=batch.ops,
        )

    async def outcome(self, tenant: str, idem: str) -> Receipt | None:
        # It writes: what it says was not applied never will be.
        return await self._write("outcome", lambda _: self.inner.outcome(tenant, idem), tenant, idem=idem)

    async def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        claimed(self.describe(), BULK)
        return await self._write(
            "load",
            lambda seconds: bulk_of(self.inner).load(chunk, timeout=seconds),
            chunk.tenant,
            timeout=timeout,
            idem=chunk.idem,
            rows=chunk.rows,
        )

    async def loaded(self, tenant: str, idem: str, digest: str) -> ChunkReceipt | None:
        claimed(self.describe(), BULK)
        return await self._read("loaded", lambda: bulk_of(self.inner).loaded(tenant, idem, digest), tenant)

    # --- the other parts ---

    async def export(self, tenants: Collection[str] | None = None) -> AsyncSnapshot:
        claimed(self.describe(), STREAM)
        within = await self._read("export", lambda: stream_of(self.inner).export(tenants), None)
        return _PassingSnapshot(self.around, within)

    async def restore(self, rows: Iterable[Stored]) -> Restored:
        claimed(self.describe(), BACKUP)
        return await self._write(
            "restore", lambda _: backup_of(self.inner).restore(rows), None, repeat="never"
        )

    async def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        claimed(self.describe(), ERASER)
        return await self._write(
            "erase",
            lambda seconds: eraser_of(self.inner).erase(erasure, timeout=seconds),
            erasure.tenant,
            timeout=timeout,
            idem=erasure.idem,
            refs=erasure.refs,
        )

    async def erasures(self, tenant: str, *, after: str | None = None, limit: int = 500) -> Page[Erasure]:
        claimed(self.describe(), ERASER)
        return await self._read(
            "erasures", lambda: eraser_of(self.inner).erasures(tenant, after=after, limit=limit), tenant
        )

    async def verify(self) -> Integrity:
        claimed(self.describe(), DURABLE)
        return await self._read("verify", lambda: durable_of(self.inner).verify(), None)

    async def schema(self) -> SchemaState:
        claimed(self.describe(), SCHEMA)
        return await self._read("schema", lambda: schema_of(self.inner).schema(), None)

    async def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]:
        claimed(self.describe(), SCHEMA)
        return await self._write(
            "migrate",
            lambda seconds: schema_of(self.inner).migrate(timeout=seconds),
            None,
            timeout=timeout,
            repeat="unwritten",
        )

    async def tenants(self, *, after: str | None = None, limit: int = 500) -> Page[str]:
        claimed(self.describe(), TENANTS)
        return await self._read(
            "tenants", lambda: tenants_of(self.inner).tenants(after=after, limit=limit), None
        )

    async def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        claimed(self.describe(), TENANTS)
        return await self._write(
            "drop_tenant",
            lambda seconds: tenants_of(self.inner).drop_tenant(tenant, timeout=seconds),
            tenant,
            timeout=timeout,
            repeat="unwritten",
        )

    async def close(self) -> None:
        await self.around(Call(name="close", send=lambda _: self.inner.close(), repeat="never"))

    async def _read(
        self,
        name: str,
        send: Callable[[], Awaitable[T]],
        tenant: str | None,
        **counted: Collection[Any],
    ) -> T:
        counts = {what: len(some) for what, some in counted.items()}
        return await self.around(Call(name=name, send=lambda _: send(), tenant=tenant, counts=counts))

    async def _write(
        self,
        name: str,
        send: Callable[[float], Awaitable[T]],
        tenant: str | None,
        *,
        timeout: float | None = None,
        idem: str | None = None,
        repeat: Repeat = "always",
        **counted: Collection[Any],
    ) -> T:
        counts = {what: len(some) for what, some in counted.items()}
        return await self.around(
            Call(
                name=name,
                send=send,
                tenant=tenant,
                counts=counts,
                writes=True,
                repeat=repeat,
                timeout=timeout,
                idem=idem,
            )
        )


class _PassingSnapshot:
    """The snapshot of a store within. A page of it is read once, so never a second time."""

    def __init__(self, around: Around, within: AsyncSnapshot) -> None:
        self._around = around
        self._within = within

    async def read(self, limit: int = 1000) -> Sequence[Stored]:
        rows: Sequence[Stored] = await self._around(
            Call(name="read", send=lambda _: self._within.read(limit), repeat="never")
        )
        return rows

    async def close(self) -> None:
        await self._within.close()


class PassedNear:
    """What `Passing.near_call` gives."""

    def __init__(self, wrapper: Passing) -> None:
        self._wrapper = wrapper

    async def near(
        self, tenant: str, namespace: str, values: Sequence[str], kind: str, *, breadth: Breadth
    ) -> NearHits:
        within = cast("AsyncNear", near_of(self._wrapper.inner))
        return await self._wrapper._read(
            "near",
            lambda: within.near(tenant, namespace, values, kind, breadth=breadth),
            tenant,
            keys=values,
        )


class PassedSkim:
    """What `Passing.skim_calls` gives."""

    def __init__(self, wrapper: Passing) -> None:
        self._wrapper = wrapper

    async def skim(
        self, tenant: str, kind: str, *, after: str | None = None, limit: int = 500
    ) -> Page[Skimmed]:
        within = cast("AsyncSkim", skim_of(self._wrapper.inner))
        return await self._wrapper._read(
            "skim", lambda: within.skim(tenant, kind, after=after, limit=limit), tenant
        )

    async def skim_ledgers(
        self, tenant: str, streams: Sequence[str], *, limit: int = 500
    ) -> Mapping[str, Beginning | None]:
        within = cast("AsyncSkim", skim_of(self._wrapper.inner))
        return await self._wrapper._read(
            "skim_ledgers",
            lambda: within.skim_ledgers(tenant, streams, limit=limit),
            tenant,
            streams=streams,
        )
