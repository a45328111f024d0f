"""Writing what a matcher found: the judgements to add and to take back, and the customers that follow.

Invariant: whole customers are written at a time, those that a judgement leaves and those that it makes together. What
people said meanwhile is honoured, and a SAME that would not join is not written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import attrs

from crmcore.app.asked import Asked
from crmcore.app.flow import Flow
from crmcore.app.judging import concerned, put_judgement, settle
from crmcore.app.parts import in_parts
from crmcore.app.unit import Unit
from crmcore.identity.cluster import Link, agglomerate
from crmcore.identity.customer import Partition, customers
from crmcore.identity.deduplication import MatchedPair
from crmcore.identity.identity_events import Verdict
from crmcore.identity.judgement import Judgement, Retraction, judge, standing
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.ids import JudgementId, PartyId
from crmcore.values.source import Actor


@attrs.frozen(kw_only=True)
class Findings:
    """Judgements to add and judgements to take back, as matchers of these names say by now."""

    new: tuple[Judgement, ...] = ()
    outlived: Mapping[JudgementId, str] = attrs.field(factory=dict[JudgementId, str])

    def without_outlived(self, judgements: Sequence[Judgement]) -> list[Judgement]:
        """*judgements* but those that are taken back."""
        return [judgement for judgement in judgements if judgement.id not in self.outlived]


def machine_judgement(
    now: datetime,
    id: JudgementId,
    a: PartyId,
    b: PartyId,
    verdict: Verdict,
    model: str,
    pair: MatchedPair,
    decision: JudgementId | None,
) -> Judgement:
    """What a matcher says of two parties, with its evidence."""
    return judge(
        id=id,
        a=a,
        b=b,
        verdict=verdict,
        actor=Actor(kind="model", id=model),
        recorded_at=now,
        model=model,
        decision=decision,
        score=pair.match.score,
        weak=pair.match.weak,
        support=pair.support if verdict == "same" else 1,
        evidence=tuple(
            FrozenMap({"field": r.field, "level": r.level, "points": r.points, "detail": r.detail})
            for r in pair.match.reasons
        ),
    )


def is_news(known: Judgement | None, verdict: str) -> bool:
    """Whether a matcher's verdict is worth writing: nobody has judged the pair, or it was unsure and is so no more."""
    return known is None or (not known.human and known.verdict == "unsure" and verdict == "same")


async def take_back(unit: Unit, judgement: Judgement, matcher: str) -> Judgement:
    """Take back what a model said of two records that are not the same any more, as *matcher* says."""
    retraction = Retraction(actor=Actor(kind="model", id=matcher), at=unit.now, reason="deduplication")
    after = attrs.evolve(judgement.retract(retraction), version=judgement.version + 1)
    await put_judgement(unit, after, expect=judgement.version)
    return after


async def record(
    flow: Flow,
    ids: Sequence[PartyId],
    known: Sequence[Judgement],
    found: Findings,
    tell: Callable[[str, int, int], None],
) -> int:
    """Write what was *found* and the clusters that follow, whole customers at a time, as many as a batch takes."""
    places = _places(ids, known, found)
    new: dict[PartyId, list[Judgement]] = {}
    members: dict[PartyId, list[PartyId]] = {}
    touched = [*found.new, *(judgement for judgement in known if judgement.id in found.outlived)]
    here = {places[judgement.a] for judgement in touched}
    for party in ids:
        if places[party] in here:
            members.setdefault(places[party], []).append(party)
    for judgement in found.new:
        new.setdefault(places[judgement.a], []).append(judgement)
    room = max(1, flow.store.describe().limits.max_ops // 4)
    done = 0
    sizes = {place: len(new.get(place, ())) + len(members[place]) for place in here}
    written: list[int] = []

    async def write(chunk: Sequence[PartyId]) -> int:
        parties = [party for place in chunk for party in members[place]]
        judgements = [judgement for place in chunk for judgement in new.get(place, ())]

        async def plan(unit: Unit) -> int:
            return await _record(unit, parties, judgements, found.outlived)

        asked = Asked("identity.dedupe", ([judgement.pair for judgement in judgements] or parties,))
        return await flow.commit(plan, asked=asked, reason="deduplication")

    for chunk in _chunks(sorted(here), sizes, room):
        await in_parts(write, chunk, written.append)
        done += len(chunk)
        tell("writing customers", done, len(here))
    return sum(written)


def _places(ids: Sequence[PartyId], known: Sequence[Judgement], found: Findings) -> Mapping[PartyId, PartyId]:
    """For each party the first one of those to be written together with it: the customers before and after."""
    after = customers(ids, [*found.without_outlived(known), *found.new])
    if not found.outlived:
        return {PartyId(member): group[0] for group in after.groups for member in group}
    groups = (*customers(ids, known).groups, *after.groups)
    links = [Link(group[0], member, True) for group in groups for member in group[1:]]
    return {member: group[0] for group in agglomerate(ids, links, ()).groups for member in group}


def _chunks(items: Sequence[PartyId], sizes: Mapping[PartyId, int], room: int) -> Iterator[list[PartyId]]:
    """*items* in order, in chunks whose sizes sum to no more than *room*, or of one item that is larger."""
    chunk: list[PartyId] = []
    total = 0
    for item in items:
        if chunk and total + sizes[item] > room:
            yield chunk
            chunk, total = [], 0
        chunk.append(item)
        total += sizes[item]
    if chunk:
        yield chunk


async def _record(
    unit: Unit, members: Sequence[PartyId], new: Sequence[Judgement], outlived: Mapping[JudgementId, str]
) -> int:
    """Write judgements and what follows from them and from all that people have said by now; how many.

    What was judged meanwhile is left out, and so is a SAME that no longer joins: it would wait for a DIFFERENT to be
    taken back without anybody having looked at the two again.
    """
    around = await concerned(unit, members)
    before = list(around.judgements)
    taken_back = 0
    for at, judgement in enumerate(before):
        if judgement.live and judgement.id in outlived:
            before[at] = await take_back(unit, judgement, outlived[judgement.id])
            taken_back += 1
    said = standing(before)
    fresh = [judgement for judgement in new if is_news(said.get(judgement.pair), judgement.verdict)]
    partition = customers(around.parties, [*before, *fresh])
    kept = [judgement for judgement in fresh if judgement.verdict != "same" or joins(judgement, partition)]
    for judgement in kept:
        await put_judgement(unit, judgement, expect=0)
    await settle(unit, around, [*before, *kept])
    return len(kept) + taken_back


def joins(judgement: Judgement, partition: Partition) -> bool:
    """Whether the two are one customer."""
    a, b = judgement.pair
    return a in partition and b in partition and partition.of(a) == partition.of(b)
