"""G18: every call ends in its time."""

from __future__ import annotations

import time

from crmcore.errors import StoreError
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


@guarantee("G18", least={"calls timed": 20})
async def no_call_outlasts_its_timeout(subject: Subject) -> None:
    """apply ends within its timeout and a second, whether it was applied, refused or sent before."""
    store = await subject.fresh()
    write = Writer(store)
    for timeout in (0.0, 0.01, 0.2):
        for step in range(7):
            batch = write.batch(put(ref(step), step % 2), append("log:1"))
            began = time.monotonic()
            try:
                await store.apply(batch, timeout=timeout)
            except StoreError as error:
                same(error.outcome, "not_applied", "the outcome of a batch that ran out of time")
            holds(time.monotonic() - began < timeout + 1, f"a call with {timeout} s took a second longer")
            subject.saw("calls timed")


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
