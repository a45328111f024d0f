"""The calls of a store on PostgreSQL, written once for both colours.

Invariant: a read is one statement, or one transaction that sees one moment; a write is one transaction. No driver error
leaves, and a connection that was given up on is never used again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import crmcore.storage.paging as paging
import crmcore.storage.postgres_bulk as postgres_bulk
import crmcore.storage.postgres_lookup as postgres_lookup
import crmcore.storage.postgres_read as postgres_read
import crmcore.storage.postgres_write as postgres_write
from crmcore.storage.bulk import Chunk, ChunkReceipt
from crmcore.storage.bulk_plan import check_chunk, chunk_digest
from crmcore.storage.describe import LIMITS
from crmcore.storage.kept import body_of
from crmcore.storage.nearness import Breadth, NearHits, followed, nearest
from crmcore.storage.plan import decide, receipt, replayable
from crmcore.storage.postgres_errors import BATCH, CHUNK
from crmcore.storage.postgres_locks import for_batch, for_key
from crmcore.storage.postgres_parts import PostgresParts
from crmcore.storage.postgres_transaction import Transaction
from crmcore.storage.protocol import (
    Batch,
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
from crmcore.storage.validate import check_batch, check_limit, check_name

_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresFlow(PostgresParts):
    """Everything that both stores do; which pool they have makes the difference."""

    # reads

    async def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        wanted = paging.check_get(LIMITS, refs)
        async with self._reading() as link:
            return await postgres_read.get(link, wanted)

    async def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        seeks = paging.find_query(self._cursors, LIMITS, tenant, keys, limit_per_key, after)
        async with self._reading() as link:
            return await postgres_read.find(link, self._cursors, self._secret, tenant, seeks, limit_per_key)

    async def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        paging.check_fanout(LIMITS, tenant, keys, cap)
        async with self._reading() as link:
            return dict(
                zip(keys, await postgres_read.fanouts(link, self._secret, tenant, keys, cap), strict=True)
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
        query = paging.range_query(
            self._cursors, LIMITS, tenant, namespace, parts, lo, hi, after, limit, reverse
        )
        async with self._reading() as link:
            return await postgres_read.ordered(link, self._cursors, self._secret, query)

    async def scan(
        self,
        tenant: str,
        kind: str,
        *,
        shards: tuple[int, int] | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> Page[Record]:
        query = paging.scan_query(self._cursors, tenant, kind, shards, after, limit)
        async with self._reading() as link:
            return await postgres_read.scan(link, self._cursors, query)

    async def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        after = paging.check_ledger(LIMITS, tenant, streams, after, limit)
        async with self._reading() as link:
            return await postgres_read.entries(link, tenant, streams, after, limit, reverse=reverse)

    async def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        check_name(tenant, "a tenant")
        check_limit(limit)
        async with self._reading() as link:
            return await postgres_read.changes(link, self._cursors, tenant, after, limit)

    async def near(
        self, tenant: str, namespace: str, values: Sequence[str], kind: str, *, breadth: Breadth
    ) -> NearHits:
        cap = breadth.largest + 1
        keys = [Key(namespace, value) for value in values]
        paging.check_fanout(LIMITS, tenant, keys, cap)
        async with self._reading() as link:
            await link.ask(_SNAPSHOT)
            sizes = await postgres_read.fanouts(link, self._secret, tenant, keys, cap)
            places, passed_over = followed(sizes, breadth)
            chosen = [keys[place] for place in places]
            found = await postgres_read.bearers(link, self._secret, tenant, chosen, kind)
            ids, left_out = nearest(found, [sizes[place] for place in places], breadth.most)
            texts = await postgres_read.bodies(link, tenant, kind, ids)
            await link.ask("COMMIT")
        return NearHits({id: body_of(text) for id, text in texts.items()}, passed_over, left_out)

    # the one write

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        checked = check_batch(batch, LIMITS, self._exclusive)
        tenant, secret = checked.tenant, self._secret
        search = postgres_lookup.Search(secret, tenant, checked.addresses, checked.streams, checked.claims)
        async with self._writing(timeout, checked.idem, BATCH) as writing:
            who, applied, *answers = await writing.begin(
                for_batch(secret, checked),
                postgres_lookup.who(tenant),
                postgres_lookup.applied(tenant, checked.idem),
                *search.asked,
            )
            before = await postgres_lookup.known(writing, tenant, checked.idem, who, applied)
            if before is not None:
                replayable(before[1].digest, checked.digest)
                return await self._replayed(writing, tenant, *before)
            plan = decide(checked, *search.found(answers))
            owner = await postgres_lookup.tenant_for_writing(writing, tenant, who)
            idle = None if plan.events else await postgres_lookup.head(writing, tenant)
            done = postgres_write.effects(secret, self._exclusive, plan)
            note = postgres_write.note_of(checked, plan)
            ((tx,),) = (await writing.commit(postgres_write.carry_out(owner, note, done, plan.events, idle)))[
                0
            ]
        place = idle if idle is not None else (owner.era, int(tx), len(plan.events))
        return receipt(tenant, plan.events, self._position(tenant, place), checked.at, replayed=False)

    async def outcome(self, tenant: str, idem: str) -> Receipt | None:
        check_name(tenant, "a tenant")
        check_name(idem, "an idempotency key")
        async with self._writing(self._timeout, idem, BATCH) as writing:
            who, applied = await writing.begin(
                for_key(self._secret, tenant, idem),
                postgres_lookup.who(tenant),
                postgres_lookup.applied(tenant, idem),
            )
            before = await postgres_lookup.known(writing, tenant, idem, who, applied)
            if before is not None:
                if before[1].digest is None:
                    return None
                return await self._replayed(writing, tenant, *before)
            owner = await postgres_lookup.tenant_for_writing(writing, tenant, who)
            fence = postgres_write.Note(idem, None, 0, "", None)
            await writing.commit(postgres_write.carry_out(owner, fence, None, (), None))
            return None

    async def _replayed(
        self, writing: Transaction, tenant: str, kept_as: str, applied: postgres_lookup.Applied
    ) -> Receipt:
        events = await postgres_lookup.events_of(writing, tenant, kept_as)
        return receipt(tenant, events, self._position(tenant, applied.place), applied.at, replayed=True)

    # bulk

    async def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        checked = check_chunk(chunk, LIMITS, self._exclusive)
        async with self._writing(timeout, checked.idem, CHUNK) as writing:
            place, given = await postgres_bulk.load(writing, self._secret, self._exclusive, checked)
        return given(self._position(checked.tenant, place))

    async def loaded(self, tenant: str, idem: str, digest: str) -> ChunkReceipt | None:
        check_name(tenant, "a tenant")
        check_name(idem, "an idempotency key")
        wanted = chunk_digest(digest)
        async with self._reading() as link:
            found = await postgres_bulk.loaded(link, tenant, idem, wanted)
        if found is None:
            return None
        place, given = found
        return given(self._position(tenant, place))
