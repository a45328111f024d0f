"""How well records are grouped by customer, estimated from a sample that a person reviewed.

Invariant: every figure has an interval, and what a sample cannot tell is None and never a guess. The intervals hold
for samples that were drawn at random; a list of the pairs that looked interesting is none.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

import attrs

from crmcore.errors import InvalidValue
from crmcore.identity.wrong_pairs import R
from crmcore.stats import Estimate, ratio, wilson


@attrs.frozen(kw_only=True)
class ReviewedPairs:
    """Pairs of one kind, of which a person looked at some that were drawn at random.

    *predicted* says whether the matcher put them together. There are *pairs* of them; of the *reviewed* ones *same*
    are the same customer. A kind may be a range of scores: ranges in which errors are likely deserve more reviews.
    """

    predicted: bool
    pairs: int
    reviewed: int
    same: int

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.same <= self.reviewed <= self.pairs:
            raise InvalidValue(
                "of the pairs some were reviewed, and of those some are the same: check the counts"
            )
        if self.pairs and not self.reviewed:
            raise InvalidValue(
                "nothing is known of pairs of which none was reviewed: review some of each kind"
            )


@attrs.frozen(kw_only=True)
class Estimates:
    """Estimates with their intervals, each None where the sample does not tell."""

    precision: Estimate | None
    recall: Estimate | None
    f1: Estimate | None = None

    def text(self) -> str:
        """The estimates for people to read, a line each."""
        figures = (("precision", self.precision), ("recall", self.recall), ("F1", self.f1))
        return "\n".join(f"{name:9}  {'not known' if one is None else one.text()}" for name, one in figures)


def evaluate_pairs(reviewed: Iterable[ReviewedPairs], *, confidence: float = 0.95) -> Estimates:
    """Pairwise precision, recall and F1 from reviewed pairs, stratified by kind.

    Precision needs each kind of predicted pairs; recall and F1 need kinds of pairs that were not predicted too, and
    are None without. They are the recall and F1 among the kinds that are given: who leaves out the pairs that were
    never compared, as one has to where there are millions, learns nothing of what is missed there.

    The method: Wilson's interval for each kind, corrected for how much of it was reviewed; sums weighted by the numbers
    of pairs, and the ratios of them, by MOVER. See `crmcore.stats.wilson`, `crmcore.stats.weighted_sum` and
    `crmcore.stats.ratio` for the sources.

    >>> sure = ReviewedPairs(predicted=True, pairs=9000, reviewed=100, same=100)
    >>> near = ReviewedPairs(predicted=True, pairs=1000, reviewed=100, same=80)
    >>> doubtful = ReviewedPairs(predicted=False, pairs=2000, reviewed=200, same=20)
    >>> print(evaluate_pairs([sure, near]).text())
    precision  0.9800 (0.9460 to 0.9864)
    recall     not known
    F1         not known
    >>> print(evaluate_pairs([sure, near, doubtful]).text())
    precision  0.9800 (0.9460 to 0.9864)
    recall     0.9800 (0.9709 to 0.9865)
    F1         0.9800 (0.9618 to 0.9846)
    """
    kinds = [
        (kind, wilson(kind.same, kind.reviewed, population=kind.pairs, confidence=confidence))
        for kind in reviewed
        if kind.pairs
    ]
    predicted = [(kind.pairs, share) for kind, share in kinds if kind.predicted]
    missed = [(kind.pairs, share) for kind, share in kinds if not kind.predicted]
    if not predicted:
        return Estimates(precision=None, recall=None)
    total = sum(pairs for pairs, _ in predicted)
    precision = ratio([(pairs, 0, share) for pairs, share in predicted], total)
    if not missed:
        return Estimates(precision=precision, recall=None)
    others = [(0, pairs, share) for pairs, share in missed]
    return Estimates(
        precision=precision,
        recall=ratio([*((pairs, pairs, share) for pairs, share in predicted), *others]),
        f1=ratio([*((2 * pairs, pairs, share) for pairs, share in predicted), *others], total),
    )


@attrs.frozen(kw_only=True)
class SampleEvaluation:
    """What a sample of *reviewed* records says about all of them: on *pairs* of records, and as `BCubed` has it."""

    reviewed: int
    pairs: Estimates
    bcubed: Estimates

    def text(self) -> str:
        """The estimates for people to read."""
        lines = [f"{self.reviewed:,} {'record' if self.reviewed == 1 else 'records'} reviewed"]
        for name, figures in (("pairs", self.pairs), ("B-cubed", self.bcubed)):
            for what, one in (("precision", figures.precision), ("recall", figures.recall)):
                lines.append(f"{name:8}  {what:9}  {'not known' if one is None else one.text()}")
        return "\n".join(lines)


def evaluate_sample(
    found: Mapping[R, Hashable], reviewed: Mapping[R, Collection[R]], *, confidence: float = 0.95
) -> SampleEvaluation:
    """Precision and recall of the clusters *found* from records drawn at random, each with all that is the same.

    *reviewed* has for each record of the sample the records that a person found to be its customer's; it belongs to
    them itself. Since the person looks for what belongs together and not only at what the matcher suggests, recall can
    be told as well. Records of the sample may be of one customer; they must then agree.

    The method: figures are ratios of sums over the records of the sample, of its partners for pairs, of means for
    B-cubed. The intervals are Wilson's at the effective number of records: the one that gives the linearized variance
    of the ratio (W. G. Cochran (1977), Sampling Techniques, chapter 6; E. L. Korn, B. I. Graubard (1998), Survey
    Methodology 24:193-201), and never more than L. Kish's (sum of weights)² / sum of squares, so that a sample without
    errors does not look certain; corrected for how many of all records were reviewed. Few, large clusters make them
    rough.

    Raises:
        InvalidValue: if the sample is empty, has records that *found* has not, or contradicts itself.

    >>> found = {"a": 1, "b": 1, "c": 2, "d": 3, "e": 4, "f": 5}
    >>> print(evaluate_sample(found, {"a": ["b", "c"], "d": [], "e": ["e"]}).text())
    3 records reviewed
    pairs     precision  1.0000 (0.3026 to 1.0000)
    pairs     recall     0.5000 (0.0824 to 0.9176)
    B-cubed   precision  1.0000 (0.5655 to 1.0000)
    B-cubed   recall     0.8889 (0.4526 to 0.9872)
    """
    if not reviewed:
        raise InvalidValue("nothing can be estimated from no records: review some")
    true = {id: frozenset(members) | {id} for id, members in reviewed.items()}
    if any(id not in found for members in true.values() for id in members):
        raise InvalidValue("the sample has records that are not among those found: compare the same records")
    if any(id in true and true[id] != members for members in true.values() for id in members):
        raise InvalidValue("two records of the sample are of one customer and do not agree on its records")
    sizes = Counter(found.values())
    counts = [
        (sum(found[other] == found[id] for other in members), sizes[found[id]], len(members))
        for id, members in true.items()
    ]
    seen = _Seen(len(true), len(found), confidence)
    return SampleEvaluation(
        reviewed=len(true),
        pairs=Estimates(
            precision=seen.share([(both - 1, size - 1) for both, size, _ in counts]),
            recall=seen.share([(both - 1, size - 1) for both, _, size in counts]),
        ),
        bcubed=Estimates(
            precision=seen.share([(both / size, 1) for both, size, _ in counts]),
            recall=seen.share([(both / size, 1) for both, _, size in counts]),
        ),
    )


@attrs.frozen
class _Seen:
    """A sample of *records* of a *population*."""

    records: int
    population: int
    confidence: float

    def share(self, parts: Sequence[tuple[float, float]]) -> Estimate | None:
        """The ratio of the sums of pairs of a part and its whole; None if all wholes are nothing."""
        whole = math.fsum(size for _, size in parts)
        if whole == 0:
            return None
        share = math.fsum(part for part, _ in parts) / whole
        unseen = (self.population - self.records) / max(1, self.population - 1)
        if unseen == 0:
            return Estimate(share, share, share)
        trials = whole**2 / math.fsum(size * size for _, size in parts)
        scatter = math.fsum((part - share * size) ** 2 for part, size in parts)
        if scatter > 0 and self.records > 1:
            variance = scatter * self.records / (self.records - 1) / whole**2
            trials = min(trials, share * (1 - share) / variance)
        trials /= unseen
        return wilson(share * trials, trials, confidence=self.confidence)
