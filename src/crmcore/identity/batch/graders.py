"""What can be told of two values without comparing letters: whether they may be more than different; and what a value
is at with itself.

Invariant: a mask is true wherever the reference may find more than "different"; where it is false, it finds just that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.arrays import ColumnArrays
from crmcore.identity.batch.arrow import pa, pc
from crmcore.identity.batch.forms import Forms, blooms, blooms_of, errors, may_be_alike, may_share, prefix
from crmcore.identity.batch.texts import Flags, Ints, Levels, flags, ids_of, parts_of, texts_of
from crmcore.identity.latin import sounds
from crmcore.identity.nicknames import full_names

Mask = Callable[[Ints, Ints], Flags]
"""Whether two different values may be more than different."""


class Heard:
    """Whether two words sound alike; each is listened to when it is first asked of."""

    def __init__(self, words: Any) -> None:
        self._words = words
        self._ids = np.full(len(words), -1, dtype=np.int32)
        self._ids[~flags(pc.greater_equal(pc.binary_length(words), 4))] = -2
        self._known: dict[str, int] = {}
        # However a word is written, an l or an r in it is heard; only of very long ones the end is not listened to.
        spoken = [flags(pc.match_substring(words, letter)) for letter in "lr"]
        long = flags(pc.greater(pc.binary_length(words), 20))
        self._liquids = np.where(long, 4, spoken[0] * 2 + spoken[1]).astype(np.int8)
        self._long = long

    def alike(self, a: Ints, b: Ints) -> Flags:
        found = (self._liquids[a] == self._liquids[b]) | self._long[a] | self._long[b]
        at = np.nonzero(found)[0]
        found[at] = self._alike(a[at], b[at])
        return found

    def _alike(self, a: Ints, b: Ints) -> Flags:
        asked = np.zeros(len(self._ids), dtype=np.bool_)
        asked[a], asked[b] = True, True
        new = np.nonzero(asked & (self._ids == -1))[0]
        known = self._known
        self._ids[new] = [
            known.setdefault(key, len(known)) for key in sounds(self._words.take(pa.array(new)).to_pylist())
        ]
        return (self._ids[a] == self._ids[b]) & (self._ids[a] >= 0)


def _words_of(content: Any) -> tuple[Any, NDArray[np.int64]]:
    """The words of texts, one after the other, and where those of each text begin."""
    split = pc.utf8_split_whitespace(content)
    return split.flatten(), np.asarray(split.offsets, dtype=np.int64) - split.offsets[0].as_py()


def _long_words(content: Any) -> NDArray[np.uint64]:
    """The words of more than two letters of each text."""
    words, offsets = _words_of(content)
    long = flags(pc.greater(pc.utf8_length(words), 2))
    ends = np.concatenate([[0], np.cumsum(long)])
    return blooms_of(words.filter(pa.array(long)), ends[offsets])


def first_word(content: Any) -> Any:
    """Of names as words the first one."""
    return pc.replace_substring_regex(content, " .*$", "")


def joined_words(content: Any) -> Any:
    """Names without their spaces."""
    return pc.replace_substring(content, " ", "")


LISTENED: Mapping[str, Callable[[Any], Any]] = {"given name": first_word, "family name": joined_words}
"""What of a name is listened to."""


def given_names(column: ColumnArrays, heard: Heard) -> Mask:
    several = flags(pc.match_substring(column.content, " "))
    firsts = first_word(column.content)
    first, joined = Forms.of(firsts), Forms.of(joined_words(column.content))
    words = _long_words(column.content)
    short = blooms((word, *full_names(word)) for word in firsts.to_pylist())

    def may(a: Ints, b: Ints) -> Flags:
        one, other = first.take(a), first.take(b)
        initial = (one.length == 1) | (other.length == 1)
        open_ = initial & ((prefix(one, other) > 0) | may_share(words[a], words[b]))
        open_ |= _begins(one, other) | may_be_alike(one, other, 1) | may_share(short[a], short[b])
        more = np.nonzero((several[a] | several[b]) & ~open_)[0]
        x, y = a[more], b[more]
        open_[more] = may_be_alike(joined.take(x), joined.take(y), 2) | may_share(words[x], words[y])
        left = np.nonzero(~open_)[0]
        open_[left] = heard.alike(a[left], b[left])
        # Of further names the first may be the same.
        return open_ | ((one.head == other.head) & (one.length == other.length))

    return may


def _begins(one: Forms, other: Forms) -> Flags:
    """Whether a word of three letters or more may be the beginning of the other."""
    shorter = np.minimum(one.length, other.length)
    return (shorter >= 3) & (prefix(one, other) >= np.minimum(shorter, 4))


def family_names(column: ColumnArrays, heard: Heard) -> Mask:
    joined, words = Forms.of(joined_words(column.content)), _long_words(column.content)

    def may(a: Ints, b: Ints) -> Flags:
        one, other = joined.take(a), joined.take(b)
        open_ = (np.minimum(one.length, other.length) == 1) & (prefix(one, other) > 0)
        open_ |= may_be_alike(one, other, 1) | may_share(words[a], words[b])
        left = np.nonzero(~open_)[0]
        open_[left] = heard.alike(a[left], b[left])
        return open_

    return may


def emails(column: ColumnArrays) -> Mask:
    parts = pc.split_pattern(column.content, "@", max_splits=1, reverse=True)
    local = pc.if_else(pc.match_substring(column.content, "@"), pc.list_element(parts, 0), "")
    bare = pc.replace_substring_regex(local, "[^a-z0-9]+", "")
    odd = np.nonzero(~flags(pc.string_is_ascii(local)))[0]
    if len(odd):
        texts = ["".join(filter(str.isalnum, text)) for text in local.take(pa.array(odd)).to_pylist()]
        mask = np.zeros(len(local), dtype=np.bool_)
        mask[odd] = True
        bare = pc.replace_with_mask(bare, pa.array(mask), texts_of(texts))
    whole, letters = Forms.of(column.content), Forms.of(bare)
    same = ids_of(bare)[0]

    def may(a: Ints, b: Ints) -> Flags:
        one, other = whole.take(a), whole.take(b)
        shorter = np.minimum(one.length, other.length)
        allowed = np.where(shorter < 12, 1, np.where(shorter < 20, 2, 3))
        open_ = (shorter > 7) & (errors(one, other) <= allowed)
        one, other = letters.take(a), letters.take(b)
        open_ |= (np.minimum(one.length, other.length) > 4) & (errors(one, other) <= 1)
        open_ |= (same[a] == same[b]) & (one.length > 3)
        return open_ | whole.odd[a] | whole.odd[b]

    return may


class Numbers9:
    """Telephone numbers of nine digits and no more, as digits; and how many zeros each begins with."""

    def __init__(self, column: ColumnArrays) -> None:
        self.plain = flags(pc.match_substring_regex(column.content, "^[0-9]{9}$"))
        data, offsets = parts_of(column.content)
        self.digits = np.zeros((column.size, 9), dtype=np.uint8)
        at = np.nonzero(self.plain)[0]
        self.digits[at] = data[offsets[:-1][at][:, None] + np.arange(9)]
        self.zeros = np.cumprod(self.digits == ord("0"), axis=1, dtype=np.int8).sum(axis=1)


def phones(column: ColumnArrays) -> Mask:
    numbers = Numbers9(column)

    def may(a: Ints, b: Ints) -> Flags:
        # Of one length, two numbers are one error apart when one digit differs, or two that stand side by side.
        wrong = numbers.digits[a] != numbers.digits[b]
        return ~(numbers.plain[a] & numbers.plain[b]) | (wrong.sum(axis=1) <= 2) | ~wrong[:, 2:].any(axis=1)

    return may


def postcodes(column: ColumnArrays) -> Mask:
    whole, area = Forms.of(column.content), ids_of(pc.utf8_slice_codeunits(column.content, 0, 3))[0]
    return lambda a, b: (area[a] == area[b]) | (errors(whole.take(a), whole.take(b)) <= 1)


def places(column: ColumnArrays) -> Mask:
    joined, words = Forms.of(pc.replace_substring(column.content, " ", "")), _long_words(column.content)
    return lambda a, b: may_be_alike(joined.take(a), joined.take(b), 2) | may_share(words[a], words[b])


def categories(column: ColumnArrays) -> Mask:
    whole = Forms.of(column.content)
    return lambda a, b: may_be_alike(whole.take(a), whole.take(b), 2)


def birth_dates(column: ColumnArrays) -> Mask:
    plain = _days(column)
    data, offsets = parts_of(column.content)
    signs = np.zeros((column.size, 10), dtype=np.uint8)
    at = np.nonzero(plain)[0]
    signs[at] = data[offsets[:-1][at][:, None] + np.arange(10)]
    heaped = flags(pc.ends_with(column.content, "-01-01"))

    def may(a: Ints, b: Ints) -> Flags:
        one, other = signs[a], signs[b]
        wrong = one != other
        year, month, day = (~wrong[:, part].any(axis=1) for part in (slice(0, 4), slice(5, 7), slice(8, 10)))
        alike = wrong.sum(axis=1) <= 2
        alike |= year.astype(np.int8) + month + day >= 2
        turned = (one[:, 5:7] == other[:, 8:10]).all(axis=1) & (one[:, 8:10] == other[:, 5:7]).all(axis=1)
        alike |= year & (turned | heaped[a] | heaped[b])
        return (alike & ~(heaped[a] & heaped[b])) | ~plain[a] | ~plain[b]

    return may


def _days(column: ColumnArrays) -> Flags:
    found: Flags = flags(pc.match_substring_regex(column.content, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))
    return found


NAME_MASKS: Mapping[str, Callable[[ColumnArrays, Heard], Mask]] = {
    "given name": given_names,
    "family name": family_names,
}
MASKS: Mapping[str, Callable[[ColumnArrays], Mask]] = {
    "birth date": birth_dates,
    "e-mail": emails,
    "phone": phones,
    "postcode": postcodes,
    "city": places,
    "region": categories,
    "country": categories,
    "occupation": categories,
}


def _given_with_itself(column: ColumnArrays) -> Levels:
    several = flags(pc.match_substring(column.content, " "))
    return np.where(several, 7, 6).astype(np.uint8)


def _date_with_itself(column: ColumnArrays) -> Levels:
    known = pc.greater_equal(pc.utf8_length(column.content), 10)
    heaped = pc.ends_with(column.content, "-01-01")
    full = flags(pc.and_(known, pc.invert(heaped)))
    return np.where(full, 6, 4).astype(np.uint8)


ITSELF: Mapping[str, Callable[[ColumnArrays], Levels]] = {
    "given name": _given_with_itself,
    "birth date": _date_with_itself,
}
"""What a value is at with itself, where that is not the best level."""

BEST = frozenset(
    {"family name", "generation", "e-mail", "phone", "postcode", "city", "region", "country", "identifier",
     "occupation", "organization name", "employer"}
)  # fmt: skip
"""Columns whose values are at the best level with themselves."""
