"""G6 for what stands above and beside a body: instants, actors, reasons and schemas, in every place that gives them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from crmcore.storage import (
    Append,
    Batch,
    Chunk,
    Draft,
    Json,
    NewEntry,
    NewRecord,
    Row,
    StoredBatch,
    StoredEntry,
    StoredRecord,
    backup_of,
    bulk_of,
    claims,
)
from crmcore.storage.capability import BACKUP, BULK, CHANGES, STREAM
from crmcore.storage.document import decode
from crmcore.testing.kit import (
    ANN,
    TENANT,
    Subject,
    Writer,
    due,
    feed,
    guarantee,
    holds,
    ledger,
    put,
    record,
    ref,
    same,
    uid,
)
from crmcore.testing.story import exported
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.source import SYSTEM, Actor

ACTORS = (
    Actor(kind="person", id="u-7", on_behalf_of="team é"),
    SYSTEM,
    Actor(kind="import", id="load: 1", on_behalf_of=None, unknown=FrozenMap({"later": "field", "n": 1})),
    Actor(kind="model", id="Model 3"),
    Actor(kind="customer", id="u-7"),
)
REASONS = ("because", None, "x" * 4096, "", "two\nlines, é 😀")
ZONES = (UTC, timezone(timedelta(hours=5, minutes=45)), timezone(-timedelta(hours=11)))


def _at(number: int) -> datetime:
    """An instant with microseconds, in a zone of its own, on another day of UTC than it shows."""
    zone = ZONES[number % len(ZONES)]
    return datetime(2026, 3, 1, 23 * (number % 2), 59, 59, 123457, tzinfo=zone) + timedelta(days=number)


def _told(number: int) -> Batch:
    """The batch number *number*: nothing of its heading is that of another."""
    draft = Draft(
        occurred_at=_at(number + 20),
        recorded_at=_at(number + 40),
        subjects=(uid(number), uid(3)),
        schema=f"note/{number}",
        body={"n": number},
    )
    written = put(ref(number), 0, {"n": number}, [ANN], [due(number)], schema=number + 2)
    return Batch(
        tenant=TENANT,
        ops=(written, Append(stream="log:1", entry=draft)),
        idem=f"b{number}",
        actor=ACTORS[number % len(ACTORS)],
        reason=REASONS[number % len(REASONS)],
        at=_at(number),
    )


async def _tell(subject: Subject) -> tuple[Any, list[Batch]]:
    store = await subject.fresh()
    batches = [_told(number) for number in range(2 * len(ACTORS))]
    for one in batches:
        await store.apply(one)
    return store, batches


@guarantee("G6")
async def an_entry_comes_back_with_all_that_it_was_given(subject: Subject) -> None:
    """Every field of an entry is what was given, both instants to the microsecond and in UTC."""
    store, batches = await _tell(subject)
    drafts = [op.entry for one in batches for op in one.ops if isinstance(op, Append)]
    for reverse in (False, True):
        entries = (await store.ledger(TENANT, ["log:1"], reverse=reverse))["log:1"].items
        ordered = list(enumerate(drafts, 1))[:: -1 if reverse else 1]
        for entry, (seq, draft) in zip(entries, ordered, strict=True):
            same((entry.stream, entry.seq), ("log:1", seq), "where an entry is")
            same(entry.occurred_at, draft.occurred_at, "when it occurred")
            same(entry.recorded_at, draft.recorded_at, "when it was recorded")
            same(entry.recorded_at.utcoffset(), timedelta(0), "the zone of an instant")
            same(
                (entry.subjects, entry.schema, entry.body),
                (draft.subjects, draft.schema, draft.body),
                "the rest",
            )


@guarantee("G12")
async def a_receipt_bears_the_instant_of_its_batch(subject: Subject) -> None:
    """Receipts, those of a second time and those of outcome bear the instant that the batch came with first."""
    store = await subject.fresh()
    for number in range(6):
        batch = _told(number)
        first = await store.apply(batch)
        for given in (first, await store.apply(batch), await store.outcome(TENANT, batch.idem)):
            assert given is not None
            same(given.at, batch.at, "the instant of a receipt")
            same(given.at.utcoffset(), timedelta(0), "the zone of an instant")
            same(given.position, first.position, "the position of a receipt")


@guarantee("G9", part=CHANGES)
async def the_feed_says_who_when_and_why(subject: Subject) -> None:
    """Every change bears the instant, the actor and the reason of its batch, and none those of another."""
    store, batches = await _tell(subject)
    for size in (1, 3, 500):
        for change, batch in zip(
            await feed(store, size=size), [one for one in batches for _ in one.ops], strict=True
        ):
            got = (change.idem, change.at, change.actor, change.reason)
            same(got, (batch.idem, batch.at, batch.actor, batch.reason), "the heading of a change")
            same(change.at.utcoffset(), timedelta(0), "the zone of an instant")


@guarantee("G6", part=BULK)
async def what_is_loaded_comes_back_with_all_that_it_was_given(subject: Subject) -> None:
    """Every field of a row is what was given, and its changes bear the heading of the chunk."""
    store = await subject.fresh()
    for number in range(3):
        chunk = _chunk(number)
        receipt = await bulk_of(store).load(chunk)
        same((receipt.at, receipt.written), (chunk.at, 2), "the receipt of a chunk")
        found = await bulk_of(store).loaded(TENANT, chunk.idem, chunk.digest)
        same(found and found.at, chunk.at, "the instant of a receipt that was asked for")
        for row in chunk.rows:
            for new in row.records:
                there = await record(store, ref(int(new.id[:8], 16), kind=new.kind))
                assert there is not None
                same((there.version, there.schema, there.body), (1, new.schema, decode(new.body)), "a record")
                same(
                    (there.keys, there.sorts), (frozenset(new.keys), frozenset(new.sorts)), "what it carries"
                )
        wanted = [one for row in chunk.rows for one in row.entries]
        for entry, given in zip(await ledger(store, f"log:{number}"), wanted, strict=True):
            same(
                (entry.occurred_at, entry.recorded_at), (given.occurred_at, given.recorded_at), "its instants"
            )
            same(
                (entry.subjects, entry.schema, entry.body),
                (given.subjects, given.schema, decode(given.body)),
                "an entry",
            )
        changes = [one for one in await feed(store) if one.idem == chunk.idem]
        same(len(changes), 8 if claims(store.describe(), CHANGES) else 0, "the number of its changes")
        heads = {(one.at, one.actor, one.reason) for one in changes}
        same(heads - {(chunk.at, chunk.actor, chunk.reason)}, set(), "the headings of its changes")


def _entry(number: int, occurred: int, recorded: int, subjects: tuple[str, ...], schema: str) -> NewEntry:
    body = Json.of({"n": occurred})
    return NewEntry(f"log:{number}", _at(occurred), _at(recorded), subjects, schema, body)


def _chunk(number: int) -> Chunk:
    start = 10 * (number + 1)
    rows = [
        Row(
            (
                NewRecord("party", uid(start + one), start, Json.of({"n": start}), [ANN], [due(start)]),
                NewRecord("note", uid(start + one), start + 1, Json.of({"m": one}), (), [due(one, "a")]),
            ),
            (
                _entry(number, start, start + 1, (uid(7), uid(6)), f"v/{start}"),
                _entry(number, start + one, one, (), "w/2"),
            ),
        )
        for one in range(2)
    ]  # fmt: skip
    actor, reason = ACTORS[number], REASONS[number]
    return Chunk(
        tenant=TENANT,
        rows=tuple(rows),
        idem=f"load:{number}",
        digest=f"d{number}",
        actor=actor,
        reason=reason,
        at=_at(number),
    )


@guarantee("G16", part=STREAM)
async def a_snapshot_has_every_field(subject: Subject) -> None:
    """A snapshot gives bodies, schemas, instants, subjects, actors and reasons as they were written."""
    store, batches = await _tell(subject)
    rows = await exported(store)
    records = [row for row in rows if isinstance(row, StoredRecord)]
    same([(row.schema, row.body and decode(row.body)) for row in records],
         [(n + 2, {"n": n}) for n in range(len(batches))], "the records")  # fmt: skip
    drafts = [op.entry for one in batches for op in one.ops if isinstance(op, Append)]
    entries = [row for row in rows if isinstance(row, StoredEntry) and row.stream == "log:1"]
    same(
        [(one.occurred, one.recorded, one.subjects, one.schema, decode(one.body)) for one in entries],
        [
            (_micro(one.occurred_at), _micro(one.recorded_at), one.subjects, one.schema, one.body)
            for one in drafts
        ],
        "the entries",
    )
    heads = [row for row in rows if isinstance(row, StoredBatch) and row.digest is not None]
    same(
        [(one.idem, one.at, one.reason) for one in heads],
        [(one.idem, _micro(one.at), one.reason) for one in batches],
        "the batches",
    )
    for row, batch in zip(heads, batches, strict=True):
        actor = decode(row.actor)
        said = (actor["kind"], actor["id"], actor["on_behalf_of"], {**batch.actor.unknown, **actor} == actor)
        same(said, (batch.actor.kind, batch.actor.id, batch.actor.on_behalf_of, True), "the actor of a batch")


def _micro(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@guarantee("G16", part=BACKUP)
async def a_restored_store_has_every_heading(subject: Subject) -> None:
    """After a restore feed, receipts, entries and chunks bear what they were written with."""
    source, batches = await _tell(subject)
    target = await subject.fresh()
    if loads := claims(source.describe(), BULK):
        await bulk_of(source).load(_chunk(1))
    await backup_of(target).restore(iter(await exported(source)))
    before, after = await feed(source), await feed(target)
    same([_head(one) for one in after], [_head(one) for one in before], "the feed")
    same(await ledger(target, "log:1"), await ledger(source, "log:1"), "the ledger")
    for batch in batches:
        given = await target.outcome(TENANT, batch.idem)
        same(given and given.at, batch.at, "the instant of a receipt")
    if loads:
        again = await bulk_of(target).load(_chunk(1))
        holds(again.replayed, "a chunk is not known any more")
        same((again.rows, again.refused, again.at), (2, (), _chunk(1).at), "the receipt of a chunk")
    await Writer(target)(put(ref(99)), idem="goes on")


def _head(change: Any) -> Any:
    what = (change.op, change.ref, change.version, change.stream, change.seq)
    return (change.idem, change.at, change.actor, change.reason, *what)
