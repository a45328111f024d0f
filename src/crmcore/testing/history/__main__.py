"""The long form: many seeds over one kind of store, and a table of what was found.

    python -m crmcore.testing.history sqlite --seeds 20 --writers 8 --batches 500
    python -m crmcore.testing.history sqlite --seeds 2 --processes
    python -m crmcore.testing.history sqlite --seeds 1 --batches 3125 --width 40      # 1,000,000 events of the feed
    python -m crmcore.testing.history my_package.my_store:make

It prints a line for each seed: batches applied, refused and of unknown outcome, conflicts, events of the feed, pages
of the feed that were read during the writing, the slowest call, and every anomaly. It ends with 0 if there was none
and every run met enough conflicts to prove something.

Invariant: a store is made fresh for each seed, in a folder of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from crmcore.storage import AsyncMemoryStore, AsyncSqliteStore, AsyncStore, SqliteStore, lift
from crmcore.storage.lift import Lifted
from crmcore.testing.history.hammer import Hammered, hammer
from crmcore.testing.history.processes import in_processes, worker
from crmcore.testing.history.workload import Plan

KNOWN: dict[str, Callable[[Path], Any]] = {
    "memory": lambda folder: AsyncMemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "crm.db"),
    "async-sqlite": lambda folder: AsyncSqliteStore.open(folder / "crm.db"),
}
"""The stores that have a name here; others are given as ``module:function``, called with a folder."""


async def opened(target: str, folder: Path) -> AsyncStore:
    """The store that *target* names, in *folder*: made, or opened again."""
    store = (KNOWN.get(target) or resolve_name(target))(folder)
    if inspect.isawaitable(store):
        store = await store
    return store if isinstance(store, Lifted) or inspect.iscoroutinefunction(store.get) else lift(store)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m crmcore.testing.history",
        description="Write to a store from many sides at once and check what came of it.",
    )
    parser.add_argument("target", help=f"{', '.join(KNOWN)}, or module:function that takes a folder")
    parser.add_argument("--seeds", type=int, default=20, help="how many runs (20)")
    parser.add_argument("--first", type=int, default=0, help="the seed of the first run (0)")
    parser.add_argument("--writers", type=int, default=8, help="how many write at once (8)")
    parser.add_argument("--batches", type=int, default=500, help="how many batches each sends (500)")
    parser.add_argument(
        "--width", type=int, default=0, help="entries a batch, when only the feed is of interest"
    )
    parser.add_argument("--processes", action="store_true", help="writers are processes, not threads")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)  # from here on for the processes
    parser.add_argument("--path", type=json.loads, default=(), help=argparse.SUPPRESS)
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--plan", help=argparse.SUPPRESS)
    return parser


async def one_run(given: argparse.Namespace, plan: Plan) -> Hammered:
    with tempfile.TemporaryDirectory() as folder:
        store = await opened(given.target, Path(folder))
        try:
            if given.processes:
                return await in_processes(store, given.target, Path(folder), plan, time.monotonic_ns)
            return await hammer(store, plan)
        finally:
            await store.close()


async def one_process(given: argparse.Namespace) -> str:
    """What a process that was started by another run does: it opens the store, says so, and waits for the word."""
    store = await opened(given.target, given.folder)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    try:
        return await worker(store, given.worker, Plan(**json.loads(given.plan)), time.monotonic_ns)
    finally:
        await store.close()


def line(seed: int, done: Hammered, proves: str) -> str:
    head = (
        f"seed {seed:>4}  {done.applied:>7} applied {done.refused:>7} refused {done.unknown:>3} unknown "
        f"{done.conflicts:>7} conflicts {done.events:>9} events {done.between:>6} pages between "
        f"{done.slowest:>6.2f} s at most  {len(done.anomalies)} anomalies"
    )
    told = [f"    {one.name}: {one.detail}" for one in done.anomalies[:20]]
    return "\n".join([head, *told, *([f"    INCONCLUSIVE: {proves}"] if proves else [])])


def main() -> int:
    given = arguments().parse_args()
    sys.path += [entry for entry in given.path if entry not in sys.path]  # where *target* may be
    if given.worker is not None:
        sys.stdout.write(asyncio.run(one_process(given)))
        return 0
    bad = applied = events = 0
    for seed in range(given.first, given.first + given.seeds):
        plan = Plan(seed=seed, writers=given.writers, batches=given.batches, width=given.width)
        done = asyncio.run(one_run(given, plan))
        proves = done.too_little(plan)
        sys.stdout.write(line(seed, done, proves) + "\n")
        sys.stdout.flush()
        bad += bool(done.anomalies or proves)
        applied, events = applied + done.applied, events + done.events
    sys.stdout.write(
        f"{given.seeds} runs of {given.target}: {applied} batches applied, {events} events, "
        f"{bad} runs with an anomaly or too few conflicts\n"
    )
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
