"""Expectation and maximization, on pairs whose shares are known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.identity.model.columns import Column
from crmcore.identity.model.evidence import CERTAIN, LEVELS, PART, Sums, Tables
from crmcore.identity.model.expectation import Classes, fit, monotone
from crmcore.identity.model.policy import UNIT
from tests.identity.model.recorded import columns

COLUMNS = columns("phone", "postcode", "city", "occupation")
SAME = ((0, 0.1, 0.1, 0.8), (0, 0.1, 0.05, 0.05, 0.8), (0, 0.25, 0.15, 0.6), (0, 0.4, 0.1, 0.5))
OTHER = ((0, 0.97, 0.02, 0.01), (0, 0.9, 0.05, 0.04, 0.01), (0, 0.9, 0.05, 0.05), (0, 0.85, 0.05, 0.1))
PRIOR = 0.002
PAIRS = 5e6


class Expected:
    """Each pattern as often as it is to be expected, without chance: *scale* pairs in all, or only the *first* pattern.

    An independent count, with floats, of what the evidence is asked for.
    """

    def __init__(
        self, scale: float = PAIRS, *, first: int | None = None, chosen: tuple[Column, ...] = COLUMNS
    ) -> None:
        self.columns = chosen
        self.items: list[tuple[tuple[int, ...], float]] = []
        for levels in product(*(range(1, column.top + 1) for column in chosen)):
            same = prod(row[level] for row, level in zip(SAME, levels, strict=True))
            other = prod(row[level] for row, level in zip(OTHER, levels, strict=True))
            self.items.append((levels, scale * (PRIOR * same + (1 - PRIOR) * other)))
        self.items = self.items[:first]

    def expect(self, tables: Tables) -> Sums:
        width = (len(self.columns) + 1) * LEVELS
        sums = {True: [0.0] * width, False: [0.0] * width}
        totals = {True: 0.0, False: 0.0}
        for levels, count in self.items:
            odds = {True: 2.0 ** ((tables.prior + _sum(tables.same, levels)) / UNIT), False: 0.0}
            if tables.related is not None:
                odds[False] = 2.0 ** ((tables.related_prior + _sum(tables.related, levels)) / UNIT)
            for which, odd in odds.items():
                share = odd / (1 + odds[True] + odds[False]) * count
                totals[which] += share
                for at, level in enumerate(levels):
                    sums[which][at * LEVELS + level] += share
        return Sums(
            total=round(totals[True] * CERTAIN),
            related_total=round(totals[False] * CERTAIN),
            same=[round(share * CERTAIN * PART) for share in sums[True]],
            related=[round(share * CERTAIN * PART) for share in sums[False]],
        )

    def prune(self, tables: Tables) -> None:
        """Nothing is left out."""


def _sum(rows: Sequence[Sequence[int]], levels: Sequence[int]) -> int:
    return sum(row[level] for row, level in zip(rows, levels, strict=False))


def start(chosen: tuple[Column, ...] = COLUMNS, prior: float = 1e-4) -> Classes:
    return Classes(same=tuple((0.0, *column.usual) for column in chosen), other=OTHER, prior=prior)


FIXED = {column.name: False for column in COLUMNS}


def test_shares_are_found_again() -> None:
    found = fit(Expected(), start(), (), PAIRS, FIXED)
    assert found.prior == pytest.approx(PRIOR, rel=0.1)
    for shares, true in zip(found.same, SAME, strict=True):
        assert shares == pytest.approx(true, abs=0.02)


@pytest.mark.parametrize("prior", [1e-6, 1e-3, 0.1])
def test_where_learning_begins_does_not_matter(prior: float) -> None:
    found = fit(Expected(), start(prior=prior), (), PAIRS, FIXED)
    assert found.prior == pytest.approx(PRIOR, rel=0.1)


def test_shares_of_a_class_are_all_there_and_none_is_nothing() -> None:
    for evidence in (Expected(), Expected(10.0), Expected(first=1), Expected(first=0)):
        found = fit(evidence, start(), (), PAIRS, FIXED)
        for shares in found.same:
            assert sum(shares) == pytest.approx(1)
            assert min(shares[1:]) > 0
        assert found.other == OTHER
        assert 0 < found.prior < 1
        for bits in found.bits:
            assert list(bits[1:]) == sorted(bits[1:])


def test_a_third_class_takes_what_is_related_and_keeps_what_is_fixed() -> None:
    related = ((0, 0.1, 0.1, 0.8), (0, 0.2, 0.1, 0.1, 0.6), (0, 0.2, 0.1, 0.7), OTHER[3])
    begun = Classes(
        same=tuple((0.0, *column.usual) for column in COLUMNS),
        other=OTHER,
        prior=1e-3,
        related=related,
        related_prior=1e-4,
    )
    fixed = {column.name: column.name == "occupation" for column in COLUMNS}
    found = fit(Expected(), begun, (), PAIRS, fixed)
    assert found.related is not None
    assert found.related[3] == OTHER[3]
    assert all(sum(shares) == pytest.approx(1) and min(shares[1:]) > 0 for shares in found.related)


runs = st.lists(st.tuples(st.floats(-30, 30), st.floats(0, 1)), min_size=1, max_size=7)


@given(run=runs)
def test_weights_never_fall_and_keep_their_mean(run: list[tuple[float, float]]) -> None:
    bits, shares = [bit for bit, _ in run], [max(share, 1e-6) for _, share in run]
    found = monotone(bits, shares)
    assert found[0] == 0
    assert all(b >= a - 1e-9 for a, b in pairwise(found[1:]))
    assert sum(bit * share for bit, share in zip(found[1:], shares, strict=True)) == pytest.approx(
        sum(bit * share for bit, share in zip(bits, shares, strict=True)), abs=1e-6
    )
    if bits == sorted(bits):
        assert list(found[1:]) == bits
