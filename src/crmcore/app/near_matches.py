"""One record against a store: who may be the same customer, by the keys of the store and a frozen model.

Invariant: nothing is written, and no party is read but those that come out. Keys are looked up with the rarest first; a
key that too many carry, or that comes after enough bearers, is passed over and counted. The verdict is on a customer
as a whole: the mean over all of its records, never across a pair that excludes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import attrs

from crmcore.app.near_index import FEATURES, projection_of
from crmcore.app.near_read import first_equals, near
from crmcore.app.resolve import Membership, memberships
from crmcore.app.unit import Unit, load_record
from crmcore.identity.fit import fit_of
from crmcore.identity.matcher import Match, Verdict
from crmcore.identity.near_keys import content_key, hashed, key_texts, single_keys
from crmcore.identity.projection import Projection
from crmcore.identity.quick_scoring import QuickScorer
from crmcore.party.party import Party
from crmcore.party.party_keys import PARTY
from crmcore.storage.nearness import Breadth
from crmcore.values.ids import CustomerId, PartyId
from crmcore.values.personal import personal

BREADTH = Breadth(largest=100, enough=400, most=12)
"""How far one look goes: a key that more records carry is passed over, since pairs of values are looked up besides."""

_LARGE = 50
"""So many records of a customer speak for it."""


@attrs.frozen(kw_only=True)
class Candidate:
    """A party that may be the same customer, with the match that says why.

    *decision* is on the customer as a whole, to which other records may belong: a record that fits one of them well and
    the others badly is unsure.
    """

    party: Party = personal()
    customer: CustomerId
    match: Match
    decision: Verdict = "unsure"

    def explain(self) -> str:
        """The match for people to read, values included."""
        return f"{self.party.display_name}: {self.match.explain()}"


class Matches(tuple[Candidate, ...]):
    """The candidates, most likely first.

    *passed_over* is how many keys were not followed, since too many records carry them: somebody who shares nothing
    else with the record is not among the candidates. *left_out* is how many records were not compared, since others
    share more with it.
    """

    passed_over: int
    left_out: int

    def __new__(
        cls, candidates: Iterable[Candidate] = (), *, passed_over: int = 0, left_out: int = 0
    ) -> Matches:
        """Candidates in order."""
        made = super().__new__(cls, candidates)
        made.passed_over = passed_over
        made.left_out = left_out
        return made


def lookup_keys(projection: Projection, places: Sequence[int]) -> list[str]:
    """The keys to look a record up by, of the columns at *places*."""
    return hashed(key_texts(projection, single_keys(projection, places)))


async def near_matches(
    unit: Unit,
    this: Projection,
    scorer: QuickScorer,
    *,
    own: Collection[str] = (),
    settled: Collection[CustomerId] = (),
) -> Matches:
    """The customers that may be that of a record; those that have a party of *own*, or are *settled*, are left out."""
    if this.empty or not scorer.matcher.suits(this.kind):
        return Matches()
    found = await near(unit, lookup_keys(this, scorer.places), BREADTH)
    bodies = {id: body for id, body in found.bodies.items() if id not in own}
    with scorer.lock:
        likely = _likely(scorer, this, bodies)
    if not likely and found.passed_over:
        # So many may hold the very same that every key of theirs was passed over.
        bodies = await first_equals(unit, content_key(this), BREADTH.most, without=own)
        with scorer.lock:
            likely = _likely(scorer, this, bodies)
    if not likely:
        return Matches(passed_over=found.passed_over, left_out=found.left_out)
    customers = await memberships(unit, likely)
    groups: dict[CustomerId, Membership] = {
        customer.id: customer for customer in customers.values() if customer.id not in settled
    }
    bodies = await _members(unit, groups.values(), bodies)
    with scorer.lock:
        decided = [
            one
            for customer in groups.values()
            if (one := _decide(scorer, this, customer, bodies, likely)) is not None
        ]
    parties = await _parties(unit, [id for id, _, _ in decided])
    return Matches(
        sorted(
            (
                Candidate(party=parties[id], customer=customers[id].id, match=match, decision=decision)
                for id, match, decision in decided
                if id in parties
            ),
            key=lambda c: (-c.match.score, c.party.id),
        ),
        passed_over=found.passed_over,
        left_out=found.left_out,
    )


def _likely(scorer: QuickScorer, this: Projection, bodies: Mapping[str, Any]) -> dict[PartyId, int]:
    """The records whose score is worth a look, with the score."""
    scorer.begin()
    mine = scorer.add(this)
    least = scorer.matcher.model.policy.review_at
    likely: dict[PartyId, int] = {}
    for id, body in bodies.items():
        projection = projection_of(body)
        if projection is None:
            continue
        row = scorer.add(projection)
        if scorer.hopeless(mine, row):
            continue
        found = scorer.score(mine, row)
        if found.score >= least and scorer.matcher.verdict(found) in ("same", "unsure"):
            likely[PartyId(id)] = found.score
    return likely


async def _members(
    unit: Unit, customers: Iterable[Membership], known: Mapping[str, Any]
) -> dict[str, Mapping[str, Any]]:
    """The satellites of the records of these customers."""
    wanted = [member for customer in customers for member in customer.members[:_LARGE]]
    refs = [unit.ref(FEATURES, id) for id in wanted if id not in known]
    records = await unit.get(refs, check=False) if refs else {}
    return {**known, **{ref.id: record.body for ref, record in records.items()}}


def _decide(
    scorer: QuickScorer,
    this: Projection,
    customer: Membership,
    bodies: Mapping[str, Mapping[str, Any]],
    likely: Mapping[PartyId, int],
) -> tuple[PartyId, Match, Verdict] | None:
    """The record of a customer that fits best, what speaks for it, and the verdict on the customer."""
    scorer.begin()
    mine = scorer.add(this)
    scores: list[int] = []
    for member in customer.members[:_LARGE]:
        projection = projection_of(bodies.get(member, {}))
        if projection is not None and not projection.empty:
            scores.append(scorer.score(mine, scorer.add(projection)).score)
    best = max((member for member in customer.members if member in likely), key=lambda id: (likely[id], id))
    projection = projection_of(bodies[best])
    assert projection is not None  # it was scored
    match = scorer.match(mine, scorer.add(projection))
    fit = fit_of(scores or [match.score], scorer.matcher.model.policy.same_at)
    if fit is None:
        return None
    return best, match, "same" if match.verdict == "same" and fit else "unsure"


async def _parties(unit: Unit, ids: Sequence[PartyId]) -> dict[PartyId, Party]:
    refs = [unit.ref(PARTY.tag, id) for id in ids]
    records = await unit.get(refs, check=False)
    return {PartyId(ref.id): load_record(PARTY, record) for ref, record in records.items()}
