"""The store in one SQLite file: for one machine, from a notebook to a small company.

Invariant: a batch that was acknowledged survives a crash of the process and of the machine (write-ahead log,
``synchronous=FULL``); every read is one snapshot; a write holds the one write lock of the file from before its first
look until its commit, so batches are applied one after another, whatever thread or process they come from.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Self

import crmcore.storage.paging as paging
import crmcore.storage.sqlite_bulk as sqlite_bulk
import crmcore.storage.sqlite_read as sqlite_read
import crmcore.storage.sqlite_write as sqlite_write
from crmcore.storage.bulk import Chunk, ChunkReceipt
from crmcore.storage.bulk_plan import check_chunk, chunk_digest
from crmcore.storage.describe import LIMITS, SQLITE, described
from crmcore.storage.document import decode
from crmcore.storage.nearness import Breadth, NearHits, followed, nearest
from crmcore.storage.plan import receipt, replayable
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
from crmcore.storage.sqlite_parts import SqliteParts
from crmcore.storage.validate import check_batch, check_name, check_word


class SqliteStore(SqliteParts):
    """A `Store` in the file at *path*, which is made if it does not exist, unless *must_exist*.

    *exclusive* are the namespaces in which a key has one holder at most; they are settled when the file is made. A file
    that an older crmcore made is migrated when it is opened, or, without *migrate*, refused.
    *timeout* is how long, in seconds, opening and reading wait for somebody who holds the whole file. A store may
    be used from several threads at once, and a file by several processes at once; after a fork, open it again.

    Raises:
        SchemaMismatch: if the file is no store, was made by a newer crmcore, or is not to be migrated.
        Unavailable: if there is no such place, or it cannot be written.
        Contention: if others held the file for too long.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, SqliteStore(f"{folder}/crm.db") as store:
    ...     store.describe().address
    'crm.db'
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        exclusive: Collection[str] = EXCLUSIVE,
        must_exist: bool = False,
        migrate: bool = True,
        timeout: float = 30.0,
    ) -> None:
        for namespace in exclusive:
            check_word(namespace, "a namespace")
        super().__init__(
            Path(path),
            exclusive=frozenset(exclusive),
            must_exist=must_exist,
            migrate=migrate,
            timeout=timeout,
        )

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        exclusive: Collection[str] = EXCLUSIVE,
        must_exist: bool = False,
        migrate: bool = True,
        timeout: float = 30.0,
    ) -> Self:
        """The same as calling the class: for code that opens stores of any kind by this name."""
        return cls(path, exclusive=exclusive, must_exist=must_exist, migrate=migrate, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def describe(self) -> Description:
        engine = f"sqlite {sqlite3.sqlite_version}"
        return described(engine, self._path.name, "power", self._exclusive, SQLITE)

    # reads

    def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        wanted = paging.check_get(LIMITS, refs)
        with self._reading() as connection:
            found: dict[Ref, Record] = {}
            for tenant, addresses in wanted.items():
                number = sqlite_read.tenant_number(connection, tenant)
                for address in addresses:
                    record = sqlite_read.record(connection, number, tenant, address)
                    if record is not None:
                        found[record.ref] = record
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
        with self._reading() as connection:
            number = sqlite_read.tenant_number(connection, tenant)
            begun = [seek.key for seek in seeks if seek.after is None]
            known = sqlite_read.first_carriers(connection, number, begun, limit_per_key)
            found: dict[Key, Hits] = {}
            for seek in seeks:
                rows = known.get(seek.key, ()) if seek.after is None else None
                if rows is None:
                    rows = sqlite_read.carriers(connection, number, seek, limit_per_key)
                found[seek.key] = paging.hits(self._cursors, seek, rows, limit_per_key)
            return found

    def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        paging.check_fanout(LIMITS, tenant, keys, cap)
        with self._reading() as connection:
            number = sqlite_read.tenant_number(connection, tenant)
            return {key: sqlite_read.fanout(connection, number, key, cap) for key in keys}

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
        with self._reading() as connection:
            number = sqlite_read.tenant_number(connection, tenant)
            return paging.range_page(self._cursors, query, sqlite_read.places(connection, number, query))

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
        with self._reading() as connection:
            number = sqlite_read.tenant_number(connection, tenant)
            return paging.scan_page(self._cursors, query, sqlite_read.scan(connection, number, query))

    def skim(self, tenant: str, kind: str, *, after: str | None = None, limit: int = 500) -> Page[Skimmed]:
        query = paging.scan_query(self._cursors, tenant, kind, None, after, limit)
        with self._reading() as connection:
            number = sqlite_read.tenant_number(connection, tenant)
            return paging.skim_page(self._cursors, query, sqlite_read.skim(connection, number, query))

    def skim_ledgers(
        self, tenant: str, streams: Sequence[str], *, limit: int = 500
    ) -> Mapping[str, Beginning | None]:
        paging.check_ledger(LIMITS, tenant, streams, None, limit)
        with self._reading() as connection:
            number = sqlite_read.tenant_number(connection, tenant)
            return sqlite_read.first_texts(connection, number, streams, limit)

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
        with self._reading() as connection:
            number = sqlite_read.tenant_number(connection, tenant)
            if not after and not reverse:
                firsts = sqlite_read.first_entries(connection, number, streams, limit)
                return {stream: paging.ledger_page(firsts[stream], limit) for stream in streams}
            entries = partial(sqlite_read.entries, connection, number, limit=limit, reverse=reverse)
            return {
                stream: paging.ledger_page(entries(stream, after.get(stream)), limit) for stream in streams
            }

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        start = paging.feed_place(self._cursors, tenant, after, limit)
        with self._reading() as connection:
            owner = sqlite_read.owner(connection, tenant)
            start.check(owner.generation, owner.head)
            position = self._position(owner)
            items = sqlite_read.changes(connection, owner.no, tenant, start.number, limit, position)
            return paging.feed_page(self._cursors, tenant, items, after, owner.head, owner.generation)

    def near(
        self, tenant: str, namespace: str, values: Sequence[str], kind: str, *, breadth: Breadth
    ) -> NearHits:
        cap = breadth.largest + 1
        paging.check_fanout(LIMITS, tenant, [Key(namespace, value) for value in values], cap)
        with self._reading() as connection:
            number = sqlite_read.tenant_number(connection, tenant)
            sizes = sqlite_read.fanouts(connection, number, namespace, list(values), cap)
            places, passed_over = followed(sizes, breadth)
            chosen = [values[place] for place in places]
            bearers = sqlite_read.bearers(connection, number, namespace, chosen, kind)
            ids, left_out = nearest(bearers, [sizes[place] for place in places], breadth.most)
            texts = sqlite_read.bodies(connection, number, kind, ids)
        return NearHits({id: decode(text) for id, text in texts.items()}, passed_over, left_out)

    # the one write

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        checked = check_batch(batch, LIMITS, self._exclusive)
        with self._writing(timeout, checked.idem) as connection:
            owner = sqlite_write.tenant_for_writing(connection, checked.tenant)
            before = sqlite_read.applied(connection, owner.no, checked.idem)
            if before is not None:
                replayable(before.digest, checked.digest)
                return self._receipt(connection, owner, before, replayed=True)
            plan = sqlite_write.plan(connection, owner.no, checked)
            applied = sqlite_write.carry_out(connection, owner.no, owner.head, checked, plan)
            position = self._position(owner)(applied.last)
            return receipt(checked.tenant, plan.events, position, checked.at, replayed=False)

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        checked = check_chunk(chunk, LIMITS, self._exclusive)
        with self._writing(timeout, checked.idem) as connection:
            owner = sqlite_write.tenant_for_writing(connection, checked.tenant)
            position = self._position(owner)
            before = sqlite_bulk.loaded(connection, owner, checked.idem, checked.digest, position)
            return before or sqlite_bulk.load(connection, owner, checked, position)

    def loaded(self, tenant: str, idem: str, digest: str) -> ChunkReceipt | None:
        check_name(tenant, "a tenant")
        check_name(idem, "an idempotency key")
        wanted = chunk_digest(digest)
        with self._reading() as connection:
            owner = sqlite_read.owner(connection, tenant)
            return sqlite_bulk.loaded(connection, owner, idem, wanted, self._position(owner))

    def outcome(self, tenant: str, idem: str) -> Receipt | None:
        check_name(tenant, "a tenant")
        check_name(idem, "an idempotency key")
        with self._writing(self._timeout, idem) as connection:
            owner = sqlite_write.tenant_for_writing(connection, tenant)
            applied = sqlite_read.applied(connection, owner.no, idem)
            if applied is None:
                sqlite_write.fence(connection, owner.no, idem)
                return None
            if applied.digest is None:
                return None
            return self._receipt(connection, owner, applied, replayed=True)

    def _receipt(
        self,
        connection: sqlite3.Connection,
        owner: sqlite_read.Owner,
        applied: sqlite_read.Applied,
        *,
        replayed: bool,
    ) -> Receipt:
        events = sqlite_read.events(connection, owner.no, applied)
        position = self._position(owner)(applied.last)
        return receipt(owner.name, events, position, applied.at, replayed=replayed)

    def _position(self, owner: sqlite_read.Owner) -> Callable[[int], Position]:
        return partial(paging.position, self._cursors, owner.name, generation=owner.generation)
