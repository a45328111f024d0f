"""`Encrypted`: a store that keeps nothing in the store below that can be read without the keys of another place.

Invariant: what is given back is what was given, to the byte. Bodies, with the true keys and sorts of their records, are
sealed under the keys of those whom they concern; equality keys and parts are replaced by names, and the value of a sort
is stored only in namespaces that hold no texts. When the key of one subject is destroyed, all that concerns it is gone,
in every copy of the data: a record is absent, an entry the tombstone of an erased one.
"""

from __future__ import annotations

import secrets
from asyncio import CancelledError
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import attrs

from crmcore.errors import CommitUnknown, Corrupt, InvalidRecord, PositionExpired, WrongKey
from crmcore.storage.bulk import Chunk, ChunkReceipt, bulk_of
from crmcore.storage.capability import ORDERED_TEXT, missing
from crmcore.storage.erasure import Erasure, ErasureReport, eraser_of
from crmcore.storage.paging import check_keys_of_call
from crmcore.storage.protocol import (
    AsyncStore,
    Batch,
    Body,
    Change,
    Description,
    Entry,
    FeedPage,
    Hits,
    Key,
    Page,
    Position,
    Receipt,
    Record,
    Ref,
    Rekey,
    Sort,
)
from crmcore.storage.stream import AsyncSnapshot, stream_of
from crmcore.storage.upkeep import Integrity, SchemaState, durable_of, schema_of, tenants_of
from crmcore.storage.validate import check_batch, check_name, check_part, check_word
from crmcore.storage.wrappers.blinding import Blinds
from crmcore.storage.wrappers.encrypted_batch import batch_subjects, sealed_batch
from crmcore.storage.wrappers.encrypted_chunk import SealedChunk
from crmcore.storage.wrappers.encrypted_describe import ORDERED, UNORDERED, described, limits_within
from crmcore.storage.wrappers.encrypted_erase import sealed_erasure, shredded_by, what_remains
from crmcore.storage.wrappers.encrypted_export import OpenedSnapshot
from crmcore.storage.wrappers.encrypted_sweep import Sweep
from crmcore.storage.wrappers.heading import fence_name, heading_ids, open_heading
from crmcore.storage.wrappers.key_store import KeyStore
from crmcore.storage.wrappers.ring import Ring, ids_of
from crmcore.storage.wrappers.sealing import DataKey, Sealer
from crmcore.storage.wrappers.subjects import CrmSubjects, Subjects

_MOST_TENANTS = 10_000


class Encrypted:
    """An `AsyncStore` over *inner*, with the keys of *keys*, which stays open when this is closed.

    *subjects* says whom a record concerns. *ordered* are the namespaces of sorts whose values stay readable, since
    their order is needed: instants and integers. In the others sorts come back with their records, but `range` raises
    `CapabilityMissing`. For synchronous code: ``lower(Encrypted(lift(store), keys))``.

    Raises:
        MissingExtra: if the extra ``crypto`` is not installed.

    >>> from crmcore import Crm, Person
    >>> from crmcore.storage import MemoryStore, lift, lower
    >>> from crmcore.storage.wrappers.key_store import MemoryKeyStore
    >>> crm = Crm(lower(Encrypted(lift(MemoryStore()), MemoryKeyStore())))
    >>> ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
    >>> [found.id == ann.id for found in crm.parties.find(email="ann@x.org")]
    [True]
    """

    def __init__(
        self,
        inner: AsyncStore,
        keys: KeyStore,
        *,
        subjects: Subjects | None = None,
        ordered: Collection[str] = ORDERED,
    ) -> None:
        for namespace in ordered:
            check_word(namespace, "a namespace")
        self._inner = inner
        self._keys = keys
        self._subjects: Subjects = CrmSubjects() if subjects is None else subjects
        self._ordered = frozenset(ordered)
        self._sealer = Sealer()
        self._limits = limits_within(inner.describe().limits)
        self._blinds: dict[bytes, Blinds] = {}
        self._seen: set[tuple[str, bytes]] = set()

    def __repr__(self) -> str:
        return f"Encrypted({self._inner.describe().engine!r})"

    def describe(self) -> Description:
        return described(self._inner.describe(), self._limits, self._ordered)

    # --- reading ---

    async def get(self, refs: Collection[Ref]) -> Mapping[Ref, Record]:
        found = await self._inner.get(refs)
        by_tenant: dict[str, list[Record]] = {}
        for record in found.values():
            by_tenant.setdefault(record.ref.tenant, []).append(record)
        opened: dict[Ref, Record] = {}
        for tenant, records in by_tenant.items():
            opened.update((record.ref, record) for record in await self._opened(tenant, records))
        return opened

    async def find(
        self,
        tenant: str,
        keys: Collection[Key],
        *,
        limit_per_key: int = 1000,
        after: Mapping[Key, str] | None = None,
    ) -> Mapping[Key, Hits]:
        names = await self._names(tenant, [*keys, *(after or ())])
        hits = await self._inner.find(
            tenant,
            [names[key] for key in keys],
            limit_per_key=limit_per_key,
            after=None if after is None else {names[key]: cursor for key, cursor in after.items()},
        )
        return {key: hits[names[key]] for key in keys}

    async def fanout(self, tenant: str, keys: Collection[Key], *, cap: int) -> Mapping[Key, int]:
        names = await self._names(tenant, keys)
        counts = await self._inner.fanout(tenant, [names[key] for key in keys], cap=cap)
        return {key: counts[names[key]] for key in keys}

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
    ) -> Page[tuple[Sort, Ref]]:
        check_word(namespace, "a namespace")
        if namespace not in self._ordered:
            raise missing(ORDERED_TEXT, UNORDERED)
        if isinstance(parts, str):
            raise InvalidRecord("parts are a collection of texts: put a single one into a list")
        for part in parts:
            check_part(part)
        blinds = await self._blinds_of(tenant)
        true = {blinds.part(namespace, part): part for part in parts}
        page = await self._inner.range(
            tenant, namespace, list(true), lo=lo, hi=hi, after=after, limit=limit, reverse=reverse
        )
        return Page(
            tuple([(Sort(namespace, true[sort.part], sort.value), ref) for sort, ref in page.items]),
            page.next,
        )

    async def scan(
        self,
        tenant: str,
        kind: str,
        *,
        shards: tuple[int, int] | None = None,
        after: str | None = None,
        limit: int = 500,
    ) -> Page[Record]:
        page = await self._inner.scan(tenant, kind, shards=shards, after=after, limit=limit)
        return Page(tuple(await self._opened(tenant, page.items)), page.next)

    async def ledger(
        self,
        tenant: str,
        streams: Sequence[str],
        *,
        after: Mapping[str, int] | None = None,
        limit: int = 500,
        reverse: bool = False,
    ) -> Mapping[str, Page[Entry]]:
        pages = await self._inner.ledger(tenant, streams, after=after, limit=limit, reverse=reverse)
        bodies = [entry.body for page in pages.values() for entry in page.items if entry.body]
        if not bodies:
            return pages
        ring = await self._ring(tenant, bodies)
        return {
            stream: Page(tuple([ring.open_entry(entry) for entry in page.items]), page.next)
            for stream, page in pages.items()
        }

    async def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        page = await self._inner.changes(tenant, after, limit)
        if not page.items:
            return page
        headings = {change.idem: change for change in page.items}
        ids = {id for change in headings.values() for id in heading_ids(change.actor)}
        blinds = await self._blinds_of(tenant)
        ring = Ring(self._sealer, tenant, blinds, await self._keys.keys_of(tenant, ids))
        opened = {
            idem: open_heading(ring, idem, change.actor, change.reason) for idem, change in headings.items()
        }

        def true(change: Change) -> Change:
            idem, actor, reason, _ = opened[change.idem]
            return attrs.evolve(change, idem=idem, actor=actor, reason=reason)

        return attrs.evolve(page, items=tuple([true(change) for change in page.items]))

    # --- writing ---

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
            ring, batch, checked, concerned, self._ordered, room=self._inner.describe().limits.max_keys
        )
        with _naming(batch.idem):
            receipt = await self._inner.apply(sealed, timeout=timeout)
        await self._still_there(ring, batch.idem, batch.at, concerned.values(), receipt.replayed)
        return receipt

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
        ids = {key.id for keys in concerned for key in keys}
        now = await self._keys.keys_of(ring.tenant, ids)
        gone = {key.subject for key in now.values() if not isinstance(key, DataKey)}
        if not gone or replayed:
            return
        await self._sweep(ring).of(gone, at)
        raise CommitUnknown(
            "somebody whom the batch concerns was erased while it was written, so what concerns them is gone again: "
            "read anew, and decide anew what to write",
            idem=idem,
        )

    def _sweep(self, ring: Ring) -> Sweep:
        return Sweep(self._inner, self._keys, ring)

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
        with _naming(idem):
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
        with _naming(chunk.idem):
            receipt = await bulk.load(sealed.seal(ring, keys, self._ordered), timeout=timeout)
        await self._still_there(ring, chunk.idem, chunk.at, [keys.values()], receipt.replayed)
        return sealed.receipt(receipt)

    async def loaded(self, tenant: str, idem: str, digest: str) -> ChunkReceipt | None:
        bulk = bulk_of(self._inner)
        check_name(idem, "an idempotency key")
        check_name(digest, "the digest of a chunk")
        blinds = await self._blinds_of(tenant)
        return await bulk.loaded(tenant, blinds.idem(idem), blinds.digest(digest))

    # --- the other parts ---

    async def export(self, tenants: Collection[str] | None = None) -> AsyncSnapshot:
        """A snapshot in plain, to be restored into a store of another kind.

        A backup that is to stay sealed is one of the store below.
        """
        return OpenedSnapshot(await stream_of(self._inner).export(tenants), self._ring)

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
        with _naming(erasure.idem):
            report = await eraser.erase(sealed_erasure(ring, erasure), timeout=timeout)
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
        """
        ring = Ring(self._sealer, tenant, await self._blinds_of(tenant, make=True))
        return await self._destroy(ring, frozenset(subjects), at, again=False)

    async def destroy_erased(self, tenant: str) -> int:
        """Destroy what a key store that was restored from an older backup has of those who were erased since.

        Everybody whom `erasures` lists, but for keys that were destroyed at the time listed; how many keys there were.
        May be called at any time, and again.
        """
        count, after = 0, None
        while True:
            page = await self.erasures(tenant, after=after)
            for erasure in page.items:
                ring = Ring(self._sealer, tenant, await self._blinds_of(tenant))
                gone = shredded_by(erasure, self._subjects)
                count += await self._destroy(ring, gone, erasure.at, again=True) if gone else 0
            after = page.next
            if after is None:
                return count

    async def verify(self) -> Integrity:
        return await durable_of(self._inner).verify()

    async def schema(self) -> SchemaState:
        return await schema_of(self._inner).schema()

    async def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]:
        return await schema_of(self._inner).migrate(timeout=timeout)

    async def tenants(self, *, after: str | None = None, limit: int = 500) -> Page[str]:
        return await tenants_of(self._inner).tenants(after=after, limit=limit)

    async def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        """Erase all that a tenant has in the store below, then all of its keys: nothing remains that can be read."""
        report = await tenants_of(self._inner).drop_tenant(tenant, timeout=timeout)
        await self._keys.drop(tenant)
        return attrs.evolve(report, residual=())

    async def close(self) -> None:
        await self._inner.close()

    # --- keys ---

    async def _names(self, tenant: str, keys: Collection[Key]) -> dict[Key, Key]:
        check_keys_of_call(self._limits, tenant, keys)
        name = (await self._blinds_of(tenant)).key
        return {key: Key(key[0], name(*key)) for key in keys}

    async def _opened(self, tenant: str, records: Collection[Record]) -> list[Record]:
        if not records:
            return []
        ring = await self._ring(tenant, [record.body for record in records])
        return [opened for record in records if (opened := ring.open_record(record)) is not None]

    async def _ring(self, tenant: str, bodies: Iterable[Body]) -> Ring:
        """What opens *bodies*."""
        blinds = await self._blinds_of(tenant)
        ids = {id for body in bodies for id in ids_of(body)}
        return Ring(self._sealer, tenant, blinds, await self._keys.keys_of(tenant, ids))

    async def _blinds_of(self, tenant: str, *, make: bool = False) -> Blinds:
        """What the tenant's root key gives.

        Raises:
            WrongKey: if what the store below has of the tenant was not sealed with that key.
        """
        check_name(tenant, "a tenant")
        root = await self._keys.root(tenant, make=False)
        if root is None:
            written = bool((await self._inner.changes(tenant, limit=1)).items)
            # Whoever wrote the first batch since has made the key before it.
            root = await self._keys.root(tenant, make=False) if written else None
            if written and root is None:
                raise WrongKey(
                    "the store has something of this tenant and the key store has no key of it: open it with the key "
                    "store that it was written with"
                )
            if root is None and make:
                root = await self._keys.root(tenant, make=True)
            if root is None:
                return Blinds(secrets.token_bytes(32))  # of a tenant that has nothing, nothing is found
        blinds = self._blinds.get(root)
        if blinds is None:
            if len(self._blinds) >= _MOST_TENANTS:
                self._blinds.clear()
                self._seen.clear()
            blinds = self._blinds[root] = Blinds(root)
        if (tenant, root) not in self._seen:
            await self._recognize(tenant, blinds)
            self._seen.add((tenant, root))
        return blinds

    async def _recognize(self, tenant: str, blinds: Blinds) -> None:
        """Look at the first batch of a tenant: names that were made with another key would find nothing, in silence."""
        try:
            items = (await self._inner.changes(tenant, limit=1)).items
        except PositionExpired:  # the store keeps only the end of its feed
            return
        for change in items:
            try:
                open_heading(Ring(self._sealer, tenant, blinds), change.idem, change.actor, None)
            except Corrupt:
                raise WrongKey(
                    "what the store has of this tenant was not written with this key store: open it with the one that "
                    "it was written with, or with none if it was never encrypted"
                ) from None


@contextmanager
def _naming(idem: str) -> Iterator[None]:
    """Let errors name the idempotency key that the caller gave."""
    try:
        yield
    except CommitUnknown as error:
        raise CommitUnknown(str(error), idem=idem) from None
    except CancelledError as cancelled:
        cause = cancelled.__cause__
        if isinstance(cause, CommitUnknown):
            raise cancelled from CommitUnknown(str(cause), idem=idem)
        raise
