"""The full name of a person, in any script and order, taken apart into words that can be paired with another name's.

Invariant: a function of the text alone, bounded in size, that never fails; a text that names nobody has no words. Words
of Chinese characters and Korean syllables come apart into surname and given name, articles of Arabic off their words.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from crmcore.identity.given_names import (
    ALIAS,
    CREDENTIALS,
    FORMER,
    GENERATIONS,
    HONORIFICS,
    PARTICLES,
    SERVANTS,
)
from crmcore.identity.han_readings import (
    japanese_readings,
    japanese_word,
    latin_surnames,
    one_form,
    surname_length,
    surname_readings,
)
from crmcore.identity.latin import latin
from crmcore.identity.normal_forms import LONGEST
from crmcore.identity.syllables import syllables
from crmcore.values.text import fold, is_cjk, is_hangul

Role = Literal["name", "patronymic", "initial", "particle", "former"]

_MOST_WORDS = 10
_MEMORY = 1 << 14
_QUOTED = re.compile(r"[\"“”„«(（\[][^\"“”»()（）\[\]]{0,80}[\"“”»)）\]]")
_DOTTED = re.compile(r"\.(?=\S)")
_CASED_INITIALS = re.compile(r"[A-ZА-Я]{2,3}\Z")
_PATRONYMIC = re.compile(
    r"[a-z]{2,}(?:[oei]v(?:ich|ych|ic|na)|[iy]chna|inichna|ilyich|ylych|[oe]wi?tsch|[oe]wna|[oe]vitch|ovych|ivna|yivna|ogly|oglu)\Z"
)
_ABDULLAH = re.compile(r"abd[aeou]?(?:al)?l+[aeou]*h?\Z")
_SERVANT = re.compile(r"abd(?:[aeou]{0,2}[lrnsdtz](?=[b-df-hj-np-tv-z]))?(?:[aeou]{0,2}l)?([a-z]{3,})\Z")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
# The Palladius system: a soft n is one at the end of a syllable, a hard one is "ng".
_PALLADIUS = tuple(
    (re.compile(pattern), spelled)
    for pattern, spelled in (
        ("н(?![ьаеиоуыэюя])", "ng"), ("нь", "n"), ("х", "h"), ("чж", "zh"), ("цз", "z"), ("в", "w"),
    )
)  # fmt: skip
# Scripts whose texts leave vowels out, or whose letter by letter transliteration does.
_BARE = (
    (0x0590, 0x08FF), (0x0900, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0xFB1D, 0xFDFF), (0xFE70, 0xFEFF),
)  # fmt: skip


class Word(NamedTuple):
    """A word of a name: as it is *written*, folded; its *forms* in Latin letters, likeliest first; and its *role*.

    *bare* says that vowels are missing, *script* is ``"han"``, ``"hangul"`` or ``"kana"``, ``"abd"`` or ``"abu"`` for a
    name that begins so, else empty.
    """

    written: str
    forms: tuple[str, ...]
    role: Role = "name"
    bare: bool = False
    script: str = ""


class PersonPieces(NamedTuple):
    """The *words* of a name, the *generation* that a suffix says, and the *syllables* of an East Asian name.

    *guessed* says that the syllables are read out of Cyrillic letters. *ordered* says that the family name is known to
    stand first: it is written so, or there was a comma.
    """

    words: tuple[Word, ...] = ()
    generation: str = ""
    syllables: tuple[str, ...] = ()
    guessed: bool = False
    ordered: bool = False


def person_pieces(text: str) -> PersonPieces:
    """The words of a person's full name.

    >>> [word.written for word in person_pieces("Dr. Jean-Claude VAN DAMME, PhD").words]
    ['jean', 'claude', 'van', 'damme']
    >>> person_pieces("毛泽东").words[0].forms, person_pieces("毛泽东").syllables
    (('mao', 'mo', 'mou', 'mau'), ('mao', 'ze', 'dong'))
    """
    return _person_pieces(text[:LONGEST])


@lru_cache(maxsize=_MEMORY)
def _person_pieces(text: str) -> PersonPieces:
    segments = [segment.split() for segment in re.split(r"[,،、，]", _QUOTED.sub(_unquoted, text))]
    segments = [segment for segment in segments if segment]
    generation = ""
    words: list[Word] = []
    shouted = text.isupper()
    former = False
    for position, segment in enumerate(segments):
        for raw in segment:
            bare = fold(raw).replace(" ", "")
            if not bare:
                continue
            if bare in FORMER or bare in ALIAS:
                former = True
                continue
            if not former and (bare in HONORIFICS or latin(bare) in HONORIFICS):
                words.append(Word(bare, (latin(bare),), "particle", script="title"))
                continue
            if words and bare in GENERATIONS and (len(bare) > 1 or position):
                generation = GENERATIONS[bare]
                continue
            if bare in CREDENTIALS and words and (position or len(bare) > 2):
                continue
            parts = _parts(raw, shouted=shouted)
            alone = len(segments) == len(segment) == len(parts) == 1
            for part in parts:
                words.extend(_words(part, former=former, alone=alone))
    kept = [word for word in words if word.script != "title"]
    words = kept if any(word.role != "particle" for word in kept) else [w._replace(script="") for w in words]
    words = _servants(_roles(words[:_MOST_WORDS]))
    ordered = len(segments) > 1 or any(word.script == "han" for word in words)
    cyrillic = any(_CYRILLIC.match(word.written) for word in words)
    return PersonPieces(tuple(words), generation, _syllables(words), cyrillic, ordered)


def _unquoted(match: re.Match[str]) -> str:
    """What stands in brackets or quotes: a name of birth is kept, another name is not."""
    inner = match[0][1:-1].split()
    return f" {' '.join(inner)} " if inner and fold(inner[0]) in FORMER else " "


def _parts(raw: str, *, shouted: bool) -> list[str]:
    """The words of a piece between spaces: ``J.F.``, ``Jean-Claude``, and ``JF`` where not all is in capitals."""
    undotted = _DOTTED.sub(". ", raw)
    if not shouted and _CASED_INITIALS.match(raw) and not any(vowel in raw for vowel in "AEIOUYАЕИОУЫЭЮЯ"):
        return list(fold(raw))
    return fold(undotted).split()


def _words(part: str, *, former: bool, alone: bool) -> list[Word]:
    role: Role = "former" if former else "name"
    if part.isascii():
        return [Word(part, (part,), role)]
    if is_cjk(part):
        return [_legible(word)._replace(role=role) for word in _east_asian(part, alone=alone)]
    bare = any(low <= ord(part[0]) <= high for low, high in _BARE)
    if bare and part.startswith("ال") and len(part) > 4:
        return [Word("ال", ("al",), "particle"), *_words(part[2:], former=former, alone=alone)]
    spelled = latin(part).replace(" ", "")
    return [Word(part, (spelled,), role, bare)] if spelled else []


def _legible(word: Word) -> Word:
    """The word with the forms that say something; a sign that nobody can read stands for itself."""
    return word._replace(forms=tuple(filter(None, word.forms)) or (word.written,))


def _east_asian(text: str, *, alone: bool) -> list[Word]:
    if is_hangul(text):
        size = _hangul_surname(text) if alone and 2 <= len(text) <= 5 else len(text)
        return [Word(part, (latin(part),), script="hangul") for part in (text[:size], text[size:]) if part]
    if any(char in text for char in "々ヶ") or any("\u3040" <= char <= "\u30ff" for char in text):
        return [Word(text, tuple(dict.fromkeys((*japanese_word(text), latin(text)))), script="kana")]
    simple = one_form(text)
    if not alone or not 2 <= len(text) <= 6:
        forms = (latin(simple).replace(" ", ""), *surname_readings(simple), *japanese_word(text))
        return [Word(simple, tuple(dict.fromkeys(forms)), script="han")]
    size = surname_length(simple)
    japanese = japanese_readings(text)
    if japanese and (len(text) > 3 or not surname_readings(simple[:size]) or japanese.sure):
        size = japanese.size
    family, given = simple[:size], simple[size:]
    families: tuple[str, ...] = (*surname_readings(family), latin(family))
    givens: tuple[str, ...] = (latin(given),)
    if japanese and japanese.size == size:
        families, givens = (*families, *japanese.family), (*givens, *japanese.given)
    return [
        Word(family, tuple(dict.fromkeys(families)), script="han"),
        Word(given, tuple(dict.fromkeys(givens)), script="han"),
    ]


def _hangul_surname(text: str) -> int:
    return (
        2
        if len(text) > 3 and text[:2] in ("남궁", "황보", "선우", "독고", "제갈", "사공", "서문", "동방")
        else 1
    )


def _roles(words: list[Word]) -> list[Word]:
    """The words with initials, particles and patronymics told apart; a name is never all particles."""
    found: list[Word] = []
    for word in words:
        spelled = word.forms[0]
        role = word.role
        if role == "name":
            if len(spelled) == 1 and not word.script:
                role = "initial"
            elif spelled in PARTICLES and not word.script:
                role = "particle"
            elif _PATRONYMIC.search(spelled) and len(words) > 2:
                role = "patronymic"
        found.append(word._replace(role=role))
    if all(word.role == "particle" for word in found):
        return [word._replace(role="name") for word in found]
    return found


def _servants(words: list[Word]) -> list[Word]:
    """The words with Abdul and Abu joined to what follows them, however they are written.

    The first form is what follows, which alone tells one such name from another; the second is the whole.
    """
    found: list[Word] = []
    start = 0
    while start < len(words):
        word = words[start]
        end = start + 1
        kind = SERVANTS.get(word.forms[0], "") if not word.script else ""
        while (
            kind == "abd"
            and end < len(words)
            and words[end].role == "particle"
            and words[end].forms[0] != "bin"
        ):
            end += 1
        if kind and end < len(words) and words[end].role == "name" and not words[end].script:
            joined = words[start : end + 1]
            whole = "".join(each.forms[0] for each in joined)
            if _ABDULLAH.match(whole):
                found.append(Word(" ".join(each.written for each in joined), (whole,), bare=words[end].bare))
                start = end + 1
                continue
            written = " ".join(each.written for each in joined)
            found.append(Word(written, (words[end].forms[0], whole), "name", words[end].bare, kind))
            start = end + 1
            continue
        inside = None
        if word.role == "name" and not word.script and not _ABDULLAH.match(word.forms[0]):
            inside = _SERVANT.match(word.forms[0])
        if inside:
            word = word._replace(forms=(inside[1], word.forms[0]), script="abd")
        found.append(word)
        start += 1
    return found


def _pinyin(word: Word) -> str:
    """The Latin form of a word, in which a Chinese name in Cyrillic letters is read by the rules for those."""
    if not _CYRILLIC.match(word.written):
        return word.forms[0]
    text = word.written
    for pattern, spelled in _PALLADIUS:
        text = pattern.sub(spelled, text)
    return latin(text)


@cache
def _surnames() -> frozenset[str]:
    return frozenset(latin_surnames())


def _syllables(words: list[Word]) -> tuple[str, ...]:
    """The syllables of a name that is an East Asian one for certain: it has a surname and nothing but syllables."""
    if not 2 <= len(words) <= 4 or any(word.bare or word.role not in ("name", "particle") for word in words):
        return ()
    found: list[str] = []
    for word in words:
        if word.script in ("han", "hangul"):
            found.extend(map(latin, word.written))
        elif word.script or not (parts := syllables(_pinyin(word))):
            return ()
        else:
            found.extend(parts)
    if not 2 <= len(found) <= 5 or not any(
        word.script or _CYRILLIC.match(word.written) or form in _surnames()
        for word in (words[0], words[-1])
        for form in word.forms
    ):
        return ()
    return tuple(found)
