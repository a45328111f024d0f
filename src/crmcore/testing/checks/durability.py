"""G11: what was acknowledged is there when the store is opened again."""

from __future__ import annotations

from crmcore.errors import (
    Fenced,
    VersionConflict,
)
from crmcore.storage import AsyncStore, claims
from crmcore.storage.capability import CHANGES
from crmcore.testing.kit import (
    ANN,
    EXCLUSIVE,
    TENANT,
    A,
    B,
    C,
    Subject,
    Writer,
    append,
    delete,
    due,
    guarantee,
    holds,
    picture,
    put,
    ref,
    refused,
    same,
    source,
)


@guarantee("G11", durable=True)
async def a_reopened_store_has_everything(subject: Subject) -> None:
    """Records, keys, order, ledgers, feed, receipts, fences, cursors and versions outlive the store object."""
    store = await subject.fresh()
    write = Writer(store)
    batch = write.batch(
        put(A, 0, {"n": 1}, [ANN, source("1")], [due(1)]), put(B, 0, {}, [ANN]), append("log:1")
    )
    receipt = await store.apply(batch)
    await write(put(C), idem="c1")
    await write(delete(C, 1), idem="c2")
    same(await store.outcome(TENANT, "never"), None, "the outcome of a batch that never came")
    before = await picture(store, [ANN, source("1")], ["log:1"])
    cursor = (await store.find(TENANT, [ANN], limit_per_key=1))[ANN].next
    assert cursor is not None
    store = await subject.reopen(store)
    write = Writer(store)
    same(await picture(store, [ANN, source("1")], ["log:1"]), before, "what can be seen")
    same((await store.find(TENANT, [ANN], after={ANN: cursor}))[ANN].refs, (B,), "what the cursor leads to")
    if claims(store.describe(), CHANGES):
        same(len((await store.changes(TENANT, receipt.position)).items), 2, "the changes after the receipt")
    same((await store.apply(batch)).replayed, True, "whether the batch is known")
    await refused(Fenced, store.apply(write.batch(put(ref(9)), idem="never")))
    await refused(VersionConflict, store.apply(write.batch(put(C, 1))))
    same((await write(put(C), idem="c3"))[C], 3, "the next version of a deleted record")
    same(store.describe().exclusive, EXCLUSIVE, "the exclusive namespaces")
    holds(store.describe().durability != "none", "a store that keeps things says that it does not")


@guarantee("G11", durable=True)
async def what_was_acknowledged_outlives_a_kill(subject: Subject) -> None:
    """What apply and outcome answered is there after the process ended at that moment, without closing the store."""
    store = await subject.fresh()
    await Writer(store)(put(A, 0, {"n": 1}, [ANN]), append("log:1"), idem="before")

    async def work(opened: AsyncStore) -> None:
        write = Writer(opened)
        await write(put(A, 1, {"n": 2}, [source("1")], [due(1)]), put(B), append("log:1"), idem="written")
        await opened.outcome(TENANT, "never")

    store = await subject.killed(store, work)
    seen = await picture(store, [ANN, source("1")], ["log:1"])
    same({at: found.version for at, found in seen.records.items()}, {A: 2, B: 1}, "the records after a kill")
    same(seen.found, {ANN: (), source("1"): (A,)}, "who carries the keys after a kill")
    same(len(seen.ordered), 1, "the order after a kill")
    same(len(seen.ledgers["log:1"]), 2, "the entries after a kill")
    holds(await store.outcome(TENANT, "written") is not None, "a batch is not known after a kill")
    await refused(Fenced, store.apply(Writer(store).batch(put(C), idem="never")))
