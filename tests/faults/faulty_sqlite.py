"""A store on SQLite whose driver fails at a call of one's choice.

The store's connections are of a class that counts the calls made of it: ``execute``, ``executemany`` and every fetch.
What a file cannot do in itself is to hang: only a lock of somebody else can hold SQLite up, and that is so at ``BEGIN
IMMEDIATE``; a hang there is another connection that keeps the lock. A hang anywhere else stands for a disk that answers
late: the call is held and then goes on. That a disk never answers ends no call, as the system ends none.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from crmcore.storage import SqliteStore, Store
from tests.faults.driver import driven_by
from tests.faults.matrix import TIMEOUT

T = TypeVar("T")


class FaultySqlite:
    kinds: tuple[str, ...] = ("error before", "error after send", "hang", "connection closed")
    held = 0.04

    def __init__(self, path: Path) -> None:
        self._path = path
        self._armed, self._kind, self._at, self._calls, self._failed = False, "none", 0, 0, False
        self.other: Store = SqliteStore(path)
        real = sqlite3.connect

        def connect(*args: Any, **options: Any) -> sqlite3.Connection:
            return real(*args, factory=connection_class(self), **options)

        with driven_by(connect):
            self.store: Store = SqliteStore(path)
        self.connect = connect

    def arm(self, kind: str, at: int) -> None:
        self._armed, self._kind, self._at, self._calls, self._failed = True, kind, at, 0, False

    def disarm(self) -> bool:
        self._armed = False
        return self._failed

    def around(self, connection: sqlite3.Connection, sql: str, call: Callable[[], T]) -> T:
        """Make one call of the driver, or let it fail."""
        if not self._armed or self._failed:
            return call()
        self._calls += 1
        if self._calls != self._at:
            return call()
        self._failed = True
        if self._kind == "hang":
            if sql == "BEGIN IMMEDIATE":
                with self._locked():
                    return call()
            time.sleep(self.held)
            return call()
        if self._kind == "connection closed":
            sqlite3.Connection.close(connection)
            return call()
        if self._kind == "error after send":
            with suppress(StopIteration):
                call()
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Somebody else keeps the lock for longer than the batch may wait."""
        other = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(TIMEOUT * 100, other.close)
        release.start()
        try:
            yield
        finally:
            release.cancel()
            other.close()


def connection_class(faults: FaultySqlite) -> type[sqlite3.Connection]:
    class FaultyCursor(sqlite3.Cursor):
        sql = ""

        def execute(self, sql: str, *parameters: Any) -> Any:
            self.sql = sql
            return faults.around(
                self.connection, sql, lambda: super(FaultyCursor, self).execute(sql, *parameters)
            )

        def executemany(self, sql: str, parameters: Any) -> Any:
            rows = list(parameters)
            return faults.around(
                self.connection, sql, lambda: super(FaultyCursor, self).executemany(sql, rows)
            )

        def fetchone(self) -> Any:
            return faults.around(self.connection, self.sql, super().fetchone)

        def fetchall(self) -> list[Any]:
            return faults.around(self.connection, self.sql, super().fetchall)

        def __next__(self) -> Any:
            return faults.around(self.connection, self.sql, super().__next__)

    class FaultyConnection(sqlite3.Connection):
        def cursor(self, factory: Any = FaultyCursor) -> Any:
            return super().cursor(factory)

        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            return self.cursor().execute(sql, *parameters)

        def executemany(self, sql: str, parameters: Any) -> sqlite3.Cursor:
            return self.cursor().executemany(sql, parameters)

    return FaultyConnection


@contextmanager
def faulty_sqlite(folder: Path) -> Iterator[FaultySqlite]:
    target = FaultySqlite(folder / "crm.db")
    try:
        with driven_by(target.connect):  # a connection that is made anew has the same faults
            yield target
    finally:
        target.store.close()
        target.other.close()
