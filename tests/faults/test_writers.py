"""The stores that ship, under many writers: as threads, as tasks, as processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from crmcore.storage import AsyncMemoryStore, AsyncSqliteStore, AsyncStore, SqliteStore, lift
from crmcore.testing.history import Plan, hammer
from crmcore.testing.history.processes import in_processes
from tests.faults.stores import async_postgres, postgres

MAKE: dict[str, Callable[[Path], AsyncStore]] = {
    "memory": lambda folder: AsyncMemoryStore(),
    "sqlite": lambda folder: lift(SqliteStore(folder / "crm.db")),
    "async-sqlite": lambda folder: AsyncSqliteStore.open(folder / "crm.db"),
    "postgres": lambda folder: lift(postgres(folder)),
    "async-postgres": async_postgres,
}


@pytest.mark.parametrize(
    ("name", "width"), [*((name, 0) for name in MAKE), ("async-sqlite", 30), ("postgres", 30)]
)
def test_many_writers_are_kept_apart(name: str, width: int, tmp_path: Path) -> None:
    async def whole(seed: int) -> str:
        plan, folder = Plan(seed=seed, batches=30, width=width), tmp_path / str(seed)
        folder.mkdir()
        store: AsyncStore = MAKE[name](folder)
        done = await hammer(store, plan)
        await store.close()
        assert done.anomalies == ()
        assert done.unknown == 0
        return done.too_little(plan)

    assert proves_something(whole)


def proves_something(run: Callable[[int], Coroutine[Any, Any, str]]) -> bool:
    """Whether a run meets enough to prove anything: on a busy machine one writer may end before the next begins."""
    return any(asyncio.run(run(seed)) == "" for seed in range(11, 19))


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("sqlite", "sqlite"),
        ("async-postgres", "tests.faults.stores:async_postgres"),
    ],
)
def test_many_processes_are_kept_apart(name: str, target: str, tmp_path: Path) -> None:
    async def whole(seed: int) -> str:
        plan, folder = Plan(seed=seed, writers=3, batches=40), tmp_path / str(seed)
        folder.mkdir()
        store: AsyncStore = MAKE[name](folder)
        done = await in_processes(store, target, folder, plan, time.monotonic_ns)
        await store.close()
        assert done.anomalies == ()
        assert done.applied + done.refused == 120
        return done.too_little(plan)

    assert proves_something(whole)


def test_the_long_form_is_a_command() -> None:
    command = [sys.executable, "-m", "crmcore.testing.history"]
    ran = subprocess.run(
        [*command, "memory", "--seeds", "1", "--batches", "30"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "0 anomalies" in ran.stdout
    alone = subprocess.run(
        [*command, "memory", "--seeds", "1", "--writers", "1"], capture_output=True, text=True, check=False
    )
    assert alone.returncode == 1
    assert "INCONCLUSIVE" in alone.stdout
