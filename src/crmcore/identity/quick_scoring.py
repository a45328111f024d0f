"""Scores of projections by a model, one against many: what `LearnedMatcher` says, at a fraction of the cost.

Invariant: the score of two projections is the score of the two records. What has been compared once is remembered by
the values compared, so that one scorer serves many queries; it is rebuilt before it grows too large.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from itertools import takewhile
from typing import Any, cast

from crmcore.identity.matcher import Match
from crmcore.identity.model.columns import COLUMNS, WEIGHTED_GROUPS, Column
from crmcore.identity.model.content import number_of, text_of
from crmcore.identity.model.encoding import Table
from crmcore.identity.model.patterns import CROSSED, Comparer
from crmcore.identity.model.scoring import LearnedMatcher, Score, Scorer
from crmcore.identity.projection import GROUPS, READERS, Projection

_WIDE = 1 << 32
_MOST_VALUES = 1 << 18
"""A scorer that knows so many values is begun anew."""

_QUICK = (
    "phone",
    "e-mail",
    "birth date",
    "identifier",
    "given name",
    "family name",
    "postcode",
    "city",
    "street",
)
"""The columns that tell strangers apart, the best for the least cost first."""

_ALIKE = 3
"""Up to this level the names may fit better crosswise, given with family name."""

_PLACES = {column.name: at for at, column in enumerate(COLUMNS)}


def projectable(matcher: LearnedMatcher) -> bool:
    """Whether everything that a model compares is in a projection: an expert's column may look elsewhere."""
    known = {column.name: column for column in matcher.columns}
    return all(
        column.name in _PLACES and known[column.name].source is None for column in matcher.model.columns
    )


class _OpenComparer(Comparer):
    """A comparer of a table that grows: a code stays what it is when values are added."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self._sizes = (_WIDE,) * len(table.columns)

    def _numbers(self, places: tuple[int, ...], option: tuple[int, ...]) -> tuple[int, ...]:
        values = self.table.values
        return tuple(
            number_of(text_of(values[at][code])) if code else 0
            for at, code in zip(places, option, strict=True)
        )


class QuickScorer:
    """A model at work on projections. Rows are numbered as they are added, and forgotten by `begin`.

    Who shares a scorer among threads gives a *lock*, and holds it from `begin` to the last score.
    """

    def __init__(self, matcher: LearnedMatcher, lock: AbstractContextManager[Any] | None = None) -> None:
        self.matcher = matcher
        self.lock = lock or nullcontext()
        known = {column.name: column for column in matcher.columns}
        self.columns: tuple[Column, ...] = tuple(known[column.name] for column in matcher.model.columns)
        self.places = tuple(_PLACES[column.name] for column in self.columns)
        self._weigh = matcher.rarity()  # the matcher's own way to weigh words, of which there is one
        self._rebuild()

    def _rebuild(self) -> None:
        self._codes: list[dict[str, int]] = [{"": 0} for _ in self.columns]
        self._values: list[list[Any]] = [[None] for _ in self.columns]
        self._rows: list[tuple[int, ...]] = []
        self._kinds: list[str] = []
        self._more: dict[int, dict[str, list[tuple[int, ...]]]] = {}
        groups: dict[str, list[int]] = {}
        for at, column in enumerate(self.columns):
            groups.setdefault(column.group, []).append(at)
        self._groups = {group: tuple(places) for group, places in groups.items()}
        self.table = Table(
            columns=self.columns,
            values=cast("Any", self._values),  # lists, which grow
            rows=cast("Any", self._rows),
            more=self._more,
            places=self._groups,
            kinds=cast("Any", self._kinds),
        )
        self.comparer = _OpenComparer(self.table)
        self.scorer = Scorer(self.matcher.model, self.table, self.comparer)
        self._count = 0
        self._bound()

    def _bound(self) -> None:
        """What the columns are worth at best, for `hopeless`."""
        model = self.matcher.model
        policy = model.policy
        self._least = min(policy.review_at, policy.same_at)
        worth = [
            tuple(
                points
                + max(0, weights.unseen.get(column.terms[level].kind, 0) if level in column.terms else 0)
                for level, points in enumerate(weights.same)
            )
            for weights, column in zip(model.columns, self.columns, strict=True)
        ]
        best = [max((0, *row)) for row in worth]
        names = [column.name for column in model.columns]
        # A term of the model may be worth more than one that nobody else has, if it was laid down by hand.
        unseen = max((0, *(points for weights in model.columns for points in weights.unseen.values())))
        loose = max((0, *model.terms.values())) > unseen
        joining = any(rule.ruling == "same" for rule in policy.rules) or any(
            d.bits < 0 for d in model.dependences
        )
        quick = [names.index(name) for name in _QUICK if name in names]
        self._quick = tuple((at, best[at], worth[at]) for at in ([] if loose or joining else quick))
        self._most = model.prior + sum(best)
        given, family = self.comparer.given, self.comparer.family
        at = {one[0]: one for one in self._quick}
        self._named = (at[given], at[family]) if given in at and family in at else None
        self._before_names = frozenset(takewhile(lambda place: place not in (given, family), at))

    def begin(self) -> None:
        """Forget the rows, not what is known of values."""
        if self._count > _MOST_VALUES:
            self._rebuild()
        self._rows.clear()
        self._kinds.clear()
        self._more.clear()

    def add(self, projection: Projection) -> int:
        """Add a record; the number of its row."""
        values = projection.values
        codes = self._codes
        row: list[int] = []
        for at, place in enumerate(self.places):
            text = values[place]
            code = codes[at].get(text)
            row.append(self._new(at, place, text) if code is None else code)
        number = len(self._rows)
        self._rows.append(tuple(row))
        self._kinds.append(projection.kind)
        for group, options in projection.more:
            if group in self._groups:
                self._add_options(number, group, options)
        return number

    def _add_options(self, number: int, group: str, options: tuple[tuple[str, ...], ...]) -> None:
        columns = self._groups[group]
        where = [(at, GROUPS[group].index(self.places[at])) for at in columns]
        coded = sorted({tuple(self._code(at, option[index]) for at, index in where) for option in options})
        row = list(self._rows[number])
        for at, code in zip(columns, coded[0], strict=True):
            row[at] = code
        self._rows[number] = tuple(row)
        if len(coded) > 1:
            self._more.setdefault(number, {})[group] = coded

    def _code(self, at: int, text: str) -> int:
        code = self._codes[at].get(text)
        return self._new(at, self.places[at], text) if code is None else code

    def _new(self, at: int, place: int, text: str) -> int:
        value = READERS[place](text)
        group = self.columns[at].group
        if group in WEIGHTED_GROUPS:
            value = tuple((word, self._weigh(group, word)) for word in value)
        values = self._values[at]
        code = len(values)
        values.append(value)
        self._codes[at][text] = code
        self._count += 1
        return code

    def identity(self, row: int) -> object:
        """What makes two rows equal."""
        more = self._more.get(row)
        frozen = None if more is None else tuple((g, tuple(o)) for g, o in sorted(more.items()))
        return (self._kinds[row], self._rows[row], frozen)

    def hopeless(self, i: int, j: int) -> bool:
        """Whether the score cannot reach what is worth a look, by what the first columns leave of the best score."""
        if i in self._more or j in self._more:
            return False
        one, other = self._rows[i], self._rows[j]
        bound, least = self._most, self._least
        level_of = self.comparer.level
        for at, best, worth in self._quick:
            a, b = one[at], other[at]
            bound -= best
            if a and b:
                bound += worth[level_of(at, a, b)]
            if bound < least:
                # Names that were not looked at yet are taken at their best.
                early = at in self._before_names
                return early or bound + self._names_at_best(one, other) < least
        return False

    def _names_at_best(self, one: tuple[int, ...], other: tuple[int, ...]) -> int:
        """How much more the names may be worth than their levels say, since they agree crosswise."""
        if self._named is None:
            return 0
        (given, best, worth), (family, best_family, worth_family) = self._named
        a, b, c, d = one[given], other[given], one[family], other[family]
        level_of = self.comparer.level
        x, y = level_of(given, a, b) if a and b else 0, level_of(family, c, d) if c and d else 0
        if x and y and max(x, y) > _ALIKE:
            return 0
        crossing = self.comparer._crossing  # the comparer's own, which remembers
        if max(crossing(a, d), crossing(b, c)) < CROSSED:
            return 0
        return best - worth[x] + best_family - worth_family[y]

    def score(self, i: int, j: int) -> Score:
        """The score of two rows."""
        return self.scorer.score(i, j)

    def match(self, i: int, j: int) -> Match:
        """The match of two rows, with its reasons."""
        return self.matcher.match(self.scorer, i, j)
