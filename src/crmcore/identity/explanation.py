"""Why two records are, or are not, the same customer: each step to the score, and what would change the decision.

Invariant: the steps of a waterfall sum exactly to the score of its match. Values of records are shown only where that
is asked for; what would be if a column agreed better is told from levels and the model alone, so it needs no values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from crmcore.identity.features import Features
from crmcore.identity.matcher import Match, Reason, Verdict
from crmcore.identity.model.columns import Column
from crmcore.identity.model.patterns import CROSSED, levels_of
from crmcore.identity.model.policy import UNIT, Policy
from crmcore.identity.model.scoring import LearnedMatcher, Scorer
from crmcore.render import Html, Step
from crmcore.render import waterfall as draw
from crmcore.render.drawing import signed
from crmcore.values.personal import personal


@attrs.frozen(kw_only=True)
class WaterfallStep:
    """What the *field* at its *level* adds, in *points*, to what stood *before*; 65,536 points are a bit.

    >>> step = WaterfallStep(field="city", level="same", points=2 * UNIT, before=-UNIT, agrees=True, detail="york")
    >>> step.after == UNIT, step.bits, "york" in repr(step)
    (True, 2.0, False)
    """

    field: str
    level: str
    points: int
    before: int
    agrees: bool
    detail: str = personal(default="")

    @property
    def after(self) -> int:
        """The running total, this step included."""
        return self.before + self.points

    @property
    def bits(self) -> float:
        """What the step adds, in bits."""
        return self.points / UNIT


@attrs.frozen(kw_only=True)
class Waterfall:
    """The way of a match to its *score*, step by step. *same_at* and *review_at* are known if the policy is."""

    verdict: Verdict
    score: int
    steps: tuple[WaterfallStep, ...]
    same_at: int | None = None
    review_at: int | None = None

    @property
    def title(self) -> str:
        """The decision and the score, without values."""
        return f"{self.verdict}, {self.score / UNIT:.1f} bits"

    @property
    def marks(self) -> tuple[tuple[str, int], ...]:
        """The thresholds that are known, by name."""
        known = (("review from", self.review_at), ("same from", self.same_at))
        return tuple((name, at) for name, at in known if at is not None)

    def text(self, *, reveal: bool = False) -> str:
        """A line for each step: what it adds and the total so far, in bits; with *reveal* also the values."""
        lines = [self.title, "   bits   total"]
        for step in self.steps:
            detail = f" ({step.detail})" if reveal and step.detail else ""
            numbers = f"{signed(step.bits):>7} {signed(step.after / UNIT):>7}"
            lines.append(f"{numbers}  {step.field}: {step.level}{detail}")
        lines += [f"{signed(at / UNIT):>15}  {name} here" for name, at in reversed(self.marks)]
        return "\n".join(lines)

    def svg(self, *, reveal: bool = False) -> Html:
        """A drawing that is complete in itself; with *reveal* it shows the values too.

        It can stand in a page as it is, or be written to a file.
        """
        return draw(
            [
                Step(
                    label=f"{step.field}: {step.level}",
                    value=step.bits,
                    note=step.detail if reveal else "",
                )
                for step in self.steps
            ],
            title=self.title,
            marks=[(name, at / UNIT) for name, at in self.marks],
        )

    def _repr_html_(self) -> str:
        """Shown as a drawing in a notebook, without values."""
        return self.svg()


def waterfall(match: Match, policy: Policy | None = None) -> Waterfall:
    """The steps to the score of *match*; with the *policy* of the model that made it, also the thresholds.

    >>> prior, city = Reason("any two records", "prior", -9 * UNIT, False), Reason("city", "same", 4 * UNIT, True)
    >>> print(waterfall(Match("different", -5 * UNIT, (prior, city)), Policy()).text())
    different, -5.0 bits
       bits   total
       -9.0    -9.0  any two records: prior
       +4.0    -5.0  city: same
               +0.0  same from here
               -4.0  review from here
    """
    return Waterfall(
        verdict=match.verdict,
        score=match.score,
        steps=tuple(_steps(match.reasons)),
        same_at=policy.same_at if policy else None,
        review_at=policy.review_at if policy else None,
    )


def _steps(reasons: Iterable[Reason]) -> Iterable[WaterfallStep]:
    before = 0
    for reason in reasons:
        yield WaterfallStep(
            field=reason.field,
            level=reason.level,
            points=reason.points,
            before=before,
            agrees=reason.agrees,
            detail=reason.detail,
        )
        before += reason.points


@attrs.frozen(kw_only=True)
class WhatIf:
    """That the verdict on a pair would be another one, with another *score*, if the *field* were at another *level*.

    *change* is what that adds to the score. Where the level is ``"missing"``, the field would say nothing.
    """

    field: str
    level: str
    verdict: Verdict
    score: int
    change: int

    @property
    def sentence(self) -> str:
        """For people to read.

        >>> WhatIf(field="city", level="same", verdict="same", score=2 * UNIT, change=5 * UNIT).sentence
        'with the same city this would be SAME: +5.0 bits, 2.0 in all'
        """
        if self.level == "missing":
            begin = f"without the {self.field}"
        elif self.level == "same":
            begin = f"with the same {self.field}"
        else:
            begin = f'with the {self.field} at "{self.level}"'
        numbers = f"{signed(self.change / UNIT)} bits, {self.score / UNIT:.1f} in all"
        return f"{begin} this would be {self.verdict.upper()}: {numbers}"


def what_if(matcher: LearnedMatcher, a: Features, b: Features) -> tuple[WhatIf, ...]:
    """What would change the verdict on two records: each column at its best level, or missing, all else as it is.

    A column at its best level agrees on the commoner of the two values that are known, so no more is promised than
    either would keep; where neither is known, on one as common as values on which strangers agree. Columns that agree
    as well as they can are not made better, and names that agree crosswise are left as they are. Two kinds of customer
    are never one, whatever else they had in common.

    >>> from crmcore.identity.features import features_of_row
    >>> from crmcore.identity.model.match_model import ColumnWeights, MatchModel
    >>> city = ColumnWeights(name="city", labels=("different", "nearly", "same"), same=(0, -UNIT, UNIT, 9 * UNIT))
    >>> matcher = LearnedMatcher(model=MatchModel(columns=(city,), prior=-8 * UNIT))
    >>> pair = [features_of_row({"full_name": "Ann Lee", "city": city}) for city in ("York", "Hull")]
    >>> [other.sentence for other in what_if(matcher, *pair)]
    ['with the same city this would be SAME: +10.0 bits, 1.0 in all']
    """
    if a.kind != b.kind and "anonymous" not in (a.kind, b.kind):
        return ()
    scorer = Scorer(matcher.model, matcher.table([a, b]))
    now = scorer.score(0, 1)
    verdict = matcher.verdict(now)
    levels = levels_of(scorer.comparer.pattern(0, 1), len(matcher.model.columns))
    found: list[WhatIf] = []
    for at, column in enumerate(scorer.table.columns):
        for level in _others(column, at, levels, scorer):
            score = scorer.if_at(0, 1, at, level)
            if matcher.verdict(score) != verdict:
                found.append(
                    WhatIf(
                        field=column.name,
                        level=matcher.model.columns[at].label(level),
                        verdict=matcher.verdict(score),
                        score=score.score,
                        change=score.score - now.score,
                    )
                )
    return tuple(found)


def _others(column: Column, at: int, levels: Sequence[int], scorer: Scorer) -> tuple[int, ...]:
    """The levels at which a column could be instead: the best one, and missing."""
    if levels[-1] == CROSSED and at in (scorer.comparer.given, scorer.comparer.family):
        return ()
    term = column.terms.get(column.top)
    best = levels[at] == column.top or (term is not None and column.terms.get(levels[at]) == term)
    return (*(() if best else (column.top,)), *((0,) if levels[at] else ()))
