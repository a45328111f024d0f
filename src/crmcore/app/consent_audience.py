"""Deciding about all customers, or about many of them, page by page.

Invariant: each customer gets the answer that `crm.consent.decide` gives; the memory that it takes does not grow with
the number of customers, but for the ids of those that were named.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence, Set
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple, cast

import attrs

from crmcore.app.consent_asking import entries_at, with_listings
from crmcore.app.consent_members import Told, belonging, judgements_in, member
from crmcore.app.flow import Flow
from crmcore.app.resolve import (
    Membership,
    Reference,
    address_in,
    firsts,
    is_id,
    memberships,
    resolve,
)
from crmcore.app.unit import OWNER, Unit
from crmcore.consent.act_reading import ActReader
from crmcore.consent.audience import AudienceMember, Barrier
from crmcore.consent.customer_decision import Member, answer
from crmcore.consent.decision import RANK, Question
from crmcore.consent.event import ConsentEvent
from crmcore.consent.facts import Facts
from crmcore.consent.ledger import party_stream, point_key, point_stream
from crmcore.consent.reach import Reach, reach_of_stored
from crmcore.consent.secret_ring import SecretRing
from crmcore.errors import AmbiguousReference, InvalidConsent, NotFound
from crmcore.identity.judgement import Judgement
from crmcore.party.contact_point import ContactPoint
from crmcore.party.party_keys import PARTY
from crmcore.serde import load
from crmcore.storage.protocol import Key, Record
from crmcore.values.ids import CustomerId, PartyId
from crmcore.values.source import Source

PAGE = 500
"""So many records are read at a time."""

_SHORT = 20
"""Of a longer ledger the acts are read when their customer is decided about."""

_LAST = 1 << 30
_NOTHING = Facts()


@attrs.frozen
class Asking:
    """What is asked of everybody, and what an app knows of them beside the store.

    *at* is the instant that is asked about; None: that at which each page is read. *kinds* are those of contact points
    that the channel reaches; none where it needs none.
    """

    question: Question
    at: datetime | None
    told: Told
    jurisdictions: tuple[str, ...]
    secrets: SecretRing | None
    reader: ActReader
    kinds: frozenset[str]

    def now(self, now: datetime) -> Asking:
        """The same, as it is asked *now*."""
        return self if self.at is not None else attrs.evolve(self, question=self.question.at(now))

    def facts(self, id: PartyId) -> Facts:
        """What the app knows of a record."""
        return self.told if isinstance(self.told, Facts) else self.told.get(str(id), _NOTHING)


class _Wanted(NamedTuple):
    """A customer to decide about; *named* is the normal form of the contact point by which they were named."""

    ref: str
    customer: Membership
    named: str | None = None


@attrs.frozen
class _Page:
    """What was read for a page of customers: their records, how those are reached, and the acts in their ledgers.

    *streams* are the ledgers of contact points of which anything was said. Those in *longer* are read when their
    customer is decided about, so that no more than one long history is held at a time.
    """

    unit: Unit
    asking: Asking
    records: Mapping[PartyId, Record]
    reach: Mapping[PartyId, Reach]
    streams: Mapping[tuple[str, str], Sequence[str]]
    acts: Mapping[str, Sequence[ConsentEvent]]
    longer: Set[str]
    judged: Mapping[str, Sequence[Judgement]]


async def audience_of_all(flow: Flow, asking: Asking) -> AsyncIterator[AudienceMember]:
    """Every customer, each once, in the order in which they were first recorded."""
    after: str | None = None
    while True:
        unit = flow.reader()
        asking = asking.now(unit.now)
        page = await unit.scan(PARTY.tag, after=after, limit=PAGE)
        records = {PartyId(record.ref.id): record for record in page.items}
        found = await memberships(unit, records)
        wanted = [_Wanted(str(found[id].id), found[id]) for id in await firsts(unit, found)]
        async for one in _decided(unit, asking, wanted, records, standing=True):
            yield one
        after = page.next
        if after is None:
            return


async def audience_of(flow: Flow, asking: Asking, refs: Iterable[Reference]) -> AsyncIterator[AudienceMember]:
    """The customers that *refs* mean, in their order."""
    if isinstance(refs, str | bytes | Source):
        raise InvalidConsent("references are several: put a single one into a list")
    seen: set[CustomerId] = set()
    rest = iter(refs)
    while chunk := list(islice(rest, PAGE)):
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
                wanted.append(_Wanted(text, customer, address_in(ref)))
                told.append(None)
        decided = _decided(unit, asking, wanted, {}, standing=False)
        for one in told:
            yield one if one is not None else await anext(decided)


def _text(ref: Reference) -> str:
    return f"{ref.system}#{ref.record}" if isinstance(ref, Source) else str(ref)


async def _meant(unit: Unit, refs: Sequence[Reference]) -> list[Membership | Barrier]:
    """The customer that each of *refs* means, or why there is none. Ids are looked up together."""
    if not all(isinstance(ref, str | Source) for ref in refs):
        raise InvalidConsent("a reference is a text or a Source")
    ids = [PartyId(str(ref)) for ref in refs if is_id(ref)]
    there = {ref.id for ref in await unit.get([unit.ref(PARTY.tag, id) for id in ids], check=False)}
    known = await memberships(unit, [id for id in ids if id in there])
    return [
        known.get(PartyId(str(ref)), "not_found") if is_id(ref) else await _meaning(unit, ref) for ref in refs
    ]


async def _meaning(unit: Unit, ref: Reference) -> Membership | Barrier:
    try:
        return await resolve(unit, ref)
    except NotFound:
        return "not_found"
    except AmbiguousReference:
        return "ambiguous"


async def _decided(
    unit: Unit,
    asking: Asking,
    wanted: Sequence[_Wanted],
    records: Mapping[PartyId, Record],
    *,
    standing: bool,
) -> AsyncIterator[AudienceMember]:
    """The answers for a page of customers, but, with *standing*, for those all of whose records were taken back."""
    page = await _read(unit, asking, [one.customer for one in wanted], records)
    for one in wanted:
        if not standing or any(
            _stands(page.records[id]) for id in one.customer.members if id in page.records
        ):
            yield await _answered(page, one)


def _stands(record: Record) -> bool:
    return bool(record.body.get("standing", "active") == "active")


async def _read(
    unit: Unit, asking: Asking, customers: Sequence[Membership], records: Mapping[PartyId, Record]
) -> _Page:
    ids = [id for customer in customers for id in customer.members]
    missing = [unit.ref(PARTY.tag, id) for id in ids if id not in records]
    more = await unit.get(missing, check=False) if missing else {}
    held = {id: record for id in ids if (record := records.get(id) or more.get(unit.ref(PARTY.tag, id)))}
    reach = {id: reach_of_stored(_plain(record.body), record.schema) for id, record in held.items()}
    points = dict.fromkeys((point.kind, point.normal) for one in reach.values() for point in one.points)
    streams = await _streams(unit, list(points))
    wanted = [*(stream for some in streams.values() for stream in some), *map(party_stream, held)]
    begun, longer = await unit.beginnings(list(dict.fromkeys(wanted)), _SHORT)
    read = asking.reader.read
    return _Page(
        unit=unit,
        asking=asking,
        records=held,
        reach=reach,
        streams=streams,
        acts={stream: [read(body) for _, body in entries] for stream, entries in begun.items()},
        longer=longer,
        judged=await judgements_in(unit, customers),
    )


def _plain(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: one for name, one in body.items() if name != OWNER} if OWNER in body else body


async def _streams(unit: Unit, points: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """The ledgers of each point about which something was said."""
    keys: dict[tuple[str, str], Key] = {point: point_key(*point) for point in points}
    hits = await unit.find(list(dict.fromkeys(keys.values()))) if keys else {}
    return {
        point: list(dict.fromkeys(point_stream(ref.id) for ref in hits[key]))
        for point, key in keys.items()
        if hits[key]
    }


async def _answered(page: _Page, wanted: _Wanted) -> AudienceMember:
    """The answer for one customer: of several points the one that may be used, the preferred of those first.

    Who was named by an address is asked about at that one.
    """
    ref, customer, named = wanted
    kinds = page.asking.kinds
    reached = [point for id in customer.members if id in page.reach for point in page.reach[id].points]
    fits = [point for point in reached if not kinds or point.kind in kinds]
    if any(point.normal == named for point in fits):
        fits = [point for point in fits if point.normal == named]
    elif not kinds:
        decision = answer(page.asking.question, await _members(page, customer, None), again=True)
        return AudienceMember(ref=ref, customer=customer.id, decision=decision)
    fits.sort(key=lambda point: point.rank or _LAST)
    best: AudienceMember | None = None
    for normal in dict.fromkeys(point.normal for point in fits):
        members = await _members(page, customer, normal)
        decision = answer(page.asking.question, members, point=normal, again=True)
        if best is None or best.decision is None or RANK[decision.answer] > RANK[best.decision.answer]:
            best = AudienceMember(ref=ref, customer=customer.id, point=normal, decision=decision)
        if best.allowed:
            break
    return best or AudienceMember(ref=ref, customer=customer.id, barrier="unreachable")


async def _members(page: _Page, customer: Membership, point: str | None) -> list[Member]:
    """The records of a customer, as `members_for` reads them for one customer alone."""
    since = belonging(customer, page.judged)
    members = []
    for id in customer.members:
        if id not in page.records:
            continue
        told = page.asking.facts(id)
        if page.asking.secrets is not None:
            told = await _listed(page, page.asking.secrets, id, point, told)
        events = await _acts(page, id)
        asking = page.asking
        members.append(
            member(id, page.reach[id], told, events, asking.jurisdictions, since.get(id, page.unit.now))
        )
    return members


async def _acts(page: _Page, id: PartyId) -> tuple[ConsentEvent, ...]:
    """The acts about a record's points, and about its person, each once."""
    streams = [
        stream
        for point in page.reach[id].points
        for stream in page.streams.get((point.kind, point.normal), ())
    ]
    found: dict[str, ConsentEvent] = {}
    for stream in (*streams, party_stream(str(id))):
        acts: Iterable[ConsentEvent] = page.acts[stream]
        if stream in page.longer:
            acts = [page.asking.reader.read(body) for _, body in await page.unit.entries(stream)]
        for event in acts:
            found.setdefault(event.id, event)
    return tuple(found.values())


async def _listed(page: _Page, secrets: SecretRing, id: PartyId, point: str | None, told: Facts) -> Facts:
    """*told*, with what the list of suppressed addresses says of the point, or of each."""
    request = page.asking.question.request
    stored = page.records[id].body.get("contact_points", ())
    points: list[ContactPoint] = [load(cast("Any", ContactPoint), one) for one in stored]
    entries = await entries_at(page.unit, secrets, points, point, request.controller)
    return with_listings(told, entries, request.to(point)) if entries else told
