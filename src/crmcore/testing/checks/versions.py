"""G2: a write applies only over the version that it expects, and no version comes back."""

from __future__ import annotations

from crmcore.errors import (
    VersionConflict,
)
from crmcore.storage import (
    Check,
    claims,
)
from crmcore.storage.capability import CHANGES
from crmcore.testing.kit import (
    ANN,
    BOB,
    A,
    B,
    Subject,
    Writer,
    delete,
    due,
    feed,
    guarantee,
    put,
    record,
    refused,
    rekey,
    same,
)


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
    await write(put(A, 0, {"n": 1}, [ANN], [due(1)], schema=3))
    await write(rekey(A, 1, [BOB], [due(2)]))
    found = await record(store, A)
    assert found is not None
    same((found.version, found.schema, found.body), (1, 3, {"n": 1}), "the record")
    same((found.keys, found.sorts), ({BOB}, {due(2)}), "its keys")
    same(len(await feed(store)), int(claims(store.describe(), CHANGES)), "the number of changes")
    await write(put(A, 1, {"n": 2}, [BOB]))
