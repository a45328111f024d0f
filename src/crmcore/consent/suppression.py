"""Suppression that outlives a person's erasure: that somebody wants nothing is known by a keyed hash of the address.

Invariant: an entry holds no address, no name and no text that anybody typed; without the secrets nobody can tell which
address it is of, and with them it is found again however the address is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args

import attrs

from crmcore.consent.address_forms import forms_of
from crmcore.consent.case import ENDS_OF_THE_WORLD
from crmcore.consent.contact import Contact
from crmcore.consent.controllers import NOBODY, hears
from crmcore.consent.event import Scope
from crmcore.consent.facts import Listing
from crmcore.consent.request import Request
from crmcore.consent.secret_ring import SecretRing
from crmcore.consent.speaking import covers_no
from crmcore.consent.words import PointKind
from crmcore.consent.zones import zone
from crmcore.errors import InvalidConsent
from crmcore.party.contact_point import ContactPoint
from crmcore.serde import Codec
from crmcore.storage.protocol import Key
from crmcore.values.ids import Id, PartyId
from crmcore.values.instant import ensure_aware
from crmcore.values.personal import Document
from crmcore.values.source import Actor

SUPPRESSED = "suppressed"
LIST = "internal_hash"
_FOR = "crmcore.suppression/1"

SuppressionReason = Literal[
    "withdrawal", "objection", "complaint", "erasure", "wrong_person", "deceased", "import", "other"
]
"""Why an address is suppressed: a word, never a text, since texts quote addresses."""


def _known_reason(instance: object, attribute: object, value: str) -> None:
    if value not in get_args(SuppressionReason):
        raise InvalidConsent(
            f"the reason of a suppression is one of {', '.join(get_args(SuppressionReason))}"
        )


def _without_address(instance: object, attribute: object, value: Scope) -> None:
    if value.point is not None:
        raise InvalidConsent("the scope of a suppression names no address: it is found by a hash of it")


def _utc(moment: datetime) -> datetime:
    return ensure_aware(moment)


def _utc_or_none(moment: datetime | None) -> datetime | None:
    return None if moment is None else ensure_aware(moment)


@attrs.frozen(kw_only=True)
class Suppression(Document):
    """That an address of a *kind* is not to be used, *since* an instant and *until* one, if it was lifted.

    What its *scope* leaves empty is not narrowed: without a controller it holds for all of them, without channels for
    each, without purposes for all that a law asks the list about. *secret* is the version that its keys were made with.
    """

    id: Id | None = None
    version: int = 0
    kind: PointKind
    reason: SuppressionReason = attrs.field(validator=_known_reason)
    since: datetime = attrs.field(converter=_utc)
    until: datetime | None = attrs.field(default=None, converter=_utc_or_none)
    scope: Scope = attrs.field(factory=Scope, validator=_without_address)
    secret: int = 1
    actor: Actor | None = None

    def stands(self, at: datetime) -> bool:
        """Whether it holds at an instant."""
        return self.since <= at and (self.until is None or at < self.until)

    def tells(self, controller: str | None) -> bool:
        """Whether it speaks to this *controller*; None: to everybody."""
        return hears(controller, self.scope.controller)

    def covers(self, request: Request) -> bool:
        """Whether it speaks of what is asked. A message that may be a promotion counts as one, whatever it is called.

        >>> from datetime import datetime, UTC
        >>> now = datetime(2026, 5, 4, tzinfo=UTC)
        >>> entry = Suppression(kind="email", reason="objection", since=now, scope=Scope(purposes={"marketing"}))
        >>> entry.covers(Request(controller="us", channel="email", purpose="service", at=now))
        True
        """
        purposes: set[str] = {request.purpose}
        if request.message.promotion is not False:
            purposes.add("marketing")
        channels = frozenset({request.channel})
        contact = Contact.of(request)
        return any(covers_no(self.scope, contact, purpose, channels, perhaps=True) for purpose in purposes)


Occasion = Literal["created", "changed", "merged"]


@attrs.frozen(kw_only=True)
class SuppressionMet(Document):
    """That *records* have suppressed addresses, as was seen when one of them was created or changed, or all merged.

    *points* is how many addresses these are, *entries* are the ids of what is said of them. It holds no address.
    """

    type: Literal["suppression.met"] = "suppression.met"
    occasion: Occasion
    records: tuple[PartyId, ...]
    points: int
    entries: tuple[Id, ...]


SUPPRESSION: Codec[Suppression] = Codec(tag="suppression", type=Suppression)
CODECS: tuple[Codec[Any], ...] = (SUPPRESSION, Codec(tag="suppression.met", type=SuppressionMet))


def met_stream(record: str) -> str:
    """The ledger of what was seen of a record's suppressed addresses."""
    return f"suppression:{record}"


def fingerprint(form: str, controller: str | None, secrets: SecretRing, version: int) -> str | None:
    """By what a normal form is known; None if that version of the secrets is not here."""
    told = (b"\x00", "") if controller is None else (b"\x01", controller)
    digest = secrets.mac(version, _FOR, form, *told)
    return None if digest is None else f"{version}.{digest.hex()}"


def new_keys(point: ContactPoint, controller: str | None, secrets: SecretRing) -> frozenset[Key]:
    """The keys of a new entry: every normal form of the address, under the newest secret."""
    whom = None if controller is None else NOBODY  # whoever does not say their name finds it, too
    return frozenset(_keys(point, (whom,), secrets, (secrets.newest,)))


def all_keys(point: ContactPoint, controller: str | None, secrets: SecretRing) -> frozenset[Key]:
    """The keys by which entries about an address are found: under every secret, for this *controller* and for all.

    Entries for others have them, too: those that are for this one `tells` shows. One that an older crmcore made for a
    controller by name has the key of that very name alone, so that whoever does not say their name does not find it.

    Raises:
        InvalidConsent: if the controller is not named by a text.
    """
    if not isinstance(controller, str | None):
        raise InvalidConsent("a controller is named by a text")
    return frozenset(_keys(point, {None, NOBODY, controller}, secrets, secrets.versions))


def _keys(
    point: ContactPoint, controllers: Iterable[str | None], secrets: SecretRing, versions: Sequence[int]
) -> Iterator[Key]:
    forms = forms_of(point)
    for controller in controllers:
        for form in forms:
            for version in versions:
                known = fingerprint(form, controller, secrets, version)
                if known is not None:
                    yield Key(SUPPRESSED, known)


def listings(
    entries: Iterable[Suppression], request: Request, zones: Sequence[str] = ()
) -> tuple[Listing, ...]:
    """The entries that speak of a request, as facts for its decision.

    An entry counts from the day on which it was made where the person is. Where the *zones* are not known, each day
    that it then was somewhere stands for it.
    """
    found = (
        Listing(list=LIST, since=day, reason=entry.reason)
        for entry in entries
        if entry.stands(request.at) and entry.covers(request)
        for day in _days(entry.since, zones)
    )
    return tuple(dict.fromkeys(found))


def _days(at: datetime, zones: Sequence[str]) -> list[date]:
    days = sorted({at.astimezone(where).date() for where in map(zone, zones)})
    if days:
        return days
    first, last = sorted(at.astimezone(where).date() for where in ENDS_OF_THE_WORLD)
    return [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]
