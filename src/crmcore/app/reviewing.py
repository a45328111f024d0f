"""Putting before a person what waits, and taking over what was decided.

Invariant: a decision is written whole or not at all, and never against what a person says already: that is reported.
What is taken over was read whole before; taking it over again writes nothing.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Literal

import attrs

from crmcore.app.asked import Asked
from crmcore.app.customers import load_parties
from crmcore.app.flow import Flow
from crmcore.app.judging import Concerned, Said, concerned, refuse_kinds, say
from crmcore.app.parts import in_parts
from crmcore.app.resolve import memberships
from crmcore.app.review_queue import Weak, active, pairs_in_doubt, weakly_joined
from crmcore.app.suppressed import note_merged
from crmcore.app.unit import Unit
from crmcore.errors import ClusterTooLarge, InvalidDecisions, InvalidJudgement
from crmcore.identity.customer import Partition, customers
from crmcore.identity.fallback import MatcherByKind
from crmcore.identity.identity_events import Verdict
from crmcore.identity.judgement import Judgement
from crmcore.identity.model.policy import Policy
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.identity.review import (
    NEAR,
    SHOWN,
    Review,
    ReviewItem,
    ReviewLink,
    ReviewRecord,
    ReviewStep,
    fields_of,
    ordered,
)
from crmcore.identity.review_decisions import Decisions, ReviewDecision
from crmcore.party.party import Party
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.ids import CustomerId, Id, JudgementId, PartyId
from crmcore.values.source import Actor

AT_ONCE = 20
"""So many decisions are written in one batch at most."""

PARTS = 6
"""Operations that a part of a decision takes at most."""

Refusal = Literal["decided otherwise", "taken back since", "cannot be joined", "no such record"]


@attrs.frozen(kw_only=True)
class ReviewRefusal:
    """Why a decision on the records *a* and *b* was not taken over; *judgements* are those that speak against it."""

    item: str
    a: str
    b: str
    why: Refusal
    judgements: tuple[JudgementId, ...] = ()


@attrs.frozen(kw_only=True)
class ReviewOutcome:
    """What came of decisions: how many were *written*, had been *known* before, or were *skipped*; and the *refused*.

    *judgements* counts what was written by what it says.
    """

    written: int
    known: int
    skipped: int
    refused: tuple[ReviewRefusal, ...] = ()
    judgements: FrozenMap[str, int] = attrs.field(factory=lambda: FrozenMap[str, int]())

    def text(self) -> str:
        """The outcome in one line."""
        parts = [(self.written, "taken over"), (self.known, "known before"), (self.skipped, "skipped")]
        parts.append((len(self.refused), "not taken over"))
        return ", ".join(f"{count:,} {what}" for count, what in parts if count or what == "taken over")


# --- what waits ---------------------------------------------------------------------------------------------


async def review_of(flow: Flow, limit: int) -> Review:
    """What waits for a person, with what the records say: pairs first, then hardly joined customers."""
    unit = flow.reader()
    policy = _policy(flow)
    pairs = await pairs_in_doubt(unit, limit)
    below = (policy.same_at if policy else 0) + NEAR
    weak = await weakly_joined(unit, limit - len(pairs), below=below) if len(pairs) < limit else ()
    ids = {end for judgement in pairs for end in judgement.pair}
    ids |= {member for weakness in weak for member in weakness.customer.members}
    parties = {party.id: party for party in await load_parties(unit, sorted(ids))}
    sizes = {id: len(found.members) for id, found in (await memberships(unit, sorted(ids))).items()}
    items = [_pair(judgement, parties, sizes) for judgement in pairs]
    here = active(parties.values())
    weak = tuple(found for weakness in weak if (found := weakness.among(here)) is not None)
    items += [_customer(weakness, parties, here) for weakness in weak]
    judged = [*pairs, *(link for weakness in weak for link in weakness.links)]
    return Review(
        id=flow.ids.new(Id),
        made_at=flow.clock(),
        of="store",
        name=flow.tenant,
        items=tuple(items),
        decided_by=tuple(sorted({judgement.model for judgement in judged if judgement.model is not None})),
        same_at=policy.same_at if policy else None,
        review_at=policy.review_at if policy else None,
        order=ordered(record for item in items for record in item.records),
    )


def _policy(flow: Flow) -> Policy | None:
    """By which thresholds a model decides; rules have others."""
    if flow.learner is not None:
        return flow.learner.policy
    matcher = flow.matcher.of("person") if isinstance(flow.matcher, MatcherByKind) else flow.matcher
    return matcher.model.policy if isinstance(matcher, LearnedMatcher) else None


def _pair(judgement: Judgement, parties: dict[PartyId, Party], sizes: dict[PartyId, int]) -> ReviewItem:
    return ReviewItem(
        id=judgement.id,
        kind="pair",
        records=tuple(_record(parties[end], sizes[end] - 1) for end in judgement.pair),
        links=(_link(judgement, judgement.pair),),
    )


def _customer(weak: Weak, parties: dict[PartyId, Party], here: Container[PartyId]) -> ReviewItem:
    """A customer by its records that are *here*; those of the weak links stand before the others."""
    ends = [end for link in weak.links for end in link.pair]
    members = [m for m in dict.fromkeys([*ends, *weak.customer.members]) if m in here]
    shown, more = members[:SHOWN], members[SHOWN:]
    return ReviewItem(
        id=weak.links[0].id,
        kind="customer",
        records=tuple(_record(parties[member], 0) for member in shown),
        links=tuple(_link(link, shown) for link in weak.links if set(link.pair) <= set(shown)),
        more=tuple(more),
    )


def _record(party: Party, others: int) -> ReviewRecord:
    return ReviewRecord(id=str(party.id), fields=fields_of(party), others=others)


def _link(judgement: Judgement, records: Sequence[PartyId]) -> ReviewLink:
    return ReviewLink(
        a=records.index(judgement.a),
        b=records.index(judgement.b),
        score=judgement.score,
        steps=tuple(
            ReviewStep(f"{seen.get('field')}: {seen.get('level')}", int(seen.get("points", 0)))
            for seen in judgement.evidence
        ),
    )


# --- what was decided ----------------------------------------------------------------------------------------


async def apply_decisions(flow: Flow, found: Decisions) -> ReviewOutcome:
    """Write what was decided, some decisions at a time, each as a judgement of whoever made it.

    Raises:
        InvalidDecisions: if they are no decisions, or about something else than the records of this store.
    """
    if not isinstance(found, Decisions):
        raise InvalidDecisions(
            "these are no decisions: give what Decisions.parse makes of the file that a review page has saved"
        )
    _refuse_others(flow, found)
    records = {record for decision in found.decisions for record in decision.records}
    present = await _present(flow.reader(), records)
    if not present:
        raise InvalidDecisions(
            "this store has none of the records that were decided on: name the store that the page was made of"
        )
    tally = _Tally()
    tally.skipped = sum(decision.verdict == "skip" for decision in found.decisions)
    # Each part of a decision is a judgement, what that changes, and what was read for it.
    room = max(1, flow.store.describe().limits.max_ops // PARTS)
    asked = [decision for decision in found.decisions if decision.verdict != "skip"]
    for by, some in groupby(asked, key=_decider):
        mine = list(some)
        who = flow if by is None else attrs.evolve(flow, actor=by)

        async def write(chunk: Sequence[ReviewDecision], who: Flow = who) -> _Tally:
            came = _Tally()

            async def plan(unit: Unit) -> int:
                came.clear()  # a plan may run again
                await _write(who, unit, found, chunk, present, came)
                return came.written

            items = [decision.item for decision in chunk]
            await who.commit(plan, asked=Asked("identity.apply_review", (found.page, items)))
            return came

        for chunk in _chunks(mine, room):
            await in_parts(write, chunk, tally.add)
    return tally.outcome()


def _chunks(decisions: Sequence[ReviewDecision], room: int) -> Iterator[list[ReviewDecision]]:
    """*decisions* in order, in chunks that a batch takes; one that is larger stands alone."""
    chunk: list[ReviewDecision] = []
    total = 0
    for decision in decisions:
        size = decision.size
        if chunk and (total + size > room or len(chunk) == AT_ONCE):
            yield chunk
            chunk, total = [], 0
        chunk.append(decision)
        total += size
    if chunk:
        yield chunk


def _refuse_others(flow: Flow, found: Decisions) -> None:
    if found.of == "file":
        raise InvalidDecisions(
            "these decisions are about the rows of a file, not about a store: give them to crmcore dedupe FILE "
            "--decisions"
        )
    if found.name != flow.tenant:
        raise InvalidDecisions(
            "these decisions are about another tenant's records: apply them to the one whose page it was"
        )


async def _present(unit: Unit, records: Iterable[str]) -> frozenset[PartyId]:
    """The records that are in the store and were not taken back."""
    return active(await load_parties(unit, sorted(map(PartyId, records))))


class _Tally:
    """What came of decisions so far."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.written = self.known = self.skipped = 0
        self.refused: list[ReviewRefusal] = []
        self.said: dict[str, int] = {}

    def add(self, other: _Tally) -> None:
        self.written += other.written
        self.known += other.known
        self.refused += other.refused
        for verdict, count in other.said.items():
            self.said[verdict] = self.said.get(verdict, 0) + count

    def outcome(self) -> ReviewOutcome:
        return ReviewOutcome(
            written=self.written,
            known=self.known,
            skipped=self.skipped,
            refused=tuple(self.refused),
            judgements=FrozenMap(self.said),
        )


async def _write(
    flow: Flow,
    unit: Unit,
    found: Decisions,
    chunk: Sequence[ReviewDecision],
    present: frozenset[PartyId],
    tally: _Tally,
) -> None:
    for decision in chunk:
        mark = unit.mark()
        said: list[Said] = [(verdict, (PartyId(a), PartyId(b))) for verdict, (a, b) in decision.said]
        # Of a customer, those records are left that are there: nothing has to be said of one that was taken back.
        here = [one for one in said if present.issuperset(one[1])]
        gone = [pair for _, pair in said if not present.issuperset(pair)]
        if gone and (decision.kind == "pair" or not here):
            made: tuple[Judgement, ...] | ReviewRefusal = _refusal(decision, gone[0], "no such record")
        else:
            made = await _decide(unit, found, decision, here)
        if isinstance(made, ReviewRefusal):
            unit.undo(mark)
            tally.refused.append(made)
            continue
        tally.written += bool(made)
        tally.known += not made
        for judgement in made:
            tally.said[judgement.verdict] = tally.said.get(judgement.verdict, 0) + 1
        joined = next((judgement.a for judgement in made if judgement.verdict == "same"), None)
        if joined is not None:
            await note_merged(flow, unit, joined)


async def _decide(
    unit: Unit, found: Decisions, decision: ReviewDecision, said: Sequence[Said]
) -> tuple[Judgement, ...] | ReviewRefusal:
    """Write what a decision adds to what people say already, or tell why it is not written."""
    ends = sorted({end for _, pair in said for end in pair})
    around = await concerned(unit, ends)
    people = _People.of(around)
    # A decision may have been made on an earlier page; the clock of a browser alone is not to be relied upon.
    knew = min(found.made_at, decision.at or found.made_at)
    kinds = {party.id: party for party in await load_parties(unit, ends)}
    fresh: list[Said] = []
    for verdict, pair in said:
        own = people.on(pair)
        if any(j.live and j.verdict == verdict for j in own):
            continue
        against = [j for j in own if j.live]
        since = [j for j in own if j.verdict == verdict and j.retracted and j.retracted.at >= knew]
        if since and not against:
            return _refusal(decision, pair, "taken back since", since)
        against = against or people.against(verdict, pair)
        if against:
            return _refusal(decision, pair, "decided otherwise", against)
        if verdict == "same":
            try:
                refuse_kinds(kinds[end] for end in pair)
            except InvalidJudgement:
                return _refusal(decision, pair, "cannot be joined")
        fresh.append((verdict, pair))
    if not fresh:
        return ()
    reason = decision.note or f"reviewed on page {found.page}"
    try:
        made, partition = await say(unit, around, fresh, reason, actor=_decider(decision))
    except ClusterTooLarge:
        return _refusal(decision, fresh[0][1], "cannot be joined")
    for verdict, pair in fresh:
        if verdict == "same" and partition.of(pair[0]) != partition.of(pair[1]):
            return _refusal(decision, pair, "cannot be joined")
    return made


def _decider(decision: ReviewDecision) -> Actor | None:
    return None if decision.by is None else Actor(kind="person", id=decision.by)


def _refusal(
    decision: ReviewDecision, pair: tuple[PartyId, PartyId], why: Refusal, against: Iterable[Judgement] = ()
) -> ReviewRefusal:
    ids = tuple(judgement.id for judgement in against)
    return ReviewRefusal(item=decision.item, a=pair[0], b=pair[1], why=why, judgements=ids)


@attrs.frozen
class _People:
    """What people say around a decision: of which pairs, and which records their SAMEs alone make one."""

    said: dict[frozenset[PartyId], list[Judgement]]
    joined: Partition
    customer: dict[PartyId, CustomerId]

    @classmethod
    def of(cls, around: Concerned) -> _People:
        said: dict[frozenset[PartyId], list[Judgement]] = {}
        people = [j for j in around.judgements if j.human and j.verdict != "unsure"]
        for judgement in people:
            said.setdefault(frozenset(judgement.pair), []).append(judgement)
        members = {member: customer.id for customer in around.customers for member in customer.members}
        return cls(said, customers(around.parties, people), members)

    def on(self, pair: tuple[PartyId, PartyId]) -> list[Judgement]:
        """What they said of the pair itself, taken back or not."""
        return self.said.get(frozenset(pair), [])

    def against(self, verdict: Verdict, pair: tuple[PartyId, PartyId]) -> list[Judgement]:
        """What they say by way of other records that forbids to say this of the pair."""
        a, b = pair
        live = [j for judgements in self.said.values() for j in judgements if j.live]
        if verdict == "different":
            one = self.joined.of(a)
            if one != self.joined.of(b):
                return []
            return [j for j in live if j.verdict == "same" and self.joined.of(j.a) == one]
        two = {self.customer[a], self.customer[b]}
        return [
            j for j in live if j.verdict == "different" and two == {self.customer[j.a], self.customer[j.b]}
        ]
