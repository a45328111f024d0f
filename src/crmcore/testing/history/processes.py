"""The same with writers that are processes of their own, for stores that several processes may open.

Invariant: what a process saw comes back as JSON, unchanged; its clock is that of the machine, so that all of it can be
laid on one line of time.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from crmcore.storage import AsyncStore, run
from crmcore.storage.lift import Lifted
from crmcore.testing.history.events import Attempt, FeedPageSeen, Look, Observed, Wrote
from crmcore.testing.history.hammer import Hammered, judged, pauses, together
from crmcore.testing.history.workload import Clock, Plan, Written, follow, write


async def in_processes(store: AsyncStore, target: str, folder: Path, plan: Plan, clock: Clock) -> Hammered:
    """Start ``plan.writers`` processes that open *target* in *folder*, and follow the feed of *store* meanwhile.

    Raises:
        RuntimeError: if a process failed.
    """
    command = [sys.executable, "-m", "crmcore.testing.history", target, "--folder", str(folder)]
    command += ["--path", json.dumps(sys.path)]
    children = [
        subprocess.Popen(
            [*command, "--worker", str(number), "--plan", json.dumps(attrs.asdict(plan))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(plan.writers)
    ]
    _start_together(children)
    told: list[str] = [""] * len(children)
    listeners = [
        threading.Thread(target=_listen, args=(child, told, number)) for number, child in enumerate(children)
    ]
    for listener in listeners:
        listener.start()
    readers = await _followed(store, plan, children, clock)
    for listener in listeners:
        listener.join()
    if any(child.returncode for child in children):
        raise RuntimeError("a writing process failed: see what it wrote to its standard error")
    return await judged(store, plan, [from_json(text) for text in told], readers, clock)


def _start_together(children: Sequence[subprocess.Popen[str]]) -> None:
    """Wait until all have opened the store, then let all begin: else the first would meet nobody."""
    for child in children:
        assert child.stdout is not None  # for the type checker: it is a pipe
        child.stdout.readline()
    for child in children:
        assert child.stdin is not None  # for the type checker: it is a pipe
        with suppress(BrokenPipeError):  # of a child that failed, as its return code will tell
            child.stdin.write("begin\n")
            child.stdin.flush()


async def _followed(
    store: AsyncStore, plan: Plan, children: Sequence[subprocess.Popen[str]], clock: Clock
) -> list[tuple[FeedPageSeen, ...]]:
    def over() -> bool:
        return all(child.poll() is not None for child in children)

    async def pause() -> None:
        await asyncio.sleep(0.002)

    if isinstance(store, Lifted):
        works = [
            partial(follow, store, plan, number, over, clock, pauses(0.002)) for number in range(plan.readers)
        ]
        return together(works)
    return await asyncio.gather(
        *(follow(store, plan, number, over, clock, pause) for number in range(plan.readers))
    )


def _listen(child: subprocess.Popen[str], told: list[str], number: int) -> None:
    told[number] = child.communicate()[0]


async def worker(store: AsyncStore, number: int, plan: Plan, clock: Clock) -> str:
    """All that one process does; the answer is for `from_json`."""

    async def pause() -> None:
        await asyncio.sleep(0)

    if isinstance(store, Lifted):
        done = run(write(store, number, plan, clock, pauses(0.0002)))
    else:
        done = await write(store, number, plan, clock, pause)
    return json.dumps([done.attempts, done.looks, done.conflicts, done.slowest])


def from_json(text: str) -> Written:
    attempts, looks, conflicts, slowest = json.loads(text)
    return Written(
        tuple(
            Attempt(process, begun, ended, idem, _observed(reads), _wrote(writes), fate)
            for process, begun, ended, idem, reads, writes, fate in attempts
        ),
        tuple(Look(process, begun, ended, _observed(reads)) for process, begun, ended, reads in looks),
        conflicts,
        slowest,
    )


def _observed(parts: Sequence[Any]) -> tuple[Observed, ...]:
    return tuple(Observed(name, tuple(tokens)) for name, tokens in parts)


def _wrote(parts: Sequence[Any]) -> tuple[Wrote, ...]:
    return tuple(Wrote(name, tuple(tokens)) for name, tokens in parts)
