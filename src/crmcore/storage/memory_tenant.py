"""What the store in memory keeps for one tenant.

Invariant: bodies are kept as text, indexes as sorted lists; each list holds exactly what the live records carry.
The caller holds the lock.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Collection, Iterator, Set
from itertools import islice
from typing import NamedTuple

from crmcore.storage.bulk_plan import CheckedChunk
from crmcore.storage.cursor import new_generation
from crmcore.storage.document import decode
from crmcore.storage.erasing import erasure_of, forms
from crmcore.storage.erasure import Erasure
from crmcore.storage.paging import Place, RangeQuery, ScanQuery
from crmcore.storage.plan import ABSENT, Current, Event, Plan, Written, change, rekeyed
from crmcore.storage.protocol import Change, Entry, Key, Record, Ref, Sort
from crmcore.storage.validate import Addition, Address, Checked, KeyPair, Write, actor_of, instant


class Kept(NamedTuple):
    """A record as it is kept; of a deleted one only the version is left."""

    current: Current
    schema: int
    body: str

    def __repr__(self) -> str:
        return f"Kept({self.current!r}, <hidden>)"


class Applied(NamedTuple):
    """A batch that was applied; its changes are numbers *first* + 1 to *last* of the feed.

    *load* is the number of rows of a chunk and the text of its refusals, *erasure* what is kept of an erasure,
    *rekeyed* the records that it only rekeyed, of which the feed tells nothing.
    """

    idem: str
    digest: bytes
    at: int
    first: int
    last: int
    actor: str
    reason: str | None
    load: tuple[int, str] | None = None
    erasure: str | None = None
    rekeyed: tuple[Address, ...] = ()

    def __repr__(self) -> str:
        return f"Applied(first={self.first}, last={self.last}, <hidden>)"


class TenantData:
    """All that one tenant has. *feed* has each change with its batch, *batches* every batch by the key it is known by.

    The value of a key that `outcome` fenced is None. *generation* is another one each time that a tenant of this name
    is made, so that positions of a dropped one are known as such.
    """

    def __init__(self, tenant: str, pepper: bytes = b"", *, generation: str = "") -> None:
        self.tenant = tenant
        self.pepper = pepper
        self.generation = generation or new_generation()
        self.feed: list[tuple[Event, Applied]] = []
        self.batches: dict[str, Applied | None] = {}
        self.rows: dict[Address, Kept] = {}
        self.ledgers: dict[str, list[Addition]] = {}
        self._ids: dict[str, list[str]] = {}
        self._keys: dict[KeyPair, list[Address]] = {}
        self._sorts: dict[tuple[str, str], list[tuple[bytes, str, str]]] = {}

    @property
    def empty(self) -> bool:
        """Whether there is nothing at all of this tenant."""
        return not (self.batches or self.rows or self.ledgers)

    # reads

    def current(self, address: Address) -> Current:
        row = self.rows.get(address)
        return row.current if row else ABSENT

    def length(self, stream: str) -> int:
        return len(self.ledgers.get(stream, ()))

    def holder(self, pair: KeyPair) -> Address | None:
        carriers = self._keys.get(pair)
        return carriers[0] if carriers else None

    def record(self, address: Address) -> Record | None:
        row = self.rows.get(address)
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
        ledger = self.ledgers.get(stream, [])
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

    def known(self, idem: str) -> str | None:
        """The text under which the batch *idem* is known, which is another one when what it wrote was erased."""
        return next((form for form in forms(idem, self.pepper) if form in self.batches), None)

    def events(self, applied: Applied) -> Iterator[Event]:
        return (event for event, _ in self.feed[applied.first : applied.last])

    def changes(self, after: int, limit: int, position: Callable[[int], str]) -> tuple[Change, ...]:
        return tuple(
            change(
                self.tenant,
                event,
                position=position(number),
                at=batch.at,
                idem=batch.idem,
                actor=actor_of(batch.actor),
                reason=batch.reason,
            )
            for number, (event, batch) in enumerate(self.feed[after : after + limit], after + 1)
        )

    def erasures(self, after: int, limit: int) -> list[tuple[int, Erasure]]:
        """The erasures after the first *after*, each with its number, and one more than *limit* if there are more."""
        done = [batch for batch in self.batches.values() if batch and batch.erasure is not None]
        done.sort(key=lambda batch: batch.first)
        return [
            (
                place,
                erasure_of(self.tenant, text, idem=one.idem, at=one.at, actor=one.actor, reason=one.reason),
            )
            for place, one in islice(enumerate(done, 1), after, after + limit + 1)
            if (text := one.erasure) is not None
        ]

    # the writes; a plan cannot fail half way

    def carry_out(
        self, checked: Checked | CheckedChunk, plan: Plan, load: tuple[int, str] | None = None
    ) -> Applied:
        for written in plan.written:
            self._unindex(written)
        for written in plan.written:
            self._index(written)
        for addition, _ in plan.entered:
            self.ledgers.setdefault(addition.stream, []).append(addition)
        return self.note(
            checked.idem,
            checked.digest,
            checked.at,
            checked.actor,
            checked.reason,
            plan.events,
            load=load,
            rekeyed=rekeyed(plan.written),
        )

    def note(
        self,
        idem: str,
        digest: bytes,
        at: int,
        actor: str,
        reason: str | None,
        events: Collection[Event],
        *,
        load: tuple[int, str] | None = None,
        erasure: str | None = None,
        rekeyed: tuple[Address, ...] = (),
    ) -> Applied:
        """Keep that a batch was applied, with its changes."""
        first = len(self.feed)
        last = first + len(events)
        batch = Applied(idem, digest, at, first, last, actor, reason, load, erasure, rekeyed)
        self.feed.extend((event, batch) for event in events)
        self.batches[idem] = batch
        return batch

    def remove(self, address: Address) -> int:
        """Take a live record away, as a `Delete` would; its version before."""
        before = self.rows[address].current
        written = Written(Write("delete", address, before.version), before.version + 1, before)
        self._unindex(written)
        self._index(written)
        return before.version

    def insert(self, address: Address, kept: Kept) -> None:
        """Keep a record that is not there yet, as it is."""
        if not kept.current.live:
            self.rows[address] = kept
            return
        version, _, keys, sorts = kept.current
        write = Write("put", address, 0, kept.schema, kept.body, tuple(keys), tuple(sorts))
        self._index(Written(write, version, ABSENT))

    def shared(self, exclusive: Set[str]) -> KeyPair | None:
        """An exclusive key that more than one record carries, if there is one."""
        return next(
            (pair for pair, held in self._keys.items() if pair[0] in exclusive and len(held) > 1), None
        )

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
            self.rows[address] = Kept(Current(written.version, live=False), 0, "")
            return
        if op == "rekey":
            _, schema, body = self.rows[address]
        self.rows[address] = Kept(Current(written.version, live=True, keys=keys, sorts=sorts), schema, body)
        for pair in keys:
            insort(self._keys.setdefault(pair, []), address)
        for namespace, part, value in sorts:
            insort(self._sorts.setdefault((namespace, part), []), (value, id_, kind))
        if not written.before.live:
            insort(self._ids.setdefault(kind, []), id_)
