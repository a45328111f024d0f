"""The SQLite file: its tables, how a connection is made, and what the driver's errors mean here.

Invariant: nothing is written to a file that crmcore did not make. A driver error never leaves the storage room, and
no message holds what was stored.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import crmcore.storage.sqlite_migrations as sqlite_migrations
from crmcore.errors import (
    CapabilityMissing,
    Contention,
    Corrupt,
    SchemaMismatch,
    StoreClosed,
    StoreError,
    StoreFull,
    Unavailable,
)
from crmcore.storage.sqlite_migrations import SCHEMA_VERSION, STEPS, pending, take, version_of

_NEEDED = (3, 37, 0)  # STRICT tables
APPLICATION_ID = 0x63726D63  # "crmc"

# The tables of version 1; what was added since is in crmcore.storage.sqlite_migrations.
# head: the number of the last change of the tenant.
_TENANT = """
CREATE TABLE tenant (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, head INTEGER NOT NULL) STRICT
"""

_META = "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID"

# digest: null when outcome() said that the batch was not applied. Its changes are those after first, up to last.
_BATCH = """
CREATE TABLE batch (
    no INTEGER PRIMARY KEY, tenant INTEGER NOT NULL REFERENCES tenant (no), idem TEXT NOT NULL, digest BLOB,
    at INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, actor TEXT NOT NULL, reason TEXT,
    UNIQUE (tenant, idem)
) STRICT
"""

# With a rowid, as the ledger: rows of a kilobyte without one would take a page of 4 KiB each.
# body: null when the record was deleted; its version stays, so that it is never used again.
# carries: what the tables key and sort hold of this record, as one JSON text.
_RECORD = """
CREATE TABLE record (
    tenant INTEGER NOT NULL, kind TEXT NOT NULL, id BLOB NOT NULL, version INTEGER NOT NULL,
    schema INTEGER NOT NULL, carries TEXT NOT NULL, body TEXT, PRIMARY KEY (tenant, kind, id)
) STRICT
"""

_KEY = """
CREATE TABLE key (
    tenant INTEGER NOT NULL, namespace TEXT NOT NULL, value TEXT NOT NULL, kind TEXT NOT NULL, id BLOB NOT NULL,
    PRIMARY KEY (tenant, namespace, value, kind, id)
) STRICT, WITHOUT ROWID
"""

_SORT = """
CREATE TABLE sort (
    tenant INTEGER NOT NULL, namespace TEXT NOT NULL, part TEXT NOT NULL, value BLOB NOT NULL, id BLOB NOT NULL,
    kind TEXT NOT NULL, PRIMARY KEY (tenant, namespace, part, value, id, kind)
) STRICT, WITHOUT ROWID
"""

# Instants are microseconds since 1970.
_LEDGER = """
CREATE TABLE ledger (
    tenant INTEGER NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL, occurred INTEGER NOT NULL,
    recorded INTEGER NOT NULL, subjects TEXT NOT NULL, schema TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (tenant, stream, seq)
) STRICT
"""

# name: a kind or a stream; id: empty for a stream; what: a version or a sequence number.
_FEED = """
CREATE TABLE feed (
    tenant INTEGER NOT NULL, number INTEGER NOT NULL, batch INTEGER NOT NULL, op TEXT NOT NULL,
    name TEXT NOT NULL, id BLOB NOT NULL, what INTEGER NOT NULL, PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID
"""

_TABLES = (_META, _TENANT, _BATCH, _RECORD, _KEY, _SORT, _LEDGER, _FEED)


class Opened(NamedTuple):
    """A connection to a file that is known to be a store, with what the file says of itself."""

    connection: sqlite3.Connection
    exclusive: frozenset[str]
    secret: bytes


def open_file(
    path: Path, *, exclusive: frozenset[str], must_exist: bool, migrate: bool, timeout: float
) -> Opened:
    """Open the store in *path*, or make one there; an older file is migrated.

    Raises:
        SchemaMismatch: if the file is something else, or was made by a newer crmcore, or by an older one and is not to
            be migrated.
        Unavailable: if there is no such place, or it cannot be written.
        Contention: if others held the file for longer than *timeout* seconds.
    """
    if sqlite3.sqlite_version_info < _NEEDED:
        raise CapabilityMissing(
            f"the SQLite of this Python is {sqlite3.sqlite_version}, and a store needs 3.37: use a newer Python"
        )
    check_place(path, must_exist)
    with translating(path.name):
        connection = connect(path, timeout, create=True)
        try:
            if not _is_store(connection, path.name):
                _create(connection, exclusive, path.name)
            elif not migrate:
                _refuse_older(connection, path.name)
            use_wal(connection, timeout)
            sqlite_migrations.migrate(connection)
            meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
        except BaseException:
            connection.close()
            raise
    try:
        kept, secret = frozenset(json.loads(meta["exclusive"])), meta["secret"]
    except (KeyError, ValueError):
        connection.close()
        raise Corrupt(
            f"the store file {path.name!r} does not know its own settings any more: restore it from a backup"
        ) from None
    if not exclusive <= kept:
        connection.close()
        raise SchemaMismatch(
            f"the store file {path.name!r} was made without these exclusive namespaces: "
            f"{', '.join(sorted(exclusive - kept))}; they are settled when a store is made"
        )
    return Opened(connection, kept, secret)


def connect(path: Path, timeout: float, *, create: bool = False) -> sqlite3.Connection:
    """A connection with the settings that the promises of the store rest on. *path* is absolute."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={'rwc' if create else 'rw'}",  # rw: a file that was moved away is not made again
        uri=True,
        timeout=max(timeout, 0),
        isolation_level=None,
        check_same_thread=False,
        cached_statements=64,
    )
    try:
        # FULL: with WAL, NORMAL loses acknowledged batches when the power fails.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        # What is deleted is overwritten, and nothing is put into temporary files.
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA cache_size = -32768")
    except BaseException:
        connection.close()
        raise
    return connection


def wait_at_most(connection: sqlite3.Connection, seconds: float) -> None:
    """Let *connection* wait that long for a lock of somebody else."""
    milliseconds = int(max(seconds, 0) * 1000)
    connection.execute(f"PRAGMA busy_timeout = {milliseconds:d}")  # a pragma takes no parameters


def check_place(path: Path, must_exist: bool) -> None:
    """Refuse a path that can be no file of ours."""
    if "\0" in str(path):
        raise Unavailable("the path of a store file cannot hold the character U+0000: choose another one")
    if path.name == ":memory:":
        raise Unavailable("':memory:' is no file: use MemoryStore for a store in memory")
    try:
        if path.is_dir():
            raise Unavailable(f"{path.name!r} is a folder: give the path of a file in it")
        if must_exist and not path.exists():
            raise Unavailable(f"there is no store file {path.name!r} at this path: check the path")
        if not path.parent.is_dir():
            raise Unavailable(f"the folder of {path.name!r} does not exist: make it first")
    except OSError:
        raise Unavailable(f"the path of {path.name[:100]!r} cannot be used: choose another one") from None


def _is_store(connection: sqlite3.Connection, name: str) -> bool:
    """False for an empty file; a file of somebody else is refused before anything is written to it."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = version_of(connection)
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application == 0 and version == 0 and tables == 0:
        return False
    if application != APPLICATION_ID:
        raise SchemaMismatch(f"{name!r} is an SQLite file of another program: choose another path")
    if version > SCHEMA_VERSION:
        raise SchemaMismatch(
            f"the store file {name!r} was made by a newer crmcore (its version is {version}, this one reads "
            f"{SCHEMA_VERSION}): install a newer crmcore"
        )
    return True


def _refuse_older(connection: sqlite3.Connection, name: str) -> None:
    version = version_of(connection)
    if pending(version):
        raise SchemaMismatch(
            f"the store file {name!r} was made by an older crmcore (its version is {version}, this one writes "
            f"{SCHEMA_VERSION}): back it up and open it with migrate=True"
        )


def _create(connection: sqlite3.Connection, exclusive: frozenset[str], name: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _is_store(connection, name):  # another process may have been faster
            for statement in _TABLES:
                connection.execute(statement)
            meta = {"secret": secrets.token_bytes(32), "exclusive": json.dumps(sorted(exclusive)).encode()}
            connection.executemany("INSERT INTO meta (name, value) VALUES (?, ?)", meta.items())
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")
            for step in STEPS:
                take(connection, step)
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def use_wal(connection: sqlite3.Connection, timeout: float) -> None:
    """Write ahead from now on, which SQLite remembers in the file."""
    # SQLite does not wait by itself for this change of mode.
    deadline = time.monotonic() + timeout
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    if mode != "wal":
        raise Unavailable("this file system cannot hold a write-ahead log: choose a local disk")


_MEANINGS: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_BUSY: (Contention, "is locked by others for too long: send the same batch again"),
    sqlite3.SQLITE_LOCKED: (Contention, "is locked by others for too long: send the same batch again"),
    sqlite3.SQLITE_FULL: (StoreFull, "cannot grow: free some space on its disk"),
    sqlite3.SQLITE_NOTADB: (SchemaMismatch, "is no SQLite file: choose another path"),
    sqlite3.SQLITE_CORRUPT: (Corrupt, "is damaged: restore it from a backup"),
    # All constraints were checked before writing, so what is stored contradicts itself.
    sqlite3.SQLITE_CONSTRAINT: (Corrupt, "is damaged: restore it from a backup"),
    sqlite3.SQLITE_CANTOPEN: (Unavailable, "cannot be opened: check its path and permissions"),
    sqlite3.SQLITE_PERM: (Unavailable, "cannot be opened: check its path and permissions"),
    sqlite3.SQLITE_READONLY: (Unavailable, "cannot be written: check its permissions"),
    sqlite3.SQLITE_IOERR: (Unavailable, "cannot be read or written: check its disk"),
}


def translated(error: sqlite3.Error, name: str) -> StoreError:
    """What a driver error means here; it has the code of the driver's error, never its text."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # raised by the Python module itself: a closed connection
        return StoreClosed("this store is closed: open it again")
    kind, text = _MEANINGS.get(code & 0xFF, (Unavailable, "cannot be used"))
    return kind(f"the store file {name!r} {text} (SQLite code {code})")


@contextmanager
def translating(name: str) -> Iterator[None]:
    """Let no driver error out."""
    try:
        yield
    except sqlite3.Error as error:
        raise translated(error, name) from None
