"""Erasing somebody who asked for it: the plan for a request, its beginning, and how it goes on if it was cut off.

Invariant: nothing is erased that the plan that was begun does not name as going. What has come in since, or is to be
kept by now, wants a new plan that somebody looks at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import partial

import attrs

from crmcore.app.erasures_begun import (
    as_begun,
    as_noted,
    as_turned,
    begun_of,
    gone_of,
    hash_of,
    note_begun,
    note_instead,
    part_id,
    without_others,
)
from crmcore.app.flow import Flow
from crmcore.app.rights_store import load_request, members_of, tell_recipients
from crmcore.app.subject_access import refuse_unsure
from crmcore.app.subject_erasure import (
    ErasureFacts,
    Occasion,
    PlannedErasure,
    erase_planned,
    planned_erasure,
    prepare,
)
from crmcore.app.subject_kinds import held_for_nothing
from crmcore.app.unit import Unit
from crmcore.consent.bundle import Confidence
from crmcore.consent.certificate import (
    CERTIFICATE,
    CertificateLine,
    ErasureBegun,
    ErasureCertificate,
    KeptTooLong,
    begun_by,
    begun_lines,
    certify,
)
from crmcore.consent.deadline import zone_of
from crmcore.consent.disposition import LegalHold
from crmcore.consent.rights_request import RequestId, RightsRequest
from crmcore.consent.rights_steps import ANSWERED
from crmcore.errors import InvalidRightsRequest
from crmcore.party.party_keys import PARTY
from crmcore.storage.erasure import eraser_of
from crmcore.values.ids import Id, PartyId

_Begun = Mapping[str, CertificateLine]


async def planned_for(
    flow: Flow, unit: Unit, request: RightsRequest, facts: ErasureFacts | None, reviewed: Confidence
) -> PlannedErasure:
    """What erasing whoever asked would do, if the request is one for that and all records are surely theirs."""
    if request.right != "erasure":
        raise InvalidRightsRequest(f"a request for {request.right} erases nothing")
    done = await certificates_of(unit, request.id)
    if not done and request.state not in ("collecting", "review"):
        raise InvalidRightsRequest("an erasure is planned while the request is being collected or reviewed")
    parts = await begun_of(unit, request.id)
    begun = begun_lines(parts)
    planned = await _held(flow, unit, request, facts, parts)
    looked_at = [party.id for party in planned.data.parties if hash_of(unit, party.id) in begun]
    refuse_unsure(planned.data, request.anchor, reviewed, but=looked_at)
    after = parts[0].plan_sha256 if parts else ""
    return attrs.evolve(planned, plan=attrs.evolve(planned.plan, after=after))


async def erased(
    flow: Flow, id: RequestId, plan_sha256: str, facts: ErasureFacts | None, reviewed: Confidence
) -> ErasureCertificate:
    """Do what the plan of that digest said, or what is left of it, and certify it."""
    eraser_of(flow.store)
    noted = await _begin(flow, id, plan_sha256, facts, reviewed)
    if isinstance(noted, ErasureCertificate):
        return noted
    unit = flow.new_unit()
    planned = await _as_begun(flow, unit, await load_request(unit, id), facts, noted)
    turned = as_turned(planned, noted)
    if turned != tuple(noted):
        await flow.commit(partial(note_instead, id=id, before=noted, now=turned))
    noted, unchanged = turned, partial(as_noted, id=id, noted=turned)

    async def finish(unit: Unit) -> ErasureCertificate:
        before = await certificates_of(unit, id)
        if before and before[-1].plan_sha256 == plan_sha256:
            return before[-1]
        left = await without_others(unit, planned, noted)
        await note_instead(unit, id=id, before=noted, now=left)
        made = certify(left, reports, at=unit.now, gone=await gone_of(unit, planned, left))
        await unit.put(CERTIFICATE, part_id(CERTIFICATE.tag, id, len(before)), made, expect=0)
        return made

    try:
        await prepare(flow, planned, str(id), unchanged)
        reports = await erase_planned(flow, planned, str(id), unit.now, unchanged)
        return await flow.commit(finish)
    except InvalidRightsRequest:
        await flow.commit(partial(_certified_anew, id, planned))
        raise


async def _certified_anew(id: RequestId, planned: PlannedErasure, unit: Unit) -> None:
    """Plan a certificate of another erasure, begun since, that says it if what it was to keep went with *planned*."""
    noted, certificates = await begun_of(unit, id), await certificates_of(unit, id)
    if not certificates or certificates[-1].plan_sha256 != noted[0].plan_sha256:
        return  # whoever carries it out looks when it is done
    last = certificates[-1]
    made = certify(noted, (), at=unit.now, gone=await gone_of(unit, planned, noted))
    if made.lines != last.lines:
        told = attrs.evolve(made, remains=last.remains)
        await unit.put(CERTIFICATE, part_id(CERTIFICATE.tag, id, len(certificates)), told, expect=0)


async def certificates_of(unit: Unit, id: RequestId) -> tuple[ErasureCertificate, ...]:
    """The proofs of what was erased for a request, first that of the erasure, then those of what was kept longer."""
    found: list[ErasureCertificate] = []
    while True:
        ref = unit.ref(CERTIFICATE.tag, part_id(CERTIFICATE.tag, Id(id), len(found)))
        record = (await unit.get([ref])).get(ref)
        if record is None:
            return tuple(found)
        found.append(CERTIFICATE.load(record.body, record.schema))


async def kept_too_long(
    unit: Unit, id: RequestId, on: date, holds: Collection[LegalHold] | None
) -> KeptTooLong | None:
    """Since when something is kept of an erasure whose last day was before *on*, or that none of *holds* holds."""
    done = await certificates_of(unit, id)
    lines = done[-1].lines if done else ()
    over = [line.until for line in lines if line.until is not None and line.until < on]
    if over:
        return KeptTooLong(request=id, until=min(over))
    lifted = holds is not None and held_for_nothing(lines, holds, on)
    return KeptTooLong(request=id, until=None) if lifted else None


async def was_begun(unit: Unit, id: RequestId) -> bool:
    """Whether anything may have been erased for a request."""
    return bool(await begun_of(unit, id))


async def _begin(
    flow: Flow, id: RequestId, plan_sha256: str, facts: ErasureFacts | None, reviewed: Confidence
) -> ErasureCertificate | Sequence[ErasureBegun]:
    """Note what the plan says, before anything is done; the certificate if all of it was done before."""

    async def plan(unit: Unit) -> ErasureCertificate | Sequence[ErasureBegun]:
        request = await load_request(unit, id)
        certificates = await certificates_of(unit, id)
        for done in reversed(certificates):
            if done.plan_sha256 == plan_sha256:
                return done
        begun = await begun_of(unit, id)
        if begun and begun[0].plan_sha256 == plan_sha256:
            return begun
        planned = await planned_for(flow, unit, request, facts, reviewed)
        if planned.plan.digest != plan_sha256:
            raise InvalidRightsRequest("what is held has changed since this plan: make another one and look")
        points = [ref.id for ref in planned.data.points]
        noted = begun_by(planned.plan, str(id), begun, points, done=bool(certificates))
        noted = (_whose(noted[0], request, planned, begun), *noted[1:])
        await note_begun(unit, id, noted)
        if request.is_open:  # and while acts can still be read that name them
            await tell_recipients(unit, request, planned.data.members, "erase", flow.controller(None))
        return noted

    return await flow.commit(plan)


def _whose(
    first: ErasureBegun, request: RightsRequest, planned: PlannedErasure, before: Sequence[ErasureBegun]
) -> ErasureBegun:
    """What is noted *first*, with whose it is, which a store that lacks the request is not told otherwise."""
    earlier = before[0].members if before else ()
    members = dict.fromkeys([*earlier, *map(str, planned.data.members)])
    return attrs.evolve(first, members=tuple(members), asked=_asked(request))


def _asked(request: RightsRequest) -> date:
    """The day on which a request came, where the person is."""
    return request.received_at.astimezone(zone_of(request.zone)).date()


async def _as_begun(
    flow: Flow, unit: Unit, request: RightsRequest, facts: ErasureFacts | None, noted: Sequence[ErasureBegun]
) -> PlannedErasure:
    """What was begun, as far as it is still there."""
    planned = await _held(flow, unit, request, facts, noted)
    return as_begun(planned, noted, anew=facts is not None)


async def _held(
    flow: Flow, unit: Unit, request: RightsRequest, facts: ErasureFacts | None, begun: Sequence[ErasureBegun]
) -> PlannedErasure:
    """The plan for what is held now, which is less than at first where an erasure was cut off."""
    zone = zone_of(request.zone)
    occasion = Occasion(
        mark=str(request.id),
        today=unit.now.astimezone(zone).date(),
        asked=_asked(request),
        refused=frozenset(item.item for item in request.items if item.decision != "grant"),
        answered=not request.is_open or request.state in ANSWERED,
        points=begun[0].points if begun else (),
    )
    if not isinstance(facts, ErasureFacts | None):
        raise InvalidRightsRequest("what an app knows beside what is held is told as ErasureFacts(...)")
    members = await _members(unit, request, begun_lines(begun))
    return await planned_erasure(flow, unit, members, occasion, facts or ErasureFacts())


async def _members(unit: Unit, request: RightsRequest, begun: _Begun) -> list[PartyId]:
    """The records of the person. What told another's from them may be erased by now: those stay left out."""
    members = await members_of(unit, request)
    if not begun:
        return list(members)
    there = await unit.get([unit.ref(PARTY.tag, member) for member in members], check=False)
    return [
        member
        for member in members
        if member not in request.members
        or unit.ref(PARTY.tag, member) not in there
        or hash_of(unit, member) in begun
    ]
