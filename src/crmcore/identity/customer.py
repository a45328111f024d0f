"""The customers that follow from judgements: which parties are one, under which id, and what a change of that means.

Invariant: a customer's id is that of the party recorded first among its members, so it is minted once, and every id
that a customer ever had is the id of a party and leads to the customer that now has that party.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

import attrs

from crmcore.errors import ClusterTooLarge, InvalidJudgement, NotFound
from crmcore.identity.cluster import Conflict, Link, agglomerate
from crmcore.identity.identity_events import CustomerEvent, CustomersMerged, CustomerSplit
from crmcore.identity.judgement import Judgement, Pair, links_of, standing
from crmcore.values.ids import CustomerId, JudgementId, PartyId
from crmcore.values.personal import Document

CAP = 1000
"""Parties that one customer may have: splitting a customer costs as much as it is large."""


@attrs.frozen(kw_only=True)
class Contradiction:
    """People's SAMEs lead from one party of *apart* to the other, and people said DIFFERENT of the two.

    The SAME of *link* is not heeded meanwhile. What was said of one of the pairs has to be taken back; *judgements* are
    all that say it.
    """

    link: Link[PartyId]
    apart: Pair
    judgements: tuple[JudgementId, ...]


@attrs.frozen(kw_only=True)
class Partition:
    """All parties, each in one of *groups*; *used* are the links that joined them, *conflicts* for people to settle."""

    groups: tuple[tuple[PartyId, ...], ...]
    used: tuple[Link[PartyId], ...] = ()
    conflicts: tuple[Contradiction, ...] = ()

    @cached_property
    def _customers(self) -> Mapping[str, CustomerId]:
        return {member: CustomerId(group[0]) for group in self.groups for member in group}

    def __contains__(self, party: object) -> bool:
        """Whether some group has this party."""
        return party in self._customers

    def of(self, party: PartyId | CustomerId) -> CustomerId:
        """The customer that a party belongs to, or that a former customer id leads to.

        Raises:
            NotFound: if no group has it.
        """
        customer = self._customers.get(party)
        if customer is None:
            raise NotFound("no group has this party: give its id to customers(...) with the others")
        return customer


def customers(parties: Iterable[PartyId], judgements: Iterable[Judgement]) -> Partition:
    """The customers among *parties*. Judgements that name other parties are left out.

    Raises:
        ClusterTooLarge: if people's judgements alone join more than `CAP` parties.

    >>> from datetime import UTC, datetime
    >>> from crmcore.identity.judgement import judge
    >>> from crmcore.values.ids import Ids
    >>> from crmcore.values.source import Actor
    >>> ids = Ids(lambda: 1_750_000_000_000, lambda bits: 0)
    >>> ann, ben, anna = [ids.new(PartyId) for _ in range(3)]
    >>> me, now = Actor(kind="person", id="me"), datetime(2026, 11, 22, tzinfo=UTC)
    >>> same = judge(id=ids.new(JudgementId), a=ann, b=anna, verdict="same", actor=me, recorded_at=now)
    >>> customers([ann, ben, anna], [same]).of(anna) == ann
    True
    """
    nodes = set(parties)
    inside = [j for j in judgements if j.live and j.a in nodes and j.b in nodes]
    links, apart = links_of(inside)
    grouping = agglomerate(nodes, links, apart, cap=CAP)
    if any(len(group) > CAP for group in grouping.groups):
        raise ClusterTooLarge(
            f"a customer has {CAP} records at most: take back a judgement that joins too many"
        )
    return Partition(
        groups=grouping.groups,
        used=grouping.used,
        conflicts=_contradictions(grouping.conflicts, grouping.used, inside) if grouping.conflicts else (),
    )


def _contradictions(
    conflicts: Iterable[Conflict[PartyId]], used: Iterable[Link[PartyId]], judgements: Iterable[Judgement]
) -> tuple[Contradiction, ...]:
    said: dict[Pair, list[JudgementId]] = {}
    for judgement in judgements:
        if judgement.human and judgement.verdict != "unsure":
            said.setdefault(judgement.pair, []).append(judgement.id)
    near: dict[PartyId, list[PartyId]] = {}
    for link in used:
        near.setdefault(link.a, []).append(link.b)
        near.setdefault(link.b, []).append(link.a)
    found: list[Contradiction] = []
    for conflict in conflicts:
        a, b = conflict.link.a, conflict.link.b
        pairs = [(a, b), conflict.apart, *_path(near, a, conflict.apart), *_path(near, b, conflict.apart)]
        ids = {id for pair in pairs for id in said[pair]}
        found.append(Contradiction(link=conflict.link, apart=conflict.apart, judgements=tuple(sorted(ids))))
    return tuple(found)


def _path(near: Mapping[PartyId, list[PartyId]], start: PartyId, goals: Pair) -> list[Pair]:
    """The pairs that lead from *start* to the one of *goals* that it hangs together with.

    Links that were used are a forest, so there is one way; it is people's, whose links were used before all others.
    """
    came: dict[PartyId, PartyId | None] = {start: None}
    frontier = [start]
    while frontier:
        at = frontier.pop()
        if at in goals:
            steps: list[Pair] = []
            while (before := came[at]) is not None:
                steps.append((min(at, before), max(at, before)))
                at = before
            return steps
        fresh = [party for party in near.get(at, ()) if party not in came]
        came.update(dict.fromkeys(fresh, at))
        frontier += fresh
    return []


@attrs.frozen(kw_only=True)
class Cluster(Document):
    """A customer of two or more parties, as stored: derived from *judgements*, the live ones among its members.

    It holds no values of its own and can be computed again.
    """

    id: CustomerId
    version: int = 0
    members: tuple[PartyId, ...]
    judgements: tuple[JudgementId, ...] = ()

    def __attrs_post_init__(self) -> None:
        if (
            len(self.members) < 2
            or self.id != CustomerId(self.members[0])
            or list(self.members) != sorted(set(self.members))
        ):
            raise InvalidJudgement("a cluster has two or more parties in order and the id of the first")


@attrs.frozen(kw_only=True)
class ClusterChanges:
    """The clusters to write and to delete, and what that means for customers."""

    put: tuple[Cluster, ...] = ()
    delete: tuple[Cluster, ...] = ()
    events: tuple[CustomerEvent, ...] = ()


def diff(before: Iterable[Cluster], after: Partition, judgements: Iterable[Judgement]) -> ClusterChanges:
    """What turns the stored clusters *before* into those of *after*, which follows from *judgements*.

    *before* are all clusters that have a party of *after*; parties in none of them were customers by themselves.

    Raises:
        InvalidJudgement: if a cluster has a party that *after* does not have.
    """
    old = {cluster.id: cluster for cluster in before}
    if any(member not in after._customers for cluster in old.values() for member in cluster.members):
        raise InvalidJudgement(
            "a stored cluster has a party that was not grouped again: group all its parties"
        )
    live = [j for j in judgements if j.live and j.a in after._customers and j.b in after._customers]
    inside: dict[CustomerId, list[JudgementId]] = {}
    for judgement in live:
        if after.of(judgement.a) == after.of(judgement.b):
            inside.setdefault(after.of(judgement.a), []).append(judgement.id)
    new: dict[CustomerId, Cluster] = {}
    for group in after.groups:
        if len(group) > 1:
            id = CustomerId(group[0])
            new[id] = _renewed(old.get(id), id, group, tuple(sorted(inside.get(id, ()))))
    return ClusterChanges(
        put=tuple(cluster for id, cluster in new.items() if cluster != old.get(id)),
        delete=tuple(old[id] for id in sorted(old) if id not in new),
        events=_events(old.values(), after, live),
    )


def _renewed(
    old: Cluster | None, id: CustomerId, members: tuple[PartyId, ...], judgements: tuple[JudgementId, ...]
) -> Cluster:
    if old is not None:
        return attrs.evolve(old, members=members, judgements=judgements)
    return Cluster(id=id, members=members, judgements=judgements)


def _events(
    before: Iterable[Cluster], after: Partition, live: Iterable[Judgement]
) -> tuple[CustomerEvent, ...]:
    was = {member: cluster.id for cluster in before for member in cluster.members}
    went: dict[CustomerId, set[CustomerId]] = {}
    for party, now in after._customers.items():
        went.setdefault(was.get(PartyId(party), CustomerId(party)), set()).add(now)
    came: dict[CustomerId, list[CustomerId]] = {}
    for former in sorted(went):
        if after.of(former) != former:
            came.setdefault(after.of(former), []).append(former)
    counting = standing(live) if came else {}
    causes: dict[CustomerId, list[JudgementId]] = {}
    for link in after.used:
        if was.get(link.a, link.a) != was.get(link.b, link.b) and (link.a, link.b) in counting:
            causes.setdefault(after.of(link.a), []).append(counting[link.a, link.b].id)
    split = [
        CustomerSplit(from_=former, into=tuple(sorted(into)))
        for former, into in sorted(went.items())
        if len(into) > 1
    ]
    merged = [
        CustomersMerged(into=into, from_=tuple(formers), judgements=tuple(sorted(causes.get(into, ()))))
        for into, formers in sorted(came.items())
    ]
    return (*split, *merged)
