"""All that the store in memory keeps, as rows, and back.

Invariant: a snapshot shares with the store only what is never changed in place. What is restored is built apart and
becomes part of the store whole, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager

from crmcore.errors import StoreClosed
from crmcore.storage.document import Json, decode, write
from crmcore.storage.memory_tenant import Applied, Kept, TenantData
from crmcore.storage.plan import Current, Event
from crmcore.storage.protocol import Limits
from crmcore.storage.restoring import Counts, checked_rows, refuse_shared, twice
from crmcore.storage.stored import (
    Happened,
    Portions,
    Stored,
    StoredBatch,
    StoredEntry,
    StoredRecord,
    StoredTenant,
)
from crmcore.storage.stream import Restored
from crmcore.storage.validate import Addition, check_limit


class MemorySnapshot:
    """A `Snapshot` of the store in memory. It holds on to what was there, not to copies of it."""

    def __init__(self, rows: Iterator[Stored], opened: Callable[[], AbstractContextManager[None]]) -> None:
        self._rows = Portions(rows)
        self._opened = opened
        self._closed = False

    def read(self, limit: int = 1000) -> Sequence[Stored]:
        check_limit(limit)
        with self._opened():
            if self._closed:
                raise StoreClosed("this snapshot is closed: take another one")
            return self._rows.take(limit)

    def close(self) -> None:
        self._rows = Portions(iter(()))
        self._closed = True


def rows_of(data: TenantData) -> Iterator[Stored]:
    """The rows of a tenant as of now, in the order of `crmcore.storage.stored`."""
    records = sorted(data.rows.items())
    ledgers = [(stream, list(ledger)) for stream, ledger in sorted(data.ledgers.items())]
    batches = [batch for batch in data.batches.values() if batch]
    batches.sort(key=lambda batch: batch.first)  # those with one place stay in the order in which they came
    fences = sorted(idem for idem, batch in data.batches.items() if batch is None)
    feed = [event for event, _ in data.feed]
    return _rows(StoredTenant(data.tenant, data.pepper), records, ledgers, batches, fences, feed)


def _rows(
    head: StoredTenant,
    records: list[tuple[tuple[str, str], Kept]],
    ledgers: list[tuple[str, list[Addition]]],
    batches: list[Applied],
    fences: list[str],
    feed: list[Event],
) -> Iterator[Stored]:
    tenant = head.tenant
    yield head
    for (kind, id_), (now, schema, body) in records:
        text = Json(body) if now.live else None
        yield StoredRecord(tenant, kind, id_, now.version, schema, text, tuple(now.keys), tuple(now.sorts))
    for stream, ledger in ledgers:
        for seq, entry in enumerate(ledger, 1):
            _, _, occurred, recorded, subjects, schema_, body = entry
            named = tuple(decode(subjects))
            yield StoredEntry(tenant, stream, seq, occurred, recorded, named, schema_, Json(body))
    for batch in batches:
        idem, digest, at, first, last, actor, reason, load, erasure, rekeyed = batch
        events: tuple[Happened, ...] = tuple(
            (op, name, id_, number) for op, name, id_, number in feed[first:last]
        )
        yield StoredBatch(tenant, idem, digest, at, actor, reason, events, load, erasure, rekeyed)
    for idem in fences:
        yield StoredBatch(tenant, idem, None, 0, "", None)


def built(
    rows: Iterable[Stored], limits: Limits, exclusive: Set[str]
) -> tuple[Mapping[str, TenantData], Restored]:
    """The tenants that *rows* tell of.

    Raises:
        KeyConflict: if two records carry a key that is exclusive.
        InvalidRecord: if the rows are in another order, or one of them cannot be kept.
    """
    tenants: dict[str, TenantData] = {}
    counts = Counts()
    data = TenantData("")
    for row in checked_rows(rows, limits):
        counts.add(row)
        if isinstance(row, StoredTenant):
            data = tenants[row.tenant] = TenantData(row.tenant, row.pepper)
        elif isinstance(row, StoredRecord):
            now = Current(row.version, row.body is not None, row.keys, row.sorts)
            data.insert((row.kind, row.id), Kept(now, row.schema, str(row.body or "")))
        elif isinstance(row, StoredEntry):
            text = write(row.subjects)
            entry = Addition(row.stream, None, row.occurred, row.recorded, text, row.schema, str(row.body))
            data.ledgers.setdefault(row.stream, []).append(entry)
        else:
            _note(data, row)
    for one in tenants.values():
        refuse_shared(one.shared(exclusive))
    return tenants, counts.restored()


def _note(data: TenantData, row: StoredBatch) -> None:
    if row.idem in data.batches:
        raise twice()
    if row.digest is None:
        data.batches[row.idem] = None
        return
    events = [Event(*event) for event in row.events]
    data.note(
        row.idem,
        row.digest,
        row.at,
        row.actor,
        row.reason,
        events,
        load=row.load,
        erasure=row.erasure,
        rekeyed=row.rekeyed,
    )
