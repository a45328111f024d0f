"""The words that tell the parts of a written name apart, and the rules that use them.

Invariant: splitting is a guess that says how sure it is. It only labels pieces of the text, in written order, and
gives nothing for scripts and forms that these rules do not know.
"""

from __future__ import annotations

import re
from typing import Literal

import attrs

from crmcore.values.text import fold, is_cjk, is_hangul

PartKind = Literal[
    "given", "given2", "middle", "family", "family2", "patronymic", "matronymic", "generation", "particle",
    "honorific", "credential", "nickname", "mononym", "clan",
]  # fmt: skip
NameOrder = Literal["as_written", "given_first", "family_first"]
Confidence = Literal["high", "medium", "low", "none"]
Pieces = tuple[tuple[PartKind, str], ...]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HONORIFICS = _words(
    "mr mrs ms miss mx dr prof professor sir dame rev reverend hon capt captain lt sgt col gen "
    "herr frau mme mlle monsieur madame senor senora senorita srta sra sig signor signora dott dottssa ing "
    "dhr mevr mevrouw hr fru pan pani senhor senhora mag dipling sayyid sheikh"
)
_FACULTIES = _words("med phil jur iur rer nat ing habil hc theol pol oec dent vet")
"""Words that belong to a title before them: ``Dr. med.``"""
_GENERATIONS = _words("jr sr ii iii iv 2nd 3rd 4th junior filho neto sobrinho")
_CREDENTIALS = _words(
    "phd md dds esq cpa mba jd llm llb rn dvm dphil edd msc bsc frcs frs mp qc kc obe mbe cbe"
)
_PARTICLES = _words(
    "van von der den de del della dello dei degli di da do dos das du des la le las los ter ten te op zu zum zur "
    "vom af av ibn bin bint al el ben bar y e i san santa st"
)
_CAPITAL_PARTICLES = _words("van von der den de del della du la le dos das da di")
"""Particles that are taken for such also when they are capitalized."""

_COMPOUND_KOREAN = frozenset({"남궁", "황보", "선우", "독고", "제갈", "사공", "서문", "동방"})
_NICKNAME = re.compile(r"\s[\"“„«(](\s*[^\s\"”“»()][^\"”“»()]{0,60})[\"”“»)](?=\s|\Z)")
_SIGNS = frozenset(" .,'’‘`-‐‑–—\"“”„«»()&")
_PLAIN = re.compile(r"[A-Za-z0-9 .,'`\-\"()&]+\Z")
"""Western letters and signs without accents."""

_EAST_SLAVIC_PATRONYMIC = ("ович", "евич", "ьич", "овна", "евна", "ична", "ovich", "evich", "ovna", "evna")
_NORSE_PATRONYMIC = ("son", "dottir")


@attrs.frozen(kw_only=True)
class Reading:
    """One way to read a name."""

    pieces: Pieces = attrs.field(repr=lambda pieces: f"<{len(pieces)} hidden>")
    order: NameOrder
    confidence: Confidence


def readings(full: str, language: str | None) -> tuple[Reading, ...]:
    """The ways to read the cleaned name *full*, likeliest first; none where the rules have nothing to say.

    >>> [reading.confidence for reading in readings("García, Ana", None)]
    ['high']
    """
    plain = _PLAIN.match(full) is not None  # by far the most; looking at every letter takes longer
    if not plain and is_cjk(full.replace(" ", "")):
        return _east_asian(full, language)
    if not (plain or all(map(_is_western, full))) or not any(map(str.isalpha, full)):
        return ()
    nickname = _NICKNAME.search(full)
    if nickname:
        full = full[: nickname.start()] + full[nickname.end() :]
    segments = [segment.strip() for segment in full.split(",") if segment.strip()]
    suffixes: list[tuple[PartKind, str]] = []
    while len(segments) > 1 and (found := _suffixes(segments[-1])):
        suffixes[:0] = found
        segments.pop()
    if len(segments) == 2:
        result = _comma_form(segments[0], segments[1])
    elif len(segments) == 1:
        result = _plain_form(segments[0], language, suffixed=bool(suffixes))
    else:
        return ()
    if nickname:
        suffixes.append(("nickname", nickname[1].strip()))
    if not suffixes:
        return result
    return tuple(attrs.evolve(reading, pieces=(*reading.pieces, *suffixes)) for reading in result)


def _is_western(char: str) -> bool:
    """Whether names with *char* are written in Latin, Greek or Cyrillic, for which there are rules."""
    if char in _SIGNS or "\u0300" <= char <= "\u036f":
        return True
    return char.isalnum() and (char < "\u0530" or "\u1e00" <= char < "\u2000")


def _word(text: str) -> str:
    return fold(text).replace(" ", "")


def _suffixes(segment: str) -> list[tuple[PartKind, str]]:
    """The pieces of a segment behind a comma when every word of it is a generation or a credential."""
    words = segment.split()
    if _word(segment) in _CREDENTIALS:
        return [("credential", segment)]
    found: list[tuple[PartKind, str]] = [(kind, word) for word in words if (kind := _suffix_kind(word))]
    return found if len(found) == len(words) else []


def _suffix_kind(word: str) -> PartKind | None:
    folded = _word(word)
    if folded in _GENERATIONS:
        return "generation"
    return "credential" if folded in _CREDENTIALS else None


def _titles(words: list[str], *, leave: int) -> list[tuple[PartKind, str]]:
    """Take the titles off the front of *words*, leaving at least so many of them."""
    found: list[tuple[PartKind, str]] = []
    while len(words) > leave and _word(words[0]) in (_HONORIFICS | _FACULTIES if found else _HONORIFICS):
        found.append(("honorific", words.pop(0)))
    return found


def _comma_form(family: str, rest: str) -> tuple[Reading, ...]:
    """``Family, Given Middle``, with particles before the family or after the given names."""
    words = rest.split()
    front = _titles(words, leave=0)
    if not words:
        return (_reading((*_family_pieces(family.split()), *front), "as_written", "medium"),)
    tail: list[tuple[PartKind, str]] = []
    while len(words) > 1 and (kind := _suffix_kind(words[-1])):
        tail.insert(0, (kind, words.pop()))
    while len(words) > 1 and _is_particle(words[-1]):
        tail.insert(0, ("particle", words.pop()))
    pieces = (*_family_pieces(family.split()), *front, *_given_pieces(words), *tail)
    return (_reading(pieces, "as_written", "high"),)


def _given_pieces(words: list[str]) -> Pieces:
    middle: Pieces = (("middle", " ".join(words[1:])),) if len(words) > 1 else ()
    return (("given", words[0]), *middle)


def _is_particle(word: str) -> bool:
    folded = fold(word)
    return folded in (_PARTICLES if word[:1].islower() else _CAPITAL_PARTICLES)


def _family_pieces(words: list[str]) -> Pieces:
    """A family name with its leading particles apart; a name that is all particles is no particle."""
    lead = 0
    while lead < len(words) - 1 and _is_particle(words[lead]):
        lead += 1
    particle: Pieces = (("particle", " ".join(words[:lead])),) if lead else ()
    return (*particle, ("family", " ".join(words[lead:])))


def _plain_form(text: str, language: str | None, *, suffixed: bool) -> tuple[Reading, ...]:
    words = text.split()
    front = _titles(words, leave=1)
    tail: list[tuple[PartKind, str]] = []
    while len(words) > 1 and (kind := _suffix_kind(words[-1])):
        tail.insert(0, (kind, words.pop()))
    if len(words) == 1:
        # "Mr Smith" and "O'Neill, Jr." name a family; a lone word may be anything.
        only: PartKind = "family" if front or tail or suffixed else "mononym"
        pieces: Pieces = (*front, (only, words[0]), *tail)
        return (_reading(pieces, "as_written", "medium" if front else "low"),)
    if not front and not tail:
        return _by_language(words, language)
    return tuple(
        attrs.evolve(reading, pieces=(*front, *reading.pieces, *tail))
        for reading in _by_language(words, language)
    )


def _by_language(words: list[str], language: str | None) -> tuple[Reading, ...]:
    if language == "vi":
        inner: Pieces = (("middle", " ".join(words[1:-1])),) if len(words) > 2 else ()
        return (_reading((("family", words[0]), *inner, ("given", words[-1])), "family_first", "high"),)
    if language in ("hu", "zh", "ja", "ko"):
        return (
            _reading((("family", words[0]), *_given_pieces(words[1:])), "family_first", "medium"),
            _given_first(words, "low"),
        )
    if language in ("is", "fo") and fold(words[-1]).endswith(_NORSE_PATRONYMIC):
        pieces: Pieces = (*_given_pieces(words[:-1]), ("patronymic", words[-1]))
        return (_reading(pieces, "given_first", "high"),)
    if len(words) == 3 and (slavic := _east_slavic(words)):
        return (slavic,)
    double = _double_family(words)
    if language in ("es", "ca", "gl") and double:
        return (double, _given_first(words, "low"))
    first = _given_first(words, "medium" if len(words) == 2 or _is_particle(words[-2]) else "low")
    if len(words) == 2:
        return (first, _reading((("family", words[0]), ("given", words[1])), "family_first", "low"))
    return (first, double) if double else (first,)


def _reading(pieces: Pieces, order: NameOrder, confidence: Confidence) -> Reading:
    return Reading(pieces=pieces, order=order, confidence=confidence)


def _given_first(words: list[str], confidence: Confidence) -> Reading:
    start = len(words) - 1
    while start > 1 and _is_particle(words[start - 1]):
        start -= 1
    return _reading(
        (*_given_pieces(words[:start]), *_family_pieces(words[start:])), "given_first", confidence
    )


def _double_family(words: list[str]) -> Reading | None:
    """``María del Carmen García Lorca``: the last two words are the two family names."""
    if len(words) < 3 or _is_particle(words[-2]) or _is_particle(words[-3]):
        return None
    pieces: Pieces = (("given", " ".join(words[:-2])), ("family", words[-2]), ("family2", words[-1]))
    return _reading(pieces, "given_first", "medium")


def _east_slavic(words: list[str]) -> Reading | None:
    """``Given Patronymic Family`` and ``Family Given Patronymic``."""
    marks = [fold(word).endswith(_EAST_SLAVIC_PATRONYMIC) for word in words]
    if marks[1] and not marks[2]:
        pieces: Pieces = (("given", words[0]), ("patronymic", words[1]), ("family", words[2]))
        return _reading(pieces, "given_first", "high")
    if marks[2] and not marks[1]:
        pieces = (("family", words[0]), ("given", words[1]), ("patronymic", words[2]))
        return _reading(pieces, "family_first", "high")
    return None


def _east_asian(full: str, language: str | None) -> tuple[Reading, ...]:
    words = full.split()
    if len(words) == 2:
        return (_reading((("family", words[0]), ("given", words[1])), "family_first", "high"),)
    if len(words) != 1:
        return ()
    if 2 <= len(full) <= 5 and is_hangul(full):
        size = 2 if full[:2] in _COMPOUND_KOREAN and len(full) > 2 else 1
        confidence: Confidence = "high" if len(full) == 3 else "medium"
        return (_reading((("family", full[:size]), ("given", full[size:])), "family_first", confidence),)
    if language == "zh" and len(full) in (2, 3):
        return (_reading((("family", full[0]), ("given", full[1:])), "family_first", "medium"),)
    return ()
