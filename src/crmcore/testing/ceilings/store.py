"""A store over a table with DynamoDB's ceilings: what carries over to such an engine, tried out.

Invariant: a batch is one transaction of the table, on condition that the head of its tenant is as it was when the batch
was planned. So batches of a tenant come one after the other, all that a plan looked at still holds when it is written,
and preconditions cost no items. A read that takes several calls of the table is made anew until the head is the same
before and after it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from heapq import merge
from itertools import islice
from typing import Literal, TypeVar

import crmcore.storage.paging as paging
from crmcore.errors import Contention, StoreClosed, StoreError
from crmcore.storage.capability import ORDERED_TEXT, PARTS, unclaimed
from crmcore.storage.cursor import Cursors
from crmcore.storage.plan import check_items, decide, receipt, replayable
from crmcore.storage.protocol import (
    EXCLUSIVE,
    Batch,
    Capability,
    Description,
    Entry,
    FeedPage,
    Hits,
    Key,
    Limits,
    Page,
    Position,
    Receipt,
    Record,
    Ref,
    Sort,
)
from crmcore.storage.validate import Checked, check_batch, check_name, check_word, too_large
from crmcore.testing.ceilings.layout import Layout
from crmcore.testing.ceilings.reading import Head, Reading
from crmcore.testing.ceilings.table import Address, CeilingReached, ConditionFailed, Item, Table, Write

T = TypeVar("T")

LIMITS = Limits(
    max_batch_bytes=3 << 19,
    max_chunk_bytes=3 << 19,
    max_body_bytes=384 << 10,
    idem_window_hours=24 * 365 * 100,
)
"""The fewest items that any store must take, in as many bytes as surely fit: a batch of one and a half megabytes has at
most six items more than are counted. Receipts are never dropped."""

CAPABILITIES = (
    Capability(name="changes", support="full"),
    Capability(name=ORDERED_TEXT, support="full"),
    *(unclaimed(name, "the simulated store has the required calls only") for name in PARTS),
)

_ATTEMPTS = 1000
_SECRET = Address("crmcore", "secret")


class CeilingsStore:
    """A `Store` over *table*, which stands for the server: another store over it goes on where this one ended.

    >>> store = CeilingsStore()
    >>> store.describe().limits.max_items
    90
    """

    def __init__(self, table: Table | None = None, *, exclusive: Collection[str] = EXCLUSIVE) -> None:
        for namespace in exclusive:
            check_word(namespace, "a namespace")
        self._durability: Literal["none", "process"] = "none" if table is None else "process"
        self._table = Table() if table is None else table
        self._exclusive = frozenset(exclusive)
        self._cursors = Cursors(_secret(self._table))
        self._closed = False

    def describe(self) -> Description:
        return Description(
            engine="ceilings",
            address="memory",
            durability=self._durability,
            exclusive=self._exclusive,
            capabilities=CAPABILITIES,
            limits=LIMITS,
        )

    # --- reading ---

    def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        wanted = paging.check_get(LIMITS, refs)
        readings = {tenant: self._reading(tenant) for tenant in wanted}

        def read() -> dict[Ref, Record]:
            found: dict[Ref, Record] = {}
            for tenant, addresses in wanted.items():
                records = readings[tenant].records(addresses)
                found.update((record.ref, record) for record in records)
            return found

        return self._steady(list(readings.values()), read)

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        seeks = paging.find_query(self._cursors, LIMITS, tenant, keys, limit_per_key, after)
        reading = self._reading(tenant)
        return self._steady(
            [reading],
            lambda: {
                seek.key: paging.hits(
                    self._cursors,
                    seek,
                    reading.carriers(seek.key, after=seek.after, limit=limit_per_key + 1),
                    limit_per_key,
                )
                for seek in seeks
            },
        )

    def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        paging.check_fanout(LIMITS, tenant, keys, cap)
        reading = self._reading(tenant)
        return self._steady(
            [reading],
            lambda: {key: sum(1 for _ in islice(reading.carriers(key, limit=cap), cap)) for key in keys},
        )

    def range(
        self,
        tenant: str,
        namespace: str,
        parts: Collection[str],
        *,
        lo: bytes | None = None,
        hi: bytes | None = None,
        after: str | None = None,
        limit: int = 100,
        reverse: bool = False,
    ) -> Page[tuple[Sort, Ref]]:
        query = paging.range_query(
            self._cursors, LIMITS, tenant, namespace, parts, lo, hi, after, limit, reverse
        )
        reading = self._reading(tenant)

        def read() -> Page[tuple[Sort, Ref]]:
            rows = merge(*(reading.places(query, part) for part in query.parts), reverse=query.reverse)
            return paging.range_page(self._cursors, query, rows)

        return self._steady([reading], read)

    def scan(
        self,
        tenant: str,
        kind: str,
        *,
        shards: tuple[int, int] | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> Page[Record]:
        query = paging.scan_query(self._cursors, tenant, kind, shards, after, limit)
        reading = self._reading(tenant)
        return self._steady([reading], lambda: paging.scan_page(self._cursors, query, reading.scanned(query)))

    def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        seen = paging.check_ledger(LIMITS, tenant, streams, after, limit)
        reading = self._reading(tenant)
        return self._steady(
            [reading],
            lambda: {
                stream: paging.ledger_page(
                    reading.entries(stream, seen.get(stream), limit=limit + 1, reverse=reverse), limit
                )
                for stream in streams
            },
        )

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        start = paging.feed_query(self._cursors, tenant, after, limit)
        reading = self._reading(tenant)

        def read() -> FeedPage:
            length = reading.head().length
            paging.check_reached(start, length)
            items = tuple(
                islice(reading.changes(start, partial(paging.position, self._cursors, tenant)), limit)
            )
            return paging.feed_page(self._cursors, tenant, items, after, length)

        return self._steady([reading], read)

    # --- writing ---

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        checked = check_batch(batch, LIMITS, self._exclusive)
        reading = self._reading(checked.tenant)
        # Nothing is waited for: whoever is overtaken plans anew at once, and each time somebody else got on.
        for _ in range(_ATTEMPTS):
            head = reading.head()
            try:
                given = self._applied(reading, checked, head)
            except StoreError:
                if reading.head() == head:  # else it speaks of a state that never was
                    raise
                given = None
            if given is not None:
                return given
        raise Contention("others were writing all the time: send the same batch again")

    def _applied(self, reading: Reading, checked: Checked, head: Head) -> Receipt | None:
        """The receipt of a batch; None if somebody else was quicker."""
        known = reading.batch(checked.idem)
        if known is not None:
            replayable(known.values["digest"], checked.digest)
            return self._receipt(reading, known, replayed=True)
        plan = decide(
            checked,
            reading.current(checked.addresses),
            {stream: reading.length(stream) for stream in checked.streams},
            {pair: holder for pair in checked.claims if (holder := reading.holder(pair)) is not None},
        )
        check_items(plan, LIMITS)
        writes = reading.layout.writes(checked, plan, head.length, head.revision)
        try:
            self._table.transact(writes)
        except ConditionFailed:
            return None
        except CeilingReached as reached:
            raise too_large(reached.what, reached.limit, reached.got) from None
        position = paging.position(self._cursors, checked.tenant, head.length + len(plan.events))
        return receipt(checked.tenant, plan.events, position, checked.at, replayed=False)

    def outcome(self, tenant: str, idem: str) -> Receipt | None:
        check_name(tenant, "a tenant")
        check_name(idem, "an idempotency key")
        reading = self._reading(tenant)
        at = reading.layout.batch(idem)
        known = reading.batch(idem)
        while known is None:
            fence = Item(at, {"digest": None, "revision": 1})
            try:
                self._table.transact([Write(at, fence, 0)])
            except ConditionFailed:  # it was applied or fenced just now
                known = reading.batch(idem)
            else:
                return None
        return None if known.values["digest"] is None else self._receipt(reading, known, replayed=True)

    def close(self) -> None:
        self._closed = True

    def _receipt(self, reading: Reading, known: Item, *, replayed: bool) -> Receipt:
        first, last = known.values["first"], known.values["last"]
        position = paging.position(self._cursors, reading.tenant, last)
        return receipt(
            reading.tenant, reading.events(first, last), position, known.values["at"], replayed=replayed
        )

    def _reading(self, tenant: str) -> Reading:
        if self._closed:
            raise StoreClosed("this store is closed: open it again")
        return Reading(self._table, Layout(tenant), tenant)

    def _steady(self, readings: Sequence[Reading], read: Callable[[], T]) -> T:
        """What *read* gives while no tenant of *readings* is written to."""
        if self._closed:
            raise StoreClosed("this store is closed: open it again")
        for _ in range(_ATTEMPTS):
            before = [reading.head() for reading in readings]
            result = read()
            if before == [reading.head() for reading in readings]:
                return result
        raise Contention("others were writing all the time: read again")


def _secret(table: Table) -> bytes:
    """The secret of the cursors, made by whoever comes first."""
    try:
        item = Item(_SECRET, {"secret": secrets.token_bytes(32), "revision": 1})
        table.transact([Write(_SECRET, item, 0)])
    except ConditionFailed:
        pass  # it is there already
    secret: bytes = table.get([_SECRET])[0][_SECRET].values["secret"]
    return secret
