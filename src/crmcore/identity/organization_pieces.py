"""The name of an organization, in any script, taken apart into words by what they say.

Invariant: a function of the text alone, bounded in size, that never fails; a text without letters and digits has no
words. Words for kinds of business and for places have one form in all languages.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from crmcore.identity.han_readings import japanese_word, one_form, surname_readings
from crmcore.identity.latin import latin
from crmcore.identity.normal_forms import LONGEST, letters_joined
from crmcore.identity.organization_words import (
    AMBIGUOUS_FORMS,
    NUMBER_SIGNS,
    ORDINALS,
    ROMAN,
    empty_words,
    kinds,
    legal_forms,
    places,
)
from crmcore.values.text import fold, is_cjk

Sort = Literal["core", "kind", "place", "number", "empty"]

_MOST_WORDS = 16
_MEMORY = 1 << 14
_LONGEST_FORM = 5
"""Words in the longest legal form."""
_NUMBER = re.compile(r"(?:no|nr|#|№|n)?\.?\s*(\d+)", re.IGNORECASE)
_SIGNS = re.compile(r"[#№]\s*(?=\d)")
_AND = re.compile(r"\s*[&+]\s*")
_POSSESSIVE = re.compile(r"[’'`]s\b", re.IGNORECASE)
# The endings of Russian and Ukrainian nouns and adjectives, folded.
_ENDING = re.compile(
    r"(?:(?<=...)(?:ого|его|ому|ему|ыми|ими|ями|ами|ыи|ии|ои|ая|яя|ое|ее|ые|ие|ых|их|ую|юю|ым|им|ов|ев|еи|ам|ям|ах|ях|ия|ию|"
    r"[ыиаяуюеоьі]))\Z"
)
_BARE = (
    (0x0590, 0x08FF),
    (0x0900, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0xFB1D, 0xFDFF),
    (0xFE70, 0xFEFF),
)


class OrganizationWord(NamedTuple):
    """A word as it is *written*, folded; its *forms* in Latin letters or its one name in all languages; its *sort*.

    *bare* says that vowels are missing.
    """

    written: str
    forms: tuple[str, ...]
    sort: Sort = "core"
    bare: bool = False


class OrganizationPieces(NamedTuple):
    """The *words* of the name, the families of its *legal* forms, and *spelled*, all its words in Latin letters."""

    words: tuple[OrganizationWord, ...] = ()
    legal: frozenset[str] = frozenset()
    spelled: tuple[str, ...] = ()


def organization_pieces(text: str) -> OrganizationPieces:
    """The words of an organization's name.

    >>> [(word.forms[0], word.sort) for word in organization_pieces("ПАО «Банк Восток» № 5").words]
    [('bank', 'kind'), ('vostok', 'core'), ('5', 'number')]
    """
    return _organization_pieces(text[:LONGEST])


def name_words(text: str) -> list[str]:
    """The words of a name in any script, folded, without its legal forms unless it has no others.

    >>> name_words("株式会社山田商店"), name_words("ООО Ромашка")
    (['山田商店'], ['ромашка'])
    """
    written = _written(text[:LONGEST])
    return _without_legal_forms(written)[0] or written


def _written(text: str) -> list[str]:
    text = _POSSESSIVE.sub("s", _SIGNS.sub(" ", _AND.sub(" & ", text)))
    written = letters_joined(fold(text).split())[: 2 * _MOST_WORDS]
    return [part for word in written for part in _segments(word)]


@lru_cache(maxsize=_MEMORY)
def _organization_pieces(text: str) -> OrganizationPieces:
    written = _written(text)
    kept, legal = _without_legal_forms(written)
    words = _sorted(kept[:_MOST_WORDS])
    if not any(word.sort != "empty" for word in words):
        # Nothing but a legal form or filling words: they are the name then.
        words = [OrganizationWord(word, (latin(word) or word,)) for word in written[:_MOST_WORDS]]
        legal = set()
    return OrganizationPieces(tuple(words), frozenset(legal), tuple(map(latin, written[:_MOST_WORDS])))


def _without_legal_forms(words: list[str]) -> tuple[list[str], set[str]]:
    forms = legal_forms()
    kept: list[str] = []
    legal: set[str] = set()
    start = 0
    while start < len(words):
        for size in range(min(_LONGEST_FORM, len(words) - start), 0, -1):
            phrase = " ".join(words[start : start + size])
            family = forms.get(phrase)
            if family and (
                size > 1
                or phrase not in AMBIGUOUS_FORMS
                or start in (0, len(words) - 1)
                or all(word in forms or word in empty_words() for word in words[start + 1 :])
            ):
                if (
                    start == 0
                    and size == 1
                    and phrase.isascii()
                    and phrase
                    not in (
                        "ooo",
                        "oao",
                        "zao",
                        "pao",
                        "pt",
                        "ao",
                        "llc",
                        "jsc",
                        "pjsc",
                        "cv",
                        "ab",
                        "too",
                        "tov",
                    )
                ):
                    continue
                legal.add(family)
                start += size
                break
        else:
            kept.append(words[start])
            start += 1
    return kept, legal


def _sorted(words: list[str]) -> list[OrganizationWord]:
    found: list[OrganizationWord] = []
    for position, word in enumerate(words):
        if word in NUMBER_SIGNS and position + 1 < len(words) and words[position + 1][:1].isdigit():
            continue
        sort, forms = _sort(word, position, last=position == len(words) - 1)
        if not forms or not forms[0]:
            continue
        bare = sort == "core" and any(low <= ord(word[0]) <= high for low, high in _BARE)
        if bare and word.startswith("ال") and len(word) > 4:
            forms = (latin(word[2:]), latin(word))
        found.append(OrganizationWord(word, forms, sort, bare))
    return found


def _sort(word: str, position: int, *, last: bool) -> tuple[Sort, tuple[str, ...]]:
    if word.isdigit():
        return "number", (word.lstrip("0") or "0",)
    if word in ORDINALS:
        return "number", (ORDINALS[word],)
    if position and word in ROMAN and (word != "i" or last):
        return "number", (ROMAN[word],)
    spelled = latin(word).replace(" ", "")
    tables: tuple[tuple[Sort, dict[str, str]], ...] = _tables()
    for sort, table in tables:
        name = table.get(word) or table.get(spelled)
        if name:
            return sort, (name,)
    if word.startswith("ال") and len(word) > 4:
        for sort, table in tables:
            if name := table.get(word[2:]):
                return sort, (name,)
    if "\u0400" <= word[0] <= "\u04ff" and len(word) > 4:
        stem = _ENDING.sub("", word)
        for sort, table in _stems():
            if name := table.get(stem):
                return sort, (name,)
        return "core", tuple(dict.fromkeys((spelled, latin(stem))))
    if is_cjk(word):
        simple = one_form(word)
        readings = (latin(simple).replace(" ", ""), *japanese_word(word), *surname_readings(simple))
        return "core", tuple(dict.fromkeys(readings))
    return "core", (spelled,)


@cache
def _tables() -> tuple[tuple[Sort, dict[str, str]], ...]:
    return ("empty", dict(empty_words())), ("place", dict(places())), ("kind", dict(kinds()))


@cache
def _stems() -> tuple[tuple[Sort, dict[str, str]], ...]:
    """The Cyrillic words of the tables without their endings."""
    return tuple(
        (
            sort,
            {
                _ENDING.sub("", word): name
                for word, name in table.items()
                if len(word) > 4 and word[0] >= "\u0400"
            },
        )
        for sort, table in _tables()
    )


# --- names that are written without spaces -----------------------------------------------------------------


@cache
def _known_cjk() -> frozenset[str]:
    tables = (legal_forms(), empty_words(), places(), kinds())
    return frozenset(
        word for table in tables for word in table if is_cjk(word) and (len(word) > 1 or word in "㈱")
    )


@lru_cache(maxsize=_MEMORY)
def _segments(word: str) -> tuple[str, ...]:
    """The words in a run of Chinese characters, kana and Korean syllables: the known ones, and what is between.

    >>> _segments("华为技术有限公司")
    ('华为', '技术', '有限公司')
    """
    if word.isascii() or not any("\u3000" <= char <= "\ud7ff" for char in word):
        return (word,)
    known = _known_cjk()
    found: list[str] = []
    rest = ""
    start = 0
    while start < len(word):
        size = next(
            (size for size in range(min(8, len(word) - start), 0, -1) if word[start : start + size] in known),
            0,
        )
        if size and not (not start and size == len(word) and False):
            if rest:
                found.append(rest)
                rest = ""
            found.append(word[start : start + size])
            start += size
        else:
            rest += word[start]
            start += 1
    if rest:
        found.append(rest)
    return tuple(part for each in found for part in _by_script(each))


def _by_script(word: str) -> list[str]:
    """A run apart where Latin letters or digits end: ``LG전자``."""
    return re.findall(r"[a-z]+|[0-9]+|[^a-z0-9]+", word)
