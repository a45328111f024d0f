"""The interactions of a person, found without reading those of everybody anew for each.

Invariant: what stands in the timeline of a record is found by it. What does not, since it was replaced or taken back or
names only an address, is read once for a run, however many people it is about, and what comes in meanwhile by the feed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from crmcore.app.subject_addresses import Addresses, plain_form, rough_forms
from crmcore.app.unit import Unit, load_record
from crmcore.errors import PositionExpired
from crmcore.interaction.interaction import Interaction
from crmcore.interaction.lay import INTERACTION, TIMELINE
from crmcore.storage.protocol import Key, Position, Record, Ref

_PAGE = 500


class Talks:
    """Where the interactions are that no timeline shows: by the record that they name, and by the address."""

    def __init__(self) -> None:
        self._position: Position = ""
        self._replaced: set[str] = set()
        self._by_party: dict[str, set[str]] = {}
        self._by_text: dict[str, set[str]] = {}
        self._spelled: dict[str, set[str]] = {}
        self._alike: dict[str, set[str]] = {}

    @classmethod
    async def read(cls, unit: Unit) -> Talks:
        """Read all interactions of the tenant."""
        talks = cls()
        await talks._read_all(unit)
        return talks

    async def of(self, unit: Unit, members: Collection[str], addresses: Addresses) -> tuple[Interaction, ...]:
        """All interactions that name one of *members*, or one of their *addresses* and no record, in order of id.

        A spelling that is somebody else's own, and not the person's too, is theirs.
        """
        ids = await self._listed(unit, members)
        await self._catch_up(unit)  # afterwards: what has left a timeline by now is told by what replaced it
        ids.update(id for member in members for id in self._by_party.get(member, ()))
        return await self._load(unit, ids | await self._naming(unit, members, addresses))

    async def naming(
        self, unit: Unit, members: Collection[str], addresses: Addresses
    ) -> tuple[Interaction, ...]:
        """Those that stand and name one of the *addresses* and no record for it."""
        await self._catch_up(unit)
        found = await self._load(unit, await self._naming(unit, members, addresses) - self._replaced)
        return tuple(one for one in found if one.retracts is None)

    async def _read_all(self, unit: Unit) -> None:
        self._position = (await unit.store.changes(unit.tenant, "", 1)).watermark
        after: str | None = None
        while True:
            page = await unit.scan(INTERACTION.tag, after=after, limit=_PAGE)
            for record in page.items:
                self._note(record)
            after = page.next
            if after is None:
                return

    async def _catch_up(self, unit: Unit) -> None:
        """Read what has come in since, from the feed."""
        try:
            while True:
                page = await unit.store.changes(unit.tenant, self._position, _PAGE)
                refs = {one.ref for one in page.items if one.ref is not None}
                await self._note_new(unit, [ref for ref in refs if ref.kind == INTERACTION.tag])
                if not page.items:
                    return
                self._position = page.next
        except PositionExpired:
            await self._read_all(unit)

    async def _note_new(self, unit: Unit, refs: Sequence[Ref]) -> None:
        """Note some interactions, and what they replace: that has left its timelines."""
        records = await unit.get(refs, check=False)
        for record in records.values():
            self._note(record)
        before = [unit.ref(INTERACTION.tag, id) for one in records.values() for id in _replaced(one)]
        for record in (await unit.get(before, check=False)).values():
            self._note(record)

    def _note(self, record: Record) -> None:
        self._replaced.update(_replaced(record))
        for one in record.body["participants"]:
            if "party" not in one:
                self._note_text(one.get("address", ""), record.ref.id)
            elif not record.sorts:
                self._by_party.setdefault(one["party"], set()).add(record.ref.id)

    def _note_text(self, text: str, id: str) -> None:
        ids = self._by_text.setdefault(text, set())
        if not ids:
            self._spelled.setdefault(plain_form(text), set()).add(text)
            for rough in rough_forms(text):
                self._alike.setdefault(rough, set()).add(text)
        ids.add(id)

    async def _listed(self, unit: Unit, members: Collection[str]) -> set[str]:
        """What stands in the timelines of *members*."""
        found: set[str] = set()
        after: str | None = None
        while True:
            page = await unit.range(TIMELINE, members, after=after, limit=_PAGE)
            found.update(ref.id for ref in await unit.owners(ref for _, ref in page.items))
            after = page.next
            if after is None:
                return found

    async def _naming(self, unit: Unit, members: Collection[str], addresses: Addresses) -> set[str]:
        texts = {text for plain in addresses.texts for text in self._spelled.get(plain, ())}
        keys: dict[str, Key] = {}
        for text in (text for rough in addresses.rough for text in self._alike.get(rough, ())):
            if text not in texts and (key := addresses.other_spelling(text)) is not None:
                keys[text] = key
        holders = await unit.find(set(keys.values()))
        own = {key for key, refs in holders.items() if not refs or any(ref.id in members for ref in refs)}
        texts.update(text for text, key in keys.items() if key in own)
        return {id for text in texts for id in self._by_text[text]}

    async def _load(self, unit: Unit, ids: Iterable[str]) -> tuple[Interaction, ...]:
        refs = [unit.ref(INTERACTION.tag, id) for id in sorted(ids)]
        records = await unit.get(refs, check=False)
        return tuple(load_record(INTERACTION, records[ref]) for ref in refs if ref in records)


def _replaced(record: Record) -> Iterable[str]:
    return (record.body[name] for name in ("corrects", "retracts") if record.body.get(name) is not None)
