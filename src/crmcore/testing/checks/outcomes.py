"""G12: whether a batch was applied can be known, and what is closed says so."""

from __future__ import annotations

from crmcore.errors import (
    Fenced,
    StoreClosed,
    StoreError,
)
from crmcore.testing.kit import (
    ANN,
    TENANT,
    A,
    B,
    Subject,
    Writer,
    append,
    guarantee,
    holds,
    ledger,
    put,
    record,
    ref,
    refused,
    same,
)


@guarantee("G12")
async def outcome_answers_with_the_receipt(subject: Subject) -> None:
    """For a batch that was applied, outcome gives what apply gave."""
    store = await subject.fresh()
    write = Writer(store)
    given = await store.apply(write.batch(put(A), append("log:1"), idem="known"))
    await write(put(A, 1), append("log:1"))
    found = await store.outcome(TENANT, "known")
    assert found is not None
    same(
        (dict(found.versions), dict(found.seqs), found.position, found.at, found.replayed),
        (dict(given.versions), dict(given.seqs), given.position, given.at, True),
        "the receipt",
    )


@guarantee("G12")
async def an_outcome_of_none_is_final(subject: Subject) -> None:
    """When outcome has said that a batch was not applied, the batch is refused should it still arrive."""
    store = await subject.fresh()
    write = Writer(store)
    late = write.batch(put(A), append("log:1"), idem="late")
    for _ in range(2):
        same(await store.outcome(TENANT, "late"), None, "the outcome of a batch that never came")
        await refused(Fenced, store.apply(late))
    same(await store.outcome("other", "late"), None, "the outcome for another tenant")
    same((await record(store, A), await ledger(store, "log:1")), (None, ()), "what the late batch wrote")
    await write(put(A), append("log:1"))


@guarantee("G12")
async def a_closed_store_says_so(subject: Subject) -> None:
    """After close every call raises StoreClosed and nothing else; closing again does nothing."""
    store = await subject.fresh()
    write = Writer(store)
    await write(put(A, 0, {}, [ANN]))
    await store.close()
    await store.close()
    for call in (
        lambda: store.get([A]),
        lambda: store.find(TENANT, [ANN]),
        lambda: store.fanout(TENANT, [ANN], cap=1),
        lambda: store.range(TENANT, "due", [""]),
        lambda: store.scan(TENANT, "party"),
        lambda: store.ledger(TENANT, ["log:1"]),
        lambda: store.apply(write.batch(put(B))),
        lambda: store.outcome(TENANT, "acme-1"),
    ):
        await refused(StoreClosed, call())


@guarantee("G12", least={"batches sent": 20})
async def an_error_that_says_not_applied_is_true(subject: Subject) -> None:
    """When apply ends in an error that is not_applied, however short its time was, nothing was written, and the same
    batch can be sent again."""
    store = await subject.fresh()
    write = Writer(store)
    for step in range(20):
        batch = write.batch(put(ref(step)), append("log:1", {"n": step}))
        try:
            await store.apply(batch, timeout=0.0)
        except StoreError as error:
            same(error.outcome, "not_applied", "the outcome of a batch that had no time")
            same(await record(store, ref(step)), None, "what was written though it was said that nothing was")
            holds(
                not (await store.apply(batch)).replayed,
                "the batch is known though it was said not to be applied",
            )
        same(len(await ledger(store, "log:1")), step + 1, "the number of entries")
        subject.saw("batches sent")
