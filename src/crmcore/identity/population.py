"""How common values are among the customers that are compared: what tells an identifying value from a generic one.

Invariant: a value's count is of *different customers* as far as names can tell, never of records, so that a customer
recorded twenty times does not make its own name common. The order of the records does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import log2

import attrs

from crmcore.identity.features import Features

_PRIOR_WEIGHT = 256
"""The prior speaks as loudly as this many customers; a larger population is believed more than the prior."""

_FEW = 8
"""Up to so many different names of one value are looked at more closely: they may be misspellings of one."""


@attrs.frozen
class _Nature:
    """How rare two customers agree on a value of a field by chance, in bits, before any data are seen; and at most."""

    prior: float
    most: float


NATURES: Mapping[str, _Nature] = {
    "given": _Nature(8, 10),
    "family": _Nature(11, 13),
    "word": _Nature(8, 11),
    "born": _Nature(14, 15),
    "year": _Nature(6, 7),
    "email": _Nature(20, 20),
    "local": _Nature(12, 14),
    "phone": _Nature(18, 18),
    "identifier": _Nature(24, 24),
    "door": _Nature(16, 17),
    "street": _Nature(10, 11),
    "postcode": _Nature(10, 12),
    "city": _Nature(7, 9),
    "region": _Nature(3, 5),
    "country": _Nature(3, 5),
    "employer": _Nature(8, 10),
    "occupation": _Nature(5, 6),
}
"""Priors by what the fields are: 80 years of birthdays are 2^14.8 days, a mailbox is one in a million or fewer."""


@attrs.frozen(repr=False)
class Population:
    """Counts of values over *size* different customers; values that only one of them has are not kept.

    >>> Population().rarity("email", "ann@x.org")
    20.0
    """

    size: int = 0
    rarities: Mapping[str, float] = attrs.field(factory=dict)
    unseen: Mapping[str, float] = attrs.field(factory=lambda: {key: nature.prior for key, nature in NATURES.items()})

    @classmethod
    def of(cls, records: Iterable[Features]) -> Population:
        """Count the values of *records*."""
        witnesses: set[str] = set()
        holders: dict[str, set[str]] = {}
        for record in records:
            witness = _witness(record)
            witnesses.add(witness)
            for fact, holder in _facts(record, witness):
                known = holders.get(fact)
                if known is None:
                    holders[fact] = {holder}
                else:
                    known.add(holder)
        size = len(witnesses)
        counts = ((fact, _customers(names)) for fact, names in holders.items() if len(names) > 1)
        rarities = {fact: _bits(NATURES[fact.partition(":")[0]], count, size) for fact, count in counts if count > 1}
        return cls(size, rarities, {key: _bits(nature, 1, size) for key, nature in NATURES.items()})

    def rarity(self, field: str, value: str) -> float:
        """Bits of evidence in two records agreeing on *value*: 10 bits are one accident in a thousand."""
        return self.rarities.get(f"{field}:{value}", self.unseen[field])

    def __repr__(self) -> str:
        return f"Population(size={self.size})"


def _bits(nature: _Nature, customers: int, size: int) -> float:
    others = customers - 1 + _PRIOR_WEIGHT * 2.0**-nature.prior
    return min(nature.most, log2((size + _PRIOR_WEIGHT) / others))


def _customers(names: set[str]) -> int:
    """How many customers bear these names, when few are few misspellings."""
    if len(names) > _FEW:
        return len(names)
    initials = {_initials(name) for name in names}
    whole = {letters for letters in initials if len(letters) != 1}
    return max(1, len(whole) + sum(1 for one in initials - whole if not any(one in both for both in whole)))


def _initials(name: str) -> str:
    return "".join(sorted({word[0] for word in name.split()}))


def _witness(record: Features) -> str:
    """The name that a record is counted under; without one, another value that a customer has of his own."""
    for name in record.names:
        return " ".join(sorted((*name.given[:1], "".join(name.family)))).strip()
    for organization in record.organizations:
        return " ".join(organization[:2])
    for value in (*record.emails, *record.identifiers, *record.birth_dates, *record.phones):
        return f"{value[:2]} {value}"
    return next((address.door for address in record.addresses), "")


def _facts(record: Features, witness: str) -> Iterable[tuple[str, str]]:
    for name in record.names:
        given, family = name.given[0] if name.given else "", "".join(name.family)
        if given:
            yield f"given:{given}", family
        if family:
            yield f"family:{family}", given
    for organization in record.organizations:
        holder = " ".join(organization)
        for word in organization:
            yield f"word:{word}", holder
    yield from ((f"born:{born}", witness) for born in record.birth_dates)
    yield from ((f"year:{year}", witness) for year in {born[:4] for born in record.birth_dates})
    for email in record.emails:
        yield f"email:{email}", witness
        yield f"local:{email.rpartition('@')[0]}", witness
    yield from ((f"phone:{phone[-9:]}", witness) for phone in record.phones)
    yield from ((f"identifier:{identifier}", witness) for identifier in record.identifiers)
    for address in record.addresses:
        parts = (
            ("door", address.door),
            ("street", " ".join(address.street)),
            ("postcode", address.postcode),
            ("city", address.city),
            ("region", address.region),
            ("country", address.country),
        )
        yield from ((f"{field}:{value}", witness) for field, value in parts if value)
    yield from ((f"employer:{' '.join(employer)}", witness) for employer in record.employers)
    if record.occupation:
        yield f"occupation:{record.occupation}", witness
