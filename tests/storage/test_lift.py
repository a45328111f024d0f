"""Flows run by synchronous code, and the two colours of the protocol."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from crmcore.errors import StoreClosed
from crmcore.storage import (
    AsyncMemoryStore,
    AsyncSqliteStore,
    AsyncStore,
    Lifted,
    MemoryStore,
    SqliteStore,
    Store,
    lift,
    run,
)
from crmcore.testing.kit import Writer, put, ref

CALLS = [
    "describe",
    "get",
    "find",
    "fanout",
    "range",
    "scan",
    "ledger",
    "changes",
    "apply",
    "outcome",
    "close",
]


def test_a_flow_over_a_lifted_store_runs_to_its_end() -> None:
    async def flow() -> int:
        store = lift(MemoryStore())
        await Writer(store)(put(ref(1), 0, {"n": 7}))
        return int((await store.get([ref(1)]))[ref(1)].body["n"])

    assert run(flow()) == 7


def test_an_error_of_a_flow_comes_through() -> None:
    async def flow() -> None:
        store = lift(MemoryStore())
        await store.close()
        await store.get([])

    with pytest.raises(StoreClosed):
        run(flow())


def test_a_flow_that_suspends_is_ended_with_a_clear_error() -> None:
    ended: list[str] = []

    async def flow() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            ended.append("closed")

    with pytest.raises(RuntimeError, match="suspended"):
        run(flow())
    assert ended == ["closed"]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "made", [AsyncStore, MemoryStore, SqliteStore, Lifted, AsyncMemoryStore, AsyncSqliteStore]
)
def test_every_store_has_the_calls_of_the_protocol(made: type, name: str) -> None:
    expected = inspect.signature(getattr(Store, name))
    assert inspect.signature(getattr(made, name)) == expected
    colour = made in (AsyncStore, Lifted, AsyncMemoryStore, AsyncSqliteStore) and name != "describe"
    assert inspect.iscoroutinefunction(getattr(made, name)) == colour


def test_the_protocol_has_no_other_calls() -> None:
    public = {name for name, _ in inspect.getmembers(Store, inspect.isfunction) if not name.startswith("_")}
    assert public == set(CALLS)


def test_what_ships_is_accepted_as_a_store() -> None:
    """For the type checker, which reads this file too."""
    memory: Store = MemoryStore()
    lifted: AsyncStore = lift(memory)
    asynchronous: AsyncStore = AsyncMemoryStore()
    assert lifted.describe() == asynchronous.describe()
