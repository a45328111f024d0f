"""Values one typing error apart, found with arrays: those that `crmcore.identity.model.candidates.neighbours` finds.

Invariant: two texts that are one error apart have a rest in common where each leaves out one letter, or one of them
none. Rests are told apart by numbers; what two texts with a common number are is looked at letter by letter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.exact import edit_counts
from crmcore.identity.batch.texts import Longs, Numbers
from crmcore.identity.model.candidates import CROWD, LEAST_LETTERS, MOST_LETTERS
from crmcore.identity.model.content import BASE, WORD

_KIND = 2
"""The letter of the kind and a colon, which are never left out."""

_BACK = np.uint64(pow(BASE, -1, WORD + 1))
_POWERS = np.array([pow(BASE, at + 1, WORD + 1) for at in range(MOST_LETTERS)], dtype=np.uint64)


def near_pairs(keys: Sequence[str]) -> NDArray[np.int64]:
    """The places of each two of the sorted *keys* that are of one kind and one error apart."""
    fit = [place for place, key in enumerate(keys) if LEAST_LETTERS + _KIND <= len(key) <= MOST_LETTERS]
    at, texts = np.array(fit, dtype=np.int64), [keys[place] for place in fit]
    if len(texts) < 2:
        return np.zeros((0, 2), dtype=np.int64)
    one, other = np.divmod(_meeting(*_rests(texts), len(texts)), len(texts))
    wrong = edit_counts([texts[place] for place in one], [texts[place] for place in other], 1)
    return np.stack([at[one[wrong <= 1]], at[other[wrong <= 1]]], axis=1)


def _rests(texts: Sequence[str]) -> tuple[Numbers, Longs]:
    """The numbers of all texts and of what is left of them without one letter, and of which text each is."""
    letters = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    ends = np.cumsum(lengths)
    of = np.repeat(np.arange(len(texts)), lengths)
    place = np.arange(len(letters)) - (ends - lengths)[of]
    sums = np.zeros(len(letters) + 1, dtype=np.uint64)
    np.cumsum((letters.astype(np.uint64) + np.uint64(1)) * _POWERS[place], out=sums[1:])
    begin, end = sums[ends - lengths], sums[ends]
    left = np.nonzero(place >= _KIND)[0]
    mine = of[left]
    # The letters behind the one that is left out move to the front by one place.
    rest = sums[left] - begin[mine] + _BACK * (end[mine] - sums[left + 1])
    return np.concatenate([end - begin, rest]), np.concatenate([np.arange(len(texts)), mine])


def _meeting(rests: Numbers, of: Longs, count: int) -> Longs:
    """Pairs of texts that have a rest in common which not too many have: the first times the count, and the second."""
    order = np.lexsort((of, rests))
    rests, of = rests[order], of[order]
    new = np.ones(len(of), dtype=np.bool_)
    new[1:] = (rests[1:] != rests[:-1]) | (of[1:] != of[:-1])
    rests, of = rests[new], of[new]
    starts = np.nonzero(np.concatenate([[True], rests[1:] != rests[:-1]]))[0]
    sizes = np.diff(np.concatenate([starts, [len(of)]]))
    found = [np.zeros(0, dtype=np.int64)]
    for size in np.unique(sizes[(sizes > 1) & (sizes <= CROWD)]).tolist():
        rows = of[starts[sizes == size][:, None] + np.arange(size)]
        first, second = np.triu_indices(size, 1)
        found.append((rows[:, first] * count + rows[:, second]).ravel())
    return np.unique(np.concatenate(found))
