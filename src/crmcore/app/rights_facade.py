"""The synchronous namespaces of `Crm`. Generated from the asynchronous ones: do not edit.

Invariant: each method has the name, the signature and the documentation of its asynchronous twin, and runs it to its
end without an event loop. Regenerate with ``python tests/tools/generate_facade.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from crmcore.storage.lift import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Set
    from datetime import date, datetime, timedelta
    from typing import Any

    from crmcore.app.consent_members import Told
    from crmcore.app.past_erasures import PastErasures
    from crmcore.app.resolve import Reference
    from crmcore.app.retaining import AsyncRetention, LapsingPage, RetainedPage
    from crmcore.app.retention_done import Applied
    from crmcore.app.rights_requests import AsyncRequests, P
    from crmcore.app.subject_erasure import ErasureFacts
    from crmcore.consent.bundle import Bundle, Confidence
    from crmcore.consent.certificate import ErasureCertificate, KeptTooLong
    from crmcore.consent.disposition import ErasurePlan, LegalHold
    from crmcore.consent.event import ConsentEvent
    from crmcore.consent.lapsing import PermitLapsing
    from crmcore.consent.propagation import OpenNotice
    from crmcore.consent.retention import Retained, RetentionPlan, RetentionPolicy
    from crmcore.consent.rights_request import Requester, RequestId, RightsRequest, RightsStep
    from crmcore.consent.rights_steps import Due
    from crmcore.consent.rights_words import (
        AnswerOutcome,
        ItemDecision,
        PauseCause,
        Right,
        RightsLaw,
        StepKind,
    )
    from crmcore.consent.words import ActPurpose, Channel, Purpose
    from crmcore.party.party import Party
    from crmcore.storage.carried_over import ErasedAgain
    from crmcore.storage.erasure import Erasure
    from crmcore.values.ids import CustomerId, PartyId


@attrs.frozen
class Requests:
    """What people ask about their own data: access, erasure and the other rights."""

    _flow: AsyncRequests

    def receive(
        self,
        ref: Reference,
        *,
        right: Right,
        law: RightsLaw,
        channel: str,
        zone: str,
        received_at: datetime | None = None,
        requester: Requester | None = None,
        scope: str | None = None,
    ) -> RightsRequest:
        """Record that somebody asked. *zone* is where days are counted: that of the company that must answer.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidRightsRequest: if no time is known for the right under this law, the zone is unknown, or it was not
                received yet.
        """
        return run(
            self._flow.receive(
                ref,
                right=right,
                law=law,
                channel=channel,
                zone=zone,
                received_at=received_at,
                requester=requester,
                scope=scope,
            )
        )

    def get(self, id: RequestId) -> RightsRequest:
        """The request as it stands.

        Raises:
            NotFound: if there is none.
        """
        return run(self._flow.get(id))

    def of(self, ref: Reference) -> tuple[RightsRequest, ...]:
        """The requests of a customer, in the order in which they came; also by the id of a record that was erased."""
        return run(self._flow.of(ref))

    def steps(self, id: RequestId) -> tuple[RightsStep, ...]:
        """What was done with a request, in its order."""
        return run(self._flow.steps(id))

    def due(self, id: RequestId, *, holidays: Set[date] = frozenset()) -> Due:
        """By when the request must be answered; *holidays* are those of the place whose days are counted."""
        return run(self._flow.due(id, holidays=holidays))

    def identify(self, id: RequestId, kind: str, *, document: str | None = None) -> RightsRequest:
        """Add evidence of who asks: what kind of proof was seen, and where it is kept."""
        return run(self._flow.identify(id, kind, document=document))

    def move(
        self, id: RequestId, to: StepKind, *, reason: str | None = None, sha256: str | None = None
    ) -> RightsRequest:
        """Take a step from state to state: check_identity, accept, collect, review, respond, refuse, ..., close.

        *sha256* is the digest of the answer, for respond and refuse_partly; *reason* goes with a refusal. Nobody is
        told that something was done before it was: that they were erased, that they object, that data are corrected.
        An erasure that was begun is not refused.

        Raises:
            InvalidRightsRequest: if the request cannot do that now, nothing was done yet, or it is a step that has a
                verb of its own, such as `lift`.
        """
        return run(self._flow.move(id, to, reason=reason, sha256=sha256))

    def confirm_receipt(self, id: RequestId) -> RightsRequest:
        """Say that the person was told that the request has come."""
        return run(self._flow.confirm_receipt(id))

    def stop_clock(
        self, id: RequestId, cause: PauseCause, *, holidays: Set[date] = frozenset()
    ) -> RightsRequest:
        """The person was asked who they are, or what they mean, and the clock stops, where the law lets it."""
        return run(self._flow.stop_clock(id, cause, holidays=holidays))

    def resume_clock(self, id: RequestId) -> RightsRequest:
        """The person has answered, and the clock goes on."""
        return run(self._flow.resume_clock(id))

    def extend(self, id: RequestId, *, reason: str, holidays: Set[date] = frozenset()) -> RightsRequest:
        """Extend the time, once and before it ends; the person is told why."""
        return run(self._flow.extend(id, reason=reason, holidays=holidays))

    def decide(
        self, id: RequestId, item: str, decision: ItemDecision, *, reason: str | None = None
    ) -> RightsRequest:
        """Decide on one item: grant it, refuse it, or withhold it as data of others.

        An erasure keeps what is not granted: data of a kind, or one thing by its id or its place in the plan. An item
        that fits nothing held is refused when the erasure is planned.
        """
        return run(self._flow.decide(id, item, decision, reason=reason))

    def notify(self, id: RequestId, processor: str, what: str, *, due: date | None = None) -> RightsRequest:
        """Record that a processor or recipient was told what to do, and by when. Without *due*: when the request is.

        Somebody whom the request names already as to be told is told by this, if *what* is the same.
        """
        return run(self._flow.notify(id, processor, what, due=due))

    def answered(
        self,
        id: RequestId,
        processor: str,
        what: str,
        outcome: AnswerOutcome,
        *,
        proof_sha256: str | None = None,
        reason: str | None = None,
    ) -> RightsRequest:
        """Record what a processor that was told answers; of *done* the digest of their receipt is the proof.

        Raises:
            InvalidRightsRequest: if they were not told, or the proof, or the *reason* of a refusal, is missing.
        """
        return run(
            self._flow.answered(id, processor, what, outcome, proof_sha256=proof_sha256, reason=reason)
        )

    def excuse(self, id: RequestId, processor: str, what: str, *, reason: str) -> RightsRequest:
        """State why no proof of somebody is waited for: telling them is impossible, they are wound up, ...

        Raises:
            InvalidRightsRequest: if no notice of theirs is open, or the reason is missing.
        """
        return run(self._flow.excuse(id, processor, what, reason=reason))

    def open_notices(self, *, on: date | None = None) -> tuple[OpenNotice, ...]:
        """The notices of all requests that nobody has answered, those that were due first at the front.

        What was due before the day *on* (today, in UTC, if none is named) is overdue. All requests are read for that.
        """
        return run(self._flow.open_notices(on=on))

    def bundle(
        self,
        id: RequestId,
        *,
        about: Mapping[str, Any] | None = None,
        further: Iterable[Mapping[str, Any]] = (),
        reviewed: Confidence = "probable",
    ) -> Bundle:
        """Everything about the person who asked, for access, or all that they provided, for portability.

        *about* is what the law asks to be told beside the data (purposes, recipients, how long it is kept, ...);
        *further* is what other systems hold. With *reviewed* ``"doubtful"`` records that a model joined by a strong
        link are not withheld for review.

        Raises:
            InvalidRightsRequest: if the request asks for something else, or is not being collected, or *about* or
                something *further* is no mapping.
        """
        return run(self._flow.bundle(id, about=about, further=further, reviewed=reviewed))

    def carry_out(self, id: RequestId, *, purposes: Iterable[ActPurpose] = ()) -> ConsentEvent:
        """Record the act that a request is, so that every decision sees it.

        That is so of restriction, objection, and requests against sale or the use of sensitive data. While an automated
        decision is to be reviewed, profiling is restricted. *purposes* narrow the act; without them an objection is one
        to direct marketing. Those to whom the data were passed on are noted as to be told. Done again, it records
        nothing, but for *purposes* that were not named before.

        Raises:
            InvalidRightsRequest: if the request asks for something else, was answered, or was lifted.
        """
        return run(self._flow.carry_out(id, purposes=purposes))

    def announce_lifting(self, id: RequestId, *, reason: str, sha256: str | None = None) -> RightsRequest:
        """Say that the person was told that a restriction will be lifted, or how a decision was reviewed, and why.

        *sha256* is the digest of what was sent to them. It comes before `lift`.

        Raises:
            InvalidRightsRequest: if the request is for something else, or was lifted already.
        """
        return run(self._flow.announce_lifting(id, reason=reason, sha256=sha256))

    def lift(self, id: RequestId) -> ConsentEvent:
        """Lift the restriction that a request was carried out by, also long after it was answered.

        What was permitted before is permitted again; an objection is not lifted by this. A restriction for the review
        of an automated decision is lifted by the person who reviewed it, as whom you act.

        Raises:
            InvalidRightsRequest: if the person was not told before, nothing was restricted, or it was lifted already.
        """
        return run(self._flow.lift(id))

    def rectify(
        self, id: RequestId, change: Callable[[P], P], *, records: Iterable[PartyId] | None = None
    ) -> tuple[Party, ...]:
        """Correct what is wrong with a pure function, in each of *records*, and give those that it changed.

        Without *records*: in all that are surely the person's. The history of each names the request as the reason,
        each field stands decided on the request, and no import brings back what was wrong. Those to whom the data were
        passed on are noted as to be told.

        Raises:
            InvalidRightsRequest: if the request is for something else, is not being collected or reviewed, a record is
                not the customer's, or *change* is no function.
        """
        return run(self._flow.rectify(id, change, records=records))

    def erasure_plan(
        self, id: RequestId, *, facts: ErasureFacts | None = None, reviewed: Confidence = "probable"
    ) -> ErasurePlan:
        """What erasing the person would do, thing by thing and with reasons. Nothing is written.

        Raises:
            InvalidRightsRequest: if the request is none for erasure, is not being collected or reviewed and nothing was
                erased for it before, or a record is not surely the person's: as unsure as *reviewed*, or less sure.
        """
        return run(self._flow.erasure_plan(id, facts=facts, reviewed=reviewed))

    def erase(
        self,
        id: RequestId,
        *,
        plan_sha256: str,
        facts: ErasureFacts | None = None,
        reviewed: Confidence = "probable",
    ) -> ErasureCertificate:
        """Do what a plan said, which is named by its digest, and certify it. Sent again, it goes on where it was.

        One that was cut off goes on with what its plan named and with nothing else, whether or not the *facts* are
        given again. What has come in since wants another plan, which then counts in its place.

        Raises:
            InvalidRightsRequest: if the data or the facts have changed since the plan was made: make another one.
            CapabilityMissing: if the store cannot erase.
        """
        return run(self._flow.erase(id, plan_sha256=plan_sha256, facts=facts, reviewed=reviewed))

    def erasures(self) -> PastErasures:
        """What was ever erased of this tenant, with what was noted of people: for `erase_again`, and to be kept apart.

        Keep what `to_json` gives beside the backups, after every erasure, and whenever a plan of retention was applied:
        the store may be lost. All of it is read.

        Raises:
            CapabilityMissing: if the store cannot erase.
        """
        return run(self._flow.erasures())

    def erase_again(self, past: PastErasures | Iterable[Erasure]) -> ErasedAgain:
        """Carry over what was erased into a store that an older backup was restored into, before anybody uses it.

        *past* is what `erasures` gives of the store that the backup was taken from, of now. Beside what
        `crmcore.storage.erase_again` does, all that was written beside erasures of people is written again: addresses
        are suppressed, which needs the secrets, a No stays for whoever else has the address, whoever is kept is
        restricted, consent that is kept is over, and what is kept is found as in the other store when its time is over.
        Whom a plan of retention kept goes by no plan that was made before. Requests and certificates that are not in
        the backup are not made again. If it is cut off, restore anew. All interactions are read.

        Erasures alone, as a store lists them, do not tell what a hold or a purpose kept: all that they do not name
        counts as held then, and who was kept altogether is not known. Nor do they tell whether addresses are suppressed
        there: a crm without secrets takes them as ``PastErasures(..., suppressed=False)``, if none are.

        Raises:
            CapabilityMissing: if the store cannot erase.
            InvalidRightsRequest: if it is of another tenant.
            InvalidConsent: if addresses of people are suppressed there, or may be, and this crm was given no secrets;
                nothing was done.
            WrongKey: if the store is encrypted, and keys are gone of what is to be erased; nothing was done.
        """
        return run(self._flow.erase_again(past))

    def certificate(self, id: RequestId) -> ErasureCertificate:
        """The proof of an erasure that was done, as it stands: of what was kept and is over, the latest tells.

        Raises:
            NotFound: if none was done for this request.
        """
        return run(self._flow.certificate(id))

    def certificates(self, id: RequestId) -> tuple[ErasureCertificate, ...]:
        """All proofs of an erasure: the first is what the person was told, the others are of what was kept longer."""
        return run(self._flow.certificates(id))

    def kept_too_long(
        self, *, on: date | None = None, holds: Iterable[LegalHold] | None = None
    ) -> tuple[KeptTooLong, ...]:
        """The erasures of which something is kept whose last day was before the day *on* (today, in UTC).

        With *holds*, those that there are by now, those too of which a hold without an end kept something that none of
        them holds any more. Plan and carry out each of them again, and tell the holds and purposes of then: what is
        over goes, unless these keep it. All requests are read for that.
        """
        return run(self._flow.kept_too_long(on=on, holds=holds))


@attrs.frozen
class Retention:
    """How long customers are kept, and which permits are about to lapse."""

    _flow: AsyncRetention

    def customers(
        self,
        *,
        category: str = "prospect",
        jurisdictions: Iterable[str] = (),
        after: str | None = None,
        limit: int = 500,
    ) -> RetainedPage:
        """Customers with the days that the store knows: *recorded*, and *last_contact*, the last that came from them.

        That is what came in from a record of theirs, what they said of their consent and wished, and what they asked of
        their data; not what we did, nor what was imported. What names no record but only an address of theirs is read
        by `plan`, for all at once. A record that never wrote has no last contact but the day on which it was recorded.
        Of several records that are one customer the latest day counts, so that joining them makes nobody go earlier.
        *jurisdictions* apply beside what addresses and numbers tell. Other days and categories are the app's to add.

        Raises:
            InvalidConsent: if one of the *jurisdictions* is no code.
        """
        return run(
            self._flow.customers(category=category, jurisdictions=jurisdictions, after=after, limit=limit)
        )

    def plan(
        self,
        things: Iterable[Retained],
        *,
        policies: Iterable[RetentionPolicy] | None = None,
        holds: Iterable[LegalHold] = (),
        purposes: Mapping[str, frozenset[str]] | None = None,
    ) -> RetentionPlan:
        """What becomes of each thing today, with reasons. Nothing is written.

        Of customers that would go, all interactions are read once for what names only an address of theirs; plan many
        at a time. Who has an open request about their data, or had it restricted, is kept, and it is said why. Of whom
        a No will not be known when they are gone, since this crm was given no secrets, `notes` of the plan tell.

        *holds* name categories of things, or kinds of data (``"interaction"``, ...) that stay of a customer that goes;
        *purposes* are those for which data of a kind is still needed, as in `ErasureFacts`.

        Raises:
            InvalidRightsRequest: if a hold names neither a category nor a kind of data, if a purpose is for what is no
                kind of data, or if the table of dispositions keeps nothing for it.
        """
        return run(self._flow.plan(things, policies=policies, holds=holds, purposes=purposes))

    def apply(self, plan: RetentionPlan, *, reviewed: Confidence = "probable") -> Applied:
        """Do what a plan says of customers: erase them, or restrict them to what they are kept for.

        Steps about anything else, and those that want a fact first, are given back: they are not ours to do. So are
        those of customers that have changed since the plan was made, that have an open request about their data or had
        it restricted by now, or of which a record is not surely theirs: as unsure as *reviewed*, or less sure. They are
        to *find out* then, and say why.

        Raises:
            CapabilityMissing: if somebody is to be erased and the store cannot.
        """
        return run(self._flow.apply(plan, reviewed=reviewed))

    def kept_too_long(
        self,
        *,
        on: date | None = None,
        holds: Iterable[LegalHold] | None = None,
        purposes: Mapping[str, frozenset[str]] | None = None,
        policies: Iterable[RetentionPolicy] | None = None,
    ) -> RetentionPlan:
        """A plan for what is left of customers that were erased here: of whom something was kept whose last day was
        before the day *on* (today, in UTC), or by a hold that is no more, and of whom the erasure was cut off. Look at
        it, and `apply` it.

        *holds* and *purposes* are those of now. Nothing goes of whom a hold kept something while nobody says which
        *holds* there are: that is to *find out* then. They may name categories, of *policies* too, as in `plan`. What
        one of them keeps is to *keep*: when that is applied, no plan that was made before erases it. What goes by
        requests is in `crm.requests.kept_too_long`.

        Raises:
            InvalidRightsRequest: if a hold names neither a category nor a kind of data, if a purpose is for what is no
                kind of data, or if the table of dispositions keeps nothing for it.
        """
        return run(self._flow.kept_too_long(on=on, holds=holds, purposes=purposes, policies=policies))

    def lapsing(
        self, ref: Reference, *, purpose: Purpose, channel: Channel, within: timedelta, **asked: Any
    ) -> PermitLapsing | None:
        """When what permits to contact a customer will permit no more, if that is *within* so long.

        Ask for another permit while this one holds. Of somebody who said No nothing lapses. *asked* is as
        `crm.consent.decide` takes it.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
        """
        return run(self._flow.lapsing(ref, purpose=purpose, channel=channel, within=within, **asked))

    def lapsing_by(
        self,
        by: date,
        *,
        purpose: Purpose,
        channel: Channel,
        facts: Callable[[CustomerId], Told | None] | None = None,
        after: str | None = None,
        limit: int = 500,
        **asked: Any,
    ) -> LapsingPage:
        """The permits of a page of customers that will lapse by the end of a day, in UTC, those first that lapse first.

        *facts* tells what the app knows of a customer beside the ledgers, such as its purchases. *asked* is as
        `crm.consent.decide` takes it, and the same for all. Whoever has several addresses for the channel is asked of
        each. Who said No stands in no list: there is nothing to renew.
        """
        return run(
            self._flow.lapsing_by(
                by, purpose=purpose, channel=channel, facts=facts, after=after, limit=limit, **asked
            )
        )
