"""Reading and writing the ledgers of consent.

Invariant: an act about an address stands in the ledger of the address; a No about a person, and a lift, in that of
every record that the customer had, so that no split loses it; a Yes about a person in that of the one record under
which it was given. A record that gives up an address keeps each No about it, also one that is said meanwhile: where
the two cross, the one that is committed later is planned again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crmcore.app.unit import Unit, load_record
from crmcore.consent.event import ConsentEvent
from crmcore.consent.known import outlasting, points_of
from crmcore.consent.ledger import (
    CONTACT_POINT,
    LedgerPoint,
    belonging_key,
    party_stream,
    point_key,
    point_stream,
    wish_stream,
)
from crmcore.consent.wishes import WISH, Wish
from crmcore.consent.words import NOES
from crmcore.errors import InvalidConsent, NotFound
from crmcore.party.party import Party
from crmcore.party.party_keys import PARTY
from crmcore.values.ids import Id


async def owner_of(unit: Unit, owners: Iterable[Party], about: str | None) -> Party:
    """The first of *owners* that has the contact point, or is there at all; it must be so until the commit.

    Raises:
        NotFound: if none of the records is there any more.
        InvalidConsent: if none has the contact point any more.
    """
    refs = [unit.ref(PARTY.tag, one.id) for one in owners]
    there = False
    for ref in refs:
        record = (await unit.get([ref])).get(ref)
        if record is not None:
            owner: Party = load_record(PARTY, record)
            if about is None or any(normal == about for _, normal in points_of(owner)):
                return owner
            there = True
    if there:
        raise InvalidConsent("no record of this customer has that contact point: add it to one first")
    raise NotFound("the record is not there any more: nothing was recorded")


async def ledgers_for(
    unit: Unit, kind: str, owner: Party, about: str | None, members: Iterable[str]
) -> tuple[str, ...]:
    """That of the address; of a No or a lift about the person that of each record of the customer."""
    if about is not None:
        point = next(one for one, normal in points_of(owner) if normal == about)
        return (point_stream(await ledger_of(unit, point, about)),)
    if kind in NOES or kind == "lift":
        return tuple(party_stream(member) for member in members)
    return (party_stream(str(owner.id)),)


def append_act(unit: Unit, event: ConsentEvent, streams: Iterable[str]) -> None:
    """Append *event* to each of these ledgers, as an entry about the records that it names."""
    subjects = event.members or ((event.record,) if event.record is not None else ())
    for stream in streams:
        unit.event(stream, event, subjects=subjects, occurred_at=event.occurred_at)


async def give_up_points(unit: Unit, before: Party, after: Party) -> None:
    """A record that no longer has an address takes every No about it along, with what may have lifted it: whoever moves
    is not opted in again."""
    kept = set(points_of(after))
    given_up = [one for one in dict.fromkeys(points_of(before)) if one not in kept]
    if given_up:  # where there is no ledger, none may be made until the commit
        await unit.find([belonging_key(*one) for one in given_up], check=True)
    for point in given_up:
        streams = await _ledgers_at(unit, [point])
        await unit.guard(streams)
        found = await _acts_in(unit, streams)
        if not found:
            continue
        known = {one.id for one in await _acts_in(unit, [party_stream(str(after.id))])}
        for event in outlasting(found, point[0]):
            if event.id not in known:
                unit.event(
                    party_stream(str(after.id)),
                    event,
                    subjects=(str(after.id),),
                    occurred_at=event.occurred_at,
                )


async def ledger_of(unit: Unit, kind: str, normal: str) -> str:
    """The id of the contact point's record, made with its first act.

    Older stores may have two that were made at once: both are found, and both ledgers are read.
    """
    key = point_key(kind, normal)
    found = (await unit.find([key]))[key]
    if found:
        return found[0].id
    id = unit.ids.new(Id)
    keys = frozenset({key, belonging_key(kind, normal)})
    await unit.put(CONTACT_POINT, id, LedgerPoint(kind=kind), expect=0, keys=keys)
    return str(id)


async def said_in(unit: Unit, party: Party) -> tuple[ConsentEvent, ...]:
    """All acts in the ledgers of a record's contact points, under whichever record they were recorded, and of its
    person; `acts_of` are those of them that count."""
    streams = [*await _ledgers_at(unit, points_of(party)), party_stream(str(party.id))]
    found: dict[str, ConsentEvent] = {}
    for event in await _acts_in(unit, streams):
        found.setdefault(event.id, event)
    return tuple(found.values())


async def wishes_of(unit: Unit, members: Iterable[str]) -> tuple[Wish, ...]:
    """All wishes of the records of a customer, in the order in which they were said."""
    ledgers = await unit.ledgers([wish_stream(str(member)) for member in members])
    found = [WISH.load(body) for entries in ledgers.values() for _, body in entries]
    return tuple(sorted(found, key=lambda wish: wish.said_at))


async def others_noes(unit: Unit, parties: Sequence[Party]) -> tuple[ConsentEvent, ...]:
    """The Noes of others in the ledgers of these records, each once: nothing else there is read but for its kind."""
    own = [str(party.id) for party in parties]
    points = dict.fromkeys(point for party in parties for point in points_of(party))
    codec = unit.codecs["consent.event"]
    ledgers = await unit.ledgers([*await _ledgers_at(unit, points), *map(party_stream, own)])
    found = {
        body["id"]: codec.load(body)
        for entries in ledgers.values()
        for _, body in entries
        if body.get("kind") in NOES and body.get("record") not in own
    }
    return tuple(found.values())


async def _ledgers_at(unit: Unit, points: Iterable[tuple[str, str]]) -> list[str]:
    """The ledgers of these contact points, as far as anything was said about them."""
    hits = await unit.find([point_key(kind, normal) for kind, normal in points])
    return list(dict.fromkeys(point_stream(ref.id) for refs in hits.values() for ref in refs))


async def _acts_in(unit: Unit, streams: Iterable[str]) -> list[ConsentEvent]:
    codec = unit.codecs["consent.event"]
    ledgers = await unit.ledgers(list(dict.fromkeys(streams)))
    return [codec.load(body) for entries in ledgers.values() for _, body in entries]
