"""`PostgresStore` for asyncio: the same flows over psycopg's asynchronous connections, without threads.

Invariant: as that of `PostgresStore`. A call that is cancelled before its commit has written nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Self

from crmcore.storage.postgres_flow import PostgresFlow
from crmcore.storage.postgres_open import greeting, start
from crmcore.storage.postgres_pool import AsyncPool
from crmcore.storage.protocol import EXCLUSIVE


class AsyncPostgresStore(PostgresFlow):
    """An `AsyncStore` in the PostgreSQL schema *schema* of the database at *dsn*; the arguments are `PostgresStore`'s.

    Making it connects once and blocks for a moment, at start; every later call waits in the event loop. It belongs to
    the loop of its first call. A task that is cancelled while its batch is being committed stays cancelled, and the
    `asyncio.CancelledError` has a `CommitUnknown` as its cause: ask `outcome`, or send the same batch again.
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
        pool = AsyncPool(dsn, begun.names, pool_size, greeting(begun.names, timeout))
        super().__init__(pool, begun.names, begun.opened, begun.exclusive, timeout, begun.description)

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

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
