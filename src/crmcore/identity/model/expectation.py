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
from typing import Protocol

import attrs

from crmcore.identity.model.columns import Column
from crmcore.identity.model.dependence import Dependence
from crmcore.identity.model.evidence import CERTAIN, LEVELS, PART, Sums, Tables
from crmcore.identity.model.policy import UNIT

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


@attrs.frozen(kw_only=True)
class Classes:
    """The shares of levels among pairs of *same* customers, of *related* ones and of strangers (*other*), and how many
    of all pairs are the same (*prior*) and related (*related_prior*)."""

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

    def tables(self, dependences: Sequence[Dependence], columns: Sequence[Column]) -> Tables:
        """What the levels are worth, in whole numbers."""
        related = self.related_bits
        return Tables(
            same=_units(self.bits),
            prior=round(log2(self.prior) * UNIT),
            related=None if related is None else _units(related),
            related_prior=0 if related is None else round(log2(self.related_prior) * UNIT),
            together=tuple(
                (d.a, columns[d.a].agrees, d.b, columns[d.b].agrees, round(d.bits * UNIT))
                for d in dependences
            ),
        )


def _units(bits: Bits) -> tuple[tuple[int, ...], ...]:
    rows = [[round(bit * UNIT) for bit in row] for row in (*bits, ORDER_BITS)]
    return tuple((*row, *[0] * (LEVELS - len(row))) for row in rows)


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


class Expecting(Protocol):
    """What learning asks of the evidence."""

    @property
    def columns(self) -> tuple[Column, ...]: ...

    def expect(self, tables: Tables) -> Sums: ...

    def prune(self, tables: Tables) -> None: ...


def fit(
    evidence: Expecting,
    start: Classes,
    dependences: Sequence[Dependence],
    pairs: float,
    fixed: Mapping[str, bool],
    known: float = 0.0,
) -> Classes:
    """Learn from the pairs that *evidence* has gathered among so many *pairs*, beginning at *start*.

    *fixed* columns keep their shares of related pairs: what is somebody's own does not become alike by being related.
    What is *known* of one customer's pairs by nature speaks as loudly as so many pairs.
    """
    columns = evidence.columns
    usual = [(0.0, *column.usual) for column in columns]
    classes = start
    for rounds in range(1, _ROUNDS + 1):
        tables = classes.tables(dependences, columns)
        if rounds == _LEAST_ROUNDS // 2:
            evidence.prune(tables)
        sums = evidence.expect(tables)
        following = attrs.evolve(
            classes,
            same=_maximize(sums.same, usual, columns, max(known, _PRIOR)),
            prior=max((sums.total / CERTAIN + 1) / (pairs + 2), 1e-12),
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
                related_prior=max((sums.related_total / CERTAIN + 0.1) / (pairs + 2), 1e-12),
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


def _maximize(
    sums: Sequence[int], usual: Sequence[Sequence[float]], columns: Sequence[Column], prior: float
) -> Shares:
    """The shares that fit the sums best, with what is known by nature as a few pairs more."""
    found: list[tuple[float, ...]] = []
    for at, (column, known) in enumerate(zip(columns, usual, strict=True)):
        mine = [seen / (CERTAIN * PART) for seen in sums[at * LEVELS + 1 : at * LEVELS + 1 + column.top]]
        total = sum(mine) + prior
        found.append(
            (0.0, *((seen + prior * share) / total for seen, share in zip(mine, known[1:], strict=True)))
        )
    return tuple(found)
