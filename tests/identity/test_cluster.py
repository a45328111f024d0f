"""Laws of agglomeration, checked against an oracle that searches instead of keeping books."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from random import Random

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidJudgement
from crmcore.identity.cluster import Conflict, Grouping, Held, Link, agglomerate

NODES = range(8)
PAIRS = list(combinations(NODES, 2))

pairs = st.sampled_from(PAIRS)
turned = st.builds(lambda pair, turn: pair[::-1] if turn else pair, pairs, st.booleans())
links = st.builds(
    lambda pair, human, score, weak, support: Link(pair[0], pair[1], human, score, weak, support),
    turned,
    st.sampled_from((False,) * 8 + (True,)),
    st.integers(0, 3),
    st.sampled_from((True, True, False)),
    st.sampled_from((1, 1, 1, 1, 2)),
)
link_sets = st.lists(links, min_size=3, max_size=24)
apart_sets = st.lists(turned, max_size=4)
caps = st.sampled_from((None, None, 2, 3, 5))


def _strength(link: Link[int]) -> tuple[bool, bool, int, tuple[int, ...], int]:
    return (not link.human, link.weak, -link.score, tuple(sorted((link.a, link.b))), -link.support)


class _Search:
    """The same promise by brute force: with every link, look again at all links so far, the new one first."""

    def __init__(self, nodes: Iterable[int], apart: list[tuple[int, int]], cap: int | None) -> None:
        self.groups = [{node} for node in nodes]
        self.apart = sorted(tuple(sorted(pair)) for pair in apart)
        self.cap = cap

    def home(self, node: int) -> set[int]:
        return next(group for group in self.groups if node in group)

    def both(self, link: Link[int]) -> set[int]:
        return self.home(link.a) | self.home(link.b)

    def barred(self, link: Link[int]) -> tuple[int, int] | None:
        return next(((a, b) for a, b in self.apart if {a, b} <= self.both(link)), None)

    def support(self, link: Link[int], seen: list[Link[int]]) -> int:
        one, other = self.home(link.a), self.home(link.b)
        if one is other or self.barred(link):
            return 0
        if link.human:
            return link.support
        if self.cap is not None and len(one | other) > self.cap:
            return 0
        if not link.weak or link.support > 1 or len(one) == 1 or len(other) == 1:
            return link.support
        between = [x for x in seen if {x.a, x.b} & one and {x.a, x.b} & other]
        return 2 if len(between) > 1 else 0

    def why(self, link: Link[int]) -> Held[int]:
        pair = self.barred(link)
        full = self.cap is not None and len(self.both(link)) > self.cap
        return Held(link, "apart" if pair else "cap" if full else "weak_bridge", pair)

    def run(self, given_links: Iterable[Link[int]]) -> Grouping[int]:
        seen: list[Link[int]] = []
        used: list[Link[int]] = []
        conflicts: list[Conflict[int]] = []
        for link in sorted(given_links, key=_strength):
            low, high = sorted((link.a, link.b))
            if any((x.a, x.b) == (low, high) for x in seen):
                continue
            seen.append(Link(low, high, link.human, link.score, link.weak, link.support))
            pair = self.barred(seen[-1])
            if pair and link.human:
                conflicts.append(Conflict(seen[-1], pair))
            while found := next((x for x in (seen[-1], *seen) if self.support(x, seen)), None):
                used.append(attrs.evolve(found, support=self.support(found, seen)))
                one, other = self.home(found.a), self.home(found.b)
                self.groups.remove(other)
                one |= other
        apart = [x for x in seen if self.home(x.a) is not self.home(x.b) and not x.human]
        return Grouping(
            groups=tuple(sorted(tuple(sorted(group)) for group in self.groups)),
            used=tuple(used),
            conflicts=tuple(conflicts),
            held=tuple(self.why(link) for link in apart),
        )


@settings(max_examples=300, deadline=None)
@given(link_sets, apart_sets, caps)
def test_agglomeration_is_what_an_exhaustive_search_finds(
    given_links: list[Link[int]], apart: list[tuple[int, int]], cap: int | None
) -> None:
    assert agglomerate(NODES, given_links, apart, cap=cap) == _Search(NODES, apart, cap).run(given_links)


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 2**32))
def test_groups_that_many_weak_links_join_are_what_an_exhaustive_search_finds(seed: int) -> None:
    """Couples that people joined, and weak links between them that wait for and wake each other."""
    random = Random(seed)  # evenly spread cases find more here than Hypothesis's small ones
    couples = random.randint(3, 7)
    nodes = range(2 * couples)
    given_links = [Link(2 * couple, 2 * couple + 1, human=True) for couple in range(couples)]
    pairs_of_couples = list(combinations(range(couples), 2))
    for one, other in random.sample(pairs_of_couples, random.randint(2, len(pairs_of_couples))):
        ends = (2 * one + random.randrange(2), 2 * other + random.randrange(2))
        given_links.append(Link(*ends, score=random.randrange(50), weak=True))
    for _ in range(random.randint(1, 3)):
        low, high = random.sample(nodes, 2)
        given_links.append(Link(low, high, score=random.randrange(5), weak=random.random() < 0.6))
    apart = [(random.choice(nodes[:2]), random.choice(nodes[2:])) for _ in range(random.randint(0, 1))]
    cap = random.choice((None, None, 5, 7))
    assert agglomerate(nodes, given_links, apart, cap=cap) == _Search(nodes, apart, cap).run(given_links)


@settings(max_examples=150, deadline=None)
@given(link_sets, apart_sets, caps)
def test_the_used_links_alone_give_the_same_groups(
    given_links: list[Link[int]], apart: list[tuple[int, int]], cap: int | None
) -> None:
    found = agglomerate(NODES, given_links, apart, cap=cap)
    assert agglomerate(NODES, found.used, apart, cap=cap).groups == found.groups


@settings(max_examples=150, deadline=None)
@given(link_sets, apart_sets, caps, st.randoms(use_true_random=False))
def test_order_direction_and_repetition_say_nothing(
    given_links: list[Link[int]], apart: list[tuple[int, int]], cap: int | None, random: Random
) -> None:
    again = [attrs.evolve(link, a=link.b, b=link.a) for link in given_links] + given_links
    random.shuffle(again)
    shuffled = [pair[::-1] for pair in reversed(apart)] + apart
    assert agglomerate(reversed(NODES), again, shuffled, cap=cap) == agglomerate(
        NODES, given_links, apart, cap=cap
    )


@settings(max_examples=150, deadline=None)
@given(link_sets, apart_sets, caps)
def test_a_group_never_holds_an_apart_pair_and_every_node_is_in_one_group(
    given_links: list[Link[int]], apart: list[tuple[int, int]], cap: int | None
) -> None:
    found = agglomerate(NODES, given_links, apart, cap=cap)
    assert sorted(node for group in found.groups for node in group) == list(NODES)
    assert not any(set(pair) <= set(group) for pair in apart for group in found.groups)
    assert len(found.used) == len(NODES) - len(found.groups)


@settings(max_examples=150, deadline=None)
@given(link_sets, apart_sets, link_sets, apart_sets, caps)
def test_unconnected_nodes_do_not_influence_each_other(
    links_one: list[Link[int]],
    apart_one: list[tuple[int, int]],
    links_two: list[Link[int]],
    apart_two: list[tuple[int, int]],
    cap: int | None,
) -> None:
    moved = [attrs.evolve(link, a=link.a + 10, b=link.b + 10) for link in links_two]
    moved_apart = [(a + 10, b + 10) for a, b in apart_two]
    far = [node + 10 for node in NODES]
    alone = agglomerate(NODES, links_one, apart_one, cap=cap).groups
    other = agglomerate(far, moved, moved_apart, cap=cap).groups
    both = agglomerate([*NODES, *far], links_one + moved, apart_one + moved_apart, cap=cap).groups
    assert both == alone + other


@settings(max_examples=150, deadline=None)
@given(link_sets, apart_sets)
def test_two_groups_of_records_are_never_joined_by_a_single_weak_link(
    given_links: list[Link[int]], apart: list[tuple[int, int]]
) -> None:
    given_links = [attrs.evolve(link, support=1) for link in given_links]
    weak = {tuple(sorted((x.a, x.b))) for x in given_links if x.weak and not x.human}
    strong = [x for x in given_links if x.human or not x.weak]
    cores = [set(group) for group in agglomerate(NODES, strong, apart).groups if len(group) > 1]
    for group in map(set, agglomerate(NODES, given_links, apart).groups):
        inside = [core for core in cores if core <= group]
        if len(inside) == 2 and inside[0] | inside[1] == group:
            assert sum(1 for a, b in weak if (a in inside[0]) != (b in inside[0]) and {a, b} <= group) >= 2


def test_a_person_outranks_the_model() -> None:
    found = agglomerate("abc", [Link("a", "b", human=True), Link("b", "c", score=99)], [("a", "c")])
    assert found.groups == (("a", "b"), ("c",))
    assert found.held == (Held(Link("b", "c", score=99), "apart", ("a", "c")),)


def test_a_contradiction_of_people_is_a_named_conflict() -> None:
    found = agglomerate("abc", [Link("a", "b", human=True), Link("c", "b", human=True)], [("c", "a")])
    assert found.groups == (("a", "b"), ("c",))
    assert found.conflicts == (Conflict(Link("b", "c", human=True), ("a", "c")),)
    assert found.held == ()


def test_a_waiting_weak_link_is_followed_when_groups_grow_together() -> None:
    strong = [Link(1, 2, score=9), Link(3, 4, score=9), Link(5, 6, score=9)]
    waiting = [Link(1, 3, score=5, weak=True), Link(2, 5, score=4, weak=True)]
    assert agglomerate(range(1, 7), strong + waiting, []).groups == ((1, 2), (3, 4), (5, 6))
    grown = [*strong, *waiting, Link(3, 5, score=3, weak=True), Link(4, 6, score=2, weak=True)]
    found = agglomerate(range(1, 7), grown, [])
    assert found.groups == ((1, 2, 3, 4, 5, 6),)
    assert [(link.a, link.b) for link in found.used] == [(1, 2), (3, 4), (5, 6), (4, 6), (1, 3)]


def test_people_may_exceed_the_cap_and_models_may_not() -> None:
    chain = [Link(node, node + 1, human=True) for node in range(3)]
    found = agglomerate(range(5), [*chain, Link(3, 4, score=7)], [], cap=3)
    assert found.groups == ((0, 1, 2, 3), (4,))
    assert found.held == (Held(Link(3, 4, score=7), "cap"),)


@pytest.mark.parametrize("pair", [(1, 1), (1, 9)])
def test_a_pair_must_name_two_of_the_nodes(pair: tuple[int, int]) -> None:
    with pytest.raises(InvalidJudgement):
        agglomerate(range(3), [Link(*pair)], [])
    with pytest.raises(InvalidJudgement):
        agglomerate(range(3), [], [pair])
