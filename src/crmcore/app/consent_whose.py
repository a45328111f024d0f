"""Reading the acts that count for a customer, and what a new Yes of theirs takes back.

Invariant: the records of others are looked up only where an act was recorded under them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from crmcore.app.consent_ledgers import others_noes, said_in
from crmcore.app.party_then import party_then
from crmcore.app.unit import Unit, load_record
from crmcore.consent.case import BEGINNING
from crmcore.consent.event import ConsentEvent
from crmcore.consent.known import points_of
from crmcore.consent.whose import TAKES_BACK, Having, counting, in_doubt, of_others, points_in, telling
from crmcore.consent.words import NOES
from crmcore.party.party import Party
from crmcore.party.party_keys import PARTY
from crmcore.values.ids import PartyId


async def acts_of(
    unit: Unit,
    parties: Sequence[Party],
    joined: Mapping[PartyId, datetime] | None = None,
    known_at: datetime | None = None,
) -> list[tuple[ConsentEvent, ...]]:
    """Of each record of a customer the acts about its contact points that count for it, and those about its person.

    *joined* tells since when each record is one of them; None: they always were, and it is what they are told of. With
    *known_at* it is by what was known then of who had a contact point.
    """
    said = [await said_in(unit, party, known_at) for party in parties]
    since = {str(id): when for id, when in (joined or {}).items()}
    own = {
        str(party.id): since.get(str(party.id), BEGINNING if joined is None else unit.now)
        for party in parties
    }
    pairs = list(zip(parties, said, strict=True))
    if not any(in_doubt(act, str(party.id)) for party, acts in pairs for act in acts):
        return [tuple(acts) for acts in said]
    points = _points(parties)
    records = {act.record for acts in said for act in acts}
    points.update(await points_elsewhere(unit, records - own.keys(), known_at))
    noes = [act for acts in said for act in acts if act.kind in NOES]
    counted = [counting(acts, str(party.id), own, points, noes) for party, acts in pairs]
    return counted if joined is not None else [telling(acts) for acts in counted]


async def taken_back(unit: Unit, kind: str, about: str | None, parties: Sequence[Party]) -> tuple[str, ...]:
    """The Noes of others that a Yes of the customer with these records takes back, by their ids.

    *about* is the contact point that it is about; None: it is about the person.
    """
    if kind not in TAKES_BACK:
        return ()
    own = _points(parties)
    having = points_in(own)
    others = await others_noes(unit, parties)
    acts = [act for act in others if about in (None, act.scope.point) or act.scope.point not in having]
    points = await points_elsewhere(unit, {act.record for act in acts})
    taken = {act.id for act in of_others(acts, own, points)}
    return tuple(sorted(taken | {act.id for act in others if _came_along(act, about)}))


def _came_along(no: ConsentEvent, about: str | None) -> bool:
    """Whether a No of others came along to that point: it speaks there also when that where it was said is back."""
    return no.scope.given_up is not None and not no.alone and about not in (None, no.scope.point)


async def points_elsewhere(
    unit: Unit, records: Collection[str | None], known_at: datetime | None = None
) -> dict[str, Having]:
    """What contact points each of *records* has; nothing of one that is not there."""
    refs = [unit.ref(PARTY.tag, PartyId(record)) for record in sorted(filter(None, records))]
    found = (await unit.get(refs, check=False)).values() if refs else ()
    parties: list[Party] = [load_record(PARTY, one) for one in found]
    if known_at is not None:
        parties = [await party_then(unit, party, known_at) for party in parties]
    return _points(parties)


def _points(parties: Iterable[Party]) -> dict[str, Having]:
    return {
        str(party.id): Having(
            frozenset(normal for _, normal in points_of(party)), stands=party.standing == "active"
        )
        for party in parties
    }
