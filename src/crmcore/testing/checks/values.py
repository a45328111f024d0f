"""G6: what is kept is what was given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from crmcore.storage import (
    Append,
    Draft,
    Key,
    Sort,
)
from crmcore.storage.capability import ORDERED_TEXT
from crmcore.testing.kit import (
    NOW,
    TENANT,
    A,
    Subject,
    Writer,
    append,
    due,
    email,
    guarantee,
    holds,
    ledger,
    name_sort,
    put,
    record,
    ref,
    same,
    source,
    uid,
)
from crmcore.values.frozen_map import FrozenMap

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
        due(0),
        Sort("due", "", bytes(8)),
        due(1, "part ü/7"),
        due(1, " "),
        due(1),
    }
    await Writer(store)(put(A, 0, {}, keys, sorts))
    found = await record(store, A)
    same(found and (found.keys, found.sorts), (keys, sorts), "the keys and sorts")
    ranged = (await store.range(TENANT, "due", ["", "part ü/7", " "])).items
    same({sort for sort, _ in ranged}, sorts, "the sorts of the range")


@guarantee("G6", part=ORDERED_TEXT)
async def sorts_of_texts_come_back_as_they_were_given(subject: Subject) -> None:
    """A record gives back the texts that it is ordered by, to the byte."""
    store = await subject.fresh()
    sorts = {name_sort(bytes(range(64))), name_sort(b""), name_sort(b"\x00"), Sort("due", "", b"\x00\xff")}
    await Writer(store)(put(A, 0, {}, (), sorts))
    found = await record(store, A)
    same(found and found.sorts, sorts, "the sorts")


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
