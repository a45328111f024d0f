"""The waist: what any store must do, in both colours.

Invariant: a store is dumb. It keeps documents, equality keys, ordered keys and ledgers as it is given them, and
changes them only by `apply`: all operations of a batch or none, once per idempotency key. The library computes
every key, so a store never needs to understand what it keeps.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

import attrs

from crmcore.values.frozen_map import FrozenMap
from crmcore.values.source import Actor

PROTOCOL = "crmcore.storage/1"

Body = Mapping[str, Any]
"""A JSON object of text, integers within +-(2**53 - 1), booleans, null, arrays and objects; no floats, no U+0000,
no lone surrogates, at most 64 levels deep."""


@attrs.frozen(order=True)
class Ref:
    """The address of a record. *id* is a UUIDv7 text; *kind* a lower-case word."""

    tenant: str
    kind: str
    id: str


# Keys and sorts are made by the dozen for every record, and a named tuple costs a third of an attrs instance.
class Key(NamedTuple):
    """An equality key: exact bytes, opaque to the store. *value* is at most 512 bytes of UTF-8."""

    namespace: str
    value: str

    def __repr__(self) -> str:
        return f"Key(namespace={self.namespace!r}, value=<hidden>)"


class Sort(NamedTuple):
    """An ordered key: within *namespace* and *part*, records are ordered by *value* (at most 64 bytes), then id."""

    namespace: str
    part: str
    value: bytes

    def __repr__(self) -> str:
        return f"Sort(namespace={self.namespace!r}, part={self.part!r}, value=<hidden>)"


@attrs.frozen(kw_only=True)
class Record:
    """What `get` and `scan` give. *schema* is the version of the stored form of *body*."""

    ref: Ref
    version: int
    schema: int
    body: Body = attrs.field(repr=lambda _: "<hidden>")
    keys: frozenset[Key] = frozenset()
    sorts: frozenset[Sort] = frozenset()


@attrs.frozen(kw_only=True)
class Draft:
    """An entry that is not in a ledger yet. *subjects* are the ids of the parties that it is about."""

    occurred_at: datetime
    recorded_at: datetime
    subjects: tuple[str, ...]
    schema: str
    body: Body = attrs.field(repr=lambda _: "<hidden>")


@attrs.frozen(kw_only=True)
class Entry:
    """An entry of a ledger; the first has *seq* 1. Its instants come back in UTC."""

    stream: str
    seq: int
    occurred_at: datetime
    recorded_at: datetime
    subjects: tuple[str, ...]
    schema: str
    body: Body = attrs.field(repr=lambda _: "<hidden>")


# --- operations --------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Put:
    """Write a record. *expect* is the version it must be at now; 0 means that it must not exist.

    A key in an exclusive namespace (see `Description.exclusive`) is claimed for the record. It may be freed by
    another operation of the same batch, before or after: one holder at most is judged when the batch is done.
    """

    ref: Ref
    expect: int
    schema: int
    body: Body = attrs.field(repr=lambda _: "<hidden>")
    keys: frozenset[Key] = frozenset()
    sorts: frozenset[Sort] = frozenset()


@attrs.frozen(kw_only=True)
class Delete:
    """Remove a record. Its version is never used again: a record put there later goes on counting."""

    ref: Ref
    expect: int


@attrs.frozen(kw_only=True)
class Rekey:
    """Replace the keys and sorts of a record; its version stays."""

    ref: Ref
    expect: int
    keys: frozenset[Key] = frozenset()
    sorts: frozenset[Sort] = frozenset()


@attrs.frozen(kw_only=True)
class Append:
    """Add an entry to a ledger. *expect_seq* is the number of entries that it must have now; None: any.

    Entries that come before it in the same batch count.
    """

    stream: str
    entry: Draft
    expect_seq: int | None = None


@attrs.frozen(kw_only=True)
class Check:
    """A record that was read and must still be at this version (0: still absent).

    All preconditions of a batch but `Append.expect_seq` speak of the state before it.
    """

    ref: Ref
    expect: int


@attrs.frozen(kw_only=True)
class CheckStream:
    """A ledger that was read and must still have *seq* entries."""

    stream: str
    seq: int


@attrs.frozen(kw_only=True)
class CheckKey:
    """An exclusive key that must be held by *holder*, or by nobody when that is None."""

    key: Key
    holder: Ref | None


Operation = Put | Delete | Rekey | Append | Check | CheckStream | CheckKey


@attrs.frozen(kw_only=True)
class Batch:
    """The one way to write. *at* is the library's clock; *idem* makes the batch safe to send again.

    It is the same batch also when *at* and the `recorded_at` of its entries differ. A batch writes a record once at
    most. Names (tenants, streams, parts, *idem*) have 256 characters at most and no control characters.
    """

    tenant: str
    ops: tuple[Operation, ...]
    idem: str
    actor: Actor
    reason: str | None = None
    at: datetime


Position = str
"""A place in the feed: opaque, ordered only by the store. ``""`` is the beginning."""


@attrs.frozen(kw_only=True)
class Receipt:
    """What `apply` did. *position* is that of the batch's last change; *replayed* says that it had been applied before.

    *versions* has every record that was put or deleted (a `Rekey` leaves the version as it is), *seqs* the length
    of every ledger that was appended to.
    """

    position: Position
    versions: Mapping[Ref, int]
    seqs: Mapping[str, int]
    at: datetime
    replayed: bool = False


# --- reads -------------------------------------------------------------------------------------------

T = TypeVar("T")


@attrs.frozen
class Hits:
    """The records that carry a key, ordered by kind and id, and the cursor for more (None: that is all)."""

    refs: tuple[Ref, ...]
    next: str | None = None


@attrs.frozen
class Page(Generic[T]):
    """Some items and the cursor for more; None: that is all."""

    items: tuple[T, ...]
    next: str | None = None


@attrs.frozen(kw_only=True)
class Change:
    """One operation that was applied, and by whom. Of an append, *stream* and *seq* are set, of the others *ref* and
    *version*; of an erasure, those of the record or of the entry. A `Rekey` is no change: what a reader sees stays."""

    position: Position
    op: Literal["put", "delete", "append", "erase"]
    at: datetime
    idem: str
    actor: Actor
    reason: str | None = None
    ref: Ref | None = None
    version: int | None = None
    stream: str | None = None
    seq: int | None = None


@attrs.frozen(kw_only=True)
class FeedPage:
    """*next* is where to go on; after this page nothing at or before *watermark* will ever appear."""

    items: tuple[Change, ...]
    next: Position
    watermark: Position


# --- what a store says of itself ---------------------------------------------------------------------

Support = Literal["full", "versioned", "not_implemented", "unsupported"]


@attrs.frozen(kw_only=True)
class Capability:
    """An optional part of the protocol and how far a store has it; *reason* says why not, where not.

    *limits* are its own numbers, such as how many tenants a store can hold; those of all stores are in `Limits`.
    """

    name: str
    support: Support
    reason: str = ""
    limits: FrozenMap[str, int] = FrozenMap()


@attrs.frozen(kw_only=True)
class Limits:
    """One over a limit is refused with nothing written. The defaults are the least that any store must take.

    *max_rows* and *max_chunk_bytes* are those of a chunk of a bulk load, for stores that have `crmcore.storage.Bulk`.

    *max_items* is how many items a batch may write at most, for stores whose transactions are limited so. A record that
    is put or deleted is one, a ledger that is appended to is one, and where a batch changes what a record carries, that
    is one and one more for each key and sort that comes or goes. Preconditions are none.
    """

    max_ops: int = 100
    max_items: int = 90
    max_rows: int = 100
    max_batch_bytes: int = 1 << 20
    max_chunk_bytes: int = 1 << 20
    max_body_bytes: int = 256 << 10
    max_keys: int = 40
    max_key_bytes: int = 512
    max_sort_bytes: int = 64
    max_refs: int = 1000
    idem_window_hours: int = 24


@attrs.frozen(kw_only=True)
class Description:
    """*address* is redacted. *exclusive* are the namespaces whose keys have one holder at most.

    *capabilities* name every optional part, claimed or not. *discloses* says, of a store that hides what it holds, what
    somebody who has its files still learns.
    """

    protocol: str = PROTOCOL
    engine: str
    address: str
    durability: Literal["none", "process", "power"]
    exclusive: frozenset[str]
    capabilities: tuple[Capability, ...] = ()
    limits: Limits = Limits()
    discloses: tuple[str, ...] = ()


EXCLUSIVE = frozenset({"source", "member", "interaction.dedupe", "interaction.replaces"})
"""The namespaces in which crmcore itself needs a key to be unique; a store is made with them."""


class Store(Protocol):
    """A store for synchronous code. `AsyncStore` has the same calls as coroutines."""

    def describe(self) -> Description:
        """What this store is, can do and takes. Costs nothing."""
        ...

    def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        """The records that exist, as of one moment; what is missing does not."""
        ...

    def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        """Who carries each of *keys*: every key is in the answer.

        *after* takes the cursors of an answer before, for some of *keys*; the others start from the beginning.
        """
        ...

    def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        """How many carry each of *keys*, counting no further than *cap*."""
        ...

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
        """The records of several parts as one list ordered by value, then id; ``lo <= value < hi``."""
        ...

    def scan(
        self,
        tenant: str,
        kind: str,
        *,
        shards: tuple[int, int] | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> Page[Record]:
        """All records of a kind, in no promised order; *shards* is a half-open range within 0 to 4096.

        A record that is there from the first page to the last is given exactly once, whatever is written between.
        """
        ...

    def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        """A page of each ledger. *after* is the number of the last entry seen of each, in either direction."""
        ...

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        """What was applied after a position, in the order of commits, the changes of a batch together.

        Raises:
            PositionExpired: if the feed no longer has what comes after it.
        """
        ...

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        """Write all of *batch* or nothing; a batch that was written before is answered with its receipt.

        *timeout* is how long to wait for others, in seconds.

        Raises:
            VersionConflict: if a record is at another version.
            StreamConflict: if a ledger has another length.
            KeyConflict: if an exclusive key has another holder.
            InvalidRecord: if the batch holds what no store can keep.
            BatchTooLarge: if it is over a limit.
            TenantMismatch: if an operation addresses another tenant.
            IdempotencyMismatch: if another batch was sent under this key.
            Fenced: if `outcome` has already said that it was not applied.
            Contention: if others were writing for all of *timeout*.
            CommitUnknown: if it cannot be told whether it was written.
        """
        ...

    def outcome(self, tenant: str, idem: str) -> Receipt | None:
        """Whether a batch was applied. None: it was not, and never will be: should it arrive late, it is `Fenced`."""
        ...

    def close(self) -> None:
        """Give everything back. Later calls raise `StoreClosed`; a second `close` does nothing."""
        ...


class AsyncStore(Protocol):
    """A store for asynchronous code; what every flow of crmcore is written over."""

    def describe(self) -> Description: ...

    async def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]: ...

    async def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]: ...

    async def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]: ...

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
    ) -> Page[tuple[Sort, Ref]]: ...

    async def scan(
        self,
        tenant: str,
        kind: str,
        *,
        shards: tuple[int, int] | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> Page[Record]: ...

    async def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]: ...

    async def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage: ...

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt: ...

    async def outcome(self, tenant: str, idem: str) -> Receipt | None: ...

    async def close(self) -> None: ...
