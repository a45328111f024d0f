"""What every verb on identity shares: who is concerned, what stands, and writing what follows from it.

Invariant: clusters are recomputed from the live judgements of all parties concerned and written in the batch that
changes a judgement. A verb names the cluster that it found each party in, or that it found none; it guards the streams
of all customers concerned, and appends to one of them when it adds or retracts a judgement. All customers that
live SAME judgements lead to are concerned, so of two verbs between which the order matters, one is planned again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from crmcore.app.resolve import Membership, memberships
from crmcore.app.unit import Unit, load_record
from crmcore.errors import ClusterTooLarge
from crmcore.identity.customer import CAP, Cluster, Partition, customers, diff
from crmcore.identity.identity_events import CustomersMerged, CustomerSplit, JudgementMade, JudgementRetracted
from crmcore.identity.identity_keys import CLUSTER, DECISION, JUDGED, JUDGEMENT, cluster_keys, judgement_keys
from crmcore.identity.judgement import Judgement
from crmcore.storage.protocol import Key
from crmcore.values.ids import CustomerId, PartyId


@attrs.frozen(kw_only=True)
class Concerned:
    """The customers that a judgement can change, and every judgement between their parties."""

    customers: tuple[Membership, ...]
    judgements: tuple[Judgement, ...]

    @property
    def parties(self) -> tuple[PartyId, ...]:
        """All parties concerned."""
        return tuple(sorted(member for customer in self.customers for member in customer.members))


async def concerned(unit: Unit, parties: Iterable[PartyId]) -> Concerned:
    """Everybody whom a change at *parties* can reach: their customers, and those that a live SAME leads to."""
    found: dict[CustomerId, Membership] = {}
    judgements: dict[str, Judgement] = {}
    frontier = sorted(set(parties))
    most = len(frontier) + 10 * CAP
    while frontier:
        reached = await memberships(unit, frontier, check=True)
        new = {customer.id: customer for customer in reached.values() if customer.id not in found}
        # Guarded before the judgements are read: one that is made meanwhile makes the commit fail.
        await unit.guard(f"customer:{id}" for id in new)
        found.update(new)
        members = [member for customer in new.values() for member in customer.members]
        judged = await judgements_on(unit, members)
        judgements.update((judgement.id, judgement) for judgement in judged)
        known = {member for customer in found.values() for member in customer.members}
        if len(known) > most:
            raise ClusterTooLarge("too many records hang together here: mark some as different first")
        ends = {end for j in judged if j.live and j.verdict == "same" for end in (j.a, j.b)}
        frontier = sorted(ends - known)
    known = {member for customer in found.values() for member in customer.members}
    inside = (j for j in judgements.values() if j.a in known and j.b in known)
    return Concerned(
        customers=tuple(sorted(found.values(), key=lambda customer: customer.id)),
        judgements=tuple(sorted(inside, key=lambda judgement: judgement.id)),
    )


async def judgements_on(unit: Unit, parties: Sequence[PartyId]) -> tuple[Judgement, ...]:
    """All judgements that name one of these parties, taken back or not."""
    return await _judgements(unit, [Key(JUDGED, party) for party in parties])


async def _judgements(unit: Unit, keys: Sequence[Key]) -> tuple[Judgement, ...]:
    hits = await unit.find(keys)
    found: dict[Any, None] = {ref: None for refs in hits.values() for ref in refs}
    # Not checked one by one: whoever changes a judgement appends to a stream that those who decide by it guard.
    records = await unit.get(sorted(found), check=False)
    return tuple(load_record(JUDGEMENT, records[ref]) for ref in sorted(records))


async def decision_of(unit: Unit, judgement: Judgement) -> tuple[Judgement, ...]:
    """All judgements of the one decision that *judgement* belongs to, taken back or not."""
    if judgement.decision is None:
        return (judgement,)
    found = await _judgements(unit, [Key(DECISION, judgement.decision)])
    return found or (judgement,)  # written before decisions had a key


async def conflicts_of(unit: Unit, customer: Membership) -> tuple[str, ...]:
    """The contradictions between people's judgements on a customer's parties, in words."""
    if customer.cluster is None and not any(
        judgement.live and judgement.verdict == "same"
        for judgement in await judgements_on(unit, customer.members)
    ):
        return ()
    around = await concerned(unit, customer.members)
    partition = customers(around.parties, around.judgements)
    own = set(customer.members)
    return tuple(
        "people said both that records are the same and that they are different: retract one of "
        + ", ".join(conflict.judgements)
        for conflict in partition.conflicts
        if {conflict.link.a, conflict.link.b} & own
    )


async def put_judgement(unit: Unit, judgement: Judgement, *, expect: int) -> None:
    """Write a judgement."""
    await unit.put(JUDGEMENT, judgement.id, judgement, expect=expect, keys=judgement_keys(judgement))


async def settle(
    unit: Unit,
    around: Concerned,
    judgements: Sequence[Judgement],
    event: JudgementMade | JudgementRetracted | None,
) -> Partition:
    """Write the clusters that follow from *judgements*, with *event* and what happened to customers."""
    partition = customers(around.parties, judgements)
    before = [customer.cluster for customer in around.customers if customer.cluster is not None]
    changes = diff(before, partition, judgements)
    versions = {customer.id: customer.version for customer in around.customers}
    for cluster in changes.delete:
        await remove_cluster(unit, cluster, version=versions[cluster.id])
    for cluster in changes.put:
        await put_cluster(unit, cluster, expect=versions.get(cluster.id, 0))
    if event is not None:
        unit.event(f"customer:{around.customers[0].id}", event, subjects=(event.a, event.b))
    for change in changes.events:
        stream = f"customer:{change.into if isinstance(change, CustomersMerged) else change.from_}"
        unit.event(stream, change, subjects=_ends(change))
    return partition


def _ends(change: CustomersMerged | CustomerSplit) -> tuple[str, ...]:
    """The customers concerned, by their first parties: naming all members would cost as much as a customer is large."""
    if isinstance(change, CustomersMerged):
        return (change.into, *change.from_)
    return (change.from_, *(into for into in change.into if into != change.from_))


async def put_cluster(unit: Unit, cluster: Cluster, *, expect: int) -> None:
    """Write a cluster with the keys of its members."""
    await unit.put(CLUSTER, cluster.id, cluster, expect=expect, keys=cluster_keys(cluster))


async def remove_cluster(unit: Unit, cluster: Cluster, *, version: int) -> None:
    """Delete a cluster, after its satellites."""
    ref = unit.ref(CLUSTER.tag, cluster.id)
    record = (await unit.get([ref])).get(ref)
    if record is not None:
        await unit.rekey(record, keys=frozenset(), sorts=frozenset())
    unit.delete(CLUSTER.tag, cluster.id, expect=version)
