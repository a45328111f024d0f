"""Erasing, in every store that ships: what goes, what stays, and what is refused afterwards."""

from __future__ import annotations

from typing import Any, cast

import attrs
import pytest

from crmcore.errors import Fenced, IdempotencyMismatch, InvalidRecord, TenantMismatch
from crmcore.storage import ERASED, AsyncStore, Erasure, StoredBatch, eraser_of, stream_of, tenants_of
from crmcore.storage.erasing import check_erasure, erasure_of, kept
from crmcore.storage.protocol import Limits
from crmcore.testing.kit import (
    NOW,
    TENANT,
    Writer,
    append,
    carriers,
    delete,
    email,
    feed,
    ledger,
    name_sort,
    picture,
    put,
    record,
    ref,
    source,
    uid,
)
from crmcore.values.source import SYSTEM, Actor

CANARY = "canary"
ANN, BOB = ref(1), ref(2)


def erasure(idem: str = "erase-1", **named: Any) -> Erasure:
    named = {name: frozenset(things) for name, things in named.items()}
    return Erasure(tenant=TENANT, idem=idem, actor=SYSTEM, reason="Art. 17", at=NOW, **named)


async def rows(store: AsyncStore) -> list[Any]:
    snapshot = await stream_of(store).export()
    found: list[Any] = []
    while page := await snapshot.read(3):
        found += page
    await snapshot.close()
    return found


def entry(stream: str, *subjects: int, body: Any = None) -> Any:
    made = append(stream, {"text": CANARY} if body is None else body)
    return attrs.evolve(made, entry=attrs.evolve(made.entry, subjects=tuple(map(uid, subjects))))


async def two(store: AsyncStore) -> Writer:
    """Ann and Bob, what happened to each, and one thing that happened to both."""
    write = Writer(store)
    await write(
        put(ANN, 0, {"name": CANARY}, [email(CANARY), source(CANARY)], [name_sort(CANARY.encode())]),
        entry("party:1", 1),
        idem=f"{CANARY}-import",
        reason=CANARY,
    )
    await write(
        put(BOB, 0, {"name": "bob"}, [email("bob")], [name_sort(b"bob")]), entry("party:2", 2, body={})
    )
    await write(put(ANN, 1, {"name": CANARY + "2"}, [email(CANARY)]), reason=CANARY)
    await write(entry("both", 1, 2), reason="kept for nobody")
    await write(entry("both", 2, body={"text": "bob alone"}))
    return write


def test_an_erased_record_and_its_entries_are_read_nowhere(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        await two(store)
        report = await eraser_of(store).erase(erasure(refs=[ANN], streams=["party:1"], subjects=[uid(1)]))
        assert (report.records, report.entries, report.batches) == (1, 2, 3)
        assert (report.at, report.replayed, report.residual) == (NOW, False, world.residual)
        assert await record(store, ANN) is None
        for key in (email(CANARY), source(CANARY)):
            assert await carriers(store, key) == ()
        seen = await picture(store, [email("bob")], ["party:1", "both"])
        assert CANARY not in repr(seen.changes) + repr([row[1:] for row in await rows(store)])
        assert [at for _, at in (await store.range(TENANT, "name", [""])).items] == [BOB]
        gone, shared = seen.ledgers["party:1"][0], seen.ledgers["both"][0]
        assert (gone.schema, gone.body, gone.subjects) == (ERASED, {}, ())
        assert (shared.schema, shared.body, shared.subjects) == (ERASED, {}, (uid(2),))
        assert gone.occurred_at == gone.recorded_at == NOW

    world.run(flow)


def test_erasing_leaves_everybody_else_as_they_were(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        await two(store)
        before = await picture(store, [email("bob")], ["party:2", "both"])
        await eraser_of(store).erase(erasure(refs=[ANN], subjects=[uid(1)]))
        after = await picture(store, [email("bob")], ["party:2", "both"])
        assert after.records == {BOB: before.records[BOB]}
        assert after.found == before.found
        assert after.ledgers["party:2"] == before.ledgers["party:2"]
        assert after.ledgers["both"][1] == before.ledgers["both"][1]
        assert len(after.changes) == len(before.changes) + 3

    world.run(flow)


def test_versions_and_numbers_go_on_after_an_erasure(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        write = await two(store)
        await eraser_of(store).erase(erasure(refs=[ANN], streams=["party:1"]))
        assert await write(put(ANN, 0, {"name": "another"}, [source(CANARY)])) == {ANN: 4}
        await write(append("party:1", {"n": 1}, 1))
        assert [one.seq for one in await ledger(store, "party:1")] == [1, 2]

    world.run(flow)


def test_the_feed_tells_what_was_erased_and_by_whom(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        await two(store)
        await eraser_of(store).erase(erasure(refs=[ANN], entries=[("both", 1), ("both", 9)]))
        changes = [one for one in await feed(store) if one.op == "erase"]
        assert [(one.ref, one.version, one.stream, one.seq) for one in changes] == [
            (ANN, 3, None, None),
            (None, None, "both", 1),
        ]
        assert {(one.idem, one.reason, one.actor) for one in changes} == {("erase-1", "Art. 17", SYSTEM)}

    world.run(flow)


def test_a_batch_whose_writes_were_erased_is_refused_for_good(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        write = await two(store)
        late = write.batch(put(ref(5), 0, {"name": CANARY}), idem="late")
        receipt = await store.apply(late)
        await eraser_of(store).erase(erasure(refs=[ref(5)]))
        with pytest.raises(Fenced, match="erased"):
            await store.apply(late)
        with pytest.raises(Fenced, match="erased"):
            await store.apply(write.batch(put(ref(6), 0, {}), idem="late"))
        outcome = await store.outcome(TENANT, "late")
        assert outcome is not None
        assert (outcome.position, outcome.versions) == (receipt.position, {ref(5): 1})
        assert await record(store, ref(5)) is None

    world.run(flow)


def test_an_erasure_that_is_sent_again_changes_nothing(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        write = await two(store)
        wanted = erasure(refs=[ANN], subjects=[uid(1)])
        first = await eraser_of(store).erase(wanted)
        await write(put(ANN, 0, {"name": "another"}))
        before = await rows(store)
        again = await eraser_of(store).erase(attrs.evolve(wanted, at=NOW.replace(year=2030)))
        assert again == attrs.evolve(first, replayed=True)
        assert await rows(store) == before
        with pytest.raises(IdempotencyMismatch):
            await eraser_of(store).erase(erasure(refs=[BOB]))
        with pytest.raises(IdempotencyMismatch):
            await store.apply(write.batch(put(ref(7)), idem="erase-1"))
        assert await rows(store) == before

    world.run(flow)


def test_erasing_twice_finds_nothing_more(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        await two(store)
        await eraser_of(store).erase(erasure(refs=[ANN], subjects=[uid(1)]))
        again = erasure("erase-2", refs=[ANN], subjects=[uid(1)], streams=["party:1"], entries=[("both", 1)])
        report = await eraser_of(store).erase(again)
        assert (report.records, report.entries, report.batches) == (0, 0, 0)
        report = await eraser_of(store).erase(erasure("erase-3", subjects=[uid(2)]))
        assert (report.records, report.entries, report.batches) == (0, 3, 2)
        assert [one.subjects for one in await ledger(store, "both")] == [(), ()]

    world.run(flow)


def test_a_deleted_record_is_forgotten_in_the_receipts_too(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        write = await two(store)
        await write(delete(ANN, 2), reason=CANARY)
        report = await eraser_of(store).erase(erasure(refs=[ANN], subjects=[uid(1)]))
        assert (report.records, report.batches) == (0, 4)
        kept_rows = [row for row in await rows(store) if isinstance(row, StoredBatch)]
        assert CANARY not in repr([row[1:] for row in kept_rows])
        assert sum(1 for row in kept_rows if row.digest == b"") == 4

    world.run(flow)


def test_an_erasure_of_nothing_is_no_error(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        report = await eraser_of(store).erase(
            erasure(refs=[ref(99)], streams=["none"], entries=[("none", 1)], subjects=[uid(99)])
        )
        assert (report.records, report.entries, report.batches, report.residual) == (0, 0, 0, ())
        assert (await store.outcome(TENANT, "erase-1")) is not None

    world.run(flow)


def test_what_was_erased_is_told_page_by_page(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        await two(store)
        wanted = [
            erasure("e1", refs=[ANN, ref(9)]),
            erasure("e2", subjects=[uid(1)], streams=["party:1"]),
            attrs.evolve(erasure("e3", entries=[("both", 2)]), reason=None, actor=Actor("person", "u1")),
        ]
        for one in wanted:
            await eraser_of(store).erase(one)
        told: list[Erasure] = []
        after = None
        while True:
            page = await eraser_of(store).erasures(TENANT, after=after, limit=2)
            told += page.items
            after = page.next
            if after is None:
                break
        assert told == wanted
        assert (await eraser_of(store).erasures("nobody")).items == ()
        with pytest.raises(InvalidRecord):
            await eraser_of(store).erasures(TENANT, after="forged")

    world.run(flow)


def test_an_erasure_that_no_store_can_do_is_refused_with_nothing_changed(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        await two(store)
        before = await rows(store)
        for error, wrong in [
            (TenantMismatch, erasure(refs=[ANN, ref(1, tenant="other")])),
            (InvalidRecord, erasure(subjects=["ann"])),
            (InvalidRecord, erasure(streams=["a\0b"])),
            (InvalidRecord, erasure(entries=[("both", -1)])),
            (InvalidRecord, attrs.evolve(erasure(), refs=cast(Any, {ANN}))),
            (InvalidRecord, attrs.evolve(erasure(), idem="")),
            (InvalidRecord, attrs.evolve(erasure(), at=NOW.replace(tzinfo=None))),
        ]:
            with pytest.raises(error):
                await eraser_of(store).erase(wrong)
        assert await rows(store) == before

    world.run(flow)


def test_a_tenant_that_is_dropped_was_never_there(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        await two(store)
        await Writer(store, "other")(put(ref(1, tenant="other"), 0, {"n": 1}))
        other = [row for row in await rows(store) if row.tenant == "other"]
        tenants = tenants_of(store)
        assert (await tenants.tenants()).items == (TENANT, "other")
        first = await tenants.tenants(limit=1)
        assert first.items == (TENANT,)
        assert (await tenants.tenants(limit=1, after=first.next)).items == ("other",)
        report = await tenants.drop_tenant(TENANT)
        assert (report.records, report.entries, report.batches, report.residual) == (2, 4, 5, world.residual)
        assert (await tenants.tenants()).items == ("other",)
        assert await rows(store) == other
        assert await feed(store) == []
        again = await tenants.drop_tenant(TENANT)
        assert (again.records, again.entries, again.batches) == (0, 0, 0)
        await two(store)
        assert (await record(store, ANN)) is not None

    world.run(flow)


def test_what_is_kept_of_an_erasure_gives_it_back() -> None:
    wanted = erasure(refs=[ANN], streams=["s"], entries=[("t", 3)], subjects=[uid(4)])
    checked = check_erasure(wanted, Limits())
    told = erasure_of(
        TENANT, kept(checked, 7), idem=wanted.idem, at=checked.at, actor=checked.actor, reason=wanted.reason
    )
    assert told == wanted
