"""Deduplicating a whole store: read everything once, compare in memory, write what is new.

Invariant: people's judgements go in as they are and come out honoured. What is written is one decision for each
customer found, of a SAME judgement for each link that joined two groups, with its evidence; and one UNSURE judgement
for each pair of customers to review. Running it again without new facts writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import attrs

from crmcore.app.flow import Flow
from crmcore.app.recording import Findings, is_news, joins, machine_judgement, record
from crmcore.app.relationships import related
from crmcore.app.review_queue import scan_judgements, tidy
from crmcore.app.unit import Unit, load_record
from crmcore.identity.customer import CAP, Partition, customers
from crmcore.identity.deduplication import Deduplication, MatchedPair, dedupe
from crmcore.identity.fallback import MatcherByKind
from crmcore.identity.features import Features, features_of
from crmcore.identity.judgement import (
    Judgement,
    in_doubt,
    links_of,
    said_by_way_of_others,
    standing,
    two_customers,
)
from crmcore.identity.matcher import PairMatcher
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.match_model import MatchModel
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.identity.model_scan import oversized_note
from crmcore.party.party import Party
from crmcore.party.party_keys import PARTY, RELATIONSHIP
from crmcore.party.relationship import EMPLOYMENT
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.ids import JudgementId, PartyId

Progress = Callable[[str, int, int], None]
"""Called with the stage, how much of it is done and how much there is."""


@attrs.frozen(kw_only=True)
class DedupeReport:
    """What a run found and wrote. *customers* counts by kind; *review* are the pairs that a person should settle.

    *matchers* says what decided on people and on organizations, and why no model where none could be learned. *model*
    is what was learned of the people, which the store keeps; it is None of a run that learned nothing.

    *taken_back* are the judgements of models, also of older ones, that hold no more: what people said is never among
    them.

    *looked_at* is None for a run over everything. Of one that looked only at what changed it is the number of parties
    looked at: then *records* are those that changed, *customers* those at which it looked, and *review* the pairs that
    it put to review. *organizations_changed* says that organizations, or who works for them, changed too: they are
    compared all together.
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
            taken_back=self.taken_back + rest.taken_back,
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
        after = f", {self.taken_back:,} taken back" if self.taken_back else ""
        return f"{self.records:,} records -> {counts}   ({self.review:,} pairs to review{after})"


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
    first = _findings(flow, matcher, persons, ids, known, found)
    kept = first.without_outlived(known)
    who = customers(ids, [*kept, *first.new])
    workers = _grouped((job.to, who.of(job.from_)) for job in jobs if job.from_ in who)
    organizations = [party for party in parties if party.kind in ("organization", "household")]
    features = [features_of(o, people=workers.get(o.id, ())) for o in organizations]
    matcher = _suited(flow.matcher, "organization")
    more = _run(matcher, organizations, features, known, exclude, tell)
    second = _findings(flow, matcher, organizations, ids, kept, more)
    both = Findings(new=(*first.new, *second.new), outlived={**first.outlived, **second.outlived})
    written = await record(flow, ids, known, both, tell)
    everything = [*both.without_outlived(known), *both.new]
    partition = customers(ids, everything)
    await tidy(flow, stored, everything, partition)
    report = _report(parties, everything, both, partition, found, more)
    return attrs.evolve(report, written=written), found


def _findings(
    flow: Flow,
    matcher: Matcher | PairMatcher,
    parties: Sequence[Party],
    ids: Sequence[PartyId],
    known: Sequence[Judgement],
    found: Deduplication,
) -> Findings:
    """What there is to write of *parties*, of whom *known* is judged.

    A SAME that the groups contradict is taken back, unless it is people who keep the two apart and it joins nothing:
    it may hold again when they take that back.
    """
    label = {
        party.id: found.labels[at]
        for at, party in enumerate(parties)
        if at not in found.excluded and (not isinstance(matcher, LearnedMatcher) or matcher.suits(party.kind))
    }
    before = customers(ids, known)
    kept_apart = {
        frozenset(label[end] for end in pair) for pair in links_of(known)[1] if label.keys() >= {*pair}
    }
    outlived: dict[JudgementId, str] = {}
    for j in known:
        if not j.live or j.human or j.verdict != "same" or j.a not in label or j.b not in label:
            continue
        two = frozenset((label[j.a], label[j.b]))
        if len(two) > 1 and (two not in kept_apart or before.of(j.a) == before.of(j.b)):
            outlived[j.id] = found.matcher
    standing = [judgement for judgement in known if judgement.id not in outlived]
    before = customers(ids, standing) if outlived else before
    return Findings(new=tuple(_new_judgements(flow, parties, before, standing, found)), outlived=outlived)


def _report(
    parties: Sequence[Party],
    everything: Sequence[Judgement],
    written: Findings,
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
        merged=sum(
            1 for judgement in written.new if judgement.verdict == "same" and joins(judgement, partition)
        ),
        review=sum(1 for _ in in_doubt(everything, partition.of, active=kind_of)),
        written=0,
        notes=(*notes_of(found), *_cut(found), *notes_of(more), *_cut(more)),
        matchers=(found.decided_by, more.decided_by),
        model=None if found.learned is None else found.learned.model,
        taken_back=len(written.outlived),
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
    more_together, more_apart = said_by_way_of_others(links, apart, at)
    together = [*((link.a, link.b) for link in links if link.human), *more_together]
    reasons = {} if exclude is None else {at[party.id]: exclude(party) for party in parties}
    return dedupe(
        features,
        matcher,
        excluded={position: reason for position, reason in reasons.items() if reason is not None},
        apart=[(at[a], at[b]) for a, b in (*apart, *more_apart) if a in at and b in at],
        together=[(at[a], at[b]) for a, b in together if a in at and b in at],
        on_progress=lambda done, total: tell("comparing", done, total),
    )


async def employers_of(unit: Unit, parties: Iterable[Party]) -> dict[PartyId, tuple[str, ...]]:
    """The names of the active organizations that each of these parties is known to have worked for."""
    people = [party.id for party in parties if party.kind == "person"]
    jobs = await related(unit, people) if people else {}
    pairs = [(r.from_, r.to) for rs in jobs.values() for r in rs if r.type == EMPLOYMENT.key]
    refs = {unit.ref(PARTY.tag, to) for _, to in pairs}
    records = await unit.get(sorted(refs), check=False)
    found = [load_record(PARTY, record) for record in records.values()]
    names = {party.id: party.display_name for party in found if party.standing == "active"}
    return _grouped((person, names[employer]) for person, employer in pairs if employer in names)


def _grouped(pairs: Iterable[tuple[PartyId, str]]) -> dict[PartyId, tuple[str, ...]]:
    grouped: dict[PartyId, set[str]] = {}
    for party, text in pairs:
        grouped.setdefault(party, set()).add(text)
    return {party: tuple(sorted(texts)) for party, texts in grouped.items()}


def _cut(found: Deduplication) -> tuple[str, ...]:
    """That there are groups of equal records that are more than a customer has at most."""
    times = sum(count > CAP for count in Counter(found.labels).values())
    return (oversized_note(times),) if times else ()


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
