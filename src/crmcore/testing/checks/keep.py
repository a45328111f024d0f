"""G6, G11, G13 and G17: that what is kept is what was given, for as long as promised and up to which size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs

from crmcore.errors import BatchTooLarge, Fenced, InvalidRecord, StoreError, VersionConflict
from crmcore.storage import Append, Draft, Key, Limits, Operation, Put, Ref, Sort
from crmcore.testing.kit import (
    EXCLUSIVE,
    NOW,
    TENANT,
    Subject,
    Writer,
    append,
    carriers,
    delete,
    email,
    feed,
    guarantee,
    holds,
    ledger,
    name_sort,
    picture,
    put,
    record,
    ref,
    refused,
    rekey,
    same,
    source,
    uid,
)
from crmcore.values.frozen_map import FrozenMap

A, B, C = ref(1), ref(2), ref(3)
ANN = email("ann@x.org")

BODIES: list[Any] = [
    {},
    {"": ""},
    {"a": None, "b": True, "c": False, "d": 0, "e": -1, "f": 2**53 - 1, "g": -(2**53) + 1},
    {"nested": {"list": [1, [2, [3, {"x": []}]], {}], "empty": {}}},
    {"nfc": "\u00e9", "nfd": "e\u0301", "é": 1, "e\u0301": 2},
    {"bidi": "a\u202eb", "zwj": "👩‍👩‍👧", "four": "𝔘😀", "bom": "\ufeff", "nonchar": "\uffff\U0010ffff"},
    {"blank": " a ", "tab": "\t", "lines": "a\r\nb\u2028c\u0085d", "del": "\x7f\x01\x1f"},
    {"quotes": "\"'\\/", "escape": "\\u0000", "html": "<script>&amp;", "sql": "'; DROP TABLE record; --"},
    {"long": "x" * 10_000, "many": [str(number) for number in range(1000)]},
    {"case": ["ß", "SS", "ẞ", "İ", "ı"], "number_like": ["1.0", "1e5", "007", "NaN"]},
]


# --- G6: given back as given --------------------------------------------------------------------------


@guarantee("G6")
async def a_body_comes_back_as_it_was_given(subject: Subject) -> None:
    """Records and entries hold every JSON value that may be kept, unchanged and of the same type."""
    store = await subject.fresh()
    write = Writer(store)
    for number, body in enumerate(BODIES):
        await write(put(ref(number), 0, body, schema=number), append("log:1", body))
    entries = await ledger(store, "log:1")
    for number, body in enumerate(BODIES):
        found = await record(store, ref(number))
        assert found is not None
        same((found.schema, found.body), (number, body), "the record")
        same(repr(_sorted(found.body)), repr(_sorted(body)), "the types in the record")
        same(entries[number].body, body, "the entry")


def _sorted(value: Any) -> Any:
    """A JSON value with the names in order; equality alone would let 1 stand for True."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


@guarantee("G6")
async def frozen_bodies_are_kept_like_plain_ones(subject: Subject) -> None:
    """Maps and tuples that cannot change are objects and arrays, as the library's own values hold them."""
    store = await subject.fresh()
    await Writer(store)(put(A, 0, FrozenMap({"a": {"b": [1, {"c": "d"}]}, "e": ("x", "y")})))
    found = await record(store, A)
    same(found and found.body, {"a": {"b": [1, {"c": "d"}]}, "e": ["x", "y"]}, "the body")


@guarantee("G6")
async def keys_and_sorts_come_back_as_they_were_given(subject: Subject) -> None:
    """A record gives back its keys and sorts, to the byte."""
    store = await subject.fresh()
    keys = {email(value) for value in ("", " ", "e\u0301", "\u00e9", "a\x1fb", '"\\', "😀" * 100, "\x00"[:0])}
    keys |= {Key("x.y-z:1_2", "v"), source("crm:eu1\x1f4711")}
    sorts = {
        name_sort(bytes(range(64))),
        name_sort(b""),
        Sort("due", "part ü/7", b"\x00\xff"),
        Sort("due", "", b"\x00\xff"),
    }
    await Writer(store)(put(A, 0, {}, keys, sorts))
    found = await record(store, A)
    same(found and (found.keys, found.sorts), (keys, sorts), "the keys and sorts")
    ranged = (await store.range(TENANT, "due", ["", "part ü/7"])).items
    same(
        {sort for sort, _ in ranged},
        {sort for sort in sorts if sort.namespace == "due"},
        "the sorts of the range",
    )


@guarantee("G6")
async def instants_are_kept_to_the_microsecond(subject: Subject) -> None:
    """An entry keeps its instants, its subjects and its schema; an instant is the same one in any zone."""
    store = await subject.fresh()
    write = Writer(store)
    instants = [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 3, 29, 2, 30, 0, 1, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    ]
    for instant in instants:
        draft = Draft(
            occurred_at=instant, recorded_at=NOW, subjects=(uid(2), uid(1), uid(2)), schema="v/9", body={}
        )
        await write(Append(stream="log:1", entry=draft))
    for entry, instant in zip(await ledger(store, "log:1"), instants, strict=True):
        same((entry.occurred_at, entry.recorded_at), (instant, NOW), "the instants")
        same((entry.subjects, entry.schema), ((uid(2), uid(1), uid(2)), "v/9"), "subjects and schema")
        holds(entry.occurred_at.tzinfo is not None, "an instant without a zone")


# --- G11: kept when the process is gone ---------------------------------------------------------------


@guarantee("G11", durable=True)
async def a_reopened_store_has_everything(subject: Subject) -> None:
    """Records, keys, order, ledgers, feed, receipts, fences, cursors and versions outlive the store object."""
    store = await subject.fresh()
    write = Writer(store)
    batch = write.batch(
        put(A, 0, {"n": 1}, [ANN, source("1")], [name_sort(b"a")]), put(B, 0, {}, [ANN]), append("log:1")
    )
    receipt = await store.apply(batch)
    await write(put(C), idem="c1")
    await write(delete(C, 1), idem="c2")
    same(await store.outcome(TENANT, "never"), None, "the outcome of a batch that never came")
    before = await picture(store, [ANN, source("1")], ["log:1"])
    cursor = (await store.find(TENANT, [ANN], limit_per_key=1))[ANN].next
    assert cursor is not None
    store = await subject.reopen(store)
    write = Writer(store)
    same(await picture(store, [ANN, source("1")], ["log:1"]), before, "what can be seen")
    same((await store.find(TENANT, [ANN], after={ANN: cursor}))[ANN].refs, (B,), "what the cursor leads to")
    same(len((await store.changes(TENANT, receipt.position)).items), 2, "the changes after the receipt")
    same((await store.apply(batch)).replayed, True, "whether the batch is known")
    await refused(Fenced, store.apply(write.batch(put(ref(9)), idem="never")))
    await refused(VersionConflict, store.apply(write.batch(put(C, 1))))
    same((await write(put(C), idem="c3"))[C], 3, "the next version of a deleted record")
    same(store.describe().exclusive, EXCLUSIVE, "the exclusive namespaces")
    holds(store.describe().durability != "none", "a store that keeps things says that it does not")


# --- G13: nothing is shared ---------------------------------------------------------------------------


@guarantee("G13")
async def what_was_passed_in_can_be_changed_afterwards(subject: Subject) -> None:
    """Changing a body after apply changes nothing that is kept."""
    store = await subject.fresh()
    body: dict[str, Any] = {"list": [1], "map": {"a": 1}}
    entry: dict[str, Any] = {"list": [1]}
    batch = Writer(store).batch(put(A, 0, body), append("log:1", entry))
    await store.apply(batch)
    body["list"].append(2)
    body["map"]["b"] = 2
    entry["list"].append(2)
    found = await record(store, A)
    same(found and found.body, {"list": [1], "map": {"a": 1}}, "the record")
    same((await ledger(store, "log:1"))[0].body, {"list": [1]}, "the entry")


@guarantee("G13")
async def what_was_handed_out_can_be_changed(subject: Subject) -> None:
    """Changing an answer changes neither what is kept nor what others were given."""
    store = await subject.fresh()
    write = Writer(store)
    receipt = await store.apply(
        write.batch(put(A, 0, {"list": [1]}), append("log:1", {"list": [1]}), idem="once")
    )
    first, other = await record(store, A), await record(store, A)
    assert first is not None
    first.body["list"].append(2)
    (await ledger(store, "log:1"))[0].body["list"].append(2)
    (await scanned_body(store))["list"].append(2)
    if isinstance(receipt.versions, dict):
        receipt.versions.clear()
    for found in (other, await record(store, A)):
        same(found and found.body, {"list": [1]}, "the record")
    same((await ledger(store, "log:1"))[0].body, {"list": [1]}, "the entry")
    again = await store.outcome(TENANT, "once")
    same(again and dict(again.versions), {A: 1}, "the versions of the receipt")


async def scanned_body(store: Any) -> Any:
    return (await store.scan(TENANT, "party")).items[0].body


# --- G17: limits --------------------------------------------------------------------------------------


@guarantee("G17")
async def a_store_takes_at_least_what_every_store_must(subject: Subject) -> None:
    """The declared limits are not below the floor, and the exclusive namespaces are those asked for."""
    description = (await subject.fresh()).describe()
    same(description.exclusive, EXCLUSIVE, "the exclusive namespaces")
    same(description.protocol, "crmcore.storage/1", "the protocol")
    for field in attrs.fields(Limits):
        declared, floor = getattr(description.limits, field.name), getattr(Limits(), field.name)
        holds(declared >= floor, f"{field.name} is {declared}, and every store must take {floor}")
    for capability in description.capabilities:
        holds(
            capability.support == "full" or capability.reason,
            f"{capability.name} is missing without a reason",
        )


@guarantee("G17")
async def what_is_at_a_limit_is_kept_and_one_more_is_refused(subject: Subject) -> None:
    """Every declared limit is exact, and what is over it writes nothing."""
    store = await subject.fresh()
    write = Writer(store)
    limits = store.describe().limits
    fits: list[Put] = [
        put(ref(1), 0, {"t": "x" * (limits.max_body_bytes - len('{"t":""}'))}),
        put(ref(2), 0, {"t": "é" * ((limits.max_body_bytes - len('{"t":""}')) // 2)}),
        put(ref(3), 0, {}, [email(str(number)) for number in range(limits.max_keys)]),
        put(ref(4), 0, {}, [ANN], [name_sort(bytes([n])) for n in range(limits.max_keys - 1)]),
        put(ref(5), 0, {}, [email("x" * limits.max_key_bytes), email("é" * (limits.max_key_bytes // 2))]),
        put(ref(6), 0, {}, (), [name_sort(b"x" * limits.max_sort_bytes)]),
        put(ref(7), 0, _nested(64)),
    ]
    over: list[Put] = [
        put(ref(11), 0, {"t": "x" * (limits.max_body_bytes - len('{"t":""}') + 1)}),
        put(ref(12), 0, {"t": "é" * ((limits.max_body_bytes - len('{"t":""}')) // 2 + 1)}),
        put(ref(13), 0, {}, [email(str(number)) for number in range(limits.max_keys + 1)]),
        put(ref(14), 0, {}, [ANN], [name_sort(bytes([n])) for n in range(limits.max_keys)]),
        put(ref(15), 0, {}, [email("x" * (limits.max_key_bytes + 1))]),
        put(ref(16), 0, {}, [email("é" * (limits.max_key_bytes // 2) + "xx")]),
        put(ref(17), 0, {}, (), [name_sort(b"x" * (limits.max_sort_bytes + 1))]),
        put(ref(18), 0, _nested(65)),
        put(ref(19), 0, _nested(100_000)),
    ]
    for op in fits:
        await write(op)
    for op in over:
        await refused(StoreError, store.apply(write.batch(put(ref(99)), op)))
    same(
        sorted(await store.get([op.ref for op in (*fits, *over, put(ref(99)))])),
        [op.ref for op in fits],
        "the records",
    )


def _nested(levels: int) -> Any:
    body: Any = {}
    for _ in range(levels - 1):
        body = {"x": body}
    return body


@guarantee("G17")
async def a_batch_over_its_limits_is_refused(subject: Subject) -> None:
    """The number of operations and the bytes of a batch are limited, and the refusal says by how much."""
    store = await subject.fresh()
    write = Writer(store)
    limits = store.describe().limits
    ops = [append("log:1") for _ in range(limits.max_ops)]
    await write(*ops)
    error = await refused(BatchTooLarge, store.apply(write.batch(*ops, append("log:2"))))
    same((error.limit, error.got), (limits.max_ops, limits.max_ops + 1), "what the refusal says")
    half = "x" * (limits.max_body_bytes // 2)
    many = 2 * limits.max_batch_bytes // limits.max_body_bytes + 1
    await refused(
        BatchTooLarge, store.apply(write.batch(*(append("log:2", {"t": half}) for _ in range(many))))
    )
    same(await ledger(store, "log:2"), (), "what the refused batches wrote")


@guarantee("G17")
async def a_read_over_its_limits_is_refused(subject: Subject) -> None:
    """One call asks for so many records, keys, parts or streams at most."""
    store = await subject.fresh()
    many = store.describe().limits.max_refs
    for count in (many, many + 1):
        calls = [
            store.get([ref(number) for number in range(count)]),
            store.find(TENANT, [email(str(number)) for number in range(count)]),
            store.fanout(TENANT, [email(str(number)) for number in range(count)], cap=1),
            store.range(TENANT, "name", [str(number) for number in range(count)]),
            store.ledger(TENANT, [f"log:{number}" for number in range(count)]),
        ]
        for call in calls:
            await (call if count == many else refused(BatchTooLarge, call))


@guarantee("G17")
async def what_no_store_can_keep_is_refused(subject: Subject) -> None:
    """Floats, NUL, lone surrogates, large integers, names that are no text, and malformed names write nothing."""
    store = await subject.fresh()
    write = Writer(store)
    bodies: list[Any] = [
        {"x": 1.5}, {"x": [1, {"y": 1.0}]}, {"x": float("nan")}, {"x": float("inf")}, {"x": 2**53}, {"x": -(2**53)},
        {"x": "a\x00b"}, {"a\x00": 1}, {"x": "\ud800"}, {"\udfff": 1}, {1: "x"}, {None: 1}, {"x": {1: 2}}, {"x": b"y"},
        {"x": NOW}, {"x": {1, 2}}, [1], "x", None.__class__, {"x": object()},
    ]  # fmt: skip
    loop: dict[str, Any] = {}
    loop["x"] = loop
    drafts = [
        Draft(occurred_at=NOW.replace(tzinfo=None), recorded_at=NOW, subjects=(), schema="v", body={}),
        Draft(occurred_at=NOW, recorded_at=NOW.replace(tzinfo=None), subjects=(), schema="v", body={}),
        Draft(occurred_at=NOW, recorded_at=NOW, subjects=("x",), schema="v", body={}),
        Draft(occurred_at=NOW, recorded_at=NOW, subjects=(), schema="", body={}),
        Draft(
            occurred_at=datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            recorded_at=NOW,
            subjects=(),
            schema="v",
            body={},
        ),
    ]
    ops: list[Operation] = [
        *(put(A, 0, body) for body in [*bodies, loop]),
        *(append("log:1", body) for body in bodies),
        *(Append(stream="log:1", entry=draft) for draft in drafts),
        *(put(A, 0, {}, [Key(name, "x")]) for name in ("", "A", "é", "x" * 65, "a b", "a\n")),
        *(put(A, 0, {}, [email(value)]) for value in ("a\x00b", "\ud800")),
        *(put(A, 0, {}, (), [Sort("name", part, b"")]) for part in ("x" * 257, "a\x00", "\ud800", "a\n")),
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
        put(A, 0, {}, (), [Sort("name", "", "text")]),  # type: ignore[arg-type]  # text on purpose
        put(A, 0, {}, [Key("email", 7)]),  # type: ignore[arg-type]  # a number on purpose
        NOW,  # type: ignore[list-item]  # no operation at all
        append("log:1", expect_seq=-1),
        put(A, 0, schema=-1),
    ]
    for op in ops:
        error = await refused(InvalidRecord, store.apply(write.batch(put(B), op)))
        holds("\x00" not in str(error) and "\ud800" not in str(error), "the message holds what was refused")
    for head in (
        {"idem": "a\x00"},
        {"idem": "x" * 257},
        {"reason": "x" * 5000},
        {"reason": "\ud800"},
        {"at": NOW.replace(tzinfo=None)},
    ):
        await refused(InvalidRecord, store.apply(write.batch(put(B), **head)))
    for key in (email("\ud800"), Key("A", "x")):
        await refused(InvalidRecord, store.find(TENANT, [key]))
        await refused(InvalidRecord, store.fanout(TENANT, [key], cap=1))
    for tenant in ("", "a\x00", "x" * 257):
        await refused(InvalidRecord, store.apply(Writer(store, tenant).batch(idem="x")))
        await refused(InvalidRecord, store.changes(tenant))
    same(
        (await record(store, B), await feed(store), await carriers(store, ANN)),
        (None, [], ()),
        "what was written",
    )
