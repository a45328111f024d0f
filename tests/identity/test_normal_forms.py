"""Normal forms: one form for the spellings of one value, none for what says nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.identity.normal_forms import (
    LONGEST,
    date_form,
    email_form,
    identifier_form,
    phone_form,
    postcode_form,
)

FORMS = [email_form, phone_form, date_form, postcode_form]


@pytest.mark.parametrize("form", FORMS)
@given(text=st.text(max_size=40))
@settings(max_examples=60)
def test_every_text_has_a_form_and_a_form_is_its_own(form: object, text: str) -> None:
    assert callable(form)
    once = form(text)
    assert isinstance(once, str)
    assert form(once) == once


@pytest.mark.parametrize("form", FORMS)
def test_a_hostile_text_is_cut(form: object) -> None:
    assert callable(form)
    assert len(form("9a@b.c " * 2_000_000)) <= LONGEST


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann@X.org", "ann@x.org"),
        (" <ann@x.org>,", "ann@x.org"),
        ("mailto:ann@x.org", "ann@x.org"),
        ("a.n.n+shop@gmail.com", "ann@googlemail.com"),
    ],
)
def test_spellings_of_one_mailbox_are_one(one: str, other: str) -> None:
    assert email_form(one) == email_form(other)


def test_dots_and_plus_tags_are_kept_where_the_provider_tells_them_apart() -> None:
    assert email_form("a.nn@x.org") != email_form("ann@x.org")
    assert email_form("ann+1@x.org") != email_form("ann@x.org")


def test_an_invalid_address_still_has_a_form() -> None:
    assert email_form("f@holmes@duncan.com") == "f@holmes@duncan.com"


@pytest.mark.parametrize("text", ["", "n/a", "000-0000", "1111111", "12345", "7.73E+016"])
def test_no_phone_is_read_into_fragments_and_placeholders(text: str) -> None:
    assert phone_form(text) == ""


def test_an_international_prefix_is_a_plus() -> None:
    assert phone_form("0044 20 7946 0018") == phone_form("+44 (20) 7946-0018") == "+442079460018"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("1985-04-12", "1985-04-12"),
        ("19850412", "1985-04-12"),
        ("1985-04-12T00:00:00", "1985-04-12"),
        ("1985", "1985"),
        ("1985-04", "1985-04"),
        ("--04-12", "--04-12"),
        ("25/12/1985", "1985-12-25"),
        ("1856-14-04", "1856-14-04"),
        ("soon", ""),
    ],
)
def test_dates_of_many_spellings(text: str, form: str) -> None:
    assert date_form(text) == form


def test_a_date_that_reads_two_ways_is_read_with_the_day_first() -> None:
    assert date_form("04/12/1985") == "1985-12-04"


def test_identifiers_ignore_case_and_punctuation_but_not_the_scheme() -> None:
    assert identifier_form("vat", "de 123.456-x") == identifier_form("vat", "DE123456X")
    assert identifier_form("vat", "1234") != identifier_form("lei", "1234")


@pytest.mark.parametrize("value", ["", "0", "000000", "9999", "--"])
def test_placeholders_are_no_identifiers(value: str) -> None:
    assert identifier_form("national_id", value) == ""


def test_a_short_number_is_an_identifier() -> None:
    assert identifier_form("customer", "7") == "customer:7"


def test_only_zip_codes_are_shortened() -> None:
    assert postcode_form("60644-1234") == "60644"
    assert postcode_form("SW1A 1AA") == "sw1a1aa"
