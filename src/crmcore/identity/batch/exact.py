"""Levels of many pairs of values at once, for the columns where most of them are worked out.

Invariant: a level is the reference's, or `ASK`, which leaves the pair to the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.arrays import ColumnArrays
from crmcore.identity.batch.arrow import pa, pc
from crmcore.identity.batch.graders import Heard, Numbers9
from crmcore.identity.batch.texts import Flags, Ints, Levels, flags
from crmcore.identity.nicknames import one_is_short_for_the_other

ASK = 255

Exact = Callable[[Ints, Ints], Levels]
"""The levels of pairs of different codes."""


def edit_counts(one: list[str], other: list[str], most: int) -> NDArray[np.int64]:
    """How many errors two texts are apart; more than *most* are one more."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    found = process.cpdist(one, other, scorer=OSA.distance, score_cutoff=most, dtype=np.int64)
    return np.asarray(found, dtype=np.int64)


def word_levels(one: list[str], other: list[str]) -> NDArray[np.int8]:
    """What `crmcore.identity.name_levels.word_level` says of different words: 2 nearly, 1 roughly alike, 0 others."""
    from rapidfuzz import process
    from rapidfuzz.distance import JaroWinkler

    lengths = np.array([list(map(len, one)), list(map(len, other))], dtype=np.int64).reshape(2, -1)
    shorter, uneven = lengths.min(axis=0), lengths[0] != lengths[1]
    winkler = np.asarray(process.cpdist(one, other, scorer=JaroWinkler.similarity, dtype=np.float64))
    wrong = edit_counts(one, other, 3)
    near = np.where(shorter + uneven > 3, 2, 1)
    second = (winkler >= 0.94) | ((wrong == 2) & (shorter >= 6))
    rough = (winkler >= 0.88) | ((wrong == 2) & (shorter >= 5)) | ((wrong <= 3) & (shorter >= 7))
    found = np.where(wrong <= 1, near, np.where(second, 2, np.where(rough & (shorter >= 4), 1, 0)))
    return np.where((winkler >= 0.74) & (shorter >= 3), found, 0).astype(np.int8)


class _Words:
    """A column of names of which most are one word."""

    def __init__(self, column: ColumnArrays, heard: Heard) -> None:
        self.content = column.content
        self.heard = heard
        self.one = ~flags(pc.match_substring(column.content, " "))
        self.length = pc.binary_length(column.content).to_numpy(zero_copy_only=False)
        self.plain = flags(pc.string_is_ascii(column.content))

    def texts(self, a: Ints, b: Ints) -> tuple[list[str], list[str]]:
        one, other = (self.content.take(pa.array(codes)).to_pylist() for codes in (a, b))
        return one, other

    def sounds(self, alike: NDArray[np.int8], a: Ints, b: Ints) -> Flags:
        """Which pairs sound alike, of those that do not look so."""
        found = np.zeros(len(a), dtype=np.bool_)
        at = np.nonzero(alike == 0)[0]
        found[at] = self.heard.alike(a[at], b[at])
        return found

    def regular(self, a: Ints, b: Ints) -> Flags:
        """Which pairs are of two words of more than one letter."""
        fits = self.one & (self.length > 1) & self.plain
        return fits[a] & fits[b]


def _family_names(column: ColumnArrays, heard: Heard) -> Exact:
    words = _Words(column, heard)

    def levels(a: Ints, b: Ints) -> Levels:
        found = np.full(len(a), ASK, dtype=np.uint8)
        at = np.nonzero(words.regular(a, b))[0]
        alike = word_levels(*words.texts(a[at], b[at]))
        sounds = words.sounds(alike, a[at], b[at])
        found[at] = np.where(alike == 2, 4, np.where((alike == 1) | sounds, 2, 1))
        return found

    return levels


def _given_names(column: ColumnArrays, heard: Heard) -> Exact:
    words = _Words(column, heard)

    def levels(a: Ints, b: Ints) -> Levels:
        found = np.full(len(a), ASK, dtype=np.uint8)
        at = np.nonzero(words.regular(a, b))[0]
        one, other = words.texts(a[at], b[at])
        alike = word_levels(one, other)
        sounds = words.sounds(alike, a[at], b[at])
        short = [
            x.startswith(y) or y.startswith(x) if min(len(x), len(y)) > 2 else False
            for x, y in zip(one, other, strict=True)
        ]
        known = [one_is_short_for_the_other(x, y) for x, y in zip(one, other, strict=True)]
        brief = np.array(short, dtype=np.bool_) | np.array(known, dtype=np.bool_)
        found[at] = np.where(alike == 2, 5, np.where(brief, 4, np.where((alike == 1) | sounds, 3, 1)))
        return found

    return levels


def _phones(column: ColumnArrays) -> Exact:
    numbers = Numbers9(column)

    def levels(a: Ints, b: Ints) -> Levels:
        one, other = numbers.digits[a], numbers.digits[b]
        wrong = one != other
        count = wrong.sum(axis=1)
        # Two digits that stand side by side and changed places are one error.
        turned = (one[:, :-1] == other[:, 1:]) & (one[:, 1:] == other[:, :-1]) & wrong[:, :-1] & wrong[:, 1:]
        near = (count == 1) | ((count == 2) & turned.any(axis=1))
        # Zeros in front are not dialled from everywhere: what is left of one number may be the end of the other.
        zeros = np.maximum(numbers.zeros[a], numbers.zeros[b])
        ends = ~(wrong & (np.arange(9) >= zeros[:, None])).any(axis=1)
        ends &= numbers.zeros[a] != numbers.zeros[b]
        found = np.where(zeros > 2, 1, np.where(ends, 3, np.where(near, 2, 1)))
        return np.where(numbers.plain[a] & numbers.plain[b], found, ASK).astype(np.uint8)

    return levels


def _postcodes(column: ColumnArrays) -> Exact:
    def levels(a: Ints, b: Ints) -> Levels:
        one, other = (column.content.take(pa.array(codes)) for codes in (a, b))
        wrong = edit_counts(one.to_pylist(), other.to_pylist(), 1)
        area = flags(pc.equal(pc.utf8_slice_codeunits(one, 0, 3), pc.utf8_slice_codeunits(other, 0, 3)))
        return np.where(wrong <= 1, 3, np.where(area, 2, 1)).astype(np.uint8)

    return levels


NAMES: Mapping[str, Callable[[ColumnArrays, Heard], Exact]] = {
    "given name": _given_names,
    "family name": _family_names,
}
EXACT: Mapping[str, Callable[[ColumnArrays], Exact]] = {"phone": _phones, "postcode": _postcodes}
