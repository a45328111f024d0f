"""Bounds on how alike two words can be, from counts of their letters: most pairs need no more.

Invariant: a bound is never too low. Two words share no more letters than the counts allow (each letter counted up to
two, what is above in one sum), an edit changes one letter, and Jaro's measure grows with the letters in common; so what
is ruled out here the reference would call different.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.texts import Flags, Ints, Numbers, any_bits, numbers_of, parts_of, texts_of

_CHUNK = 1 << 13
_OTHERS = 12
_SLACK = 1e-9
_CLASSES = 26 + _OTHERS


def _letter_classes() -> NDArray[np.uint8]:
    classes = np.array([26 + byte % _OTHERS for byte in range(256)], dtype=np.uint8)
    classes[ord("a") : ord("z") + 1] = np.arange(26)
    return classes


_LETTERS = _letter_classes()
_BITS = np.array(
    [*(1 << 2 * letter for letter in range(26)), *(1 << 52 + other for other in range(_OTHERS))],
    dtype=np.uint64,
)
_TWICE = np.array([*(1 << 2 * letter + 1 for letter in range(26)), *[0] * _OTHERS], dtype=np.uint64)


@attrs.frozen(eq=False, repr=False)
class Forms:
    """For each word its *length*, *letters* as bits, how many letters these leave out, and its first four bytes; *odd*
    are words that are not ASCII, of which nothing is ruled out."""

    length: Ints
    letters: Numbers
    excess: Ints
    head: NDArray[np.uint32]
    odd: Flags

    @classmethod
    def of(cls, words: Any) -> Forms:
        """The forms of words: a list, or an array of texts."""
        return cls.of_bytes(*parts_of(texts_of(words) if isinstance(words, list) else words))

    @classmethod
    def of_bytes(cls, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Forms:
        """The forms of words that lie one after the other."""
        count = len(offsets) - 1
        length = np.diff(offsets).astype(np.int32)
        letters, excess = np.zeros(count, dtype=np.uint64), np.zeros(count, dtype=np.int32)
        for start in range(0, count, _CHUNK):
            end = min(start + _CHUNK, count)
            mine = data[offsets[start] : offsets[end]]
            word = np.repeat(np.arange(end - start), length[start:end])
            seen = np.bincount(word * _CLASSES + _LETTERS[mine], minlength=(end - start) * _CLASSES)
            seen = seen.reshape(-1, _CLASSES)
            letters[start:end] = ((seen > 0) * _BITS + (seen > 1) * _TWICE).sum(axis=1, dtype=np.uint64)
            counted = np.minimum(seen, np.where(np.arange(_CLASSES) < 26, 2, 1)).sum(axis=1)
            excess[start:end] = length[start:end] - counted
        head = np.zeros(count, dtype=np.uint32)
        for at in range(4):
            long = np.nonzero(length > at)[0]
            head[long] |= data[offsets[:-1][long] + at].astype(np.uint32) << np.uint32(8 * at)
        odd = np.zeros(count, dtype=np.bool_)
        high = np.nonzero(data > 127)[0]
        odd[np.searchsorted(offsets, high, side="right") - 1] = True
        return cls(length, letters, excess, head, odd)

    def take(self, codes: Ints) -> Forms:
        """The forms of the words at some codes."""
        return Forms(
            self.length[codes], self.letters[codes], self.excess[codes], self.head[codes], self.odd[codes]
        )


def common(a: Forms, b: Forms) -> Ints:
    """How many letters two words have in common at most."""
    found = np.bitwise_count(a.letters & b.letters).astype(np.int32) + np.minimum(a.excess, b.excess)
    return np.minimum(found, np.minimum(a.length, b.length))


def errors(a: Forms, b: Forms) -> Ints:
    """How many edits two words are apart at least; 0 where nothing is known."""
    found = np.maximum(a.length, b.length) - common(a, b)
    return np.where(a.odd | b.odd, np.int32(0), found)


def prefix(a: Forms, b: Forms) -> NDArray[np.int8]:
    """How many letters two words have in common at their beginning, up to four; more is never said than there are."""
    differing = a.head ^ b.head
    found = np.zeros(len(differing), dtype=np.int8)
    for bits in (0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF):
        found += (differing & np.uint32(bits)) == 0
    return np.minimum(found, np.minimum(a.length, b.length)).astype(np.int8)


def winkler(a: Forms, b: Forms) -> NDArray[np.float64]:
    """How alike two words are at most (Jaro and Winkler)."""
    shared = common(a, b)
    shortest = np.maximum(np.minimum(a.length, b.length), 1)
    longest = np.maximum(np.maximum(a.length, b.length), 1)
    jaro = (shared / shortest + shared / longest + 1) / 3
    found = jaro + 0.1 * prefix(a, b) * (1 - jaro) + _SLACK
    return np.where(a.odd | b.odd, 1.0, np.where(shared > 0, found, 0.0))


def may_be_alike(a: Forms, b: Forms, least: int) -> Flags:
    """Whether two words can be at a level of `word_level` from *least* on: 1 roughly, 2 nearly alike, or equal."""
    shorter = np.minimum(a.length, b.length)
    wrong, alike = errors(a, b), winkler(a, b)
    found = (wrong <= 1) | (alike >= 0.94)
    if least == 1:
        found |= ((wrong <= 2) & (shorter >= 5)) | ((wrong <= 3) & (shorter >= 7))
        found |= (alike >= 0.88) & (shorter >= 4)
    else:
        found |= (wrong <= 2) & (shorter >= 6)
    equal = (a.length == b.length) & (a.letters == b.letters) & (a.head == b.head)
    return (found & (shorter >= 3) & (alike >= 0.74)) | equal | a.odd | b.odd


def blooms(sets: Iterable[Sequence[str]]) -> NDArray[np.uint64]:
    """Each set of words as two numbers: sets that have a word in common have a bit in common in both."""
    known = [tuple(words) for words in sets]
    offsets = np.concatenate([[0], np.cumsum([len(words) for words in known], dtype=np.int64)])
    return blooms_of(texts_of(chain.from_iterable(known)), offsets)


def blooms_of(words: Any, offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The same for sets that lie one after the other."""
    numbers = numbers_of(words)
    return np.stack([any_bits(numbers, offsets, 0), any_bits(numbers, offsets, 6)], axis=1)


def may_share(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> Flags:
    """Whether two sets can have a word in common."""
    return ((a & b) != 0).all(axis=-1)
