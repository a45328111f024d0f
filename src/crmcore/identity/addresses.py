"""Postal addresses as matching sees them: one group of parts that agree or differ together.

Invariant: a form is lossy and bounded; reading the house number, street and postcode out of plain lines is a guess
that can miss parts but never invents a word that was not written.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from crmcore.identity.normal_forms import LONGEST, postcode_form
from crmcore.values.text import fold, tokens


class AddressForm(NamedTuple):
    """The parts of one address. *street* are the words that name it, without its *type* and *direction*."""

    number: str = ""
    street: tuple[str, ...] = ()
    type: str = ""
    direction: str = ""
    unit: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""

    @property
    def door(self) -> str:
        """House number and street, or nothing when either is missing."""
        return f"{self.number} {''.join(self.street)}" if self.number and self.street else ""

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The parts that can agree, from the finest to the coarsest, with their names."""
        return (
            ("door", self.door), ("street", " ".join(self.street)), ("postcode", self.postcode), ("city", self.city),
            ("region", self.region), ("country", self.country),
        )  # fmt: skip

    def part(self, name: str) -> str:
        """The part of that name, one of those of `parts`."""
        if name == "door":
            return self.door
        value = getattr(self, name)
        return value if isinstance(value, str) else " ".join(value)

    @property
    def text(self) -> str:
        """The address for people to read."""
        street = (self.number, self.direction, *self.street, self.type, self.unit, self.city, self.postcode)
        return " ".join(part for part in (*street, self.region, self.country) if part)


_TYPES = {
    word: words.split()[0]
    for words in (
        "st street str", "ave avenue av aven", "rd road", "dr drive drv", "ln lane", "ct court crt", "pl place",
        "blvd boulevard bvd boul", "cir circle circuit cct crcle", "ter terrace terr tce", "pkwy parkway pky",
        "hwy highway", "sq square", "cres crescent cr cresent", "cl close", "way wy", "row", "walk", "mews",
        "gardens gdns", "grove gr", "hill", "park", "rise", "parade pde", "alley aly", "loop", "trail trl",
        "expressway expy", "plaza plz", "rue", "chemin ch", "allee", "impasse", "quai", "cours", "via", "viale",
        "corso", "piazza", "vicolo", "calle",
        "avenida avda", "paseo", "strasse", "weg", "platz", "gasse", "straat", "laan", "plein", "ulica ul", "aleja al",
        "gatan gata", "vagen", "gade", "vej", "rua", "travessa",
    )
    for word in words.split()
}  # fmt: skip
_LEADING_TYPES = frozenset(
    "rue via viale corso piazza vicolo calle avenida paseo ul aleja chemin allee impasse quai cours rua travessa "
    "ave blvd pl sq".split()
)
_DIRECTIONS = {
    "n": "n", "north": "n", "no": "n", "nth": "n", "s": "s", "south": "s", "so": "s", "sth": "s", "e": "e", "east": "e",
    "w": "w", "west": "w", "ne": "ne", "northeast": "ne", "nw": "nw", "northwest": "nw", "se": "se", "southeast": "se",
    "sw": "sw", "southwest": "sw",
}  # fmt: skip
_UNITS = frozenset(
    "apt apartment suite ste unit flat floor fl room rm bldg building level lot shop office".split()
)
_ORDINALS = {
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6", "seventh": "7",
    "eighth": "8", "ninth": "9", "tenth": "10",
}  # fmt: skip
_DIGIT = re.compile(r"[0-9]")
_LETTER = re.compile(r"[A-Za-z]")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)\Z")
_NUMBER = re.compile(r"\d{1,6}[a-z]?\Z")
_POSTCODE = re.compile(
    r"\b(?:[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}|\d{5}(?:-\d{4})?|\d{4}\s?[A-Z]{2}|\d{3}-\d{4}|\d{2}-\d{3}|\d{3}\s\d{2}|\d{4}|\d{6})\b",
    re.IGNORECASE,
)


def address_form(
    *,
    number: str = "",
    street: str = "",
    city: str = "",
    region: str = "",
    postcode: str = "",
    country: str = "",
) -> AddressForm | None:
    """The form of an address in parts; *street* may hold the number and the unit too.

    >>> address_form(street="5332-34 West Addison Ave, Suite 2", postcode="60641").text
    '5332 w addison ave 2 60641'
    """
    line = street_form(number[:LONGEST], street[:LONGEST])
    form = line._replace(
        city=fold(city[:LONGEST]),
        region=fold(region[:LONGEST]),
        postcode=postcode_form(postcode),
        country=fold(country[:LONGEST]),
    )
    return form if any(form) else None


def address_of_lines(lines: tuple[str, ...], country: str = "") -> AddressForm | None:
    """The form of an address written as lines: the first line with a number and letters is taken for the street.

    Lossy: the city is what is left of the line with the postcode; other lines are not used.

    >>> address_of_lines(("Foster Center", "1112 W Foster Ave", "Chicago IL 60640")).door
    '1112 foster'
    """
    parts = [part.strip() for line in lines for part in line[:LONGEST].split(",") if part.strip()][:12]
    at = next((i for i, part in enumerate(parts) if _has_both(part)), None)
    if at is None:
        return address_form(city=parts[-1], country=country) if parts else None
    for part in reversed(parts[at + 1 :]):
        if match := _POSTCODE.search(part):
            city = (part[: match.start()] + " " + part[match.end() :]).strip()
            return address_form(street=parts[at], postcode=match[0], city=city, country=country)
    return address_form(street=parts[at], country=country)


def _has_both(text: str) -> bool:
    """Whether there are digits and letters."""
    if text.isascii():  # the same, faster
        return _DIGIT.search(text) is not None and _LETTER.search(text) is not None
    return any(map(str.isdigit, text)) and any(map(str.isalpha, text))


@lru_cache(maxsize=1 << 16)
def street_form(number: str, street: str) -> AddressForm:
    """The form of a street line alone; *number* is the house number where it was given apart.

    >>> street_form("", "Goethestraße 12a").door, street_form("24", "learmonth drive").type
    ('12a goethestr', 'dr')
    """
    words = [_word(word) for word in tokens(street)][:16]
    words, unit = _split_unit(words)
    house = "".join(tokens(number))
    if not house:
        house, words = _split_number(words)
    direction = ""
    if len(words) > 1 and words[0] in _DIRECTIONS and not (len(words) == 2 and words[1] in _TYPES):
        direction = _DIRECTIONS[words.pop(0)]
    elif len(words) > 1 and words[-1] in _DIRECTIONS:
        direction = _DIRECTIONS[words.pop()]
    kind = ""
    if len(words) > 1 and words[-1] in _TYPES:
        kind = _TYPES[words.pop()]
    elif len(words) > 1 and _TYPES.get(words[0], "") in _LEADING_TYPES:
        kind = _TYPES[words.pop(0)]
    core = tuple("st" if word == "saint" else word for word in words)
    return AddressForm(number=house, street=core, type=kind, direction=direction, unit=unit)


def _word(word: str) -> str:
    if match := _ORDINAL.match(word):
        return match[1]
    if word.endswith("strasse") and len(word) > 7:
        return word[:-4]
    return _ORDINALS.get(word, word)


def _split_unit(words: list[str]) -> tuple[list[str], str]:
    """Without ``suite 4`` and ``2nd floor``; the number of the unit apart."""
    kept: list[str] = []
    unit = ""
    skip = False
    for at, word in enumerate(words):
        if skip:
            unit = unit or word
            skip = False
        elif word in _UNITS and (kept or at + 1 < len(words)) and len(words) > 2:
            follower = words[at + 1] if at + 1 < len(words) else ""
            if follower and (follower[0].isdigit() or len(follower) == 1):
                skip = True
            elif kept and kept[-1].isdigit() and len(kept) > 1:
                unit = kept.pop()
        else:
            kept.append(word)
    return kept, unit


def _split_number(words: list[str]) -> tuple[str, list[str]]:
    """The house number, in front (also a range) or behind; the words that are left."""
    if len(words) > 1 and _NUMBER.match(words[0]):
        rest = words[1:]
        while len(rest) > 1 and rest[0].isdigit() and rest[1] not in _TYPES:
            rest = rest[1:]
        return words[0], rest
    if len(words) > 1 and _NUMBER.match(words[-1]):
        return words[-1], words[:-1]
    return "", words
