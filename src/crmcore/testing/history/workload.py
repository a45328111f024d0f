"""What each writer and each reader of the feed does: flows over any store, written down as they go.

Invariant: a batch declares everything that it read and rests on, so that the checker may hold the store to it; a
token is written once. What chance chooses comes from the seed, so that a run can be told again; who is faster does not.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import attrs

from crmcore.errors import StoreError
from crmcore.storage import (
    Append,
    AsyncStore,
    Batch,
    Change,
    Check,
    CheckStream,
    Draft,
    Operation,
    Put,
    Record,
    Ref,
)
from crmcore.testing.history.events import Attempt, Fate, FeedPageSeen, Look, Observed, Seen, Wrote
from crmcore.values.source import SYSTEM

TENANT = "history"
_AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)

Clock = Callable[[], int]
"""Nanoseconds, of one clock for all processes, such as `time.monotonic_ns`."""

Pause = Callable[[], Awaitable[None]]
"""Lets the others run."""


@attrs.frozen(kw_only=True)
class Plan:
    """How much is written. *records* and *ledgers* are those in use at a time; after *rotate* steps come new ones.

    *width* is how many entries a batch appends when only the feed is of interest; 0: batches read and write a little
    each, so that they get into each other's way.
    """

    seed: int = 0
    writers: int = 8
    batches: int = 500
    records: int = 3
    ledgers: int = 2
    rotate: int = 20
    width: int = 0
    readers: int = 2
    timeout: float = 30.0

    def objects(self, step: int) -> list[str]:
        """The names of what is in use at *step*: ``record:<id>`` and ``ledger:<stream>``."""
        group = step // self.rotate
        records = [f"record:{_id(group * self.records + number)}" for number in range(self.records)]
        return records + [f"ledger:history:{group}:{number}" for number in range(self.ledgers)]

    def groups(self) -> list[list[str]]:
        return [self.objects(step) for step in range(0, self.batches, self.rotate)]


def _id(number: int) -> str:
    return f"{number:08x}-0000-7{number % 4096:03x}-8000-000000000000"


def _ref(object_: str) -> Ref:
    return Ref(TENANT, "party", object_.removeprefix("record:"))


def _stream(object_: str) -> str:
    return object_.removeprefix("ledger:")


@attrs.frozen
class Reading:
    """What one or two calls gave. *versions* has what a `Check` of each object must say."""

    looks: tuple[Look, ...]
    tokens: Mapping[str, tuple[str, ...]]
    versions: Mapping[str, int]


async def read(store: AsyncStore, objects: Iterable[str], process: int, clock: Clock) -> Reading:
    """Read records and ledgers, each sort in one call."""
    objects = list(objects)
    records = [one for one in objects if one.startswith("record:")]
    ledgers = [one for one in objects if one.startswith("ledger:")]
    tokens: dict[str, tuple[str, ...]] = {}
    versions: dict[str, int] = {}
    looks: list[Look] = []
    if records:
        begun = clock()
        found = await store.get([_ref(one) for one in records])
        for one in records:
            record: Record | None = found.get(_ref(one))
            tokens[one] = () if record is None else tuple(record.body["tokens"])
            versions[one] = 0 if record is None else record.version
        looks.append(_look(process, begun, clock(), records, tokens))
    if ledgers:
        begun = clock()
        pages = await store.ledger(TENANT, [_stream(one) for one in ledgers], limit=10_000)
        for one in ledgers:
            items = pages[_stream(one)].items
            tokens[one] = tuple(entry.body["token"] for entry in items)
            versions[one] = len(items)
        looks.append(_look(process, begun, clock(), ledgers, tokens))
    return Reading(tuple(looks), tokens, versions)


def _look(
    process: int, begun: int, ended: int, objects: list[str], tokens: Mapping[str, tuple[str, ...]]
) -> Look:
    return Look(process, begun, ended, tuple(Observed(one, tokens[one]) for one in objects))


@attrs.frozen
class Written:
    """What a writer did. *conflicts* counts the batches that were refused because of what others had written."""

    attempts: tuple[Attempt, ...]
    looks: tuple[Look, ...]
    conflicts: int
    slowest: int


async def write(store: AsyncStore, process: int, plan: Plan, clock: Clock, pause: Pause) -> Written:
    """All batches of one writer."""
    chance = random.Random(f"{plan.seed}/{process}")
    attempts: list[Attempt] = []
    looks: list[Look] = []
    conflicts, slowest = 0, 0
    for step in range(plan.batches):
        idem = f"{plan.seed}-{process}-{step}"
        if plan.width:
            ops, reads, wrote = _wide(plan, step, idem)
        else:
            objects = plan.objects(step)
            chosen = chance.sample(objects, chance.choice((1, 2, 2, 3)))
            reading = await read(store, chosen, process, clock)
            looks += reading.looks
            ops, reads, wrote = _narrow(chance, reading, chosen, idem)
            await pause()
        batch = Batch(tenant=TENANT, ops=ops, idem=idem, actor=SYSTEM, at=_AT)
        begun = clock()
        fate, conflict = await _sent(store, batch, plan.timeout, again=chance.random() < 0.05)
        ended = clock()
        slowest = max(slowest, ended - begun)
        conflicts += conflict
        attempts.append(Attempt(process, begun, ended, idem, reads, wrote, fate))
    return Written(tuple(attempts), tuple(looks), conflicts, slowest)


async def _sent(store: AsyncStore, batch: Batch, timeout: float, *, again: bool) -> tuple[Fate, bool]:
    """Apply *batch*, at times twice, and say what became of it, and whether others had come before it."""
    try:
        await store.apply(batch, timeout=timeout)
        if again:
            await store.apply(batch, timeout=timeout)
    except StoreError as error:
        if error.outcome == "unknown":
            return (
                ("unknown", False) if await store.outcome(TENANT, batch.idem) is None else ("applied", False)
            )
        return "refused", error.code in {"version_conflict", "stream_conflict"}
    return "applied", False


_Content = tuple[tuple[Operation, ...], tuple[Observed, ...], tuple[Wrote, ...]]


def _narrow(chance: random.Random, reading: Reading, chosen: Sequence[str], idem: str) -> _Content:
    """Write some of what was read and check the rest; at times append blindly, two entries at once."""
    ops: list[Operation] = []
    reads: list[Observed] = []
    writes: list[Wrote] = []
    only_reads = chance.random() < 0.1
    for place, one in enumerate(chosen):
        seen, version = reading.tokens[one], reading.versions[one]
        blind = one.startswith("ledger:") and chance.random() < 0.3
        if only_reads or (place and chance.random() < 0.4):
            ops.append(_check(one, version))
            reads.append(Observed(one, seen))
            continue
        tokens = tuple(f"{idem}/{place}{part}" for part in ("ab" if blind else "a"))
        writes.append(Wrote(one, tokens))
        if not blind:
            reads.append(Observed(one, seen))
        ops += _writes(one, seen, tokens, None if blind else version)
    return tuple(ops), tuple(reads), tuple(writes)


def _check(object_: str, version: int) -> Operation:
    if object_.startswith("record:"):
        return Check(ref=_ref(object_), expect=version)
    return CheckStream(stream=_stream(object_), seq=version)


def _writes(
    object_: str, seen: tuple[str, ...], tokens: tuple[str, ...], version: int | None
) -> list[Operation]:
    if object_.startswith("record:"):
        body = {"tokens": [*seen, *tokens]}
        return [Put(ref=_ref(object_), expect=version or 0, schema=1, body=body)]
    return [
        Append(
            stream=_stream(object_),
            entry=Draft(
                occurred_at=_AT, recorded_at=_AT, subjects=(), schema="history/1", body={"token": token}
            ),
            expect_seq=version,
        )
        for token in tokens
    ]


def _wide(plan: Plan, step: int, idem: str) -> _Content:
    """Many entries over all ledgers in use, without reading: for the feed."""
    ledgers = [one for one in plan.objects(step) if one.startswith("ledger:")]
    writes = [
        Wrote(one, tuple(f"{idem}/{part}" for part in range(number, plan.width, len(ledgers))))
        for number, one in enumerate(ledgers)
    ]
    ops = [op for one, tokens in writes for op in _writes(one, (), tokens, None)]
    return tuple(ops), (), tuple(writes)


async def follow(
    store: AsyncStore,
    plan: Plan,
    number: int,
    over: Callable[[], bool],
    clock: Clock,
    pause: Pause,
) -> tuple[FeedPageSeen, ...]:
    """Read the feed from its beginning until all is *over* and nothing is left."""
    chance = random.Random(f"{plan.seed}/reader {number}")
    pages: list[FeedPageSeen] = []
    position = ""
    while True:
        last = over()
        begun = clock()
        page = await store.changes(TENANT, position, chance.choice((1, 7, 50, 1000)))
        items = tuple(map(seen, page.items))
        pages.append(FeedPageSeen(begun, clock(), items, page.watermark))
        position = page.next
        if not items:
            if last:
                return tuple(pages)
            await pause()


def seen(change: Change) -> Seen:
    if change.ref is not None:
        return Seen(change.position, change.idem, f"record:{change.ref.id}", change.version or 0)
    return Seen(change.position, change.idem, f"ledger:{change.stream}", change.seq or 0)
