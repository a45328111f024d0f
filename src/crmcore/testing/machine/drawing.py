"""What chance writes: operations that fit what the model has, and now and then do not.

Invariant: what is drawn is within the limits that every store takes, so the model alone says whether it is refused.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from crmcore.storage import (
    EXCLUSIVE,
    Append,
    Batch,
    Check,
    CheckKey,
    CheckStream,
    Chunk,
    Draft,
    Json,
    Key,
    NewEntry,
    NewRecord,
    Operation,
    Ref,
    Row,
    Sort,
)
from crmcore.testing.kit import NOW, delete, put, rekey, uid
from crmcore.testing.machine.play import KEYS, SORTS, STREAMS, Play
from crmcore.values.source import SYSTEM, Actor

WORDS = "put put put put put delete rekey append append check stream key".split()
VALUES = ("", "x", "é", 0, 1, -1, True, None, [1, "x", []], {"n": {"m": 1}})
ACTORS = (SYSTEM, SYSTEM, Actor(kind="person", id="u-7", on_behalf_of="team"))
REASONS = (None, None, "", "because")


def body(play: Play) -> dict[str, Any]:
    return {name: play.chance.choice(VALUES) for name in play.some("abc")}


def instant(play: Play) -> datetime:
    return NOW + timedelta(days=play.chance.randint(-3, 3), microseconds=play.chance.choice([0, 1, 999_999]))


def carried(play: Play) -> tuple[list[Key], list[Sort]]:
    """Keys and sorts for a record."""
    sizes = [play.chance.choice([0, 0, 1, 1, 2, 3]) for _ in range(2)]
    return play.chance.sample(KEYS, sizes[0]), play.chance.sample(SORTS, sizes[1])


def batch(play: Play, tenant: str, ops: tuple[Operation, ...]) -> Batch:
    """A batch under the next key."""
    return Batch(
        tenant=tenant, ops=ops, idem=play.idem(), actor=play.chance.choice(ACTORS),
        reason=play.chance.choice(REASONS), at=instant(play),
    )  # fmt: skip


def operations(play: Play, tenant: str) -> tuple[Operation, ...]:
    free = play.everybody(tenant)
    return tuple(_op(play, tenant, free) for _ in range(play.chance.choice([0, 1, 1, 1, 2, 2, 3, 4, 6])))


def _op(play: Play, tenant: str, free: list[Ref]) -> Operation:
    """An operation, of a record that is *free* and then no longer is."""
    chance, model = play.chance, play.model
    what, stream = chance.choice(WORDS), chance.choice(STREAMS)
    length = len(model.ledgers.get((tenant, stream), []))
    if what == "append":
        draft = Draft(
            occurred_at=instant(play), recorded_at=instant(play), subjects=tuple(play.some([uid(1), uid(2)])),
            schema=chance.choice(["note/1", "note/2"]), body=body(play),
        )  # fmt: skip
        return Append(
            stream=stream, entry=draft, expect_seq=chance.choice([None] * 4 + [length] * 4 + [length + 1])
        )
    if what == "stream":
        return CheckStream(stream=stream, seq=chance.choice([length] * 5 + [length + 1, max(length - 1, 0)]))
    if what == "key":
        key = chance.choice([key for key in KEYS if key.namespace in EXCLUSIVE])
        holders: list[Ref | None] = [*model.found(tenant, key)]
        strangers = [None, chance.choice(play.everybody(tenant))] if play.likely(0.2) else []
        return CheckKey(key=key, holder=chance.choice([*(holders or [None]), *strangers]))
    target = chance.choice(free)
    expect = model.version(target) + chance.choice([0] * 14 + [1])
    if what == "check":
        return Check(ref=target, expect=expect)
    free.remove(target)
    if what == "put" or not expect:
        return put(target, expect, body(play), *carried(play), schema=chance.choice([1, 1, 2, 7]))
    return delete(target, expect) if what == "delete" else rekey(target, expect, *carried(play))


def stale(play: Play, tenant: str) -> tuple[Operation, ...]:
    """A batch whose one fault is that something which it has read was written since; none where there is nothing."""
    read, target = play.chance.sample(play.everybody(tenant), 2)
    if not play.model.version(read):
        return ()
    wrong = Check(ref=read, expect=play.model.version(read) - 1)
    return (put(target, play.model.version(target)), wrong)


def chunk(play: Play, tenant: str) -> Chunk:
    rows = tuple(_row(play, tenant) for _ in range(play.chance.choice([0, 1, 2, 3, 4])))
    used = f"b{max(len(play.sent) - 1, 0)}"
    return Chunk(
        tenant=tenant,
        rows=rows,
        idem=used if play.likely(0.2) else play.idem(),
        digest=play.chance.choice(["one", "other"]),
        actor=play.chance.choice(ACTORS),
        reason=play.chance.choice(REASONS),
        at=instant(play),
    )


def _row(play: Play, tenant: str) -> Row:
    there = play.chance.sample(play.everybody(tenant), play.chance.choice([0, 1, 1, 2]))
    streams = play.chance.choices(STREAMS, k=play.chance.choice([0, 1, 2]) if there else 1)
    records = []
    for one in there:
        keys, sorts = carried(play)
        schema = play.chance.choice([1, 2])
        records.append(NewRecord(one.kind, one.id, schema, Json.of(body(play)), tuple(keys), tuple(sorts)))
    entries = []
    for stream in streams:
        subjects, text = tuple(play.some([uid(1), uid(2)])), Json.of(body(play))
        entries.append(NewEntry(stream, instant(play), instant(play), subjects, "note/1", text))
    return Row(tuple(records), tuple(entries))
