"""Erasing through an encrypted store: in the store below, and by destroying keys; and what remains.

Invariant: the key of a subject is destroyed when the subject itself is erased, never for a single record about it. An
erasure that was cut off is gone on with when it is sent again; whoever came back since keeps the new key.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import attrs

from crmcore.storage.erasure import Erasure, ErasureReport, Residual, eraser_of
from crmcore.storage.protocol import Page
from crmcore.storage.upkeep import tenants_of
from crmcore.storage.validate import check_name, heading
from crmcore.storage.wrappers.encrypted_base import as_given, once_written
from crmcore.storage.wrappers.encrypted_dropped import EncryptedDropped
from crmcore.storage.wrappers.heading import MOST, open_heading, seal_heading
from crmcore.storage.wrappers.ring import Ring
from crmcore.storage.wrappers.subjects import Subjects, satellites_of


class EncryptedErasing(EncryptedDropped):
    """The calls that erase."""

    async def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        """Erase in the store below, and destroy the keys of the subjects named and of the parties among the records.

        What concerns one of them is gone for good then, also in backups of the data, and what it shares with others is
        gone with it, in an erasure of its own: take a party out of what it shares before it is erased. The report
        counts what *erasure* names. Sent again after it was cut off, it is gone on with.
        """
        eraser = eraser_of(self._inner)
        gone = shredded_by(erasure, self._subjects)
        blinds = await self._blinds_of(erasure.tenant, make=True)
        ring = Ring(self._sealer, erasure.tenant, blinds)
        if gone:
            await self._sweep(ring).check()
        with as_given(erasure.idem):
            report = await eraser.erase(sealed_erasure(ring, erasure), timeout=timeout)
        with once_written(erasure.idem):
            if not report.replayed:
                await self._not_dropped(ring, erasure.idem, erasure.at)
            await self._destroy(ring, gone, erasure.at, again=report.replayed)
        return what_remains(report)

    async def _destroy(self, ring: Ring, subjects: Collection[str], at: datetime, *, again: bool) -> int:
        """Destroy the keys of *subjects* and remove what nobody can read then; how many keys there were.

        *again*: those of whom a key was destroyed at *at* may have come back since, and keep their new key.
        """
        done = await self._keys.destroyed(ring.tenant, subjects, at) if again else ()
        count = await self._keys.destroy(ring.tenant, [one for one in subjects if one not in done], at)
        await self._sweep(ring).of(subjects, at)
        return count

    async def erasures(self, tenant: str, *, after: str | None = None, limit: int = 500) -> Page[Erasure]:
        page = await eraser_of(self._inner).erasures(tenant, after=after, limit=limit)
        if not page.items:
            return page
        ring = Ring(self._sealer, tenant, await self._blinds_of(tenant))
        items: list[Erasure] = []
        for erasure in page.items:
            idem, actor, reason, _ = open_heading(ring, erasure.idem, erasure.actor, erasure.reason)
            items.append(attrs.evolve(erasure, idem=idem, actor=actor, reason=reason))
        return Page(tuple(items), page.next)

    async def shred(self, tenant: str, subjects: Collection[str], *, at: datetime) -> int:
        """Destroy the keys of *subjects* and delete what nobody can read then; how many keys there were.

        For a store that cannot erase. Entries stay below as bytes, and read as the tombstones of erased ones.

        Raises:
            CapabilityMissing: if it could not be found what to delete; no key was destroyed.
            CommitUnknown: if it was cut off: call it again, it is gone on with.
        """
        ring = Ring(self._sealer, tenant, await self._blinds_of(tenant, make=True))
        await self._sweep(ring).check()
        with once_written("", _DESTROYED):
            return await self._destroy(ring, frozenset(subjects), at, again=False)

    async def destroy_erased(self, tenant: str) -> int:
        """Destroy what a key store that was restored from an older backup has of those who were erased since.

        Everybody whom `erasures` lists, but for keys that were destroyed at the time listed; how many keys there were.
        May be called at any time, and again. Raises as `shred`.
        """
        count, page = 0, await self.erasures(tenant)
        if not page.items:
            return 0
        ring = Ring(self._sealer, tenant, await self._blinds_of(tenant))
        await self._sweep(ring).check()
        with once_written("", _DESTROYED):
            while True:
                for erasure in page.items:
                    gone = shredded_by(erasure, self._subjects)
                    count += await self._destroy(ring, gone, erasure.at, again=True) if gone else 0
                if page.next is None:
                    return count
                page = await self.erasures(tenant, after=page.next)

    async def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        """Erase all that a tenant has in the store below, then all of its keys.

        What the report says remains is names, such as those of the tenant and of its ledgers, and ids: no key opens the
        rest. Whoever wrote to the tenant meanwhile is told so (`CommitUnknown`) and leaves nothing; a process that was
        killed just then may leave what makes every call raise `WrongKey`: drop the tenant again.
        """
        report = await tenants_of(self._inner).drop_tenant(tenant, timeout=timeout)
        with once_written(""):
            await self._keys.drop(tenant)
        return report


_DESTROYED = "keys may have been destroyed, but not all that they sealed could be removed yet"


def shredded_by(erasure: Erasure, subjects: Subjects) -> frozenset[str]:
    """The subjects whose keys an erasure destroys: parties, and what the satellites of other records are sealed for."""
    parties = {ref.id for ref in erasure.refs if ref.kind in subjects.themselves}
    satellites = {satellites_of(ref) for ref in erasure.refs if ref.kind not in subjects.themselves}
    return erasure.subjects | parties | satellites


def sealed_erasure(ring: Ring, erasure: Erasure) -> Erasure:
    """The same erasure, from an actor and for a reason that the store below cannot read."""
    check_name(erasure.idem, "an idempotency key")
    actor = heading(erasure.actor, erasure.reason)
    # Under the tenant's key: those of whom it tells are about to lose theirs, and who erased them must stay known.
    idem, sealed, reason = seal_heading(ring, (), erasure.idem, actor, erasure.reason, b"")
    return attrs.evolve(erasure, idem=idem, actor=sealed, reason=reason)


def what_remains(report: ErasureReport) -> ErasureReport:
    """*report*, with what is left in the place of what the store below reports: bytes, and what can be guessed."""
    return attrs.evolve(report, residual=(*report.residual, BACKUPS, JOURNALS))


BACKUPS = Residual(
    place="backups",
    what=(
        "copies of the data from before have the names of the keys, parts and idempotency keys of what was erased: "
        "whoever has the tenant's root key can test a guess against them, and can read the reasons of batches about "
        f"more than {MOST} subjects, and what was erased without its subject opens with the key of the subject"
    ),
    remedy="drop the backups from before, or keep them where the file of keys is not",
)
JOURNALS = Residual(
    place="journals",
    what=(
        "the journals of batches with an idempotency key have a digest of each call, of one that added no party "
        "under the tenant's root key: whoever has it can test a guess at the whole call"
    ),
    remedy="erase the records of the kind batch by their refs when they are no longer needed",
)
