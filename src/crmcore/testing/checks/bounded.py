"""G18: every call ends in its time."""

from __future__ import annotations

import time
from itertools import count

from crmcore.errors import StoreError
from crmcore.storage import AsyncStore, Batch
from crmcore.testing.kit import (
    ANN,
    TENANT,
    A,
    Subject,
    Writer,
    append,
    due,
    guarantee,
    holds,
    put,
    ref,
    same,
    scanned,
)

TURNS = 2
"""How often it must have been late: a store that is slow by itself is so each time, a busy machine is not."""


@guarantee("G18", least={"calls timed": 20})
async def no_call_outlasts_its_timeout(subject: Subject) -> None:
    """apply ends within its timeout and a second, whether it was applied, refused or sent before. Of a call that took
    longer it is asked once more, since a machine can be busy."""
    store = await subject.fresh()
    write = Writer(store)
    numbers, sent = count(), list[Batch]()
    late = 0
    for timeout in (0.0, 0.01, 0.2):
        for step in range(7):
            took = timeout + 1
            for _ in range(TURNS):
                sent.append(write.batch(put(ref(next(numbers)), step % 2), append("log:1")))
                batch = sent[0] if step == 6 else sent[-1]
                took = await _timed(store, batch, timeout)
                if took < timeout + 1:
                    break
                late += 1
            holds(took < timeout + 1 and late <= TURNS, f"calls with {timeout} s took a second longer")
            subject.saw("calls timed")


async def _timed(store: AsyncStore, batch: Batch, timeout: float) -> float:
    """How many seconds a batch took, whatever came of it."""
    began = time.monotonic()
    try:
        await store.apply(batch, timeout=timeout)
    except StoreError as error:
        same(error.outcome, "not_applied", "the outcome of a batch that ran out of time")
    return time.monotonic() - began


@guarantee("G18", least={"reads given up": 300})
async def what_is_not_read_to_its_end_holds_nothing_up(subject: Subject) -> None:
    """Pages that are never asked for, and calls that are refused, keep nothing busy: the store goes on."""
    store = await subject.fresh()
    write = Writer(store)
    await write(*(put(ref(number), 0, {}, [ANN], [due(number)]) for number in range(20)), append("log:1"))
    for step in range(100):
        await store.scan(TENANT, "party", limit=1)
        await store.range(TENANT, "due", [""], limit=1)
        await store.find(TENANT, [ANN], limit_per_key=1)
        subject.saw("reads given up", 3)
        if step % 10 == 0:
            await write(put(A, 1 + step // 10))
    same(len(await scanned(store)), 20, "the number of records")
