"""Links between records to groups of records, in the order of their authority.

Invariant: the groups are a pure function of the *sets* of nodes, links and apart pairs: neither order nor repetition
matters, and nodes that no link connects do not influence each other. No group holds an apart pair. What was not
honoured is never silent: a link of a person comes back as a conflict, a link of a model as held, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Any, Generic, Literal, Protocol, TypeVar

import attrs

from crmcore.errors import InvalidJudgement


class Ordered(Protocol):
    """What a node must be: hashable and in a total order with the other nodes, such as an int or an id."""

    def __hash__(self) -> int: ...

    def __lt__(self, other: Any, /) -> bool: ...


N = TypeVar("N", bound=Ordered)
Why = Literal["apart", "cap", "weak_bridge"]


@attrs.frozen
class Link(Generic[N]):
    """*a* and *b* are said to be one.

    A *weak* link was scored too low to join two groups all by itself. *support* is how many links stand behind this
    one: a weak link that joined two groups together with another one is used with a support of 2, so that giving the
    used links again gives the same groups.
    """

    a: N
    b: N
    human: bool = False
    score: int = 0
    weak: bool = False
    support: int = 1


@attrs.frozen
class Conflict(Generic[N]):
    """A person's *link* that, with the links of people before it, would make the pair *apart* one: a contradiction."""

    link: Link[N]
    apart: tuple[N, N]


@attrs.frozen
class Held(Generic[N]):
    """A model's *link* that was not followed. *apart* names the pair in the way where that is *why*."""

    link: Link[N]
    why: Why
    apart: tuple[N, N] | None = None


@attrs.frozen(kw_only=True)
class Grouping(Generic[N]):
    """*groups* are sorted within and among themselves, single nodes included; *used* are the links that joined them."""

    groups: tuple[tuple[N, ...], ...]
    used: tuple[Link[N], ...]
    conflicts: tuple[Conflict[N], ...] = ()
    held: tuple[Held[N], ...] = ()


def agglomerate(
    nodes: Iterable[N], links: Iterable[Link[N]], apart: Iterable[tuple[N, N]], *, cap: int | None = None
) -> Grouping[N]:
    """Join *nodes* by *links*, the most authoritative first, never the two nodes of a pair that is *apart*.

    Links of people come first, then the model's strong links, then its weak ones, each by descending score and then
    by pair. Of several links of one pair the first in that order counts. A weak link joins two groups of at least two
    nodes each only together with a second weak link between them. Model links make no group larger than *cap* nodes.

    A waiting weak link is followed as soon as a second one joins the same two groups.

    Raises:
        InvalidJudgement: if a pair joins or separates a node and itself, or names a node that is not in *nodes*.

    >>> agglomerate("abcd", [Link("a", "b"), Link("b", "c"), Link("c", "d")], [("a", "c")]).groups
    (('a', 'b'), ('c', 'd'))
    """
    work = _Work(sorted(set(nodes)), cap)
    work.separate(apart)
    work.connect(links)
    return work.run()


_SECONDED = -1
"""In place of the rank of a waiting link: there is more than one."""


class _Work(Generic[N]):
    """Union-find on the positions of the sorted nodes, so that comparing positions is comparing nodes.

    A pair of positions is one number, low * count + high: hundreds of thousands of them cost the garbage collector
    nothing. *links* holds one link per pair, *ranked* the pairs, the most authoritative first.

    Per root, *apart* maps the roots that it must not join to the smallest pair that says so, and *waiting* maps roots
    to the rank of the weak link between the two groups. A root's *weight* counts its nodes and all entries that it
    was ever given; the lighter root is merged into the heavier one, which bounds all moves together by n log n.
    """

    def __init__(self, nodes: list[N], cap: int | None) -> None:
        self.nodes = nodes
        self.at = {node: position for position, node in enumerate(nodes)}
        self.cap = len(nodes) if cap is None else cap
        self.parent = list(range(len(nodes)))
        self.size = [1] * len(nodes)
        self.weight = [1] * len(nodes)
        self.links: dict[int, Link[N]] = {}
        self.ranked: list[int] = []
        self.apart: dict[int, dict[int, int]] = {}
        self.waiting: dict[int, dict[int, int]] = {}

    # --- what is given ---

    def pair(self, a: N, b: N) -> int:
        one, other = self.at.get(a), self.at.get(b)
        if one is None or other is None:
            raise InvalidJudgement("a pair names a record that is not among those to group: give all records")
        if one == other:
            raise InvalidJudgement("a record is always itself: a pair needs two different records")
        count = len(self.nodes)
        return one * count + other if one < other else other * count + one

    def separate(self, pairs: Iterable[tuple[N, N]]) -> None:
        for pair in {self.pair(a, b) for a, b in pairs}:
            low, high = divmod(pair, len(self.nodes))
            self.apart.setdefault(low, {})[high] = self.apart.setdefault(high, {})[low] = pair
            self.weight[low] += 1
            self.weight[high] += 1

    def connect(self, links: Iterable[Link[N]]) -> None:
        best = self.links
        for link in links:
            pair = self.pair(link.a, link.b)
            known = best.setdefault(pair, link)
            if known is not link and (_rank(link), -link.support) < (_rank(known), -known.support):
                best[pair] = link
        ranks: dict[tuple[int, int], list[int]] = {}
        for pair, link in best.items():
            ranks.setdefault(_rank(link), []).append(pair)
        self.ranked = [pair for _, pairs in sorted(ranks.items()) for pair in sorted(pairs)]

    # --- joining ---

    def run(self) -> Grouping[N]:
        used: list[Link[N]] = []
        conflicts: list[Conflict[N]] = []
        refused: set[int] = set()
        for rank in range(len(self.ranked)):
            ready = [rank]
            while ready:
                first = heappop(ready)
                pair = self.ranked[first]
                one, other = self.roots(pair)
                if one == other:
                    continue
                link = self.links[pair]
                support = self.support(first, link, one, other)
                if support:
                    used.append(_outward(link, support))
                    for woken in self.join(one, other):
                        heappush(ready, woken)
                elif link.human:
                    conflicts.append(Conflict(_outward(link), self.named(self.apart[one][other])))
                else:
                    refused.add(first)
        return Grouping(
            groups=self.groups(),
            used=tuple(used),
            conflicts=tuple(conflicts),
            held=self.held(sorted(refused)),
        )

    def named(self, pair: int) -> tuple[N, N]:
        low, high = divmod(pair, len(self.nodes))
        return self.nodes[low], self.nodes[high]

    def roots(self, pair: int) -> tuple[int, int]:
        """The roots of the two nodes of a pair; paths are halved on the way."""
        parent = self.parent
        one, other = divmod(pair, len(parent))
        while parent[one] != one:
            parent[one] = one = parent[parent[one]]
        while parent[other] != other:
            parent[other] = other = parent[parent[other]]
        return one, other

    def support(self, rank: int, link: Link[N], one: int, other: int) -> int:
        """How many links join the two groups, as far as that matters; 0 if they must not be joined, or not yet."""
        if one in self.apart and other in self.apart[one]:
            return 0
        if link.human:
            return link.support
        if self.size[one] + self.size[other] > self.cap:
            return 0
        if not link.weak or link.support > 1 or self.size[one] < 2 or self.size[other] < 2:
            return link.support
        known = self.waiting.setdefault(one, {}).setdefault(other, rank)
        if known != rank:
            return 2
        self.waiting.setdefault(other, {})[one] = rank
        self.weight[one] += 1
        self.weight[other] += 1
        return 0

    def join(self, one: int, other: int) -> list[int]:
        """Make one group of two. Gives the waiting links that have found a second one by it."""
        if self.weight[one] < self.weight[other]:
            one, other = other, one
        self.parent[other] = one
        self.size[one] += self.size[other]
        self.weight[one] += self.weight[other]
        if other in self.apart:
            self.keep_apart(one, other)
        return self.wake(one, other) if other in self.waiting else []

    def keep_apart(self, one: int, other: int) -> None:
        mine = self.apart.setdefault(one, {})
        for stranger, pair in self.apart.pop(other).items():
            theirs = self.apart[stranger]
            del theirs[other]
            mine[stranger] = theirs[one] = min(pair, mine.get(stranger, pair))

    def wake(self, one: int, other: int) -> list[int]:
        mine = self.waiting.setdefault(one, {})
        mine.pop(other, None)
        woken: list[int] = []
        for neighbour, rank in self.waiting.pop(other).items():
            if neighbour == one:
                continue
            theirs = self.waiting[neighbour]
            del theirs[other]
            if neighbour in mine:
                woken.extend(waiter for waiter in (rank, mine[neighbour]) if waiter != _SECONDED)
                rank = _SECONDED
            mine[neighbour] = theirs[one] = rank
        return woken

    # --- what comes out ---

    def groups(self) -> tuple[tuple[N, ...], ...]:
        members: dict[int, list[N]] = {}
        count = len(self.nodes)
        for position, node in enumerate(self.nodes):
            members.setdefault(self.roots(position * (count + 1))[0], []).append(node)
        return tuple(map(tuple, members.values()))

    def held(self, refused: list[int]) -> tuple[Held[N], ...]:
        """Why the model's links were not followed, as it stands in the end."""
        held: list[Held[N]] = []
        for rank in refused:
            link = _outward(self.links[self.ranked[rank]])
            one, other = self.roots(self.ranked[rank])
            between = self.apart.get(one, {}).get(other)
            if between is not None:
                held.append(Held(link, "apart", self.named(between)))
            elif one != other:
                full = self.size[one] + self.size[other] > self.cap
                held.append(Held(link, "cap" if full else "weak_bridge"))
        return tuple(held)


def _rank(link: Link[Any]) -> tuple[int, int]:
    return (0 if link.human else 2) + link.weak, -link.score


def _outward(link: Link[N], support: int | None = None) -> Link[N]:
    """The link with its smaller node first, so that its direction says nothing."""
    support = link.support if support is None else support
    if link.a < link.b and support == link.support:
        return link
    low, high = (link.a, link.b) if link.a < link.b else (link.b, link.a)
    return Link(low, high, link.human, link.score, link.weak, support)
