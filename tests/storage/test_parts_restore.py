"""Snapshots and restoring, in every store that ships and from each into each."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import Fenced, InvalidRecord, KeyConflict, NotEmpty, StoreClosed, StoreError
from crmcore.storage import (
    AsyncStore,
    Chunk,
    Json,
    MemoryStore,
    Multiset,
    NewEntry,
    NewRecord,
    Row,
    SqliteStore,
    StoredBatch,
    StoredEntry,
    StoredRecord,
    StoredTenant,
    backup_of,
    bulk_of,
    durable_of,
    eraser_of,
    lift,
    run,
    stream_of,
)
from crmcore.storage.stored import line, portion
from crmcore.testing.kit import (
    EXCLUSIVE,
    NOW,
    TENANT,
    Picture,
    Writer,
    append,
    delete,
    email,
    name_sort,
    picture,
    put,
    ref,
    rekey,
    source,
    uid,
)
from crmcore.values.source import SYSTEM
from tests.storage.test_parts_erasure import entry, erasure, rows

KINDS = ("memory", "sqlite", "async")


def chunk(idem: str = "chunk-1") -> Chunk:
    def row(number: int, key: str) -> Row:
        made = NewRecord(
            "party", uid(number), 1, Json.of({"n": number}), [source(key)], [name_sort(b"x", "b")]
        )
        return Row((made,), (NewEntry("log:3", NOW, NOW, (uid(number),), "note/1", Json.of({})),))

    rows = [row(20, "k20"), row(21, "k21"), row(22, "k20")]
    return Chunk(tenant=TENANT, rows=rows, idem=idem, digest="d", actor=SYSTEM, reason="load", at=NOW)


async def filled(store: AsyncStore) -> None:
    """Something of every sort: deleted, rekeyed, loaded, fenced, refused, erased; a batch without a change."""
    write = Writer(store)
    await write(
        put(ref(1), 0, {"a": "\u00e9\U0001f600"}, [email("a"), source("1")], [name_sort(b"a")]), reason="r"
    )
    await write(put(ref(2), 0, {"b": [1, None]}), put(ref(3, kind="note"), 0, {}), append("log:1", {"x": 1}))
    await write(delete(ref(2), 1), append("log:2"), entry("log:1", 1, 2))
    await write(rekey(ref(1), 1, [email("b")], [name_sort(b"b", "a")]))
    await write()
    await bulk_of(store).load(chunk())
    assert await store.outcome(TENANT, "fenced") is None
    await eraser_of(store).erase(erasure(refs=[ref(3, kind="note")], subjects=[uid(2)]))
    await Writer(store, "zeta")(put(ref(1, tenant="zeta"), 0, {"z": 1}, [source("1")]))


async def seen(store: AsyncStore) -> list[Picture]:
    """All that can be seen, but for the positions, which are those of one store."""
    keys = [email("a"), email("b"), source("1"), source("k20"), source("k21")]
    streams = ["log:1", "log:2", "log:3"]
    found = [await picture(store, keys, streams, tenant=tenant) for tenant in (TENANT, "zeta")]
    for one in found:
        for change in one.changes:
            object.__setattr__(change, "position", "")
    return found


@pytest.mark.parametrize("other", KINDS)
def test_a_restored_store_shows_what_the_first_one_showed(world: Any, other: str) -> None:
    async def flow() -> None:
        first, second = world.fresh(), world.fresh(other)
        await filled(first)
        exported = await rows(first)
        counts = await backup_of(second).restore(exported)
        assert (counts.tenants, counts.records, counts.entries) == (2, 6, 5)
        assert counts.tenants + counts.records + counts.entries + counts.batches == len(exported)
        assert await rows(second) == exported
        assert Multiset(await rows(second)).hexdigest() == Multiset(exported).hexdigest()
        assert await seen(second) == await seen(first)

    world.run(flow, other)


def test_rows_come_in_the_order_that_is_written_down(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        await filled(store)
        exported = await rows(store)
        sorts = [type(row) for row in exported if row.tenant == TENANT]
        assert sorts == sorted(sorts, key=[StoredTenant, StoredRecord, StoredEntry, StoredBatch].index)
        records = [
            (row.kind, row.id) for row in exported if isinstance(row, StoredRecord) and row.tenant == TENANT
        ]
        assert records == sorted(records)
        entries = [(row.stream, row.seq) for row in exported if isinstance(row, StoredEntry)]
        assert entries == sorted(entries)
        digests = [row.digest for row in exported if isinstance(row, StoredBatch) and row.tenant == TENANT]
        assert digests[-1] is None
        assert None not in digests[:-1]
        gone = next(row for row in exported if isinstance(row, StoredRecord) and row.id == uid(2))
        assert (gone.version, gone.body, gone.keys, gone.sorts) == (2, None, (), ())

    world.run(flow)


def test_a_restored_store_goes_on_where_the_first_one_was(world: Any) -> None:
    async def flow() -> None:
        first, second = world.fresh(), world.fresh()
        await filled(first)
        write = Writer(first)
        late = write.batch(put(ref(9), 0), idem="late")
        await first.apply(late)
        await eraser_of(first).erase(erasure("erase-9", refs=[ref(9)]))
        await backup_of(second).restore(await rows(first))
        again = Writer(second)
        assert await again(put(ref(2), 0, {}), idem="new") == {ref(2): 3}
        with pytest.raises(Fenced):
            await second.apply(again.batch(put(ref(5)), idem="fenced"))
        with pytest.raises(Fenced):
            await second.apply(late)
        receipt = await bulk_of(second).load(chunk())
        assert receipt.replayed
        assert [(one.row, one.code) for one in receipt.refused] == [(2, "key_conflict")]
        assert (await eraser_of(second).erasures(TENANT)).items == (
            await eraser_of(first).erasures(TENANT)
        ).items
        assert (await eraser_of(second).erase(erasure("erase-9", refs=[ref(9)]))).replayed

    world.run(flow)


@pytest.mark.parametrize("read_before", [0, 2])
def test_a_snapshot_shows_one_moment(world: Any, read_before: int) -> None:
    async def flow() -> None:
        store = world.fresh()
        await filled(store)
        before = await rows(store)
        snapshot = await stream_of(store).export()
        got = list(await snapshot.read(read_before)) if read_before else []
        await Writer(store, "new")(put(ref(1, tenant="new"), 0))
        await eraser_of(store).erase(erasure("erase-2", refs=[ref(1)], streams=["log:1"]), timeout=1.0)
        while page := await snapshot.read(2):
            got += page
        await snapshot.close()
        await snapshot.close()
        assert got == before
        assert await rows(store) != before

    world.run(flow)


def test_a_snapshot_of_some_tenants_has_no_others(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        await filled(store)
        snapshot = await stream_of(store).export(["zeta", "nobody"])
        got = await snapshot.read()
        await snapshot.close()
        assert {row.tenant for row in got} == {"zeta"}
        assert len(got) == 3
        with pytest.raises(InvalidRecord):
            await stream_of(store).export(["a\0b"])

    world.run(flow)


def test_a_snapshot_ends_with_its_store(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        await filled(store)
        snapshot = await stream_of(store).export()
        await snapshot.read(1)
        await store.close()
        with pytest.raises(StoreClosed):
            await snapshot.read(1)
        await snapshot.close()

    world.run(flow)


def test_nothing_is_restored_over_what_is_there(world: Any) -> None:
    async def flow() -> None:
        first, second = world.fresh(), world.fresh()
        await filled(first)
        exported = await rows(first)
        await Writer(second, "zeta")(append("log:9"))
        before = await rows(second)
        with pytest.raises(NotEmpty):
            await backup_of(second).restore(exported)
        assert await rows(second) == before
        await backup_of(second).restore([row for row in exported if row.tenant == TENANT])
        with pytest.raises(NotEmpty):
            await backup_of(first).restore(exported)
        assert await rows(first) == exported

    world.run(flow)


def test_batches_of_many_changes_are_read_a_few_at_a_time() -> None:
    events = (("append", "log", "", 1),) * 1000
    long = [_batch(f"b{number}", events=events) for number in range(30)]
    assert len(portion(iter(long), 1000)) == 21  # each weighs 200 bytes a change, and all of them 4 MiB
    assert len(portion(iter(long), 1)) == 1
    assert len(portion(iter([_record()] * 30), 20)) == 20


def _record(number: int = 1, **options: Any) -> StoredRecord:
    made = StoredRecord(TENANT, "party", uid(number), 1, 1, Json("{}"))
    return made._replace(**options)


def _entry(seq: int = 1, **options: Any) -> StoredEntry:
    return StoredEntry(TENANT, "log", seq, 0, 0, (), "note/1", Json("{}"))._replace(**options)


def _batch(idem: str = "b", **options: Any) -> StoredBatch:
    actor = '{"id":"crmcore","kind":"system","on_behalf_of":null}'
    return StoredBatch(TENANT, idem, b"x" * 32, 0, actor, None)._replace(**options)


HEAD = StoredTenant(TENANT)
WRONG: dict[str, list[Any]] = {
    "no tenant first": [_record()],
    "another tenant": [HEAD, _record(tenant="other")],
    "tenants out of order": [HEAD, StoredTenant("aaa")],
    "a tenant twice": [HEAD, _record(), HEAD],
    "records out of order": [HEAD, _record(2), _record(1)],
    "a record twice": [HEAD, _record(1), _record(1)],
    "a record after an entry": [HEAD, _entry(), _record()],
    "an entry after a batch": [HEAD, _batch(), _entry()],
    "a gap in a ledger": [HEAD, _entry(1), _entry(3)],
    "a ledger without a first entry": [HEAD, _entry(2)],
    "a batch after a fence": [HEAD, StoredBatch(TENANT, "f", None, 0, "", None), _batch()],
    "an idempotency key twice": [HEAD, _batch("b"), _batch("b")],
    "version nought": [HEAD, _record(version=0)],
    "a bool for a number": [HEAD, _record(version=True)],
    "an id that is none": [HEAD, _record(id="qanary")],
    "a kind that is none": [HEAD, _record(kind="Party")],
    "a body that is no JSON": [HEAD, _record(body=Json("{"))],
    "a body in another form": [HEAD, _record(body=Json('{"b":1, "a":2}'))],
    "a body with a float": [HEAD, _record(body=Json('{"a":1.5}'))],
    "a body with a NUL": [HEAD, _record(body=Json('{"a":"\\u0000"}'))],
    "a body with a surrogate": [HEAD, _record(body=Json('{"a":"\ud800"}'))],
    "a body of 10,000 levels": [HEAD, _record(body=Json('{"a":' + "[" * 10_000 + "]" * 10_000 + "}"))],
    "a body over the limit": [HEAD, _record(body=Json('{"a":"' + "x" * (4 << 20) + '"}'))],
    "a key with a NUL": [HEAD, _record(keys=(("email", "a\0"),))],
    "keys out of order": [HEAD, _record(keys=(("email", "b"), ("email", "a")))],
    "a key twice": [HEAD, _record(keys=(("email", "a"), ("email", "a")))],
    "105 keys": [HEAD, _record(keys=tuple(("email", f"{n:03d}") for n in range(105)))],
    "a deleted record with a key": [HEAD, _record(body=None, keys=(("email", "a"),))],
    "a sort that is a text": [HEAD, _record(sorts=(("name", "", "a"),))],
    "a key of three": [HEAD, _record(keys=(("email", "a", "b"),))],
    "subjects that are none": [HEAD, _entry(subjects=("qanary",))],
    "subjects that are a text": [HEAD, _entry(subjects="qanary")],
    "an instant out of range": [HEAD, _entry(occurred=1 << 62)],
    "an actor that is none": [HEAD, _batch(actor="{}")],
    "a digest that is a text": [HEAD, _batch(digest="ab")],
    "a fence with a reason": [HEAD, StoredBatch(TENANT, "f", None, 0, "", "why")],
    "a change that is none": [HEAD, _batch(events=(("drop", "party", uid(1), 1),))],
    "a change of three": [HEAD, _batch(events=(("put", "party", uid(1)),))],
    "an append with an id": [HEAD, _batch(events=(("append", "log", uid(1), 1),))],
    "a load that is none": [HEAD, _batch(load=(1, "[1]"))],
    "an erasure that is none": [HEAD, _batch(erasure="[]")],
    "rekeyed records out of order": [HEAD, _batch(rekeyed=(("party", uid(2)), ("party", uid(1))))],
    "a rekeyed record that is none": [HEAD, _batch(rekeyed=(("party", "qanary"),))],
    "a fence that rekeyed": [HEAD, _batch(digest=None, at=0, actor="", rekeyed=(("party", uid(1)),))],
    "a row that is none": [HEAD, ("record",)],
}


@pytest.mark.parametrize("world", ["memory", "sqlite", "async"], indirect=True)  # the check is one for all
@pytest.mark.parametrize("what", WRONG)
def test_a_row_that_cannot_be_kept_is_refused_with_nothing_written(world: Any, what: str) -> None:
    async def flow() -> None:
        store = world.fresh()
        with pytest.raises(InvalidRecord) as caught:
            await backup_of(store).restore(WRONG[what])
        assert caught.value.outcome == "not_applied"
        assert "qanary" not in str(caught.value)
        assert await rows(store) == []

    world.run(flow)


def test_what_is_refused_above_is_refused_for_that_alone(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        await backup_of(store).restore(
            [HEAD, _record(1), _record(2), _entry(1), _entry(2), _batch("b"), _batch("c")]
        )
        assert len(await rows(store)) == 7

    world.run(flow)


def test_two_holders_of_an_exclusive_key_are_refused(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        shared: list[Any] = [HEAD, _record(1, keys=(("email", "a"),)), _record(2, keys=(("email", "a"),))]
        taken: list[Any] = [
            StoredTenant("b"),
            *(_record(n, tenant="b", keys=(("source", "a"),)) for n in (1, 2)),
        ]
        with pytest.raises(KeyConflict):
            await backup_of(store).restore([*shared, *taken])
        assert await rows(store) == []
        await backup_of(store).restore(shared)

    world.run(flow)


class Interrupted(Exception):
    pass


def test_a_restore_that_is_cut_off_has_written_nothing(world: Any) -> None:
    def cut() -> Any:
        yield from [HEAD, _record(1), _entry(1)]
        raise Interrupted

    async def flow() -> None:
        store = world.fresh()
        with pytest.raises(Interrupted):
            await backup_of(store).restore(cut())
        assert await rows(store) == []
        await Writer(store)(put(ref(1), 0))

    world.run(flow)


# --- laws over random histories -----------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
bodies = st.dictionaries(texts, st.one_of(st.none(), st.booleans(), st.integers(-9, 9), texts), max_size=3)
steps = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "put", "delete", "append", "append", "outcome", "erase"]),
        st.integers(0, 3),
        bodies,
        st.frozensets(st.sampled_from([email("a"), email("b"), source("a")]), max_size=2),
        st.sampled_from([TENANT, "other"]),
    ),
    max_size=25,
)


async def play(store: AsyncStore, history: Any) -> None:
    """Carry out what can be carried out of a history; the rest is refused by every store in the same way."""
    for number, (what, which, body, keys, tenant) in enumerate(history):
        write = Writer(store, tenant)
        target, idem = ref(which, tenant=tenant), f"step-{number}"
        now = (await store.get([target])).get(target)
        version = 0 if now is None else now.version
        try:
            if what == "put":
                await write(put(target, version, body, keys, [name_sort(bytes([which]))]), idem=idem)
            elif what == "delete" and version:
                await write(delete(target, version), idem=idem, reason="gone")
            elif what == "append":
                await write(entry(f"log:{which}", which, which + 1, body=body), idem=idem, reason="said")
            elif what == "outcome":
                await store.outcome(tenant, idem)
            elif what == "erase":
                asked = erasure(idem, subjects=[uid(which)], refs=[ref(which)])
                if tenant == TENANT:
                    await eraser_of(store).erase(asked)
        except StoreError:
            continue


@settings(max_examples=60)
@given(history=steps)
def test_restoring_a_snapshot_gives_the_same_snapshot(history: Any) -> None:
    async def flow() -> None:
        first, second = lift(MemoryStore(exclusive=EXCLUSIVE)), lift(MemoryStore(exclusive=EXCLUSIVE))
        await play(first, history)
        exported = await rows(first)
        await backup_of(second).restore(exported)
        assert list(map(line, await rows(second))) == list(map(line, exported))

    run(flow())


def but_for_peppers(exported: list[Any]) -> list[str]:
    """Rows as lines, with what is random in them taken out."""
    plain = [
        row._replace(pepper=b"")
        if isinstance(row, StoredTenant)
        else row._replace(idem="erased")
        if isinstance(row, StoredBatch) and row.digest == b""
        else row
        for row in exported
    ]
    return list(map(line, plain))


@settings(max_examples=30)
@given(history=steps)
def test_every_store_keeps_the_same_of_one_history(history: Any) -> None:
    async def flow(path: Path) -> None:
        first, second = lift(MemoryStore(exclusive=EXCLUSIVE)), lift(SqliteStore(path, exclusive=EXCLUSIVE))
        await play(first, history)
        await play(second, history)
        assert but_for_peppers(await rows(second)) == but_for_peppers(await rows(first))
        assert (await durable_of(second).verify()).problems == ()
        await second.close()

    with tempfile.TemporaryDirectory() as folder:
        run(flow(Path(folder) / "crm.db"))


@settings(max_examples=60)
@given(
    history=steps, who=st.sets(st.integers(0, 4), max_size=2), which=st.sets(st.integers(0, 3), max_size=2)
)
def test_an_erasure_leaves_all_that_it_does_not_name(history: Any, who: set[int], which: set[int]) -> None:
    async def flow() -> None:
        store = lift(MemoryStore(exclusive=EXCLUSIVE))
        await play(store, history)
        before = await rows(store)
        subjects, ids = {uid(number) for number in who}, {uid(number) for number in which}
        named = {"refs": [ref(number) for number in which], "streams": ["log:3"], "subjects": subjects}
        await eraser_of(store).erase(erasure("last", **named))

        def hit(row: Any) -> bool:
            if row.tenant != TENANT or isinstance(row, StoredTenant):
                return isinstance(row, StoredTenant)
            if isinstance(row, StoredRecord):
                return row.id in ids
            if isinstance(row, StoredEntry):
                return row.stream == "log:3" or not subjects.isdisjoint(row.subjects)
            wrote = {event[1:] for event in row.events if event[0] == "append"}
            gone = {(one.stream, "", one.seq) for one in before if isinstance(one, StoredEntry) and hit(one)}
            return bool(wrote & gone) or any(event[2] in ids for event in row.events)

        after = await rows(store)
        assert {row for row in before if not hit(row)} <= set(after)
        assert len(after) == len(before) + 1 + (TENANT not in {row.tenant for row in before})
        for row in after:
            if isinstance(row, StoredEntry) and row.tenant == TENANT:
                assert subjects.isdisjoint(row.subjects)

    run(flow())
