"""What a matcher sees of parties and rows."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity.features import ROLES, Features, features_of, features_of_row
from crmcore.party.contact_point import EmailPoint, PhonePoint
from crmcore.party.party import Anonymous, Household, Organization, Person
from crmcore.values.person_name import PersonName
from crmcore.values.postal_address import PostalAddress

texts = st.text(max_size=12)


@given(values=st.dictionaries(st.sampled_from(ROLES), texts))
@settings(max_examples=100)
def test_any_row_has_features_that_hash_and_sort(values: dict[str, str]) -> None:
    found = features_of_row(values)
    assert hash(found) == hash(features_of_row(values))
    assert sorted([found, features_of_row({})], key=lambda features: features.order)
    assert pickle.loads(pickle.dumps(found)) == found


def test_only_roles_are_evidence() -> None:
    assert features_of_row({"cluster": "7", "rec_id": "r1", "note": "Ann Lee"}).empty


def test_case_accents_and_order_of_values_do_not_matter() -> None:
    one = Person.of("Zoë Lee", email="zoe@x.org").with_email("Z@y.org")
    other = Person.of("ZOE LEE", email="z@Y.org").with_email("ZOE@x.org")
    assert features_of(one) == features_of(other)


def test_a_party_and_a_row_of_the_same_values_have_equal_features() -> None:
    address = PostalAddress.of(
        street_address="5 Oak St", locality="York", postal_code="YO1 7HH", country="GB"
    )
    party = Person.of(
        PersonName.from_parts(given="Ann", family="Lee"),
        email="ann@x.org", phone="+442079460018", birth_date="1985-04-12", address=address, occupation="Cook",
    ).with_identifier("national_id", "12-34")  # fmt: skip
    same = features_of_row(
        {
            "given_name": "ann",
            "family_name": "lee",
            "email": "ANN@x.org",
            "phone": "+44 20 7946 0018",
            "birth_date": "1985-04-12",
            "street_no": "5",
            "street": "oak street",
            "city": "york",
            "postcode": "yo17hh",
            "country": "United Kingdom",
            "occupation": "cook",
            "national_id": "1234",
            "employer": "Acme Ltd",
        }
    )
    assert features_of(party, employers=["ACME"]) == same


def test_parts_of_an_address_win_over_what_its_lines_seem_to_say() -> None:
    address = PostalAddress(lines=("5 Oak St", "York 1234"), locality="New York", postal_code="10001")
    form = features_of(Person.of("Ann Lee", address=address)).addresses[0]
    assert (form.door, form.city, form.postcode) == ("5 oak", "new york", "10001")


def test_former_names_are_names() -> None:
    assert len(features_of(Person.of("Ann Lee").renamed("Ann Hill")).names) == 2


def test_a_contact_point_of_the_wrong_person_is_no_evidence() -> None:
    party = Person.of("Ann Lee").with_point(EmailPoint.of("bo@x.org", status="wrong_person"))
    assert features_of(party).emails == ()


def test_shared_contact_points_are_marked() -> None:
    party = Person.of("Ann Lee").with_point(PhonePoint.of("+442079460018", shared=True))
    assert features_of(party).shared == {"+442079460018"}


def test_a_handle_is_evidence_and_a_web_site_is_not() -> None:
    party = Organization.of("Acme").with_online("https://acme.org").with_online("@acme", service="mastodon")
    assert features_of(party).identifiers == ("online:mastodon:MASTODONACME",)


def test_an_identifier_belongs_to_its_issuer() -> None:
    one = Person.of("Ann Lee").with_identifier("customer", "17", issuer="Acme")
    other = Person.of("Ann Lee").with_identifier("customer", "17", issuer="Bolt")
    assert features_of(one).identifiers != features_of(other).identifiers


def test_every_kind_of_party_has_features() -> None:
    assert features_of(Organization.of("Acme Ltd")).organizations == (("acme",),)
    assert features_of(Household.of("Lee family")).kind == "household"
    assert not features_of(Anonymous.of("cookie-17")).empty


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"full_name": "Ann Lee", "org_name": "Acme"}, "person"),
        ({"org_name": "Acme"}, "organization"),
        ({"email": "a@x.org"}, "anonymous"),
        ({"birth_date": "1985"}, "person"),
    ],
)
def test_a_row_is_of_the_kind_that_its_columns_tell(values: dict[str, str], kind: str) -> None:
    assert features_of_row(values).kind == kind


def test_the_name_of_an_organization_may_stand_in_any_column() -> None:
    assert features_of_row({"full_name": "Acme Ltd"}, "organization") == features_of_row({"org_name": "Acme"})


def test_a_record_with_hundreds_of_phones_keeps_a_few() -> None:
    party = Person.of("Ann Lee")
    for number in range(100):
        party = party.with_phone(f"+4420794600{number:02}")
    assert len(features_of(party).phones) == 8


def test_features_do_not_show_what_they_hold() -> None:
    shown = repr(features_of_row({"full_name": "Ann Lee", "email": "ann@x.org", "street": "5 Oak St"}))
    assert not {"ann", "lee", "oak"} & set(shown.lower().replace("'", " ").split())


def test_ten_megabytes_of_name_end_in_time() -> None:
    found = features_of_row(
        {"full_name": "a b" * 3_500_000, "street": "1 x " * 2_500_000, "email": "@" * 10_000_000}
    )
    assert isinstance(found, Features)
