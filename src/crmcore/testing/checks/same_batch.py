"""G4 and G3, part by part: what makes two batches the same, and what a precondition speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import attrs

from crmcore.errors import (
    IdempotencyMismatch,
    KeyConflict,
    PositionExpired,
    StoreClosed,
    StreamConflict,
    VersionConflict,
)
from crmcore.storage import (
    Append,
    AsyncStore,
    Batch,
    Check,
    CheckKey,
    CheckStream,
    Operation,
    tenants_of,
)
from crmcore.storage.capability import TENANTS
from crmcore.testing.claims import calls_of_claimed
from crmcore.testing.kit import (
    ANN,
    BOB,
    KEYS,
    NOW,
    STREAMS,
    TENANT,
    A,
    B,
    C,
    D,
    NotAsked,
    Subject,
    Writer,
    append,
    delete,
    due,
    guarantee,
    has_feed,
    holds,
    picture,
    put,
    ref,
    refused,
    rekey,
    same,
    source,
    uid,
)
from crmcore.values.source import Actor

WRITTEN = put(D, 0, {"n": {"m": [1, 2]}}, [ANN], [due(1)], schema=2)
CARRIED = rekey(C, 1, [BOB, source("2")], [due(2)])
ENTERED = append("log:1", {"n": {"m": [1, 2]}}, 1)
OPS: tuple[Operation, ...] = (
    WRITTEN,
    delete(B, 1),
    CARRIED,
    ENTERED,
    append("log:2", {"n": 1}),
    Check(ref=A, expect=1),
    CheckStream(stream="log:3", seq=0),
    CheckKey(key=source("9"), holder=None),
    CheckKey(key=source("2"), holder=C),
)
"""A batch with an operation of each kind."""

PUTS: tuple[dict[str, Any], ...] = (
    {"body": {"n": {"m": [1, 3]}}}, {"body": {"n": {"m": ["1", 2]}}}, {"body": {"n": {"m": [True, 2]}}}, {"schema": 3},
    {"keys": frozenset({BOB})}, {"keys": frozenset()}, {"sorts": frozenset({due(1, "a")})}, {"expect": 1},
    {"ref": ref(4, kind="note")},
)  # fmt: skip
REKEYS: tuple[dict[str, Any], ...] = (
    {"expect": 2}, {"keys": frozenset({source("2")})}, {"sorts": frozenset()}, {"sorts": frozenset({due(3)})},
)  # fmt: skip
DRAFTS: tuple[dict[str, Any], ...] = (
    {"body": {"n": {"m": [1, 3]}}}, {"body": {"n": {"m": [2, 1]}}}, {"schema": "note/2"}, {"subjects": ()},
    {"subjects": (uid(2),)}, {"occurred_at": NOW + timedelta(microseconds=1)},
)  # fmt: skip
APPENDS: tuple[dict[str, Any], ...] = ({"expect_seq": None}, {"expect_seq": 2}, {"stream": "log:9"})

CHANGED: Mapping[int, list[Operation]] = {
    0: [attrs.evolve(WRITTEN, **change) for change in PUTS],
    1: [delete(B, 2), delete(ref(9), 1), put(B, 1), rekey(B, 1), Check(ref=B, expect=1)],
    2: [*(attrs.evolve(CARRIED, **change) for change in REKEYS), put(C, 1, {}, CARRIED.keys, CARRIED.sorts)],
    3: [
        *(attrs.evolve(ENTERED, entry=attrs.evolve(ENTERED.entry, **change)) for change in DRAFTS),
        *(attrs.evolve(ENTERED, **change) for change in APPENDS),
    ],
    4: [append("log:2", {"n": 2}), append("log:2", {"n": 1}, 0)],
    5: [Check(ref=A, expect=2), Check(ref=ref(1, kind="note"), expect=1)],
    6: [CheckStream(stream="log:3", seq=1), CheckStream(stream="log:4", seq=0)],
    7: [CheckKey(key=source("8"), holder=None), CheckKey(key=source("9"), holder=A)],
    8: [CheckKey(key=source("2"), holder=None), CheckKey(key=source("2"), holder=ref(3, kind="note"))],
}
"""For each of `OPS`, what differs from it in one place."""


def _others(batch: Batch) -> Iterator[Batch]:
    """Batches that differ from *batch* in one place."""
    for n, others in CHANGED.items():
        for other in others:
            yield attrs.evolve(batch, ops=(*OPS[:n], other, *OPS[n + 1 :]))
        yield attrs.evolve(batch, ops=(*OPS[:n], *OPS[n + 1 :]))
    yield attrs.evolve(batch, ops=(*OPS, append("log:2")))
    for reason in (None, "", "Because"):
        yield attrs.evolve(batch, reason=reason)
    for actor in (
        Actor(kind="person", id="u-8", on_behalf_of="x"), Actor(kind="person", id="u-7"),
        Actor(kind="customer", id="u-7", on_behalf_of="x"), Actor(kind="person", id="u-7", on_behalf_of="y"),
    ):  # fmt: skip
        yield attrs.evolve(batch, actor=actor)


async def _before(subject: Subject) -> tuple[AsyncStore, Writer]:
    store = await subject.fresh()
    write = Writer(store)
    await write(put(A), put(B), put(C, 0, {}, [source("2")]), append("log:1"), idem="before")
    return store, write


@guarantee("G4", least={"other batches": 40})
async def a_batch_that_differs_in_any_part_is_another(subject: Subject) -> None:
    """Under a key that was used, a batch that differs in one part of one operation, in its actor or in its reason is
    refused and writes nothing; one that differs in the clock alone is the same."""
    store, write = await _before(subject)
    actor = Actor(kind="person", id="u-7", on_behalf_of="x")
    batch = write.batch(*OPS, idem="once", actor=actor, reason="because")
    await store.apply(batch)
    before = await picture(store, KEYS, [*STREAMS, "log:9"])
    for other in _others(batch):
        await refused(IdempotencyMismatch, store.apply(other))
        subject.saw("other batches")
    late = NOW + timedelta(days=2)
    clock = tuple(
        attrs.evolve(op, entry=attrs.evolve(op.entry, recorded_at=late)) if isinstance(op, Append) else op
        for op in OPS
    )  # fmt: skip
    holds((await store.apply(attrs.evolve(batch, ops=clock, at=late))).replayed, "only the clock differs")
    same(await picture(store, KEYS, [*STREAMS, "log:9"]), before, "what can be seen afterwards")


@guarantee("G3", least={"batches": 20})
async def a_precondition_on_what_the_batch_writes_counts(subject: Subject) -> None:
    """A precondition speaks of the state before its batch, also of a record, ledger or key that the batch writes."""
    store, write = await _before(subject)
    held, free = CheckKey(key=source("2"), holder=C), CheckKey(key=source("9"), holder=None)
    writes: Iterable[Operation] = (put(A, 1), delete(A, 1), rekey(A, 1))
    wrong: list[tuple[Any, Operation, Operation]] = [
        *((VersionConflict, op, Check(ref=A, expect=n)) for op in writes for n in (0, 2)),
        (VersionConflict, put(D), Check(ref=D, expect=1)),
        (VersionConflict, Check(ref=A, expect=1), Check(ref=A, expect=2)),
        *((StreamConflict, append("log:1"), CheckStream(stream="log:1", seq=n)) for n in (0, 2)),
        (StreamConflict, CheckStream(stream="log:1", seq=1), CheckStream(stream="log:1", seq=0)),
        (KeyConflict, put(D, 0, {}, [source("9")]), CheckKey(key=source("9"), holder=D)),
        (KeyConflict, rekey(C, 1), CheckKey(key=source("2"), holder=None)),
        (KeyConflict, delete(C, 1), CheckKey(key=source("2"), holder=None)),
    ]  # fmt: skip
    before = await picture(store, KEYS, STREAMS)
    for error, op, check in wrong:
        for ops in ((op, check), (check, op)):
            await refused(error, store.apply(write.batch(put(ref(9)), *ops)))
            subject.saw("batches")
    same(await picture(store, KEYS, STREAMS), before, "what can be seen after the refusals")
    right: list[Operation] = [
        Check(ref=A, expect=1), put(A, 1), Check(ref=D, expect=0), put(D, 0, {}, [source("9")]), free, held,
        append("log:1", {}, 1), CheckStream(stream="log:1", seq=1), rekey(C, 1), Check(ref=C, expect=1),
        delete(B, 1), Check(ref=B, expect=1), Check(ref=B, expect=1),
    ]  # fmt: skip
    same(await write(*right), {A: 2, D: 1, B: 2}, "the versions")


@guarantee("G9", part=TENANTS)
async def a_position_that_the_feed_does_not_reach_is_expired(subject: Subject) -> None:
    """A reader whose position lies beyond the feed, because what it had read is gone, is told so and not that there is
    nothing new."""
    store, write = await _before(subject)
    if not has_feed(store):
        raise NotAsked("the store has no feed")
    position = (await store.apply(write.batch(*OPS))).position
    await tenants_of(store).drop_tenant(TENANT)
    await refused(PositionExpired, store.changes(TENANT, position))
    await write(put(A), idem="again")
    await refused(PositionExpired, store.changes(TENANT, position))


@guarantee("G12")
async def every_part_of_a_closed_store_says_so(subject: Subject) -> None:
    """After close the calls of every part that a store claims raise StoreClosed, as the others do."""
    store = await subject.fresh()
    await Writer(store)(put(A, 0, {}, [ANN]))
    await store.close()
    for call in calls_of_claimed(store):
        await refused(StoreClosed, call())
        subject.saw("calls")
