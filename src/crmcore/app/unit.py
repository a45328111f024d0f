"""A unit of work: what a verb reads and wants to write, gathered into one batch.

Invariant: every record that a verb read and did not write is checked in the batch, so what it decided on still holds
when the batch is applied. Reads see the unit's own writes. Keys and sorts beyond what one record may carry lie on
satellite records, which no caller sees.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import attrs

from crmcore.app.overlay import Place, Stretch, lay_records, place
from crmcore.errors import InvalidDocument, RuleViolation, VersionConflict
from crmcore.serde import Codec, Codecs, fits
from crmcore.storage.erasure import ERASED
from crmcore.storage.kept import body_of
from crmcore.storage.lift import skim_of
from crmcore.storage.protocol import (
    Append,
    AsyncStore,
    Batch,
    Body,
    Check,
    CheckKey,
    CheckStream,
    Delete,
    Draft,
    Entry,
    Hits,
    Key,
    Operation,
    Page,
    Put,
    Record,
    Ref,
    Rekey,
    Sort,
)
from crmcore.values.ids import Id, Ids, has_id_form
from crmcore.values.source import Actor

ROOM = 40
"""Keys and sorts that one record may carry together."""

MORE = ".more"
OWNER = "more"


Skim = tuple[str, int, Body]
"""The id of a record, the schema of its body, and its body."""

Held = Body | str
"""A body, or the text of one: whoever reads it knows when it is time to."""

_ENTRIES = 500
"""So many entries of a ledger are read together with those of others."""


def _standing(entries: Iterable[Entry]) -> list[tuple[str, Body]]:
    """The schema and body of each entry that was not erased."""
    return [(entry.schema, entry.body) for entry in entries if entry.schema != ERASED]


Dating = Literal["read", "watched", "ahead"]
"""How a No is dated: after what was *read*, also after what others record until the commit, since that is *watched*, or
*ahead* of what any clock shows (`crmcore.consent.clocks`)."""


@attrs.frozen
class _Pending:
    """A record as the unit will leave it. *body* None means deleted; *rekeyed* that only its keys change."""

    expect: int
    schema: int
    body: dict[str, Any] | None
    keys: frozenset[Key]
    sorts: frozenset[Sort]
    rekeyed: bool = False


@attrs.frozen
class Mark:
    """What a unit had gathered at some moment."""

    pending: dict[Ref, _Pending]
    appends: int


class Unit:
    """Reads through to *store*, remembers, and gathers writes. Made and committed by `Flow`."""

    def __init__(
        self, store: AsyncStore, *, tenant: str, ids: Ids, codecs: Codecs, now: datetime, actor: Actor
    ) -> None:
        self.store = store
        self.tenant = tenant
        self.ids = ids
        self.codecs = codecs
        self.now = now
        self.actor = actor
        self.reason: str | None = None
        self.ended = False
        self.dating: Dating = "read"
        self.watches = False
        self._read: dict[Ref, Record | None] = {}
        self._pending: dict[Ref, _Pending] = {}
        self._appends: list[Append] = []
        self._streams: dict[str, int] = {}
        self._unheld: dict[Key, None] = {}
        self._ends: dict[str, Place] = {}
        self._spilled: set[Ref] = set()

    # --- reading ---

    def ref(self, kind: str, id: str) -> Ref:
        """The address of a record in this tenant."""
        return Ref(self.tenant, kind, id)

    async def get(self, refs: Collection[Ref], *, check: bool = True) -> dict[Ref, Record]:
        """The records that exist, with the unit's own writes. With *check* they must not change before the commit."""
        # What has not the form of an id is the id of nothing: the store is not asked for it.
        unknown = [
            ref for ref in refs if ref not in self._read and ref not in self._pending and has_id_form(ref.id)
        ]
        found: dict[Ref, Record] = {}
        limit = self.store.describe().limits.max_refs
        for start in range(0, len(unknown), limit):
            found.update(await self.store.get(unknown[start : start + limit]))
        if check:
            self._read.update((ref, found.get(ref)) for ref in unknown)
        self._spilled.update(ref for ref, record in found.items() if OWNER in record.body)
        result: dict[Ref, Record] = {}
        for ref in refs:
            record = self._overlaid(ref, found)
            if record is not None:
                result[ref] = record
        return result

    def _overlaid(self, ref: Ref, found: Mapping[Ref, Record]) -> Record | None:
        pending = self._pending.get(ref)
        if pending is None:
            return self._read.get(ref) or found.get(ref)
        if pending.body is None:
            return None
        version = pending.expect + (0 if pending.rekeyed else 1)
        return Record(
            ref=ref,
            version=version,
            schema=pending.schema,
            body=pending.body,
            keys=pending.keys,
            sorts=pending.sorts,
        )

    async def find(self, keys: Collection[Key], *, check: bool = False) -> dict[Key, tuple[Ref, ...]]:
        """All records that carry each key, satellites resolved to their owners, with the unit's own writes.

        With *check* an exclusive key that nobody holds must still be free at the commit.
        """
        hits: dict[Key, list[Ref]] = {key: [] for key in keys}
        limit = self.store.describe().limits.max_refs
        everything = list(hits)
        for start in range(0, len(everything), limit):
            await self._find(everything[start : start + limit], hits)
        if check:
            self._unheld.update((key, None) for key, refs in hits.items() if not refs)
        for ref, pending in self._pending.items():
            for key, refs in hits.items():
                carried = pending.body is not None and key in pending.keys
                if carried and ref not in refs:
                    refs.append(ref)
                elif not carried and ref in refs:
                    refs.remove(ref)
        if not any(ref.kind.endswith(MORE) for refs in hits.values() if refs for ref in refs):
            return {key: tuple(refs) if refs else () for key, refs in hits.items()}
        return {key: await self.owners(refs) for key, refs in hits.items()}

    async def _find(self, keys: list[Key], hits: dict[Key, list[Ref]]) -> None:
        after: dict[Key, str] = {}
        wanted = keys
        while wanted:
            page: Mapping[Key, Hits] = await self.store.find(self.tenant, wanted, after=after or None)
            after = {}
            for key in wanted:
                found = page[key]
                if found.refs:
                    hits[key].extend(found.refs)
                if found.next is not None:
                    after[key] = found.next
            wanted = list(after)

    async def range(
        self,
        namespace: str,
        parts: Collection[str],
        *,
        lo: bytes | None = None,
        hi: bytes | None = None,
        after: str | None = None,
        limit: int = 100,
        reverse: bool = False,
    ) -> Page[tuple[Sort, Ref]]:
        """A page of an order, as the store gives it, with the unit's own writes."""
        page = await self.store.range(
            self.tenant, namespace, parts, lo=lo, hi=hi, after=after, limit=limit, reverse=reverse
        )
        if not self._pending:
            return page
        start = None
        if after is not None:
            # A cursor from outside of the batch ends where this page begins, as far as anybody knows.
            start = self._ends.get(after) or (place(page.items[0]) if page.items else None)
        if page.next is not None:
            self._ends[page.next] = place(page.items[-1])
        stretch = Stretch(namespace=namespace, parts=set(parts), lo=lo, hi=hi, reverse=reverse, start=start)
        own = [
            (sort, ref)
            for ref, pending in self._pending.items()
            if pending.body is not None
            for sort in pending.sorts
            if stretch.holds(sort)
        ]
        return stretch.lay(page, own, self._pending.keys())

    async def scan(self, kind: str, *, after: str | None = None, limit: int = 500) -> Page[Record]:
        """A page of all records of a kind, as the store gives it, with the unit's own writes."""
        page = await self.store.scan(self.tenant, kind, after=after, limit=limit)
        refs = [ref for ref in self._pending if ref.kind == kind]
        if not refs:
            return page
        own = [record for ref in refs if (record := self._overlaid(ref, {})) is not None]
        return lay_records(page, own, {ref for ref in refs if self._pending[ref].body is None})

    @property
    def skims(self) -> bool:
        """Whether the store gives bodies alone."""
        return skim_of(self.store) is not None

    async def skim(self, kind: str, *, after: str | None = None, limit: int = 500) -> Page[Skim]:
        """What `scan` gives, without the keys: several times faster where a store can do that."""
        skim = skim_of(self.store) if self.empty else None
        if skim is None:
            page = await self.scan(kind, after=after, limit=limit)
            return Page(tuple([(one.ref.id, one.schema, one.body) for one in page.items]), page.next)
        texts = await skim.skim(self.tenant, kind, after=after, limit=limit)
        return Page(tuple([(id, schema, body_of(text)) for id, schema, text in texts.items]), texts.next)

    async def entries(self, stream: str) -> list[tuple[str, Body]]:
        """The schema and body of every entry of a ledger but erased ones, oldest first, then of those the unit adds."""
        return (await self.ledgers([stream]))[stream]

    async def ledgers(self, streams: Collection[str]) -> dict[str, list[tuple[str, Body]]]:
        """The `entries` of each of many ledgers."""
        found, longer = await self._beginnings(streams, _ENTRIES)
        for stream in longer:
            found[stream] = [*await self._whole(stream), *self._added(stream)]
        return found

    async def skim_ledgers(self, streams: Collection[str], most: int) -> dict[str, Sequence[Held] | None]:
        """The bodies of the `entries` of many ledgers; None of one that has more than *most*."""
        found: dict[str, Sequence[Held] | None] = {}
        everything = list(dict.fromkeys(streams))
        limit = self.store.describe().limits.max_refs
        skim = skim_of(self.store) if self.empty else None
        for start in range(0, len(everything), limit):
            chunk = everything[start : start + limit]
            if skim is None:
                entries, longer = await self._beginnings(chunk, most)
                found.update(
                    (stream, None if stream in longer else [body for _, body in entries[stream]])
                    for stream in chunk
                )
            else:
                texts = await skim.skim_ledgers(self.tenant, chunk, limit=most)
                for stream, told in texts.items():
                    found[stream] = (
                        None if told is None else [body for schema, body in told if schema != ERASED]
                    )
        return found

    async def _beginnings(
        self, streams: Collection[str], most: int
    ) -> tuple[dict[str, list[tuple[str, Body]]], set[str]]:
        """The `entries` of many ledgers, but none of those that have more than *most*, and which those are."""
        found: dict[str, list[tuple[str, Body]]] = {stream: [] for stream in streams}
        longer: set[str] = set()
        everything = list(found)
        limit = self.store.describe().limits.max_refs
        for start in range(0, len(everything), limit):
            pages = await self.store.ledger(self.tenant, everything[start : start + limit], limit=most)
            for stream, page in pages.items():
                if page.next is not None:
                    longer.add(stream)
                else:
                    found[stream] = [*_standing(page.items), *self._added(stream)]
        return found, longer

    async def _whole(self, stream: str) -> list[tuple[str, Body]]:
        found: list[tuple[str, Body]] = []
        after: dict[str, int] | None = None
        while True:
            page = (await self.store.ledger(self.tenant, [stream], after=after))[stream]
            found += _standing(page.items)
            if page.next is None:
                return found
            after = {stream: page.items[-1].seq}

    def _added(self, stream: str) -> list[tuple[str, Body]]:
        """What this unit adds to a ledger."""
        return [(one.entry.schema, one.entry.body) for one in self._appends if one.stream == stream]

    def added_to(self, streams: Collection[str]) -> list[Draft]:
        """What this unit adds to these ledgers."""
        return [one.entry for one in self._appends if one.stream in streams]

    async def owners(self, refs: Iterable[Ref]) -> tuple[Ref, ...]:
        """The same records, each once, with satellites replaced by the records that they belong to."""
        refs = list(refs)
        satellites = [ref for ref in refs if ref.kind.endswith(MORE)]
        if not satellites:
            return tuple(refs)
        bodies = await self.get(satellites, check=False)
        owners = {
            ref: self.ref(ref.kind.removesuffix(MORE), bodies[ref].body["of"])
            for ref in satellites
            if ref in bodies
        }
        return tuple(
            dict.fromkeys(owners.get(ref, ref) for ref in refs if ref in owners or ref not in satellites)
        )

    # --- writing ---

    async def put(
        self,
        codec: Codec[Any],
        id: Id,
        value: Any,
        *,
        expect: int,
        keys: frozenset[Key] = frozenset(),
        sorts: frozenset[Sort] = frozenset(),
    ) -> None:
        """Write *value* as record *id* of the codec's kind, which must be at version *expect*."""
        body = codec.dump(value)
        body.pop("id", None)
        body.pop("version", None)
        await self.put_body(codec.tag, id, body, schema=codec.schema, expect=expect, keys=keys, sorts=sorts)

    async def put_body(
        self,
        kind: str,
        id: Id,
        body: dict[str, Any],
        *,
        schema: int,
        expect: int,
        keys: frozenset[Key] = frozenset(),
        sorts: frozenset[Sort] = frozenset(),
    ) -> None:
        """`put` for a body that is JSON already."""
        ref = self.ref(kind, id)
        if len(keys) + len(sorts) > ROOM or self._has_satellites(ref):
            keys, sorts, body = await self._spill(ref, id, body, keys, sorts)
        before = self._pending.get(ref)
        if before is not None:
            # What was deleted is absent until it is put again.
            own = 0 if before.body is None else before.expect + (0 if before.rekeyed else 1)
            if own != expect:
                raise VersionConflict(
                    "the record was changed earlier in this batch: use what that call returned",
                    expected=expect,
                    actual=own,
                )
            expect = before.expect
        self._pending[ref] = _Pending(expect, schema, body, keys, sorts)

    def next_version(self, kind: str, id: Id, version: int) -> int:
        """The version that a record, now at *version*, has once it is put: a batch raises it once at most."""
        pending = self._pending.get(self.ref(kind, id))
        return version if pending is not None and not pending.rekeyed else version + 1

    def delete(self, kind: str, id: str, *, expect: int) -> None:
        """Delete a record that has no satellites."""
        ref = self.ref(kind, id)
        before = self._pending.get(ref)
        if before is not None and before.expect == 0:
            del self._pending[ref]
            return
        self._pending[ref] = _Pending(before.expect if before else expect, 1, None, frozenset(), frozenset())

    async def rekey(self, record: Record, *, keys: frozenset[Key], sorts: frozenset[Sort]) -> None:
        """Replace the keys and sorts of a record that stays as it is."""
        body = {name: value for name, value in record.body.items() if name != OWNER}
        if self._has_satellites(record.ref):
            keys, sorts, _ = await self._spill(record.ref, Id(record.ref.id), body, keys, sorts)
        before = self._pending.get(record.ref)
        if before is not None:
            self._pending[record.ref] = attrs.evolve(before, keys=keys, sorts=sorts)
            return
        self._pending[record.ref] = _Pending(
            record.version, record.schema, dict(record.body), keys, sorts, rekeyed=True
        )

    def event(
        self,
        stream: str,
        event: Any,
        *,
        subjects: Iterable[str],
        occurred_at: datetime | None = None,
        plain: Mapping[str, Any] | None = None,
    ) -> None:
        """Commit a domain event: an entry of *stream*. *plain* are fields of it that are JSON already."""
        codec = self.codecs[event.type]
        body = codec.dump(event)
        if plain is not None:
            body.update(plain)
        draft = Draft(
            occurred_at=occurred_at or self.now,
            recorded_at=self.now,
            subjects=tuple(subjects),
            schema=f"{codec.tag}/{codec.schema}",
            body=body,
        )
        self._appends.append(Append(stream=stream, entry=draft))

    async def guard(self, streams: Iterable[str]) -> None:
        """Nobody else may append to these streams between now and the commit."""
        names = [name for name in streams if name not in self._streams]
        limit = self.store.describe().limits.max_refs
        for start in range(0, len(names), limit):
            chunk = names[start : start + limit]
            pages = await self.store.ledger(self.tenant, chunk, limit=1, reverse=True)
            for name in chunk:
                items = pages[name].items
                self._streams[name] = items[0].seq if items else 0

    # --- committing ---

    def mark(self) -> Mark:
        """Remember what is gathered by now."""
        return Mark(dict(self._pending), len(self._appends))

    def undo(self, mark: Mark) -> None:
        """Give up what was gathered since: a verb that fails within a batch leaves nothing behind."""
        self._pending = mark.pending
        del self._appends[mark.appends :]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self._pending and not self._appends

    @property
    def size(self) -> int:
        """How many operations the unit has gathered, checks not counted."""
        return len(self._pending) + len(self._appends)

    def batch(self, idem: str) -> Batch:
        """Everything gathered, as one batch."""
        ops: list[Operation] = []
        for ref, pending in self._pending.items():
            if pending.body is None:
                ops.append(Delete(ref=ref, expect=pending.expect))
            elif pending.rekeyed:
                ops.append(Rekey(ref=ref, expect=pending.expect, keys=pending.keys, sorts=pending.sorts))
            else:
                ops.append(
                    Put(
                        ref=ref,
                        expect=pending.expect,
                        schema=pending.schema,
                        body=pending.body,
                        keys=pending.keys,
                        sorts=pending.sorts,
                    )
                )
        for ref, record in self._read.items():
            if ref not in self._pending:
                ops.append(Check(ref=ref, expect=record.version if record else 0))
        ops.extend(CheckStream(stream=stream, seq=seq) for stream, seq in self._streams.items())
        ops.extend(CheckKey(key=key, holder=None) for key in self._unheld)
        ops.extend(self._appends)
        return Batch(
            tenant=self.tenant, ops=tuple(ops), idem=idem, actor=self.actor, reason=self.reason, at=self.now
        )

    # --- satellites ---

    def _has_satellites(self, ref: Ref) -> bool:
        pending = self._pending.get(ref)
        if pending is not None and pending.body is not None:
            return OWNER in pending.body
        return ref in self._spilled

    async def _spill(
        self, ref: Ref, id: Id, body: dict[str, Any], keys: frozenset[Key], sorts: frozenset[Sort]
    ) -> tuple[frozenset[Key], frozenset[Sort], dict[str, Any]]:
        """Keep what fits on the record; lay the rest on satellites, reusing and removing old ones."""
        kind = ref.kind + MORE
        owner = Key(OWNER, f"{ref.kind}:{ref.id}")
        old = await self._satellites(kind, owner)
        own, chunks = shares(keys, sorts)
        for number, chunk in enumerate(chunks):
            record = old[number] if number < len(old) else None
            target = record.ref if record else self.ref(kind, self.ids.new(Id, near=id))
            earlier = self._pending.get(target)
            self._pending[target] = _Pending(
                earlier.expect if earlier else (record.version if record else 0),
                1,
                {"of": ref.id},
                frozenset({owner, *(item for item in chunk if isinstance(item, Key))}),
                frozenset(item for item in chunk if isinstance(item, Sort)),
            )
        for record in old[len(chunks) :]:
            self.delete(kind, record.ref.id, expect=record.version)
        marked = {**body, OWNER: len(chunks)} if chunks else body
        return (
            frozenset(item for item in own if isinstance(item, Key)),
            frozenset(item for item in own if isinstance(item, Sort)),
            marked,
        )

    async def _satellites(self, kind: str, owner: Key) -> list[Record]:
        refs = list((await self.store.find(self.tenant, [owner]))[owner].refs)
        refs += [
            ref
            for ref, p in self._pending.items()
            if ref.kind == kind and owner in p.keys and ref not in refs
        ]
        records = await self.get(refs, check=False)
        return [records[ref] for ref in sorted(records)]


def shares(keys: Collection[Key], sorts: Collection[Sort]) -> tuple[list[Key | Sort], list[list[Key | Sort]]]:
    """What a record carries itself, and what each of its satellites carries beside the key to their owner."""
    ordered: list[Key | Sort] = [*sorted(keys), *sorted(sorts)]
    own, rest = ordered[:ROOM], ordered[ROOM:]
    return own, [rest[start : start + ROOM - 1] for start in range(0, len(rest), ROOM - 1)]


def load_record(codec: Codec[Any], record: Record) -> Any:
    """The value of a stored record, with its id, and its version if it has one."""
    body = {name: value for name, value in record.body.items() if name != OWNER}
    body["id"] = record.ref.id
    if codec.versioned:
        body["version"] = record.version
    return codec.load(body, record.schema)


def proven(codec: Codec[Any], value: Any, error: type[RuleViolation]) -> None:
    """Refuse what could be written but not read again: a field that holds a value of another type than it has.

    Raises:
        RuleViolation: of the class *error*, with the place of the wrong value but not the value.
    """
    if fits(codec.type, value):
        return
    try:
        same = codec.load(codec.dump(value)) == value
        path = "one of its fields"
    except InvalidDocument as wrong:
        same, path = False, wrong.path
    except (AttributeError, TypeError, ValueError, KeyError, RecursionError):
        same, path = False, "one of its fields"
    if not same:
        raise error(f"this {codec.tag} cannot be stored: {path} is not of the type that the field has")
