"""A customer's records as the members of a decision: what is known of each alone, and since when it is one of them.

Invariant: a record belongs to its customer since the latest judgement without which it would not be one of it, so that
what was said before a merge never takes back a No of another record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from crmcore.app.consent_ledgers import acts_of
from crmcore.app.resolve import Membership
from crmcore.app.unit import Unit, load_record
from crmcore.consent.case import BEGINNING
from crmcore.consent.customer_decision import Member
from crmcore.consent.event import ConsentEvent
from crmcore.consent.facts import Facts
from crmcore.consent.known import facts_of_record
from crmcore.consent.reach import Reach, reach_of
from crmcore.identity.identity_keys import JUDGEMENT
from crmcore.identity.judgement import Judgement
from crmcore.party.party import Party
from crmcore.values.ids import PartyId

Told = Facts | Mapping[str, Facts]
"""What an app knows beside the ledgers: of the customer, or of each record, by its id."""


async def members_for(
    unit: Unit, customer: Membership, parties: Sequence[Party], told: Told, jurisdictions: Sequence[str]
) -> list[Member]:
    """The records of a customer, each with its own facts."""
    since = await belonging_of(unit, customer)
    members: list[Member] = []
    for party in parties:
        facts = told if isinstance(told, Facts) else told.get(str(party.id), Facts())
        events = await acts_of(unit, party)
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


async def belonging_of(unit: Unit, customer: Membership) -> dict[PartyId, datetime]:
    """For each record of a customer the instant since which it is one of them."""
    return belonging(customer, await judgements_in(unit, [customer]))


async def judgements_in(unit: Unit, customers: Iterable[Membership]) -> Mapping[str, Judgement]:
    """The judgements that hold these customers together, by id."""
    refs = [
        unit.ref(JUDGEMENT.tag, id)
        for customer in customers
        if customer.cluster is not None
        for id in customer.cluster.judgements
    ]
    if not refs:
        return {}
    records = await unit.get(refs, check=False)
    return {ref.id: load_record(JUDGEMENT, record) for ref, record in records.items()}


def belonging(customer: Membership, judged: Mapping[str, Judgement]) -> dict[PartyId, datetime]:
    """For each record the instant from which live judgements lead to it from the first one."""
    found = {customer.members[0]: BEGINNING}
    if customer.cluster is None:
        return found
    ours = [judged[str(id)] for id in customer.cluster.judgements if str(id) in judged]
    links = [one for one in ours if one.live and one.verdict == "same"]
    while len(found) < len(customer.members):
        reached = [
            (max(found[start], link.recorded_at), end)
            for link in links
            for start, end in ((link.a, link.b), (link.b, link.a))
            if start in found and end not in found
        ]
        if (
            not reached
        ):  # an erased record held them together: nobody knows since when they belong to each other
            break
        when, end = min(reached)
        found[end] = when
    return found
