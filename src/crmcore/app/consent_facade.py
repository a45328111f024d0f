"""The synchronous namespaces of `Crm`. Generated from the asynchronous ones: do not edit.

Invariant: each method has the name, the signature and the documentation of its asynchronous twin, and runs it to its
end without an event loop. Regenerate with ``python tests/tools/generate_facade.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from crmcore.storage.lift import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from typing import Any

    from crmcore.app.consent_members import Told
    from crmcore.app.consents import AsyncConsents
    from crmcore.app.resolve import Reference
    from crmcore.consent.decision import Decision
    from crmcore.consent.event import ConsentEvent, Evidence
    from crmcore.consent.policy import Policy
    from crmcore.consent.request import Message, Use
    from crmcore.consent.words import ActKind, ActPurpose, Channel, Purpose


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
