"""From records to a model, without labels: the one trainer.

Invariant: what is learned is a function of the set of records: not of their order, their ids, or chance. Pairs are
compared once and their patterns counted; random pairs are chosen by a hash of what records hold. Three times over, the
frequencies of terms, the dependences among columns and the shares of levels are worked out, each time knowing better
which records are one customer's.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from math import log2, sqrt

import attrs

from crmcore.identity.features import Features
from crmcore.identity.model.candidates import Candidates
from crmcore.identity.model.columns import COLUMNS, Column
from crmcore.identity.model.dependence import Dependence, dependences
from crmcore.identity.model.encoding import Table, encode
from crmcore.identity.model.expectation import ORDER_BITS, Classes, Item, Shares, fit, item
from crmcore.identity.model.frequencies import Frequencies
from crmcore.identity.model.patterns import BITS, MASK, Comparer, levels_of

Progress = Callable[[int, int], None]

LOOPS = 3
_SAMPLE = 200_000
_SAMPLE_A_RECORD = 60
_MOST_TERM_BITS = 12
_HOPELESS = -14.0
"""Pairs of a lower score, in bits, are not looked at again in the next loop."""

_IMPOSSIBLE = -30.0
"""Nor are pairs that are below this at the start and however rare what they agree on."""

_COUNTED = 0.01
_RECORDS = 10
"""A customer is taken to have no more records than this, until more is known."""

_OTHERS = 25
"""With so many others of its customer a record is compared at most, on average."""

_MOST_SHARE = 0.2

TELLING = 3
"""With fewer columns nothing is seen of one that the others do not decide: what is known by nature stays."""

_HAS_SUPPORT = frozenset({"phone", "street", "e-mail", "postcode", "city", "employer"})
_LEAST_RELATED = 20


@attrs.define(kw_only=True)
class Pairs:
    """The pairs that were compared: the positions of both records, and the pattern.

    A record that was given several times is also compared with itself.
    """

    a: array[int]
    b: array[int]
    pattern: array[int]


@attrs.define(kw_only=True)
class Training:
    """All that a training knows. *copies* says how many times each record counts, since it was given so many times or
    more, and *note* why there are two classes where there are not three."""

    records: Sequence[Features]
    table: Table
    copies: Sequence[int]
    comparer: Comparer
    candidates: Candidates
    pairs: Pairs
    classes: Classes
    frequencies: Frequencies
    dependences: tuple[Dependence, ...]
    note: str = ""

    @property
    def total(self) -> float:
        """How many pairs the records make, as often as they count."""
        count = sum(self.copies)
        return count * (count - 1) / 2

    @property
    def most(self) -> float:
        """Of all pairs no more are of one customer, however that looks."""
        most = min(_MOST_SHARE, _OTHERS / max(sum(self.copies), 1))
        return min(most, 2 * self.classes.prior) if self.classes.rounds else most

    def times(self, at: int) -> int:
        """How many pairs the compared pair at a position counts for."""
        i, j = self.pairs.a[at], self.pairs.b[at]
        one, other = self.copies[i], self.copies[j]
        return one * (one - 1) // 2 if i == j else one * other


def used_columns(records: Sequence[Features], columns: Sequence[Column] = COLUMNS) -> tuple[Column, ...]:
    """The columns in which at least two records have a value."""
    table = encode(records, columns)
    counts = [0] * len(columns)
    for row in table.rows:
        for at, code in enumerate(row):
            counts[at] += code > 0
    return tuple(column for column, count in zip(columns, counts, strict=True) if count > 1)


def train(
    records: Sequence[Features],
    columns: Sequence[Column],
    copies: Sequence[int],
    *,
    budget: int | None = None,
    on_progress: Progress | None = None,
) -> Training:
    """Learn from *records*, which are different from each other and sorted by what they hold; *copies* says how many
    times each was given."""
    # What was copied a thousand times says no more of others than what was copied a few times.
    copies = [min(times, _RECORDS) for times in copies]
    table = encode(records, columns)
    comparer = Comparer(table)
    candidates = Candidates(table, budget)
    pairs = _compare(table, comparer, candidates, copies, on_progress)
    sample = _sample(comparer)
    count = sum(copies)
    training = Training(
        records=records,
        table=table,
        copies=copies,
        comparer=comparer,
        candidates=candidates,
        pairs=pairs,
        classes=Classes(
            same=tuple((0.0, *column.usual) for column in columns), other=(), prior=1.0 / max(count, 2)
        ),
        frequencies=Frequencies.of(table, _presumed(table)),
        dependences=(),
    )
    organizations = 2 * sum(record.kind == "organization" for record in records) > len(records)
    own = {column.name: ("organization" if organizations else "person") in column.own for column in columns}
    live: Sequence[int] = range(len(pairs.a))
    parts: _Parts | None = None
    for loop in range(LOOPS):
        _count(training, sample, parts)
        _lean(training, parts)
        if loop == 1:
            _add_related(training, own, organizations=organizations)
        adding = _together(training)
        items, terms = _items(training, live, parts, adding)
        # At first, when nothing is known of who is who, what is common to neighbours must not pass for one customer.
        known = count / 2 if parts is None or len(columns) < TELLING else 0.0
        training.classes = fit(items, training.classes, columns, training.total, own, known)
        if training.classes.related_prior * training.total < _LEAST_RELATED and loop:
            training.classes = attrs.evolve(training.classes, related=None, related_prior=0.0)
            training.note = training.note or (
                "two classes: too few pairs share an address or contact point and are not the same customer"
            )
        live, parts = _weigh(training, terms, adding)
    _count(training, sample, parts)
    return training


def _count(training: Training, sample: Sequence[Sequence[int]], parts: _Parts | None) -> None:
    """How common terms are, and what is seen of strangers, knowing what each record counts for."""
    if parts is not None and len(training.table.columns) > 1:
        training.frequencies = Frequencies.of(training.table, parts.by_column)
    training.classes = attrs.evolve(training.classes, other=_strangers(training, sample))


def _lean(training: Training, parts: _Parts | None) -> None:
    """Which columns lean on each other."""
    table, classes = training.table, training.classes
    agreeing = [
        _agreement(column, shares) for column, shares in zip(table.columns, classes.same, strict=True)
    ]
    training.dependences = dependences(table, agreeing, classes.prior, None if parts is None else parts.least)


def _presumed(table: Table) -> list[list[float]]:
    """What each record counts for in each column, before anything is known of who is who.

    By nature so many records agree on a value by accident; where more do, the rest is taken to be of one customer's
    records, of which there are some at most.
    """
    found: list[list[float]] = []
    for at, column in enumerate(table.columns):
        codes = [row[at] for row in table.rows]
        bearers = Counter(codes)
        bearers[0] = 0
        count = bearers.total()
        accidents = count * (count - 1) / 2 * 2.0**-column.rarity
        agreeing = sum(n * (n - 1) / 2 for n in bearers.values() if n <= _RECORDS)
        apart = min(1.0, accidents / agreeing) if agreeing else 1.0
        counts = {
            code: max((1 + (n - 1) * apart) / n, 1 / _RECORDS) if n else 1.0 for code, n in bearers.items()
        }
        found.append([counts[code] for code in codes])
    return found


def _compare(
    table: Table,
    comparer: Comparer,
    candidates: Candidates,
    copies: Sequence[int],
    on_progress: Progress | None,
) -> Pairs:
    pairs = Pairs(a=array("i"), b=array("i"), pattern=array("q"))
    count = len(table.rows)
    pattern = comparer.pattern
    for i in range(count):
        partners = [*([i] if copies[i] > 1 else ()), *candidates.partners(i)]
        pairs.a.extend([i] * len(partners))
        pairs.b.extend(partners)
        pairs.pattern.extend([pattern(i, j) for j in partners])
        if on_progress is not None and i % 256 == 0:
            on_progress(i, count)
    if on_progress is not None:
        on_progress(count, count)
    return pairs


def _sample(comparer: Comparer) -> list[list[int]]:
    """For each column how often each level is seen in random pairs, and so for the order of names."""
    rows = comparer.rows
    order = sorted(
        range(len(rows)), key=lambda at: (blake2b(repr(rows[at]).encode(), digest_size=8).digest(), at)
    )
    width = len(comparer.table.columns) + 1
    seen = [[0] * (MASK + 1) for _ in range(width)]
    left = min(_SAMPLE, _SAMPLE_A_RECORD * len(rows))
    for step in range(1, len(rows)):
        for one, other in zip(order, order[step:], strict=False):
            for at, level in enumerate(levels_of(comparer.pattern(one, other), width - 1)):
                seen[at][level] += 1
            left -= 1
            if not left:
                return seen
    return seen


def _strangers(training: Training, sample: Sequence[Sequence[int]]) -> Shares:
    """The levels of strangers: in closed form where terms are equal, from random pairs for the rest."""
    found: list[tuple[float, ...]] = []
    for at, column in enumerate(training.table.columns):
        seen = sample[at]
        present = sum(seen[1:])
        shares = [0.0] * (column.top + 1)
        for level in range(2, column.top + 1):
            share = (seen[level] + 0.2) / (present + 1)
            gone = training.classes.prior * training.classes.same[at][level]
            shares[level] = max(share - gone, share * 0.1, 1e-7)
        best = column.terms.get(column.top)
        if best is not None:
            equal = [level for level, term in column.terms.items() if term is best or term == best]
            # Who is taken for one customer explains what is seen of agreement only as far as customers go; two standard
            # errors of the random pairs are left to chance.
            equals = sum(seen[level] for level in equal)
            least = (equals - 2 * sqrt(equals)) / (present + 1) - training.most * _agreement(
                column, training.classes.same[at]
            )
            accident = max(training.frequencies.accident(at, best), least)
            total = sum(seen[level] + 0.5 for level in equal)
            for level in equal:
                shares[level] = accident * (seen[level] + 0.5) / total
        shares[1] = max(1 - sum(shares[2:]), 0.01)
        found.append(tuple(shares))
    return tuple(found)


def _agreement(column: Column, shares: Sequence[float]) -> float:
    """How often two records of one customer agree in full."""
    best = column.terms.get(column.top)
    if best is None:
        return shares[column.top]
    return sum(shares[level] for level, term in column.terms.items() if term == best)


def _add_related(training: Training, own: Mapping[str, bool], *, organizations: bool) -> None:
    """Begin a class of related pairs, where something that they share can be seen."""
    names = own.keys()
    supported = (
        "street" in names if organizations else "given name" in names and not _HAS_SUPPORT.isdisjoint(names)
    )
    if not supported:
        training.note = (
            "two classes: there is no address or contact point by which related customers could be told"
        )
        return
    classes = training.classes
    learned = [
        not own[column.name] and (organizations or column.name not in ("e-mail", "occupation"))
        for column in training.table.columns
    ]
    related: list[tuple[float, ...]] = []
    for column, free, same, other in zip(
        training.table.columns, learned, classes.same, classes.other, strict=True
    ):
        if free:
            related.append((0.0, *(0.9 * share + 0.1 / column.top for share in same[1:])))
        else:
            related.append((0.0, *(0.97 * u + 0.03 * m for u, m in zip(other[1:], same[1:], strict=True))))
    # Relatives may have passed for one customer so far: what is somebody's own begins anew.
    begun = [
        (0.0, *column.usual) if own[column.name] else same
        for column, same in zip(training.table.columns, classes.same, strict=True)
    ]
    training.classes = attrs.evolve(
        classes, same=tuple(begun), related=tuple(related), related_prior=classes.prior * 0.2
    )


def _together(training: Training) -> Callable[[int], float]:
    """What the dependences take off of a pattern, in bits."""
    columns = training.table.columns
    known: dict[int, float] = {}

    def taken(pattern: int) -> float:
        bits = known.get(pattern)
        if bits is None:
            bits = known[pattern] = -sum(
                d.bits
                for d in training.dependences
                if (pattern >> d.a * BITS & MASK) >= columns[d.a].agrees
                and (pattern >> d.b * BITS & MASK) >= columns[d.b].agrees
            )
        return bits

    return taken


def _items(
    training: Training, live: Sequence[int], parts: _Parts | None, adding: Callable[[int], float]
) -> tuple[list[Item], dict[int, int]]:
    """The patterns of the live pairs, each with the whole bits that its terms add; and these bits for each pair."""
    counts: dict[tuple[int, int], int] = {}
    weights: dict[tuple[int, int], float] = {}
    terms: dict[int, int] = {}
    pairs = training.pairs
    possible = _possible(training, adding)
    for at in live:
        pattern = pairs.pattern[at]
        if not possible(pattern):
            continue
        bits = round(_term_bits(training, pattern, pairs.a[at], pairs.b[at]))
        bits = max(-_MOST_TERM_BITS, min(_MOST_TERM_BITS, bits))
        terms[at] = bits
        key = (pattern, bits)
        times = training.times(at)
        counts[key] = counts.get(key, 0) + times
        weight = 1.0 if parts is None else 2.0 / (parts.size[pairs.a[at]] + parts.size[pairs.b[at]])
        weights[key] = weights.get(key, 0.0) + times * weight
    width = len(training.table.columns)
    items = [
        item(pattern, width, bits + adding(pattern), counts[pattern, bits], weights[pattern, bits])
        for pattern, bits in sorted(counts)
    ]
    return items, terms


def _possible(training: Training, adding: Callable[[int], float]) -> Callable[[int], bool]:
    """Whether a pattern may be one of the same or of related customers at all, whatever its terms."""
    classes, count = training.classes, len(training.table.columns)
    rows = [(classes.prior, classes.bits)]
    if classes.related_bits is not None:
        rows.append((classes.related_prior, classes.related_bits))
    known: dict[int, bool] = {}

    def found(pattern: int) -> bool:
        possible = known.get(pattern)
        if possible is None:
            levels = levels_of(pattern, count)
            least = _IMPOSSIBLE - _MOST_TERM_BITS - adding(pattern)
            possible = known[pattern] = any(
                log2(prior) + sum(row[level] for row, level in zip(bits, levels, strict=False)) > least
                for prior, bits in rows
            )
        return possible

    return found


def _term_bits(training: Training, pattern: int, i: int, j: int) -> float:
    one, other = training.comparer.aligned(i, j)
    bits = 0.0
    for at, by_level in enumerate(training.frequencies.by_code):
        rarer = by_level.get(pattern >> at * BITS & MASK)
        if rarer is not None:
            a, b = rarer[one[at]], rarer[other[at]]
            bits += a if a < b else b
    return bits


@attrs.define
class _Parts:
    """What each record counts for: with its copies for each column, at least in any, and the size of its customer.

    The dependences go by the least and without the copies: what is left of one customer's own agreement would look like
    columns that lean on each other.
    """

    by_column: list[list[float]]
    least: list[float]
    size: list[float]


def _weigh(
    training: Training, terms: Mapping[int, int], adding: Callable[[int], float]
) -> tuple[list[int], _Parts]:
    """The pairs that may be the same, and what each record counts for when they are."""
    classes, columns = training.classes, training.table.columns
    bits, related_bits = (*classes.bits, ORDER_BITS), classes.related_bits
    prior = log2(classes.prior)
    related_prior = log2(classes.related_prior) if related_bits else 0.0
    count = len(training.table.rows)
    sizes = [1.0] * count
    shared = [[1.0] * count for _ in columns]
    pairs, kept = training.pairs, list[int]()
    equal = [
        {level for level, term in column.terms.items() if term == column.terms.get(column.top)}
        or {column.top}
        for column in columns
    ]
    known: dict[tuple[int, int], tuple[float, list[int]]] = {}
    for at, bits_of_terms in terms.items():
        key = (pairs.pattern[at], bits_of_terms)
        found = known.get(key)
        if found is None:
            levels = levels_of(key[0], len(columns))
            more = key[1] + adding(key[0])
            score = prior + more + sum(row[level] for row, level in zip(bits, levels, strict=True))
            other = 1.0
            if related_bits:
                rest = related_prior + more + ORDER_BITS[levels[-1]]
                rest += sum(row[level] for row, level in zip(related_bits, levels, strict=False))
                other += 2.0 ** min(rest, 60.0)
            share = 2.0 ** min(score, 60.0)
            same = share / (share + other) if score > _HOPELESS else -1.0
            found = known[key] = (same, [k for k, level in enumerate(levels[:-1]) if level in equal[k]])
        same, agreeing = found
        if same < 0:
            continue
        kept.append(at)
        if same > _COUNTED:
            i, j = pairs.a[at], pairs.b[at]
            met = [(i, training.copies[j] - (i == j)), (j, training.copies[i])][: 1 + (i != j)]
            for position, times in met:
                sizes[position] += same * times
                for k in agreeing:
                    shared[k][position] += same * times
    least = [min(1 / column[i] for column in shared) for i in range(count)]
    # If a pair is the same, then of two records at least: one that is not counts for no more than one that is.
    sizes = [max(size, 2.0) for size in sizes]
    by_column = [
        [times / size for times, size in zip(training.copies, column, strict=True)] for column in shared
    ]
    return kept, _Parts(by_column, least, sizes)
