"""Adding to the audit: one writer after the other, in chains that fork nowhere.

Invariant: an entry is added behind the entry that it was linked to, or not at all; who comes second reads the new end
and tries again. What cannot be added is an error for whoever wanted to be audited.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from crmcore.errors import CommitUnknown, Contention, StreamConflict
from crmcore.storage.protocol import Append, AsyncStore, Batch, Draft
from crmcore.storage.validate import microseconds
from crmcore.storage.wrappers.audit_chain import (
    AUDIT_TENANT,
    SEAL_SCHEMA,
    SEALS,
    SHARDS,
    Anchor,
    Head,
    anchor_proof,
    audit_key,
    link,
    link_of,
    linked,
    shard_name,
    start,
)
from crmcore.values.source import SYSTEM

_MOST_TRIES = 200


class AuditLog:
    """The audit in *store*, under the tenant ``crmcore.audit``, in *shards* streams, with the secret *key*."""

    def __init__(self, store: AsyncStore, key: bytes, *, shards: int = SHARDS) -> None:
        self.store = store
        self.shards = shards
        self._key = audit_key(key)
        self._heads: dict[str, Head] = {}

    def __repr__(self) -> str:
        return f"AuditLog(shards={self.shards})"

    def shard_of(self, tenant: str) -> str:
        """The stream of a tenant: always the same, so that what happened to it has one order."""
        number = int.from_bytes(blake2b(tenant.encode(), digest_size=4).digest(), "big")
        return shard_name(number % self.shards)

    async def add(self, stream: str, schema: str, at: datetime, body: Mapping[str, Any]) -> None:
        """Put an entry at the end of a stream.

        Raises:
            StoreError: if that cannot be done, or cannot be told.
        """
        for _ in range(_MOST_TRIES):
            head = self._heads.get(stream) or await self._read_head(stream)
            try:
                made = await self._append(stream, schema, at, body, head)
            except StreamConflict:
                self._heads.pop(stream, None)  # somebody else was first
                continue
            self._heads[stream] = Head(head.seq + 1, made)
            return
        raise Contention("others were writing to the audit all the time: do the same again")

    async def seal(self, at: datetime) -> None:
        """Bind the ends of all shards together, in an entry of a stream of its own."""
        heads = [
            [stream, head.seq, head.link.hex()]
            for stream, head in (await self._read_heads(without=SEALS)).items()
        ]
        await self.add(SEALS, SEAL_SCHEMA, at, {"heads": heads})

    async def anchor(self, at: datetime) -> Anchor:
        """A small value that says how far the audit has come, to be kept elsewhere."""
        found = await self._read_heads()
        heads = tuple((stream, head.seq, head.link.hex()) for stream, head in found.items())
        return Anchor(at=at, heads=heads, proof=anchor_proof(self._key, at, heads))

    async def _read_heads(self, *, without: str = "") -> dict[str, Head]:
        streams = [*map(shard_name, range(self.shards)), SEALS]
        pages = await self.store.ledger(AUDIT_TENANT, streams, limit=1, reverse=True)
        return {
            stream: Head(page.items[0].seq, link_of(page.items[0]))
            for stream, page in pages.items()
            if page.items and stream != without
        }

    async def _read_head(self, stream: str) -> Head:
        page = (await self.store.ledger(AUDIT_TENANT, [stream], limit=1, reverse=True))[stream]
        if not page.items:
            return Head(0, start(self._key, stream))
        return Head(page.items[0].seq, link_of(page.items[0]))

    async def _append(
        self, stream: str, schema: str, at: datetime, body: Mapping[str, Any], head: Head
    ) -> bytes:
        made = link(
            self._key, stream, head.seq + 1, schema, microseconds(at, "the time of an entry"), body, head.link
        )
        draft = Draft(occurred_at=at, recorded_at=at, subjects=(), schema=schema, body=linked(body, made))
        batch = Batch(
            tenant=AUDIT_TENANT,
            ops=(Append(stream=stream, entry=draft, expect_seq=head.seq),),
            idem=secrets.token_hex(16),  # of this attempt alone: two writers may well say the same at once
            actor=SYSTEM,
            at=at,
        )
        try:
            await self.store.apply(batch)
        except CommitUnknown:
            await self.store.apply(batch)  # it is known by its key, so it is written once
        return made
