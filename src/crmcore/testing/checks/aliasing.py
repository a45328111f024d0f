"""G13: nothing that is passed in or handed out is shared with what is kept, and what was passed in stays as it was."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from typing import Any

import attrs

from crmcore.errors import VersionConflict
from crmcore.storage import AsyncStore, Batch, bulk_of, claims, stream_of
from crmcore.storage.capability import BULK, CHANGES, STREAM
from crmcore.testing.kit import (
    ANN,
    BOB,
    KEYS,
    STREAMS,
    TENANT,
    A,
    B,
    Subject,
    Writer,
    append,
    due,
    guarantee,
    holds,
    picture,
    put,
    refused,
    same,
    source,
)
from crmcore.testing.rows import chunk, row
from crmcore.testing.spoiling import spoil


def _batch() -> Batch:
    """Something of everything that has a body, in which much can be changed."""
    body: dict[str, Any] = {"list": [1, {"n": [2]}], "map": {"a": 1}}
    return Writer(None).batch(  # type: ignore[arg-type]  # it only makes the batch
        put(A, 0, body, [ANN, source("1")], [due(1)]),
        put(B, 0, copy.deepcopy(body), [ANN, BOB], [due(2)]),
        append("log:1", copy.deepcopy(body)),
        append("log:1", {"list": [1]}),
        idem="once",
    )


@guarantee("G13", least={"places that were changed": 10})
async def what_was_passed_in_can_be_changed_afterwards(subject: Subject) -> None:
    """A batch is after apply what it was before, also one that is refused or sent again; changing everything in it
    changes nothing that is kept."""
    store, untouched = await subject.fresh(), await subject.fresh()
    batch = _batch()
    await untouched.apply(_batch())
    await store.apply(batch)
    same(batch, _batch(), "a batch after it was applied")
    await store.apply(batch)
    same(batch, _batch(), "a batch after it was sent again")
    stale = attrs.evolve(_batch(), idem="stale")
    await refused(VersionConflict, store.apply(stale))
    same(stale, attrs.evolve(_batch(), idem="stale"), "a batch after it was refused")
    for op in (*batch.ops, *stale.ops):
        subject.saw("places that were changed", spoil(getattr(op, "body", None) or op.entry.body))  # type: ignore[union-attr]  # all are of these two
    kept, wanted = [await picture(one, KEYS, STREAMS) for one in (store, untouched)]
    there = [await one.get([A, B]) for one in (store, untouched)]
    same(dict(there[0]), dict(there[1]), "the records after a batch was changed that wrote them")
    for name in ("records", "found", "ordered", "ledgers"):
        same(
            getattr(kept, name),
            getattr(wanted, name),
            f"the {name} after a batch was changed that wrote them",
        )
    asked: list[Any] = [[A, B], [ANN, BOB], ["log:1", "log:2"], {"log:1": 1}, {}]
    refs, keys, streams, after, cursors = copy.deepcopy(asked)
    await store.get(refs)
    await store.find(TENANT, keys, after=cursors)
    await store.fanout(TENANT, keys, cap=9)
    await store.ledger(TENANT, streams, after=after)
    same([refs, keys, streams, after, cursors], asked, "what was asked with")


@guarantee("G13", least={"places that were changed": 20})
async def what_was_handed_out_can_be_changed(subject: Subject) -> None:
    """Changing everything that can be changed in an answer of any call changes neither what is kept, nor what others
    were given, nor what is given later."""
    store = await subject.fresh()
    batch = _batch()
    calls = _calls(store, batch)
    for call in calls:
        await call()
    before = await picture(store, KEYS, STREAMS)
    clean = [copy.deepcopy(await call()) for call in calls]
    others = [await call() for call in calls]
    for call in calls:
        subject.saw("places that were changed", spoil(await call()))
    holds(others == clean, "what others were given was changed with an answer")
    later = [await call() for call in calls]
    for number, (now, then) in enumerate(zip(later, clean, strict=True)):
        same(now, then, f"the answer to the call {number} after the one before was changed")
    same(await picture(store, KEYS, STREAMS), before, "what can be seen after answers were changed")


def _calls(store: AsyncStore, batch: Batch) -> list[Callable[[], Awaitable[Any]]]:
    """Calls that give the same each time, but for the first of them."""
    calls: list[Callable[[], Awaitable[Any]]] = [
        lambda: store.apply(batch),
        lambda: store.get([A, B]),
        lambda: store.find(TENANT, KEYS),
        lambda: store.fanout(TENANT, KEYS, cap=9),
        lambda: store.range(TENANT, "due", [""]),
        lambda: store.scan(TENANT, "party"),
        lambda: store.ledger(TENANT, STREAMS),
        lambda: store.outcome(TENANT, "once"),
    ]
    if claims(store.describe(), CHANGES):
        calls.append(lambda: store.changes(TENANT))
    if claims(store.describe(), STREAM):
        calls.append(lambda: _exported(store))
    if claims(store.describe(), BULK):
        loaded = chunk(row(40), row(41), idem="load")
        calls += [lambda: bulk_of(store).load(loaded), lambda: bulk_of(store).loaded(TENANT, "load", "rows")]
    return calls


async def _exported(store: AsyncStore) -> list[Any]:
    snapshot = await stream_of(store).export()
    rows = list(await snapshot.read(1000))
    await snapshot.close()
    return rows
