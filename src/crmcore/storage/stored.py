"""All that a store keeps, as plain rows: what a snapshot gives and what a restore takes.

Invariant: who is given all rows of a tenant can rebuild every answer that the store gives about it, but for places in
the feed and cursors, which only the store that made them can read. Rows of a tenant come in the order of this page:
the tenant, its records by kind and id, its entries by stream and number, its batches in the order of the feed, then
the batches that `outcome` fenced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Literal, NamedTuple

from crmcore.errors import Corrupt, StoreClosed, StoreError
from crmcore.storage.document import Json, write


class StoredTenant(NamedTuple):
    """The beginning of a tenant. *pepper* are the random bytes with which its erased idempotency keys were hashed,
    empty if nothing was ever erased."""

    tenant: str
    pepper: bytes = b""

    def __repr__(self) -> str:
        return f"StoredTenant(tenant={self.tenant!r}, pepper=<hidden>)"


class StoredRecord(NamedTuple):
    """A record. A deleted one has no body and carries nothing; its version stays, so that it is never used again.

    *keys* and *sorts* are sorted tuples.
    """

    tenant: str
    kind: str
    id: str
    version: int
    schema: int
    body: Json | None
    keys: tuple[tuple[str, str], ...] = ()
    sorts: tuple[tuple[str, str, bytes], ...] = ()

    def __repr__(self) -> str:
        return f"StoredRecord(kind={self.kind!r}, id={self.id!r}, version={self.version}, <hidden>)"


class StoredEntry(NamedTuple):
    """An entry of a ledger. Instants are microseconds since 1970."""

    tenant: str
    stream: str
    seq: int
    occurred: int
    recorded: int
    subjects: tuple[str, ...]
    schema: str
    body: Json

    def __repr__(self) -> str:
        return f"StoredEntry(seq={self.seq}, schema={self.schema!r}, <hidden>)"


Happened = tuple[Literal["put", "delete", "append", "erase"], str, str, int]
"""A change in the feed: what, the kind or stream, the id ("" for a stream), the version or number."""


class StoredBatch(NamedTuple):
    """A batch, chunk or erasure that was applied, with its changes; or a fence, whose *digest* is None.

    *digest* is empty when what it wrote was erased: it is refused for good, should it arrive again. *actor* is the
    canonical text of the actor. *load* is the number of rows of a chunk and the text of its refusals, *erasure* the
    text of what was to be erased. *rekeyed* are the records, by kind and id in this order, whose keys or sorts it
    replaced without writing them: that is no change in the feed, but whoever erases them has to know of it.
    """

    tenant: str
    idem: str
    digest: bytes | None
    at: int
    actor: str
    reason: str | None
    events: tuple[Happened, ...] = ()
    load: tuple[int, str] | None = None
    erasure: str | None = None
    rekeyed: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"StoredBatch(<{len(self.events)} changes>, <hidden>)"


Stored = StoredTenant | StoredRecord | StoredEntry | StoredBatch


def line(row: Stored) -> str:
    """The canonical text of a row: a JSON array that begins with the name of what it is.

    >>> line(StoredRecord("acme", "party", "…", 1, 1, Json("{}")))
    '["record","acme","party","…",1,1,{},[],[]]'
    """
    if isinstance(row, StoredRecord):
        head = write(["record", *row[:5]])[:-1]
        sorts = [(namespace, part, value.hex()) for namespace, part, value in row.sorts]
        return f"{head},{'null' if row.body is None else row.body},{write(row.keys)},{write(sorts)}]"
    if isinstance(row, StoredEntry):
        return f"{write(['entry', *row[:7]])[:-1]},{row.body}]"
    if isinstance(row, StoredBatch):
        digest = None if row.digest is None else row.digest.hex()
        rest = row[3:] if row.rekeyed else row[3:-1]  # most batches rekey nothing
        return write(["batch", row.tenant, row.idem, digest, *rest])
    return write(["tenant", row.tenant, row.pepper.hex()])


MOST_BYTES = 4 << 20
"""Rows are read, packed and written in portions that weigh about so much, however few these are."""

_ROW = 500  # what a row takes beside its texts
_CHANGE = 200


def weight(row: Stored) -> int:
    """About how many bytes of memory a row takes: what `portion` and restores count by."""
    if isinstance(row, StoredRecord):
        return _ROW + len(row.body or "") + _CHANGE * (len(row.keys) + len(row.sorts))
    if isinstance(row, StoredEntry):
        return _ROW + len(row.body) + _CHANGE * len(row.subjects)
    if isinstance(row, StoredBatch):
        texts = len(row.reason or "") + len(row.erasure or "") + (len(row.load[1]) if row.load else 0)
        return _ROW + texts + _CHANGE * (len(row.events) + len(row.rekeyed))
    return _ROW


def portion(rows: Iterator[Stored], limit: int) -> list[Stored]:
    """The next rows, *limit* at most, and no more when they weigh `MOST_BYTES`; at least one, if there is one."""
    taken: list[Stored] = []
    weighed = 0
    while len(taken) < limit and weighed < MOST_BYTES and (row := next(rows, None)) is not None:
        taken.append(row)
        weighed += weight(row)
    return taken


class Portions:
    """Rows in portions. Where reading them failed once it fails for good: half of the rows are not all of them."""

    def __init__(self, rows: Iterator[Stored]) -> None:
        self._rows = rows
        self._failed = False

    def take(self, limit: int) -> list[Stored]:
        """The next `portion`.

        Raises:
            StoreClosed: if it failed before.
            Corrupt: if a row cannot be made from what is kept.
        """
        if self._failed:
            raise StoreClosed(
                "reading this snapshot failed before, so its rows are not all there: take another one"
            )
        self._failed = True  # unless it goes well
        try:
            taken = portion(self._rows, limit)
        except StoreError:
            raise  # some of them are ValueErrors as well
        except (ValueError, TypeError, LookupError):
            raise Corrupt("what is kept of a row is no row: verify the store, and restore a backup") from None
        self._failed = False
        return taken


class Multiset:
    """A hash of rows in any order: the sum of their SHA-256 modulo 2**256.

    Two stores that hold the same have the same, however they keep it. It shows accidents; it is no signature.

    >>> rows = [StoredTenant("a"), StoredTenant("b")]
    >>> Multiset(rows).hexdigest() == Multiset(reversed(rows)).hexdigest()
    True
    """

    def __init__(self, rows: Iterable[Stored] = ()) -> None:
        self._sum = 0
        for row in rows:
            self.add(line(row))

    def add(self, text: str) -> None:
        """Count one more row, by its canonical text."""
        self._sum = (self._sum + int.from_bytes(sha256(text.encode()).digest(), "big")) % (1 << 256)

    def hexdigest(self) -> str:
        return f"{self._sum:064x}"
