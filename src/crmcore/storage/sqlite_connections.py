"""The connections to one SQLite file: one that writes, and some that read.

Invariant: whoever writes holds the one write lock of the file from before its first look until its commit; every read
is one snapshot. What was begun is committed or undone before a connection is used again.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from weakref import WeakSet

from crmcore.errors import CommitUnknown, Contention, StoreClosed, StoreFull
from crmcore.storage.cursor import Cursors
from crmcore.storage.sqlite_export import SqliteSnapshot
from crmcore.storage.sqlite_schema import connect, open_file, translated, translating, wait_at_most
from crmcore.storage.validate import check_timeout

_IDLE_READERS = 4


class SqliteConnections:
    """What the parts of `SqliteStore` share: its file, and who may use it when."""

    def __init__(
        self, path: Path, *, exclusive: frozenset[str], must_exist: bool, migrate: bool, timeout: float
    ) -> None:
        self._path = path.absolute()  # a change of the working directory changes nothing
        self._timeout = timeout = check_timeout(timeout)
        opened = open_file(
            self._path, exclusive=exclusive, must_exist=must_exist, migrate=migrate, timeout=timeout
        )
        self._exclusive = opened.exclusive
        self._cursors = Cursors(opened.secret)
        self._process = os.getpid()
        self._writer: sqlite3.Connection | None = opened.connection
        self._write_lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._idle_lock = threading.Lock()
        self._snapshots: WeakSet[SqliteSnapshot] = WeakSet()
        self._closed = False

    def close(self) -> None:
        """End the store: a write under way is waited for, whoever comes later gets `StoreClosed`. May be repeated."""
        with self._write_lock:
            with self._idle_lock:
                self._closed = True
                idle, self._idle = self._idle, []
                snapshots = list(self._snapshots)
            for connection in idle:
                connection.close()
            for snapshot in snapshots:
                snapshot.close()
            self._drop_writer()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own, and on it one snapshot."""
        with translating(self._path.name):
            connection = self._take_reader()
            try:
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.close()
                raise
            self._give_back(connection)

    def _take_reader(self) -> sqlite3.Connection:
        self._check_open()
        with self._idle_lock:
            if self._idle:
                return self._idle.pop()
        return connect(self._path, self._timeout)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._idle_lock:
            if not self._closed and len(self._idle) < _IDLE_READERS:
                self._idle.append(connection)
                return
        connection.close()

    def _take_snapshot(self, tenants: Collection[str] | None) -> SqliteSnapshot:
        """A snapshot that ends with this store, if it was not closed before."""
        self._check_open()
        with translating(self._path.name):
            connection = connect(self._path, self._timeout)
            try:
                connection.execute("BEGIN")
                connection.execute("SELECT 1 FROM meta").fetchone()  # from the first read on the moment stays
            except BaseException:
                connection.close()
                raise
        snapshot = SqliteSnapshot(connection, self._path.name, tenants)
        with self._idle_lock:
            self._snapshots.add(snapshot)
            closed = self._closed
        if closed:
            snapshot.close()
        return snapshot

    @contextmanager
    def _writing(self, timeout: float, idem: str) -> Iterator[sqlite3.Connection]:
        """The one connection that writes, in a transaction that is committed at the end, or else undone."""
        with self._owning(timeout) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
            except BaseException:
                self._undo(connection)
                raise
            self._commit(connection, idem)

    @contextmanager
    def _owning(self, timeout: float) -> Iterator[sqlite3.Connection]:
        """The one connection that writes, in no transaction, for this thread alone."""
        timeout = check_timeout(timeout)
        deadline = time.monotonic() + timeout
        if not self._write_lock.acquire(timeout=timeout):
            raise Contention("other threads were writing all the time: send the same batch again")
        try:
            self._check_open()
            with translating(self._path.name):
                if self._writer is None:
                    self._writer = connect(self._path, self._timeout)
                try:
                    wait_at_most(self._writer, deadline - time.monotonic())
                except BaseException:
                    self._drop_writer()  # it cannot even be asked that: the next write makes another
                    raise
                yield self._writer
        finally:
            self._write_lock.release()

    def _commit(self, connection: sqlite3.Connection, idem: str) -> None:
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo(connection)
            meaning = translated(error, self._path.name)
            # Both are found out before the end of the batch is written; of anything else one cannot be sure.
            if isinstance(meaning, (Contention, StoreFull)):
                raise meaning from None
            self._drop_writer()
            advice = "ask outcome(), or send the same batch again" if idem else "ask export() what is there"
            raise CommitUnknown(
                f"committing to the store file {self._path.name!r} failed, so what was sent may or may not be there: "
                f"{advice}",
                idem=idem,
            ) from None

    def _undo(self, connection: sqlite3.Connection) -> None:
        try:
            connection.rollback()
        except sqlite3.Error:
            self._drop_writer()  # closing undoes it as well

    def _drop_writer(self) -> None:
        if self._writer is not None:
            with suppress(sqlite3.Error):
                self._writer.close()
            self._writer = None

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed("this store is closed: open it again")
        if os.getpid() != self._process:
            raise StoreClosed("this store was opened by the process before a fork: open it again in this one")
