"""Where a party can be reached: e-mail addresses, phone numbers, postal addresses, online handles.

Invariant: what was written is kept in *raw*, whatever it is. A text that has no normal form is no error: its *problem*
says why, and it takes no part where a normal form is needed. The status is that of the address (it bounced), never
that of the person's permission: it ends no Yes and lifts no No, and nobody is contacted there as long as it stands.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, get_args

import attrs

from crmcore.errors import InvalidAddress, InvalidEmail, InvalidParty, InvalidPhone
from crmcore.values.email import EmailAddress
from crmcore.values.moment import Moment, optional_moment
from crmcore.values.period import Period
from crmcore.values.personal import Document, personal
from crmcore.values.phone import PhoneNumber, phone_digits
from crmcore.values.postal_address import PostalAddress
from crmcore.values.source import Source
from crmcore.values.text import clean, fold

Use = Literal["home", "work", "billing", "shipping", "service", "emergency", "mobile", "fax", "other"]
Status = Literal["unverified", "verified", "bouncing", "dead", "wrong_person", "do_not_use"]
"""*bouncing*: what is sent there comes back, and not just once, as from a mailbox that is full for a day: that leaves
the status as it is. *dead*: it is given up. *wrong_person*: it is somebody else's."""

UNUSABLE: frozenset[Status] = frozenset(("bouncing", "dead", "wrong_person", "do_not_use"))
"""Nobody is contacted at a point that is marked so, whatever they said."""


def _known_status(instance: object, attribute: attrs.Attribute[Status], value: Status) -> None:
    if value not in get_args(Status):
        raise InvalidParty(f"the status of a contact point is one of {', '.join(get_args(Status))}")


def _known_uses(instance: object, attribute: attrs.Attribute[frozenset[Use]], value: frozenset[Use]) -> None:
    if not value <= frozenset(get_args(Use)):
        raise InvalidParty(
            f"the uses of a contact point are some of {', '.join(get_args(Use))}: put other words into the label"
        )


def _rank(instance: object, attribute: attrs.Attribute[int | None], value: int | None) -> None:
    if value is not None and (not isinstance(value, int) or value < 1):
        raise InvalidParty("the rank of a contact point counts from 1, the preferred one")


def _written(instance: object, attribute: object, value: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise InvalidParty("a contact point is what somebody wrote: leave it out where nothing was written")


@attrs.frozen(kw_only=True)
class _Point(Document):
    """*shared* says that several people use it (a family's mailbox), which makes it weak evidence of identity."""

    raw: str = personal(validator=_written)
    problem: str | None = None
    uses: frozenset[Use] = attrs.field(default=frozenset(), converter=frozenset, validator=_known_uses)
    label: str | None = personal(default=None)
    rank: int | None = attrs.field(default=None, validator=_rank)
    valid: Period[date] | None = None
    shared: bool | None = None
    status: Status = attrs.field(default="unverified", validator=_known_status)
    verified_at: Moment | None = attrs.field(default=None, converter=optional_moment)
    observed_at: Moment | None = attrs.field(default=None, converter=optional_moment)
    source: Source | None = None


@attrs.frozen(kw_only=True)
class EmailPoint(_Point):
    """An e-mail address in use by a party.

    >>> EmailPoint.of("Ann@X.org").key
    'ann@x.org'
    >>> EmailPoint.of("ann at x.org").problem is None
    False
    """

    kind: Literal["email"] = "email"
    value: EmailAddress | None = personal(default=None)

    @classmethod
    def of(cls, text: str, **facts: Any) -> EmailPoint:
        """The point for *text*; a text that is no address is kept with its problem. *facts* are further fields."""
        try:
            return cls(raw=text, value=EmailAddress.parse(text), **facts)
        except InvalidEmail as error:
            return cls(raw=text, problem=error.reason, **facts)

    @property
    def key(self) -> str:
        """The form for comparison within a party."""
        return self.value.key if self.value is not None else fold(self.raw) or self.raw


@attrs.frozen(kw_only=True)
class PhonePoint(_Point):
    """A phone number in use by a party. *digits* are those of the text, kept also where the country is not known.

    >>> PhonePoint.of("020 7946 0018", region="GB").key
    '+442079460018'
    >>> PhonePoint.of("9897433").problem, PhonePoint.of("9897433").digits
    ('local_only', '9897433')
    """

    kind: Literal["phone"] = "phone"
    value: PhoneNumber | None = personal(default=None)
    digits: str = personal(default="")

    @classmethod
    def of(cls, text: str, *, region: str | None = None, **facts: Any) -> PhonePoint:
        """The point for *text*, read as dialled in *region* (ISO 3166, never guessed)."""
        try:
            return cls(
                raw=text, value=PhoneNumber.parse(text, region=region), digits=phone_digits(text), **facts
            )
        except InvalidPhone as error:
            return cls(raw=text, problem=error.reason, digits=phone_digits(text), **facts)

    @property
    def key(self) -> str:
        """The form for comparison within a party."""
        if self.value is not None:
            extension = self.value.extension
            return self.value.e164 + (f"x{extension}" if extension else "")
        return self.digits or fold(self.raw) or self.raw


@attrs.frozen(kw_only=True)
class PostalPoint(_Point):
    """A postal address in use by a party."""

    kind: Literal["postal"] = "postal"
    value: PostalAddress | None = personal(default=None)

    @classmethod
    def of(cls, address: str | PostalAddress, **facts: Any) -> PostalPoint:
        """The point for an address, or for lines of text."""
        if isinstance(address, PostalAddress):
            return cls(raw="\n".join(address.format()), value=address, **facts)
        try:
            return cls(raw=address, value=PostalAddress.parse(address), **facts)
        except InvalidAddress as error:
            return cls(raw=address, problem=error.reason, **facts)

    @property
    def key(self) -> str:
        """The form for comparison within a party."""
        return fold(self.raw) or self.raw


@attrs.frozen(kw_only=True)
class OnlinePoint(_Point):
    """A web site, or a handle on a service such as ``"linkedin"``."""

    kind: Literal["online"] = "online"
    service: str = "web"

    @classmethod
    def of(cls, text: str, *, service: str = "web", **facts: Any) -> OnlinePoint:
        """The point for a handle or address on *service*."""
        return cls(raw=text, service=service, **facts)

    @property
    def key(self) -> str:
        """The form for comparison within a party."""
        return f"{self.service}:{clean(self.raw).casefold() or self.raw}"


ContactPoint = EmailPoint | PhonePoint | PostalPoint | OnlinePoint
