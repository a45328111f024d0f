"""Groups from the scores of pairs."""

from __future__ import annotations

from itertools import combinations
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity.model.linkage import VETO, Edge, Linkage, link
from crmcore.identity.model.policy import UNIT

COUNT = 7
PAIRS = list(combinations(range(COUNT), 2))
scores = st.lists(
    st.one_of(st.integers(-20, 20).map(lambda bits: bits * UNIT), st.just(VETO)),
    min_size=len(PAIRS),
    max_size=len(PAIRS),
)
some_pairs = st.lists(st.sampled_from(PAIRS), max_size=4)
SOURCES = ["a", "a", "b", "b", "c", "", ""]


def linked(
    table: dict[tuple[int, int], int],
    edges: list[Edge] | None = None,
    least: int = 0,
    cap: int = 100,
    apart: list[tuple[int, int]] | None = None,
    sources: list[str] | None = None,
) -> Linkage:
    return link(
        [(node,) for node in range(COUNT)],
        [Edge(a, b, score) for (a, b), score in table.items()] if edges is None else edges,
        lambda a, b: table[min(a, b), max(a, b)],
        least=least,
        cap=cap,
        apart=apart or (),
        sources=sources,
    )


@settings(max_examples=200)
@given(
    values=scores,
    apart=some_pairs,
    cap=st.sampled_from([1, 2, 3, 100]),
    least=st.sampled_from([-8, 0, 5, 14]),
    with_sources=st.booleans(),
)
def test_groups_hold_nothing_that_must_not_be_together(
    values: list[int], apart: list[tuple[int, int]], cap: int, least: int, with_sources: bool
) -> None:
    table = dict(zip(PAIRS, values, strict=True))
    found = linked(table, None, least * UNIT, cap, apart, SOURCES if with_sources else None)
    assert sorted(node for group in found.groups for node in group) == list(range(COUNT))
    assert list(found.groups) == sorted(tuple(sorted(group)) for group in found.groups)
    for group in found.groups:
        assert len(group) <= cap
        for pair in combinations(group, 2):
            assert pair not in apart
            assert table[pair] > VETO
        if with_sources:
            known = [SOURCES[node] for node in group if SOURCES[node]]
            assert len(known) == len(set(known))
    assert len(found.used) == COUNT - len(found.groups)
    group_of = {node: at for at, group in enumerate(found.groups) for node in group}
    assert all(group_of[edge.a] == group_of[edge.b] for edge in found.used)
    assert all(group_of[edge.a] != group_of[edge.b] and edge.score >= least * UNIT for edge in found.held)


@settings(max_examples=150)
@given(values=scores, apart=some_pairs, seed=st.integers(0, 99))
def test_the_order_and_direction_of_the_edges_do_not_matter(
    values: list[int], apart: list[tuple[int, int]], seed: int
) -> None:
    table = dict(zip(PAIRS, values, strict=True))
    random = Random(seed)
    edges = [Edge(*((a, b) if random.random() < 0.5 else (b, a)), score) for (a, b), score in table.items()]
    random.shuffle(edges)
    assert linked(table, edges, apart=apart).groups == linked(table, apart=apart).groups


@settings(max_examples=100)
@given(values=scores, shift=st.integers(-15, 15))
def test_only_what_is_above_the_least_score_counts(values: list[int], shift: int) -> None:
    values = [value if value > VETO else 0 for value in values]
    table = dict(zip(PAIRS, values, strict=True))
    moved = {pair: score + shift * UNIT for pair, score in table.items()}
    assert linked(moved, least=shift * UNIT).groups == linked(table).groups


def test_a_high_demand_can_be_met() -> None:
    table = {pair: (30 * UNIT if pair == (0, 1) else -30 * UNIT) for pair in PAIRS}
    assert (0, 1) in linked(table, least=20 * UNIT).groups


def test_a_low_demand_is_not_met_by_everything() -> None:
    table = {pair: (30 * UNIT if pair == (0, 1) else -30 * UNIT) for pair in PAIRS}
    assert len(linked(table, least=-8 * UNIT).groups) == COUNT - 1


def test_one_strong_link_does_not_join_groups_that_do_not_fit() -> None:
    strong = {(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5), (2, 3)}
    table = {pair: (9 * UNIT if pair in strong else -9 * UNIT) for pair in PAIRS}
    table[2, 3] = 8 * UNIT
    found = linked(table)
    assert found.groups == ((0, 1, 2), (3, 4, 5), (6,))
    assert found.held == (Edge(2, 3, 8 * UNIT),)


def test_apart_holds_by_way_of_third_records() -> None:
    table = dict.fromkeys(PAIRS, 9 * UNIT)
    found = linked(table, apart=[(0, 6)])
    assert len(found.groups) == 2


def test_records_of_no_known_source_may_be_one() -> None:
    assert (5, 6) in linked(
        {pair: (9 if pair == (5, 6) else -9) * UNIT for pair in PAIRS}, sources=SOURCES
    ).groups


def test_groups_that_did_not_fit_are_looked_at_again_when_they_have_grown() -> None:
    bits = {(0, 1): 12, (2, 3): 12, (1, 2): 9, (3, 4): 8, (2, 4): 8, (0, 4): 7, (1, 4): 7}
    found = linked({pair: bits.get(pair, -9) * UNIT for pair in PAIRS})
    assert found.groups == ((0, 1, 2, 3, 4), (5,), (6,))
    assert Edge(1, 2, 9 * UNIT) not in found.used


def test_what_a_rule_joins_is_not_outvoted_by_the_rest_of_its_groups() -> None:
    strangers = dict.fromkeys(PAIRS, -10 * UNIT)
    star = [pair for pair in PAIRS if 0 in pair]
    assert linked(strangers | dict.fromkeys(star, -VETO)).groups == (tuple(range(COUNT)),)
    assert len(linked(strangers | dict.fromkeys(star, 12 * UNIT)).groups) > 1
