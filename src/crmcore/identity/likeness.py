"""How alike two words, two names of people or two names of organizations are, as ordered levels.

Invariant: symmetric, blind to how common the values are, and worked out once for each distinct pair (bounded memory).
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from crmcore.identity.name_levels import shared_word, word_level
from crmcore.identity.names import OrganizationForm, PersonForm
from crmcore.identity.nicknames import one_is_short_for_the_other

_MEMORY = 1 << 17
"""Pairs of values that are remembered, per function."""


class Level(IntEnum):
    """How well two words or two parts of a name agree, weakest first.

    `FAR` differ but begin alike, which a nickname would; `INITIAL` has one of them abbreviated; `ROUGH` are two typing
    errors or a misheard name apart, `CLOSE` one.
    """

    DIFFERENT = -2
    FAR = -1
    MISSING = 0
    INITIAL = 1
    ROUGH = 2
    CLOSE = 3
    SAME = 4


@lru_cache(maxsize=_MEMORY)
def likeness(a: str, b: str) -> Level:
    """How alike two words are: `SAME`, `CLOSE`, `ROUGH` or `DIFFERENT`.

    >>> likeness("olivia", "lolivia").name, likeness("john", "jane").name
    ('CLOSE', 'DIFFERENT')
    """
    return (Level.DIFFERENT, Level.ROUGH, Level.CLOSE, Level.SAME)[word_level(a, b)]


@lru_cache(maxsize=_MEMORY)
def name_part(a: tuple[str, ...], b: tuple[str, ...]) -> Level:
    """The level of two given names, or of two family names, of one or more words each.

    Further given names may be missing or abbreviated; the one that is used may stand first or second; a short form
    may be the beginning of the long one.

    >>> name_part(("brent", "s"), ("brent",)).name, name_part(("b",), ("brent",)).name
    ('SAME', 'INITIAL')
    >>> name_part(("tim",), ("timothy",)).name
    'CLOSE'
    """
    if not a or not b:
        return Level.MISSING
    if a == b:
        return Level.SAME
    first, second = a[0], b[0]
    if len(first) == 1 or len(second) == 1:
        if first[0] == second[0]:
            return Level.INITIAL
        return Level.CLOSE if shared_word(a, b) else Level.DIFFERENT
    if first == second:
        return Level.SAME if _rest_agrees(a[1:], b[1:]) else Level.CLOSE
    level = max(likeness("".join(a), "".join(b)), likeness(first, second))
    if level >= Level.CLOSE:
        return level
    if shared_word(a, b):
        return Level.CLOSE
    if min(len(first), len(second)) >= 3 and (first.startswith(second) or second.startswith(first)):
        return Level.CLOSE
    return Level.FAR if level == Level.DIFFERENT and first[0] == second[0] else level


def _rest_agrees(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Whether the further words can be of one person: missing, abbreviated or alike."""
    return all(
        x[0] == y[0] if len(x) == 1 or len(y) == 1 else likeness(x, y) >= Level.ROUGH
        for x, y in zip(a, b, strict=False)
    )


class NameLikeness(NamedTuple):
    """How two names of people compare: their parts, and what that means.

    *crossed* compares the given name of each with the family name of the other: *given* is then the level of the
    first one's given name. *verdict* is ``"same"``, ``"close"``, ``"part"`` (one part agrees, the other is missing),
    ``"relatives"`` (one family, clearly different given names), ``"strangers"``, ``"generations"`` (father and son by
    their suffixes), ``"renamed"`` (another family name beside a given name that fits), ``"rough"`` (neither part
    fits well) or ``"unlike"``.
    """

    given: Level
    family: Level
    crossed: bool
    verdict: str


@lru_cache(maxsize=_MEMORY)
def person_names(a: PersonForm, b: PersonForm) -> NameLikeness:
    """How two names of people compare, the usual way round or crossed, whichever fits better.

    >>> swapped = person_names(PersonForm(("jinhai",), ("liu",)), PersonForm(("liu",), ("jinhai",)))
    >>> swapped.crossed, swapped.verdict
    (True, 'same')
    """
    given, family, crossed = _given_names(a.given, b.given), name_part(a.family, b.family), False
    if given + family < 2 * Level.CLOSE:
        x, y = name_part(a.given, b.family), name_part(a.family, b.given)
        if x + y > given + family and (
            min(x, y) >= Level.ROUGH or (min(x, y) == 0 and max(x, y) >= Level.CLOSE)
        ):
            given, family, crossed = x, y, True
    return NameLikeness(given, family, crossed, _verdict(given, family, _generations_differ(a, b)))


def _given_names(a: tuple[str, ...], b: tuple[str, ...]) -> Level:
    level = name_part(a, b)
    if level < Level.MISSING and one_is_short_for_the_other(a[0], b[0]):
        return Level.ROUGH
    return level


def _generations_differ(a: PersonForm, b: PersonForm) -> bool:
    return bool(a.generation and b.generation and a.generation != b.generation)


def _verdict(given: Level, family: Level, generations_differ: bool) -> str:
    worst, best = min(given, family), max(given, family)
    if generations_differ:
        return "generations"
    if worst == Level.SAME:
        return "same"
    if best >= Level.CLOSE and worst >= Level.INITIAL:
        return "close"
    if best >= Level.CLOSE and worst == Level.MISSING:
        return "part"
    if best < Level.MISSING:
        return "strangers"
    if given > Level.MISSING > family:
        return "renamed"
    if worst >= Level.MISSING:
        return "rough"
    return "relatives" if given == Level.DIFFERENT and family > Level.MISSING else "unlike"


class WordLikeness(NamedTuple):
    """The words that two names share, those that nearly pair up, and those that only one of them has."""

    same: tuple[str, ...]
    close: tuple[tuple[str, str], ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]


def organization_names(a: OrganizationForm, b: OrganizationForm) -> WordLikeness:
    """Pair up the words of two organizations' names, in whatever order they stand.

    >>> organization_names(("easter", "seal", "society"), ("easter", "seals")).close
    (('seal', 'seals'),)
    """
    return _paired(a, b) if a <= b else _mirrored(_paired(b, a))


def _mirrored(like: WordLikeness) -> WordLikeness:
    return WordLikeness(like.same, tuple((y, x) for x, y in like.close), like.only_b, like.only_a)


@lru_cache(maxsize=_MEMORY)
def _paired(a: OrganizationForm, b: OrganizationForm) -> WordLikeness:
    same = tuple(word for word in a if word in b)
    left = [word for word in a if word not in b]
    right = [word for word in b if word not in a]
    close: list[tuple[str, str]] = []
    ranked = sorted((-likeness(x, y), x, y) for x in left for y in right if likeness(x, y) >= Level.CLOSE)
    for _, x, y in ranked:
        if x in left and y in right:
            left.remove(x)
            right.remove(y)
            close.append((x, y))
    return WordLikeness(same, tuple(close), tuple(left), tuple(right))
