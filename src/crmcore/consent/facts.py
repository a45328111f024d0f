"""What is known when a decision is made: about the person, the contact point, what was between us, registers, attempts.

Invariant: None means "not known", and no rule takes it for a yes or for a no; what is malformed is
refused. Nothing here is looked up: calendars,
registers and zones come in as facts.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import attrs

from crmcore.consent.event import ConsentEvent
from crmcore.consent.told import Told, word
from crmcore.consent.words import Channel
from crmcore.consent.zones import known_zones
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.partial_date import PartialDate
from crmcore.values.personal import personal

SubjectKind = Literal[
    "consumer",
    "sole_trader",
    "partnership",
    "scottish_partnership",
    "llp",
    "corporate",
    "employee_of_corporate",
]
RelationKind = Literal[
    "purchase",
    "inquiry",
    "negotiation",
    "quote",
    "contract",
    "order",
    "donation",
    "membership",
    "account",
    "ongoing",
]
CollectionSource = Literal[
    "sale", "negotiation", "registration", "donation", "inquiry", "purchased_list", "published", "disclosed"
]


@attrs.frozen(kw_only=True)
class Subject(Told):
    """Whom a message is for. *adult* is known of somebody whose birth date need not be.

    *restricted_since* is a restriction of processing (GDPR article 18), *erased_on* the day of an erasure.
    """

    kind: SubjectKind | None = None
    birth_dates: tuple[PartialDate, ...] = personal(default=())
    adult: bool | None = None
    deceased: bool = False
    restricted_since: date | None = None
    erased_on: date | None = None
    known: bool | None = None
    presumed_interest: bool | None = None


@attrs.frozen(kw_only=True)
class PointFacts(Told):
    """The contact point. *holder_since* is the day since which somebody else has the number.

    *in_directory* says that the number was taken from a public directory of subscribers, as it stands there.
    """

    line: Literal["residential", "mobile", "business", "fax"] | None = None
    kind: str | None = attrs.field(default=None, validator=word)
    holder_since: date | None = None
    device_permission: bool | None = None
    in_directory: bool | None = None


@attrs.frozen(kw_only=True)
class Collection(Told):
    """How the contact point came to be known.

    *voluntary*: its owner gave it for this channel, of their own accord. *published* and *disclosed* (a business card)
    with or without a statement that nothing unsolicited is wanted. *informed* says that its owner was told of the use
    and could object to it.
    """

    source: CollectionSource | None = None
    opt_out_offered: bool | None = None
    direct: bool | None = None
    voluntary: bool | None = None
    published: bool | None = None
    disclosed: bool | None = None
    refusal_stated: bool | None = None
    relevant_to_role: bool | None = None
    informed: bool | None = None
    notice_at_collection: bool | None = None


@attrs.frozen(kw_only=True)
class Relation(Told):
    """Something between the person and us. *on* is its latest day there, *until* the day on which it ended.

    *seller* is the legal person on our side; *paid* is False of the free tier of a service that others pay for.
    """

    kind: RelationKind
    on: date | None = None
    until: date | None = None
    active: bool | None = None
    written: bool | None = None
    seller: str | None = None
    paid: bool | None = None


@attrs.frozen(kw_only=True)
class Listing(Told):
    """That the contact point or the person is on a list, of the state or of our own, *since* a day or *until* one."""

    list: str = attrs.field(validator=word)
    since: date
    until: date | None = None
    reason: str | None = None


@attrs.frozen(kw_only=True)
class RegisterCheck(Told):
    """That a register was asked, on a day, for this contact point. "*" stands for all registers."""

    list: str = attrs.field(validator=word)
    on: date


@attrs.frozen(kw_only=True)
class Attempt(Told):
    """A contact by us before. *same_subject* says that it was about the same matter.

    The caps of laws count these alone. Those that somebody wished count the timeline, too, where there is one.
    """

    at: datetime
    channel: Channel | None = None
    same_subject: bool | None = None
    refused: bool = False


@attrs.frozen(kw_only=True)
class Facts(Told):
    """All that is known for one decision.

    *zones* are the time zones in which the person may be: names of the IANA, or fixed offsets such as ``+02:00``. None
    is known if there is none. *holidays* are the public holidays there; None says that nobody looked. *gpc* is a Global
    Privacy Control signal. *refused_in_call* is the day on which a call was answered with a no.

    Where the customer has several records, *joined* says since when each belongs to it. *others_birth_dates* are those
    of the other records: they can make somebody younger, never older. So can *others_under_age*, that one of them is
    known not to be of age. *others_days* are the days on which something else of theirs began that stands against
    contact, by the names of the facts, such as ``subject.restricted_since``. *others_lifting* are acts under them that
    may lift a No, and permit nothing.
    """

    events: tuple[ConsentEvent, ...] = ()
    subject: Subject = attrs.field(factory=Subject)
    point: PointFacts = attrs.field(factory=PointFacts)
    collection: Collection = attrs.field(factory=Collection)
    relations: tuple[Relation, ...] = ()
    listings: tuple[Listing, ...] = ()
    checks: tuple[RegisterCheck, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    zones: tuple[str, ...] = attrs.field(default=(), validator=known_zones)
    holidays: frozenset[date] | None = None
    gpc: bool | None = None
    refused_in_call: date | None = None
    joined: FrozenMap[str, datetime] = attrs.field(factory=FrozenMap)
    others_birth_dates: tuple[PartialDate, ...] = personal(default=())
    others_under_age: bool = False
    others_lifting: tuple[ConsentEvent, ...] = ()
    others_days: FrozenMap[str, tuple[date, ...]] = attrs.field(factory=FrozenMap)
