"""How far two values agree: laws of every comparison."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity import field_levels, name_levels
from crmcore.identity.addresses import AddressForm
from crmcore.identity.model.columns import COLUMNS

WORD = st.one_of(
    st.text("ab", min_size=1, max_size=8),
    st.text("abcde", min_size=1, max_size=14),
    st.text("12", min_size=1, max_size=4),
    st.sampled_from(
        [
            "ann",
            "anne",
            "bob",
            "robert",
            "o\u0301",
            "\u05d3\u05d5\u05d3",
            "\u0639\u0644\u064a",
            "\u200f",
            "\u0301",
        ]
    ),
    st.text(min_size=1, max_size=6),
)
WORDS = st.lists(WORD, min_size=1, max_size=3, unique=True).map(tuple)
DIGITS = st.text("0123456789", min_size=2, max_size=2)
DATE = st.one_of(
    st.builds("{}{}-{}-{}".format, st.sampled_from(["19", "20"]), DIGITS, DIGITS, DIGITS),
    st.sampled_from(["1985", "1985-04", "1985-01-01", "--04-12", "--01-01", "1985-04-12", "1985-12-04"]),
)
STREET = st.builds(
    AddressForm,
    st.sampled_from(["", "5", "5a", "15", "51"]),
    st.lists(WORD, max_size=2, unique=True).map(tuple),
    st.sampled_from(["", "st", "rd"]),
    st.sampled_from(["", "n", "s"]),
    st.sampled_from(["", "3", "7"]),
).filter(lambda address: bool(address.number or address.street))
PLAIN = st.one_of(WORD, st.lists(WORD, min_size=2, max_size=3).map(" ".join))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "given name": WORDS,
    "family name": WORDS,
    "birth date": DATE,
    "e-mail": st.one_of(PLAIN, st.builds("{}@{}.org".format, WORD, WORD)),
    "phone": st.one_of(
        st.builds("{}{}".format, st.sampled_from(["", "+", "0"]), st.text("012", min_size=1, max_size=12))
    ),
    "street": STREET,
    "identifier": st.builds(
        "{}:{}".format, st.sampled_from(["lei", "vat"]), st.text("01", min_size=1, max_size=9)
    ),
}
RARITY = 16
SILENT = frozenset({"birth date", "street", "identifier"})
"""The columns whose values may have nothing in common that could be compared: level 0."""


def weighted(words: tuple[str, ...]) -> name_levels.Weighted:
    return tuple((word, RARITY * (1 + len(word) % 9)) for word in words)


def values_of(name: str) -> st.SearchStrategy[Any]:
    if name in ("organization name", "employer"):
        return WORDS.map(weighted)
    return VALUES.get(name, PLAIN)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_a_level_is_symmetric_and_one_of_the_labels(column: Any, data: st.DataObject) -> None:
    a, b = data.draw(values_of(column.name)), data.draw(values_of(column.name))
    level = column.compare(a, b)
    assert level == column.compare(b, a)
    assert (0 if column.name in SILENT else 1) <= level <= column.top


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_value_agrees_with_itself_as_far_as_it_goes(column: Any, data: st.DataObject) -> None:
    value = data.draw(values_of(column.name))
    best = column.top
    if column.name == "given name" and len(value) == 1:
        best = 6
    if column.name == "birth date" and (len(value) < 10 or value.endswith("-01-01")):
        best = 4
    if column.name == "street" and not (value[0] and value[1]):
        best = 4 if value[1] else 2
    assert column.compare(value, value) == best


@pytest.mark.parametrize(("one", "other"), [("1985", "--04-12"), ("--04-12", "2001"), ("1985", "--01-01")])
def test_a_year_and_a_day_of_no_year_say_nothing_of_each_other(one: str, other: str) -> None:
    assert field_levels.birth_dates(one, other) == 0


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("1985-04-12", "1985-04-12", 6),
        ("1985-04-12", "1985-12-04", 5),
        ("1985-04-12", "1885-04-12", 5),
        ("1985-04-12", "1985-04-13", 5),
        ("1985-04-12", "1985-01-01", 4),
        ("1985-01-01", "1985-01-01", 4),
        ("1985-04", "1985-04-12", 4),
        ("--04-12", "1985-04-12", 4),
        ("1985-04-12", "1985-04-30", 3),
        ("1985-04-12", "1975-05-12", 2),
        ("1985-04-12", "1962-11-03", 1),
        ("1985", "1986-04-12", 1),
    ],
)
def test_dates_are_judged_by_what_both_know(one: str, other: str, level: int) -> None:
    assert field_levels.birth_dates(one, other) == field_levels.birth_dates(other, one) == level


@pytest.mark.parametrize(
    ("compare", "one", "other", "level"),
    [
        (name_levels.given_names, ("bob",), ("robert",), 4),
        (name_levels.given_names, ("ann", "m"), ("ann", "maria"), 7),
        (name_levels.given_names, ("ann", "maria"), ("ann", "claire"), 3),
        (name_levels.given_names, ("a",), ("ann",), 2),
        (name_levels.given_names, ("olaf",), ("pia",), 1),
        (name_levels.family_names, ("garcia", "lopez"), ("lopez",), 3),
        (name_levels.family_names, ("smith",), ("smyth",), 4),
        (field_levels.emails, "ann.lee@x.org", "annlee@gmail.com", 3),
        (field_levels.emails, "ann1@example.org", "ann2@example.org", 1),
        (field_levels.phones, "+442079460018", "02079460018", 3),
        (field_levels.phones, "+442079460018", "+492079460018", 2),
        (field_levels.postcodes, "ng334rn", "ng334nr", 3),
        (field_levels.places, "st albans", "albans", 2),
        (field_levels.identifiers, "vat:529900", "lei:529900", 0),
        (field_levels.streets, AddressForm("5", ("oak",), "st"), AddressForm("6", ("oak",), "st"), 2),
        (field_levels.streets, AddressForm("15", ("oak",), "st"), AddressForm("16", ("oak",), "st"), 3),
        (field_levels.streets, AddressForm("5", (), ""), AddressForm("", ("oak",), "st"), 0),
        (field_levels.streets, AddressForm("5", ("42",), "st"), AddressForm("5", ("43",), "st"), 1),
        (field_levels.streets, AddressForm("5", ("oak",), "st"), AddressForm("5", ("oak",), "rd"), 5),
        (field_levels.streets, AddressForm("5", ("oak",), "st"), AddressForm("5", ("oak",)), 6),
        (
            field_levels.streets,
            AddressForm("5", ("oak",), direction="n"),
            AddressForm("5", ("oak",), direction="s"),
            5,
        ),
        (field_levels.streets, AddressForm("5", ("oak",), unit="3"), AddressForm("5", ("oak",), unit="7"), 5),
        (field_levels.streets, AddressForm("5", ("oak",), unit="3"), AddressForm("5", ("oak",)), 6),
    ],
)
def test_what_the_levels_mean(compare: Callable[[Any, Any], int], one: Any, other: Any, level: int) -> None:
    assert compare(one, other) == compare(other, one) == level


CHAIN = (("chicago", 40), ("public", 60), ("library", 70))


@pytest.mark.parametrize(
    ("one", "other", "label"),
    [
        (
            (*CHAIN, ("carnegie", 160), ("austin", 140)),
            (*CHAIN, ("carnegie", 160), ("albany", 140)),
            "each with more",
        ),
        ((*CHAIN, ("austin", 140), ("branch", 60)), (*CHAIN, ("austin", 140)), "nearly"),
        ((*CHAIN, ("austin", 140)), (*CHAIN, ("autsin", 176)), "nearly"),
        ((*CHAIN, ("branch", 60)), (*CHAIN, ("room", 70)), "nearly"),
        (CHAIN, (*CHAIN, ("austin", 140)), "in it"),
        (CHAIN[:2], (*CHAIN, ("austin", 140)), "common words in it"),
        (CHAIN, CHAIN[::-1], "same"),
    ],
)
def test_branches_of_one_chain_have_each_a_word_of_their_own(one: Any, other: Any, label: str) -> None:
    level = name_levels.organization_names(one, other)
    assert level == name_levels.organization_names(other, one)
    assert next(c for c in COLUMNS if c.name == "organization name").labels[level - 1] == label


def test_numbers_tell_organizations_apart() -> None:
    school = (("school", 60), ("foster", 100))
    one, other = (*school, ("12", 90)), (*school, ("17", 90))
    assert name_levels.organization_names(one, other) <= 2 < name_levels.organization_names(one, school)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_texts_of_ten_thousand_letters_end_in_time(column: Any) -> None:
    one, other = "ab" * 5_000, "ba" * 4_999 + "cc"
    shapes: dict[str, Callable[[str], Any]] = {
        "given name": lambda text: (text,),
        "family name": lambda text: (text, "x"),
        "street": lambda text: AddressForm("5", (text,), "st"),
        "organization name": lambda text: ((text, RARITY),),
        "employer": lambda text: ((text, RARITY),),
    }
    shape: Callable[[str], Any] = shapes.get(column.name, str)
    begin = time.process_time()
    assert 0 <= column.compare(shape(one), shape(other)) <= column.top
    assert time.process_time() - begin < 30
