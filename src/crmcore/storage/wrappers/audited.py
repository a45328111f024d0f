"""`Audited`: a store that notes who asked what, before a write and after a read, and gives nothing that it cannot note.

Invariant: no batch reaches the store below before it is in the audit, and no answer leaves before its question is.
When the audit cannot be written, the call is refused. An entry holds ids, names of kinds, streams, namespaces and
calls, and numbers, all that were asked for and given; never a body, the value of a key or sort, a reason, or an
idempotency key.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from crmcore.errors import InvalidValue
from crmcore.storage.bulk import Chunk, ChunkReceipt, bulk_of
from crmcore.storage.erasure import Erasure, ErasureReport, Residual, eraser_of
from crmcore.storage.protocol import Batch, Description, Receipt
from crmcore.storage.stored import Stored
from crmcore.storage.stream import Restored, backup_of
from crmcore.storage.upkeep import schema_of, tenants_of
from crmcore.storage.wrappers.audit_chain import Anchor, AnchorSink
from crmcore.storage.wrappers.audit_names import id_name, named_in, plain_name, ref_name
from crmcore.storage.wrappers.audited_base import (
    ASKED,
    BATCH,
    CHUNK,
    DROPPED,
    ERASED,
    MIGRATED,
    RESTORED,
)
from crmcore.storage.wrappers.audited_read import AuditedReads
from crmcore.values.source import Actor

_AUDIT = Residual(
    place="audit",
    what="who asked for what: the names of the tenant, of its records and of its ledgers",
    remedy="erase the tenant of the audit, and with it the proof",
)


class Audited(AuditedReads):
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

    # --- writing: noted before, and how it ended after ---

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return await self._write(
            "apply", batch, named_in(batch.ops), lambda: self._inner.apply(batch, timeout=timeout), BATCH
        )

    async def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        bulk = bulk_of(self._inner)
        return await self._write(
            "load", chunk, [f"{len(chunk.rows)} rows"], lambda: bulk.load(chunk, timeout=timeout), CHUNK
        )

    async def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        eraser = eraser_of(self._inner)
        names = [*map(ref_name, erasure.refs), *map(plain_name, erasure.streams)]
        names += map(id_name, erasure.subjects)
        names += [f"{plain_name(stream)}/{seq}" for stream, seq in erasure.entries]
        return await self._write(
            "erase", erasure, sorted(names), lambda: eraser.erase(erasure, timeout=timeout), ERASED
        )

    async def outcome(self, tenant: str, idem: str) -> Receipt | None:
        self._not_the_audit(tenant)
        on = [self._idem(tenant, idem)]
        return await self._ask(
            "outcome", tenant, on, lambda: self._inner.outcome(tenant, idem), ASKED, idem=idem
        )

    async def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        held = tenants_of(self._inner)
        self._not_the_audit(tenant)
        report = await self._ask(
            "drop_tenant", tenant, (), lambda: held.drop_tenant(tenant, timeout=timeout), DROPPED
        )
        return attrs.evolve(report, residual=(*report.residual, _AUDIT))

    async def restore(self, rows: Iterable[Stored]) -> Restored:
        backup = backup_of(self._inner)
        return await self._ask("restore", "", (), lambda: backup.restore(rows), RESTORED)

    async def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]:
        steps = schema_of(self._inner)
        return await self._ask("migrate", "", (), lambda: steps.migrate(timeout=timeout), MIGRATED)

    async def close(self) -> None:
        """Close the store below; a *log* that was given stays open."""
        await self._inner.close()
