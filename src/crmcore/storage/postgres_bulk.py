"""Bulk loading into PostgreSQL: one lock on the tenant, then each table is copied into in the order of its key.

Invariant: as in `crmcore.storage.bulk`. Rows go straight into the tables by COPY in its binary form, with all indexes
in place, so that a chunk is there whole when its transaction ends, and nothing has to be built afterwards.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

from crmcore.storage.bulk import ChunkReceipt
from crmcore.storage.bulk_plan import CheckedChunk, chunk_receipt, refusals_text, sift
from crmcore.storage.plan import Event, replayable
from crmcore.storage.postgres_driver import Asked, Link, Row
from crmcore.storage.postgres_locks import whole_tenant
from crmcore.storage.postgres_rows import Place
from crmcore.storage.postgres_transaction import Transaction
from crmcore.storage.postgres_write import (
    Applied,
    Effects,
    Note,
    Search,
    Tenant,
    applied,
    applied_of,
    carry_out,
    effects,
    head,
    known,
    tenant_for_writing,
    who,
)
from crmcore.storage.validate import Address

Given = Callable[[str], ChunkReceipt]
"""A receipt that lacks its position."""

_TENANT = "(SELECT no FROM {tenant} WHERE name = $1)"
_ANY_RECORD = (
    f"SELECT EXISTS (SELECT FROM {{record}} WHERE tenant = {_TENANT} AND kind = $2 AND id BETWEEN $3 AND $4)"
)
_ANY_ENTRY = f"SELECT EXISTS (SELECT FROM {{ledger}} WHERE tenant = {_TENANT} AND stream BETWEEN $2 AND $3)"


async def load(
    writing: Transaction, secret: bytes, exclusive: frozenset[str], checked: CheckedChunk
) -> tuple[Place, Given]:
    """Write what can be written of a chunk, or find that it is there; commits."""
    tenant, idem = checked.tenant, checked.idem
    kinds, asked = _doubts(tenant, checked.addresses, checked.streams)
    found_who, found_applied, *doubts = await writing.begin(
        whole_tenant(secret, tenant), who(tenant), applied(tenant, idem), *asked
    )
    before = await known(writing, tenant, idem, found_who, found_applied)
    if before is not None:
        return _again(tenant, before[1], checked.digest)
    doubtful = {kind for kind, ((there,),) in zip(kinds, doubts, strict=False) if there}
    streams = checked.streams if checked.streams and doubts[-1][0][0] else ()
    addresses = [address for address in checked.addresses if address[0] in doubtful]
    search = Search(secret, tenant, addresses, streams, checked.claims)
    answers = await writing.link.together(*search.asked) if search.asked else []
    plan, refused = sift(checked, *search.found(answers))
    owner = await tenant_for_writing(writing, tenant, found_who)
    idle = None if plan.events else await head(writing, tenant)
    await copy_in(writing.link, owner, effects(secret, exclusive, plan), plan.events)
    text = refusals_text(refused)
    note = Note(idem, checked.digest, checked.at, checked.actor, checked.reason, checked.size, text)
    ((tx,),) = (await writing.commit(carry_out(owner, note, None, (), idle, len(plan.events))))[0]
    place = idle if idle is not None else (owner.era, int(tx), len(plan.events))
    return place, partial(_receipt, tenant, checked.size, text, checked.at, False)


async def loaded(link: Link, tenant: str, idem: str, digest: bytes) -> tuple[Place, Given] | None:
    """The receipt of a chunk that is there, or None."""
    found = applied_of(await link.ask(applied(tenant, idem)[0], applied(tenant, idem)[1]))
    return None if found is None else _again(tenant, found, digest)


def _again(tenant: str, found: Applied, digest: bytes) -> tuple[Place, Given]:
    replayable(found.digest, digest)
    return found.place, partial(_receipt, tenant, found.rows or 0, found.refused or "[]", found.at, True)


def _receipt(tenant: str, rows: int, refused: str, at: int, replayed: bool, position: str) -> ChunkReceipt:
    return chunk_receipt(tenant, position, rows, refused, at, replayed=replayed)


def _doubts(
    tenant: str, addresses: Collection[Address], streams: Collection[str]
) -> tuple[list[str], list[Asked]]:
    """One look for each kind, and one for all ledgers: what is new mostly lies beyond all that is there."""
    ids: dict[str, list[str]] = {}
    for kind, id_ in addresses:
        ids.setdefault(kind, []).append(id_)
    asked: list[Asked] = [(_ANY_RECORD, [tenant, kind, min(own), max(own)]) for kind, own in ids.items()]
    if streams:
        asked.append((_ANY_ENTRY, [tenant, min(streams, key=str.encode), max(streams, key=str.encode)]))
    return list(ids), asked


# --- COPY ---------------------------------------------------------------------------------------------

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_BLOCK = 2000
_int2, _int4, _int8 = struct.Struct("!h").pack, struct.Struct("!ii").pack, struct.Struct("!iq").pack
_length = struct.Struct("!i").pack
_ID = _length(16)


def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    data = value.encode()
    return _length(len(data)) + data


def _uuid(value: str) -> bytes:
    return _ID + bytes.fromhex(value.replace("-", ""))


def _keys(start: bytes, rows: Iterable[Row]) -> Iterator[bytes]:
    kinds: dict[str, bytes] = {}
    for mark, kind, id_ in rows:
        named = kinds.get(kind) or kinds.setdefault(kind, _text(kind))
        yield b"".join((start, _ID, bytes.fromhex(mark), named, _ID, bytes.fromhex(id_.replace("-", ""))))


def _sorts(start: bytes, rows: Iterable[Row]) -> Iterator[bytes]:
    for mark, value, id_, kind in rows:
        yield b"".join((start, _uuid(mark), _length(len(value)), value, _uuid(id_), _text(kind)))


def _records(start: bytes, rows: Iterable[Row]) -> Iterator[bytes]:
    for kind, id_, version, schema, carries, body in rows:
        yield b"".join(
            (start, _text(kind), _uuid(id_), _int8(8, version), _int8(8, schema), _text(carries), _text(body))
        )


def _entries(start: bytes, rows: Iterable[Row]) -> Iterator[bytes]:
    for stream, seq, occurred, recorded, subjects, schema, body in rows:
        numbers = _int8(8, seq) + _int8(8, occurred) + _int8(8, recorded)
        yield b"".join((start, _text(stream), numbers, _text(subjects), _text(schema), _text(body)))


def _changes(start: bytes, rows: Iterable[tuple[int, int, Event]]) -> Iterator[bytes]:
    for n, no, (op, name, id_, what) in rows:
        named = _uuid(id_) if id_ else _NULL
        yield b"".join((start, _int4(4, n), _int4(4, no), _text(op), _text(name), named, _int8(8, what)))


def _blocks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces in few large blocks: what the driver does for each costs more than a row."""
    yield _HEADER
    while block := b"".join(islice(pieces, _BLOCK)):
        yield block
    yield _TRAILER


async def copy_in(link: Link, owner: Tenant, done: Effects, changes: Sequence[Event]) -> None:
    """Copy new rows into the tables. Of records, only those that were deleted before are there already."""
    numbered = [(n, 0, event) for n, event in enumerate(changes, 1)]
    await copy_rows(link, owner, done, numbered)


async def copy_rows(
    link: Link, owner: Tenant, done: Effects, changes: Sequence[tuple[int, int, Event]]
) -> None:
    """Copy rows into the tables; of each change its number and that of its batch in the transaction come first."""
    tenant = _int4(4, owner.number)
    into = (
        ("record (tenant, kind, id, version, schema, carries, body)", 7, _records, done.created),
        ("key (tenant, h, kind, id)", 4, _keys, done.keys_gained),
        ("claim (tenant, h, kind, id)", 4, _keys, done.claims_gained),
        ("sort (tenant, h, value, id, kind)", 5, _sorts, done.sorts_gained),
        ("ledger (tenant, stream, seq, occurred, recorded, subjects, schema, body)", 8, _entries, done.entries),
    )  # fmt: skip
    for columns, width, pieces, rows in into:
        if rows:
            table, _, rest = columns.partition(" ")
            await link.copy(
                f"COPY {{{table}}} {rest} FROM STDIN (FORMAT binary)",
                _blocks(pieces(_int2(width) + tenant, rows)),
            )
    if done.changed:
        await link.ask(*bring_back(owner, done.changed))
    if changes:
        start = _int2(8) + tenant + _int4(4, owner.era)
        await link.copy(
            "COPY {feed} (tenant, era, n, no, op, name, id, what) FROM STDIN (FORMAT binary)",
            _blocks(_changes(start, changes)),
        )


def bring_back(owner: Tenant, changed: Sequence[Row]) -> Asked:
    """The statement that writes records that were deleted before."""
    return (
        "UPDATE {record} AS r SET version = a3, schema = a4, carries = a5, body = a6 "
        "FROM unnest($2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::text[], $7::text[]) "
        "AS given (a1, a2, a3, a4, a5, a6) WHERE r.tenant = $1 AND r.kind = a1 AND r.id = a2",
        [owner.number, *map(list, zip(*changed, strict=True))],
    )
