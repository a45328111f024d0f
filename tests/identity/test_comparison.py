"""How dates, e-mails, phones, identifiers and addresses compare."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity.addresses import AddressForm, address_form
from crmcore.identity.comparison import dates, emails, identifiers, phones, places

texts = st.text("-0123456789ab@.:+", max_size=12)


@pytest.mark.parametrize("compare", [dates, emails, phones, identifiers])
@given(a=texts, b=texts)
@settings(max_examples=100)
def test_comparing_is_symmetric(compare: Callable[[str, str], str], a: str, b: str) -> None:
    assert compare(a, b) == compare(b, a)


forms = st.builds(
    AddressForm,
    st.sampled_from(("", "5", "15", "50")),
    st.sampled_from(((), ("oak",), ("oak", "hill"), ("elm",), ("51",))),
    st.sampled_from(("", "st", "rd")),
    st.sampled_from(("", "n", "s")),
    st.just(""),
    st.sampled_from(("", "york", "yorke", "leeds")),
    st.sampled_from(("", "wy")),
    st.sampled_from(("", "yo17hh", "ls11aa")),
    st.sampled_from(("", "gb", "us")),
)


@given(a=forms, b=forms)
@settings(max_examples=200)
def test_addresses_compare_symmetrically(a: AddressForm, b: AddressForm) -> None:
    assert places(a, b) == places(b, a)


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("1985-04-12", "1985-04-12", "same"),
        ("1985-04-12", "1985-04-13", "typo"),
        ("1985-04-12", "1985-12-04", "typo"),
        ("1985-04-12", "1958-04-12", "typo"),
        ("1985-04-12", "1985-04-29", "two parts"),
        ("1985-04-12", "1963-04-12", "two parts"),
        ("1985-04-12", "1986-04-13", "near"),
        ("1985-04-12", "1979-11-30", "different"),
        ("1985", "1985-04-12", "year"),
        ("1985-04", "1985-05-12", "different"),
        ("--04-12", "1985-04-12", "year"),
        ("--04-12", "1985", "different"),
        ("1985-01-01", "1985-04-12", "year"),
        ("1985-01-01", "1985-01-01", "year"),
        ("1985-01-01", "1986-01-01", "different"),
    ],
)
def test_dates(a: str, b: str, level: str) -> None:
    assert dates(a, b) == level


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("ann.lee@x.org", "ann.lee@x.org", "same"),
        ("ann.lee@holloway.info", "ann.le@hollowya.info", "typo"),
        ("ann.lee@x.org", "ann.lee@y.example", "local"),
        ("ann@x.org", "ann@y.example", "different"),
        ("ann.lee1@mail.org", "ann.lee2@mail.org", "different"),
        ("ann@x.org", "bob@x.org", "different"),
    ],
)
def test_emails(a: str, b: str, level: str) -> None:
    assert emails(a, b) == level


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("+442079460018", "+442079460018", "same"),
        ("+442079460018", "02079460018", "same"),
        ("9897433", "+13129897433", "same"),
        ("+13129897433", "+17739897433", "different"),
        ("+442079460018", "+442079460081", "typo"),
        ("989743", "+1312989743", "different"),
        ("+442079460018", "+442079461119", "different"),
    ],
)
def test_phones(a: str, b: str, level: str) -> None:
    assert phones(a, b) == level


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("national_id:5408495", "national_id:5408495", "same"),
        ("national_id:5408495", "national_id:5408945", "typo"),
        ("national_id:5408495", "national_id:1111122", "different"),
        ("a:17", "a:18", "different"),
        ("a:17", "b:17", "unrelated"),
    ],
)
def test_identifiers(a: str, b: str, level: str) -> None:
    assert identifiers(a, b) == level


def address(text: str, **parts: str) -> AddressForm:
    form = address_form(street=text, **parts)
    assert form is not None
    return form


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        (address("5 Oak St"), address("5 oak street"), ("same", "door")),
        (address("5 Oak St"), address("5 Oka St"), ("close", "door")),
        (address("5 Oak St"), address("5 Oak Rd"), ("close", "door")),
        (address("5 N Oak St"), address("5 S Oak St"), ("different", "")),
        (address("5 51st St"), address("5 52nd St"), ("different", "")),
        (address("175 Oak St", postcode="1234"), address("157 Oak St", postcode="1234"), ("close", "door")),
        (
            address("175 Oak St", postcode="1234"),
            address("178 Oak St", postcode="1234"),
            ("elsewhere", "postcode"),
        ),
        (address("175 Oak St"), address("157 Oak St"), ("different", "")),
        (address("Oak St"), address("5 Oak St"), ("same", "street")),
        (address("5 Oak St", city="York"), address("9 Elm St", city="York"), ("elsewhere", "city")),
        (address("", city="York"), address("5 Oak St", city="York"), ("same", "city")),
        (address("", city="York"), address("", city="Yrok"), ("close", "city")),
        (
            address("", country="gb", city="York"),
            address("", country="gb", city="Bath"),
            ("elsewhere", "country"),
        ),
        (address("5 Oak St", city="York"), address("5 Oak St", city="Bath"), ("close", "door")),
        (
            address("5 Oak St", city="York", postcode="YO1"),
            address("5 Oak St", city="Bath", postcode="BA2 4"),
            ("different", ""),
        ),
        (address("", city="York"), address("", country="gb"), ("unknown", "")),
    ],
)
def test_addresses(a: AddressForm, b: AddressForm, level: tuple[str, str]) -> None:
    assert places(a, b) == level
