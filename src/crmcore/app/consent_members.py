"""A customer's records as the members of a decision: what is known of each alone, and since when it is one of them.

Invariant: a record belongs to its customer since the latest judgement without which it would not be one of it, so that
what was said before a merge never takes back a No of another record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from crmcore.app.consent_ledgers import acts_of
from crmcore.app.resolve import Membership
from crmcore.app.unit import Unit, load_record
from crmcore.consent.customer_decision import BEGINNING, Member
from crmcore.consent.facts import Facts
from crmcore.consent.known import facts_of_party, jurisdictions_of, points_of
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
    since = await _since(unit, customer)
    members: list[Member] = []
    for party in parties:
        facts = told if isinstance(told, Facts) else told.get(str(party.id), Facts())
        events = await acts_of(unit, party)
        members.append(
            Member(
                record=str(party.id),
                points=frozenset(normal for _, normal in points_of(party)),
                facts=facts_of_party(party, facts, events),
                jurisdictions=tuple(dict.fromkeys((*jurisdictions, *jurisdictions_of(party)))),
                since=since.get(party.id, unit.now),
            )
        )
    return members


async def _since(unit: Unit, customer: Membership) -> dict[PartyId, datetime]:
    """For each record the instant from which live judgements lead to it from the first one."""
    found = {customer.members[0]: BEGINNING}
    if customer.cluster is None:
        return found
    refs = [unit.ref(JUDGEMENT.tag, id) for id in customer.cluster.judgements]
    records = await unit.get(refs, check=False)
    judged: list[Judgement] = [load_record(JUDGEMENT, record) for record in records.values()]
    links = [one for one in judged if one.live and one.verdict == "same"]
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
