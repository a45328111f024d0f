"""Reading and writing the ledgers of consent.

Invariant: an act about an address stands in the ledger of the address; a No about a person, and a lift, in that of
every record that the customer had, so that no split loses it; a Yes about a person in that of the one record under
which it was given. A record that gives up an address keeps each No about it, also when it has the address again, and
also one that is said meanwhile: where the two cross, the one that is committed later is planned again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import get_args

from crmcore.app.resolve import memberships
from crmcore.app.unit import Unit, load_record
from crmcore.consent.clocks import SKEW, later_than_any, not_before, shown_by
from crmcore.consent.event import ConsentEvent
from crmcore.consent.known import each_once, gone_along, lacks_kind, outlasting, points_of
from crmcore.consent.ledger import (
    CONTACT_POINT,
    LedgerPoint,
    belonging_key,
    party_stream,
    point_key,
    point_of,
    point_stream,
    wish_stream,
)
from crmcore.consent.whose import PERMITS
from crmcore.consent.wishes import WISH, Wish
from crmcore.consent.words import NOES, ActKind, PointKind
from crmcore.errors import InvalidConsent, NotFound
from crmcore.party.party import Party
from crmcore.party.party_keys import PARTY
from crmcore.storage.erasure import ERASED
from crmcore.storage.protocol import Draft, Entry
from crmcore.values.ids import Id

_LATEST = 20
"""So many entries of a ledger are read at a time, from its end on."""


async def owner_of(
    unit: Unit, owners: Iterable[Party], about: str | None, *, kind: ActKind | None = None
) -> Party:
    """The first of *owners* that has the contact point, or is there at all; it must be so until the commit.

    What permits, by its *kind*, needs a record that was not taken back, and so must be the first of them, which is the
    one that was named: a Yes under it is none of another person that is taken for the same.

    Raises:
        NotFound: if none of the records is there any more.
        InvalidConsent: if none has the contact point any more, or what permits is said by one that was taken back, or
            would be of one.
    """
    refs = list(dict.fromkeys(unit.ref(PARTY.tag, one.id) for one in owners))
    there = back = False
    for ref in refs:
        record = (await unit.get([ref])).get(ref)
        if record is not None:
            owner: Party = load_record(PARTY, record)
            there, stands = True, kind not in PERMITS or owner.standing == "active"
            if not stands and ref == refs[0]:
                back = True
                break
            if about is None or any(normal == about for _, normal in points_of(owner)):
                if stands:
                    return owner
                back = True
    if back:
        raise InvalidConsent(
            "the record was taken back, so nothing is permitted under it: restore it first, or "
            "name a record of the customer that stands"
        )
    if there:
        raise InvalidConsent("no record of this customer has that contact point: add it to one first")
    raise NotFound("the record is not there any more: nothing was recorded")


def said_for(
    kind: str, owners: Sequence[Party], about: str | None, members: tuple[str, ...]
) -> tuple[str, ...]:
    """The records of a customer for which an act is said: all *members*, if it is about the person; of a No about a
    contact point its *owners*, if there are several."""
    if about is None:
        return members
    return tuple(str(one.id) for one in owners) if kind in NOES and len(owners) > 1 else ()


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
    """Append *event* to each of these ledgers, as an entry about the records that it names: of an act about a contact
    point about the one under which it stands."""
    of_one = (event.record,) if event.record is not None else ()
    subjects = of_one if event.scope.point is not None else event.members or of_one
    for stream in streams:
        unit.event(stream, event, subjects=subjects, occurred_at=event.occurred_at)


async def time_of_no(unit: Unit, at: datetime, parties: Iterable[Party], streams: Iterable[str]) -> datetime:
    """When a No is done that this crm dates: *at*, or as late as the latest act, about a person or a point of the
    *parties* or in the *streams*, that was dated by a clock ahead of ours; or, of a unit that dates it ahead, later
    than any."""
    now = shown_by(at, unit.now)
    if unit.dating == "ahead":
        return later_than_any(now)
    wanted = await watched(unit, parties, streams)
    return not_before(at, [one.occurred_at for one in await _latest(unit, wanted, at - SKEW)], now)


async def told_already(unit: Unit, no: ConsentEvent) -> bool:
    """Whether such a *no*, of the same record and in the same scope, stands in its ledger with that very time."""
    codec, at = unit.codecs["consent.event"], no.occurred_at
    for entry in await _latest(unit, [no.ledger] if no.ledger else [], at - SKEW):
        if entry.occurred_at == at and entry.schema != ERASED:
            one = codec.load(entry.body)
            if (one.kind, one.record, one.scope) == (no.kind, no.record, no.scope):
                return True
    return False


async def _latest(unit: Unit, streams: Sequence[str], since: datetime) -> list[Draft | Entry]:
    """What these ledgers have, and the unit adds to them: of each all that was recorded *since* that instant, and
    perhaps more."""
    found: list[Draft | Entry] = [*unit.added_to(frozenset(streams))]
    limit = unit.store.describe().limits.max_refs
    for start in range(0, len(streams), limit):
        left, after = list(streams[start : start + limit]), dict[str, int]()
        while left:
            pages = await unit.store.ledger(
                unit.tenant, left, after=after or None, limit=_LATEST, reverse=True
            )
            found += [entry for page in pages.values() for entry in page.items]
            after = {
                stream: page.items[-1].seq
                for stream, page in pages.items()
                if page.next is not None and page.items[-1].recorded_at >= since
            }
            left = list(after)
    return found


async def watched(unit: Unit, parties: Iterable[Party], streams: Iterable[str] = ()) -> list[str]:
    """The *streams* and the ledgers in which anything is said of the *parties* and their points. Of a unit that watches
    them nothing may be added until the commit, nor may a ledger be made of a point that has none."""
    known = list(parties)
    points = dict.fromkeys(point for party in known for point in points_of(party))
    own = dict.fromkeys([*streams, *(party_stream(str(party.id)) for party in known)])
    watching = unit.dating == "watched"
    if watching:
        unit.watches = True
        await unit.find([belonging_key(*one) for one in points], check=True)
    wanted = list(dict.fromkeys([*own, *await ledgers_at(unit, points)]))
    if watching:
        await unit.guard(wanted)
    return wanted


async def give_up_points(unit: Unit, before: Party, after: Party) -> None:
    """A record that no longer has an address takes every No about it along, with what may have lifted it: whoever moves
    is not opted in again."""
    kept = set(points_of(after))
    given_up = [one for one in dict.fromkeys(points_of(before)) if one not in kept]
    if given_up:  # where there is no ledger, none may be made until the commit
        await unit.find([belonging_key(*one) for one in given_up], check=True)
    for point in given_up:
        streams = await ledgers_at(unit, [point])
        await unit.guard(streams)
        found = await _acts_in(unit, streams)
        if not found:
            continue
        known = {one.id for one in await _acts_in(unit, [party_stream(str(after.id))])}
        own = {str(after.id)}
        if any(event.record not in (None, *own) for event in found):
            own |= set((await memberships(unit, [after.id]))[after.id].members)
        for event in outlasting(found, point[0], own, str(after.id)):
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


async def said_in(unit: Unit, party: Party, known_at: datetime | None = None) -> tuple[ConsentEvent, ...]:
    """All acts in the ledgers of a record's contact points, under whichever record they were recorded, and of its
    person; `acts_of` are those of them that count.

    With *known_at* a No goes along only from a contact point that the record had given up by then.
    """
    at_points, own = await ledgers_at(unit, points_of(party)), party_stream(str(party.id))
    acts = await _acts_by_ledger(unit, [*at_points, own])
    kept = await with_kinds(unit, acts[own])
    if known_at is not None and any(act.scope.given_up is not None for act in kept):
        later = await _later(unit, own, known_at)
        kept = [act for act in kept if act.scope.given_up is None or act.id not in later]
    return each_once([*(act for stream in at_points for act in acts[stream]), *kept])


async def with_kinds(unit: Unit, acts: Sequence[ConsentEvent]) -> Sequence[ConsentEvent]:
    """The *acts* in the ledger of a person, each No about a contact point with the kind of that, which older stores did
    not keep with it."""
    lacking = {id for act in acts if lacks_kind(act, act.scope.point) and (id := point_of(act.ledger))}
    if not any(lacks_kind(act, act.scope.point) for act in acts):
        return acts
    records = await unit.get([unit.ref(CONTACT_POINT.tag, id) for id in sorted(lacking)], check=False)
    kinds: dict[str | None, PointKind] = {
        ref.id: kind
        for ref, record in records.items()
        if (kind := load_record(CONTACT_POINT, record).kind) in get_args(PointKind)
    }
    return [
        gone_along(act, kinds.get(point_of(act.ledger))) if lacks_kind(act, act.scope.point) else act
        for act in acts
    ]


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
    ledgers = await unit.ledgers([*await ledgers_at(unit, points), *map(party_stream, own)])
    found = {
        body["id"]: codec.load(body)
        for entries in ledgers.values()
        for _, body in entries
        if body.get("kind") in NOES and body.get("record") not in own
    }
    return tuple(found.values())


async def ledgers_at(unit: Unit, points: Iterable[tuple[str, str]]) -> list[str]:
    """The ledgers of these contact points, as far as anything was said about them."""
    hits = await unit.find([point_key(kind, normal) for kind, normal in points])
    return list(dict.fromkeys(point_stream(ref.id) for refs in hits.values() for ref in refs))


async def _acts_in(unit: Unit, streams: Iterable[str]) -> list[ConsentEvent]:
    return [act for acts in (await _acts_by_ledger(unit, streams)).values() for act in acts]


async def _acts_by_ledger(unit: Unit, streams: Iterable[str]) -> dict[str, list[ConsentEvent]]:
    codec = unit.codecs["consent.event"]
    ledgers = await unit.ledgers(list(dict.fromkeys(streams)))
    return {stream: [codec.load(body) for _, body in entries] for stream, entries in ledgers.items()}


async def _later(unit: Unit, stream: str, known_at: datetime) -> set[str]:
    """The ids of the acts that came into a ledger after an instant."""
    found: set[str] = set()
    after: dict[str, int] | None = None
    while True:
        page = (await unit.store.ledger(unit.tenant, [stream], after=after))[stream]
        found.update(one.body["id"] for one in page.items if one.recorded_at > known_at and one.body)
        if page.next is None:
            return found
        after = {stream: page.items[-1].seq}
