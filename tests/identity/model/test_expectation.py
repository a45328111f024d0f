"""Expectation and maximization, on pairs whose shares are known."""

from __future__ import annotations

from itertools import pairwise, product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.identity.model.columns import Column
from crmcore.identity.model.expectation import Classes, Item, fit, item, monotone
from crmcore.identity.model.patterns import BITS
from tests.identity.model.recorded import columns

COLUMNS = columns("phone", "postcode", "city", "occupation")
SAME = ((0, 0.1, 0.1, 0.8), (0, 0.1, 0.05, 0.05, 0.8), (0, 0.25, 0.15, 0.6), (0, 0.4, 0.1, 0.5))
OTHER = ((0, 0.97, 0.02, 0.01), (0, 0.9, 0.05, 0.04, 0.01), (0, 0.9, 0.05, 0.05), (0, 0.85, 0.05, 0.1))
PRIOR = 0.002
PAIRS = 5e6


def expected_items(scale: float = PAIRS) -> list[Item]:
    """Each pattern as often as it is to be expected, without chance."""
    items: list[Item] = []
    for levels in product(*(range(1, column.top + 1) for column in COLUMNS)):
        same = prod(row[level] for row, level in zip(SAME, levels, strict=True))
        other = prod(row[level] for row, level in zip(OTHER, levels, strict=True))
        count = scale * (PRIOR * same + (1 - PRIOR) * other)
        packed = sum(level << at * BITS for at, level in enumerate(levels))
        items.append(item(packed, len(COLUMNS), 0.0, count, count))
    return items


def start(chosen: tuple[Column, ...] = COLUMNS, prior: float = 1e-4) -> Classes:
    return Classes(same=tuple((0.0, *column.usual) for column in chosen), other=OTHER, prior=prior)


FIXED = {column.name: False for column in COLUMNS}


def test_shares_are_found_again() -> None:
    found = fit(expected_items(), start(), COLUMNS, PAIRS, FIXED)
    assert found.prior == pytest.approx(PRIOR, rel=0.1)
    for shares, true in zip(found.same, SAME, strict=True):
        assert shares == pytest.approx(true, abs=0.02)


@pytest.mark.parametrize("prior", [1e-6, 1e-3, 0.1])
def test_where_learning_begins_does_not_matter(prior: float) -> None:
    found = fit(expected_items(), start(prior=prior), COLUMNS, PAIRS, FIXED)
    assert found.prior == pytest.approx(PRIOR, rel=0.1)


def test_shares_of_a_class_are_all_there_and_none_is_nothing() -> None:
    for items in (expected_items(), expected_items(10.0), expected_items()[:1], []):
        found = fit(items, start(), COLUMNS, PAIRS, FIXED)
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
    found = fit(expected_items(), begun, COLUMNS, PAIRS, fixed)
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
