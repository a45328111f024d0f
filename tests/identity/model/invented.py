"""Invented people with errors: several records each, made without chance."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from crmcore.identity.features import Features, features_of_row

_FIRST = "olivia emma jacob liam noah sofia mateo ines pavel yuki amara tariq".split()
_LAST = "brandt castro dvorak egede fischer garcia haddad ivanova jansen kimura lefevre moreau".split()
_CITIES = "kiel vigo brno nuuk york lyon".split()


def people(count: int = 60, copies: int = 3) -> list[dict[str, str]]:
    """*count* people with *copies* records each; every second record has an error or a gap."""
    rows = []
    for number in range(count):
        given = f"{_FIRST[number % len(_FIRST)]}{'abcdefgh'[number // len(_FIRST) % 8] * (number // 24)}"
        family = f"{_LAST[(number * 7 + number // 12) % len(_LAST)]}"
        born = f"19{50 + number % 45:02d}-{number % 12 + 1:02d}-{number % 27 + 2:02d}"
        for copy in range(copies):
            row = {
                "given_name": given,
                "family_name": family,
                "birth_date": born,
                "email": f"{given}.{family}{number}@x.example",
                "city": _CITIES[number % len(_CITIES)],
                "cluster": str(number),
            }
            if copy == 1:
                row["family_name"] = family[:2] + family[3:]
                row["email"] = "" if number % 3 else row["email"]
            if copy == 2:
                row["birth_date"] = "" if number % 2 else born
                row["city"] = ""
            rows.append(row)
    return rows


def records(rows: list[dict[str, str]]) -> list[Features]:
    """The features of *rows*."""
    return [features_of_row(row) for row in rows]


def households(count: int = 150, seed: int = 7) -> list[dict[str, str]]:
    """*count* households of one or two people at one door; every second person is recorded again, with an error."""
    chance = Random(seed)
    found = [person for number in range(count) for person in _household(chance, number)]
    return [*found, *(_with_errors(chance, person) for person in found if chance.random() < 0.5)]


def _household(chance: Random, number: int) -> Iterator[dict[str, str]]:
    family = chance.choice(_LAST)
    home = {
        "family_name": family,
        "phone": f"+44 20 {chance.randrange(10**7, 10**8)}",
        "street_no": str(chance.randrange(1, 90)),
        "street": chance.choice(_CITIES) + " street",
        "city": chance.choice(_CITIES),
    }
    for given in chance.sample(_FIRST, chance.choice([1, 1, 2])):
        born = f"{chance.randrange(1940, 2005)}-{chance.randrange(1, 13):02}-{chance.randrange(2, 28):02}"
        own = {"given_name": given, "birth_date": born, "email": f"{given}.{family}{number}@mail.example"}
        yield own | home | {"cluster": f"{number} {given}"}


def _with_errors(chance: Random, row: dict[str, str]) -> dict[str, str]:
    field, gap = chance.choice(["given_name", "family_name"]), chance.choice(["email", "phone", "birth_date"])
    text = row[field]
    at = chance.randrange(1, len(text) - 1)
    return row | {field: text[:at] + text[at + 1] + text[at] + text[at + 2 :], gap: ""}
