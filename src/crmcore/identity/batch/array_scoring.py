"""Scores of many pairs: the whole numbers that the reference's `Scorer` gives, looked up pattern by pattern."""

from __future__ import annotations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.array_counting import ArrayCounting
from crmcore.identity.batch.arrays import ArrayTable
from crmcore.identity.batch.grading import PairGrader
from crmcore.identity.batch.texts import Flags, Ints, Longs
from crmcore.identity.batch.whole_sums import Patterns, looked_up, patterns_of
from crmcore.identity.model.evidence import Tables
from crmcore.identity.model.freezing import NOTEWORTHY
from crmcore.identity.model.match_model import MatchModel, term_key
from crmcore.identity.model.policy import STRICTNESS
from crmcore.identity.model.scoring import RELATED_CAP, SETTLED, order_points

SAME, RELATED, UNSURE, DIFFERENT = range(4)
_NO_RULE = len(STRICTNESS)


@attrs.frozen(eq=False, repr=False)
class Scored:
    """For each pair its *score*, that of being *related*, and the verdict."""

    score: Longs
    related: Longs
    verdict: NDArray[np.uint8]


class ArrayScorer:
    """Scores the pairs of one table by a model."""

    def __init__(self, model: MatchModel, table: ArrayTable, grader: PairGrader | None = None) -> None:
        self.model = model
        self.table = table
        self.grader = grader or PairGrader(table)
        names = [column.name for column in model.columns]
        order = order_points()
        self._tables = Tables(
            same=(*(column.same for column in model.columns), order),
            prior=model.prior,
            related=None if model.related_prior is None else (*(c.related for c in model.columns), order),
            related_prior=model.related_prior or 0,
            together=tuple(
                (a, table.columns[a].column.agrees, b, table.columns[b].column.agrees, d.bits)
                for d in model.dependences
                for a, b in [(names.index(d.a), names.index(d.b))]
            ),
        )
        self._terms: dict[tuple[int, str], Longs] = {}

    def known(self, evidence: ArrayCounting) -> None:
        """Take over what the terms are worth of the evidence that the model was learned from."""
        for at in range(len(self.table.columns)):
            for kind, points in evidence.points_of_terms(at).items():
                unseen = self.model.columns[at].unseen.get(kind, 0)
                worth = np.where(np.abs(points - unseen) > NOTEWORTHY, points, unseen)
                worth[0] = 0
                self._terms[at, kind] = worth

    def score(self, a: Ints, b: Ints) -> Scored:
        """The scores of pairs of records."""
        return self.of(a, b, patterns_of(self.grader.patterns(a, b), len(self.table.columns) + 1))

    def likely(self, patterns: Patterns, least: int) -> Flags:
        """Which patterns can reach a score, or that of being related, whatever their terms."""
        same, related, ruling = self._sums(patterns)
        most = np.maximum(same, related)
        for at, column in enumerate(self.table.columns):
            unseen = self.model.columns[at].unseen
            worth = np.zeros(8, dtype=np.int64)
            for level, term in column.column.terms.items():
                worth[level] = max(0, unseen.get(term.kind, 0))
            most += worth[patterns.levels[:, at]]
        return (most >= least) | (ruling == STRICTNESS.index("same"))

    def of(self, a: Ints, b: Ints, patterns: Patterns) -> Scored:
        """The scores of pairs whose patterns are known."""
        base, other, ruling = self._sums(patterns)
        points = np.zeros(len(a), dtype=np.int64)
        for at, column in enumerate(self.table.columns):
            levels = patterns.levels[patterns.of, at]
            for level, term in column.column.terms.items():
                mine = np.nonzero(levels == level)[0]
                if len(mine):
                    one, two = self.grader.aligned(at, a[mine], b[mine])
                    points[mine] += self._least(at, term.kind, one, two)
        same = base[patterns.of] + points
        related = np.maximum(other[patterns.of] + points, 0)
        score, ruled = same - related, ruling[patterns.of]
        score = np.where(ruled == STRICTNESS.index("related"), np.minimum(score, RELATED_CAP), score)
        score = np.where(ruled == STRICTNESS.index("same"), SETTLED, score)
        score = np.where(ruled == STRICTNESS.index("different"), -SETTLED, score)
        return Scored(score, related, self._verdicts(score, related, ruled))

    def _verdicts(self, score: Longs, related: Longs, ruled: NDArray[np.uint8]) -> NDArray[np.uint8]:
        policy = self.model.policy
        unruled = ruled == _NO_RULE
        found = np.where(score >= policy.review_at, UNSURE, DIFFERENT).astype(np.uint8)
        found[related > 0] = RELATED
        found[unruled & (score >= policy.same_at)] = SAME
        found[ruled == STRICTNESS.index("same")] = SAME
        found[ruled == STRICTNESS.index("different")] = DIFFERENT
        return found

    def _sums(self, patterns: Patterns) -> tuple[Longs, Longs, NDArray[np.uint8]]:
        """What each pattern is worth without its terms, for same and for related, and which ruling there is of it."""
        tables, levels = self._tables, patterns.levels
        less = np.zeros(len(levels), dtype=np.int64)
        for a, least_a, b, least_b, bits in tables.together:
            less += np.where((levels[:, a] >= least_a) & (levels[:, b] >= least_b), bits, 0)
        same = tables.prior + looked_up(tables.same, levels) - less
        related = np.full(len(levels), -SETTLED, dtype=np.int64)
        if tables.related is not None:
            related = tables.related_prior + looked_up(tables.related, levels) - less
        return same, related, self._rulings(levels)

    def _rulings(self, levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        at = {column.name: place for place, column in enumerate(self.model.columns)}
        found = np.full(len(levels), _NO_RULE, dtype=np.uint8)
        for rule in self.model.policy.rules:
            fits = np.ones(len(levels), dtype=np.bool_)
            for name, (low, high) in rule.where.items():
                level = levels[:, at[name]] if name in at else np.zeros(1, dtype=np.uint8)
                fits &= (level >= low) & (level <= high)
            found[fits] = np.minimum(found[fits], STRICTNESS.index(rule.ruling))
        return found

    def _least(self, at: int, kind: str, a: Ints, b: Ints) -> Longs:
        """What agreeing on terms adds: the less rare one counts."""
        terms = self.table.columns[at].terms[kind]
        one, other = terms.ids[a], terms.ids[b]
        points = self._terms.get((at, kind))
        if points is None:
            points = self._terms[at, kind] = np.full(terms.count, _UNKNOWN, dtype=np.int64)
            points[0] = 0
        asked = np.zeros(terms.count, dtype=np.bool_)
        asked[one], asked[other] = True, True
        unknown = np.nonzero(asked & (points == _UNKNOWN))[0]
        column = self.model.columns[at]
        unseen = column.unseen.get(kind, 0)
        known = self.model.terms
        points[unknown] = [
            known.get(term_key(column.name, kind, text), unseen) for text in terms.texts(unknown)
        ]
        return np.minimum(points[one], points[other])


_UNKNOWN = -(1 << 62)
