"""Deduplicating a whole store: read everything once, compare in memory, write what is new.

Invariant: people's judgements go in as they are and come out honoured. What is written is one decision for each
customer found, of a SAME judgement for each link that joined two groups, with its evidence; and one UNSURE judgement
for each pair of customers to review. Running it again without new facts writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any

import attrs

from crmcore.app.flow import Flow
from crmcore.app.judging import concerned, put_judgement, settle
from crmcore.app.relationships import related
from crmcore.app.review_queue import scan_judgements, tidy
from crmcore.app.unit import Unit, load_record
from crmcore.identity.customer import Partition, customers
from crmcore.identity.deduplication import Deduplication, MatchedPair, dedupe
from crmcore.identity.fallback import MatcherByKind
from crmcore.identity.features import Features, features_of
from crmcore.identity.identity_events import Verdict
from crmcore.identity.judgement import Judgement, in_doubt, judge, links_of, standing, two_customers
from crmcore.identity.matcher import PairMatcher
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.match_model import MatchModel
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.party.party import Party
from crmcore.party.party_keys import PARTY, RELATIONSHIP
from crmcore.party.relationship import EMPLOYMENT
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.ids import CustomerId, JudgementId, PartyId
from crmcore.values.source import Actor

Progress = Callable[[str, int, int], None]
"""Called with the stage, how much of it is done and how much there is."""


@attrs.frozen(kw_only=True)
class DedupeReport:
    """What a run found and wrote. *customers* counts by kind; *review* are the pairs that a person should settle.

    *matchers* says what decided on people and on organizations, and why no model where none could be learned. *model*
    is what was learned of the people, which the store keeps; it is None of a run that learned nothing.

    *looked_at* is None for a run over everything. Of one that looked only at what changed it is the number of parties
    looked at: then *records* are those that changed, *customers* those at which it looked, *review* the pairs that
    it put to review, and *taken_back* the judgements of models that hold no more. *organizations_changed*
    says that organizations, or who works for them, changed too: they are compared all together.
    """

    records: int
    customers: FrozenMap[str, int]
    merged: int
    review: int
    written: int
    notes: tuple[str, ...] = ()
    matchers: tuple[str, ...] = ()
    model: MatchModel | None = None
    looked_at: int | None = None
    taken_back: int = 0
    organizations_changed: bool = False

    def joined(self, rest: DedupeReport) -> DedupeReport:
        """The report of a run over the people that changed, with what was written of all organizations."""
        return attrs.evolve(
            self,
            merged=self.merged + rest.merged,
            written=self.written + rest.written,
            matchers=(*self.matchers, *rest.matchers[1:]),
            notes=(*self.notes, "organizations changed, so all of them were compared", *rest.notes),
        )

    def text(self) -> str:
        """The run in one line."""
        if self.looked_at is not None:
            return (
                f"{self.records:,} records changed, {self.looked_at:,} looked at -> {self.merged:,} merged, "
                f"{self.taken_back:,} taken back   ({self.review:,} new pairs to review)"
            )
        nouns = {"person": "people", "organization": "organizations", "household": "households"}
        counts = ", ".join(
            f"{n:,} {nouns.get(kind, kind)}" for kind, n in sorted(self.customers.items(), reverse=True)
        )
        return f"{self.records:,} records -> {counts}   ({self.review:,} pairs to review)"


Exclude = Callable[[Party], str | None]
"""Why a party must not be linked with any other; None for those that may be."""


async def dedupe_store(
    flow: Flow,
    *,
    exclude: Exclude | None = None,
    on_progress: Progress | None = None,
    frozen: LearnedMatcher | None = None,
    people: bool = True,
) -> tuple[DedupeReport, Deduplication]:
    """Compare all parties of a tenant and write what follows; also what was found of the people.

    A *frozen* model decides on people instead of what would be learned; without *people* only the others are compared.
    """
    tell = on_progress or (lambda stage, done, total: None)
    unit = flow.reader()
    everyone: list[Party] = await scan_all(unit, PARTY, tell)
    # A retracted record is not compared, but what was judged of it still joins the records on its two sides.
    ids = [party.id for party in everyone]
    parties = [party for party in everyone if party.standing == "active"]
    stored = await scan_judgements(unit, tell)
    known = [judgement for judgement, _ in stored]
    jobs = [
        r for r in await scan_all(unit, RELATIONSHIP, tell) if r.type == EMPLOYMENT.key and not r.retracted
    ]
    names = {party.id: party.display_name for party in parties if party.kind == "organization"}
    employers = _grouped((job.from_, names[job.to]) for job in jobs if job.to in names)

    # People first: then organizations of one name are told apart, or not, by the people who work for them.
    persons = [p for p in parties if p.kind in ("person", "anonymous")] if people else []
    features = [features_of(p, employers.get(p.id, ())) for p in persons]
    matcher = frozen or flow.learner or _suited(flow.matcher, "person")
    found = _run(matcher, persons, features, known, exclude, tell)
    new = _new_judgements(flow, persons, customers(ids, known), known, found)
    who = customers(ids, [*known, *new])
    workers = _grouped((job.to, who.of(job.from_)) for job in jobs if job.from_ in who)
    organizations = [party for party in parties if party.kind in ("organization", "household")]
    features = [features_of(o, people=workers.get(o.id, ())) for o in organizations]
    more = _run(_suited(flow.matcher, "organization"), organizations, features, known, exclude, tell)
    new += _new_judgements(flow, organizations, customers(ids, known), known, more)
    written = await _write(flow, ids, known, new, tell)
    everything = [*known, *new]
    partition = customers(ids, everything)
    await tidy(flow, stored, everything, partition)
    report = _report(parties, everything, new, partition, found, more)
    return attrs.evolve(report, written=written), found


def _report(
    parties: Sequence[Party],
    everything: Sequence[Judgement],
    new: Sequence[Judgement],
    partition: Partition,
    found: Deduplication,
    more: Deduplication,
) -> DedupeReport:
    kind_of = {party.id: party.kind for party in parties}
    present = ([kind_of[member] for member in group if member in kind_of] for group in partition.groups)
    kinds: Counter[str] = Counter(members[0] for members in present if members)
    return DedupeReport(
        records=len(parties),
        customers=FrozenMap(kinds),
        merged=sum(1 for judgement in new if judgement.verdict == "same" and _joins(judgement, partition)),
        review=sum(1 for _ in in_doubt(everything, partition.of, active=kind_of)),
        written=0,
        notes=(*notes_of(found), *notes_of(more)),
        matchers=(found.decided_by, more.decided_by),
        model=None if found.learned is None else found.learned.model,
    )


def _suited(matcher: PairMatcher, kind: str) -> PairMatcher:
    """What decides on a kind of customer."""
    return matcher.of(kind) if isinstance(matcher, MatcherByKind) else matcher


def _run(
    matcher: Matcher | PairMatcher,
    parties: Sequence[Party],
    features: Sequence[Features],
    known: Sequence[Judgement],
    exclude: Exclude | None,
    tell: Progress,
) -> Deduplication:
    """Compare *parties*; what people said of them is given, what models said before is found out anew."""
    at = {party.id: position for position, party in enumerate(parties)}
    links, apart = links_of(known)
    reasons = {} if exclude is None else {at[party.id]: exclude(party) for party in parties}
    return dedupe(
        features,
        matcher,
        excluded={position: reason for position, reason in reasons.items() if reason is not None},
        apart=[(at[a], at[b]) for a, b in apart if a in at and b in at],
        together=[(at[link.a], at[link.b]) for link in links if link.human and link.a in at and link.b in at],
        on_progress=lambda done, total: tell("comparing", done, total),
    )


async def employers_of(unit: Unit, parties: Iterable[Party]) -> dict[PartyId, tuple[str, ...]]:
    """The names of the organizations that each of these parties is known to have worked for."""
    people = [party.id for party in parties if party.kind == "person"]
    found = await related(unit, people) if people else {}
    pairs = [(r.from_, r.to) for rs in found.values() for r in rs if r.type == EMPLOYMENT.key]
    refs = {unit.ref(PARTY.tag, to) for _, to in pairs}
    records = await unit.get(sorted(refs), check=False)
    names = {PartyId(ref.id): load_record(PARTY, record).display_name for ref, record in records.items()}
    return _grouped((person, names[employer]) for person, employer in pairs if employer in names)


def _grouped(pairs: Iterable[tuple[PartyId, str]]) -> dict[PartyId, tuple[str, ...]]:
    grouped: dict[PartyId, set[str]] = {}
    for party, text in pairs:
        grouped.setdefault(party, set()).add(text)
    return {party: tuple(sorted(texts)) for party, texts in grouped.items()}


def notes_of(found: Deduplication) -> tuple[str, ...]:
    """What a person should know of a run: pairs that were not compared, links that were not followed."""
    counts = found.statistics
    notes = list(found.notes)
    if counts.left_out:
        note = f"{counts.left_out:,} pairs were not compared: {counts.oversized_blocks:,} values are shared by too many"
        if counts.debt is not None:
            note += (
                f"; that may have cost {counts.debt.pairs:,.0f} pairs, give or take {counts.debt.error:,.0f}"
            )
        notes.append(note)
    if counts.held:
        notes.append(
            f"{counts.held:,} likely pairs were not joined: something contradicts, or one weak link is too little"
        )
    if found.conflicts:
        notes.append(f"{len(found.conflicts):,} contradictions between people's judgements wait for a person")
    return tuple(notes)


async def scan_all(unit: Unit, codec: Any, tell: Progress | None = None) -> list[Any]:
    """Every record of a kind, in order of id."""
    values: list[Any] = []
    after: str | None = None
    while True:
        page = await unit.scan(codec.tag, after=after, limit=1000)
        values += [load_record(codec, record) for record in page.items]
        if tell is not None:
            tell(f"reading {codec.tag}", len(values), 0)
        after = page.next
        if after is None:
            return values


def _new_judgements(
    flow: Flow,
    parties: Sequence[Party],
    before: Partition,
    known: Sequence[Judgement],
    found: Deduplication,
) -> list[Judgement]:
    """The judgements to add: links that joined groups, and pairs to review that nobody has judged."""
    now = flow.clock()
    decisions: dict[int, JudgementId] = {}
    said = standing(known)
    new: list[Judgement] = []

    def add(pair: MatchedPair, verdict: Any) -> None:
        a, b = sorted((parties[pair.a].id, parties[pair.b].id))
        if before.of(a) == before.of(b) or not is_news(said.get((a, b)), verdict):
            return
        this = flow.ids.new(JudgementId, near=a)
        decision = decisions.setdefault(found.labels[pair.a], this) if verdict == "same" else None
        new.append(machine_judgement(now, this, a, b, verdict, found.matcher, pair, decision))

    for link in found.links:
        add(link, "same")
    after = customers(chain.from_iterable(before.groups), [*known, *new])
    here = {party.id for party in parties}
    asked = {two_customers(judgement, after.of) for judgement in in_doubt(known, after.of, active=here)}
    # Also what people said of a record that was taken back settles its customer.
    asked |= {
        two_customers(j, after.of) for j in known if j.live and j.human and j.a in after and j.b in after
    }
    for pair in found.unsure:
        if frozenset(after.of(parties[at].id) for at in (pair.a, pair.b)) not in asked:
            add(pair, "unsure")
    return new


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


def _joins(judgement: Judgement, partition: Partition) -> bool:
    """Whether the two are one customer."""
    a, b = judgement.pair
    return a in partition and b in partition and partition.of(a) == partition.of(b)


async def _write(
    flow: Flow,
    ids: Sequence[PartyId],
    known: Sequence[Judgement],
    new: Sequence[Judgement],
    tell: Progress,
) -> int:
    """Write judgements and the clusters that follow, whole customers at a time, as many as a batch takes."""
    partition = customers(ids, [*known, *new])
    groups = {CustomerId(group[0]): group for group in partition.groups}
    by_customer: dict[CustomerId, list[Judgement]] = {}
    for judgement in new:
        by_customer.setdefault(partition.of(judgement.a), []).append(judgement)
    room = max(1, flow.store.describe().limits.max_ops // 4)
    done = written = 0
    for chunk in _chunks(
        sorted(by_customer), {c: len(by_customer[c]) + len(groups[c]) for c in by_customer}, room
    ):
        members = [member for customer in chunk for member in groups[customer]]
        judgements = [judgement for customer in chunk for judgement in by_customer[customer]]

        async def plan(
            unit: Unit, members: list[PartyId] = members, judgements: list[Judgement] = judgements
        ) -> int:
            return await _write_groups(unit, members, judgements)

        pairs = [judgement.pair for judgement in judgements]
        written += await flow.commit(plan, asked=("identity.dedupe", pairs), reason="deduplication")
        done += len(chunk)
        tell("writing customers", done, len(by_customer))
    return written


def _chunks(
    items: Sequence[CustomerId], sizes: dict[CustomerId, int], room: int
) -> Iterator[list[CustomerId]]:
    """*items* in order, in chunks whose sizes sum to no more than *room*, or of one item that is larger."""
    chunk: list[CustomerId] = []
    total = 0
    for item in items:
        if chunk and total + sizes[item] > room:
            yield chunk
            chunk, total = [], 0
        chunk.append(item)
        total += sizes[item]
    if chunk:
        yield chunk


async def _write_groups(unit: Unit, members: Sequence[PartyId], new: Sequence[Judgement]) -> int:
    """Write judgements and what follows from them and from all that people have said by now; how many.

    What was judged meanwhile is left out, and so is a SAME that no longer joins: it would wait for a DIFFERENT to be
    taken back without anybody having looked at the two again.
    """
    around = await concerned(unit, members)
    said = standing(around.judgements)
    fresh = [judgement for judgement in new if is_news(said.get(judgement.pair), judgement.verdict)]
    partition = customers(around.parties, [*around.judgements, *fresh])
    kept = [judgement for judgement in fresh if judgement.verdict != "same" or _joins(judgement, partition)]
    for judgement in kept:
        await put_judgement(unit, judgement, expect=0)
    await settle(unit, around, [*around.judgements, *kept])
    return len(kept)
