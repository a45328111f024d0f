"""Many writers and readers on one store at once: as threads, as tasks of an event loop, or as processes.

Invariant: a run that met too few conflicts proves nothing and says so (`Hammered.too_little`); what was not looked at
is never called clean.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import attrs

from crmcore.storage import AsyncStore, run
from crmcore.storage.lift import Lifted
from crmcore.testing.history.check import anomalies
from crmcore.testing.history.events import Anomaly, FeedHistory, FeedPageSeen, History, Observed, Seen
from crmcore.testing.history.feed import feed_anomalies
from crmcore.testing.history.workload import TENANT, Clock, Pause, Plan, Written, follow, read, seen, write


@attrs.frozen(kw_only=True)
class Hammered:
    """What a run saw. *conflicts* are batches refused for what others had written; *between* counts the pages of the
    feed that were read, with something on them, while batches were being written; *slowest* is seconds of a call."""

    anomalies: tuple[Anomaly, ...]
    applied: int
    refused: int
    unknown: int
    conflicts: int
    events: int
    between: int
    slowest: float

    def too_little(self, plan: Plan) -> str:
        """Why this run proves nothing, "" if it proves something."""
        sent = self.applied + self.refused + self.unknown
        if not plan.width and self.conflicts * 50 < sent:
            return f"only {self.conflicts} of {sent} batches met others: too few to prove anything"
        if self.applied * 5 < sent:
            return f"only {self.applied} of {sent} batches were applied: too few to prove anything"
        if plan.readers and self.between < 3:
            return f"only {self.between} pages of the feed were read during the writing: too few"
        return ""


async def hammer(store: AsyncStore, plan: Plan, *, clock: Clock = time.monotonic_ns) -> Hammered:
    """Write and read as *plan* says, all at once, and check what came of it.

    The calls of a lifted store are made from as many threads; those of an asynchronous one from as many tasks.
    """
    if isinstance(store, Lifted):
        written, readers = in_threads(store, plan, clock)
    else:
        written, readers = await in_tasks(store, plan, clock)
    return await judged(store, plan, written, readers, clock)


Did = tuple[list[Written], list[tuple[FeedPageSeen, ...]]]


async def in_tasks(store: AsyncStore, plan: Plan, clock: Clock) -> Did:
    async def pause() -> None:
        await asyncio.sleep(0)

    ended: list[int] = []

    async def writer(process: int) -> Written:
        try:
            return await write(store, process, plan, clock, pause)
        finally:
            ended.append(process)

    def over() -> bool:
        return len(ended) == plan.writers

    following = [follow(store, plan, number, over, clock, pause) for number in range(plan.readers)]
    done: list[Any] = await asyncio.gather(*map(writer, range(plan.writers)), *following)
    return done[: plan.writers], done[plan.writers :]


def in_threads(store: AsyncStore, plan: Plan, clock: Clock) -> Did:
    pause = pauses(0.0002)
    ended: list[int] = []

    async def writer(process: int) -> Written:
        try:
            return await write(store, process, plan, clock, pause)
        finally:
            ended.append(process)

    def over() -> bool:
        return len(ended) == plan.writers

    works: list[Callable[[], Coroutine[Any, Any, Any]]] = [
        *(partial(writer, process) for process in range(plan.writers)),
        *(partial(follow, store, plan, number, over, clock, pause) for number in range(plan.readers)),
    ]
    done = together(works)
    return done[: plan.writers], done[plan.writers :]


def pauses(seconds: float) -> Pause:
    """A pause that holds its thread, for flows that `run` drives."""

    async def pause() -> None:
        time.sleep(seconds)

    return pause


@contextmanager
def often() -> Iterator[None]:
    """Threads take turns so often meanwhile that what is not locked is seen not to be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def restless(number: int) -> Iterator[None]:
    """Let other threads go on again and again in the middle of what this one does, however busy the machine is.

    The gaps between differ from thread to thread and never repeat soon, so that threads do not march in step.
    """
    left, gap = 1, 3 + number

    def called(frame: object, event: str, argument: object) -> None:
        nonlocal left, gap
        left -= 1
        if not left:
            gap = (gap * 29 + 17) % 61
            left = 1 + gap
            time.sleep(0)

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        yield
    finally:
        sys.setprofile(before)


def together(works: Sequence[Callable[[], Coroutine[Any, Any, Any]]]) -> list[Any]:
    """Run each flow in a thread of its own and give their results; the first error, if any had one."""
    results: list[Any] = [None] * len(works)
    errors: list[BaseException] = []
    ready = threading.Barrier(len(works))

    def work(number: int) -> None:
        try:
            ready.wait()
            with (
                restless(number) if number % 2 == 0 else nullcontext()
            ):  # others see what lasts for a moment only
                results[number] = run(works[number]())
        except BaseException as error:  # it is raised below, in the thread that waits
            errors.append(error)

    threads = [threading.Thread(target=work, args=[number], daemon=True) for number in range(len(works))]
    with often():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]
    return results


async def judged(
    store: AsyncStore,
    plan: Plan,
    written: Sequence[Written],
    readers: Sequence[tuple[FeedPageSeen, ...]],
    clock: Clock,
) -> Hammered:
    """Read everything that there is now, and check all."""
    attempts = tuple(attempt for one in written for attempt in one.attempts)
    final: list[Observed] = []
    for group in [] if plan.width else plan.groups():
        reading = await read(store, group, -1, clock)
        final += [Observed(name, tokens) for name, tokens in reading.tokens.items()]
    history = History(attempts, tuple(look for one in written for look in one.looks), tuple(final))
    found = list(anomalies(history))
    whole = await _whole_feed(store) if plan.readers else ()
    last = max((attempt.ended for attempt in attempts), default=0)
    if plan.readers:
        marks = {page.watermark for pages in readers for page in pages}
        behind = await _behind(store, whole, marks)
        found += feed_anomalies(FeedHistory(attempts, tuple(readers), whole, behind))
    return Hammered(
        anomalies=tuple(found),
        applied=sum(attempt.fate == "applied" for attempt in attempts),
        refused=sum(attempt.fate == "refused" for attempt in attempts),
        unknown=sum(attempt.fate == "unknown" for attempt in attempts),
        conflicts=sum(one.conflicts for one in written),
        events=len(whole),
        between=sum(bool(page.items) and page.ended < last for pages in readers for page in pages),
        slowest=max((one.slowest for one in written), default=0) / 1e9,
    )


async def _whole_feed(store: AsyncStore) -> tuple[Seen, ...]:
    changes: list[Seen] = []
    position = ""
    while True:
        page = await store.changes(TENANT, position, 1000)
        if not page.items:
            return tuple(changes)
        changes += map(seen, page.items)
        position = page.next


async def _behind(store: AsyncStore, whole: Sequence[Seen], marks: set[str]) -> dict[str, int]:
    """How many changes lie at or before each watermark."""
    places = {change.position: number for number, change in enumerate(whole, 1)}
    behind = {"": 0}
    for mark in marks - {""}:
        if mark in places:
            behind[mark] = places[mark]
            continue
        page = await store.changes(TENANT, mark, 1)  # not the place of a change: what comes next is one
        behind[mark] = places[page.items[0].position] - 1 if page.items else len(whole)
    return behind
