"""`AsyncSqliteStore`: cancellation, closing, and that it holds up no loop."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from crmcore.errors import CommitUnknown, StoreClosed, VersionConflict
from crmcore.storage import AsyncSqliteStore
from crmcore.testing.kit import TENANT, Writer, append, put, ref


def locked(path: Path) -> sqlite3.Connection:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_a_task_cancelled_while_it_writes_says_that_the_outcome_is_unknown(tmp_path: Path) -> None:
    async def flow() -> None:
        async with AsyncSqliteStore.open(tmp_path / "crm.db") as store:
            other = locked(tmp_path / "crm.db")
            task = asyncio.create_task(store.apply(Writer(store).batch(put(ref(1)), idem="slow")))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert task.cancelled()
            cause = caught.value.__cause__
            assert isinstance(cause, CommitUnknown)
            assert (cause.idem, cause.outcome) == ("slow", "unknown")
            other.execute("ROLLBACK")
            other.close()
            receipt = await store.outcome(TENANT, "slow")
            assert receipt is not None
            assert receipt.versions == {ref(1): 1}

    asyncio.run(flow())


def test_a_task_cancelled_before_its_turn_has_written_nothing(tmp_path: Path) -> None:
    async def flow() -> None:
        async with AsyncSqliteStore.open(tmp_path / "crm.db") as store:
            write = Writer(store)
            other = locked(tmp_path / "crm.db")
            first = asyncio.create_task(store.apply(write.batch(put(ref(1)), idem="first")))
            await asyncio.sleep(0.1)
            second = asyncio.create_task(store.apply(write.batch(put(ref(2)), idem="second")))
            await asyncio.sleep(0)
            second.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await second
            assert caught.value.__cause__ is None
            other.execute("ROLLBACK")
            other.close()
            await first
            assert await store.outcome(TENANT, "second") is None
            assert set(await store.get([ref(1), ref(2)])) == {ref(1)}

    asyncio.run(flow())


def test_the_loop_runs_and_readers_read_while_a_write_waits(tmp_path: Path) -> None:
    async def flow() -> None:
        async with AsyncSqliteStore.open(tmp_path / "crm.db") as store:
            await Writer(store)(put(ref(1)))
            other = locked(tmp_path / "crm.db")
            task = asyncio.create_task(store.apply(Writer(store).batch(put(ref(2)), idem="slow")))
            for _ in range(20):
                await asyncio.sleep(0.005)
                assert set(await store.get([ref(1), ref(2)])) == {ref(1)}
            assert not task.done()
            other.execute("ROLLBACK")
            other.close()
            await task

    asyncio.run(flow())


def test_close_waits_for_what_was_sent(tmp_path: Path) -> None:
    async def flow() -> None:
        store = AsyncSqliteStore.open(tmp_path / "crm.db")
        write = Writer(store)
        tasks = [asyncio.create_task(store.apply(write.batch(put(ref(number))))) for number in range(20)]
        await asyncio.sleep(0)
        await asyncio.gather(store.close(), store.close())
        assert all(task.done() for task in tasks)
        with pytest.raises(StoreClosed):
            await store.get([ref(1)])
        store = AsyncSqliteStore.open(tmp_path / "crm.db", must_exist=True)
        assert len(await store.get([ref(number) for number in range(20)])) == 20
        await store.close()

    before = threading.active_count()
    asyncio.run(flow())
    assert threading.active_count() == before, "no thread outlives the store"


def test_tasks_lose_no_update(tmp_path: Path) -> None:
    async def flow() -> None:
        async with AsyncSqliteStore.open(tmp_path / "crm.db") as store:
            await Writer(store)(put(ref(1), 0, {"n": 0}))

            async def count_up(name: str) -> None:
                write = Writer(store)
                for step in range(10):
                    for attempt in range(1000):
                        now = (await store.get([ref(1)]))[ref(1)]
                        add = put(ref(1), now.version, {"n": now.body["n"] + 1})
                        try:
                            await write(add, append("log:1"), idem=f"{name}-{step}-{attempt}")
                        except VersionConflict:
                            continue
                        break

            await asyncio.gather(*(count_up(f"task-{number}") for number in range(6)))
            assert (await store.get([ref(1)]))[ref(1)].body == {"n": 60}

    asyncio.run(flow())


def test_a_store_serves_one_loop_after_another(tmp_path: Path) -> None:
    store = AsyncSqliteStore.open(tmp_path / "crm.db")
    write = Writer(store)
    for number in range(3):
        asyncio.run(write(put(ref(number))))
    assert len(asyncio.run(store.get([ref(number) for number in range(3)]))) == 3
    asyncio.run(store.close())
