"""The file that keys are in: how it is opened, changed and wiped.

Invariant: the file holds no byte of what was overwritten, neither in its pages nor in its write-ahead log, once the
call that overwrote it has returned. If that was killed, or gave up since others were reading, its log has no byte once
the file is opened again, or at the first call after that during which nobody else reads. What is remembered of the file
is forgotten as soon as another process has written to it, so no key is ever wrapped by one that is not there any more.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from crmcore.errors import Contention, SchemaMismatch, StoreClosed, Unavailable
from crmcore.storage.sqlite_schema import check_place, connect, translating, use_wal
from crmcore.storage.wrappers.sealing import DataKey, DestroyedKey

_APPLICATION_ID = 0x63726D6B  # "crmk"
_SCHEMA_VERSION = 1

_TABLES = (
    # wrapped: by the Wrapping. The tenant's data keys are wrapped by the newest generation, or by one before.
    "CREATE TABLE kek (tenant TEXT NOT NULL, generation INTEGER NOT NULL, wrapped BLOB NOT NULL, "
    "PRIMARY KEY (tenant, generation)) STRICT, WITHOUT ROWID",
    # destroyed: when, in microseconds since 1970; wrapped is null then.
    "CREATE TABLE data_key (tenant TEXT NOT NULL, id TEXT NOT NULL, subject TEXT NOT NULL, "
    "generation INTEGER NOT NULL, wrapped BLOB, destroyed INTEGER, PRIMARY KEY (tenant, id)) STRICT, WITHOUT ROWID",
    "CREATE UNIQUE INDEX live ON data_key (tenant, subject) WHERE destroyed IS NULL",
)


class KeyFile:
    """The file *path*, made if there is none. Others are waited for *timeout* seconds."""

    def __init__(self, path: str | os.PathLike[str], timeout: float) -> None:
        self._path = Path(path).absolute()
        self._timeout = timeout
        self._lock = threading.RLock()
        self._version = -1
        self._wiped = False  # whoever was killed before it could wipe left its bytes
        self._forget()
        check_place(self._path, must_exist=False)
        with translating(self._path.name):
            _make_private(self._path)
            self._connection: sqlite3.Connection | None = connect(self._path, timeout, create=True)
            try:
                self._prepare(self._connection)
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget all keys and give the file back. May be repeated."""
        with self._lock, translating(self._path.name):
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._forget()

    # --- within ---

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if not self._is_ours(connection):
            with self._transaction(connection):
                if not self._is_ours(connection):  # another process may have been faster
                    for statement in _TABLES:
                        connection.execute(statement)
                    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID:d}")
                    connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION:d}")
        use_wal(connection, self._timeout)
        self._wipe_if_free(connection)

    def _is_ours(self, connection: sqlite3.Connection) -> bool:
        application, version, tables = (
            connection.execute(asked).fetchone()[0]
            for asked in (
                "PRAGMA application_id",
                "PRAGMA user_version",
                "SELECT count(*) FROM sqlite_master",
            )
        )
        if (application, version, tables) == (0, 0, 0):
            return False
        if application != _APPLICATION_ID or version > _SCHEMA_VERSION:
            raise SchemaMismatch(
                f"{self._path.name!r} is no file of keys that this crmcore knows: choose another path, or install a "
                "newer crmcore"
            )
        return True

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock, translating(self._path.name):
            if self._connection is None:
                raise StoreClosed("this key store is closed: open it again")
            self._wipe_if_free(self._connection)
            self._catch_up(self._connection)
            yield self._connection

    def _catch_up(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if version != self._version:  # another process has written: it may have destroyed keys
            self._forget()
            self._version = version

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._catch_up(connection)  # before this nobody was kept from writing
            yield
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            self._forget()
            raise

    def _forget(self) -> None:
        self._live: dict[tuple[str, str], DataKey] = {}
        self._by_id: dict[tuple[str, str], DataKey | DestroyedKey] = {}
        self._keks: dict[tuple[str, int], bytes] = {}

    def _wipe(self, connection: sqlite3.Connection) -> None:
        """Take what was overwritten out of the write-ahead log as well, and out of memory."""
        self._forget()
        self._wiped = False
        deadline = time.monotonic() + self._timeout
        while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() > deadline:
                raise Contention(
                    "the keys are destroyed, but others were reading this file all the time, so its log still has "
                    "them: do the same again"
                )
            time.sleep(0.01)
        self._wiped = True

    def _wipe_if_free(self, connection: sqlite3.Connection) -> None:
        """Take what others left out of the log, if nobody is in the way; if somebody is, the next call tries again."""
        if self._wiped:
            return
        (wait,) = connection.execute("PRAGMA busy_timeout").fetchone()
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            # That somebody is in the way is an answer, not an error.
            self._wiped = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        except sqlite3.OperationalError:  # a full disk, for example: reading goes on all the same
            self._wiped = False
        finally:
            connection.execute(f"PRAGMA busy_timeout = {wait:d}")


def _make_private(path: Path) -> None:
    """A file that is not there yet is made for its owner alone; its log gets the same mode from SQLite."""
    if path.exists():
        return  # whoever made it has chosen its mode
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError:
        raise Unavailable(f"{path.name!r} cannot be made: check that its folder can be written") from None
