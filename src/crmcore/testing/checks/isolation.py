"""G3: batches with what they read apply as if one after another."""

from __future__ import annotations

from crmcore.errors import (
    InvalidRecord,
    KeyConflict,
    StreamConflict,
    VersionConflict,
)
from crmcore.storage import (
    Check,
    CheckKey,
    CheckStream,
)
from crmcore.testing.kit import (
    ANN,
    A,
    B,
    C,
    D,
    Subject,
    Writer,
    append,
    carriers,
    delete,
    guarantee,
    put,
    record,
    ref,
    refused,
    rekey,
    same,
    source,
)


@guarantee("G3")
async def what_was_read_and_not_written_can_be_checked(subject: Subject) -> None:
    """Two batches that each read both records and write one of them cannot both apply (write skew)."""
    store = await subject.fresh()
    write = Writer(store)
    await write(put(A, 0, {"on_call": 1}), put(B, 0, {"on_call": 1}))
    await write(put(A, 1, {"on_call": 0}), Check(ref=B, expect=1))
    await refused(
        VersionConflict, store.apply(write.batch(put(B, 1, {"on_call": 0}), Check(ref=A, expect=1)))
    )
    found = await record(store, B)
    same(found and found.body, {"on_call": 1}, "the record of the second batch")


@guarantee("G3")
async def a_ledger_that_was_read_can_be_checked(subject: Subject) -> None:
    """CheckStream and expect_seq hold a batch to the length that was read; entries of the batch itself count."""
    store = await subject.fresh()
    write = Writer(store)
    await write(
        append("log:1", expect_seq=0), append("log:1", expect_seq=1), CheckStream(stream="log:1", seq=0)
    )
    error = await refused(StreamConflict, store.apply(write.batch(append("log:1", expect_seq=1))))
    same((error.expected, error.actual), (1, 2), "what the conflict says")
    await refused(StreamConflict, store.apply(write.batch(put(A), CheckStream(stream="log:1", seq=1))))
    await write(put(A), CheckStream(stream="log:1", seq=2), CheckStream(stream="log:2", seq=0))
    await write(append("log:1"), append("log:2", expect_seq=0))


@guarantee("G3")
async def that_nobody_holds_a_key_can_be_checked(subject: Subject) -> None:
    """CheckKey holds a batch to the holder that was read, or to there being none."""
    store = await subject.fresh()
    write = Writer(store)
    await write(CheckKey(key=source("1"), holder=None), put(A, 0, {}, [source("1")]))
    error = await refused(KeyConflict, store.apply(write.batch(CheckKey(key=source("1"), holder=None))))
    same((error.namespace, error.holder), ("source", A.id), "what the conflict says")
    error = await refused(KeyConflict, store.apply(write.batch(CheckKey(key=source("2"), holder=A))))
    same(error.holder, None, "the holder in the conflict")
    await refused(KeyConflict, store.apply(write.batch(CheckKey(key=source("1"), holder=B))))
    await write(CheckKey(key=source("1"), holder=A), put(B))
    await refused(InvalidRecord, store.apply(write.batch(CheckKey(key=ANN, holder=None))))


@guarantee("G3")
async def an_exclusive_key_has_one_holder(subject: Subject) -> None:
    """A key in an exclusive namespace is carried by one record of a tenant at most; other keys are shared."""
    store = await subject.fresh()
    write = Writer(store)
    other = Writer(store, "other")
    await write(put(A, 0, {}, [source("1"), ANN]))
    error = await refused(KeyConflict, store.apply(write.batch(put(B, 0, {}, [source("1")]))))
    same((error.namespace, error.holder), ("source", A.id), "what the conflict says")
    await write(put(B, 0, {}, [ANN]), put(ref(1, kind="note"), 0, {}, [source("2")]))
    await refused(KeyConflict, store.apply(write.batch(rekey(B, 1, [source("1")]))))
    await refused(KeyConflict, store.apply(write.batch(put(A, 1, {}, [source("2")]))))
    await refused(
        KeyConflict, store.apply(write.batch(put(C, 0, {}, [source("3")]), put(D, 0, {}, [source("3")])))
    )
    await write(put(A, 1, {}, [source("1")]))
    await other(put(ref(1, tenant="other"), 0, {}, [source("1")]))
    same(await carriers(store, source("1")), (A,), "the holder")


@guarantee("G3")
async def an_exclusive_key_is_handed_over_within_a_batch(subject: Subject) -> None:
    """One batch may free a key and claim it for another record, in any order, and swap two keys."""
    store = await subject.fresh()
    write = Writer(store)
    await write(put(A, 0, {}, [source("1")]), put(B, 0, {}, [source("2")]))
    await write(put(C, 0, {}, [source("1")]), rekey(A, 1))
    same(await carriers(store, source("1")), (C,), "the holder after a Rekey freed the key")
    await write(delete(C, 1), put(D, 0, {}, [source("1")]))
    same(await carriers(store, source("1")), (D,), "the holder after a Delete freed the key")
    await write(put(B, 1, {}, [source("1")]), put(D, 1, {}, [source("2")]))
    same(await carriers(store, source("1")), (B,), "the first of two keys that were swapped")
    same(await carriers(store, source("2")), (D,), "the second of two keys that were swapped")
    await write(delete(B, 2))
    await write(put(A, 1, {}, [source("1")]))
