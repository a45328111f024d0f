"""G1 and G18 where a task is cancelled, and where there is little time.

Invariant: nothing here waits without an end: what does not come back in time is broken.
"""

from __future__ import annotations

import asyncio
from typing import Any

from crmcore.errors import CommitUnknown, Contention, StoreTimeout
from crmcore.storage import AsyncStore, Batch, Receipt
from crmcore.testing.kit import (
    TENANT,
    Broken,
    NotAsked,
    Subject,
    Writer,
    append,
    guarantee,
    holds,
    ledger,
    put,
    ref,
    same,
)

PATIENCE = 60.0
"""Seconds after which a call that nobody disturbs is taken for one that never ends."""


@guarantee("G1")
async def a_cancelled_batch_is_there_whole_or_not_at_all(subject: Subject) -> None:
    """Of a batch whose task was cancelled everything is there or nothing; everything only if the cancellation has a
    CommitUnknown as its cause, and the outcome says which. The store goes on."""
    store = await subject.fresh()
    write = Writer(store)
    cancelled = 0
    for step in range(30):
        targets = [ref(2 * step), ref(2 * step + 1)]
        batch = write.batch(*map(put, targets), append("log:1"), append("log:2"))
        ended = await _cancelled(store, batch, step)
        if isinstance(ended, asyncio.CancelledError):
            cancelled += 1
        unknown = isinstance(ended, Receipt) or isinstance(ended.__cause__, CommitUnknown)
        outcome = await _within(store.outcome(TENANT, batch.idem), "outcome")
        there = len(await _within(store.get(targets), "get"))
        same(there, 2 if outcome else 0, "how many of two records are there after a batch was cancelled")
        holds(unknown or not outcome, "a batch is there though its cancellation does not say that it may be")
        await _within(write(append("log:3")), "apply")
        lengths = {len(await ledger(store, stream)) for stream in ("log:1", "log:2")}
        holds(len(lengths) == 1, "part of a batch that was cancelled is there")
    if not cancelled:
        raise NotAsked("no call of it ever waits, so none can be cancelled")


async def _cancelled(store: AsyncStore, batch: Batch, step: int) -> Any:
    """What a task ended with that was cancelled a little later each time."""

    async def sent() -> object:
        try:
            return await store.apply(batch, timeout=PATIENCE)
        except asyncio.CancelledError as error:
            return error

    task = asyncio.ensure_future(sent())
    for _ in range(1 + step % 10):
        await asyncio.sleep(0)
    if step >= 10:
        await asyncio.sleep(0.0002 * (step - 9))
    task.cancel()
    return await _within(task, "a cancelled apply")


async def _within(call: Any, what: str) -> Any:
    try:
        return await asyncio.wait_for(call, PATIENCE)
    except TimeoutError:
        raise Broken(
            f"{what} has not come back after {PATIENCE:.0f} seconds, after a batch was cancelled"
        ) from None
    except Contention:
        raise Broken(f"{what} finds the store busy for ever after a batch was cancelled") from None


@guarantee("G18")
async def a_store_that_nobody_disturbs_needs_little_time(subject: Subject) -> None:
    """Of ten batches with less than half a second each, while nobody else writes, at least one is applied."""
    store = await subject.fresh()
    write = Writer(store)
    for step in range(10):
        try:
            await store.apply(write.batch(put(ref(step))), timeout=0.4)
        except (Contention, StoreTimeout):
            continue
        return
    raise Broken("a store that nobody disturbs is busy each time that it has little time")
