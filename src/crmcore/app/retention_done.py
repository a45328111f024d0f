"""What a plan of retention does to customers.

Invariant: nobody is erased or restricted but whom the plan was made of: a customer that has other records by now, or
has been in touch since, is given back. What a legal hold or a purpose keeps stays, as where a person asks to be erased.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

import attrs

from crmcore.app.flow import Flow
from crmcore.app.interactions import AsyncInteractions
from crmcore.app.resolve import is_id, memberships
from crmcore.app.retention_erasing import begun_at, erase_customer
from crmcore.app.subject_erasure import restrict_person
from crmcore.app.unit import Unit
from crmcore.consent.bundle import Confidence
from crmcore.consent.retention import RetentionPlan, RetentionStep
from crmcore.party.party_keys import PARTY
from crmcore.values.ids import PartyId
from crmcore.values.moment import moment_instant


@attrs.frozen(kw_only=True)
class Applied:
    """What was done: how many customers were *erased* and *restricted*, and the steps that are *left*."""

    erased: int
    restricted: int
    left: tuple[RetentionStep, ...]


async def applied(flow: Flow, plan: RetentionPlan, reviewed: Confidence) -> Applied:
    """Do what *plan* says of customers."""
    erased = restricted = 0
    left: list[RetentionStep] = []
    for step in plan.steps:
        if step.action == "keep":
            continue
        unit = flow.new_unit()
        begun = await begun_at(unit, step)
        goes_on = bool(begun) and not begun[0].done and begun[0].plan_sha256 == plan.digest
        members = await members_at(unit, step.place)
        if begun and (goes_on or not members):
            members = tuple(map(PartyId, begun[0].members))
        if step.action not in ("delete", "restrict") or not members:
            left.append(step)
            continue
        why = None if goes_on else await _changed(flow, unit, members, step)
        if why is not None:
            left.append(_to_find_out(step, why))
        elif step.action == "restrict":
            restricted += await _restrict(flow, members, step)
        else:
            done = await erase_customer(flow, unit, members, step, plan, begun, reviewed)
            erased += done.erased
            restricted += done.restricted
            left += [] if done.why is None else [_to_find_out(step, done.why)]
    return Applied(erased=erased, restricted=restricted, left=tuple(left))


def _to_find_out(step: RetentionStep, why: str) -> RetentionStep:
    return attrs.evolve(step, action="find_out", reason=why, source="")


async def last_contact(flow: Flow, members: Iterable[PartyId]) -> date:
    """The last day of a customer: on which a record of it was in touch, or was recorded if it never was."""
    silent = {member: recorded_on(member) for member in members}
    some, last = next(iter(silent)), date.min
    timeline = AsyncInteractions(flow)
    after: str | None = None
    while True:
        page = await timeline.timeline(some, after=after)
        for one in page.items:
            if one.direction == "inbound":
                last = max(last, moment_instant(one.occurred_at).date())
                spoken = set(one.parties)
                silent = {who: day for who, day in silent.items() if who not in spoken and day > last}
                if not silent:
                    return last
        after = page.next
        if after is None:
            return max(last, *silent.values())


def recorded_on(id: PartyId) -> date:
    """The day on which a record was made, which its id tells."""
    return datetime.fromtimestamp(id.milliseconds / 1000, UTC).date()


async def members_at(unit: Unit, place: str) -> tuple[PartyId, ...]:
    """The records of the customer that *place* names; none if it names something else, or who is erased."""
    if not is_id(place):
        return ()
    members = (await memberships(unit, [PartyId(place)]))[PartyId(place)].members
    there = await unit.get([unit.ref(PARTY.tag, member) for member in members], check=False)
    return members if there else ()


async def _changed(flow: Flow, unit: Unit, members: tuple[PartyId, ...], step: RetentionStep) -> str | None:
    """What is other than the plan says, if anything is."""
    if step.members and set(step.members) != set(members):
        return "the customer has other records by now: plan again"
    if step.last_contact is not None:
        refs = await unit.get([unit.ref(PARTY.tag, member) for member in members], check=False)
        if refs and await last_contact(flow, [PartyId(ref.id) for ref in refs]) > step.last_contact:
            return "the customer has been in touch since: plan again"
    return None


async def _restrict(flow: Flow, members: tuple[PartyId, ...], step: RetentionStep) -> bool:
    """Restrict the processing of a person's data, unless it is restricted for this already."""
    mark = f"retention:{step.purpose}"
    return await flow.commit(lambda unit: restrict_person(unit, members, mark))
