"""A customer as it was known at an instant: which records it had, and what each of them said.

Invariant: nothing that was recorded later is looked at: no change of a record, no merge, and nothing taken back. A
record that was not there yet is taken as it was first recorded. Of one that was erased since nothing is known any more,
not what it said then either.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crmcore.app.consent_members import as_known, judgements_around
from crmcore.app.customers import load_parties
from crmcore.app.resolve import Membership, Reference, parties_named, resolve
from crmcore.app.unit import Unit
from crmcore.errors import AmbiguousReference
from crmcore.identity.cluster import agglomerate
from crmcore.identity.customer import CAP, Cluster
from crmcore.identity.judgement import links_of
from crmcore.party.history import PartyEvent, replay
from crmcore.party.party import Party
from crmcore.party.party_keys import PARTY
from crmcore.storage.erasure import ERASED
from crmcore.values.ids import CustomerId, PartyId
from crmcore.values.instant import ensure_aware


async def customer_at(
    unit: Unit, ref: Reference, known_at: datetime | None
) -> tuple[Membership, list[Party]]:
    """The customer that *ref* means, and its records: as they are, or as they were known at an instant.

    An address, a number or a name leads to whoever has it by now.

    Raises:
        NotFound: if nothing answers to *ref*.
        AmbiguousReference: if it fits several customers, or did then.
        NaiveDatetime: if the instant has no zone.
    """
    customer = await resolve(unit, ref)
    if known_at is None:
        return customer, await load_parties(unit, customer.members)
    ensure_aware(known_at, "what was known")
    then = await _membership(unit, await parties_named(unit, ref), known_at)
    return then, [await _as_known(unit, party, known_at) for party in await load_parties(unit, then.members)]


async def _membership(unit: Unit, named: Sequence[PartyId], known_at: datetime) -> Membership:
    """The customer of the records that were named, by what had been judged."""
    judged = await judgements_around(unit, named)
    said = as_known({one.id: one for some in judged.values() for one in some}.values(), known_at)
    links, apart = links_of(said)
    nodes = {*named, *(end for one in said for end in one.pair)}
    groups = [
        group
        for group in agglomerate(nodes, links, apart, cap=CAP).groups
        if not set(named).isdisjoint(group)
    ]
    if len(groups) > 1:
        raise AmbiguousReference(
            f"the reference fitted {len(groups)} customers then: name one of their records by its id",
            candidates=tuple(CustomerId(group[0]) for group in groups),
        )
    id, members = CustomerId(groups[0][0]), groups[0]
    return Membership(
        id=id, members=members, cluster=Cluster(id=id, members=members) if len(members) > 1 else None
    )


async def _as_known(unit: Unit, party: Party, known_at: datetime) -> Party:
    events: list[PartyEvent] = []
    after: dict[str, int] | None = None
    stream = f"party:{party.id}"
    while True:
        page = (await unit.store.ledger(unit.tenant, [stream], after=after))[stream]
        for entry in page.items:
            if entry.schema == ERASED:
                continue
            if events and entry.recorded_at > known_at:
                return _replayed(party, events)
            tag, _, schema = entry.schema.partition("/")
            events.append(unit.codecs[tag].load(entry.body, int(schema)))
        if page.next is None:
            return _replayed(party, events)
        after = {stream: page.items[-1].seq}


def _replayed(party: Party, events: Sequence[PartyEvent]) -> Party:
    body: dict[str, Any] = {**replay(tuple(events)), "id": str(party.id), "version": party.version}
    found: Party = PARTY.load(body)
    return found
