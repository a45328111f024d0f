"""Many records at once: which of them are the same customer.

Invariant: the groups depend on what the records hold and on what people said about them, never on the order in which
they come. Records without anything to compare stay alone. What people put together or apart outranks every score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs

from crmcore.errors import InvalidJudgement
from crmcore.identity.cluster import Grouping
from crmcore.identity.engine import Engine, chosen, counting_by, scan_by
from crmcore.identity.fallback import FallbackMatcher, seen_by
from crmcore.identity.features import Features
from crmcore.identity.given import given_pairs, given_reasons, given_sources
from crmcore.identity.matcher import Match, PairMatcher
from crmcore.identity.model.learning import Learned, Matcher
from crmcore.identity.model.match_model import MatchModel
from crmcore.identity.model.recall_debt import RecallDebt
from crmcore.identity.model.scoring import LearnedMatcher
from crmcore.identity.model_scan import ModelScan
from crmcore.identity.rule_scan import RuleScan
from crmcore.identity.scan import Scan
from crmcore.values.frozen_map import FrozenMap

Progress = Callable[[int, int], None]
"""Called with the number of records done and of all."""

MOST_UNSURE = 10_000
"""So many doubtful pairs are given, the likeliest: nobody reviews more."""


@attrs.frozen
class MatchedPair:
    """What the matcher says of the records at positions *a* < *b*.

    *support* is how many links stand behind this one. A weak match that was followed has at least 2, so that the same
    groups follow from the links alone, in whatever order.
    """

    a: int
    b: int
    match: Match
    support: int = 1


@attrs.frozen(kw_only=True)
class Statistics:
    """How much work was done. *left_out* counts pairs in oversized blocks that may not have been compared.

    *held* counts the pairs taken for the same that did not join their groups, since something contradicts or one weak
    match is not enough for two groups. *cap* is the size of the largest block that was compared whole, *debt* what the
    larger ones cost, and *near* says whether records met by values one typing error apart too, where a model decided.
    """

    records: int
    distinct: int
    blocks: int
    oversized_blocks: int
    left_out: int
    compared: int
    same: int
    unsure: int
    held: int
    related: int = 0
    cap: int = 0
    debt: RecallDebt | None = None
    near: bool = False


@attrs.frozen(kw_only=True)
class Deduplication:
    """The outcome. *labels* gives each record the number of its group, counted from 0 in order of first appearance.

    *links* are the matches that joined the groups, one less than a group has records, strongest first; what people put
    together is not among them. *unsure* has the best doubtful pair of any two groups, strongest first; of equal
    records that are not enough to be the same, the first stands for all. *related* has pairs of different customers who
    have something in common, such as a household. *conflicts* are pairs that people put together although they kept
    members of their groups apart. *excluded* has the records that were not compared, with the reason. *matcher* names
    what decided; *learned* is what was learned for it, *notes* say what a person should know, *engine* how it was
    worked out, and *resumed* whether it went on from a checkpoint.
    """

    labels: tuple[int, ...]
    links: Sequence[MatchedPair]
    unsure: Sequence[MatchedPair]
    conflicts: tuple[tuple[int, int], ...]
    statistics: Statistics
    related: tuple[tuple[int, int], ...] = ()
    excluded: FrozenMap[int, str] = attrs.field(factory=lambda: FrozenMap[int, str]())
    matcher: str = ""
    learned: Learned | None = None
    notes: tuple[str, ...] = ()
    engine: Engine = attrs.field(default="reference", eq=False)
    resumed: bool = attrs.field(default=False, eq=False)

    @property
    def decided_by(self) -> str:
        """What decided; where rules did although a model was to be learned, also why."""
        refused = self.learned.refusal if self.learned is not None else ""
        return f"{self.matcher}, since {refused}" if refused else self.matcher

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The positions of the records of each group."""
        members: dict[int, list[int]] = {}
        for position, label in enumerate(self.labels):
            members.setdefault(label, []).append(position)
        return tuple(map(tuple, members.values()))


def dedupe(
    features: Sequence[Features],
    matcher: Matcher | MatchModel | PairMatcher | None = None,
    *,
    apart: Iterable[tuple[int, int]] = (),
    together: Iterable[tuple[int, int]] = (),
    excluded: Mapping[int, str] | None = None,
    sources: Sequence[str] | None = None,
    engine: Engine | None = None,
    on_progress: Progress | None = None,
) -> Deduplication:
    """Group the records at positions 0, 1, ... of *features* by customer.

    Without a *matcher*, or with a `Matcher`, a model is learned from the records first; where nothing can be learned,
    rules decide, and `Deduplication.decided_by` says why. *apart* and *together* are pairs of positions that people
    decided. *excluded* are records that must not be linked, with the reason: no matcher sees them, and only what people
    said of them stands. With *sources*, one for each record, no customer has two records of one source; leave it out
    when a source may hold a customer twice, as most do.

    The *engine* is ``"batch"`` where numpy and pyarrow are installed (the extra ``batch``), and the ``"reference"`` in
    plain Python where not; both come to the same groups, scores and models.

    Raises:
        MissingExtra: if the engine that is asked for is not installed.
        InvalidJudgement: if a pair is none, names a position that is not there, or one position twice; if an excluded
            position is not there; or if *sources* do not fit the records, or are given where rules decide.

    >>> from crmcore.identity.features import features_of_row
    >>> rows = [{"full_name": "Ann Lee", "email": "ann@x.org"}, {"full_name": "Bo Hill"}, {"email": "ann@x.org"}]
    >>> found = dedupe([features_of_row(row) for row in rows])
    >>> found.labels, found.decided_by
    ((0, 1, 0), 'rules/1, since learning takes at least 10 different records: given 3')
    """
    apart, together = given_pairs(apart, "apart"), given_pairs(together, "together")
    left_out, sources = given_reasons(excluded), given_sources(sources)
    check(len(features), apart, together, left_out, sources)
    decided = {position for pair in (*apart, *together) for position in pair}
    if sources is not None:
        decided.update(range(len(features)))
    matcher = Matcher() if matcher is None else matcher
    if isinstance(matcher, Matcher) and all(column.source is None for column in matcher.columns):
        # Records that differ only in what must not be used are equal. An expert's column looks where it likes.
        features = [seen_by(matcher, record) for record in features]
    run = _Run(features, decided, left_out, chosen(engine))
    run.begin(matcher, sources, on_progress)
    return run.outcome(apart, together)


def check(
    records: int,
    apart: Iterable[tuple[int, int]],
    together: Iterable[tuple[int, int]],
    excluded: Iterable[int],
    sources: Sequence[str] | None,
) -> None:
    """Refuse what does not fit so many records.

    Raises:
        InvalidJudgement: saying what.
    """
    if sources is not None and len(sources) != records:
        raise InvalidJudgement("each record has one source: give as many sources as records")
    if any(position not in range(records) for position in excluded):
        raise InvalidJudgement("an excluded record is named by its position, from 0: check the positions")
    for a, b in (*apart, *together):
        if a == b or a not in range(records) or b not in range(records):
            raise InvalidJudgement(
                "a decision names two different records by their positions: check the pair"
            )


def excluded_note(count: int) -> str:
    """That so many records were left out on request."""
    if count == 1:
        return "one record was not compared, since it must not be linked"
    return f"{count:,} records were not compared, since they must not be linked"


def regroup(
    features: Sequence[Features],
    matcher: LearnedMatcher,
    pairs: Iterable[tuple[int, int]],
    *,
    apart: Iterable[tuple[int, int]] = (),
    together: Iterable[tuple[int, int]] = (),
    decided: Iterable[int] = (),
) -> Deduplication:
    """Group records of which it is known what *pairs* of positions to compare: a part of what `dedupe` would group.

    *decided* are records of which people said something about others that are not here.

    Where the pairs are those that `dedupe` finds among all records, and the records are all that hang together by them,
    the groups are those of `dedupe`.
    """
    apart, together = tuple(apart), tuple(together)
    run = _Run(
        features,
        {*decided, *(position for pair in (*apart, *together) for position in pair)},
        {},
        "reference",
    )
    node_of = {position: node for node, rows in enumerate(run.rows) for position in rows}
    given = [(node_of[a], node_of[b]) for a, b in pairs]
    run.name = matcher.name
    run.scan = ModelScan(run.nodes, matcher, None, {}, None, given=given)
    run.scan.compare(None)
    return run.outcome(apart, together)


class _Run:
    """One deduplication. A *node* stands for equal records; nodes are numbered in the order of what they hold.

    Records that people spoke of are nodes of their own, since a decision is about a record and not about its like.
    """

    def __init__(
        self, features: Sequence[Features], decided: set[int], excluded: Mapping[int, str], engine: Engine
    ) -> None:
        self.features = features
        self.engine: Engine = engine
        self.excluded = excluded
        self.rows: list[list[int]] = []
        free: list[int] | None = None
        for position in sorted(range(len(features)), key=lambda position: features[position].order):
            alone = position in decided or position in excluded
            # Also where one that stands alone lies between them, equal records are one node.
            if not alone and free is not None and features[position] == features[free[0]]:
                free.append(position)
                continue
            self.rows.append([position])
            free = free if alone else self.rows[-1]
        blank = Features(kind="anonymous")
        self.nodes = [blank if rows[0] in excluded else features[rows[0]] for rows in self.rows]
        self.learned: Learned | None = None
        self.notes: list[str] = []
        self.alike: dict[int, Match] = {}
        self.name = ""
        self.scan: Scan

    def begin(
        self,
        matcher: Matcher | MatchModel | PairMatcher,
        sources: Sequence[str] | None,
        on_progress: Progress | None,
    ) -> None:
        """Learn if that is asked, and compare all candidates."""
        at_node = None if sources is None else [sources[rows[0]] for rows in self.rows]
        budget = matcher.budget if isinstance(matcher, Matcher) else None
        if isinstance(matcher, Matcher):
            allowed = [record for at, record in enumerate(self.features) if at not in self.excluded]
            self.learned = matcher.learn(allowed, on_progress=on_progress, counting=counting_by(self.engine))
            matcher = FallbackMatcher(matcher) if self.learned.model is None else self.learned.matcher
        if isinstance(matcher, MatchModel):
            matcher = LearnedMatcher(model=matcher)
        self.name = matcher.name
        if isinstance(matcher, LearnedMatcher):
            training = self.learned.training if self.learned is not None else None
            row_of = self.learned.row_of if self.learned is not None else {}
            self.scan = scan_by(self.engine)(self.nodes, matcher, training, row_of, at_node, budget)
        else:
            if at_node is not None:
                raise InvalidJudgement(
                    "only a learned model keeps the records of one source apart: leave sources out"
                )
            self.engine = "reference"
            self.scan = RuleScan(self.nodes, matcher)
        self.scan.compare(on_progress)

    def match(self, a: int, b: int) -> Match:
        return self.scan.match(a, b)

    def outcome(self, apart: Sequence[tuple[int, int]], together: Sequence[tuple[int, int]]) -> Deduplication:
        """Join what may be joined, and translate nodes back to positions."""
        node_of = {position: node for node, rows in enumerate(self.rows) for position in rows}
        said_apart = [(node_of[a], node_of[b]) for a, b in apart]
        said_same = [(node_of[a], node_of[b]) for a, b in together]
        grouping = self.scan.group(said_same, said_apart)
        group_of = {node: number for number, group in enumerate(grouping.groups) for node in group}
        if self.excluded:
            self.notes.append(excluded_note(len(self.excluded)))
        return Deduplication(
            labels=self._labels(node_of, group_of),
            links=self._links(grouping),
            unsure=self._unsure(group_of, said_apart),
            conflicts=tuple(
                _ordered(self.rows[conflict.link.a][0], self.rows[conflict.link.b][0])
                for conflict in grouping.conflicts
            ),
            statistics=self._statistics(grouping),
            related=tuple(
                sorted(
                    _ordered(self.rows[a][0], self.rows[b][0])
                    for a, b in self.scan.related
                    if group_of[a] != group_of[b]
                )
            ),
            excluded=FrozenMap(dict(sorted(self.excluded.items()))),
            matcher=self.name,
            learned=None if self.learned is None else attrs.evolve(self.learned, training=None, row_of={}),
            notes=(*self.notes, *self.scan.notes),
            engine=self.engine,
        )

    def _alike(self, node: int) -> Match | None:
        """What the matcher says of the equal records of a node; None for a node of one."""
        if len(self.rows[node]) < 2:
            return None
        return self.alike.get(node) or self.alike.setdefault(node, self.match(node, node))

    def _labels(self, node_of: dict[int, int], group_of: dict[int, int]) -> tuple[int, ...]:
        same = [
            alike is None or alike.verdict == "same" for alike in map(self._alike, range(len(self.nodes)))
        ]
        numbers: dict[tuple[int, int], int] = {}
        labels: list[int] = []
        for position in range(len(self.features)):
            node = node_of[position]
            own = -1 if same[node] or position == self.rows[node][0] else position
            labels.append(numbers.setdefault((group_of[node], own), len(numbers)))
        return tuple(labels)

    def _links(self, grouping: Grouping[int]) -> tuple[MatchedPair, ...]:
        used = [link for link in grouping.used if not link.human]
        found = [self._pair(link.a, link.b, max(link.support, 2 if link.weak else 1)) for link in used]
        found.extend(self._equals("same"))
        return tuple(sorted(found, key=_strongest_first))

    def _equals(self, verdict: str) -> list[MatchedPair]:
        """The first of equal records with each of the others, where the matcher says *verdict* of them."""
        found: list[MatchedPair] = []
        for node, rows in enumerate(self.rows):
            alike = self._alike(node)
            if alike is not None and alike.verdict == verdict:
                found.extend(MatchedPair(rows[0], row, alike) for row in rows[1:])
        return found

    def _unsure(self, group_of: dict[int, int], said_apart: list[tuple[int, int]]) -> tuple[MatchedPair, ...]:
        """The best pair of any two groups that nobody has decided: doubtful, or the same but not joined."""
        seen = {_ordered(group_of[a], group_of[b]) for a, b in said_apart}
        doubtful = [*((a, b, score) for a, b, score, _ in self.scan.same), *self.scan.unsure]
        found: list[MatchedPair] = []
        rank = self.scan.rank
        for a, b, _ in sorted(
            doubtful, key=lambda pair: (-pair[2], *sorted((rank[node], node) for node in pair[:2]))
        ):
            groups = _ordered(group_of[a], group_of[b])
            if groups[0] != groups[1] and groups not in seen:
                seen.add(groups)
                found.append(self._pair(a, b))
                if len(found) == MOST_UNSURE:
                    break
        found.extend(self._equals("unsure"))
        return tuple(sorted(found, key=_strongest_first))

    def _pair(self, a: int, b: int, support: int = 1) -> MatchedPair:
        first, second = self.rows[a][0], self.rows[b][0]
        match = self.match(a, b) if first < second else self.match(b, a)
        return MatchedPair(*_ordered(first, second), match, support)

    def _statistics(self, grouping: Grouping[int]) -> Statistics:
        blocks, oversized, left_out = self.scan.blocking
        return Statistics(
            records=len(self.features),
            distinct=len(self.nodes),
            blocks=blocks,
            oversized_blocks=oversized,
            left_out=left_out,
            compared=self.scan.compared,
            same=len(self.scan.same),
            unsure=len(self.scan.unsure),
            held=len(grouping.held),
            related=len(self.scan.related),
            cap=self.scan.cap,
            debt=self.scan.debt,
            near=self.scan.near,
        )


def _ordered(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a < b else (b, a)


def _strongest_first(pair: MatchedPair) -> tuple[int, int, int]:
    return -pair.match.score, pair.a, pair.b
