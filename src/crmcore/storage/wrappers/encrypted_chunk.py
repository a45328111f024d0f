"""A chunk of a bulk load, sealed row by row.

Invariant: every row keeps its place. One that cannot be kept is sent as an empty row, which the store below refuses in
its place and remembers, so that the chunk is answered alike when it is sent again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any

import attrs

from crmcore.storage.bulk import Chunk, ChunkReceipt, NewEntry, NewRecord, Row
from crmcore.storage.bulk_plan import CheckedRow, check_chunk
from crmcore.storage.document import Json, decode
from crmcore.storage.protocol import Description, Limits, Ref
from crmcore.storage.validate import Addition, Write, instant
from crmcore.storage.wrappers.heading import seal_heading
from crmcore.storage.wrappers.ring import Ring, text_of
from crmcore.storage.wrappers.sealing import DataKey
from crmcore.storage.wrappers.subjects import Subjects


class _Decoded(Mapping[str, Any]):
    """A body that is read from its text when it is looked into, which most rules do not do."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _body(self) -> dict[str, Any]:
        body: dict[str, Any] = decode(self._text)
        return body

    def __getitem__(self, name: str) -> Any:
        return self._body[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._body)

    def __len__(self) -> int:
        return len(self._body)


class SealedChunk:
    """*chunk*, checked against *limits*: first see whom it concerns (`subjects`), then `seal` it."""

    def __init__(self, chunk: Chunk, limits: Limits, inner: Description, subjects: Subjects) -> None:
        self._chunk = chunk
        self._checked = check_chunk(chunk, limits, inner.exclusive)
        self._inner = inner.limits
        self._refused = {refusal.row: refusal for refusal in self._checked.refused}
        self._rows: list[tuple[CheckedRow, list[Collection[str]]]] = [
            (row, [self._of(each, subjects) for each in _effects(row)]) for row in self._checked.rows
        ]
        self.subjects: set[str] = {subject for _, some in self._rows for each in some for subject in each}

    def _of(self, each: Write | Addition, subjects: Subjects) -> Collection[str]:
        body = _Decoded(each.body)
        if isinstance(each, Write):
            return subjects.record(Ref(self._chunk.tenant, *each.address), body)
        return subjects.entry(each.stream, decode(each.subjects), body)

    def seal(self, ring: Ring, keys: Mapping[str, DataKey], ordered: Collection[str], *, marks: int) -> Chunk:
        """The chunk that the store below is given; at most *marks* keys of a record tell whom it concerns."""
        chunk = self._chunk
        self._marks = marks
        rows: list[Row] = [self._refusable(number) for number in range(len(chunk.rows))]
        for row, concerned in self._rows:
            sealed = iter([[keys[subject] for subject in some] for some in concerned])
            rows[row.number] = Row(
                tuple([self._record(ring, row, each, next(sealed), ordered) for each in row.writes]),
                tuple(
                    [self._entry(ring, row, n, each, next(sealed)) for n, each in enumerate(row.additions)]
                ),
            )
        idem, actor, reason = seal_heading(
            ring, set(keys.values()), chunk.idem, self._checked.actor, chunk.reason, self._checked.digest
        )
        return Chunk(
            tenant=chunk.tenant,
            rows=rows,
            idem=idem,
            digest=ring.blinds.digest(chunk.digest),
            actor=actor,
            reason=reason,
            at=chunk.at,
        )

    def receipt(self, receipt: ChunkReceipt) -> ChunkReceipt:
        """The receipt, with what is wrong with the rows that were refused here, now or when it was sent before."""
        refused = [
            own if (own := self._refused.get(one.row)) is not None and own.code == one.code else one
            for one in receipt.refused
        ]
        return attrs.evolve(receipt, refused=tuple(refused))

    def _refusable(self, number: int) -> Row:
        """A row that holds nothing and is refused with the same code as the one in this place."""
        refusal = self._refused.get(number)
        if refusal is None or refusal.code != "batch_too_large":
            return Row(())
        large = Json('"' + "x" * self._inner.max_body_bytes + '"')
        return Row((NewRecord("none", "00000000-0000-7000-8000-000000000000", 0, large),))

    def _record(
        self, ring: Ring, row: CheckedRow, write: Write, keys: Collection[DataKey], ordered: Collection[str]
    ) -> NewRecord:
        occasion = f"{self._chunk.idem}\0{row.number}".encode()
        body = ring.seal_record(keys, write.address, write.schema, occasion, write.body, write.carries)
        return NewRecord(
            *write.address,
            write.schema,
            Json(text_of(body)),
            [*ring.blinded(write.keys), *ring.concerning(keys, self._marks)],
            ring.ordered(write.sorts, ordered),
        )

    def _entry(
        self, ring: Ring, row: CheckedRow, number: int, entry: Addition, keys: Collection[DataKey]
    ) -> NewEntry:
        occasion = f"{self._chunk.idem}\0{row.number}\0{number}".encode()
        subjects = tuple(decode(entry.subjects))
        body = ring.seal_entry(
            keys, entry.stream, entry.occurred, subjects, entry.schema, occasion, entry.body
        )
        return NewEntry(
            entry.stream,
            instant(entry.occurred),
            instant(entry.recorded),
            subjects,
            entry.schema,
            Json(text_of(body)),
        )


def unsaid(receipt: ChunkReceipt) -> ChunkReceipt:
    """A receipt that is asked for without the rows: what was wrong with one was not kept, since only its place was."""
    refused = [attrs.evolve(one, message=_UNSAID) if one.code in _HERE else one for one in receipt.refused]
    return attrs.evolve(receipt, refused=tuple(refused))


_HERE = ("invalid_record", "batch_too_large")
_UNSAID = "this row could not be kept: load the same chunk again, which writes nothing twice, to be told why"


def _effects(row: CheckedRow) -> list[Write | Addition]:
    return [*row.writes, *row.additions]
