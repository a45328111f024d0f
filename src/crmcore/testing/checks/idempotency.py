"""G4: a batch sent again is applied once."""

from __future__ import annotations

from datetime import timedelta

from crmcore.errors import (
    IdempotencyMismatch,
    VersionConflict,
)
from crmcore.storage import (
    Check,
)
from crmcore.testing.kit import (
    ANN,
    BOB,
    KEYS,
    NOW,
    STREAMS,
    A,
    B,
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
)


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
    await write(put(A, 0, {"n": 1}, [ANN], [due(1)]), idem="once")
    for other in (
        [put(A, 0, {"n": 2}, [ANN], [due(1)])],
        [put(A, 0, {"n": 1}, [BOB], [due(1)])],
        [put(A, 0, {"n": 1}, [ANN], [due(2)])],
        [put(A, 0, {"n": 1}, [ANN], [due(1)]), append("log:1")],
        [put(B, 0, {"n": 1}, [ANN], [due(1)])],
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
