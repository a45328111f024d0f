"""G16, the first half: a snapshot shows all of a store as of one moment (``stream``)."""

from __future__ import annotations

from itertools import groupby

from crmcore.storage import (
    AsyncStore,
    Stored,
    StoredBatch,
    StoredEntry,
    StoredRecord,
    StoredTenant,
    stream_of,
)
from crmcore.storage.capability import STREAM
from crmcore.testing.kit import (
    TENANT,
    A,
    Subject,
    Writer,
    append,
    delete,
    feed,
    guarantee,
    has_feed,
    holds,
    ledger,
    patience,
    put,
    ref,
    same,
    scanned,
)
from crmcore.testing.story import LEDGERS, TENANTS, digest, exported, tell


@guarantee("G16", part=STREAM)
async def a_snapshot_has_all_that_can_be_read(subject: Subject) -> None:
    """Every live record with its keys and sorts, every entry, and every change of the feed is in a snapshot, and a
    deleted record keeps its version there."""
    store = await subject.fresh()
    for tenant in TENANTS:
        await tell(store, tenant)
    for tenant in TENANTS:
        rows = await exported(store, [tenant])
        await _same_records(store, tenant, rows)
        entries = [
            (row.stream, row.seq, row.schema, row.subjects) for row in rows if isinstance(row, StoredEntry)
        ]
        there = [one for name in sorted(LEDGERS) for one in await ledger(store, name, tenant)]
        found = [one for one in entries if one[0] in LEDGERS]
        same(found, [(one.stream, one.seq, one.schema, one.subjects) for one in there], "the entries")
        events = [(row.idem, *event) for row in rows if isinstance(row, StoredBatch) for event in row.events]
        changes = [
            (one.idem, one.op, one.ref.kind if one.ref else one.stream, one.ref.id if one.ref else "")
            for one in await feed(store, tenant)
        ]
        if has_feed(store):
            same([event[:4] for event in events], changes, "the changes")


async def _same_records(store: AsyncStore, tenant: str, rows: list[Stored]) -> None:
    live = {(row.kind, row.id): row for row in rows if isinstance(row, StoredRecord) and row.body is not None}
    there = [one for kind in ("note", "party") for one in await scanned(store, kind, tenant)]
    same(set(live), {(one.ref.kind, one.ref.id) for one in there}, "the live records")
    for one in there:
        row = live[one.ref.kind, one.ref.id]
        same((row.version, row.schema), (one.version, one.schema), "the version and the schema")
        same((set(row.keys), set(row.sorts)), (set(one.keys), set(one.sorts)), "the keys and sorts")
    gone = [row for row in rows if isinstance(row, StoredRecord) and row.body is None]
    same([(row.version, row.keys, row.sorts) for row in gone], [(2, (), ())], "the deleted record")


@guarantee("G16", part=STREAM)
async def rows_come_in_their_order_whatever_the_chunk(subject: Subject) -> None:
    """The rows of a tenant are the tenant, its records, entries, batches and fences, each in their order, and the same
    in chunks of any size."""
    store = await subject.fresh()
    for tenant in TENANTS:
        await tell(store, tenant)
    rows = await exported(store)
    for size in (1, 2, 7, 100_000):
        same(await exported(store, size=size), rows, f"the rows in chunks of {size}")
    tenants = [name for name, _ in groupby(row.tenant for row in rows)]
    same(sorted(tenants), sorted(TENANTS), "the tenants, each in one piece")
    for name in tenants:
        own = [row for row in rows if row.tenant == name]
        places = [_place(row) for row in own]
        same(places, sorted(places), "the order of the rows")
        same(sum(isinstance(row, StoredTenant) for row in own), 1, "the beginnings of a tenant")
        fences = [row for row in own if isinstance(row, StoredBatch) and row.digest is None]
        same([row.idem for row in fences], [f"{name}-never"], "the fences")


def _place(row: Stored) -> tuple[int, str, str, int]:
    """Where a row belongs within its tenant; batches stay as they are among themselves."""
    if isinstance(row, StoredTenant):
        return 0, "", "", 0
    if isinstance(row, StoredRecord):
        return 1, row.kind, row.id, 0
    if isinstance(row, StoredEntry):
        return 2, row.stream, "", row.seq
    return (3 if row.digest is not None else 4), "", "", 0


@guarantee("G16", part=STREAM, least={"writes while a snapshot was read": 20})
async def a_snapshot_shows_nothing_that_came_later(subject: Subject) -> None:
    """However slowly it is read while others write, a snapshot has what was there when it was taken; a new one has it
    all."""
    store = await subject.fresh()
    await tell(store)
    write = Writer(store)
    await write(*(put(ref(number)) for number in range(100, 140)), idem="many")
    before = await exported(store)
    snapshot = await stream_of(store).export()
    rows: list[Stored] = []
    for step in patience():
        some = await snapshot.read(3)
        rows += some
        if not some:
            break
        if step < 40:
            change = put(ref(139 - step), 1, {"later": 1}) if step % 2 else delete(ref(139 - step), 1)
            await write(change, put(ref(200 + step)), append("log:1"), idem=f"later-{step}")
            subject.saw("writes while a snapshot was read")
    await snapshot.close()
    await snapshot.close()
    same(digest(rows), digest(before), "the rows of the snapshot")
    holds(
        len(await exported(store)) > len(before), "a new snapshot has nothing of what was written meanwhile"
    )


@guarantee("G16", part=STREAM)
async def a_snapshot_is_of_the_tenants_asked_for(subject: Subject) -> None:
    """A snapshot of some tenants has nothing of the others, and a tenant that has nothing gives no row."""
    store = await subject.fresh()
    same(await exported(store), [], "the rows of an empty store")
    for tenant in TENANTS:
        await Writer(store, tenant)(put(ref(1, tenant=tenant)))
    whole = await exported(store)
    some = await exported(store, [TENANT])
    same([row for row in whole if row.tenant == TENANT], some, "the rows of one tenant")
    same(await exported(store, ["nobody"]), [], "the rows of a tenant that has nothing")
    same(await exported(store, []), [], "the rows of no tenant")
    holds(A.id in {row.id for row in some if isinstance(row, StoredRecord)}, "the record is not there")
