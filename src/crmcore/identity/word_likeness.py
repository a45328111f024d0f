"""How alike two words of names are, between 0 and 1, whichever script and spelling they came from.

Invariant: symmetric; 1 for equal words only; below `ALIKE` for words that are more likely two names than one. Every
distinct pair is worked out once (bounded memory).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

from crmcore.identity.given_names import are_one_name, forms_of, is_known
from crmcore.identity.latin import heard, sound
from crmcore.identity.nicknames import is_english, one_is_short_for_the_other

ALIKE = 0.75
"""From here on two words are taken for spellings of one."""

_MEMORY = 1 << 17
_VOWELS = frozenset("aiu")
_WEAK = frozenset("hjx")
_NEAR = frozenset("bp pb dt td gk kg js sj gh hg xk kx xh hx".split())
_SHARED_LETTERS = ({"p", "f"}, {"k", "h"}, {"j", "s"})
"""Sounds that one letter of such a script may stand for."""

_CONSONANT = re.compile("[^aiu]")
_LONG_ENOUGH = 7
_FEMALE = ("a", "ia", "ina")
_LONG_I = ("ee", "ei", "ai", "ay", "ey", "ie", "ii")
_LONG_U = ("oo", "ou", "au", "aw", "ow", "uu")


@cache
def _edits() -> Callable[..., Any]:
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.editops


@lru_cache(maxsize=_MEMORY)
def words_alike(a: str, b: str) -> float:
    """How alike two folded Latin words are that are written with their vowels.

    >>> words_alike("aleksandr", "oleksandr") >= ALIKE, words_alike("mahmoud", "muhammad") >= ALIKE
    (True, False)
    >>> words_alike("schwarzenegger", "shwarzeneger") >= ALIKE, words_alike("wei", "wen") >= ALIKE
    (True, False)
    """
    if a == b:
        return 1.0
    if not a or not b:
        return 0.0
    if a.isdigit() or b.isdigit():
        return 0.0
    if a > b:
        return words_alike(b, a)
    if are_one_name(a, b):
        return 0.92
    heard_a, heard_b = heard(a), heard(b)
    if heard_a == heard_b:
        return 0.96 if a[0] == b[0] else 0.93
    if _one_ending_apart(a, b):
        return 0.6
    score = max(_by_sound(heard_a, heard_b), _by_letters(a, b))
    if score < 0.9 and _one_is_short(a, b, heard_a, heard_b):
        return 0.9
    if is_known(a) and is_known(b):
        return min(score, 0.65)
    return min(score, 0.65) if score < 0.85 and is_english(a) and is_english(b) else score


def _one_is_short(a: str, b: str, heard_a: str, heard_b: str) -> bool:
    """Whether one is a short form of the other, or of another spelling of it: Kate of Catherine by way of Katherine."""
    return (
        one_is_short_for_the_other(a, b)
        or any(heard(form) == heard_b and one_is_short_for_the_other(a, form) for form in forms_of(b))
        or any(heard(form) == heard_a and one_is_short_for_the_other(b, form) for form in forms_of(a))
    )


def _one_ending_apart(a: str, b: str) -> bool:
    """Whether the words are a man's and a woman's form of one name: Ivanov and Ivanova, Mario and Maria."""
    if len(a) > len(b):
        a, b = b, a
    if len(a) < 3:
        return False
    if a[:-1] == b[:-1]:
        ends = {a[-1], b[-1]}
        return "a" in ends and (
            (ends == {"a", "o"} and a[-3:-1] != "nk") or (not ends.isdisjoint("iy") and a[-2] == "k")
        )
    if b[-1] != "a" or a[-1] == "a":
        return False
    stem = b[:-1]
    return (
        b[len(a) :] in _FEMALE
        if b.startswith(a)
        else (stem.endswith(("ay", "ai")) and stem[:-2] == a.rstrip("iyj"))
    )


def _by_sound(a: str, b: str) -> float:
    return max(0.0, 1 - _cost(a, b) / max(len(a), len(b)))


def _by_letters(a: str, b: str) -> float:
    """One slip of the keyboard in a long word; what it does to the sound does not matter."""
    size = max(len(a), len(b))
    if size < _LONG_ENOUGH:
        return 0.0
    edits = _edits()(a, b)
    if len(edits) == 1 and edits[0].tag != "replace":
        return 1 - 1.1 / size
    if len(edits) == 2 and _swapped(edits, a, b):
        return 1 - 1 / size
    return 0.0


def _swapped(edits: Sequence[Any], a: str, b: str) -> bool:
    first, second = edits
    start = min(first.src_pos, first.dest_pos)
    tags = {first.tag, second.tag}
    if tags not in ({"replace"}, {"insert", "delete"}):
        return False
    return sorted(a) == sorted(b) and abs(first.src_pos - second.src_pos) <= 2 and a[:start] == b[:start]


def _cost(a: str, b: str) -> float:
    """The edits between two words as they are heard, dear for consonants and for first sounds, cheap for vowels."""
    total = 0.0
    vowel = 0.7 if max(len(a), len(b)) <= 5 else 0.5
    for tag, i, j in _edits()(a, b):
        if tag == "replace":
            x, y = a[i], b[j]
            if x in _VOWELS and y in _VOWELS:
                cost = vowel
            elif x + y in _NEAR:
                cost = 0.5
            else:
                cost = 1.4
        else:
            x = a[i] if tag == "delete" else b[j]
            cost = vowel if x in _VOWELS else 0.5 if x in _WEAK else 1.3
        total += cost * 1.6 if i == 0 or j == 0 else cost
    return total


@lru_cache(maxsize=_MEMORY)
def bare_alike(a: str, b: str) -> float:
    """How alike two Latin words are of which *a*, or both, come from a script that leaves vowels out.

    Consonants have to agree; the vowels that are written must not contradict.

    >>> bare_alike("mhmd", "muhammad") >= ALIKE, bare_alike("mhmwd", "muhammad") >= ALIKE
    (True, False)
    >>> bare_alike("hsn", "hassan") >= ALIKE, bare_alike("hsn", "hussein") >= ALIKE
    (True, False)
    """
    if a == b:
        return 1.0
    key_a, key_b = sound(a), sound(b)
    if not key_a or not key_b:
        return 0.0
    if key_a == key_b:
        return max(0.0, (0.95 if len(key_a) > 1 else 0.85) - _vowels_against(a, b))
    size = max(len(key_a), len(key_b))
    if size < 3:
        return 0.3
    cost = 0.0
    for tag, i, j in _edits()(key_a, key_b):
        if tag == "replace":
            cost += 0.5 if {key_a[i], key_b[j]} in _SHARED_LETTERS else 1.2
        else:
            cost += 0.5 if (key_a[i] if tag == "delete" else key_b[j]) in "hjaf" else 1.2
    return max(0.0, 0.95 - cost / size - _vowels_against(a, b) / 2)


def _vowels_against(a: str, b: str) -> float:
    """How much the vowels that the bare word *a* has, and has not, speak against *b*."""
    against = 0.0
    gaps_a, gaps_b = _gaps(a[:1] + a[1:].replace("w", "u")), _gaps(b)
    if len(gaps_a) == len(gaps_b):
        for x, y in zip(gaps_a[1:-1], gaps_b[1:-1], strict=True):
            if ("u" in x and "u" not in y) or ("i" in x and "i" not in y and "j" not in b and "y" not in b):
                against += 0.25
    if not any(vowel in a for vowel in "yie") and any(pair in b for pair in _LONG_I):
        against += 0.25
    if not any(vowel in a for vowel in "wuo") and any(pair in b for pair in _LONG_U):
        against += 0.25
    return against


def _gaps(word: str) -> list[str]:
    """The vowels before, between and after the consonants that are heard."""
    return _CONSONANT.split(heard(word))


def both_bare_alike(a: str, b: str) -> float:
    """How alike two words of one script without vowels are: every letter that is written counts.

    >>> both_bare_alike("mhmd", "mhmwd") >= ALIKE
    False
    """
    if a == b:
        return 1.0
    size = max(len(a), len(b))
    return max(0.0, 1 - 1.4 * len(_edits()(a, b)) / size) if size else 0.0
