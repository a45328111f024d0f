"""Patterns of agreement: symmetric, names crossed or not, the best of several variants."""

from __future__ import annotations

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity.features import Features
from crmcore.identity.model.encoding import encode
from crmcore.identity.model.patterns import CROSSED, Comparer, levels_of
from tests.identity.model.recorded import people
from tests.identity.rows import row


def several(*rows: Features) -> Features:
    """One record with the names, addresses and e-mails of all."""
    return attrs.evolve(
        rows[0],
        names=tuple(sorted({name for one in rows for name in one.names})),
        addresses=tuple(sorted({address for one in rows for address in one.addresses})),
        emails=tuple(sorted({email for one in rows for email in one.emails})),
    )


PEOPLE = people(10)
POOL = [
    *PEOPLE,
    several(*PEOPLE[:3]),
    several(*PEOPLE[1:4]),
    several(row(full_name="Ann Lee"), row(full_name="Lee Ann"), row(full_name="Ann Lea")),
    row(given_name="Lee", family_name="Ann"),
    row(given_name="Ann", family_name="Lee"),
    row(full_name="Ann"),
]


def pattern(one: Features, other: Features) -> dict[str, int]:
    """The levels of two records by column, and that of the order of the names."""
    table = encode([one, other])
    found = levels_of(Comparer(table).pattern(0, 1), len(table.columns))
    return dict(zip([*(column.name for column in table.columns), "order"], found, strict=True))


@settings(max_examples=60, deadline=None)
@given(records=st.lists(st.sampled_from(POOL), min_size=2, max_size=8))
def test_a_pattern_is_symmetric_and_the_same_in_every_table(records: list[Features]) -> None:
    table = encode(records)
    comparer = Comparer(table)
    for i in range(len(records)):
        for j in range(i, len(records)):
            found = comparer.pattern(i, j)
            assert found == comparer.pattern(j, i)
            assert found == Comparer(encode([records[i], records[j]])).pattern(0, 1)
            one, other = comparer.aligned(i, j)
            assert (other, one) == comparer.aligned(j, i)


def test_levels_are_those_of_the_columns() -> None:
    table = encode(PEOPLE)
    comparer = Comparer(table)
    for j in range(1, len(PEOPLE)):
        found = levels_of(comparer.pattern(0, j), len(table.columns))
        if found[-1] == CROSSED:
            continue
        for at, column in enumerate(table.columns):
            a, b = table.rows[0][at], table.rows[j][at]
            values = table.values[at]
            assert found[at] == (column.compare(values[a], values[b]) if a and b else 0)


def test_names_that_are_exchanged_agree_crosswise() -> None:
    usual = pattern(row(given_name="Ann", family_name="Keller"), row(given_name="Ann", family_name="Keller"))
    crossed = pattern(
        row(given_name="Ann", family_name="Keller"), row(given_name="Keller", family_name="Ann")
    )
    assert (usual["given name"], usual["family name"], usual["order"]) == (6, 5, 1)
    assert (crossed["given name"], crossed["family name"], crossed["order"]) == (6, 5, CROSSED)


def test_strangers_do_not_agree_crosswise() -> None:
    found = pattern(row(given_name="Ann", family_name="Keller"), row(given_name="Olaf", family_name="Brandt"))
    assert (found["given name"], found["family name"], found["order"]) == (1, 1, 0)


def test_of_several_names_those_that_fit_best_are_compared() -> None:
    married = several(row(full_name="Ann Keller"), row(full_name="Ann Brandt"))
    for maiden in ("Ann Keller", "Ann Brandt"):
        found = pattern(married, row(full_name=maiden))
        assert (found["given name"], found["family name"]) == (6, 5)


def test_an_address_is_compared_as_a_whole() -> None:
    moved = several(row(street="5 Oak St", city="York"), row(street="9 Elm Rd", city="Kiel"))
    found = pattern(moved, row(street="5 Oak St", city="Kiel"))
    assert (found["street"], found["city"]) in {(6, 1), (1, 3)}
    assert pattern(moved, row(street="9 Elm Rd", city="Kiel"))["street"] == 6


def test_what_one_of_two_does_not_know_has_no_level() -> None:
    found = pattern(row(full_name="Ann Lee", city="York"), row(full_name="Ann Lee", email="ann@x.org"))
    assert (found["city"], found["e-mail"], found["phone"]) == (0, 0, 0)


def test_names_that_are_nearly_exchanged_agree_crosswise_from_both_sides() -> None:
    one, other = row(given_name="Ann", family_name="Keller"), row(given_name="Kelller", family_name="Ann")
    for found in (pattern(one, other), pattern(other, one)):
        assert (found["given name"], found["family name"], found["order"]) == (6, 4, CROSSED)


def test_a_lone_name_may_be_the_family_name_from_both_sides() -> None:
    one, other = row(given_name="Keller"), row(given_name="Ann", family_name="Keller")
    for found in (pattern(one, other), pattern(other, one)):
        assert (found["given name"], found["family name"], found["order"]) == (6, 0, CROSSED)
