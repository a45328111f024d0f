"""Reads of the tables: each is one statement, or several of which it does not matter that others write between them.

Invariant: every statement is a constant with parameters, and every order that a page relies on is that of a primary
key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import crmcore.storage.paging as paging
from crmcore.errors import PositionExpired
from crmcore.storage.cursor import Cursors
from crmcore.storage.kept import entry_of
from crmcore.storage.paging import RangeQuery, ScanQuery, Seek
from crmcore.storage.plan import change
from crmcore.storage.postgres_driver import Link
from crmcore.storage.postgres_rows import (
    BEGINNING,
    key_mark,
    part_mark,
    record,
    sealed,
    unpacked,
    unsealed,
)
from crmcore.storage.postgres_rows import Place as FeedPlace
from crmcore.storage.protocol import Change, Entry, FeedPage, Hits, Key, Page, Position, Record, Ref, Sort
from crmcore.storage.validate import Address, actor_of

_NO_ID = "0" * 32
_NO_SEQ = (1 << 63) - 1
_AFTER_ALL = b"\xff" * 65  # every value of a sort is of 64 bytes at most

_TENANT = "(SELECT no FROM {tenant} WHERE name = $1)"

_GET = (
    f"SELECT version, schema, carries, body FROM {{record}} WHERE tenant = {_TENANT} AND kind = $2 AND id = $3 "
    "AND body IS NOT NULL"
)
_GET_MANY = (
    "SELECT asked.o, r.version, r.schema, r.carries, r.body "
    "FROM unnest($1::text[], $2::text[], $3::uuid[]) WITH ORDINALITY AS asked (tenant, kind, id, o) "
    "JOIN {tenant} AS t ON t.name = asked.tenant "
    "JOIN {record} AS r ON r.tenant = t.no AND r.kind = asked.kind AND r.id = asked.id WHERE r.body IS NOT NULL"
)


async def get(link: Link, wanted: Mapping[str, Sequence[Address]]) -> dict[Ref, Record]:
    refs = [Ref(tenant, *address) for tenant, addresses in wanted.items() for address in addresses]
    if len(refs) == 1:
        (ref,) = refs
        rows = await link.ask(_GET, (ref.tenant, ref.kind, ref.id))
        return {ref: record(ref, *rows[0])} if rows else {}
    rows = await link.ask(
        _GET_MANY, ([ref.tenant for ref in refs], [ref.kind for ref in refs], [ref.id for ref in refs])
    )
    return {(ref := refs[o - 1]): record(ref, *row) for o, *row in rows}


_FIND = (
    "SELECT asked.o, k.kind, k.id FROM unnest($2::uuid[], $3::text[], $4::uuid[]) WITH ORDINALITY "
    "AS asked (h, kind, id, o) CROSS JOIN LATERAL (SELECT kind, id FROM {key} AS key "
    f"WHERE tenant = {_TENANT} AND key.h = asked.h AND (key.kind, key.id) > (asked.kind, asked.id) "
    "ORDER BY key.kind, key.id LIMIT $5) AS k ORDER BY asked.o, k.kind, k.id"
)


async def find(
    link: Link, cursors: Cursors, secret: bytes, tenant: str, seeks: Sequence[Seek], limit: int
) -> dict[Key, Hits]:
    marks = [key_mark(secret, *seek.key) for seek in seeks]
    places = [seek.after or ("", _NO_ID) for seek in seeks]
    rows = await link.ask(
        _FIND, (tenant, marks, [kind for kind, _ in places], [id_ for _, id_ in places], limit + 1)
    )
    found: list[list[Address]] = [[] for _ in seeks]
    for o, kind, id_ in rows:
        found[o - 1].append((kind, id_))
    return {seek.key: paging.hits(cursors, seek, found[at], limit) for at, seek in enumerate(seeks)}


_FANOUT = (
    "SELECT (SELECT count(*) FROM (SELECT FROM {key} AS key "
    f"WHERE tenant = {_TENANT} AND key.h = asked.h LIMIT $3) AS few) "
    "FROM unnest($2::uuid[]) WITH ORDINALITY AS asked (h, o) ORDER BY asked.o"
)
_BEARERS = (
    "SELECT asked.o - 1, key.id FROM unnest($2::uuid[]) WITH ORDINALITY AS asked (h, o) "
    f"JOIN {{key}} AS key ON key.tenant = {_TENANT} AND key.h = asked.h AND key.kind = $3"
)
_BODIES = (
    "SELECT record.id, record.body FROM unnest($2::uuid[]) WITH ORDINALITY AS asked (id, o) "
    f"JOIN {{record}} AS record ON record.tenant = {_TENANT} AND record.kind = $3 AND record.id = asked.id "
    "ORDER BY asked.o"
)


async def fanouts(link: Link, secret: bytes, tenant: str, keys: Collection[Key], cap: int) -> list[int]:
    """How many carry each of *keys*, in their order, counting no further than *cap*."""
    marks = [key_mark(secret, *key) for key in keys]
    return [count for (count,) in await link.ask(_FANOUT, (tenant, marks, cap))]


async def bearers(
    link: Link, secret: bytes, tenant: str, keys: Sequence[Key], kind: str
) -> list[tuple[int, str]]:
    """The records of a kind that carry one of *keys*, each with the place of the key."""
    marks = [key_mark(secret, *key) for key in keys]
    return [(o, id_) for o, id_ in await link.ask(_BEARERS, (tenant, marks, kind))]


async def bodies(link: Link, tenant: str, kind: str, ids: Sequence[str]) -> dict[str, str]:
    """The texts of the bodies of records, by id, in the order given."""
    return dict(await link.ask(_BODIES, (tenant, list(ids), kind)))


# $3 to $5 are the lower bound of the places, $6 to $8 the upper one, both a part of it: a record may be in two parts
# with the same value, so the place itself is told by the number of its part.
_RANGE = (
    "SELECT s.value, s.id, s.kind, asked.o FROM unnest($2::uuid[]) WITH ORDINALITY AS asked (h, o) "
    "CROSS JOIN LATERAL (SELECT value, id, kind FROM {sort} AS sort "
    f"WHERE tenant = {_TENANT} AND sort.h = asked.h "
    "AND (sort.value, sort.id, sort.kind) >= ($3, $4, $5) AND (sort.value, sort.id, sort.kind) <= ($6, $7, $8) "
    "AND (sort.value, sort.id, sort.kind, asked.o) > ($3, $4, $5, $9::bigint) "
    "AND (sort.value, sort.id, sort.kind, asked.o) < ($6, $7, $8, $10::bigint) "
    "ORDER BY value, id, kind LIMIT $11) AS s ORDER BY value, id, kind, o LIMIT $11"
)
_RANGE_DOWN = _RANGE.replace("ORDER BY value, id, kind LIMIT", "ORDER BY value DESC, id DESC, kind DESC LIMIT").replace(
    "ORDER BY value, id, kind, o LIMIT", "ORDER BY value DESC, id DESC, kind DESC, o DESC LIMIT"
)  # fmt: skip


async def ordered(link: Link, cursors: Cursors, secret: bytes, query: RangeQuery) -> Page[tuple[Sort, Ref]]:
    low: tuple[bytes, str, str, int] = (query.lo or b"", _NO_ID, "", -1)
    high: tuple[bytes, str, str, int] = (_AFTER_ALL if query.hi is None else query.hi, _NO_ID, "", 0)
    if query.after is not None:
        value, id_, kind, part = query.after
        place = (value, id_.replace("-", ""), kind, query.parts.index(part) + 1)
        low, high = (low, min(high, place)) if query.reverse else (max(low, place), high)
    marks = [part_mark(secret, query.namespace, part) for part in query.parts]
    rows = await link.ask(
        _RANGE_DOWN if query.reverse else _RANGE,
        (query.tenant, marks, *low[:3], *high[:3], low[3], high[3], query.limit + 1),
    )
    return paging.range_page(
        cursors, query, [(value, id_, kind, query.parts[o - 1]) for value, id_, kind, o in rows]
    )


_SCAN = (
    f"SELECT id, version, schema, carries, body FROM {{record}} WHERE tenant = {_TENANT} AND kind = $2 AND id > $3 "
    "AND body IS NOT NULL ORDER BY id LIMIT $4"
)
# The shard is the 12 bits after the version digit, 7: bytes 7 and 8 of the id.
_SCAN_SHARDS = _SCAN.replace("ORDER BY", "AND substr(uuid_send(id), 7, 2) BETWEEN $5 AND $6 ORDER BY")


async def scan(link: Link, cursors: Cursors, query: ScanQuery) -> Page[Record]:
    low, high = query.shards
    asked = [query.tenant, query.kind, query.after or _NO_ID, query.limit + 1]
    if (low, high) == (0, 4096):
        rows = await link.ask(_SCAN, asked)
    elif low < high:
        bounds = [(0x7000 + low).to_bytes(2, "big"), (0x7000 + high - 1).to_bytes(2, "big")]
        rows = await link.ask(_SCAN_SHARDS, [*asked, *bounds])
    else:
        rows = []
    return paging.scan_page(
        cursors, query, [record(Ref(query.tenant, query.kind, id_), *row) for id_, *row in rows]
    )


_LEDGER = (
    "SELECT asked.o, l.* FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS asked (stream, seq, o) "
    "CROSS JOIN LATERAL (SELECT seq, occurred, recorded, subjects, schema, body FROM {ledger} AS ledger "
    f"WHERE tenant = {_TENANT} AND ledger.stream = asked.stream AND ledger.seq > asked.seq "
    "ORDER BY ledger.seq LIMIT $4) AS l ORDER BY asked.o, l.seq"
)
_LEDGER_DOWN = (
    _LEDGER.replace("ledger.seq > asked.seq", "ledger.seq < asked.seq")
    .replace("ORDER BY ledger.seq LIMIT", "ORDER BY ledger.seq DESC LIMIT")
    .replace("l.seq", "l.seq DESC")
)


async def entries(
    link: Link, tenant: str, streams: Sequence[str], after: Mapping[str, int], limit: int, *, reverse: bool
) -> dict[str, Page[Entry]]:
    names = list(dict.fromkeys(streams))
    start = _NO_SEQ if reverse else 0
    rows = await link.ask(
        _LEDGER_DOWN if reverse else _LEDGER,
        (tenant, names, [after.get(name, start) for name in names], limit + 1),
    )
    found: list[list[Entry]] = [[] for _ in names]
    for o, *row in rows:
        found[o - 1].append(entry_of(names[o - 1], *row))
    return {name: paging.ledger_page(found[at], limit) for at, name in enumerate(names)}


# --- the feed -----------------------------------------------------------------------------------------

# What is below the oldest transaction that is under way: nothing will be added there any more.
_SETTLED = (
    "(era < (SELECT convert_from(value, 'UTF8')::integer FROM {meta} WHERE name = 'era') "
    "OR tx < pg_snapshot_xmin(pg_current_snapshot()))"
)

HEAD = (
    f"SELECT era, tx::text, n FROM {{feed}} WHERE tenant = {_TENANT} AND {_SETTLED} "
    "ORDER BY era DESC, tx DESC, n DESC LIMIT 1"
)
"""The last change of a tenant that a reader of the feed is given now."""

# The change that was seen last is still there, unless its tenant was dropped or the database set back.
_SEEN = (
    f"SELECT EXISTS (SELECT 1 FROM {{feed}} WHERE tenant = {_TENANT} AND era = $2 AND tx = $3::text::xid8 "
    "AND n >= $4 AND n - size < $4)"
)
# A row holds many changes, so no more rows are read than are asked for, or than it takes to have as many changes.
_CHANGES = (
    "SELECT f.era, f.tx::text, f.n, f.size, f.changes, b.at, b.idem, b.actor, b.reason FROM (SELECT *, sum(size) OVER "
    "(ORDER BY era, tx, n) - size AS before FROM (SELECT * FROM {feed} "
    f"WHERE tenant = {_TENANT} AND (era, tx, n) > ($2::integer, $3::xid8, $4::integer) AND {_SETTLED} "
    "ORDER BY era, tx, n LIMIT $5) AS next) AS f "
    "JOIN {batch} AS b ON b.tenant = f.tenant AND b.era = f.era AND b.tx = f.tx AND b.no = f.no "
    "WHERE f.before <= $5 + 256 ORDER BY f.era, f.tx, f.n"
)


def head_of(rows: Sequence[Sequence[str | int]]) -> FeedPlace:
    """The answer to `HEAD`."""
    return (int(rows[0][0]), int(rows[0][1]), int(rows[0][2])) if rows else BEGINNING


async def changes(link: Link, cursors: Cursors, tenant: str, after: Position, limit: int) -> FeedPage:
    """A page of the feed. The watermark is looked at first, so that the page has all that comes before it."""
    start = unsealed(cursors, tenant, after)
    head, ((seen,),), rows = await link.together(
        (HEAD, [tenant]),
        (_SEEN, [tenant, start[0], str(start[1]), start[2]]),
        (_CHANGES, [tenant, start[0], str(start[1]), start[2], limit]),
    )
    if start != BEGINNING and not seen:
        raise PositionExpired(
            "the change at this position is not there any more, since the tenant was dropped or the store was set back "
            "(restored from a backup?): read everything again with scan"
        )
    items: list[Change] = []
    for row in rows:
        items += _of_row(cursors, tenant, start, *row)
    del items[limit:]
    return FeedPage(
        items=tuple(items),
        next=items[-1].position if items else after,
        watermark=sealed(cursors, tenant, head_of(head)),
    )


def _of_row(
    cursors: Cursors,
    tenant: str,
    start: FeedPlace,
    era: int,
    tx: str,
    last: int,
    size: int,
    text: str,
    at: int,
    idem: str,
    actor: str,
    reason: str | None,
) -> Iterator[Change]:
    """The changes in a row of the feed that come after *start*."""
    author = actor_of(actor)
    for n, event in enumerate(unpacked(text), last - size + 1):
        if (place := (era, int(tx), n)) > start:
            position = sealed(cursors, tenant, place)
            yield change(tenant, event, position=position, at=at, idem=idem, actor=author, reason=reason)
