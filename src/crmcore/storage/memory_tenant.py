"""What the store in memory keeps for one tenant.

Invariant: bodies are kept as text, indexes as sorted lists; each list holds exactly what the live records carry.
The caller holds the lock.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from crmcore.storage.bulk_plan import CheckedChunk
from crmcore.storage.document import decode
from crmcore.storage.paging import Place, RangeQuery, ScanQuery
from crmcore.storage.plan import ABSENT, Current, Event, Plan, Written, change
from crmcore.storage.protocol import Change, Entry, Key, Record, Ref, Sort
from crmcore.storage.validate import Addition, Address, Checked, KeyPair, actor_of, instant
from crmcore.values.source import Actor


class _Row(NamedTuple):
    current: Current
    schema: int
    body: str


class Applied(NamedTuple):
    """A batch that was applied; its changes are numbers *first* + 1 to *last* of the feed."""

    digest: bytes
    at: int
    first: int
    last: int


class _Fed(NamedTuple):
    event: Event
    at: int
    idem: str
    actor: Actor
    reason: str | None


class TenantData:
    def __init__(self, tenant: str) -> None:
        self.tenant = tenant
        self.feed: list[_Fed] = []
        self.batches: dict[str, Applied | None] = {}
        self.loads: dict[str, tuple[int, str]] = {}
        self._rows: dict[Address, _Row] = {}
        self._ids: dict[str, list[str]] = {}
        self._keys: dict[KeyPair, list[Address]] = {}
        self._sorts: dict[tuple[str, str], list[tuple[bytes, str, str]]] = {}
        self._ledgers: dict[str, list[Addition]] = {}

    # reads

    def current(self, address: Address) -> Current:
        row = self._rows.get(address)
        return row.current if row else ABSENT

    def length(self, stream: str) -> int:
        return len(self._ledgers.get(stream, ()))

    def holder(self, pair: KeyPair) -> Address | None:
        carriers = self._keys.get(pair)
        return carriers[0] if carriers else None

    def record(self, address: Address) -> Record | None:
        row = self._rows.get(address)
        if row is None or not row.current.live:
            return None
        return Record(
            ref=Ref(self.tenant, *address),
            version=row.current.version,
            schema=row.schema,
            body=decode(row.body),
            keys=frozenset(Key(*pair) for pair in row.current.keys),
            sorts=frozenset(Sort(*triple) for triple in row.current.sorts),
        )

    def carriers(self, key: Key, after: Address | None) -> Iterator[Address]:
        carriers = self._keys.get((key.namespace, key.value), [])
        return islice(carriers, bisect_right(carriers, after) if after else 0, None)

    def fanout(self, key: Key, cap: int) -> int:
        return min(cap, len(self._keys.get((key.namespace, key.value), ())))

    def places(self, query: RangeQuery, part: str) -> Iterator[Place]:
        """What *part* holds of the range, in order, from the place where the page before ended."""
        items = self._sorts.get((query.namespace, part), [])
        start = 0 if query.lo is None else bisect_left(items, (query.lo,))
        stop = len(items) if query.hi is None else bisect_left(items, (query.hi,))
        if query.after is not None and query.reverse:
            seek = bisect_right if part < query.after[3] else bisect_left
            stop = min(stop, seek(items, query.after[:3]))
        elif query.after is not None:
            seek = bisect_left if part > query.after[3] else bisect_right
            start = max(start, seek(items, query.after[:3]))
        numbers = range(stop - 1, start - 1, -1) if query.reverse else range(start, stop)
        return ((*items[number], part) for number in numbers)

    def scan(self, query: ScanQuery) -> Iterator[Record]:
        ids = self._ids.get(query.kind, [])
        low, high = query.shards
        for id_ in islice(ids, bisect_right(ids, query.after), None):
            if low <= int(id_[15:18], 16) < high:
                record = self.record((query.kind, id_))
                assert record is not None  # the list holds live records only
                yield record

    def entries(self, stream: str, after: int | None, *, reverse: bool) -> Iterator[Entry]:
        ledger = self._ledgers.get(stream, [])
        if reverse:
            last = len(ledger) if after is None else min(after - 1, len(ledger))
            numbers = range(last, 0, -1)
        else:
            numbers = range(max(after or 0, 0) + 1, len(ledger) + 1)
        for seq in numbers:
            kept = ledger[seq - 1]
            yield Entry(
                stream=stream,
                seq=seq,
                occurred_at=instant(kept.occurred),
                recorded_at=instant(kept.recorded),
                subjects=tuple(decode(kept.subjects)),
                schema=kept.schema,
                body=decode(kept.body),
            )

    def events(self, applied: Applied) -> Iterator[Event]:
        return (fed.event for fed in self.feed[applied.first : applied.last])

    def changes(self, after: int, limit: int, position: Callable[[int], str]) -> tuple[Change, ...]:
        return tuple(
            change(
                self.tenant,
                fed.event,
                position=position(number),
                at=fed.at,
                idem=fed.idem,
                actor=fed.actor,
                reason=fed.reason,
            )
            for number, fed in enumerate(self.feed[after : after + limit], after + 1)
        )

    # the one write; a plan cannot fail half way

    def carry_out(self, checked: Checked | CheckedChunk, plan: Plan) -> Applied:
        for written in plan.written:
            self._unindex(written)
        for written in plan.written:
            self._index(written)
        for addition, _ in plan.entered:
            self._ledgers.setdefault(addition.stream, []).append(addition)
        first = len(self.feed)
        actor = actor_of(checked.actor)
        self.feed.extend(
            _Fed(event, checked.at, checked.idem, actor, checked.reason) for event in plan.events
        )
        applied = Applied(checked.digest, checked.at, first, len(self.feed))
        self.batches[checked.idem] = applied
        return applied

    def _unindex(self, written: Written) -> None:
        kind, id_ = address = written.after.address
        for pair in written.before.keys:
            carriers = self._keys[pair]
            del carriers[bisect_left(carriers, address)]
            if not carriers:
                del self._keys[pair]
        for namespace, part, value in written.before.sorts:
            items = self._sorts[namespace, part]
            del items[bisect_left(items, (value, id_, kind))]
            if not items:
                del self._sorts[namespace, part]
        if written.before.live and written.after.op == "delete":
            ids = self._ids[kind]
            del ids[bisect_left(ids, id_)]

    def _index(self, written: Written) -> None:
        kind, id_ = address = written.after.address
        op, _, _, schema, body, keys, sorts, *_ = written.after
        if op == "delete":
            self._rows[address] = _Row(Current(written.version, live=False), 0, "")
            return
        if op == "rekey":
            _, schema, body = self._rows[address]
        self._rows[address] = _Row(Current(written.version, live=True, keys=keys, sorts=sorts), schema, body)
        for pair in keys:
            insort(self._keys.setdefault(pair, []), address)
        for namespace, part, value in sorts:
            insort(self._sorts.setdefault((namespace, part), []), (value, id_, kind))
        if not written.before.live:
            insort(self._ids.setdefault(kind, []), id_)
