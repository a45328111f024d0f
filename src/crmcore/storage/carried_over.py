"""Carrying erasures over from one store into another, into which an older backup of the first was restored.

Invariant: an erasure that was carried over is done once, and may be carried over again; also where the key that it was
sent under is that of another batch.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import attrs

from crmcore.errors import Fenced, IdempotencyMismatch
from crmcore.storage.erasing import cleaning_put_off
from crmcore.storage.erasure import AsyncEraser, Erasure, ErasureReport, Residual, eraser_of
from crmcore.storage.erasures_file import erasure_line
from crmcore.storage.protocol import AsyncStore
from crmcore.storage.upkeep import tenants_of


@attrs.frozen(kw_only=True)
class ErasedAgain:
    """How many *erasures* were done that had not been done before, and what all of them left behind."""

    erasures: int
    residual: tuple[Residual, ...]


async def erase_again(store: AsyncStore, erasures: Iterable[Erasure]) -> ErasedAgain:
    """Carry erasures over into a store that was restored: the second half of `restore_backup`, should it be cut off.

    May be repeated; an SQLite file is written anew once, at the end. Give those of tenants that were restored.

    Raises:
        CapabilityMissing: if the store cannot erase and is asked to.
    """
    wanted = tuple(erasures)
    if not wanted:
        return ErasedAgain(erasures=0, residual=())
    eraser = eraser_of(store)
    reports = []
    for erasure in wanted[:-1]:
        with cleaning_put_off():
            reports.append(await _erased(eraser, erasure))
    reports.append(await _erased(eraser, wanted[-1]))
    residual = {one.place: one for report in reports for one in report.residual}
    return ErasedAgain(
        erasures=sum(not report.replayed for report in reports), residual=tuple(residual.values())
    )


async def _erased(eraser: AsyncEraser, erasure: Erasure) -> ErasureReport:
    try:
        return await eraser.erase(erasure)
    except (IdempotencyMismatch, Fenced):
        return await eraser.erase(attrs.evolve(erasure, idem=_key_of_its_own(erasure)))


def _key_of_its_own(erasure: Erasure) -> str:
    """A key for an erasure whose own is that of something else here: always the same, and nobody else's."""
    return f"erasure:{sha256(erasure_line(erasure).encode()).hexdigest()}"


async def all_erasures(store: AsyncStore) -> tuple[Erasure, ...]:
    """What was ever erased of any tenant of *store*, in the order in which that was done.

    Raises:
        CapabilityMissing: if it cannot erase, or cannot list its tenants.
    """
    eraser_of(store)
    found: list[Erasure] = []
    for tenant in await all_tenants(store):
        found += await erasures_of(store, tenant)
    return tuple(found)


async def erasures_of(store: AsyncStore, tenant: str) -> tuple[Erasure, ...]:
    """What was ever erased of a *tenant*, in the order in which that was done.

    Raises:
        CapabilityMissing: if the store cannot erase.
    """
    eraser = eraser_of(store)
    page = await eraser.erasures(tenant)
    found = list(page.items)
    while page.next is not None:
        page = await eraser.erasures(tenant, after=page.next)
        found += page.items
    return tuple(found)


async def all_tenants(store: AsyncStore) -> tuple[str, ...]:
    """The names of all tenants of *store*.

    Raises:
        CapabilityMissing: if it cannot list them.
    """
    page = await tenants_of(store).tenants()
    names = list(page.items)
    while page.next is not None:
        page = await tenants_of(store).tenants(after=page.next)
        names += page.items
    return tuple(names)
