"""Of whom an act is that was told: a Yes of one customer, a No by an address of each who has it.

Invariant: no No by ways that reach an address is lost because several have it, and no Yes is taken for that of another.
Of very many who share one, the first alone have a No of their own (see `EACH`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import attrs

from crmcore.app.consent_then import check_reference
from crmcore.app.customers import load_parties
from crmcore.app.point_meant import Said, points_named, said_about
from crmcore.app.resolve import Membership, Reference, resolve, search, search_retracted
from crmcore.app.unit import Unit
from crmcore.consent.event import Scope
from crmcore.consent.known import points_of
from crmcore.consent.reach import kinds_reached
from crmcore.consent.words import NOES, ActKind, Channel
from crmcore.errors import AmbiguousReference, InvalidConsent
from crmcore.party.party import Party
from crmcore.values.ids import PartyId

EACH = 20
"""So many customers, the first by their ids, each have an act of their own of a No that was told by one address.

Whoever else has the address hears it there, by the channels that reach it, as a No of others: it holds for them until
each of those first has taken it back by a Yes of their own, also if they said nothing themselves; it is theirs to take
back only when nobody who said it has the address any more. Who gives the address up takes it along as far as it holds
then. By ways that do not reach the address, such as a note in an app, they are told nothing: name them by an id.
"""


class Teller(NamedTuple):
    """A customer with its records, who told something *about* a contact point or the person, in its *scope*."""

    customer: Membership
    parties: Sequence[Party]
    about: Said
    scope: Scope

    def __repr__(self) -> str:
        return "Teller(<hidden>)"


async def tellers(
    unit: Unit, kind: ActKind, ref: Reference, point: str | None, scope: Scope
) -> Sequence[Teller]:
    """Whose act of this *kind* it is that was told by *ref* and about *point*: one customer's, or that of each who has
    the address where it is a No.

    Raises:
        NotFound: if nothing answers to *ref*.
        AmbiguousReference: if it fits several customers and is no address of each, or the act is no No.
        InvalidConsent: if *ref* is neither a text nor a `Source`, or as `said_about`.
    """
    check_reference(ref)
    customers = await search(unit, ref)
    if kind in NOES:  # a record that was taken back may be restored, with its No
        customers += tuple(one for one in await search_retracted(unit, ref) if one not in customers)
    # All of many are found by one thing, and have it; only of a point that is named each is asked who has that.
    found = await _with_parties(unit, customers if point is not None else customers[: EACH + 1])
    by_address = all(any(points_named(ref, points_of(party)) for party in parties) for _, parties in found)
    if not found or (len(found) > 1 and not by_address):
        await resolve(unit, ref)
    if len(found) > 1 and kind not in NOES:
        raise AmbiguousReference(
            f"{len(customers)} customers have this address, and a {kind} is what one of them did: name that one by an "
            "id, or merge them if they are one and the same",
            candidates=tuple(customer.id for customer in customers),
        )
    told, refused = list[Teller](), list[InvalidConsent]()
    for customer, parties in found:
        try:
            about = said_about(kind, ref, point, scope.channels, parties)
            told.append(Teller(customer, parties, about, scope))
        except InvalidConsent as error:  # whoever has not the point that is named is not meant
            refused.append(error)
    if not told:
        raise refused[0]
    if point is not None and any(one.about.point is None for one in told):
        return told
    return told if len(told) <= EACH else [*told[:EACH], *_heard_there(kind, ref, told)]


async def _with_parties(unit: Unit, customers: Sequence[Membership]) -> list[tuple[Membership, list[Party]]]:
    """These customers, each with its records."""
    wanted = dict.fromkeys(id for one in customers for id in one.members)
    known: dict[PartyId, Party] = {party.id: party for party in await load_parties(unit, wanted)}
    return [(one, [known[id] for id in one.members if id in known]) for one in customers]


def _heard_there(kind: ActKind, ref: Reference, told: Sequence[Teller]) -> list[Teller]:
    """What speaks to all who have the address: where each of the first told something about the person, the next tells
    it about the address, by the channels that reach it."""
    if any(one.about.point is not None for one in told[:EACH]):
        return []
    customer, parties, _, scope = told[EACH]
    own = {kind for party in parties for kind, _ in points_named(ref, points_of(party))}
    channels: set[Channel] = {one for one in scope.channels if own & kinds_reached(one)}
    if not channels:
        return []
    there = attrs.evolve(scope, channels=channels)
    return [Teller(customer, parties, said_about(kind, ref, None, channels, parties), there)]
