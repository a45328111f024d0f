"""Evidence counted with arrays: the same whole numbers as the reference counts pair by pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.arrays import ArrayTable, Keys
from crmcore.identity.batch.blocking import Blocked, blocked
from crmcore.identity.batch.grading import PairGrader
from crmcore.identity.batch.pairs import runs
from crmcore.identity.batch.texts import Flags, Ints, Longs, each, released
from crmcore.identity.batch.whole_sums import (
    Grouped,
    agreeing,
    by_level,
    dot,
    exact,
    looked_up,
    patterns_of,
    probabilities,
    sums_by,
)
from crmcore.identity.batch.work import Work
from crmcore.identity.model.columns import Column
from crmcore.identity.model.evidence import (
    BARREN,
    BARREN_RELATED,
    CERTAIN,
    COUNTED,
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
)  # fmt: skip
from crmcore.identity.model.patterns import BITS, MASK
from crmcore.identity.model.policy import UNIT
from crmcore.identity.model.sampling import LEANING, random_stretches

Progress = Callable[[int, int], None]

_PAIRS = 1 << 16


@attrs.define
class _Items:
    """Pairs of one *pattern* whose terms add as much, by ascending pattern; *of* has for each of the *live* pairs which
    ones it is among."""

    pattern: Longs
    bits: Longs
    count: Longs
    weight: Longs
    of: Ints
    live: Ints


class ArrayCounting:
    """Evidence from a *table* of different records, each of which was given so many times (*copies*)."""

    def __init__(
        self,
        table: ArrayTable,
        copies: NDArray[np.int64],
        budget: int | None,
        on_progress: Progress | None,
        work: Work | None = None,
    ) -> None:
        work = Work() if work is None else work
        self.table = table
        self.copies = copies
        self.blocked = work.candidates(lambda room: blocked(_keys(table), table.records, budget, room=room))
        released()
        self.grader = PairGrader(table)
        released()
        self.a, self.b = _with_copies(self.blocked, copies)
        count = len(self.a)
        patterns = work.patterns(self.grader, self.a, self.b, on_progress)
        self.patterns = patterns_of(patterns, len(table.columns) + 1)
        self._parts = [np.full(table.records, WHOLE, dtype=np.int64) for _ in table.columns]
        self._least = np.full(table.records, PART, dtype=np.int64)
        self._sizes: Longs | None = None
        self._live: Ints = np.arange(count, dtype=np.int32)
        self._known: dict[tuple[int, str], tuple[Longs, Longs]] = {}
        self._points: list[dict[int, Longs]] = [{} for _ in table.columns]
        one, other = copies[self.a], copies[self.b]
        self._times = np.where(self.a == self.b, one * (one - 1) // 2, one * other)

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(column.column for column in self.table.columns)

    @property
    def records(self) -> int:
        return self.table.records

    @property
    def given(self) -> int:
        return int(self.copies.sum())

    @property
    def trained(self) -> bool:
        """Whether it is known what any term adds."""
        return any(self._points)

    def _bearers(self, at: int) -> Longs:
        column = self.table.columns[at]
        found = np.bincount(column.codes, minlength=column.size)
        found[0] = 0
        return found

    def bearers(self, at: int) -> Mapping[int, int]:
        found = np.bincount(self._bearers(at))
        return {n: int(found[n]) for n in np.nonzero(found)[0].tolist() if n}

    def presume(self, at: int, parts: Mapping[int, int]) -> None:
        bearers = self._bearers(at)
        table = np.full(int(bearers.max(initial=0)) + 1, WHOLE, dtype=np.int64)
        table[list(parts)] = list(parts.values())
        self._parts[at] = np.where(
            self.table.columns[at].codes > 0, table[bearers[self.table.columns[at].codes]], WHOLE
        )

    def _masses(self, at: int, kind: str) -> Longs:
        """For each term by how many customers it is borne, in parts of `MASS`."""
        known = self._known.get((at, kind))
        if known is not None and known[0] is self._parts[at]:
            return known[1]
        column = self.table.columns[at]
        terms = column.terms[kind]
        codes, parts = column.codes, self._parts[at]
        by_code = np.bincount(codes, weights=parts, minlength=column.size)
        for position, code in self.table.further(at):
            by_code[code] += parts[position]
        masses = np.bincount(terms.ids, weights=by_code, minlength=terms.count).astype(np.int64)
        masses = (masses * MASS + WHOLE // 2) // WHOLE
        masses[0] = 0
        self._known[at, kind] = self._parts[at], masses
        return masses

    def masses(self, at: int, kind: str) -> Mapping[int, int]:
        masses = self._masses(at, kind)
        values, counts = np.unique(masses[self._borne(at, kind)], return_counts=True)
        return dict(zip(values.tolist(), counts.tolist(), strict=True))

    def _borne(self, at: int, kind: str) -> Flags:
        terms = self.table.columns[at].terms[kind]
        found = np.zeros(terms.count, dtype=np.bool_)
        found[terms.ids[1:]] = True
        found[0] = False
        return found

    def value(self, at: int, kind: str, points: Mapping[int, int]) -> None:
        masses = self._masses(at, kind)
        known = np.array(sorted(points), dtype=np.int64)
        worth = np.array([points[mass] for mass in known.tolist()], dtype=np.int64)
        by_term = np.zeros(len(masses), dtype=np.int64)
        borne = self._borne(at, kind)
        if len(known):
            by_term[borne] = worth[np.searchsorted(known, masses[borne])]
        by_code = by_term[self.table.columns[at].terms[kind].ids]
        for level, term in self.columns[at].terms.items():
            if term.kind == kind:
                self._points[at][level] = by_code

    def points_of_terms(self, at: int) -> Mapping[str, Longs]:
        """What agreeing on each term of a column adds, by kind."""
        found: dict[str, Longs] = {}
        for level, term in self.columns[at].terms.items():
            terms = self.table.columns[at].terms[term.kind]
            by_term = np.zeros(terms.count, dtype=np.int64)
            by_term[terms.ids] = self._points[at][level]
            found[term.kind] = by_term
        return found

    def terms(self, at: int, kind: str, unseen: int, least: int) -> Sequence[tuple[str, int]]:
        level = next(level for level, term in self.columns[at].terms.items() if term.kind == kind)
        terms, points = self.table.columns[at].terms[kind], self._points[at][level]
        chosen = np.nonzero((np.abs(points - unseen) > least) & (terms.ids > 0))[0]
        ids, first = np.unique(terms.ids[chosen], return_index=True)
        worth = points[chosen[first]].tolist()
        return list(zip(terms.texts(ids), worth, strict=True))

    def sampled(self) -> Sequence[Sequence[int]]:
        stretches = random_stretches(self.records)
        one = [np.arange(length, dtype=np.int32) for _, length in stretches]
        other = [np.arange(step, step + length, dtype=np.int32) for step, length in stretches]
        width = len(self.columns) + 1
        if not stretches:
            return [[0] * LEVELS for _ in range(width)]
        patterns = self.grader.patterns(np.concatenate(one), np.concatenate(other))
        return [np.bincount(patterns >> at * BITS & MASK, minlength=LEVELS).tolist() for at in range(width)]

    def agreements(self) -> Mapping[tuple[int, int], Agreements]:
        parts = self._least[:LEANING]
        terms: list[tuple[Longs, int]] = []
        for column in self.table.columns:
            best = column.column.terms.get(column.column.top)
            codes = column.codes[:LEANING]
            if best is not None:
                codes = column.terms[best.kind].ids[codes]
            terms.append((codes.astype(np.int64), int(codes.max(initial=0)) + 1))
        return {(a, b): agreeing(*terms[a], *terms[b], parts) for a, b in combinations(range(len(terms)), 2)}

    def together(self) -> Agreements:
        one, other = (column.codes.astype(np.int64) for column in self.table.columns[:2])
        both = np.nonzero((one > 0) & (other > 0))[0]
        counts = [
            sums_by(keys[both], self.copies[both])
            for keys in (one, other, one * (int(other.max(initial=0)) + 1) + other)
        ]
        twos = [int((found * (found - 1) // 2).sum()) for found in counts]
        return Agreements(count=int(self.copies[both].sum()), one=twos[0], other=twos[1], both=twos[2])

    def gather(self, tables: Tables) -> None:
        live, patterns = self._live, self.patterns
        worth, less = self._worth(tables)
        possible = worth > IMPOSSIBLE
        live = live[possible[patterns.of[live]]]
        bits = self._terms_of(live)
        width = 2 * MOST_TERM_BITS + 1
        key = patterns.of[live].astype(np.int64) * width + bits + MOST_TERM_BITS
        known = np.zeros(len(patterns.values) * width, dtype=np.bool_)
        known[key] = True
        ids = np.nonzero(known)[0]
        where = np.zeros(len(known), dtype=np.int32)
        where[ids] = np.arange(len(ids), dtype=np.int32)
        of = where[key]
        times = self._times[live]
        weight = times * PART
        if self._sizes is not None:
            weight = times * (2 * WHOLE * PART // (self._sizes[self.a[live]] + self._sizes[self.b[live]]))
        pattern, term = np.divmod(ids, width)
        self._items = _Items(
            pattern=pattern,
            bits=(term - MOST_TERM_BITS) * UNIT - less[pattern],
            count=exact(of, times, len(ids)),
            weight=exact(of, weight, len(ids)),
            of=of,
            live=live,
        )
        self._kept = np.arange(len(ids))

    def _terms_of(self, live: Ints) -> Longs:
        """What their terms add for some pairs, in whole bits."""
        bits = np.empty(len(live), dtype=np.int64)

        def add(start: int) -> None:
            mine = live[start : start + _PAIRS]
            pattern, points = self.patterns.of[mine], np.zeros(len(mine), dtype=np.int64)
            for at, known in enumerate(self._points):
                levels = self.patterns.levels[pattern, at]
                for level, by_code in known.items():
                    there = np.nonzero(levels == level)[0]
                    if len(there):
                        a, b = self.grader.aligned(at, self.a[mine[there]], self.b[mine[there]])
                        points[there] += np.minimum(by_code[a], by_code[b])
            bits[start : start + _PAIRS] = points

        each(add, range(0, len(live), _PAIRS), len(live))
        return np.clip((bits + UNIT // 2) // UNIT, -MOST_TERM_BITS, MOST_TERM_BITS)

    def _worth(self, tables: Tables) -> tuple[Longs, Longs]:
        """What each pattern is worth at best without its terms, and what dependences take off."""
        levels = self.patterns.levels
        less = np.zeros(len(levels), dtype=np.int64)
        for a, least_a, b, least_b, bits in tables.together:
            less += np.where((levels[:, a] >= least_a) & (levels[:, b] >= least_b), bits, 0)
        worth = tables.prior + looked_up(tables.same, levels)
        if tables.related is not None:
            worth = np.maximum(worth, tables.related_prior + looked_up(tables.related, levels))
        return worth - less, less

    def expect(self, tables: Tables) -> Sums:
        kept, items = self._kept, self._items
        a, b = self._scores(tables, kept)
        likely = a >= NEGLIGIBLE
        if b is not None:
            likely |= b >= NEGLIGIBLE_RELATED
        share = probabilities(a, b) * likely
        count, weight = items.count[kept], items.weight[kept]
        starts, _ = runs(items.pattern[kept])
        levels = self.patterns.levels[items.pattern[kept[starts]]]
        related_total, related = 0, [0] * ((len(self.columns) + 1) * LEVELS)
        if b is not None:
            other = probabilities(b, a) * likely
            related_total, related = dot(other, count), by_level(other, weight, starts, levels)
        return Sums(
            total=dot(share, count),
            related_total=related_total,
            same=by_level(share, weight, starts, levels),
            related=related,
        )

    def prune(self, tables: Tables) -> None:
        a, b = self._scores(tables, self._kept)
        self._kept = self._kept[(a > BARREN) | (False if b is None else b > BARREN_RELATED)]

    def _scores(self, tables: Tables, kept: Longs) -> tuple[Longs, Longs | None]:
        pattern, bits, levels = self._items.pattern[kept], self._items.bits[kept], self.patterns.levels
        score = looked_up(tables.same, levels)[pattern] + bits + tables.prior
        if tables.related is None:
            return score, None
        return score, looked_up(tables.related, levels)[pattern] + bits + tables.related_prior

    def weigh(self, tables: Tables) -> None:
        items = self._items
        a, b = self._scores(tables, np.arange(len(items.bits)))
        share = probabilities(a, b) * WHOLE // CERTAIN
        share[share <= COUNTED] = 0
        hopeful = a > HOPELESS
        share[~hopeful] = 0
        self._live = items.live[hopeful[items.of]]
        counted = np.nonzero(share[items.of])[0]
        pairs, of = items.live[counted], items.of[counted]
        i, j = self.a[pairs], self.b[pairs]
        apart = i != j
        mine, theirs = share[of] * (self.copies[j] - ~apart), share[of] * self.copies[i] * apart
        # Each pair is seen from either side.
        sides = Grouped.of(np.concatenate([i, j]))
        amounts, items_of = np.concatenate([mine, theirs])[sides.order], np.tile(of, 2)[sides.order]

        def customers(some: Longs) -> Longs:
            """For each record how many records are one customer with it."""
            found = np.full(self.records, WHOLE, dtype=np.int64)
            found[sides.keys] += sides.sums(some)
            return found

        def shared(column: tuple[int, Column]) -> Longs:
            full = np.zeros(LEVELS, dtype=np.bool_)
            full[list(column[1].full)] = True
            agree = full[self.patterns.levels[:, column[0]]][items.pattern]
            return customers(amounts * agree[items_of])

        most = np.full(self.records, WHOLE, dtype=np.int64)
        for at, found in enumerate(each(shared, enumerate(self.columns), len(pairs))):
            self._parts[at] = self.copies * WHOLE * WHOLE // found
            most = np.maximum(most, found)
        self._sizes = np.maximum(customers(amounts), 2 * WHOLE)
        self._least = np.maximum(WHOLE * WHOLE // most * PART // WHOLE, 1)


def _keys(table: ArrayTable) -> Keys:
    keys = table.keys()
    released()
    return keys


def _with_copies(found: Blocked, copies: NDArray[np.int64]) -> tuple[Ints, Ints]:
    several = np.nonzero(copies > 1)[0].astype(np.int32)
    return np.concatenate([several, found.a]), np.concatenate([several, found.b])
