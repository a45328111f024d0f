"""How a tenant's facts are read back from the items of the table.

Invariant: no call of the table asks for more than it gives; what takes several pages is read on to the end. Whether
nothing was written between two calls is for the store to find out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

from crmcore.storage.document import decode
from crmcore.storage.kept import entry_of
from crmcore.storage.paging import Place, RangeQuery, ScanQuery
from crmcore.storage.plan import Current, Event, change
from crmcore.storage.protocol import Change, Entry, Key, Record, Ref, Sort
from crmcore.storage.validate import Address as RecordAddress
from crmcore.storage.validate import KeyPair, actor_of
from crmcore.testing.ceilings.layout import BUCKETS, Layout, bucket, events, number, place, placed
from crmcore.testing.ceilings.table import MAX_GET, Address, Item, Table


class Head(NamedTuple):
    """How many changes the feed has, and how often the tenant was written to."""

    length: int
    revision: int


class Reading:
    """Reads one tenant."""

    def __init__(self, table: Table, layout: Layout, tenant: str) -> None:
        self.layout = layout
        self.tenant = tenant
        self._table = table

    def head(self) -> Head:
        item = self._one(self.layout.head())
        return Head(0, 0) if item is None else Head(item.values["number"], item.values["revision"])

    def batch(self, idem: str) -> Item | None:
        return self._one(self.layout.batch(idem))

    # --- records ---

    def current(self, addresses: Collection[RecordAddress]) -> dict[RecordAddress, Current]:
        items = self._items(addresses)
        found: dict[RecordAddress, Current] = {}
        for address in addresses:
            record, carried = items.get(self.layout.record(address)), items.get(self.layout.carried(address))
            if record is not None:
                keys, sorts = _carried(carried)
                found[address] = Current(record.values["version"], record.values["live"], keys, sorts)
        return found

    def records(self, addresses: Collection[RecordAddress]) -> Iterator[Record]:
        """Those of the records that exist."""
        items = self._items(addresses)
        for address in addresses:
            record = items.get(self.layout.record(address))
            if record is not None and record.values["live"]:
                keys, sorts = _carried(items.get(self.layout.carried(address)))
                yield Record(
                    ref=Ref(self.tenant, *address),
                    version=record.values["version"],
                    schema=record.values["schema"],
                    body=decode(record.values["body"]),
                    keys=frozenset(Key(*pair) for pair in keys),
                    sorts=frozenset(Sort(*triple) for triple in sorts),
                )

    def scanned(self, query: ScanQuery) -> list[Record]:
        """The next records of a kind, one more than the page takes if there is one."""
        low, high = query.shards
        wanted: list[RecordAddress] = []
        for digit in BUCKETS:
            if query.after and digit < bucket(query.after):
                continue
            after = query.after if query.after and digit == bucket(query.after) else None
            if not low < (int(digit, 16) + 1) << 8 or not int(digit, 16) << 8 < high:
                continue
            for item in self._all(self.layout.records(query.kind, digit), after=after):
                if item.values["live"] and low <= int(item.at.sort[15:18], 16) < high:
                    wanted.append((query.kind, item.at.sort))
                    if len(wanted) > query.limit:
                        return list(self.records(wanted))
        return list(self.records(wanted))

    # --- keys and sorts ---

    def carriers(
        self, key: Key, *, after: RecordAddress | None = None, limit: int | None = None
    ) -> Iterator[RecordAddress]:
        start = None if after is None else " ".join(after)
        for item in self._all(self.layout.key((key.namespace, key.value)), after=start, limit=limit):
            kind, id_ = item.at.sort.split(" ")
            yield kind, id_

    def holder(self, pair: KeyPair) -> RecordAddress | None:
        return next(self.carriers(Key(*pair), limit=1), None)

    def places(self, query: RangeQuery, part: str) -> Iterator[Place]:
        """What *part* holds of the range, in order, from the place where the page before ended."""
        lo = None if query.lo is None else query.lo.hex()
        hi = None if query.hi is None else query.hi.hex()
        if query.after is not None:
            value, id_, kind, ended = query.after
            at = place(value, id_, kind)
            if query.reverse:
                end = f"{at}\0" if part < ended else at
                hi = end if hi is None else min(hi, end)
            else:
                start = at if part > ended else f"{at}\0"
                lo = start if lo is None else max(lo, start)
        partition = self.layout.sort(query.namespace, part)
        found = self._all(partition, lo=lo, hi=hi, reverse=query.reverse, limit=query.limit + 1)
        return ((*placed(item.at.sort), part) for item in found)

    # --- ledgers and the feed ---

    def length(self, stream: str) -> int:
        found = self._table.query(self.layout.entries(stream), reverse=True, limit=1).items
        return int(found[0].at.sort) if found else 0

    def entries(self, stream: str, after: int | None, *, limit: int, reverse: bool) -> Iterator[Entry]:
        partition = self.layout.entries(stream)
        start = None if after is None else max(after, 0)
        if reverse:
            hi: str | None = None
            if start is not None:  # up to the item that holds the entry before *after*
                last = self._table.query(partition, lo=number(max(start - 1, 0)), limit=1).items
                hi = number(int(last[0].at.sort) + 1) if last else None
            items = self._all(partition, hi=hi, reverse=True, limit=limit)
        else:
            items = self._all(partition, lo=number((start or 0) + 1), limit=limit)
        for item in items:
            numbered = list(enumerate(item.values["entries"], item.values["first"]))
            for seq, entry in reversed(numbered) if reverse else numbered:
                if start is None or (seq < start if reverse else seq > start):
                    yield entry_of(stream, seq, *entry)

    def events(self, first: int, last: int) -> tuple[Event, ...]:
        """The changes of the batch that wrote number *first* + 1 to *last*."""
        if first == last:
            return ()
        item = self._one(Address(self.layout.changes(), number(last)))
        return () if item is None else events(item)

    def changes(self, after: int, position: Callable[[int], str]) -> Iterator[Change]:
        for item in self._all(self.layout.changes(), lo=number(after + 1)):
            values = item.values
            for place_, event in enumerate(events(item), values["first"] + 1):
                if place_ > after:
                    yield change(
                        self.tenant,
                        event,
                        position=position(place_),
                        at=values["at"],
                        idem=values["idem"],
                        actor=actor_of(values["actor"]),
                        reason=values["reason"],
                    )

    # --- the table ---

    def _one(self, at: Address) -> Item | None:
        return self._table.get([at])[0].get(at)

    def _items(self, addresses: Collection[RecordAddress]) -> dict[Address, Item]:
        """The items of records and of what they carry."""
        waiting: Sequence[Address] = [
            at for address in addresses for at in (self.layout.record(address), self.layout.carried(address))
        ]
        found: dict[Address, Item] = {}
        while waiting:
            items, left = self._table.get(waiting[:MAX_GET])
            found.update(items)
            waiting = [*left, *waiting[MAX_GET:]]
        return found

    def _all(
        self,
        partition: str,
        *,
        lo: str | None = None,
        hi: str | None = None,
        after: str | None = None,
        reverse: bool = False,
        limit: int | None = None,
    ) -> Iterator[Item]:
        """The items of a partition, page by page, as long as more are asked for."""
        while True:
            page = self._table.query(partition, lo=lo, hi=hi, after=after, reverse=reverse, limit=limit)
            yield from page.items
            if page.next is None:
                return
            after = page.next


def _carried(item: Item | None) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    return ((), ()) if item is None else (item.values["keys"], item.values["sorts"])
