"""What every verb on identity shares: who is concerned, what stands, and writing what follows from it.

Invariant: clusters are recomputed from the live judgements of all parties concerned and written in the batch that
changes a judgement. A verb names the cluster that it found each party in, or that it found none; it guards the streams
of all customers concerned, and appends to one of them when it adds or retracts a judgement. All customers that
live SAME judgements lead to are concerned, so of two verbs between which the order matters, one is planned again.
What waits for a person is put in order in the same batch: nothing that waits is missing there; what somebody settled
by way of a customer that was not concerned may stand there still, and readers pass it over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from crmcore.app.resolve import Membership, memberships
from crmcore.app.unit import Unit, load_record
from crmcore.errors import ClusterTooLarge, DecidedDifferent, InvalidJudgement
from crmcore.identity.customer import CAP, Cluster, Partition, customers, diff
from crmcore.identity.identity_events import (
    CustomersMerged,
    CustomerSplit,
    JudgementMade,
    JudgementRetracted,
    Verdict,
)
from crmcore.identity.identity_keys import (
    CLUSTER,
    DECISION,
    JUDGED,
    JUDGEMENT,
    cluster_keys,
    judgement_keys,
    review_sorts,
)
from crmcore.identity.judgement import Judgement, judge
from crmcore.identity.review_queue import Place, place_of, waiting
from crmcore.storage.protocol import Key, Record
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.ids import CustomerId, JudgementId, PartyId
from crmcore.values.source import Actor


@attrs.frozen(kw_only=True)
class Concerned:
    """The customers that a judgement can change, and every judgement between their parties.

    *outward* are a model's doubts about one of them and somebody else; *records* are all of these as they are stored.
    """

    customers: tuple[Membership, ...]
    judgements: tuple[Judgement, ...]
    outward: tuple[Judgement, ...] = ()
    records: Mapping[JudgementId, Record] = attrs.field(default=FrozenMap(), repr=False)

    @property
    def parties(self) -> tuple[PartyId, ...]:
        """All parties concerned."""
        return tuple(sorted(member for customer in self.customers for member in customer.members))


async def concerned(unit: Unit, parties: Iterable[PartyId]) -> Concerned:
    """Everybody whom a change at *parties* can reach: their customers, and those that a live SAME leads to."""
    found: dict[CustomerId, Membership] = {}
    judgements: dict[str, Judgement] = {}
    records: dict[JudgementId, Record] = {}
    frontier = sorted(set(parties))
    most = len(frontier) + 10 * CAP
    while frontier:
        reached = await memberships(unit, frontier, check=True)
        new = {customer.id: customer for customer in reached.values() if customer.id not in found}
        # Guarded before the judgements are read: one that is made meanwhile makes the commit fail.
        await unit.guard(f"customer:{id}" for id in new)
        found.update(new)
        members = [member for customer in new.values() for member in customer.members]
        stored = await _stored(unit, [Key(JUDGED, party) for party in members])
        records.update((JudgementId(record.ref.id), record) for record in stored)
        judged = [load_record(JUDGEMENT, record) for record in stored]
        judgements.update((judgement.id, judgement) for judgement in judged)
        known = {member for customer in found.values() for member in customer.members}
        if len(known) > most:
            raise ClusterTooLarge("too many records hang together here: mark some as different first")
        ends = {end for j in judged if j.live and j.verdict == "same" for end in (j.a, j.b)}
        frontier = sorted(ends - known)
    known = {member for customer in found.values() for member in customer.members}
    ordered = [judgements[id] for id in sorted(judgements)]
    inside = tuple(j for j in ordered if j.a in known and j.b in known)
    return Concerned(
        customers=tuple(sorted(found.values(), key=lambda customer: customer.id)),
        judgements=inside,
        outward=tuple(j for j in ordered if place_of(j) == "pair" and not (j.a in known and j.b in known)),
        records=records,
    )


async def judgements_on(unit: Unit, parties: Sequence[PartyId]) -> tuple[Judgement, ...]:
    """All judgements that name one of these parties, taken back or not."""
    return await _judgements(unit, [Key(JUDGED, party) for party in parties])


async def _judgements(unit: Unit, keys: Sequence[Key]) -> tuple[Judgement, ...]:
    return tuple(load_record(JUDGEMENT, record) for record in await _stored(unit, keys))


async def _stored(unit: Unit, keys: Sequence[Key]) -> list[Record]:
    hits = await unit.find(keys)
    found: dict[Any, None] = {ref: None for refs in hits.values() for ref in refs}
    # Not checked one by one: whoever changes a judgement appends to a stream that those who decide by it guard.
    records = await unit.get(sorted(found), check=False)
    return [records[ref] for ref in sorted(records)]


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
    """Write a judgement. Where it waits for a person is found by `settle`, or as if nothing else were known."""
    sorts = review_sorts(judgement, place_of(judgement))
    await unit.put(
        JUDGEMENT, judgement.id, judgement, expect=expect, keys=judgement_keys(judgement), sorts=sorts
    )


Said = tuple[Verdict, tuple[PartyId, PartyId]]
"""A verdict on two parties."""


async def say(
    unit: Unit, around: Concerned, said: Iterable[Said], reason: str | None, *, actor: Actor | None = None
) -> tuple[tuple[Judgement, ...], Partition]:
    """Write what *actor*, or else the unit's, says at once, and what follows; who is concerned is *around*."""
    actor = actor or unit.actor  # in a batch somebody else may write than who decided
    made: list[Judgement] = []
    for verdict, (a, b) in said:
        judgement = judge(
            id=unit.ids.new(JudgementId, near=min(a, b)),
            a=a,
            b=b,
            verdict=verdict,
            actor=actor,
            recorded_at=unit.now,
            reason=reason if reason is not None else unit.reason,
        )
        made.append(attrs.evolve(judgement, version=1))
        await put_judgement(unit, made[-1], expect=0)
    events = [
        JudgementMade(judgement=j.id, a=j.a, b=j.b, verdict=j.verdict, actor=actor, reason=j.reason)
        for j in made
    ]
    return tuple(made), await settle(unit, around, [*around.judgements, *made], *events)


async def settle(
    unit: Unit,
    around: Concerned,
    judgements: Sequence[Judgement],
    *events: JudgementMade | JudgementRetracted,
) -> Partition:
    """Write the clusters that follow from *judgements*, with *events* and what happened to customers."""
    partition = customers(around.parties, judgements)
    before = [customer.cluster for customer in around.customers if customer.cluster is not None]
    changes = diff(before, partition, judgements)
    versions = {customer.id: customer.version for customer in around.customers}
    for cluster in changes.delete:
        await remove_cluster(unit, cluster, version=versions[cluster.id])
    for cluster in changes.put:
        await put_cluster(unit, cluster, expect=versions.get(cluster.id, 0))
    for event in events:
        unit.event(f"customer:{around.customers[0].id}", event, subjects=(event.a, event.b))
    await queue(unit, around, judgements, partition)
    if any(isinstance(change, CustomerSplit) for change in changes.events):
        # What a part was settled by may have gone with another part; whoever reads looks again.
        await _requeue(unit, around, ((judgement, "pair") for judgement in around.outward))
    for change in changes.events:
        stream = f"customer:{change.into if isinstance(change, CustomersMerged) else change.from_}"
        unit.event(stream, change, subjects=_ends(change))
    return partition


def refuse_kinds(parties: Iterable[Any]) -> None:
    """Refuse to join two kinds of customer.

    Raises:
        InvalidJudgement: if these are such; somebody anonymous may turn out to be of any kind.
    """
    kinds = {party.kind for party in parties} - {"anonymous"}
    if len(kinds) > 1:
        raise InvalidJudgement(
            f"these are {' and '.join(sorted(kinds))}, two kinds of customer: relate them instead"
        )


def refuse_decided(around: Concerned, a: PartyId, b: PartyId) -> None:
    """Refuse to join what a person keeps apart.

    Raises:
        DecidedDifferent: if a person said so of the two, or of their customers.
    """
    sides = {member: customer.id for customer in around.customers for member in customer.members}
    for judgement in around.judgements:
        if judgement.live and judgement.human and judgement.verdict == "different":
            ends = {sides[judgement.a], sides[judgement.b]}
            if ends == {sides[a], sides[b]} or {judgement.a, judgement.b} == {a, b}:
                raise DecidedDifferent(
                    "a person said that these are different customers: retract that judgement first",
                    judgement=judgement.id,
                )


async def queue(unit: Unit, around: Concerned, judgements: Sequence[Judgement], partition: Partition) -> None:
    """Put those of *judgements* in order that wait for a person, and the others out of it.

    What is said of a party that is not concerned stays where it is.
    """
    places = waiting(judgements, partition)
    await _requeue(
        unit, around, ((j, places.get(j.id)) for j in judgements if not j.human and _within(j, partition))
    )


async def pass_over(unit: Unit, around: Concerned, partition: Partition) -> None:
    """Put doubts about somebody who is not concerned out of the order, where a person has settled them by way of other
    records of the two customers."""
    # As they are by now: a customer that was split has put them in order again.
    records = await unit.get([unit.ref(JUDGEMENT.tag, j.id) for j in around.outward], check=False)
    waits = [
        (j, record)
        for j in around.outward
        if (record := records.get(unit.ref(JUDGEMENT.tag, j.id))) and record.sorts
    ]
    outside = sorted({end for j, _ in waits for end in j.pair if end not in partition})
    if not outside:
        return
    known = await memberships(unit, outside, check=True)
    # Guarded before it is read what people said: who takes that back puts the doubt in order again.
    await unit.guard(f"customer:{id}" for id in sorted({customer.id for customer in known.values()}))
    where = {member: customer.id for customer in known.values() for member in customer.members}

    def two(pair: tuple[PartyId, PartyId]) -> frozenset[CustomerId | None]:
        return frozenset(partition.of(end) if end in partition else where.get(end) for end in pair)

    said = await judgements_on(unit, around.parties)
    settled = {two(j.pair) for j in said if j.live and j.human}
    for judgement, record in waits:
        if two(judgement.pair) in settled:
            await unit.rekey(record, keys=record.keys, sorts=frozenset())


def _within(judgement: Judgement, partition: Partition) -> bool:
    return judgement.a in partition and judgement.b in partition


async def _requeue(unit: Unit, around: Concerned, places: Iterable[tuple[Judgement, Place | None]]) -> None:
    places = list(places)
    unknown = [unit.ref(JUDGEMENT.tag, j.id) for j, _ in places if j.id not in around.records]
    fresh = await unit.get(unknown, check=False)
    records = {**around.records, **{JudgementId(ref.id): record for ref, record in fresh.items()}}
    for judgement, place in places:
        record, sorts = records.get(judgement.id), review_sorts(judgement, place)
        if record is not None and record.sorts != sorts:
            await unit.rekey(record, keys=record.keys, sorts=sorts)


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
