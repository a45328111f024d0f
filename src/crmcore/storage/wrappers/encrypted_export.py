"""A snapshot of an encrypted store, opened: plain rows, for a store of another kind.

Invariant: what can be read through the store is in its snapshot as it was written. What was shredded comes as what was
erased: a record as a deleted one, an entry as its tombstone. Of the fences those come whose keys are
no longer than some 140 bytes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import groupby

from crmcore.storage.document import Json, decode, write
from crmcore.storage.erasure import ERASED
from crmcore.storage.protocol import Body, Entry, Key, Record, Ref, Sort
from crmcore.storage.stored import Stored, StoredBatch, StoredEntry, StoredRecord
from crmcore.storage.stream import AsyncSnapshot
from crmcore.storage.validate import actor_of, heading, instant, microseconds
from crmcore.storage.wrappers.heading import fenced, heading_ids, open_heading
from crmcore.storage.wrappers.ring import Ring

_RingFor = Callable[[str, Iterable[Body]], Awaitable[Ring]]


class OpenedSnapshot:
    """The snapshot *within*, opened with the rings that *ring_for* makes."""

    def __init__(self, within: AsyncSnapshot, ring_for: _RingFor) -> None:
        self._within = within
        self._ring_for = ring_for

    async def read(self, limit: int = 1000) -> Sequence[Stored]:
        rows: list[Stored] = []
        while not rows and (some := await self._within.read(limit)):
            rows = await self._open(some)
        return rows

    async def _open(self, within: Sequence[Stored]) -> list[Stored]:
        rows: list[Stored] = []
        for tenant, some in groupby(within, key=lambda row: row.tenant):
            sealed = list(some)
            ring = await self._ring_for(tenant, [body for row in sealed if (body := _body(row))])
            rows += [opened for row in sealed if (opened := _opened(ring, row)) is not None]
        return rows

    async def close(self) -> None:
        await self._within.close()


def _body(row: Stored) -> Body | None:
    """What says under which keys a row is sealed."""
    if isinstance(row, StoredRecord):
        return None if row.body is None else decode(row.body)
    if isinstance(row, StoredEntry):
        return None if row.schema == ERASED else decode(row.body)
    if isinstance(row, StoredBatch) and row.digest is not None:
        return {"box": "", "to": list(heading_ids(actor_of(row.actor)))}
    return None


def _opened(ring: Ring, row: Stored) -> Stored | None:
    if isinstance(row, StoredRecord):
        return _record(ring, row)
    if isinstance(row, StoredEntry):
        return row if row.schema == ERASED else _entry(ring, row)
    if isinstance(row, StoredBatch) and row.digest is not None:
        idem, actor, reason, digest = open_heading(ring, row.idem, actor_of(row.actor), row.reason)
        return row._replace(
            idem=idem, actor=heading(actor, reason), reason=reason, digest=digest or row.digest
        )
    if isinstance(row, StoredBatch):
        fence = fenced(ring, row.idem)
        return None if fence is None else row._replace(idem=fence)
    return row


def _record(ring: Ring, row: StoredRecord) -> StoredRecord:
    if row.body is None:
        return row
    opened = ring.open_record(
        Record(
            ref=Ref(row.tenant, row.kind, row.id),
            version=row.version,
            schema=row.schema,
            body=decode(row.body),
            keys=frozenset([Key(*key) for key in row.keys]),
            sorts=frozenset([Sort(*sort) for sort in row.sorts]),
        )
    )
    if opened is None:
        return row._replace(schema=0, body=None, keys=(), sorts=())
    return row._replace(
        body=Json(write(opened.body)),
        keys=tuple(sorted((key.namespace, key.value) for key in opened.keys)),
        sorts=tuple(sorted((sort.namespace, sort.part, sort.value) for sort in opened.sorts)),
    )


def _entry(ring: Ring, row: StoredEntry) -> StoredEntry:
    opened = ring.open_entry(
        Entry(
            stream=row.stream,
            seq=row.seq,
            occurred_at=instant(row.occurred),
            recorded_at=instant(row.recorded),
            subjects=row.subjects,
            schema=row.schema,
            body=decode(row.body),
        )
    )
    return row._replace(
        occurred=microseconds(opened.occurred_at, "an instant"),
        recorded=microseconds(opened.recorded_at, "an instant"),
        subjects=opened.subjects,
        schema=opened.schema,
        body=Json(write(opened.body)),
    )
