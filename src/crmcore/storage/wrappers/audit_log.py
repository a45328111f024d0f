"""Adding to the audit: one writer after the other, in chains that fork nowhere.

Invariant: an entry is added behind the entry that it was linked to, or not at all. Within a process one writes to a
stream at a time, for all who wait; who comes second to another process rests for a moment, reads the new end, and tries
again, if what this process knows is still there. What cannot be added is an error for whoever wanted to be audited.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from hashlib import blake2b

from crmcore.errors import CommitUnknown, Contention, Corrupt, InvalidValue, StreamConflict
from crmcore.storage.protocol import Append, AsyncStore, Batch, Draft
from crmcore.storage.validate import microseconds
from crmcore.storage.wrappers.audit_chain import (
    AUDIT_TENANT,
    MOST_SHARDS,
    SEAL_SCHEMA,
    SEALS,
    SHARDS,
    Anchor,
    Head,
    Note,
    anchor_proof,
    audit_key,
    link,
    link_of,
    linked,
    shard_name,
    shards_of,
    start,
    streams,
)
from crmcore.storage.wrappers.audit_lane import Lane
from crmcore.storage.wrappers.retrying import blocking
from crmcore.values.source import SYSTEM

_MOST_TRIES = 40
_FIRST, _LONGEST = 0.002, 0.2
"""Seconds of the first wait at most, and of the last ones: together about six."""

_MOST_AT_ONCE, _MOST_BYTES = 50, 256 << 10
"""So much goes into one batch, less than any store takes, also when it seals what it keeps."""


class AuditLog:
    """The audit in *store*, under the tenant ``crmcore.audit``, in *shards* streams, with the secret *key*.

    *pause* waits, in seconds, while other processes write.
    """

    def __init__(
        self,
        store: AsyncStore,
        key: bytes,
        *,
        shards: int = SHARDS,
        pause: Callable[[float], Awaitable[object]] = blocking,
    ) -> None:
        if not 1 <= shards <= MOST_SHARDS:
            raise InvalidValue(f"an audit has from 1 to {MOST_SHARDS} shards")
        self.store = store
        self.shards = shards
        self._key = audit_key(key)
        self._pause = pause
        self._heads: dict[str, Head] = {}
        self._lanes: dict[str, Lane] = {}
        self._turn = threading.RLock()
        self._looked = False

    def __repr__(self) -> str:
        return f"AuditLog(shards={self.shards})"

    def shard_of(self, tenant: str) -> str:
        """The stream of a tenant: always the same, so that what happened to it has one order."""
        number = int.from_bytes(blake2b(tenant.encode(), digest_size=4).digest(), "big")
        return shard_name(number % self.shards)

    async def add(self, stream: str, notes: Sequence[Note]) -> None:
        """Put entries at the end of a stream, in this order.

        Raises:
            StoreError: if that cannot be done, or cannot be told; those before may be there all the same.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            # Nothing suspends without a loop, so whoever has the turn is another thread, and goes on.
            with self._turn:
                await self._write(stream, notes)
            return
        lane = self._lanes.get(stream)
        if lane is None or lane.loop is not loop:

            async def write(some: Sequence[Note]) -> None:
                await self._write(stream, some)

            lane = self._lanes[stream] = Lane(loop, write, most=_MOST_AT_ONCE)
        await lane.add(notes)

    async def seal(self, at: datetime) -> None:
        """Bind the ends of all shards together, in an entry of a stream of its own.

        Raises:
            Corrupt: if entries that this process knows of are no longer there.
        """
        found = await self._ends(streams(self.shards)[:-1])
        heads = [[stream, head.seq, head.link.hex()] for stream, head in found.items()]
        await self.add(SEALS, [Note(SEAL_SCHEMA, at, {"heads": heads, "shards": self.shards})])

    async def anchor(self, at: datetime) -> Anchor:
        """A small value that says how far the audit has come, to be kept elsewhere.

        Raises:
            Corrupt: if entries that this process knows of are no longer there.
        """
        found = await self._ends(streams(self.shards))
        heads = tuple((stream, head.seq, head.link.hex()) for stream, head in found.items())
        proof = anchor_proof(self._key, at, self.shards, heads)
        return Anchor(at=at, shards=self.shards, heads=heads, proof=proof)

    async def _ends(self, names: Sequence[str]) -> dict[str, Head]:
        """The ends of streams that are not empty, when what this process knows of them is still there."""
        await self._look_at_shards()
        known = {stream: self._heads[stream] for stream in names if stream in self._heads}
        pages = await self.store.ledger(AUDIT_TENANT, names, limit=1, reverse=True)
        ends = {
            stream: Head(page.items[0].seq, link_of(page.items[0]))
            for stream, page in pages.items()
            if page.items
        }
        older = {
            stream: head.seq - 1
            for stream, head in known.items()
            if stream not in ends or ends[stream] != head
        }
        if older:
            then = await self.store.ledger(AUDIT_TENANT, list(older), after=older, limit=1)
            for stream in older:
                items = then[stream].items
                if not items or Head(items[0].seq, link_of(items[0])) != known[stream]:
                    raise Corrupt(
                        "entries of the audit that were there are gone, or are others now: look at it with "
                        "verify_audit and the anchors that you kept, and find out who can write to the store's tables"
                    )
        return ends

    async def _look_at_shards(self) -> None:
        """Once: whether what is there was written in as many streams."""
        if self._looked:
            return
        pages = await self.store.ledger(AUDIT_TENANT, streams(MOST_SHARDS), limit=1)
        for page in pages.values():
            for entry in page.items:
                if (there := shards_of(entry)) != self.shards:
                    raise InvalidValue(
                        f"this audit is not in {self.shards} shards"
                        + (f": open it with shards={there}" if there else ", or its first entry was changed")
                    )
        self._looked = True

    async def _write(self, stream: str, notes: Sequence[Note]) -> None:
        for some in _portions(notes):
            await self._write_at_once(stream, some)

    async def _write_at_once(self, stream: str, notes: Sequence[Note]) -> None:
        for attempt in range(_MOST_TRIES):
            head = self._heads.get(stream) if attempt == 0 else None
            if head is None:
                head = (await self._ends([stream])).get(stream) or Head(0, start(self._key, stream))
            try:
                self._heads[stream] = await self._append(stream, notes, head)
            except StreamConflict:  # another process was first
                longest = min(_LONGEST, _FIRST * 2.0 ** min(attempt, 30))
                await self._pause(longest * secrets.randbits(53) / (1 << 53))
            else:
                return
        raise Contention("others were writing to the audit all the time: do the same again")

    async def _append(self, stream: str, notes: Sequence[Note], head: Head) -> Head:
        ops: list[Append] = []
        for note in notes:
            body = {**note.body, "shards": self.shards} if head.seq == 0 else note.body
            at = microseconds(note.at, "the time of an entry")
            made = link(self._key, stream, head.seq + 1, note.schema, at, body, head.link)
            draft = Draft(
                occurred_at=note.at,
                recorded_at=note.at,
                subjects=(),
                schema=note.schema,
                body=linked(body, made),
            )
            ops.append(Append(stream=stream, entry=draft, expect_seq=head.seq))
            head = Head(head.seq + 1, made)
        batch = Batch(
            tenant=AUDIT_TENANT,
            ops=tuple(ops),
            idem=secrets.token_hex(16),  # of this attempt alone: two writers may well say the same at once
            actor=SYSTEM,
            at=notes[-1].at,
        )
        try:
            await self.store.apply(batch)
        except CommitUnknown:
            await self.store.apply(batch)  # it is known by its key, so it is written once
        return head


def _portions(notes: Sequence[Note]) -> Iterator[Sequence[Note]]:
    """*notes* in groups that a store takes as one batch."""
    if len(notes) == 1:
        yield notes
        return
    some: list[Note] = []
    room = _MOST_BYTES
    for note in notes:
        if some and (len(some) == _MOST_AT_ONCE or note.size > room):
            yield some
            some, room = [], _MOST_BYTES
        some.append(note)
        room -= note.size
    if some:
        yield some
