"""What the trainer is told of the records, in whole numbers: the one thing that differs between the ways to run it.

Invariant: everything here is an integer and a sum of integers, so that every way to count comes to the same model to
the last bit, in whatever order it counts. Probabilities come from one table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from math import log2
from typing import Protocol

import attrs

from crmcore.identity.model.columns import Column
from crmcore.identity.model.patterns import BITS, MASK
from crmcore.identity.model.policy import UNIT

WHOLE = 1 << 20
"""What one record counts for, and the probability that is certainty when customers are counted."""

MASS = 1 << 6
"""In which parts of a customer the bearers of a term are counted."""

PART = 1 << 10
"""In which parts a pair, and a record whose columns are compared with each other, is counted."""

CERTAIN = 1 << 30
"""The probability that is certainty where pairs are expected."""

LEVELS = 8
MOST_TERM_BITS = 12
_STEP = UNIT >> 8
_REACH = 64
_MIDDLE = _REACH * 256
_NEAR = 32 * 256
_FAR = _MIDDLE - _NEAR
"""So far from even odds nothing is left to be rounded."""

HOPELESS = -14 * UNIT
"""Pairs of a lower score are not looked at again in the next loop."""

IMPOSSIBLE = -(30 + MOST_TERM_BITS) * UNIT
"""Nor are pairs that are below this without their terms."""

NEGLIGIBLE = -20 * UNIT
NEGLIGIBLE_RELATED = -12 * UNIT
"""Less likely pairs are left out of a round."""

BARREN = -25 * UNIT
BARREN_RELATED = -15 * UNIT
"""And less likely ones out of all later rounds."""

COUNTED = WHOLE // 100
"""Less likely pairs do not make a customer's records fewer."""


@cache
def certainties() -> tuple[int, ...]:
    """The probability for odds of 2^x, in parts of `CERTAIN`, for x in 256ths from -64 on."""
    near = [round(CERTAIN / (1 + 2.0 ** (-step / 256))) for step in range(-_NEAR, _NEAR + 1)]
    return (*[0] * _FAR, *near, *[CERTAIN] * _FAR)


@cache
def alternatives() -> tuple[int, ...]:
    """log2(1 + 2^x) in units of 2^-16 bit, for x in 256ths from -64 on."""
    near = [round(UNIT * log2(1 + 2.0 ** (step / 256))) for step in range(-_NEAR, _NEAR + 1)]
    return (*[0] * _FAR, *near, *(_STEP * step for step in range(_NEAR + 1, _MIDDLE + 1)))


def place(bits: int) -> int:
    """Where the tables have an amount in units of 2^-16 bit."""
    return min(max((bits + _STEP // 2) // _STEP + _MIDDLE, 0), 2 * _MIDDLE)


def probability(bits: int, other: int | None = None) -> int:
    """Of odds in units of 2^-16 bit, beside an *other* explanation that has such odds too; in parts of `CERTAIN`.

    >>> probability(0) * 2 == CERTAIN, round(probability(0, 0) * 3 / CERTAIN)
    (True, 1)
    """
    if other is not None:
        bits -= alternatives()[place(other)]
    return certainties()[place(bits)]


@attrs.frozen(kw_only=True)
class Tables:
    """What each level of each column is worth, in units of 2^-16 bit: for *same* customers and for *related* ones, the
    order of the names last. *together* are the columns that lean on each other: of both from these levels on so much is
    taken off."""

    same: tuple[tuple[int, ...], ...]
    prior: int
    related: tuple[tuple[int, ...], ...] | None = None
    related_prior: int = 0
    together: tuple[tuple[int, int, int, int, int], ...] = ()

    def taken(self, pattern: int) -> int:
        """What the dependences take off of a pattern."""
        return sum(
            bits
            for a, least_a, b, least_b, bits in self.together
            if (pattern >> a * BITS & MASK) >= least_a and (pattern >> b * BITS & MASK) >= least_b
        )


@attrs.frozen(kw_only=True)
class Sums:
    """How many pairs are expected to be of one customer, and related, in parts of `CERTAIN`; and their levels, each
    column's eight after the other's, in parts of `CERTAIN` times `PART`, where pairs of large customers count less."""

    total: int
    related_total: int
    same: Sequence[int]
    related: Sequence[int]


@attrs.frozen(kw_only=True)
class Agreements:
    """Among the records that have both of two columns: how many there are, and how many pairs of them agree in one, in
    the other, and in both, counted in `PART` s."""

    count: int
    one: int
    other: int
    both: int


class Evidence(Protocol):
    """The records, their pairs, and what is known of both by now.

    Each record counts for so much in each column, each pair for so much, and some pairs are still live.
    """

    @property
    def columns(self) -> tuple[Column, ...]: ...

    @property
    def records(self) -> int:
        """How many different records there are."""
        ...

    @property
    def given(self) -> int:
        """How many there are with their copies."""
        ...

    def bearers(self, at: int) -> Mapping[int, int]:
        """How many values of a column so many records have."""
        ...

    def presume(self, at: int, parts: Mapping[int, int]) -> None:
        """Let a record count for so much in a column, by how many have its value."""
        ...

    def masses(self, at: int, kind: str) -> Mapping[int, int]:
        """How many terms of a kind are borne by so many customers, in parts of `MASS`."""
        ...

    def value(self, at: int, kind: str, points: Mapping[int, int]) -> None:
        """What agreeing on a term adds, by how many customers bear it."""
        ...

    def sampled(self) -> Sequence[Sequence[int]]:
        """For each column, and for the order of the names, how often each level is seen in random pairs."""
        ...

    def agreements(self) -> Mapping[tuple[int, int], Agreements]:
        """For each two columns."""
        ...

    def together(self) -> Agreements:
        """For the first two columns: how many records, with copies, have both, and how many pairs of them agree in the
        one, in the other and in both."""
        ...

    def gather(self, tables: Tables) -> None:
        """Count the live pairs by their pattern and what their terms add."""
        ...

    def expect(self, tables: Tables) -> Sums:
        """What is to be expected of the pairs that were gathered."""
        ...

    def prune(self, tables: Tables) -> None:
        """Leave out of later rounds what will not come to anything."""
        ...

    def weigh(self, tables: Tables) -> None:
        """Let records and pairs count by who is expected to be who; hopeless pairs live no longer."""
        ...

    def terms(self, at: int, kind: str, unseen: int, least: int) -> Sequence[tuple[str, int]]:
        """The terms that add something else than *unseen* by more than *least*, with what they add."""
        ...


def counted(certainty: int) -> int:
    """A probability in parts of `CERTAIN` in parts of `WHOLE`; 0 where it is too little to count."""
    share = certainty * WHOLE // CERTAIN
    return share if share > COUNTED else 0


def part_of(share: int, copies: int) -> int:
    """What a record counts for that was given so many times and whose customer has *share* records like it."""
    return copies * WHOLE * WHOLE // share


def pair_part(one: int, other: int) -> int:
    """What a pair counts for when its customers have so many records."""
    return 2 * WHOLE * PART // (one + other)
