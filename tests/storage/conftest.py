"""The stores that ship, one after the other: a test that asks for *world* is run for each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from crmcore.storage import (
    AsyncMemoryStore,
    AsyncSqliteStore,
    AsyncStore,
    PostgresStore,
    SqliteStore,
    lift,
    run,
)
from crmcore.storage.postgres_erasing import RESIDUAL
from crmcore.testing.kit import EXCLUSIVE
from tests.storage.postgres_server import drop, dsn, new_schema


class World:
    """Fresh stores of one kind, and how a flow over them is run."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self.residual = RESIDUAL if kind == "pg" else ()
        """What an erasure that found something leaves in a store of this kind."""
        self._made: list[AsyncStore] = []
        self._schemas: list[str] = []

    def fresh(self, kind: str | None = None) -> AsyncStore:
        path = self.folder / f"{len(self._made)}.db"
        kind = kind or self.kind
        if kind == "memory":
            store: AsyncStore = AsyncMemoryStore(exclusive=EXCLUSIVE)
        elif kind == "sqlite":
            store = lift(SqliteStore(path, exclusive=EXCLUSIVE))
        elif kind == "pg":
            self._schemas.append(new_schema())
            store = lift(PostgresStore(dsn(), schema=self._schemas[-1], exclusive=EXCLUSIVE))
        else:
            store = AsyncSqliteStore.open(path, exclusive=EXCLUSIVE)
        self._made.append(store)
        return store

    def run(self, flow: Callable[[], Coroutine[Any, Any, None]], *others: str) -> None:
        """Run *flow* to its end and close every store that it made; *others* are the kinds of stores beside its own."""

        async def whole() -> None:
            try:
                await flow()
            finally:
                for store in self._made:
                    await store.close()
                for schema in self._schemas:
                    drop(schema)

        if "async" in (self.kind, *others):
            asyncio.run(whole())
        else:
            run(whole())


@pytest.fixture(params=["memory", "sqlite", "async", "pg"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    return World(request.param, tmp_path)
