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


TYPES = {
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
DIRECTIONS = {
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
    words = [street_word(word) for word in tokens(street)][:MOST_WORDS]
    house = "".join(tokens(number))
    found = layout(tuple(map(word_class, words)), numbered=bool(house))
    return AddressForm(
        number=house or (words[found.number] if found.number >= 0 else ""),
        street=tuple(core_word(words[at]) for at in found.core),
        type=TYPES[words[found.type]] if found.type >= 0 else "",
        direction=DIRECTIONS[words[found.direction]] if found.direction >= 0 else "",
        unit=words[found.unit] if found.unit >= 0 else "",
    )


MOST_WORDS = 16


def street_word(word: str) -> str:
    """A word of a street line in its usual spelling."""
    if match := _ORDINAL.match(word):
        return match[1]
    if word.endswith("strasse") and len(word) > 7:
        return word[:-4]
    return _ORDINALS.get(word, word)


def core_word(word: str) -> str:
    """A word that names a street."""
    return "st" if word == "saint" else word


class WordClass(NamedTuple):
    """What a word of a street line can be, whatever it says otherwise."""

    unit: bool
    begins_with_digit: bool
    single: bool
    digits: bool
    number: bool
    direction: bool
    type: bool
    leading: bool


class Layout(NamedTuple):
    """Where the parts of a street line stand among its words; -1 for a part that it lacks."""

    number: int = -1
    unit: int = -1
    direction: int = -1
    type: int = -1
    core: tuple[int, ...] = ()


@lru_cache(maxsize=1 << 16)
def word_class(word: str) -> WordClass:
    """What a word can be."""
    kind = TYPES.get(word, "")
    return WordClass(
        unit=word in _UNITS,
        begins_with_digit=word[0].isdigit(),
        single=len(word) == 1,
        digits=word.isdigit(),
        number=_NUMBER.match(word) is not None,
        direction=word in DIRECTIONS,
        type=bool(kind),
        leading=kind in _LEADING_TYPES,
    )


@lru_cache(maxsize=1 << 14)
def layout(words: tuple[WordClass, ...], *, numbered: bool) -> Layout:
    """Where the parts of a street line stand, by what its words can be; *numbered* if its number was given apart."""
    kept, unit = _split_unit(words)
    number, kept = (-1, kept) if numbered else _split_number(words, kept)
    direction = kind = -1
    if len(kept) > 1 and words[kept[0]].direction and not (len(kept) == 2 and words[kept[1]].type):
        direction = kept.pop(0)
    elif len(kept) > 1 and words[kept[-1]].direction:
        direction = kept.pop()
    if len(kept) > 1 and words[kept[-1]].type:
        kind = kept.pop()
    elif len(kept) > 1 and words[kept[0]].leading:
        kind = kept.pop(0)
    return Layout(number, unit, direction, kind, tuple(kept))


def _split_unit(words: tuple[WordClass, ...]) -> tuple[list[int], int]:
    """Without ``suite 4`` and ``2nd floor``; the number of the unit apart."""
    kept: list[int] = []
    unit = -1
    skip = False
    for at, word in enumerate(words):
        if skip:
            unit = at if unit < 0 else unit
            skip = False
        elif word.unit and (kept or at + 1 < len(words)) and len(words) > 2:
            if at + 1 < len(words) and (words[at + 1].begins_with_digit or words[at + 1].single):
                skip = True
            elif kept and words[kept[-1]].digits and len(kept) > 1:
                unit = kept.pop()
        else:
            kept.append(at)
    return kept, unit


def _split_number(words: tuple[WordClass, ...], kept: list[int]) -> tuple[int, list[int]]:
    """The house number, in front (also a range) or behind; the words that are left."""
    if len(kept) > 1 and words[kept[0]].number:
        rest = kept[1:]
        while len(rest) > 1 and words[rest[0]].digits and not words[rest[1]].type:
            rest = rest[1:]
        return kept[0], rest
    if len(kept) > 1 and words[kept[-1]].number:
        return kept[-1], kept[:-1]
    return -1, kept
