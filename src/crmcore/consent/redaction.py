"""Leaving other people out of what is given to one person.

Invariant: what is left out is marked where it stood, never silently gone. Whatever looks like an e-mail address or a
phone number in a text is left out unless it is the person's own; so is every name, address, number and id of others
that is told to the redactor, in whatever canonical form the text is. Nothing else of a text is changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import groupby
from typing import Any

import attrs

from crmcore.consent.plain import MARKS, Plain, blanks_of, forms_of_text
from crmcore.values.text import fold

ANOTHER = "[another person]"
"""What stands where somebody else was named."""

PARTY_FIELDS = frozenset(
    {"party", "from_", "to", "a", "b", "parties", "record", "members", "customer", "into"}
)
"""Fields that hold ids of parties."""

_UNSPACED = (
    "\u0e00-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U0001b000-\U0001b16f\U00020000-\U000323af"
)
"""Letters of scripts that put no blanks between words, or none before what follows a name: Han, Kana, Bopomofo,
Hangul, Thai, Lao, Tibetan, Burmese, Khmer."""
_BEGINS = rf"(?<!(?![{_UNSPACED}])\w)"
_ENDS = rf"(?!(?![{_UNSPACED}])\w)"
"""Where a word begins and ends: a letter of a script without blanks belongs to no word of another script, and what is
put to a name may begin with a vowel sign, as in Bengali and Marathi: there it ends, too."""

_BESIDE = re.compile(f" (?=[{_UNSPACED}])|(?<=[{_UNSPACED}]) ")
"""Blanks beside a letter of such a script say nothing."""

_AT = "@\ufe6b\uff20"
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0xFE6B: 0x40}
"""Signs as wide as Han, in which addresses are typed, too."""

_LOCAL = rf"\s{_AT}<>()\[\]\"',;:"
# Only from where a word begins, so that a long one is not looked at again from each of its letters.
_EMAIL = re.compile(rf"(?<![^{_LOCAL}])[^{_LOCAL}]+[{_AT}][^{_LOCAL}]+")
_PHONE = re.compile(rf"{_BEGINS}(?:\+|00)?\(?\d[\d\s().\-/]{{5,}}\d{_ENDS}")
_WORD = re.compile(rf"[^\W\d][\w{MARKS}'’\-]*")
_DAY = re.compile(r"\d{4}-\d\d-\d\d(?:$|\D)")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_IDS = re.compile(f"({_ID.pattern})")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?\Z")
_TAIL = 7
"""So many last digits tell one phone number from another, however it is dialled."""


@attrs.frozen
class Words:
    """What designates people: ids of their records, full names, and contact points as written and in normal form."""

    ids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    points: frozenset[str] = frozenset()


@attrs.frozen
class Redacted:
    """A value without others, and how often they were left out."""

    value: Any
    count: int


class Redactor:
    """Leaves *others* out, but not *own*: what the person shares with somebody is the person's own.

    >>> redactor = Redactor(
    ...     Words(names=frozenset({"Ann Hill"})), Words(names=frozenset({"Bo Hill"}), points=frozenset({"bo@x.org"}))
    ... )
    >>> redactor.of({"body": "Bo (bo@x.org, c@y.org) came for Ann Hill"}).value
    {'body': '[another person] ([another person], [another person]) came for Ann Hill'}
    """

    def __init__(self, own: Words, others: Words) -> None:
        self._own = own
        self._ids = others.ids - own.ids
        self._whole = {_folded(form) for text in own.names | own.points for form in forms_of_text(text)}
        self._tails = {_digits(point)[-_TAIL:] for point in own.points if len(_digits(point)) >= _TAIL}
        self._foreign = {
            _digits(point)[-_TAIL:] for point in others.points if len(_digits(point)) >= _TAIL
        } - self._tails
        named = others.names | others.points | others.ids
        phrases = {form.strip() for text in named for form in forms_of_text(text)}
        phrases |= {part for name in others.names for part in _plain(name).split() if len(part) > 1}
        # In a script without blanks the name of another may be a piece of one's own, which stays whole.
        unspaced = {_plain(name).strip() for name in own.names if _unspaced(name)}
        mine = self._whole | {_folded(part) for name in own.names for part in name.split()}
        kept = {word for name in own.names for word in _words(name)}
        self._words = {word for name in others.names for word in _words(name) if len(word) > 1} - kept
        foreign = {phrase for phrase in phrases if phrase and _folded(phrase) not in mine}
        self._pattern = _pattern(foreign | unspaced) if foreign else None

    def of(self, value: Any, field: str = "") -> Redacted:
        """*value*, any JSON, without others; *field* is the name of the field that holds it."""
        if isinstance(value, str):
            return self._text(value, field)
        if isinstance(value, Mapping):
            return self._object({**value, "id": ANOTHER} if _is_staff(field, value) else value)
        if isinstance(value, (list, tuple)):
            parts = [self.of(one, field) for one in value]
            return Redacted([part.value for part in parts], sum(part.count for part in parts))
        if isinstance(value, int) and str(value)[-_TAIL:] in self._foreign:
            return Redacted(ANOTHER, 1)
        return Redacted(value, 0)

    def _object(self, value: Mapping[str, Any]) -> Redacted:
        found: dict[str, Any] = {}
        count = 0
        for key, one in value.items():
            name, inner = self._text(key, ""), self.of(one, key)
            found[name.value if name.value not in found else f"{name.value} {len(found)}"] = inner.value
            count += name.count + inner.count
        return Redacted(found, count)

    def _text(self, text: str, field: str) -> Redacted:
        if field in PARTY_FIELDS and _ID.fullmatch(text):
            return Redacted(text, 0) if text in self._own.ids else Redacted(ANOTHER, 1)
        if _folded(text) in self._whole or _STAMP.match(text):
            return Redacted(text, 0)
        # The digits of an id are no phone number: what stands between ids is looked at.
        found = [
            self._id(part) if _ID.fullmatch(part) else self._between(part)
            for part in _IDS.split(text)
            if part
        ]
        return Redacted("".join(one.value for one in found), sum(one.count for one in found))

    def _id(self, text: str) -> Redacted:
        return Redacted(ANOTHER, 1) if text in self._ids else Redacted(text, 0)

    def _between(self, text: str) -> Redacted:
        parts = [text]
        for blanks in blanks_of(text):
            parts = [left for part in parts for left in self._left(part, blanks)]
        return Redacted(ANOTHER.join(parts), len(parts) - 1)

    def _left(self, text: str, blanks: Set[str]) -> list[str]:
        """What is left of a text, in the parts between which others were named."""
        plain = Plain.of(text, blanks)
        cuts: list[tuple[int, int]] = []
        for pattern in (_EMAIL, self._pattern, _PHONE, _WORD):
            if pattern is not None:
                cuts = [*self._found(pattern, plain.text, cuts)]
        return plain.without(cuts)

    def _found(
        self, pattern: re.Pattern[str], text: str, cuts: Sequence[tuple[int, int]]
    ) -> Iterator[tuple[int, int]]:
        """*cuts* that were made before, and where between them *pattern* finds others."""
        at = 0
        for start, end in (*cuts, (len(text), len(text))):
            for match in pattern.finditer(text[at:start]):
                if not self._mine(match[0]):
                    yield at + match.start(), at + match.end()
            if start < end:
                yield start, end
            at = end

    def _mine(self, found: str) -> bool:
        if "@" in (address := found.translate(_WIDE)):
            return _folded(address.strip(".")) in self._whole
        if _folded(found) in self._whole:
            return True
        if self._pattern is not None and self._pattern.fullmatch(found):
            return False
        if not found[0].isdigit() and _WORD.fullmatch(found):
            # However it is spelled: with accents or without.
            return self._words.isdisjoint(_words(found))
        digits = _digits(found)
        return bool(_DAY.match(found)) or len(digits) < _TAIL or digits[-_TAIL:] in self._tails


def _is_staff(field: str, value: Mapping[str, Any]) -> bool:
    """Who of the company did something is somebody else, too."""
    return field == "actor" and value.get("kind") == "person"


def _pattern(phrases: Iterable[str]) -> re.Pattern[str] | None:
    """Any of *phrases*, which are plain, as whole words, longer ones first, whatever their case and the blanks in them.

    In a script without blanks nothing tells where a word begins or ends: there they are found wherever they stand.
    """
    ordered = sorted(set(phrases), key=lambda phrase: (-len(phrase), phrase))
    if not ordered:
        return None
    bounded = _any_of([phrase for phrase in ordered if not _unspaced(phrase[0])])
    anywhere = _any_of([phrase for phrase in ordered if _unspaced(phrase[0])])
    found = [f"{_BEGINS}(?:{bounded})"] * bool(bounded) + [anywhere] * bool(anywhere)
    return re.compile("|".join(found), re.IGNORECASE)


def _any_of(phrases: Iterable[str]) -> str:
    """Any of *phrases*, in this order. Where a word ends is asked once behind all of a kind that follow each other: so
    `re` sees what their beginnings have in common, and a pattern of very many is made in no time."""
    groups = [
        (free, "|".join(map(_spelled, some)))
        for free, some in groupby(phrases, key=lambda phrase: _unspaced(phrase[-1]))
    ]
    return "|".join(text if free else f"(?:{text}){_ENDS}" for free, text in groups)


def _spelled(phrase: str) -> str:
    """A phrase with any blanks in it; beside a letter of a script without blanks there may be one, or none."""
    words = phrase.split()
    if not _unspaced(phrase):
        return r"\s+".join(map(re.escape, words))
    text = " ".join(words)
    found = [re.escape(text[0])]
    for before, char, after in zip(text, text[1:], f"{text[2:]} ", strict=False):
        if char == " ":
            found.append(r"\s*" if _unspaced(before) or _unspaced(after) else r"\s+")
        else:
            found += [r"\s*"] * (_unspaced(before) and _unspaced(char)) + [re.escape(char)]
    return "".join(found)


def _unspaced(text: str) -> bool:
    return re.search(f"[{_UNSPACED}]", text) is not None


def _folded(text: str) -> str:
    return _BESIDE.sub("", " ".join(_plain(text).casefold().split()))


def _plain(text: str) -> str:
    return Plain.of(text).text


def _words(text: str) -> list[str]:
    return fold(_plain(text)).split()


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdecimal())
