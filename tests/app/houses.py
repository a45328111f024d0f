"""The same tests over ways to hold customers: in memory, in a file, asynchronously, under ceilings, and encrypted."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, cast

import attrs

from crmcore import Actor, AsyncCrm, Crm
from crmcore.storage import AsyncSqliteStore, MemoryStore, SqliteStore
from crmcore.storage.protocol import Store
from crmcore.storage.wrappers import Encrypted, MemoryKeyStore, wrapped
from crmcore.testing.ceilings import CeilingsStore
from crmcore.values.ids import Ids

ENGINES = ("memory", "sqlite", "async", "ceilings", "encrypted")
STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda folder: MemoryStore(),
    "sqlite": lambda folder: SqliteStore.open(folder / "sync.db"),
    "ceilings": lambda folder: CeilingsStore(),
    "encrypted": lambda folder: wrapped(MemoryStore(), lambda inner: Encrypted(inner, MemoryKeyStore())),
}
LACKS = {"ceilings": {"bulk", "large_batches"}, "encrypted": {"ordered_text"}}
"""What an engine cannot do, and a test may need: a part of the protocol, or more in one batch than is sure to fit."""

CLERK = Actor(kind="person", id="clerk")
START = datetime(2026, 3, 14, 12, tzinfo=UTC)


@attrs.define
class Clock:
    """A clock that goes on by a millisecond each time it is read, and by more when it is told to."""

    now: datetime = START

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


def options(**more: Any) -> dict[str, Any]:
    """A clock and ids that are the same in every run."""
    clock = more.pop("clock", None) or Clock()
    ids = Ids(lambda: int(clock.now.timestamp() * 1000), Random(4711).getrandbits)
    return {"clock": clock, "ids": ids, "actor": CLERK, **more}


class Blocking:
    """An object whose coroutines are run to their end: `AsyncCrm` with the calls of `Crm`."""

    def __init__(self, target: Any, runner: asyncio.Runner) -> None:
        self._target = target
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not callable(found):
            return self._wrapped(found)

        def call(*args: Any, **kwargs: Any) -> Any:
            result = found(*args, **kwargs)
            if inspect.isawaitable(result):
                return self._runner.run(_awaited(result))
            if inspect.isasyncgen(result):
                return self._drawn(result)
            return self._wrapped(result)

        return call

    def _drawn(self, found: AsyncGenerator[Any, Any]) -> Iterator[Any]:
        ended = object()
        while (one := self._runner.run(_awaited(anext(found, ended)))) is not ended:
            yield one

    def _wrapped(self, found: Any) -> Any:
        asynchronous = type(found).__name__.startswith("Async")
        return Blocking(found, self._runner) if asynchronous else found

    def __enter__(self) -> Any:
        self._runner.run(self._target.__aenter__())
        return self

    def __exit__(self, *error: Any) -> None:
        self._runner.run(self._target.__aexit__(*error))


async def _awaited(result: Any) -> Any:
    return await result


@contextmanager
def opened(engine: str, folder: Path, **more: Any) -> Iterator[Crm]:
    """Customers over the engine, closed in the end."""
    chosen = options(**more)
    if engine == "async":
        with asyncio.Runner() as runner:
            target = AsyncCrm(AsyncSqliteStore.open(folder / "async.db"), **chosen)
            try:
                yield cast("Crm", Blocking(target, runner))
            finally:
                runner.run(target.close())
        return
    with Crm(STORES[engine](folder), **chosen) as crm:
        yield crm


def in_memory(**more: Any) -> Crm:
    """Customers in memory."""
    return Crm(MemoryStore(), **options(**more))
