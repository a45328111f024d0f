"""Reading through an encrypted store: what is asked for is named as it is named below, what comes back is opened.

Invariant: what is given back is what was given, to the byte; what was sealed for somebody whose key is gone is absent,
an entry the tombstone of an erased one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import attrs

from crmcore.errors import InvalidRecord
from crmcore.storage.capability import ORDERED_TEXT, missing
from crmcore.storage.protocol import Change, Entry, FeedPage, Hits, Key, Page, Position, Record, Ref, Sort
from crmcore.storage.stream import AsyncSnapshot, stream_of
from crmcore.storage.validate import check_part, check_word
from crmcore.storage.wrappers.encrypted_base import EncryptedBase
from crmcore.storage.wrappers.encrypted_describe import UNORDERED
from crmcore.storage.wrappers.encrypted_export import OpenedSnapshot
from crmcore.storage.wrappers.heading import heading_ids, open_heading
from crmcore.storage.wrappers.ring import Ring


class EncryptedReads(EncryptedBase):
    """The calls that read."""

    async def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        found = await self._inner.get(refs)
        by_tenant: dict[str, list[Record]] = {}
        for record in found.values():
            by_tenant.setdefault(record.ref.tenant, []).append(record)
        opened: dict[Ref, Record] = {}
        for tenant, records in by_tenant.items():
            opened.update((record.ref, record) for record in await self._opened(tenant, records))
        return opened

    async def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        names = await self._names(tenant, [*keys, *(after or ())])
        hits = await self._inner.find(
            tenant,
            [names[key] for key in keys],
            limit_per_key=limit_per_key,
            after=None if after is None else {names[key]: cursor for key, cursor in after.items()},
        )
        return {key: hits[names[key]] for key in keys}

    async def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        names = await self._names(tenant, keys)
        counts = await self._inner.fanout(tenant, [names[key] for key in keys], cap=cap)
        return {key: counts[names[key]] for key in keys}

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
        check_word(namespace, "a namespace")
        if namespace not in self._ordered:
            raise missing(ORDERED_TEXT, UNORDERED)
        if isinstance(parts, str):
            raise InvalidRecord("parts are a collection of texts: put a single one into a list")
        for part in parts:
            check_part(part)
        blinds = await self._blinds_of(tenant)
        true = {blinds.part(namespace, part): part for part in parts}
        page = await self._inner.range(
            tenant, namespace, list(true), lo=lo, hi=hi, after=after, limit=limit, reverse=reverse
        )
        return Page(
            tuple([(Sort(namespace, true[sort.part], sort.value), ref) for sort, ref in page.items]),
            page.next,
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
        page = await self._inner.scan(tenant, kind, shards=shards, after=after, limit=limit)
        return Page(tuple(await self._opened(tenant, page.items)), page.next)

    async def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        pages = await self._inner.ledger(tenant, streams, after=after, limit=limit, reverse=reverse)
        bodies = [entry.body for page in pages.values() for entry in page.items if entry.body]
        if not bodies:
            return pages
        ring = await self._ring(tenant, bodies)
        return {
            stream: Page(tuple([ring.open_entry(entry) for entry in page.items]), page.next)
            for stream, page in pages.items()
        }

    async def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        page = await self._inner.changes(tenant, after, limit)
        if not page.items:
            return page
        headings = {change.idem: change for change in page.items}
        ids = {id for change in headings.values() for id in heading_ids(change.actor)}
        blinds = await self._blinds_of(tenant)
        ring = Ring(self._sealer, tenant, blinds, await self._keys.keys_of(tenant, ids))
        opened = {
            idem: open_heading(ring, idem, change.actor, change.reason) for idem, change in headings.items()
        }

        def true(change: Change) -> Change:
            idem, actor, reason, _ = opened[change.idem]
            return attrs.evolve(change, idem=idem, actor=actor, reason=reason)

        return attrs.evolve(page, items=tuple([true(change) for change in page.items]))

    async def export(self, tenants: Collection[str] | None = None) -> AsyncSnapshot:
        """A snapshot in plain, to be restored into a store of another kind.

        A backup that is to stay sealed is one of the store below.
        """
        return OpenedSnapshot(await stream_of(self._inner).export(tenants), self._ring)
