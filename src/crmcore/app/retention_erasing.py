"""Erasing a customer whose time is over, for which nobody asked.

Invariant: what is to go is noted before anything goes, with the ids of the records, so that an erasure that was cut off
goes on with all of it though the record by which the plan names the customer is gone. Whoever was looked at when it was
begun is not asked about again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial

import attrs

from crmcore.app.erasures_begun import as_begun, as_noted, begun_of, customer_note, hash_of, note_begun
from crmcore.app.flow import Flow
from crmcore.app.resolve import is_id
from crmcore.app.subject_access import unsure
from crmcore.app.subject_erasure import (
    ErasureFacts,
    Occasion,
    PlannedErasure,
    erase_planned,
    planned_erasure,
    prepare,
)
from crmcore.app.subject_kinds import SUBJECT_KINDS
from crmcore.app.unit import Unit
from crmcore.consent.bundle import Confidence
from crmcore.consent.certificate import BEGUN, ErasureBegun, begun_by, begun_lines
from crmcore.consent.retention import RetentionPlan, RetentionStep
from crmcore.errors import InvalidRightsRequest
from crmcore.party.party_keys import PARTY
from crmcore.storage.erasure import eraser_of
from crmcore.values.ids import Id, PartyId

_OVER = "the time is over for which something was kept"
_CUT_OFF = "the erasure was cut off"


@attrs.frozen(kw_only=True)
class Erased:
    """Whether a customer was *erased*, or *restricted* since the record itself is kept; *why* not, if nothing was."""

    erased: bool = False
    restricted: bool = False
    why: str | None = None


async def begun_at(unit: Unit, step: RetentionStep) -> list[ErasureBegun]:
    """What was noted when the erasure of the customer that *step* names was begun; none if it was not."""
    return await begun_of(unit, _id(step.place)) if is_id(step.place) and step.action == "delete" else []


async def erase_customer(
    flow: Flow,
    unit: Unit,
    members: Sequence[PartyId],
    step: RetentionStep,
    plan: RetentionPlan,
    begun: Sequence[ErasureBegun],
    reviewed: Confidence,
) -> Erased:
    """Erase a customer, or what is left of one whose erasure was begun."""
    eraser_of(flow.store)
    today = unit.now.date()
    first = begun[0] if begun else None
    mark = first.request if first else f"retention:{plan.digest[:16]}"
    asked = (first and first.asked) or today
    points = first.points if first else ()
    planned = await planned_erasure(
        flow, unit, members, Occasion(mark=mark, today=today, asked=asked, points=points), _facts(plan)
    )
    if first and not first.done and first.plan_sha256 == plan.digest:
        try:
            planned, noted = as_begun(planned, begun, anew=True), tuple(begun)
        except InvalidRightsRequest as error:
            return Erased(why=str(error))
    else:
        looked_at = [
            party.id for party in planned.data.parties if hash_of(unit, party.id) in begun_lines(begun)
        ]
        if unsure(planned.data, step.place, reviewed, but=looked_at):
            return Erased(
                why="a record may be another person's: look at it, and merge it or mark it different"
            )
        heads = [ref.id for ref in planned.data.points]
        noted = begun_by(planned.plan, mark, begun, heads, done=bool(first and first.done))
        noted = tuple(attrs.evolve(part, plan_sha256=plan.digest) for part in noted)
        noted = (attrs.evolve(noted[0], members=tuple(map(str, members)), asked=asked), *noted[1:])
    try:
        await _carry_out(flow, planned, mark, unit.now, _id(step.place), begun, noted)
    except InvalidRightsRequest as error:
        return Erased(why=str(error))
    return _erased(planned, new=first is None or not first.done)


async def _carry_out(
    flow: Flow,
    planned: PlannedErasure,
    mark: str,
    at: datetime,
    id: Id,
    begun: Sequence[ErasureBegun],
    noted: Sequence[ErasureBegun],
) -> None:
    """Do what is *noted* where *begun* was, unless somebody notes something else meanwhile."""

    async def note(unit: Unit, *, before: Sequence[ErasureBegun], now: Sequence[ErasureBegun]) -> None:
        await as_noted(unit, id, before)
        await note_begun(unit, id, now)

    unchanged = partial(as_noted, id=id, noted=noted)
    if list(noted) != list(begun):
        await flow.commit(partial(note, before=begun, now=noted))
    await prepare(flow, planned, mark, unchanged)
    await erase_planned(flow, planned, mark, at, unchanged)
    await flow.commit(partial(note, before=noted, now=[attrs.evolve(noted[0], done=True), *noted[1:]]))


async def left_over(unit: Unit, on: date) -> list[RetentionStep]:
    """What is left of customers that retention erased: what was kept and is over before *on*, and what was cut off."""
    found: list[RetentionStep] = []
    after: str | None = None
    while True:
        page = await unit.scan(BEGUN.tag, after=after)
        for record in page.items:
            first = BEGUN.load(record.body, record.schema)
            place = next((one for one in first.members if _id(one) == record.ref.id), None)
            if place is None:
                continue
            lines = begun_lines(await begun_of(unit, _id(place))).values()
            over = any(line.until is not None and line.until < on for line in lines)
            if over or not first.done:
                found.append(
                    RetentionStep(
                        place=place,
                        category="erased customer",
                        action="delete",
                        reason=_OVER if first.done else _CUT_OFF,
                        source="",
                        members=first.members,
                        last_contact=first.asked,
                    )
                )
        after = page.next
        if after is None:
            return found


def _facts(plan: RetentionPlan) -> ErasureFacts:
    """What a plan of retention says of kinds of data."""
    holds = tuple(one for one in plan.holds if not one.kinds or one.kinds & SUBJECT_KINDS.keys())
    return ErasureFacts(
        holds=tuple(attrs.evolve(one, kinds=one.kinds & SUBJECT_KINDS.keys()) for one in holds),
        purposes=plan.purposes,
    )


def _erased(planned: PlannedErasure, *, new: bool) -> Erased:
    """What became of a customer. Where the record itself is kept nobody was erased."""
    something = new or bool(planned.plan.of("delete", "anonymise"))
    kept = {one.action for one in planned.plan.of("keep", "restrict") if one.kind == PARTY.tag}
    return Erased(erased=something and not kept, restricted=something and "restrict" in kept)


def _id(place: str) -> Id:
    return customer_note(place)
