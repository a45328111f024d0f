"""A customer as it was known at an instant: which records it had, and what each of them said.

Invariant: nothing that was recorded later is looked at: no change of a record, no merge, and nothing taken back. A
record that was not there yet is taken as it was first recorded. Of one that was erased since nothing is known any more,
not what it said then either.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from crmcore.app.consent_members import as_known, judgements_around
from crmcore.app.customers import load_parties
from crmcore.app.party_then import party_then
from crmcore.app.resolve import Membership, Reference, parties_named, resolve
from crmcore.app.unit import Unit
from crmcore.errors import AmbiguousReference, CrmError, InvalidConsent
from crmcore.identity.cluster import agglomerate
from crmcore.identity.customer import CAP, Cluster
from crmcore.identity.judgement import links_of
from crmcore.party.party import Party
from crmcore.values.ids import CustomerId, PartyId
from crmcore.values.instant import ensure_aware
from crmcore.values.source import Source


async def customer_at(
    unit: Unit, ref: Reference, known_at: datetime | None
) -> tuple[Membership, list[Party]]:
    """The customer that *ref* means, and its records: as they are, or as they were known at an instant.

    An address, a number or a name leads to whoever has it by now.

    Raises:
        NotFound: if nothing answers to *ref*.
        AmbiguousReference: if it fits several customers, or did then.
        InvalidConsent: if *ref* is neither a text nor a `Source`.
        NaiveDatetime: if the instant has no zone.
    """
    check_reference(ref)
    customer = await resolve(unit, ref)
    if known_at is None:
        return customer, await load_parties(unit, customer.members)
    ensure_aware(known_at, "what was known")
    then = await _membership(unit, await parties_named(unit, ref), known_at)
    return then, [await party_then(unit, party, known_at) for party in await load_parties(unit, then.members)]


def check_reference(ref: object, error: type[CrmError] = InvalidConsent) -> None:
    """Refuse what is no reference.

    Raises:
        InvalidConsent: or another *error*, if *ref* is neither a text nor a `Source`.
    """
    if not isinstance(ref, str | Source):
        raise error("a reference is a text or a Source")


async def members_then(unit: Unit, named: Sequence[PartyId], known_at: datetime) -> list[tuple[PartyId, ...]]:
    """The records of each customer that had any of those *named*, by what had been judged."""
    judged = await judgements_around(unit, named)
    said = as_known({one.id: one for some in judged.values() for one in some}.values(), known_at)
    links, apart = links_of(said)
    nodes = {*named, *(end for one in said for end in one.pair)}
    groups = agglomerate(nodes, links, apart, cap=CAP).groups
    return [group for group in groups if not set(named).isdisjoint(group)]


async def _membership(unit: Unit, named: Sequence[PartyId], known_at: datetime) -> Membership:
    """The customer of the records that were named, by what had been judged."""
    groups = await members_then(unit, named, known_at)
    if len(groups) > 1:
        raise AmbiguousReference(
            f"the reference fitted {len(groups)} customers then: name one of their records by its id",
            candidates=tuple(CustomerId(group[0]) for group in groups),
        )
    id, members = CustomerId(groups[0][0]), groups[0]
    return Membership(
        id=id, members=members, cluster=Cluster(id=id, members=members) if len(members) > 1 else None
    )
