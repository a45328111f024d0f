"""Reading through an audited store: noted after the answer is there and before it is given.

Invariant: no answer leaves before its question is in the audit, with the names of all that was asked for and given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import attrs

from crmcore.storage.bulk import ChunkReceipt, bulk_of
from crmcore.storage.erasure import Erasure, eraser_of
from crmcore.storage.protocol import Entry, FeedPage, Hits, Key, Page, Position, Record, Ref, Sort
from crmcore.storage.stored import Stored
from crmcore.storage.stream import AsyncSnapshot, stream_of
from crmcore.storage.upkeep import Integrity, SchemaState, durable_of, schema_of, tenants_of
from crmcore.storage.wrappers.audit_chain import AUDIT_TENANT
from crmcore.storage.wrappers.audit_names import (
    change_name,
    count_by,
    part_name,
    plain_name,
    ref_name,
    sort_names,
    word_name,
)
from crmcore.storage.wrappers.audited_base import AuditedBase


class AuditedReads(AuditedBase):
    """The calls that read."""

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
        taken: list[AsyncSnapshot] = []

        async def send() -> AsyncSnapshot:
            taken.append(await stream.export(tenants))
            return taken[0]

        try:
            snapshot = await self._read("export", dict.fromkeys(tenants or [""], ()), send)
        except BaseException:
            for one in taken:  # nobody is given it, so nobody would close it
                await one.close()
            raise
        return _WithoutAudit(snapshot) if tenants is None and self._own_log else snapshot

    async def tenants(self, *, after: str | None = None, limit: int = 500) -> Page[str]:
        held = tenants_of(self._inner)
        page = await self._read("tenants", {"": ()}, lambda: held.tenants(after=after, limit=limit))
        if not self._own_log:
            return page
        return attrs.evolve(page, items=tuple([name for name in page.items if name != AUDIT_TENANT]))

    async def verify(self) -> Integrity:
        durable = durable_of(self._inner)
        return await self._read("verify", {"": ()}, durable.verify)

    async def schema(self) -> SchemaState:
        return await self._read("schema", {"": ()}, schema_of(self._inner).schema)


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
