"""Copying new rows into the tables, in PostgreSQL's own binary form.

Invariant: what is copied of a record into `key`, `claim` and `sort` is what its row says that it carries. Each table is
copied into in the order of its primary key, at least for some thousand rows: the keys of the next records are hashed
and ordered while the server takes in those of the records before.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b

from crmcore.storage.postgres_driver import Link
from crmcore.storage.postgres_lookup import Tenant
from crmcore.storage.postgres_rows import part_mark
from crmcore.storage.validate import KeyPair, SortTriple

RecordRow = tuple[str, str, int, int, str, str | None, Sequence[KeyPair], Sequence[SortTriple]]
"""Kind, id, version, schema, carries, body, keys, sorts."""
EntryRow = tuple[str, int, int, int, str, str, str]
"""Stream, seq, occurred, recorded, subjects, schema, body."""
BatchRow = tuple[
    str,
    bytes | None,
    int,
    int,
    int,
    int,
    str | None,
    str,
    str | None,
    int | None,
    str | None,
    str | None,
    str | None,
]
"""Idem, digest, at, era, no, last, idle, actor, reason, rows, refused, erasure, rekeyed."""

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_BLOCK = 256 << 10
_RECORDS = 1000
_width, _length = struct.Struct("!h").pack, struct.Struct("!i").pack
_int4, _int8 = struct.Struct("!ii").pack, struct.Struct("!iq").pack
_ID = _length(16)
_COPY = {
    "record": "COPY {record} (tenant, kind, id, version, schema, carries, body) FROM STDIN (FORMAT binary)",
    "key": "COPY {key} (tenant, h, kind, id) FROM STDIN (FORMAT binary)",
    "claim": "COPY {claim} (tenant, h, kind, id) FROM STDIN (FORMAT binary)",
    "sort": "COPY {sort} (tenant, h, value, id, kind) FROM STDIN (FORMAT binary)",
    "ledger": (
        "COPY {ledger} (tenant, stream, seq, occurred, recorded, subjects, schema, body) FROM STDIN (FORMAT binary)"
    ),
    "batch": (
        "COPY {batch} (tenant, idem, digest, at, era, no, last, idle, actor, reason, rows, refused, erasure, rekeyed) "
        "FROM STDIN (FORMAT binary)"
    ),
    "feed": "COPY {feed} (tenant, era, n, no, size, changes) FROM STDIN (FORMAT binary)",
}
_BRING_BACK = (
    "UPDATE {record} AS r SET version = a3, schema = a4, carries = a5, body = a6 "
    "FROM unnest($2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::text[], $7::text[]) "
    "AS given (a1, a2, a3, a4, a5, a6) WHERE r.tenant = $1 AND r.kind = a1 AND r.id = a2"
)


def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    data = value.encode()
    return _length(len(data)) + data


def _uuid(value: str) -> bytes:
    return _ID + bytes.fromhex(value.replace("-", ""))


class Copying:
    """Rows of one tenant on their way into the tables. Call `records`, `entries`, and then `rest`, once each."""

    def __init__(self, owner: Tenant, secret: bytes, exclusive: frozenset[str]) -> None:
        self._owner = owner
        self._secret = secret
        self._exclusive = exclusive
        self._hashing = blake2b(key=secret, digest_size=16, person=b"crmcore key").copy
        self._tenant = _int4(4, owner.number)
        self._carrying: list[tuple[str, str, Sequence[KeyPair], Sequence[SortTriple]]] = []
        self._claims: list[bytes] = []
        self._sorts: list[bytes] = []

    async def records(self, link: Link, rows: Iterable[RecordRow]) -> None:
        """Copy records, and note what they carry."""
        await self._copy(link, "record", self._records(rows))

    async def entries(self, link: Link, rows: Iterable[EntryRow]) -> None:
        """Copy entries of ledgers."""
        await self._copy(link, "ledger", self._entries(rows))

    async def bring_back(self, link: Link, rows: Sequence[RecordRow]) -> None:
        """Write records that were deleted before, and note what they carry."""
        for kind, id_, *_, keys, sorts in rows:
            self._carrying.append((kind, id_, keys, sorts))
        columns = list(zip(*rows, strict=True))[:6]
        await link.ask(_BRING_BACK, [self._owner.number, *map(list, columns)])

    async def rest(self, link: Link) -> None:
        """Copy what the records carry."""
        await self._copy(link, "key", self._keys())
        self._carrying.clear()
        for table, rows in (("claim", self._claims), ("sort", self._sorts)):
            rows.sort()
            await self._copy(link, table, iter(rows))
            rows.clear()

    async def batches(self, link: Link, rows: Iterable[BatchRow]) -> None:
        """Copy batches of this transaction, numbered within it."""
        await self._copy(link, "batch", self._batches(rows))

    async def changes(self, link: Link, rows: Iterable[tuple[int, int, int, str]]) -> None:
        """Copy rows of the feed: the number of the last change, that of the batch, how many, and their text."""
        start = _width(6) + self._tenant + _int4(4, self._owner.era)
        pieces = (
            b"".join((start, _int4(4, n), _int4(4, no), _int4(4, size), _text(text)))
            for n, no, size, text in rows
        )
        await self._copy(link, "feed", pieces)

    async def _copy(self, link: Link, table: str, pieces: Iterator[bytes]) -> None:
        first = next(pieces, None)
        if first is not None:
            await link.copy(_COPY[table], _blocks(first, pieces))

    def _records(self, rows: Iterable[RecordRow]) -> Iterator[bytes]:
        start = _width(7) + self._tenant
        for kind, id_, version, schema, carries, body, keys, sorts in rows:
            self._carrying.append((kind, id_, keys, sorts))
            numbers = _int8(8, version) + _int8(8, schema)
            yield b"".join((start, _text(kind), _uuid(id_), numbers, _text(carries), _text(body)))

    def _keys(self) -> Iterator[bytes]:
        """The rows of keys; those of claims and sorts are noted on the way."""
        for at in range(0, len(self._carrying), _RECORDS):
            rows: list[bytes] = []
            for one in self._carrying[at : at + _RECORDS]:
                self._note(rows.append, *one)
            rows.sort()
            yield from rows

    def _note(
        self,
        add: Callable[[bytes], None],
        kind: str,
        id_: str,
        keys: Sequence[KeyPair],
        sorts: Sequence[SortTriple],
    ) -> None:
        named, uuid = _text(kind), _uuid(id_)
        start, end = _width(4) + self._tenant + _ID, named + uuid
        exclusive, hashing = self._exclusive, self._hashing
        for namespace, value in keys:  # as `key_mark`, which would begin anew with the secret for each
            hashed = hashing()
            hashed.update(f"{namespace}\0{value}".encode())
            row = start + hashed.digest() + end
            add(row)
            if namespace in exclusive:
                self._claims.append(row)
        start = _width(5) + self._tenant
        for namespace, part, sorted_by in sorts:
            mark = _uuid(part_mark(self._secret, namespace, part))
            size = _length(len(sorted_by))
            self._sorts.append(b"".join((start, mark, size, sorted_by, uuid, named)))

    def _entries(self, rows: Iterable[EntryRow]) -> Iterator[bytes]:
        start = _width(8) + self._tenant
        for stream, seq, occurred, recorded, subjects, schema, body in rows:
            numbers = _int8(8, seq) + _int8(8, occurred) + _int8(8, recorded)
            yield b"".join((start, _text(stream), numbers, _text(subjects), _text(schema), _text(body)))

    def _batches(self, rows: Iterable[BatchRow]) -> Iterator[bytes]:
        start = _width(14) + self._tenant
        for idem, digest, at, era, no, last, idle, actor, reason, count, refused, erasure, rekeyed in rows:
            size = _NULL if count is None else _int4(4, count)
            kept = _NULL if digest is None else _length(len(digest)) + digest
            numbers = _int8(8, at) + _int4(4, era) + _int4(4, no) + _int4(4, last)
            words = (
                _text(idle)
                + _text(actor)
                + _text(reason)
                + size
                + _text(refused)
                + _text(erasure)
                + _text(rekeyed)
            )
            yield b"".join((start, _text(idem), kept, numbers, words))


def _blocks(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces in few large blocks: what the driver does for each costs more than a row."""
    block, size = [_HEADER, first], len(first)
    for piece in pieces:
        if size >= _BLOCK:
            yield b"".join(block)
            block, size = [], 0
        block.append(piece)
        size += len(piece)
    block.append(_TRAILER)
    yield b"".join(block)
