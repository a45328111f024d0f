"""Groups of records from the scores of pairs: two groups become one when their records fit on the whole.

Invariant: the groups follow from the scores and from what people said, not from the order of the records. Every pair
between two groups counts, those that no blocking key brought together too; one strong link between two groups that do
not fit joins nothing. What people put together or apart is never overruled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs

from crmcore.identity.model.policy import UNIT

BEST = 12 * UNIT
WORST = -4 * UNIT
"""Between two groups no pair speaks louder than so much above or below what it takes to be the same: records that have
little in common say little against two groups that other records hold together."""


Ranks = Sequence[int] | Mapping[int, int]
"""What orders nodes, whatever their numbers."""

VETO = -64 * UNIT
"""A pair of this score or less keeps its groups apart, however well they fit otherwise; one of its opposite or more, as
a rule gives, joins them."""


@attrs.frozen
class Edge:
    """A pair of nodes and its score."""

    a: int
    b: int
    score: int


@attrs.frozen
class Linkage:
    """*groups* of nodes, sorted; the edges that joined them (*used*), and those that were *held*: not followed although
    their score is high enough, since the groups do not fit, are kept apart, or are too large together."""

    groups: tuple[tuple[int, ...], ...]
    used: tuple[Edge, ...]
    held: tuple[Edge, ...]
    oversized: int


def link(
    groups: Iterable[Sequence[int]],
    edges: Iterable[Edge],
    score: Callable[[int, int], int],
    *,
    least: int,
    cap: int,
    apart: Iterable[tuple[int, int]] = (),
    sources: Sequence[str] | None = None,
    rank: Ranks | None = None,
) -> Linkage:
    """Join *groups* by *edges* of at least *least*, the strongest first, wherever the mean score between them is at
    least that; *score* gives the score of any pair. Of equally strong edges that between nodes of the lowest *rank*
    comes first.

    No group becomes larger than *cap*, holds a pair that is *apart*, or two nodes of one of the *sources*.
    """
    work = _Work(groups, score, least, cap, sources)
    work.keep_apart(apart)
    at: Ranks = rank if rank is not None else range(1 + max(work.root, default=0))
    used, held = work.run(sorted(edges, key=lambda e: (-e.score, *sorted(((at[e.a], e.a), (at[e.b], e.b))))))
    found = sorted({root: tuple(sorted(work.members[root])) for root in work.members}.values())
    return Linkage(tuple(found), tuple(used), tuple(held), work.oversized)


class _Work:
    def __init__(
        self,
        groups: Iterable[Sequence[int]],
        score: Callable[[int, int], int],
        least: int,
        cap: int,
        sources: Sequence[str] | None,
    ) -> None:
        self.members = {min(group): list(group) for group in groups}
        self.root = {node: root for root, group in self.members.items() for node in group}
        self.score = score
        self.least = least
        self.cap = cap
        self.sources = sources
        self.apart: dict[int, set[int]] = {}
        self.refused: dict[tuple[int, int], tuple[int, int]] = {}
        self.oversized = 0

    def keep_apart(self, pairs: Iterable[tuple[int, int]]) -> None:
        for a, b in pairs:
            one, other = self.root[a], self.root[b]
            if one != other:
                self.apart.setdefault(one, set()).add(other)
                self.apart.setdefault(other, set()).add(one)

    def run(self, edges: Iterable[Edge]) -> tuple[list[Edge], list[Edge]]:
        used: list[Edge] = []
        refused: list[Edge] = []
        for edge in edges:
            if edge.score < self.least:
                break
            one, other = self.root[edge.a], self.root[edge.b]
            if one == other:
                continue
            if self.fits(min(one, other), max(one, other)):
                self.join(one, other)
                used.append(edge)
            else:
                refused.append(edge)
        return used, [edge for edge in refused if self.root[edge.a] != self.root[edge.b]]

    def fits(self, one: int, other: int) -> bool:
        if other in self.apart.get(one, ()):
            return False
        mine, theirs = self.members[one], self.members[other]
        if len(mine) + len(theirs) > self.cap:
            self.oversized += 1
            return False
        sizes = (len(mine), len(theirs))
        if self.refused.get((one, other)) == sizes:
            return False
        if self.sources is not None:
            known = {self.sources[node] for node in mine} - {""}
            if any(self.sources[node] in known for node in theirs):
                return False
        total, settled = 0, False
        for a in mine:
            for b in theirs:
                score = self.score(a, b)
                if score <= VETO:
                    self.refused[one, other] = sizes
                    return False
                settled = settled or score >= -VETO
                surplus = score - self.least
                total += WORST if surplus < WORST else BEST if surplus > BEST else surplus
        if settled or total >= 0:
            return True
        self.refused[one, other] = sizes
        return False

    def join(self, one: int, other: int) -> None:
        """Make one group of two, under the root of the larger one, so that few nodes change theirs."""
        if (len(self.members[one]), -one) < (len(self.members[other]), -other):
            one, other = other, one
        moved = self.members.pop(other)
        self.members[one].extend(moved)
        for node in moved:
            self.root[node] = one
        for stranger in self.apart.pop(other, ()):
            self.apart[stranger].discard(other)
            self.apart[stranger].add(one)
            self.apart.setdefault(one, set()).add(stranger)
