"""The keys by which a store finds who is near a record: the values that it has, and pairs of them, as hashes.

Invariant: at most `MOST` keys a record, a function of its projection alone; none shows what it was made of, though who
guesses a value can test the guess. People and organizations never share one. Where there are more, single values come
first, those that few share before those that many share: what is left out then are pairs of values.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import combinations

from crmcore.identity.model.columns import COLUMNS
from crmcore.identity.projection import READERS, Projection, texts_at

NEAR = "near"
"""The namespace of the keys."""

MOST = 400
"""So many keys are kept of a record; most have thirty."""

_BYTES = 9
"""Two values share a hash of so many bytes by accident once in 2^72, and would only be compared for nothing then."""

_TELLING = "iepdlbnzsowcjry"
"""The kinds of single keys, those that the fewest share first."""

JOINED: frozenset[tuple[str, str]] = frozenset(
    (pair[0], pair[1]) for pair in "nn bn nz ns cn bz bc oz os co".split()
)
"""The kinds of values of which pairs are kept, in alphabetical order: of those that many share in a large store."""


def single_keys(projection: Projection, columns: Collection[int] = range(len(COLUMNS))) -> tuple[str, ...]:
    """The values that a record is found by in *columns*, each with the letter of its kind, without repetition.

    >>> from crmcore.identity.features import features_of_row
    >>> from crmcore.identity.projection import project
    >>> single_keys(project(features_of_row({"full_name": "Ann Lee", "email": "anna@x.org"})))
    ('n:ann', 'n:lee', 'e:anna@x.org', 'l:anna')
    """
    found: dict[str, None] = {}
    for at in columns:
        for text in texts_at(projection, at):
            for key in _keys(at, text):
                found[key] = None
    return tuple(found)


@lru_cache(maxsize=1 << 14)
def _keys(at: int, text: str) -> tuple[str, ...]:
    value = READERS[at](text)
    if COLUMNS[at].group in ("organization", "employer"):
        value = tuple((word, 0) for word in value)
    return COLUMNS[at].keys(value)


def joinable(a: str, b: str) -> bool:
    """Whether two single keys count as two: of different kinds, or both of names."""
    return a[0] != b[0] or a[0] == "n"


def stored_pairs(keys: Iterable[str]) -> list[tuple[str, str]]:
    """The pairs of single keys that are kept."""
    return [
        (a, b)
        for a, b in combinations(sorted(key for key in keys if key[0] in "bcnosz"), 2)
        if (a[0], b[0]) in JOINED
    ]


def class_of(kind: str) -> str:
    """Who may be found by whom: the people and the anonymous, or the organizations and households."""
    return "o" if kind in ("organization", "household") else "p"


def hashed(of: str, *keys: str) -> str:
    """A key as the store sees it."""
    digest = blake2b("\x1f".join((of, *keys)).encode("utf-8", "replace"), digest_size=_BYTES).digest()
    return urlsafe_b64encode(digest).decode()


def content_key(projection: Projection) -> str:
    """The key that equal records share."""
    parts = [projection.kind, *projection.values]
    for group, options in projection.more:
        parts += [group, *(text for option in options for text in option)]
    return hashed("=", *parts)


def stored_keys(projection: Projection) -> tuple[Sequence[str], int]:
    """The keys to keep of a record, and how many did not fit.

    >>> from crmcore.identity.features import features_of_row
    >>> from crmcore.identity.projection import project
    >>> keys, left_out = stored_keys(project(features_of_row({"full_name": "Ann Lee", "birth_date": "1985-04-12"})))
    >>> len(keys), left_out
    (7, 0)
    """
    if projection.empty:
        return (), 0
    of = class_of(projection.kind)
    singles = sorted(single_keys(projection), key=lambda key: _TELLING.find(key[0]) % (len(_TELLING) + 1))
    found = [content_key(projection)]
    found += [hashed(of, key) for key in singles]
    found += [hashed(of, *pair) for pair in stored_pairs(singles)]
    return found[:MOST], max(0, len(found) - MOST)
