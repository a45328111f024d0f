"""A person's addresses, known again where an interaction names nobody but an address, however it is written there.

Invariant: what is compared are normal forms, and a telephone number is read as it is dialled where the person's numbers
are from. An address that somebody else has as their own is theirs, however alike it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import attrs

from crmcore.consent.address_forms import forms_of
from crmcore.party.contact_point import ContactPoint, EmailPoint, PhonePoint
from crmcore.party.party_keys import EMAIL, PHONE
from crmcore.party.party_keys import key as text_key
from crmcore.storage.protocol import Key

_NAMED = re.compile(r"<([^<>]*@[^<>]*)>\s*\Z")
_TAIL = 6
"""So many last digits are alike before a number is read at all."""


@attrs.frozen(kw_only=True)
class Addresses:
    """How a person's contact points are written (*texts*), and their normal forms.

    *countries* are those of the numbers, *rough* is what has to be alike before a text is read.
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
            rough=frozenset(map(rough_form, texts)) | {rough_form(one.e164) for one in numbers},
        )

    def __contains__(self, text: str) -> bool:
        """Whether *text* is one of them, in whatever spelling."""
        return self.spelled(text) or self.other_spelling(text) is not None

    def spelled(self, text: str) -> bool:
        """Whether *text* is one of them as they are written."""
        return plain_form(text) in self.texts

    def other_spelling(self, text: str) -> Key | None:
        """Under which key a record would have *text*, if it is another spelling of one of them; None if it is none."""
        if self.spelled(text) or rough_form(text) not in self.rough:
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


def rough_form(text: str) -> str:
    """What all spellings of an address share."""
    if "@" not in text:
        return "".join(filter(str.isdigit, text))[-_TAIL:]
    named = _NAMED.search(text)
    local = unicodedata.normalize("NFKC", plain_form(named[1] if named else text)).rpartition("@")[0]
    return local.split("+", 1)[0].replace(".", "")
