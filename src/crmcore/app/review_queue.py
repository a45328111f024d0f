"""The queue of what waits for a person, as it lies in the store.

Invariant: nothing that waits is missing in the order. What stands there and waits no more is passed over by whoever
reads, and put out of the order by the next deduplication. A store that was written before there was an order is read
whole, until it is deduplicated again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Container, Iterable, Sequence
from typing import Any

import attrs

from crmcore.app.asked import Asked
from crmcore.app.flow import Flow
from crmcore.app.judging import concerned, judgements_on, queue
from crmcore.app.parts import in_parts
from crmcore.app.resolve import Membership, memberships
from crmcore.app.unit import Unit, load_record
from crmcore.identity.customer import Partition, customers
from crmcore.identity.identity_keys import JUDGEMENT, QUEUE, QUEUE_ID, REVIEW, review_sorts, score_bytes
from crmcore.identity.judgement import Judgement, in_doubt, two_customers
from crmcore.identity.review_queue import Queue, place_of, waiting
from crmcore.party.party import Party
from crmcore.party.party_keys import PARTY
from crmcore.storage.protocol import Sort
from crmcore.values.ids import CustomerId, JudgementId, PartyId

STEP = 100
"""So many places of the order are looked at together at most; no more than were asked for."""

AT_ONCE = 200
"""So many judgements are put in order in one batch."""


Stored = tuple[Judgement, frozenset[Sort]]
"""A judgement, and where it stands in the order."""


@attrs.frozen(kw_only=True)
class Weak:
    """A *customer* that a model holds together by *links* that are hardly enough, the weakest first."""

    customer: Membership
    links: tuple[Judgement, ...]

    def among(self, parties: Container[PartyId]) -> Weak | None:
        """The same by the links between *parties*; None if there are none."""
        links = tuple(link for link in self.links if link.a in parties and link.b in parties)
        return attrs.evolve(self, links=links) if links else None


async def pairs_in_doubt(unit: Unit, limit: int) -> tuple[Judgement, ...]:
    """The likeliest pairs that somebody should look at, one for any two customers."""
    if limit < 1:
        return ()
    if not await is_ordered(unit):
        return (await _doubts_of_all(unit))[:limit]
    found: list[Judgement] = []
    async for some in _in_order(unit, "pair", limit):
        doubts = {one.id for one in (await _doubts(unit, some)).values()}
        # A likelier pair of the same two may stand before, of a record that was taken back: each is told at its place.
        found += (judgement for judgement in some if judgement.id in doubts)
        if len(found) >= limit:
            break
    return tuple(found[:limit])


async def _doubts_of_all(unit: Unit) -> tuple[Judgement, ...]:
    """The same without an order: all judgements are read."""
    known = [judgement for judgement, _ in await scan_judgements(unit)]
    asked = [j for j in known if place_of(j) == "pair"]
    if not asked:
        return ()
    doubts = await _doubts(unit, asked)
    return tuple(sorted(doubts.values(), key=lambda j: (-j.score, j.id)))


async def weakly_joined(unit: Unit, limit: int, *, below: int) -> tuple[Weak, ...]:
    """The customers that hang together by a link that a model calls weak, or whose score is less than *below*."""
    found: dict[CustomerId, Weak] = {}
    if not await is_ordered(unit):
        links = [j for j, _ in await scan_judgements(unit) if place_of(j) in ("weak", "link")]
        reached = await memberships(unit, {end for j in links if j.weak or j.score < below for end in j.pair})
        found = await _weak_links(unit, list({c.id: c for c in reached.values()}.values()), below)
        return _weakest(found, limit)
    for place, most in (("weak", None), ("link", below)):
        async for some in _in_order(unit, place, limit, below=most):
            customers_of = await memberships(unit, {end for j in some for end in j.pair})
            fresh = {c.id: c for c in customers_of.values() if c.id not in found}
            found.update(await _weak_links(unit, list(fresh.values()), below))
            if len(found) >= limit:
                break
    return _weakest(found, limit)


def _weakest(found: dict[CustomerId, Weak], limit: int) -> tuple[Weak, ...]:
    def strength(weak: Weak) -> tuple[bool, int, CustomerId]:
        return not weak.links[0].weak, weak.links[0].score, weak.customer.id

    return tuple(sorted(found.values(), key=strength)[:limit])


async def _weak_links(unit: Unit, some: Sequence[Membership], below: int) -> dict[CustomerId, Weak]:
    members = {member: customer for customer in some for member in customer.members}
    inside: dict[CustomerId, list[Judgement]] = {}
    for judgement in await judgements_on(unit, sorted(members)):
        one = members.get(judgement.a)
        if one is not None and one is members.get(judgement.b):
            inside.setdefault(one.id, []).append(judgement)
    found: dict[CustomerId, Weak] = {}
    for customer in some:
        own = inside.get(customer.id, [])
        places = waiting(own, customers(customer.members, own))
        links = [j for j in own if j.id in places and (j.weak or j.score < below)]
        if links:
            links.sort(key=lambda j: (not j.weak, j.score, j.id))
            found[customer.id] = Weak(customer=customer, links=tuple(links))
    return found


async def _in_order(
    unit: Unit, place: str, limit: int, *, below: int | None = None
) -> AsyncIterator[list[Judgement]]:
    """The judgements of one order, some at a time. What a batch has changed of them is seen."""
    after: str | None = None
    hi = None if below is None else score_bytes(below)
    while True:
        page = await unit.range(REVIEW, [place], hi=hi, after=after, limit=max(1, min(limit, STEP)))
        refs = [ref for _, ref in page.items]
        records = await unit.get(refs, check=False)
        yield [load_record(JUDGEMENT, records[ref]) for ref in refs if ref in records]
        after = page.next
        if after is None:
            return


async def _doubts(unit: Unit, some: Sequence[Judgement]) -> dict[frozenset[CustomerId], Judgement]:
    """The doubts between the customers that *some* judgements are about."""
    reached = await memberships(unit, {end for judgement in some for end in judgement.pair})
    customer_of = {member: customer.id for customer in reached.values() for member in customer.members}
    near = [
        j for j in await judgements_on(unit, sorted(customer_of)) if j.a in customer_of and j.b in customer_of
    ]
    asked = {end for j in near if j.live and j.verdict == "unsure" for end in j.pair}
    records = await unit.get([unit.ref(PARTY.tag, party) for party in sorted(asked)], check=False)
    parties = [load_record(PARTY, record) for record in records.values()]
    doubts = in_doubt(near, customer_of.__getitem__, active=active(parties))
    return {two_customers(j, customer_of.__getitem__): j for j in doubts}


def active(parties: Iterable[Party]) -> frozenset[PartyId]:
    """The parties that were not taken back: of others nobody is asked."""
    return frozenset(party.id for party in parties if party.standing == "active")


async def is_ordered(unit: Unit) -> bool:
    """Whether the store keeps what waits in an order."""
    return bool(await unit.get([unit.ref(QUEUE.tag, QUEUE_ID)], check=False))


async def scan_judgements(unit: Unit, tell: Callable[[str, int, int], None] | None = None) -> list[Stored]:
    """All judgements with where they stand in the order, in order of id."""
    found: list[Stored] = []
    after: str | None = None
    while True:
        page = await unit.scan(JUDGEMENT.tag, after=after, limit=1000)
        found += [(load_record(JUDGEMENT, record), record.sorts) for record in page.items]
        if tell is not None:
            tell("reading judgement", len(found), 0)
        after = page.next
        if after is None:
            return found


async def tidy(
    flow: Flow, stored: Iterable[Stored], everything: Iterable[Judgement], partition: Partition
) -> None:
    """Put in order what is not of the judgements that were *stored* before, and note that the store has an order.

    *partition* follows from *everything* that is judged by now.
    """
    places = waiting(everything, partition)
    astray = [j for j, sorts in stored if not j.human and sorts != review_sorts(j, places.get(j.id))]
    written: list[int] = []

    async def write(chunk: Sequence[Judgement]) -> int:
        async def plan(unit: Unit) -> int:
            around = await concerned(unit, sorted({end for j in chunk for end in j.pair}))
            await queue(unit, around, around.judgements, customers(around.parties, around.judgements))
            return len(chunk)

        ids: list[JudgementId] = [judgement.id for judgement in chunk]
        return await flow.commit(plan, asked=Asked("identity.dedupe.order", (ids,)), reason="deduplication")

    for start in range(0, len(astray), AT_ONCE):
        await in_parts(write, astray[start : start + AT_ONCE], written.append)
    await flow.commit(_mark, asked=Asked("identity.dedupe.ordered"), reason="deduplication")


async def _mark(unit: Unit) -> Any:
    if not await is_ordered(unit):
        await unit.put(QUEUE, QUEUE_ID, Queue(), expect=0)
    return 0
