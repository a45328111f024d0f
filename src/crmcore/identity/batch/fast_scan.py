"""What makes `dedupe` fast where numpy is: learning and scanning with arrays, behind the reference's own interfaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from crmcore.identity.batch.array_counting import ArrayCounting
from crmcore.identity.batch.array_scan import ArrayScan, Found, Nodes
from crmcore.identity.batch.arrays import arrays_of
from crmcore.identity.batch.linking import Said
from crmcore.identity.cluster import Grouping, Held, Link, agglomerate
from crmcore.identity.features import Features
from crmcore.identity.matcher import Match
from crmcore.identity.model.encoding import Table
from crmcore.identity.model.evidence import Evidence
from crmcore.identity.model.recall_debt import RecallDebt
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.identity.model.training import Training
from crmcore.identity.model_scan import compared_nodes, oversized_note

Progress = Callable[[int, int], None]


def counted(
    table: Table, copies: Sequence[int], budget: int | None, on_progress: Progress | None
) -> Evidence:
    """The evidence of a table, counted with arrays."""
    return ArrayCounting(arrays_of(table), np.array(copies, dtype=np.int64), budget, on_progress)


class FastScan:
    """Scores the pairs of *nodes* that share a value, as `ModelScan` does."""

    def __init__(
        self,
        nodes: Sequence[Features],
        matcher: LearnedMatcher,
        training: Training | None,
        row_of: Mapping[Features, int],
        sources: Sequence[str] | None,
        budget: int | None = None,
    ) -> None:
        self.nodes, self.matcher, self.sources = nodes, matcher, sources
        mine, self.notes = compared_nodes(nodes, matcher, learned=training is not None)
        evidence = None if training is None else training.evidence
        if isinstance(evidence, ArrayCounting) and all(nodes[at] in row_of for at in mine):
            rows = [row_of[nodes[at]] for at in mine]
            table = evidence.table
        else:
            evidence = None
            plain, where = matcher.table([nodes[at] for at in mine]).distinct()
            rows, table = list(where), arrays_of(plain)
        row = np.full(len(nodes), -1, dtype=np.int32)
        row[mine] = rows
        self._scan = ArrayScan(matcher.model, table, evidence, Nodes(row=row), budget)
        self.rank: Sequence[int] = self._scan.rank.tolist()
        self.debt: RecallDebt | None = None

    def compare(self, on_progress: Progress | None) -> None:
        """Score all candidates, and keep those that may be the same."""
        scan = self._scan
        scan.compare(on_progress)
        self.compared = scan.compared
        weak = [False] * len(scan.same)
        self.same = list(zip(*_lists(scan.same), scan.same.score.tolist(), weak, strict=True))
        self.unsure = list(zip(*_lists(scan.unsure), scan.unsure.score.tolist(), strict=True))
        self.related = list(zip(*_lists(scan.related), strict=True))

    @property
    def blocking(self) -> tuple[int, int, int]:
        """How many blocks there are, how many of them are oversized, and how many pairs that may have left out."""
        found = self._scan.blocked
        return found.blocks, found.oversized, found.left_out

    @property
    def cap(self) -> int:
        """The size of the largest block that is compared whole."""
        return self._scan.blocked.cap

    @property
    def near(self) -> bool:
        """Whether records also meet by values one typing error apart."""
        return self._scan.blocked.near

    def match(self, a: int, b: int) -> Match:
        """What the model says of two nodes; of one in which there is nothing to compare, that it is different."""
        row = self._scan.nodes.row
        if row[a] < 0 or row[b] < 0:
            return Match("different", 0)
        return self.matcher.pair(self.nodes[a], self.nodes[b])

    def group(
        self, said_same: Sequence[tuple[int, int]], said_apart: Sequence[tuple[int, int]]
    ) -> Grouping[int]:
        """Join first what people say, then what fits."""
        said = agglomerate(range(len(self.nodes)), [Link(a, b, True) for a, b in said_same], said_apart)
        together = [group for group in said.groups if len(group) > 1]
        what = Said(groups=together, apart=said_apart, sources=self.sources)
        found = self._scan.group(what)
        self.debt = self._scan.debt(found.group, what)
        if found.oversized:
            self.notes.append(oversized_note(found.oversized))
        order = np.argsort(found.group, kind="stable")
        bounds = np.nonzero(np.diff(found.group[order]))[0] + 1
        links = [Link(a, b, False, score) for a, b, score, _ in self.same]
        return Grouping(
            groups=tuple(sorted(tuple(group.tolist()) for group in np.split(order, bounds) if len(group))),
            used=(*said.used, *(links[at] for at in found.used.tolist())),
            conflicts=said.conflicts,
            held=tuple(Held(links[at], "weak_bridge") for at in found.held.tolist()),
        )


def _lists(found: Found) -> tuple[list[int], list[int]]:
    return found.a.tolist(), found.b.tolist()
