"""People recorded more than once, not without slips of the pen and gaps, for the tests of what is learned."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from crmcore.identity.features import Features, features_of_row
from crmcore.identity.model.columns import COLUMNS, Column

_FIRST = "ann bo cleo dan eva finn gus hal ida jon kim lea max nora olaf pia quin rosa sven tess".split()
_LAST = (
    "abbott brandt castro dvorak egede fabre grieg horn iversen jansen keller lindt moreau novak ortiz "
    "palmer quist rossi silva tanner urban vogel weber xenos young zeller"
).split()
_TOWNS = ("york", "kiel", "vigo", "brno", "nuuk", "lyon")
_STREETS = ("oak", "elm", "high", "mill", "church", "station", "park")


def person(random: Random, number: int) -> dict[str, str]:
    """Somebody who is unlike everybody else in the mailbox and in most other things."""
    first = random.choice(_FIRST)
    last = random.choice(_LAST) + random.choice(("", "", "s", "er", "sen"))
    return {
        "given_name": first,
        "family_name": last,
        "birth_date": f"{random.randint(1940, 2004)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}",
        "email": f"{first}.{last}{number}@{random.choice(('x', 'y', 'z'))}.org",
        "phone": f"+4420{random.randint(10_000_000, 99_999_999)}",
        "street": f"{random.randint(1, 90)} {random.choice(_STREETS)} street",
        "city": random.choice(_TOWNS),
    }


def recorded_again(random: Random, row: dict[str, str]) -> dict[str, str]:
    """The same person with a slip of the pen and with something left out."""
    again = dict(row)
    slip = random.choice(("given_name", "family_name", "email"))
    text = again[slip]
    at = random.randrange(len(text))
    again[slip] = text[:at] + random.choice("abcdefgh") + text[at + 1 :]
    again[random.choice(("birth_date", "email", "phone", "street", "city"))] = ""
    return again


def rows(
    customers: int, copies: Sequence[int] = (1, 2, 3), seed: int = 1
) -> list[tuple[int, dict[str, str]]]:
    """The rows of so many customers, each behind the number of its customer, in mixed order."""
    random = Random(seed)
    found: list[tuple[int, dict[str, str]]] = []
    for number in range(customers):
        first = person(random, number)
        found.append((number, first))
        found.extend((number, recorded_again(random, first)) for _ in range(random.choice(copies) - 1))
    random.shuffle(found)
    return found


def people(customers: int, copies: Sequence[int] = (1, 2, 3), seed: int = 1) -> list[Features]:
    """The features of such rows."""
    return [features_of_row(row) for _, row in rows(customers, copies, seed)]


def columns(*names: str) -> tuple[Column, ...]:
    """The columns of these names."""
    return tuple(column for column in COLUMNS if column.name in names)
