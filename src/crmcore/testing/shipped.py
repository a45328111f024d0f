"""How the kit gets at the stores that ship: what `testkit selftest` trusts, and the tests ask on every change.

Invariant: each claims the highest level that its store can have.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from crmcore.storage import AsyncMemoryStore, AsyncSqliteStore, MemoryStore, SqliteStore
from crmcore.storage.lift import lift, run
from crmcore.storage.protocol import Body, Ref
from crmcore.testing.kit import ANN, Writer, put, ref
from crmcore.testing.running import Harness


def memory(place: Path) -> MemoryStore:
    return MemoryStore()


def async_memory(place: Path) -> AsyncMemoryStore:
    return AsyncMemoryStore()


def sqlite(place: Path) -> SqliteStore:
    return SqliteStore(place / "crm.db", migrate=True)


async def async_sqlite(place: Path) -> AsyncSqliteStore:
    return AsyncSqliteStore.open(place / "crm.db", migrate=True)


def older(place: Path) -> Mapping[Ref, Body]:
    """Put a file there as crmcore wrote it before it could erase; its records."""
    later = ["tenant DROP COLUMN pepper", "tenant DROP COLUMN generation", "batch DROP COLUMN rekeyed"]
    dropped = [f"ALTER TABLE {column}" for column in later]
    _with(place, "DROP TABLE erasure", *dropped, "PRAGMA user_version = 2")
    return {ref(1): {"n": 1}}


def newer(place: Path) -> None:
    """Put a file there as a crmcore might write it that is not written yet."""
    _with(place, "PRAGMA user_version = 99")


def damaged(place: Path) -> None:
    """Put a file there whose record is found by no key."""
    _with(place, "DELETE FROM key")


def _with(place: Path, *statements: str) -> None:
    store = sqlite(place)
    run(_one_record(store))
    store.close()
    with closing(sqlite3.connect(place / "crm.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


async def _one_record(store: SqliteStore) -> None:
    await Writer(lift(store))(put(ref(1), 0, {"n": 1}, [ANN]))


SHIPPED: Mapping[str, Harness] = {
    "memory": Harness(make=memory, level="L2"),
    "async memory": Harness(make=async_memory, level="L2"),
    "sqlite": Harness(make=sqlite, reopen=sqlite, level="L5", older=older, newer=newer, damaged=damaged),
    "async sqlite": Harness(
        make=async_sqlite, reopen=async_sqlite, level="L5", older=older, newer=newer, damaged=damaged
    ),
}
