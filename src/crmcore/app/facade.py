"""The synchronous namespaces of `Crm`. Generated from the asynchronous ones: do not edit.

Invariant: each method has the name, the signature and the documentation of its asynchronous twin, and runs it to its
end without an event loop. Regenerate with ``python tests/tools/generate_facade.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from crmcore.storage.lift import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path
    from typing import Any

    from crmcore.app.customers import AsyncCustomers, CustomerPage
    from crmcore.app.deduplication import DedupeReport, Exclude
    from crmcore.app.identity import AsyncIdentity
    from crmcore.app.imports import AsyncImports, ImportResult, Progress
    from crmcore.app.interactions import AsyncInteractions, Timeline
    from crmcore.app.loading import LoadProgress, LoadReport, OnRefused
    from crmcore.app.near_matches import Matches
    from crmcore.app.parties import AsyncParties, P
    from crmcore.app.relationships import AsyncRelationships
    from crmcore.app.resolve import Membership, Reference
    from crmcore.app.reviewing import ReviewOutcome
    from crmcore.exchange.mapping import RowKind
    from crmcore.exchange.plan import ImportPlan
    from crmcore.identity.judgement import Judgement
    from crmcore.identity.review import Review
    from crmcore.identity.review_decisions import Decisions
    from crmcore.identity.survivorship import Profile
    from crmcore.interaction.interaction import Direction, Interaction, Kind, Participant
    from crmcore.party.history import PartyEvent
    from crmcore.party.party import Party
    from crmcore.party.relationship import Relationship
    from crmcore.values.ids import InteractionId, JudgementId, PartyId, RelationshipId
    from crmcore.values.moment import Moment
    from crmcore.values.partial_date_text import Order
    from crmcore.values.source import Source
    from crmcore.view.customer_view import CustomerView


@attrs.frozen
class Parties:
    """Parties: one record of a person, organization or household, as one source holds it."""

    _flow: AsyncParties

    def add(self, draft: P) -> P:
        """Store a draft and return it with its id and version.

        If an address of it is suppressed, it is stored all the same, and a domain event says so: see
        `crm.suppression.met`.

        Raises:
            InvalidParty: if a field holds a value of another type than it has.
            SourceTaken: if another party already stands for one of its source records.
        """
        return run(self._flow.add(draft))

    def add_many(self, drafts: Iterable[P]) -> tuple[P, ...]:
        """Store drafts in as few batches as the store allows, each all or nothing, and return them in order.

        Raises:
            SourceTaken: as `add`; drafts in earlier batches are stored then.
        """
        return run(self._flow.add_many(drafts))

    def load(
        self,
        drafts: Iterable[Party],
        *,
        idem: str,
        on_progress: LoadProgress | None = None,
        on_refused: OnRefused | None = None,
    ) -> LoadReport:
        """Store drafts by the million, read one after the other and written in chunks, each all or nothing.

        A row that cannot be stored is reported and costs no other row. *idem* names the load: run again with the same
        drafts after it was cut off, it goes on where it stopped. *on_progress* is called with the report so far
        after every chunk, *on_refused* with every row that is refused.

        Raises:
            CapabilityMissing: if the store cannot load in bulk; nothing was written. `add_many` writes in batches.
            IdempotencyMismatch: if other drafts were loaded under *idem*; the rows before those that differ are there.
            StoreError: if the store failed; the chunks before are there, and the same load goes on after them.
            InvalidParty: if what is given is nothing to go through.

        >>> from crmcore import Crm, Person
        >>> crm = Crm.open()
        >>> report = crm.parties.load((Person.of(f"Ann Lee {n}") for n in range(3)), idem="export of 2026-11")
        >>> report.added, report.refused
        (3, 0)
        """
        return run(self._flow.load(drafts, idem=idem, on_progress=on_progress, on_refused=on_refused))

    def get(self, id: PartyId) -> Party:
        """The party as it stands.

        Raises:
            NotFound: if no party has this id.
        """
        return run(self._flow.get(id))

    def change(self, id: PartyId, change: Callable[[P], P], *, reason: str | None = None) -> P:
        """Change a party with a pure function, which may run again when somebody else was faster.

        Raises:
            NotFound: if no party has this id.
            SourceTaken: if the change claims a source record that another party stands for.
        """
        return run(self._flow.change(id, change, reason=reason))

    def retract(self, id: PartyId, *, reason: str) -> Party:
        """Take back a party recorded by mistake: it is found no more and takes part in no customer's values.

        Nobody is contacted by it, nor says yes under it. Its facts stay, each No among them; `restore` brings it back.
        """
        return run(self._flow.retract(id, reason=reason))

    def restore(self, id: PartyId, *, reason: str) -> Party:
        """Bring a retracted party back."""
        return run(self._flow.restore(id, reason=reason))

    def history(self, id: PartyId) -> tuple[PartyEvent, ...]:
        """Everything that was ever said of a party, oldest first.

        Raises:
            NotFound: if no party has this id.
        """
        return run(self._flow.history(id))

    def find(
        self,
        *,
        email: str | None = None,
        phone: str | None = None,
        region: str | None = None,
        source: Source | None = None,
    ) -> tuple[Party, ...]:
        """The parties that carry an e-mail address, a phone number or a source record, by normal form.

        A text that has no normal form is found as it was written; nothing found is an empty tuple.
        """
        return run(self._flow.find(email=email, phone=phone, region=region, source=source))


@attrs.frozen
class Relationships:
    """Dated relationships between parties."""

    _flow: AsyncRelationships

    def add(self, type: str, from_: PartyId, to: PartyId, **facts: Any) -> Relationship:
        """Record that *from_* is related to *to*. *facts* are further fields: title, department, primary, valid, ...

        Raises:
            InvalidRelationship: for an unknown type, or ends of a kind that the type does not join.
            RelationshipOverlap: if it exists already for an overlapping time.
            RelationshipCycle: if it would close a circle.
            NotFound: if one of the parties does not exist.
        """
        return run(self._flow.add(type, from_, to, **facts))

    def change(
        self, id: RelationshipId, change: Callable[[Relationship], Relationship], *, reason: str | None = None
    ) -> Relationship:
        """Change a relationship with a pure function; its ends and type stay.

        Raises:
            NotFound: if there is no such relationship.
        """
        return run(self._flow.change(id, change, reason=reason))

    def end(self, id: RelationshipId, *, on: date, reason: str | None = None) -> Relationship:
        """Say that a relationship no longer held from *on*. It stays readable for the time before."""
        return run(self._flow.end(id, on=on, reason=reason))

    def retract(self, id: RelationshipId, *, reason: str) -> Relationship:
        """Take back a relationship that was recorded by mistake."""
        return run(self._flow.retract(id, reason=reason))

    def of(self, party: PartyId, *, on: date | None = None) -> tuple[Relationship, ...]:
        """The relationships of a party, from both ends; with *on* only those that held on that day."""
        return run(self._flow.of(party, on=on))


@attrs.frozen
class Interactions:
    """Interactions in both directions, with their times."""

    _flow: AsyncInteractions

    def record(
        self,
        kind: Kind,
        *,
        direction: Direction,
        occurred_at: Moment,
        with_: PartyId | Sequence[PartyId | Participant],
        **facts: Any,
    ) -> Interaction:
        """Record a contact. *with_* is who took part; a bare party id takes part as its subject.

        The same *dedupe_key* again records nothing: the interaction that stands is returned, with the sources of both,
        or its retraction (see `Interaction.retracts`), which a report that arrives again does not undo.

        Raises:
            NaiveDatetime: if *occurred_at* is a datetime without a zone.
            FutureInteraction: if it has not happened yet.
            InvalidInteraction: if nobody took part.
            NotFound: if a party does not exist.
        """
        return run(
            self._flow.record(kind, direction=direction, occurred_at=occurred_at, with_=with_, **facts)
        )

    def get(self, id: InteractionId) -> Interaction:
        """The interaction as it was recorded under this id, corrected or not.

        Raises:
            NotFound: if there is none.
        """
        return run(self._flow.get(id))

    def correct(self, id: InteractionId, *, reason: str, **changes: Any) -> Interaction:
        """Replace what was recorded wrongly. *id* may be that of any earlier version.

        Raises:
            InvalidInteraction: if it was retracted, or *changes* name fields that are not to be set.
        """
        return run(self._flow.correct(id, reason=reason, **changes))

    def reassign(self, id: InteractionId, *, from_: PartyId, to: PartyId, reason: str) -> Interaction:
        """Put another party in the place of one that did not take part after all."""
        return run(self._flow.reassign(id, from_=from_, to=to, reason=reason))

    def attach_source(self, id: InteractionId, source: Source) -> Interaction:
        """Say that another system reports the same interaction."""
        return run(self._flow.attach_source(id, source))

    def retract(self, id: InteractionId, *, reason: str) -> Interaction:
        """Take back an interaction that was recorded by mistake; it leaves every timeline and stays readable."""
        return run(self._flow.retract(id, reason=reason))

    def timeline(
        self,
        ref: Reference,
        *,
        after: str | None = None,
        limit: int = 50,
        oldest_first: bool = False,
        since: Moment | None = None,
        until: Moment | None = None,
    ) -> Timeline:
        """The interactions of a customer, over all its records, newest first; stable while others are recorded.

        *since* and *until* bound the time, half-open. *after* is the `next` of the page before.

        Raises:
            TimelineChanged: if *after* is of another timeline, or records joined or left the customer since.
        """
        return run(
            self._flow.timeline(
                ref, after=after, limit=limit, oldest_first=oldest_first, since=since, until=until
            )
        )


@attrs.frozen
class Identity:
    """Judgements between parties, and the clusters that follow from them."""

    _flow: AsyncIdentity

    def matches(self, of: Party | PartyId) -> Matches:
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
        return run(self._flow.matches(of))

    def merge(self, a: Reference, b: Reference, *, reason: str | None = None) -> Judgement:
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
        return run(self._flow.merge(a, b, reason=reason))

    def mark_different(self, a: Reference, b: Reference, *, reason: str | None = None) -> Judgement:
        """Say that two records are different customers, for good: no matcher joins them or asks about them again.

        Raises:
            NotFound: if a reference leads to nobody.
            InvalidJudgement: if both references lead to one record.
        """
        return run(self._flow.mark_different(a, b, reason=reason))

    def retract(self, judgement: JudgementId, *, whole: bool = False, reason: str | None = None) -> Judgement:
        """Take back any judgement, not only the last one. What it joined or kept apart is as if it had never been said.

        A matcher makes several records one customer by several judgements. With *whole* all of them are taken back
        that belong to the one decision, so that the records are as they were before it; what was taken back of it
        before stays so.

        Raises:
            NotFound: if there is no such judgement.
            InvalidJudgement: if there is nothing left to take back.
        """
        return run(self._flow.retract(judgement, whole=whole, reason=reason))

    def judgements(self, ref: Reference) -> tuple[Judgement, ...]:
        """Everything that was judged of a customer's records, oldest first, taken back or not.

        Raises:
            NotFound: if nothing answers to *ref*.
        """
        return run(self._flow.judgements(ref))

    def to_review(self, *, limit: int = 100) -> tuple[Judgement, ...]:
        """The pairs that the matcher is unsure of and nobody has settled, most likely the same first.

        They are read from an order that the store keeps, so the first ones cost as much as they are many.
        """
        return run(self._flow.to_review(limit=limit))

    def review(self, *, limit: int = 500) -> Review:
        """What a person should settle, with the values of the records: doubtful pairs, then hardly joined customers.

        Customers are hardly joined by a link that its matcher calls weak, or that is less than three bits beyond the
        threshold. `Review.html` makes a page of it, and `apply_review` takes over what was decided there.
        """
        return run(self._flow.review(limit=limit))

    def apply_review(self, decisions: Decisions) -> ReviewOutcome:
        """Take over what was decided on a review page, as judgements of those who decided.

        Who names nobody in the file is whoever acts here. What was taken over before is not written again, and what
        somebody says otherwise by now, or took back since it was decided or the page was made, is refused and told.

        Raises:
            InvalidDecisions: if they are none, or about rows of a file, another tenant, or no record of this store.
        """
        return run(self._flow.apply_review(decisions))

    def dedupe(
        self, *, relearn: bool = False, exclude: Exclude | None = None, on_progress: Progress | None = None
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
        return run(self._flow.dedupe(relearn=relearn, exclude=exclude, on_progress=on_progress))

    def settle(self) -> int:
        """Deduplicate until nothing is left to look at: also what others wrote meanwhile; how many judgements.

        Afterwards, under the frozen model, the customers are those that comparing all parties would give, in whatever
        order and portions they came. One thing only comparing all finds, and that only among 20,000 different people at
        most: two records of which every value that could lead from one to the other is a typing error apart. In a
        small store `dedupe(relearn=True)` finds them; what it joined so stays joined while the model says so.
        """
        return run(self._flow.settle())

    def reindex(self) -> int:
        """Write anew what parties are found and compared by, where it is missing or of another version; of how many.

        A store that an older crmcore wrote is found out by its version: until then `matches` goes by the rules, and
        the next `dedupe` over everything does the same as this.
        """
        return run(self._flow.reindex())


@attrs.frozen
class Customers:
    """Customers: clusters of parties, seen as one."""

    _flow: AsyncCustomers

    def resolve(self, ref: Reference, *, region: str | None = None) -> Membership:
        """The customer that *ref* means: its id and its parties.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
        """
        return run(self._flow.resolve(ref, region=region))

    def search(self, ref: Reference, *, region: str | None = None) -> tuple[Membership, ...]:
        """All customers that *ref* fits: none, one, or several who share an address or a name."""
        return run(self._flow.search(ref, region=region))

    def page(self, *, kind: str | None = None, after: str | None = None, limit: int = 500) -> CustomerPage:
        """Customers in the order in which they were first recorded, each once; *kind* is that of their first party.

        *limit* is how many parties are looked at, so a page may hold fewer customers, or none, and still have a next.
        """
        return run(self._flow.page(kind=kind, after=after, limit=limit))

    def view(self, ref: Reference, *, region: str | None = None) -> CustomerView:
        """Everything known of one customer, with where it comes from and what is not known.

        *ref* is a customer id, also a former one, a party id, a source, an e-mail address, a phone number or a name.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
        """
        return run(self._flow.view(ref, region=region))

    def profile(self, ref: Reference) -> Profile:
        """The surviving value of every field, with the record and the rule behind it and the values that lost."""
        return run(self._flow.profile(ref))

    def names(self, ids: Iterable[PartyId]) -> dict[PartyId, str]:
        """What to call the customers that these parties belong to."""
        return run(self._flow.names(ids))


@attrs.frozen
class Imports:
    """Imports of files."""

    _flow: AsyncImports

    def plan(
        self,
        path: str | Path,
        *,
        source: str | None = None,
        source_column: str | None = None,
        id_column: str | None = None,
        kind: RowKind | None = None,
        columns: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        region: str | None = None,
        date_order: Order | None = None,
        contact_kind: Kind | None = None,
        contact_direction: Direction = "inbound",
        encoding: str | None = None,
        delimiter: str | None = None,
        on_progress: Progress | None = None,
    ) -> ImportPlan:
        """What importing a CSV file would do. Nothing is written.

        *source* names the system that the file comes from (else the file's name does), or *source_column* the
        column that says it for each row; *id_column* holds the records' ids there. *columns* maps columns to
        fields; what is not said follows from the columns' names and values. *region* is where local telephone
        numbers are dialled, *date_order* how ambiguous dates are written, *contact_kind* what a dated contact
        was.

        Raises:
            UnreadableFile: if the file cannot be read as a table.
            InvalidMapping: if its columns cannot be mapped as it is said.
        """
        return run(
            self._flow.plan(
                path,
                source=source,
                source_column=source_column,
                id_column=id_column,
                kind=kind,
                columns=columns,
                region=region,
                date_order=date_order,
                contact_kind=contact_kind,
                contact_direction=contact_direction,
                encoding=encoding,
                delimiter=delimiter,
                on_progress=on_progress,
            )
        )

    def apply(self, plan: ImportPlan, *, on_progress: Progress | None = None) -> ImportResult:
        """Do what a plan says. Applied again after it was cut off, it goes on where it stopped.

        Raises:
            PlanStale: if the file, or a party that stands for one of its records, has changed since; the chunks
                before that row stay written.
        """
        return run(self._flow.apply(plan, on_progress=on_progress))

    def write_rejected(self, plan: ImportPlan, path: str | Path) -> int:
        """Write the rows that a plan rejects to a file that can be corrected and imported; how many there are.

        Raises:
            UnreadableFile: if the file cannot be written.
        """
        return run(self._flow.write_rejected(plan, path))
