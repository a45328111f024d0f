"""`crm.consent`: what people said about being contacted, and may we: for this, this way, now, and why.

Invariant: a reference that leads to nobody is an error, never a permission. An act about an address is of the address,
whichever record has it; an act about a person is of every record that the customer had then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import attrs

from crmcore.app.consent_ledgers import acts_of, append_act
from crmcore.app.customers import load_parties
from crmcore.app.flow import Flow
from crmcore.app.resolve import Membership, Reference, resolve
from crmcore.app.unit import Unit
from crmcore.consent.customer_decision import Member, decide_customer
from crmcore.consent.decision import Decision
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Facts
from crmcore.consent.known import facts_of_party, jurisdictions_of, points_of
from crmcore.consent.ledger import CHANNELS_OF
from crmcore.consent.policy import Policy
from crmcore.consent.request import Message, Request, Use
from crmcore.consent.words import ActKind, ActPurpose, Channel, Purpose
from crmcore.errors import InvalidConsent
from crmcore.party.party import Party
from crmcore.values.ids import Id
from crmcore.values.source import Source


@attrs.frozen
class AsyncConsents:
    """What people said about being contacted, and decisions about contact."""

    _flow: Flow

    async def record(
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
        recipients: Iterable[str] = (),
        **facts: Any,
    ) -> ConsentEvent:
        """Record what somebody did: give, refuse, withdraw, object, ...

        *point* is the address or number that it is about; a *ref* that is one stands for itself. Without one it is
        about the person, whatever way they are reached. *controller* is whom it was said to: this crm's own, if nothing
        is said. *facts* are further fields of `ConsentEvent`.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if no record of the customer has the *point*, or the act has not happened yet.
        """

        async def plan(unit: Unit) -> ConsentEvent:
            customer, parties = await self._customer(unit, ref)
            about = _point_of(ref, point, parties)
            owner = _owner(parties, about)
            event = ConsentEvent(
                id=str(unit.ids.new(Id)),
                kind=kind,
                occurred_at=unit.now if occurred_at is None else occurred_at,
                recorded_at=unit.now,
                scope=Scope(
                    controller=controller or unit.tenant,
                    channels=channels,
                    purposes=purposes,
                    point=about,
                    recipients=recipients,
                ),
                evidence=evidence,
                record=str(owner.id),
                members=() if about is not None else tuple(str(one) for one in customer.members),
                actor=unit.actor,
                **facts,
            )
            if event.occurred_at > unit.now:
                raise InvalidConsent("an act is recorded when it has happened: this one lies in the future")
            await append_act(unit, event, owner, about)
            return event

        asked = ("consent.record", kind, str(ref), point)
        return await self._flow.commit(plan, asked=asked)

    async def withdraw(self, ref: Reference, **said: Any) -> ConsentEvent:
        """Record that somebody took consent back. *said* is as `record` takes it."""
        return await self.record("withdraw", ref, **said)

    async def events(self, ref: Reference) -> tuple[ConsentEvent, ...]:
        """All acts of a customer, about the person and about every contact point, in the order of their times."""
        unit = self._flow.reader()
        _, parties = await self._customer(unit, ref)
        found = {event.id: event for party in parties for event in await acts_of(unit, party)}
        return tuple(sorted(found.values(), key=lambda event: (event.occurred_at, event.id)))

    async def decide(
        self,
        ref: Reference,
        *,
        purpose: Purpose,
        channel: Channel,
        point: str | None = None,
        controller: str | None = None,
        message: Message | None = None,
        use: Use | None = None,
        facts: Facts | None = None,
        jurisdictions: Sequence[str] = (),
        policy: Policy | None = None,
        at: datetime | None = None,
        known_at: datetime | None = None,
        **asked: Any,
    ) -> Decision:
        """May this customer be contacted for *purpose* through *channel*, at *at* (now, if nothing is said)?

        *facts* are what the app knows beside the ledgers; *jurisdictions* those that may apply beside what addresses
        and numbers tell. *asked* are further fields of `Request`. With *known_at*: as it was known then.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if the customer has several points for the channel and none is named, or has not this one.
        """
        unit = self._flow.reader()
        _, parties = await self._customer(unit, ref)
        about = _point_of(ref, point, parties) or _only_point(parties, channel)
        request = Request(
            controller=controller or unit.tenant,
            channel=channel,
            purpose=purpose,
            at=unit.now if at is None else at,
            point=about,
            message=Message() if message is None else message,
            use=Use() if use is None else use,
            **asked,
        )
        members = [
            await self._member(unit, party, facts or Facts(), jurisdictions, about) for party in parties
        ]
        return decide_customer(request, members, policy=policy, known_at=known_at)

    async def _customer(self, unit: Unit, ref: Reference) -> tuple[Membership, list[Party]]:
        customer = await resolve(unit, ref)
        return customer, await load_parties(unit, customer.members)

    async def _member(
        self, unit: Unit, party: Party, facts: Facts, jurisdictions: Sequence[str], about: str | None
    ) -> Member:
        events = await acts_of(unit, party)
        return Member(
            record=str(party.id),
            points=frozenset({*(normal for _, normal in points_of(party)), *(() if about else ("",))}),
            facts=facts_of_party(party, facts, events),
            jurisdictions=tuple(dict.fromkeys((*jurisdictions, *jurisdictions_of(party)))),
        )


def _point_of(ref: Reference, point: str | None, parties: Sequence[Party]) -> str | None:
    """The normal form of the point that is named, which must be one of the customer's."""
    said = point if point is not None else ref if isinstance(ref, str) else None
    if said is None or isinstance(said, Source):
        return None
    for party in parties:
        for contact in party.contact_points:
            if said.strip() in (contact.raw, contact.key) or said.strip().lower() == contact.key:
                return contact.key
    if point is not None:
        raise InvalidConsent("no record of this customer has that contact point: add it to one first")
    return None


def _only_point(parties: Sequence[Party], channel: str) -> str | None:
    """The one point that the channel reaches; None where the channel needs none."""
    kinds = [kind for kind, channels in CHANNELS_OF.items() if channel in channels]
    if not kinds:
        return None
    found = {normal for party in parties for kind, normal in points_of(party) if kind in kinds}
    if len(found) > 1:
        raise InvalidConsent(
            f"the customer has {len(found)} contact points for {channel}: name one with point=..."
        )
    return next(iter(found), None)


def _owner(parties: Sequence[Party], about: str | None) -> Party:
    if about is None:
        return parties[0]
    return next(party for party in parties if about in {normal for _, normal in points_of(party)})
