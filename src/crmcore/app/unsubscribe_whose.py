"""Whom a link for unsubscribing is for: when it is made, and by the time that it is pressed.

Invariant: a link is for the records that had the contact point when it was made, and for none that never had it. What a
link has no room to name is found by what was known then.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import cast

import attrs

from crmcore.app.consent_then import members_then
from crmcore.app.customers import load_parties
from crmcore.app.party_then import party_then
from crmcore.app.resolve import Membership, Reference, memberships, parties_named
from crmcore.app.unit import Unit, load_record
from crmcore.consent.known import points_of
from crmcore.consent.ledger import POINT, point_stream
from crmcore.consent.unsubscribe import More, Ticket
from crmcore.consent.words import PointKind
from crmcore.party.contact_point import ContactPoint
from crmcore.party.party import Party
from crmcore.party.party_keys import EMAIL, PARTY, PHONE, key
from crmcore.values.ids import PartyId

NAMESPACES = {"email": EMAIL, "phone": PHONE}
"""Contact points that can be left with a link, and by which keys the records that have them are found."""

RECORDS = 8
"""A link names so many records that it is for: it must fit into the header of a message."""

_BESIDE = 10
"""So many operations at most does a press need beside a check of each record, one of its ledger and its act."""

_SECOND = timedelta(microseconds=999_999)
"""A link tells in whole seconds when it was made: what was so at either end of that one counts."""


@attrs.frozen
class Meant:
    """The records that a link names, those *beside* them, and of which there are *more*."""

    records: tuple[str, ...]
    beside: tuple[str, ...]
    more: More | None


async def meant_by(
    unit: Unit, ref: Reference, customer: Membership, parties: list[Party], contact: ContactPoint
) -> Meant:
    """Of the records with the contact point those that *ref* names, which are all if it names none, and the others."""
    owners = [str(one.id) for one in parties if (contact.kind, contact.key) in points_of(one)]
    # The id of the customer is that of its first record, and stands for all of them.
    whole = isinstance(ref, str) and ref == customer.id
    named = () if whole else await parties_named(unit, ref)
    records = [id for id in owners if id in named] or owners
    beside = [id for id in owners if id not in records]
    room = max(0, RECORDS - len(records))
    more: More | None = "records" if len(records) > RECORDS else "beside" if len(beside) > room else None
    return Meant(tuple(records[:RECORDS]), tuple(beside[:room]), more)


@attrs.frozen
class LedgerMeant:
    """The ledger of the contact point of a link: its stream, its kind and normal form, the records that have it."""

    stream: str
    kind: PointKind
    normal: str
    holders: tuple[str, ...]


async def whose_now(unit: Unit, ticket: Ticket) -> tuple[tuple[str, ...], LedgerMeant | None]:
    """The records that the link is for by now, and where the act is recorded; None if that ledger is gone.

    Whoever it is for has the address until the commit, or gave it up before.
    """
    ledger = await _ledger(unit, ticket)
    meant = await _meant(unit, ticket, ledger)
    if ledger is None:
        return meant, None
    gone = await _given_up(unit, meant, ledger)
    return meant, attrs.evolve(ledger, holders=tuple(id for id in ledger.holders if id not in gone))


async def _ledger(unit: Unit, ticket: Ticket) -> LedgerMeant | None:
    if ticket.point is None:
        return None
    ref = unit.ref("contact_point", ticket.point)
    record = (await unit.get([ref])).get(ref)
    for found in () if record is None else record.keys:
        kind, _, normal = found.value.partition(":")
        if found.namespace == POINT and kind in NAMESPACES:
            wanted = key(NAMESPACES[kind], normal)
            refs = (await unit.find([wanted]))[wanted]
            holders = tuple(sorted(ref.id for ref in refs if ref.kind == PARTY.tag))
            return LedgerMeant(point_stream(ticket.point), cast("PointKind", kind), normal, holders)
    return None


async def _meant(unit: Unit, ticket: Ticket, ledger: LedgerMeant | None) -> tuple[str, ...]:
    """The records that the link is for, with those beside that are of one customer with them."""
    more = () if ledger is None or ticket.more is None else await _more(unit, ticket, ledger)
    records = (*ticket.records, *(more if ticket.more == "records" else ()))
    beside = (*ticket.beside, *(more if ticket.more == "beside" else ()))
    if not beside:
        return records
    found = await memberships(unit, map(PartyId, (*records, *beside)), check=True)
    own = {found[PartyId(id)].id for id in records}
    return (*records, *(id for id in beside if found[PartyId(id)].id in own))


async def _more(unit: Unit, ticket: Ticket, ledger: LedgerMeant) -> list[str]:
    """Records that the link has no room to name: those that were of one customer with the ones that it names, and had
    the contact point, when it was made. As many as one batch can hold the acts of."""
    point = ledger.kind, ledger.normal
    then = ticket.issued_at, ticket.issued_at + _SECOND
    named = (*ticket.records, *ticket.beside)
    there = [party.id for party in await load_parties(unit, map(PartyId, named))]
    groups = [group for at in then for group in await members_then(unit, there, at)]
    joined = await load_parties(unit, sorted({id for group in groups for id in group} - set(named)))
    found = [
        str(party.id)
        for party in joined
        if any([point in points_of(await party_then(unit, party, at)) for at in then])
    ]
    room = (unit.store.describe().limits.max_ops - _BESIDE - len(ledger.holders)) // 3 - len(named)
    # Whoever has it still is met by what is said at the address, and comes last.
    return sorted(found, key=lambda id: (id in ledger.holders, id))[: max(0, room)]


async def _given_up(unit: Unit, meant: Collection[str], ledger: LedgerMeant) -> frozenset[str]:
    """Those of the holders that have the address no more: of a link that does not say whom it is for each of them may
    be meant, as far as one batch can check them all."""
    asked = [id for id in ledger.holders if not meant or id in meant]
    check = bool(meant) or 2 * len(asked) + _BESIDE <= unit.store.describe().limits.max_ops
    records = await unit.get([unit.ref(PARTY.tag, id) for id in asked], check=check)
    point = ledger.kind, ledger.normal
    having = {ref.id for ref, one in records.items() if point in points_of(load_record(PARTY, one))}
    return frozenset(asked) - having
