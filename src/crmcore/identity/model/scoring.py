"""Scores: integer sums of a model's weights over the levels of a pair.

Invariant: the score of a pair follows from the model and the two records alone, whichever other records are in the
table. It is for being the same customer against being strangers, less what speaks for being related instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import attrs

from crmcore.errors import InvalidModel
from crmcore.identity.features import Features
from crmcore.identity.keys import blocking_keys
from crmcore.identity.matcher import Match, Reason, Verdict
from crmcore.identity.model.columns import COLUMNS, WEIGHTED_GROUPS, Column
from crmcore.identity.model.encoding import Rarity, Table, encode
from crmcore.identity.model.expectation import ORDER_BITS
from crmcore.identity.model.linkage import VETO
from crmcore.identity.model.match_model import MatchModel, term_key
from crmcore.identity.model.patterns import BITS, CROSSED, MASK, ORDER_LABELS, Comparer, levels_of
from crmcore.identity.model.policy import UNIT, Rule
from crmcore.identity.population import Population

_ORDER = tuple(round(bits * UNIT) for bits in ORDER_BITS)
RELATED_CAP = -2 * UNIT
"""Where a rule says that two are related at most, their score is no more than this."""

_NAMES_OF_PEOPLE = frozenset({"given name", "family name"})

SETTLED = -VETO
"""The score of what a rule joins, and with a minus of what it keeps apart."""


def order_points() -> tuple[int, ...]:
    """What the order of the names is worth, by level."""
    return _ORDER


class Score(NamedTuple):
    """What a model says of a pair: the *score*, that of being *related* (0 if that is no likelier than strangers), and
    the rule that settled it."""

    score: int
    related: int
    rule: Rule | None


class Scorer:
    """Scores the pairs of one table by a model."""

    def __init__(self, model: MatchModel, table: Table, comparer: Comparer | None = None) -> None:
        self.model = model
        self.table = table
        self.comparer = comparer or Comparer(table)
        self._same = [(*column.same, *([0] * 8))[:8] for column in model.columns]
        self._related = [(*column.related, *([0] * 8))[:8] for column in model.columns]
        names = [column.name for column in model.columns]
        self.dependences = [
            (names.index(d.a), table.columns[names.index(d.a)].agrees, names.index(d.b),
             table.columns[names.index(d.b)].agrees, d.bits)
            for d in model.dependences
        ]  # fmt: skip
        self._base: dict[int, tuple[int, int, Rule | None, tuple[tuple[int, int], ...]]] = {}
        self._terms: list[dict[int, dict[int, int]]] = [
            {level: {} for level in column.terms} for column in table.columns
        ]

    def score(self, i: int, j: int) -> Score:
        """The score of two records."""
        one, other = self.comparer.aligned(i, j)
        return self.of(self.comparer.packed(one, other), one, other)

    def of(self, pattern: int, one: Sequence[int], other: Sequence[int]) -> Score:
        """The score of a pattern and the aligned codes of the two records."""
        known = self._base.get(pattern)
        if known is None:
            known = self._base[pattern] = self._sums(pattern)
        same, related, rule, counted = known
        for at, level in counted:
            term = self.term(at, level, one[at], other[at])
            same += term
            related += term
        related = max(related, 0)
        score = same - related
        if rule is not None:
            if rule.ruling == "same":
                score = SETTLED
            elif rule.ruling == "different":
                score = -SETTLED
            else:
                score = min(score, RELATED_CAP)
        return Score(score, related, rule)

    def if_at(self, i: int, j: int, at: int, level: int) -> Score:
        """The score if the two were at *level* in one column, by the commoner of the values that they have in it."""
        one, other = map(list, self.comparer.aligned(i, j))
        pattern = self.comparer.packed(tuple(one), tuple(other)) & ~(MASK << at * BITS) | level << at * BITS
        one[at], other[at] = one[at] or other[at], other[at] or one[at]
        return self.of(pattern, one, other)

    def at_most(self, pattern: int) -> int:
        """A bound on the score of a pattern, and on that of being related, whatever the terms are.

        In a model that was learned no term is worth more than one that nobody else has.
        """
        known = self._base.get(pattern)
        if known is None:
            known = self._base[pattern] = self._sums(pattern)
        same, related, rule, counted = known
        if rule is not None and rule.ruling == "same":
            return SETTLED
        return max(same, related) + sum(self._most(at, level) for at, level in counted)

    def _most(self, at: int, level: int) -> int:
        return max(0, self.model.columns[at].unseen.get(self.table.columns[at].terms[level].kind, 0))

    def _sums(self, pattern: int) -> tuple[int, int, Rule | None, tuple[tuple[int, int], ...]]:
        """What a pattern is worth without its terms, for same and related, and the columns whose terms count."""
        model = self.model
        levels = levels_of(pattern, len(model.columns))
        shared = _ORDER[levels[-1]] - sum(bits for bits in self.together(pattern).values())
        same = model.prior + shared + sum(row[level] for row, level in zip(self._same, levels, strict=False))
        related = -1
        if model.related_prior is not None:
            related = model.related_prior + shared
            related += sum(row[level] for row, level in zip(self._related, levels, strict=False))
        named = {column.name: level for column, level in zip(model.columns, levels, strict=False)}
        counted = tuple(
            (at, level) for at, level in enumerate(levels[:-1]) if level in self.table.columns[at].terms
        )
        return (
            same,
            related if model.related_prior is not None else -SETTLED,
            model.policy.ruling(named),
            counted,
        )

    def together(self, pattern: int) -> dict[tuple[int, int], int]:
        """What is taken off, by the two columns that agree by accident together."""
        return {
            (a, b): bits
            for a, least_a, b, least_b, bits in self.dependences
            if (pattern >> a * BITS & MASK) >= least_a and (pattern >> b * BITS & MASK) >= least_b
        }

    def term(self, at: int, level: int, a: int, b: int) -> int:
        """What agreeing on just these values adds: the less rare one counts."""
        one, other = self._term(at, level, a), self._term(at, level, b)
        return one if one < other else other

    def _term(self, at: int, level: int, code: int) -> int:
        known = self._terms[at][level].get(code)
        if known is None:
            term = self.table.columns[at].terms[level]
            column = self.model.columns[at]
            text = term.of(self.table.values[at][code]) if code else ""
            known = 0
            if text:
                key = term_key(column.name, term.kind, text)
                known = self.model.terms.get(key, column.unseen.get(term.kind, 0))
            self._terms[at][level][code] = known
        return known


@attrs.frozen(kw_only=True)
class LearnedMatcher:
    """A model at work: compares two records by it, as a `PairMatcher`.

    *columns* are the columns that the model may name; give an expert's own ones beside `COLUMNS`.
    """

    model: MatchModel
    columns: tuple[Column, ...] = COLUMNS

    def __attrs_post_init__(self) -> None:
        known = {column.name: column for column in self.columns}
        for column in self.model.columns:
            if column.name not in known:
                raise InvalidModel(
                    f"the model compares by {column.name!r}, which is not a column here: give it in columns="
                )
            if known[column.name].labels != column.labels:
                raise InvalidModel(
                    f"the model knows other levels of {column.name!r} than there are here: learn anew, or give the "
                    "column that it was learned with in columns="
                )
        self.model.policy.check({column.name: column.top for column in (*COLUMNS, *self.columns)})

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    def suits(self, kind: str) -> bool:
        """Whether the model can tell customers of a kind apart: one that was learned of people says nothing of
        organizations, nor the other way round."""
        if kind == "anonymous":
            return True
        if self.model.kinds:
            return kind in self.model.kinds
        # A model that was laid down by hand: it is made for those whose names it compares.
        names = {column.name for column in self.model.columns}
        people, organizations = not names.isdisjoint(_NAMES_OF_PEOPLE), "organization name" in names
        return (people or not organizations) if kind == "person" else (organizations or not people)

    def keys(self, features: Features) -> frozenset[str]:
        """The texts under which records like this one are looked up."""
        return blocking_keys(features)

    def table(self, records: Sequence[Features]) -> Table:
        """The records as the model sees them."""
        known = {column.name: column for column in self.columns}
        return encode(records, [known[column.name] for column in self.model.columns], self.rarity())

    def rarity(self) -> Rarity:
        """How seldom a word is in names, as the model has learned it."""
        words, unseen = self.model.words, {
            group: self.model.words.get(term_key(group, "word", ""), 0) for group in WEIGHTED_GROUPS
        }  # fmt: skip
        return lambda group, word: words.get(term_key(group, "word", word), unseen[group])

    def compare(self, a: Features, b: Features, population: Population | None = None) -> Match:
        """What the model says of two records; the *population* is that of the model.

        A record of another kind is never the same customer, unless one of them is anonymous.
        """
        kinds = (a.kind, b.kind)
        if a.kind != b.kind and "anonymous" not in kinds:
            return Match("different", 0, (Reason("kind", "different", 0, False, kinds),), contradicted=True)
        if not (self.suits(a.kind) and self.suits(b.kind)):
            return Match("different", 0, (Reason("kind", "not compared by this model", 0, False, kinds),))
        return self.pair(a, b)

    def pair(self, a: Features, b: Features) -> Match:
        """What the model says of two records that it compares, whatever they are."""
        return self.match(Scorer(self.model, self.table([a, b])), 0, 1)

    def match(self, scorer: Scorer, i: int, j: int) -> Match:
        """The match of two records of a table, with a reason for every part of the score."""
        one, other = scorer.comparer.aligned(i, j)
        pattern = scorer.comparer.packed(one, other)
        found = scorer.of(pattern, one, other)
        return Match(
            self.verdict(found),
            found.score,
            tuple(self._reasons(scorer, pattern, one, other, found)),
            weak=False,
            contradicted=found.rule is not None and found.rule.ruling == "different",
        )

    def verdict(self, found: Score) -> Verdict:
        """The decision on a score."""
        policy = self.model.policy
        if found.rule is not None and found.rule.ruling != "related":
            return "same" if found.rule.ruling == "same" else "different"
        if found.rule is None and found.score >= policy.same_at:
            return "same"
        if found.related > 0:
            return "related"
        return "unsure" if found.score >= policy.review_at else "different"

    def _reasons(
        self, scorer: Scorer, pattern: int, one: Sequence[int], other: Sequence[int], found: Score
    ) -> list[Reason]:
        model, table = self.model, scorer.table
        levels = levels_of(pattern, len(model.columns))
        reasons = [Reason("any two records", "before looking", model.prior, False)]
        for at, (weights, level) in enumerate(zip(model.columns, levels, strict=False)):
            if not level:
                continue
            points = weights.same[level]
            if level in table.columns[at].terms:
                points += scorer.term(at, level, one[at], other[at])
            values = (_shown(table.values[at][one[at]]), _shown(table.values[at][other[at]]))
            agrees = level >= table.columns[at].agrees
            reasons.append(Reason(weights.name, weights.label(level), points, agrees, values))
        if levels[-1] == CROSSED:
            reasons.append(Reason("order of the names", ORDER_LABELS[1], _ORDER[CROSSED], False))
        for (a, b), bits in scorer.together(pattern).items():
            names = f"{model.columns[a].name} and {model.columns[b].name}"
            reasons.append(Reason(names, "often agree together", -bits, False))
        if found.related:
            reasons.append(Reason("related customers", "agree on this too", -found.related, False))
        if found.rule is not None:
            rest = found.score - sum(reason.points for reason in reasons)
            reasons.append(Reason("rule", found.rule.name, rest, False))
        return reasons


def _shown(value: object) -> object:
    """A value as people read it."""
    if isinstance(value, tuple):
        return " ".join(_word(part) for part in value if part)
    return "" if value is None else value


def _word(part: object) -> str:
    if isinstance(part, tuple):
        return str(part[0]) if len(part) == 2 and isinstance(part[1], int) else " ".join(map(str, part))
    return str(part)
