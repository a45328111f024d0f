"""Connections to PostgreSQL: psycopg's, bounded in time, in both colours behind one small interface.

Invariant: no wait for the server outlives the deadline of its connection; one that does leaves the connection closed.
A statement is a constant of this room, in which ``{name}`` stands for a table; every value is a parameter.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Generator, Iterable, Sequence
from math import ceil, inf
from typing import Any, Protocol, TypeVar

from crmcore.errors import MissingExtra

try:
    import psycopg
    from psycopg import (
        AsyncConnection,
        AsyncRawCursor,
        Connection,
        RawCursor,
        sql,
        waiting,
    )
    from psycopg.pq import PipelineStatus, TransactionStatus

    from crmcore.storage.postgres_exchange import Exchange, Row, Waits
except ImportError:
    raise MissingExtra("a store on PostgreSQL needs psycopg: pip install 'crmcore[postgres]'") from None

T = TypeVar("T")
Asked = tuple[str, Sequence[Any]]
"""A statement and its parameters."""

TABLES = "meta tenant batch record key claim sort ledger feed".split()
_TICK = 0.05
_LEAST_CONNECT = 2
# Asked without waiting, and without a file of its own for each connection; Windows has only the second.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


class Late(Exception):
    """The server did not answer in time. It stays within this room."""


class DriverError(Exception):
    """The server refused something, or the way there is broken. It stays within this room, and says no text of theirs.

    Errors of others who use the same driver, such as of whoever makes the rows that are restored, are none of these.
    *sqlstate* is what the server gave, None if it gave nothing.
    """

    def __init__(self, sqlstate: str | None = None) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate

    @classmethod
    def of(cls, error: psycopg.Error | OSError) -> DriverError:
        return cls(error.sqlstate if isinstance(error, psycopg.Error) else None)


class NotConnected(DriverError):
    """There is no connection; which of many reasons it has is only in a text of the server, in its own language."""


_ERRORS = (psycopg.Error, OSError)


class Names:
    """The tables of a store, in the PostgreSQL schema *schema*; turns the statements of this room into SQL."""

    def __init__(self, schema: str) -> None:
        self.schema = schema
        self._tables = {table: sql.Identifier(schema, table) for table in TABLES}
        self._tables["schema"] = sql.Identifier(schema)
        self._known: dict[str, bytes] = {}

    def sql(self, text: str) -> bytes:
        known = self._known.get(text)
        if known is None:
            query = sql.SQL(text)  # pyright: ignore[reportArgumentType]  # a constant of this room
            known = self._known[text] = query.format(**self._tables).as_bytes(None)
        return known


class Link(Protocol):
    """A connection for whoever took it from the pool."""

    def until(self, deadline: float) -> None:
        """Wait for the server no longer than until then, on the monotonic clock."""
        ...

    async def ask(self, text: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run one statement in one round trip."""
        ...

    async def together(self, *asked: Asked) -> list[list[Row]]:
        """Run several statements in one round trip; of those after one that fails none is run."""
        ...

    async def begin(self, text: str, parameters: Sequence[Any] = ()) -> None:
        """Run one statement, whose rows `some` takes; until there are no more the connection does nothing else."""
        ...

    async def some(self, rows: int, weight: int) -> list[Row]:
        """The next rows, so many at most, and no more when they weigh that much; none: that was all."""
        ...

    async def copy(self, text: str, blocks: Iterable[bytes]) -> None:
        """Run a COPY FROM STDIN over these bytes."""
        ...

    def failed(self) -> bool:
        """Whether the transaction has failed on the server, so that nothing of it can be committed."""
        ...

    def gone(self) -> bool:
        """Whether the server has said something unasked, which is that it ends the connection."""
        ...

    def usable(self) -> bool:
        """Whether the connection is idle and the server has not closed it."""
        ...

    def drop(self) -> None:
        """Close the connection without waiting for anything. May be repeated."""
        ...


def _bounded(generator: Generator[Any, Any, T], link: _Deadline) -> Generator[Any, Any, T]:
    """The waits of psycopg, ended when they are too long: it comes back here at least every tick."""
    try:
        wanted = next(generator)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > link.deadline:
                raise Late
            wanted = generator.send(ready)
    except StopIteration as finished:
        result: T = finished.value
        return result


class _Deadline:
    deadline: float = inf


class _Sync(Connection[Row], _Deadline):
    def wait(self, gen: Any, *_: Any, **__: Any) -> Any:
        try:
            return waiting.wait(_bounded(gen, self), self.pgconn.socket, interval=_TICK)
        except (Late, KeyboardInterrupt):
            self.pgconn.finish()
            raise


class _Async(AsyncConnection[Row], _Deadline):
    async def wait(self, gen: Any, *_: Any, **__: Any) -> Any:
        try:
            return await waiting.wait_async(_bounded(gen, self), self.pgconn.socket, interval=_TICK)
        except (Late, asyncio.CancelledError):
            self.pgconn.finish()
            raise


class _Common:
    """What both colours of a link share."""

    def __init__(self, connection: _Sync | _Async, names: Names) -> None:
        self._raw = connection
        self._names = names
        self._sockets = _Selector()
        self._sockets.register(connection.pgconn.socket, selectors.EVENT_READ)
        self._exchange = Exchange(connection.pgconn, connection)

    def _run(self, asked: Sequence[Asked]) -> Waits:
        return self._exchange.run([(self._names.sql(text), parameters) for text, parameters in asked])

    def until(self, deadline: float) -> None:
        self._raw.deadline = deadline

    def failed(self) -> bool:
        return self._raw.pgconn.transaction_status == TransactionStatus.INERROR

    def gone(self) -> bool:
        return bool(self._sockets.select(0))

    def usable(self) -> bool:
        pgconn = self._raw.pgconn
        return (
            pgconn.transaction_status == TransactionStatus.IDLE
            and pgconn.pipeline_status == PipelineStatus.OFF
            and not self.gone()
        )

    def drop(self) -> None:
        self._raw.pgconn.finish()


class SyncLink(_Common):
    """A `Link` whose calls block; a flow over it never suspends."""

    def __init__(self, connection: _Sync, names: Names) -> None:
        super().__init__(connection, names)
        self._connection = connection

    def _wait(self, steps: Generator[Any, Any, T]) -> T:
        try:
            answer: T = self._connection.wait(steps)
        except _ERRORS as error:
            raise DriverError.of(error) from None
        return answer

    async def ask(self, text: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return (await self.together((text, parameters)))[0]

    async def together(self, *asked: Asked) -> list[list[Row]]:
        return self._wait(self._run(asked))

    async def begin(self, text: str, parameters: Sequence[Any] = ()) -> None:
        self._wait(self._exchange.begin(self._names.sql(text), parameters))

    async def some(self, rows: int, weight: int) -> list[Row]:
        return self._wait(self._exchange.some(rows, weight))

    async def copy(self, text: str, blocks: Iterable[bytes]) -> None:
        try:
            with self._connection.cursor() as cursor, cursor.copy(self._names.sql(text)) as copy:
                for block in blocks:
                    copy.write(block)
        except _ERRORS as error:
            raise DriverError.of(error) from None


class AsyncLink(_Common):
    """A `Link` for asyncio."""

    def __init__(self, connection: _Async, names: Names) -> None:
        super().__init__(connection, names)
        self._connection = connection

    async def _wait(self, steps: Generator[Any, Any, T]) -> T:
        try:
            answer: T = await self._connection.wait(steps)
        except _ERRORS as error:
            raise DriverError.of(error) from None
        return answer

    async def ask(self, text: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return (await self.together((text, parameters)))[0]

    async def together(self, *asked: Asked) -> list[list[Row]]:
        return await self._wait(self._run(asked))

    async def begin(self, text: str, parameters: Sequence[Any] = ()) -> None:
        await self._wait(self._exchange.begin(self._names.sql(text), parameters))

    async def some(self, rows: int, weight: int) -> list[Row]:
        return await self._wait(self._exchange.some(rows, weight))

    async def copy(self, text: str, blocks: Iterable[bytes]) -> None:
        try:
            async with self._connection.cursor() as cursor, cursor.copy(self._names.sql(text)) as copy:
                for block in blocks:
                    await copy.write(block)
        except _ERRORS as error:
            raise DriverError.of(error) from None


def _options(dsn: str, deadline: float) -> dict[str, Any]:
    return {
        "conninfo": dsn,
        "autocommit": True,
        "client_encoding": "utf8",
        "connect_timeout": max(_LEAST_CONNECT, ceil(deadline - time.monotonic())),
    }


def connect(dsn: str, names: Names, deadline: float) -> SyncLink:
    """A connection for synchronous code."""
    try:
        connection = _Sync.connect(cursor_factory=RawCursor, **_options(dsn, deadline))
    except _ERRORS as error:
        raise NotConnected.of(error) from None
    return SyncLink(connection, names)


async def connect_async(dsn: str, names: Names, deadline: float) -> AsyncLink:
    """A connection for asyncio."""
    try:
        connection = await _Async.connect(cursor_factory=AsyncRawCursor, **_options(dsn, deadline))
    except _ERRORS as error:
        raise NotConnected.of(error) from None
    return AsyncLink(connection, names)
