"""Words of any script in Latin letters, and how they sound: what comparing across scripts and spellings rests on.

Invariant: both functions are lossy, never fail, and take time linear in the text. `latin` gives a text of ASCII
letters and digits, and given again it is itself. `sound` is a key for finding and for weighing, never proof: names that
sound alike have one key, and so do some that do not.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from crmcore.values.text import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MEMORY = 1 << 16
_CACHED_LENGTH = 256
"""Longer texts are worked out but not remembered, so that the memory is bounded in bytes too."""

# What the letters say together, where a letter by letter transliteration has another sound or none at all.
# Texts are folded before: accents are gone from Greek and Cyrillic letters, but not the marks of Arabic.
_GREEK = {
    "ου": "ou", "αυ": "av", "ευ": "ev", "μπ": "mp", "γγ": "ng", "γκ": "gk", "γχ": "nch", "η": "i", "υ": "y",
}  # fmt: skip
_ARABIC = {
    "ا": "a", "أ": "a", "إ": "i", "آ": "a", "ٱ": "a", "ى": "a", "ة": "a", "ع": "a", "ء": "", "ئ": "i", "ؤ": "u",
    "و": "w", "ي": "y", "ی": "y", "ک": "k", "گ": "g", "ث": "th", "ذ": "dh", "ح": "h", "خ": "kh", "ش": "sh",
    "ص": "s", "ض": "d", "ط": "t", "ظ": "z", "غ": "gh", "ق": "q", "ه": "h", "ہ": "h", "ھ": "h", "ے": "e",
    "َ": "a", "ِ": "i", "ُ": "u", "ّ": "", "ْ": "",
}  # fmt: skip
_HEBREW = {
    "א": "a", "ב": "b", "ו": "w", "ח": "ch", "כ": "k", "ך": "kh", "ע": "a", "צ": "ts", "ץ": "ts", "ת": "t", "פ": "p",
    "ף": "f",
}  # fmt: skip
_OTHER = {
    "ё": "e", "й": "i", "є": "ie", "ї": "i", "ґ": "g", "ъ": "", "ь": "", "ў": "u", "ћ": "ch", "ђ": "dj", "ं": "n",
    "ং": "ng", "सिंह": "singh",
}  # fmt: skip
_LETTERS = {**_GREEK, **_ARABIC, **_HEBREW, **_OTHER}
_KNOWN = re.compile("|".join(sorted(_LETTERS, key=len, reverse=True)))


def latin(text: str) -> str:
    """*text* of any script, folded and in Latin letters; text that is ASCII once folded is only folded.

    Vowels that a script does not write are not made up. Chinese characters are read in Mandarin, also where they
    stand in a Japanese name.

    >>> latin("Τσίπρας"), latin("محمود"), latin("毛泽东"), latin("O'Brien")
    ('tsipras', 'mhmwd', 'maozedong', 'obrien')
    """
    return _latin_cached(text) if len(text) <= _CACHED_LENGTH else _latin(text)


def _latin(text: str) -> str:
    folded = fold(text)
    if folded.isascii():
        return folded
    spelled = _KNOWN.sub(lambda found: _LETTERS[found[0]], folded)
    # Folded again for what a transliteration brings in: capitals, apostrophes, signs between letters.
    return fold(_transliterate()(spelled).replace(".", " "))


_latin_cached = lru_cache(maxsize=_MEMORY)(_latin)


@cache
def _transliterate() -> Callable[[str], str]:
    """Letter by letter, for every script; imported when first needed."""
    from anyascii import anyascii

    return anyascii


# In this order. Capitals are sounds that are settled; small letters are still spelling, and what is left of them at the
# end stands for itself.
_RULES = tuple(
    (re.compile(pattern, re.MULTILINE), heard, tuple(signs.split()))
    for pattern, heard, signs in (
        (r"([a-z])\1+", r"\1", ""),
        (r"^[yi](?=e)|^j(?=e[vwl])", "", "e"),  # Yelena is Elena
        (r"^iou", "yu", "iou"),
        (r"^ou(?=[aei])", "w", "ou"),  # Ouattara is Wattara
        (r"^gi(?=[aou])|dzh|dj", "J", "gi dzh dj"),
        (r"s?cht?sch|shch|tsch|tch|cz", "S", "sch shch tch cz"),
        (r"(?<![st])ch(?=[lrmnst])", "K", "ch"),
        (r"th", "T", "th"),
        (r"sch|[cs]h|zh|sz|t[sz]|^x", "S", "h z ts x"),
        (r"(?<=[vtjc])ic$", "iS", "ic"),  # Petrovic without its accent is Petrovich
        (r"ph", "F", "ph"),
        (r"n(?=[bp])", "m", "nb np"),
        (r"kh", "Q", "kh"),
        (r"gh|ck|qu", "K", "gh ck qu"),
        (r"c(?=[eiy])", "S", "ce ci cy"),
        (r"(?<=[bdlnr])h|(?<=[nl])j", "", "h j"),
        (r"x", "KS", "x"),
        (r"(?<=[ao])w(?=[dln])", "", "w"),  # Chowdhury is Chaudhury
        (r"(?<=[^aeiouy\n])w(?![aeiouyh])", "u", "w"),  # written without vowels: mhmwd is Mahmoud
        (r"^[yi](?=[aeiouw])|j(?=[aeou])", "J", "y i j"),
        (r"(?<=.)j", "", "j"),  # Andrej is Andrei
        (r"(?<=[KSTFQbdgjlnprz])h|h$", "", "h"),
    )
)
"""Each with what a word has in it that it speaks of, which is faster to look for."""

_VOWELS = tuple(
    (re.compile(pattern), heard)
    for pattern, heard in (
        (r"(?<=.)e[ou]|o[ueo]|ue|uo|oh(?![aeiouy])", "u"),
        (r"[ie]+[iey]+|[iy]+|e", "i"),
        (r"a[ey]", "ai"),
        (r"o", "u"),
        (r"([aiu])\1+", r"\1"),
    )
)
_HEARD = str.maketrans("fwzcqFSTKJHPQ", "vvskkvstkjhpx")
_CLASSES = str.maketrans("bvwdzgcqPFTSKJHAQ", "pfftskkkpftskjhak")
_FIRST_VOWELS = re.compile("^[aeiouy]+", re.MULTILINE)
_LATER_VOWELS = re.compile("[aeiouy]+")
_TWICE = re.compile(r"(.)\1+")
_LONGEST = 64
_LONGEST_KEY = 24


def _consonants(word: str) -> str:
    for pattern, heard, signs in _RULES:
        for sign in signs:
            if sign in word:
                word = pattern.sub(heard, word)
                break
        else:
            if not signs:
                word = pattern.sub(heard, word)
    return word


@lru_cache(maxsize=_MEMORY)
def heard(word: str) -> str:
    """How a Latin *word* sounds with its vowels, of which three classes are told apart, and voiced consonants.

    >>> heard("youssef"), heard("yusuf"), heard("schroeder"), heard("geun")
    ('jusiv', 'jusuv', 'srudir', 'gun')
    """
    word = _consonants(word[:_LONGEST])
    for pattern, vowel in _VOWELS:
        word = pattern.sub(vowel, word)
    return _TWICE.sub(r"\1", word.translate(_HEARD))


@lru_cache(maxsize=_MEMORY)
def sound(word: str) -> str:
    """How a Latin *word* sounds, roughly: its first sound and the consonants after it, one letter for a class of them.

    It holds together how one name is written in the languages of Europe and in the romanizations of Slavic, Arabic,
    South and East Asian names. Voiced and voiceless consonants are one class, as are the sibilants. At most 24 letters.

    >>> sound("mohammed") == sound("muhammad"), sound("tchaikovsky") == sound("chaykovskiy")
    (True, True)
    >>> sound("gaddafi"), sound("qadhafi"), sound("elena"), sound("yelena")
    ('ktf', 'ktf', 'aln', 'aln')
    """
    return _skeleton(word[:_LONGEST])[:_LONGEST_KEY]


def sounds(words: Sequence[str]) -> list[str]:
    """The `sound` of each of many words, none of which has a line break: written as lines they are one text.

    >>> sounds(["elena", "yelena", ""])
    ['aln', 'aln', '']
    """
    lines = _skeleton("\n".join([word[:_LONGEST] for word in words])).split("\n")
    return [line[:_LONGEST_KEY] for line in lines[: len(words)]]


def _skeleton(lines: str) -> str:
    lines = _FIRST_VOWELS.sub("A", _consonants(lines))
    return _TWICE.sub(r"\1", _LATER_VOWELS.sub("", lines).translate(_CLASSES))
