"""The recall debt: how many pairs of one customer stay apart since all they share are values that too many have.

Invariant: the estimate is a function of the set of records, the budget, the model and the groups. Which blocks and
pairs stand for all is chosen by what they hold, never by chance or order; all is integers but the last division.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from itertools import islice
from math import sqrt
from typing import Any, Protocol

import attrs

from crmcore.identity.model.evidence import CERTAIN

PAIRS = 20
"""So many pairs stand for a block, and for the few of the largest ones accordingly more."""

LEAST = CERTAIN // 100
"""Less likely pairs are not counted: of hundreds of millions even chances that mean nothing add up."""


@attrs.frozen(kw_only=True)
class RecallDebt:
    """*pairs* of different records of one customer that are in different groups and were not compared, estimated from
    the *sampled* pairs; give or take *error*, one standard error of the drawing. Of what is too rare to be met by so
    many pairs of the largest blocks neither knows anything; nor do they know better than the model.
    """

    pairs: float
    error: float
    sampled: int


@attrs.frozen
class Block:
    """Some *pairs* of a block that has so many in *total*; it is of the blocks of about its size, its *stratum*."""

    stratum: int
    total: int
    pairs: Sequence[tuple[int, int]]


@attrs.frozen
class Sample:
    """Blocks that stand for all that are too large, and how many there are of each stratum."""

    blocks: Sequence[Block]
    strata: Mapping[int, int]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The pairs of all blocks, one after the other."""
        return [pair for block in self.blocks for pair in block.pairs]


def stratum_of(size: int) -> int:
    """Blocks are told apart by size, each stratum up to twice the size of the one before."""
    return size.bit_length()


def blocks_a_stratum(records: int) -> int:
    """How many blocks stand for those of a stratum."""
    return min(max(records // 100, 25), 500)


def sample(oversized: Iterable[tuple[int, Sequence[int]]], records: int) -> Sample:
    """A sample of the blocks that are too large, given by the number of their key and their members, ascending."""
    strata: dict[int, list[tuple[int, Sequence[int]]]] = {}
    for number, members in oversized:
        strata.setdefault(stratum_of(len(members)), []).append((number, members))
    most = blocks_a_stratum(records)
    blocks: list[Block] = []
    for _, found in sorted(strata.items()):
        drawn = nsmallest(most, found, key=lambda block: block[0])
        pairs = pairs_a_block(records, len(drawn))
        blocks += [block_of(number, members, pairs) for number, members in drawn]
    return Sample(blocks, {stratum: len(found) for stratum, found in strata.items()})


def pairs_a_block(records: int, drawn: int) -> int:
    """How many pairs stand for each of the blocks that are drawn of a stratum."""
    return max(PAIRS * blocks_a_stratum(records) // drawn, PAIRS)


class Members(Protocol):
    """The records of a block: a list, or an array."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: int, /) -> Any: ...


def block_of(number: int, members: Members, most: int) -> Block:
    """So many pairs of a block, or all, whose key has this number."""
    size = len(members)
    places = islice(_places(size, number % size), most)
    pairs = [(int(members[a]), int(members[b])) for a, b in places]
    return Block(stratum_of(size), size * (size - 1) // 2, [(min(pair), max(pair)) for pair in pairs])


def _places(size: int, first: int) -> Iterator[tuple[int, int]]:
    """Pairs of places in a circle, each once: neighbours from the *first* on, then the next but one, and so on."""
    for step in range(1, size // 2 + 1):
        for place in range(size // 2 if 2 * step == size else size):
            yield (first + place) % size, (first + place + step) % size


def debt(sampled: Sample, owed: Sequence[int]) -> RecallDebt:
    """The debt where each pair of the sample owes so much: the probability that it is one customer, in parts of
    `CERTAIN`, divided by the number of too large blocks that hold it; nothing where it was compared or joined.

    Blocks of a stratum are drawn alike, and so are pairs within a block: Horvitz and Thompson's estimator (1952), and
    the usual variance of two stages of drawing.
    """
    found: dict[int, list[tuple[int, float]]] = {}
    at = 0
    for block in sampled.blocks:
        mine = owed[at : at + len(block.pairs)]
        found.setdefault(block.stratum, []).append(_of_block(block.total, mine))
        at += len(block.pairs)
    pairs, variance = 0.0, 0.0
    for stratum, amounts in sorted(found.items()):
        every, drawn, total = sampled.strata[stratum], len(amounts), sum(amount for amount, _ in amounts)
        pairs += every * total / drawn / CERTAIN
        variance += every / drawn * sum(spread for _, spread in amounts)
        if 1 < drawn < every:
            spread = _spread([amount for amount, _ in amounts])
            variance += every * (every - drawn) * spread / drawn
    return RecallDebt(pairs=pairs, error=sqrt(variance), sampled=at)


def _of_block(total: int, owed: Sequence[int]) -> tuple[int, float]:
    """What a block of so many pairs owes by those drawn, and the variance of that."""
    drawn = len(owed)
    variance = total * (total - drawn) * _spread(owed) / drawn if 1 < drawn < total else 0.0
    return total * sum(owed) // drawn, variance


def _spread(amounts: Sequence[int]) -> float:
    """The variance of amounts in parts of `CERTAIN`, worked out in whole numbers."""
    count, total = len(amounts), sum(amounts)
    squares = count * sum(amount * amount for amount in amounts) - total * total
    return squares / (count * (count - 1)) / CERTAIN / CERTAIN
