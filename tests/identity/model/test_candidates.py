"""Pairs worth comparing, beside a search of all pairs."""

from __future__ import annotations

import time
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity.features import Features
from crmcore.identity.model.candidates import Candidates, neighbours, pair_budget
from crmcore.identity.model.encoding import Table, encode
from crmcore.identity.name_levels import edits
from tests.identity.model.recorded import people
from tests.identity.rows import row

POOL = [
    *people(14),
    row(full_name="Anna Keller", city="York"),
    row(full_name="Anna Kelller", city="Kiel"),
    row(full_name="Keller Anna"),
    row(org_name="Keller Works", street="5 Oak St"),
    row(email="anna.keller@x.org"),
    row(email="anna.keler@x.org"),
    row(),
]
HUGE = 10**9


def keys_of(table: Table) -> list[set[tuple[str, bool]]]:
    """The keys of each record, and whether they have neighbours, worked out from the values one by one."""
    return [
        {
            (key, column.neighbours)
            for column, values, code in zip(table.columns, table.values, coded, strict=True)
            if code
            for key in column.keys(values[code])
        }
        for coded in table.rows
    ]


def brute(table: Table) -> set[tuple[int, int]]:
    """The pairs that share a key or have neighbouring ones, found by looking at all."""
    keys = keys_of(table)

    def meet(one: tuple[str, bool], other: tuple[str, bool]) -> bool:
        if one[0] == other[0]:
            return True
        x, y = one[0], other[0]
        near = one[1] and other[1] and x[:2] == y[:2] and min(len(x), len(y)) >= 6
        return near and edits(x, y, 1) <= 1

    return {
        (a, b)
        for a, b in combinations(range(len(keys)), 2)
        if any(meet(one, other) for one in keys[a] for other in keys[b])
    }


def pairs(candidates: Candidates, count: int) -> set[tuple[int, int]]:
    found = [(a, b) for a in range(count) for b in candidates.partners(a)]
    assert len(found) == len(set(found))
    assert all(a < b for a, b in found)
    return set(found)


samples = st.lists(st.sampled_from(POOL), max_size=16, unique=True)


@settings(max_examples=80, deadline=None)
@given(records=samples)
def test_with_room_enough_all_pairs_come_that_share_a_value_or_nearly(records: list[Features]) -> None:
    table = encode(records)
    assert pairs(Candidates(table, HUGE), len(records)) == brute(table)


@settings(max_examples=80, deadline=None)
@given(records=samples, budget=st.integers(0, 40))
def test_with_little_room_some_of_them_come(records: list[Features], budget: int) -> None:
    table = encode(records)
    assert pairs(Candidates(table, budget), len(records)) <= brute(table)


@settings(max_examples=50, deadline=None)
@given(records=samples, budget=st.sampled_from([5, 20, HUGE]), data=st.data())
def test_the_order_of_the_records_does_not_matter(
    records: list[Features], budget: int, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(records))))
    before = pairs(Candidates(encode(records), budget), len(records))
    after = pairs(Candidates(encode([records[at] for at in order]), budget), len(records))
    assert {frozenset((order[a], order[b])) for a, b in after} == {frozenset(pair) for pair in before}


def test_what_may_be_left_out_of_those_who_share_two_values_is_counted() -> None:
    crowd = [row(email="info@x.org", phone="+442079460018", given_name=f"g{n:03}") for n in range(60)]
    table = encode(crowd)
    found = Candidates(table, 10)
    missing = brute(table) - pairs(found, len(crowd))
    assert len(missing) > 1000
    assert found.left_out >= len(missing)
    assert found.oversized >= 2


def test_nothing_is_left_out_when_there_is_room() -> None:
    found = Candidates(encode(POOL), HUGE)
    assert (found.left_out, found.oversized) == (0, 0)


def test_twenty_thousand_records_with_one_value_end_in_time() -> None:
    begin = time.process_time()
    records = [
        row(given_name=f"g{n:05}", family_name=f"f{n * 7919 % 20011:05}", city="York") for n in range(20_000)
    ]
    table = encode(records)
    found = Candidates(table)
    # Pairs by one value are within the budget; those by two values, here two numbers in a row, come beside.
    assert sum(len(found.partners(at)) for at in range(len(records))) < 2 * pair_budget(len(records))
    assert time.process_time() - begin < 60


def test_neighbours_are_one_error_apart_and_of_one_kind() -> None:
    keys = ["n:smith", "n:smyth", "n:smiht", "n:jones", "p:smith", "n:smithe", "n:abc", "n:abd", "n:msith"]
    assert neighbours(keys) == sorted(
        (a, b) if keys.index(a) < keys.index(b) else (b, a)
        for a, b in combinations(keys, 2)
        if a[:2] == b[:2] and min(len(a), len(b)) >= 6 and edits(a, b, 1) <= 1
    )


def test_a_budget_grows_with_the_records() -> None:
    sizes = [pair_budget(count) for count in (0, 100, 10_000, 100_000, 1_000_000)]
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[-2] >= sizes[1] > sizes[0]
