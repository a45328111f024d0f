"""Other drivers behind the store's own code: whatever the store sends goes through them, statement by statement.

The seam is ``sqlite3.connect``: `SqliteStore` makes every connection by it, so that what is put in its place meets the
pragmas, the SQL and the order of the code that ships, and nothing that was copied from it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast
from unittest import mock

import apsw


@contextmanager
def driven_by(connect: Callable[..., sqlite3.Connection]) -> Iterator[None]:
    """Let every connection that a store makes be made by *connect*."""
    with mock.patch.object(sqlite3, "connect", connect):
        yield


class Rows:
    """What a statement gave, as a cursor of `sqlite3`."""

    def __init__(self, rows: list[Any], last: int) -> None:
        self._rows = iter(rows)
        self.lastrowid = last

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows


class ApswConnection:
    """A connection of `apsw` with the calls of `sqlite3` that the store makes.

    *heard* is asked about each statement before it is sent, and gives the one to send instead.
    """

    def __init__(self, connection: apsw.Connection, heard: Callable[[str], str]) -> None:
        self._connection = connection
        self._heard = heard

    def execute(self, sql: str, parameters: Iterable[Any] = ()) -> Rows:
        with translated():
            cursor = self._connection.execute(self._heard(sql), tuple(parameters))
            return Rows(cursor.fetchall(), self._connection.last_insert_rowid())

    def executemany(self, sql: str, parameters: Iterable[Any]) -> Rows:
        with translated():
            self._connection.executemany(self._heard(sql), [tuple(one) for one in parameters])
            return Rows([], self._connection.last_insert_rowid())

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        with translated():
            self._connection.close()


@contextmanager
def translated() -> Iterator[None]:
    """The errors of `apsw` as those of `sqlite3`, with the same codes."""
    try:
        yield
    except apsw.Error as error:
        raised = sqlite3.OperationalError(type(error).__name__)
        raised.sqlite_errorcode = getattr(
            error, "extendedresult", getattr(error, "result", apsw.SQLITE_ERROR)
        )
        raise raised from None


def through_vfs(vfs: str, heard: Callable[[str], str] = lambda sql: sql) -> Callable[..., sqlite3.Connection]:
    """A stand-in for ``sqlite3.connect`` that opens files through the file system of `apsw` named *vfs*."""

    def connect(address: str, *, timeout: float, **_: Any) -> sqlite3.Connection:
        with translated():
            flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
            connection = apsw.Connection(address, flags=flags, vfs=vfs)
            connection.set_busy_timeout(int(timeout * 1000))
        return cast("sqlite3.Connection", ApswConnection(connection, heard))

    return connect
