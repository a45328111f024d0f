"""A store on PostgreSQL whose wire breaks at a message of one's choice (see `tests.faults.wire`).

A driver call is here each message that the driver sends: several make up a round trip, so the server can have read any
first part of what was sent together, such as everything but the COMMIT, or the COMMIT and not what asks for its answer.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from crmcore.storage import PostgresStore, Store
from tests.faults.wire import KINDS, Wire
from tests.storage.postgres_server import drop, dsn, new_schema


class FaultyPostgres:
    kinds: tuple[str, ...] = KINDS
    held = 0.0

    def __init__(self, folder: Path, schema: str) -> None:
        parts = conninfo_to_dict(dsn())
        self._wire = Wire(folder, (str(parts["host"]), int(parts.get("port") or 5432)), terminate)
        broken = make_conninfo(dsn(), host=str(folder), port="5432", sslmode="disable")
        self.other: Store = PostgresStore(dsn(), schema=schema)
        self.store: Store = PostgresStore(broken, schema=schema, pool_size=1)

    def arm(self, kind: str, at: int) -> None:
        self._wire.arm(kind, at)

    def disarm(self) -> bool:
        return self._wire.disarm()

    def close(self) -> None:
        self.store.close()
        self.other.close()
        self._wire.close()


def terminate(pid: int) -> None:
    """End a server process, and wait until it is gone."""
    with psycopg.connect(dsn(), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))


@contextmanager
def faulty_postgres(folder: Path) -> Iterator[FaultyPostgres]:
    schema = new_schema()
    with tempfile.TemporaryDirectory(
        prefix="wire-", dir="/tmp"
    ) as short:  # the path of a socket has 107 bytes at most
        target = FaultyPostgres(Path(short), schema)
        try:
            yield target
        finally:
            target.close()
            drop(schema)
