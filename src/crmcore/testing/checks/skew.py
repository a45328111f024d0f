"""G3, in small scripts: what goes wrong between two programs, played by one, because a batch is data."""

from __future__ import annotations

from itertools import permutations
from random import Random

from crmcore.errors import Fenced, KeyConflict, StoreError, VersionConflict
from crmcore.storage import Batch, Check, CheckKey, CheckStream, Key, Ref
from crmcore.testing.kit import (
    TENANT,
    A,
    B,
    C,
    D,
    Subject,
    Writer,
    append,
    carriers,
    delete,
    feed,
    guarantee,
    ledger,
    picture,
    put,
    record,
    ref,
    refused,
    same,
    source,
)


@guarantee("G3", least={"stale checks": 6})
async def three_that_read_each_other_do_not_all_apply(subject: Subject) -> None:
    """Of three batches in a circle, each writing what the next has read, at least one is refused in any order."""
    circle = {A: B, B: C, C: A}
    for order in permutations(circle):
        store = await subject.fresh()
        write = Writer(store)
        await write(*(put(one) for one in circle))
        versions = dict.fromkeys(circle, 1)
        for one in order:
            batch = write.batch(put(one, 1, {"by": one.id}), Check(ref=circle[one], expect=1))
            if versions[circle[one]] == 1:
                await store.apply(batch)
                versions[one] += 1
            else:
                await refused(VersionConflict, store.apply(batch))
                subject.saw("stale checks")
        found = await store.get(list(circle))
        same({one: found[one].version for one in circle}, versions, "the versions")
        await store.close()


@guarantee("G3")
async def of_two_merges_of_the_same_records_one_applies(subject: Subject) -> None:
    """Two batches that join the same two records to a customer each cannot both claim them, in whichever order."""
    members = [Key("member", A.id), Key("member", B.id)]
    for first, second in ((members, members[::-1]), (members[::-1], members)):
        store = await subject.fresh()
        write = Writer(store)
        await write(put(A), put(B))
        await write(put(ref(1, kind="cluster"), 0, {"members": [ref(1).id]}, first), append("log:1"))
        before = await picture(store, members, ["log:1"])
        later = write.batch(put(ref(2, kind="cluster"), 0, {"members": [ref(2).id]}, second), append("log:1"))
        await refused(KeyConflict, store.apply(later))
        same(await picture(store, members, ["log:1"]), before, "what can be seen after the second merge")
        await store.close()


@guarantee("G3")
async def a_merge_with_what_was_deleted_meanwhile_is_refused(subject: Subject) -> None:
    """Who has read a record that is gone, or is back under a later version, does not write over it."""
    store = await subject.fresh()
    write = Writer(store)
    await write(put(A), put(B))
    merge = write.batch(put(C, 0, {"joins": [A.id, B.id]}), Check(ref=A, expect=1), Check(ref=B, expect=1))
    await write(delete(A, 1))
    await refused(VersionConflict, store.apply(merge))
    await write(put(A))
    await refused(VersionConflict, store.apply(merge))
    same(await record(store, C), None, "what the merge wrote")


@guarantee("G3")
async def a_no_that_came_meanwhile_stops_what_was_decided_without_it(subject: Subject) -> None:
    """A batch decided on the length of a ledger is refused when an entry was added to it meanwhile."""
    store = await subject.fresh()
    write = Writer(store)
    await write(append("consent:1", {"act": "give"}))
    send = write.batch(append("sent:1", {"campaign": 1}), CheckStream(stream="consent:1", seq=1))
    await write(append("consent:1", {"act": "withdraw"}))
    await refused(StoreError, store.apply(send))
    same(await ledger(store, "sent:1"), (), "what was sent")


@guarantee("G3")
async def what_nobody_held_and_somebody_took_is_noticed(subject: Subject) -> None:
    """Two batches that have each seen that nobody holds a key cannot both go by it (a phantom)."""
    store = await subject.fresh()
    write = Writer(store)
    nobody = CheckKey(key=source("7"), holder=None)
    both = [write.batch(put(A, 0, {}, [source("7")]), nobody), write.batch(put(B, 0, {"no": 7}), nobody)]
    await store.apply(both[0])
    await refused(KeyConflict, store.apply(both[1]))
    same((await carriers(store, source("7")), await record(store, B)), ((A,), None), "who took it")


@guarantee("G3", least={"stale reads": 50, "batches applied": 50})
async def what_was_read_holds_for_every_batch_of_many(subject: Subject) -> None:
    """Of many batches that read three records and write one, exactly those apply that have read the latest."""
    store = await subject.fresh()
    write = Writer(store)
    chance = Random(subject.seed)
    everybody = [ref(number) for number in range(6)]
    await write(*(put(one) for one in everybody))
    versions = dict.fromkeys(everybody, 1)
    waiting: list[tuple[Batch, dict[Ref, int]]] = []
    for _ in range(400):
        if len(waiting) < 4:
            target, *others = chance.sample(everybody, 4)
            reads = {one: versions[one] for one in (target, *others)}
            checks = [Check(ref=one, expect=versions[one]) for one in others]
            waiting.append((write.batch(put(target, versions[target]), *checks), reads))
            continue
        batch, read = waiting.pop(chance.randrange(4))
        stale = [one for one, version in read.items() if versions[one] != version]
        if stale:
            await refused(VersionConflict, store.apply(batch))
            subject.saw("stale reads", stale[0] != batch.ops[0].ref)  # type: ignore[union-attr]  # a Put
        else:
            versions.update((await store.apply(batch)).versions)
            subject.saw("batches applied")
    found = await store.get(everybody)
    same({one: found[one].version for one in everybody}, versions, "the versions")


@guarantee("G12")
async def a_batch_that_was_asked_about_never_applies_after_others_did(subject: Subject) -> None:
    """What outcome said was not applied stays so, whatever else is written and however often it arrives."""
    store = await subject.fresh()
    write = Writer(store)
    late = write.batch(put(D), append("log:1"), idem="late")
    same(await store.outcome(TENANT, "late"), None, "the outcome")
    await write(put(A), idem="between")
    for _ in range(3):
        await refused(Fenced, store.apply(late))
    same(await store.outcome(TENANT, "late"), None, "the outcome later")
    same((await record(store, D), len(await feed(store)) in (0, 1)), (None, True), "what it wrote")
