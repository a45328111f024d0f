"""A request on a store, and the steps that are taken with it.

Invariant: the record and the ledger of steps are written together; the record is what the steps make of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Set
from datetime import date

import attrs

from crmcore.app.consent_whose import acts_of
from crmcore.app.customers import load_parties
from crmcore.app.judging import judgements_on
from crmcore.app.resolve import memberships
from crmcore.app.unit import Unit, load_record, proven
from crmcore.consent.propagation import recipients_of
from crmcore.consent.rights_request import (
    RIGHTS_REQUEST,
    Notice,
    RequestId,
    RightsRequest,
    RightsStep,
    request_keys,
    requests_stream,
)
from crmcore.consent.rights_steps import advance, due_of
from crmcore.errors import InvalidRightsRequest, NotFound
from crmcore.identity.judgement import links_of
from crmcore.values.ids import PartyId


async def load_request(unit: Unit, id: RequestId) -> RightsRequest:
    """The request as it stands.

    Raises:
        NotFound: if there is none.
    """
    request = await request_if_there(unit, id)
    if request is None:
        raise NotFound("no request has this id: see crm.requests.of(...)")
    return request


async def request_if_there(unit: Unit, id: RequestId) -> RightsRequest | None:
    """The request as it stands; None if there is none."""
    ref = unit.ref(RIGHTS_REQUEST.tag, str(id))
    record = (await unit.get([ref])).get(ref)
    return None if record is None else load_record(RIGHTS_REQUEST, record)


async def take_step(
    unit: Unit, request: RightsRequest, step: RightsStep, holidays: Set[date] = frozenset()
) -> RightsRequest:
    """Plan a step: the record as it is after it, and the step in the ledger."""
    step = attrs.evolve(step, actor=unit.actor)
    proven(unit.codecs["rights.step"], step, InvalidRightsRequest)
    after = advance(request, step, holidays=holidays)
    version = unit.next_version(RIGHTS_REQUEST.tag, request.id, request.version)
    after = attrs.evolve(after, version=version)
    await unit.put(RIGHTS_REQUEST, request.id, after, expect=request.version, keys=request_keys(after))
    unit.event(requests_stream(request.customer), step, subjects=[request.id])
    return after


async def members_of(unit: Unit, request: RightsRequest) -> tuple[PartyId, ...]:
    """The records of the customer as it is now, with those that it had when the request came.

    Whoever is another customer by now, and whom a person has told from this one, is not among them: they did not ask.
    """
    before = [PartyId(member) for member in request.members]
    now = await memberships(unit, before)
    found = dict.fromkeys([*before, *(member for one in now.values() for member in one.members)])
    own = now[PartyId(request.anchor)]
    if len({one.id for one in now.values()}) == 1:
        return tuple(found)
    _, apart = links_of(await judgements_on(unit, list(found)))
    told = {end for pair in apart if set(own.members) & set(pair) for end in pair}
    others = {
        member
        for one in now.values()
        if one.id != own.id and told & set(one.members)
        for member in one.members
    }
    return tuple(member for member in found if member not in others)


async def tell_recipients(
    unit: Unit, request: RightsRequest, members: Iterable[PartyId], what: str, own: str
) -> RightsRequest:
    """Note that whoever got the person's data, as acts of consent name them, is to be told; *own* is ourselves."""
    parties = await load_parties(unit, list(members))
    named = recipients_of([act for acts in await acts_of(unit, parties) for act in acts])
    told = {notice.processor for notice in request.notices if notice.what == what}
    for name in named:
        if name != own and name not in told:
            notice = Notice(processor=name, what=what, due=due_of(request).day)
            step = RightsStep(request=request.id, kind="must_tell", at=unit.now, notice=notice)
            request = await take_step(unit, request, step)
    return request


async def all_requests(unit: Unit) -> AsyncIterator[RightsRequest]:
    """Every request of the tenant."""
    after: str | None = None
    while True:
        page = await unit.scan(RIGHTS_REQUEST.tag, after=after)
        for record in page.items:
            yield load_record(RIGHTS_REQUEST, record)
        after = page.next
        if after is None:
            return
