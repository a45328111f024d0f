"""Records as codes."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity.model.columns import COLUMNS, variants
from crmcore.identity.model.encoding import encode, points, word_rarity
from crmcore.identity.model.learning import used_columns
from crmcore.identity.names import person_form
from tests.identity.model.recorded import columns, people
from tests.identity.rows import row

PEOPLE = people(12)


def test_codes_follow_the_order_of_the_values() -> None:
    table = encode(PEOPLE)
    for values in table.values:
        assert values[0] is None
        assert list(values[1:]) == sorted(set(values[1:]))


@settings(max_examples=30, deadline=None)
@given(order=st.permutations(range(len(PEOPLE))))
def test_another_order_of_records_is_another_order_of_rows_and_nothing_else(order: list[int]) -> None:
    before, after = encode(PEOPLE), encode([PEOPLE[at] for at in order])
    assert after.values == before.values
    assert list(after.rows) == [before.rows[at] for at in order]
    assert after.more == {new: before.more[old] for new, old in enumerate(order) if old in before.more}


def test_a_code_stands_for_the_value_of_the_record() -> None:
    table = encode(PEOPLE)
    for record, coded in zip(PEOPLE, table.rows, strict=True):
        found = variants(record)
        for group, places in table.places.items():
            values = tuple(table.values[at][coded[at]] for at in places)
            assert values == (found[group][0] if group in found else (None,) * len(places))


@pytest.mark.parametrize(
    "names",
    [("postcode", "city"), ("city",), ("region", "street"), ("family name",), ("generation", "given name")],
)
def test_some_columns_of_a_group_hold_what_they_hold_among_all(names: tuple[str, ...]) -> None:
    records = [
        *PEOPLE,
        row(
            full_name="Ann Lee Jr",
            street="5 Oak St",
            city="York",
            postcode="YO1 7HH",
            region="Yorkshire",
            country="GB",
        ),
    ]
    whole, part = encode(records), encode(records, columns(*names))
    at = {column.name: place for place, column in enumerate(whole.columns)}
    for place, column in enumerate(part.columns):
        assert part.values[place] == whole.values[at[column.name]]
        assert [codes[place] for codes in part.rows] == [codes[at[column.name]] for codes in whole.rows]


def test_several_names_are_all_kept_whatever_their_order() -> None:
    forms = [form for form in (person_form("Ann", "Lee"), person_form("Ann", "Hill")) if form]
    one, other = (
        attrs.evolve(row(full_name="Ann Lee"), names=tuple(names)) for names in (forms, forms[::-1])
    )
    assert len(encode([one]).more[0]["name"]) == 2
    assert encode([one]).more == encode([other]).more
    assert encode([one]).rows == encode([other]).rows


def test_columns_that_one_record_has_are_not_used() -> None:
    assert {
        column.name
        for column in used_columns([row(full_name="Ann Lee", city="York"), row(full_name="Bo Hill")])
    } == {
        "given name",
        "family name",
    }
    assert used_columns([]) == ()


def test_a_rare_word_is_worth_more_than_a_common_one() -> None:
    records = [row(org_name=f"{name} center") for name in ("foster", "hill", "oak", "elm")]
    rarity = word_rarity("organization", [variants(record, COLUMNS) for record in records])
    assert rarity["foster"] == points(1, 4) > points(4, 4) == rarity["center"]
