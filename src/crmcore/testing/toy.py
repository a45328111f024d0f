"""A store that keeps what it has in a file of lines: small, good, and made to be broken in one place at a time.

Invariant: it claims every part of the protocol and passes the whole kit, so that what a mutant of it fails is its own
fault. It writes its whole file anew with every batch: enough for the kit, and for nobody else.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import attrs

from crmcore.errors import SchemaMismatch, Unavailable
from crmcore.storage import (
    Batch,
    Capability,
    Chunk,
    ChunkReceipt,
    Description,
    Erasure,
    ErasureReport,
    Integrity,
    Json,
    MemoryStore,
    Problem,
    Receipt,
    SchemaState,
    Stored,
    StoredBatch,
    StoredEntry,
    StoredRecord,
    StoredTenant,
)
from crmcore.storage.capability import DURABLE, SCHEMA
from crmcore.storage.cursor import Cursors
from crmcore.storage.memory_stored import rows_of
from crmcore.storage.protocol import Body, Ref

NEWEST = 2
KINDS: tuple[type[Stored], ...] = (StoredTenant, StoredRecord, StoredEntry, StoredBatch)


class Toy(MemoryStore):
    """A `Store` at a folder, which is open once at a time."""

    _opened: ClassVar[set[Path]] = set()

    def __init__(self, place: Path) -> None:
        super().__init__()
        self.file = place / "rows.txt"
        self.hold()
        self.version = NEWEST
        if self.file.exists():
            self.load_file()
        self._secret()

    def describe(self) -> Description:
        there = super().describe()
        parts = tuple(
            Capability(name=one.name, support="full") if one.name in (DURABLE, SCHEMA) else one
            for one in there.capabilities
        )
        return attrs.evolve(there, durability="process", capabilities=parts)

    def hold(self) -> None:
        """See to it that nobody else in this process opens the same file."""
        if self.file in self._opened:
            raise Unavailable("the store is open already: close it first")
        self._opened.add(self.file)

    def close(self) -> None:
        if not self._closed:
            self.save_file()
        self._opened.discard(self.file)
        super().close()

    # the file

    def rows(self) -> list[Stored]:
        """Everything, as rows."""
        with self._open():
            kept = [data for _, data in sorted(self._tenants.items()) if not data.empty]
            return [row for data in kept for row in rows_of(data)]

    def save_file(self) -> None:
        generations = {name: data.generation for name, data in self._tenants.items() if not data.empty}
        lines = [repr(self.version), repr(generations), *(_line(row) for row in self.rows())]
        self.file.write_text("\n".join(lines), encoding="utf-8")

    def load_file(self) -> None:
        version, generations, *lines = self.file.read_text(encoding="utf-8").split("\n")
        self.version = int(version)
        self.check_version()
        self.restore(_row(line) for line in lines)
        for name, generation in literal_eval(generations).items():
            self._tenants[name].generation = generation
        if self.file.with_name("damaged").exists():
            self._tenants["acme"]._keys.clear()

    def check_version(self) -> None:
        if self.version > NEWEST:
            raise SchemaMismatch("the store was written by a newer program: use that one")

    def _secret(self) -> None:
        self._cursors = Cursors(bytes(32))

    # what is acknowledged is in the file

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        with self._open(timeout):
            receipt = super().apply(batch, timeout=timeout)
            self.save_file()
            return receipt

    def outcome(self, tenant: str, idem: str) -> Receipt | None:
        with self._open():
            receipt = super().outcome(tenant, idem)
            self.save_file()
            return receipt

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        with self._open(timeout):
            receipt = super().load(chunk, timeout=timeout)
            self.save_file()
            return receipt

    # the parts that the store in memory does not have

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        report = super().erase(erasure, timeout=timeout)
        self.save_file()
        return report

    def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        report = super().drop_tenant(tenant, timeout=timeout)
        self.save_file()
        return report

    def verify(self) -> Integrity:
        rows = self.rows()
        records = [row for row in rows if isinstance(row, StoredRecord)]
        lost = sum(len(one.keys) != len(self._kept_keys(one)) for one in records)
        problems = (Problem(code="keys", message="keys that find no record", count=lost),) if lost else ()
        return Integrity(
            records=len(records),
            entries=sum(isinstance(row, StoredEntry) for row in rows),
            changes=sum(len(row.events) for row in rows if isinstance(row, StoredBatch)),
            problems=problems,
        )

    def _kept_keys(self, one: StoredRecord) -> list[tuple[str, str]]:
        data = self._tenants[one.tenant]
        return [pair for pair in one.keys if (one.kind, one.id) in data._keys.get(pair, ())]

    def schema(self) -> SchemaState:
        pending = tuple(f"to {step}" for step in range(self.version + 1, NEWEST + 1))
        with self._open():
            return SchemaState(version=self.version, newest=NEWEST, pending=pending)

    def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]:
        steps = self.schema().pending
        self.version = NEWEST
        return steps


@lru_cache(maxsize=8192, typed=True)  # the file is written anew with every batch, most of it as it was
def _line(row: Stored) -> str:
    plain = tuple(str(cell) if isinstance(cell, Json) else cell for cell in row)
    return repr((type(row).__name__, plain))


def _row(line: str) -> Stored:
    name, cells = literal_eval(line)
    kind = next(kind for kind in KINDS if kind.__name__ == name)
    row: Any = kind(*cells)
    return row._replace(body=Json(row.body)) if getattr(row, "body", None) is not None else row  # type: ignore[no-any-return]  # one of KINDS


def older(place: Path) -> Mapping[Ref, Body]:
    """Put a store of the first schema there; its records."""
    _of_version(place, 1)
    return {Ref("acme", "party", _ID): {"old": 1}}


def newer(place: Path) -> None:
    """Put a store there that a later toy wrote."""
    _of_version(place, NEWEST + 1)


def damaged(place: Path) -> None:
    """Put a store there whose only record is carried by no key, though it says that it carries one."""
    (place / "damaged").touch()
    _of_version(place, NEWEST)


_ID = "00000005-0000-7000-8000-000000000000"


def _of_version(place: Path, version: int) -> None:
    cells = (
        "acme",
        "party",
        _ID,
        1,
        1,
        '{"old":1}',
        (("email", "x"),),
        (),
    )
    record = ("StoredRecord", cells)
    lines: Iterable[object] = (version, {}, ("StoredTenant", ("acme", b"")), record)
    (place / "rows.txt").write_text("\n".join(map(repr, lines)), encoding="utf-8")
