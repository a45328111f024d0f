"""How parties and relationships lie on a store: codecs, equality keys and the order of names.

Invariant: every key is computed from the party alone, so it can be computed again. A retracted party is not
found by anything but its source records, which stay its own: importing them again does not bring it back. Only a No
that is told by an address looks for the retracted that have it, by a key of their own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from crmcore.party.contact_point import EmailPoint, PhonePoint
from crmcore.party.history import PartyAdded, PartyChanged
from crmcore.party.party import Household, Organization, Party, Person
from crmcore.party.relationship import Relationship
from crmcore.party.relationship_events import RelationshipAdded, RelationshipChanged
from crmcore.serde import Codec
from crmcore.storage.protocol import Key, Sort
from crmcore.values.source import Source
from crmcore.values.text import fold

SOURCE = "source"
EMAIL = "email"
PHONE = "phone"
IDENTIFIER = "identifier"
RELATED = "related"
RETRACTED = "retracted"
"""Of parties that were taken back: what was their key of an address or a number."""
NAME = "party.name"
MEMBER = "member"
"""Exclusive: the one cluster that a party is in, and the one ledger that a contact point has."""

PARTY: Codec[Party] = Codec(tag="party", type=Party)
RELATIONSHIP: Codec[Relationship] = Codec(tag="relationship", type=Relationship)
CODECS: tuple[Codec[Any], ...] = (
    PARTY,
    RELATIONSHIP,
    Codec(tag="party.added", type=PartyAdded),
    Codec(tag="party.changed", type=PartyChanged),
    Codec(tag="relationship.added", type=RelationshipAdded),
    Codec(tag="relationship.changed", type=RelationshipChanged),
)

_UNFIT = re.compile(r"[\x00\ud800-\udfff]")

NAME_BYTES = 64
"""So much of a folded name stands in the order of names."""

_TURNS = 6
"""So many tokens of a name can begin a search for it."""


def key(namespace: str, value: str) -> Key:
    """A key for any text: one over 512 bytes, or one that no store can hold, is replaced by its hash."""
    if len(value) <= 512 and value.isascii() and "\x00" not in value:
        return Key(namespace, value)
    raw = value.encode("utf-8", "surrogatepass")
    if len(raw) <= 512 and not _UNFIT.search(value):
        return Key(namespace, value)
    return Key(namespace, "sha256:" + hashlib.sha256(raw).hexdigest())


def source_key(source: Source) -> Key:
    """The exclusive key of a record of another system."""
    return key(SOURCE, f"{source.system}\x1f{source.record}")


def party_keys(party: Party) -> frozenset[Key]:
    """What a party is found by: sources, e-mail addresses, phone numbers, identifiers."""
    keys = {source_key(source) for source in party.sources}
    if party.standing == "retracted":
        return frozenset(keys | {retracted_key(one) for one in _addresses(party)})
    keys |= _addresses(party)
    for identifier in party.identifiers:
        keys.add(key(IDENTIFIER, f"{identifier.scheme}:{identifier.key}"))
    return frozenset(keys)


def retracted_key(address: Key) -> Key:
    """That of a retracted party in place of its key of an *address*."""
    return key(RETRACTED, f"{address.namespace}:{address.value}")


def address_key(text: str, *, region: str | None = None) -> Key:
    """The key of whoever has this e-mail address, or this number."""
    if "@" in text:
        return key(EMAIL, EmailPoint.of(text).key)
    return key(PHONE, PhonePoint.of(text, region=region).key)


def _addresses(party: Party) -> set[Key]:
    """The keys of the e-mail addresses and numbers of a party."""
    keys = set[Key]()
    for point in party.contact_points:
        if isinstance(point, EmailPoint):
            keys.add(key(EMAIL, point.key))
        elif isinstance(point, PhonePoint):
            keys.add(key(PHONE, point.key))
            if point.value is not None:
                keys.add(key(PHONE, point.value.e164))
    return keys


def names_of(party: Party) -> tuple[str, ...]:
    """Every name that a party goes by, as text."""
    if isinstance(party, Person):
        return tuple(name.full for name in party.names)
    if isinstance(party, Organization):
        return tuple(name.text for name in party.names)
    if isinstance(party, Household) and party.label:
        return (party.label,)
    return ()


def party_sorts(party: Party) -> frozenset[Sort]:
    """The folded names, turned so that each of the first tokens begins one: any word of a name can be searched for."""
    if party.standing == "retracted":
        return frozenset()
    return frozenset(name_sort(turned) for turned in turned_names(party))


def turned_names(party: Party) -> Iterator[str]:
    """The folded names, each as often as it has words that a search can begin with."""
    for name in names_of(party):
        tokens = fold(name).split()
        for turn in range(min(len(tokens), _TURNS)):
            yield " ".join(tokens[turn:] + tokens[:turn])


def name_sort(folded: str) -> Sort:
    """The place of a folded name: parts are first letters, so that no part holds everybody."""
    return Sort(NAME, folded[:1], folded.encode("utf-8", "replace")[:NAME_BYTES])


def related_keys(relationship: Relationship) -> frozenset[Key]:
    """The two ends."""
    return frozenset({Key(RELATED, relationship.from_), Key(RELATED, relationship.to)})
