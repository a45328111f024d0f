"""Records compared and grouped with arrays, as `crmcore.identity.model_scan.ModelScan` does one pair after the other.

Invariant: the same pairs, scores, verdicts and groups.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np

from crmcore.identity.batch.array_counting import ArrayCounting
from crmcore.identity.batch.array_scoring import RELATED, SAME, UNSURE, ArrayScorer, Scored
from crmcore.identity.batch.arrays import ArrayTable
from crmcore.identity.batch.blocking import blocked
from crmcore.identity.batch.linking import Linked, Said, linked
from crmcore.identity.batch.texts import Flags, Ints, Longs, Numbers
from crmcore.identity.batch.whole_sums import Patterns, patterns_of, probabilities
from crmcore.identity.batch.work import Work
from crmcore.identity.customer import CAP
from crmcore.identity.model.linkage import VETO
from crmcore.identity.model.match_model import MatchModel
from crmcore.identity.model.recall_debt import LEAST, RecallDebt, debt

_NODES = 60
"""Bytes that a pair of nodes takes while it is made."""


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Nodes:
    """What is grouped: each node has the record of a table (*row*, -1 for one with nothing to compare); nodes of one
    record are equal."""

    row: Ints


@attrs.frozen(eq=False, repr=False, kw_only=True)
class Found:
    """Pairs of nodes *a* < *b* with their scores."""

    a: Longs
    b: Longs
    score: Longs

    def __len__(self) -> int:
        return len(self.a)


class ArrayScan:
    """The pairs of records of a *table* that a model finds the same, unsure and related, as pairs of nodes."""

    def __init__(
        self,
        model: MatchModel,
        table: ArrayTable,
        evidence: ArrayCounting | None,
        nodes: Nodes,
        budget: int | None,
        work: Work | None = None,
    ) -> None:
        self.work = work = Work() if work is None else work
        self.model, self.table, self.nodes = model, table, nodes
        self.scorer = ArrayScorer(model, table, evidence.grader if evidence is not None else None)
        if evidence is not None and evidence.trained:
            self.scorer.known(evidence)
        self.evidence = evidence
        self.blocked = (
            evidence.blocked
            if evidence is not None
            else work.candidates(lambda room: blocked(table.keys(), table.records, budget, room=room))
        )
        self.compared = len(self.blocked.a) if evidence is None else len(evidence.a)
        self._order = np.argsort(nodes.row, kind="stable").astype(np.int64)
        sorted_ = nodes.row[self._order]
        self._first = np.searchsorted(sorted_, np.arange(table.records))
        self._count = np.searchsorted(sorted_, np.arange(table.records), side="right") - self._first

    @property
    def rank(self) -> Numbers:
        """What orders the nodes: the number of what they hold."""
        if not self.table.records:
            return np.zeros(len(self.nodes.row), dtype=np.uint64)
        return np.where(self.nodes.row >= 0, self.table.numbers[self.nodes.row], np.uint64(0))

    def compare(self, on_progress: Callable[[int, int], None] | None = None) -> None:
        """Score all candidates."""
        least = min(self.model.policy.review_at, 1)
        parts: list[tuple[Ints, Ints, Scored]] = [self._alike()]
        if self.evidence is not None:
            a, b, patterns = self.evidence.a, self.evidence.b, self.evidence.patterns
            at = np.nonzero(self.scorer.likely(patterns, least)[patterns.of] & (a != b))[0]
            mine = Patterns(values=patterns.values, levels=patterns.levels, of=patterns.of[at])
            parts.append((a[at], b[at], self.scorer.of(a[at], b[at], mine)))
        else:
            a, b = self.blocked.a, self.blocked.b
            width = len(self.table.columns) + 1
            for part, packed in self.work.portions(self.scorer.grader, a, b, on_progress):
                one, other = a[part], b[part]
                parts.append(_likely(one, other, self.scorer.of(one, other, patterns_of(packed, width))))
        one = np.concatenate([part[0] for part in parts])
        other = np.concatenate([part[1] for part in parts])
        verdict = np.concatenate([part[2].verdict for part in parts])
        score = np.concatenate([part[2].score for part in parts])
        fits = self._of_one_kind(one, other)
        self.same = self._found(one, other, score, fits & (verdict == SAME))
        self.unsure = self._found(one, other, score, fits & (verdict == UNSURE))
        self.related = self._found(one, other, score, fits & (verdict == RELATED))

    def _alike(self) -> tuple[Ints, Ints, Scored]:
        """Records of which there are several nodes, each with itself."""
        several = np.nonzero(self._count > 1)[0].astype(np.int32)
        return several, several, self.scorer.score(several, several)

    def _of_one_kind(self, a: Ints, b: Ints) -> Flags:
        one, other = self.table.kinds[a], self.table.kinds[b]
        nobody = self.table.kind_names.index("anonymous") if "anonymous" in self.table.kind_names else 255
        return (one == other) | (one == nobody) | (other == nobody)

    def _found(self, a: Ints, b: Ints, score: Longs, chosen: Flags) -> Found:
        """Pairs of nodes for chosen pairs of records."""
        a, b, score = a[chosen], b[chosen], score[chosen]
        itself = a == b
        times = np.where(itself, self._count[a] - 1, self._count[a] * self._count[b])
        self.work.room.need("grouping", int(times.sum()) * _NODES)
        pair = np.repeat(np.arange(len(a)), times)
        within = np.arange(len(pair)) - np.repeat(np.cumsum(times) - times, times)
        # Equal records meet one after the other, however many there are; different ones each with each.
        width = np.where(itself, 1, self._count[b])[pair]
        one = self._order[self._first[a[pair]] + within // width]
        other = self._order[self._first[b[pair]] + np.where(itself[pair], within + 1, within % width)]
        return Found(a=np.minimum(one, other), b=np.maximum(one, other), score=score[pair])

    def score_of(self, a: Ints, b: Ints) -> Longs:
        """The scores of any pairs of nodes; two kinds of customer are never one."""
        one, other = self.nodes.row[a], self.nodes.row[b]
        there = (one >= 0) & (other >= 0)
        found = np.full(len(a), VETO, dtype=np.int64)
        at = np.nonzero(there)[0]
        at = at[self._of_one_kind(one[at], other[at])]
        found[at] = self.scorer.score(one[at], other[at]).score
        return found

    def group(self, said: Said) -> Linked:
        """Join what people say and what fits."""
        return linked(
            self.same.a.astype(np.int32), self.same.b.astype(np.int32), self.same.score, self.rank, self.score_of,
            least=self.model.policy.same_at, cap=CAP, said=said,
        )  # fmt: skip

    def debt(self, group: Longs, said: Said) -> RecallDebt:
        """What is lost by blocks that are too large, where the nodes have these groups: nothing where two groups cannot
        be one."""
        known = self.blocked.debtors
        open_ = (known.times > 0) & (self._count[known.a] > 0) & (self._count[known.b] > 0)
        at = np.nonzero(open_)[0]
        one, other = (self._order[self._first[side[at]]] for side in (known.a, known.b))
        low, high = np.minimum(group[one], group[other]), np.maximum(group[one], group[other])
        apart = [group[[a, b]] for a, b in said.apart]
        kept = np.isin(low * len(group) + high, [min(two) * len(group) + max(two) for two in apart])
        if said.sources is not None:
            sources = np.array(said.sources, dtype=object)
            kept |= (sources[one] == sources[other]) & (sources[one] != "")
        at = at[(low != high) & ~kept & self._of_one_kind(known.a[at], known.b[at])]
        share = probabilities(self.scorer.score(known.a[at], known.b[at]).score)
        owed = np.zeros(len(known.a), dtype=np.int64)
        owed[at] = np.where(share >= LEAST, share // known.times[at], 0)
        return debt(known.sample, owed.tolist())


def _likely(a: Ints, b: Ints, scored: Scored) -> tuple[Ints, Ints, Scored]:
    kept = scored.verdict <= UNSURE
    return a[kept], b[kept], Scored(scored.score[kept], scored.related[kept], scored.verdict[kept])
