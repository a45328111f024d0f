"""Whom a verb of a batch was asked about, and whether something that was written may be about them.

Invariant: nothing is kept of it where the crm has no secrets. An address, a name or a source stands for whoever had it
when the batch was written, whoever has it now; an id, and what led to another record of the same customer, for the
customer that it leads to.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import attrs

from crmcore.app.resolve import Reference, address_in, is_id, search
from crmcore.app.unit import Unit
from crmcore.consent.event import ConsentEvent
from crmcore.consent.rights_request import RightsRequest
from crmcore.consent.wishes import Wish
from crmcore.errors import CapabilityMissing
from crmcore.identity.judgement import Judgement
from crmcore.party.contact_point import PhonePoint
from crmcore.party.history import PartyEvent, replay
from crmcore.party.party import Party
from crmcore.party.party_keys import PARTY, turned_names
from crmcore.storage.erasure import ERASED
from crmcore.values.source import Source
from crmcore.values.text import fold


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

    @property
    def address(self) -> str | None:
        """The normal form of the address or number that the reference is, if it may be one."""
        return None if isinstance(self.ref, Source) or "#" in self.ref else address_in(self.ref)

    async def led_to(self, unit: Unit) -> frozenset[str]:
        """The records of whoever the reference leads to now."""
        try:
            found = await search(unit, self.ref)
        except CapabilityMissing:
            # What no key leads to is looked for among the names, of which not every store keeps an order.
            return frozenset()
        return frozenset(str(id) for one in found for id in one.members)

    def was(self, party: Party) -> bool:
        """Whether the reference named *party*, as it was."""
        if isinstance(self.ref, Source):
            return self.ref in party.sources
        if any(self.ref.strip() == f"{source.system}#{source.record}" for source in party.sources):
            return True
        if (about := self.address) is not None and any(
            point.value is not None and point.value.e164 == about
            for point in party.contact_points
            if isinstance(point, PhonePoint)
        ):
            return True
        folded = fold(self.ref)
        named = folded != "" and any(name.startswith(folded) for name in turned_names(party))
        return named or (about is not None and party.contact_point(self.ref.strip()) is not None)


class Pasts:
    """How records were until an instant, each read once."""

    def __init__(self, until: datetime | None) -> None:
        self._until = until
        self._were: dict[str, list[Party]] = {}

    async def of(self, unit: Unit, ids: Iterable[str]) -> list[Party]:
        """Each of these records in every state that it had by then."""
        found: list[Party] = []
        for id in sorted(ids):
            if id not in self._were:
                self._were[id] = await _states(unit, id, self._until)
            found += self._were[id]
        return found


async def is_about(unit: Unit, whom: Whom, one: Any, now: frozenset[str], past: Pasts) -> bool:
    """Whether *one*, which was written, may be about *whom*, whose reference leads *now* to these records."""
    ids, manner = records_of(one), whom.manner
    if is_id(whom.ref):
        led = str(whom.ref) in ids or (not isinstance(one, Judgement) and not now.isdisjoint(ids))
    elif manner == ("address", False) and isinstance(one, ConsentEvent) and one.scope.point is not None:
        led = await _is_of_point(unit, whom.ref, one, past)
    else:
        # An address alone leads to the record that has it, and a judgement is about the first one of its customer.
        elsewhere = manner != ("address", False) or isinstance(one, Judgement)
        led = (elsewhere and not now.isdisjoint(ids)) or any(map(whom.was, await past.of(unit, ids)))
    return led and (whom.point is None or await _is_of_point(unit, whom.point, one, past))


async def _is_of_point(unit: Unit, said: Reference, one: Any, past: Pasts) -> bool:
    """Whether an act is about the contact point of which *said* is a spelling."""
    about = one.scope.point if isinstance(one, ConsentEvent) else None
    if about is None or isinstance(said, Source):
        return False
    if address_in(said) == about:
        return True
    points = [party.contact_point(said.strip()) for party in await past.of(unit, records_of(one))]
    return any(point is not None and point.key == about for point in points)


def records_of(one: Any) -> frozenset[str]:
    """The records that something which was written is about."""
    if isinstance(one, RightsRequest):
        return frozenset({one.anchor, one.customer, *one.members})
    if isinstance(one, ConsentEvent):
        return frozenset(one.members) | ({one.record} if one.record is not None else set())
    if isinstance(one, Judgement):
        return frozenset(map(str, one.pair))
    return frozenset({one.record}) if isinstance(one, Wish) else frozenset()


async def _states(unit: Unit, id: str, until: datetime | None) -> list[Party]:
    """How a record was, from its first entry on, which is there in any case: clocks differ."""
    stream, events, found = f"party:{id}", list[PartyEvent](), list[Party]()
    after: dict[str, int] | None = None
    while True:
        page = (await unit.store.ledger(unit.tenant, [stream], after=after))[stream]
        for entry in page.items:
            if entry.schema == ERASED:
                continue
            if events and until is not None and entry.recorded_at > until:
                return found
            tag, _, schema = entry.schema.partition("/")
            events.append(unit.codecs[tag].load(entry.body, int(schema)))
            party: Party = PARTY.load({**replay(tuple(events)), "id": id, "version": len(events)})
            found.append(party)
        if page.next is None:
            return found
        after = {stream: page.items[-1].seq}
