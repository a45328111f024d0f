"""Groups by arrays are those of the reference's average linkage."""

from __future__ import annotations

from itertools import combinations
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity.batch.linking import Said, components, linked
from crmcore.identity.batch.texts import Ints, Longs
from crmcore.identity.model.linkage import VETO, Edge, link
from crmcore.identity.model.policy import UNIT


@given(count=st.integers(1, 12), data=st.data())
def test_components_are_what_edges_connect(count: int, data: st.DataObject) -> None:
    node = st.integers(0, count - 1)
    edges = data.draw(st.lists(st.tuples(node, node)))
    expected = list(range(count))
    for _ in range(count):
        for x, y in edges:
            expected[x] = expected[y] = min(expected[x], expected[y])
    a, b = (np.array([edge[side] for edge in edges], dtype=np.int64) for side in (0, 1))
    assert components(count, a, b).tolist() == expected


@settings(deadline=None, max_examples=400)
@given(
    count=st.integers(2, 9), seed=st.integers(0, 10**6), cap=st.sampled_from([1, 2, 3, 1000]),
    people=st.booleans(), with_sources=st.booleans(), least=st.sampled_from([0, 2 * UNIT, VETO * 2]),
)  # fmt: skip
def test_groups_and_links_are_those_of_the_reference(
    count: int, seed: int, cap: int, people: bool, with_sources: bool, least: int
) -> None:
    chance = Random(seed)
    choices = [VETO, -5 * UNIT, -UNIT, 0, UNIT, 2 * UNIT, 3 * UNIT, 9 * UNIT, -VETO]
    scores = {pair: chance.choice(choices) for pair in combinations(range(count), 2)}
    edges = [
        Edge(a, b, score) for (a, b), score in scores.items() if score >= least and chance.random() < 0.8
    ]
    rank = [chance.randrange(4) for _ in range(count)]
    said = Said()
    if people and count > 4:
        said = Said(groups=[(0, 1, 2)], apart=[(0, count - 1), (3, 4)])
    sources = [chance.choice(["a", "b", ""]) for _ in range(count)] if with_sources else None
    joined = {node for group in said.groups for node in group}
    expected = link(
        [*said.groups, *([node] for node in range(count) if node not in joined)], edges,
        lambda a, b: scores[min(a, b), max(a, b)],
        least=least, cap=cap, apart=said.apart, sources=sources, rank=rank,
    )  # fmt: skip

    def score_of(a: Ints, b: Ints) -> Longs:
        return np.array(
            [scores[min(p), max(p)] for p in zip(a.tolist(), b.tolist(), strict=True)], dtype=np.int64
        )

    a, b = (np.array([getattr(edge, side) for edge in edges], dtype=np.int32) for side in "ab")
    found = linked(
        a, b, np.array([edge.score for edge in edges], dtype=np.int64), np.array(rank, dtype=np.uint64), score_of,
        least=least, cap=cap, said=Said(groups=said.groups, apart=said.apart, sources=sources),
    )  # fmt: skip
    groups: dict[int, list[int]] = {}
    for node, group in enumerate(found.group.tolist()):
        groups.setdefault(group, []).append(node)
    assert sorted(map(tuple, groups.values())) == sorted(expected.groups)
    assert {edges[at] for at in found.used.tolist()} == set(expected.used)
    assert {edges[at] for at in found.held.tolist()} == set(expected.held)
    assert found.oversized == expected.oversized
