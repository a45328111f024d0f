"""The normal forms by which a contact point is known again, however it is written the next time.

Invariant: the forms of an address follow from its text alone. Two texts that reach the same mailbox or telephone share
a form, also where one of them was not written as an address is; where a provider's custom is not known, only what
nearly all servers do is assumed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from crmcore.consent.words import PointKind
from crmcore.errors import InvalidConsent
from crmcore.party.contact_point import ContactPoint, EmailPoint, OnlinePoint, PhonePoint, PostalPoint
from crmcore.values.text import fold

_ONE_PROVIDER = {
    "googlemail.com": "gmail.com",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "protonmail.com": "proton.me",
    "pm.me": "proton.me",
    "ya.ru": "yandex.ru",
    "yandex.com": "yandex.ru",
}
"""Domains under which a provider delivers to one and the same mailbox."""

_ADDRESS = re.compile(r"(?<![^\s<>()\[\],;:\"])[^\s<>()\[\],;:\"@]+@[^\s<>()\[\],;:\"@]+")
_MEXICAN = re.compile(r"\+521(\d{10})\Z")
"""A mobile in Mexico as it was dialled from abroad until 2020."""

_NO_DOTS = frozenset({"gmail.com", "proton.me"})
"""Providers that do not see the dots of a name."""


def forms_of(point: ContactPoint) -> frozenset[str]:
    """Every normal form of a contact point, each with its kind.

    An e-mail address: in lower case, its wide letters as plain ones; and as its provider sees it, without a plus-tag,
    and without dots where the provider ignores them. A tag is dropped at every provider: a server that takes
    ``ann+bob`` for somebody else than ``ann`` is rare, and the mistake there withholds a message; the other one would
    send it. A telephone number: in E.164, an extension dropped, and the 1 that mobiles in Mexico once had. A postal
    address: folded. A text with a problem has the forms of the address in it, too.

    >>> sorted(forms_of(EmailPoint.of("Ann.Lee+News@GoogleMail.com")))
    ['email:ann.lee+news@googlemail.com', 'email:annlee@gmail.com']
    >>> sorted(forms_of(PhonePoint.of("020 7946 0018", region="GB")))
    ['phone:+442079460018']
    """
    return frozenset(f"{point.kind}:{form}" for form in _forms(point))


def _forms(point: ContactPoint) -> Iterable[str]:
    if point.problem is not None and (meant := _meant(point)) is not None:
        return (point.key, *_forms(meant))
    match point:
        case EmailPoint():
            return (unicodedata.normalize("NFKC", point.key), _canonical(point.key))
        case PhonePoint():
            number = point.key if point.value is None else point.value.e164
            return (number, _MEXICAN.sub(r"+52\1", number))
        case PostalPoint():
            lines = [] if point.value is None else [fold(" ".join(point.value.format()))]
            return (point.key, *(line for line in lines if line))
        case OnlinePoint():
            return (point.key,)


def provider_of(domain: str) -> str:
    """The domain by which a provider is known that delivers to one and the same mailbox under several.

    >>> provider_of("googlemail.com"), provider_of("x.example")
    ('gmail.com', 'x.example')
    """
    return _ONE_PROVIDER.get(domain, domain)


def _canonical(key: str) -> str:
    """An address as its provider sees it; unchanged where that would leave nothing."""
    local, at, domain = unicodedata.normalize("NFKC", key).rpartition("@")
    if not at:
        return key
    domain = provider_of(domain)
    name = local.split("+", 1)[0]
    if domain in _NO_DOTS:
        name = name.replace(".", "")
    return f"{name or local}@{domain}"


def _meant(point: ContactPoint) -> ContactPoint | None:
    """The point that a text with a problem is plainly meant for: an address with a dot behind it or a name before it,
    a number that is dialled abroad by 00. None if there is none."""
    found: ContactPoint | None = None
    if isinstance(point, EmailPoint):
        text = unicodedata.normalize("NFKC", point.raw)
        inside = _ADDRESS.findall("".join(char for char in text if unicodedata.category(char) != "Cf"))
        found = EmailPoint.of(inside[0].strip(".'")) if len(inside) == 1 else None
    elif isinstance(point, PhonePoint) and point.raw.strip().startswith(("+", "00")):
        found = PhonePoint.of(_MEXICAN.sub(r"+52\1", f"+{point.digits.removeprefix('00')}"))
    return None if found is None or found.problem is not None else found


def point_of(kind: PointKind, text: str, *, region: str | None = None) -> ContactPoint:
    """The contact point for a text; *region* is where a local telephone number is dialled.

    Raises:
        InvalidConsent: if the text has no normal form, so that nothing could be known again by it.
    """
    point = written_point(kind, text, region=region)
    if kind in ("email", "phone") and point.problem is not None:
        meant = _meant(point)
        if meant is not None:
            return meant
        raise InvalidConsent(
            f"this text is no {'e-mail address' if kind == 'email' else 'telephone number of a known country'}, "
            f"so it could not be known again ({point.problem})"
        )
    return point


def written_point(kind: PointKind, text: str, *, region: str | None = None) -> ContactPoint:
    """The contact point for a text as it is written, also where it has a problem: as a record has it."""
    if kind == "phone":
        return PhonePoint.of(text, region=region)
    if kind == "postal":
        return PostalPoint.of(text)
    return OnlinePoint.of(text) if kind == "online" else EmailPoint.of(text)
