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
    from psycopg.adapt import Dumper
    from psycopg.pq import PipelineStatus, TransactionStatus
    from psycopg.types.numeric import Int8Dumper
    from psycopg.types.string import TextLoader

    from crmcore.storage.postgres_exchange import Exchange, Row, Waits
except ImportError:
    raise MissingExtra("a store on PostgreSQL needs psycopg: pip install 'crmcore[postgres]'") from None

T = TypeVar("T")
Asked = tuple[str, Sequence[Any]]
"""A statement and its parameters."""

_TABLES = "meta tenant batch record key claim sort ledger feed".split()
_TICK = 0.05
_LEAST_CONNECT = 2
# Asked without waiting, and without a file of its own for each connection; Windows has only the second.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


class Late(Exception):
    """The server did not answer in time. It stays within this room."""


class Names:
    """The tables of a store, in the PostgreSQL schema *schema*; turns the statements of this room into SQL."""

    def __init__(self, schema: str) -> None:
        self.schema = schema
        self._tables = {table: sql.Identifier(schema, table) for table in _TABLES}
        self._tables["schema"] = sql.Identifier(schema)
        self._known: dict[str, bytes] = {}

    def sql(self, text: str) -> bytes:
        known = self._known.get(text)
        if known is None:
            query = sql.SQL(text)  # pyright: ignore[reportArgumentType]  # a constant of this room
            known = self._known[text] = query.format(**self._tables).as_bytes(None)
        return known


class _Arrays(Dumper):
    """A list as the text of an array, for a statement that says of what type; psycopg's own looks at each element."""

    def dump(self, obj: list[Any]) -> bytes:
        return ("{" + ",".join(map(_element, obj)) + "}").encode()


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    if isinstance(value, str):
        if "\\" in value or '"' in value:
            value = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{value}"'
    return str(value)


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
        # One type for every integer, so that a statement is prepared once; ids stay texts.
        connection.adapters.register_dumper(int, Int8Dumper)
        connection.adapters.register_loader("uuid", TextLoader)
        connection.adapters.register_dumper(list, _Arrays)
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

    async def ask(self, text: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return (await self.together((text, parameters)))[0]

    async def together(self, *asked: Asked) -> list[list[Row]]:
        answers: list[list[Row]] = self._connection.wait(self._run(asked))
        return answers

    async def copy(self, text: str, blocks: Iterable[bytes]) -> None:
        with self._connection.cursor() as cursor, cursor.copy(self._names.sql(text)) as copy:
            for block in blocks:
                copy.write(block)


class AsyncLink(_Common):
    """A `Link` for asyncio."""

    def __init__(self, connection: _Async, names: Names) -> None:
        super().__init__(connection, names)
        self._connection = connection

    async def ask(self, text: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return (await self.together((text, parameters)))[0]

    async def together(self, *asked: Asked) -> list[list[Row]]:
        answers: list[list[Row]] = await self._connection.wait(self._run(asked))
        return answers

    async def copy(self, text: str, blocks: Iterable[bytes]) -> None:
        async with self._connection.cursor() as cursor, cursor.copy(self._names.sql(text)) as copy:
            for block in blocks:
                await copy.write(block)


def _options(dsn: str, deadline: float) -> dict[str, Any]:
    return {
        "conninfo": dsn,
        "autocommit": True,
        "client_encoding": "utf8",
        "connect_timeout": max(_LEAST_CONNECT, ceil(deadline - time.monotonic())),
    }


def connect(dsn: str, names: Names, deadline: float) -> SyncLink:
    """A connection for synchronous code."""
    connection = _Sync.connect(cursor_factory=RawCursor, **_options(dsn, deadline))
    return SyncLink(connection, names)


async def connect_async(dsn: str, names: Names, deadline: float) -> AsyncLink:
    """A connection for asyncio."""
    connection = await _Async.connect(cursor_factory=AsyncRawCursor, **_options(dsn, deadline))
    return AsyncLink(connection, names)


DriverError = psycopg.Error
