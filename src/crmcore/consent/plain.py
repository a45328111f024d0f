"""Text as names are looked for in it: composed, without what is not seen, and where each part of it stands in the text.

Invariant: all canonical forms of a text are one plain text; what is cut out by the plain one leaves the rest of the
text as it was, to the character. Both take time linear in the length.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence, Set
from itertools import combinations

import attrs

_POINTS = (
    *(
        (0x0591, 0x05C7),
        (0x0610, 0x061A),
        (0x064B, 0x065F),
        (0x0670, 0x0670),
        (0x06D6, 0x06ED),
        (0x08CA, 0x08FF),
    ),
    *((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF)),
)
"""Points of Hebrew and Arabic, which are mostly left out in writing, hamza and madda among them, and what chooses
between forms of one letter."""

_STROKE = "\u0640"
"""It makes an Arabic word longer, and says nothing."""

_JOINING = frozenset({"\U00016d63", "\U00016d67"}).union(
    map(chr, (*range(0x1160, 0x1200), *range(0xD7B0, 0xD7FC)))
)
"""Letters that are composed with the one before them."""

_MOST = 30
"""Of so many marks on one letter the rest is passed over: putting many in order takes long."""

_BETWEEN = frozenset("\u200b\u200c\ufeff")
"""What is not seen and stands between words, too."""

_KINDS = 3
"""Of so many kinds of what is not seen each is tried within words and between them."""

_WITH_MARKS = ((0x300, 0x1E00), (0x20D0, 0x3100), (0xA66F, 0xAC00), (0xFB1E, 0xFB1F), (0xFE00, 0xFE30))


def _is_mark(char: str) -> bool:
    return unicodedata.category(char)[0] == "M"


MARKS = "".join(chr(code) for low, high in _WITH_MARKS for code in range(low, high) if _is_mark(chr(code)))
"""The marks of the scripts of today: they belong to the words that they are in."""


def _composed(letters: str) -> str:
    """A letter with its marks, without points."""
    apart = unicodedata.normalize("NFD", letters[: _MOST + 1])
    kept = "".join(char for char in apart if not _is_left_out(char))
    return unicodedata.normalize("NFC", kept)


def _is_left_out(char: str) -> bool:
    code = ord(char)
    if unicodedata.category(char) != "Mn":
        return _UNSEEN[char]
    return any(low <= code <= high for low, high in _POINTS)


class _Memo(dict[int, str]):
    """Each character as it is in a plain text by itself, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = _composed(chr(code))
        return self[code]


class _Follows(dict[str, bool]):
    """Whether a character belongs to the letter before it."""

    def __missing__(self, char: str) -> bool:
        self[char] = _is_mark(char) or char in _JOINING
        return self[char]


class _Unseen(dict[str, bool]):
    """Whether a character is not seen, such as a soft hyphen or a joiner."""

    def __missing__(self, char: str) -> bool:
        self[char] = unicodedata.category(char) == "Cf" or char == _STROKE
        return self[char]


_ALONE, _FOLLOWS, _UNSEEN = _Memo(), _Follows(), _Unseen()


@attrs.frozen
class Plain:
    """The plain form *text* of a *source*; each of its characters stands from *starts* to *ends* there.

    >>> plain = Plain.of("Zoe\\u0308 Qu\\u200bill, too")
    >>> plain.text, plain.without([(0, 3), (4, 9)])
    ('Zoë Quill, too', ['', ' ', ', too'])
    """

    source: str
    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    @classmethod
    def of(cls, source: str, blanks: Set[str] = frozenset()) -> Plain:
        """That of a text, without whatever is not seen, but for *blanks*, which are one each."""
        if source.isascii() or (
            unicodedata.is_normalized("NFC", source) and source.translate(_ALONE) == source
        ):
            return cls(source, source, range(len(source)), range(1, len(source) + 1))
        plain: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        for start, end in _letters(source):
            char = source[start]
            if end - start > 1:
                said = _composed("".join(one for one in source[start:end] if not _UNSEEN[one]))
            else:
                said = " " if char in blanks else "" if _UNSEEN[char] else _ALONE[ord(char)]
            plain.append(said)
            starts += [start] * len(said)
            ends += [end] * len(said)
        return cls(source, "".join(plain), starts, ends)

    def without(self, spans: Iterable[tuple[int, int]]) -> list[str]:
        """What of the source stands before, between and behind *spans* of the plain text, which follow each other."""
        parts: list[str] = []
        at = 0
        for start, end in spans:
            parts.append(self.source[at : max(at, self.starts[start])])
            at = self.ends[end - 1]
        return [*parts, self.source[at:]]


def _letters(source: str) -> Iterable[tuple[int, int]]:
    """Where each letter begins and ends, with its marks and with what is not seen between them."""
    at, size = 0, len(source)
    while at < size:
        end = look = at + 1
        if not _UNSEEN[source[at]]:
            while look < size and (_FOLLOWS[source[look]] or _UNSEEN[source[look]]):
                look += 1
                if _FOLLOWS[source[look - 1]]:
                    end = look
        yield at, end
        at = end


def blanks_of(text: str) -> list[Set[str]]:
    """What in *text* is not seen and may stand for blanks: each kind of it is within words, or between them.

    Of more than three kinds those that are mostly between words are told from the others. The last look is the first
    one again: a kind that is both, within words and between them, is within what is left of a name that was cut.
    """
    none = frozenset[str]()
    unseen = none if text.isascii() else frozenset(filter(_UNSEEN.__getitem__, text))
    if not unseen:
        return [none]
    if len(unseen) > _KINDS:
        return [none, unseen & _BETWEEN, unseen - _BETWEEN, unseen, none]
    some = (few for size in range(1, len(unseen) + 1) for few in combinations(sorted(unseen), size))
    return [none, *map(frozenset, some), none]


def forms_of_text(text: str) -> set[str]:
    """The plain forms of *text*."""
    return {Plain.of(text, blanks).text for blanks in blanks_of(text)}
