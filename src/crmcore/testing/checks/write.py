"""G1 to G4 and G12: what `apply` and `outcome` promise."""

from __future__ import annotations

from datetime import timedelta

from crmcore.errors import (
    Fenced,
    IdempotencyMismatch,
    InvalidRecord,
    KeyConflict,
    StoreClosed,
    StreamConflict,
    TenantMismatch,
    VersionConflict,
)
from crmcore.storage import Check, CheckKey, CheckStream, Operation
from crmcore.testing.kit import (
    NOW,
    TENANT,
    Subject,
    Writer,
    append,
    carriers,
    delete,
    email,
    feed,
    guarantee,
    holds,
    ledger,
    name_sort,
    picture,
    put,
    record,
    ref,
    refused,
    rekey,
    same,
    source,
)

A, B, C, D = ref(1), ref(2), ref(3), ref(4)
ANN, BOB = email("ann@x.org"), email("bob@x.org")
KEYS = [ANN, BOB, source("1"), source("2")]
STREAMS = ["log:1", "log:2"]


async def _three_records(write: Writer) -> None:
    await write(
        put(A, 0, {"n": 1}, [ANN, source("1")], [name_sort(b"ann")]),
        put(B, 0, {"n": 2}, [BOB, source("2")], [name_sort(b"bob")]),
        append("log:1", {"n": 1}),
    )
    await write(put(C, 0, {"n": 3}))


@guarantee("G1")
async def a_batch_is_applied_as_a_whole(subject: Subject) -> None:
    """After apply returns, every record, key, sort, entry and change of the batch can be seen."""
    store = await subject.fresh()
    write = Writer(store)
    await _three_records(write)
    receipt = await store.apply(
        write.batch(
            put(A, 1, {"n": 10}, [BOB, source("1")], [name_sort(b"z")]),
            delete(B, 1),
            rekey(C, 1, [source("2")], [name_sort(b"c")]),
            append("log:1", {"n": 2}),
            append("log:2", {"n": 1}),
            put(D, 0, {"n": 4}, [ANN]),
        )
    )
    same(dict(receipt.versions), {A: 2, B: 2, D: 1}, "the versions of the receipt")
    same(dict(receipt.seqs), {"log:1": 2, "log:2": 1}, "the lengths in the receipt")
    holds(not receipt.replayed, "a first receipt says that the batch was applied before")
    after = await picture(store, KEYS, STREAMS)
    same(
        {at: (found.version, found.body["n"]) for at, found in after.records.items()},
        {A: (2, 10), C: (1, 3), D: (1, 4)},
        "the records",
    )
    same(after.found, {ANN: (D,), BOB: (A,), source("1"): (A,), source("2"): (C,)}, "who carries the keys")
    same([at for _, at in after.ordered], [C, A], "the order")
    same([len(after.ledgers[stream]) for stream in STREAMS], [2, 1], "the lengths of the ledgers")
    same(
        [change.op for change in after.changes[4:]],
        ["put", "delete", "append", "append", "put"],
        "the changes",
    )


@guarantee("G1")
async def a_refused_batch_leaves_nothing(subject: Subject) -> None:
    """Whatever a batch is refused for, at whichever of its operations, none of the others can be seen."""
    store = await subject.fresh()
    write = Writer(store)
    await _three_records(write)
    before = await picture(store, KEYS, STREAMS)
    effects: list[Operation] = [
        put(D, 0, {"n": 4}, [ANN, source("3")], [name_sort(b"d")]),
        rekey(C, 1, [BOB], [name_sort(b"c")]),
        delete(B, 1),
        append("log:1"),
        append("log:2"),
    ]
    reasons: list[tuple[type[Exception], Operation]] = [
        (VersionConflict, put(A, 2)),
        (VersionConflict, delete(A, 7)),
        (VersionConflict, rekey(A, 3)),
        (VersionConflict, Check(ref=A, expect=0)),
        (StreamConflict, append("log:3", expect_seq=1)),
        (StreamConflict, CheckStream(stream="log:1", seq=0)),
        (KeyConflict, put(ref(9), 0, {}, [source("1")])),
        (KeyConflict, CheckKey(key=source("1"), holder=None)),
        (InvalidRecord, put(ref(9), 0, {"f": 1.5})),
        (InvalidRecord, put(D, 0)),
        (TenantMismatch, put(ref(9, tenant="other"), 0)),
    ]
    for error, reason in reasons:
        for place in (0, len(effects)):
            ops = [*effects[:place], reason, *effects[place:]]
            await refused(error, store.apply(write.batch(*ops)))  # type: ignore[type-var]  # all are store errors
            same(await picture(store, KEYS, STREAMS), before, f"what can be seen after {error.__name__}")


@guarantee("G2")
async def a_write_that_expects_another_version_is_refused(subject: Subject) -> None:
    """Put, Delete, Rekey and Check apply only at the version that they expect; 0 is that of what is not there."""
    store = await subject.fresh()
    write = Writer(store)
    await write(put(A))
    await write(put(A, 1))
    for op in (
        put(A, 0),
        put(A, 1),
        put(A, 3),
        delete(A, 1),
        delete(A, 3),
        rekey(A, 1),
        Check(ref=A, expect=0),
    ):
        error = await refused(VersionConflict, store.apply(write.batch(op)))
        same((error.expected, error.actual), (op.expect, 2), "what the conflict says")
    for op in (put(B, 1), delete(B, 1), rekey(B, 1), Check(ref=B, expect=1)):
        error = await refused(VersionConflict, store.apply(write.batch(op)))
        same((error.expected, error.actual), (1, 0), "what the conflict says")
    await write(Check(ref=A, expect=2), Check(ref=B, expect=0))


@guarantee("G2")
async def of_two_writes_over_one_version_the_second_is_refused(subject: Subject) -> None:
    """No update is lost: who writes over what was read a moment ago must have read the latest."""
    store = await subject.fresh()
    write = Writer(store)
    await write(put(A, 0, {"n": 0}))
    await write(put(A, 1, {"n": 1}))
    await refused(VersionConflict, store.apply(write.batch(put(A, 1, {"n": 2}))))
    found = await record(store, A)
    same(found and found.body, {"n": 1}, "the record")


@guarantee("G2")
async def a_version_is_never_used_again(subject: Subject) -> None:
    """Versions of a record ascend for ever, also over its deletion, so an old expectation never fits again."""
    store = await subject.fresh()
    write = Writer(store)
    seen = [(await write(put(A)))[A], (await write(put(A, 1)))[A], (await write(delete(A, 2)))[A]]
    for again in range(2):
        seen.append((await write(put(A, 0, {"again": again})))[A])
        seen.append((await write(delete(A, seen[-1])))[A])
    same(seen, sorted(set(seen)), "the versions in the order in which they were given")
    await refused(VersionConflict, store.apply(write.batch(put(A, 1))))
    same(await record(store, A), None, "the record after its last deletion")


@guarantee("G2")
async def rekey_changes_keys_and_nothing_else(subject: Subject) -> None:
    """Rekey replaces keys and sorts; version, body and feed stay."""
    store = await subject.fresh()
    write = Writer(store)
    await write(put(A, 0, {"n": 1}, [ANN], [name_sort(b"a")], schema=3))
    await write(rekey(A, 1, [BOB], [name_sort(b"b")]))
    found = await record(store, A)
    assert found is not None
    same((found.version, found.schema, found.body), (1, 3, {"n": 1}), "the record")
    same((found.keys, found.sorts), ({BOB}, {name_sort(b"b")}), "its keys")
    same(len(await feed(store)), 1, "the number of changes")
    await write(put(A, 1, {"n": 2}, [BOB]))


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


@guarantee("G4")
async def the_same_batch_twice_is_applied_once(subject: Subject) -> None:
    """A batch sent again is answered with the receipt of the first time, whatever happened since."""
    store = await subject.fresh()
    write = Writer(store)
    batch = write.batch(put(A, 0, {"n": 1}, [ANN]), append("log:1"), append("log:1"), idem="once")
    first = await store.apply(batch)
    await write(put(A, 1, {"n": 2}), append("log:1"))
    await write(delete(A, 2))
    later = write.batch(*batch.ops, idem="once", at=NOW + timedelta(hours=1))
    before = await picture(store, KEYS, STREAMS)
    for again in (batch, later):
        receipt = await store.apply(again)
        holds(receipt.replayed, "the second receipt does not say that it is one")
        same(
            (dict(receipt.versions), dict(receipt.seqs), receipt.position, receipt.at),
            (dict(first.versions), dict(first.seqs), first.position, NOW),
            "the second receipt",
        )
    same(await picture(store, KEYS, STREAMS), before, "what can be seen after the second time")


@guarantee("G4")
async def another_batch_under_the_same_key_is_refused(subject: Subject) -> None:
    """An idempotency key stands for one batch of one tenant: another one under it writes nothing."""
    store = await subject.fresh()
    write = Writer(store)
    await write(put(A, 0, {"n": 1}, [ANN], [name_sort(b"a")]), idem="once")
    for other in (
        [put(A, 0, {"n": 2}, [ANN], [name_sort(b"a")])],
        [put(A, 0, {"n": 1}, [BOB], [name_sort(b"a")])],
        [put(A, 0, {"n": 1}, [ANN], [name_sort(b"b")])],
        [put(A, 0, {"n": 1}, [ANN], [name_sort(b"a")]), append("log:1")],
        [put(B, 0, {"n": 1}, [ANN], [name_sort(b"a")])],
        [],
    ):
        await refused(IdempotencyMismatch, store.apply(write.batch(*other, idem="once")))
    same([found.ref for found in (await picture(store)).records.values()], [A], "the records")
    await Writer(store, "other")(put(ref(1, tenant="other")), idem="once")


@guarantee("G4")
async def a_refused_batch_does_not_use_up_its_key(subject: Subject) -> None:
    """A batch that was refused may be sent again under its key, and applies when nothing stands against it."""
    store = await subject.fresh()
    write = Writer(store)
    batch = write.batch(put(B), Check(ref=A, expect=1), idem="patient")
    await refused(VersionConflict, store.apply(batch))
    await write(put(A))
    receipt = await store.apply(batch)
    holds(not receipt.replayed, "the batch was refused, yet its receipt says that it had been applied")
    same(dict(receipt.versions), {B: 1}, "the versions")


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
        lambda: store.range(TENANT, "name", [""]),
        lambda: store.scan(TENANT, "party"),
        lambda: store.ledger(TENANT, ["log:1"]),
        lambda: store.changes(TENANT),
        lambda: store.apply(write.batch(put(B))),
        lambda: store.outcome(TENANT, "acme-1"),
    ):
        await refused(StoreClosed, call())
