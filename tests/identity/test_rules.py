"""The rules, each with a small example, and the laws that hold for all of them."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity.features import ROLES, Features, features_of, features_of_row
from crmcore.identity.population import Population
from crmcore.identity.rules import RuleMatcher
from crmcore.party.contact_point import EmailPoint
from crmcore.party.party import Organization, Person
from tests.identity.rows import ANN, STRANGERS, compared, row

TOWN = Population.of(STRANGERS)

VALUES = {
    "given_name": ("ann", "anne", "a", "bo", "wilhelmina"),
    "family_name": ("lee", "leigh", "hill", "ann", "lee jr", "lee sr"),
    "full_name": ("Ann Lee", "Lee, Ann"),
    "org_name": ("Acme Ltd", "Acme Works", "Bolt School"),
    "birth_date": ("1985-04-12", "1985-04-13", "1985", "1963-11-30", "1985-01-01"),
    "email": ("ann@x.org", "ann.lee@x.org", "ann.lee@y.org", "info@x.org"),
    "phone": ("+442079460018", "02079460018", "5550132"),
    "street_no": ("5", "15"),
    "street": ("Oak St", "Oak Rd", "Elm St"),
    "city": ("York", "Bath"),
    "postcode": ("YO1 7HH", "BA1 1AA"),
    "region": ("WY",),
    "country": ("GB", "US"),
    "national_id": ("5408495", "5408945", "1112223"),
    "occupation": ("cook", "smith"),
    "employer": ("Acme", "Bolt School"),
}
rows = st.fixed_dictionaries({}, optional={role: st.sampled_from(VALUES[role]) for role in ROLES}).map(
    features_of_row
)
populations = st.sampled_from((Population(), TOWN, Population.of([ANN] * 3)))


# --- laws ---


@given(a=rows, b=rows, population=populations)
@settings(max_examples=300)
def test_comparing_is_symmetric(a: Features, b: Features, population: Population) -> None:
    one, other = compared(a, b, population), compared(b, a, population)
    assert attrs.evolve(one, reasons=()) == attrs.evolve(other, reasons=())
    assert [attrs.evolve(reason, values=()) for reason in one.reasons] == [
        attrs.evolve(reason, values=()) for reason in other.reasons
    ]


@given(a=rows, b=rows, population=populations)
@settings(max_examples=300)
def test_the_same_needs_two_fields_or_one_that_identifies(
    a: Features, b: Features, population: Population
) -> None:
    match = compared(a, b, population)
    agreeing = {reason.field for reason in match.reasons if reason.agrees}
    if match.verdict == "same":
        assert len(agreeing) >= 2 or agreeing & {"e-mail", "identifier"}
        assert not match.contradicted


@given(a=rows, population=populations)
@settings(max_examples=200)
def test_nothing_contradicts_itself(a: Features, population: Population) -> None:
    match = compared(a, a, population)
    assert not match.contradicted
    assert all(reason.agrees or reason.points >= 0 for reason in match.reasons)


@given(a=rows)
@settings(max_examples=50)
def test_an_empty_record_is_never_the_same_as_anything(a: Features) -> None:
    assert compared(a, row()).verdict == "different"


def test_rules_are_values() -> None:
    assert RuleMatcher() == RuleMatcher()
    assert RuleMatcher().name == "rules/1"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        RuleMatcher().odds = 1  # type: ignore[misc]  # that is what must fail


# --- two fields that agree ---


@pytest.mark.parametrize(
    "other",
    [
        {"full_name": "Ann Lee", "birth_date": "1985-04-12"},
        {"full_name": "Lee Ann", "birth_date": "1985-12-04"},
        {"full_name": "Anne Lee", "birth_date": "1985-04-12"},
        {"full_name": "A. Lee", "birth_date": "1985-04-12"},
        {"full_name": "Ann Lee", "email": "ann.lee@x.org"},
        {"full_name": "Ann Lee", "street": "5 Oak Street"},
        {"full_name": "Ann Lee", "city": "York"},
        {"birth_date": "1985-04-12", "email": "ann.lee@x.org"},
        {"family_name": "Lee", "birth_date": "1985-04-12", "street": "5 Oak St"},
        {"full_name": "Ann Hill", "birth_date": "1985-04-12", "email": "ann.lee@x.org"},
    ],
)
def test_two_fields_that_agree_are_the_same_customer(other: dict[str, str]) -> None:
    assert compared(ANN, row(**other)).verdict == "same"


@pytest.mark.parametrize(
    "lone", [{"full_name": "Ann Lee"}, {"street": "5 Oak St", "city": "York"}, {"birth_date": "1985-04-12"}]
)
def test_a_lone_name_street_or_birth_date_is_unsure(lone: dict[str, str]) -> None:
    assert compared(ANN, row(**lone)).verdict == "unsure"


def test_a_lone_phone_is_unsure() -> None:
    phone = row(phone="+442079460018")
    assert compared(phone, phone).verdict == "unsure"


def test_a_rare_name_is_the_same_customer_in_one_country_only() -> None:
    one = row(full_name="Hiroaki Yamada", city="Mie", country="JP")
    assert compared(one, row(full_name="Hiroaki Yamada", city="Tokyo", country="JP"), TOWN).verdict == "same"
    assert (
        compared(one, row(full_name="Hiroaki Yamada", city="San Jose", country="US"), TOWN).verdict
        == "unsure"
    )


def test_a_name_that_is_nearly_the_same_is_not_enough_in_a_country() -> None:
    one, other = row(full_name="Hiroaki Yamada", country="JP"), row(full_name="Hiroki Yamada", country="JP")
    assert compared(one, other, TOWN).verdict == "unsure"


def test_what_everybody_has_agrees_with_nothing() -> None:
    people = [attrs.evolve(person, addresses=ANN.addresses) for person in STRANGERS * 20]
    population = Population.of(people)
    assert population.size < 256
    everybody = Population.of(row(full_name=f"N{i:03}x F{i:03}x", country="GB") for i in range(2000))
    one = row(full_name="Ann Lee", country="GB")
    assert compared(one, one, everybody).verdict == "unsure"


# --- one value that identifies ---


def test_a_personal_mailbox_or_a_number_identifies_alone() -> None:
    assert compared(row(email="ann@x.org"), row(email="ANN@x.org", city="York")).verdict == "same"
    assert (
        compared(row(national_id="540-8495"), row(national_id="5408495", email="b@x.org")).verdict == "same"
    )


@pytest.mark.parametrize("field", ["email", "national_id", "phone"])
def test_what_several_customers_share_never_decides_alone(field: str) -> None:
    value = {"email": "info@x.org", "national_id": "1234567", "phone": "+442079460018"}[field]
    shared = [
        attrs.evolve(row(**{field: value}), kind="person", names=person.names) for person in STRANGERS[:3]
    ]
    population = Population.of([*STRANGERS, *shared])
    bare = row(**{field: value})
    assert compared(bare, bare, population).verdict == "unsure"
    assert compared(shared[0], shared[1], population).verdict != "same"


def test_a_mailbox_declared_shared_does_not_decide_alone() -> None:
    desk = Person.of(email="desk@x.org").contact_points[0]
    assert isinstance(desk, EmailPoint)
    one = features_of(Person(contact_points=(desk,)))
    other = features_of(Person(contact_points=(attrs.evolve(desk, shared=True),)))
    assert compared(one, one).verdict == "same"
    assert compared(one, other).verdict != "same"


# --- what speaks against ---


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # a family at one mailbox, phone and door
        (
            {
                "full_name": "Olivia Davies",
                "email": "davies@x.org",
                "phone": "+442079460018",
                "street": "5 Oak St",
            },
            {
                "full_name": "Bernd Davies",
                "email": "davies@x.org",
                "phone": "+442079460018",
                "street": "5 Oak St",
            },
        ),
        # father and son
        (
            {"full_name": "John Davies Sr.", "street": "5 Oak St", "phone": "+442079460018"},
            {"full_name": "John Davies Jr.", "street": "5 Oak St", "phone": "+442079460018"},
        ),
        # flatmates
        (
            {"full_name": "Olivia Davies", "phone": "+442079460018", "street": "5 Oak St"},
            {"full_name": "Bernd Koch", "phone": "+442079460018", "street": "5 Oak St"},
        ),
    ],
)
def test_people_of_one_household_are_not_the_same(one: dict[str, str], other: dict[str, str]) -> None:
    match = compared(row(**one), row(**other))
    assert match.verdict != "same"
    assert match.contradicted


def test_twins_have_a_birthday_in_common_but_not_their_mailbox() -> None:
    twin = {
        "full_name": "Olivia Davies",
        "birth_date": "1985-04-12",
        "street": "5 Oak St",
        "email": "olivia@x.org",
    }
    match = compared(row(**twin), row(**{**twin, "full_name": "Bernd Davies", "email": "bernd@y.org"}))
    assert match.verdict == "unsure"


def test_a_spouse_whose_name_begins_alike_shares_the_household() -> None:
    one = row(full_name="Jasper Davies", phone="+442079460018", street="5 Oak St", city="York")
    other = row(full_name="Jolanda Davies", phone="+442079460018", street="5 Oak St", city="York")
    assert compared(one, other).verdict == "unsure"


def test_two_given_names_of_one_birthday_at_one_door_are_one_customer() -> None:
    one = row(full_name="Margaret Davies", birth_date="1985-04-12", street="5 Oak St")
    other = row(full_name="Peggy Davies", birth_date="1985-04-12", street="5 Oak St")
    assert compared(one, other).verdict == "same"


def test_an_identifier_settles_what_a_changed_name_leaves_open() -> None:
    one = row(full_name="Olivia Davies", national_id="5408495", birth_date="1985-04-12")
    other = row(full_name="Bernd Koch", national_id="5408495", birth_date="1985-04-12")
    assert compared(one, other).verdict == "same"
    mistyped = row(full_name="Bernd Koch", national_id="5408495", birth_date="1985-04-13")
    assert compared(one, mistyped).verdict == "same"


def test_two_people_at_one_mailbox_or_with_one_number_need_more_than_that() -> None:
    for shared in ({"email": "davies@x.org"}, {"national_id": "5408495"}):
        one, other = row(full_name="Olivia Davies", **shared), row(full_name="Olaf Davies", **shared)
        assert compared(one, other).verdict == "unsure"


@pytest.mark.parametrize(
    "against", [{"birth_date": "1963-11-30"}, {"national_id": "1112223"}, {"city": "Bath", "country": "US"}]
)
def test_a_contradiction_lowers_the_score(against: dict[str, str]) -> None:
    one = {
        "full_name": "Ann Lee",
        "birth_date": "1985-04-12",
        "national_id": "5408495",
        "city": "York",
        "country": "GB",
    }
    assert compared(row(**one), row(**{**one, **against})).score < compared(row(**one), row(**one)).score


def test_an_identifier_that_agrees_is_never_just_different() -> None:
    one = row(full_name="Olivia Davies", national_id="5408495", birth_date="1985-04-12", city="York")
    other = row(full_name="Bernd Koch", national_id="5408495", birth_date="1963-11-30", city="Bath")
    assert compared(one, other).verdict == "unsure"


def test_numbers_of_which_one_may_have_several_do_not_contradict() -> None:
    one = features_of(Person.of("Ann Lee", birth_date="1985-04-12").with_identifier("loyalty", "17"))
    other = features_of(Person.of("Ann Lee", birth_date="1985-04-12").with_identifier("loyalty", "99"))
    assert compared(one, other).verdict == "same"


# --- organizations ---


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            {"org_name": "Easter Seals Society, Inc.", "street": "2345 W North Avenue"},
            {"org_name": "Easter Seal Society", "street": "2345 west north ave", "postcode": "60647"},
        ),
        (
            {"org_name": "Chicago Commons Diversey Day Care", "phone": "3427777"},
            {"org_name": "Diversey Daycare", "phone": "342-7777", "street": "3007 W Diversey"},
        ),
        (
            {"org_name": "Sharp Kabushiki Kaisha", "city": "Osaka", "phone": "+81666211221"},
            {"org_name": "SHARP K.K.", "city": "Osaka", "phone": "+81 6-6621-1221"},
        ),
        (
            {"street": "5 Oak St", "phone": "5550132", "org_name": "Acme"},
            {"street": "5 Oak St", "phone": "555-0132"},
        ),
    ],
)
def test_organizations_of_one_place_or_phone_are_the_same(one: dict[str, str], other: dict[str, str]) -> None:
    assert compared(row(**one), row(**other)).verdict == "same"


def test_branches_of_one_organization_are_not_the_same() -> None:
    one = row(org_name="Acme Bank", phone="+442079460018", street="5 Oak St", city="York")
    other = row(org_name="Acme Bank", phone="+442079460018", street="9 Elm St", city="York")
    match = compared(one, other)
    assert (match.verdict, match.contradicted) == ("unsure", True)


def test_neighbours_in_one_building_are_not_the_same() -> None:
    one = row(org_name="Acme Bank", street="5 Oak St", phone="5550132")
    other = row(org_name="Bolt School", street="5 Oak St", phone="7770199")
    assert compared(one, other).verdict != "same"


def test_a_person_is_never_an_organization() -> None:
    one, other = (
        features_of(Person.of("Ann Lee", email="ann@x.org")),
        features_of(Organization.of("Ann Lee", email="ann@x.org")),
    )
    match = compared(one, other)
    assert (match.verdict, match.contradicted) == ("different", True)


def test_an_anonymous_record_may_be_a_person() -> None:
    assert compared(row(email="ann@x.org"), ANN).verdict == "different"
    assert compared(row(email="ann.lee@x.org"), ANN).verdict == "same"
