"""What a plan of retention does to customers.

Invariant: nobody is erased or restricted but whom the plan was made of: a customer that has other records by now, has
been in touch since, or has asked for something that forbids it, is given back, and so is one to whom another plan was
applied since. What a legal hold or a purpose keeps stays, as where a person asks to be erased.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial

import attrs

from crmcore.app.customers import load_parties
from crmcore.app.flow import Flow
from crmcore.app.resolve import is_id, memberships
from crmcore.app.retention_contacts import InTouch, in_touch, requests_by
from crmcore.app.retention_erasing import begun_at, erase_customer, known_before
from crmcore.app.retention_notes import (
    ids_of,
    may_be_noted,
    note_kept,
    restriction_mark,
    superseded,
    to_be_noted,
)
from crmcore.app.subject_erasure import restrict_person
from crmcore.app.subject_talks import Talks
from crmcore.app.unit import Unit
from crmcore.consent.bundle import Confidence
from crmcore.consent.certificate import ErasureBegun
from crmcore.consent.retention import OPEN_REQUEST, RESTRICTED, Retained, RetentionPlan, RetentionStep
from crmcore.party.party_keys import PARTY
from crmcore.storage.erasing import cleaning_put_off, nothing
from crmcore.storage.erasure import eraser_of
from crmcore.values.ids import PartyId

_AT_ONCE = 500
"""Of so many customers it is asked at once whether anything was noted."""


@attrs.frozen(kw_only=True)
class Applied:
    """What was done: how many customers were *erased* and *restricted*, and the steps that are *left*."""

    erased: int
    restricted: int
    left: tuple[RetentionStep, ...]


async def applied(flow: Flow, plan: RetentionPlan, reviewed: Confidence) -> Applied:
    """Do what *plan* says of customers; an SQLite file is written anew once, at the end, be that an error."""
    if not plan.of("delete"):
        return await _applied(flow, plan, reviewed)
    eraser = eraser_of(flow.store)
    try:
        with cleaning_put_off():
            return await _applied(flow, plan, reviewed)
    finally:
        await eraser.erase(nothing(flow.tenant, flow.clock()))


async def _applied(flow: Flow, plan: RetentionPlan, reviewed: Confidence) -> Applied:
    erased = restricted = 0
    left: list[RetentionStep] = []
    talks: Talks | None = None
    said: set[str] = set()
    going = {id for step in plan.of("delete", "restrict") for id in ids_of(step)}
    noted = frozenset[str]()
    for at, step in enumerate(plan.steps):
        if at % _AT_ONCE == 0:
            noted = await may_be_noted(flow.reader(), plan.steps[at : at + _AT_ONCE])
        unit = flow.new_unit()
        if step.action == "keep":
            if not ids_of(step).isdisjoint(noted | going) and await to_be_noted(unit, step):
                keep = partial(note_kept, step=step, plan=plan, members=step.members, said=said)
                said.update([step.kept_for] if await flow.commit(keep) else ())
            continue
        begun = await begun_at(unit, step)
        goes_on = bool(begun) and not begun[0].done and begun[0].plan_sha256 == plan.digest
        members = await members_at(unit, step.place)
        if begun and (goes_on or not members):
            members = tuple(map(PartyId, begun[0].members))
        if step.action not in ("delete", "restrict") or not members:
            left.append(step)
            continue
        talks = talks or await Talks.read(unit)
        first = begun[0] if goes_on else None
        why = await superseded(unit, members, step, plan)
        why = why or await _changed(flow, unit, members, step, talks, goes_on=first)
        if why is not None:
            left.append(_to_find_out(step, why))
        elif step.action == "restrict":
            restrict = partial(_restrict, members=members, step=step, plan=plan, said=said)
            anew, told = await flow.commit(restrict)
            said.update([step.kept_for] if told else ())
            restricted += anew
        else:
            done = await erase_customer(flow, unit, members, step, plan, begun, reviewed, talks)
            erased += done.erased
            restricted += done.restricted
            left += [] if done.why is None else [_to_find_out(step, done.why)]
    return Applied(erased=erased, restricted=restricted, left=tuple(left))


def _to_find_out(step: RetentionStep, why: str) -> RetentionStep:
    return attrs.evolve(step, action="find_out", reason=why, source="")


async def members_at(unit: Unit, place: str) -> tuple[PartyId, ...]:
    """The records of the customer that *place* names; none if it names something else, or who is erased."""
    if not is_id(place):
        return ()
    members = (await memberships(unit, [PartyId(place)]))[PartyId(place)].members
    there = await unit.get([unit.ref(PARTY.tag, member) for member in members], check=False)
    return members if there else ()


async def to_look_at(flow: Flow, things: Iterable[Retained], plan: RetentionPlan) -> list[Retained]:
    """*things*, with all that the store knows of those customers that *plan* would not leave as they are.

    For them it is read what names only an address. Where the day of the last contact that counts is the store's, it is
    that of now.
    """
    going = {step.place for step in plan.of("delete", "anonymise", "restrict") if step.members}
    found = list(things)
    if not going:
        return found
    unit = flow.reader()
    talks = await Talks.read(unit)
    for at, thing in enumerate(found):
        parties = await load_parties(unit, map(PartyId, thing.members)) if thing.place in going else ()
        if parties:
            found[at] = _as_known(thing, await in_touch(flow, unit, parties, talks))
    return found


def _as_known(thing: Retained, known: InTouch) -> Retained:
    told = thing.triggers.get("last_contact")
    own = told is not None and told == thing.last_contact
    return attrs.evolve(
        thing,
        triggers={**thing.triggers, "last_contact": known.last_contact} if own else thing.triggers,
        last_contact=known.last_contact,
        open_request=thing.open_request or known.open_request,
        restricted=thing.restricted or known.restricted,
    )


async def _changed(
    flow: Flow,
    unit: Unit,
    members: tuple[PartyId, ...],
    step: RetentionStep,
    talks: Talks,
    *,
    goes_on: ErasureBegun | None,
) -> str | None:
    """Why it is not to be done now, if anything is other than the plan says, or was asked for. Of what *goes_on*, as it
    was begun, it is not asked again whether it has other records."""
    there = await load_parties(unit, members)
    known = await in_touch(flow, unit, there, talks) if there else None
    if step.action == "delete":
        if any(request.is_open for request in await requests_by(unit, members)):
            return OPEN_REQUEST[0]
        if known is not None and known.restricted:
            return RESTRICTED[0]
    if goes_on is None and step.members and set(step.members) != set(members):
        return "the customer has other records by now: plan again"
    before = step.last_contact if goes_on is None else known_before(goes_on, step.last_contact)
    if before is not None and known is not None and known.last_contact > before:
        return "the customer has been in touch since: plan again"
    return None


async def _restrict(
    unit: Unit,
    members: tuple[PartyId, ...],
    step: RetentionStep,
    plan: RetentionPlan,
    said: Collection[str],
) -> tuple[bool, bool]:
    """Plan to restrict the processing of a person's data, unless it is restricted for this already, and to note it."""
    told = await note_kept(unit, step, plan, members, said)
    return await restrict_person(unit, members, restriction_mark(step)), told
