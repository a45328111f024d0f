"""Records that nobody can read any more, and how they are taken out of the store below.

Invariant: what reads as absent is absent: after the keys of a subject were destroyed, no record that was sealed under
one of them is left below, with a version or keys that would stand in the way of others; and what its satellites carry
is read in no copy of the data. A record says whom it concerns by keys of the wrapper's own, which no answer shows: one
for each subject, or a mark that they are many. Where there is no room for such keys, the feed is gone through, or
a snapshot.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

import attrs

from crmcore.errors import CapabilityMissing, PositionExpired, VersionConflict
from crmcore.storage.capability import ERASER, STREAM, claims
from crmcore.storage.erasure import Erasure, eraser_of
from crmcore.storage.protocol import AsyncStore, Batch, Delete, Key, Limits, Operation, Record, Ref
from crmcore.storage.stored import StoredRecord
from crmcore.storage.stream import stream_of
from crmcore.storage.validate import heading
from crmcore.storage.wrappers.heading import seal_heading
from crmcore.storage.wrappers.key_store import KeyStore
from crmcore.storage.wrappers.ring import Ring, ids_of
from crmcore.storage.wrappers.sealing import DestroyedKey
from crmcore.storage.wrappers.subjects import is_satellite, satellites_of
from crmcore.values.source import SYSTEM

_OWNER = "more"
_ATTEMPTS = 100
_ROWS = 500


@attrs.frozen
class Sweep:
    """Takes what cannot be read out of *inner*, for the tenant of *ring*. *marked*: records say whom they concern."""

    inner: AsyncStore
    keys: KeyStore
    ring: Ring
    marked: bool

    async def of(self, subjects: Collection[str], at: datetime, *, lost: Collection[str] = ()) -> int:
        """Remove the records that concern one of *subjects* and that no key opens; how many there were.

        *lost* are the ids of keys that are known to be gone for good, also if the key store says nothing of them.

        Raises:
            VersionConflict: if others wrote to them all the time.
        """
        count = 0
        for attempt in range(_ATTEMPTS):
            gone = await self._unreadable(subjects, lost)
            if not gone:
                break
            # Their satellites are sealed for them alone: first the keys, so that this is gone on with if it is cut off.
            await self.keys.destroy(self.ring.tenant, sorted(map(satellites_of, gone)), at)
            gone |= await self._satellites(gone)
            try:
                await self.remove(gone, at)
                count += len(gone)
            except VersionConflict:
                if attempt == _ATTEMPTS - 1:
                    raise
        return count

    async def _unreadable(self, subjects: Collection[str], lost: Collection[str]) -> dict[Ref, Record]:
        gone: dict[Ref, Record] = {}
        async with aclosing(self._concerning(subjects)) as some_refs:
            async for refs in some_refs:
                found = await self.records(refs)
                ids = {ref: ids_of(record.body) for ref, record in found.items()}
                keys = await self.keys.keys_of(self.ring.tenant, {id for some in ids.values() for id in some})
                gone.update(
                    (ref, record)
                    for ref, record in found.items()
                    if any(id in lost or isinstance(keys.get(id), DestroyedKey) for id in ids[ref])
                )
        return gone

    async def check(self) -> None:
        """See that what concerns somebody can be found, before a key is destroyed.

        Raises:
            CapabilityMissing: if it cannot.
        """
        if self.marked or claims(self.inner.describe(), STREAM):
            return
        try:
            await self.inner.changes(self.ring.tenant, limit=1)
        except PositionExpired:
            raise CapabilityMissing(
                "what concerns somebody cannot be found here, so no key was destroyed: the store below has no room to "
                "mark whom a record concerns, and has dropped the beginning of its feed; keep the whole feed, or use a "
                "store that claims `stream`"
            ) from None

    async def _concerning(self, subjects: Collection[str]) -> AsyncGenerator[Sequence[Ref], None]:
        """The records that may concern one of *subjects*, some at a time."""
        if self.marked:
            names = [self.ring.about(subject) for subject in sorted(subjects)]
            yield await self._refs([*names, self.ring.about(None)])
            return
        try:
            page = await self.inner.changes(self.ring.tenant)
            while page.items:
                yield list(dict.fromkeys([change.ref for change in page.items if change.ref is not None]))
                page = await self.inner.changes(self.ring.tenant, page.next)
            return
        except PositionExpired:
            snapshot = await stream_of(self.inner).export([self.ring.tenant])
        try:
            while rows := await snapshot.read(_ROWS):
                yield [
                    Ref(row.tenant, row.kind, row.id)
                    for row in rows
                    if isinstance(row, StoredRecord) and row.body is not None
                ]
        finally:
            await snapshot.close()

    async def _satellites(self, gone: Collection[Ref]) -> dict[Ref, Record]:
        owners = self.ring.blinded([(_OWNER, f"{ref.kind}:{ref.id}") for ref in gone])
        return await self.records([ref for ref in await self._refs(owners) if is_satellite(ref)])

    async def _refs(self, keys: Sequence[Key]) -> list[Ref]:
        refs: dict[Ref, None] = {}
        for some in _some(keys, self._limits.max_refs):
            after: Mapping[Key, str] | None = None
            wanted: list[Key] = list(some)
            while wanted:
                hits = await self.inner.find(self.ring.tenant, wanted, after=after)
                refs.update((ref, None) for key in wanted for ref in hits[key].refs)
                after = {key: cursor for key in wanted if (cursor := hits[key].next) is not None}
                wanted = list(after)
        return list(refs)

    async def records(self, refs: Sequence[Ref]) -> dict[Ref, Record]:
        records: dict[Ref, Record] = {}
        for some in _some(refs, self._limits.max_refs):
            records.update(await self.inner.get(some))
        return records

    async def remove(self, records: Mapping[Ref, Record], at: datetime) -> None:
        erases = claims(self.inner.describe(), ERASER)
        limits = self._limits
        most = min(limits.max_ops, limits.max_items // (limits.max_keys + 2))
        for some in _some(sorted(records), max(1, most)):
            ops = [Delete(ref=ref, expect=records[ref].version) for ref in some]
            text = "\n".join([f"{op.ref.kind} {op.ref.id} {op.expect}" for op in ops])
            given = f"unreadable {sha256(text.encode()).hexdigest()}"
            idem, actor, reason = seal_heading(self.ring, (), given, heading(SYSTEM, None), _REASON, b"")
            tenant = self.ring.tenant
            if erases:
                await eraser_of(self.inner).erase(
                    Erasure(tenant=tenant, refs=frozenset(some), idem=idem, actor=actor, reason=reason, at=at)
                )
            else:
                batch: tuple[Operation, ...] = tuple(ops)
                await self.inner.apply(
                    Batch(tenant=tenant, ops=batch, idem=idem, actor=actor, reason=reason, at=at)
                )

    async def remove_entries(self, entries: Iterable[tuple[str, int]], at: datetime) -> None:
        """Erase *entries*, given by stream and number, where the store below can erase."""
        if not claims(self.inner.describe(), ERASER):
            return
        for some in _some(sorted(entries), self._limits.max_ops):
            text = "\n".join([f"{stream} {seq}" for stream, seq in some])
            given = f"entries {sha256(text.encode()).hexdigest()}"
            idem, actor, reason = seal_heading(self.ring, (), given, heading(SYSTEM, None), _TOO_LATE, b"")
            await eraser_of(self.inner).erase(
                Erasure(
                    tenant=self.ring.tenant,
                    entries=frozenset(some),
                    idem=idem,
                    actor=actor,
                    reason=reason,
                    at=at,
                )
            )

    @property
    def _limits(self) -> Limits:
        return self.inner.describe().limits


_REASON = "shared with somebody who was erased"
_TOO_LATE = "written after its keys were dropped"


T = TypeVar("T")


def _some(items: Iterable[T], most: int) -> Iterable[list[T]]:
    rest = list(items)
    return (rest[start : start + most] for start in range(0, len(rest), most))
