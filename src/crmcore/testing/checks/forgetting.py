"""G14 and G16 together: erasing many things at once, and what snapshots, restores and dropped tenants know of it."""

from __future__ import annotations

from typing import Any

import attrs

from crmcore.errors import Fenced
from crmcore.storage import (
    ERASED,
    AsyncStore,
    Batch,
    Erasure,
    Page,
    StoredBatch,
    StoredRecord,
    backup_of,
    bulk_of,
    claims,
    eraser_of,
    stream_of,
    tenants_of,
)
from crmcore.storage.capability import BACKUP, BULK, ERASER, STREAM, TENANTS
from crmcore.storage.stored import line
from crmcore.testing.kit import (
    NOW,
    TENANT,
    A,
    NotAsked,
    Subject,
    Writer,
    append,
    delete,
    due,
    email,
    feed,
    guarantee,
    holds,
    ledger,
    patience,
    picture,
    put,
    record,
    ref,
    refused,
    same,
    source,
    uid,
)
from crmcore.testing.rows import chunk, row
from crmcore.testing.story import exported, tell
from crmcore.testing.subject_of_erasure import MARKS, entry, erasure, settle
from crmcore.values.source import SYSTEM


def _erasure(idem: str, **what: Any) -> Erasure:
    return Erasure(tenant=TENANT, idem=idem, actor=SYSTEM, reason="asked", at=NOW, **what)


async def _crowd(store: AsyncStore) -> list[Batch]:
    """Eight people, each with a record, a ledger and an entry in each of two shared ones; two were deleted."""
    write = Writer(store)
    batches = [
        write.batch(
            put(ref(n), 0, {"n": n}, [email("all"), email(f"k{n}"), source(f"s{n}")], [due(n)]),
            entry(f"own:{n}", f"of {n}", uid(n)),
            entry("shared:1", f"of {n}", uid(n)),
            entry("shared:2", f"of {n}", uid(n)),
            append("plain:1", {"n": n}),
            append("plain:2", {"n": n}),
            idem=f"canary-{n}",
            reason=f"canary-{n}",
        )
        for n in range(11, 19)
    ]
    for batch in batches:
        await store.apply(batch)
    for n in (11, 15):
        await write(delete(ref(n), 1), idem=f"canary-gone-{n}", reason=f"canary-{n}")
    return batches


@guarantee("G14", part=ERASER)
async def an_erasure_of_many_things_takes_each(subject: Subject) -> None:
    """Of several records, ledgers, entries and subjects each is erased, deleted records as well, and
    nothing else is."""
    store = await subject.fresh()
    batches = await _crowd(store)
    hers = _erasure(
        "many",
        refs=frozenset({ref(11), ref(12), ref(13)}),
        streams=frozenset({"own:12", "own:13", "own:14"}),
        entries=frozenset({("plain:1", 1), ("plain:1", 2), ("plain:2", 2), ("plain:2", 3)}),
        subjects=frozenset({uid(11), uid(12), uid(13)}),
    )
    report = await eraser_of(store).erase(hers)
    same((report.records, report.entries), (2, 4 + 4 + 6), "what the report counts")
    everybody = [ref(n) for n in range(11, 19)]
    same(sorted(await store.get(everybody)), [ref(n) for n in (14, 16, 17, 18)], "the records")
    same(
        (await store.find(TENANT, [email("all")]))[email("all")].refs,
        tuple(ref(n) for n in (14, 16, 17, 18)),
        "a key",
    )
    wanted = {"own:11": [1], "own:12": [1], "own:13": [1], "own:14": [1], "own:15": [],
              "shared:1": [1, 2, 3], "shared:2": [1, 2, 3], "plain:1": [1, 2], "plain:2": [2, 3]}  # fmt: skip
    erased = {name: await _stones(store, name) for name in wanted}
    same(erased, wanted, "the entries that were erased")
    for n, batch in enumerate(batches, 11):
        if n <= 14:
            await refused(Fenced, store.apply(batch))
    holds((await store.apply(batches[-1])).replayed, "the batch of somebody else is forgotten")
    same(await _readable(store, 11, 12, 13, 14), [], "keys and reasons of what was erased")


@guarantee("G14", part=ERASER)
async def a_deleted_record_is_erased(subject: Subject) -> None:
    """Of a record that was deleted before, the keys and reasons of its batches go, and its version is not used
    again."""
    store = await subject.fresh()
    batches = await _crowd(store)
    await eraser_of(store).erase(_erasure("deleted", refs=frozenset({ref(15)})))
    await refused(Fenced, store.apply(batches[4]))
    same(await _readable(store, 15), [], "keys and reasons of what was erased")
    versions = await Writer(store)(put(ref(15)), idem="back")
    holds(versions[ref(15)] > 2, "a version of a deleted and erased record is used again")


async def _stones(store: AsyncStore, stream: str) -> list[int]:
    return [one.seq for one in await ledger(store, stream) if one.schema == ERASED]


async def _readable(store: AsyncStore, *numbers: int) -> list[str]:
    """The keys and reasons in the feed that are those of these people."""
    texts = [f"{one.idem} {one.reason}" for one in await feed(store)]
    return [text for text in texts for n in numbers if f"canary-{n}" in text or f"canary-gone-{n}" in text]


def _both(store: AsyncStore, *parts: str) -> None:
    for part in parts:
        if not claims(store.describe(), part):
            raise NotAsked(f"the store erases, and has no {part}")


@guarantee("G16", part=ERASER)
async def no_snapshot_has_what_was_erased(subject: Subject) -> None:
    """The snapshot of a store that has erased holds none of it, neither in records nor in entries, keys or
    receipts."""
    store = await subject.fresh()
    _both(store, STREAM)
    await settle(store)
    await _crowd(store)
    await eraser_of(store).erase(erasure())
    await eraser_of(store).erase(_erasure("deleted", refs=frozenset({ref(15), ref(16)})))
    rows = await exported(store)
    texts = [line(one) for one in rows]
    marks = (*MARKS, "canary-gone-15", "canary-16")
    same([mark for mark in marks for text in texts if mark in text], [], "what is left")
    bodies = [one.body for one in rows if isinstance(one, StoredRecord) and one.id in (uid(15), uid(16))]
    same(bodies, [None, None], "the bodies of erased records")


@guarantee("G16", part=ERASER)
async def erasures_survive_a_restore(subject: Subject) -> None:
    """A restored store knows what was erased: its list is the same, what was fenced stays so, an erasure that is sent
    again is answered as before."""
    source_, target = await subject.fresh(), await subject.fresh()
    _both(source_, STREAM, BACKUP)
    hers = await settle(source_)
    crowd = await _crowd(source_)
    first = await eraser_of(source_).erase(erasure())
    more = _erasure("more", refs=frozenset({ref(12), ref(15)}), entries=frozenset({("plain:1", 1)}))
    await eraser_of(source_).erase(more)
    await backup_of(target).restore(iter(await exported(source_)))
    same(await _erasures(target), [erasure(), more], "the erasures")
    for batch in (hers, crowd[1], crowd[4]):
        await refused(Fenced, target.apply(batch))
    again = await eraser_of(target).erase(erasure())
    same((again.records, again.entries, again.batches, again.replayed, again.at),
         (first.records, first.entries, first.batches, True, first.at), "the report of the second time")  # fmt: skip
    holds((await Writer(target)(put(A), idem="back"))[A] > 2, "a version of the erased is used again")
    text = "".join(line(one) for one in await exported(target))
    same([mark for mark in MARKS if mark in text], [], "what is left of her")


async def _erasures(store: AsyncStore, tenant: str = TENANT) -> list[Erasure]:
    listed: list[Erasure] = []
    page: Page[Erasure] = Page((), None)
    for _ in patience():
        page = await eraser_of(store).erasures(tenant, after=page.next, limit=1)
        listed += page.items
        if page.next is None:
            break
    return listed


@guarantee("G16", part=BACKUP)
async def a_restored_store_knows_its_chunks(subject: Subject) -> None:
    """A chunk that was loaded before the snapshot is answered as before, with the rows that it refused."""
    source_, target = await subject.fresh(), await subject.fresh()
    if not claims(source_.describe(), BULK):
        raise NotAsked("the store does not load in bulk")
    one = chunk(row(1, source("s")), row(2, source("s")), row(1))
    first = await bulk_of(source_).load(one)
    await backup_of(target).restore(iter(await exported(source_)))
    again = await bulk_of(target).load(one)
    same(
        attrs.evolve(again, position=""),
        attrs.evolve(first, position="", replayed=True),
        "the receipt of a chunk",
    )
    same(await bulk_of(target).loaded(TENANT, one.idem, one.digest), again, "the receipt that was asked for")


@guarantee("G14", part=TENANTS)
async def nothing_is_remembered_of_a_dropped_tenant(subject: Subject) -> None:
    """Fences, receipts, chunks, erasures, versions and every ledger of a dropped tenant are gone: it begins anew."""
    store = await subject.fresh()
    first = await tell(store)
    streams = ["party:1", "log:1", "log:2", "party:40", "own:14", "shared:1", "plain:1"]
    await _crowd(store)
    if claims(store.describe(), ERASER):
        await eraser_of(store).erase(
            _erasure("gone", refs=frozenset({ref(12)}), streams=frozenset({"own:12"}))
        )
    await tenants_of(store).drop_tenant(TENANT)
    nothing = await picture(store, [email("all"), source("1"), source("s14")], streams)
    same((nothing.records, nothing.ordered, nothing.changes), ({}, (), ()), "what can be seen of it")
    same(set(nothing.ledgers.values()) | set(nothing.found.values()), {()}, "its ledgers and keys")
    if claims(store.describe(), STREAM):
        same(await exported(store), [], "the rows that are left")
    if claims(store.describe(), ERASER):
        same(await _erasures(store), [], "the erasures")
    if claims(store.describe(), BULK):
        loaded = await bulk_of(store).loaded(TENANT, f"{TENANT}-load", "other rows")
        same(loaded, None, "a chunk of the dropped tenant")
    await _begins_anew(store, first)


async def _begins_anew(store: AsyncStore, first: Batch) -> None:
    write = Writer(store)
    everybody = [ref(n) for n in (1, 2, 3, *range(11, 19))]
    for n, idem in enumerate(
        (f"{TENANT}-never", first.idem, "canary-12", "canary-14", "canary-gone-15", "gone")
    ):
        receipt = await store.apply(write.batch(append("log:1"), idem=idem))
        same((receipt.replayed, dict(receipt.seqs)), (False, {"log:1": n + 1}), "the receipt of a new batch")
    same(
        await write(*(put(one) for one in everybody), idem="anew"),
        dict.fromkeys(everybody, 1),
        "the versions",
    )
    same((await record(store, A)) is None, False, "whether a new record is there")


@guarantee("G16", part=STREAM)
async def a_snapshot_of_several_tenants_is_of_one_moment(subject: Subject) -> None:
    """What is written to any tenant after a snapshot was taken is not in it, whether or not its turn had come."""
    store = await subject.fresh()
    names = ["acme", "other", "third"]
    for tenant in names:
        await tell(store, tenant)
    before = await exported(store)
    snapshot = await stream_of(store).export()
    rows = list(await snapshot.read(1))
    for tenant in names:
        late = ref(77, tenant=tenant)
        await Writer(store, tenant)(
            put(late, 0, {}, [email("late")]), append("log:1", {"late": True}), idem="late"
        )
    for _ in patience():
        some = await snapshot.read(5)
        rows += some
        if not some:
            break
    await snapshot.close()
    same(
        len([one for one in rows if isinstance(one, StoredBatch) and one.idem == "late"]),
        0,
        "batches that came later",
    )
    same([line(one) for one in rows], [line(one) for one in before], "the rows of a snapshot")
