"""Deciding about all customers, or about many of them, page by page.

Invariant: each customer gets the answer that `crm.consent.decide` gives; the memory that it takes does not grow with
the number of customers, but for the ids of those that were named.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple, cast

import attrs

from crmcore.app.consent_members import Told, belonging, judgements_in, member
from crmcore.app.flow import Flow
from crmcore.app.resolve import Membership, Reference, is_id, memberships, resolve
from crmcore.app.suppressions import listings_of
from crmcore.app.unit import OWNER, Unit
from crmcore.consent.act_reading import ActReader
from crmcore.consent.audience import AudienceMember, Barrier
from crmcore.consent.customer_decision import BEGINNING, Member, answer
from crmcore.consent.decision import RANK, Decision, Question
from crmcore.consent.event import ConsentEvent
from crmcore.consent.facts import Facts
from crmcore.consent.ledger import party_stream, point_key, point_stream
from crmcore.consent.reach import Reach, reach_of_stored
from crmcore.consent.secret_ring import SecretRing
from crmcore.errors import AmbiguousReference, NotFound
from crmcore.party.contact_point import ContactPoint
from crmcore.party.party_keys import PARTY
from crmcore.serde import load
from crmcore.storage.protocol import Key, Record
from crmcore.values.ids import CustomerId, PartyId
from crmcore.values.source import Source

PAGE = 500
"""So many records are read at a time."""

_NOTHING = Facts()


_FRESH = timedelta(minutes=1)


@attrs.frozen
class Asking:
    """What is asked of everybody, and what an app knows of them beside the store.

    *ask* makes the question at an instant; *at* is that instant, or None: whenever each page is read.
    """

    ask: Callable[[datetime], Question]
    at: datetime | None
    told: Told
    jurisdictions: tuple[str, ...]
    secrets: SecretRing | None
    reader: ActReader
    kinds: frozenset[str]
    """The kinds of contact points that the channel reaches; none where it needs none."""

    def again(self, before: Question | None, now: datetime) -> Question:
        """The question at *now*: the one *before*, unless it is a minute old, since it knows many answers already."""
        if before is not None and (self.at is not None or now - before.request.at < _FRESH):
            return before
        return self.ask(now if self.at is None else self.at)

    def facts(self, id: PartyId) -> Facts:
        """What the app knows of a record."""
        return self.told if isinstance(self.told, Facts) else self.told.get(str(id), _NOTHING)


class _Known(NamedTuple):
    """What was read for a page: the records with how they are reached, and the acts in ledgers; and the question."""

    question: Question

    records: dict[PartyId, Record]
    reach: dict[PartyId, Reach]
    of_points: dict[tuple[str, str], tuple[ConsentEvent, ...]]
    of_parties: dict[PartyId, tuple[ConsentEvent, ...]]
    since: dict[CustomerId, Mapping[PartyId, datetime]]


async def audience_of_all(flow: Flow, asking: Asking) -> AsyncIterator[AudienceMember]:
    """Every customer, each once, in the order in which they were first recorded."""
    after: str | None = None
    question: Question | None = None
    while True:
        unit = flow.reader()
        question = asking.again(question, unit.now)
        page = await unit.scan(PARTY.tag, after=after, limit=PAGE)
        records = {PartyId(record.ref.id): record for record in page.items}
        found = await memberships(unit, records)
        first = [(str(id), found[id]) for id in records if found[id].members[0] == id]
        for one in await _decided(unit, asking, question, first, records, standing=True):
            yield one
        after = page.next
        if after is None:
            return


async def audience_of(flow: Flow, asking: Asking, refs: Iterable[Reference]) -> AsyncIterator[AudienceMember]:
    """The customers that *refs* mean, in their order."""
    seen: set[CustomerId] = set()
    rest = iter(refs)
    question: Question | None = None
    while chunk := list(islice(rest, PAGE)):
        unit = flow.reader()
        question = asking.again(question, unit.now)
        wanted: list[tuple[str, Membership]] = []
        told: list[AudienceMember | None] = []
        for ref, customer in zip(chunk, await _meant(unit, chunk), strict=True):
            if isinstance(customer, str):
                told.append(AudienceMember(ref=_named(ref), barrier=customer))
            elif customer.id in seen:
                told.append(AudienceMember(ref=_named(ref), customer=customer.id, barrier="repeated"))
            else:
                seen.add(customer.id)
                wanted.append((_named(ref), customer))
                told.append(None)
        decided = iter(await _decided(unit, asking, question, wanted, {}, standing=False))
        for one in told:
            yield one if one is not None else next(decided)


def _named(ref: Reference) -> str:
    return f"{ref.system}#{ref.record}" if isinstance(ref, Source) else str(ref)


async def _meant(unit: Unit, refs: Sequence[Reference]) -> list[Membership | Barrier]:
    """The customer that each of *refs* means, or why there is none. Ids are looked up together."""
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
    question: Question,
    customers: Sequence[tuple[str, Membership]],
    records: Mapping[PartyId, Record],
    *,
    standing: bool,
) -> list[AudienceMember]:
    """The answers for a page of customers, but, with *standing*, for those all of whose records were taken back."""
    known = await _read(unit, asking, question, [customer for _, customer in customers], records)
    found = []
    for ref, customer in customers:
        if standing and not any(_stands(known.records[id]) for id in customer.members if id in known.records):
            continue
        found.append(await _asked(unit, asking, ref, customer, known))
    return found


def _stands(record: Record) -> bool:
    return bool(record.body.get("standing", "active") == "active")


async def _read(
    unit: Unit,
    asking: Asking,
    question: Question,
    customers: Sequence[Membership],
    records: Mapping[PartyId, Record],
) -> _Known:
    ids = [id for customer in customers for id in customer.members]
    missing = [unit.ref(PARTY.tag, id) for id in ids if id not in records]
    more = await unit.get(missing, check=False) if missing else {}
    held = {id: record for id in ids if (record := records.get(id) or more.get(unit.ref(PARTY.tag, id)))}
    reach = {id: reach_of_stored(_plain(record.body), record.schema) for id, record in held.items()}
    points = _points(asking, reach.values())
    streams = await _streams(unit, points)
    wanted = [*(stream for some in streams.values() for stream in some), *map(party_stream, held)]
    ledgers = await unit.ledgers(list(dict.fromkeys(wanted)))

    def acts(some: Iterable[str]) -> tuple[ConsentEvent, ...]:
        return tuple([asking.reader.read(body) for stream in some for _, body in ledgers[stream]])

    clustered = [customer for customer in customers if customer.cluster is not None]
    judged = await judgements_in(unit, clustered)
    return _Known(
        question=question,
        records=held,
        reach=reach,
        of_points={point: acts(some) for point, some in streams.items()},
        of_parties={id: acts([party_stream(id)]) for id in held},
        since={customer.id: belonging(customer, judged) for customer in clustered},
    )


def _plain(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: one for name, one in body.items() if name != OWNER} if OWNER in body else body


def _points(asking: Asking, reaches: Iterable[Reach]) -> list[tuple[str, str]]:
    """The contact points whose acts may count: those that the channel reaches, or all where it needs none.

    An act about another point says nothing of a contact at this one.
    """
    kinds = asking.kinds
    return list(
        dict.fromkeys(
            (point.kind, point.normal)
            for reach in reaches
            for point in reach.points
            if not kinds or point.kind in kinds
        )
    )


async def _streams(unit: Unit, points: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """The ledgers of each point about which something was said."""
    keys: dict[tuple[str, str], Key] = {point: point_key(*point) for point in points}
    hits = await unit.find(list(dict.fromkeys(keys.values()))) if keys else {}
    return {
        point: list(dict.fromkeys(point_stream(ref.id) for ref in hits[key]))
        for point, key in keys.items()
        if hits[key]
    }


async def _asked(unit: Unit, asking: Asking, ref: str, customer: Membership, known: _Known) -> AudienceMember:
    """The answer for one customer: of several points the one that may be used, the preferred of those first."""
    kinds = asking.kinds
    if not kinds:
        decision = await _decide(unit, asking, customer, known, None)
        return AudienceMember(ref=ref, customer=customer.id, decision=decision)
    points = sorted(
        (
            point
            for id in customer.members
            if id in known.reach
            for point in known.reach[id].points
            if point.kind in kinds
        ),
        key=lambda point: point.rank or _LAST,
    )
    best: AudienceMember | None = None
    for point in dict.fromkeys((point.kind, point.normal) for point in points):
        decision = await _decide(unit, asking, customer, known, point)
        if best is None or best.decision is None or RANK[decision.answer] > RANK[best.decision.answer]:
            best = AudienceMember(ref=ref, customer=customer.id, point=point[1], decision=decision)
        if best.allowed:
            break
    return best or AudienceMember(ref=ref, customer=customer.id, barrier="unreachable")


_LAST = 1 << 30


async def _decide(
    unit: Unit, asking: Asking, customer: Membership, known: _Known, point: tuple[str, str] | None
) -> Decision:
    members = [
        await _member(unit, asking, id, customer, known, point)
        for id in customer.members
        if id in known.records
    ]
    return answer(known.question, members, point=None if point is None else point[1], again=True)


async def _member(
    unit: Unit,
    asking: Asking,
    id: PartyId,
    customer: Membership,
    known: _Known,
    point: tuple[str, str] | None,
) -> Member:
    """A record, with the acts about the point if it has that, and about its person."""
    reach, told = known.reach[id], asking.facts(id)
    events: dict[str, ConsentEvent] = {}
    for one in reach.points:
        place = (one.kind, one.normal)
        if point is None or place == point:
            for event in known.of_points.get(place, ()):
                events.setdefault(event.id, event)
    for event in known.of_parties[id]:
        events.setdefault(event.id, event)
    if asking.secrets is not None:
        told = await _listed(unit, asking.secrets, known, id, point, told)
    belongs = known.since.get(customer.id)
    since = BEGINNING if belongs is None else belongs.get(id, unit.now)
    return member(id, reach, told, tuple(events.values()), asking.jurisdictions, since)


async def _listed(
    unit: Unit,
    secrets: SecretRing,
    known: _Known,
    id: PartyId,
    point: tuple[str, str] | None,
    told: Facts,
) -> Facts:
    """*told*, with what the list of suppressed addresses says of the point."""
    points: list[ContactPoint] = [
        one
        for stored in known.records[id].body.get("contact_points", ())
        if point is None or stored["kind"] == point[0]
        for one in [load(cast("Any", ContactPoint), stored)]
        if point is None or one.key == point[1]
    ]
    if not points:
        return told
    request = known.question.request.to(None if point is None else point[1])
    listed = await listings_of(unit, secrets, points, request, told.zones)
    return attrs.evolve(told, listings=(*told.listings, *listed)) if listed else told
