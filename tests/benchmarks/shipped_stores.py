"""How the kit gets at every store that ships, and at each wrapper around the store in a file.

Invariant: each is asked for the highest level that it claims.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from crmcore.storage import (
    EXCLUSIVE,
    AsyncPostgresStore,
    AsyncStore,
    PostgresStore,
    SqliteStore,
    lift,
    run,
)
from crmcore.storage.wrappers import Retrying, Tracing, blocking
from crmcore.storage.wrappers.audited import Audited
from crmcore.storage.wrappers.encrypted import Encrypted
from crmcore.storage.wrappers.key_file import FileKeyStore
from crmcore.storage.wrappers.key_store import LocalWrapping
from crmcore.testing import Harness
from crmcore.testing.ceilings import CeilingsStore
from crmcore.testing.kit import ANN, NOW, NotAsked, Writer, put, ref
from crmcore.testing.shipped import SHIPPED
from tests.storage.postgres_server import VARIABLE, dsn, execute

KEY = bytes(range(32))
SQLITE = SHIPPED["sqlite"]


def schema_of(place: Path) -> str:
    os.environ.setdefault(VARIABLE, dsn())
    return f"crmcore_kit_{sha256(str(place).encode()).hexdigest()[:16]}"


def postgres(place: Path) -> PostgresStore:
    return PostgresStore(dsn(), schema=schema_of(place), exclusive=EXCLUSIVE)


def async_postgres(place: Path) -> AsyncPostgresStore:
    return AsyncPostgresStore(dsn(), schema=schema_of(place), exclusive=EXCLUSIVE)


def first_schema(place: Path) -> None:
    raise NotAsked("no crmcore has written an older schema on PostgreSQL")


def newer(place: Path) -> None:
    _with(place, "UPDATE {meta} SET value = '99' WHERE name = 'version'")


def damaged(place: Path) -> None:
    _with(place, "DELETE FROM {key}")


def _with(place: Path, statement: str) -> None:
    with postgres(place) as store:
        run(Writer(lift(store))(put(ref(1), 0, {"n": 1}, [ANN])))
    execute(statement, schema_of(place))


def server_files(place: Path) -> list[Path]:
    """All files of the server, in which every store of this process has its place."""
    folder = Path(str(execute("SHOW data_directory")[0][0]))
    return [path for part in ("base", "pg_wal") for path in (folder / part).rglob("*") if path.is_file()]


def encrypted(place: Path) -> AsyncStore:
    return Encrypted(_file(place), FileKeyStore(place / "keys.db", wrapping=LocalWrapping(KEY)))


def audited(place: Path) -> AsyncStore:
    return Audited(_file(place), KEY, clock=lambda: NOW)


def retrying(place: Path) -> AsyncStore:
    return Retrying(_file(place), pause=blocking)


def tracing(place: Path) -> AsyncStore:
    return Tracing(_file(place), lambda traced: None, tenant_key=KEY[:16])


def _file(place: Path) -> AsyncStore:
    return lift(SqliteStore(place / "crm.db", migrate=True))


def of_the_store_within(place: Path) -> None:
    raise NotAsked("files that somebody puts in place are asked about at the store within")


def around(make: Any, level: str = SQLITE.level) -> Harness:
    """A wrapper around the store in a file."""
    return Harness(
        make=make,
        reopen=make,
        level=level,
        older=of_the_store_within,
        newer=of_the_store_within,
        damaged=of_the_store_within,
    )


HARNESSES: Mapping[str, Harness] = {
    "MemoryStore": SHIPPED["memory"],
    "AsyncMemoryStore": SHIPPED["async memory"],
    "SqliteStore": SQLITE,
    "AsyncSqliteStore": SHIPPED["async sqlite"],
    "PostgresStore": Harness(
        make=postgres,
        reopen=postgres,
        level="L5",
        older=first_schema,
        newer=newer,
        damaged=damaged,
        files=server_files,
    ),
    "AsyncPostgresStore": Harness(
        make=async_postgres,
        reopen=async_postgres,
        level="L5",
        older=first_schema,
        newer=newer,
        damaged=damaged,
        files=server_files,
    ),
    "Encrypted": around(encrypted, "L4"),
    "Audited": around(audited),
    "Retrying": around(retrying),
    "Tracing": around(tracing),
    "CeilingsStore": Harness(make=lambda place: CeilingsStore(), level="L1"),
}
"""By the name that the docs give it. A store that is encrypted has no backup of its own; `ReadOnly` takes no writes, so
nothing can be asked of it alone."""
