"""Requests that are acts of consent: what is recorded when they are carried out, so that every decision sees it.

Invariant: what a request asks for is recorded once, as of its receipt, in the ledger of every record of the person, and
before it is answered. A restriction is lifted by an act of its own, which ends no other one, and only after the person
was told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from crmcore.app.consent_ledgers import append_act, time_of_no
from crmcore.app.customers import load_parties
from crmcore.app.rights_store import members_of, take_step, tell_recipients
from crmcore.app.unit import Unit
from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.ledger import party_stream
from crmcore.consent.rights_request import RightsRequest, RightsStep
from crmcore.consent.rights_steps import ANSWERED
from crmcore.consent.words import ActKind, ActPurpose
from crmcore.errors import InvalidRightsRequest
from crmcore.party.party_keys import PARTY
from crmcore.values.ids import Id, PartyId
from crmcore.values.instant import MICROSECOND


@attrs.frozen(kw_only=True)
class RightAct:
    """The act that a request is: what it is about if nothing is said, and which *right* of the law it exercises.

    *told* is what recipients of the data are to be told, where the law wants them told.
    """

    kind: ActKind
    purposes: tuple[ActPurpose, ...] = ()
    right: str | None = None
    told: str | None = None


ACTS: Mapping[str, RightAct] = {
    "restriction": RightAct(kind="restrict", told="restrict"),
    "objection": RightAct(kind="object", purposes=("direct_marketing",)),
    "opt_out_of_sale": RightAct(
        kind="object", purposes=("third_party_sharing",), told="stop selling and sharing"
    ),
    # Elsewhere no law knows the right, and the act is a plain No: it is one to what uses such data.
    "limit": RightAct(
        kind="object",
        purposes=("profiling", "third_party_sharing"),
        right="limit_sensitive_pi",
        told="limit the use of sensitive data",
    ),
    # Until a person has looked, nothing further is worked out about somebody who contests what a machine decided.
    "automated_decision_review": RightAct(kind="restrict", purposes=("profiling",)),
}


async def carried_out(
    unit: Unit, request: RightsRequest, purposes: Iterable[ActPurpose], controller: str
) -> ConsentEvent:
    """Plan the act that *request* is, and that recipients are told; if all of it was recorded before, the act of then.

    Of what is asked for later only what is new is recorded.
    """
    if request.right not in ACTS:
        raise InvalidRightsRequest(f"a request for {request.right} is no act of consent")
    if request.state in ANSWERED or not request.is_open:
        raise InvalidRightsRequest(f"the request is {request.state}: a new one can be received")
    if request.lifted_at is not None:
        raise InvalidRightsRequest("what it asked for was lifted already: a new request can be received")
    act = ACTS[request.right]
    asked = frozenset(purposes) or frozenset(act.purposes)
    members = await members_of(unit, request)
    before = await _recorded(unit, request, members)
    said = frozenset[ActPurpose]().union(*(one.scope.purposes for one in before))
    if not all(one.scope.purposes for one in before) or (asked and asked <= said):
        return before[-1]
    parties, streams = await load_parties(unit, members), [party_stream(str(member)) for member in members]
    event = ConsentEvent(
        id=str(unit.ids.new(Id)),
        kind=act.kind,
        occurred_at=await time_of_no(unit, request.received_at, parties, streams),
        recorded_at=unit.now,
        scope=Scope(controller=controller, purposes=asked - said, right=act.right),
        record=request.anchor,
        members=tuple(map(str, members)),
        via=_via(request),
        actor=unit.actor,
        ledger=party_stream(str(members[0])),
    )
    append_act(unit, event, streams)
    if act.told is not None:
        await tell_recipients(unit, request, members, act.told, controller)
    return event


async def lifted(unit: Unit, request: RightsRequest) -> ConsentEvent:
    """Plan that a restriction is over: the step, and the act in the ledgers of all records in which the restriction is.

    Raises:
        InvalidRightsRequest: if none was recorded for this request, or the person was not told first.
    """
    members = await members_of(unit, request)
    before = await _recorded(unit, request, members) if request.right in ACTS else ()
    if not before:
        raise InvalidRightsRequest("nothing was restricted for this request: carry it out first")
    await take_step(unit, request, RightsStep(request=request.id, kind="lift", at=unit.now))
    named = [act.scope.purposes for act in before]
    purposes = frozenset[ActPurpose]().union(*named) if all(named) else frozenset[ActPurpose]()
    # It stands, too, with whoever has been told from the person since: their ledgers keep the act.
    others = sorted({member for act in before for member in act.members} - set(members))
    apart = [other for other in others if await _recorded(unit, request, [PartyId(other)])]
    event = attrs.evolve(
        before[0],
        id=str(unit.ids.new(Id)),
        kind="lift",
        occurred_at=max([unit.now, *(act.occurred_at + MICROSECOND for act in before)]),
        recorded_at=unit.now,
        scope=attrs.evolve(before[0].scope, purposes=purposes),
        members=(*map(str, members), *apart),
        actor=unit.actor,
        ledger=party_stream(str(members[0])),
    )
    append_act(unit, event, map(party_stream, event.members))
    return event


async def refuse_undone(unit: Unit, request: RightsRequest) -> None:
    """Refuse to answer a request that nothing was done for; where all records of the person are gone, nothing can be.

    Raises:
        InvalidRightsRequest: if it is an act that was not recorded, or a correction that was not granted.
    """
    if request.right == "rectification":
        if not any(item.decision == "grant" for item in request.items):
            raise InvalidRightsRequest(
                "nothing was corrected for this request yet: rectify first, decide on what was corrected elsewhere, "
                "or refuse it"
            )
    elif request.right in ACTS:
        members = await members_of(unit, request)
        held = await unit.get([unit.ref(PARTY.tag, member) for member in members], check=False)
        if held and not await _recorded(unit, request, members):
            raise InvalidRightsRequest(
                "nothing was recorded for this request yet: carry it out first, or refuse it"
            )


def _via(request: RightsRequest) -> str:
    return f"request:{request.id}"


async def _recorded(
    unit: Unit, request: RightsRequest, members: Iterable[PartyId]
) -> tuple[ConsentEvent, ...]:
    """The acts by which *request* was carried out, in the order in which they were recorded."""
    kind, codec = ACTS[request.right].kind, unit.codecs["consent.event"]
    found: dict[str, ConsentEvent] = {}
    for entries in (await unit.ledgers([party_stream(str(member)) for member in members])).values():
        for act in (codec.load(body) for _, body in entries):
            if act.via == _via(request) and act.kind == kind:
                found[act.id] = act
    return tuple(found.values())
