"""Every store that ships keeps every guarantee, in both colours."""

from __future__ import annotations

from pathlib import Path

from crmcore.storage import AsyncMemoryStore, AsyncSqliteStore, AsyncStore, MemoryStore, SqliteStore, Store
from crmcore.testing import conformance


def memory(place: Path) -> Store:
    return MemoryStore()


def async_memory(place: Path) -> AsyncStore:
    return AsyncMemoryStore()


def sqlite(place: Path) -> Store:
    return SqliteStore(place / "crm.db")


async def async_sqlite(place: Path) -> AsyncStore:
    return AsyncSqliteStore.open(place / "crm.db")


test_memory = conformance(make=memory, level="L2")
test_async_memory = conformance(make=async_memory, level="L2")
test_sqlite = conformance(make=sqlite, reopen=sqlite, level="L2")
test_async_sqlite = conformance(make=async_sqlite, reopen=async_sqlite, level="L2")
