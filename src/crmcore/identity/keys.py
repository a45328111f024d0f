"""Blocking keys: short texts that records of one customer very likely share, to find pairs worth comparing.

Invariant: at most 16 keys of at most 100 bytes, a function of the features alone. Each begins with a word that says
what it is made of, so that keys of different fields never meet. Some keys survive a typing error in a name (its
skeleton), a change of name (birth date, e-mail) or of address, so that no single error hides a pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations

from crmcore.identity.addresses import AddressForm
from crmcore.identity.features import Features
from crmcore.identity.names import OrganizationForm, PersonForm

MOST_KEYS = 16
LONGEST_KEY = 100

_SKELETON = 6
_LEAST_LOCAL = 5


def blocking_keys(record: Features) -> frozenset[str]:
    """The keys of *record*. Where there are too many, every kind of key keeps its first ones.

    >>> from crmcore.identity.features import features_of_row
    >>> sorted(blocking_keys(features_of_row({"full_name": "Ann Lee", "phone": "+44 20 7946 0018"})))
    ['name:ann lee', 'phone:9460018', 'skeleton:l a']
    """
    keys = dict.fromkeys(_keys(record))
    if len(keys) <= MOST_KEYS:
        return frozenset(map(_short, keys))
    found: dict[str, int] = {}
    turns: dict[str, int] = {}
    for key in keys:
        if key not in found:
            kind = key.partition(":")[0]
            found[key] = turns[kind] = turns.get(kind, 0) + 1
    kept = sorted(found, key=lambda key: found[key])[:MOST_KEYS]
    return frozenset(map(_short, kept))


def _short(key: str) -> str:
    if len(key) <= LONGEST_KEY and key.isascii():
        return key
    return key.encode("utf-8", "replace")[:LONGEST_KEY].decode("utf-8", "ignore")


def _keys(record: Features) -> Iterator[str]:
    for identifier in record.identifiers:
        yield f"id:{identifier}"
    for email in record.emails:
        yield f"email:{email}"
        local = email.rpartition("@")[0]
        if len(local) >= _LEAST_LOCAL:
            yield f"local:{local}"
    for phone in record.phones:
        yield f"phone:{phone[-7:]}"
    for born in record.birth_dates:
        yield f"born:{born}"
    for name in record.names:
        yield from _name_keys(name, record)
    for organization in record.organizations:
        yield from _organization_keys(organization)
    for address in record.addresses:
        if address.door:
            yield f"door:{address.door}"
        if address.number and address.postcode:
            yield f"number:{address.number} {address.postcode}"


def _name_keys(name: PersonForm, record: Features) -> Iterator[str]:
    given, family = name.given[0] if name.given else "", "".join(name.family)
    yield f"name:{' '.join(sorted((given, family)))}".replace(": ", ":")
    if family:
        bones = skeleton(family)
        if given:
            yield f"skeleton:{bones} {given[0]}"
        for born in record.birth_dates:
            yield f"year:{bones} {born[:4]}"
        for address in record.addresses:
            if town := _town(address):
                yield f"town:{bones} {town}"
    if given:
        for address in record.addresses:
            if address.postcode:
                yield f"given:{skeleton(given)} {address.postcode}"


def _town(address: AddressForm) -> str:
    return address.postcode or address.city


def _organization_keys(name: OrganizationForm) -> Iterator[str]:
    """Pairs of the longest words, which are the most telling; a name of one word has that."""
    longest = sorted(name, key=lambda word: (-len(word), word))[:3]
    if len(longest) == 1:
        yield f"words:{longest[0]}"
    for pair in combinations(sorted(longest), 2):
        yield f"words:{' '.join(pair)}"


@lru_cache(maxsize=65536)
def skeleton(word: str) -> str:
    """The first letter and the consonants after it without repetition: what most misspellings leave alone.

    >>> skeleton("stephenson"), skeleton("stevenson"), skeleton("김")
    ('stpnsn', 'stvnsn', '김')
    """
    kept = word[:1]
    for char in word[1:]:
        if char not in "aeiouyhw" and char != kept[-1]:
            kept += char
    return kept[:_SKELETON]
