"""The columns that records are compared by: where their values come from, their levels, and what is known before data.

Invariant: a column says nothing about how common a value is; its *terms* are what is counted to find that out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from crmcore.identity.addresses import AddressForm
from crmcore.identity.features import Features
from crmcore.identity.latin import latin
from crmcore.identity.model import levels
from crmcore.identity.names import PersonForm


@attrs.frozen(kw_only=True)
class Column:
    """One column of the comparison.

    *labels* name the levels, the weakest first, beginning with level 1. *usual* is how often two records of one
    customer are at each level, as far as one knows before looking. *rarity* is how seldom two customers agree, in bits.
    *counted* maps levels to the term of a value whose frequency matters there.
    """

    name: str
    group: str
    labels: tuple[str, ...]
    usual: tuple[float, ...]
    rarity: float
    compare: Callable[[Any, Any], int]
    terms: Mapping[int, Callable[[Any], str]]
    keys: Callable[[Any], tuple[str, ...]]
    neighbours: bool = False
    personal: bool = False
    """Whether it is somebody's own: a household shares the others."""


def _first(value: tuple[str, ...]) -> str:
    return value[0] if len(value[0]) > 1 else ""


def _joined(value: tuple[str, ...]) -> str:
    return "".join(value)


def _words(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"n:{word}" for word in value if len(word) > 2)) or (f"n:{''.join(value)}",)


def _family_keys(value: tuple[str, ...]) -> tuple[str, ...]:
    joined = f"n:{''.join(value)}"
    return tuple(dict.fromkeys((joined, *(f"n:{word}" for word in value if len(word) > 3))))


def _street_words(value: tuple[str, tuple[str, ...], str]) -> str:
    return "".join(value[1])


def _door(value: tuple[str, tuple[str, ...], str]) -> str:
    return f"{value[0]} {''.join(value[1])}"


def _local(text: str) -> str:
    return text.rpartition("@")[0]


def _street_keys(value: tuple[str, tuple[str, ...], str]) -> tuple[str, ...]:
    if value[0] and value[1]:
        return (f"d:{_door(value)}", f"s:{_street_words(value)}")
    return (f"s:{_street_words(value)}",) if value[1] else ()


def _email_keys(text: str) -> tuple[str, ...]:
    local = _local(text)
    return (f"e:{text}", f"l:{local}") if len(local) > 3 else (f"e:{text}",)


def _one(prefix: str) -> Callable[[str], tuple[str, ...]]:
    return lambda text: (f"{prefix}:{text}",)


GIVEN = Column(
    name="given name", group="name",
    labels=("different", "initial", "roughly", "short form", "nearly", "same", "same in full"),
    usual=(0.04, 0.03, 0.03, 0.04, 0.09, 0.60, 0.17), rarity=8, compare=levels.given_names,
    terms={6: _first, 7: _first}, keys=_words, neighbours=True, personal=True,
)  # fmt: skip
FAMILY = Column(
    name="family name", group="name", labels=("different", "roughly", "in part", "nearly", "same"),
    usual=(0.04, 0.02, 0.03, 0.09, 0.82), rarity=11, compare=levels.family_names,
    terms={5: _joined}, keys=_family_keys, neighbours=True,
)  # fmt: skip
BORN = Column(
    name="birth date", group="born",
    labels=("different", "two digits wrong", "two parts of three", "same year", "one error", "same"),
    usual=(0.03, 0.02, 0.03, 0.05, 0.07, 0.80), rarity=14, compare=levels.birth_dates,
    terms={6: str, 4: lambda text: text[:4]}, keys=_one("b"), neighbours=True, personal=True,
)  # fmt: skip
EMAIL = Column(
    name="e-mail", group="email", labels=("different", "alike", "same local part", "one error", "same"),
    usual=(0.22, 0.04, 0.04, 0.05, 0.65), rarity=20, compare=levels.emails,
    terms={5: str, 3: _local}, keys=_email_keys, neighbours=True, personal=True,
)  # fmt: skip
PHONE = Column(
    name="phone", group="phone", labels=("different", "one error", "same"),
    usual=(0.22, 0.05, 0.73), rarity=18, compare=levels.phones,
    terms={3: lambda text: text[-9:]}, keys=lambda text: (f"p:{text[-7:]}",), neighbours=True,
)  # fmt: skip
STREET = Column(
    name="street", group="address",
    labels=("different", "other number", "same street", "door with an error", "same door"),
    usual=(0.20, 0.05, 0.06, 0.12, 0.57), rarity=16, compare=levels.streets,
    terms={5: _door, 3: _street_words, 2: _street_words}, keys=_street_keys, neighbours=True,
)  # fmt: skip
POSTCODE = Column(
    name="postcode", group="address", labels=("different", "same area", "one error", "same"),
    usual=(0.14, 0.06, 0.06, 0.74), rarity=10, compare=levels.postcodes,
    terms={4: str, 2: lambda text: text[:3]}, keys=_one("z"), neighbours=True,
)  # fmt: skip
CITY = Column(
    name="city", group="address", labels=("different", "nearly", "same"),
    usual=(0.17, 0.08, 0.75), rarity=7, compare=levels.places, terms={3: str}, keys=_one("c"),
)  # fmt: skip
REGION = Column(
    name="region", group="address", labels=("different", "nearly", "same"),
    usual=(0.08, 0.02, 0.90), rarity=3, compare=levels.regions, terms={3: str}, keys=_one("r"),
)  # fmt: skip
COUNTRY = Column(
    name="country", group="address", labels=("different", "nearly", "same"),
    usual=(0.04, 0.01, 0.95), rarity=3, compare=levels.regions, terms={3: str}, keys=_one("y"),
)  # fmt: skip
IDENTIFIER = Column(
    name="identifier", group="identifier", labels=("different", "two errors", "one error", "same"),
    usual=(0.04, 0.01, 0.05, 0.90), rarity=24, compare=levels.identifiers,
    terms={4: str}, keys=_one("i"), neighbours=True, personal=True,
)  # fmt: skip
ORGANIZATION = Column(
    name="organization name", group="organization",
    labels=("different", "in part", "common words in it", "in it", "nearly", "same"),
    usual=(0.06, 0.06, 0.06, 0.12, 0.15, 0.55), rarity=14, compare=levels.organization_names,
    terms={6: lambda words: " ".join(word for word, _ in words)}, keys=lambda words: _organization_keys(words), neighbours=True,
)  # fmt: skip
EMPLOYER = Column(
    name="employer", group="employer",
    labels=("different", "in part", "common words in it", "in it", "nearly", "same"),
    usual=(0.30, 0.06, 0.04, 0.05, 0.05, 0.50), rarity=8, compare=levels.organization_names,
    terms={6: lambda words: " ".join(word for word, _ in words)}, keys=lambda words: (f"w:{' '.join(word for word, _ in words)}",),
)  # fmt: skip
OCCUPATION = Column(
    name="occupation", group="occupation", labels=("different", "nearly", "same"),
    usual=(0.25, 0.05, 0.70), rarity=5, compare=levels.regions, terms={3: str}, keys=_one("o"),
)  # fmt: skip

COLUMNS = (GIVEN, FAMILY, BORN, EMAIL, PHONE, STREET, POSTCODE, CITY, REGION, COUNTRY, IDENTIFIER, OCCUPATION, ORGANIZATION, EMPLOYER)


def _organization_keys(words: tuple[tuple[str, int], ...]) -> tuple[str, ...]:
    return tuple(f"o:{word}" for word, _ in words)


def variants(record: Features) -> dict[str, list[tuple[Any, ...]]]:
    """The values of a record by group; each variant holds one value a column of its group, None where it has none."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    if record.names:
        found["name"] = [_name(name) for name in record.names]
    if record.addresses:
        found["address"] = [_address(address) for address in record.addresses]
    for group, values in (
        ("born", record.birth_dates), ("email", record.emails), ("phone", record.phones),
        ("identifier", record.identifiers),
    ):  # fmt: skip
        if values:
            found[group] = [(value,) for value in values]
    for group, forms in (("organization", record.organizations), ("employer", record.employers)):
        if forms:
            found[group] = [(tuple(dict.fromkeys(latin(word) for word in form)),) for form in forms]
    if record.occupation:
        found["occupation"] = [(latin(record.occupation),)]
    return found


def _name(form: PersonForm) -> tuple[Any, ...]:
    given = tuple(word for word in map(latin, form.given) if word)
    family = tuple(word for word in map(latin, form.family) if word)
    return given or None, family or None


def _address(form: AddressForm) -> tuple[Any, ...]:
    street = (form.number, tuple(word for word in map(latin, form.street) if word), form.type)
    return (
        street if street[0] or street[1] else None,
        form.postcode or None,
        latin(form.city) or None,
        latin(form.region) or None,
        latin(form.country) or None,
    )
