"""Groups from the scores of many pairs: the reference's average linkage, where it has something to decide.

Invariant: the groups are those of `crmcore.identity.model.linkage.link`. Nodes that no edge leads to influence nothing,
so each component is looked at alone; one in which every pair fits is one group, in whatever order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.texts import Flags, Ints, Longs, Numbers
from crmcore.identity.model.linkage import VETO, Edge, Linkage, link

_WHOLE = 64
"""In components of more nodes pairs are scored when they are asked for."""

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
        self.used: list[int] = []
        self.held: list[int] = []
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
        three: list[Longs] = []
        for nodes, scores, fits in self._whole(pair, three):
            mine = order[begins[nodes[0]] : begins[nodes[0] + 1]]
            if fits:
                self.used += _spanning(
                    mine.tolist(), self.a[mine].tolist(), self.b[mine].tolist(), len(nodes)
                )
            else:
                self._join(nodes, mine, scores)
        return Linked(
            group=self.group,
            # Of three nodes that fit the strongest two edges join them, whichever these are.
            used=np.concatenate(
                [
                    np.nonzero(pair)[0],
                    np.array(self.used, dtype=np.int64),
                    *(order[begins[roots] + at] for roots in three for at in (0, 1)),
                ]
            ),
            held=np.array(self.held, dtype=np.int64),
            oversized=self.oversized,
        )

    def _whole(
        self, pair: Flags, three: list[Longs]
    ) -> Iterator[tuple[Longs, NDArray[np.int64] | None, bool]]:
        """The nodes of each larger component, the scores of all its pairs where they are few, and whether all fit."""
        open_ = self.size > 1
        open_[self.root[self.a[pair]]] = False
        nodes = np.nonzero(open_[self.root])[0]
        nodes = nodes[np.argsort(self.root[nodes], kind="stable")]
        sizes = self.size[self.root[nodes]]
        for size in np.unique(sizes).tolist():
            rows = nodes[sizes == size].reshape(-1, size)
            if size > _WHOLE:
                yield from ((row, None, False) for row in rows)
                continue
            first, second = np.triu_indices(size, 1)
            ones, others = rows[:, first].astype(np.int32), rows[:, second].astype(np.int32)
            found = self.score_of(ones.ravel(), others.ravel()).reshape(ones.shape)
            fits = (found >= self.least).all(axis=1) & (found > VETO).all(axis=1) & (size <= self.cap)
            fits &= ~self.watched[rows[:, 0]]
            self.group[rows[fits]] = rows[fits, :1]
            if size == 3:
                three.append(rows[fits, 0])
                rows, found, fits = rows[~fits], found[~fits], fits[~fits]
            yield from zip(rows, found, fits.tolist(), strict=True)

    def _join(self, nodes: Longs, edges: Longs, scores: NDArray[np.int64] | None) -> None:
        score = self._scores(nodes, scores)
        at = dict(
            zip(
                map(Edge, self.a[edges].tolist(), self.b[edges].tolist(), self.score[edges].tolist()),
                edges.tolist(),
                strict=True,
            )
        )
        found = self._linkage(nodes.tolist(), at, score)
        for group in found.groups:
            self.group[list(group)] = group[0]
        self.used += [at[edge] for edge in found.used]
        self.held += [at[edge] for edge in found.held]
        self.oversized += found.oversized

    def _scores(self, nodes: Longs, scores: NDArray[np.int64] | None) -> Callable[[int, int], int]:
        """The score of any two nodes of a component; where none is known, a node is scored with all others at once."""
        place = {node: at for at, node in enumerate(nodes.tolist())}
        known: dict[int, list[int]] = {}
        if scores is not None:
            square = np.zeros((len(nodes), len(nodes)), dtype=np.int64)
            square[np.triu_indices(len(nodes), 1)] = scores
            known = dict(enumerate((square + square.T).tolist()))

        def score(one: int, other: int) -> int:
            row = known.get(place[one])
            if row is None:
                everyone = np.arange(len(nodes))
                low, high = np.minimum(everyone, place[one]), np.maximum(everyone, place[one])
                row = known[place[one]] = self.score_of(
                    nodes[low].astype(np.int32), nodes[high].astype(np.int32)
                ).tolist()
            return row[place[other]]

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


def _spanning(edges: list[int], one: list[int], other: list[int], nodes: int) -> list[int]:
    """Of the edges of a group, the strongest first, those that join it."""
    root: dict[int, int] = {}
    used: list[int] = []
    for edge, a, b in zip(edges, one, other, strict=True):
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
