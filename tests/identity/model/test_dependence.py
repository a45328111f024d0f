"""Columns that agree together by accident."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crmcore.identity.features import Features
from crmcore.identity.model.dependence import Dependence, _tree, dependences
from crmcore.identity.model.encoding import encode
from tests.identity.model.recorded import columns
from tests.identity.rows import row

TWO = columns("occupation", "city")
TOWNS = ("york", "kiel", "vigo", "brno", "nuuk", "lyon", "bonn", "oslo", "riga", "pisa")
JOBS = ("baker", "miller", "smith", "nurse", "judge", "pilot", "cook", "clerk", "tailor", "priest")


def found(records: list[Features]) -> tuple[Dependence, ...]:
    return dependences(encode(records, TWO), [0.9] * len(TWO), 0.0, [1.0] * len(records))


def test_columns_that_say_the_same_depend_on_each_other() -> None:
    (one,) = found([row(occupation=JOBS[n % 10], city=TOWNS[n % 10]) for n in range(300)])
    assert (one.a, one.b) == (0, 1)
    # Ten values of equal shares: together they agree ten times as often as two independent columns.
    assert 3.2 < one.bits < 3.4


def test_columns_that_have_nothing_to_do_with_each_other_do_not() -> None:
    assert found([row(occupation=JOBS[n % 10], city=TOWNS[n // 10 % 10]) for n in range(300)]) == ()


def test_a_few_customers_say_nothing() -> None:
    assert found([row(occupation=JOBS[n % 10], city=TOWNS[n % 10]) for n in range(40)]) == ()


def test_a_customer_recorded_often_makes_no_dependence() -> None:
    records = [row(occupation=JOBS[n % 10], city=TOWNS[n // 10 % 10]) for n in range(100)]
    often = [row(occupation="tinker", city="ulm")] * 200
    weights = [1.0] * 100 + [1 / 200] * 200
    table = encode([*records, *often], TWO)
    assert dependences(table, [0.9, 0.9], 0.0, weights) == ()
    assert dependences(table, [0.9, 0.9], 0.0, [1.0] * 300) != ()


weighted = st.tuples(st.floats(-9, 0), st.integers(0, 5), st.integers(0, 5), st.floats(0.3, 12)).filter(
    lambda one: one[1] < one[2]
)


@given(edges=st.lists(weighted, max_size=15, unique_by=lambda one: one[1:3]))
def test_dependences_make_a_tree(edges: list[tuple[float, int, int, float]]) -> None:
    kept = _tree(sorted(edges), 6)
    group = list(range(6))
    for one in kept:
        assert group[one.a] != group[one.b], "a circle"
        group = [group[one.a] if of == group[one.b] else of for of in group]
    for _, a, b, _ in edges:
        assert group[a] == group[b], "something was left out that makes no circle"
    if edges:
        strongest = min(edges)
        assert (strongest[1], strongest[2]) in {(one.a, one.b) for one in kept}
