"""Evaluation against the truth: equal to what listing all pairs gives, and indifferent to names and order."""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.errors import InvalidValue
from crmcore.identity.evaluation import SIZES, Evaluation, SizeClass, Tally, evaluate
from crmcore.identity.wrong_pairs import WrongPair

LABELS = st.integers(0, 30).flatmap(
    lambda size: st.tuples(*[st.lists(st.integers(0, max(1, size // 3)), min_size=size, max_size=size)] * 2)
)
Clustering = Sequence[Hashable]


def members(labels: Clustering, at: int) -> set[int]:
    return {other for other, label in enumerate(labels) if label == labels[at]}


def joined(labels: Clustering) -> set[tuple[int, int]]:
    return {(a, b) for a, b in combinations(range(len(labels)), 2) if labels[a] == labels[b]}


def clusters(labels: Clustering) -> set[frozenset[int]]:
    return {frozenset(members(labels, at)) for at in range(len(labels))}


def share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


@given(LABELS)
def test_every_figure_is_what_listing_all_pairs_gives(labels: tuple[list[int], list[int]]) -> None:
    found, true = labels
    done = evaluate(found, true)
    together, same = joined(found), joined(true)
    assert done.records == len(found)
    assert done.pairs == Tally(len(together), len(same), len(together & same))
    assert done.clusters == Tally(
        len(clusters(found)), len(clusters(true)), len(clusters(found) & clusters(true))
    )
    both = [len(members(found, at) & members(true, at)) for at in range(len(found))]
    precision = share(sum(n / len(members(found, at)) for at, n in enumerate(both)), len(found))
    recall = share(sum(n / len(members(true, at)) for at, n in enumerate(both)), len(found))
    assert done.bcubed.precision == pytest.approx(precision)
    assert done.bcubed.recall == pytest.approx(recall)


@given(LABELS)
def test_every_class_of_sizes_is_what_listing_its_records_gives(labels: tuple[list[int], list[int]]) -> None:
    found, true = labels
    done = evaluate(found, true)
    sides: list[tuple[Clustering, Clustering, tuple[SizeClass, ...]]] = [
        (found, true, done.by_found),
        (true, found, done.by_true),
    ]
    for own, other, classes in sides:
        assert sum(size.records for size in classes) == len(own)
        assert [size.smallest for size in classes] == sorted({size.smallest for size in classes})
        for size in classes:
            assert (size.smallest, size.largest) in SIZES
            within = [
                at
                for at in range(len(own))
                if size.smallest <= len(members(own, at)) <= (size.largest or 10**9)
            ]
            groups = {frozenset(members(own, at)) for at in within}
            pairs = {pair for pair in joined(own) if pair[0] in within}
            assert (size.records, size.clusters) == (len(within), len(groups))
            assert (size.pairs, size.shared_pairs) == (len(pairs), len(pairs & joined(other)))
            assert size.equal == len(groups & clusters(other))
            parts = [len(members(own, at) & members(other, at)) / len(members(own, at)) for at in within]
            assert size.bcubed == pytest.approx(sum(parts) / len(parts))


@given(LABELS, st.randoms(use_true_random=False))
def test_names_of_clusters_and_order_of_records_do_not_matter(
    labels: tuple[list[int], list[int]], chance: random.Random
) -> None:
    found, true = labels
    ids = [f"r{at}" for at in range(len(found))]
    done = evaluate(dict(zip(ids, found, strict=True)), dict(zip(ids, true, strict=True)), examples=3)
    named = {id: ("cluster", label) for id, label in zip(ids, found, strict=True)}
    truth = {id: str(label) for id, label in zip(ids, true, strict=True)}
    chance.shuffle(ids)
    assert (
        evaluate({id: named[id] for id in ids}, {id: truth[id] for id in reversed(ids)}, examples=3) == done
    )


@given(LABELS)
def test_found_and_true_are_mirrored(labels: tuple[list[int], list[int]]) -> None:
    one, other = evaluate(*labels), evaluate(*reversed(labels))
    assert (one.pairs.precision, one.pairs.recall) == (other.pairs.recall, other.pairs.precision)
    assert (one.bcubed.precision, one.by_found) == (other.bcubed.recall, other.by_true)
    assert (one.pairs.f1, one.clusters.f1) == (other.pairs.f1, other.clusters.f1)
    assert one.false_merges == other.false_splits


@given(LABELS)
def test_only_equal_clusterings_are_perfect(labels: tuple[list[int], list[int]]) -> None:
    found, true = labels
    done = evaluate(found, true)
    equal = clusters(found) == clusters(true)
    assert (done.bcubed.f1 == 1) == (equal and bool(found))
    assert (done.clusters.f1 == 1) == (equal and bool(found))
    assert (done.false_merges == done.false_splits == ()) == equal
    assert evaluate(true, true).pairs.f1 in (1, None)


def regrouped(parts: Sequence[Hashable], pairs: Sequence[WrongPair[int]]) -> set[frozenset[int]]:
    """The clusters that the *parts* and the *pairs* between them make."""
    labels = list(parts)
    for pair in pairs:
        old, new = labels[pair.b], labels[pair.a]
        labels = [new if label == old else label for label in labels]
    return clusters(labels)


@given(LABELS)
def test_what_both_agree_on_and_the_wrong_pairs_give_either_clustering(
    labels: tuple[list[int], list[int]],
) -> None:
    found, true = labels
    done = evaluate(found, true, examples=1000)
    agreed = list(zip(found, true, strict=True))
    assert regrouped(agreed, done.false_merges) == clusters(found)
    assert regrouped(agreed, done.false_splits) == clusters(true)


@given(LABELS, st.integers(0, 6))
def test_examples_are_wrong_few_in_order_and_tell_their_sizes(
    labels: tuple[list[int], list[int]], limit: int
) -> None:
    found, true = labels
    done = evaluate(found, true, examples=limit)
    everything = evaluate(found, true, examples=1000)
    for pairs, whole, own, other in (
        (done.false_merges, everything.false_merges, found, true),
        (done.false_splits, everything.false_splits, true, found),
    ):
        assert len(pairs) == min(limit, len(whole))
        assert set(pairs) <= set(whole)
        assert [(pair.a, pair.b) for pair in pairs] == sorted((pair.a, pair.b) for pair in pairs)
        for pair in pairs:
            assert pair.a < pair.b
            assert own[pair.a] == own[pair.b]
            assert other[pair.a] != other[pair.b]
            assert pair.size == len(members(own, pair.a))
            assert (pair.size_a, pair.size_b) == (
                len(members(other, pair.a)),
                len(members(other, pair.b)),
            )
        wrong = {own[pair.a] for pair in whole}
        assert len({own[pair.a] for pair in pairs}) == min(limit, len(wrong))


def test_examples_do_not_favour_low_ids() -> None:
    found = [at // 2 for at in range(2000)]
    shown = evaluate(found, range(2000), examples=100).false_merges
    assert 700 < sum(pair.a for pair in shown) / 100 < 1300


def test_an_example_by_hand() -> None:
    """Found {a b c} {d} {e f}, true {a b} {c d} {e f}: one pair of three too many, one of three missing."""
    found = {"a": 1, "b": 1, "c": 1, "d": 2, "e": 3, "f": 3}
    true = {"a": "x", "b": "x", "c": "y", "d": "y", "e": "z", "f": "z"}
    done = evaluate(found, true)
    assert done.pairs == Tally(found=4, true=3, both=2)
    assert (done.pairs.precision, done.pairs.recall, done.pairs.f1) == (2 / 4, 2 / 3, 4 / 7)
    assert done.clusters == Tally(found=3, true=3, both=1)
    # a and b have 2/3 of their cluster right, c 1/3; d, e and f all. c and d have half of theirs.
    assert done.bcubed.precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 3) / 6)
    assert done.bcubed.recall == pytest.approx((4 + 1 / 2 + 1 / 2) / 6)
    assert [(size.name, size.clusters, size.pairwise) for size in done.by_found] == [
        ("1", 1, None),
        ("2", 1, 1.0),
        ("3", 1, 1 / 3),
    ]
    assert [(size.name, size.equal, size.pairwise) for size in done.by_true] == [("2", 1, 2 / 3)]
    assert done.false_merges == (WrongPair(a="a", b="c", size=3, size_a=2, size_b=2),)
    assert done.false_splits == (WrongPair(a="c", b="d", size=2, size_a=3, size_b=1),)


def test_the_classes_of_sizes_have_the_names_that_people_use() -> None:
    labels = [size for size in (1, 2, 3, 4, 7, 19, 20, 300) for _ in range(size)]
    done = evaluate(labels, labels)
    assert [size.name for size in done.by_found] == ["1", "2", "3", "4", "5-9", "10-19", "20+"]
    assert [size.clusters for size in done.by_found] == [1, 1, 1, 1, 1, 1, 2]


def test_what_there_is_nothing_to_judge_by_is_none() -> None:
    nothing: Evaluation[Any] = evaluate({}, {})
    figures = (nothing.pairs.precision, nothing.pairs.recall, nothing.pairs.f1)
    assert figures == (nothing.bcubed.precision, nothing.bcubed.recall, nothing.bcubed.f1) == (None,) * 3
    alone = evaluate("abc", "xyz")
    assert (alone.pairs.f1, alone.bcubed.f1, alone.clusters.f1) == (None, 1.0, 1.0)
    missed = evaluate("abc", "xxx")
    assert (missed.pairs.precision, missed.pairs.recall, missed.pairs.f1) == (None, 0.0, 0.0)
    assert "0 records; 0 clusters found, 0 true" in nothing.text()


@given(LABELS)
def test_the_text_says_what_is_perfect_only_of_what_is(labels: tuple[list[int], list[int]]) -> None:
    found, true = labels
    text = evaluate(found, true).text()
    line = next(line for line in text.splitlines() if line.startswith("B-cubed"))
    assert (line.split()[1:] == ["1.0000"] * 3) == (clusters(found) == clusters(true) and bool(found))
    assert ("wrongly" in text) == (clusters(found) != clusters(true))
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_a_large_clustering_with_one_error_is_not_called_perfect() -> None:
    found = [at // 3 for at in range(90_000)]
    done = evaluate(found, [*found[:-1], -1])
    assert done.pairs.f1 is not None
    assert round(done.pairs.f1, 4) == 1.0
    line = next(line for line in done.text().splitlines() if line.startswith("pairs"))
    assert line.split()[1:4] == ["0.9999", "1.0000", "0.9999"]


def test_ids_are_printed_in_one_piece() -> None:
    odd = {" a\n": 1, "b\x1b[31m": 1}
    text = evaluate(odd, {" a\n": 1, "b\x1b[31m": 2}).text()
    assert r"' a\n' + 'b\x1b[31m'" in text


@pytest.mark.parametrize(
    ("found", "true", "says"),
    [
        (
            {"secret": 1, "b": 1},
            {"b": 1, "c": 2, "d": 3},
            "1 are only among those found, 2 only among the true",
        ),
        ([1, 2], [1], "2 were found, 1 are true"),
        ({0: 1}, [1], "as mappings or both as sequences"),
    ],
)
def test_clusterings_of_different_records_are_refused(found: Any, true: Any, says: str) -> None:
    with pytest.raises(InvalidValue, match=says) as refused:
        evaluate(found, true)
    assert "secret" not in str(refused.value)


def test_a_negative_number_of_examples_is_refused() -> None:
    with pytest.raises(InvalidValue):
        evaluate("a", "a", examples=-1)
