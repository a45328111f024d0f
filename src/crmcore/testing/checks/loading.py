"""What bulk loading promises, row by row."""

from __future__ import annotations

from typing import Any

from crmcore.errors import (
    BatchTooLarge,
    InvalidRecord,
)
from crmcore.storage import (
    AsyncBulk,
    AsyncStore,
    Key,
    Ref,
    Row,
    bulk_of,
)
from crmcore.storage.capability import BULK
from crmcore.testing.kit import (
    ANN,
    TENANT,
    NotAsked,
    Subject,
    Writer,
    append,
    carriers,
    delete,
    due,
    email,
    feed,
    guarantee,
    has_feed,
    holds,
    ledger,
    put,
    record,
    ref,
    refused,
    same,
    source,
    uid,
)
from crmcore.testing.rows import chunk, entry, new, row
from crmcore.values.source import SYSTEM


async def loading(subject: Subject) -> tuple[AsyncStore, AsyncBulk]:
    """An empty store and its bulk part."""
    store = await subject.fresh()
    return store, bulk_of(store)


@guarantee("G1", part=BULK)
async def a_row_is_written_whole_or_refused_whole(subject: Subject) -> None:
    """A row that cannot be written leaves nothing behind, neither record nor entry, and costs no other row."""
    store, bulk = await loading(subject)
    await Writer(store)(put(ref(9), keys=[source("taken")]))
    bad = Row((new(2), new(3, keys=[source("taken")])), (entry("party:2"),))
    receipt = await bulk.load(chunk(row(1), bad, row(4)))
    same(
        [(one.row, one.code, one.namespace, one.holder) for one in receipt.refused],
        [(1, "key_conflict", "source", ref(9))],
        "what was refused",
    )
    same((receipt.rows, receipt.written), (3, 2), "the rows, and those written")
    there = set(await store.get([ref(number) for number in range(1, 5)]))
    same(there, {ref(1), ref(4)}, "the records")
    same(await ledger(store, "party:2"), (), "the ledger of the refused row")


@guarantee("G2", part=BULK)
async def a_row_never_replaces_a_record(subject: Subject) -> None:
    """A record that is there refuses its row; after one that was deleted, versions go on counting."""
    store, bulk = await loading(subject)
    write = Writer(store)
    await write(put(ref(1), body={"old": 1}), put(ref(2)))
    await write(delete(ref(2), 1))
    receipt = await bulk.load(chunk(row(1), row(2), row(3), row(3)))
    same(
        [(one.row, one.code) for one in receipt.refused],
        [(0, "version_conflict"), (3, "version_conflict")],
        "",
    )
    versions = {one.ref: one.version for one in (await store.get([ref(1), ref(2), ref(3)])).values()}
    same(versions, {ref(1): 1, ref(2): 3, ref(3): 1}, "the versions")
    old = await record(store, ref(1))
    same(old and old.body, {"old": 1}, "the record that was there")


@guarantee("G5", part=BULK)
async def what_is_loaded_is_found_ordered_and_in_its_ledgers(subject: Subject) -> None:
    """Rows of a chunk are found by their keys, stand in their orders, and go on with their ledgers."""
    store, bulk = await loading(subject)
    await Writer(store)(append("log:1", {"n": 1}))
    sorts = [due(255 - number) for number in range(100)]
    rows = [
        Row((new(number, {"n": number}, [ANN], [sorts[number]]),), (entry("log:1", {"n": number + 2}),))
        for number in range(100)
    ]
    await bulk.load(chunk(*rows))
    same(await carriers(store, ANN), tuple(ref(number) for number in range(100)), "who carries the key")
    page = await store.range(TENANT, "due", [""], limit=1000)
    same(page.items, tuple((sorts[n], ref(n)) for n in reversed(range(100))), "the order")
    entries = await ledger(store, "log:1")
    same([(one.seq, one.body["n"]) for one in entries], [(n, n) for n in range(1, 102)], "the ledger")


@guarantee("G9", part=BULK)
async def the_feed_has_what_was_loaded(subject: Subject) -> None:
    """Every record and entry of a chunk is in the feed, row by row, under the chunk's key, actor and reason."""
    store, bulk = await loading(subject)
    receipt = await bulk.load(chunk(row(2), row(1)))
    known = await store.outcome(TENANT, "load:1")
    same(known and dict(known.versions), {ref(1): 1, ref(2): 1}, "the outcome")
    if not has_feed(store):
        raise NotAsked("the store has no feed")
    changes = await feed(store)
    same(
        [(one.op, one.ref or one.stream, one.version or one.seq) for one in changes],
        [("put", ref(2), 1), ("append", "party:2", 1), ("put", ref(1), 1), ("append", "party:1", 1)],
        "the feed",
    )
    same(
        {(one.idem, one.actor, one.reason) for one in changes},
        {("load:1", SYSTEM, "a load")},
        "by whom and why",
    )
    same(changes[-1].position, receipt.position, "the position of the receipt")


@guarantee("G17", part=BULK)
async def what_no_store_can_keep_refuses_its_row_alone(subject: Subject) -> None:
    """Bad ids, words, texts and sizes refuse the row that holds them; a chunk over a limit is refused whole."""
    store, bulk = await loading(subject)
    limits = store.describe().limits
    loose: Any = {"body": "no Json"}
    bad = [
        Row((new(1)._replace(id="nonsense"),)),
        Row((new(2)._replace(kind="No Word"),)),
        Row((new(3, {"a": "\x00"}),)),
        Row((new(4, {"a": "\ud800"}),)),
        Row((new(5)._replace(body=loose),)),
        Row((new(6, keys=[Key("email", "x" * (limits.max_key_bytes + 1))]),)),
        Row((new(7, keys=[email(str(n)) for n in range(limits.max_keys + 1)]),)),
        Row((new(8, {"a": "x" * limits.max_body_bytes}),)),
        Row((new(9), new(9))),
        Row((), (entry("log:1")._replace(stream=""),)),
        Row((), ()),
    ]
    receipt = await bulk.load(chunk(*bad, row(20)))
    codes = ["invalid_record"] * 7 + ["batch_too_large"] + ["invalid_record"] * 3
    same([one.code for one in receipt.refused], codes, "why they were refused")
    holds(
        not any("\x00" in one.message or "xxx" in one.message for one in receipt.refused), "a value is shown"
    )
    same([one.ref for one in (await store.scan(TENANT, "party")).items], [ref(20)], "the records")
    many = chunk(*[row(21)] * (limits.max_rows + 1), idem="load:2")
    await refused(BatchTooLarge, bulk.load(many))
    await refused(InvalidRecord, bulk.load(chunk(row(22), idem="")))
    await refused(InvalidRecord, bulk.load(chunk(row(22), idem="load:3", digest="")))
    same(await record(store, ref(22)), None, "what a refused chunk left behind")


@guarantee("G7", part=BULK)
async def a_chunk_is_of_one_tenant(subject: Subject) -> None:
    """The same rows and keys may be loaded for two tenants, and neither sees those of the other."""
    store, bulk = await loading(subject)
    for tenant in (TENANT, "other"):
        receipt = await bulk.load(chunk(row(1, source("s")), tenant=tenant))
        same((receipt.written, receipt.replayed), (1, False), "the rows written")
        same(await carriers(store, source("s"), tenant), (Ref(tenant, "party", uid(1)),), "who is found")
