"""Which columns agree together by accident more often than each alone: people of one country share its names and towns.

Invariant: each column leans on one other at most (a tree; Chow and Liu, 1968), so that what columns have in common is
counted once and never taken off twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

import attrs

from crmcore.identity.model.evidence import PART, Agreements

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
    found: Mapping[tuple[int, int], Agreements], agreeing: Sequence[float], prior: float
) -> tuple[Dependence, ...]:
    """The dependences among columns, by how many pairs of records agree in each two of them; those that matter most to
    pairs of one customer first.

    *agreeing* is how often pairs of one customer agree on each column. As long as nothing is known of who is who, the
    agreements of one customer's records are taken off by the *prior* share of such pairs.
    """
    ranked: list[tuple[float, int, int, float]] = []
    for (a, b), counts in sorted(found.items()):
        same = agreeing[a] * agreeing[b]
        bits = _bits(counts, prior * same)
        if bits:
            ranked.append((-bits * same, a, b, bits))
    return _tree(sorted(ranked), len(agreeing))


def _bits(counts: Agreements, same: float) -> float:
    """By how many bits accidental agreement on both columns exceeds what each alone would make one expect."""
    if counts.count < _ENOUGH * PART:
        return 0.0
    pairs = counts.count * counts.count
    expected = counts.one * counts.other / pairs / PART**2
    observed = max((counts.both - same * pairs) / PART**2, 0.0)
    ratio = (observed + _EXPECTED) / (expected + _EXPECTED)
    return min(log2(ratio), _MOST_BITS) if ratio > _LEAST_RATIO else 0.0


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
