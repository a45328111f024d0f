"""Text as people type it: cleaned for keeping, folded for comparing.

Invariant: `clean` and `fold` never fail, and doing either twice changes nothing more. `clean` keeps what a reader
sees; `fold` keeps only what tells two names apart and says so by being lossy. Both take time linear in the length.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TypeVar, overload

from crmcore.errors import InvalidValue

_CACHED_LENGTH = 256
"""Longer texts are folded but not remembered, so that the cache has a bounded size in bytes too."""

_MARGIN = 1000
"""So much white space around a value is borne with, as columns of fixed width have it."""

_APOSTROPHES = "'`´‘’‛′ʹʺʻʼʽʾʿˈˊˋ＇׳״"
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_NON_ASCII_DIGIT = re.compile(r"[^\D0-9]")
_NOT_DIGIT = re.compile(r"[^0-9]+")

# A dot between two single letters belongs to an abbreviation: "S.p.A." and "SpA" are one token.
_INNER_DOT = re.compile(r"(?<![^\W_])([^\W\d_])\.(?=[^\W\d_](?![^\W_]))")

# Letters that no Unicode decomposition takes apart, after casefolding; what a Latin keyboard would write instead.
_LETTERS = {
    "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "ħ": "h", "ŧ": "t",
    "ŋ": "n", "ĸ": "k", "ſ": "s", "ß": "ss", "ə": "a", "ɓ": "b", "ɗ": "d", "ɖ": "d", "ƙ": "k", "ƴ": "y",
    "ɛ": "e", "ɔ": "o", "ɲ": "n", "ɩ": "i", "ʋ": "v", "ƒ": "f", "ɣ": "g", "ʃ": "s", "ʒ": "z", "ƶ": "z",
    "ƀ": "b", "ȼ": "c", "ɇ": "e", "ǥ": "g", "ɨ": "i", "ɉ": "j", "ƚ": "l", "ɵ": "o", "ɍ": "r", "ʉ": "u",
    "ɏ": "y", "ǝ": "e", "ɑ": "a", "ȷ": "j", "ꜳ": "aa", "ꝏ": "oo", "ⱥ": "a", "ⱦ": "t", "ȥ": "z",
}  # fmt: skip

# Combining marks that only decorate Latin, Greek and Cyrillic letters; the marks of other scripts are letters' bodies.
_ACCENTS = (
    (0x0300, 0x036F), (0x0483, 0x0489), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0x2DE0, 0x2DFF),
    (0xA66F, 0xA672), (0xA674, 0xA67D), (0xA69E, 0xA69F), (0xFE00, 0xFE0F), (0xFE20, 0xFE2F), (0xE0100, 0xE01EF),
)  # fmt: skip


class _Memo(dict[int, str]):
    """A table for `str.translate` that works out a character once, when it is first met."""

    def __init__(self, rule: str) -> None:
        super().__init__()
        self._rule = rule

    def __missing__(self, code: int) -> str:
        char = chr(code)
        result = _folded_char(char, code) if self._rule == "fold" else _cleaned_char(char, code)
        self[code] = result
        return result


def _folded_char(char: str, code: int) -> str:
    if char in _LETTERS:
        return _LETTERS[char]
    if char in _APOSTROPHES or char == "\u0640" or any(low <= code <= high for low, high in _ACCENTS):
        return ""
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category == "Cf":
        return ""
    return char if category[0] in "LMN" or category in ("Co", "Cn") else " "


# Unseen and able to make a text read as another one: direction overrides, embeddings and isolates, byte order marks.
_INVISIBLE = frozenset("\u00ad\u200b\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _cleaned_char(char: str, code: int) -> str:
    if char.isspace():
        return " "
    if char in _INVISIBLE or unicodedata.category(char) == "Cc":
        return ""
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else char


_FOLD = _Memo("fold")
_CLEAN = _Memo("clean")
_ASCII_FOLD = {code: _folded_char(chr(code), code) or None for code in range(128)}
# Marks that say nothing of a name but would decompose into letters.
_SIGNS = str.maketrans({"™": " ", "®": " ", "©": " ", "℠": " "})


def fold(text: str) -> str:
    """The form of *text* for comparison: no case, accents, apostrophes or punctuation, single spaces.

    Accents are dropped from Latin, Greek and Cyrillic letters, and Latin letters that are no accented ones are
    spelled out (``ø`` as ``o``, ``ß`` as ``ss``, ``þ`` as ``th``). Dots inside abbreviations join (``S.p.A.`` is
    ``spa``), other punctuation is a space. Decimal digits of any script become ASCII. Other scripts keep their
    letters. The result may be empty.

    >>> fold("  Łukasz O'Brien-Müller ")
    'lukasz obrien muller'
    >>> fold("김민준, M.D.")
    '김민준 md'
    """
    return _fold_cached(text) if len(text) <= _CACHED_LENGTH else _fold(text)


def _fold(text: str) -> str:
    if text.isascii():
        if "." in text:
            text = _INNER_DOT.sub(r"\1", text)
        return " ".join(text.lower().translate(_ASCII_FOLD).split())
    text = unicodedata.normalize("NFKD", text.translate(_SIGNS)).casefold()
    text = unicodedata.normalize("NFKD", text)
    if "·" in text:
        text = text.replace("l·l", "ll")
    if "." in text:
        text = _INNER_DOT.sub(r"\1", text)
    # Composed again, so that Korean syllables and voiced kana are what their readers expect.
    return unicodedata.normalize("NFC", " ".join(text.translate(_FOLD).split()))


_fold_cached = lru_cache(maxsize=65536)(_fold)


def tokens(text: str) -> tuple[str, ...]:
    """The words of the folded *text*.

    >>> tokens("Rue de l'Église, 12")
    ('rue', 'de', 'leglise', '12')
    """
    return tuple(fold(text).split())


def clean(text: str) -> str:
    """*text* as it should be kept: composed (NFC), trimmed, any run of white space one space.

    Tabs and line ends are white space. Other control characters, soft hyphens, zero-width spaces, byte order marks
    and marks that override the direction of writing are removed; joiners and plain direction marks stay, since
    Persian, Indic and Hebrew texts need them. A lone surrogate becomes U+FFFD.

    >>> clean(" Ann\\tLee\\x00 ")
    'Ann Lee'
    """
    if text.isascii() and text.isprintable():
        return text if text[:1] != " " and text[-1:] != " " and "  " not in text else " ".join(text.split())
    return unicodedata.normalize("NFC", " ".join(text.translate(_CLEAN).split()))


def digits(text: str) -> str:
    """The decimal digits of *text*, of whatever script, as ASCII digits; everything else is dropped.

    >>> digits("(020) ٧٩٤٦-0018")
    '02079460018'
    """
    if not text.isascii():
        text = _NON_ASCII_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), text)
    return _NOT_DIGIT.sub("", text)


# Ranges are compared in code: a compiled character class of this size would take milliseconds to import.
_CJK = (
    (0x1100, 0x11FF), (0x3005, 0x3007), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)  # fmt: skip


def is_cjk(text: str) -> bool:
    """Whether *text* has only Chinese characters, kana and Korean syllables, and has one.

    >>> is_cjk("김민준"), is_cjk("Kim")
    (True, False)
    """
    return bool(text) and all(any(low <= ord(char) <= high for low, high in _CJK) for char in text)


def is_hangul(text: str) -> bool:
    """Whether *text* has only Korean syllables, and has one.

    >>> is_hangul("김민준"), is_hangul("毛泽东")
    (True, False)
    """
    return bool(text) and all("\uac00" <= char <= "\ud7a3" for char in text)


Refusal = TypeVar("Refusal", bound=InvalidValue)


@overload
def storable(text: str) -> str: ...
@overload
def storable(text: str | None) -> str | None: ...
def storable(text: str | None) -> str | None:
    """*text* with U+FFFD in place of what no store can hold: U+0000 and lone surrogates. All else stays as it is.

    >>> storable("stop\\x00"), storable(None)
    ('stop\ufffd', None)
    """
    return _UNSTORABLE.sub("\ufffd", text) if isinstance(text, str) else text


def required(text: object, *, error: type[Refusal], what: str, limit: int) -> str:
    """*text* trimmed, when it is a text of 1 to *limit* characters that can be stored; *what* names it.

    Raises:
        InvalidValue: of the class *error*, with reason ``"type"``, ``"empty"``, ``"too_long"`` or ``"surrogate"``.

    >>> from crmcore.errors import InvalidName
    >>> required(" Ann ", error=InvalidName, what="a name", limit=9)
    'Ann'
    """
    if not isinstance(text, str):
        raise error(f"{what} is a text: give a str", reason="type")
    # Before anything that looks at the characters: refusing a hostile text must cost nothing.
    if len(text) > limit + _MARGIN:
        raise error(f"{what} is too long: give at most {limit} characters", reason="too_long")
    text = text.strip()
    if not text:
        raise error(f"{what} is missing: give a text that is not blank", reason="empty")
    if len(text) > limit:
        raise error(f"{what} is too long: give at most {limit} characters", reason="too_long")
    if _SURROGATE.search(text):
        raise error(f"{what} holds broken characters (lone surrogates): decode it again", reason="surrogate")
    return text


def kept(text: object, *, error: type[Refusal], what: str, limit: int) -> str:
    """Like `required`, and `clean`: the form in which names, numbers and lines are kept.

    Raises:
        InvalidValue: of the class *error*, as `required` does.

    >>> from crmcore.errors import InvalidName
    >>> kept("Ann  Lee\\n", error=InvalidName, what="a name", limit=9)
    'Ann Lee'
    """
    cleaned = clean(required(text, error=error, what=what, limit=limit))
    if not cleaned:
        raise error(f"{what} has only invisible characters: give a text that can be read", reason="empty")
    if len(cleaned) > limit:
        raise error(f"{what} is too long: give at most {limit} characters", reason="too_long")
    return cleaned
