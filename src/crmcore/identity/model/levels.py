"""How far two values of one kind agree, as a small integer: 1 is "different", each further level agrees better.

Invariant: symmetric, a function of the two values alone, and blind to how common they are: what a level is worth is
learned. A missing value has no level here (0 is kept for it), so what only one of two records knows never counts
against them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from crmcore.identity.latin import sound
from crmcore.identity.nicknames import one_is_short_for_the_other

Words = tuple[str, ...]

_OWN = 100
"""A word tells organizations apart when its rarity is as much as this: when less than one name of 75 has it."""


@cache
def _metrics() -> tuple[Callable[..., float], Callable[..., int]]:
    from rapidfuzz.distance import OSA, JaroWinkler

    return JaroWinkler.similarity, OSA.distance


def edits(a: str, b: str, most: int) -> int:
    """Letters to add, leave out, change or swap with the next one, to make *b* of *a*; more than *most* is *most* + 1.

    >>> edits("smith", "smyth", 1), edits("smith", "jones", 1)
    (1, 2)
    """
    return _metrics()[1](a, b, score_cutoff=most)


def word_level(a: str, b: str) -> int:
    """3 for equal words, 2 for one typing error, 1 for words that are roughly alike, 0 for others.

    >>> word_level("olivia", "lolivia"), word_level("john", "jane")
    (2, 0)
    """
    if a == b:
        return 3
    winkler_of, edits_of = _metrics()
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
        return 3 if _shared(a, b) else 1
    level = word_level(first, second)
    if level == 2:
        return 5
    if len(a) > 1 or len(b) > 1:
        if word_level("".join(a), "".join(b)) >= 2:
            return 5
        if _shared(a, b):
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


def _shared(a: Words, b: Words) -> bool:
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
    if _shared(a, b):
        return 3
    if min(len(one), len(other)) == 1:
        return 3 if one[0] == other[0] else 1
    if level or (min(len(one), len(other)) >= 4 and sound(one) == sound(other)):
        return 2
    return 1


def birth_dates(a: str, b: str) -> int:
    """Dates: 1 different, 2 nearly (two digits), 3 two parts of three, 4 all that both know (a year), 5 one error, 6
    the same day; 0 when one knows the year only and the other the day only. 1 January is what is written by whoever
    knows only the year.

    >>> birth_dates("1985-04-12", "1985-12-04"), birth_dates("1985", "1985-04-12")
    (5, 4)
    """
    heaped_a, heaped_b = a.endswith("-01-01"), b.endswith("-01-01")
    if a == b:
        return 4 if heaped_a or len(a) < 10 else 6
    if len(a) != 10 or len(b) != 10 or a.startswith("--") or b.startswith("--"):
        return _partly_known(a, b)
    if heaped_a and heaped_b:
        return 1  # two years, and other ones
    if a[:4] == b[:4] and (heaped_a or heaped_b):
        return 4
    wrong = [at for at in range(10) if a[at] != b[at]]
    if len(wrong) == 1:
        return 5
    same_year, same_month, same_day = a[:4] == b[:4], a[5:7] == b[5:7], a[8:] == b[8:]
    if same_year and a[5:7] == b[8:] and a[8:] == b[5:7]:
        return 5
    if len(wrong) == 2 and a[wrong[0]] == b[wrong[1]] and a[wrong[1]] == b[wrong[0]]:
        return 5
    if same_month and same_day and abs(_year(a) - _year(b)) == 100:
        return 5
    if same_year + same_month + same_day == 2:
        return 3
    return 2 if len(wrong) == 2 else 1


def _year(text: str) -> int:
    return int(text[:4]) if text[:4].isdecimal() else 0


def _partly_known(a: str, b: str) -> int:
    year_a, year_b = ("" if text.startswith("--") else text[:4] for text in (a, b))
    day_a, day_b = (text[2:] if text.startswith("--") else text[5:] for text in (a, b))
    if year_a and year_b and year_a != year_b:
        return 1
    if not (year_a and year_b) and not (day_a and day_b):
        return 0
    return 4 if day_a.startswith(day_b) or day_b.startswith(day_a) else 1


def emails(a: str, b: str) -> int:
    """E-mails: 1 different, 2 local parts alike, 3 the same local part elsewhere, 4 a typing error, 5 the same.

    >>> emails("ann.lee@holloway.info", "ann.lee@hollowya.info"), emails("annlee@x.org", "ann.lee@gmail.com")
    (4, 3)
    """
    if a == b:
        return 5
    winkler_of, edits_of = _metrics()
    local_a, _, domain_a = a.rpartition("@")
    local_b, _, domain_b = b.rpartition("@")
    if winkler_of(a, b, score_cutoff=0.8) or domain_a == domain_b:
        shorter = min(len(a), len(b))
        errors = 1 if shorter < 12 else 2 if shorter < 20 else 3
        if shorter > 7 and edits_of(a, b, score_cutoff=errors) <= errors and _numerals(a) == _numerals(b):
            return 4
    if not local_a or not local_b:
        return 1
    bare_a, bare_b = _letters(local_a), _letters(local_b)
    if bare_a == bare_b and len(bare_a) > 3:
        return 3
    if len(bare_a) > 4 and len(bare_b) > 4 and edits_of(bare_a, bare_b, score_cutoff=1) <= 1:
        return 2
    return 1


def _numerals(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def phones(a: str, b: str) -> int:
    """Phones: 1 different, 2 one digit wrong, 3 the same, also when one lacks its country or area.

    >>> phones("+442079460018", "02079460018"), phones("+442079460018", "+442079460081")
    (3, 2)
    """
    if a == b:
        return 3
    shorter, longer = sorted((a.lstrip("+0"), b.lstrip("+0")), key=len)
    if len(shorter) >= 7 and longer.endswith(shorter) and not (a[0] == b[0] == "+"):
        return 3
    if len(shorter) < 7:
        return 1
    return 2 if _metrics()[1](a[-9:], b[-9:], score_cutoff=1) <= 1 else 1


def streets(a: tuple[str, Words, str], b: tuple[str, Words, str]) -> int:
    """Number, words and kind of street: 1 different, 2 another number there, 3 a number there that is one error away, 4
    the street alone, 5 the number in a street with an error, 6 the same door.

    >>> streets(("5", ("oak",), "st"), ("5", ("oak",), "rd")), streets(("5", ("oak",), "st"), ("9", ("elm",), "st"))
    (6, 1)
    """
    number_a, words_a, _ = a
    number_b, words_b, _ = b
    if number_a and number_b:
        numbers = (
            3
            if number_a == number_b
            else word_level(number_a, number_b) or (2 if _mistyped(number_a, number_b) else 0)
        )
    else:
        numbers = -1
    if not words_a or not words_b:
        return 0 if numbers < 0 else 2 if numbers == 3 else 1
    one, other = "".join(words_a), "".join(words_b)
    if one == other:
        street = 3
    elif one.isdigit() or other.isdigit():
        street = 0
    else:
        street = word_level(one, other)
        if not street and (set(words_a) <= set(words_b) or set(words_b) <= set(words_a)):
            street = 1
    if not street:
        return 1
    if numbers == 3:
        return 6 if street == 3 else 5
    if numbers < 0:
        return 4 if street >= 2 else 1
    if street == 3 and numbers:
        return 3
    return 2 if street >= 2 else 1


def _mistyped(a: str, b: str) -> bool:
    """Numbers of one length with one digit wrong or two swapped, or with a letter more."""
    if a.rstrip("abcdef") == b.rstrip("abcdef"):
        return True
    return max(len(a), len(b)) >= 2 and _metrics()[1](a, b, score_cutoff=1) <= 1


def postcodes(a: str, b: str) -> int:
    """Postal codes: 1 different, 2 one area, 3 one error, 4 the same.

    >>> postcodes("ng334rn", "ng334nr"), postcodes("60644", "60601")
    (3, 2)
    """
    if a == b:
        return 4
    if _metrics()[1](a, b, score_cutoff=1) <= 1:
        return 3
    return 2 if a[:3] == b[:3] else 1


def places(a: str, b: str) -> int:
    """Towns: 1 different, 2 nearly, 3 the same."""
    if a == b:
        return 3
    level = word_level(a.replace(" ", ""), b.replace(" ", ""))
    if level >= 2:
        return 2
    words_a, words_b = a.split(), b.split()
    return 2 if (len(words_a) > 1 or len(words_b) > 1) and _shared(tuple(words_a), tuple(words_b)) else 1


def categories(a: str, b: str) -> int:
    """Regions, countries, occupations: 1 different, 2 nearly, 3 the same."""
    if a == b:
        return 3
    return 2 if len(a) > 4 and len(b) > 4 and word_level(a, b) >= 2 else 1


def identifiers(a: str, b: str) -> int:
    """Numbers of one scheme: 1 different, 2 two errors, 3 one error, 4 the same; 0 for different schemes.

    >>> identifiers("lei:529900", "lei:529900"), identifiers("lei:529900", "vat:529900")
    (4, 0)
    """
    if a == b:
        return 4
    scheme, _, one = a.rpartition(":")
    other_scheme, _, other = b.rpartition(":")
    if scheme != other_scheme:
        return 0
    if min(len(one), len(other)) < 6:
        return 1
    wrong = edits(one, other, 2)
    return 3 if wrong <= 1 else 2 if wrong == 2 else 1


Weighted = tuple[tuple[str, int], ...]
"""Words, each with how seldom it is, in sixteenths of a bit."""


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


def alike(a: str, b: str) -> int:
    """Plain values: 1 different, 2 the same."""
    return 2 if a == b else 1
