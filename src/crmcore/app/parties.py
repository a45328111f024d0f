"""`crm.parties`: record parties, change them with pure functions, read their history.

Invariant: every change of a party is in its history, appended in the batch that made it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, cast

import attrs

from crmcore.app.asked import Asked, fields_of
from crmcore.app.consent_ledgers import give_up_points
from crmcore.app.flow import Flow
from crmcore.app.loading import MATCH as MATCH  # for those who look for what was stored
from crmcore.app.loading import LoadProgress, LoadReport, OnRefused, active_features, index_of, load_parties
from crmcore.app.near_index import put_features
from crmcore.app.parts import ITEMS_PER_PARTY, in_parts, room_for
from crmcore.app.suppressed import note_changed, note_created, note_met, suppressed_points
from crmcore.app.unit import Unit, load_record, proven
from crmcore.errors import InvalidParty, NotFound, SourceTaken
from crmcore.party.contact_point import EmailPoint, PhonePoint
from crmcore.party.history import PartyAdded, PartyChanged, PartyEvent, differences
from crmcore.party.party import Anonymous, Household, Organization, Party, PartyRecord, Person
from crmcore.party.party_keys import (
    EMAIL,
    PARTY,
    PHONE,
    source_key,
)
from crmcore.party.party_keys import (
    key as text_key,
)
from crmcore.storage.protocol import Key
from crmcore.values.ids import PartyId
from crmcore.values.moment import moment_instant
from crmcore.values.source import Source

P = TypeVar("P", bound=Person | Organization | Household | Anonymous)


@attrs.frozen
class AsyncParties:
    """Parties: one record of a person, organization or household, as one source holds it."""

    _flow: Flow

    async def add(self, draft: P) -> P:
        """Store a draft and return it with its id and version.

        If an address of it is suppressed, it is stored all the same, and a domain event says so: see
        `crm.suppression.met`.

        Raises:
            InvalidParty: if a field holds a value of another type than it has.
            SourceTaken: if another party already stands for one of its source records.
        """

        proven(PARTY, draft, InvalidParty)

        async def plan(unit: Unit) -> P:
            await claim(unit, [draft])
            stored = await add_party(self._flow, unit, draft)
            await note_created(self._flow, unit, [stored])
            return stored

        return await self._flow.commit(
            plan, asked=Asked("parties.add", (draft.kind,), written=(fields_of(draft),))
        )

    async def add_many(self, drafts: Iterable[P]) -> tuple[P, ...]:
        """Store drafts in as few batches as the store allows, each all or nothing, and return them in order.

        Raises:
            SourceTaken: as `add`; drafts in earlier batches are stored then.
        """
        stored: list[P] = []
        room = room_for(self._flow.store.describe().limits, ops=5, items=ITEMS_PER_PARTY)
        waiting = list(drafts)
        for draft in waiting:
            proven(PARTY, draft, InvalidParty)

        async def write(chunk: Sequence[P]) -> list[P]:
            async def plan(unit: Unit) -> list[P]:
                await claim(unit, chunk)
                points = [point for draft in chunk for point in draft.contact_points]
                found = await suppressed_points(self._flow, unit, points)
                added = [await add_party(self._flow, unit, draft) for draft in chunk]
                note_met(unit, added, found, "created")
                return added

            fields = tuple([fields_of(draft) for draft in chunk])
            return await self._flow.commit(plan, asked=Asked("parties.add_many", written=fields))

        for start in range(0, len(waiting), room):
            await in_parts(write, waiting[start : start + room], stored.extend)
        return tuple(stored)

    async def load(
        self,
        drafts: Iterable[Party],
        *,
        idem: str,
        on_progress: LoadProgress | None = None,
        on_refused: OnRefused | None = None,
    ) -> LoadReport:
        """Store drafts by the million, read one after the other and written in chunks, each all or nothing.

        A row that cannot be stored is reported and costs no other row. *idem* names the load: run again with the same
        drafts after it was cut off, it goes on where it stopped. *on_progress* is called with the report so far
        after every chunk, *on_refused* with every row that is refused.

        Raises:
            CapabilityMissing: if the store cannot load in bulk; nothing was written. `add_many` writes in batches.
            IdempotencyMismatch: if other drafts were loaded under *idem*; the rows before those that differ are there.
            StoreError: if the store failed; the chunks before are there, and the same load goes on after them.
            InvalidParty: if what is given is nothing to go through.

        >>> from crmcore import Crm, Person
        >>> crm = Crm.open()
        >>> report = crm.parties.load((Person.of(f"Ann Lee {n}") for n in range(3)), idem="export of 2026-11")
        >>> report.added, report.refused
        (3, 0)
        """
        if not isinstance(drafts, Iterable):
            raise InvalidParty("parties are loaded one after the other: give a list or a generator of drafts")
        return await load_parties(
            self._flow, drafts, idem=idem, on_progress=on_progress, on_refused=on_refused
        )

    async def get(self, id: PartyId) -> Party:
        """The party as it stands.

        Raises:
            NotFound: if no party has this id.
        """
        party: Party = await load_party(self._flow.reader(), id)
        return party

    async def change(self, id: PartyId, change: Callable[[P], P], *, reason: str | None = None) -> P:
        """Change a party with a pure function, which may run again when somebody else was faster.

        Raises:
            NotFound: if no party has this id.
            SourceTaken: if the change claims a source record that another party stands for.
        """

        async def plan(unit: Unit) -> P:
            before = await load_party(unit, id)
            after = await change_party(self._flow, unit, before, cast("Any", change), reason=reason)
            await note_changed(self._flow, unit, before, after)
            return cast("P", after)

        return await self._flow.commit(plan, asked=Asked("parties.change", (id,)), reason=reason)

    async def retract(self, id: PartyId, *, reason: str) -> Party:
        """Take back a party recorded by mistake: it is found no more and takes part in no customer's values.

        Nobody is contacted by it, nor says yes under it. Its facts stay, each No among them; `restore` brings it back.
        """
        return await self.change(id, lambda party: attrs.evolve(party, standing="retracted"), reason=reason)

    async def restore(self, id: PartyId, *, reason: str) -> Party:
        """Bring a retracted party back."""
        return await self.change(id, lambda party: attrs.evolve(party, standing="active"), reason=reason)

    async def history(self, id: PartyId) -> tuple[PartyEvent, ...]:
        """Everything that was ever said of a party, oldest first.

        Raises:
            NotFound: if no party has this id.
        """
        unit = self._flow.reader()
        await load_party(unit, id)
        events: list[PartyEvent] = []
        for written, body in await unit.entries(f"party:{id}"):
            tag, _, schema = written.partition("/")
            events.append(self._flow.codecs[tag].load(body, int(schema)))
        return tuple(events)

    async def find(
        self,
        *,
        email: str | None = None,
        phone: str | None = None,
        region: str | None = None,
        source: Source | None = None,
    ) -> tuple[Party, ...]:
        """The parties that carry an e-mail address, a phone number or a source record, by normal form.

        A text that has no normal form is found as it was written; nothing found is an empty tuple.
        """
        keys = set[Key]()
        if email is not None and email.strip():
            keys.add(text_key(EMAIL, EmailPoint.of(email).key))
        if phone is not None and phone.strip():
            keys.add(text_key(PHONE, PhonePoint.of(phone, region=region).key))
        if source is not None:
            keys.add(source_key(source))
        unit = self._flow.reader()
        hits = await unit.find(keys)
        refs = sorted({ref for found in hits.values() for ref in found if ref.kind == PARTY.tag})
        records = await unit.get(refs, check=False)
        return tuple(load_record(PARTY, records[ref]) for ref in refs if ref in records)


async def load_party(unit: Unit, id: str) -> Any:
    """The stored party; what it is is checked again when the unit commits."""
    ref = unit.ref(PARTY.tag, id)
    record = (await unit.get([ref])).get(ref)
    if record is None:
        raise NotFound(
            "no party has this id: look it up by e-mail, phone or source with crm.parties.find(...)"
        )
    return load_record(PARTY, record)


async def add_party(flow: Flow, unit: Unit, draft: P) -> P:
    """Plan the recording of a draft whose sources were claimed."""
    if not draft.is_draft:
        raise InvalidParty("the party is stored already: change it with crm.parties.change(id, ...)")
    stored = attrs.evolve(draft, id=unit.ids.new(PartyId), version=1)
    body = await _put(flow, unit, stored, expect=0)
    event = PartyAdded(party=stored.id, actor=unit.actor, reason=unit.reason)
    seen = stored.observed_at
    unit.event(
        f"party:{stored.id}",
        event,
        subjects=[stored.id],
        occurred_at=moment_instant(seen) if seen is not None else None,
        plain={"fields": body},
    )
    return stored


async def change_party(
    flow: Flow, unit: Unit, before: Party, change: Callable[[Party], Party], *, reason: str | None = None
) -> Party:
    """Plan a change; one that changes nothing writes nothing."""
    after = change(before)
    if not isinstance(after, PartyRecord):
        raise InvalidParty("a change must return the party, changed: it returned something else, or nothing")
    if after.is_draft or (after.kind, after.id) != (before.kind, before.id):
        raise InvalidParty("a change must return the same party, changed: keep its id and kind")
    after = attrs.evolve(after, version=before.version)
    if after == before:
        return before
    proven(PARTY, after, InvalidParty)
    after = attrs.evolve(after, version=unit.next_version(PARTY.tag, before.id, before.version))
    if after.sources != before.sources:
        await claim(unit, [after])
    if after.contact_points != before.contact_points:
        await give_up_points(unit, before, after)
    old = PARTY.dump(before)
    new = await _put(flow, unit, after, expect=before.version)
    old.pop("id")
    old.pop("version")
    event = PartyChanged(
        party=after.id,
        version=after.version,
        actor=unit.actor,
        reason=reason if reason is not None else unit.reason,
        changes=differences(old, new),
    )
    unit.event(f"party:{after.id}", event, subjects=[after.id])
    return after


async def _put(flow: Flow, unit: Unit, party: Party, *, expect: int) -> dict[str, Any]:
    body = PARTY.dump(party)
    body.pop("id", None)
    body.pop("version", None)
    features = active_features(party)
    keys, sorts = index_of(party, features, flow.matcher)
    await put_features(unit, party.id, features, fresh=expect == 0)
    await unit.put_body(PARTY.tag, party.id, body, schema=PARTY.schema, expect=expect, keys=keys, sorts=sorts)
    return body


async def claim(unit: Unit, parties: Iterable[Party]) -> None:
    """Refuse source records for which other parties stand; the store's exclusive keys guard them for good."""
    claimed: dict[Key, str | None] = {}
    for party in parties:
        own = None if party.is_draft else party.id
        for key in sorted({source_key(source) for source in party.sources}):
            if key in claimed:
                raise SourceTaken("two drafts stand for one record of a source: keep one of them", holder="")
            claimed[key] = own
    for key, refs in (await unit.find(claimed)).items():
        for ref in refs:
            if ref.id != claimed[key]:
                raise SourceTaken(
                    "another party stands for this record of this source: change that one, or merge the two",
                    holder=ref.id,
                )
