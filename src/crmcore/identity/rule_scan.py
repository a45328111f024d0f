"""Records compared pair by pair, by any matcher, and joined by its links.

Invariant: of each pair only numbers are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

from crmcore.identity.blocking import Blocks
from crmcore.identity.cluster import Grouping, Link, agglomerate
from crmcore.identity.customer import CAP
from crmcore.identity.fallback import FallbackMatcher
from crmcore.identity.features import Features
from crmcore.identity.matcher import Match, PairMatcher
from crmcore.identity.model.recall_debt import RecallDebt
from crmcore.identity.population import Population

_STEP = 256


class RuleScan:
    """Compares the pairs that share a key of the matcher."""

    def __init__(self, nodes: Sequence[Features], matcher: PairMatcher) -> None:
        self.nodes = nodes
        self.matcher = matcher
        self.population = Population.of(nodes)
        self.blocks = Blocks.of(nodes, matcher)
        self.same: list[tuple[int, int, int, bool]] = []
        self.unsure: list[tuple[int, int, int]] = []
        self.related: list[tuple[int, int]] = []
        self.contradicted: list[tuple[int, int]] = []
        self.compared = 0
        self.rank: Sequence[int] = range(len(nodes))
        self.notes: list[str] = []
        self.debt: RecallDebt | None = None

    @property
    def blocking(self) -> tuple[int, int, int]:
        """How many blocks there are, how many of them are oversized, and how many pairs that may have left out."""
        return self.blocks.count, self.blocks.oversized, self.blocks.left_out

    @property
    def cap(self) -> int:
        """0: rules have blocks of their own."""
        return 0

    @property
    def near(self) -> bool:
        """Rules have keys of their own."""
        return False

    def match(self, a: int, b: int) -> Match:
        """What the matcher says of two nodes."""
        return self.matcher.compare(self.nodes[a], self.nodes[b], self.population)

    def compare(self, on_progress: Callable[[int, int], None] | None) -> None:
        """Compare all candidates."""
        for a in range(len(self.nodes)):
            for b in self.blocks.partners(a):
                self.compared += 1
                match = self.match(a, b)
                # Below 0 nothing could bring the two together anyway.
                if match.contradicted and match.score >= 0:
                    self.contradicted.append((a, b))
                if match.verdict == "same":
                    self.same.append((a, b, match.score, match.weak))
                elif match.verdict == "unsure":
                    self.unsure.append((a, b, match.score))
                elif match.verdict == "related":
                    self.related.append((a, b))
            if on_progress is not None and (a + 1) % _STEP == 0:
                on_progress(a + 1, len(self.nodes))
        if on_progress is not None:
            on_progress(len(self.nodes), len(self.nodes))

    def group(
        self, said_same: Sequence[tuple[int, int]], said_apart: Sequence[tuple[int, int]]
    ) -> Grouping[int]:
        """Join what the matcher and people say is one."""
        links = [Link(a, b, False, score, weak) for a, b, score, weak in self.same]
        links.extend(Link(a, b, True) for a, b in said_same)
        barred = [*said_apart, *_unsaid(self.contradicted, said_same, len(self.nodes))]
        while True:
            grouping = agglomerate(range(len(self.nodes)), links, barred, cap=CAP)
            found = _unsaid(self._forbidden(grouping), said_same, len(self.nodes))
            if not found:
                return grouping
            barred += found

    def _forbidden(self, grouping: Grouping[int]) -> list[tuple[int, int]]:
        """Pairs that third records have brought together against a rule of the policy."""
        if not isinstance(self.matcher, FallbackMatcher) or not self.matcher.strict:
            return []
        forbids, nodes = self.matcher.forbids, self.nodes
        return [
            (a, b)
            for group in grouping.groups
            for a, b in combinations(group, 2)
            if forbids(nodes[a], nodes[b])
        ]


def _unsaid(
    contradicted: list[tuple[int, int]], said_same: Sequence[tuple[int, int]], nodes: int
) -> list[tuple[int, int]]:
    """The contradictions that nobody has overruled by saying, perhaps by way of others, that the two are the same."""
    if not said_same:
        return contradicted
    groups = agglomerate(range(nodes), [Link(a, b, True) for a, b in said_same], ()).groups
    overruled = {node: number for number, group in enumerate(groups) if len(group) > 1 for node in group}
    return [(a, b) for a, b in contradicted if overruled.get(a, -1) != overruled.get(b, -2)]
