"""A customer's records as the members of a decision: what is known of each alone, and since when it is one of them.

Invariant: a record belongs to its customer since it has been with the first record of it without a break, so that what
was said while the two were apart, before a merge or between two, never takes back a No of the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import attrs

from crmcore.app.consent_whose import acts_of
from crmcore.app.judging import judgements_on
from crmcore.app.resolve import Membership, is_id
from crmcore.app.unit import Unit
from crmcore.consent.case import BEGINNING
from crmcore.consent.customer_decision import Member
from crmcore.consent.event import ConsentEvent
from crmcore.consent.facts import Facts
from crmcore.consent.known import facts_of_record
from crmcore.consent.reach import Reach, reach_of
from crmcore.errors import InvalidConsent
from crmcore.identity.cluster import agglomerate
from crmcore.identity.customer import CAP
from crmcore.identity.judgement import Judgement, links_of
from crmcore.party.party import Party
from crmcore.values.ids import PartyId

Told = Facts | Mapping[str, Facts]
"""What an app knows beside the ledgers: of the customer, or of each record, by its id."""


def told_by_id(told: Told | None) -> Told:
    """*told*, or that nothing is known.

    Raises:
        InvalidConsent: if something is told of what is no id, so that it would be of nobody, or it is no `Facts`.
    """
    if told is None:
        return Facts()
    if isinstance(told, Facts):
        return told
    if not isinstance(told, Mapping) or not all(isinstance(one, Facts) for one in told.values()):
        raise InvalidConsent("what is told is Facts(...), or such facts by the ids of records")
    if not all(isinstance(id, str) and is_id(id) for id in told):
        raise InvalidConsent(
            "facts are told of the customer, or of records by their ids: one of the keys is no id"
        )
    return told


def facts_told(told: Told, id: PartyId) -> Facts:
    """What was told of a record."""
    return told if isinstance(told, Facts) else told.get(str(id), Facts())


async def members_for(
    unit: Unit,
    customer: Membership,
    parties: Sequence[Party],
    told: Told,
    jurisdictions: Sequence[str],
    known_at: datetime | None = None,
) -> list[Member]:
    """The records of a customer, each with its own facts."""
    since = await belonging_of(unit, customer, known_at)
    members: list[Member] = []
    said = await acts_of(unit, parties, since, known_at)
    for party, events in zip(parties, said, strict=True):
        facts = facts_told(told, party.id)
        reach = reach_of(party)
        members.append(member(party.id, reach, facts, events, jurisdictions, since.get(party.id, unit.now)))
    return members


def member(
    id: PartyId,
    reach: Reach,
    told: Facts,
    events: tuple[ConsentEvent, ...],
    jurisdictions: Sequence[str],
    since: datetime,
) -> Member:
    """A record of a customer, with what is known of it alone."""
    return Member(
        record=str(id),
        points=frozenset([point.normal for point in reach.points]),
        facts=facts_of_record(reach, told, events),
        jurisdictions=tuple(dict.fromkeys((*jurisdictions, *reach.jurisdictions))),
        since=since,
    )


async def belonging_of(
    unit: Unit, customer: Membership, known_at: datetime | None = None
) -> dict[PartyId, datetime]:
    """For each record of a customer the instant since which it is one of them, by what was known at an instant."""
    judged = await judgements_in(unit, [customer])
    if known_at is not None:
        judged = {id: as_known(some, known_at) for id, some in judged.items()}
    return belonging(customer, judged)


async def judgements_in(unit: Unit, customers: Iterable[Membership]) -> Mapping[str, Sequence[Judgement]]:
    """By record, what was ever judged, taken back or not, of those of these customers that have several records."""
    return await judgements_around(
        unit, {id for customer in customers if customer.cluster is not None for id in customer.members}
    )


async def judgements_around(unit: Unit, records: Iterable[PartyId]) -> Mapping[str, Sequence[Judgement]]:
    """By record, what was ever judged of these *records*, taken back or not.

    It reaches as far as somebody once said SAME: who was joined to a record then may have kept it from another.
    """
    found: dict[str, dict[str, Judgement]] = {}
    frontier = set(records)
    while frontier:
        found.update((id, {}) for id in frontier)
        judged = await judgements_on(unit, sorted(frontier))
        for one in judged:
            for end in one.pair:
                if end in found:
                    found[end][one.id] = one
        frontier = {end for one in judged if one.verdict == "same" for end in one.pair} - found.keys()
    return {id: tuple(judgements.values()) for id, judgements in found.items()}


def belonging(customer: Membership, judged: Mapping[str, Sequence[Judgement]]) -> dict[PartyId, datetime]:
    """For each record the instant since which it has been with the first one without a break.

    One that an erased record held to them is left out: nobody knows since when they belong to each other.
    """
    if customer.cluster is None:
        return {customer.members[0]: BEGINNING}
    said = _around(customer, judged)
    links = [one for one in said if one.verdict == "same"]
    pairs, members = {one.pair for one in links}, frozenset(customer.members)
    heeded = all(one.live and not one.weak and members.issuperset(one.pair) for one in links)
    silent = all(one.verdict == "same" or not (one.human or one.pair in pairs) for one in said)
    return _led(customer, links) if heeded and silent else _looked_back(customer, said)


def _around(customer: Membership, judged: Mapping[str, Sequence[Judgement]]) -> list[Judgement]:
    """What was judged of its records, and of all that anything which was ever a SAME leads to from them."""
    seen: set[str] = set()
    found: dict[str, Judgement] = {}
    waiting: list[PartyId] = list(customer.members)
    while waiting:
        id = waiting.pop()
        if id not in seen:
            seen.add(id)
            found.update((one.id, one) for one in judged.get(id, ()))
            waiting += [end for one in judged.get(id, ()) if one.verdict == "same" for end in one.pair]
    return list(found.values())


def _led(customer: Membership, links: Sequence[Judgement]) -> dict[PartyId, datetime]:
    """Where every link was heeded ever since: for each record the instant from which links lead to it."""
    found = {customer.members[0]: BEGINNING}
    while len(found) < len(customer.members):
        reached = [
            (max(found[start], link.recorded_at), end)
            for link in links
            for start, end in (link.pair, link.pair[::-1])
            if start in found and end not in found
        ]
        if not reached:
            break
        when, end = min(reached)
        found[end] = when
    return found


def _looked_back(customer: Membership, said: Sequence[Judgement]) -> dict[PartyId, datetime]:
    """The same where something kept records apart: who was with the first one after each judgement, latest first."""
    first, *others = customer.members
    found = {first: BEGINNING}
    together = set(others)
    nodes = {*customer.members, *(end for one in said for end in one.pair)}
    ends = {one.retracted.at for one in said if one.retracted is not None}
    for at in sorted(ends.union(one.recorded_at for one in said), reverse=True):
        links, apart = links_of(stood_at(said, at))
        groups = agglomerate(nodes, links, apart, cap=CAP).groups
        together.intersection_update(next(group for group in groups if first in group))
        if not together:
            break
        found.update(dict.fromkeys(together, at))
    return found


def as_known(judgements: Iterable[Judgement], known_at: datetime) -> list[Judgement]:
    """What had been judged by an instant, nothing of it taken back later."""
    return [
        attrs.evolve(one, retracted=None)
        if one.retracted is not None and one.retracted.at > known_at
        else one
        for one in judgements
        if one.recorded_at <= known_at
    ]


def stood_at(judgements: Iterable[Judgement], at: datetime) -> list[Judgement]:
    """Those of some judgements that stood at an instant."""
    return [one for one in as_known(judgements, at) if one.live]
