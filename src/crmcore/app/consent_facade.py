"""The synchronous namespaces of `Crm`. Generated from the asynchronous ones: do not edit.

Invariant: each method has the name, the signature and the documentation of its asynchronous twin, and runs it to its
end without an event loop. Regenerate with ``python tests/tools/generate_facade.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from crmcore.storage.lift import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set
    from datetime import date, datetime, timedelta
    from typing import Any

    from crmcore.app.consent_members import Told
    from crmcore.app.consents import AsyncConsents
    from crmcore.app.resolve import Reference
    from crmcore.app.retaining import Applied, AsyncRetention, RetainedPage
    from crmcore.app.rights_requests import AsyncRequests
    from crmcore.app.subject_erasure import ErasureFacts
    from crmcore.app.suppressions import AsyncSuppressions
    from crmcore.app.unsubscribes import AsyncUnsubscribes
    from crmcore.consent.address_forms import PointKind
    from crmcore.consent.bundle import Bundle, Confidence
    from crmcore.consent.certificate import ErasureCertificate
    from crmcore.consent.consent_matrix import ConsentMatrix
    from crmcore.consent.decision import Decision
    from crmcore.consent.disposition import ErasurePlan, LegalHold
    from crmcore.consent.event import ConsentEvent, Evidence
    from crmcore.consent.facts import Listing
    from crmcore.consent.lapsing import PermitLapsing
    from crmcore.consent.policy import Policy
    from crmcore.consent.request import Message, Request, Use
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
    from crmcore.consent.suppression import Suppression, SuppressionReason
    from crmcore.consent.unsubscribe import Ticket
    from crmcore.consent.words import ActKind, ActPurpose, Channel, Purpose
    from crmcore.party.contact_point import ContactPoint


@attrs.frozen
class Consents:
    """What people said about being contacted, and decisions about contact."""

    _flow: AsyncConsents

    def record(
        self,
        kind: ActKind,
        ref: Reference,
        *,
        purposes: Iterable[ActPurpose] = (),
        channels: Iterable[Channel] = (),
        point: str | None = None,
        controller: str | None = None,
        evidence: Evidence | None = None,
        occurred_at: datetime | None = None,
        brand: str | None = None,
        topics: Iterable[str] = (),
        recipients: Iterable[str] = (),
        right: str | None = None,
        **facts: Any,
    ) -> ConsentEvent:
        """Record what somebody did: give, refuse, withdraw, object, ...

        *point* is the address or number that it is about; a *ref* that is one stands for itself. Without one it is
        about the person, whatever way they are reached; a Yes then goes to the points that the record has now, not to
        later ones. *controller* is whom it was said to: this crm's own, if nothing is said. *facts* are further fields
        of `ConsentEvent`.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if no record of the customer has the *point*, the act has not happened yet, or one of its
                fields holds a value of another type than it has.
        """
        return run(
            self._flow.record(
                kind,
                ref,
                purposes=purposes,
                channels=channels,
                point=point,
                controller=controller,
                evidence=evidence,
                occurred_at=occurred_at,
                brand=brand,
                topics=topics,
                recipients=recipients,
                right=right,
                **facts,
            )
        )

    def withdraw(self, ref: Reference, **said: Any) -> ConsentEvent:
        """Record that somebody took consent back. *said* is as `record` takes it."""
        return run(self._flow.withdraw(ref, **said))

    def events(self, ref: Reference) -> tuple[ConsentEvent, ...]:
        """All acts of a customer, about the person and about every contact point, in the order of their times."""
        return run(self._flow.events(ref))

    def decide(
        self,
        ref: Reference,
        *,
        purpose: Purpose,
        channel: Channel,
        point: str | None = None,
        controller: str | None = None,
        message: Message | None = None,
        use: Use | None = None,
        facts: Told | None = None,
        jurisdictions: Sequence[str] = (),
        policy: Policy | None = None,
        at: datetime | None = None,
        known_at: datetime | None = None,
        **asked: Any,
    ) -> Decision:
        """May this customer be contacted for *purpose* through *channel*, at *at* (now, if nothing is said)?

        *facts* are what the app knows beside the ledgers: of the customer, or of each of its records, by its id, since
        what was between one record and us says nothing of another. *jurisdictions* are those that may apply beside what
        addresses and numbers tell. *asked* are further fields of `Request`. What is left open and the `Practice` of
        this crm tells is filled in. With *known_at*: as it was known then.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if the customer has several points for the channel and none is named, or has not this one.
        """
        return run(
            self._flow.decide(
                ref,
                purpose=purpose,
                channel=channel,
                point=point,
                controller=controller,
                message=message,
                use=use,
                facts=facts,
                jurisdictions=jurisdictions,
                policy=policy,
                at=at,
                known_at=known_at,
                **asked,
            )
        )

    def matrix(
        self,
        ref: Reference,
        *,
        purposes: Sequence[Purpose] = ("marketing", "service", "transactional"),
        channels: Sequence[Channel] | None = None,
        point: str | None = None,
        controller: str | None = None,
        message: Message | Mapping[Purpose, Message] | None = None,
        use: Use | None = None,
        facts: Told | None = None,
        jurisdictions: Sequence[str] = (),
        policy: Policy | None = None,
        at: datetime | None = None,
        known_at: datetime | None = None,
        **asked: Any,
    ) -> ConsentMatrix:
        """All that this customer may be contacted for, and how: what `decide` answers for each purpose, each channel
        and each contact point that it reaches, or for one *point* alone.

        Without *channels* it is about those by which the customer has a contact point. *message* is what is to be said,
        for all purposes or for each; of a purpose of which nothing is told it promotes something in marketing and
        nothing in service. The rest is as `decide` takes it.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if a purpose or a channel is none, or no record of the customer has the *point*.
        """
        return run(
            self._flow.matrix(
                ref,
                purposes=purposes,
                channels=channels,
                point=point,
                controller=controller,
                message=message,
                use=use,
                facts=facts,
                jurisdictions=jurisdictions,
                policy=policy,
                at=at,
                known_at=known_at,
                **asked,
            )
        )


@attrs.frozen
class Suppressions:
    """Addresses that are not to be used. It needs the secrets that `Crm` was given."""

    _flow: AsyncSuppressions

    def add(
        self,
        kind: PointKind,
        text: str,
        *,
        reason: SuppressionReason,
        controller: str | None = None,
        channels: Iterable[Channel] = (),
        purposes: Iterable[ActPurpose] = (),
        topics: Iterable[str] = (),
        since: datetime | None = None,
        region: str | None = None,
    ) -> Suppression:
        """Suppress an address, whether or not anybody has it. One that is suppressed so already stays as it is.

        *since* is now, if nothing is said. *region* is where a local telephone number is dialled.

        Raises:
            InvalidConsent: if this crm was given no secrets, the text is no address of its *kind*, or *since* is in the
                future.
        """
        return run(
            self._flow.add(
                kind,
                text,
                reason=reason,
                controller=controller,
                channels=channels,
                purposes=purposes,
                topics=topics,
                since=since,
                region=region,
            )
        )

    def add_customer(
        self,
        ref: Reference,
        *,
        reason: SuppressionReason,
        controller: str | None = None,
        channels: Iterable[Channel] = (),
        purposes: Iterable[ActPurpose] = (),
        topics: Iterable[str] = (),
    ) -> tuple[Suppression, ...]:
        """Suppress every address of a customer, of all records: what is done before the customer is erased.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if this crm was given no secrets.
        """
        return run(
            self._flow.add_customer(
                ref, reason=reason, controller=controller, channels=channels, purposes=purposes, topics=topics
            )
        )

    def lift(
        self, kind: PointKind, text: str, *, controller: str | None = None, region: str | None = None
    ) -> tuple[Suppression, ...]:
        """End the entries about an address that stand, for one *controller* or for all, if none is named: a mistake is
        set right so. Somebody who comes back gives a new consent instead, which is kept with its evidence.

        Raises:
            InvalidConsent: if this crm was given no secrets, or the text is no address of its *kind*.
        """
        return run(self._flow.lift(kind, text, controller=controller, region=region))

    def of(self, *points: ContactPoint, controller: str | None = None) -> tuple[Suppression, ...]:
        """The entries about contact points, also those that were lifted: to look at before records are taken in.

        Raises:
            InvalidConsent: if this crm was given no secrets.
        """
        return run(self._flow.of(*points, controller=controller))

    def listings(
        self, points: Sequence[ContactPoint], request: Request, *, zones: Sequence[str] = ()
    ) -> tuple[Listing, ...]:
        """What the list says of a request to one of *points*, as facts for its decision.

        Raises:
            InvalidConsent: if this crm was given no secrets.
        """
        return run(self._flow.listings(points, request, zones=zones))


@attrs.frozen
class Unsubscribes:
    """Links for unsubscribing. They need the secrets that `Crm` was given."""

    _flow: AsyncUnsubscribes

    def token(
        self,
        ref: Reference,
        *,
        channel: Channel = "email",
        topic: str | None = None,
        purposes: Iterable[ActPurpose] = ("marketing",),
        point: str | None = None,
        controller: str | None = None,
        days: int = 366,
    ) -> str:
        """A signed token by which whoever has the customer's contact point ends what they get there.

        *point* names the address or number; it may be left out where the customer has one for the *channel*. Without
        a *topic* all of the *purposes* end. It works for so many *days*. The token holds no address and no name.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if this crm was given no secrets, the customer has several points for the channel or not
                this one, or *days* are less than 60.
        """
        return run(
            self._flow.token(
                ref,
                channel=channel,
                topic=topic,
                purposes=purposes,
                point=point,
                controller=controller,
                days=days,
            )
        )

    def headers(
        self,
        ref: Reference,
        *,
        url: str,
        mailto: str | None = None,
        topic: str | None = None,
        purposes: Iterable[ActPurpose] = ("marketing",),
        point: str | None = None,
        controller: str | None = None,
    ) -> Mapping[str, str]:
        """The headers of an e-mail to a customer, with a token of its own; *url* is your page for unsubscribing.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: as `token`, and if *url* is not one of https.
        """
        return run(
            self._flow.headers(
                ref,
                url=url,
                mailto=mailto,
                topic=topic,
                purposes=purposes,
                point=point,
                controller=controller,
            )
        )

    def read(self, token: str) -> Ticket:
        """What a link stands for, for the page that asks whether it is meant. Nothing is written.

        Raises:
            InvalidConsent: with a sentence for whoever pressed it, if the link is damaged, foreign, too old or run out.
        """
        return run(self._flow.read(token))

    def act(self, token: str) -> ConsentEvent:
        """Do what a link asks for, and give the act that stands for it. Pressing it again writes nothing.

        Where the contact point's ledger is gone, because the person was erased, the address is suppressed instead.

        Raises:
            InvalidConsent: as `read`.
        """
        return run(self._flow.act(token))


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
            InvalidRightsRequest: if the law knows no such right, the zone is unknown, or it was not received yet.
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

        *sha256* is the digest of the answer, for respond and refuse_partly; *reason* goes with a refusal.

        Raises:
            InvalidRightsRequest: if the request cannot do that now.
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
        """Decide on one item: grant it, refuse it, or withhold it as data of others."""
        return run(self._flow.decide(id, item, decision, reason=reason))

    def notify(self, id: RequestId, processor: str, what: str, *, due: date | None = None) -> RightsRequest:
        """Record that a processor or recipient was told what to do, and by when. Without *due*: when the request is."""
        return run(self._flow.notify(id, processor, what, due=due))

    def answered(
        self,
        id: RequestId,
        processor: str,
        what: str,
        outcome: AnswerOutcome,
        *,
        proof_sha256: str | None = None,
    ) -> RightsRequest:
        """Record what a processor that was told answers; of *done* the digest of their receipt is the proof."""
        return run(self._flow.answered(id, processor, what, outcome, proof_sha256=proof_sha256))

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
            InvalidRightsRequest: if the request asks for something else, or is not being collected.
        """
        return run(self._flow.bundle(id, about=about, further=further, reviewed=reviewed))

    def carry_out(self, id: RequestId, *, purposes: Iterable[ActPurpose] = ()) -> ConsentEvent:
        """Record the act that a request for restriction, objection or against sale is, so that every decision sees it.

        *purposes* narrow an objection; without them it is one to direct marketing. Done again, it records nothing.

        Raises:
            InvalidRightsRequest: if the request asks for something else, or was answered.
        """
        return run(self._flow.carry_out(id, purposes=purposes))

    def erasure_plan(
        self, id: RequestId, *, facts: ErasureFacts | None = None, reviewed: Confidence = "probable"
    ) -> ErasurePlan:
        """What erasing the person would do, thing by thing and with reasons. Nothing is written.

        Raises:
            InvalidRightsRequest: if the request is none for erasure, is not being collected or reviewed, or a record is
                not surely the person's: as unsure as *reviewed*, or less sure.
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

        Raises:
            InvalidRightsRequest: if the data or the facts have changed since the plan was made: make another one.
            CapabilityMissing: if the store cannot erase.
        """
        return run(self._flow.erase(id, plan_sha256=plan_sha256, facts=facts, reviewed=reviewed))

    def certificate(self, id: RequestId) -> ErasureCertificate:
        """The proof of an erasure that was done.

        Raises:
            NotFound: if none was done for this request.
        """
        return run(self._flow.certificate(id))


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

        Somebody who never wrote has no last contact but the day on which they were recorded. *jurisdictions* apply
        beside what addresses and numbers tell. Other days and categories are the app's to add.
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
    ) -> RetentionPlan:
        """What becomes of each thing today, with reasons. Nothing is written."""
        return run(self._flow.plan(things, policies=policies, holds=holds))

    def apply(self, plan: RetentionPlan) -> Applied:
        """Do what a plan says of customers: erase them, or restrict them to what they are kept for.

        Steps about anything else, and those that want a fact first, are given back: they are not ours to do.

        Raises:
            CapabilityMissing: if somebody is to be erased and the store cannot.
        """
        return run(self._flow.apply(plan))

    def lapsing(
        self, ref: Reference, *, purpose: Purpose, channel: Channel, within: timedelta, **asked: Any
    ) -> PermitLapsing | None:
        """When what permits to contact a customer will permit no more, if that is *within* so long.

        Ask for another permit while this one holds. *asked* is as `crm.consent.decide` takes it.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
        """
        return run(self._flow.lapsing(ref, purpose=purpose, channel=channel, within=within, **asked))
