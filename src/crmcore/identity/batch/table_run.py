"""Rows of a table grouped by customer, with arrays from the file to the labels.

Invariant: nothing is made for each row but numbers; what is said of a pair is worked out when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from crmcore.identity.batch.array_counting import ArrayCounting
from crmcore.identity.batch.array_scan import ArrayScan, Nodes
from crmcore.identity.batch.array_scoring import SAME, UNSURE
from crmcore.identity.batch.checkpoint import Key
from crmcore.identity.batch.checkpoint_key import key_of
from crmcore.identity.batch.field_encoding import KINDS, Encoded, encoded
from crmcore.identity.batch.fields import Fields
from crmcore.identity.batch.lazy import LazyPairs
from crmcore.identity.batch.linking import Linked, Said
from crmcore.identity.batch.memory_needs import encoding, finding, grouping, telling
from crmcore.identity.batch.table_learning import Refused, learned_of
from crmcore.identity.batch.tables import equal_rows, table_of
from crmcore.identity.batch.texts import Flags, Ints, Longs, compress, firsts, released, uncollected
from crmcore.identity.batch.work import Work
from crmcore.identity.cluster import Link, agglomerate
from crmcore.identity.deduplication import (
    MOST_UNSURE,
    Deduplication,
    Progress,
    Statistics,
    dedupe,
    excluded_note,
)  # fmt: skip
from crmcore.identity.fallback import seen_by
from crmcore.identity.features import Features, Kind, features_of_row
from crmcore.identity.matcher import Match
from crmcore.identity.model.columns import COLUMNS
from crmcore.identity.model.learning import Learned, Matcher
from crmcore.identity.model.match_model import MatchModel
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.identity.model_scan import oversized_note, unsuited_note
from crmcore.values.frozen_map import FrozenMap


@attrs.frozen(kw_only=True)
class Spoken:
    """What is known beside the rows: pairs that people put *apart* and *together*, and the *sources* of the rows."""

    apart: tuple[tuple[int, int], ...] = ()
    together: tuple[tuple[int, int], ...] = ()
    sources: Sequence[str] | None = None


class TableRun:
    """One deduplication of a table: `begin`, and then `outcome`, or `by_rows` where the reference is needed.

    Between the two *model*, by which the rows are compared, may be put at another threshold.
    """

    def __init__(
        self,
        fields: Fields,
        matcher: Matcher | MatchModel,
        kind: Kind | None,
        excluded: Mapping[int, str],
        said: Spoken,
        further: Sequence[Any] = (),
    ) -> None:
        self.fields, self.matcher, self.excluded, self.said = fields, matcher, excluded, said
        self.kind: Kind | None = kind
        self.further = further
        self.learned: Learned | None = None
        self.used: list[str] = []
        self.work = Work()

    def record(self, position: int) -> Features:
        """The features of one row."""
        record = features_of_row(self.fields.row(position), self.kind)
        return seen_by(self.matcher, record) if isinstance(self.matcher, Matcher) else record

    @uncollected()
    def begin(self, on_progress: Progress | None, work: Work) -> bool:
        """Encode the rows and learn what is to be learned; False where it takes the reference to decide."""
        self.work = work
        work.room.need("reading the values", encoding(self.fields))
        released()
        found = encoded(self.fields, self.kind)
        released()
        if found is None or (
            isinstance(self.matcher, Matcher) and any(c.source for c in self.matcher.columns)
        ):
            return False
        if work.checkpoint is not None:
            work.checkpoint.begin(self._key(found))
        if self.excluded:
            found = found.without(list(self.excluded))
        # A model is shown all that a row holds, a matcher only what it compares.
        seen = None if isinstance(self.matcher, MatchModel) else {c.name for c in self.matcher.columns}
        work.room.need("telling records apart", telling(found))
        self.equal = equal_rows(found, seen)
        self.unsuited = np.zeros(self.fields.rows, dtype=np.bool_)
        self.evidence: ArrayCounting | None = None
        if isinstance(self.matcher, Matcher):
            self.learned, self.evidence, self.where = learned_of(found, self.matcher, on_progress, work)
            if self.learned.model is None or self.evidence is None:
                self.matcher = Refused.of(self.matcher, self.learned)
                return False
            self.model, self.table = self.learned.model, self.evidence.table
            return True
        self.model = self.matcher
        self.used = self._used(found)
        return self._known(found)

    def _used(self, found: Encoded) -> list[str]:
        """The columns in which two different records have a value."""
        used: list[str] = []
        for column in COLUMNS:
            if column.name in found.columns:
                numbers = self.equal[found.columns[column.name].codes > 0]
                if len(numbers) and bool((numbers != numbers[0]).any()):
                    used.append(column.name)
        return used

    def _key(self, found: Encoded) -> Key:
        said = self.said
        return key_of(
            found, self.matcher, self.kind, apart=said.apart, together=said.together, excluded=self.excluded,
            sources=said.sources, further=self.further,
        )  # fmt: skip

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
        values = sum(column.size for column in self.table.columns)
        self.work.room.need("finding pairs", finding(self.table.records, len(columns), values))
        return True

    def by_rows(self, on_progress: Progress | None) -> Deduplication:
        """What the reference comes to, record by record."""
        records = [self.record(position) for position in range(self.fields.rows)]
        self.work.room.check("comparing")
        found = dedupe(
            records, self.matcher, apart=self.said.apart, together=self.said.together, excluded=self.excluded,
            sources=self.said.sources, on_progress=on_progress,
        )  # fmt: skip
        return attrs.evolve(found, notes=(*found.notes, *self.work.notes), resumed=self.work.resumed)

    @uncollected()
    def outcome(self, on_progress: Progress | None) -> Deduplication:
        """Compare, and join what may be joined."""
        apart, together, sources = self.said.apart, self.said.together, self.said.sources
        alone = {position for pair in (*apart, *together) for position in pair} | set(self.excluded)
        self._number(
            np.arange(self.fields.rows) if sources is not None else np.array(sorted(alone), dtype=np.int64)
        )
        scan = ArrayScan(self.model, self.table, self.evidence, Nodes(row=self.row), self.budget, self.work)
        self.work.room.need("grouping", grouping(self.fields.rows, len(scan.blocked.a)))
        scan.compare(on_progress)
        node_said = [
            [(int(self.node[a]), int(self.node[b])) for a, b in pairs] for pairs in (together, apart)
        ]
        people = agglomerate(
            sorted({node for pair in node_said[0] + node_said[1] for node in pair}),
            [Link(a, b, True) for a, b in node_said[0]],
            node_said[1],
        )
        said = Said(
            groups=[group for group in people.groups if len(group) > 1],
            apart=node_said[1],
            sources=None if sources is None else [sources[int(position)] for position in self.first],
        )
        return self._told(scan, scan.group(said), people.conflicts, said)

    @property
    def budget(self) -> int | None:
        return self.matcher.budget if isinstance(self.matcher, Matcher) else None

    def _number(self, alone: Longs) -> None:
        """Let equal rows be one node each, and those that stand *alone* nodes of their own."""
        # By all that they hold, not only by what the model compares.
        rows = np.arange(self.fields.rows)
        known, node = compress(np.where(np.isin(rows, alone), len(rows) + rows, self.equal))
        self.first = firsts(node, len(known))
        # By what they hold, as the reference has them.
        row = self.where[self.first]
        order = np.lexsort((self.first, row))
        place = np.empty(len(order), dtype=np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        self.node, self.first, self.row = place[node], self.first[order], row[order]

    def _told(self, scan: ArrayScan, found: Linked, conflicts: Sequence[Any], said: Said) -> Deduplication:
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
        notes += self.work.notes
        self.scan = scan
        links = self._links(found, equal[SAME])
        unsure = self._unsure(scan, found.group, said.apart, equal[UNSURE])
        return Deduplication(
            labels=tuple(labels.tolist()),
            links=links,
            unsure=unsure,
            conflicts=tuple(self._ordered(conflict.link.a, conflict.link.b) for conflict in conflicts),
            statistics=Statistics(
                records=self.fields.rows, distinct=len(self.row), blocks=scan.blocked.blocks,
                oversized_blocks=scan.blocked.oversized, left_out=scan.blocked.left_out, compared=scan.compared,
                same=len(scan.same), unsure=len(scan.unsure), held=len(found.held), related=len(scan.related),
                cap=scan.blocked.cap, debt=scan.debt(found.group, said), near=scan.blocked.near,
            ),
            related=tuple(zip(*pairs.tolist(), strict=True)),
            excluded=FrozenMap(dict(sorted(self.excluded.items()))),
            matcher=self.model.name,
            learned=self.learned,
            notes=tuple(notes),
            engine="batch",
            resumed=self.work.resumed,
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
