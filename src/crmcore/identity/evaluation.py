"""How well records were grouped by customer, where the true groups are known.

Invariant: the figures depend on which records stand together, never on the names of clusters or on the order of
records. Pairs are counted from the sizes of clusters and are not listed. What there is nothing to judge by is None.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, cast, overload

import attrs

from crmcore.errors import InvalidValue
from crmcore.identity.wrong_pairs import R, WrongPair, wrong_pairs

SIZES: tuple[tuple[int, int | None], ...] = ((1, 1), (2, 2), (3, 3), (4, 4), (5, 9), (10, 19), (20, None))
"""The smallest and the largest cluster of each class of sizes."""


@attrs.frozen
class Tally:
    """How many were *found*, how many are *true*, and how many are *both*.

    >>> Tally(4, 8, 3).precision, Tally(4, 8, 3).recall, Tally(4, 8, 3).f1
    (0.75, 0.375, 0.5)
    """

    found: int
    true: int
    both: int

    @property
    def precision(self) -> float | None:
        """The share of what was found that is true; None if nothing was found."""
        return self.both / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """The share of what is true that was found; None if nothing is true."""
        return self.both / self.true if self.true else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both; None if nothing was found and nothing is true."""
        return 2 * self.both / (self.found + self.true) if self.found + self.true else None


@attrs.frozen
class BCubed:
    """The means over all records of how much of a record's cluster belongs there (*precision*) and is there (*recall*).

    Source: A. Bagga, B. Baldwin (1998), Entity-based cross-document coreferencing using the vector space model,
    COLING-ACL, with equal weights; E. Amigó et al. (2009), Information Retrieval 12:461-486, compares it with others.
    """

    precision: float | None
    recall: float | None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both; None if there are no records."""
        if self.precision is None or self.recall is None:
            return None
        return 2 * self.precision * self.recall / (self.precision + self.recall)


@attrs.frozen(kw_only=True)
class SizeClass:
    """The clusters of *smallest* to *largest* records (None: no limit) of one clustering, and what the other holds too.

    *equal* counts the clusters that are one in the other clustering as well, *shared_pairs* the pairs that are together
    there. Of found clusters `pairwise` and *bcubed* are precision, of true ones they are recall.
    """

    smallest: int
    largest: int | None
    clusters: int
    records: int
    pairs: int
    equal: int
    shared_pairs: int
    bcubed: float

    @property
    def name(self) -> str:
        """The sizes as people write them: ``"3"``, ``"5-9"``, ``"20+"``."""
        if self.largest is None:
            return f"{self.smallest}+"
        return str(self.smallest) if self.smallest == self.largest else f"{self.smallest}-{self.largest}"

    @property
    def pairwise(self) -> float | None:
        """The share of the pairs that are together in the other clustering; None of clusters of one record."""
        return self.shared_pairs / self.pairs if self.pairs else None


@attrs.frozen(kw_only=True)
class Evaluation(Generic[R]):
    """What came of comparing a clustering with the truth.

    *pairs* counts pairs of records that are together, *clusters* those that are exactly the same. *by_found* has found
    clusters by their size, *by_true* true ones. *false_merges* and *false_splits* are examples, see `WrongPair`; how
    many there are is ``pairs.found - pairs.both`` and ``pairs.true - pairs.both``.
    """

    records: int
    pairs: Tally
    clusters: Tally
    bcubed: BCubed
    by_found: tuple[SizeClass, ...]
    by_true: tuple[SizeClass, ...]
    false_merges: tuple[WrongPair[R], ...] = ()
    false_splits: tuple[WrongPair[R], ...] = ()

    def text(self) -> str:
        """The evaluation for people to read. Of the records it has nothing but their ids."""
        from crmcore.identity.evaluation_text import evaluation_text

        return evaluation_text(self)


@overload
def evaluate(
    found: Mapping[R, Hashable], truth: Mapping[R, Hashable], *, examples: int = 10
) -> Evaluation[R]: ...
@overload
def evaluate(
    found: Sequence[Hashable], truth: Sequence[Hashable], *, examples: int = 10
) -> Evaluation[int]: ...
def evaluate(found: Any, truth: Any, *, examples: int = 10) -> Evaluation[Any]:
    """Compare the clusters *found* with the true ones.

    Both are mappings from the id of a record to the label of its cluster, or sequences of labels, where a record's id
    is its position. A label may be anything that is hashable, ids are of one type that has an order. There are at most
    *examples* of each kind of error.

    Raises:
        InvalidValue: if the two are not of the same records.

    >>> done = evaluate({"a": 1, "b": 1, "c": 1, "d": 2}, {"a": "x", "b": "x", "c": "y", "d": "y"})
    >>> done.pairs, done.bcubed.recall
    (Tally(found=3, true=2, both=1), 0.75)
    >>> done.false_merges[0].a, done.false_merges[0].b
    ('a', 'c')
    """
    if examples < 0:
        raise InvalidValue("the number of examples is not negative")
    ids, ones, others = _aligned(found, truth)
    cells = Counter(zip(ones, others, strict=True))
    found_side = _Side(cells, lambda cell: cell[0])
    true_side = _Side(cells, lambda cell: cell[1])
    equal = {cell for cell, n in cells.items() if n == found_side.sizes[cell[0]] == true_side.sizes[cell[1]]}
    by_found = found_side.by_size({one for one, _ in equal})
    by_true = true_side.by_size({other for _, other in equal})
    return Evaluation(
        records=len(ids),
        pairs=Tally(
            sum(group.pairs for group in by_found),
            sum(group.pairs for group in by_true),
            sum(_pairs(n) for n in cells.values()),
        ),
        clusters=Tally(len(found_side.sizes), len(true_side.sizes), len(equal)),
        bcubed=BCubed(found_side.bcubed(), true_side.bcubed()),
        by_found=by_found,
        by_true=by_true,
        false_merges=wrong_pairs(ids, ones, others, examples),
        false_splits=wrong_pairs(ids, others, ones, examples),
    )


def _aligned(found: Any, truth: Any) -> tuple[Sequence[Any], Sequence[Hashable], Sequence[Hashable]]:
    """The ids of the records, their found labels and their true ones."""
    if isinstance(found, Mapping) and isinstance(truth, Mapping):
        if found.keys() != truth.keys():
            more, less = len(found.keys() - truth.keys()), len(truth.keys() - found.keys())
            raise InvalidValue(
                f"the clusterings are of different records: {more:,} are only among those found, "
                f"{less:,} only among the true ones; compare those that both have"
            )
        ids = tuple(found)
        return ids, tuple(found[id] for id in ids), tuple(truth[id] for id in ids)
    if isinstance(found, Mapping) or isinstance(truth, Mapping):
        raise InvalidValue("two clusterings are both given as mappings or both as sequences of labels")
    if len(found) != len(truth):
        raise InvalidValue(
            f"the clusterings are of different records: {len(found):,} were found, {len(truth):,} are true"
        )
    return range(len(found)), found, truth


def _pairs(size: int) -> int:
    return size * (size - 1) // 2


class _Side:
    """One of two clusterings: the size of each cluster, and the sum of the squares of its parts in the other one."""

    def __init__(self, cells: Counter[tuple[Hashable, Hashable]], label: Callable[[Any], Hashable]) -> None:
        self.sizes: Counter[Hashable] = Counter()
        self.squares: Counter[Hashable] = Counter()
        for cell, n in cells.items():
            self.sizes[label(cell)] += n
            self.squares[label(cell)] += n * n

    def bcubed(self) -> float | None:
        return self._bcubed(self.sizes)

    def _bcubed(self, labels: Iterable[Hashable]) -> float | None:
        """A record in a part of n of a cluster of s has n / s; the n of them together n * n / s."""
        squares: Counter[int] = Counter()
        records = 0
        for label in labels:
            squares[self.sizes[label]] += self.squares[label]
            records += self.sizes[label]
        return math.fsum(square / size for size, square in squares.items()) / records if records else None

    def by_size(self, equal: set[Hashable]) -> tuple[SizeClass, ...]:
        """The classes that there are clusters of."""
        classes: dict[int, list[Hashable]] = {}
        for label, size in self.sizes.items():
            at = max(at for at, (smallest, _) in enumerate(SIZES) if smallest <= size)
            classes.setdefault(at, []).append(label)
        return tuple(self._class(*SIZES[at], classes[at], equal) for at in sorted(classes))

    def _class(
        self, smallest: int, largest: int | None, labels: list[Hashable], equal: set[Hashable]
    ) -> SizeClass:
        return SizeClass(
            smallest=smallest,
            largest=largest,
            clusters=len(labels),
            records=sum(self.sizes[label] for label in labels),
            pairs=sum(_pairs(self.sizes[label]) for label in labels),
            equal=sum(label in equal for label in labels),
            shared_pairs=sum((self.squares[label] - self.sizes[label]) // 2 for label in labels),
            bcubed=cast("float", self._bcubed(labels)),
        )
