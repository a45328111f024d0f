"""Putting right what is wrong about a person who asks for it.

Invariant: what is corrected is in the history with the request as its reason, and stands decided on the request. Only
records that are surely the person's are touched unasked; a record of somebody else never is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from crmcore.app.customers import load_parties
from crmcore.app.flow import Flow
from crmcore.app.judging import judgements_on
from crmcore.app.parties import change_party
from crmcore.app.rights_store import members_of, take_step, tell_recipients
from crmcore.app.subject_access import merge_confidence
from crmcore.app.unit import Unit
from crmcore.consent.rights_request import DecidedItem, RightsRequest, RightsStep
from crmcore.errors import InvalidRightsRequest
from crmcore.exchange.correction import changed_fields, corrected
from crmcore.party.party import Household, Organization, Party, Person
from crmcore.values.ids import PartyId

P = TypeVar("P", bound=Person | Organization | Household)


async def rectified(
    flow: Flow,
    unit: Unit,
    request: RightsRequest,
    change: Callable[[P], P],
    records: Iterable[PartyId] | None,
    controller: str,
) -> tuple[Party, ...]:
    """Plan what *change* makes of the records, that it was decided on, and that recipients are told."""
    if request.right != "rectification":
        raise InvalidRightsRequest(f"a request for {request.right} corrects nothing")
    if not callable(change):
        raise InvalidRightsRequest("what is wrong is corrected with a function of the party")
    if request.state not in ("collecting", "review"):
        raise InvalidRightsRequest("data are corrected while the request is being collected or reviewed")
    members = await members_of(unit, request)
    chosen = await _chosen(unit, request, members, None if records is None else tuple(records))
    done: list[Party] = []
    fields: dict[str, None] = {}
    for before in await load_parties(unit, chosen):

        def put_right(party: Any) -> Any:
            after = change(party)
            same = (getattr(after, "kind", None), getattr(after, "_id", None)) == (party.kind, party.id)
            return corrected(party, after, unit.now) if same and after != party else after

        after: Any = await change_party(flow, unit, before, put_right, reason=f"request {request.id}")
        for field in changed_fields(before, after):
            fields[field] = None
            item = DecidedItem(item=f"{field} of {after.id}", decision="grant")
            step = RightsStep(request=request.id, kind="decide_item", at=unit.now, item=item)
            request = await take_step(unit, request, step)
        if after != before:
            done.append(after)
    if done:
        await tell_recipients(unit, request, members, f"rectify {', '.join(sorted(fields))}", controller)
    return tuple(done)


async def _chosen(
    unit: Unit, request: RightsRequest, members: tuple[PartyId, ...], records: tuple[PartyId, ...] | None
) -> list[PartyId]:
    """The records to be corrected: those that are named, or all that are surely the person's."""
    if records is not None:
        if not set(records) <= set(members):
            raise InvalidRightsRequest(
                "a record is named that is not this customer's: see crm.customers.resolve(...)"
            )
        return [member for member in members if member in records]
    sure = merge_confidence(members, request.anchor, await judgements_on(unit, members))
    return [member for member in members if sure[member] == "certain"]
