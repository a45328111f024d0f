"""Erasing: the one exception to "facts are never rewritten", an optional part of the protocol (``eraser``).

Invariant: after an erasure no byte of what it names can be read by any call, and none is left in a file that the store
owns, but for what its report admits. Numbers stay: the version of an erased record is never used again, and an erased
entry leaves a tombstone under its number, so that ledgers stay dense and the feed tells who must forget too.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, cast

import attrs

from crmcore.storage.capability import ERASER, claimed
from crmcore.storage.protocol import AsyncStore, Page, Ref
from crmcore.values.source import Actor

ERASED = "crmcore.erased/1"
"""The schema of an entry that was erased. Its body is empty, its instants are that of the erasure, and its subjects are
those of before that were not erased."""


@attrs.frozen(kw_only=True)
class Erasure:
    """What to erase of a tenant. *at* is the library's clock, *idem* makes it safe to send again.

    *refs* are records, *streams* whole ledgers, *entries* single entries by stream and number, and *subjects* the ids
    of parties: of every ledger, each entry that names one of them. What is not there is no error. The receipts of the
    batches that wrote or rekeyed what is erased keep no digest, no reason and no readable idempotency key: such a batch
    is refused, should it arrive again.
    """

    tenant: str
    refs: frozenset[Ref] = frozenset()
    streams: frozenset[str] = frozenset()
    entries: frozenset[tuple[str, int]] = frozenset()
    subjects: frozenset[str] = frozenset()
    idem: str
    actor: Actor
    reason: str | None = None
    at: datetime


@attrs.frozen(kw_only=True)
class Residual:
    """What remains of the erased, and until when. *until* is None where the store cannot know; *remedy* ends it.

    *place* is a word: ``write_ahead_log``, ``heap``, ``replicas``, ``backups``, ...
    """

    place: str
    what: str
    until: datetime | None = None
    remedy: str


@attrs.frozen(kw_only=True)
class ErasureReport:
    """How many *records* and *entries* were erased, of how many *batches* the receipts were stripped, what remains.

    *at* is that of the erasure; it is None where a whole tenant was dropped, of which not even a time is kept.
    """

    records: int
    entries: int
    batches: int
    residual: tuple[Residual, ...]
    at: datetime | None = None
    replayed: bool = False


class Eraser(Protocol):
    """What a `Store` that claims ``eraser`` also has."""

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        """Erase all that *erasure* names, or nothing. Sent again it is answered with the counts of the first time.

        In the feed each record and entry is a change of its own, ``erase``.

        Raises:
            InvalidRecord: if it names what no store can hold.
            BatchTooLarge: if it names more things than a batch may have operations.
            TenantMismatch: if a ref is of another tenant.
            IdempotencyMismatch: if something else was sent under this key.
            Contention: if others were writing for all of *timeout*.
            CommitUnknown: if it cannot be told whether it was done: send the same erasure again.
        """
        ...

    def erasures(self, tenant: str, *, after: str | None = None, limit: int = 500) -> Page[Erasure]:
        """What was erased so far, in that order: to be done again after an older backup was restored."""
        ...


class AsyncEraser(Protocol):
    """What an `AsyncStore` that claims ``eraser`` also has."""

    async def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport: ...

    async def erasures(self, tenant: str, *, after: str | None = None, limit: int = 500) -> Page[Erasure]: ...


def eraser_of(store: AsyncStore) -> AsyncEraser:
    """The part of *store* that erases.

    Raises:
        CapabilityMissing: if it does not claim to have one.
    """
    claimed(store.describe(), ERASER)
    return cast("AsyncEraser", store)
