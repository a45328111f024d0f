"""Twins, parents and children, namesakes and placeholders: customers who have much in common and are not one."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity.features import Features, features_of
from crmcore.identity.keys import blocking_keys
from crmcore.identity.population import Population
from crmcore.party.party import Organization, Person
from tests.identity.rows import STRANGERS, compared, row, together

HOME = {"street": "5 Oak St", "city": "York", "postcode": "YO1 7HH"}
PHONE = {"phone": "+442079460018"}
MAIL = {"email": "lee@x.org"}
CITY = Population.of(
    [
        *STRANGERS,
        *(row(full_name=f"N{i:04}x F{i % 97:03}x", birth_date=f"{1940 + i % 70}") for i in range(2000)),
    ]
)
POPULATIONS = pytest.mark.parametrize("population", [Population(), CITY], ids=["two", "two thousand"])


# --- other given names ---

HOUSEHOLDS = [
    {key: value for fields in chosen for key, value in fields.items()}
    for count in range(4)
    for chosen in combinations((HOME, PHONE, MAIL), count)
]


@POPULATIONS
@pytest.mark.parametrize("born", ["1985-04-01", "1985", ""])
@pytest.mark.parametrize("household", HOUSEHOLDS, ids=lambda fields: "+".join(fields))
@pytest.mark.parametrize(
    ("one", "other"), [("Anna Lee", "Bea Lee"), ("Jasper Lee", "Jolanda Lee"), ("Anna Lee", "Bernd Koch")]
)
def test_other_given_names_are_never_the_same_by_household_and_birth_date(
    one: str, other: str, household: dict[str, str], born: str, population: Population
) -> None:
    shared = {**household, "birth_date": born}
    assert (
        compared(row(full_name=one, **shared), row(full_name=other, **shared), population).verdict != "same"
    )


def test_twins_are_worth_a_look() -> None:
    shared = {**HOME, "birth_date": "1985-04-01"}
    assert (
        compared(row(full_name="Anna Lee", **shared), row(full_name="Bea Lee", **shared)).verdict == "unsure"
    )


@pytest.mark.parametrize(
    "between", [{"family_name": "Lee"}, {"full_name": "A. Lee"}, {"full_name": "J. Lee"}, {}]
)
@pytest.mark.parametrize(("first", "second"), [("Anna Lee", "Bea Lee"), ("Jasper Lee", "Jolanda Lee")])
def test_a_record_that_fits_both_twins_does_not_join_them(
    first: str, second: str, between: dict[str, str]
) -> None:
    shared = {**HOME, **MAIL, "birth_date": "1985-04-01"}
    one, other = row(full_name=first, **shared), row(full_name=second, **shared)
    groups = together([one, other, row(**between, **shared)])
    assert not any({one, other} <= group for group in groups)


def test_a_number_issued_once_to_each_settles_it_and_one_like_it_does_not() -> None:
    shared = {**HOME, "birth_date": "1985-04-01"}
    anna = row(full_name="Anna Lee", national_id="5408495", **shared)
    assert compared(anna, row(full_name="Bea Lee", national_id="5408495", **shared)).verdict == "same"
    assert compared(anna, row(full_name="Bea Lee", national_id="5408496", **shared)).verdict != "same"


def test_a_number_that_a_family_may_share_does_not_settle_it() -> None:
    anna, bea = (
        features_of(Person.of(name, birth_date="1985-04-01").with_identifier("loyalty", "7788990"))
        for name in ("Anna Lee", "Bea Lee")
    )
    assert compared(anna, bea).verdict == "unsure"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Margaret Davies", "Peggy Davies"),
        ("Bob Davies", "Robert Davies"),
        ("Bill Davies", "Will Davies"),
        ("Tim Davies", "Timothy Davies"),
        ("T. Davies", "Timothy Davies"),
        ("Olivia Davies", "Lolivia Davies"),
        ("Catherine Davies", "Kathrin Davies"),
    ],
)
def test_a_short_form_an_initial_or_a_misspelling_is_no_other_given_name(one: str, other: str) -> None:
    shared = {**HOME, "birth_date": "1985-04-12"}
    assert compared(row(full_name=one, **shared), row(full_name=other, **shared)).verdict == "same"


def test_two_names_with_one_short_form_are_two_names() -> None:
    shared = {**HOME, "birth_date": "1985-04-12"}
    one, other = row(full_name="Edward Davies", **shared), row(full_name="Theodore Davies", **shared)
    assert compared(one, other).verdict != "same"


def test_a_changed_family_name_is_no_other_given_name() -> None:
    shared = {**HOME, "birth_date": "1985-04-12", "email": "ann@x.org"}
    assert compared(row(full_name="Ann Lee", **shared), row(full_name="Ann Hill", **shared)).verdict == "same"


# --- other birth years ---


@POPULATIONS
@pytest.mark.parametrize(
    "household", [{}, HOME, PHONE, {**HOME, **PHONE}], ids=lambda fields: "+".join(fields)
)
@pytest.mark.parametrize(
    ("father", "son"),
    [
        ("1955-04-01", "1985-04-01"),
        ("1958-04-01", "1985-04-01"),
        ("1952-04-01", "1985-04-01"),
        ("1955-11-23", "1985-04-01"),
        ("1985-04-01", "2005-04-01"),
        ("1955", "1985"),
        ("1955-01-01", "1985-04-01"),
    ],
)
def test_namesakes_of_one_household_born_in_other_years_are_not_the_same(
    father: str, son: str, household: dict[str, str], population: Population
) -> None:
    one = row(full_name="John Lee", birth_date=father, **household)
    other = row(full_name="John Lee", birth_date=son, **household)
    match = compared(one, other, population)
    assert match.verdict != "same"
    assert not any(reason.agrees for reason in match.reasons if reason.field == "birth date")


def test_a_mailbox_that_others_use_does_not_forgive_another_year() -> None:
    town = Population.of([*STRANGERS, row(full_name="Ann Koch", **MAIL), row(full_name="Bo Hill", **MAIL)])
    father = row(full_name="John Lee", birth_date="1955-04-01", **HOME, **MAIL)
    son = row(full_name="John Lee", birth_date="1985-04-01", **HOME, **MAIL)
    assert compared(father, son, town).verdict != "same"


def test_mailboxes_named_alike_do_not_forgive_another_year() -> None:
    father = row(full_name="John Lee", birth_date="1955-04-01", email="john.lee@x.org", **HOME)
    for email in ("john.lee@bolt.example", "john.lee@y.org"):
        son = row(full_name="John Lee", birth_date="1985-04-01", email=email, **HOME)
        assert compared(father, son).verdict != "same"


@pytest.mark.parametrize("own", [{"email": "ann@x.org"}, {"national_id": "5408495"}])
def test_a_mistyped_year_is_forgiven_beside_what_is_ones_own(own: dict[str, str]) -> None:
    one = row(full_name="John Lee", birth_date="1955-04-01", **HOME, **own)
    other = row(full_name="John Lee", birth_date="1985-04-01", **HOME, **own)
    match = compared(one, other)
    assert match.verdict == "same"
    assert any(reason.agrees for reason in match.reasons if reason.field == "birth date")


def test_a_mistyped_day_is_forgiven_in_a_household() -> None:
    one = row(full_name="John Lee", birth_date="1985-04-01", **HOME)
    assert compared(one, row(full_name="John Lee", birth_date="1985-04-07", **HOME)).verdict == "same"


def test_a_record_without_a_birth_date_does_not_join_father_and_son() -> None:
    father = row(full_name="John Lee", birth_date="1955-04-01", **HOME)
    son = row(full_name="John Lee", birth_date="1985-04-01", **HOME)
    groups = together([father, son, row(full_name="John Lee", **HOME)])
    assert not any({father, son} <= group for group in groups)


# --- a year beside a name ---


@POPULATIONS
@pytest.mark.parametrize("born", ["1985", "1985-01-01", "1985-04"])
@pytest.mark.parametrize("name", ["John Smith", "Hiroaki Wojciechowski"])
def test_a_year_beside_a_name_alone_is_unsure(name: str, born: str, population: Population) -> None:
    one = row(full_name=name, birth_date="1985")
    assert compared(one, row(full_name=name, birth_date=born), population).verdict == "unsure"


def test_a_year_beside_a_name_and_a_door_agrees() -> None:
    one = row(full_name="John Smith", birth_date="1985", **HOME)
    assert compared(one, one).verdict == "same"


# --- names of nobody ---

PLACEHOLDERS = [
    "N/A", "n.a.", "NA", "None", "NULL", "Unknown", "Test", "Test Test", "Test Customer", "Customer", "Customer 17",
    "Client", "Anonymous", "-", ".", "---", "?", "xxx", "XX", "No Name", "Not provided", "Kunde", "Unbekannt", "k. A.",
    "keine Angabe", "Anónimo", "Cliente", "Sin nombre", "Inconnu", "Sans nom", "Sconosciuto", "Неизвестно", "未知",
    "不明", "Mr. Unknown", "0000", "Guest", "tbd",
]  # fmt: skip


@pytest.mark.parametrize("name", PLACEHOLDERS)
def test_a_name_of_nobody_is_no_evidence_and_no_key(name: str) -> None:
    for record in (
        row(full_name=name, **PHONE),
        row(given_name=name, **PHONE),
        row(family_name=name, **PHONE),
        row(given_name=name, family_name=name, **PHONE),
        row(org_name=name, **PHONE),
        features_of(Person.of(name, phone=PHONE["phone"])),
        features_of(Organization.of(name, phone=PHONE["phone"])),
    ):
        assert record.names == ()
        assert record.organizations == ()
        assert {key.partition(":")[0] for key in blocking_keys(record)} == {"phone"}
        assert compared(record, record).verdict == "unsure"


@pytest.mark.parametrize("given_name", ["N/A", "xxx", "Unknown", "-", "Customer"])
def test_a_given_name_of_nobody_leaves_the_family_name(given_name: str) -> None:
    (name,) = row(given_name=given_name, family_name="Lee").names
    assert (name.given, name.family) == ((), ("lee",))


@pytest.mark.parametrize(
    "full", ["Jennifer Null", "Hans Kunde", "Christopher Guest", "Na Kim", "Xx Lee", "Jo Test"]
)
def test_somebody_whose_name_has_such_a_word_keeps_it(full: str) -> None:
    (name,) = row(full_name=full).names
    assert set(full.lower().split()) == {*name.given, *name.family}


# --- laws ---

GIVEN = ("Anna", "Bea", "Carlo", "Dmitri", "Jasper", "Jolanda", "Wilhelmina")
records = st.fixed_dictionaries(
    {"given_name": st.sampled_from(GIVEN), "family_name": st.sampled_from(("Lee", "Koch"))},
    optional={
        "birth_date": st.sampled_from(("1985-04-01", "1985-01-01", "1955-04-01", "1985")),
        "email": st.sampled_from(("lee@x.org", "koch@x.org")),
        "phone": st.just(PHONE["phone"]),
        "street": st.just("5 Oak St"),
        "city": st.just("York"),
        "employer": st.just("Acme"),
        "occupation": st.just("cook"),
    },
).map(lambda values: row(**values))


@given(a=records, b=records, population=st.sampled_from((Population(), CITY)))
@settings(max_examples=200)
def test_no_two_given_names_are_one_customer_without_a_number(
    a: Features, b: Features, population: Population
) -> None:
    match = compared(a, b, population)
    if a.names[0].given != b.names[0].given:
        assert match.verdict != "same"
