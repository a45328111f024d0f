"""Which records and which random pairs stand for all: chosen by what they hold, never by chance or order.

Invariant: the choice is a function of the set of records.
"""

from __future__ import annotations

from collections.abc import Iterator

_SAMPLE = 200_000
_SAMPLE_A_RECORD = 60

LEANING = 30_000
"""By so many records it is seen which columns lean on each other."""


def random_stretches(records: int) -> list[tuple[int, int]]:
    """Stretches of random pairs, by how far apart the two are in the order of the records' numbers, and how many there
    are of these: neighbours, then the next but one, and so on.

    The numbers are random, so that neighbours in their order are strangers.

    >>> random_stretches(3)
    [(1, 2), (2, 1)]
    """
    left = min(_SAMPLE, _SAMPLE_A_RECORD * records)
    found: list[tuple[int, int]] = []
    for step in range(1, records):
        if not left:
            break
        found.append((step, min(records - step, left)))
        left -= found[-1][1]
    return found


def random_pairs(records: int) -> Iterator[tuple[int, int]]:
    """The places of the two records of each random pair.

    >>> list(random_pairs(3))
    [(0, 1), (1, 2), (0, 2)]
    """
    for step, length in random_stretches(records):
        for one in range(length):
            yield one, one + step
