"""A customer about whom something is asked: all that decisions need is read once, however many there are.

Invariant: what was read is not changed by a question, so that the order in which questions are asked means nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

import attrs

from crmcore.app.consent_members import Told, members_for, told_by_id
from crmcore.app.flow import Flow
from crmcore.app.point_meant import held_by
from crmcore.app.resolve import Membership
from crmcore.app.suppressions import entries_by_point
from crmcore.app.unit import Unit
from crmcore.consent.checking import fields_told, listed
from crmcore.consent.customer_decision import Member, decide_customer
from crmcore.consent.decision import Decision
from crmcore.consent.facts import Facts
from crmcore.consent.known import points_of
from crmcore.consent.pack_reading import Laws
from crmcore.consent.policy import Policy
from crmcore.consent.practice import Practice
from crmcore.consent.reach import ReachedPoint, kinds_reached
from crmcore.consent.request import Message, Request, Use
from crmcore.consent.secret_ring import SecretRing
from crmcore.consent.suppression import Suppression, listings
from crmcore.consent.usable import as_recorded, asked_about
from crmcore.consent.words import Channel, Purpose
from crmcore.party.contact_point import ContactPoint
from crmcore.party.party import Party

Entries = Mapping[str, Sequence[Suppression]]
"""For each contact point the entries of the suppression list about it."""


@attrs.frozen
class KnownCustomer:
    """The records of a customer with what is known of each, and what the suppression list says of their points.

    *points* are those that the customer has, with whether they may be used; *stands* is no where all of the records
    were taken back.
    """

    members: Sequence[Member]
    suppressed: Sequence[Entries]
    points: Sequence[ReachedPoint]
    stands: bool
    practice: Practice | None
    laws: Laws | None = None

    def decide(
        self, request: Request, *, policy: Policy | None = None, known_at: datetime | None = None
    ) -> Decision:
        """The decision on one request."""
        members = [
            attrs.evolve(member, facts=with_listings(member.facts, entries, request)) if entries else member
            for member, entries in zip(self.members, self.suppressed, strict=True)
        ]
        decision = decide_customer(
            request,
            members,
            laws=self.laws,
            policy=policy,
            known_at=known_at,
            practice=self.practice,
        )
        about = asked_about(self.points, request.channel, request.point, request.at)
        return as_recorded(decision, about, request.at, stands=self.stands)


_ASKED = {one.name for one in attrs.fields(Request)} - {
    *("type", "unknown", "controller", "channel", "purpose", "at", "point", "message", "use")
}
"""What an app may ask beside what the verbs name."""


def request_of(
    flow: Flow,
    purpose: Purpose,
    channel: Channel,
    controller: str | None,
    message: Message | None,
    use: Use | None,
    *,
    at: datetime,
    point: str | None = None,
    **asked: Any,
) -> Request:
    """What is asked for, with what was left out.

    Raises:
        InvalidConsent: if something is *asked* that is no field of a request.
    """
    fields_told(asked, _ASKED, "a request")
    return Request(
        controller=flow.controller(controller),
        channel=channel,
        purpose=purpose,
        at=at,
        point=point,
        message=Message() if message is None else message,
        use=Use() if use is None else use,
        **asked,
    )


def ways(
    parties: Sequence[Party], channels: Sequence[Channel] | None, point: str | None
) -> Iterator[tuple[Channel, str | None]]:
    """By which channels, and at which points, somebody can be reached; None where a channel needs no point."""
    found = dict.fromkeys(pair for party in parties for pair in points_of(party))
    wanted = get_args(Channel) if channels is None else listed(channels, str, "channels are several texts")
    for channel in wanted:
        kinds = kinds_reached(channel)
        if not kinds:
            if channels is not None:
                yield channel, None
            continue
        for kind, normal in found:
            if kind in kinds and point in (None, normal):
                yield channel, normal


async def known_customer(
    flow: Flow,
    unit: Unit,
    customer: Membership,
    parties: Sequence[Party],
    told: Told | None,
    jurisdictions: Sequence[str],
    controller: str,
    *,
    point: str | None,
    known_at: datetime | None = None,
) -> KnownCustomer:
    """What is known of a customer for questions of a *controller* about one *point*, or about all if it is None."""
    places = flow.known_laws().told(jurisdictions)
    members = await members_for(unit, customer, parties, told_by_id(told), places, known_at)
    suppressed = [
        await entries_at(unit, flow.secrets, one.contact_points, point, controller) for one in parties
    ]
    stands = any(one.standing == "active" for one in parties)
    return KnownCustomer(members, suppressed, held_by(parties), stands, flow.practice, flow.laws)


async def entries_at(
    unit: Unit, secrets: SecretRing | None, points: Iterable[ContactPoint], point: str | None, controller: str
) -> Entries:
    """What the suppression list says of the *point* among a record's *points*, or of each; nothing without secrets."""
    if secrets is None:
        return {}
    wanted = [one for one in points if point in (None, one.key)]
    return await entries_by_point(unit, secrets, wanted, controller)


def with_listings(facts: Facts, entries: Entries, request: Request) -> Facts:
    """*facts* about a record, with what *entries* say of the point that is asked about, or of each of its points."""
    about = [entry for point, found in entries.items() if request.point in (None, point) for entry in found]
    return attrs.evolve(facts, listings=(*facts.listings, *listings(about, request, facts.zones)))
