"""What was written with the keys of a tenant that was dropped meanwhile, and how it is taken out again.

Invariant: nothing is acknowledged that was sealed with another root key than the tenant has when it is there. Only what
came too late is taken out: a tenant whose keys are elsewhere, or were lost, keeps all that it has.
"""

from __future__ import annotations

from datetime import datetime

from crmcore.errors import CommitUnknown, Corrupt, PositionExpired
from crmcore.storage.protocol import Ref
from crmcore.storage.upkeep import tenants_of
from crmcore.storage.wrappers.blinding import Blinds
from crmcore.storage.wrappers.encrypted_base import EncryptedBase
from crmcore.storage.wrappers.heading import open_heading
from crmcore.storage.wrappers.ring import Ring


class EncryptedDropped(EncryptedBase):
    """The look at the root key after every write."""

    async def _not_dropped(self, ring: Ring, idem: str, at: datetime) -> None:
        """See that the tenant still has the root key with which *idem* was sealed, and that this is no write too late.

        Raises:
            CommitUnknown: if the tenant was dropped between the sealing and the commit.
            WrongKey: if somebody else's write was too late, and is the first that the tenant has.
        """
        root = await self._keys.root(ring.tenant, make=False)
        if root is not None and ring.blinds.come_from(root):
            await self._blinds_of(ring.tenant)
            return
        await self._take_out(ring, root, ring.blinds.idem(idem), at)
        raise CommitUnknown(
            "the keys of the tenant were dropped or replaced while this was written, so it can be read by nobody: look "
            "whether the tenant is to be there, and decide anew what to write; if it was dropped, and cannot be used "
            "now, drop it again",
            idem=idem,
        )

    async def _take_out(self, ring: Ring, root: bytes | None, name: str, at: datetime) -> None:
        """Remove what the batch *name* wrote, if it came after the tenant was dropped."""
        try:
            first = (await self._inner.changes(ring.tenant, limit=1)).items
        except PositionExpired:  # so there is more than what came too late
            return
        if root is None:
            # The tenant had nothing before, and whoever begins it anew from here on finds this and refuses to write. Of
            # a batch without changes nothing is there that anybody could find, and others may have begun meanwhile.
            if first and first[0].idem == name:
                await tenants_of(self._inner).drop_tenant(ring.tenant)
            return
        if not first:
            return
        anew = Ring(self._sealer, ring.tenant, Blinds(root))
        try:
            open_heading(anew, first[0].idem, first[0].actor, None)
        except Corrupt:
            return  # the tenant was not begun anew with this key
        await self._take_out_of(anew, name, at)

    async def _take_out_of(self, ring: Ring, name: str, at: datetime) -> None:
        """Remove what the batch *name* wrote to a tenant that was begun anew with the keys of *ring*."""
        refs: dict[Ref, None] = {}
        entries: set[tuple[str, int]] = set()
        page = await self._inner.changes(ring.tenant)
        while page.items:
            for change in page.items:
                if change.idem != name:
                    continue
                if change.ref is not None:
                    refs[change.ref] = None
                elif change.stream is not None and change.seq is not None:
                    entries.add((change.stream, change.seq))
            page = await self._inner.changes(ring.tenant, page.next)
        sweep = self._sweep(ring)
        await sweep.remove(await sweep.records(list(refs)), at)
        await sweep.remove_entries(entries, at)
