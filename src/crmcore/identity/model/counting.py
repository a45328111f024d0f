"""The reference: evidence counted pair by pair in plain Python. Every other way to count must come to the same numbers.

Invariant: pairs are compared once, and their patterns kept.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations

import attrs

from crmcore.identity.model.candidates import Candidates
from crmcore.identity.model.columns import Column
from crmcore.identity.model.encoding import Table
from crmcore.identity.model.evidence import (
    BARREN,
    BARREN_RELATED,
    HOPELESS,
    IMPOSSIBLE,
    LEVELS,
    MASS,
    MOST_TERM_BITS,
    NEGLIGIBLE,
    NEGLIGIBLE_RELATED,
    PART,
    WHOLE,
    Agreements,
    Sums,
    Tables,
    counted,
    pair_part,
    part_of,
    probability,
)  # fmt: skip
from crmcore.identity.model.patterns import BITS, MASK, Comparer, levels_of
from crmcore.identity.model.policy import UNIT
from crmcore.identity.model.sampling import LEANING, random_pairs

Progress = Callable[[int, int], None]


@attrs.define(kw_only=True)
class Pairs:
    """The pairs that were compared: the positions of both records, and the pattern.

    A record that was given several times is also compared with itself.
    """

    a: array[int]
    b: array[int]
    pattern: array[int]


@attrs.define
class _Item:
    """Pairs of one pattern whose terms add as much: the places of their levels in a flat table, what terms and
    dependences add, how many pairs there are, and what they count for."""

    at: tuple[int, ...]
    bits: int
    count: int = 0
    weight: int = 0


class Counting:
    """Evidence from a *table* of different records, each of which was given so many times (*copies*)."""

    def __init__(
        self, table: Table, copies: Sequence[int], budget: int | None, on_progress: Progress | None
    ) -> None:
        self.table = table
        self.copies = copies
        self.comparer = Comparer(table)
        self.candidates = Candidates(table, budget)
        self.pairs = self._compare(on_progress)
        count = len(table.rows)
        self._parts = [[WHOLE] * count for _ in table.columns]
        self._least = [PART] * count
        self._sizes: list[int] | None = None
        self._live: Sequence[int] = range(len(self.pairs.a))
        self._points: list[dict[int, list[int]]] = [
            {level: [] for level in column.terms} for column in table.columns
        ]
        self._texts = [
            {term.kind: ["", *map(term.of, values[1:])] for term in column.terms.values()}
            for column, values in zip(table.columns, table.values, strict=True)
        ]
        self._items: list[_Item] = []
        self._item_of: dict[int, _Item] = {}
        self._kept: list[_Item] = []

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.table.columns

    @property
    def records(self) -> int:
        return len(self.table.rows)

    @property
    def given(self) -> int:
        return sum(self.copies)

    def _compare(self, on_progress: Progress | None) -> Pairs:
        pairs = Pairs(a=array("i"), b=array("i"), pattern=array("q"))
        count = len(self.table.rows)
        pattern = self.comparer.pattern
        for i in range(count):
            partners = [*([i] if self.copies[i] > 1 else ()), *self.candidates.partners(i)]
            pairs.a.extend([i] * len(partners))
            pairs.b.extend(partners)
            pairs.pattern.extend([pattern(i, j) for j in partners])
            if on_progress is not None and (i % 256 == 0 or i + 1 == count):
                on_progress(i + 1, count)
        return pairs

    def bearers(self, at: int) -> Mapping[int, int]:
        codes = Counter(row[at] for row in self.table.rows)
        del codes[0]
        return Counter(codes.values())

    def presume(self, at: int, parts: Mapping[int, int]) -> None:
        codes = Counter(row[at] for row in self.table.rows)
        self._parts[at] = [parts[codes[row[at]]] if row[at] else WHOLE for row in self.table.rows]

    def masses(self, at: int, kind: str) -> Mapping[int, int]:
        return Counter(self._masses(at, kind).values())

    def _masses(self, at: int, kind: str) -> dict[str, int]:
        texts, parts = self._texts[at][kind], self._parts[at]
        found: dict[str, int] = {}
        for position, row in enumerate(self.table.rows):
            text = texts[row[at]]
            found[text] = found.get(text, 0) + parts[position]
        for position, groups in self.table.more.items():
            for group, options in groups.items():
                if at in self.table.places[group]:
                    where = self.table.places[group].index(at)
                    for option in options[1:]:
                        text = texts[option[where]]
                        found[text] = found.get(text, 0) + parts[position]
        found.pop("", None)
        return {text: (mass * MASS + WHOLE // 2) // WHOLE for text, mass in found.items()}

    def value(self, at: int, kind: str, points: Mapping[int, int]) -> None:
        masses = self._masses(at, kind)
        by_code = [points[masses[text]] if text in masses else 0 for text in self._texts[at][kind]]
        for level, term in self.columns[at].terms.items():
            if term.kind == kind:
                self._points[at][level] = by_code

    def terms(self, at: int, kind: str, unseen: int, least: int) -> Sequence[tuple[str, int]]:
        level = next(level for level, term in self.columns[at].terms.items() if term.kind == kind)
        found = dict(zip(self._texts[at][kind], self._points[at][level], strict=True))
        return [(text, points) for text, points in found.items() if text and abs(points - unseen) > least]

    def sampled(self) -> Sequence[Sequence[int]]:
        width = len(self.columns) + 1
        seen = [[0] * LEVELS for _ in range(width)]
        for one, other in random_pairs(self.records):
            for at, level in enumerate(levels_of(self.comparer.pattern(one, other), width - 1)):
                seen[at][level] += 1
        return seen

    def agreements(self) -> Mapping[tuple[int, int], Agreements]:
        rows, parts = self.table.rows[:LEANING], self._least[:LEANING]
        terms: list[list[str]] = []
        for at, column in enumerate(self.columns):
            best = column.terms.get(column.top)
            terms.append(
                self._texts[at][best.kind] if best else list(map(str, range(len(self.table.values[at]))))
            )
            terms[-1][0] = ""
        found: dict[tuple[int, int], Agreements] = {}
        for a, b in combinations(range(len(terms)), 2):
            ones: Counter[str] = Counter()
            others: Counter[str] = Counter()
            both: Counter[tuple[str, str]] = Counter()
            for row, part in zip(rows, parts, strict=True):
                one, other = terms[a][row[a]], terms[b][row[b]]
                if one and other:
                    ones[one] += part
                    others[other] += part
                    both[one, other] += part
            found[a, b] = Agreements(
                count=sum(ones.values()),
                one=_pairs(ones.values()), other=_pairs(others.values()), both=_pairs(both.values()),
            )  # fmt: skip
        return found

    def together(self) -> Agreements:
        given = [
            (row, times) for row, times in zip(self.table.rows, self.copies, strict=True) if row[0] and row[1]
        ]
        ones: Counter[int] = Counter()
        others: Counter[int] = Counter()
        both: Counter[tuple[int, ...]] = Counter()
        for row, times in given:
            ones[row[0]] += times
            others[row[1]] += times
            both[row[:2]] += times
        return Agreements(
            count=sum(ones.values()),
            one=_twos(ones.values()), other=_twos(others.values()), both=_twos(both.values()),
        )  # fmt: skip

    def gather(self, tables: Tables) -> None:
        items: dict[tuple[int, int], _Item] = {}
        taken: dict[int, int | None] = {}
        self._item_of = {}
        pairs = self.pairs
        for at in self._live:
            pattern = pairs.pattern[at]
            if pattern not in taken:
                taken[pattern] = self._possible(tables, pattern)
            less = taken[pattern]
            if less is None:
                continue
            i, j = pairs.a[at], pairs.b[at]
            bits = (self._term_points(pattern, i, j) + UNIT // 2) // UNIT
            bits = max(-MOST_TERM_BITS, min(MOST_TERM_BITS, bits))
            item = items.get((pattern, bits))
            if item is None:
                levels = levels_of(pattern, len(self.columns))
                where = tuple(k * LEVELS + level for k, level in enumerate(levels) if level)
                item = items[pattern, bits] = _Item(where, bits * UNIT - less)
            times = self.times(at)
            item.count += times
            item.weight += times * (
                PART if self._sizes is None else pair_part(self._sizes[i], self._sizes[j])
            )
            self._item_of[at] = item
        self._items = self._kept = list(items.values())

    def _possible(self, tables: Tables, pattern: int) -> int | None:
        """What dependences take off of a pattern; None if it can be of no customer's whatever its terms."""
        taken = tables.taken(pattern)
        levels = levels_of(pattern, len(self.columns))
        best = tables.prior + sum(row[level] for row, level in zip(tables.same, levels, strict=True))
        if tables.related is not None:
            other = sum(row[level] for row, level in zip(tables.related, levels, strict=True))
            best = max(best, tables.related_prior + other)
        return taken if best - taken > IMPOSSIBLE else None

    def times(self, at: int) -> int:
        """How many pairs the compared pair at a position counts for."""
        i, j = self.pairs.a[at], self.pairs.b[at]
        one, other = self.copies[i], self.copies[j]
        return one * (one - 1) // 2 if i == j else one * other

    def _term_points(self, pattern: int, i: int, j: int) -> int:
        one, other = self.comparer.aligned(i, j)
        points = 0
        for at, by_level in enumerate(self._points):
            known = by_level.get(pattern >> at * BITS & MASK)
            if known is not None:
                a, b = known[one[at]], known[other[at]]
                points += a if a < b else b
        return points

    def expect(self, tables: Tables) -> Sums:
        width = (len(self.columns) + 1) * LEVELS
        same, related = [0] * width, [0] * width
        total = related_total = 0
        for item in self._kept:
            a, b = self._scores(item, tables)
            if a < NEGLIGIBLE and (b is None or b < NEGLIGIBLE_RELATED):
                continue
            share = probability(a, b)
            total += share * item.count
            part = share * item.weight
            for at in item.at:
                same[at] += part
            if b is not None:
                share = probability(b, a)
                related_total += share * item.count
                part = share * item.weight
                for at in item.at:
                    related[at] += part
        return Sums(total=total, related_total=related_total, same=same, related=related)

    def prune(self, tables: Tables) -> None:
        kept: list[_Item] = []
        for item in self._kept:
            a, b = self._scores(item, tables)
            if a > BARREN or (b is not None and b > BARREN_RELATED):
                kept.append(item)
        self._kept = kept

    def _scores(self, item: _Item, tables: Tables) -> tuple[int, int | None]:
        same, related = tables.same, tables.related
        score = tables.prior + item.bits + sum([same[at // LEVELS][at % LEVELS] for at in item.at])
        if related is None:
            return score, None
        other = tables.related_prior + item.bits + sum([related[at // LEVELS][at % LEVELS] for at in item.at])
        return score, other

    def weigh(self, tables: Tables) -> None:
        count = self.records
        sizes = [WHOLE] * count
        shared = [[WHOLE] * count for _ in self.columns]
        full = [column.full for column in self.columns]
        known: dict[int, tuple[int, list[int]]] = {}
        live: list[int] = []
        for at, item in self._item_of.items():
            found = known.get(id(item))
            if found is None:
                a, b = self._scores(item, tables)
                agreeing = [where // LEVELS for where in item.at if where // LEVELS < len(full)]
                levels = {where // LEVELS: where % LEVELS for where in item.at}
                agreeing = [k for k in agreeing if levels[k] in full[k]]
                found = known[id(item)] = (counted(probability(a, b)) if a > HOPELESS else -1, agreeing)
            share, agreeing = found
            if share < 0:
                continue
            live.append(at)
            if share:
                i, j = self.pairs.a[at], self.pairs.b[at]
                met = [(i, self.copies[j] - (i == j)), (j, self.copies[i])][: 1 + (i != j)]
                for position, times in met:
                    sizes[position] += share * times
                    for k in agreeing:
                        shared[k][position] += share * times
        self._live = live
        # If a pair is the same, then of two records at least: one that is not counts for no more than one that is.
        self._sizes = [max(size, 2 * WHOLE) for size in sizes]
        self._parts = [
            [part_of(size, times) for size, times in zip(column, self.copies, strict=True)]
            for column in shared
        ]
        # Without the copies: what is left of one customer's own agreement would look like columns that lean on each
        # other.
        self._least = [
            max(part_of(max(column[i] for column in shared), 1) * PART // WHOLE, 1) for i in range(count)
        ]


def _twos(counts: Iterable[int]) -> int:
    return sum(count * (count - 1) // 2 for count in counts)


def _pairs(counts: Iterable[int]) -> int:
    return sum(count * max(count - PART, 0) for count in counts)
