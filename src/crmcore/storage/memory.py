"""The store in memory: for tests, notebooks and everything that may be lost.

Invariant: nothing that is passed in or handed out is shared with what is kept, and every call sees the store
between two batches, never within one, from however many threads.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from heapq import merge
from itertools import chain

import crmcore.storage.memory_erasing as memory_erasing
import crmcore.storage.paging as paging
from crmcore.errors import Contention, StoreClosed
from crmcore.storage.bulk import Chunk, ChunkReceipt
from crmcore.storage.bulk_plan import check_chunk, chunk_digest, chunk_receipt, refusals_text, sift
from crmcore.storage.cursor import Cursors
from crmcore.storage.describe import LIMITS, MEMORY, described
from crmcore.storage.erasing import check_erasure
from crmcore.storage.erasure import Erasure, ErasureReport
from crmcore.storage.lift import Lifted
from crmcore.storage.memory_stored import MemorySnapshot, built, rows_of
from crmcore.storage.memory_tenant import Applied, TenantData
from crmcore.storage.plan import decide, receipt, replayable
from crmcore.storage.protocol import (
    EXCLUSIVE,
    Batch,
    Description,
    Entry,
    FeedPage,
    Hits,
    Key,
    Page,
    Position,
    Receipt,
    Record,
    Ref,
    Sort,
)
from crmcore.storage.restoring import not_empty
from crmcore.storage.stored import Stored
from crmcore.storage.stream import Restored
from crmcore.storage.validate import (
    LONGEST_WAIT,
    check_batch,
    check_name,
    check_tenants,
    check_timeout,
    check_word,
)


class MemoryStore:
    """A `Store` that forgets everything when it is closed. *exclusive* are its exclusive namespaces.

    >>> store = MemoryStore()
    >>> store.changes("acme").items
    ()
    """

    def __init__(self, *, exclusive: Collection[str] = EXCLUSIVE) -> None:
        for namespace in exclusive:
            check_word(namespace, "a namespace")
        self._exclusive = frozenset(exclusive)
        self._cursors = Cursors(secrets.token_bytes(32))
        self._lock = threading.RLock()
        self._tenants: dict[str, TenantData] = {}
        self._closed = False

    def describe(self) -> Description:
        return described("memory", "memory", "none", self._exclusive, MEMORY)

    def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        wanted = paging.check_get(LIMITS, refs)
        with self._open():
            found: dict[Ref, Record] = {}
            for tenant, addresses in wanted.items():
                data = self._tenant(tenant)
                found.update((record.ref, record) for record in map(data.record, addresses) if record)
            return found

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        seeks = paging.find_query(self._cursors, LIMITS, tenant, keys, limit_per_key, after)
        with self._open():
            data = self._tenant(tenant)
            return {
                seek.key: paging.hits(self._cursors, seek, data.carriers(seek.key, seek.after), limit_per_key)
                for seek in seeks
            }

    def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        paging.check_fanout(LIMITS, tenant, keys, cap)
        with self._open():
            data = self._tenant(tenant)
            return {key: data.fanout(key, cap) for key in keys}

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
        with self._open():
            data = self._tenant(tenant)
            rows = merge(*(data.places(query, part) for part in query.parts), reverse=query.reverse)
            return paging.range_page(self._cursors, query, rows)

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
        with self._open():
            return paging.scan_page(self._cursors, query, self._tenant(tenant).scan(query))

    def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        after = paging.check_ledger(LIMITS, tenant, streams, after, limit)
        with self._open():
            entries = partial(self._tenant(tenant).entries, reverse=reverse)
            return {
                stream: paging.ledger_page(entries(stream, after.get(stream)), limit) for stream in streams
            }

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        start = paging.feed_place(self._cursors, tenant, after, limit)
        with self._open():
            data = self._tenant(tenant)
            head = len(data.feed)
            start.check(data.generation, head)
            items = data.changes(start.number, limit, self._position(data))
            return paging.feed_page(self._cursors, tenant, items, after, head, data.generation)

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        checked = check_batch(batch, LIMITS, self._exclusive)
        with self._open(timeout):
            data = self._tenants.setdefault(checked.tenant, TenantData(checked.tenant))
            if (known := data.known(checked.idem)) is not None:
                before = data.batches[known]
                replayable(before.digest if before else None, checked.digest)
                assert before is not None  # for the type checker: None was refused in the line above
                return self._receipt(data, before, replayed=True)
            plan = decide(
                checked,
                {address: data.current(address) for address in checked.addresses},
                {stream: data.length(stream) for stream in checked.streams},
                {pair: holder for pair in checked.claims if (holder := data.holder(pair)) is not None},
            )
            applied = data.carry_out(checked, plan)
            return self._receipt(data, applied, replayed=False)

    def outcome(self, tenant: str, idem: str) -> Receipt | None:
        check_name(tenant, "a tenant")
        check_name(idem, "an idempotency key")
        with self._open():
            data = self._tenants.setdefault(tenant, TenantData(tenant))
            applied = data.batches.setdefault(data.known(idem) or idem, None)
            return None if applied is None else self._receipt(data, applied, replayed=True)

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        checked = check_chunk(chunk, LIMITS, self._exclusive)
        with self._open(timeout):
            data = self._tenants.setdefault(checked.tenant, TenantData(checked.tenant))
            before = self._loaded(data, checked.idem, checked.digest)
            if before is not None:
                return before
            plan, refused = sift(
                checked,
                {address: data.current(address) for address in checked.addresses},
                {stream: data.length(stream) for stream in checked.streams},
                {pair: holder for pair in checked.claims if (holder := data.holder(pair)) is not None},
            )
            applied = data.carry_out(checked, plan, (checked.size, refusals_text(refused)))
            return self._chunk_receipt(data, applied, replayed=False)

    def loaded(self, tenant: str, idem: str, digest: str) -> ChunkReceipt | None:
        check_name(tenant, "a tenant")
        check_name(idem, "an idempotency key")
        wanted = chunk_digest(digest)
        with self._open():
            return self._loaded(self._tenant(tenant), idem, wanted)

    def export(self, tenants: Collection[str] | None = None) -> MemorySnapshot:
        """A snapshot that holds on to all rows that there are now; one of a file does not."""
        check_tenants(tenants)
        with self._open():
            chosen = sorted(self._tenants if tenants is None else set(tenants) & set(self._tenants))
            rows = [rows_of(data) for data in map(self._tenant, chosen) if not data.empty]
        return MemorySnapshot(chain.from_iterable(rows), self._open)

    def restore(self, rows: Iterable[Stored]) -> Restored:
        tenants, counts = built(rows, LIMITS, self._exclusive)
        with self._open():
            if not all(self._tenant(tenant).empty for tenant in tenants):
                raise not_empty()
            self._tenants.update(tenants)
        return counts

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        checked = check_erasure(erasure, LIMITS)
        with self._open(timeout):
            data = self._tenants.setdefault(checked.tenant, TenantData(checked.tenant))
            known = data.known(checked.idem)
            if known is not None:
                before = data.batches[known]
                replayable(before.digest if before else None, checked.digest)
                assert before is not None  # for the type checker: None was refused in the line above
                return memory_erasing.report(data, before, replayed=True)
            return memory_erasing.report(data, memory_erasing.erase(data, checked), replayed=False)

    def erasures(self, tenant: str, *, after: str | None = None, limit: int = 500) -> Page[Erasure]:
        (start,) = paging.erasures_query(self._cursors, tenant, after, limit)
        with self._open():
            done = self._tenant(tenant).erasures(start, limit)
        placed = [((number,), erasure) for number, erasure in done]
        return paging.erasures_page(self._cursors, tenant, placed, limit)

    def tenants(self, *, after: str | None = None, limit: int = 500) -> Page[str]:
        start = paging.tenants_query(self._cursors, after, limit)
        with self._open():
            names = sorted(name for name, data in self._tenants.items() if name > start and not data.empty)
        return paging.tenants_page(self._cursors, names, limit)

    def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        check_name(tenant, "a tenant")
        with self._open(timeout):
            return memory_erasing.dropped(self._tenants.pop(tenant, TenantData(tenant)))

    def _loaded(self, data: TenantData, idem: str, digest: bytes) -> ChunkReceipt | None:
        known = data.known(idem)
        if known is None:
            return None
        before = data.batches[known]
        replayable(before.digest if before else None, digest)
        assert before is not None  # for the type checker: None was refused in the line above
        return self._chunk_receipt(data, before, replayed=True)

    def _chunk_receipt(self, data: TenantData, applied: Applied, *, replayed: bool) -> ChunkReceipt:
        assert applied.load is not None  # a batch has another digest, so it was refused before
        rows, refused = applied.load
        position = self._position(data)(applied.last)
        return chunk_receipt(data.tenant, position, rows, refused, applied.at, replayed=replayed)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._tenants = {}

    def _receipt(self, data: TenantData, applied: Applied, *, replayed: bool) -> Receipt:
        position = self._position(data)(applied.last)
        return receipt(data.tenant, data.events(applied), position, applied.at, replayed=replayed)

    def _position(self, data: TenantData) -> Callable[[int], Position]:
        return partial(paging.position, self._cursors, data.tenant, generation=data.generation)

    def _tenant(self, tenant: str) -> TenantData:
        return self._tenants.get(tenant) or TenantData(tenant)

    @contextmanager
    def _open(self, timeout: float = LONGEST_WAIT) -> Iterator[None]:
        if not self._lock.acquire(timeout=check_timeout(timeout)):
            raise Contention("other threads were writing all the time: send the same batch again")
        try:
            if self._closed:
                raise StoreClosed("this store is closed: open it again")
            yield
        finally:
            self._lock.release()


class AsyncMemoryStore(Lifted):
    """`MemoryStore` as an `AsyncStore`. It never suspends, because it never waits for anything but a lock."""

    def __init__(self, *, exclusive: Collection[str] = EXCLUSIVE) -> None:
        super().__init__(MemoryStore(exclusive=exclusive))
