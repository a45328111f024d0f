"""`crm.relationships`: who is related to whom, since when and until when.

Invariant: a relationship is one record, read from both ends; at no time do reports-to and parent-company form a circle.
Every change of what leads away from a party is in one stream, and whoever decides by it guards that stream, so that two
additions that are fine one by one and not together never pass each other.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import attrs

from crmcore.app.asked import Asked
from crmcore.app.flow import Flow
from crmcore.app.parties import load_party
from crmcore.app.unit import Unit, load_record, proven
from crmcore.errors import InvalidRelationship, NotFound, RelationshipCycle
from crmcore.party.party_keys import RELATED, RELATIONSHIP, related_keys
from crmcore.party.relationship import (
    TYPES,
    Relationship,
    RelationshipType,
    check_cycle,
    check_kinds,
    check_overlap,
)
from crmcore.party.relationship_events import RelationshipAdded, RelationshipChanged
from crmcore.storage.protocol import Key
from crmcore.values.ids import PartyId, RelationshipId
from crmcore.values.period import Period

_HOPS = 1000
"""Parties above one in a hierarchy. No organization has more; to look further would cost more than it tells."""


@attrs.frozen
class AsyncRelationships:
    """Dated relationships between parties."""

    _flow: Flow

    async def add(self, type: str, from_: PartyId, to: PartyId, **facts: Any) -> Relationship:
        """Record that *from_* is related to *to*. *facts* are further fields: title, department, primary, valid, ...

        Raises:
            InvalidRelationship: for an unknown type, or ends of a kind that the type does not join.
            RelationshipOverlap: if it exists already for an overlapping time.
            RelationshipCycle: if it would close a circle.
            NotFound: if one of the parties does not exist.
        """
        type_ = relationship_type(type)

        async def plan(unit: Unit) -> Relationship:
            draft = Relationship(type=type, from_=from_, to=to, **facts)
            proven(RELATIONSHIP, draft, InvalidRelationship)
            await _check(unit, draft, type_)
            return await add_relationship(unit, draft)

        asked = Asked("relationships.add", (type, from_, to), written=(facts,))
        return await self._flow.commit(plan, asked=asked)

    async def change(
        self, id: RelationshipId, change: Callable[[Relationship], Relationship], *, reason: str | None = None
    ) -> Relationship:
        """Change a relationship with a pure function; its ends and type stay.

        Raises:
            NotFound: if there is no such relationship.
        """

        async def plan(unit: Unit) -> Relationship:
            ref = unit.ref(RELATIONSHIP.tag, id)
            record = (await unit.get([ref])).get(ref)
            if record is None:
                raise NotFound("no relationship has this id: see crm.relationships.of(party)")
            before: Relationship = load_record(RELATIONSHIP, record)
            after = change(before)
            if (after.id, after.type, after.from_, after.to) != (
                before.id,
                before.type,
                before.from_,
                before.to,
            ):
                raise InvalidRelationship(
                    "the ends and type of a relationship stay: end it and add another one"
                )
            if after == before:
                return before
            proven(RELATIONSHIP, after, InvalidRelationship)
            await _check(unit, after, relationship_type(after.type))
            version = unit.next_version(RELATIONSHIP.tag, before.id, before.version)
            after = attrs.evolve(after, version=version)
            keys = related_keys(after)
            await unit.put(RELATIONSHIP, after.id, after, expect=before.version, keys=keys)
            event = RelationshipChanged(
                relationship=after.id,
                before=before,
                after=after,
                actor=unit.actor,
                reason=reason if reason is not None else unit.reason,
            )
            unit.event(_stream(after.from_), event, subjects=[after.from_, after.to])
            return after

        return await self._flow.commit(plan, asked=Asked("relationships.change", (id,)), reason=reason)

    async def end(self, id: RelationshipId, *, on: date, reason: str | None = None) -> Relationship:
        """Say that a relationship no longer held from *on*. It stays readable for the time before."""
        return await self.change(id, lambda relationship: relationship.ended(on), reason=reason)

    async def retract(self, id: RelationshipId, *, reason: str) -> Relationship:
        """Take back a relationship that was recorded by mistake."""
        return await self.change(
            id, lambda relationship: attrs.evolve(relationship, retracted=True), reason=reason
        )

    async def of(self, party: PartyId, *, on: date | None = None) -> tuple[Relationship, ...]:
        """The relationships of a party, from both ends; with *on* only those that held on that day."""
        found = (await related(self._flow.reader(), [party]))[party]
        return tuple(r for r in found if on is None or r.valid.contains(on))


def relationship_type(key: str) -> RelationshipType:
    """The type with this key."""
    type_ = TYPES.get(key)
    if type_ is None:
        raise InvalidRelationship(
            f"there is no such type of relationship: use one of {', '.join(sorted(TYPES))}"
        )
    return type_


async def add_relationship(unit: Unit, draft: Relationship) -> Relationship:
    """Plan the recording of a relationship whose rules were checked."""
    stored = attrs.evolve(draft, id=unit.ids.new(RelationshipId, near=draft.from_), version=1)
    await unit.put(RELATIONSHIP, stored.id, stored, expect=0, keys=related_keys(stored))
    event = RelationshipAdded(
        relationship=stored.id, type_key=stored.type, actor=unit.actor, reason=unit.reason
    )
    unit.event(_stream(stored.from_), event, subjects=[stored.from_, stored.to])
    return stored


def _stream(party: PartyId) -> str:
    """The stream of what happens to the relationships that lead away from a party."""
    return f"relationships:{party}"


async def related(
    unit: Unit, parties: list[PartyId], *, retracted: bool = False
) -> dict[PartyId, tuple[Relationship, ...]]:
    """The relationships of several parties, each in the order they were recorded; *retracted* ones if asked for."""
    keys = {Key(RELATED, party): party for party in parties}
    hits = await unit.find(list(keys))
    refs = sorted({ref for found in hits.values() for ref in found})
    records = await unit.get(refs, check=False)
    loaded: dict[Any, Relationship] = {
        ref: load_record(RELATIONSHIP, records[ref]) for ref in refs if ref in records
    }
    return {
        party: tuple(
            loaded[ref]
            for ref in sorted(hits[key])
            if ref in loaded and (retracted or not loaded[ref].retracted)
        )
        for key, party in keys.items()
    }


async def _check(unit: Unit, new: Relationship, type_: RelationshipType) -> None:
    ends = [await load_party(unit, end) for end in (new.from_, new.to)]
    check_kinds(type_, ends[0].kind, ends[1].kind)
    if new.retracted:
        return
    await unit.guard([_stream(new.from_)])
    check_overlap(new, (await related(unit, [new.from_]))[new.from_], type_)
    if type_.acyclic:
        check_cycle(new, await _upwards(unit, new), type_)


async def _upwards(unit: Unit, new: Relationship) -> set[PartyId]:
    """All parties that lie above the far end of *new* at some time while it holds."""
    reached: dict[PartyId, set[Period[date]]] = {}
    frontier = {(new.to, new.valid)}
    while frontier:
        parties = sorted({party for party, _ in frontier})
        await unit.guard(map(_stream, parties))
        found = await related(unit, parties)
        steps = {
            (r.to, shared)
            for party, during in frontier
            for r in found[party]
            if r.type == new.type and r.from_ == party and (shared := r.valid.clip(during)) is not None
        }
        frontier = {(party, during) for party, during in steps if during not in reached.get(party, ())}
        for party, during in frontier:
            reached.setdefault(party, set()).add(during)
        if len(reached) > _HOPS:
            raise RelationshipCycle(
                f"more than {_HOPS} parties lie above the far end: look for what is wrong there"
            )
    return set(reached)
