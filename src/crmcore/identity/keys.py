"""Blocking keys."""

from __future__ import annotations

from functools import lru_cache

from crmcore.identity.features import Features

MOST_KEYS = 16
LONGEST_KEY = 100


def blocking_keys(record: Features) -> frozenset[str]:
    found: dict[str, None] = {}
    for identifier in record.identifiers:
        found[f"i:{identifier}"] = None
    for email in record.emails:
        found[f"e:{email}"] = None
        local = email.rpartition("@")[0]
        if len(local) > 4:
            found[f"l:{local}"] = None
    for phone in record.phones:
        found[f"p:{phone[-7:]}"] = None
    years = {born[:4] for born in record.birth_dates}
    for born in record.birth_dates:
        found[f"d:{born}"] = None
    for name in record.names:
        given, family = name.given[0] if name.given else "", "".join(name.family)
        found["n:" + " ".join(sorted((given, family)))] = None
        if family:
            bones = skeleton(family)
            if given:
                found[f"s:{bones} {given[0]}"] = None
            for year in years:
                found[f"y:{bones} {year}"] = None
            for address in record.addresses:
                if address.postcode:
                    found[f"fp:{bones} {address.postcode}"] = None
                elif address.city:
                    found[f"fc:{bones} {address.city}"] = None
        if given:
            for address in record.addresses:
                if address.postcode:
                    found[f"gp:{skeleton(given)} {address.postcode}"] = None
    for organization in record.organizations:
        words = sorted(organization, key=lambda word: (-len(word), word))[:3]
        if len(words) == 1:
            found[f"w:{words[0]}"] = None
        for at, word in enumerate(words):
            for other in words[at + 1 :]:
                found["w:" + " ".join(sorted((word, other)))] = None
    for address in record.addresses:
        if address.door:
            found[f"a:{address.door}"] = None
        if address.number and address.postcode:
            found[f"ap:{address.number} {address.postcode}"] = None
    return frozenset(_cut(key) for key in list(found)[:MOST_KEYS])


def _cut(key: str) -> str:
    raw = key.encode()
    return key if len(raw) <= LONGEST_KEY else raw[:LONGEST_KEY].decode(errors="ignore")


@lru_cache(maxsize=65536)
def skeleton(word: str) -> str:
    """First letter and the consonants after it, without repetition."""
    kept = word[:1]
    for char in word[1:]:
        if char not in "aeiouyhw " and char != kept[-1]:
            kept += char
    return kept[:6]
