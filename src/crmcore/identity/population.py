"""How common values are among the customers that are compared: what tells an identifying value from a generic one.

Invariant: a value is counted by the *different customers* that have it, as far as their names can tell, never by
records: a customer recorded twenty times does not make its own e-mail generic, and a mailbox used by twenty people is
found out without a list of words like "info". The order of the records does not matter. Rarity is an integer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import log2

import attrs

from crmcore.identity.features import Features
from crmcore.values.frozen_map import FrozenMap

POINTS_A_BIT = 1 << 16
"""Rarity and scores are whole numbers; so many are one bit. Every machine comes to the same sums."""

LEAST_SIZE = 256
"""What is presumed of customers in general speaks as loudly as this many; a larger population is believed more."""

_FEW = 8
"""Up to so many different names of one value are looked at more closely: they may be misspellings of one."""


@attrs.frozen
class Nature:
    """How seldom two customers agree on a value of a field by accident: in bits, before any data, and at most."""

    presumed: float
    most: float


NATURES: Mapping[str, Nature] = {
    "given": Nature(8, 10),
    "family": Nature(11, 13),
    "word": Nature(8, 11),
    "born": Nature(14, 15),
    "year": Nature(6, 7),
    "email": Nature(20, 20),
    "local": Nature(12, 14),
    "phone": Nature(18, 18),
    "identifier": Nature(24, 24),
    "door": Nature(16, 17),
    "street": Nature(10, 11),
    "postcode": Nature(10, 12),
    "city": Nature(7, 9),
    "region": Nature(3, 5),
    "country": Nature(3, 5),
    "employer": Nature(8, 10),
    "person": Nature(8, 10),
    "occupation": Nature(5, 6),
}
"""What the fields are by nature: 80 years have 2^14.8 birthdays, a country some thousand postcodes, and nobody gets
another one's mailbox or number by accident. A word is one of an organization's name, a local the part before the @."""


@attrs.frozen(eq=False, repr=False)
class Population:
    """The rarity of values among *size* different customers. Values that only one of them has are not kept.

    >>> Population().rarity("email", "ann@x.org") == 20 * POINTS_A_BIT
    True
    """

    size: int = 0
    _known: Mapping[str, int] = attrs.field(factory=lambda: FrozenMap())
    _unseen: Mapping[str, int] = attrs.field(
        factory=lambda: {field: _points(nature, 1, 0) for field, nature in NATURES.items()}
    )

    @classmethod
    def of(cls, records: Iterable[Features]) -> Population:
        """Count the values of *records*; each record is looked at once.

        >>> from crmcore.identity.features import features_of_row
        >>> rows = [{"full_name": name, "email": "info@x.org"} for name in ("Ann Lee", "Bo Hill", "Cy Park")]
        >>> Population.of(map(features_of_row, rows)).rarity("email", "info@x.org") < 20 * POINTS_A_BIT
        True
        """
        customers: set[str] = set()
        holders: dict[str, set[str]] = {}
        for record in records:
            if record.empty:
                continue
            customer = _customer(record)
            customers.add(customer)
            for value, holder in _values(record, customer):
                known = holders.get(value)
                if known is None:
                    holders[value] = {holder}
                else:
                    known.add(holder)
        size = len(customers)
        counts = ((value, _count(names)) for value, names in holders.items() if len(names) > 1)
        known_points = {
            value: _points(NATURES[value.partition(":")[0]], count, size)
            for value, count in counts
            if count > 1
        }
        return cls(size, known_points, {field: _points(nature, 1, size) for field, nature in NATURES.items()})

    def rarity(self, field: str, value: str) -> int:
        """The points that two records deserve for agreeing on *value*: 160 (10 bits) for an accident in a thousand.

        >>> Population().rarity("city", "york") < Population().rarity("born", "1985-04-12")
        True
        """
        return self._known.get(f"{field}:{value}", self._unseen[field])

    def __repr__(self) -> str:
        return f"Population(size={self.size})"


def _points(nature: Nature, customers: int, size: int) -> int:
    others = customers - 1 + LEAST_SIZE * 2.0**-nature.presumed
    return round(POINTS_A_BIT * min(nature.most, log2((size + LEAST_SIZE) / others)))


def _count(names: set[str]) -> int:
    """How many customers bear these names, if a few names may be misspellings of fewer people.

    Names with the same initials are taken for one, and so is an initial alone with a name that has it: a record
    without a given name is no further customer.
    """
    if len(names) > _FEW:
        return len(names)
    initials = {"".join(sorted({word[0] for word in name.split()})) for name in names}
    whole = {letters for letters in initials if len(letters) != 1}
    alone = initials - whole
    return max(1, len(whole) + sum(not any(letter in letters for letters in whole) for letter in alone))


def _customer(record: Features) -> str:
    """What stands for the customer behind a record: a name, or else another value that customers rarely share."""
    for name in record.names:
        return " ".join(sorted((*name.given[:1], "".join(name.family)))).strip()
    for organization in record.organizations:
        return " ".join(organization[:2])
    for value in (*record.emails, *record.identifiers, *record.birth_dates, *record.phones):
        return f"{value[:2]} {value}"
    return next((address.door for address in record.addresses), "")


def _values(record: Features, customer: str) -> Iterator[tuple[str, str]]:
    """The values of a record, each with what tells its holders apart: for one part of a name the other part."""
    for name in record.names:
        given, family = name.given[0] if name.given else "", "".join(name.family)
        if given:
            yield f"given:{given}", family
        if family:
            yield f"family:{family}", given
    for organization in record.organizations:
        whole = " ".join(organization)
        for word in organization:
            yield f"word:{word}", whole
    for value in _plain_values(record):
        yield value, customer


def _plain_values(record: Features) -> Iterator[str]:
    for born in record.birth_dates:
        yield f"born:{born}"
        yield f"year:{born[:4]}"
    for email in record.emails:
        yield f"email:{email}"
        yield f"local:{email.rpartition('@')[0]}"
    for phone in record.phones:
        yield f"phone:{phone[-9:]}"
    for identifier in record.identifiers:
        yield f"identifier:{identifier}"
    for address in record.addresses:
        yield from (f"{field}:{value}" for field, value in address.parts if value)
    for person in record.people:
        yield f"person:{person}"
    for employer in record.employers:
        yield f"employer:{' '.join(employer)}"
    if record.occupation:
        yield f"occupation:{record.occupation}"
