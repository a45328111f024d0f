"""The one place where rows of the tables become values, and names become what stands for them in the tables.

Invariant: what stands for a key or a part depends on the secret of its store, so that nobody can make two that are the
same, and equal things of two stores look different.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from crmcore.storage.cursor import Cursors
from crmcore.storage.document import decode, write
from crmcore.storage.kept import from_kept
from crmcore.storage.plan import Event
from crmcore.storage.protocol import Key, Position, Record, Ref, Sort
from crmcore.storage.validate import NOTHING, KeyPair, SortTriple

Place = tuple[int, int, int]
"""Where a change is in the feed: the era, the number of its transaction, its number within that. The last one first."""

BEGINNING: Place = (0, 0, 0)


def key_mark(secret: bytes, namespace: str, value: str) -> str:
    """What stands for a key: 16 bytes, in hexadecimal."""
    text = f"{namespace}\0{value}".encode()  # a namespace is a word, so the first U+0000 ends it
    return blake2b(text, key=secret, digest_size=16, person=b"crmcore key").hexdigest()


def part_mark(secret: bytes, namespace: str, part: str) -> str:
    """What stands for a part of an ordered key."""
    text = f"{namespace}\0{part}".encode()
    return blake2b(text, key=secret, digest_size=16, person=b"crmcore part").hexdigest()


@from_kept
def carried_by(text: str) -> tuple[tuple[KeyPair, ...], tuple[SortTriple, ...]]:
    """The keys and sorts that a record carries."""
    if text == NOTHING:
        return (), ()
    keys, sorts = decode(text)
    return (
        tuple([(namespace, value) for namespace, value in keys]),
        tuple([(namespace, part, bytes.fromhex(value)) for namespace, part, value in sorts]),
    )


@from_kept
def record(ref: Ref, version: int, schema: int, carries: str, body: str) -> Record:
    keys, sorts = carried_by(carries)
    return Record(
        ref=ref,
        version=version,
        schema=schema,
        body=decode(body),
        keys=frozenset([Key(*pair) for pair in keys]),
        sorts=frozenset([Sort(*triple) for triple in sorts]),
    )


_TOGETHER = 256
"""So many changes are in one row of the feed at most."""


def packed(events: Sequence[Event], first: int = 0) -> list[tuple[int, int, str]]:
    """The rows of the feed that hold the changes of a batch: the number of the last in each, how many, and their text.

    >>> packed([Event("append", "log:1", "", 1)], first=7)
    [(8, 1, '[["append","log:1","",1]]')]
    """
    parts = [events[at : at + _TOGETHER] for at in range(0, len(events), _TOGETHER)]
    return [(first + at * _TOGETHER + len(part), len(part), write(part)) for at, part in enumerate(parts)]


@from_kept
def unpacked(text: str) -> list[Event]:
    """The changes in one row of the feed."""
    return [Event(*event) for event in decode(text)]


def sealed(cursors: Cursors, tenant: str, place: Place) -> Position:
    """The place of a change as it is given out; nothing before the first one."""
    return "" if place == BEGINNING else cursors.seal(("changes", tenant), place)


def unsealed(cursors: Cursors, tenant: str, position: Position) -> Place:
    """The place of a position.

    Raises:
        InvalidRecord: if this store did not make it.
    """
    if position == "":
        return BEGINNING
    era, tx, n = cursors.open(("changes", tenant), position)
    return era, tx, n
