"""The store on a PostgreSQL server (14 or later): for many machines and many processes at once.

Invariant: a batch that was acknowledged is on the disk of the server; batches that touch the same thing come one after
the other, whatever process they come from; the feed gives them in that order and leaves none out.

Everything is written once, as asynchronous flows (`crmcore.storage.postgres_flow`). This store runs them over
connections that block, so a call of it never meets an event loop.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Self

from crmcore.storage.bulk import Chunk, ChunkReceipt
from crmcore.storage.erasure import Erasure, ErasureReport
from crmcore.storage.lift import run
from crmcore.storage.nearness import Breadth, NearHits
from crmcore.storage.postgres_export import PostgresSnapshot
from crmcore.storage.postgres_flow import PostgresFlow
from crmcore.storage.postgres_open import greeting, start
from crmcore.storage.postgres_pool import SyncPool
from crmcore.storage.protocol import (
    EXCLUSIVE,
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
from crmcore.storage.stream import Restored
from crmcore.storage.upkeep import Integrity, SchemaState


class PostgresStore:
    """A `Store` in the PostgreSQL schema *schema* of the database at *dsn*, with tables that are made if missing.

    *dsn* is an address as PostgreSQL's own programs take it. *exclusive* are the namespaces in which a key has one
    holder at most; they are settled when the tables are made. At most *pool_size* connections are open, each made when
    it is needed. *timeout*, in seconds, bounds every call that does not take one of its own. With ``migrate=False``
    the tables are left as they are: see `schema` and `migrate`. A store may be used from several threads; after a fork,
    open it again.

    Raises:
        MissingExtra: without psycopg (``pip install 'crmcore[postgres]'``), when the class is imported.
        Unavailable: if the server cannot be reached, or refuses.
        SchemaMismatch: if a newer crmcore wrote the tables.
    """

    def __init__(
        self,
        dsn: str,
        *,
        schema: str = "crmcore",
        exclusive: Collection[str] = EXCLUSIVE,
        pool_size: int = 8,
        timeout: float = 30.0,
        migrate: bool = True,
    ) -> None:
        begun = start(
            dsn, schema=schema, exclusive=exclusive, pool_size=pool_size, timeout=timeout, migrate=migrate
        )
        self._description = begun.description
        pool = SyncPool(dsn, begun.names, pool_size, greeting(begun.names, timeout))
        self._flow = PostgresFlow(pool, begun.names, begun.opened, begun.exclusive, timeout)

    @classmethod
    def open(
        cls,
        dsn: str,
        *,
        schema: str = "crmcore",
        exclusive: Collection[str] = EXCLUSIVE,
        pool_size: int = 8,
        timeout: float = 30.0,
        migrate: bool = True,
    ) -> Self:
        """The same as calling the class: for code that opens stores of any kind by this name."""
        return cls(
            dsn, schema=schema, exclusive=exclusive, pool_size=pool_size, timeout=timeout, migrate=migrate
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def describe(self) -> Description:
        return self._description

    def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        return run(self._flow.get(refs))

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        return run(self._flow.find(tenant, keys, limit_per_key=limit_per_key, after=after))

    def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        return run(self._flow.fanout(tenant, keys, cap=cap))

    def range(
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
        return run(
            self._flow.range(
                tenant, namespace, parts, lo=lo, hi=hi, after=after, limit=limit, reverse=reverse
            )
        )

    def scan(
        self,
        tenant: str,
        kind: str,
        *,
        shards: tuple[int, int] | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> Page[Record]:
        return run(self._flow.scan(tenant, kind, shards=shards, after=after, limit=limit))

    def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        return run(self._flow.ledger(tenant, streams, after=after, limit=limit, reverse=reverse))

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        return run(self._flow.changes(tenant, after, limit))

    def near(
        self, tenant: str, namespace: str, values: Sequence[str], kind: str, *, breadth: Breadth
    ) -> NearHits:
        return run(self._flow.near(tenant, namespace, values, kind, breadth=breadth))

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return run(self._flow.apply(batch, timeout=timeout))

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        return run(self._flow.load(chunk, timeout=timeout))

    def loaded(self, tenant: str, idem: str, digest: str) -> ChunkReceipt | None:
        return run(self._flow.loaded(tenant, idem, digest))

    def outcome(self, tenant: str, idem: str) -> Receipt | None:
        return run(self._flow.outcome(tenant, idem))

    def export(self, tenants: Collection[str] | None = None) -> PostgresSnapshot:
        """A snapshot on a connection of its own, beside those of the pool."""
        return PostgresSnapshot(run(self._flow.export(tenants)))

    def restore(self, rows: Iterable[Stored]) -> Restored:
        return run(self._flow.restore(rows))

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        return run(self._flow.erase(erasure, timeout=timeout))

    def erasures(self, tenant: str, *, after: str | None = None, limit: int = 500) -> Page[Erasure]:
        return run(self._flow.erasures(tenant, after=after, limit=limit))

    def verify(self) -> Integrity:
        return run(self._flow.verify())

    def tenants(self, *, after: str | None = None, limit: int = 500) -> Page[str]:
        return run(self._flow.tenants(after=after, limit=limit))

    def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        return run(self._flow.drop_tenant(tenant, timeout=timeout))

    def schema(self) -> SchemaState:
        return run(self._flow.schema())

    def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]:
        return run(self._flow.migrate(timeout=timeout))

    def close(self) -> None:
        """Give the connections back; those in use are closed when their call ends. May be repeated."""
        run(self._flow.close())
