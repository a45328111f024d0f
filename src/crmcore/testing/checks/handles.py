"""G3 for a place that is opened twice: by two objects in one program, as by two programs on one machine.

Invariant: a store that is opened once at a time, and says so when it is opened once more, keeps this promise too.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from crmcore.errors import Contention, Fenced, KeyConflict, StoreError, StreamConflict, VersionConflict
from crmcore.storage import AsyncStore, bulk_of, claims, tenants_of
from crmcore.storage.capability import BULK, TENANTS
from crmcore.testing.at_once import at_once, wait
from crmcore.testing.kit import (
    ANN,
    BOB,
    KEYS,
    STREAMS,
    TENANT,
    A,
    B,
    Broken,
    C,
    Subject,
    Writer,
    append,
    carriers,
    delete,
    due,
    guarantee,
    holds,
    ledger,
    picture,
    put,
    record,
    ref,
    refused,
    rekey,
    same,
    source,
)
from crmcore.testing.rows import chunk, row

PATIENCE = 60.0
"""Seconds for which a batch that others hold up is sent again: whoever is never let in is not only busy."""


@guarantee("G3", durable=True, least={"handles compared": 10})
async def what_one_handle_writes_the_other_sees(subject: Subject) -> None:
    """A place that is opened twice answers alike through both, after whatever was written through one of them, and
    holds a batch to what was written through the other. A store may refuse to be opened twice."""
    first = await subject.fresh()
    second = await subject.beside(first)
    batches = Writer(first)
    steps: list[tuple[Any, ...]] = [
        (put(A, 0, {"n": 1}, [ANN, source("1")], [due(1)]), append("log:1", {"n": 1})),
        (put(A, 1, {"n": 2}, [BOB], [due(2)]), put(B, 0, {}, [source("1")]), append("log:2")),
        (rekey(A, 2, [ANN], [due(3, "a")]), append("log:1", {"n": 2}, 1)),
        (delete(B, 1), put(C, 0, {"n": 3}, [ANN])),
        (put(B, 0, {"n": 4}, [BOB], [due(1)]),),
    ]
    for step, ops in enumerate(steps):
        for one, other in ((first, second), (second, first)):
            await _alike(subject, one, other)
        one, other = (first, second) if step % 2 else (second, first)
        sent = batches.batch(*ops)
        receipt = await one.apply(sent)
        await _alike(subject, one, other)
        again = await other.apply(sent)
        same(
            (again.replayed, again.position),
            (True, receipt.position),
            "a batch sent again to the other handle",
        )
    await _held_to(first, second, batches)
    if claims(first.describe(), BULK):
        await bulk_of(first).load(chunk(row(40, ANN), row(41)))
        await _alike(subject, first, second)
    if claims(first.describe(), TENANTS):
        await tenants_of(second).drop_tenant(TENANT)
        await _alike(subject, first, second)
        same((await picture(first)).records, {}, "what is there of a tenant that the other handle dropped")


async def _alike(subject: Subject, one: Any, other: Any) -> None:
    for target in (A, B, C):
        same(await record(other, target), await record(one, target), "a record through the other handle")
    for key in KEYS:
        same(
            await carriers(other, key),
            await carriers(one, key),
            "who carries a key, through the other handle",
        )
        counts = [dict(await store.fanout(TENANT, [key], cap=9)) for store in (other, one)]
        same(counts[0], counts[1], "a count through the other handle")
    pictures = [await picture(store, KEYS, STREAMS) for store in (other, one)]
    same(pictures[0], pictures[1], "what can be seen through the other handle")
    subject.saw("handles compared")


async def _held_to(first: Any, second: Any, batches: Writer) -> None:
    """What the other handle knows stands against a batch of this one."""
    await first.apply(batches.batch(put(A, 2, {"n": 5}, [source("7")]), append("log:9")))
    for error, op in (
        (VersionConflict, put(A, 2)),
        (KeyConflict, put(C, 1, {}, [source("7")])),
        (StreamConflict, append("log:9", {}, 0)),
    ):
        await refused(error, second.apply(batches.batch(op)))
    late = batches.batch(put(C, 1))
    same(await first.outcome(TENANT, late.idem), None, "the outcome of a batch that never came")
    await refused(Fenced, second.apply(late))


@guarantee("G3", durable=True, least={"batches that were applied": 20})
async def many_through_two_handles_have_one_order(subject: Subject) -> None:
    """Where a place is opened twice, of eight who count one further at the same moment, four through each handle, no
    count is lost, and an exclusive key that they all claim has one holder."""
    first = await subject.fresh()
    second = await subject.beside(first)
    await Writer(first)(put(A, 0, {"n": 0}))
    flows = [partial(_counting, (first, second)[number % 2], number) for number in range(8)]
    applied = 0
    for answer in await at_once(first, flows):
        if isinstance(answer, StoreError):
            raise answer
        applied += answer
    subject.saw("batches that were applied", applied)
    for store in (first, second):
        found = await record(store, A)
        same(found and (found.version, found.body), (applied + 1, {"n": applied}), "what was counted to")
        same([one.seq for one in await ledger(store, "log:1")], list(range(1, applied + 1)), "the entries")
        for turn in range(5):
            holders = await carriers(store, source(str(turn)))
            same(len(holders), 1, "how many of eight hold an exclusive key")


async def _counting(store: AsyncStore, number: int) -> int:
    """How many batches of one of many were applied; those whom another came before try again."""
    write, applied = Writer(store, TENANT), 0
    for turn in range(5):
        claim = put(ref(100 + number, kind=f"claim{turn}"), 0, {}, [source(str(turn))])
        await _tried(write, claim, idem=f"claim/{number}/{turn}")
        for step in range(20):
            found = await record(store, A)
            if found is None:
                raise Broken("what was written through one handle is not there through the other")
            ops = (put(A, found.version, {"n": found.body["n"] + 1}), append("log:1"))
            if await _tried(write, *ops, idem=f"{number}/{turn}/{step}"):
                applied += 1
                break
    return applied


async def _tried(write: Writer, *ops: Any, idem: str) -> bool:
    """Whether a batch was applied, and not refused because another came before. One that the others held up is sent
    again, as an app does."""
    batch, until = write.batch(*ops, idem=idem), time.monotonic() + PATIENCE
    while True:
        try:
            receipt = await write.store.apply(batch)
        except (VersionConflict, KeyConflict):
            return False
        except Contention:
            if time.monotonic() > until:
                raise
            await wait(write.store, 0.001)
        else:
            holds(not receipt.replayed, "a batch was there of which it was said that it was not applied")
            return True
