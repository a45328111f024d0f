"""Laws of countries."""

from __future__ import annotations

import unicodedata
from contextlib import suppress

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidAddress, InvalidValue
from crmcore.values import country
from crmcore.values.country import COUNTRIES, COUNTRY_NAMES, country_code, country_name
from crmcore.values.text import fold
from tests.values.strategies import HOSTILE, countries, texts


@given(countries(), st.sampled_from(["NFC", "NFD"]))
@settings(max_examples=260)
def test_code_and_name_of_a_country_lead_to_each_other(code: str, form: str) -> None:
    name = country_name(code)
    written = unicodedata.normalize("NFC" if form == "NFC" else "NFD", name)
    assert country_code(written) == country_code(name.upper()) == country_code(code.lower()) == code


def test_the_codes_are_those_of_the_standard_and_kosovo() -> None:
    assert len(COUNTRIES) == 250
    assert set(COUNTRY_NAMES) == COUNTRIES
    assert len(set(COUNTRY_NAMES.values())) == 250
    assert all(len(code) == 2 and code.isupper() for code in COUNTRIES)
    # An independent list: every region with a numbering plan but two islands without a code of the standard.
    assert phonenumbers.SUPPORTED_REGIONS - {"AC", "TA"} <= COUNTRIES


def test_no_name_stands_for_two_countries() -> None:
    codes: dict[str, set[str]] = {}
    for line in country._TABLE.splitlines():
        for name in (line[:2], line[3:6], line[7:]):
            codes.setdefault(fold(name), set()).add(line[:2])
    for line in country._ALSO.splitlines():
        for name in line[3:].split(", "):
            assert fold(name)
            codes.setdefault(fold(name), set()).add(line[:2])
    assert {name: found for name, found in codes.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("de", "DE"),
        ("DEU", "DE"),
        (" Deutschland ", "DE"),
        ("USA", "US"),
        ("U.S.A.", "US"),
        ("United States of America", "US"),
        ("UK", "GB"),
        ("England", "GB"),
        ("Österreich", "AT"),
        ("osterreich", "AT"),
        ("Côte d’Ivoire", "CI"),
        ("Cote d'Ivoire", "CI"),
        ("Türkiye", "TR"),
        ("TURKEY", "TR"),
        ("日本", "JP"),
        ("대한민국", "KR"),
        ("Россия", "RU"),
        ("Ελλάδα", "GR"),
        ("Viet Nam", "VN"),
        ("Saint Lucia", "LC"),
        ("Holland", "NL"),
        ("Kosovo", "XK"),
        ("Bosnia and Herzegovina", "BA"),
    ],
)
def test_names_on_envelopes(text: str, code: str) -> None:
    assert country_code(text) == code


@pytest.mark.parametrize(
    ("text", "reason"),
    [("ZZ", "country"), ("Congo", "country"), ("Atlantis", "country"), ("☕", "country"), ("", "empty"), (None, "type"),
     ("x" * 101, "too_long"), ("D\ud800", "surrogate")],
)  # fmt: skip
def test_what_is_no_country_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidAddress) as caught:
        country_code(text)
    assert caught.value.reason == reason


@given(texts(max_size=20))
@settings(max_examples=100)
def test_a_text_is_a_country_or_refused(text: str) -> None:
    with suppress(InvalidAddress):
        assert country_code(text) in COUNTRIES


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_refused_as_values(text: str) -> None:
    with pytest.raises(InvalidValue):
        country_code(text)
