"""How often each level is seen among records of one customer, of related customers, and of strangers: learned without
labels by expectation and maximization over all pairs.

Invariant: every share is above 0, so nothing sticks; levels of strangers are given and not learned, which keeps the
classes from changing places; the shares of one customer's pairs and related ones follow from the pairs that were
compared, all others being strangers. Patterns are counted, never pairs, so a round costs as much as there are patterns.
(Fellegi and Sunter, 1969; Winkler, 1988; a third class as in Armstrong and Mayda, 1993, for hard-to-tell pairs.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

import attrs

from crmcore.identity.model.columns import Column
from crmcore.identity.model.patterns import levels_of

Shares = tuple[tuple[float, ...], ...]
"""For each column the share of each level; level 0 has none."""

Bits = tuple[tuple[float, ...], ...]

ORDER_BITS = (0.0, 0.0, -3.0)
"""Names that agree crosswise: one of fifty records has them exchanged, and by accident they agree so rather often."""

_PRIOR = 15.0
"""What is known of the levels by nature speaks as loudly as so many pairs of one customer."""

_RELATED_PRIOR = 30.0
_ROUNDS = 40
_LEAST_ROUNDS = 6
_STILL = 0.0005
_HOPELESS = -25.0
_NEGLIGIBLE = -20.0
_WIDTH = 8


@attrs.frozen(kw_only=True)
class Classes:
    """The shares of levels in pairs of *same* customers, of *related* ones and of strangers (*other*), and how many of
    all pairs are the same (*prior*) and related (*related_prior*)."""

    same: Shares
    other: Shares
    prior: float
    related: Shares | None = None
    related_prior: float = 0.0
    rounds: int = 0

    @property
    def bits(self) -> Bits:
        """What each level is worth for being the same: never less than the level below it."""
        return tuple(
            monotone([log2(m / u) for m, u in zip(same[1:], other[1:], strict=True)], same[1:])
            for same, other in zip(self.same, self.other, strict=True)
        )

    @property
    def related_bits(self) -> Bits | None:
        """What each level is worth for being related."""
        if self.related is None:
            return None
        return tuple(
            (0.0, *(log2(r / u) for r, u in zip(related[1:], other[1:], strict=True)))
            for related, other in zip(self.related, self.other, strict=True)
        )


@attrs.frozen
class Item:
    """A pattern as positions in a flat table, what its terms and dependences add in bits, how many pairs have it, and
    what these count for when pairs of large customers count less."""

    at: tuple[int, ...]
    bits: float
    count: float
    weight: float


def item(pattern: int, columns: int, bits: float, count: float, weight: float) -> Item:
    """The item of a packed pattern."""
    levels = levels_of(pattern, columns)
    return Item(tuple(at * _WIDTH + level for at, level in enumerate(levels) if level), bits, count, weight)


def monotone(bits: Sequence[float], shares: Sequence[float]) -> tuple[float, ...]:
    """Weights that never fall while agreement gets better: neighbours that do are pooled by their shares.

    >>> monotone([-2.0, 3.0, 1.0], [0.1, 0.5, 0.5])
    (0.0, -2.0, 2.0, 2.0)
    """
    blocks: list[list[float]] = []
    for bit, share in zip(bits, shares, strict=True):
        blocks.append([bit, max(share, 1e-6), 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            value, mass, size = blocks.pop()
            last = blocks[-1]
            total = last[1] + mass
            blocks[-1] = [(last[0] * last[1] + value * mass) / total, total, last[2] + size]
    return (0.0, *(value for value, _, size in blocks for _ in range(int(size))))


def fit(
    items: Sequence[Item],
    start: Classes,
    columns: Sequence[Column],
    pairs: float,
    fixed: Mapping[str, bool],
    known: float = 0.0,
) -> Classes:
    """Learn from *items* among so many *pairs*, beginning at *start*.

    *fixed* columns keep their shares of related pairs: what is somebody's own does not become alike by being related.
    What is *known* of one customer's pairs by nature speaks as loudly as so many pairs.
    """
    classes, kept = start, list(items)
    for rounds in range(1, _ROUNDS + 1):
        flat, flat_related = _flat(classes.bits), _flat(classes.related_bits)
        if rounds == _LEAST_ROUNDS // 2:
            kept = [one for one in kept if _hopeful(one, classes, flat, flat_related)]
        sums = _expect(kept, classes, flat, flat_related)
        following = attrs.evolve(
            classes,
            same=_maximize(
                sums.same, [(0.0, *column.usual) for column in columns], columns, max(known, _PRIOR)
            ),
            prior=max((sums.total + 1) / (pairs + 2), 1e-12),
            rounds=rounds,
        )
        if classes.related is not None and start.related is not None:
            related = _maximize(sums.related, start.related, columns, _RELATED_PRIOR)
            following = attrs.evolve(
                following,
                related=tuple(
                    begun if fixed[column.name] else learned
                    for column, begun, learned in zip(columns, start.related, related, strict=True)
                ),
                related_prior=max((sums.related_total + 0.1) / (pairs + 2), 1e-12),
            )
        change = max(
            abs(a - b)
            for before, after in zip(classes.same, following.same, strict=True)
            for a, b in zip(before, after, strict=True)
        )
        classes = following
        if change < _STILL and rounds > _LEAST_ROUNDS:
            break
    return classes


@attrs.define
class _Sums:
    same: list[float]
    related: list[float]
    total: float = 0.0
    related_total: float = 0.0


def _flat(bits: Bits | None) -> list[float]:
    if bits is None:
        return []
    rows = (*bits, ORDER_BITS)
    return [value for row in rows for value in (*row, *([0.0] * (_WIDTH - len(row))))]


def _hopeful(one: Item, classes: Classes, flat: list[float], flat_related: list[float]) -> bool:
    score = log2(classes.prior) + one.bits + sum([flat[at] for at in one.at])
    if score > _HOPELESS:
        return True
    if not flat_related:
        return False
    return log2(classes.related_prior) + one.bits + sum([flat_related[at] for at in one.at]) > _HOPELESS + 10


def _expect(items: Sequence[Item], classes: Classes, flat: list[float], flat_related: list[float]) -> _Sums:
    """How many pairs of each class are to be expected, and at which levels."""
    sums = _Sums([0.0] * len(flat), [0.0] * len(flat))
    prior = log2(classes.prior)
    related_prior = log2(classes.related_prior) if flat_related else 0.0
    for one in items:
        score = prior + one.bits + sum([flat[at] for at in one.at])
        related = (
            related_prior + one.bits + sum([flat_related[at] for at in one.at]) if flat_related else -99.0
        )
        if score < _NEGLIGIBLE and related < _NEGLIGIBLE + 8:
            continue
        a, b = 2.0 ** min(score, 60.0), 2.0 ** min(related, 60.0)
        share = a / (1 + a + b) * one.count
        sums.total += share
        share *= one.weight / one.count
        if share > 1e-7:
            for at in one.at:
                sums.same[at] += share
        if flat_related:
            share = b / (1 + a + b) * one.count
            sums.related_total += share
            if share > 1e-6:
                for at in one.at:
                    sums.related[at] += share
    return sums


def _maximize(
    sums: list[float], usual: Sequence[Sequence[float]], columns: Sequence[Column], prior: float
) -> Shares:
    """The shares that fit the sums best, with what is known by nature as a few pairs more."""
    found: list[tuple[float, ...]] = []
    for at, (column, known) in enumerate(zip(columns, usual, strict=True)):
        mine = sums[at * _WIDTH + 1 : at * _WIDTH + 1 + column.top]
        total = sum(mine) + prior
        found.append(
            (0.0, *((seen + prior * share) / total for seen, share in zip(mine, known[1:], strict=True)))
        )
    return tuple(found)
