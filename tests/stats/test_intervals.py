"""Intervals: the published values, the laws that every interval keeps, and how often they hold the truth."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crmcore.errors import InvalidValue
from crmcore.stats import Estimate, ratio, weighted_sum, wilson
from crmcore.stats.intervals import quantile

COUNTS = st.integers(1, 500).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))
PARTS = COUNTS.map(lambda counts: wilson(*counts))
WEIGHTS = st.integers(0, 1000)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [  # R. G. Newcombe (1998), Statistics in Medicine 17:857-872, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_a_proportion_has_the_published_interval(
    successes: int, trials: int, low: float, high: float
) -> None:
    found = wilson(successes, trials)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.value == successes / trials


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [  # R. G. Newcombe (1998), Statistics in Medicine 17:873-890, table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
    ],
)
def test_a_difference_has_the_published_interval(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    found = weighted_sum([(1, wilson(*one)), (-1, wilson(*other))])
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(COUNTS, st.sampled_from([0.5, 0.8, 0.95, 0.999]))
def test_the_bounds_of_a_proportion_are_where_the_score_test_turns(
    counts: tuple[int, int], confidence: float
) -> None:
    found = wilson(*counts, confidence=confidence)
    for bound in (found.low, found.high):
        deviation = abs(found.value - bound)
        error = math.sqrt(bound * (1 - bound) / counts[1])
        assert deviation == pytest.approx(quantile(confidence) * error, abs=1e-9)
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(COUNTS, st.integers(2, 50))
def test_more_of_the_same_narrows_from_both_sides(counts: tuple[int, int], times: int) -> None:
    few, many = wilson(*counts), wilson(counts[0] * times, counts[1] * times)
    assert few.low <= many.low <= many.value <= many.high <= few.high
    assert many.high - many.low < few.high - few.low


@given(COUNTS)
def test_success_and_failure_are_mirrored(counts: tuple[int, int]) -> None:
    successes, trials = counts
    found, mirrored = wilson(successes, trials), wilson(trials - successes, trials)
    assert (found.low, found.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low))


@given(COUNTS, st.integers(1, 2000))
def test_the_correction_for_a_finite_population_is_that_of_the_variance(
    counts: tuple[int, int], more: int
) -> None:
    """The variance of a mean drawn without putting back, Cochran (1977), theorem 2.2, with N - 1 for proportions."""
    trials, population = counts[1], counts[1] + more
    found = wilson(*counts, population=population)
    for bound in (found.low, found.high):
        variance = bound * (1 - bound) / trials * (population - trials) / (population - 1)
        assert abs(found.value - bound) == pytest.approx(quantile(0.95) * math.sqrt(variance), abs=1e-9)


@given(COUNTS, st.integers(0, 2000))
def test_a_finite_population_narrows_and_a_complete_one_is_certain(
    counts: tuple[int, int], more: int
) -> None:
    whole = wilson(*counts)
    part = wilson(*counts, population=counts[1] + more)
    assert whole.low <= part.low <= part.value <= part.high <= whole.high
    assert (part.low == part.high) == (more == 0)


@pytest.mark.parametrize("trials", [5, 20, 60])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(trials: int) -> None:
    """Exactly, over a grid of true proportions: Brown, Cai and DasGupta (2001) find a mean near 0.95, few dips."""
    intervals = [wilson(successes, trials) for successes in range(trials + 1)]
    covered = []
    for step in range(1, 400):
        truth = step / 400
        covered.append(
            sum(
                math.comb(trials, successes) * truth**successes * (1 - truth) ** (trials - successes)
                for successes, found in enumerate(intervals)
                if found.low <= truth <= found.high
            )
        )
    assert 0.945 < sum(covered) / len(covered) < 0.97
    assert min(covered) > 0.83


@given(st.lists(st.tuples(st.integers(-50, 50), PARTS), max_size=6), st.integers(-9, 9))
def test_a_sum_is_no_less_certain_than_its_worst_case_and_no_more_than_each_part(
    terms: list[tuple[int, Estimate]], constant: int
) -> None:
    found = weighted_sum(terms, constant)
    ends = [sorted((weight * part.low, weight * part.high)) for weight, part in terms]
    assert sum(low for low, _ in ends) + constant <= found.low + 1e-9
    assert found.high - 1e-9 <= sum(high for _, high in ends) + constant
    for (weight, part), (low, high) in zip(terms, ends, strict=True):
        assert found.low <= found.value - (weight * part.value - low) + 1e-9
        assert found.high >= found.value + (high - weight * part.value) - 1e-9


@given(PARTS)
def test_a_sum_of_one_is_that_one(part: Estimate) -> None:
    found = weighted_sum([(1, part)])
    assert (found.value, found.low, found.high) == pytest.approx((part.value, part.low, part.high))


@given(COUNTS, COUNTS, st.integers(1, 1000), st.integers(1, 1000))
def test_a_ratio_is_as_the_closed_form_has_it(
    one: tuple[int, int], other: tuple[int, int], times: int, others: int
) -> None:
    """Equation 9 of Donner and Zou (2012) gives the odds of the second sum to the first."""
    assume(one[0] > 0)
    top, rest = wilson(*one), wilson(*other)
    found = ratio([(times, times, top), (0, others, rest)])
    assert found is not None
    t1, l1, u1 = (others * bound for bound in (rest.value, rest.low, rest.high))
    t2, l2, u2 = (times * bound for bound in (top.value, top.low, top.high))
    # The form divides by l2 * (2 * t2 - l2), which is positive.
    least = t1 * t2 - math.sqrt(max(0.0, (t1 * t2) ** 2 - l1 * (2 * t1 - l1) * u2 * (2 * t2 - u2)))
    most = t1 * t2 + math.sqrt((t1 * t2) ** 2 + u1 * (u1 - 2 * t1) * l2 * (2 * t2 - l2))
    if abs(u2 * (2 * t2 - u2)) > 1e-6 * t2 * t2:
        assert found.high == pytest.approx(1 / (1 + least / (u2 * (2 * t2 - u2))), abs=1e-6)
    assert found.low == pytest.approx(1 / (1 + most / (l2 * (2 * t2 - l2))), abs=1e-6)


@given(st.lists(st.tuples(WEIGHTS, WEIGHTS, PARTS), min_size=1, max_size=5), WEIGHTS)
def test_a_ratio_is_a_share_within_its_interval(terms: list[tuple[int, int, Estimate]], rest: int) -> None:
    shares = [(part, part + more, estimate) for part, more, estimate in terms]
    found = ratio(shares, rest)
    whole = rest + sum(weight * estimate.value for _, weight, estimate in shares)
    assert (found is None) == (whole == 0)
    if found is not None:
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert found.value * whole == pytest.approx(sum(w * estimate.value for w, _, estimate in shares))


@given(st.lists(st.tuples(WEIGHTS, PARTS), min_size=1, max_size=5))
def test_a_ratio_to_a_constant_is_a_weighted_sum(terms: list[tuple[int, Estimate]]) -> None:
    total = sum(weight for weight, _ in terms)
    assume(total > 0)
    found = ratio([(weight, 0, part) for weight, part in terms], total)
    wanted = weighted_sum([(weight / total, part) for weight, part in terms])
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((wanted.value, wanted.low, wanted.high))


def test_a_ratio_to_nothing_is_unknown() -> None:
    assert ratio([(0, 5, wilson(0, 9))]) is None
    assert ratio([]) is None


@pytest.mark.parametrize(
    "call",
    [
        lambda: wilson(0, 0),
        lambda: wilson(-1, 3),
        lambda: wilson(4, 3),
        lambda: wilson(math.nan, 3),
        lambda: wilson(1, math.inf),
        lambda: wilson(1, 3, population=2),
        lambda: wilson(1, 3, confidence=0),
        lambda: wilson(1, 3, confidence=95),
        lambda: ratio([(-1, 1, wilson(1, 3))]),
        lambda: ratio([(2, 1, wilson(1, 3))]),
        lambda: ratio([], -1),
        lambda: Estimate(0.5, 0.6, 0.7),
        lambda: Estimate(math.nan, 0, 1),
    ],
)
def test_what_cannot_be_is_refused(call: object) -> None:
    assert callable(call)
    with pytest.raises(InvalidValue):
        call()
