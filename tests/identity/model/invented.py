"""Invented people with errors: several records each, made without chance."""

from __future__ import annotations

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
