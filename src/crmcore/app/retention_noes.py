"""What a plan of retention tells of the Noes of those who go.

Invariant: nothing is written, and no step is another one by it. Where there are secrets a No lives on, and nothing is
to be told.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

import attrs

from crmcore.app.customers import load_parties
from crmcore.app.flow import Flow
from crmcore.app.retention_erasing import begun_at, facts_of
from crmcore.app.subject_data import points_known
from crmcore.app.subject_erasure import Occasion, PlannedErasure, planned_erasure
from crmcore.app.subject_talks import Talks
from crmcore.app.unit import Unit
from crmcore.consent.certificate import ErasureBegun
from crmcore.consent.ledger import party_stream, point_key, point_stream
from crmcore.consent.retention import RetentionPlan, RetentionStep
from crmcore.consent.words import NOES
from crmcore.values.ids import PartyId


async def with_notes(flow: Flow, plan: RetentionPlan) -> RetentionPlan:
    """*plan*, with how many of those who go said no, if that will not be known when they are gone."""
    going = [step for step in plan.of("delete") if step.members]
    if flow.secrets is not None or not going:
        return plan
    unit = flow.reader()
    begun = {step: await begun_at(unit, step) for step in going}
    noes = [step for step in going if await _said_no(unit, step, begun[step])]
    talks = await Talks.read(unit) if noes else None
    gone = {member for step in going for member in step.members}
    lost = []
    for step in noes:
        planned = await _planned(flow, unit, plan, step, begun[step], talks)
        if planned.plan.notes or _goes_with(planned, gone):
            lost.append(step)
    if not lost:
        return plan
    told = (
        f"{len(lost)} of those who go said no, and that will not be known if an address of theirs comes back: "
        "open the crm with secrets=SecretRing({1: ...}) before you apply this"
    )
    return attrs.evolve(plan, notes=(told,))


async def _said_no(unit: Unit, step: RetentionStep, begun: Sequence[ErasureBegun]) -> bool:
    """Whether there is a No about the customer, or about an address that they have or had."""
    parties = await load_parties(unit, map(PartyId, step.members))
    contacts, _ = await points_known(unit, parties)
    heads = await unit.find([point_key(point.kind, point.key) for point in contacts])
    ledgers = {ref.id for refs in heads.values() for ref in refs}.union(*(one.points for one in begun[:1]))
    told = await unit.ledgers([*map(party_stream, step.members), *map(point_stream, ledgers)])
    return any(body.get("kind") in NOES for entries in told.values() for _, body in entries)


async def _planned(
    flow: Flow,
    unit: Unit,
    plan: RetentionPlan,
    step: RetentionStep,
    begun: Sequence[ErasureBegun],
    talks: Talks | None,
) -> PlannedErasure:
    """What becomes of all that is about the customer, if only that goes."""
    first, today = begun[0] if begun else None, unit.now.date()
    occasion = Occasion(
        mark=first.request if first else "",
        today=today,
        asked=(first and first.asked) or today,
        points=first.points if first else (),
    )
    members = list(map(PartyId, step.members))
    return await planned_erasure(flow, unit, members, occasion, facts_of(plan), talks)


def _goes_with(planned: PlannedErasure, gone: Set[str]) -> bool:
    """Whether a No stays only for others who have the address, all of whom are among those who are *gone* then."""
    places = {planned.places[one.place] for one in planned.plan.of("anonymise")}
    noes = {place[0] for place, act in planned.acts.items() if act.kind in NOES and place in places}
    shared = planned.data.shared
    return any(gone >= set(shared[stream]) for stream in noes if stream in shared)
