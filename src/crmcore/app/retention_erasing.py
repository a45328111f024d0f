"""Erasing a customer whose time is over, for which nobody asked.

Invariant: what is to go is noted before anything goes, with the ids of the records, so that an erasure that was cut off
goes on with all of it though the record by which the plan names the customer is gone. Whoever was looked at when it was
begun is not asked about again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import partial

import attrs

from crmcore.app.erasures_begun import (
    as_begun,
    as_kept,
    as_noted,
    as_turned,
    begun_of,
    customer_note,
    hash_of,
    note_instead,
    without_others,
)
from crmcore.app.flow import Flow
from crmcore.app.resolve import is_id
from crmcore.app.retention_contacts import recorded_on
from crmcore.app.retention_notes import begun_by_request, mark_of, note_at, noted_of, superseded
from crmcore.app.subject_access import unsure
from crmcore.app.subject_erasure import (
    ErasureFacts,
    Occasion,
    PlannedErasure,
    erase_planned,
    planned_erasure,
    prepare,
)
from crmcore.app.subject_kinds import SUBJECT_KINDS, held_for_nothing
from crmcore.app.subject_talks import Talks
from crmcore.app.unit import Unit
from crmcore.consent.bundle import Confidence
from crmcore.consent.certificate import (
    BEGUN,
    CertificateLine,
    ErasureBegun,
    begun_by,
    begun_lines,
)
from crmcore.consent.disposition import HELD, LegalHold
from crmcore.consent.retention import RetentionPlan, RetentionStep
from crmcore.errors import InvalidRightsRequest
from crmcore.party.party_keys import PARTY
from crmcore.values.ids import Id, PartyId

_ERASED = "erased customer"
_OVER = "the time is over for which something was kept"
_CUT_OFF = "the erasure was cut off"
_LIFTED = "the hold is lifted that kept something"
_HELD = "a legal hold kept something of it: say which holds there are by now (holds=[] if there are none)"
_KEPT = (
    "another plan keeps one of the records whole: plan again for the customer that has it by now, and apply that; if "
    "they ask to be erased, do it by that request"
)
_NO_CATEGORY = "it was not noted of which category this was, and a hold names one"


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
    talks: Talks,
) -> Erased:
    """Erase a customer, or what is left of one whose erasure was begun."""
    first = begun[0] if begun else None
    occasion = _occasion(unit, begun, plan, step.place)
    mark, asked = occasion.mark, occasion.asked
    going_on = first is not None and not first.done and first.plan_sha256 == plan.digest
    lost = first is not None and is_id(first.request) and step.category == _ERASED
    as_noted = partial(as_kept, parts=begun, on=occasion.today) if lost and not going_on else None
    planned = await planned_erasure(flow, unit, members, occasion, facts_of(plan), talks, as_noted=as_noted)
    if going_on:
        try:
            planned = as_begun(planned, begun, anew=True)
            noted = as_turned(planned, begun)
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
        category = (first.category if first else None) or step.category
        ids = tuple(map(str, members))
        told = attrs.evolve(noted[0], members=ids, category=category, asked=asked)
        if first is not None:
            told = attrs.evolve(told, restricted=first.restricted, number=first.number)
        noted = (told, *noted[1:])
        done = [attrs.evolve(told, done=True), *noted[1:]]
        if list(begun) == done and not planned.plan.of("delete", "anonymise"):
            noted = tuple(done)
    try:
        await _carry_out(flow, planned, mark, unit.now, step, plan, begun, noted)
    except InvalidRightsRequest as error:
        return Erased(why=str(error))
    return _erased(planned, new=first is None or not first.done)


async def _carry_out(
    flow: Flow,
    planned: PlannedErasure,
    mark: str,
    at: datetime,
    step: RetentionStep,
    plan: RetentionPlan,
    begun: Sequence[ErasureBegun],
    noted: Sequence[ErasureBegun],
) -> None:
    """Do what is *noted* where *begun* was, unless somebody notes something else meanwhile."""
    id, members = _id(step.place), noted[0].members

    async def unchanged(unit: Unit) -> None:
        await as_noted(unit, id, noted)
        if why := await superseded(unit, members, step, plan):
            raise InvalidRightsRequest(why)

    async def begin(unit: Unit) -> None:
        if why := await superseded(unit, members, step, plan):
            raise InvalidRightsRequest(why)
        await note_instead(unit, id=id, before=begun, now=noted)
        held = any(line.held for line in begun_lines(noted).values())
        for one in members:
            if one != step.place:
                await note_at(unit, one, step, plan, plan.digest, held=held)

    if list(noted) != list(begun):
        await flow.commit(begin)
    await prepare(flow, planned, mark, unchanged)
    await erase_planned(flow, planned, mark, at, unchanged)
    first, *rest = await without_others(flow.new_unit(), planned, noted)
    done = [attrs.evolve(first, done=True), *rest]
    if done != list(noted):
        await flow.commit(partial(note_instead, id=id, before=noted, now=done))


async def as_held(flow: Flow, plan: RetentionPlan) -> RetentionPlan:
    """*plan*, with what was noted before of whoever goes.

    It is another one than was begun where that cannot go on: something has come in, or more is kept.
    """
    unit = flow.reader()
    talks: Talks | None = None
    steps: list[RetentionStep] = []
    for step in plan.steps:
        begun = await begun_at(unit, step)
        if step.action in ("delete", "restrict") or step.source == HELD:
            step = attrs.evolve(step, noted=tuple(sorted(await noted_of(unit, step, step.members))))
        if begun and not begun[0].done:
            talks = talks or await Talks.read(unit)
            members, occasion = map(PartyId, begun[0].members), _occasion(unit, begun, plan, step.place)
            planned = await planned_erasure(flow, unit, list(members), occasion, facts_of(plan), talks)
            try:
                as_begun(planned, begun, anew=True)
            except InvalidRightsRequest:
                step = attrs.evolve(step, held=planned.plan.digest)
        steps.append(step)
    return attrs.evolve(plan, steps=tuple(steps))


async def left_over(
    unit: Unit, on: date, holds: Collection[LegalHold] | None
) -> tuple[list[RetentionStep], frozenset[str]]:
    """What is left of customers that retention erased, and of which categories they were.

    That is what was kept and is over before *on*, what a hold kept that is none of *holds* any more, and what was cut
    off. While nobody says which *holds* there are (None), what a hold keeps is to be found out. What one of them keeps
    stays, and is told, so that it is noted.
    """
    found: list[RetentionStep] = []
    categories: set[str] = set()
    after: str | None = None
    while True:
        page = await unit.scan(BEGUN.tag, after=after)
        for record in page.items:
            first = BEGUN.load(record.body, record.schema)
            place = next((one for one in first.members if _id(one) == record.ref.id), None)
            if place is None:
                continue
            categories.update(() if first.category is None else (first.category,))
            lines = begun_lines(await begun_of(unit, _id(place))).values()
            step = _left(first, place, list(lines), on, holds)
            if step is not None and step.action == "delete":
                why = await _kept_elsewhere(unit, first, on, holds)
                step = step if why is None else attrs.evolve(step, action="find_out", reason=why)
            found += [] if step is None else [step]
        after = page.next
        if after is None:
            return found, frozenset(categories)


def _left(
    first: ErasureBegun,
    place: str,
    lines: Collection[CertificateLine],
    on: date,
    holds: Collection[LegalHold] | None,
) -> RetentionStep | None:
    """What is to be done with what is left of one customer; None if there is nothing."""
    over = any(line.until is not None and line.until < on for line in lines)
    kept = _held(lines, on)
    lifted = held_for_nothing(lines, holds or (), on)
    goes = not first.done or over or lifted
    if not goes and not (holds and kept):
        return None
    step = RetentionStep(
        place=place,
        category=_ERASED,
        action="delete",
        reason=_CUT_OFF if not first.done else _OVER if over else _LIFTED,
        source="",
        members=first.members,
        last_contact=known_before(first),
    )
    if holds is None:
        return attrs.evolve(step, action="find_out", reason=_HELD) if kept else step
    for hold in holds:
        named = hold.kinds - SUBJECT_KINDS.keys()
        if not goes and any(hold.holds(kind, on) for kind in kept):
            return _kept_by(hold, step)
        if goes and first.category is None and named:
            return attrs.evolve(step, action="find_out", reason=_NO_CATEGORY)
        if first.category in named and hold.holds(first.category, on):
            return _kept_by(hold, step)
    return step if goes else None


def _held(lines: Iterable[CertificateLine], on: date) -> list[str]:
    """The kinds of what a hold keeps that has not ended by a day."""
    return [line.kind for line in lines if line.held and (line.until is None or line.until >= on)]


async def _kept_elsewhere(
    unit: Unit, first: ErasureBegun, on: date, holds: Collection[LegalHold] | None
) -> str | None:
    """Why nobody of whom something was kept goes for now: what was noted last at one of the records, or of a request of
    theirs, if nobody says which *holds* there are.

    Who asked goes though their time is not over: nothing but a law keeps them.
    """
    members, asked = first.members, is_id(first.request)
    notes = {one: begun[0] for one in members if (begun := await begun_of(unit, _id(one)))}
    if holds is None and any(note.held for note in notes.values()):
        return _HELD
    if holds is None and any(
        _held(begun_lines(begun).values(), on) for begun in await begun_by_request(unit, members)
    ):
        return _HELD
    there = await unit.get([unit.ref(PARTY.tag, one) for one in notes], check=False)
    for note in (note for one, note in notes.items() if unit.ref(PARTY.tag, one) in there):
        for digest in (note.plan_sha256, *note.beside):
            last = await begun_of(unit, _id(digest))
            if last and not last[0].held and (last[0].restricted or not asked):
                return _KEPT
    return None


def _kept_by(hold: LegalHold, step: RetentionStep) -> RetentionStep:
    return attrs.evolve(step, action="keep", reason=hold.reason, source=HELD, until=hold.until)


def known_before(first: ErasureBegun, last_contact: date | None = None) -> date | None:
    """Whatever came later came since the erasure was begun: on that very day, too, for it began with nobody in touch
    since their *last_contact*.

    Who never was, or of whom that is erased by now, was last in touch on the day on which they were recorded.
    """
    if last_contact is None:
        if first.asked is None:
            return None
        last_contact = first.asked - timedelta(days=1)
    return max([last_contact, *(recorded_on(PartyId(one)) for one in first.members)])


def _occasion(unit: Unit, begun: Sequence[ErasureBegun], plan: RetentionPlan, place: str) -> Occasion:
    """Why a customer is erased whose erasure was *begun*, or is by *plan*, where *place* names no other customer."""
    first, today = begun[0] if begun else None, unit.now.date()
    return Occasion(
        mark=mark_of(begun, plan, place),
        today=today,
        asked=(first and first.asked) or today,
        points=first.points if first else (),
    )


def facts_of(plan: RetentionPlan) -> ErasureFacts:
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
