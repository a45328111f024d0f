"""Who must come before whom, and the circles in it.

Invariant: an edge is drawn only where the reads prove it. A circle is then a contradiction of every order, whatever
the store did inside; its name says how weak the store is: G0 (writes alone), G1c (writes and reads), G-single (one
read was overwritten), G2 (several were). Names ending in ``-realtime`` need that what ended before another began also
comes before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import pairwise

from crmcore.testing.history.events import Anomaly

WW, WR, RW, REALTIME = 1, 2, 4, 8
_NAMES = {WW: "ww", WR: "wr", RW: "rw", REALTIME: "realtime"}
_CLASSES = ((WW, "G0"), (WW | WR, "G1c"), (WW | WR | RW, ""))  # the last is told apart by its number of rw


class Graph:
    """Nodes have names, which circles are told with; a node without one is a moment in time."""

    def __init__(self) -> None:
        self.edges: dict[int, dict[int, int]] = {}
        self.names: dict[int, str] = {}
        self.why: dict[tuple[int, int, int], str] = {}

    def node(self, name: str = "") -> int:
        number = len(self.edges)
        self.edges[number] = {}
        if name:
            self.names[number] = name
        return number

    def edge(self, before: int, after: int, kind: int, why: str = "") -> None:
        if before != after:
            self.edges[before][after] = self.edges[before].get(after, 0) | kind
            self.why.setdefault((before, after, kind), why)

    def anomalies(self) -> tuple[Anomaly, ...]:
        """One circle of each knot, under the name of the strongest promise that it breaks."""
        told: set[int] = set()
        found: list[Anomaly] = []
        for time, suffix in ((0, ""), (REALTIME, "-realtime")):
            for mask, name in _CLASSES:
                for knot in self._knots(mask | time):
                    if told & knot:
                        continue
                    circle, kinds = self._circle(knot, mask | time)
                    told |= knot
                    crossed = kinds.count(RW)
                    found.append(
                        Anomaly(
                            (name or ("G-single" if crossed == 1 else "G2")) + suffix,
                            self._told(circle, kinds),
                        )
                    )
        return tuple(found)

    def _knots(self, mask: int) -> Iterator[set[int]]:
        """The strongly connected components of more than one node (Tarjan, without recursion)."""
        index: dict[int, int] = {}
        low: dict[int, int] = {}
        on: set[int] = set()
        stack: list[int] = []
        for root in self.edges:
            if root in index:
                continue
            work = [(root, self._after(root, mask))]
            index[root] = low[root] = len(index)
            stack.append(root)
            on.add(root)
            while work:
                node, following = work[-1]
                for after in following:
                    if after not in index:
                        index[after] = low[after] = len(index)
                        stack.append(after)
                        on.add(after)
                        work.append((after, self._after(after, mask)))
                        break
                    if after in on:
                        low[node] = min(low[node], index[after])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[node])
                    if low[node] == index[node]:
                        knot = _popped(stack, node)
                        on -= knot
                        if len(knot) > 1:
                            yield knot

    def _after(self, node: int, mask: int) -> Iterator[int]:
        return (after for after, kinds in self.edges[node].items() if kinds & mask)

    def _circle(self, knot: set[int], mask: int) -> tuple[list[int], list[int]]:
        """A circle in *knot* with as few rw as there can be: none, then one, then the shortest."""
        starts = [(u, v) for u in sorted(knot) for v in self._after(u, mask) if v in knot]
        plain = mask & ~RW
        for within, entry in ((plain, plain), (plain, RW), (mask, mask)):
            for before, after in starts:
                if not self.edges[before][after] & entry & mask:
                    continue
                path = self._path(after, before, within, knot)
                if path is not None:
                    circle = [before, *path]
                    kinds = [
                        self._kind(u, v, entry & mask if place == 0 else within)
                        for place, (u, v) in enumerate(pairwise(circle))
                    ]
                    return circle, kinds
        raise AssertionError("a knot has a circle")

    def _path(self, start: int, end: int, mask: int, knot: set[int]) -> list[int] | None:
        came: dict[int, int] = {start: start}
        queue = deque([start])
        while queue:
            node = queue.popleft()
            if node == end:
                path = [end]
                while path[-1] != start:
                    path.append(came[path[-1]])
                return path[::-1]
            for after in self._after(node, mask):
                if after in knot and after not in came:
                    came[after] = node
                    queue.append(after)
        return None

    def _kind(self, before: int, after: int, mask: int) -> int:
        kinds = self.edges[before][after] & mask
        return kinds & -kinds  # the lowest: ww before wr before rw before time

    def _told(self, circle: list[int], kinds: list[int]) -> str:
        parts = [self.names.get(circle[0], "…")]
        for place, (before, after) in enumerate(pairwise(circle)):
            why = self.why.get((before, after, kinds[place]), "")
            if after in self.names:
                parts.append(f"-{_NAMES[kinds[place]]}{why and '(' + why + ')'}-> {self.names[after]}")
        return " ".join(parts)


def _popped(stack: list[int], node: int) -> set[int]:
    knot: set[int] = set()
    while node not in knot:
        knot.add(stack.pop())
    return knot


def in_time(graph: Graph, spans: Iterable[tuple[int, int, int | None]]) -> None:
    """Draw that what ended before another began comes before it; of each node when it begun and ended (None: never).

    A chain of moments stands between, so that there are as many edges as nodes, not as many as pairs.
    """
    moments: list[tuple[int, int, int]] = []
    for node, begun, ended in spans:
        moments.append((begun, 0, node))  # of two at one moment, the one that begins does not come after
        if ended is not None:
            moments.append((ended, 1, node))
    moments.sort()
    last: int | None = None
    for _, ends, node in moments:
        if not ends:
            if last is not None:
                graph.edge(last, node, REALTIME)
            continue
        moment = graph.node()
        if last is not None:
            graph.edge(last, moment, REALTIME)
        graph.edge(node, moment, REALTIME)
        last = moment
