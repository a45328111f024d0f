"""How far two words, names of people or names of organizations agree, as a small integer: 1 is "different", and each
further level agrees better.

Invariant: symmetric, a function of the two values alone, and blind to how common they are. Words, too, are compared
nowhere else in this way: rules and models grade alike.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from crmcore.identity.latin import sound
from crmcore.identity.nicknames import one_is_short_for_the_other

Words = tuple[str, ...]

Weighted = tuple[tuple[str, int], ...]
"""The words of an organization's name with their rarity, in sixteenths of a bit."""

_OWN = 100
"""A word tells organizations apart when its rarity is as much as this: in a long list when less than one name of 75
has it, in a short one when a few names do."""


@cache
def metrics() -> tuple[Callable[..., float], Callable[..., int]]:
    from rapidfuzz.distance import OSA, JaroWinkler

    return JaroWinkler.similarity, OSA.distance


def edits(a: str, b: str, most: int) -> int:
    """Letters to add, leave out, change or swap with the next one, to make *b* of *a*; more than *most* is *most* + 1.

    >>> edits("smith", "smyth", 1), edits("smith", "jones", 1)
    (1, 2)
    """
    return metrics()[1](a, b, score_cutoff=most)


def word_level(a: str, b: str) -> int:
    """3 for equal words, 2 for one typing error, 1 for words that are roughly alike, 0 for others.

    >>> word_level("olivia", "lolivia"), word_level("john", "jane")
    (2, 0)
    """
    if a == b:
        return 3
    winkler_of, edits_of = metrics()
    winkler = winkler_of(a, b, score_cutoff=0.74)
    if not winkler:
        return 0
    shorter = min(len(a), len(b))
    if shorter < 3:
        return 0
    wrong = edits_of(a, b, score_cutoff=3)
    if wrong <= 1:
        return 2 if shorter + (len(a) != len(b)) > 3 else 1
    if winkler >= 0.94 or (wrong == 2 and shorter >= 6):
        return 2
    if shorter < 4:
        return 0
    if winkler >= 0.88 or (wrong == 2 and shorter >= 5) or (wrong <= 3 and shorter >= 7):
        return 1
    return 0


def given_names(a: Words, b: Words) -> int:
    """Given names: 1 different, 2 fits as an initial, 3 roughly alike, 4 a short form, 5 nearly, 6 the same, 7 with
    the same further names.

    >>> given_names(("bob",), ("robert",)), given_names(("b",), ("brent", "s")), given_names(("ann",), ("ann", "m"))
    (4, 2, 6)
    """
    if a == b:
        return 7 if len(a) > 1 else 6
    first, second = a[0], b[0]
    if first == second:
        if len(first) == 1:
            return 2
        if len(a) == 1 or len(b) == 1:
            return 6
        return _further(a[1:], b[1:])
    if len(first) == 1 or len(second) == 1:
        if first[0] == second[0]:
            return 2
        return 3 if shared_word(a, b) else 1
    level = word_level(first, second)
    if level == 2:
        return 5
    if len(a) > 1 or len(b) > 1:
        if word_level("".join(a), "".join(b)) >= 2:
            return 5
        if shared_word(a, b):
            return 5
    if one_is_short_for_the_other(first, second):
        return 4
    shorter = min(len(first), len(second))
    if shorter >= 3 and (first.startswith(second) or second.startswith(first)):
        return 4
    if level or (shorter >= 4 and sound(first) == sound(second)):
        return 3
    return 1


def _further(a: Words, b: Words) -> int:
    worst = 7
    for x, y in zip(a, b, strict=False):
        if len(x) == 1 or len(y) == 1:
            fits = x[0] == y[0]
        else:
            fits = word_level(x, y) >= 1
        worst = min(worst, 7 if fits else 3)
    return worst


def shared_word(a: Words, b: Words) -> bool:
    return any(len(word) > 2 and word in b for word in a)


def family_names(a: Words, b: Words) -> int:
    """Family names: 1 different, 2 roughly alike, 3 one is a part of the other, 4 nearly, 5 the same.

    >>> family_names(("garcia", "lopez"), ("lopez",)), family_names(("smith",), ("smyth",))
    (3, 4)
    """
    one, other = "".join(a), "".join(b)
    if one == other:
        return 5
    level = word_level(one, other)
    if level == 2:
        return 4
    if shared_word(a, b):
        return 3
    if min(len(one), len(other)) == 1:
        return 3 if one[0] == other[0] else 1
    if level or (min(len(one), len(other)) >= 4 and sound(one) == sound(other)):
        return 2
    return 1


def organization_names(a: Weighted, b: Weighted) -> int:
    """Names of organizations by how much of their rarity they share: 1 different, 2 in part, 3 one holds the common
    words of the other, 4 each has a word of its own beside what they share, 5 one holds the other, 6 nearly, 7 the same
    words.

    >>> one, other = (("foster", 140), ("center", 40)), (("foster", 140), ("school", 50))
    >>> organization_names(one, one), organization_names(one, other), organization_names(one, one[:1])
    (7, 6, 6)
    """
    weight_b = dict(b)
    common = sum([min(weight, weight_b[word]) for word, weight in a if word in weight_b])
    words_a = dict(a)
    left_a = [(word, weight) for word, weight in a if word not in weight_b]
    left_b = [(word, weight) for word, weight in b if word not in words_a]
    if not left_a and not left_b:
        return 7
    if left_a and left_b:
        if "".join(words_a) == "".join(weight_b):
            return 7
        common += _nearly(left_a, left_b)
        if (one := _numbers(left_a)) and (other := _numbers(left_b)) and one != other:
            return 2 if common else 1
    only_a, only_b = sum([weight for _, weight in left_a]), sum([weight for _, weight in left_b])
    least, most = min(only_a, only_b), max(only_a, only_b)
    apart = _of_its_own(left_a) and _of_its_own(left_b)
    if not most or (10 * common >= 7 * (common + most) and not apart):
        return 6
    if not common:
        return 5 if _acronym(a, b) else 1
    if 10 * common >= 7 * (common + least):
        return 4 if apart else 5 if common >= 9 * 16 else 3
    return 2 if 10 * common >= 3 * (common + least) else 1


def _of_its_own(words: list[tuple[str, int]]) -> bool:
    return any(weight >= _OWN for _, weight in words)


def _nearly(left_a: list[tuple[str, int]], left_b: list[tuple[str, int]]) -> int:
    """Take out the words that nearly pair up; what they are worth."""
    found = sorted(
        (-level, x, y)
        for x in left_a
        for y in left_b
        if (level := word_level(x[0], y[0])) >= 2
        or (
            min(len(x[0]), len(y[0])) >= 4
            and x[0][:4] == y[0][:4]
            and (x[0].startswith(y[0]) or y[0].startswith(x[0]))
        )
    )
    worth = 0
    for _, x, y in found:
        if x in left_a and y in left_b and not (x[0].isdigit() or y[0].isdigit()):
            left_a.remove(x)
            left_b.remove(y)
            worth += max(min(x[1], y[1]) - 32, 16)
    return worth


def _numbers(words: list[tuple[str, int]]) -> set[str]:
    return {word for word, _ in words if word.isdigit()}


def _acronym(a: Weighted, b: Weighted) -> bool:
    for short, long in ((a, b), (b, a)):
        if len(short) == 1 and len(long) >= 3 and short[0][0] == "".join(word[0] for word, _ in long):
            return True
    return False
