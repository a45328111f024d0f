"""Calibration: the best monotone fit, exactly; stored as it is; and whether probabilities keep what they promise."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.errors import InvalidDocument, InvalidValue
from crmcore.identity.calibration import Calibration, CalibrationStep, calibrate, reliability
from crmcore.serde import dump, load
from crmcore.stats import wilson

LABELLED = st.lists(
    st.tuples(
        st.integers(-20, 20),
        st.booleans(),
        st.one_of(st.integers(1, 9), st.floats(0.01, 100, allow_nan=False)),
    ),
    min_size=1,
    max_size=25,
)
Labelled = list[tuple[int, bool, float]]


def isotonic(labelled: Labelled) -> dict[int, Fraction]:
    """By the formula max over the starts, min over the ends, of the mean between them (Robertson et al. 1988)."""
    scores = sorted({score for score, _, _ in labelled})

    def mean(first: int, last: int) -> Fraction:
        inside = [(same, Fraction(weight)) for score, same, weight in labelled if first <= score <= last]
        return sum((weight for same, weight in inside if same), Fraction()) / sum(w for _, w in inside)

    return {
        score: max(
            min(mean(first, last) for last in scores if last >= score) for first in scores if first <= score
        )
        for score in scores
    }


@given(LABELLED)
def test_a_calibration_is_the_isotonic_regression(labelled: Labelled) -> None:
    found = calibrate(labelled)
    for score, wanted in isotonic(labelled).items():
        assert found.probability(score) == round(1_000_000 * wanted) / 1_000_000


@given(LABELLED, st.randoms(use_true_random=False))
def test_the_order_of_labels_does_not_matter(labelled: Labelled, chance: random.Random) -> None:
    shuffled = list(labelled)
    chance.shuffle(shuffled)
    assert calibrate(shuffled) == calibrate(labelled)


@given(LABELLED, st.integers(-30, 30), st.integers(0, 30))
def test_a_higher_score_is_never_less_likely(labelled: Labelled, score: int, more: int) -> None:
    found = calibrate(labelled)
    assert 0 <= found.probability(score) <= found.probability(score + more) <= 1
    assert sum(step.labels for step in found.steps) == len(labelled)


@given(LABELLED)
def test_a_weight_is_that_many_labels(labelled: Labelled) -> None:
    whole = [(score, same, 1 + int(weight) % 4) for score, same, weight in labelled]
    apart = [(score, same, 1) for score, same, weight in whole for _ in range(weight)]
    assert [(s.score, s.ppm) for s in calibrate(whole).steps] == [
        (s.score, s.ppm) for s in calibrate(apart).steps
    ]


@given(LABELLED)
def test_a_calibration_is_stored_without_floats_and_read_back(labelled: Labelled) -> None:
    found = calibrate(labelled)
    stored = dump(found)
    assert load(Calibration, stored) == found
    assert all(type(value) is int for step in stored["steps"] for value in step.values())


def test_an_example_by_hand() -> None:
    """The labels of 2 and 3 are the wrong way round and share one half; 4 has two thirds."""
    labelled = [(1, False, 1), (2, True, 1), (3, False, 1), (4, True, 2), (4, False, 1), (9, True, 1)]
    steps = [(step.score, step.ppm, step.labels) for step in calibrate(labelled).steps]
    assert steps == [(1, 0, 1), (2, 500_000, 2), (4, 666_667, 2), (9, 1_000_000, 1)]
    probabilities = [calibrate(labelled).probability(score) for score in (-7, 1, 3, 8, 100)]
    assert probabilities == [0.0, 0.0, 0.5, 0.666667, 1.0]


def test_what_a_newer_version_stored_beside_is_kept() -> None:
    stored = dump(calibrate([(1, True, 1)])) | {"made_of": "reviews"}
    assert dump(load(Calibration, stored)) == stored


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [(1, -1, 1)],
        [(1, 1_000_001, 1)],
        [(1, 10, 1), (1, 20, 1)],
        [(2, 10, 1), (1, 20, 1)],
        [(1, 20, 1), (2, 10, 1)],
        [(1, 10, 1), (2, 10, 1)],
    ],
)
def test_steps_that_do_not_rise_are_refused(steps: list[tuple[int, int, int]]) -> None:
    made = tuple(CalibrationStep(score=score, ppm=ppm, labels=labels) for score, ppm, labels in steps)
    with pytest.raises(InvalidValue):
        Calibration(steps=made)
    with pytest.raises(InvalidDocument):
        load(Calibration, {"steps": [dump(step) for step in made]})


@pytest.mark.parametrize("weight", [0, -1, math.inf, math.nan])
def test_a_weight_that_is_no_positive_number_is_refused(weight: float) -> None:
    with pytest.raises(InvalidValue):
        calibrate([(1, True, weight)])


def test_nothing_cannot_be_learned_from() -> None:
    with pytest.raises(InvalidValue):
        calibrate([])


SCORES = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60)


@given(SCORES, st.integers(1, 20))
def test_each_probability_is_in_one_bin_with_its_like(scores: list[tuple[float, bool]], bins: int) -> None:
    table = reliability(scores, bins)
    assert sum(bin.count for bin in table) == len(scores)
    assert [bin.low for bin in table] == sorted({bin.low for bin in table})
    for bin in table:
        last = bin.high == 1
        inside = [pair for pair in scores if bin.low <= pair[0] < bin.high or (last and pair[0] == 1)]
        assert bin.count == len(inside) > 0
        assert bin.high - bin.low == pytest.approx(1 / bins)
        assert bin.predicted == pytest.approx(sum(p for p, _ in inside) / len(inside))
        assert bin.observed == wilson(sum(same for _, same in inside), len(inside))


def test_promises_that_are_kept_are_told_from_those_that_are_not() -> None:
    kept = [(0.75, at % 4 != 0) for at in range(400)]
    broken = [(0.9, at % 2 == 0) for at in range(400)]
    assert [bin.kept for bin in reliability([*kept, *broken])] == [True, False]
    assert reliability([]) == ()


@pytest.mark.parametrize(
    "call",
    [
        lambda: reliability([(1.1, True)]),
        lambda: reliability([(-0.1, True)]),
        lambda: reliability([(math.nan, True)]),
        lambda: reliability([(0.5, True)], 0),
        lambda: reliability([(0.5, True)], confidence=1),
    ],
)
def test_what_is_no_probability_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(InvalidValue):
        call()
