"""`SqliteStore` for asyncio: the same file, the same promises, calls that do not hold up the event loop.

Invariant: SQLite has no asynchronous interface, so this store owns threads, and says so: one that writes and a few
that read. They are made on first use and end with `close`. It belongs to no event loop: each call waits in the loop
that it is made from.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Self, TypeVar

from crmcore.errors import CommitUnknown, StoreClosed
from crmcore.storage.bulk import Chunk, ChunkReceipt
from crmcore.storage.erasure import Erasure, ErasureReport
from crmcore.storage.nearness import Breadth, NearHits
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
from crmcore.storage.skimming import Beginning, Skimmed
from crmcore.storage.sqlite import SqliteStore
from crmcore.storage.sqlite_export import SqliteSnapshot
from crmcore.storage.stored import Stored
from crmcore.storage.stream import Restored
from crmcore.storage.upkeep import Integrity, SchemaState

T = TypeVar("T")


class AsyncSqliteSnapshot:
    """`SqliteSnapshot` for asyncio: *read* makes a call on one of the threads that read."""

    def __init__(
        self,
        snapshot: SqliteSnapshot,
        read: Callable[[Callable[[], Sequence[Stored]]], Awaitable[Sequence[Stored]]],
    ) -> None:
        self._snapshot = snapshot
        self._read = read

    async def read(self, limit: int = 1000) -> Sequence[Stored]:
        return await self._read(partial(self._snapshot.read, limit))

    async def close(self) -> None:
        self._snapshot.close()  # waits for a read under way, of a thousand rows or so, and for nothing else


class AsyncSqliteStore:
    """An `AsyncStore` over *store*, which it closes when it is closed itself.

    Batches are written by one thread, in the order in which they were sent; *readers* threads read at the same
    time. A task that is cancelled while its batch waits for its turn has written nothing. Cancelled later, it stays
    cancelled, and the `asyncio.CancelledError` has a `CommitUnknown` as its cause: ask `outcome`, or send the same
    batch again.

    >>> import tempfile
    >>> async def address(path: str) -> str:
    ...     async with AsyncSqliteStore.open(path) as store:
    ...         return store.describe().address
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     asyncio.run(address(f"{folder}/crm.db"))
    'crm.db'
    """

    def __init__(self, store: SqliteStore, *, readers: int = 4) -> None:
        self._store = store
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="crmcore-sqlite-write")
        self._reading = ThreadPoolExecutor(readers, thread_name_prefix="crmcore-sqlite-read")
        self._closing: Future[None] | None = None

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        exclusive: Collection[str] = EXCLUSIVE,
        must_exist: bool = False,
        migrate: bool = True,
        timeout: float = 30.0,
        readers: int = 4,
    ) -> Self:
        """Open the file as `SqliteStore` does, with the same arguments and errors. This takes a moment, at start."""
        store = SqliteStore(
            path, exclusive=exclusive, must_exist=must_exist, migrate=migrate, timeout=timeout
        )
        return cls(store, readers=readers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def describe(self) -> Description:
        return self._store.describe()

    async def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        return await self._read(partial(self._store.get, refs))

    async def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        return await self._read(
            partial(self._store.find, tenant, keys, limit_per_key=limit_per_key, after=after)
        )

    async def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        return await self._read(partial(self._store.fanout, tenant, keys, cap=cap))

    async def range(
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
        return await self._read(
            partial(
                self._store.range,
                tenant,
                namespace,
                parts,
                lo=lo,
                hi=hi,
                after=after,
                limit=limit,
                reverse=reverse,
            )
        )

    async def scan(
        self,
        tenant: str,
        kind: str,
        *,
        shards: tuple[int, int] | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> Page[Record]:
        return await self._read(
            partial(self._store.scan, tenant, kind, shards=shards, after=after, limit=limit)
        )

    async def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        return await self._read(
            partial(self._store.ledger, tenant, streams, after=after, limit=limit, reverse=reverse)
        )

    async def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        return await self._read(partial(self._store.changes, tenant, after, limit))

    async def skim(
        self, tenant: str, kind: str, *, after: str | None = None, limit: int = 500
    ) -> Page[Skimmed]:
        return await self._read(partial(self._store.skim, tenant, kind, after=after, limit=limit))

    async def skim_ledgers(
        self, tenant: str, streams: Sequence[str], *, limit: int = 500
    ) -> Mapping[str, Beginning | None]:
        return await self._read(partial(self._store.skim_ledgers, tenant, streams, limit=limit))

    async def near(
        self, tenant: str, namespace: str, values: Sequence[str], kind: str, *, breadth: Breadth
    ) -> NearHits:
        return await self._read(partial(self._store.near, tenant, namespace, values, kind, breadth=breadth))

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return await self._write(batch.idem, partial(self._store.apply, batch, timeout=timeout))

    async def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        return await self._write(chunk.idem, partial(self._store.load, chunk, timeout=timeout))

    async def loaded(self, tenant: str, idem: str, digest: str) -> ChunkReceipt | None:
        return await self._read(partial(self._store.loaded, tenant, idem, digest))

    async def outcome(self, tenant: str, idem: str) -> Receipt | None:
        # On the writing thread: it answers for every batch that was sent before it.
        sent = self._send(self._writing, partial(self._store.outcome, tenant, idem))
        return await asyncio.wrap_future(sent)

    async def export(self, tenants: Collection[str] | None = None) -> AsyncSqliteSnapshot:
        return AsyncSqliteSnapshot(await self._read(partial(self._store.export, tenants)), self._read)

    async def restore(self, rows: Iterable[Stored]) -> Restored:
        """As `SqliteStore.restore`; *rows* are gone through by the thread that writes."""
        return await self._write("", partial(self._store.restore, rows))

    async def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        return await self._write(erasure.idem, partial(self._store.erase, erasure, timeout=timeout))

    async def erasures(self, tenant: str, *, after: str | None = None, limit: int = 500) -> Page[Erasure]:
        return await self._read(partial(self._store.erasures, tenant, after=after, limit=limit))

    async def verify(self) -> Integrity:
        return await self._read(self._store.verify)

    async def schema(self) -> SchemaState:
        return await self._read(self._store.schema)

    async def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]:
        return await self._write("", partial(self._store.migrate, timeout=timeout))

    async def tenants(self, *, after: str | None = None, limit: int = 500) -> Page[str]:
        return await self._read(partial(self._store.tenants, after=after, limit=limit))

    async def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        return await self._write("", partial(self._store.drop_tenant, tenant, timeout=timeout))

    async def close(self) -> None:
        """End the store when all calls under way have ended. May be repeated."""
        if self._closing is None:
            self._closing = self._writing.submit(self._finish)
            self._writing.shutdown(wait=False)
        # Shielded: a close that was begun goes on when its task is cancelled, and can be waited for again.
        await asyncio.shield(asyncio.wrap_future(self._closing))
        self._writing.shutdown()  # its last call has ended: this waits for the thread to go, not for work

    def _finish(self) -> None:
        self._reading.shutdown()
        self._store.close()

    async def _write(self, idem: str, call: Callable[[], T]) -> T:
        sent = self._send(self._writing, call)
        try:
            return await asyncio.wrap_future(sent)
        except asyncio.CancelledError as cancelled:
            if sent.cancel():  # it had not begun, and now never will
                raise
            raise cancelled from CommitUnknown(
                "the task was cancelled while its batch was being written: ask outcome(), or send the same batch again",
                idem=idem,
            )

    async def _read(self, call: Callable[[], T]) -> T:
        return await asyncio.wrap_future(self._send(self._reading, call))

    def _send(self, threads: ThreadPoolExecutor, call: Callable[[], T]) -> Future[T]:
        if self._closing is not None:
            raise StoreClosed("this store is closed: open it again")
        return threads.submit(copy_context().run, call)
