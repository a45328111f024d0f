"""Stores that forget the first of several things alone, and remember the dropped.

Invariant: each breaks one promise, and is good otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from crmcore.errors import Fenced
from crmcore.storage import (
    Batch,
    Chunk,
    ChunkReceipt,
    Erasure,
    ErasureReport,
    Page,
    Receipt,
    Restored,
    Stored,
    StoredBatch,
    StoredRecord,
)
from crmcore.storage.memory_tenant import Kept, TenantData
from crmcore.storage.plan import Current
from crmcore.testing.zoo.headings import Changed
from crmcore.testing.zoo.mutant import Mutant


class ErasesOneOfEach(Mutant):
    """Erases one ledger of several."""

    caught_by = "an_erasure_of_many_things_takes_each"

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        first = frozenset(sorted(erasure.streams)[:1])
        return super().erase(attrs.evolve(erasure, streams=first), timeout=timeout)


class ErasesEntriesOfOneLedger(Mutant):
    """Erases single entries of one ledger only."""

    caught_by = "an_erasure_of_many_things_takes_each"

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        first = min((stream for stream, _ in erasure.entries), default="")
        entries = frozenset(one for one in erasure.entries if one[0] == first)
        return super().erase(attrs.evolve(erasure, entries=entries), timeout=timeout)


class ErasesOneSubject(Mutant):
    """Erases the entries of one subject of several."""

    caught_by = "an_erasure_of_many_things_takes_each"

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        first = frozenset(sorted(erasure.subjects)[:1])
        return super().erase(attrs.evolve(erasure, subjects=first), timeout=timeout)


class ErasesTheLiving(Mutant):
    """Finds nothing to erase of a record that was deleted."""

    caught_by = "a_deleted_record_is_erased"

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        living = frozenset(self.get([one for one in erasure.refs if one.tenant == erasure.tenant]))
        return super().erase(attrs.evolve(erasure, refs=living), timeout=timeout)


class ExportsTheErased(Mutant):
    """Gives in a snapshot what was there before it was erased."""

    caught_by = "no_snapshot_has_what_was_erased"
    old: Sequence[Stored] = ()

    def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        self.old = [*self.old, *super().export().read(1_000_000)]
        return super().erase(erasure, timeout=timeout)

    def export(self, tenants=None) -> Changed:  # type: ignore[no-untyped-def, override]  # as its base
        kept = {row[:3]: row for row in self.old if isinstance(row, StoredRecord) and row.body is not None}
        rows = super().export(tenants).read(1_000_000)
        return Changed(kept.get(row[:3], row) if isinstance(row, StoredRecord) else row for row in rows)


class RestoresNoErasures(Mutant):
    """Leaves out of a restore what was erased."""

    caught_by = "erasures_survive_a_restore"

    def restore(self, rows: Iterable[Stored]) -> Restored:
        return super().restore(
            row for row in rows if not (isinstance(row, StoredBatch) and (row.erasure or row.digest == b""))
        )


class RestoresNoRefusals(Mutant):
    """Forgets in a restore which rows of a chunk were refused."""

    caught_by = "a_restored_store_knows_its_chunks"

    def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        receipt = super().load(chunk, timeout=timeout)
        restored = getattr(self, "restored", False)
        return attrs.evolve(receipt, refused=()) if restored else receipt

    def restore(self, rows: Iterable[Stored]) -> Restored:
        self.restored = True
        return super().restore(rows)


class KeepsVersions(Mutant):
    """Goes on counting the versions of records of a tenant that it dropped."""

    caught_by = "nothing_is_remembered_of_a_dropped_tenant"

    def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        self.aside = self._tenants[tenant].rows if tenant in self._tenants else {}
        return super().drop_tenant(tenant, timeout=timeout)

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        rows = self._tenants.setdefault(batch.tenant, TenantData(batch.tenant)).rows
        for at, one in getattr(self, "aside", {}).items():
            rows.setdefault(at, Kept(Current(one.current.version, live=False), 0, ""))
        return super().apply(batch, timeout=timeout)


class KeepsFences(Mutant):
    """Keeps the fences of a tenant that it dropped."""

    caught_by = "nothing_is_remembered_of_a_dropped_tenant"

    def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        batches = self._tenants[tenant].batches if tenant in self._tenants else {}
        self.fences = {idem for idem, known in batches.items() if known is None}
        return super().drop_tenant(tenant, timeout=timeout)

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        if batch.idem in getattr(self, "fences", ()):
            raise Fenced("it was said before that this batch was not applied")
        return super().apply(batch, timeout=timeout)


class KeepsErasures(Mutant):
    """Lists what was erased of a tenant before it was dropped."""

    caught_by = "nothing_is_remembered_of_a_dropped_tenant"

    def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        self.list = super().erasures(tenant).items
        return super().drop_tenant(tenant, timeout=timeout)

    def erasures(self, tenant: str, *, after: str | None = None, limit: int = 500) -> Page[Erasure]:
        page = super().erasures(tenant, after=after, limit=limit)
        return page if page.items or page.next else Page(getattr(self, "list", ()))


class SnapshotOfManyMoments(Mutant):
    """Takes the snapshot of a tenant when its turn comes."""

    caught_by = "a_snapshot_of_several_tenants_is_of_one_moment"

    def export(self, tenants=None) -> Changed:  # type: ignore[no-untyped-def, override]  # as its base
        outer, names = super().export, sorted(self._tenants if tenants is None else tenants)

        class Turns(Changed):
            def read(self, limit: int = 1000) -> Sequence[Stored]:
                if not self.left and names:
                    self.left = list(outer([names.pop(0)]).read(1_000_000))
                return super().read(limit) or (self.read(limit) if names else [])

        return Turns(())
