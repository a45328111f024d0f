"""Whom a verb of a batch was asked about, and whether a call of an earlier run was about them.

Invariant: nothing is kept of it where the crm has no secrets but which records were meant, and which of their ids,
sources, contact points or names that was, by number. It is looked up in the record as it was then: an address, a name
or a source stands for whoever had it when the batch was written, whoever has it now.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import attrs

from crmcore.app.point_meant import points_named
from crmcore.app.resolve import Reference, address_in, is_id, parties_named
from crmcore.app.unit import Unit, load_record
from crmcore.consent.event import ConsentEvent
from crmcore.consent.known import points_of
from crmcore.errors import CapabilityMissing
from crmcore.party.contact_point import ContactPoint, PhonePoint
from crmcore.party.history import PartyAdded, PartyChanged, replay
from crmcore.party.party import Party, is_spelling
from crmcore.party.party_keys import PARTY, names_of, turned_names
from crmcore.values.personal import Document
from crmcore.values.source import Source
from crmcore.values.text import fold

_ID, _PART, _BESIDE, _WITHOUT = "id", "part of a name", "beside", " without its extension"


@attrs.frozen(repr=False)
class Whom:
    """The reference, and the contact point if one was named beside it."""

    ref: Reference
    point: str | None = None

    def __repr__(self) -> str:
        return "Whom(<hidden>)"

    @property
    def manner(self) -> tuple[str, bool]:
        """In which way somebody is named, and whether a contact point is named beside: this is about nobody."""
        named = "id" if is_id(self.ref) else "address" if self.address is not None else "other"
        return named, self.point is not None

    @cached_property
    def address(self) -> str | None:
        """The normal form of the address or number that the reference is, if it may be one."""
        return None if isinstance(self.ref, Source) or "#" in self.ref else address_in(self.ref)

    def marks(self, party: Party) -> tuple[str, ...]:
        """Which of a record's ids, sources, contact points and names the reference is, and which point is beside."""
        return (*self._marks(party), *self._beside(party))

    def _marks(self, party: Party) -> list[str]:
        if is_id(self.ref):
            return [_ID] if str(self.ref) == str(party.id) else []
        said = f"{self.ref.system}#{self.ref.record}" if isinstance(self.ref, Source) else self.ref.strip()
        held = [f"{source.system}#{source.record}" for source in party.sources]
        if isinstance(self.ref, Source) or said in held:
            return [f"source {n}" for n, source in enumerate(held) if source == said]
        about = self.address
        if about is not None and (
            found := [
                f"point {n}{_manner(about, one)}"
                for n, one in enumerate(party.contact_points)
                if about in _forms(one)
            ]
        ):
            return found
        folded = fold(said)
        whole = [f"name {n}" for n, name in enumerate(names_of(party)) if fold(name) == folded]
        part = folded != "" and any(name.startswith(folded) for name in turned_names(party))
        return whole or ([_PART] if part else [])

    def _beside(self, party: Party) -> list[str]:
        if self.point is None:
            return []
        said, points = self.point.strip(), points_of(party)
        meant = set(points_named(said, points))
        return [
            f"{_BESIDE} {n}{'' if is_spelling(one, said) else _WITHOUT}"
            for n, one in enumerate(party.contact_points)
            if said and ((one.kind, one.key) in meant or is_spelling(one, said))
        ]


@attrs.frozen(kw_only=True)
class Meant(Document):
    """A *record* that somebody was named by, at which *version* of it, and by which *marks* of `Whom`."""

    record: str
    version: int
    marks: tuple[str, ...]


async def meant(unit: Unit, whom: Whom, result: Any) -> tuple[Meant, ...]:
    """The records that *whom* leads to, and of a contact point beside the one under which *result* stands."""
    ids = set[str](await parties_named(unit, whom.ref))
    if whom.point is not None and isinstance(result, ConsentEvent) and result.record is not None:
        ids.add(result.record)
    records = await unit.get([unit.ref(PARTY.tag, id) for id in sorted(ids)], check=False)
    parties = [load_record(PARTY, record) for record in records.values()]
    return tuple(Meant(record=str(one.id), version=one.version, marks=whom.marks(one)) for one in parties)


class Pasts:
    """How records were at one of their versions, each read once."""

    def __init__(self) -> None:
        self._events: dict[str, list[PartyAdded | PartyChanged]] = {}
        self._were: dict[tuple[str, int], list[Party]] = {}

    async def at(self, unit: Unit, id: str, version: int) -> list[Party]:
        """A record at a *version*, in each state of it, since a batch may change it several times; none if erased."""
        if id not in self._events:
            self._events[id] = [
                unit.codecs[schema.partition("/")[0]].load(body, int(schema.partition("/")[2]))
                for schema, body in await unit.entries(f"party:{id}")
            ]
        if (id, version) not in self._were:
            self._were[id, version] = [
                PARTY.load({**replay(tuple(self._events[id][: n + 1])), "id": id, "version": version})
                for n, event in enumerate(self._events[id])
                if version == (event.version if isinstance(event, PartyChanged) else 1)
            ]
        return self._were[id, version]


async def was_meant(unit: Unit, whom: Whom, then: Sequence[Meant], past: Pasts) -> bool:
    """Whether *whom* names the records that a call was about *then*, by the same marks of what they were."""
    if is_id(whom.ref) and whom.point is None:
        return [(one.record, one.marks) for one in then] == [(str(whom.ref), (_ID,))]
    for one in then:
        if not any(whom.marks(state) == one.marks for state in await past.at(unit, one.record, one.version)):
            return False
    if not any(_PART in one.marks for one in then):
        return bool(then)
    # What is part of a name may be part of many: it has to lead to the same records still.
    led = {one.record for one in then if any(not mark.startswith(_BESIDE) for mark in one.marks)}
    return led == await _led_to(unit, whom.ref)


async def _led_to(unit: Unit, ref: Reference) -> set[str]:
    try:
        return set(map(str, await parties_named(unit, ref)))
    except CapabilityMissing:
        # Not every store keeps an order of names.
        return set()


def _manner(about: str, point: ContactPoint) -> str:
    """How a contact point is told by one of its forms: a number without its extension may be another one, too."""
    return "" if about == point.key else _WITHOUT


def _forms(point: Any) -> tuple[str, ...]:
    """The normal form of a contact point, of a number also without its extension."""
    if isinstance(point, PhonePoint) and point.value is not None:
        return point.key, point.value.e164
    return (point.key,)
