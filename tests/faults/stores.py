"""Stores on PostgreSQL for the long form of the history checker, by name:

python -m crmcore.testing.history tests.faults.stores:postgres --seeds 20
python -m crmcore.testing.history tests.faults.stores:async_postgres --seeds 20
python -m crmcore.testing.history tests.faults.stores:postgres --seeds 2 --processes
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from crmcore.storage import AsyncPostgresStore, PostgresStore
from tests.storage.postgres_server import VARIABLE, dsn

POOL = 12
"""Eight writers, two readers of the feed, and some to spare."""


def schema_of(folder: Path) -> str:
    """One schema for a folder: whatever process asks, it is the same; its server is the one of the first."""
    os.environ[VARIABLE] = dsn()
    return f"crmcore_test_{sha256(str(folder).encode()).hexdigest()[:16]}"


def postgres(folder: Path) -> PostgresStore:
    schema = schema_of(folder)
    return PostgresStore(dsn(), schema=schema, pool_size=POOL)


def async_postgres(folder: Path) -> AsyncPostgresStore:
    schema = schema_of(folder)
    return AsyncPostgresStore(dsn(), schema=schema, pool_size=POOL)
