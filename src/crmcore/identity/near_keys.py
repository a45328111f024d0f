"""The keys by which a store finds who is near a record: the values that it has, and pairs of them, as hashes.

Invariant: at most `MOST` keys a record, a function of its projection alone; none shows what it was made of, though who
guesses a value can test the guess. People and organizations never share one. Where there are more, single values come
first, those that few share before those that many share: what is left out then are pairs of values.
"""

from __future__ import annotations

from binascii import b2a_base64
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

_LETTERS = 12
_SAFE = bytes.maketrans(b"+/", b"-_")
_APART = "\x1f"

_SHARED = frozenset(
    at for at, column in enumerate(COLUMNS) if column.name not in ("e-mail", "phone", "identifier")
)
"""The columns in which values come again, so that it is worth to remember what was made of them."""

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
    if projection.more:
        texts = [(at, text) for at in columns for text in texts_at(projection, at)]
    else:
        values = projection.values
        texts = [(at, values[at]) for at in columns if values[at]]
    found: dict[str, None] = {}
    for at, text in texts:
        found.update(dict.fromkeys(_known_keys(at, text) if at in _SHARED else _keys(at, text)))
    return tuple(found)


def _keys(at: int, text: str) -> tuple[str, ...]:
    value = READERS[at](text)
    if COLUMNS[at].group in ("organization", "employer"):
        value = tuple((word, 0) for word in value)
    return COLUMNS[at].keys(value)


_known_keys = lru_cache(maxsize=1 << 14)(_keys)


def joinable(a: str, b: str) -> bool:
    """Whether two single keys count as two: of different kinds, or both of names."""
    return a[0] != b[0] or a[0] == "n"


def stored_pairs(keys: Iterable[str]) -> list[tuple[str, str]]:
    """The pairs of single keys that are kept."""
    found = sorted([key for key in keys if key[0] in "bcnosz"])
    return [(found[a], found[b]) for a, b in _pairs("".join([key[0] for key in found]))]


@lru_cache(maxsize=1 << 12)
def _pairs(kinds: str) -> tuple[tuple[int, int], ...]:
    """Which of keys of these kinds, in order, make a pair; nearly all records have one of a few dozen sets."""
    return tuple((a, b) for a, b in combinations(range(len(kinds)), 2) if (kinds[a], kinds[b]) in JOINED)


def class_of(kind: str) -> str:
    """Who may be found by whom: the people and the anonymous, or the organizations and households."""
    return "o" if kind in ("organization", "household") else "p"


def key_text(of: str, *keys: str) -> str:
    """What is hashed of a single key, or of a pair of them, in a class."""
    return _APART.join((of, *keys))


def hashed(texts: Iterable[str]) -> list[str]:
    """Texts as the store sees them: those of `key_text` and `content_text`."""
    digests = [blake2b(text.encode("utf-8", "replace"), digest_size=_BYTES).digest() for text in texts]
    # Nine bytes are twelve letters, so all of them are written at once.
    written = b2a_base64(b"".join(digests), newline=False).translate(_SAFE).decode()
    return [written[at : at + _LETTERS] for at in range(0, len(written), _LETTERS)]


def content_text(projection: Projection) -> str:
    """What is hashed of a record as a whole."""
    parts = ["=", projection.kind, *projection.values]
    for group, options in projection.more:
        parts += [group, *(text for option in options for text in option)]
    return _APART.join(parts)


def content_key(projection: Projection) -> str:
    """The key that equal records share."""
    return hashed((content_text(projection),))[0]


def key_texts(projection: Projection, singles: Sequence[str]) -> list[str]:
    """What is hashed of a record with these single keys: its content, the keys, their pairs."""
    of = class_of(projection.kind) + _APART
    return [
        content_text(projection),
        *[of + key for key in singles],
        *[f"{of}{a}{_APART}{b}" for a, b in stored_pairs(singles)],
    ]


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
    singles = sorted(single_keys(projection), key=_by_telling)
    found = key_texts(projection, singles)
    return hashed(found[:MOST]), max(0, len(found) - MOST)


def _by_telling(key: str) -> int:
    return _TELLING.find(key[0]) % (len(_TELLING) + 1)
