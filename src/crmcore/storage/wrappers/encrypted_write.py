"""Writing through an encrypted store: the keys first, then what they seal, then a look whether they are still there.

Invariant: whatever was acknowledged can be read. The same batch or chunk sent again is the same one below.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from crmcore.errors import CommitUnknown, Corrupt, Fenced, IdempotencyMismatch, VersionConflict
from crmcore.storage.bulk import Chunk, ChunkReceipt, bulk_of
from crmcore.storage.protocol import Batch, Check, Receipt, Record, Ref, Rekey
from crmcore.storage.validate import check_batch, check_name
from crmcore.storage.wrappers.encrypted_base import as_given, once_written
from crmcore.storage.wrappers.encrypted_batch import batch_subjects, sealed_batch
from crmcore.storage.wrappers.encrypted_chunk import SealedChunk, unsaid
from crmcore.storage.wrappers.encrypted_dropped import EncryptedDropped
from crmcore.storage.wrappers.heading import fence_name
from crmcore.storage.wrappers.ring import Ring, ids_of
from crmcore.storage.wrappers.sealing import DataKey
from crmcore.values.source import SYSTEM


class EncryptedWrites(EncryptedDropped):
    """The calls that write, but for erasing."""

    async def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        checked = check_batch(batch, self._limits, self._inner.describe().exclusive)
        blinds = await self._blinds_of(batch.tenant, make=True)
        subjects = batch_subjects(batch, self._subjects)
        held = await self._held(batch, subjects)
        everybody = {subject for some in subjects.values() for subject in some}
        keys = await self._keys.keys_for(batch.tenant, everybody)
        concerned = {place: [keys[subject] for subject in some] for place, some in subjects.items()} | held
        ring = Ring(self._sealer, batch.tenant, blinds)
        sealed = sealed_batch(
            ring,
            batch,
            checked,
            concerned,
            self._ordered,
            room=self._inner.describe().limits.max_keys,
            marks=self._marks,
        )
        mark = self._mark(ring, batch, checked.digest)
        with as_given(batch.idem):
            try:
                receipt = await self._inner.apply(sealed, timeout=timeout)
            except IdempotencyMismatch:
                known = None if mark is None else await self._known(ring, batch, mark)
                if known is None:
                    raise
                return known
        with once_written(batch.idem):
            if mark is not None:
                await self._inner.outcome(batch.tenant, mark)
            await self._still_there(ring, batch.idem, batch.at, concerned.values(), receipt.replayed)
        return receipt

    def _mark(self, ring: Ring, batch: Batch, digest: bytes) -> str | None:
        """A key to fence when *batch* was applied, if it may be sealed otherwise when it is sent again.

        What is rekeyed stays sealed for those whom it concerns at the time, and they may be others later.
        """
        themselves = self._subjects.themselves
        changes = any(isinstance(op, Rekey) and op.ref.kind not in themselves for op in batch.ops)
        return ring.blinds.idem(f"{batch.idem}\0{digest.hex()}") if changes else None

    async def _known(self, ring: Ring, batch: Batch, mark: str) -> Receipt | None:
        """The receipt of *batch*, if it is that one that was applied under its key; nothing is written."""
        probe = Check(ref=Ref(batch.tenant, "none", "00000000-0000-7000-8000-000000000000"), expect=1)
        try:
            await self._inner.apply(
                Batch(tenant=batch.tenant, ops=(probe,), idem=mark, actor=SYSTEM, at=batch.at)
            )
        except Fenced:
            return await self._inner.outcome(batch.tenant, ring.blinds.idem(batch.idem))
        except VersionConflict:  # there is no such record, so it was not fenced
            return None
        raise Corrupt("a record is there that nobody writes: verify the store below")

    async def _still_there(
        self,
        ring: Ring,
        idem: str,
        at: datetime,
        concerned: Iterable[Collection[DataKey]],
        replayed: bool,
    ) -> None:
        """See that what was written can be read: somebody may have been erased between the sealing and the commit.

        Raises:
            CommitUnknown: if so; what concerns them is gone by then.
        """
        if replayed:
            return
        await self._not_dropped(ring, idem, at)
        sealed = {key.id: key.subject for keys in concerned for key in keys}
        now = await self._keys.keys_of(ring.tenant, sealed)
        gone = {id: subject for id, subject in sealed.items() if not isinstance(now.get(id), DataKey)}
        if not gone:
            return
        await self._sweep(ring).of(gone.values(), at, lost=gone)
        raise CommitUnknown(
            "somebody whom the batch concerns was erased while it was written, so what concerns them is gone again: "
            "read anew, and decide anew what to write",
            idem=idem,
        )

    async def _held(self, batch: Batch, subjects: dict[int, Collection[str]]) -> dict[int, list[DataKey]]:
        """The keys of the records whose keys are replaced, and which stay sealed as they are, by place in the batch."""
        rekeyed = {op.ref: number for number, op in enumerate(batch.ops) if isinstance(op, Rekey)}
        held: dict[int, list[DataKey]] = {}
        refs, most = list(rekeyed), self._limits.max_refs
        records: dict[Ref, Record] = {}
        for start in range(0, len(refs), most):
            records.update(await self._inner.get(refs[start : start + most]))
        for ref, record in records.items():
            ids = ids_of(record.body)
            found = await self._keys.keys_of(batch.tenant, ids)
            keys = [key for key in found.values() if isinstance(key, DataKey)]
            if len(keys) == len(ids):
                held[rekeyed[ref]] = keys
                del subjects[rekeyed[ref]]
        return held

    async def outcome(self, tenant: str, idem: str) -> Receipt | None:
        check_name(idem, "an idempotency key")
        blinds = await self._blinds_of(tenant, make=True)
        with as_given(idem):
            receipt = await self._inner.outcome(tenant, blinds.idem(idem))
        # Names do not give back what they stand for, and a snapshot has to tell which batches are fenced.
        if receipt is None and (name := fence_name(Ring(self._sealer, tenant, blinds), idem)) is not None:
            await self._inner.outcome(tenant, name)
        return receipt

    async def load(self, chunk: Chunk, *, timeout: float = 30.0) -> ChunkReceipt:
        bulk = bulk_of(self._inner)
        sealed = SealedChunk(chunk, self._limits, self._inner.describe(), self._subjects)
        blinds = await self._blinds_of(chunk.tenant, make=True)
        keys = await self._keys.keys_for(chunk.tenant, sealed.subjects)
        ring = Ring(self._sealer, chunk.tenant, blinds)
        with as_given(chunk.idem):
            receipt = await bulk.load(
                sealed.seal(ring, keys, self._ordered, marks=self._marks), timeout=timeout
            )
        with once_written(chunk.idem):
            await self._still_there(ring, chunk.idem, chunk.at, [keys.values()], receipt.replayed)
        return sealed.receipt(receipt)

    async def loaded(self, tenant: str, idem: str, digest: str) -> ChunkReceipt | None:
        bulk = bulk_of(self._inner)
        check_name(idem, "an idempotency key")
        check_name(digest, "the digest of a chunk")
        blinds = await self._blinds_of(tenant)
        receipt = await bulk.loaded(tenant, blinds.idem(idem), blinds.digest(digest))
        return None if receipt is None else unsaid(receipt)
