"""Laws of organizations' names."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings

from crmcore.errors import InvalidName, InvalidValue
from crmcore.serde import dump, load
from crmcore.values.organization_name import OrganizationName
from crmcore.values.personal import field_classes
from tests.values.strategies import HOSTILE, organization_names, visible_texts, wordings
from tests.values.timing import cpu_seconds


@given(visible_texts() | wordings())
@settings(max_examples=150)
def test_parsing_the_text_again_gives_the_same_name(text: str) -> None:
    name = OrganizationName.parse(text)
    assert OrganizationName.parse(name.text) == name
    assert hash(OrganizationName.parse(name.text)) == hash(name)


@given(organization_names())
@settings(max_examples=100)
def test_json_loses_nothing(name: OrganizationName) -> None:
    assert load(OrganizationName, dump(name)) == name


@given(wordings())
@settings(max_examples=100)
def test_both_normal_forms_are_one_name(text: str) -> None:
    composed = OrganizationName.parse(unicodedata.normalize("NFC", text))
    assert composed == OrganizationName.parse(unicodedata.normalize("NFD", text))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Müller GmbH & Co. KG", "muller gmbh co kg"),
        ("MULLER GMBH & CO KG", "muller gmbh co kg"),
        ("Fiat S.p.A.", "fiat spa"),
        ("株式会社 日立製作所", "株式会社 日立製作所"),
        ("☕", "☕"),
        ("!!!", "!!!"),
    ],
)
def test_the_key_is_the_folded_name_and_never_empty(text: str, key: str) -> None:
    assert OrganizationName.parse(text).key == key


@pytest.mark.parametrize(
    ("text", "reason"),
    [(None, "type"), ("", "empty"), ("\t", "empty"), ("x" * 513, "too_long"), ("a\ud800", "surrogate")],
)
def test_refusals_say_why(text: str, reason: str) -> None:
    with pytest.raises(InvalidName) as caught:
        OrganizationName.parse(text)
    assert caught.value.reason == reason


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InvalidName):
        OrganizationName("Acme", "nice")  # type: ignore[arg-type]  # wrong on purpose


def test_it_is_public_but_not_shown() -> None:
    name = OrganizationName("Acme", "legal")
    assert field_classes(OrganizationName)["text"] == "public"
    for shown in (repr(name), str(name), f"{name}"):
        assert "Acme" not in shown


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_values_or_refused_as_values(text: str) -> None:
    try:
        OrganizationName.parse(text).key.encode()
    except InvalidValue as error:
        str(error).encode()


def test_the_same_text_parsed_twice_costs_once() -> None:
    assert OrganizationName.parse("Acme") is OrganizationName.parse("Acme")


def test_an_enormous_text_ends_at_once() -> None:
    text = "Acme " * 2_000_000

    def attempt() -> None:
        with pytest.raises(InvalidName):
            OrganizationName.parse(text)

    assert cpu_seconds(attempt) < 0.05
