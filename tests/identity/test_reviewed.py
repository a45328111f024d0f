"""Evaluation from a sample: what it can tell, how certain, and what it cannot tell."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.errors import InvalidValue
from crmcore.identity.evaluation import evaluate
from crmcore.identity.reviewed import Estimates, ReviewedPairs, evaluate_pairs, evaluate_sample
from crmcore.stats import Estimate, wilson


@st.composite
def kinds(draw: st.DrawFn) -> ReviewedPairs:
    reviewed = draw(st.integers(1, 100))
    return ReviewedPairs(
        predicted=draw(st.booleans()),
        pairs=reviewed + draw(st.integers(0, 5000)),
        reviewed=reviewed,
        same=draw(st.integers(0, reviewed)),
    )


def kind(predicted: bool, pairs: int, reviewed: int, same: int) -> ReviewedPairs:
    return ReviewedPairs(predicted=predicted, pairs=pairs, reviewed=reviewed, same=same)


@given(st.lists(kinds(), max_size=6))
def test_estimates_are_the_weighted_shares(reviewed: list[ReviewedPairs]) -> None:
    done = evaluate_pairs(reviewed)
    right = sum(kind.pairs * kind.same / kind.reviewed for kind in reviewed if kind.predicted)
    found = sum(kind.pairs for kind in reviewed if kind.predicted)
    missed = sum(kind.pairs * kind.same / kind.reviewed for kind in reviewed if not kind.predicted)
    both_seen = len({kind.predicted for kind in reviewed}) == 2
    assert (done.precision is None) == (found == 0)
    assert (done.recall is None) == (not both_seen or right + missed == 0)
    assert (done.f1 is None) == (not both_seen)
    if done.precision is not None:
        assert done.precision.value == pytest.approx(right / found)
    if done.recall is not None:
        assert done.recall.value == pytest.approx(right / (right + missed))
    if done.f1 is not None:
        assert done.f1.value == pytest.approx(2 * right / (found + right + missed))


@given(st.lists(kinds(), min_size=1, max_size=4))
def test_who_has_reviewed_everything_is_certain(reviewed: list[ReviewedPairs]) -> None:
    whole = [kind(one.predicted, one.reviewed, one.reviewed, one.same) for one in reviewed]
    done = evaluate_pairs(whole)
    for one in (done.precision, done.recall, done.f1):
        if one is not None:
            assert one.high - one.low < 1e-9


def test_one_kind_has_the_interval_of_its_proportion() -> None:
    done = evaluate_pairs([kind(True, 10**6, 100, 97)])
    wanted = wilson(97, 100, population=10**6)
    assert done.precision is not None
    assert (done.precision.low, done.precision.high) == pytest.approx((wanted.low, wanted.high))


def test_kinds_without_pairs_change_nothing() -> None:
    some = [kind(True, 50, 20, 18), kind(False, 90, 30, 3)]
    assert evaluate_pairs([*some, kind(False, 0, 0, 0)]) == evaluate_pairs(some)


def test_recall_needs_pairs_that_were_kept_apart() -> None:
    done = evaluate_pairs([kind(True, 50, 20, 18)])
    assert (done.recall, done.f1) == (None, None)
    assert done.text().splitlines()[1:] == ["recall     not known", "F1         not known"]
    assert evaluate_pairs([kind(False, 50, 20, 1)]) == Estimates(precision=None, recall=None)


def test_a_sample_of_millions_that_were_kept_apart_says_next_to_nothing_of_recall() -> None:
    done = evaluate_pairs([kind(True, 10_000, 100, 99), kind(False, 5_000_000_000, 1000, 0)])
    assert done.recall is not None
    assert done.recall.value == 1.0
    assert done.recall.low < 0.01


def held(runs: int, run: Callable[[], tuple[tuple[float | None, Estimate | None], ...]]) -> list[float]:
    """How often each interval holds the truth."""
    counts: list[int] = []
    for _ in range(runs):
        figures = run()
        counts = counts or [0] * len(figures)
        for at, (truth, estimate) in enumerate(figures):
            assert truth is not None
            assert estimate is not None
            counts[at] += estimate.low <= truth <= estimate.high
    return [count / runs for count in counts]


def test_intervals_from_pairs_hold_the_truth_about_as_often_as_they_say() -> None:
    chance = random.Random(7)
    same = {(True, 9000): 8950, (True, 1000): 850, (False, 3000): 150}
    right, missed = 8950 + 850, 150

    def run() -> tuple[tuple[float | None, Estimate | None], ...]:
        drawn = [
            kind(
                predicted,
                pairs,
                100,
                sum(at < same[predicted, pairs] for at in chance.sample(range(pairs), 100)),
            )
            for predicted, pairs in same
        ]
        done = evaluate_pairs(drawn)
        truth = (right / 10_000, right / (right + missed), 2 * right / (10_000 + right + missed))
        return tuple(zip(truth, (done.precision, done.recall, done.f1), strict=True))

    assert all(0.91 < share <= 1 for share in held(400, run))


def people(records: int) -> tuple[list[int], list[int]]:
    """Clusters of one to twelve records, and what a matcher that errs now and then made of them."""
    chance = random.Random(3)
    true: list[int] = []
    while len(true) < records:
        true += [len(true)] * chance.choices([1, 2, 3, 5, 12], [50, 25, 12, 8, 3])[0]
    found = [
        label if chance.random() < 0.93 else chance.choice([chance.choice(true), -1 - at])
        for at, label in enumerate(true)
    ]
    return found, true


def test_intervals_from_records_hold_the_truth_about_as_often_as_they_say() -> None:
    found, true = people(3000)
    whole = evaluate(found, true)
    by_label: dict[int, list[int]] = {}
    for at, label in enumerate(true):
        by_label.setdefault(label, []).append(at)
    chance, clusters = random.Random(9), dict(enumerate(found))

    def run() -> tuple[tuple[float | None, Estimate | None], ...]:
        sample = chance.sample(range(len(true)), 100)
        done = evaluate_sample(clusters, {at: by_label[true[at]] for at in sample})
        return (
            (whole.pairs.precision, done.pairs.precision),
            (whole.pairs.recall, done.pairs.recall),
            (whole.bcubed.precision, done.bcubed.precision),
            (whole.bcubed.recall, done.bcubed.recall),
        )

    assert all(0.93 < share <= 1 for share in held(200, run))


LABELS = st.integers(1, 15).flatmap(
    lambda size: st.tuples(*[st.lists(st.integers(0, 4), min_size=size, max_size=size)] * 2)
)


@given(LABELS)
def test_a_sample_of_all_records_is_the_evaluation(labels: tuple[list[int], list[int]]) -> None:
    found, true = labels
    sample = {at: [other for other, own in enumerate(true) if own == label] for at, label in enumerate(true)}
    done, whole = evaluate_sample(dict(enumerate(found)), sample), evaluate(found, true)
    for one, wanted in (
        (done.pairs.precision, whole.pairs.precision),
        (done.pairs.recall, whole.pairs.recall),
        (done.bcubed.precision, whole.bcubed.precision),
        (done.bcubed.recall, whole.bcubed.recall),
    ):
        assert (one is None) == (wanted is None)
        if one is not None:
            assert one.low == one.high == one.value == pytest.approx(wanted)


@given(LABELS, st.data())
def test_a_part_of_the_records_gives_an_interval_that_is_none(
    labels: tuple[list[int], list[int]], data: st.DataObject
) -> None:
    found, true = labels
    found, true = [*found, 9], [*true, 9]
    drawn = data.draw(st.sets(st.sampled_from(range(len(found) - 1)), min_size=1))
    sample = {at: [other for other, own in enumerate(true) if own == true[at]] for at in drawn}
    done = evaluate_sample(dict(enumerate(found)), sample)
    assert done.reviewed == len(drawn)
    for one in (done.pairs.precision, done.pairs.recall, done.bcubed.precision, done.bcubed.recall):
        if one is not None:
            assert 0 <= one.low <= one.value <= one.high <= 1
            assert one.low < one.high


def test_a_sample_without_errors_has_the_interval_of_its_proportion() -> None:
    found = {at: at for at in range(60)}
    done = evaluate_sample(found, {at: [] for at in range(20)})
    assert done.pairs == Estimates(precision=None, recall=None)
    wanted = wilson(20, 20, population=60)
    assert done.bcubed.precision is not None
    assert (done.bcubed.precision.low, done.bcubed.precision.high) == pytest.approx((wanted.low, 1.0))
    assert done.text().startswith("20 records reviewed\npairs     precision  not known\n")


@pytest.mark.parametrize(
    "call",
    [
        lambda: kind(True, 10, 11, 3),
        lambda: kind(True, 10, 5, 6),
        lambda: kind(True, 10, 5, -1),
        lambda: kind(True, 10, 0, 0),
        lambda: evaluate_sample({"a": 1}, {}),
        lambda: evaluate_sample({"a": 1}, {"b": []}),
        lambda: evaluate_sample({"a": 1}, {"a": ["b"]}),
        lambda: evaluate_sample({"a": 1, "b": 1}, {"a": ["b"], "b": []}),
    ],
)
def test_a_sample_that_makes_no_sense_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(InvalidValue):
        call()
