"""Judgements between parties, and what they say together about a pair.

Invariant: a judgement is never edited; taking it back is a field that is set once. On a pair, a person's DIFFERENT
outranks a person's SAME, whichever came later, and any verdict of a person silences the models. What follows depends on
the set of live judgements alone, not on the order in which they came.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from datetime import datetime
from typing import Any

import attrs

from crmcore.errors import InvalidJudgement, NotFound
from crmcore.identity.cluster import Link, agglomerate
from crmcore.identity.identity_events import Verdict
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.ids import CustomerId, JudgementId, PartyId
from crmcore.values.instant import ensure_aware
from crmcore.values.personal import Document, personal
from crmcore.values.source import Actor

Pair = tuple[PartyId, PartyId]


def _recorded(moment: datetime) -> datetime:
    return ensure_aware(moment, "the time of a judgement")


@attrs.frozen(kw_only=True)
class Retraction(Document):
    """Who took a judgement back, when and why."""

    actor: Actor
    at: datetime = attrs.field(converter=_recorded)
    reason: str | None = personal(default=None)


@attrs.frozen(kw_only=True)
class Judgement(Document):
    """Whether the parties *a* and *b* (*a* is the smaller id) are the same customer, as a person or a *model* says.

    A model's judgement has a *score*; a *weak* one is too low to join two groups alone; *support* is how many links
    joined those groups. *evidence* is what the model saw. Judgements by which a model made several records one customer
    at a time have one *decision*, the id of the first of them: to take back only one would leave two accidental parts.
    """

    id: JudgementId
    version: int = 0
    a: PartyId
    b: PartyId
    verdict: Verdict
    actor: Actor
    recorded_at: datetime = attrs.field(converter=_recorded)
    reason: str | None = personal(default=None)
    model: str | None = None
    score: int = 0
    weak: bool = False
    support: int = 1
    evidence: tuple[FrozenMap[str, Any], ...] = personal(default=())
    decision: JudgementId | None = None
    retracted: Retraction | None = None

    def __attrs_post_init__(self) -> None:
        if not self.a < self.b:
            raise InvalidJudgement(
                "a judgement is on two different parties, the smaller id first: use judge(...)"
            )
        if self.verdict not in ("same", "different", "unsure"):
            raise InvalidJudgement("the verdict of a judgement is 'same', 'different' or 'unsure'")
        if (self.actor.kind == "model") != (self.model is not None):
            raise InvalidJudgement(
                "a model's judgement names the model, and nobody else's does: give actor and model"
            )

    @property
    def pair(self) -> Pair:
        """The two parties, the smaller id first."""
        return (self.a, self.b)

    @property
    def human(self) -> bool:
        """Whether it has a person's authority: somebody, or a program on somebody's behalf, said so, and no model."""
        return self.model is None

    @property
    def live(self) -> bool:
        """Whether it stands."""
        return self.retracted is None

    def retract(self, retraction: Retraction) -> Judgement:
        """The judgement, taken back.

        Raises:
            InvalidJudgement: if it was taken back before.
        """
        if self.retracted is not None:
            raise InvalidJudgement("the judgement was taken back before: to say it again, make a new one")
        return attrs.evolve(self, retracted=retraction)


def judge(
    *,
    id: JudgementId,
    a: PartyId,
    b: PartyId,
    verdict: Verdict,
    actor: Actor,
    recorded_at: datetime,
    reason: str | None = None,
    model: str | None = None,
    score: int = 0,
    weak: bool = False,
    support: int = 1,
    evidence: tuple[FrozenMap[str, Any], ...] = (),
    decision: JudgementId | None = None,
) -> Judgement:
    """A judgement on two parties, given in any order.

    Raises:
        InvalidJudgement: if both are one party, or if a model judges that is not named.

    >>> from datetime import UTC, datetime
    >>> from crmcore.values.ids import Ids
    >>> ids = Ids(lambda: 1_750_000_000_000)
    >>> ann, anna = ids.new(PartyId), ids.new(PartyId)
    >>> me, now = Actor(kind="person", id="me"), datetime(2026, 11, 22, tzinfo=UTC)
    >>> judgement = judge(id=ids.new(JudgementId), a=anna, b=ann, verdict="same", actor=me, recorded_at=now)
    >>> judgement.pair == (min(ann, anna), max(ann, anna)), judgement.human, judgement.live
    (True, True, True)
    """
    if a == b:
        raise InvalidJudgement("a party is always the same as itself: name two different parties")
    return Judgement(
        id=id,
        a=min(a, b),
        b=max(a, b),
        verdict=verdict,
        actor=actor,
        recorded_at=recorded_at,
        reason=reason,
        model=model,
        score=score,
        weak=weak,
        support=support,
        evidence=evidence,
        decision=decision,
    )


def standing(judgements: Iterable[Judgement]) -> dict[Pair, Judgement]:
    """For each pair the live judgement that counts.

    That is a person's DIFFERENT, then a person's SAME, then a person's UNSURE, the earliest of each; then what the
    models said last.
    """
    found: dict[Pair, Judgement] = {}
    for judgement in judgements:
        if judgement.live:
            known = found.setdefault(judgement.pair, judgement)
            if known is not judgement and _outranks(judgement, known):
                found[judgement.pair] = judgement
    return found


_RANK = {"different": 0, "same": 1, "unsure": 2}


def _outranks(one: Judgement, other: Judgement) -> bool:
    if one.human != other.human:
        return one.human
    if not one.human:
        return (one.recorded_at, one.id) > (other.recorded_at, other.id)
    return (_RANK[one.verdict], one.recorded_at, one.id) < (_RANK[other.verdict], other.recorded_at, other.id)


def links_of(judgements: Iterable[Judgement]) -> tuple[tuple[Link[PartyId], ...], tuple[Pair, ...]]:
    """What the live judgements join, and which pairs people keep apart; both in order of the pairs.

    A model's DIFFERENT keeps nothing apart, and UNSURE says nothing either way.
    """
    counting = sorted(standing(judgements).items())
    links = tuple(
        Link(a, b, j.human, j.score, j.weak, j.support) for (a, b), j in counting if j.verdict == "same"
    )
    return links, tuple(pair for pair, j in counting if j.human and j.verdict == "different")


def said_by_way_of_others(
    links: Iterable[Link[PartyId]], apart: Iterable[Pair], among: Container[PartyId]
) -> tuple[list[Pair], list[Pair]]:
    """Which parties *among* some people put together, and which they keep apart, by what they said of other parties.

    A record that was taken back still joins the two that a person took for it, and keeps apart from them whom a person
    told from it.
    """
    links, apart = [link for link in links if link.human], list(apart)
    if all(link.a in among and link.b in among for link in links) and all(
        a in among and b in among for a, b in apart
    ):
        return [], []
    nodes = {end for link in links for end in (link.a, link.b)} | {end for pair in apart for end in pair}
    first: dict[PartyId, PartyId] = {}
    together: list[Pair] = []
    for group in agglomerate(nodes, links, apart).groups:
        mine = [party for party in group if party in among]
        if len(mine) < len(group):
            together += [(mine[0], party) for party in mine[1:]]
        first.update(dict.fromkeys(group, mine[0]) if mine else {})
    sides = [
        (first[a], first[b])
        for a, b in apart
        if a in first and b in first and not (a in among and b in among)
    ]
    return together, [(min(pair), max(pair)) for pair in sides if pair[0] != pair[1]]


def decided(judgements: Iterable[Judgement]) -> frozenset[Pair]:
    """The pairs that a person has judged, whatever the verdict: they are not asked again."""
    return frozenset(judgement.pair for judgement in judgements if judgement.live and judgement.human)


def in_doubt(
    judgements: Iterable[Judgement],
    customer_of: Callable[[PartyId], CustomerId],
    *,
    active: Container[PartyId] | None = None,
) -> Iterator[Judgement]:
    """Where a matcher is unsure of two customers and no person has judged them: what somebody should look at.

    Two customers are asked about once, by the likeliest pair of their records. *customer_of* raises `NotFound` for a
    party that is none any more. With *active*, nobody is asked about other parties; what was said of them stands.
    """
    asked: dict[frozenset[CustomerId], Judgement] = {}
    settled: set[frozenset[CustomerId]] = set()
    for judgement in standing(judgements).values():
        if not judgement.human and (judgement.verdict != "unsure" or not _are_in(judgement, active)):
            continue
        try:
            two = two_customers(judgement, customer_of)
        except NotFound:
            continue
        if judgement.human:
            settled.add(two)
            continue
        known = asked.get(two)
        if len(two) == 2 and (
            known is None or (-judgement.score, judgement.pair) < (-known.score, known.pair)
        ):
            asked[two] = judgement
    yield from (judgement for two, judgement in asked.items() if two not in settled)


def _are_in(judgement: Judgement, parties: Container[PartyId] | None) -> bool:
    return parties is None or (judgement.a in parties and judgement.b in parties)


def two_customers(
    judgement: Judgement, customer_of: Callable[[PartyId], CustomerId]
) -> frozenset[CustomerId]:
    """Whom a judgement is about: two customers, or one when its parties are the same by now."""
    return frozenset(customer_of(party) for party in judgement.pair)
