"""Invented people for benchmarks: names, towns and birth dates as unevenly spread as real ones, some recorded twice.

Invariant: the same seed makes the same people in every run.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import attrs

from crmcore import Person

_ONSETS = "b br c ch d f fl g gr h j k kl l m n p pr qu r s sch st t tr v w z".split()
_NUCLEI = "a e i o u ai ei ou ie".split()
_CODAS = ["", "", "n", "r", "l", "s", "m", "ck", "nd", "rt", "ss"]
_ENDS = ["", "", "er", "man", "sen", "ova", "ini", "ski", "ez", "son"]


def words(chance: Random, count: int, syllables: int, ends: list[str]) -> list[str]:
    """Different invented words."""
    found: dict[str, None] = {}
    while len(found) < count:
        parts = [
            chance.choice(_ONSETS) + chance.choice(_NUCLEI) + chance.choice(_CODAS) for _ in range(syllables)
        ]
        found["".join(parts) + chance.choice(ends)] = None
    return list(found)


@attrs.frozen
class Town:
    """What people are made of, each list with the commonest first."""

    given: list[str]
    family: list[str]
    cities: list[str]
    streets: list[str]


def town() -> Town:
    """The names from which people are invented."""
    chance = Random(1)
    return Town(
        words(chance, 2500, 1, ["a", "e", "o", "is", "ian", "ette"]),
        words(chance, 30000, 2, _ENDS),
        words(chance, 1500, 2, ["burg", "ton", "heim", "ford"]),
        words(chance, 8000, 2, [""]),
    )


def some(chance: Random, items: list[str]) -> str:
    """One of *items*: the first ones as often as common names are, the last ones seldom."""
    return items[int(len(items) ** chance.random()) - 1]


Row = tuple[str, str, str, str, str, str, str]


def rows(count: int, seed: int, of: Town) -> Iterator[Row]:
    """Given name, family name, birth date, e-mail, phone, street with number, town with postcode."""
    chance = Random(seed)
    made = 0
    while made < count:
        given, family = some(chance, of.given), some(chance, of.family)
        born = f"{1935 + int(70 * chance.random() ** 0.8)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
        mail = f"{given}.{family}{chance.randrange(1000)}@{chance.choice(('mail', 'post', 'web'))}.example"
        city = some(chance, of.cities)
        place = f"{city} {(hash_of(city) + chance.randrange(25)) % 90000 + 10000}"
        street = f"{chance.randrange(1, 120)} {some(chance, of.streets)} street"
        row = (given, family, born, mail, f"+44 20 {chance.randrange(10**7, 10**8)}", street, place)
        yield row
        made += 1
        if chance.random() < 0.1 and made < count:
            yield slipped(chance, row)
            made += 1


def hash_of(text: str) -> int:
    """The same number for a text in every run."""
    return sum((at + 7) * ord(char) * 131 for at, char in enumerate(text))


def slipped(chance: Random, row: Row) -> Row:
    """The same person with an error and a gap."""
    fields = list(row)
    at = chance.choice([0, 1])
    text = fields[at]
    place = chance.randrange(1, max(2, len(text) - 1))
    fields[at] = text[:place] + text[place + 1 : place + 2] + text[place : place + 1] + text[place + 2 :]
    fields[chance.choice([2, 3, 4])] = ""
    return tuple(fields)  # type: ignore[return-value]  # seven texts as before


def person(row: Row, phone: str | None = None) -> Person:
    """A draft of an invented person."""
    given, family, born, mail, number, street, place = row
    return Person.of(
        f"{given} {family}",
        birth_date=born or None,
        email=mail or None,
        phone=phone or number or None,
        address=f"{street}, {place}" if street else place,
    )


def damaged(chance: Random, row: Row, of: Town) -> Row:
    """Somebody as a clerk might hear them: two slips, and often without the e-mail, the telephone or the old street."""
    given, family, born, mail, phone, street, place = slipped(chance, slipped(chance, row))
    if chance.random() < 0.5:
        phone = ""
    if chance.random() < 0.5:
        street = f"{chance.randrange(1, 120)} {some(chance, of.streets)} street"
    return given, family, born, "" if chance.random() < 0.4 else mail, phone, street, place
