"""A person's addresses, known again where an interaction names nobody but an address, however it is written there.

Invariant: what is compared are normal forms, and a telephone number is read as it is dialled where the person's numbers
are from. An address that somebody else has as their own is theirs, however alike it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import attrs

from crmcore.consent.address_forms import forms_of, provider_of
from crmcore.party.contact_point import ContactPoint, EmailPoint, PhonePoint
from crmcore.party.party_keys import EMAIL, PHONE
from crmcore.party.party_keys import key as text_key
from crmcore.storage.protocol import Key

_NAMED = re.compile(r"<([^<>]*@[^<>]*)>\s*\Z")
_PLAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_UNTOLD = "?"
"""The domain of an address where that may be written in another way, too."""
_TAIL = 6
"""So many last digits are alike before a number is read at all."""


@attrs.frozen(kw_only=True)
class Addresses:
    """How a person's contact points are written (*texts*), and their normal forms.

    *countries* are those of the numbers, *rough* is what a text has to have one of among its `rough_forms` before it
    is read.
    """

    texts: frozenset[str]
    forms: frozenset[str]
    countries: tuple[str, ...]
    rough: frozenset[str]

    @classmethod
    def of(cls, points: Iterable[ContactPoint]) -> Addresses:
        """Those of some contact points.

        >>> hers = [EmailPoint.of("ann.lee@gmail.com"), PhonePoint.of("020 7946 0018", region="GB")]
        >>> [text in Addresses.of(hers) for text in ("AnnLee@gmail.com ", "(020) 7946-0018", "020 7946 0019")]
        [True, True, False]
        """
        known = tuple(points)
        numbers = [
            point.value for point in known if isinstance(point, PhonePoint) and point.value is not None
        ]
        texts = frozenset(plain_form(text) for point in known for text in (point.raw, point.key))
        return cls(
            texts=texts,
            forms=frozenset(form for point in known for form in _forms(point)),
            countries=tuple(sorted({one.country for one in numbers if one.country is not None})),
            rough=frozenset(form for point in known for form in _rough_of(point)),
        )

    def __contains__(self, text: str) -> bool:
        """Whether *text* is one of them, in whatever spelling."""
        return self.spelled(text) or self.other_spelling(text) is not None

    def spelled(self, text: str) -> bool:
        """Whether *text* is one of them as they are written."""
        return plain_form(text) in self.texts

    def other_spelling(self, text: str) -> Key | None:
        """Under which key a record would have *text*, if it is another spelling of one of them; None if it is none."""
        if self.spelled(text) or self.rough.isdisjoint(rough_forms(text)):
            return None
        named = _NAMED.search(text)
        read: list[ContactPoint] = (
            [EmailPoint.of(named[1] if named else text)]
            if "@" in text
            else [PhonePoint.of(text, region=country) for country in (None, *self.countries)]
        )
        for point in read:
            if self.forms.intersection(_forms(point)):
                return text_key(EMAIL if point.kind == "email" else PHONE, point.key)
        return None


def plain_form(text: str) -> str:
    """What two texts share that are written alike."""
    return text.strip().casefold()


def _forms(point: ContactPoint) -> frozenset[str]:
    """Of a telephone number with its extension, which may be what tells one person from another."""
    if isinstance(point, EmailPoint):
        return forms_of(point)
    if not isinstance(point, PhonePoint):
        return frozenset({f"{point.kind}:{point.key}"})
    extension = None if point.value is None else point.value.extension
    return frozenset(f"{form}x{extension}" if extension else form for form in forms_of(point))


def rough_forms(text: str) -> frozenset[str]:
    """What other spellings of an address share: a number its last digits, an e-mail address its name, and that with its
    domain, if this is written plainly."""
    if "@" not in text:
        return frozenset({_last_digits(text)})
    name, domain = _name_and_domain(text)
    return frozenset({f"{name}@", f"{name}@{domain}"})


def _rough_of(point: ContactPoint) -> Iterable[str]:
    """By which rough forms all spellings of a contact point are found: of an address that is none by its name alone."""
    if isinstance(point, EmailPoint) and point.problem is None:
        for form in forms_of(point):
            name, domain = _name_and_domain(form.partition(":")[2])
            yield from (f"{name}@{domain}", f"{name}@{_UNTOLD}")
        return
    texts = [point.raw, point.key]
    if isinstance(point, PhonePoint) and point.value is not None:
        texts.append(point.value.e164)
    for text in texts:
        yield f"{_name_and_domain(text)[0]}@" if "@" in text else _last_digits(text)


def _last_digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))[-_TAIL:]


def _name_and_domain(text: str) -> tuple[str, str]:
    """The name in an e-mail address without what a provider may not see, and the domain by which that one is known."""
    named = _NAMED.search(text)
    plain = unicodedata.normalize("NFKC", plain_form(named[1] if named else text)).casefold()
    name, _, domain = plain.rpartition("@")
    told = _PLAIN.fullmatch(domain) is not None
    return name.split("+", 1)[0].replace(".", ""), provider_of(domain) if told else _UNTOLD
