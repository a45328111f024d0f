"""Rows of a table grouped by customer, with arrays from the file to the labels.

Invariant: nothing is made for each row but numbers; what is said of a pair is worked out when somebody asks for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from crmcore.errors import InvalidModel
from crmcore.identity.batch.array_counting import ArrayCounting
from crmcore.identity.batch.array_scan import ArrayScan, Nodes
from crmcore.identity.batch.array_scoring import SAME, UNSURE
from crmcore.identity.batch.field_encoding import KINDS, Encoded, Fields, encoded
from crmcore.identity.batch.lazy import LazyPairs
from crmcore.identity.batch.linking import Linked, Said
from crmcore.identity.batch.reading import fields_of
from crmcore.identity.batch.tables import table_of, whole_numbers
from crmcore.identity.batch.texts import Flags, Ints, Longs, compress, firsts
from crmcore.identity.cluster import Link, agglomerate
from crmcore.identity.deduplication import (
    MOST_UNSURE,
    Deduplication,
    Progress,
    Statistics,
    check,
    dedupe,
    excluded_note,
)  # fmt: skip
from crmcore.identity.fallback import seen_by
from crmcore.identity.features import Features, Kind, features_of_row
from crmcore.identity.matcher import Match
from crmcore.identity.model.certificates import certify
from crmcore.identity.model.columns import COLUMNS
from crmcore.identity.model.counting import Counting
from crmcore.identity.model.freezing import freeze, words_of
from crmcore.identity.model.learning import Count, Learned, Matcher
from crmcore.identity.model.match_model import MatchModel
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.identity.model.training import RECORDS, train
from crmcore.identity.model_scan import oversized_note, unsuited_note
from crmcore.values.frozen_map import FrozenMap


def table_groups(
    source: Any,
    matcher: Matcher | MatchModel | None,
    *,
    kind: Kind | None,
    apart: Iterable[tuple[int, int]],
    together: Iterable[tuple[int, int]],
    excluded: Mapping[int, str] | None,
    sources: Sequence[str] | None,
    on_progress: Progress | None,
) -> Deduplication:
    """What `crmcore.identity.dedupe_table` gives."""
    if kind not in (None, *KINDS):
        raise InvalidModel(f"there is no such kind of customer: choose one of {', '.join(KINDS)}")
    if matcher is not None and not isinstance(matcher, (Matcher, MatchModel)):
        raise InvalidModel("a table is grouped by a Matcher or a MatchModel: give other matchers to dedupe")
    fields = fields_of(source)
    run = _Run(fields, Matcher() if matcher is None else matcher, kind, dict(excluded or {}))
    said = tuple(apart), tuple(together)
    check(fields.rows, *said, run.excluded, sources)
    if run.begin(on_progress):
        return run.outcome(*said, sources, on_progress)
    records = [run.record(position) for position in range(fields.rows)]
    return dedupe(
        records, run.matcher, apart=said[0], together=said[1], excluded=run.excluded, sources=sources,
        on_progress=on_progress,
    )  # fmt: skip


class _Run:
    """One deduplication of a table."""

    def __init__(
        self, fields: Fields, matcher: Matcher | MatchModel, kind: Kind | None, excluded: Mapping[int, str]
    ) -> None:
        self.fields, self.matcher, self.excluded = fields, matcher, excluded
        self.kind: Kind | None = kind
        self.learned: Learned | None = None

    def record(self, position: int) -> Features:
        """The features of one row."""
        record = features_of_row(self.fields.row(position), self.kind)
        return seen_by(self.matcher, record) if isinstance(self.matcher, Matcher) else record

    def begin(self, on_progress: Progress | None) -> bool:
        """Encode the rows and learn what is to be learned; False where it takes the reference to decide."""
        found = encoded(self.fields, self.kind)
        if found is None or (
            isinstance(self.matcher, Matcher) and any(c.source for c in self.matcher.columns)
        ):
            return False
        if self.excluded:
            found = found.without(list(self.excluded))
        # A model is shown all that a row holds, a matcher only what it compares.
        seen = None if isinstance(self.matcher, MatchModel) else {c.name for c in self.matcher.columns}
        self.whole = whole_numbers(found, seen)
        self.unsuited = np.zeros(self.fields.rows, dtype=np.bool_)
        self.evidence: ArrayCounting | None = None
        if isinstance(self.matcher, Matcher):
            self.learned, self.evidence, self.where = learned_of(found, self.matcher, on_progress)
            if self.learned.model is None or self.evidence is None:
                self.matcher = Refused.of(self.matcher, self.learned)
                return False
            self.model, self.table = self.learned.model, self.evidence.table
            return True
        self.model = self.matcher
        return self._known(found)

    def _known(self, found: Encoded) -> bool:
        """The rows as a model sees them that is known already."""
        matcher = LearnedMatcher(model=self.model)
        if any(column.name not in found.columns for column in self.model.columns):
            found = found.completed([column.name for column in self.model.columns])
        names = {column.name: column for column in COLUMNS}
        columns = [names[column.name] for column in self.model.columns]
        self.unsuited = np.isin(found.kinds, [at for at, kind in enumerate(KINDS) if not matcher.suits(kind)])
        self.unsuited[list(self.excluded)] = False
        if self.unsuited.any():
            found = found.without(np.nonzero(self.unsuited)[0].tolist())
        self.table, self.where = table_of(found, columns, matcher.rarity())
        return True

    def outcome(
        self,
        apart: Sequence[tuple[int, int]],
        together: Sequence[tuple[int, int]],
        sources: Sequence[str] | None,
        on_progress: Progress | None,
    ) -> Deduplication:
        """Compare, and join what may be joined."""
        alone = {position for pair in (*apart, *together) for position in pair} | set(self.excluded)
        self._number(
            np.arange(self.fields.rows) if sources is not None else np.array(sorted(alone), dtype=np.int64)
        )
        scan = ArrayScan(self.model, self.table, self.evidence, Nodes(row=self.row), self.budget)
        scan.compare(on_progress)
        node_said = [
            [(int(self.node[a]), int(self.node[b])) for a, b in pairs] for pairs in (together, apart)
        ]
        people = agglomerate(
            sorted({node for pair in node_said[0] + node_said[1] for node in pair}),
            [Link(a, b, True) for a, b in node_said[0]],
            node_said[1],
        )
        found = scan.group(
            Said(
                groups=[group for group in people.groups if len(group) > 1],
                apart=node_said[1],
                sources=None if sources is None else [sources[int(position)] for position in self.first],
            )
        )
        return self._told(scan, found, people.conflicts, node_said[1])

    @property
    def budget(self) -> int | None:
        return self.matcher.budget if isinstance(self.matcher, Matcher) else None

    def _number(self, alone: Longs) -> None:
        """Let equal rows be one node each, and those that stand *alone* nodes of their own."""
        # By all that they hold, not only by what the model compares.
        key = compress(self.whole.view(np.int64))[1].astype(np.int64)
        own = np.isin(np.arange(len(key)), alone)
        known, node = compress(np.where(own, len(key) + np.arange(len(key)), key))
        self.first = firsts(node, len(known))
        # By what they hold, as the reference has them.
        row = self.where[self.first]
        order = np.lexsort((self.first, row))
        place = np.empty(len(order), dtype=np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        self.node, self.first, self.row = place[node], self.first[order], row[order]

    def _told(
        self, scan: ArrayScan, found: Linked, conflicts: Sequence[Any], apart: Sequence[tuple[int, int]]
    ) -> Deduplication:
        members = np.bincount(self.node, minlength=len(self.row))
        several = np.nonzero((members > 1) & (self.row >= 0))[0]
        alike = scan.scorer.score(self.row[several], self.row[several])
        one = np.ones(len(self.row), dtype=np.bool_)
        one[several] = alike.verdict == SAME
        one[(members > 1) & (self.row < 0)] = False
        labels = self._labels(found.group, one)
        equal = {verdict: several[alike.verdict == verdict] for verdict in (SAME, UNSURE)}
        related = found.group[scan.related.a] != found.group[scan.related.b]
        pairs = np.sort(
            np.stack([self.first[scan.related.a[related]], self.first[scan.related.b[related]]]), axis=0
        )
        pairs = pairs[:, np.lexsort((pairs[1], pairs[0]))]
        notes = [excluded_note(len(self.excluded))] if self.excluded else []
        passed_over = int(self.unsuited[self.first].sum())
        if passed_over:
            notes.append(unsuited_note(passed_over))
        if found.oversized:
            notes.append(oversized_note(found.oversized))
        self.scan = scan
        links = self._links(found, equal[SAME])
        unsure = self._unsure(scan, found.group, apart, equal[UNSURE])
        return Deduplication(
            labels=tuple(labels.tolist()),
            links=links,
            unsure=unsure,
            conflicts=tuple(self._ordered(conflict.link.a, conflict.link.b) for conflict in conflicts),
            statistics=Statistics(
                records=self.fields.rows, distinct=len(self.row), blocks=scan.blocked.blocks,
                oversized_blocks=scan.blocked.oversized, left_out=scan.blocked.left_out, compared=scan.compared,
                same=len(scan.same), unsure=len(scan.unsure), held=len(found.held), related=len(scan.related),
                cap=scan.blocked.cap, near=scan.blocked.near,
            ),
            related=tuple(zip(*pairs.tolist(), strict=True)),
            excluded=FrozenMap(dict(sorted(self.excluded.items()))),
            matcher=self.model.name,
            learned=self.learned,
            notes=tuple(notes),
            engine="batch",
        )  # fmt: skip

    def _labels(self, group: Longs, one: Flags) -> Ints:
        """The group of each row, numbered as they come; rows that are equal but not one customer stand alone."""
        rows = np.arange(self.fields.rows)
        own = ~one[self.node] & (self.first[self.node] != rows)
        return compress(np.where(own, len(self.row) + rows, group[self.node]))[1]

    def _ordered(self, a: int, b: int) -> tuple[int, int]:
        first, second = int(self.first[a]), int(self.first[b])
        return (first, second) if first < second else (second, first)

    def _links(self, found: Linked, equal: Longs) -> LazyPairs:
        same, used = self.scan.same, found.used
        return self._pairs(self.first[same.a[used]], self.first[same.b[used]], same.score[used], equal)

    def _pairs(self, a: Longs, b: Longs, score: Longs, equal: Longs) -> LazyPairs:
        """Pairs of rows and those of equal ones, the first with each of the others; the strongest first."""
        rows = np.nonzero(np.isin(self.node, equal) & (self.first[self.node] != np.arange(self.fields.rows)))[
            0
        ]
        twins = self.scan.scorer.score(self.row[self.node[rows]], self.row[self.node[rows]]).score
        first = np.concatenate([np.minimum(a, b), self.first[self.node[rows]]])
        second = np.concatenate([np.maximum(a, b), rows])
        order = np.lexsort((second, first, -np.concatenate([score, twins])))
        return LazyPairs(first[order], second[order], self._match)

    def _match(self, a: int, b: int) -> Match:
        return LearnedMatcher(model=self.model).pair(self.record(a), self.record(b))

    def _unsure(
        self, scan: ArrayScan, group: Longs, apart: Sequence[tuple[int, int]], equal: Longs
    ) -> LazyPairs:
        """The best pair of any two groups that nobody has decided: doubtful, or the same but not joined."""
        a, b = np.concatenate([scan.same.a, scan.unsure.a]), np.concatenate([scan.same.b, scan.unsure.b])
        score = np.concatenate([scan.same.score, scan.unsure.score])
        low, high = np.minimum(group[a], group[b]), np.maximum(group[a], group[b])
        open_ = np.nonzero(low != high)[0]
        pair = low * len(group) + high
        decided = [group[[x, y]] for x, y in apart]
        open_ = open_[~np.isin(pair[open_], [min(p) * len(group) + max(p) for p in decided])]
        rank = scan.rank
        turned = (rank[a] > rank[b]) | ((rank[a] == rank[b]) & (a > b))
        one, other = np.where(turned, b, a)[open_], np.where(turned, a, b)[open_]
        order = open_[np.lexsort((other, rank[other], one, rank[one], -score[open_]))]
        known, which = compress(pair[order])
        best = order[firsts(which, len(known))][:MOST_UNSURE]
        return self._pairs(self.first[a[best]], self.first[b[best]], score[best], equal)


def learned_of(
    found: Encoded, matcher: Matcher, on_progress: Progress | None
) -> tuple[Learned, ArrayCounting | None, Ints]:
    """What a matcher learns of encoded rows, the evidence, and which record of it each row has."""
    mine = [column for column in matcher.columns if column.name in found.columns]
    table, where = table_of(found, mine, None)
    columns = tuple(column.column for column in table.columns if int((column.codes > 0).sum()) > 1)
    if len(columns) < len(mine):
        table, where = table_of(found, columns, None)
    early = certify(None, table.records, columns)
    if early:
        return Learned(model=None, certificates=early, columns=matcher.columns), None, where
    given = np.bincount(where[where >= 0], minlength=table.records)
    evidence = ArrayCounting(table, np.minimum(given, RECORDS), matcher.budget, on_progress)
    kinds = Counter[str]()
    for at, name in enumerate(table.kind_names):
        count = int(given[table.kinds == at].sum())
        if count:
            kinds[name] = count
    training = train(evidence, organizations=2 * kinds["organization"] > kinds.total())
    certificates = certify(training, table.records, columns)
    model = None
    if all(one.passed for one in certificates):
        model = freeze(training, words_of(table.columns), matcher.working_policy, kinds)
    learned = Learned(model=model, certificates=certificates, note=training.note, columns=matcher.columns)
    return learned, evidence, where


@attrs.frozen(kw_only=True)
class Refused(Matcher):
    """A matcher that could learn nothing of the very records that it is given."""

    learned: Learned

    @classmethod
    def of(cls, matcher: Matcher, learned: Learned) -> Refused:
        """The same matcher, which need not try again."""
        return cls(columns=matcher.columns, policy=matcher.policy, budget=matcher.budget, learned=learned)

    def learn(
        self, records: Sequence[Features], *, on_progress: Progress | None = None, counting: Count = Counting
    ) -> Learned:
        return self.learned
