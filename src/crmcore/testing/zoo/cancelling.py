"""Mutants that do not expect to be cancelled, and one that wants much time.

Invariant: each is good as long as nobody cancels a task, or hurries it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import attrs

from crmcore.errors import Contention
from crmcore.storage import Batch, Receipt, lift
from crmcore.storage.wrappers import Passing
from crmcore.testing.toy import Toy
from crmcore.testing.zoo.mutant import Mutant


class Waiting(Passing):
    """A good store whose calls wait, so that they can be cancelled."""

    caught_by = "a_cancelled_batch_is_there_whole_or_not_at_all"

    def __init__(self, place: Path) -> None:
        super().__init__(lift(Toy(place)))
        self.mutex = asyncio.Lock()


class TornWhenCancelled(Waiting):
    """Writes the second half of a batch after a pause, and takes back nothing when it is cancelled there."""

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        if len(batch.ops) == 4:
            half = attrs.evolve(batch, ops=batch.ops[:2], idem=f"{batch.idem}~")
            await super().apply(half, timeout=timeout)
            await asyncio.sleep(0.001)
            batch = attrs.evolve(batch, ops=batch.ops[2:])
        return await super().apply(batch, timeout=timeout)


class StuckWhenCancelled(Waiting):
    """Keeps its lock when it is cancelled."""

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        if self.mutex.locked():
            raise Contention("busy")
        await self.mutex.acquire()
        await asyncio.sleep(0.001)
        receipt = await super().apply(batch, timeout=timeout)
        self.mutex.release()
        return receipt


class SilentWhenCancelled(Waiting):
    """Writes, and says nothing of it when it is cancelled."""

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        receipt = await super().apply(batch, timeout=timeout)
        await asyncio.sleep(0.001)
        return receipt


class BusyWhenHurried(Mutant):
    """Is always too busy for those who have little time."""

    caught_by = "a_store_that_nobody_disturbs_needs_little_time"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        if timeout < 0.5:
            raise Contention("busy")
        return super().apply(batch, timeout=timeout)
