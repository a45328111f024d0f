"""What all calls of a store on PostgreSQL stand on: its pool, its secret, and how a connection is taken for a call.

Invariant: a connection is given back exactly once, no driver error leaves, and a store whose tables are not of this
version answers nothing but `schema` and `migrate`.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakSet

from crmcore.errors import SchemaMismatch, StoreClosed
from crmcore.storage.cursor import Cursors
from crmcore.storage.postgres_driver import DriverError, Late, Link, Names
from crmcore.storage.postgres_errors import translated
from crmcore.storage.postgres_export import AsyncPostgresSnapshot
from crmcore.storage.postgres_pool import Pool
from crmcore.storage.postgres_rows import Place, sealed
from crmcore.storage.postgres_schema import Opened
from crmcore.storage.postgres_transaction import Transaction, transaction
from crmcore.storage.protocol import Description, Position
from crmcore.storage.validate import check_timeout


class PostgresBase:
    """The state of a store; which pool it has makes its colour."""

    def __init__(
        self,
        pool: Pool,
        names: Names,
        opened: Opened | None,
        exclusive: frozenset[str],
        timeout: float,
        description: Description,
    ) -> None:
        self._description = description
        self._pool = pool
        self._names = names
        self._asked_exclusive = exclusive
        self._timeout = check_timeout(timeout)
        self._process = os.getpid()
        self._snapshots: WeakSet[AsyncPostgresSnapshot] = WeakSet()
        self._opened = opened
        self._cursors = Cursors(b"" if opened is None else opened.secret)

    def describe(self) -> Description:
        return self._description

    async def close(self) -> None:
        """Give the connections back; those in use are closed when their call ends. May be repeated."""
        await self._pool.close()
        for snapshot in list(self._snapshots):
            snapshot.end()

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
        return _Reading(
            self._pool, time.monotonic() + (self._timeout if timeout is None else check_timeout(timeout))
        )

    @asynccontextmanager
    async def _writing(self, timeout: float, idem: str, doubt: str) -> AsyncIterator[Transaction]:
        self._check(ready=True)
        async with transaction(self._pool, timeout, idem, doubt) as writing:
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
        if isinstance(error, (DriverError, Late)):
            self._link.drop()
        self._pool.give(self._link)
        if isinstance(error, (DriverError, Late)):
            raise translated(error) from None
