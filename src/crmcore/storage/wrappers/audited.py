"""`Audited`: a store that notes who asked what, before a write and after a read, and gives nothing that it cannot note.

Invariant: no batch reaches the store below before it is in the audit, and no answer leaves before its question is.
When the audit cannot be written, the call is refused. An entry holds ids, names of kinds, streams, namespaces and
calls, and numbers, all that were asked for and given; never a body, the value of a key or sort, a reason, or an
idempotency key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import attrs

from crmcore.errors import CommitUnknown, InvalidRecord, InvalidValue, StoreError
from crmcore.storage.bulk import Chunk, ChunkReceipt, bulk_of
from crmcore.storage.erasure import Erasure, ErasureReport, Residual, eraser_of
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
from crmcore.storage.stored import Stored
from crmcore.storage.stream import AsyncSnapshot, Restored, backup_of, stream_of
from crmcore.storage.upkeep import Integrity, SchemaState, durable_of, schema_of, tenants_of
from crmcore.storage.wrappers.audit_chain import AUDIT_SCHEMA, AUDIT_TENANT, Anchor, AnchorSink, Note
from crmcore.storage.wrappers.audit_log import AuditLog
from crmcore.storage.wrappers.audit_names import (
    blinded,
    change_name,
    count_by,
    id_name,
    in_entries,
    named_in,
    part_name,
    plain_name,
    ref_name,
    sort_names,
    word_name,
    writer,
)
from crmcore.storage.wrappers.retrying import blocking
from crmcore.values.source import SYSTEM, Actor

T = TypeVar("T")
Clock = Callable[[], datetime]

_AUDIT = Residual(
    place="audit",
    what="who asked for what: the names of the tenant, of its records and of its ledgers",
    remedy="erase the tenant of the audit, and with it the proof",
)


class Audited:
    """An `AsyncStore` over *inner* whose calls are in an audit that nobody can change unseen without *key*.

    The audit is in the tenant ``crmcore.audit`` of *log*, which is *inner* if it is not given, in *shards* streams.
    *clock* says when somebody reads; a write says itself when it is. *actor* and *purpose* say who reads and what for;
    see `acting`. A write is noted with the actor of its batch. For synchronous code:
    ``lower(Audited(lift(store), key, clock=...))``.

    >>> from datetime import UTC, datetime
    >>> from crmcore.storage import MemoryStore, lift, run
    >>> now = datetime(2026, 3, 1, tzinfo=UTC)
    >>> store = Audited(lift(MemoryStore()), bytes(32), clock=lambda: now)
    >>> _ = run(store.acting(Actor(kind="person", id="u-7"), purpose="support").scan("acme", "party"))
    >>> run(store.anchor()).heads[0][1]
    1
    """

    def __init__(
        self,
        inner: AsyncStore,
        key: bytes,
        *,
        clock: Clock,
        log: AsyncStore | None = None,
        shards: int = 16,
        pause: Callable[[float], Awaitable[object]] = blocking,
        actor: Actor = SYSTEM,
        purpose: str | None = None,
    ) -> None:
        self._inner = inner
        self._key = key
        self._clock = clock
        self._log = AuditLog(inner if log is None else log, key, shards=shards, pause=pause)
        self._own_log = log is None
        self._actor = actor
        self._purpose = purpose

    def __repr__(self) -> str:
        return f"Audited({self._inner.describe().engine!r})"

    def acting(self, actor: Actor, *, purpose: str | None = None) -> Audited:
        """The same store for *actor*, who reads for *purpose*, a word such as ``"support"``; None: for the same.

        `Crm.acting_as` asks for it, through all wrappers that are a `Passing`.
        """
        if purpose is not None and not (len(purpose) <= 64 and plain_name(purpose) == purpose):
            raise InvalidValue("a purpose is a word of at most 64 characters")
        other = Audited.__new__(Audited)
        other.__dict__.update(self.__dict__, _actor=actor, _purpose=purpose or self._purpose)
        return other

    def describe(self) -> Description:
        within = self._inner.describe()
        return attrs.evolve(within, engine=f"audited {within.engine}")

    # --- the audit itself ---

    async def seal(self) -> None:
        """Bind the ends of all shards together in an entry: for example once an hour."""
        await self._log.seal(self._clock())

    async def anchor(self, sink: AnchorSink | None = None) -> Anchor:
        """A small value that says how far the audit has come. Keep it elsewhere, or give a *sink* that does.

        What is missing since at the end is found by `verify_audit` with it.
        """
        anchor = await self._log.anchor(self._clock())
        if sink is not None:
            await sink.keep(anchor)
        return anchor

    # --- reading: noted after the answer is there and before it is given ---

    async def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        asked: dict[str, list[str]] = {}
        for ref in refs:
            asked.setdefault(ref.tenant, []).append(ref_name(ref))

        def gave(found: Mapping[Ref, Record], tenant: str) -> Iterable[str]:
            return (ref_name(ref) for ref in found if ref.tenant == tenant)

        return await self._read("get", asked, lambda: self._inner.get(refs), gave)

    async def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        def gave(hits: Mapping[Key, Hits], tenant: str) -> Iterable[str]:
            return (ref_name(ref) for one in hits.values() for ref in one.refs)

        async def send() -> Mapping[Key, Hits]:
            return await self._inner.find(tenant, keys, limit_per_key=limit_per_key, after=after)

        return await self._read("find", {tenant: count_by(keys)}, send, gave)

    async def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        return await self._read(
            "fanout", {tenant: count_by(keys)}, lambda: self._inner.fanout(tenant, keys, cap=cap)
        )

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
        async def send() -> Page[tuple[Sort, Ref]]:
            return await self._inner.range(
                tenant, namespace, parts, lo=lo, hi=hi, after=after, limit=limit, reverse=reverse
            )

        def gave(page: Page[tuple[Sort, Ref]], tenant: str) -> Iterable[str]:
            return sort_names(page)

        on = [part_name(self._key, tenant, namespace, part) for part in parts]
        return await self._read("range", {tenant: on}, send, gave)

    async def scan(
        self,
        tenant: str,
        kind: str,
        *,
        shards: tuple[int, int] | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> Page[Record]:
        async def send() -> Page[Record]:
            return await self._inner.scan(tenant, kind, shards=shards, after=after, limit=limit)

        def gave(page: Page[Record], tenant: str) -> Iterable[str]:
            return (ref_name(record.ref) for record in page.items)

        return await self._read("scan", {tenant: [word_name(kind)]}, send, gave)

    async def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        async def send() -> Mapping[str, Page[Entry]]:
            return await self._inner.ledger(tenant, streams, after=after, limit=limit, reverse=reverse)

        return await self._read("ledger", {tenant: map(plain_name, streams)}, send)

    async def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        def gave(page: FeedPage, tenant: str) -> Iterable[str]:
            return map(change_name, page.items)

        return await self._read(
            "changes", {tenant: ()}, lambda: self._inner.changes(tenant, after, limit), gave
        )

    async def loaded(self, tenant: str, idem: str, digest: str) -> ChunkReceipt | None:
        bulk = bulk_of(self._inner)
        return await self._read("loaded", {tenant: ()}, lambda: bulk.loaded(tenant, idem, digest))

    async def erasures(self, tenant: str, *, after: str | None = None, limit: int = 500) -> Page[Erasure]:
        eraser = eraser_of(self._inner)
        return await self._read(
            "erasures", {tenant: ()}, lambda: eraser.erasures(tenant, after=after, limit=limit)
        )

    async def export(self, tenants: Collection[str] | None = None) -> AsyncSnapshot:
        """A snapshot, noted when it is taken. One of all tenants is without the audit: that is in the store below."""
        stream = stream_of(self._inner)
        snapshot = await self._read(
            "export", dict.fromkeys(tenants or [""], ()), lambda: stream.export(tenants)
        )
        return snapshot if tenants is not None else _WithoutAudit(snapshot)

    async def tenants(self, *, after: str | None = None, limit: int = 500) -> Page[str]:
        held = tenants_of(self._inner)
        page = await self._read("tenants", {"": ()}, lambda: held.tenants(after=after, limit=limit))
        return attrs.evolve(page, items=tuple([name for name in page.items if name != AUDIT_TENANT]))

    async def verify(self) -> Integrity:
        durable = durable_of(self._inner)
        return await self._read("verify", {"": ()}, durable.verify)

    async def schema(self) -> SchemaState:
        return await self._read("schema", {"": ()}, schema_of(self._inner).schema)

    # --- writing: noted before, and how it ended after ---

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return await self._write(
            "apply", batch, named_in(batch.ops), lambda: self._inner.apply(batch, timeout=timeout)
        )

    async def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        bulk = bulk_of(self._inner)
        return await self._write(
            "load", chunk, [f"{len(chunk.rows)} rows"], lambda: bulk.load(chunk, timeout=timeout)
        )

    async def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        eraser = eraser_of(self._inner)
        names = [*map(ref_name, erasure.refs), *map(plain_name, erasure.streams)]
        names += map(id_name, erasure.subjects)
        names += [f"{plain_name(stream)}/{seq}" for stream, seq in erasure.entries]
        return await self._write(
            "erase", erasure, sorted(names), lambda: eraser.erase(erasure, timeout=timeout)
        )

    async def outcome(self, tenant: str, idem: str) -> Receipt | None:
        self._not_the_audit(tenant)
        on = [self._idem(tenant, idem)]
        return await self._ask("outcome", tenant, on, lambda: self._inner.outcome(tenant, idem))

    async def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        held = tenants_of(self._inner)
        self._not_the_audit(tenant)
        report = await self._ask("drop_tenant", tenant, (), lambda: held.drop_tenant(tenant, timeout=timeout))
        return attrs.evolve(report, residual=(*report.residual, _AUDIT))

    async def restore(self, rows: Iterable[Stored]) -> Restored:
        backup = backup_of(self._inner)
        return await self._ask("restore", "", (), lambda: backup.restore(rows))

    async def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]:
        steps = schema_of(self._inner)
        return await self._ask("migrate", "", (), lambda: steps.migrate(timeout=timeout))

    async def close(self) -> None:
        """Close the store below; a *log* that was given stays open."""
        await self._inner.close()

    # --- noting ---

    async def _read(
        self,
        call: str,
        on: Mapping[str, Iterable[str]],
        send: Callable[[], Awaitable[T]],
        gave: Callable[[T, str], Iterable[str]] | None = None,
    ) -> T:
        """*on* is what is asked for, by tenant."""
        said = {"call": call, "actor": writer(self._actor), "purpose": self._purpose}
        try:
            answer = await send()
        except StoreError as error:
            for tenant, names in on.items():
                await self._note(tenant, {**said, "outcome": error.code}, on=names)
            raise
        for tenant, names in on.items():
            given = {} if gave is None else {"gave": gave(answer, tenant)}
            await self._note(tenant, {**said, "outcome": "ok"}, on=names, **given)
        return answer

    async def _write(
        self,
        call: str,
        sent: Batch | Chunk | Erasure,
        on: Iterable[str],
        send: Callable[[], Awaitable[T]],
    ) -> T:
        self._not_the_audit(sent.tenant)
        said = {
            "call": call,
            "actor": writer(sent.actor),
            "by": writer(self._actor),
            "purpose": self._purpose,
            "idem": self._idem(sent.tenant, sent.idem),
        }
        return await self._around(sent.tenant, said, on, send, idem=sent.idem)

    async def _ask(self, call: str, tenant: str, on: Iterable[str], send: Callable[[], Awaitable[T]]) -> T:
        said = {"call": call, "actor": writer(self._actor), "purpose": self._purpose}
        return await self._around(tenant, said, on, send)

    async def _around(
        self,
        tenant: str,
        said: dict[str, Any],
        on: Iterable[str],
        send: Callable[[], Awaitable[T]],
        *,
        idem: str = "",
    ) -> T:
        await self._note(tenant, {**said, "outcome": "asked"}, on=on)
        try:
            answer = await send()
        except StoreError as error:
            ended = "unknown" if error.outcome == "unknown" else error.code
            try:
                await self._note(tenant, {**said, "outcome": ended})
            except StoreError as unnoted:
                raise error from unnoted  # whether it was written is what the caller must know
            raise
        try:
            await self._note(tenant, {**said, "outcome": "ok"})
        except StoreError:
            raise CommitUnknown(
                "it was written, but the audit could not note that: send the same again, or ask outcome()",
                idem=idem,
            ) from None
        except asyncio.CancelledError as cancelled:
            raise cancelled from CommitUnknown(
                "the task was cancelled after it was written: ask outcome(), or send the same again",
                idem=idem,
            )
        return answer

    async def _note(self, tenant: str, said: dict[str, Any], **names: Iterable[str]) -> None:
        name, at = plain_name(tenant), self._clock()
        bodies = [{"tenant": name, **said, **one} for one in in_entries(names)]
        await self._log.add(self._log.shard_of(name), [Note(AUDIT_SCHEMA, at, body) for body in bodies])

    def _idem(self, tenant: str, idem: object) -> str:
        """A name for an idempotency key, by which an entry is brought together with a batch that is known."""
        return blinded(self._key, "idem", tenant, idem)

    def _not_the_audit(self, tenant: str) -> None:
        if self._own_log and tenant == AUDIT_TENANT:
            raise InvalidRecord(
                f"the tenant {AUDIT_TENANT!r} holds the audit, which is written by auditing alone: use another name"
            )


class _WithoutAudit:
    """The snapshot *within*, but for the rows of the audit."""

    def __init__(self, within: AsyncSnapshot) -> None:
        self._within = within

    async def read(self, limit: int = 1000) -> Sequence[Stored]:
        while some := await self._within.read(limit):
            if rows := [row for row in some if row.tenant != AUDIT_TENANT]:
                return rows
        return ()

    async def close(self) -> None:
        await self._within.close()
