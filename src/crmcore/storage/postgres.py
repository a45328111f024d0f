"""The store on a PostgreSQL server (14 or later): for many machines and many processes at once.

Invariant: a batch that was acknowledged is on the disk of the server; batches that touch the same thing come one after
the other, whatever process they come from; the feed gives them in that order and leaves none out.

Everything is written once, as asynchronous flows (`crmcore.storage.postgres_flow`). This store runs them over
connections that block, so a call of it never meets an event loop.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Self

from crmcore.storage.lift import run
from crmcore.storage.lower import Lowered
from crmcore.storage.nearness import Breadth, NearHits
from crmcore.storage.postgres_flow import PostgresFlow
from crmcore.storage.postgres_open import greeting, start
from crmcore.storage.postgres_pool import SyncPool
from crmcore.storage.protocol import (
    EXCLUSIVE,
)


class PostgresStore(Lowered):
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
        pool = SyncPool(dsn, begun.names, pool_size, greeting(begun.names, timeout))
        self._flow = PostgresFlow(
            pool, begun.names, begun.opened, begun.exclusive, timeout, begun.description
        )
        super().__init__(self._flow)

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

    def near(
        self, tenant: str, namespace: str, values: Sequence[str], kind: str, *, breadth: Breadth
    ) -> NearHits:
        return run(self._flow.near(tenant, namespace, values, kind, breadth=breadth))
