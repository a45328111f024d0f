"""The calls of a store on PostgreSQL, written once for both colours.

Invariant: a read is one statement, or one transaction that sees one moment; a write is one transaction. No driver error
leaves, and a connection that was given up on is never used again.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

import crmcore.storage.paging as paging
import crmcore.storage.postgres_bulk as postgres_bulk
import crmcore.storage.postgres_read as postgres_read
import crmcore.storage.postgres_schema as postgres_schema
import crmcore.storage.postgres_write as postgres_write
from crmcore.errors import SchemaMismatch, StoreClosed
from crmcore.storage.bulk import Chunk, ChunkReceipt
from crmcore.storage.bulk_plan import check_chunk, chunk_digest
from crmcore.storage.cursor import Cursors
from crmcore.storage.describe import LIMITS
from crmcore.storage.document import decode
from crmcore.storage.nearness import Breadth, NearHits, followed, nearest
from crmcore.storage.plan import decide, receipt, replayable
from crmcore.storage.postgres_driver import DriverError, Late, Link, Names
from crmcore.storage.postgres_errors import translated
from crmcore.storage.postgres_locks import for_batch, for_key
from crmcore.storage.postgres_pool import Pool
from crmcore.storage.postgres_rows import Place, sealed
from crmcore.storage.postgres_schema import Opened
from crmcore.storage.postgres_transaction import Transaction, transaction
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
from crmcore.storage.upkeep import SchemaState
from crmcore.storage.validate import check_batch, check_limit, check_name

_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresFlow:
    """Everything that both stores do; which pool they have makes the difference."""

    def __init__(
        self, pool: Pool, names: Names, opened: Opened | None, exclusive: frozenset[str], timeout: float
    ) -> None:
        self._pool = pool
        self._names = names
        self._asked_exclusive = exclusive
        self._timeout = timeout
        self._process = os.getpid()
        self._opened = opened
        self._cursors = Cursors(b"" if opened is None else opened.secret)

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
        return NearHits({id: decode(text) for id, text in texts.items()}, passed_over, left_out)

    # the one write

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        checked = check_batch(batch, LIMITS, self._exclusive)
        tenant, secret = checked.tenant, self._secret
        search = postgres_write.Search(secret, tenant, checked.addresses, checked.streams, checked.claims)
        async with self._writing(timeout, checked.idem) as writing:
            who, applied, *answers = await writing.begin(
                for_batch(secret, checked),
                postgres_write.who(tenant),
                postgres_write.applied(tenant, checked.idem),
                *search.asked,
            )
            before = await postgres_write.known(writing, tenant, checked.idem, who, applied)
            if before is not None:
                replayable(before[1].digest, checked.digest)
                return await self._replayed(writing, tenant, *before)
            plan = decide(checked, *search.found(answers))
            owner = await postgres_write.tenant_for_writing(writing, tenant, who)
            idle = None if plan.events else await postgres_write.head(writing, tenant)
            done = postgres_write.effects(secret, self._exclusive, plan)
            note = postgres_write.note_of(checked)
            ((tx,),) = (await writing.commit(postgres_write.carry_out(owner, note, done, plan.events, idle)))[
                0
            ]
        place = idle if idle is not None else (owner.era, int(tx), len(plan.events))
        return receipt(tenant, plan.events, self._position(tenant, place), checked.at, replayed=False)

    async def outcome(self, tenant: str, idem: str) -> Receipt | None:
        check_name(tenant, "a tenant")
        check_name(idem, "an idempotency key")
        async with self._writing(self._timeout, idem) as writing:
            who, applied = await writing.begin(
                for_key(self._secret, tenant, idem),
                postgres_write.who(tenant),
                postgres_write.applied(tenant, idem),
            )
            before = await postgres_write.known(writing, tenant, idem, who, applied)
            if before is not None:
                if before[1].digest is None:
                    return None
                return await self._replayed(writing, tenant, *before)
            owner = await postgres_write.tenant_for_writing(writing, tenant, who)
            fence = postgres_write.Note(idem, None, 0, "", None)
            await writing.commit(postgres_write.carry_out(owner, fence, None, (), None))
            return None

    async def _replayed(
        self, writing: Transaction, tenant: str, kept_as: str, applied: postgres_write.Applied
    ) -> Receipt:
        events = await postgres_write.events_of(writing, tenant, kept_as)
        return receipt(tenant, events, self._position(tenant, applied.place), applied.at, replayed=True)

    # bulk

    async def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        checked = check_chunk(chunk, LIMITS, self._exclusive)
        async with self._writing(timeout, checked.idem) as writing:
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

    # upkeep

    async def schema(self) -> SchemaState:
        async with self._reading(ready=False) as link:
            return await postgres_schema.state(link, self._names)

    async def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]:
        async with self._reading(timeout, ready=False) as link:
            taken = await postgres_schema.migrate(
                link, self._names, self._asked_exclusive, int(timeout * 1000)
            )
            opened = await postgres_schema.opened(link, self._names, self._asked_exclusive)
        if self._opened is None:
            self._cursors = Cursors(opened.secret)
            self._opened = opened
        return taken

    async def close(self) -> None:
        """Give the connections back; those in use are closed when their call ends. May be repeated."""
        await self._pool.close()

    # connections

    @property
    def _ready(self) -> Opened:
        if self._opened is None:
            raise SchemaMismatch(
                f"the tables in the PostgreSQL schema {self._names.schema!r} are not as this crmcore needs them: "
                "call migrate(), or open the store without migrate=False"
            )
        return self._opened

    @property
    def _secret(self) -> bytes:
        return self._ready.secret

    @property
    def _exclusive(self) -> frozenset[str]:
        return self._ready.exclusive

    def _position(self, tenant: str, place: Place) -> Position:
        return sealed(self._cursors, tenant, place)

    def _reading(self, timeout: float | None = None, *, ready: bool = True) -> _Reading:
        """A connection for a read: nothing that it does changes anything."""
        self._check(ready)
        return _Reading(self._pool, time.monotonic() + (self._timeout if timeout is None else timeout))

    @asynccontextmanager
    async def _writing(self, timeout: float, idem: str) -> AsyncIterator[Transaction]:
        self._check(ready=True)
        async with transaction(self._pool, timeout, idem) as writing:
            yield writing

    def _check(self, ready: bool) -> None:
        if os.getpid() != self._process:
            raise StoreClosed("this store was opened by the process before a fork: open it again in this one")
        if ready:
            assert self._ready  # raises by itself


class _Reading:
    """A block that has a connection for reading; a generator would cost a point read a tenth of its time."""

    def __init__(self, pool: Pool, deadline: float) -> None:
        self._pool = pool
        self._deadline = deadline

    async def __aenter__(self) -> Link:
        self._link = await self._pool.take(self._deadline)
        return self._link

    async def __aexit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if isinstance(error, (DriverError, Late, OSError)):
            self._link.drop()
        self._pool.give(self._link)
        if isinstance(error, (DriverError, Late, OSError)):
            raise translated(error) from None
