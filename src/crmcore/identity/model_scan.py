"""Records compared by a learned model, and grouped by how well whole groups fit.

Invariant: a pair has the same score whether it was found by blocking, asked for while groups were joined, or explained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from crmcore.identity.cluster import Grouping, Held, Link, Why, agglomerate
from crmcore.identity.customer import CAP
from crmcore.identity.features import Features
from crmcore.identity.matcher import Match
from crmcore.identity.model.candidates import Candidates
from crmcore.identity.model.linkage import VETO, Edge, link
from crmcore.identity.model.scoring import LearnedMatcher, Score, Scorer
from crmcore.identity.model.training import Training

_STEP = 256


class ModelScan:
    """Scores the pairs of *nodes* that share a value; *training* has them compared already."""

    def __init__(
        self,
        nodes: Sequence[Features],
        matcher: LearnedMatcher,
        training: Training | None,
        sources: Sequence[str] | None,
        budget: int | None = None,
    ) -> None:
        self.matcher = matcher
        self.sources = sources
        self.kinds = [node.kind for node in nodes]
        # A model that was learned of these very records compares all of them.
        unsuited = {kind for kind in set(self.kinds) if training is None and not matcher.suits(kind)}
        self.notes: list[str] = []
        if passed_over := sum(kind in unsuited for kind in self.kinds):
            self.notes.append(
                f"not compared, being of kinds that this model was not learned of: different records, {passed_over:,}"
            )
        self.at_row = [at for at, node in enumerate(nodes) if not node.empty and node.kind not in unsuited]
        self.rows = {at: row for row, at in enumerate(self.at_row)}
        # The trainer has seen the same records in the same order, unless people spoke of one of several equal ones.
        mine = [nodes[at] for at in self.at_row]
        self.training = training if training is not None and training.records == mine else None
        if self.training is not None:
            self.scorer = Scorer(matcher.model, self.training.table, self.training.comparer)
            self.candidates = self.training.candidates
        else:
            self.scorer = Scorer(matcher.model, matcher.table(mine))
            self.candidates = Candidates(self.scorer.table, budget)
        self.same: list[tuple[int, int, int, bool]] = []
        self.unsure: list[tuple[int, int, int]] = []
        self.related: list[tuple[int, int]] = []
        self.compared = 0 if self.training is None else len(self.training.pairs.a)
        self.review_at = matcher.model.policy.review_at
        self._known: dict[tuple[int, int], int] = {}

    @property
    def blocking(self) -> tuple[int, int, int]:
        """How many blocks there are, how many of them are oversized, and how many pairs that may have left out."""
        candidates = self.candidates
        return len(candidates.postings), candidates.oversized, candidates.left_out

    def match(self, a: int, b: int) -> Match:
        """What the model says of two nodes; of one in which there is nothing to compare, that it is different."""
        if a not in self.rows or b not in self.rows:
            return Match("different", 0)
        return self.matcher.match(self.scorer, self.rows[a], self.rows[b])

    def compare(self, on_progress: Callable[[int, int], None] | None) -> None:
        """Score all candidates, and keep those that may be the same."""
        for a, b, found in self._scored(on_progress):
            if found.score < self.review_at and found.related <= 0:
                continue
            verdict = self.matcher.verdict(found)
            if verdict == "same":
                self._known[a, b] = found.score
                self.same.append((a, b, found.score, False))
            elif verdict == "related":
                self.related.append((a, b))
            elif verdict == "unsure":
                self.unsure.append((a, b, found.score))

    def _scored(self, on_progress: Callable[[int, int], None] | None) -> Iterator[tuple[int, int, Score]]:
        if self.training is not None:
            pairs, aligned = self.training.pairs, self.scorer.comparer.aligned
            least = min(self.review_at, 1)  # a pair is related from 1 on, whatever the threshold
            hopeless: dict[int, bool] = {}
            for i, j, pattern in zip(pairs.a, pairs.b, pairs.pattern, strict=True):
                known = hopeless.get(pattern)
                if known is None:
                    known = hopeless[pattern] = self.scorer.at_most(pattern) < least
                a, b = self.at_row[i], self.at_row[j]
                if i != j and not known and self._of_one_kind(a, b):
                    yield a, b, self.scorer.of(pattern, *aligned(i, j))
            return
        count = len(self.at_row)
        for i, a in enumerate(self.at_row):
            # Equal records meet, however many there are: people may have spoken of any of them.
            partners = set(self.candidates.partners(i))
            if i + 1 < count and self.scorer.table.rows[i] == self.scorer.table.rows[i + 1]:
                partners.add(i + 1)
            for j in sorted(partners):
                self.compared += 1
                if self._of_one_kind(a, self.at_row[j]):
                    yield a, self.at_row[j], self.scorer.score(i, j)
            if on_progress is not None and (i % _STEP == 0 or i + 1 == count):
                on_progress(i + 1, count)

    def _of_one_kind(self, a: int, b: int) -> bool:
        return self.kinds[a] == self.kinds[b] or "anonymous" in (self.kinds[a], self.kinds[b])

    def score(self, a: int, b: int) -> int:
        """The score of two nodes; two kinds of customer are never one."""
        pair = (a, b) if a < b else (b, a)
        known = self._known.get(pair)
        if known is None:
            known = VETO
            if self._of_one_kind(a, b) and a in self.rows and b in self.rows:
                known = self.scorer.score(self.rows[pair[0]], self.rows[pair[1]]).score
            self._known[pair] = known
        return known

    def group(
        self, said_same: Sequence[tuple[int, int]], said_apart: Sequence[tuple[int, int]]
    ) -> Grouping[int]:
        """Join first what people say, then what fits."""
        count = len(self.kinds)
        said = agglomerate(range(count), [Link(a, b, True) for a, b in said_same], said_apart)
        found = link(
            said.groups,
            [Edge(a, b, score) for a, b, score, _ in self.same],
            self.score,
            least=self.matcher.model.policy.same_at,
            cap=CAP,
            apart=said_apart,
            sources=self.sources,
        )
        if found.oversized:
            self.notes.append(
                f"{found.oversized:,} times a group was not made: a customer has {CAP:,} records at most"
            )
        why: Why = "weak_bridge"
        return Grouping(
            groups=found.groups,
            used=(*said.used, *(Link(edge.a, edge.b, False, edge.score) for edge in found.used)),
            conflicts=said.conflicts,
            held=tuple(Held(Link(edge.a, edge.b, False, edge.score), why) for edge in found.held),
        )
