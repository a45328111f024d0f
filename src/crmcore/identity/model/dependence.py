"""Which columns agree together by accident more often than each alone: people of one country share its names and towns.

Invariant: each column leans on one other at most (a tree; Chow and Liu, 1968), so that what columns have in common is
counted once and never taken off twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log2

import attrs

from crmcore.identity.model.encoding import Table

_ENOUGH = 50
"""Fewer customers with both columns say nothing."""

_EXPECTED = 20
"""Agreements by accident that are presumed to be as expected: few observations do not speak for a dependence."""

_LEAST_RATIO = 1.2
_MOST_BITS = 12.0


@attrs.frozen
class Dependence:
    """Columns *a* and *b* agree together so many *bits* more often than two independent columns would, by accident."""

    a: int
    b: int
    bits: float


def dependences(
    table: Table, agreeing: Sequence[float], prior: float, weights: Sequence[float] | None = None
) -> tuple[Dependence, ...]:
    """The dependences among the columns of *table*, those that matter most to pairs of one customer first.

    *agreeing* is how often pairs of one customer agree on each column. As long as no *weights* of the records are
    known, the agreements of one customer's records are taken off by the *prior* share of such pairs.
    """
    terms = [_best_terms(table, at) for at in range(len(table.columns))]
    parts = [1.0] * len(table.rows) if weights is None else weights
    found: list[tuple[float, int, int, float]] = []
    for a in range(len(terms)):
        for b in range(a + 1, len(terms)):
            same = agreeing[a] * agreeing[b]
            bits = _bits(table, (a, b), (terms[a], terms[b]), parts, prior * same if weights is None else 0.0)
            if bits:
                found.append((-bits * same, a, b, bits))
    return _tree(sorted(found), len(terms))


def _best_terms(table: Table, at: int) -> list[str]:
    column = table.columns[at]
    term = column.terms.get(column.top)
    return ["", *(term.of(value) if term else str(value) for value in table.values[at][1:])]


def _bits(
    table: Table, at: tuple[int, int], terms: tuple[list[str], list[str]], parts: Sequence[float], same: float
) -> float:
    """By how many bits accidental agreement on both columns exceeds what each alone would make one expect."""
    ones: dict[str, float] = {}
    others: dict[str, float] = {}
    both: dict[tuple[str, str], float] = {}
    total = 0.0
    for row, part in zip(table.rows, parts, strict=True):
        one, other = terms[0][row[at[0]]], terms[1][row[at[1]]]
        if one and other:
            ones[one] = ones.get(one, 0.0) + part
            others[other] = others.get(other, 0.0) + part
            both[one, other] = both.get((one, other), 0.0) + part
            total += part
    if total < _ENOUGH:
        return 0.0
    pairs = total * total
    expected = _agreements(ones.values()) / pairs * _agreements(others.values())
    observed = max(_agreements(both.values()) - same * pairs, 0.0)
    ratio = (observed + _EXPECTED) / (expected + _EXPECTED)
    return min(log2(ratio), _MOST_BITS) if ratio > _LEAST_RATIO else 0.0


def _agreements(counts: Iterable[float]) -> float:
    return sum(count * max(count - 1, 0.0) for count in counts)


def _tree(found: Sequence[tuple[float, int, int, float]], count: int) -> tuple[Dependence, ...]:
    """The strongest dependences that make no circle."""
    parent = list(range(count))
    kept: list[Dependence] = []
    for _, a, b, bits in found:
        roots = []
        for at in (a, b):
            while parent[at] != at:
                at = parent[at]
            roots.append(at)
        if roots[0] != roots[1]:
            parent[roots[0]] = roots[1]
            kept.append(Dependence(a, b, bits))
    return tuple(kept)
