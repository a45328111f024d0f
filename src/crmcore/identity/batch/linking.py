"""Groups from the scores of many pairs: the reference's average linkage, where it has something to decide.

Invariant: the groups are those of `crmcore.identity.model.linkage.link`. Nodes that no edge leads to influence nothing,
so each component is looked at alone; one in which every pair fits is one group, in whatever order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.texts import Flags, Ints, Longs, Numbers
from crmcore.identity.model.linkage import BEST, VETO, WORST, Edge, Linkage, link

_WHOLE = 1000
"""In components of more nodes pairs are scored when they are asked for."""

_AT_ONCE = 1 << 20
"""So many pairs are scored at once."""

ScoreOf = Callable[[Ints, Ints], Longs]


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Said:
    """What people said: the *groups* that they put together, of two nodes and more, the pairs that are *apart*, and the
    sources no two records of which are one customer."""

    groups: Sequence[Sequence[int]] = ()
    apart: Sequence[tuple[int, int]] = ()
    sources: Sequence[str] | None = None


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Linked:
    """The *group* of each node, as the number of its lowest node; which edges joined groups and which were *held*, as
    places; and how many times a group would have become too large."""

    group: Longs
    used: Longs
    held: Longs
    oversized: int


def components(nodes: int, a: NDArray[Any], b: NDArray[Any]) -> Longs:
    """For each node the lowest node that edges lead to.

    >>> components(5, np.array([1, 3]), np.array([2, 1])).tolist()
    [0, 1, 1, 1, 4]
    """
    root = np.arange(nodes, dtype=np.int64)
    while len(a):
        x, y = root[a], root[b]
        apart = x != y
        a, b, low, high = a[apart], b[apart], np.minimum(x, y)[apart], np.maximum(x, y)[apart]
        # The lowest comes last, and stays.
        order = np.argsort(-low, kind="stable")
        root[high[order]] = low[order]
        while not np.array_equal(next_ := root[root], root):
            root = next_
    return root


def linked(
    a: Ints, b: Ints, score: Longs, rank: Numbers, score_of: ScoreOf, *, least: int, cap: int, said: Said
) -> Linked:
    """The groups of nodes that edges *a*, *b* of these scores join; *score_of* scores any pair, *rank* orders nodes."""
    return _Linking(a, b, score, rank, score_of, least, cap, said).run()


class _Linking:
    def __init__(
        self,
        a: Ints,
        b: Ints,
        score: Longs,
        rank: Numbers,
        score_of: ScoreOf,
        least: int,
        cap: int,
        said: Said,
    ) -> None:
        self.a, self.b, self.score, self.rank, self.score_of = a, b, score, rank, score_of
        self.least, self.cap, self.said = least, cap, said
        together = np.array([(group[0], node) for group in said.groups for node in group[1:]], dtype=np.int64)
        together = together.reshape(-1, 2)
        self.root = components(
            len(rank), np.concatenate([a, together[:, 0]]), np.concatenate([b, together[:, 1]])
        )
        self.size = np.bincount(self.root, minlength=len(rank))
        self.watched = np.zeros(len(rank), dtype=np.bool_)
        self.watched[self.root[together.ravel()]] = True
        self.watched[self.root[np.array(said.apart, dtype=np.int64).ravel()]] = True
        if said.sources is not None or cap < 2:
            self.watched[:] = True
        self.group = np.arange(len(rank), dtype=np.int64)
        self.used: list[Longs] = []
        self.held: list[Longs] = []
        self.oversized = 0

    def run(self) -> Linked:
        # Most customers have two records, and nothing to decide.
        pair = (self.size[self.root[self.a]] == 2) & ~self.watched[self.root[self.a]] & (self.score > VETO)
        self.group[np.maximum(self.a, self.b)[pair]] = np.minimum(self.a, self.b)[pair]
        rest = np.nonzero(~pair)[0]
        one, other = self.a[rest], self.b[rest]
        turned = (self.rank[one] > self.rank[other]) | ((self.rank[one] == self.rank[other]) & (one > other))
        first, second = np.where(turned, other, one), np.where(turned, one, other)
        # By component, the strongest first, as the reference takes them.
        keys = (
            second,
            self.rank[second],
            first,
            self.rank[first],
            -self.score[rest],
            self.root[self.a[rest]],
        )
        order = rest[np.lexsort(keys)]
        begins = np.searchsorted(self.root[self.a[order]], np.arange(len(self.rank) + 1))
        known = _Ordered(order, begins, *(part[order].tolist() for part in (self.a, self.b, self.score)))
        for nodes, scores, fits in self._whole(pair, known):
            mine = slice(int(begins[nodes[0]]), int(begins[nodes[0] + 1]))
            if fits:
                self.used.append(order[mine][_spanning(known.a[mine], known.b[mine], len(nodes))])
            else:
                self._join(nodes, known, mine, scores)
        nothing = np.zeros(0, dtype=np.int64)
        return Linked(
            group=self.group,
            used=np.concatenate([np.nonzero(pair)[0], *self.used]),
            held=np.concatenate([nothing, *self.held]),
            oversized=self.oversized,
        )

    def _whole(self, pair: Flags, known: _Ordered) -> Iterator[tuple[list[int], list[int] | None, bool]]:
        """The nodes of each larger component, the scores of all its pairs where they are few, and whether all fit."""
        open_ = self.size > 1
        open_[self.root[self.a[pair]]] = False
        nodes = np.nonzero(open_[self.root])[0]
        nodes = nodes[np.argsort(self.root[nodes], kind="stable")]
        sizes = self.size[self.root[nodes]]
        for portion in _portions(nodes, sizes):
            ends = np.cumsum([len(rows) * len(_pairs(rows.shape[1])[0]) for rows in portion])
            one = np.concatenate([rows[:, _pairs(rows.shape[1])[0]].ravel() for rows in portion])
            other = np.concatenate([rows[:, _pairs(rows.shape[1])[1]].ravel() for rows in portion])
            scores = self.score_of(one.astype(np.int32), other.astype(np.int32))
            for rows, found in zip(portion, np.split(scores, ends[:-1]), strict=True):
                yield from self._of_one_size(rows, found.reshape(len(rows), -1), known)
        for size in np.unique(sizes[sizes > _WHOLE]).tolist():
            yield from ((row, None, False) for row in nodes[sizes == size].reshape(-1, size).tolist())

    def _of_one_size(
        self, rows: Longs, scores: Longs, known: _Ordered
    ) -> Iterator[tuple[list[int], list[int], bool]]:
        """Join the components of one size in which every pair fits; gives all but those of three that are done."""
        size = rows.shape[1]
        fits = (scores >= self.least).all(axis=1) & (scores > VETO).all(axis=1) & (size <= self.cap)
        fits &= ~self.watched[rows[:, 0]]
        if size == 3:
            left = ~self._threes(rows, scores, fits, known)
            rows, scores, fits = rows[left], scores[left], fits[left]
        self.group[rows[fits]] = rows[fits, :1]
        return zip(rows.tolist(), scores.tolist(), fits.tolist(), strict=True)

    def _threes(self, rows: Longs, scores: Longs, fits: Flags, known: _Ordered) -> Flags:
        """Join components of three nodes at once where the strongest edge joins two of them; which these were."""
        begins, ends = known.begins[rows[:, 0]], known.begins[rows[:, 0] + 1]
        done = ~self.watched[rows[:, 0]] & (self.cap >= 3) & (fits | (self.least > VETO))
        # Those that only people hold together have no edges.
        at = np.nonzero(done & ~fits)[0]
        done[at] = self.score[known.order[ends[at] - 1]] >= self.least
        rows, scores, begins, ends = rows[done], scores[done], begins[done], ends[done]
        best, second = known.order[begins], known.order[begins + 1]
        one, other = self.a[best].astype(np.int64), self.b[best].astype(np.int64)
        # What the third node is to the two; scores are those of the first two nodes, first and last, and the last two.
        place = np.where(one == rows[:, 0], np.where(other == rows[:, 1], 0, 1), 2)
        rest = scores[np.arange(3) != place[:, None]].reshape(-1, 2)
        total = np.clip(rest - self.least, WORST, BEST).sum(axis=1)
        whole = (rest > VETO).all(axis=1) & ((rest >= -VETO).any(axis=1) | (total >= 0))
        self.group[other] = one
        self.group[rows[whole]] = rows[whole, :1]
        self.used += [best, second[whole]]
        self.held += [second[~whole], known.order[begins[~whole & (ends - begins > 2)] + 2]]
        return done

    def _join(self, nodes: list[int], known: _Ordered, mine: slice, scores: list[int] | None) -> None:
        edges = list(map(Edge, known.a[mine], known.b[mine], known.score[mine]))
        at = dict(zip(edges, known.order[mine].tolist(), strict=True))
        found = self._linkage(nodes, edges, self._scores(nodes, scores))
        for group in found.groups:
            self.group[list(group)] = group[0]
        self.used.append(np.array([at[edge] for edge in found.used], dtype=np.int64))
        self.held.append(np.array([at[edge] for edge in found.held], dtype=np.int64))
        self.oversized += found.oversized

    def _scores(self, nodes: list[int], scores: list[int] | None) -> Callable[[int, int], int]:
        """The score of any two nodes of a component; where none is known, a node is scored with all others at once."""
        if scores is not None:
            known = dict(zip(combinations(nodes, 2), scores, strict=True))
            return lambda one, other: known[(one, other) if one < other else (other, one)]
        place = {node: at for at, node in enumerate(nodes)}
        everyone = np.array(nodes, dtype=np.int32)
        rows: dict[int, list[int]] = {}

        def score(one: int, other: int) -> int:
            if one not in rows:
                mine = np.int32(one)
                rows[one] = self.score_of(np.minimum(everyone, mine), np.maximum(everyone, mine)).tolist()
            return rows[one][place[other]]

        return score

    def _ranks(self, nodes: list[int]) -> Mapping[int, int]:
        return dict(zip(nodes, self.rank[nodes].tolist(), strict=True))

    def _linkage(self, nodes: list[int], edges: Iterable[Edge], score: Callable[[int, int], int]) -> Linkage:
        mine = set(nodes)
        groups = [group for group in self.said.groups if group[0] in mine]
        joined = {node for group in groups for node in group}
        sources = self.said.sources
        return link(
            [*groups, *([node] for node in nodes if node not in joined)],
            edges,
            score,
            least=self.least,
            cap=self.cap,
            apart=[pair for pair in self.said.apart if pair[0] in mine and pair[1] in mine],
            sources=sources,
            rank=self._ranks(nodes),
        )


@attrs.frozen(eq=False, repr=False)
class _Ordered:
    """Edges by component, the strongest first: their places in that *order*, where those of each root begin, and the
    edges as lists."""

    order: Longs
    begins: Longs
    a: list[int]
    b: list[int]
    score: list[int]


def _portions(nodes: Longs, sizes: Longs) -> Iterator[list[Longs]]:
    """Components that are not too large, as rows of nodes, those of one size together; so many that scoring all their
    pairs at once is worth it, and no more than memory holds."""
    portion: list[Longs] = []
    room = _AT_ONCE
    for size in np.unique(sizes[sizes <= _WHOLE]).tolist():
        rows = nodes[sizes == size].reshape(-1, size)
        pairs = size * (size - 1) // 2
        while len(rows):
            taken = max(room // pairs, 1)
            portion.append(rows[:taken])
            room -= len(portion[-1]) * pairs
            rows = rows[taken:]
            if room < pairs:
                yield portion
                portion, room = [], _AT_ONCE
    if portion:
        yield portion


@cache
def _pairs(size: int) -> tuple[Longs, Longs]:
    return np.triu_indices(size, 1)


def _spanning(one: list[int], other: list[int], nodes: int) -> list[int]:
    """Of the edges of a group, the strongest first, the places of those that join it."""
    root: dict[int, int] = {}
    used: list[int] = []
    for edge, (a, b) in enumerate(zip(one, other, strict=True)):
        x, y = root.get(a, a), root.get(b, b)
        if x != y:
            used.append(edge)
            if len(used) == nodes - 1:
                break
            root[a], root[b] = x, y
            for node, at in root.items():
                if at == y:
                    root[node] = x
    return used
