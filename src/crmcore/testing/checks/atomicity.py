"""G1: all of a batch or nothing of it."""

from __future__ import annotations

from crmcore.errors import (
    InvalidRecord,
    KeyConflict,
    StreamConflict,
    TenantMismatch,
    VersionConflict,
)
from crmcore.storage import (
    Check,
    CheckKey,
    CheckStream,
    Operation,
    claims,
)
from crmcore.storage.capability import CHANGES
from crmcore.testing.kit import (
    ANN,
    BOB,
    KEYS,
    STREAMS,
    A,
    B,
    C,
    D,
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
    rekey,
    same,
    source,
)


async def _three_records(write: Writer) -> None:
    await write(
        put(A, 0, {"n": 1}, [ANN, source("1")], [due(1)]),
        put(B, 0, {"n": 2}, [BOB, source("2")], [due(2)]),
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
            put(A, 1, {"n": 10}, [BOB, source("1")], [due(26)]),
            delete(B, 1),
            rekey(C, 1, [source("2")], [due(3)]),
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
    if claims(store.describe(), CHANGES):
        changes = [change.op for change in after.changes[4:]]
        same(changes, ["put", "delete", "append", "append", "put"], "the changes")


@guarantee("G1")
async def a_refused_batch_leaves_nothing(subject: Subject) -> None:
    """Whatever a batch is refused for, at whichever of its operations, none of the others can be seen."""
    store = await subject.fresh()
    write = Writer(store)
    await _three_records(write)
    before = await picture(store, KEYS, STREAMS)
    effects: list[Operation] = [
        put(D, 0, {"n": 4}, [ANN, source("3")], [due(4)]),
        rekey(C, 1, [BOB], [due(3)]),
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
