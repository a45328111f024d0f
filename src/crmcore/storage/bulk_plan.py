"""The check of a chunk, and which of its rows can be written: pure, and the same for every store that ships.

Invariant: a row passes whole or is refused whole, with the first thing that is wrong with it. What passes obeys the
laws of a batch: it could have been sent through `apply`, and what is planned for it is carried out as a batch is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from crmcore.errors import InvalidRecord, StoreError
from crmcore.storage.bulk import Chunk, ChunkReceipt, NewEntry, NewRecord, Refusal, Row
from crmcore.storage.document import Json, decode, joined, write
from crmcore.storage.plan import ABSENT, Current, Entered, Event, Plan, Written
from crmcore.storage.protocol import Limits, Position, Ref
from crmcore.storage.validate import (
    Addition,
    Address,
    KeyPair,
    Write,
    carried,
    check_id,
    check_int,
    check_keys,
    check_name,
    check_sorts,
    check_word,
    heading,
    instant,
    microseconds,
    too_large,
)

_THERE = "a record with this id is there already, or is written by an earlier row: give new records new ids"


class CheckedRow(NamedTuple):
    """A row that can be stored, if nothing that is there stands against it."""

    number: int
    writes: tuple[Write, ...]
    additions: tuple[Addition, ...]


class CheckedChunk(NamedTuple):
    """A chunk whose *rows* can be stored; the others are *refused*. Otherwise as `Checked`."""

    tenant: str
    idem: str
    digest: bytes
    at: int
    actor: str
    reason: str | None
    size: int
    rows: tuple[CheckedRow, ...]
    refused: tuple[Refusal, ...]
    addresses: Set[Address]
    streams: Set[str]
    claims: Set[KeyPair]

    def __repr__(self) -> str:
        return f"CheckedChunk(tenant={self.tenant!r}, <{len(self.rows)} rows hidden>)"


def chunk_digest(digest: str) -> bytes:
    """What is kept to know a chunk again; no batch has the same.

    Raises:
        InvalidRecord: if *digest* is no name.
    """
    check_name(digest, "the digest of a chunk")
    return sha256(f"crmcore.chunk/1\t{digest}".encode()).digest()


def check_chunk(chunk: Chunk, limits: Limits, exclusive: frozenset[str]) -> CheckedChunk:
    """Check *chunk* and make it ready for storing.

    Raises:
        InvalidRecord: if its heading could not be kept unchanged.
        BatchTooLarge: if the whole of it is over a limit.
    """
    check_name(chunk.tenant, "a tenant")
    check_name(chunk.idem, "an idempotency key")
    digest = chunk_digest(chunk.digest)
    if len(chunk.rows) > limits.max_rows:
        raise too_large("rows in a chunk", limits.max_rows, len(chunk.rows))
    actor = heading(chunk.actor, chunk.reason)
    checker = _RowChecker(limits, exclusive)
    for number, row in enumerate(chunk.rows):
        checker.take(number, row)
    checker.look_at_texts()
    rows = tuple(checker.rows)
    return CheckedChunk(
        chunk.tenant,
        chunk.idem,
        digest,
        microseconds(chunk.at, "the time of a chunk"),
        actor,
        chunk.reason,
        len(chunk.rows),
        rows,
        tuple(checker.refused),
        {write.address for row in rows for write in row.writes},
        {addition.stream for row in rows for addition in row.additions},
        {pair for row in rows for write in row.writes for pair in write.claims},
    )


class _RowChecker:
    """Turns rows into what is to be written, one after the other."""

    def __init__(self, limits: Limits, exclusive: frozenset[str]) -> None:
        self._limits = limits
        self._exclusive = exclusive
        self._instants: dict[datetime, int] = {}
        self.rows: list[CheckedRow] = []
        self.refused: list[Refusal] = []

    def take(self, number: int, row: Row) -> None:
        """Keep what *row* asks for, or its refusal."""
        try:
            if not row.records and not row.entries:
                raise InvalidRecord("a row has a record or an entry: leave empty ones out")
            writes = tuple([self._write(record) for record in row.records])
            if len(writes) > 1 and len({each.address for each in writes}) < len(writes):
                raise InvalidRecord("a row writes a record twice: put the two writes into one")
            self.rows.append(CheckedRow(number, writes, tuple([self._addition(e) for e in row.entries])))
        except StoreError as error:
            self.refused.append(Refusal(row=number, code=error.code, message=str(error)))

    def look_at_texts(self) -> None:
        """Refuse the rows with characters that no store can hold, which are looked for in all texts at once.

        Raises:
            BatchTooLarge: if all of them together are.
        """
        try:
            size = len(joined([text for row in self.rows for text in _texts(row)]))
        except InvalidRecord:
            self._look_at_each()
            size = len(joined([text for row in self.rows for text in _texts(row)]))
        if size > self._limits.max_chunk_bytes:
            raise too_large("bytes in a chunk", self._limits.max_chunk_bytes, size)

    def _look_at_each(self) -> None:
        good: list[CheckedRow] = []
        for row in self.rows:
            try:
                joined(["\n".join(_texts(row))])
            except InvalidRecord as error:
                message = str(error).replace("operation 0 of the batch", "the row")
                self.refused.append(Refusal(row=row.number, code=error.code, message=message))
            else:
                good.append(row)
        self.rows = good
        self.refused.sort(key=lambda refusal: refusal.row)

    def _write(self, record: NewRecord) -> Write:
        kind, id_, schema, body, keys, sorts = record
        check_word(kind, "a kind")
        check_id(id_)
        check_int(schema, "a schema number")
        if len(keys) + len(sorts) > self._limits.max_keys:
            raise InvalidRecord(
                f"a record has at most {self._limits.max_keys} keys and sorts together, not "
                f"{len(keys) + len(sorts)}: put the rest on a satellite record"
            )
        pairs = check_keys(keys, self._limits)
        triples = check_sorts(sorts, self._limits)
        if not (isinstance(keys, frozenset) and isinstance(sorts, frozenset)):
            pairs, triples = tuple(dict.fromkeys(pairs)), tuple(dict.fromkeys(triples))
        claims = tuple([pair for pair in pairs if pair[0] in self._exclusive])
        text = self._body(body)
        return Write("put", (kind, id_), 0, schema, text, pairs, triples, carried(pairs, triples), claims)

    def _addition(self, entry: NewEntry) -> Addition:
        stream, occurred_at, recorded_at, subjects, schema, body = entry
        check_name(stream, "a stream")
        check_name(schema, "the schema of an entry")
        for subject in subjects:
            check_id(subject)
        named = "[]" if not subjects else '["' + '","'.join(subjects) + '"]'
        occurred, recorded = self._instant(occurred_at), self._instant(recorded_at)
        return Addition(stream, None, occurred, recorded, named, schema, self._body(body))

    def _instant(self, at: datetime) -> int:
        """Most entries of a load have the same time, so that is worked out once."""
        known = self._instants.get(at) if type(at) is datetime else None
        if known is None:
            known = microseconds(at, "the time of an entry")
            if len(self._instants) < 64:
                self._instants[at] = known
        return known

    def _body(self, body: Json) -> str:
        if type(body) is not Json:
            raise InvalidRecord("the bodies of a row are Json texts: make them with Json.of(...)")
        limit = self._limits.max_body_bytes
        if len(body) * 4 > limit and (size := len(body.encode("utf-8", "surrogatepass"))) > limit:
            raise too_large("bytes in a body", limit, size)
        return str(body)  # a plain text, which the garbage collector does not look at


def _texts(row: CheckedRow) -> Iterable[str]:
    for each in row.writes:
        yield each.carries
        yield each.body
    for addition in row.additions:
        yield addition.body


def sift(
    checked: CheckedChunk,
    current: Mapping[Address, Current],
    lengths: Mapping[str, int],
    holders: Mapping[KeyPair, Address],
) -> tuple[Plan, tuple[Refusal, ...]]:
    """What can be written of a chunk over what is there, and all its refusals, in the order of its rows."""
    written: list[Written] = []
    entered: list[Entered] = []
    events: list[Event] = []
    refused = list(checked.refused)
    held = dict(holders)
    here: set[Address] = set()
    ends: dict[str, int] = {}
    for row in checked.rows:
        refusal = _refusal(checked.tenant, row, current, here, held)
        if refusal is not None:
            refused.append(refusal)
            continue
        for each in row.writes:
            before = current.get(each.address, ABSENT)
            written.append(Written(each, before.version + 1, before))
            events.append(Event("put", *each.address, before.version + 1))
            here.add(each.address)
            for pair in each.claims:
                held[pair] = each.address
        for addition in row.additions:
            stream = addition.stream
            length = ends[stream] = ends.get(stream, lengths.get(stream, 0)) + 1
            entered.append(Entered(addition, length))
            events.append(Event("append", stream, "", length))
    refused.sort(key=lambda refusal: refusal.row)
    return Plan(tuple(written), tuple(entered), tuple(events)), tuple(refused)


def _refusal(
    tenant: str,
    row: CheckedRow,
    current: Mapping[Address, Current],
    here: Set[Address],
    held: Mapping[KeyPair, Address],
) -> Refusal | None:
    own: dict[KeyPair, Address] = {}
    for each in row.writes:
        if each.address in here or current.get(each.address, ABSENT).live:
            return Refusal(row=row.number, code="version_conflict", message=_THERE)
    for each in row.writes:
        for pair in each.claims:
            holder = held.get(pair) or own.setdefault(pair, each.address)
            if holder != each.address:
                return _taken(tenant, row.number, pair, holder)
    return None


def _taken(tenant: str, number: int, pair: KeyPair, holder: Address) -> Refusal:
    return Refusal(
        row=number,
        code="key_conflict",
        message=f"a key of the exclusive namespace {pair[0]!r} is held by another record ({holder[0]}): "
        "change that one, or leave this row out",
        namespace=pair[0],
        holder=Ref(tenant, *holder),
    )


def refusals_text(refused: Iterable[Refusal]) -> str:
    """Refusals as one text, to be kept with a chunk."""
    return write(
        [
            [one.row, one.code, one.message, one.namespace, one.holder and [one.holder.kind, one.holder.id]]
            for one in refused
        ]
    )


def chunk_receipt(
    tenant: str, position: Position, rows: int, refused: str, at: int, *, replayed: bool
) -> ChunkReceipt:
    """The receipt of a chunk, made from what was kept of it."""
    return ChunkReceipt(
        position=position,
        rows=rows,
        refused=tuple(
            Refusal(
                row=row,
                code=code,
                message=message,
                namespace=namespace,
                holder=holder and Ref(tenant, *holder),
            )
            for row, code, message, namespace, holder in decode(refused)
        ),
        at=instant(at),
        replayed=replayed,
    )
