"""What labelled pairs say of a model's scores: whether probabilities hold, and from which score on to join.

Invariant: few labels, or labels of one kind, report and never move the threshold. A threshold that was typed stands,
and so does one that lies where there are no labels, between those that are likely enough and those that are not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from crmcore.cli.deciding import Deciding, Pairs, said_bits
from crmcore.cli.labels_file import Labels
from crmcore.cli.terminal import counted
from crmcore.identity.calibration import MILLION, Calibration, ReliabilityBin, calibrate, reliability
from crmcore.identity.features import Features
from crmcore.identity.model.policy import UNIT, Policy

LEAST_LABELS = 50
"""With fewer labelled pairs that the model can compare, the threshold stays as it is."""

LEAST_OF_A_KIND = 5
"""With fewer of the same, or of different customers, labels do not show where one ends and the other begins."""

_MOST = 60.0


@attrs.frozen(kw_only=True)
class Calibrated:
    """What *labels* say. *threshold* is the least score that is likely enough, None if there is none; *refusal* says
    why it is not used."""

    labels: Labels
    bins: tuple[ReliabilityBin, ...]
    compared: int
    threshold: int | None
    refusal: str

    @property
    def used(self) -> int | None:
        """The threshold, if it is to be used."""
        return None if self.refusal else self.threshold

    def lines(self) -> Iterator[str]:
        """The table for people."""
        labels = self.labels
        blank = f", {counted(labels.blank, 'row', 'rows')} without an answer" if labels.blank else ""
        same = len(labels.together)
        yield (
            f"{counted(len(labels.pairs), 'labelled pair', 'labelled pairs')} in {labels.name}: "
            f"{same:,} the same, {len(labels.apart):,} different{blank}"
        )
        if self.bins:
            yield "  predicted     pairs    mean   observed"
        for bin in self.bins:
            doubt = "" if bin.kept else "   not as predicted"
            range_ = f"{bin.low:.1f} to {bin.high:.1f}"
            yield f"  {range_:11}  {bin.count:6,}  {bin.predicted:.4f}   {bin.observed.text()}{doubt}"
        if self.threshold is not None:
            said = f"by these labels, two records are the same from {said_bits(self.threshold)} on"
            yield f"{said}: not used, since {self.refusal}" if self.refusal else f"{said}: used"
        else:
            yield f"the threshold stays as it is, since {self.refusal}"

    def document(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "file": self.labels.name,
            "same": len(self.labels.together),
            "different": len(self.labels.apart),
            "blank": self.labels.blank,
            "compared": self.compared,
            "reliability": [
                {
                    "low": bin.low,
                    "high": bin.high,
                    "pairs": bin.count,
                    "predicted": bin.predicted,
                    "observed": bin.observed.value,
                    "observed_low": bin.observed.low,
                    "observed_high": bin.observed.high,
                }
                for bin in self.bins
            ],
            "threshold_bits": None if self.threshold is None else self.threshold / UNIT,
            "used": self.used is not None,
            "refusal": self.refusal,
        }


def calibrated(labels: Labels, deciding: Deciding, records: Sequence[Features], *, typed: bool) -> Calibrated:
    """Compare the scores of labelled pairs with what people said; *typed* says that there is a threshold already."""
    nothing = Calibrated(labels=labels, bins=(), compared=0, threshold=None, refusal="")
    if deciding.model is None:
        return attrs.evolve(nothing, refusal="rules decided, and they give no probabilities")
    asked = Pairs(deciding, records, (at for pair in labels.pairs for at in pair))
    seen = [
        (asked.match(*pair).score, same) for pair, same in labels.pairs.items() if asked.comparable(*pair)
    ]
    if not seen:
        return attrs.evolve(nothing, refusal="the model cannot compare any labelled pair")
    calibration = calibrate((score, same, 1) for score, same in seen)
    threshold, now = likely_from(calibration, deciding.policy), deciding.policy.same_at
    kinds = (sum(same for _, same in seen), sum(not same for _, same in seen))
    refusal = ""
    if threshold is None:
        refusal = "no score is likely enough"
    elif typed:
        refusal = "--threshold says otherwise"
    elif max((score for score, _ in seen if score < threshold), default=threshold) < now <= threshold:
        refusal = f"no label speaks against the {said_bits(now)} that hold already"
    elif len(seen) < LEAST_LABELS:
        refusal = f"that takes at least {LEAST_LABELS} labels"
    elif min(kinds) < LEAST_OF_A_KIND:
        refusal = f"that takes at least {LEAST_OF_A_KIND} labels of each kind"
    return Calibrated(
        labels=labels,
        bins=reliability((probability(score), same) for score, same in seen),
        compared=len(seen),
        threshold=threshold,
        refusal=refusal,
    )


def likely_from(calibration: Calibration, policy: Policy) -> int | None:
    """The least score at which being the same is as likely as the costs of *policy* demand.

    >>> found = calibrate([(10, False, 1), (20, True, 1), (20, False, 1), (30, True, 1)])
    >>> likely_from(found, Policy()), likely_from(found, Policy(false_merge=2))
    (20, 30)
    """
    whole = policy.false_merge + policy.false_split
    for step in calibration.steps:
        if step.ppm * whole >= MILLION * policy.false_merge:
            return step.score
    return None


def probability(score: int) -> float:
    """How likely two records of this score are the same, if scores are what they promise.

    >>> probability(0), probability(2 * UNIT)
    (0.5, 0.8)
    """
    bits = max(-_MOST, min(_MOST, score / UNIT))
    return 1 / (1 + math.pow(2, -bits))
