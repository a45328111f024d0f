"""Many records at once: which of them are the same customer.

Invariant: the groups depend on what the records hold and on what people said about them, never on the order in which
they come. Records without anything to compare stay alone. What people put together or apart outranks every score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import attrs

from crmcore.errors import InvalidJudgement
from crmcore.identity.blocking import Blocks
from crmcore.identity.cluster import Grouping, Link, agglomerate
from crmcore.identity.customer import CAP
from crmcore.identity.features import Features
from crmcore.identity.matcher import Match, PairMatcher
from crmcore.identity.population import Population

Progress = Callable[[int, int], None]
"""Called with the number of records done and of all."""

_STEP = 256


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
    match is not enough for two groups.
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


@attrs.frozen(kw_only=True)
class Deduplication:
    """The outcome. *labels* gives each record the number of its group, counted from 0 in order of first appearance.

    *links* are the matches that joined the groups, one less than a group has records, strongest first; what people put
    together is not among them. *unsure* has the best doubtful pair of any two groups, strongest first; of equal
    records that are not enough to be the same, the first stands for all. *conflicts* are pairs that people put
    together although they kept members of their groups apart.
    """

    labels: tuple[int, ...]
    links: tuple[MatchedPair, ...]
    unsure: tuple[MatchedPair, ...]
    conflicts: tuple[tuple[int, int], ...]
    statistics: Statistics

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The positions of the records of each group."""
        members: dict[int, list[int]] = {}
        for position, label in enumerate(self.labels):
            members.setdefault(label, []).append(position)
        return tuple(map(tuple, members.values()))


def dedupe(
    features: Sequence[Features],
    matcher: PairMatcher,
    *,
    apart: Iterable[tuple[int, int]] = (),
    together: Iterable[tuple[int, int]] = (),
    on_progress: Progress | None = None,
) -> Deduplication:
    """Group the records at positions 0, 1, ... of *features* by customer.

    *apart* and *together* are pairs of positions that people decided. Equal records are compared with others once.

    Raises:
        InvalidJudgement: if a pair names a position that is not there, or one position twice.

    >>> from crmcore.identity.features import features_of_row
    >>> from crmcore.identity.rules import RuleMatcher
    >>> rows = [{"full_name": "Ann Lee", "email": "ann@x.org"}, {"full_name": "Bo Hill"}, {"email": "ann@x.org"}]
    >>> dedupe([features_of_row(row) for row in rows], RuleMatcher()).labels
    (0, 1, 0)
    """
    apart, together = tuple(apart), tuple(together)
    run = _Run(features, matcher, {position for pair in (*apart, *together) for position in pair})
    run.compare(on_progress)
    return run.outcome(apart, together)


class _Run:
    """One deduplication. A *node* stands for equal records; nodes are numbered in the order of what they hold.

    Records that people spoke of are nodes of their own, since a decision is about a record and not about its like.
    """

    def __init__(self, features: Sequence[Features], matcher: PairMatcher, decided: set[int]) -> None:
        self.features = features
        self.matcher = matcher
        self.population = Population.of(features)
        self.rows: list[list[int]] = []
        for position in sorted(range(len(features)), key=lambda position: features[position].order):
            if self._continues(position, decided):
                self.rows[-1].append(position)
            else:
                self.rows.append([position])
        self.nodes = [features[rows[0]] for rows in self.rows]
        self.blocks = Blocks.of(self.nodes, matcher)
        self.same: list[tuple[int, int, int, bool]] = []
        self.unsure: list[tuple[int, int, int]] = []
        self.contradicted: list[tuple[int, int]] = []
        self.compared = 0

    def _continues(self, position: int, decided: set[int]) -> bool:
        """Whether the record at *position* is equal to those of the last node, and may stand with them."""
        if not self.rows or position in decided or self.rows[-1][0] in decided:
            return False
        return self.features[position] == self.features[self.rows[-1][0]]

    def match(self, a: int, b: int) -> Match:
        return self.matcher.compare(self.nodes[a], self.nodes[b], self.population)

    def compare(self, on_progress: Progress | None) -> None:
        """Compare all candidates; of each pair only numbers are kept."""
        for a, one in enumerate(self.nodes):
            for b in self.blocks.partners(a):
                self.compared += 1
                match = self.matcher.compare(one, self.nodes[b], self.population)
                if (
                    match.contradicted and match.score >= 0
                ):  # below, nothing could bring the two together anyway
                    self.contradicted.append((a, b))
                if match.verdict == "same":
                    self.same.append((a, b, match.score, match.weak))
                elif match.verdict == "unsure":
                    self.unsure.append((a, b, match.score))
            if on_progress is not None and (a + 1) % _STEP == 0:
                on_progress(a + 1, len(self.nodes))
        if on_progress is not None:
            on_progress(len(self.nodes), len(self.nodes))

    def outcome(self, apart: Sequence[tuple[int, int]], together: Sequence[tuple[int, int]]) -> Deduplication:
        """Join what may be joined, and translate nodes back to positions."""
        node_of = {position: node for node, rows in enumerate(self.rows) for position in rows}
        said_apart = [_known_pair(pair, node_of) for pair in apart]
        said_same = [_known_pair(pair, node_of) for pair in together]
        links = [Link(a, b, False, score, weak) for a, b, score, weak in self.same]
        links.extend(Link(a, b, True) for a, b in said_same)
        barred = _unsaid(self.contradicted, said_same, len(self.nodes))
        grouping = agglomerate(range(len(self.nodes)), links, [*said_apart, *barred], cap=CAP)
        group_of = {node: number for number, group in enumerate(grouping.groups) for node in group}
        return Deduplication(
            labels=self._labels(node_of, group_of),
            links=self._links(grouping),
            unsure=self._unsure(group_of, said_apart),
            conflicts=tuple(
                _ordered(self.rows[conflict.link.a][0], self.rows[conflict.link.b][0])
                for conflict in grouping.conflicts
            ),
            statistics=self._statistics(grouping),
        )

    def _alike(self, node: int) -> Match | None:
        """What the matcher says of the equal records of a node; None for a node of one."""
        return self.match(node, node) if len(self.rows[node]) > 1 else None

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
        doubtful = [*((a, b, score) for a, b, score, _ in self.same), *self.unsure]
        found: list[MatchedPair] = []
        for a, b, _ in sorted(doubtful, key=lambda pair: (-pair[2], pair[0], pair[1])):
            groups = _ordered(group_of[a], group_of[b])
            if groups[0] != groups[1] and groups not in seen:
                seen.add(groups)
                found.append(self._pair(a, b))
        found.extend(self._equals("unsure"))
        return tuple(sorted(found, key=_strongest_first))

    def _pair(self, a: int, b: int, support: int = 1) -> MatchedPair:
        first, second = self.rows[a][0], self.rows[b][0]
        match = self.match(a, b) if first < second else self.match(b, a)
        return MatchedPair(*_ordered(first, second), match, support)

    def _statistics(self, grouping: Grouping[int]) -> Statistics:
        return Statistics(
            records=len(self.features),
            distinct=len(self.nodes),
            blocks=self.blocks.count,
            oversized_blocks=self.blocks.oversized,
            left_out=self.blocks.left_out,
            compared=self.compared,
            same=len(self.same),
            unsure=len(self.unsure),
            held=len(grouping.held),
        )


def _ordered(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a < b else (b, a)


def _strongest_first(pair: MatchedPair) -> tuple[int, int, int]:
    return -pair.match.score, pair.a, pair.b


def _known_pair(pair: tuple[int, int], node_of: dict[int, int]) -> tuple[int, int]:
    a, b = pair
    if a == b or a not in node_of or b not in node_of:
        raise InvalidJudgement("a decision names two different records by their positions: check the pair")
    return node_of[a], node_of[b]


def _unsaid(
    contradicted: list[tuple[int, int]], said_same: list[tuple[int, int]], nodes: int
) -> list[tuple[int, int]]:
    """The contradictions that nobody has overruled by saying, perhaps by way of others, that the two are the same."""
    if not said_same:
        return contradicted
    groups = agglomerate(range(nodes), [Link(a, b, True) for a, b in said_same], ()).groups
    overruled = {node: number for number, group in enumerate(groups) if len(group) > 1 for node in group}
    return [(a, b) for a, b in contradicted if overruled.get(a, -1) != overruled.get(b, -2)]
