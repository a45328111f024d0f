"""`crm.identity`: which records are the same customer, who says so, and how to take it back.

Invariant: judgements are added and retracted, never edited. A person's DIFFERENT outranks a person's SAME, which
outranks a matcher; what a person has judged is not asked again.
"""

from __future__ import annotations

from typing import Any

import attrs

from crmcore.app.asked import Asked
from crmcore.app.customers import load_parties
from crmcore.app.deduplicating import at_work, deduplicate, finish_index
from crmcore.app.deduplication import DedupeReport, Exclude, Progress, employers_of
from crmcore.app.flow import Flow
from crmcore.app.judging import (
    concerned,
    decision_of,
    judgements_on,
    put_judgement,
    refuse_decided,
    refuse_kinds,
    say,
    settle,
)
from crmcore.app.near_matches import Candidate, Matches, near_matches
from crmcore.app.parties import MATCH
from crmcore.app.resolve import Reference, memberships, resolve
from crmcore.app.review_queue import pairs_in_doubt
from crmcore.app.reviewing import ReviewOutcome, apply_decisions, review_of
from crmcore.app.suppressed import note_merged
from crmcore.app.unit import Unit, load_record
from crmcore.app.whom import Whom
from crmcore.errors import ClusterTooLarge, InvalidJudgement, InvalidParty, NotFound
from crmcore.identity.features import features_of
from crmcore.identity.identity_events import JudgementRetracted
from crmcore.identity.identity_keys import JUDGEMENT
from crmcore.identity.judgement import Judgement, Retraction, decided
from crmcore.identity.population import Population
from crmcore.identity.projection import project
from crmcore.identity.review import Review
from crmcore.identity.review_decisions import Decisions
from crmcore.party.party import Party, PartyRecord
from crmcore.party.party_keys import PARTY, key
from crmcore.values.ids import CustomerId, JudgementId, PartyId

LARGEST_BLOCK = 1000
"""A blocking key that more records carry says nothing about who they are; it is passed over."""

_ROUNDS = 64


@attrs.frozen
class AsyncIdentity:
    """Judgements between parties, and the clusters that follow from them."""

    _flow: Flow

    async def matches(self, of: Party | PartyId) -> Matches:
        """Who may be the same customer as a stored party or a draft, most likely first. Nothing is written.

        Parties of the same customer, and customers of whom a person has judged, are left out. Where `dedupe` has frozen
        a model it decides on people: one candidate for each customer, by its record that fits best, and the decision is
        on the customer as a whole. `Matches.passed_over` counts the keys that too many records share to be followed.

        Otherwise rules decide, on each party by itself. How common a value is, is counted among the candidates only
        then; `dedupe` counts in the whole store and is more careful with values that many customers share.

        Raises:
            NotFound: if a party id is not known.
            InvalidParty: if it is asked of something else than a party.
        """
        if not isinstance(of, (str, PartyRecord)):
            raise InvalidParty(
                "matches are looked for of a party: give its id, or a draft such as Person.of(...)"
            )
        unit = self._flow.reader()
        party = (await load_parties(unit, [of]) or [None])[0] if isinstance(of, str) else of
        if party is None:
            raise NotFound(
                "no party has this id: look it up by e-mail, phone or source with crm.parties.find(...)"
            )
        settled = set[CustomerId]() if party.is_draft else await _settled(unit, party.id)
        work = await at_work(self._flow, unit)
        if work is not None and work.scorer.matcher.suits(party.kind):
            if party.is_draft:
                return await near_matches(unit, project(features_of(party)), work.scorer)
            employers = (await employers_of(unit, [party])).get(party.id, ())
            own = (await memberships(unit, [party.id]))[party.id].members
            this = project(features_of(party, employers))
            return await near_matches(unit, this, work.scorer, own=own, settled=settled)
        return await self._by_rules(unit, party, settled)

    async def _by_rules(self, unit: Unit, party: Party, settled: set[CustomerId]) -> Matches:
        candidates, passed_over = await self._candidates(unit, party)
        customers = await memberships(unit, [candidate.id for candidate in candidates])
        candidates = [candidate for candidate in candidates if customers[candidate.id].id not in settled]
        employers = await employers_of(unit, [*candidates, *([] if party.is_draft else [party])])
        features = {c.id: features_of(c, employers.get(c.id, ())) for c in candidates}
        this = features_of(party, () if party.is_draft else employers.get(party.id, ()))
        population = Population.of([this, *features.values()])
        compare = self._flow.matcher.compare
        matched = [(candidate, compare(this, features[candidate.id], population)) for candidate in candidates]
        likely = [
            Candidate(
                party=candidate, customer=customers[candidate.id].id, match=match, decision=match.verdict
            )
            for candidate, match in matched
            if match.verdict in ("same", "unsure")
        ]
        likely.sort(key=lambda c: (-c.match.score, c.party.id))
        return Matches(likely, passed_over=passed_over)

    async def _candidates(self, unit: Unit, party: Party) -> tuple[list[Any], int]:
        keys = [key(MATCH, text) for text in sorted(self._flow.matcher.keys(features_of(party)))]
        sizes = await unit.store.fanout(unit.tenant, keys, cap=LARGEST_BLOCK)
        small = [k for k in keys if sizes.get(k, 0) < LARGEST_BLOCK]
        hits = await unit.find(small)
        ids = {PartyId(ref.id) for refs in hits.values() for ref in refs if ref.kind == PARTY.tag}
        if not party.is_draft:
            ids -= set((await memberships(unit, [party.id]))[party.id].members)
        return await load_parties(unit, sorted(ids)), len(keys) - len(small)

    async def merge(self, a: Reference, b: Reference, *, reason: str | None = None) -> Judgement:
        """Say that two records are the same customer.

        Nothing is copied or rewritten: a judgement is recorded, and the customers it joins are seen as one. Take it
        back with `retract`. Customer ids, former ids, e-mail addresses and sources may be given as well as party ids.
        If addresses of these records are suppressed, a domain event says so: see `crm.suppression.met`.

        Raises:
            NotFound: if a reference leads to nobody.
            InvalidJudgement: if both references lead to one record, or to two kinds of customer (somebody anonymous
                may turn out to be of any kind).
            DecidedDifferent: if a person said that these are different customers.
        """

        async def plan(unit: Unit) -> Judgement:
            one, other = await _two_parties(unit, a, b)
            refuse_kinds(await load_parties(unit, [one, other]))
            around = await concerned(unit, [one, other])
            refuse_decided(around, one, other)
            (judgement,), partition = await say(unit, around, [("same", (one, other))], reason)
            if partition.of(one) != partition.of(other):
                raise ClusterTooLarge(
                    "these customers cannot be joined: a person's judgement or the size forbids it"
                )
            await note_merged(self._flow, unit, one)
            return judgement

        return await self._flow.commit(
            plan, asked=Asked("identity.merge", whom=(Whom(a), Whom(b))), reason=reason
        )

    async def mark_different(self, a: Reference, b: Reference, *, reason: str | None = None) -> Judgement:
        """Say that two records are different customers, for good: no matcher joins them or asks about them again.

        Raises:
            NotFound: if a reference leads to nobody.
            InvalidJudgement: if both references lead to one record.
        """

        async def plan(unit: Unit) -> Judgement:
            one, other = await _two_parties(unit, a, b)
            around = await concerned(unit, [one, other])
            (judgement,), _ = await say(unit, around, [("different", (one, other))], reason)
            return judgement

        asked = Asked("identity.mark_different", whom=(Whom(a), Whom(b)))
        return await self._flow.commit(plan, asked=asked, reason=reason)

    async def retract(
        self, judgement: JudgementId, *, whole: bool = False, reason: str | None = None
    ) -> Judgement:
        """Take back any judgement, not only the last one. What it joined or kept apart is as if it had never been said.

        A matcher makes several records one customer by several judgements. With *whole* all of them are taken back
        that belong to the one decision, so that the records are as they were before it; what was taken back of it
        before stays so.

        Raises:
            NotFound: if there is no such judgement.
            InvalidJudgement: if there is nothing left to take back.
        """

        async def plan(unit: Unit) -> Judgement:
            ref = unit.ref(JUDGEMENT.tag, judgement)
            record = (await unit.get([ref])).get(ref)
            if record is None:
                raise NotFound("no judgement has this id: see crm.identity.judgements(customer)")
            before: Judgement = load_record(JUDGEMENT, record)
            why = reason if reason is not None else unit.reason
            taken_back = Retraction(actor=unit.actor, at=unit.now, reason=why)
            together = await decision_of(unit, before) if whole else (before,)
            around = await concerned(unit, sorted({end for j in together for end in (j.a, j.b)}))
            found = {j.id: j for j in around.judgements}
            live = [j for j in together if j.live]
            after = before
            for one in live or [before]:
                version = unit.next_version(JUDGEMENT.tag, one.id, one.version)
                retracted = attrs.evolve(one.retract(taken_back), version=version)
                await put_judgement(unit, retracted, expect=one.version)
                found[one.id] = retracted
                after = retracted if one.id == before.id else after
            named = after if after is not before else found[live[0].id]
            event = JudgementRetracted(judgement=named.id, a=named.a, b=named.b, actor=unit.actor, reason=why)
            await settle(unit, around, list(found.values()), event)
            return after

        asked = Asked("identity.retract", (judgement, whole))
        return await self._flow.commit(plan, asked=asked, reason=reason)

    async def judgements(self, ref: Reference) -> tuple[Judgement, ...]:
        """Everything that was judged of a customer's records, oldest first, taken back or not.

        Raises:
            NotFound: if nothing answers to *ref*.
        """
        unit = self._flow.reader()
        return await judgements_on(unit, (await resolve(unit, ref)).members)

    async def to_review(self, *, limit: int = 100) -> tuple[Judgement, ...]:
        """The pairs that the matcher is unsure of and nobody has settled, most likely the same first.

        They are read from an order that the store keeps, so the first ones cost as much as they are many.
        """
        return await pairs_in_doubt(self._flow.reader(), limit)

    async def review(self, *, limit: int = 500) -> Review:
        """What a person should settle, with the values of the records: doubtful pairs, then hardly joined customers.

        Customers are hardly joined by a link that its matcher calls weak, or that is less than three bits beyond the
        threshold. `Review.html` makes a page of it, and `apply_review` takes over what was decided there.
        """
        return await review_of(self._flow, limit)

    async def apply_review(self, decisions: Decisions) -> ReviewOutcome:
        """Take over what was decided on a review page, as judgements of those who decided.

        Who names nobody in the file is whoever acts here. What was taken over before is not written again, and what
        somebody says otherwise by now, or took back since it was decided or the page was made, is refused and told.

        Raises:
            InvalidDecisions: if they are none, or about rows of a file, another tenant, or no record of this store.
        """
        return await apply_decisions(self._flow, decisions)

    async def dedupe(
        self,
        *,
        relearn: bool = False,
        exclude: Exclude | None = None,
        on_progress: Progress | None = None,
    ) -> DedupeReport:
        """Record what the matcher finds: who is the same, and which pairs to review. People's judgements stand.

        The first run compares all parties, learns a model of the people and freezes it in the store. From then on a run
        looks only at people who are new, changed or judged, and at those whom they meet; what no longer holds of a
        model's judgements is taken back. Running it again without new facts writes nothing, and a run that was cut off
        is simply run again. *relearn* compares all and learns anew. A run over all takes back, too, what models said
        before and does not hold.

        *exclude* says of a party why it must not be linked with others (None if it may): it is not compared, and what
        was judged of it before stands. It speaks of this run alone, so give it each time to somebody who must stay
        alone, or say so of the two with `mark_different`. All other parties are compared, by the frozen model if there
        is one; a model that was learned without somebody is not frozen, and the next run without *exclude* compares
        everything. In a batch everything is compared, and nothing is frozen.
        """
        return await deduplicate(self._flow, exclude=exclude, relearn=relearn, on_progress=on_progress)

    async def settle(self) -> int:
        """Deduplicate until nothing is left to look at: also what others wrote meanwhile; how many judgements.

        Afterwards, under the frozen model, the customers are those that comparing all parties would give, in whatever
        order and portions they came. One thing only comparing all finds, and that only among 20,000 different people at
        most: two records of which every value that could lead from one to the other is a typing error apart. In a
        small store `dedupe(relearn=True)` finds them; what it joined so stays joined while the model says so.
        """
        written = 0
        for _ in range(_ROUNDS):
            report = await self.dedupe()
            written += report.written
            if not report.written or report.looked_at is None:
                break
        return written

    async def reindex(self) -> int:
        """Write anew what parties are found and compared by, where it is missing or of another version; of how many.

        A store that an older crmcore wrote is found out by its version: until then `matches` goes by the rules, and
        the next `dedupe` over everything does the same as this.
        """
        return await finish_index(self._flow, tell=lambda stage, done, total: None)


async def _settled(unit: Unit, party: PartyId) -> set[CustomerId]:
    """The customers of whom a person has said whether they are that of *party*, through whichever records."""
    own = (await memberships(unit, [party]))[party].members
    ends = {end for pair in decided(await judgements_on(unit, own)) for end in pair} - set(own)
    return {customer.id for customer in (await memberships(unit, sorted(ends))).values()}


async def _two_parties(unit: Unit, a: Reference, b: Reference) -> tuple[PartyId, PartyId]:
    """The records meant: a party id means that party, any other reference its customer's first party."""
    first, second = await _party(unit, a), await _party(unit, b)
    if first == second:
        raise InvalidJudgement("both references lead to one record: name two different ones")
    return first, second


async def _party(unit: Unit, ref: Reference) -> PartyId:
    customer = await resolve(unit, ref)
    return PartyId(ref) if ref in customer.members else customer.members[0]
