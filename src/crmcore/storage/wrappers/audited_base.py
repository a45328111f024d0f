"""Noting calls in the audit: a read after its answer is there, a write before it is sent and once more when it ended.

Invariant: what cannot be noted is not given and not sent. Whoever is told that nothing was written is told the truth,
also when the end of a write could not be noted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from crmcore.errors import CommitUnknown, InvalidRecord, StoreError
from crmcore.storage.bulk import Chunk
from crmcore.storage.erasure import Erasure
from crmcore.storage.protocol import AsyncStore, Batch
from crmcore.storage.wrappers.audit_chain import AUDIT_SCHEMA, AUDIT_TENANT, Note
from crmcore.storage.wrappers.audit_log import AuditLog
from crmcore.storage.wrappers.audit_names import blinded, in_entries, plain_name, writer
from crmcore.storage.wrappers.retrying import blocking
from crmcore.values.source import SYSTEM, Actor

BATCH = "send the same batch again, or ask outcome()"
CHUNK = "send the same chunk again, or ask loaded()"
ERASED = "send the same erasure again"
ASKED = "ask outcome() again"
DROPPED = "drop the tenant again"
RESTORED = "what was restored is there, and is refused (NotEmpty) when it is restored again"
MIGRATED = "migrate again, which goes on where it was"
"""What to do when a call ended and the audit could not note that."""

T = TypeVar("T")
Clock = Callable[[], datetime]


class AuditedBase:
    """What the calls of `Audited` share; see there for what it is made from."""

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
        then: str,
    ) -> T:
        """*then* is what to do when it ended and that could not be noted."""
        self._not_the_audit(sent.tenant)
        said = {
            "call": call,
            "actor": writer(sent.actor),
            "by": writer(self._actor),
            "purpose": self._purpose,
            "idem": self._idem(sent.tenant, sent.idem),
        }
        return await self._around(sent.tenant, said, on, send, then, idem=sent.idem)

    async def _ask(
        self,
        call: str,
        tenant: str,
        on: Iterable[str],
        send: Callable[[], Awaitable[T]],
        then: str,
        *,
        idem: str = "",
    ) -> T:
        said = {"call": call, "actor": writer(self._actor), "purpose": self._purpose}
        return await self._around(tenant, said, on, send, then, idem=idem)

    async def _around(
        self,
        tenant: str,
        said: dict[str, Any],
        on: Iterable[str],
        send: Callable[[], Awaitable[T]],
        then: str,
        *,
        idem: str,
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
                f"it was done, but the audit could not note that: {then}", idem=idem
            ) from None
        except asyncio.CancelledError as cancelled:
            raise cancelled from CommitUnknown(f"the task was cancelled after it was done: {then}", idem=idem)
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
