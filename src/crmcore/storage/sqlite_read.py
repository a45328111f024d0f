"""Reads of the SQLite file, within a transaction that the caller has begun.

Invariant: every statement is a constant with parameters, and every order that a page relies on is that of a primary
key.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from heapq import merge
from operator import attrgetter
from typing import Any, NamedTuple

from crmcore.storage.document import decode, write
from crmcore.storage.erasing import erased_idem
from crmcore.storage.kept import entry_of, from_kept
from crmcore.storage.paging import Place, RangeQuery, ScanQuery, Seek
from crmcore.storage.plan import Current, Event, change
from crmcore.storage.protocol import Change, Entry, Key, Position, Record, Ref, Sort
from crmcore.storage.skimming import Beginning, Skimmed
from crmcore.storage.validate import Address, KeyPair, SortTriple, actor_of, carried_by

NO_TENANT = -1


def to_blob(id_: str) -> bytes:
    """The 16 bytes of an id; bytes sort as the text does. The empty text stays empty."""
    return bytes.fromhex(id_.replace("-", ""))


def to_text(blob: bytes) -> str:
    text = blob.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def tenant_number(connection: sqlite3.Connection, tenant: str) -> int:
    row = connection.execute("SELECT no FROM tenant WHERE name = ?", (tenant,)).fetchone()
    return NO_TENANT if row is None else int(row[0])


def tenant_names(connection: sqlite3.Connection, after: str, limit: int) -> list[str]:
    """The tenants after a name, one more than *limit* if there are more."""
    rows = connection.execute(
        "SELECT name FROM tenant WHERE name > ? ORDER BY name LIMIT ?", (after, limit + 1)
    )
    return [name for (name,) in rows]


class Owner(NamedTuple):
    """A tenant: its number, its name, the number of its last change, and its generation (`new_generation`)."""

    no: int
    name: str
    head: int
    generation: str


def owner(connection: sqlite3.Connection, tenant: str) -> Owner:
    """A tenant as it is now."""
    row = connection.execute(
        "SELECT no, name, head, generation FROM tenant WHERE name = ?", (tenant,)
    ).fetchone()
    return Owner(NO_TENANT, tenant, 0, "") if row is None else Owner(*row)


def current(
    connection: sqlite3.Connection, number: int, addresses: Collection[Address]
) -> dict[Address, Current]:
    """Records as they are now, those that were deleted among them; what is missing was never there."""
    by_kind: dict[str, list[str]] = {}
    for kind, id_ in addresses:
        by_kind.setdefault(kind, []).append(id_)
    found: dict[Address, Current] = {}
    for kind, ids in by_kind.items():
        # SQLite cuts the ids out of one long value, so one statement serves any number; CROSS JOIN keeps the order.
        rows = connection.execute(
            "SELECT record.id, version, body IS NOT NULL, carries FROM json_each(?2) AS place "
            "CROSS JOIN record ON tenant = ?3 AND kind = ?4 AND record.id = substr(?1, place.value + 1, 16)",
            (b"".join(map(to_blob, ids)), write(list(range(0, 16 * len(ids), 16))), number, kind),
        )
        for blob, version, live, carries in rows:
            found[kind, to_text(blob)] = Current(version, bool(live), *carried_by(carries))
    return found


def lengths(connection: sqlite3.Connection, number: int, streams: Collection[str]) -> dict[str, int]:
    """How many entries ledgers have."""
    rows = connection.execute(
        "SELECT value, (SELECT max(seq) FROM ledger WHERE tenant = ?1 AND stream = value) FROM json_each(?2)",
        (number, write(list(streams))),
    )
    return {stream: seq for stream, seq in rows if seq is not None}


def _asked(values: Collection[str]) -> str:
    """Values to look for, as JSON. SQLite would cut one at U+0000, which no stored one holds: null is found nowhere."""
    return write([None if "\0" in value else value for value in values])


def holders(
    connection: sqlite3.Connection, number: int, pairs: Collection[KeyPair]
) -> dict[KeyPair, Address]:
    """Who holds exclusive keys."""
    by_namespace: dict[str, list[str]] = {}
    for namespace, value in pairs:
        by_namespace.setdefault(namespace, []).append(value)
    found: dict[KeyPair, Address] = {}
    for namespace, values in by_namespace.items():
        rows = connection.execute(
            "SELECT key.value, key.kind, key.id FROM json_each(?1) AS asked "
            "CROSS JOIN key ON tenant = ?2 AND namespace = ?3 AND key.value = asked.value",
            (_asked(values), number, namespace),
        )
        found.update(((namespace, value), (kind, to_text(blob))) for value, kind, blob in rows)
    return found


def record(connection: sqlite3.Connection, number: int, tenant: str, address: Address) -> Record | None:
    kind, id_ = address
    row = connection.execute(
        "SELECT version, schema, carries, body FROM record "
        "WHERE tenant = ? AND kind = ? AND id = ? AND body IS NOT NULL",
        (number, kind, to_blob(id_)),
    ).fetchone()
    return None if row is None else _record(Ref(tenant, kind, id_), *row)


# A named tuple made of a tuple, as its own `_make` does, but by the dozen for each record.
_KEY: Callable[[KeyPair], Key] = partial(tuple.__new__, Key)
_SORT: Callable[[SortTriple], Sort] = partial(tuple.__new__, Sort)


@from_kept
def _record(ref: Ref, version: int, schema: int, carries: str, body: str) -> Record:
    keys, sorts = carried_by(carries)
    return Record(
        ref=ref,
        version=version,
        schema=schema,
        body=decode(body),
        keys=frozenset(map(_KEY, keys)),
        sorts=frozenset(map(_SORT, sorts)),
    )


def first_carriers(
    connection: sqlite3.Connection, number: int, keys: Sequence[Key], limit: int
) -> dict[Key, list[Address] | None]:
    """Who carries those of *keys* that anybody does, in one statement for each namespace; None where more than *limit*
    do."""
    by_namespace: dict[str, list[str]] = {}
    for namespace, value in keys:
        by_namespace.setdefault(namespace, []).append(value)
    found: dict[Key, list[Address] | None] = {}
    for namespace, values in by_namespace.items():
        begin = 0
        while begin < len(values):
            begin += _carriers(connection, number, namespace, values[begin:], limit, found)
    for carriers in found.values():
        if carriers is not None:
            carriers.sort()
    return found


_CARRIERS = (
    "SELECT asked.key, key.kind, key.id FROM json_each(?3) AS asked "
    "CROSS JOIN key ON key.tenant = ?1 AND key.namespace = ?2 AND key.value = asked.value"
)


def _carriers(
    connection: sqlite3.Connection,
    number: int,
    namespace: str,
    values: list[str],
    limit: int,
    found: dict[Key, list[Address] | None],
) -> int:
    """Find carriers of *values* as far as the first that too many have; how far that was."""
    rows = connection.execute(_CARRIERS, (number, namespace, _asked(values)))
    for place, kind, blob in rows:
        key = Key(namespace, values[place])
        carriers = found.setdefault(key, [])
        if carriers is None or len(carriers) == limit:
            found[key] = None
            rows.close()
            return int(place) + 1
        carriers.append((kind, to_text(blob)))
    return len(values)


def carriers(connection: sqlite3.Connection, number: int, seek: Seek, limit: int) -> list[Address]:
    """Who carries a key, one more than *limit* if there are more."""
    kind, id_ = seek.after or ("", "")
    rows = connection.execute(
        "SELECT kind, id FROM key WHERE tenant = ? AND namespace = ? AND value = ? AND (kind, id) > (?, ?) "
        "ORDER BY kind, id LIMIT ?",
        (number, seek.key.namespace, seek.key.value, kind, to_blob(id_), limit + 1),
    )
    return [(kind, to_text(blob)) for kind, blob in rows]


def fanout(connection: sqlite3.Connection, number: int, key: Key, cap: int) -> int:
    row = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM key WHERE tenant = ? AND namespace = ? AND value = ? LIMIT ?)",
        (number, key.namespace, key.value, cap),
    ).fetchone()
    return int(row[0])


_FANOUTS = (
    "SELECT (SELECT count(*) FROM (SELECT 1 FROM key WHERE tenant = ?1 AND namespace = ?2 AND value = asked.value "
    "LIMIT ?3)) FROM json_each(?4) AS asked"
)
_BEARERS = (
    "SELECT asked.key, key.id FROM json_each(?4) AS asked "
    "CROSS JOIN key ON key.tenant = ?1 AND key.namespace = ?2 AND key.value = asked.value AND key.kind = ?3"
)
_BODIES = (
    "SELECT record.id, record.body FROM json_each(?2) AS place "
    "CROSS JOIN record ON tenant = ?3 AND kind = ?4 AND record.id = substr(?1, place.value + 1, 16)"
)


def fanouts(
    connection: sqlite3.Connection, number: int, namespace: str, values: list[str], cap: int
) -> list[int]:
    """How many carry each of *values*, in their order, counting no further than *cap*."""
    rows = connection.execute(_FANOUTS, (number, namespace, cap, _asked(values)))
    return [count for (count,) in rows]


def bearers(
    connection: sqlite3.Connection, number: int, namespace: str, values: list[str], kind: str
) -> list[tuple[int, bytes]]:
    """The records of a kind that carry one of *values*, each with the place of the value."""
    return connection.execute(_BEARERS, (number, namespace, kind, _asked(values))).fetchall()


def bodies(connection: sqlite3.Connection, number: int, kind: str, blobs: list[bytes]) -> dict[str, str]:
    """The texts of the bodies of records, by id, in the order given."""
    places = write(list(range(0, 16 * len(blobs), 16)))
    rows = connection.execute(_BODIES, (b"".join(blobs), places, number, kind))
    return {to_text(blob): body for blob, body in rows}


# Every value is of 64 bytes at most, so this lies after all of them.
_AFTER_ALL = b"\xff" * 65

_UPWARDS = (
    "SELECT value, id, kind FROM sort WHERE tenant = ? AND namespace = ? AND part = ? "
    "AND (value, id, kind) >= (?, ?, ?) AND (value, id, kind) <= (?, ?, ?) ORDER BY value, id, kind"
)
_DOWNWARDS = _UPWARDS.replace("ORDER BY value, id, kind", "ORDER BY value DESC, id DESC, kind DESC")


def places(connection: sqlite3.Connection, number: int, query: RangeQuery) -> Iterator[Place]:
    """The places of a range, its parts merged; each part is read no further than the merge asks for."""
    low: tuple[bytes, bytes, str] = (query.lo or b"", b"", "")
    high: tuple[bytes, bytes, str] = (_AFTER_ALL if query.hi is None else query.hi, b"", "")
    if query.after is not None:
        value, id_, kind, _ = query.after
        if query.reverse:
            high = min(high, (value, to_blob(id_), kind))
        else:
            low = max(low, (value, to_blob(id_), kind))
    statement = _DOWNWARDS if query.reverse else _UPWARDS

    def of_part(part: str) -> Iterator[Place]:
        rows = connection.execute(statement, (number, query.namespace, part, *low, *high))
        for value, blob, kind in rows:
            place = (value, to_text(blob), kind, part)
            # The bounds take in the place itself, as another part may hold the same record with the same value.
            if query.after is None or (place < query.after if query.reverse else place > query.after):
                yield place

    return merge(*map(of_part, query.parts), reverse=query.reverse)


# The shard is the 12 bits after the version digit, 7: bytes 7 and 8 of the id.
_OF_KIND = (
    "FROM record WHERE tenant = ? AND kind = ? AND id > ? "
    "AND body IS NOT NULL AND substr(id, 7, 2) BETWEEN ? AND ? ORDER BY id LIMIT ?"
)
_SCANNED = f"SELECT id, version, schema, carries, body {_OF_KIND}"
_SKIMMED = f"SELECT id, schema, body {_OF_KIND}"


def scan(connection: sqlite3.Connection, number: int, query: ScanQuery) -> Iterator[Record]:
    for blob, *rest in connection.execute(_SCANNED, _of_kind(number, query)):
        yield _record(Ref(query.tenant, query.kind, to_text(blob)), *rest)


def skim(connection: sqlite3.Connection, number: int, query: ScanQuery) -> Iterator[Skimmed]:
    """The records that `scan` gives, without what only their keys say."""
    for blob, schema, body in connection.execute(_SKIMMED, _of_kind(number, query)):
        yield to_text(blob), schema, body


def _of_kind(number: int, query: ScanQuery) -> tuple[Any, ...]:
    low, high = query.shards
    return (
        number,
        query.kind,
        to_blob(query.after),
        (0x7000 + low).to_bytes(2, "big"),
        (0x7000 + high - 1).to_bytes(2, "big"),
        query.limit + 1 if low < high else 0,
    )


_FORWARD = (
    "SELECT seq, occurred, recorded, subjects, schema, body FROM ledger "
    "WHERE tenant = ? AND stream = ? AND seq > ? ORDER BY seq LIMIT ?"
)
_BACKWARD = (
    "SELECT seq, occurred, recorded, subjects, schema, body FROM ledger "
    "WHERE tenant = ? AND stream = ? AND seq < ? ORDER BY seq DESC LIMIT ?"
)
_NO_SEQ = (1 << 63) - 1


def entries(
    connection: sqlite3.Connection, number: int, stream: str, after: int | None, limit: int, *, reverse: bool
) -> Iterator[Entry]:
    start = after if after is not None else (_NO_SEQ if reverse else 0)
    rows = connection.execute(_BACKWARD if reverse else _FORWARD, (number, stream, start, limit + 1))
    for seq, occurred, recorded, subjects, schema, body in rows:
        yield entry_of(stream, seq, occurred, recorded, subjects, schema, body)


_BEGINNINGS = (
    "FROM json_each(?2) AS asked "
    "CROSS JOIN ledger ON ledger.tenant = ?1 AND ledger.stream = asked.value AND seq BETWEEN 1 AND ?3"
)
_FIRST = f"SELECT asked.key, seq, occurred, recorded, subjects, schema, body {_BEGINNINGS}"
_FIRST_TEXTS = f"SELECT asked.key, seq, schema, body {_BEGINNINGS}"


def first_entries(
    connection: sqlite3.Connection, number: int, streams: Sequence[str], limit: int
) -> dict[str, list[Entry]]:
    """The first entries of each of *streams*, one more than *limit* if there are more, in one statement."""
    streams = list(dict.fromkeys(streams))
    found: dict[str, list[Entry]] = {stream: [] for stream in streams}
    rows = connection.execute(_FIRST, (number, write(streams), limit + 1))
    for place, seq, occurred, recorded, subjects, schema, body in rows:
        entry = entry_of(streams[place], seq, occurred, recorded, subjects, schema, body)
        found[entry.stream].append(entry)
    for entries in found.values():
        entries.sort(key=_seq)
    return found


_seq = attrgetter("seq")


def first_texts(
    connection: sqlite3.Connection, number: int, streams: Sequence[str], limit: int
) -> dict[str, Beginning | None]:
    """Schema and body of each entry of *streams*, in one statement; None of a ledger with more than *limit*."""
    streams = list(dict.fromkeys(streams))
    rows: list[list[tuple[int, str, str]]] = [[] for _ in streams]
    for place, seq, schema, body in connection.execute(_FIRST_TEXTS, (number, write(streams), limit + 1)):
        rows[place].append((seq, schema, body))
    return {
        stream: [(schema, body) for _, schema, body in sorted(found)] if len(found) <= limit else None
        for stream, found in zip(streams, rows, strict=True)
    }


def changes(
    connection: sqlite3.Connection,
    number: int,
    tenant: str,
    after: int,
    limit: int,
    position: Callable[[int], Position],
) -> tuple[Change, ...]:
    rows = connection.execute(
        "SELECT number, op, name, id, what, at, idem, actor, reason FROM feed JOIN batch ON batch.no = feed.batch "
        "WHERE feed.tenant = ? AND number > ? ORDER BY number LIMIT ?",
        (number, after, limit),
    )
    return tuple(
        change(
            tenant,
            Event(op, name, to_text(blob) if blob else "", what),
            position=position(place),
            at=at,
            idem=idem,
            actor=actor_of(actor),
            reason=reason,
        )
        for place, op, name, blob, what, at, idem, actor, reason in rows
    )


class Applied(NamedTuple):
    """What is kept of a batch under the number *no*; *digest* is None when `outcome` said that it was not applied."""

    no: int
    digest: bytes | None
    at: int
    first: int
    last: int


def applied(connection: sqlite3.Connection, number: int, idem: str) -> Applied | None:
    """The batch of an idempotency key, also when what it wrote was erased and the key is kept as a hash."""
    row = connection.execute(_APPLIED, (number, idem)).fetchone()
    if row is None and (pepper := pepper_of(connection, number)):
        row = connection.execute(_APPLIED, (number, erased_idem(idem, pepper))).fetchone()
    return None if row is None else Applied(*row)


_APPLIED = "SELECT no, digest, at, first, last FROM batch WHERE tenant = ? AND idem = ?"


def pepper_of(connection: sqlite3.Connection, number: int) -> bytes:
    """The pepper of a tenant; empty if nothing of it was ever erased."""
    row = connection.execute("SELECT pepper FROM tenant WHERE no = ?", (number,)).fetchone()
    return b"" if row is None or row[0] is None else bytes(row[0])


def events(connection: sqlite3.Connection, number: int, of: Applied) -> Iterator[Event]:
    rows = connection.execute(
        "SELECT op, name, id, what FROM feed WHERE tenant = ? AND number > ? AND number <= ? ORDER BY number",
        (number, of.first, of.last),
    )
    for op, name, blob, what in rows:
        yield Event(op, name, to_text(blob) if blob else "", what)
