"""Where a tenant's facts lie in the table, and how few items a batch makes of them.

Invariant: every item that a batch can write is within the ceilings of an item, and what it writes beside the items that
`crmcore.storage.plan.items` counts is bounded: the head of the tenant, the batch, its changes in one item, and an item
more for each 200 KB of entries.

================== =============================== ==========================================================
item               partition, sort                 holds
================== =============================== ==========================================================
head               tenant                          the length of the feed, and how often anything was written
batch              tenant, key                     digest, time, which changes are its own; a fence has no digest
changes            tenant; number of the last      all changes of a batch
record             tenant, kind, 1 of 16; id       version, schema, body; a deleted one its version
carried            tenant, kind, id                the keys and sorts of a record, apart from its body
key                tenant, namespace, value; ref   nothing
sort               tenant, namespace, part; place  nothing
entries            tenant, stream; number of last  the entries of one batch, as many as an item can hold
================== =============================== ==========================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

from crmcore.storage.plan import Event, Plan, Written
from crmcore.storage.validate import Address as RecordAddress
from crmcore.storage.validate import Checked, KeyPair, SortTriple
from crmcore.testing.ceilings.table import MAX_ITEM_BYTES, Address, Item, Write, size_of

_ROOM = MAX_ITEM_BYTES - 4096
"""What is left of an item for its entries, after its keys and names."""

BUCKETS = "0123456789abcdef"


def number(value: int) -> str:
    """A whole number as a sort key.

    >>> number(12)
    '0000000000000012'
    """
    return f"{value:016d}"


class Layout:
    """The addresses of one tenant. Its name, which may be long, is a digest in them."""

    def __init__(self, tenant: str) -> None:
        self._tenant = sha256(tenant.encode()).hexdigest()[:32]

    def head(self) -> Address:
        return Address(f"{self._tenant}#head", "head")

    def batch(self, idem: str) -> Address:
        return Address(f"{self._tenant}#batch#{idem}", "batch")

    def changes(self) -> str:
        return f"{self._tenant}#changes"

    def records(self, kind: str, bucket: str) -> str:
        return f"{self._tenant}#record#{kind}#{bucket}"

    def record(self, address: RecordAddress) -> Address:
        kind, id_ = address
        return Address(self.records(kind, bucket(id_)), id_)

    def carried(self, address: RecordAddress) -> Address:
        kind, id_ = address
        return Address(f"{self._tenant}#carried#{kind}#{id_}", "carried")

    def key(self, pair: KeyPair) -> str:
        namespace, value = pair
        return f"{self._tenant}#key#{namespace}#{value}"

    def sort(self, namespace: str, part: str) -> str:
        return f"{self._tenant}#sort#{namespace}#{part}"

    def entries(self, stream: str) -> str:
        return f"{self._tenant}#entries#{stream}"

    # --- what a batch writes ---

    def writes(self, checked: Checked, plan: Plan, first: int, revision: int) -> list[Write]:
        """All items of a planned batch, whose changes begin after number *first*, under a head at *revision*."""
        last = first + len(plan.events)
        writes = [
            _put(self.head(), {"number": last, "revision": revision + 1}, revision),
            _put(
                self.batch(checked.idem),
                {"digest": checked.digest, "at": checked.at, "first": first, "last": last, "revision": 1},
                0,
            ),
        ]
        if plan.events:
            changes = {
                "first": first,
                "events": tuple(map(tuple, plan.events)),
                "at": checked.at,
                "idem": checked.idem,
                "actor": checked.actor,
                "reason": checked.reason,
            }
            writes.append(_put(Address(self.changes(), number(last)), changes))
        for written in plan.written:
            writes += self._record(written)
        writes += self._entered(plan)
        return writes

    def _record(self, written: Written) -> Iterator[Write]:
        before, after = written.before, written.after
        if after.op == "put":
            values = {"version": written.version, "live": True, "schema": after.schema, "body": after.body}
            yield _put(self.record(after.address), values)
        elif after.op == "delete":
            yield _put(self.record(after.address), {"version": written.version, "live": False})
        old, new = self._index(after.address, before), self._index(after.address, after)
        if old == new:
            return
        carried = self.carried(after.address)
        values = {"keys": after.keys, "sorts": after.sorts}
        yield _put(carried, values) if new else Write(carried, None)
        for at in sorted(old - new):
            yield Write(at, None)
        for at in sorted(new - old):
            yield _put(at, {})

    def _index(self, address: RecordAddress, carrier: Any) -> set[Address]:
        """The items by which a record is found."""
        kind, id_ = address
        keys: Iterable[KeyPair] = carrier.keys
        sorts: Iterable[SortTriple] = carrier.sorts
        found = {Address(self.key(pair), f"{kind} {id_}") for pair in keys}
        found.update(
            Address(self.sort(namespace, part), place(value, id_, kind)) for namespace, part, value in sorts
        )
        return found

    def _entered(self, plan: Plan) -> Iterator[Write]:
        streams: dict[str, list[tuple[int, tuple[Any, ...]]]] = {}
        for addition, seq in plan.entered:
            entry = (addition.occurred, addition.recorded, addition.subjects, addition.schema, addition.body)
            streams.setdefault(addition.stream, []).append((seq, entry))
        for stream, entries in streams.items():
            for items in _fitting(entries):
                values = {"first": items[0][0], "entries": tuple(entry for _, entry in items)}
                yield _put(Address(self.entries(stream), number(items[-1][0])), values)


def _fitting(entries: list[tuple[int, tuple[Any, ...]]]) -> Iterator[list[tuple[int, tuple[Any, ...]]]]:
    """Entries in groups that each fit into an item."""
    group: list[tuple[int, tuple[Any, ...]]] = []
    room = _ROOM
    for entry in entries:
        size = 1 + size_of(entry[1])
        if group and size > room:
            yield group
            group, room = [], _ROOM
        group.append(entry)
        room -= size
    yield group


def _put(at: Address, values: dict[str, Any], revision: int | None = None) -> Write:
    return Write(at, Item(at, values), revision)


def bucket(id_: str) -> str:
    """The partition of a record among the 16 of its kind: the first digit of its shard."""
    return id_[15]


def place(value: bytes, id_: str, kind: str) -> str:
    """Value, id and kind as one sort key that keeps their order: a blank comes before every digit.

    >>> place(b"a", "1", "x") < place(b"a", "2", "x") < place(b"ab", "1", "x") < place(b"b", "0", "x")
    True
    """
    return f"{value.hex()} {id_} {kind}"


def placed(sort: str) -> tuple[bytes, str, str]:
    """The inverse of `place`."""
    value, id_, kind = sort.split(" ")
    return bytes.fromhex(value), id_, kind


def events(item: Item) -> tuple[Event, ...]:
    """The changes of a batch."""
    return tuple(Event(*one) for one in item.values["events"])
