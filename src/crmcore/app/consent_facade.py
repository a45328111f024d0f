"""The synchronous namespaces of `Crm`. Generated from the asynchronous ones: do not edit.

Invariant: each method has the name, the signature and the documentation of its asynchronous twin, and runs it to its
end without an event loop. Regenerate with ``python tests/tools/generate_facade.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from crmcore.storage.lift import drawn, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from crmcore.app.consent_members import Told
    from crmcore.app.consents import AsyncConsents
    from crmcore.app.preferences import AsyncPreferences
    from crmcore.app.resolve import Reference
    from crmcore.app.suppressed import Suppressed
    from crmcore.app.suppressions import AsyncSuppressions
    from crmcore.app.unsubscribes import AsyncUnsubscribes
    from crmcore.consent.audience import AudienceMember
    from crmcore.consent.consent_matrix import ConsentMatrix
    from crmcore.consent.decision import Decision
    from crmcore.consent.event import ConsentEvent, Evidence
    from crmcore.consent.facts import Listing
    from crmcore.consent.policy import Policy
    from crmcore.consent.preference_centre import Change, Offer, PreferenceCentre
    from crmcore.consent.request import Message, Request, Use
    from crmcore.consent.suppression import Suppression, SuppressionReason
    from crmcore.consent.unsubscribe import Ticket
    from crmcore.consent.wishes import Basis, Wish, Wished
    from crmcore.consent.words import ActKind, ActPurpose, Channel, PointKind, Purpose
    from crmcore.party.contact_point import ContactPoint
    from crmcore.values.language import Language


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

        *point* is the address or number that it is about; a *ref* that is one stands for itself if the *channels* reach
        it, and a number without its extension for the one that has it. Without one it is about the person, whatever way
        they are reached; a Yes then goes to the points that the record has now, not to later ones. A No by channels
        that do not all reach the address by which somebody was named is about the person; a Yes by further ones that
        need no point (``in_app``) is, too, but goes to that address alone. A No by an address that several customers
        have is one of each, and the first act is given back; one by an id without a *point* is that customer's alone.
        *controller* is whom it was said to: this crm's own, if nothing is said. *occurred_at* is now; a No of about now
        is as late as what was recorded already. *facts* are further fields of `ConsentEvent`; *right* is one of a pack.

        Raises:
            NotFound: if nothing answers to *ref*; to a No also records that were taken back do by their addresses.
            AmbiguousReference: if it fits several customers, and is no address of theirs or the act is no No.
            InvalidConsent: if no record of the customer has the *point*, the *channels* do not reach it, it may be
                several numbers, as of two countries or extensions, the act has not happened yet, it is a Yes under a
                record that was taken back, it is about no topic of the practice, no law knows the *right*, one of its
                fields is of another type, or filled in by this crm, or its texts are too long (those of a No are cut).
            StoreError: if the store fails; of a No of more customers than one batch holds a part may be recorded then.
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
        """All acts of a customer, in the order of their times; of others who have a contact point no more each No."""
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

        It is about the *point*, or about *ref* itself where that is an address that the channel reaches, or else about
        the one point that the channel reaches and that may be used; about the person where it needs none (``push``,
        ``in_app``). It is denied at a point that a record marks as unusable, that is not valid then or was read as no
        address or number, and where all records were taken back. *facts* are what the app knows beside the ledgers: of
        the customer, or of each of its records, by its id: what was between one record and us says nothing of another;
        what is told of records of others is theirs alone. *jurisdictions* are those that may apply beside what
        addresses and numbers tell. *asked* are further fields of `Request`. What is left open and the `Practice` tells
        is filled in. With *known_at*: as it was known then, by the acts, the records and the merges that there were;
        *ref*, and lists of suppressed addresses, are those of today. It hears no wishes: `crm.preferences.decide` does.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if the customer has several points for the channel and none is named, or has not this one,
                or the channel does not reach it, a jurisdiction is no code, or *facts* are told of no id of one.
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
        nothing in service. The rest is as `decide` takes it; wishes are not heard.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if a purpose, a channel or a jurisdiction is none, or no record of the customer has the
                *point*, or none of the *channels* reaches it.
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

    def audience(
        self,
        refs: Iterable[Reference] | None = None,
        *,
        purpose: Purpose,
        channel: Channel,
        controller: str | None = None,
        message: Message | None = None,
        use: Use | None = None,
        facts: Told | None = None,
        jurisdictions: Sequence[str] = (),
        policy: Policy | None = None,
        at: datetime | None = None,
        known_at: datetime | None = None,
        **asked: Any,
    ) -> Iterator[AudienceMember]:
        """Whom of all customers, or of those that *refs* mean, may be contacted: one after the other, each once.

        Each has the answer that `decide` would give now, without its trace, several times faster; of several contact
        points the one that may be used, unless they are named by one of them; who has none is ``unreachable``. All else
        is as in `decide`, wishes unheard (`crm.preferences.audience` hears them), but that whoever cannot be decided
        about is told of with a *barrier*, so that one wrong reference does not end the work; and that *known_at* leaves
        out acts alone: records and merges are those of today. Its memory grows with ids that are named alone. Without
        *at*, each page of customers is decided about as it is when it is read: a No that comes while you go through
        them counts for those that are still to come.

        Raises:
            InvalidConsent: if *refs* is a single text, or one of them is neither a text nor a `Source`, a jurisdiction
                is no code, or *facts* are told of what is no id of a record.
        """
        return drawn(
            self._flow.audience(
                refs,
                purpose=purpose,
                channel=channel,
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
class Preferences:
    """How people want to be contacted: their wishes, a preference centre, and decisions under wishes."""

    _flow: AsyncPreferences

    def record(
        self,
        ref: Reference,
        wished: Wished,
        *,
        basis: Basis = "stated",
        purposes: Iterable[Purpose] = (),
        controller: str | None = None,
        said_at: datetime | None = None,
    ) -> Wish:
        """Record what somebody wishes, or with the *basis* ``inferred`` what is guessed of them.

        What is None in *wished* was not spoken of; what is empty is wanted no longer. It is about all *purposes* but
        transactions and notices of law, unless some are named, and stands under the record that *ref* names.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if it has not been said yet, is about what is no topic of the practice, or names a zone that
                there is not.
        """
        return run(
            self._flow.record(
                ref, wished, basis=basis, purposes=purposes, controller=controller, said_at=said_at
            )
        )

    def of(self, ref: Reference) -> tuple[Wish, ...]:
        """All wishes of a customer, of all records, in the order in which they were said.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
        """
        return run(self._flow.of(ref))

    def centre(
        self,
        ref: Reference,
        offers: Iterable[Offer],
        *,
        points: Mapping[Channel, str] | None = None,
        controller: str | None = None,
        at: datetime | None = None,
    ) -> PreferenceCentre:
        """What a customer gets and wishes, to be shown: a line for each of *offers*, by the topics of the practice.

        *points* names the contact point of each channel that the lines are about, however it is written; a line of a
        channel without one is about the person.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if offers overlap or are about what is no topic, no record of the customer has one of the
                *points*, or it is none that its channel reaches.
        """
        return run(self._flow.centre(ref, offers, points=points, controller=controller, at=at))

    def change(
        self, ref: Reference, before: PreferenceCentre, after: PreferenceCentre, *, evidence: Evidence | None
    ) -> Change:
        """Record what somebody has changed in the centre, if anything: acts with their *evidence*, and a wish.

        *before* is what they were shown, read before a batch with a key, which knows a change again by both. Whatever
        was changed since, what they see as off is off; at a contact point that was left, for whoever left it.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if the two are not of one centre, or a Yes (`crm.consent.record`) or a wish (`record`) is
                refused: what they turned off is recorded then, and nothing else; of a batch nothing.
        """
        return run(self._flow.change(ref, before, after, evidence=evidence))

    def decide(
        self,
        ref: Reference,
        *,
        purpose: Purpose,
        channel: Channel,
        point: str | None = None,
        controller: str | None = None,
        facts: Told | None = None,
        at: datetime | None = None,
        known_at: datetime | None = None,
        language: Language | None = None,
        **asked: Any,
    ) -> Decision:
        """The decision of `crm.consent.decide` under the wishes of the customer: never more than that.

        Caps count what went out by the timelines of all records, and the attempts in *facts*, each contact once. Quiet
        hours go by the zones in *facts*; of a record of whom they name none, by its own. *language* is that of the
        message. Where both the law and a wish ask to wait, *retry_at* is the later of the two: ask again then. A wish
        about what a message is taken for counts as one about what it is sent as.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: as `crm.consent.decide` says.
        """
        return run(
            self._flow.decide(
                ref,
                purpose=purpose,
                channel=channel,
                point=point,
                controller=controller,
                facts=facts,
                at=at,
                known_at=known_at,
                language=language,
                **asked,
            )
        )

    def audience(
        self,
        refs: Iterable[Reference] | None = None,
        *,
        purpose: Purpose,
        channel: Channel,
        language: Language | None = None,
        **asked: Any,
    ) -> Iterator[AudienceMember]:
        """The audience of `crm.consent.audience`, each decision under the wishes of the customer, as in `decide`.

        Of several contact points the one is told that may be used also by the wishes. *asked* is all that
        `crm.consent.audience` takes beside.

        Raises:
            InvalidConsent: as `crm.consent.audience` says.
        """
        return drawn(self._flow.audience(refs, purpose=purpose, channel=channel, language=language, **asked))


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
        """End the entries that stand and were made about this address: those for one *controller* or, if none is named,
        those that name none. A mistake is set right so, for the address as it is written but for its case, and for
        the one that it is plainly meant for: an entry about another that may reach the same mailbox, with a tag or with
        dots, stays. Somebody who comes back gives a new consent instead, which is kept with its evidence.

        Raises:
            InvalidConsent: if this crm was given no secrets, or the text is no address of its *kind*.
        """
        return run(self._flow.lift(kind, text, controller=controller, region=region))

    def of(self, *points: ContactPoint, controller: str | None = None) -> tuple[Suppression, ...]:
        """The entries about contact points, also those that were lifted: to look at before records are taken in.
        They are those that speak to *controller*: this crm's own, if nothing is said.

        Raises:
            InvalidConsent: if this crm was given no secrets.
        """
        return run(self._flow.of(*points, controller=controller))

    def met(self, *refs: Reference) -> tuple[Suppressed, ...]:
        """Which records of these customers have suppressed addresses, how many, and the entries about them.

        What was told when a record was created, changed or merged are the domain events ``suppression.met``; this is
        how it is now. No address is named.

        Raises:
            NotFound: if nothing answers to one of *refs*.
            AmbiguousReference: if one fits several customers.
            InvalidConsent: if this crm was given no secrets.
        """
        return run(self._flow.met(*refs))

    def listings(
        self, points: Sequence[ContactPoint], request: Request, *, zones: Sequence[str] = ()
    ) -> tuple[Listing, ...]:
        """What the list says of a request to one of *points*, as facts for its decision.

        Raises:
            InvalidConsent: if this crm was given no secrets, or these are no contact points and no request.
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

        *point* names the address or number; it may be left out where the customer has one for the *channel*. Without a
        *topic* all of the *purposes* end. It works for so many *days*. Without the secrets nobody reads in it for
        whom it is: the records with the point; should they be split, those of them that *ref* names.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if this crm was given no secrets, the customer has several points for the channel or not
                this one, or *days* are less than 60, or more than the calendar has.
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

        Where nobody has the address any more, or its ledger is gone because the person was erased, it is suppressed
        instead. Each record that the message was for has an act of its own, at the address or where it is by now.

        Raises:
            InvalidConsent: as `read`.
        """
        return run(self._flow.act(token))
