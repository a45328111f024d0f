"""Deciding about all customers, or about many of them, page by page.

Invariant: each customer gets the answer that `crm.consent.decide` gives; the memory that it takes does not grow with
the number of customers, but for the ids of those that were named, and of records of customers of several.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

import attrs

from crmcore.app.audience_passed import Passed
from crmcore.app.consent_asking import request_of, with_listings
from crmcore.app.consent_members import Told, belonging, member, told_by_id
from crmcore.app.consent_reading import (
    NOTHING,
    Asking,
    HeldRecord,
    Page,
    counted_acts,
    entries_about,
    held_record,
    read_page,
    sketches_of,
    wishes_on,
)
from crmcore.app.consent_then import check_reference
from crmcore.app.customers import load_parties
from crmcore.app.flow import Flow
from crmcore.app.point_meant import points_meant, points_named
from crmcore.app.resolve import (
    Membership,
    Reference,
    is_id,
    memberships,
    resolve,
)
from crmcore.app.unit import Unit
from crmcore.app.wishes_heard import Hearing
from crmcore.consent.act_reading import ActReader, Sketch
from crmcore.consent.audience import AudienceMember, Barrier
from crmcore.consent.customer_decision import Member, answer
from crmcore.consent.decision import RANK, Decision, Question
from crmcore.consent.event import ConsentEvent
from crmcore.consent.hint import hint_of
from crmcore.consent.policy import Policy
from crmcore.consent.reach import ReachedPoint, kinds_reached
from crmcore.consent.request import Message, Use
from crmcore.consent.usable import as_recorded, asked_about, is_plain, points_held, usable
from crmcore.consent.words import Channel, Purpose
from crmcore.errors import AmbiguousReference, CapabilityMissing, InvalidConsent, NotFound
from crmcore.party.party_keys import PARTY
from crmcore.values.ids import CustomerId, PartyId
from crmcore.values.source import Source

_MANY = 500
"""So many records are read at a time."""

_FEW = 100
"""So many where a store gives bodies alone, as one does that is near: what was read is let go before the garbage
collector counts it among what lasts."""

_LAST = 1 << 30


class _Wanted(NamedTuple):
    """A customer to decide about; *named* is what they were named by, which may be a contact point of theirs."""

    ref: str
    customer: Membership
    named: Reference | None = None


async def audience(
    flow: Flow,
    refs: Iterable[Reference] | None,
    *,
    purpose: Purpose,
    channel: Channel,
    controller: str | None = None,
    message: Message | None = None,
    use: Use | None = None,
    facts: Told | None = None,
    jurisdictions: Sequence[str] = (),
    policy: Policy | None = None,
    at: datetime | None = None,
    known_at: datetime | None = None,
    hearing: Hearing | None = None,
    **asked: Any,
) -> AsyncIterator[AudienceMember]:
    """All customers, or those that *refs* mean, each with the decision, under their wishes with *hearing*."""
    unit = flow.reader()
    moment = unit.now if at is None else at
    request = request_of(flow, purpose, channel, controller, message, use, at=moment, **asked)
    asking = Asking(
        question=Question(request, laws=flow.laws, policy=policy, practice=flow.practice, known_at=known_at),
        at=at,
        told=told_by_id(facts),
        jurisdictions=flow.known_laws().told(jurisdictions),
        secrets=flow.secrets,
        reader=ActReader(unit.codecs["consent.event"]),
        kinds=kinds_reached(channel),
        hearing=hearing,
    )
    found = _of_all(flow, asking) if refs is None else _of_some(flow, asking, refs)
    async for one in found:
        yield one


async def _of_all(flow: Flow, asking: Asking) -> AsyncIterator[AudienceMember]:
    """Every customer, each once, in the order in which they were first recorded."""
    after: str | None = None
    passed = await Passed.nothing(flow)
    while True:
        unit = flow.reader()
        asking = asking.now(unit.now)
        page = await unit.skim(PARTY.tag, after=after, limit=_at_a_time(unit))
        records = {PartyId(id): held_record(asking, body, schema) for id, schema, body in page.items}
        found = await memberships(unit, records)
        firsts = await passed.firsts(unit, records, found)
        wanted = [_Wanted(str(found[id].id), found[id]) for id in firsts]
        async for one in _decided(unit, asking, wanted, records, standing=True):
            yield one
        after = page.next
        if after is None:
            return


async def _of_some(flow: Flow, asking: Asking, refs: Iterable[Reference]) -> AsyncIterator[AudienceMember]:
    """The customers that *refs* mean, in their order."""
    if isinstance(refs, str | bytes | Source) or not isinstance(refs, Iterable):
        raise InvalidConsent("references are several: put a single one into a list")
    seen: set[CustomerId] = set()
    rest = iter(refs)
    while chunk := list(islice(rest, _at_a_time(flow.reader()))):
        unit = flow.reader()
        asking = asking.now(unit.now)
        wanted: list[_Wanted] = []
        told: list[AudienceMember | None] = []
        for ref, customer in zip(chunk, await _meant(unit, chunk), strict=True):
            text = _text(ref)
            if isinstance(customer, str):
                told.append(AudienceMember(ref=text, barrier=customer))
            elif customer.id in seen:
                told.append(AudienceMember(ref=text, customer=customer.id, barrier="repeated"))
            else:
                seen.add(customer.id)
                wanted.append(_Wanted(text, customer, ref))
                told.append(None)
        decided = _decided(unit, asking, wanted, {}, standing=False)
        for one in told:
            yield one if one is not None else await anext(decided)


def _at_a_time(unit: Unit) -> int:
    return _FEW if unit.skims else _MANY


def _text(ref: Reference) -> str:
    return f"{ref.system}#{ref.record}" if isinstance(ref, Source) else str(ref)


async def _meant(unit: Unit, refs: Sequence[Reference]) -> list[Membership | Barrier]:
    """The customer that each of *refs* means, or why there is none. Ids are looked up together."""
    for ref in refs:
        check_reference(ref)
    ids = [PartyId(str(ref)) for ref in refs if is_id(ref)]
    there = {ref.id for ref in await unit.get([unit.ref(PARTY.tag, id) for id in ids], check=False)}
    known = await memberships(unit, [id for id in ids if id in there])
    return [
        known.get(PartyId(str(ref)), "not_found") if is_id(ref) else await _meaning(unit, ref) for ref in refs
    ]


async def _meaning(unit: Unit, ref: Reference) -> Membership | Barrier:
    try:
        return await resolve(unit, ref)
    except (NotFound, CapabilityMissing):  # where a store keeps no order of texts, nobody is found by a name
        return "not_found"
    except AmbiguousReference:
        return "ambiguous"


async def _decided(
    unit: Unit,
    asking: Asking,
    wanted: Sequence[_Wanted],
    records: Mapping[PartyId, HeldRecord],
    *,
    standing: bool,
) -> AsyncIterator[AudienceMember]:
    """The answers for a page of customers, but, with *standing*, for those all of whose records were taken back."""
    page = await read_page(unit, asking, [one.customer for one in wanted], records)
    for one in wanted:
        if not standing or any(
            page.records[id].reach.stands for id in one.customer.members if id in page.records
        ):
            yield await _answered(page, one)


@attrs.define
class _Known:
    """What is known of one customer, worked out once for all of their points.

    *held* are those; *plain* says that all of them may be used at any time, *stands* that not all records of the
    customer were taken back.
    """

    page: Page
    customer: Membership
    sketches: Mapping[PartyId, Sequence[Sketch]]
    held: Sequence[ReachedPoint]
    plain: bool
    stands: bool
    belonged: Mapping[PartyId, datetime] | None = None
    acts: dict[PartyId, tuple[ConsentEvent, ...]] = attrs.field(factory=dict)

    @classmethod
    def of(cls, page: Page, customer: Membership) -> _Known:
        some = {id: sketches_of(page, id) for id in customer.members if id in page.records}
        sketches = {id: acts for id, acts in some.items() if acts is not None}
        here = [page.records[id].reach for id in some]
        held, stands = points_held(here), not here or True in [one.stands for one in here]
        return cls(page, customer, sketches, held, stands and is_plain(held), stands)

    def since(self) -> Mapping[PartyId, datetime]:
        """Since when each record is one of theirs."""
        if self.belonged is None:
            self.belonged = belonging(self.customer, self.page.judged)
        return self.belonged

    async def events(self, id: PartyId, joined: Mapping[str, datetime]) -> tuple[ConsentEvent, ...]:
        """The acts about the points and the person of one of their records that count for it."""
        if id not in self.acts:
            page, some = self.page, self.sketches.get(id)
            act = page.asking.reader.act
            self.acts[id] = await counted_acts(page, id, joined) if some is None else tuple(map(act, some))
        return self.acts[id]


async def _answered(page: Page, wanted: _Wanted) -> AudienceMember:
    """The answer for one customer: of several points that may be meant the one that may be used, the preferred first.

    Who was named by an address that the channel reaches is asked about at that one. Of who was taken back it is that
    they were, at none of their points.
    """
    ref, customer, named = wanted
    known, request = _Known.of(page, customer), page.asking.question.request
    fits = points_meant(named, request.channel, known.held)
    if not page.asking.kinds or not known.stands:
        normals = {point.normal for point in fits}
        alone = normals.pop() if len(normals) == 1 else None
        decision = await _decision(known, alone)
        return AudienceMember(ref=ref, customer=customer.id, point=alone, decision=decision)
    if not known.plain and not (named is not None and points_named(named, fits)):
        fits = usable(fits, request.at)
    if len(fits) > 1:
        fits = sorted(fits, key=lambda point: point.rank or _LAST)
    best: AudienceMember | None = None
    for normal in dict.fromkeys([point.normal for point in fits]):
        decision = await _decision(known, normal)
        if best is None or best.decision is None or RANK[decision.answer] > RANK[best.decision.answer]:
            best = AudienceMember(ref=ref, customer=customer.id, point=normal, decision=decision)
        if best.allowed:
            break
    return best or AudienceMember(ref=ref, customer=customer.id, barrier="unreachable")


async def _decision(known: _Known, point: str | None) -> Decision:
    """The decision about a customer at one *point*, if the same was not answered before."""
    asking = known.page.asking
    hint = _hint(known, point)
    found = None if hint is None else asking.question.recall(hint)
    if found is None:
        members = await _members(known, point)
        found = answer(asking.question, members, point=point, again=True, hint=hint)
    if not known.plain:
        request = asking.question.request
        about = asked_about(known.held, request.channel, point, request.at)
        found = as_recorded(found, about, request.at, stands=known.stands)
    return found if asking.hearing is None else await _heard(known, point, asking.hearing, found)


async def _heard(known: _Known, point: str | None, hearing: Hearing, decision: Decision) -> Decision:
    """The decision under the wishes of the customer; their records are read only if there are any."""
    page = known.page
    wishes = await wishes_on(page, known.customer)
    if not wishes:
        return decision
    parties = await load_parties(page.unit, known.customer.members)
    return await hearing.hear(
        page.unit,
        page.asking.question.request,
        decision,
        wishes,
        {party: page.asking.facts(party.id) for party in parties},
        {str(id): since for id, since in known.since().items()},
        point,
    )


def _hint(known: _Known, point: str | None) -> Hashable:
    """The hint of a customer of one record; none where a list, or the app, may say something of that one alone."""
    page, asking = known.page, known.page.asking
    id, *others = known.customer.members
    if others or id not in known.sketches or entries_about(page, id):
        return None
    told, at = asking.facts(id), asking.question.request.at
    if told is not asking.told and told is not NOTHING:
        return None
    return hint_of(page.records[id].reach, str(id), known.sketches[id], told, point=point, at=at)


async def _members(known: _Known, point: str | None) -> list[Member]:
    """The records of a customer, as `members_for` reads them for one customer alone."""
    page, asking, since = known.page, known.page.asking, known.since()
    here = [id for id in known.customer.members if id in page.records]
    joined = {str(id): since.get(id, page.unit.now) for id in here}
    members = []
    for id in here:
        told, entries = asking.facts(id), entries_about(page, id)
        if entries:
            told = with_listings(told, entries, asking.question.request.to(point))
        events = await known.events(id, joined)
        reach = page.records[id].reach
        members.append(member(id, reach, told, events, asking.jurisdictions, joined[str(id)]))
    return members
