"""Resolving one place of a store anew: the records that hang together there, grouped as if all were grouped at once.

Invariant: a plan reads whom a decision can reach, guarded, and writes the judgements that make the customers there what
the model and people say: SAMEs of models that hold no more are taken back, those that are missing are added as one
decision for each customer. Where nothing changed nothing is written. What was judged of a retracted record stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from crmcore.app.customers import load_parties
from crmcore.app.deduplication import employers_of
from crmcore.app.flow import Flow
from crmcore.app.judging import Concerned, concerned, judgements_on, pass_over, put_judgement, settle
from crmcore.app.recording import is_news, machine_judgement, take_back
from crmcore.app.resolve import memberships
from crmcore.app.review_queue import active
from crmcore.app.surroundings import Seen, Surroundings
from crmcore.app.unit import Unit
from crmcore.identity.customer import Partition, customers
from crmcore.identity.deduplication import Deduplication, MatchedPair, regroup
from crmcore.identity.features import features_of
from crmcore.identity.judgement import (
    Judgement,
    Pair,
    in_doubt,
    links_of,
    said_by_way_of_others,
    standing,
    two_customers,
)
from crmcore.identity.quick_scoring import QuickScorer
from crmcore.party.party import Party
from crmcore.values.ids import CustomerId, JudgementId, PartyId

_DOUBTS = 20
"""So many doubtful pairs of a record with others are looked at, the likeliest."""


@attrs.frozen(kw_only=True)
class Resolved:
    """What came of one place: the *parties* that hang together and their *customers*, how many *same* judgements were
    added, *doubts* put to review and judgements *taken_back*; of *unknown* pairs of values one cannot see who has them.
    """

    parties: frozenset[PartyId]
    customers: tuple[CustomerId, ...] = ()
    same: int = 0
    doubts: int = 0
    taken_back: int = 0
    unknown: int = 0

    @property
    def written(self) -> int:
        """How many judgements were written."""
        return self.same + self.doubts + self.taken_back


@attrs.frozen(kw_only=True)
class Settings:
    """By what is resolved: a model at work, the largest block, and whether what was judged before is compared again
    without a key that says so, since neighbours were looked for then. *seen* is what the round of a run has read."""

    scorer: QuickScorer
    cap: int
    near: bool
    seen: Seen = attrs.field(factory=Seen, repr=False)


async def resolve_place(flow: Flow, unit: Unit, start: PartyId, by: Settings) -> Resolved:
    """Plan what makes the customers around a party what they should be."""
    place = _Place(unit, by)
    await place.close(start)
    around = await concerned(unit, sorted(place.members))
    fringe = place.fringe(around)
    parties: list[Party] = await load_parties(unit, sorted({*place.compared, *fringe}))
    found, order = await _grouped(unit, parties, place, around, by)
    wanted = _wanted(around, found, order, place)
    taken_back = await _take_back(unit, around, wanted, by)
    after = [taken_back.get(j.id, j) for j in around.judgements]
    added = _missing(flow, unit, around, after, found, order, wanted)
    for judgement in added:
        await put_judgement(unit, judgement, expect=0)
    after += added
    partition = await settle(unit, around, after) if taken_back or added else customers(around.parties, after)
    await pass_over(unit, around, partition)
    doubts = await _doubts(flow, unit, around, partition, found, order)
    return Resolved(
        parties=frozenset(around.parties),
        customers=tuple(sorted({partition.of(party) for party in around.parties})),
        same=len(added),
        doubts=doubts,
        taken_back=len(taken_back),
        unknown=place.unknown,
    )


class _Place:
    """The records that hang together: by pairs that the model takes for the same, by judgements, by customers."""

    def __init__(self, unit: Unit, by: Settings) -> None:
        self.unit = unit
        self.by = by
        self.sight = Surroundings(unit, by.scorer.places, by.cap, by.seen)
        self.members: set[PartyId] = set()
        self.compared: set[PartyId] = set()
        self.pairs: set[Pair] = set()
        self.doubtful: dict[Pair, int] = {}
        self.unknown = 0

    async def close(self, start: PartyId) -> None:
        """Go on until nobody is added."""
        frontier = [start]
        while frontier:
            around = await concerned(self.unit, frontier)
            fresh = sorted(set(around.parties) - self.members)
            self.members.update(fresh)
            judged = _judged_with(around.judgements) if self.by.near else {}
            reached: set[PartyId] = set()
            for id in fresh:
                reached |= await self._look(id, judged.get(id, set()))
            frontier = sorted(reached - self.members)

    async def _look(self, id: PartyId, judged: set[PartyId]) -> set[PartyId]:
        """Compare a record with its partners; those that the model takes for the same."""
        await self.sight.load([id, *judged])
        this = self.sight.known[id]
        scorer = self.by.scorer
        if this is None or not scorer.matcher.suits(this.kind):
            return set()
        self.compared.add(id)
        partners, unknown = (await self.sight.of(this)).partners()
        self.unknown += unknown
        partners |= {other for other in judged if self.sight.known[other] is not None}
        partners.discard(id)
        same: set[PartyId] = set()
        with scorer.lock:
            scorer.begin()
            mine = scorer.add(this)
            for other in sorted(partners):
                projection = self.sight.known[other]
                assert projection is not None  # it was found by a key
                row = scorer.add(projection)
                if scorer.hopeless(mine, row):
                    continue
                found = scorer.score(mine, row)
                verdict = scorer.matcher.verdict(found)
                pair = _pair(id, PartyId(other))
                if verdict == "same":
                    same.add(PartyId(other))
                    self.pairs.add(pair)
                elif verdict == "unsure":
                    self.doubtful[pair] = found.score
        return same

    def fringe(self, around: Concerned) -> set[PartyId]:
        """The records outside with which there are doubts; of each record the likeliest ones."""
        inside = set(around.parties)
        per: dict[PartyId, list[tuple[int, Pair]]] = {}
        for pair, score in self.doubtful.items():
            for end in pair:
                if end in inside:
                    per.setdefault(end, []).append((-score, pair))
        kept = {pair for doubts in per.values() for _, pair in sorted(doubts)[:_DOUBTS]}
        self.pairs |= kept
        return {end for pair in kept for end in pair} - inside


def _pair(a: PartyId, b: PartyId) -> Pair:
    return (a, b) if a < b else (b, a)


def _judged_with(judgements: Iterable[Judgement]) -> dict[PartyId, set[PartyId]]:
    """With whom models have taken each record for the same."""
    found: dict[PartyId, set[PartyId]] = {}
    for j in judgements:
        if j.live and not j.human and j.verdict == "same":
            found.setdefault(j.a, set()).add(j.b)
            found.setdefault(j.b, set()).add(j.a)
    return found


async def _grouped(
    unit: Unit, parties: Sequence[Party], place: _Place, around: Concerned, by: Settings
) -> tuple[Deduplication, list[PartyId]]:
    """The groups of the records of a place, and the party at each position."""
    employers = await employers_of(unit, parties)
    order = [party.id for party in parties]
    at = {id: position for position, id in enumerate(order)}
    features = [features_of(party, employers.get(party.id, ())) for party in parties]
    together, apart = await _said(unit, sorted({*around.parties, *order}))
    found = regroup(
        features,
        by.scorer.matcher,
        [(at[a], at[b]) for a, b in sorted(place.pairs) if a in at and b in at],
        apart=[(at[a], at[b]) for a, b in apart if a in at and b in at],
        together=[(at[a], at[b]) for a, b in together if a in at and b in at],
        # They stand for themselves alone, though others hold the same.
        decided=sorted({at[end] for pair in (*together, *apart) for end in pair if end in at}),
    )
    return found, order


async def _said(unit: Unit, parties: Sequence[PartyId]) -> tuple[list[Pair], list[Pair]]:
    """Which active parties people put together and which they keep apart, of those that have one of *parties*."""
    said = {judgement.id: judgement for judgement in await judgements_on(unit, parties)}
    links, apart = links_of(said.values())
    ends = {end for link in links if link.human for end in (link.a, link.b)} | {
        end for two in apart for end in two
    }
    active = await _active(unit, ends)
    if beyond := ends - active - set(parties):
        # Whom else people took for somebody who was taken back.
        around = await concerned(unit, sorted(beyond))
        said.update((judgement.id, judgement) for judgement in around.judgements)
        links, apart = links_of(said.values())
        active |= await _active(unit, {end for link in links for end in (link.a, link.b)} - ends)
    together = [(link.a, link.b) for link in links if link.human and link.a in active and link.b in active]
    more_together, more_apart = said_by_way_of_others(links, apart, active)
    return together + more_together, [pair for pair in apart if active.issuperset(pair)] + more_apart


async def _active(unit: Unit, parties: Iterable[PartyId]) -> set[PartyId]:
    return {party.id for party in await load_parties(unit, sorted(parties)) if party.standing == "active"}


def _wanted(
    around: Concerned, found: Deduplication, order: Sequence[PartyId], place: _Place
) -> Mapping[PartyId, int]:
    """The group of each party that was compared."""
    return {id: found.labels[position] for position, id in enumerate(order) if id in place.compared}


async def _take_back(
    unit: Unit, around: Concerned, wanted: Mapping[PartyId, int], by: Settings
) -> dict[JudgementId, Judgement]:
    """Take back what models said of records that are not the same any more."""
    taken: dict[JudgementId, Judgement] = {}
    for judgement in around.judgements:
        if not judgement.live or judgement.human or judgement.verdict != "same":
            continue
        a, b = wanted.get(judgement.a), wanted.get(judgement.b)
        if a is None or b is None or a == b:
            continue
        taken[judgement.id] = await take_back(unit, judgement, by.scorer.matcher.name)
    return taken


def _missing(
    flow: Flow,
    unit: Unit,
    around: Concerned,
    known: Sequence[Judgement],
    found: Deduplication,
    order: Sequence[PartyId],
    wanted: Mapping[PartyId, int],
) -> list[Judgement]:
    """The links that join what is not joined yet, one decision for each customer."""
    before = customers(around.parties, known)
    said = standing(known)
    decisions: dict[int, JudgementId] = {}
    new: list[Judgement] = []
    for link in found.links:
        a, b = _pair(order[link.a], order[link.b])
        if a not in wanted or b not in wanted or before.of(a) == before.of(b):
            continue
        if not is_news(said.get((a, b)), "same"):
            continue
        this = unit.ids.new(JudgementId, near=a)
        decision = decisions.setdefault(found.labels[link.a], this)
        new.append(machine_judgement(unit.now, this, a, b, "same", found.matcher, link, decision))
    partition = customers(around.parties, [*known, *new])
    return [j for j in new if partition.of(j.a) == partition.of(j.b)]


async def _doubts(
    flow: Flow,
    unit: Unit,
    around: Concerned,
    partition: Partition,
    found: Deduplication,
    order: Sequence[PartyId],
) -> int:
    """Put the pairs to review that nobody was asked of and nobody has judged; how many."""
    pairs: list[tuple[PartyId, PartyId, MatchedPair]] = [
        (*_pair(order[pair.a], order[pair.b]), pair)
        for pair in found.unsure
        if order[pair.a] in partition or order[pair.b] in partition
    ]
    if not pairs:
        return 0
    judged = [j for j in await judgements_on(unit, around.parties) if j.live]
    outside = {end for j in judged for end in j.pair} | {end for a, b, _ in pairs for end in (a, b)}
    where = await memberships(unit, sorted(end for end in outside if end not in partition))

    def customer(party: PartyId) -> CustomerId:
        return partition.of(party) if party in partition else where[party].id

    said = standing(judged)
    doubtful = {end for pair, j in said.items() if not j.human and j.verdict == "unsure" for end in pair}
    # Nobody is asked about a record that was taken back, so what was doubtful of it is asked of another one.
    here = active(await load_parties(unit, sorted(doubtful)))
    asked = {two_customers(j, customer) for j in judged if j.human}
    asked |= {two_customers(j, customer) for j in in_doubt(judged, customer, active=here)}
    count = 0
    for a, b, pair in pairs:
        two = frozenset((customer(a), customer(b)))
        if len(two) < 2 or two in asked or not is_news(said.get((a, b)), "unsure"):
            continue
        asked.add(two)
        this = unit.ids.new(JudgementId, near=a)
        judgement = machine_judgement(unit.now, this, a, b, "unsure", found.matcher, pair, None)
        await put_judgement(unit, judgement, expect=0)
        count += 1
    return count
