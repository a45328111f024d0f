"""G11: what was acknowledged is there when the store is opened again."""

from __future__ import annotations

from crmcore.errors import (
    Fenced,
    VersionConflict,
)
from crmcore.storage import claims
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
