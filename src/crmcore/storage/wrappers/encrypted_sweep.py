"""Records that nobody can read any more, and how they are taken out of the store below.

Invariant: what reads as absent is absent: after the keys of a subject were destroyed, no record that was sealed under
one of them is left below, with a version or keys that would stand in the way of others; and what its satellites carry
is read in no copy of the data. A record says whom it concerns by keys of the wrapper's own, which no answer shows: one
for each subject, or a mark that they are many. Where there is no room for such keys, the feed is gone through.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

import attrs

from crmcore.errors import VersionConflict
from crmcore.storage.capability import ERASER, claims
from crmcore.storage.erasure import Erasure, eraser_of
from crmcore.storage.protocol import AsyncStore, Batch, Delete, Key, Limits, Operation, Record, Ref
from crmcore.storage.validate import heading
from crmcore.storage.wrappers.heading import seal_heading
from crmcore.storage.wrappers.key_store import KeyStore
from crmcore.storage.wrappers.ring import Ring, ids_of
from crmcore.storage.wrappers.sealing import DataKey
from crmcore.storage.wrappers.subjects import is_satellite, satellites_of
from crmcore.values.source import SYSTEM

_OWNER = "more"
_ATTEMPTS = 100


@attrs.frozen
class Sweep:
    """Takes what cannot be read out of *inner*, for the tenant of *ring*. *marked*: records say whom they concern."""

    inner: AsyncStore
    keys: KeyStore
    ring: Ring
    marked: bool

    async def of(self, subjects: Collection[str], at: datetime) -> int:
        """Remove the records that concern one of *subjects* and that no key opens; how many there were.

        Raises:
            VersionConflict: if others wrote to them all the time.
        """
        count = 0
        for attempt in range(_ATTEMPTS):
            gone = await self._unreadable(subjects)
            if not gone:
                break
            # Their satellites are sealed for them alone: first the keys, so that this is gone on with if it is cut off.
            await self.keys.destroy(self.ring.tenant, sorted(map(satellites_of, gone)), at)
            gone |= await self._satellites(gone)
            try:
                await self._remove(gone, at)
                count += len(gone)
            except VersionConflict:
                if attempt == _ATTEMPTS - 1:
                    raise
        return count

    async def _unreadable(self, subjects: Collection[str]) -> dict[Ref, Record]:
        gone: dict[Ref, Record] = {}
        async for refs in self._concerning(subjects):
            found = await self._records(refs)
            ids = {ref: ids_of(record.body) for ref, record in found.items()}
            keys = await self.keys.keys_of(self.ring.tenant, {id for some in ids.values() for id in some})
            gone.update(
                (ref, record)
                for ref, record in found.items()
                if any(id in keys and not isinstance(keys[id], DataKey) for id in ids[ref])
            )
        return gone

    async def _concerning(self, subjects: Collection[str]) -> AsyncIterator[Sequence[Ref]]:
        """The records that may concern one of *subjects*, some at a time."""
        if self.marked:
            names = [self.ring.about(subject) for subject in sorted(subjects)]
            yield await self._refs([*names, self.ring.about(None)])
            return
        page = await self.inner.changes(self.ring.tenant)
        while page.items:
            yield list(dict.fromkeys([change.ref for change in page.items if change.ref is not None]))
            page = await self.inner.changes(self.ring.tenant, page.next)

    async def _satellites(self, gone: Collection[Ref]) -> dict[Ref, Record]:
        owners = self.ring.blinded([(_OWNER, f"{ref.kind}:{ref.id}") for ref in gone])
        return await self._records([ref for ref in await self._refs(owners) if is_satellite(ref)])

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

    async def _records(self, refs: Sequence[Ref]) -> dict[Ref, Record]:
        records: dict[Ref, Record] = {}
        for some in _some(refs, self._limits.max_refs):
            records.update(await self.inner.get(some))
        return records

    async def _remove(self, records: Mapping[Ref, Record], at: datetime) -> None:
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

    @property
    def _limits(self) -> Limits:
        return self.inner.describe().limits


_REASON = "shared with somebody who was erased"


T = TypeVar("T")


def _some(items: Iterable[T], most: int) -> Iterable[list[T]]:
    rest = list(items)
    return (rest[start : start + most] for start in range(0, len(rest), most))
