"""G17: what no store can keep is refused with nothing written."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import attrs

from crmcore.errors import InvalidRecord
from crmcore.storage import Append, AsyncStore, Draft, Key, Operation, Ref, Sort, claims
from crmcore.storage.capability import CHANGES
from crmcore.testing.kit import (
    ANN,
    NOW,
    TENANT,
    A,
    B,
    Subject,
    Writer,
    append,
    carriers,
    delete,
    email,
    feed,
    guarantee,
    holds,
    put,
    record,
    refused,
    rekey,
    same,
    uid,
)


async def _none_is_taken(store: AsyncStore, ops: list[Operation]) -> None:
    """Each of *ops* is refused, together with a good one, and nothing is written."""
    write = Writer(store)
    for op in ops:
        error = await refused(InvalidRecord, store.apply(write.batch(put(B), op)))
        holds("\x00" not in str(error) and "\ud800" not in str(error), "the message holds what was refused")
    same(
        (await record(store, B), await feed(store), await carriers(store, ANN)),
        (None, [], ()),
        "what was written",
    )


@guarantee("G17")
async def a_body_that_is_no_json_is_refused(subject: Subject) -> None:
    """Floats, NUL, lone surrogates, large integers, names that are no text, and other objects write nothing."""
    bodies: list[Any] = [
        {"x": 1.5}, {"x": [1, {"y": 1.0}]}, {"x": float("nan")}, {"x": float("inf")}, {"x": 2**53}, {"x": -(2**53)},
        {"x": "a\x00b"}, {"a\x00": 1}, {"x": "\ud800"}, {"\udfff": 1}, {1: "x"}, {None: 1}, {"x": {1: 2}}, {"x": b"y"},
        {"x": NOW}, {"x": {1, 2}}, [1], "x", None.__class__, {"x": object()},
    ]  # fmt: skip
    loop: dict[str, Any] = {}
    loop["x"] = loop
    store = await subject.fresh()
    await _none_is_taken(
        store,
        [*(put(A, 0, body) for body in [*bodies, loop]), *(append("log:1", body) for body in bodies)],
    )


@guarantee("G17")
async def an_entry_that_no_store_can_keep_is_refused(subject: Subject) -> None:
    """Instants without a zone or before the year 1, ids that are none, and an empty schema write nothing."""
    good = Draft(occurred_at=NOW, recorded_at=NOW, subjects=(), schema="v", body={})
    early = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    drafts = [
        attrs.evolve(good, occurred_at=NOW.replace(tzinfo=None)),
        attrs.evolve(good, recorded_at=NOW.replace(tzinfo=None)),
        attrs.evolve(good, subjects=("x",)),
        attrs.evolve(good, schema=""),
        attrs.evolve(good, occurred_at=early),
    ]
    await _none_is_taken(await subject.fresh(), [Append(stream="log:1", entry=draft) for draft in drafts])


@guarantee("G17")
async def what_no_store_can_keep_is_refused(subject: Subject) -> None:
    """Malformed names, ids, versions and sorts, and what is no operation at all, write nothing."""
    ops: list[Operation] = [
        *(put(A, 0, {}, [Key(name, "x")]) for name in ("", "A", "é", "x" * 65, "a b", "a\n")),
        *(put(A, 0, {}, [email(value)]) for value in ("a\x00b", "\ud800")),
        *(put(A, 0, {}, (), [Sort("due", part, bytes(8))]) for part in ("x" * 257, "a\x00", "\ud800", "a\n")),
        *(put(Ref(TENANT, kind, uid(1))) for kind in ("", "Party", "a b", "é", "x" * 65)),
        *(
            put(Ref(TENANT, "party", id_))
            for id_ in ("", "x", uid(1).replace("7", "4"), uid(10).upper(), uid(1) + "\n")
        ),
        *(append(stream) for stream in ("", "a\x00", "a\n", "x" * 257, "\ud800")),
        *(put(A, expect) for expect in (-1, True, 2**53)),
        *(delete(A, expect) for expect in (-1, 0)),
        rekey(A, 0),
        attrs.evolve(put(A), keys=[ANN, ANN]),  # type: ignore[arg-type]  # a list on purpose
        put(A, 0, {}, (), [Sort("due", "", "text")]),  # type: ignore[arg-type]  # text on purpose
        put(A, 0, {}, [Key("email", 7)]),  # type: ignore[arg-type]  # a number on purpose
        NOW,  # type: ignore[list-item]  # no operation at all
        append("log:1", expect_seq=-1),
        put(A, 0, schema=-1),
    ]
    await _none_is_taken(await subject.fresh(), ops)


@guarantee("G17")
async def a_heading_that_no_store_can_keep_is_refused(subject: Subject) -> None:
    """A batch or a question with a malformed tenant, key or reason, or without a zone, is refused."""
    store = await subject.fresh()
    write = Writer(store)
    heads: tuple[dict[str, Any], ...] = (
        {"idem": "a\x00"},
        {"idem": "x" * 257},
        {"reason": "x" * 5000},
        {"reason": "\ud800"},
        {"at": NOW.replace(tzinfo=None)},
    )
    for head in heads:
        await refused(InvalidRecord, store.apply(write.batch(put(B), **head)))
    for key in (email("\ud800"), Key("A", "x")):
        await refused(InvalidRecord, store.find(TENANT, [key]))
        await refused(InvalidRecord, store.fanout(TENANT, [key], cap=1))
    for tenant in ("", "a\x00", "x" * 257):
        await refused(InvalidRecord, store.apply(Writer(store, tenant).batch(idem="x")))
        if claims(store.describe(), CHANGES):
            await refused(InvalidRecord, store.changes(tenant))
    same((await record(store, B), await feed(store)), (None, []), "what was written")
