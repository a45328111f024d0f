"""Records compared by a learned model, and grouped by how well whole groups fit.

Invariant: a pair has the same score whether it was found by blocking, asked for while groups were joined, or explained.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise, product

from crmcore.identity.cluster import Grouping, Held, Link, Why, agglomerate
from crmcore.identity.customer import CAP
from crmcore.identity.features import Features
from crmcore.identity.matcher import Match
from crmcore.identity.model.candidates import Candidates
from crmcore.identity.model.counting import Counting, Pairs
from crmcore.identity.model.evidence import probability
from crmcore.identity.model.linkage import VETO, Edge, link
from crmcore.identity.model.recall_debt import LEAST, RecallDebt, debt
from crmcore.identity.model.scoring import LearnedMatcher, Score, Scorer
from crmcore.identity.model.training import Training

_STEP = 256


class GivenPairs:
    """Candidates that somebody has found already, in the place of `Candidates`."""

    cap = 0
    near = False
    oversized = 0
    left_out = 0

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        self.postings: Mapping[str, Sequence[int]] = {}
        self._later: dict[int, set[int]] = {}
        for a, b in pairs:
            if a != b:
                self._later.setdefault(min(a, b), set()).add(max(a, b))

    def partners(self, position: int) -> list[int]:
        """The later records to compare the one at *position* with, ascending."""
        return sorted(self._later.get(position, ()))


class ModelScan:
    """Scores the pairs of *nodes* that share a value; *training* has them compared already, *given* are the pairs where
    they are known."""

    def __init__(
        self,
        nodes: Sequence[Features],
        matcher: LearnedMatcher,
        training: Training | None,
        row_of: Mapping[Features, int],
        sources: Sequence[str] | None,
        budget: int | None = None,
        given: Iterable[tuple[int, int]] | None = None,
    ) -> None:
        self.matcher = matcher
        self.sources = sources
        self.kinds = [node.kind for node in nodes]
        mine, self.notes = compared_nodes(nodes, matcher, learned=training is not None)
        counting = None if training is None else training.evidence
        if isinstance(counting, Counting) and all(nodes[at] in row_of for at in mine):
            # The trainer has compared the same records already.
            rows: Sequence[int] = [row_of[nodes[at]] for at in mine]
            self.pairs: Pairs | None = counting.pairs
            self.scorer = Scorer(matcher.model, counting.table, counting.comparer)
            self.candidates: Candidates | GivenPairs = counting.candidates
        else:
            table, rows = matcher.table([nodes[at] for at in mine]).distinct()
            self.pairs = None
            self.scorer = Scorer(matcher.model, table)
            self.candidates = Candidates(table, budget) if given is None else GivenPairs(())
        self.row_of = {at: row for at, row in zip(mine, rows, strict=True) if row >= 0}
        if given is not None:
            self.candidates = self._given(given)
        self.at_row: list[list[int]] = [[] for _ in self.scorer.table.rows]
        for at, row in self.row_of.items():
            self.at_row[row].append(at)
        numbers = self.scorer.table.numbers
        self.rank: Sequence[int] = [
            numbers[self.row_of[at]] if at in self.row_of else 0 for at in range(len(nodes))
        ]
        self.same: list[tuple[int, int, int, bool]] = []
        self.unsure: list[tuple[int, int, int]] = []
        self.related: list[tuple[int, int]] = []
        self.compared = 0 if self.pairs is None else len(self.pairs.a)
        self.review_at = matcher.model.policy.review_at
        self.debt: RecallDebt | None = None
        self._known: dict[tuple[int, int], int] = {}

    def _given(self, pairs: Iterable[tuple[int, int]]) -> GivenPairs:
        """The pairs of nodes as pairs of rows."""
        rows = ((self.row_of[a], self.row_of[b]) for a, b in pairs if a in self.row_of and b in self.row_of)
        return GivenPairs(rows)

    @property
    def blocking(self) -> tuple[int, int, int]:
        """How many blocks there are, how many of them are oversized, and how many pairs that may have left out."""
        candidates = self.candidates
        return len(candidates.postings), candidates.oversized, candidates.left_out

    @property
    def cap(self) -> int:
        """The size of the largest block that is compared whole."""
        return self.candidates.cap

    @property
    def near(self) -> bool:
        """Whether records also meet by values one typing error apart."""
        return self.candidates.near

    def match(self, a: int, b: int) -> Match:
        """What the model says of two nodes; of one in which there is nothing to compare, that it is different."""
        if a not in self.row_of or b not in self.row_of:
            return Match("different", 0)
        return self.matcher.match(self.scorer, self.row_of[a], self.row_of[b])

    def compare(self, on_progress: Callable[[int, int], None] | None) -> None:
        """Score all candidates, and keep those that may be the same."""
        for i, j, found in self._scored(on_progress):
            if found.score < self.review_at and found.related <= 0:
                continue
            verdict = self.matcher.verdict(found)
            for a, b in self._nodes(i, j):
                if verdict == "same":
                    self._known[a, b] = found.score
                    self.same.append((a, b, found.score, False))
                elif verdict == "related":
                    self.related.append((a, b))
                elif verdict == "unsure":
                    self.unsure.append((a, b, found.score))

    def _nodes(self, i: int, j: int) -> Iterator[tuple[int, int]]:
        """The nodes at two rows. Equal records meet, however many there are: people may have spoken of any of them."""
        if i == j:
            yield from pairwise(self.at_row[i])
            return
        for a, b in product(self.at_row[i], self.at_row[j]):
            yield (a, b) if a < b else (b, a)

    def _scored(self, on_progress: Callable[[int, int], None] | None) -> Iterator[tuple[int, int, Score]]:
        table = self.scorer.table
        for i, nodes in enumerate(self.at_row):
            if len(nodes) > 1:
                yield i, i, self.scorer.score(i, i)
        if self.pairs is not None:
            aligned = self.scorer.comparer.aligned
            least = min(self.review_at, 1)  # a pair is related from 1 on, whatever the threshold
            hopeless: dict[int, bool] = {}
            for i, j, pattern in zip(self.pairs.a, self.pairs.b, self.pairs.pattern, strict=True):
                known = hopeless.get(pattern)
                if known is None:
                    known = hopeless[pattern] = self.scorer.at_most(pattern) < least
                if i != j and not known and one_kind(table.kinds[i], table.kinds[j]):
                    yield i, j, self.scorer.of(pattern, *aligned(i, j))
            return
        count = len(table.rows)
        for i in range(count):
            for j in self.candidates.partners(i):
                self.compared += 1
                if one_kind(table.kinds[i], table.kinds[j]):
                    yield i, j, self.scorer.score(i, j)
            if on_progress is not None and (i % _STEP == 0 or i + 1 == count):
                on_progress(i + 1, count)

    def score(self, a: int, b: int) -> int:
        """The score of two nodes; two kinds of customer are never one."""
        pair = (a, b) if a < b else (b, a)
        known = self._known.get(pair)
        if known is None:
            known = VETO
            if one_kind(self.kinds[a], self.kinds[b]) and a in self.row_of and b in self.row_of:
                known = self.scorer.score(self.row_of[a], self.row_of[b]).score
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
            rank=self.rank,
        )
        if found.oversized:
            self.notes.append(oversized_note(found.oversized))
        self.debt = self._debt(found.groups, said_apart)
        why: Why = "weak_bridge"
        return Grouping(
            groups=found.groups,
            used=(*said.used, *(Link(edge.a, edge.b, False, edge.score) for edge in found.used)),
            conflicts=said.conflicts,
            held=tuple(Held(Link(edge.a, edge.b, False, edge.score), why) for edge in found.held),
        )

    def _debt(
        self, groups: Sequence[Sequence[int]], said_apart: Sequence[tuple[int, int]]
    ) -> RecallDebt | None:
        """What is lost by blocks that are too large: nothing where two groups cannot be one."""
        if isinstance(self.candidates, GivenPairs):
            return None
        sampled, times = self.candidates.debtors()
        group_of = {node: at for at, group in enumerate(groups) for node in group}
        apart = {frozenset((group_of[a], group_of[b])) for a, b in said_apart}
        kinds, owed = self.scorer.table.kinds, list[int]()
        for (a, b), shared in zip(sampled.pairs, times, strict=True):
            one, other = self.at_row[a], self.at_row[b]
            open_ = shared and one and other and one_kind(kinds[a], kinds[b])
            if not open_ or self._settled(group_of, apart, one[0], other[0]):
                owed.append(0)
                continue
            share = probability(self.scorer.score(a, b).score)
            owed.append(share // shared if share >= LEAST else 0)
        return debt(sampled, owed)

    def _settled(
        self, group_of: Mapping[int, int], apart: Container[frozenset[int]], one: int, other: int
    ) -> bool:
        """Whether two nodes are in one group, or their groups are kept apart, by people or as records of one source."""
        first, second = group_of[one], group_of[other]
        if first == second or frozenset((first, second)) in apart:
            return True
        return (
            self.sources is not None and bool(self.sources[one]) and self.sources[one] == self.sources[other]
        )


def compared_nodes(
    nodes: Sequence[Features], matcher: LearnedMatcher, *, learned: bool
) -> tuple[list[int], list[str]]:
    """The nodes that a model compares, and a note on those that it does not.

    A model that was *learned* of these very records compares all of them.
    """
    unsuited = {kind for kind in {node.kind for node in nodes} if not learned and not matcher.suits(kind)}
    passed_over = sum(node.kind in unsuited for node in nodes)
    notes = [unsuited_note(passed_over)] if passed_over else []
    return [at for at, node in enumerate(nodes) if not node.empty and node.kind not in unsuited], notes


def one_kind(one: str, other: str) -> bool:
    """Whether customers of these kinds can be one: two kinds never are, somebody anonymous may be of any."""
    return one == other or "anonymous" in (one, other)


def unsuited_note(count: int) -> str:
    """That so many different records are of kinds that a model cannot tell apart."""
    return f"not compared, being of kinds that this model was not learned of: different records, {count:,}"


def oversized_note(times: int) -> str:
    """That a group was not made, since it would have been too large."""
    return f"{times:,} times a group was not made: a customer has {CAP:,} records at most"
