"""What the frozen store files of the tests hold, as calls: played over any store, it gives the same."""

from __future__ import annotations

from crmcore.storage import AsyncStore, Chunk, Json, NewEntry, NewRecord, Row, bulk_of
from crmcore.testing.kit import (
    NOW,
    TENANT,
    Writer,
    append,
    delete,
    email,
    name_sort,
    put,
    ref,
    rekey,
    source,
    uid,
)
from crmcore.values.source import SYSTEM, Actor


async def play(store: AsyncStore) -> None:
    """Something of every sort that version 1 of a store file could hold."""
    write = Writer(store)
    await write(
        put(ref(1), 0, {"name": "Zoë 😀"}, [email("zoe@x.org"), source("1")], [name_sort(b"zoe")]),
        append("log:1", {"said": "hello"}),
        reason="import",
        actor=Actor("person", "u1"),
    )
    await write(put(ref(2), 0, {"n": [1, None, True]}), put(ref(3, kind="note"), 0, {}))
    await write(delete(ref(2), 1), append("log:1", {"said": "bye"}, 1))
    await write(put(ref(1), 1, {"name": "Zoe"}, [email("zoe@x.org"), source("1")], [name_sort(b"zoe", "a")]))
    await write(rekey(ref(1), 2, [email("z@x.org"), source("1")], [name_sort(b"z")]))
    await write()
    rows = [_row(20, "k20"), _row(21, "k21"), _row(22, "k20")]
    chunk = Chunk(tenant=TENANT, rows=rows, idem="chunk-1", digest="d", actor=SYSTEM, reason="load", at=NOW)
    await bulk_of(store).load(chunk)
    assert await store.outcome(TENANT, "fenced") is None
    await Writer(store, "zeta")(put(ref(1, tenant="zeta"), 0, {"z": 1}, [source("1")]))


def _row(number: int, key: str) -> Row:
    record = NewRecord("party", uid(number), 1, Json.of({"n": number}), [source(key)], [name_sort(b"x", "b")])
    return Row((record,), (NewEntry("log:3", NOW, NOW, (uid(number),), "note/1", Json.of({})),))
