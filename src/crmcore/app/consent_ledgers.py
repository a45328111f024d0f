"""Reading and writing the ledgers of consent.

Invariant: an act about an address stands in the ledger of the address; a No about a person in that of every record that
the customer had, so that no split loses it; a Yes about a person in that of the one record under which it was given.
"""

from __future__ import annotations

from crmcore.app.unit import Unit
from crmcore.consent.event import ConsentEvent
from crmcore.consent.known import points_of
from crmcore.consent.ledger import CONTACT_POINT, LedgerPoint, party_stream, point_key, point_stream
from crmcore.consent.standing import NOES
from crmcore.party.party import Party
from crmcore.values.ids import Id


async def append_act(unit: Unit, event: ConsentEvent, owner: Party, about: str | None) -> None:
    """To the ledger of the address; or to that of each record that the customer has, so that no split loses a No."""
    if about is not None:
        kind = next(kind for kind, normal in points_of(owner) if normal == about)
        streams = [point_stream(await ledger_of(unit, kind, about))]
    elif event.kind in NOES:
        streams = [party_stream(member) for member in event.members]
    else:
        streams = [party_stream(str(owner.id))]
    for stream in streams:
        unit.event(stream, event, subjects=event.members or (str(owner.id),), occurred_at=event.occurred_at)


async def ledger_of(unit: Unit, kind: str, normal: str) -> str:
    """The id of the contact point's record, made with its first act."""
    key = point_key(kind, normal)
    found = (await unit.find([key]))[key]
    if found:
        return found[0].id
    id = unit.ids.new(Id)
    await unit.put(CONTACT_POINT, id, LedgerPoint(kind=kind), expect=0, keys=frozenset({key}))
    return str(id)


async def acts_of(unit: Unit, party: Party) -> tuple[ConsentEvent, ...]:
    """The acts about a record's contact points, under whichever record they were recorded, and about its person."""
    hits = await unit.find([point_key(kind, normal) for kind, normal in points_of(party)])
    streams = [point_stream(ref.id) for refs in hits.values() for ref in refs]
    codec = unit.codecs["consent.event"]
    found: dict[str, ConsentEvent] = {}
    for stream in (*dict.fromkeys(streams), party_stream(str(party.id))):
        for _, body in await unit.entries(stream):
            event: ConsentEvent = codec.load(body)
            found[event.id] = event
    return tuple(found.values())
