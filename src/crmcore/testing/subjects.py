"""The stores that ship, as subjects of the guarantees."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from crmcore.storage import (
    AsyncMemoryStore,
    AsyncSqliteStore,
    AsyncStore,
    SqliteStore,
    Store,
    lift,
    run,
)
from crmcore.testing.kit import EXCLUSIVE, Guarantee


class _Opened:
    """Remembers what it opened, so that nothing stays open when a check fails."""

    durable = False

    def __init__(self) -> None:
        self.stores: list[AsyncStore] = []

    async def fresh(self) -> AsyncStore:
        store = self.make(len(self.stores))
        self.stores.append(store)
        return store

    async def reopen(self, store: AsyncStore) -> AsyncStore:
        number = self.stores.index(store)
        await store.close()
        self.stores[number] = self.make(number)
        return self.stores[number]

    async def end(self) -> None:
        for store in self.stores:
            await store.close()

    def make(self, number: int) -> AsyncStore:
        raise NotImplementedError


class Memory(_Opened):
    def make(self, number: int) -> AsyncStore:
        return AsyncMemoryStore(exclusive=EXCLUSIVE)


class Sqlite(_Opened):
    durable = True

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def make(self, number: int) -> AsyncStore:
        return lift(SqliteStore(self.folder / f"{number}.db", exclusive=EXCLUSIVE))


class AsyncSqlite(Sqlite):
    def make(self, number: int) -> AsyncStore:
        return AsyncSqliteStore.open(self.folder / f"{number}.db", exclusive=EXCLUSIVE)


class Made(_Opened):
    """Fresh stores of any kind, from a function; for stores that break a promise."""

    durable = True  # so that it is asked what it keeps

    def __init__(self, make: Callable[[], Store]) -> None:
        super().__init__()
        self._make = make

    def make(self, number: int) -> AsyncStore:
        return lift(self._make())


async def _whole(guarantee: Guarantee, subject: _Opened) -> None:
    try:
        await guarantee.check(subject)
    finally:
        await subject.end()


def examine(guarantee: Guarantee, subject: _Opened) -> None:
    """Run one check, as the colour of the subject asks for."""
    flow: Coroutine[Any, Any, None] = _whole(guarantee, subject)
    if isinstance(subject, AsyncSqlite):
        asyncio.run(flow)
    else:
        run(flow)
