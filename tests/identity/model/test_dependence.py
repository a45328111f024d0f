"""Columns that agree together by accident."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from crmcore.identity.features import Features
from crmcore.identity.model.counting import Counting
from crmcore.identity.model.dependence import Dependence, _tree, dependences
from crmcore.identity.model.encoding import encode
from crmcore.identity.model.evidence import PART, Agreements
from tests.identity.model.recorded import columns
from tests.identity.rows import row

TWO = columns("occupation", "city")
TOWNS = ("york", "kiel", "vigo", "brno", "nuuk", "lyon", "bonn", "oslo", "riga", "pisa")
JOBS = ("baker", "miller", "smith", "nurse", "judge", "pilot", "cook", "clerk", "tailor", "priest")


def agreements(pairs: Sequence[tuple[str, str]], parts: Sequence[int]) -> Agreements:
    """Counted one by one."""

    def agreeing(values: Iterable[object]) -> int:
        counts: Counter[object] = Counter()
        for value, part in zip(values, parts, strict=True):
            counts[value] += part
        return sum(count * max(count - PART, 0) for count in counts.values())

    return Agreements(
        count=sum(parts),
        one=agreeing(job for job, _ in pairs),
        other=agreeing(town for _, town in pairs),
        both=agreeing(pairs),
    )


def found(pairs: Sequence[tuple[str, str]], parts: Sequence[int] | None = None) -> tuple[Dependence, ...]:
    return dependences({(0, 1): agreements(pairs, parts or [PART] * len(pairs))}, [0.9, 0.9], 0.0)


def people(pairs: Iterable[tuple[str, str]]) -> list[Features]:
    return [row(occupation=job, city=town) for job, town in pairs]


def test_columns_that_say_the_same_depend_on_each_other() -> None:
    (one,) = found([(JOBS[n % 10], TOWNS[n % 10]) for n in range(300)])
    assert (one.a, one.b) == (0, 1)
    # Ten values of equal shares: together they agree ten times as often as two independent columns.
    assert 3.2 < one.bits < 3.4


def test_columns_that_have_nothing_to_do_with_each_other_do_not() -> None:
    assert found([(JOBS[n % 10], TOWNS[n // 10 % 10]) for n in range(300)]) == ()


def test_a_few_customers_say_nothing() -> None:
    assert found([(JOBS[n % 10], TOWNS[n % 10]) for n in range(40)]) == ()


def test_a_customer_recorded_often_makes_no_dependence() -> None:
    pairs = [(JOBS[n % 10], TOWNS[n // 10 % 10]) for n in range(100)]
    often = [("tinker", "ulm")] * 200
    assert found([*pairs, *often], [PART] * 100 + [PART // 200] * 200) == ()
    assert found([*pairs, *often]) != ()


@given(
    pairs=st.lists(st.tuples(st.sampled_from(JOBS[:3]), st.sampled_from(TOWNS[:3])), min_size=2, max_size=30)
)
def test_agreements_are_counted_over_the_different_records(pairs: list[tuple[str, str]]) -> None:
    table, _ = encode(people(pairs), TWO).distinct()
    # The columns stand in the order of crmcore's own.
    (counted,) = Counting(table, [1] * len(table.rows), None, None).agreements().values()
    distinct = sorted(set(pairs))
    names = [column.name for column in table.columns]
    flipped = distinct if names[0] == "occupation" else [(town, job) for job, town in distinct]
    assert counted == agreements(flipped, [PART] * len(distinct))


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
