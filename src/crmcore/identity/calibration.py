"""From scores to probabilities, and whether probabilities keep what they promise.

Invariant: a higher score is never given a lower probability. A calibration is made of whole numbers, so that it is
stored exactly and says the same on every machine; the order of what it is learned from does not matter.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from fractions import Fraction

import attrs

from crmcore.errors import InvalidValue
from crmcore.stats import Estimate, wilson
from crmcore.values.personal import Document

MILLION = 1_000_000


@attrs.frozen(kw_only=True)
class CalibrationStep(Document):
    """From *score* on, *ppm* of a million pairs are the same, as *labels* labelled pairs say."""

    score: int
    ppm: int
    labels: int


@attrs.frozen(kw_only=True)
class Calibration(Document):
    """A staircase from scores to probabilities: *steps* by rising score and rising probability.

    A step at 0 or 1 says only that its labelled pairs were all alike: look at how many they were.

    Raises:
        InvalidValue: if the steps do not rise, or there are none.
    """

    steps: tuple[CalibrationStep, ...]

    def __attrs_post_init__(self) -> None:
        if not self.steps:
            raise InvalidValue("a calibration has at least one step")
        if any(not 0 <= step.ppm <= MILLION for step in self.steps):
            raise InvalidValue("a probability in parts per million lies between 0 and 1,000,000")
        pairs = zip(self.steps, self.steps[1:], strict=False)
        if any(one.score >= other.score or one.ppm >= other.ppm for one, other in pairs):
            raise InvalidValue("the steps of a calibration rise in score and in probability")

    def probability(self, score: int) -> float:
        """How likely two records of this *score* are the same; below the first step, as likely as on it.

        >>> steps = [CalibrationStep(score=s, ppm=p, labels=9) for s, p in ((-50, 10_000), (80, 900_000))]
        >>> [Calibration(steps=tuple(steps)).probability(score) for score in (-90, 79, 80)]
        [0.01, 0.01, 0.9]
        """
        at = bisect_right(self.steps, score, key=lambda step: step.score)
        return self.steps[max(0, at - 1)].ppm / MILLION


def calibrate(labelled: Iterable[tuple[int, bool, float]]) -> Calibration:
    """The calibration that fits *labelled* pairs best: the score of each, whether it is the same, and its weight.

    The weight is how many pairs a labelled one stands for, 1 if all had the same chance to be drawn. Scores are those
    of `Match`, or of any other matcher that gives integers.

    The method: isotonic regression by least squares with the pool-adjacent-violators algorithm, in exact arithmetic.
    Between two scores that were seen, the lower one counts. Source: M. Ayer, H. D. Brunk, G. M. Ewing, W. T. Reid,
    E. Silverman (1955), An empirical distribution function for sampling with incomplete information, Annals of
    Mathematical Statistics 26:641-647; for probabilities B. Zadrozny, C. Elkan (2002), Transforming classifier scores
    into accurate multiclass probability estimates, KDD.

    Raises:
        InvalidValue: if there is nothing to learn from, or a weight is not a positive number.

    >>> seen = [(10, False, 1), (20, True, 1), (30, False, 1), (40, True, 1), (50, True, 1)]
    >>> [(step.score, step.ppm, step.labels) for step in calibrate(seen).steps]
    [(10, 0, 1), (20, 500000, 2), (40, 1000000, 2)]
    """
    same: dict[int, Fraction] = {}
    weights: dict[int, Fraction] = {}
    labels: dict[int, int] = {}
    for score, is_same, weight in labelled:
        if not 0 < weight < math.inf:
            raise InvalidValue("the weight of a labelled pair is a positive number")
        exact = Fraction(weight)
        same[score] = same.get(score, Fraction()) + (exact if is_same else 0)
        weights[score] = weights.get(score, Fraction()) + exact
        labels[score] = labels.get(score, 0) + 1
    blocks: list[_Block] = []
    for score in sorted(weights):
        block = _Block(score, same[score], weights[score], labels[score])
        while blocks and blocks[-1].share >= block.share:
            block = blocks.pop().and_(block)
        blocks.append(block)
    steps: list[CalibrationStep] = []
    for block in blocks:
        ppm = round(MILLION * block.share)
        if steps and steps[-1].ppm == ppm:
            steps[-1] = attrs.evolve(steps[-1], labels=steps[-1].labels + block.labels)
        else:
            steps.append(CalibrationStep(score=block.score, ppm=ppm, labels=block.labels))
    return Calibration(steps=tuple(steps))


@attrs.frozen
class _Block:
    """Neighbouring scores that get one probability."""

    score: int
    same: Fraction
    weight: Fraction
    labels: int

    @property
    def share(self) -> Fraction:
        return self.same / self.weight

    def and_(self, other: _Block) -> _Block:
        return _Block(
            self.score, self.same + other.same, self.weight + other.weight, self.labels + other.labels
        )


@attrs.frozen(kw_only=True)
class ReliabilityBin:
    """Of *count* probabilities from *low* to *high* the mean, *predicted*, and the share of the same, *observed*."""

    low: float
    high: float
    count: int
    predicted: float
    observed: Estimate

    @property
    def kept(self) -> bool:
        """Whether the mean predicted lies in the interval of what was observed."""
        return self.observed.low <= self.predicted <= self.observed.high


def reliability(
    scores: Iterable[tuple[float, bool]], bins: int = 10, *, confidence: float = 0.95
) -> tuple[ReliabilityBin, ...]:
    """Predicted probabilities beside what turned out, in *bins* of equal width; those without a score are left out.

    The interval of the share observed is Wilson's. Judge by pairs that the calibration was not learned from.

    Source: A. H. Murphy, R. L. Winkler (1977), Reliability of subjective probability forecasts of precipitation and
    temperature, Applied Statistics 26:41-47.

    Raises:
        InvalidValue: if there are no bins, or a probability is not between 0 and 1.

    >>> for bin in reliability([(0.1, False), (0.15, False), (0.9, True), (1.0, True)], bins=5):
    ...     print(bin.low, bin.high, bin.count, bin.predicted, bin.observed.text(), bin.kept)
    0.0 0.2 2 0.125 0.0000 (0.0000 to 0.6576) True
    0.8 1.0 2 0.95 1.0000 (0.3424 to 1.0000) True
    """
    if bins < 1:
        raise InvalidValue("a table of probabilities has at least one bin")
    edges = [at / bins for at in range(1, bins)]
    held: dict[int, list[tuple[float, bool]]] = {}
    for probability, same in scores:
        if not 0 <= probability <= 1:
            raise InvalidValue("a probability lies between 0 and 1")
        held.setdefault(bisect_right(edges, probability), []).append((probability, same))
    return tuple(
        ReliabilityBin(
            low=at / bins,
            high=(at + 1) / bins,
            count=len(inside),
            predicted=math.fsum(probability for probability, _ in inside) / len(inside),
            observed=wilson(sum(same for _, same in inside), len(inside), confidence=confidence),
        )
        for at, inside in sorted(held.items())
    )
