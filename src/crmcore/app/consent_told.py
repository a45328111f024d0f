"""Of whom an act is that was told: a Yes of one customer, a No by an address of each who has it.

Invariant: no No is lost because several have the address by which it was told, and no Yes is taken for that of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crmcore.app.consent_then import check_reference
from crmcore.app.customers import load_parties
from crmcore.app.point_meant import Said, points_named, said_about
from crmcore.app.resolve import Membership, Reference, resolve, search
from crmcore.app.unit import Unit
from crmcore.consent.event import Scope
from crmcore.consent.known import points_of
from crmcore.consent.words import NOES, ActKind
from crmcore.errors import AmbiguousReference, InvalidConsent
from crmcore.party.party import Party

EACH = 20
"""So many customers each have an act of their own of a No at one address; it speaks to whoever else has that, too."""


class Teller(NamedTuple):
    """A customer with its records, who told something *about* a contact point or the person."""

    customer: Membership
    parties: Sequence[Party]
    about: Said

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
    found = [(one, await load_parties(unit, one.members)) for one in await search(unit, ref)]
    by_address = all(any(points_named(ref, points_of(party)) for party in parties) for _, parties in found)
    if not found or (len(found) > 1 and not by_address):
        await resolve(unit, ref)
    if len(found) > 1 and kind not in NOES:
        raise AmbiguousReference(
            f"{len(found)} customers have this address, and a {kind} is what one of them did: name that one by an id, "
            "or merge them if they are one and the same",
            candidates=tuple(customer.id for customer, _ in found),
        )
    told, refused = list[Teller](), list[InvalidConsent]()
    for customer, parties in found:
        try:
            told.append(Teller(customer, parties, said_about(kind, ref, point, scope.channels, parties)))
        except InvalidConsent as error:  # whoever has not the point that is named is not meant
            refused.append(error)
    if not told:
        raise refused[0]
    at_points = len(told) > EACH and all(one.about.point is not None for one in told)
    return told[:EACH] if at_points else told
