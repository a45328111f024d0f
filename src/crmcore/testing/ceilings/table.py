"""A table as DynamoDB has it: items under a partition and a sort key, and ceilings on all that is asked of it.

Invariant: nothing over a ceiling is done in part. The numbers are those of "Quotas in Amazon DynamoDB" and of the pages
of `TransactWriteItems`, `BatchGetItem` and `Query` in its reference: 100 items and 4 MB a transaction, no item twice in
it, 400 KB an item, 2,048 and 1,024 bytes a key, 100 items and 16 MB a read by key, 1 MB a page of a query. The size of
an item is that of its names and values.

It is a simulation: no throughput is limited, no answer is lost, and every read is a consistent one.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

MAX_ITEMS = 100
MAX_TRANSACTION_BYTES = 4 << 20
MAX_ITEM_BYTES = 400 << 10
MAX_PARTITION_KEY_BYTES = 2048
MAX_SORT_KEY_BYTES = 1024
MAX_GET = 100
MAX_GET_BYTES = 16 << 20
MAX_PAGE_BYTES = 1 << 20


class CeilingReached(Exception):
    """Something is over a ceiling, and nothing was done."""

    def __init__(self, what: str, *, limit: int, got: int) -> None:
        super().__init__(f"{got} {what}, at most {limit}")
        self.what = what
        self.limit = limit
        self.got = got


class ConditionFailed(Exception):
    """An item is not as a transaction needs it, and nothing was done."""


class Address(NamedTuple):
    """Where an item is."""

    partition: str
    sort: str


class Item(NamedTuple):
    """An item. Its values are texts, whole numbers, bytes, booleans, None and tuples of these."""

    at: Address
    values: Mapping[str, Any]

    def __repr__(self) -> str:
        return "Item(<hidden>)"


class Write(NamedTuple):
    """Put *item*, or delete what is at *at*. *revision* is the value of that name that must be there; 0: no item."""

    at: Address
    item: Item | None
    revision: int | None = None

    def __repr__(self) -> str:
        return "Write(<hidden>)"


class Found(NamedTuple):
    """A page: its items, and where the next one goes on; None: that is all."""

    items: tuple[Item, ...]
    next: str | None


def size_of(value: object) -> int:
    """The bytes of a value or an item.

    >>> size_of("é"), size_of(7), size_of(("ab", None)), size_of(Item(Address("p", "s"), {"name": "x"}))
    (2, 21, 8, 7)
    """
    if isinstance(value, Item):
        return sum(map(_bytes, value.at)) + sum(
            _bytes(name) + size_of(one) for name, one in value.values.items()
        )
    if isinstance(value, str):
        return _bytes(value)
    if isinstance(value, bytes):
        return len(value)
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, int):
        return 21  # the most that a number takes
    if isinstance(value, tuple):
        return 3 + sum(1 + size_of(one) for one in value)
    raise TypeError(f"an item cannot hold a {type(value).__name__}")


def _bytes(text: str) -> int:
    return len(text.encode())


class Table:
    """A table in memory, for any number of threads.

    >>> table = Table()
    >>> table.transact([Write(Address("p", "s"), Item(Address("p", "s"), {"n": 1}), 0)])
    >>> [item.values for item in table.query("p").items]
    [{'n': 1}]
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._items: dict[Address, Item] = {}
        self._sorts: dict[str, list[str]] = {}

    def get(self, addresses: Sequence[Address]) -> tuple[dict[Address, Item], tuple[Address, ...]]:
        """The items that exist, and the addresses that found no room in the answer: ask for these again."""
        _within(len(addresses), MAX_GET, "items in one read")
        found: dict[Address, Item] = {}
        room = MAX_GET_BYTES
        with self._lock:
            for number, at in enumerate(addresses):
                item = self._items.get(at)
                if item is None:
                    continue
                room -= size_of(item)
                if room < 0:
                    return found, tuple(addresses[number:])
                found[at] = item
        return found, ()

    def query(
        self,
        partition: str,
        *,
        lo: str | None = None,
        hi: str | None = None,
        after: str | None = None,
        reverse: bool = False,
        limit: int | None = None,
    ) -> Found:
        """A page of the items of a partition in the order of their sort keys, ``lo <= sort < hi``."""
        with self._lock:
            sorts = self._sorts.get(partition, [])
            start = 0 if lo is None else bisect_left(sorts, lo)
            stop = len(sorts) if hi is None else bisect_left(sorts, hi)
            if after is not None and reverse:
                stop = min(stop, bisect_left(sorts, after))
            elif after is not None:
                start = max(start, bisect_right(sorts, after))
            numbers = range(stop - 1, start - 1, -1) if reverse else range(start, stop)
            found: list[Item] = []
            room = MAX_PAGE_BYTES
            for number in numbers:
                item = self._items[Address(partition, sorts[number])]
                room -= size_of(item)
                if found and (room < 0 or len(found) == limit):
                    return Found(tuple(found), found[-1].at.sort)
                found.append(item)
            return Found(tuple(found), None)

    def transact(self, writes: Sequence[Write]) -> None:
        """Do all of *writes*, or nothing.

        Raises:
            CeilingReached: if they are too many or too large, or two are of one item.
            ConditionFailed: if an item is not as it must be.
        """
        _within(len(writes), MAX_ITEMS, "items in a transaction")
        _within(
            len(writes), len({write.at for write in writes}), "writes of items that are written once at most"
        )
        for write in writes:
            _within(_bytes(write.at.partition), MAX_PARTITION_KEY_BYTES, "bytes in a partition key")
            _within(_bytes(write.at.sort), MAX_SORT_KEY_BYTES, "bytes in a sort key")
        sizes = [
            sum(map(_bytes, write.at)) if write.item is None else size_of(write.item) for write in writes
        ]
        _within(max(sizes, default=0), MAX_ITEM_BYTES, "bytes in an item")
        _within(sum(sizes), MAX_TRANSACTION_BYTES, "bytes in a transaction")
        with self._lock:
            for write in writes:
                there = self._items.get(write.at)
                if write.revision is not None and write.revision != (
                    there.values["revision"] if there else 0
                ):
                    raise ConditionFailed("an item is not as it was read: read it again")
            for write in writes:
                self._write(write)

    def _write(self, write: Write) -> None:
        there = write.at in self._items
        sorts = self._sorts.setdefault(write.at.partition, [])
        if write.item is not None:
            self._items[write.at] = Item(write.at, dict(write.item.values))
            if not there:
                insort(sorts, write.at.sort)
        elif there:
            del self._items[write.at]
            del sorts[bisect_left(sorts, write.at.sort)]


def _within(got: int, limit: int, what: str) -> None:
    if got > limit:
        raise CeilingReached(what, limit=limit, got=got)
