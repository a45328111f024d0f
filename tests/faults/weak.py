"""Stores that are wrong in one way each: they let go of the loop where a server would let others in.

The interleaving is that of the event loop and of seeds, so that each run shows the same.
"""

from __future__ import annotations

import asyncio
import copy
import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import attrs

from crmcore.storage import (
    Append,
    Batch,
    Change,
    Check,
    CheckStream,
    Entry,
    FeedPage,
    MemoryStore,
    Page,
    Put,
    Receipt,
    Record,
    Ref,
)
from crmcore.testing.history.workload import TENANT


class Sound:
    """Suspends before and after each call, and is right. *shows* is what the others must be caught with."""

    shows: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.chance = random.Random(5)

    async def others(self) -> None:
        for _ in range(self.chance.randint(1, 4)):
            await asyncio.sleep(0)

    async def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        await self.others()
        return self.store.get(refs)

    async def ledger(self, tenant: str, streams: Sequence[str], **options: Any) -> Mapping[str, Page[Entry]]:
        await self.others()
        return self.store.ledger(tenant, streams, **options)

    async def changes(self, tenant: str, after: str = "", limit: int = 500) -> FeedPage:
        await self.others()
        return self.store.changes(tenant, after, limit)

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        await self.others()
        return self.store.apply(batch, timeout=timeout)

    async def outcome(self, tenant: str, idem: str) -> Receipt | None:
        return self.store.outcome(tenant, idem)

    def unchecked(self, batch: Batch) -> Receipt:
        """Write over whatever is there."""
        there = self.store.get([op.ref for op in batch.ops if isinstance(op, Put)])
        ops: list[Any] = []
        for op in batch.ops:
            if isinstance(op, Put):
                ops.append(attrs.evolve(op, expect=there[op.ref].version if op.ref in there else 0))
            elif isinstance(op, Append):
                ops.append(attrs.evolve(op, expect_seq=None))
        return self.store.apply(attrs.evolve(batch, ops=tuple(ops)))


class NoReadSet(Sound):
    """Ignores what was only read."""

    shows = frozenset({"G2"})

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        ops = tuple(op for op in batch.ops if not isinstance(op, (Check, CheckStream)))
        return await super().apply(attrs.evolve(batch, ops=ops), timeout=timeout)


class ReadCommitted(Sound):
    """Checks first, and writes when others may have written since."""

    shows = frozenset({"LostUpdate", "LostWrite"})

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        probe = attrs.evolve(batch, idem=f"{batch.idem} (a trial)")
        trial = MemoryStore()
        trial._tenants = copy.deepcopy(self.store._tenants)
        trial.apply(probe)
        await self.others()
        return self.unchecked(batch)


class LostUpdates(Sound):
    """Writes over whatever is there."""

    shows = frozenset({"LostUpdate", "LostWrite"})

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        await self.others()
        return self.unchecked(batch)


class DirtyReads(Sound):
    """Writes one operation after another, and finds out on its way that it must not."""

    shows = frozenset({"G1a"})

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        for number, op in enumerate(batch.ops[:-1]):
            await self.others()
            self.store.apply(attrs.evolve(batch, ops=(op,), idem=f"{batch.idem} {number}"))
        return await super().apply(attrs.evolve(batch, ops=batch.ops[-1:]), timeout=timeout)


class HalfReads(Sound):
    """Reads one record after another."""

    shows = frozenset({"G-single"})

    async def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        found: dict[Ref, Record] = {}
        for one in refs:
            found |= await super().get([one])
        return found


class Forgetful(Sound):
    """Acknowledges every tenth batch and does not write it."""

    shows = frozenset({"LostWrite"})
    sent = 0

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        self.sent += 1
        if self.sent % 10:
            return await super().apply(batch, timeout=timeout)
        return Receipt(position="", versions={}, seqs={}, at=batch.at)


class AppliesAgain(Sound):
    """Takes a batch that is sent again for another one."""

    shows = frozenset({"Doubled"})
    sent = 0

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        self.sent += 1
        await super().apply(attrs.evolve(batch, idem=f"{batch.idem} {self.sent}"), timeout=timeout)
        return await super().apply(batch, timeout=timeout)


class _Numbered(Sound):
    """A feed in the order of numbers that are given out before the commit, as a sequence of a database does."""

    def __init__(self) -> None:
        super().__init__()
        self.given = 0
        self.open: set[int] = set()
        self.feed: dict[int, Change] = {}

    def horizon(self) -> int:
        return self.given

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        first = self.given
        self.given += len(batch.ops)
        self.open.add(first)
        try:
            await self.others()
            receipt = self.store.apply(batch)
            written = [
                one for one in self.store.changes(TENANT, limit=10_000).items if one.idem == batch.idem
            ]
            for number, change in enumerate(written, first + 1):
                self.feed[number] = attrs.evolve(change, position=str(number))
            return receipt
        finally:
            self.open.discard(first)

    async def changes(self, tenant: str, after: str = "", limit: int = 500) -> FeedPage:
        start, end = int(after or 0), self.horizon()
        numbers = [number for number in sorted(self.feed) if start < number <= end][:limit]
        items = tuple(self.feed[number] for number in numbers)
        return FeedPage(items=items, next=items[-1].position if items else after, watermark=str(end))


class NaiveFeed(_Numbered):
    """Gives what is committed, in the order of numbers: who passes by a number that is not, never sees it."""

    shows = frozenset({"FeedLost"})


class InvertedFeed(_Numbered):
    """Waits for those who are not done, and yet has numbers from before the locks were taken."""

    shows = frozenset({"FeedInverted"})

    def horizon(self) -> int:
        return min(self.open, default=self.given)


class SplitFeed(Sound):
    """Has the changes of two batches mixed."""

    shows = frozenset({"FeedSplit"})

    async def changes(self, tenant: str, after: str = "", limit: int = 500) -> FeedPage:
        whole = list(self.store.changes(tenant, limit=10_000).items)
        for place in range(1, len(whole) - 1):
            if whole[place - 1].idem == whole[place].idem != whole[place + 1].idem:
                whole[place], whole[place + 1] = whole[place + 1], whole[place]
        start = int(after or 0)
        items = tuple(attrs.evolve(one, position=str(n)) for n, one in enumerate(whole, 1))[start:][:limit]
        return FeedPage(items=items, next=items[-1].position if items else after, watermark=str(len(whole)))


class EagerWatermark(_Numbered):
    """Says that nothing will come where something still does."""

    shows = frozenset({"WatermarkBroken"})

    async def changes(self, tenant: str, after: str = "", limit: int = 500) -> FeedPage:
        page = await super().changes(tenant, after, limit)
        return attrs.evolve(page, watermark=str(self.given + 20))


WEAK: tuple[type[Sound], ...] = (
    NoReadSet,
    ReadCommitted,
    LostUpdates,
    DirtyReads,
    HalfReads,
    Forgetful,
    AppliesAgain,
    NaiveFeed,
    InvertedFeed,
    SplitFeed,
    EagerWatermark,
)
