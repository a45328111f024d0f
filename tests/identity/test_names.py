"""Names of people and organizations as matching sees them."""

from __future__ import annotations

import unicodedata

import pytest

from crmcore.identity.names import full_name_form, organization_form, person_form


def test_a_full_name_is_read_like_its_parts() -> None:
    assert full_name_form("Dr. Ludwig van Beethoven Jr.") == person_form("Ludwig", "van Beethoven Jr.")
    assert full_name_form("Beethoven, Ludwig") == person_form("Ludwig", "Beethoven")


def test_titles_fall_away_and_generations_stand_apart() -> None:
    form = person_form("Prof. Ann Mary", "Lee III")
    assert form is not None
    assert (form.given, form.family, form.generation) == (("ann", "mary"), ("lee",), "3")


def test_a_title_alone_is_no_given_name() -> None:
    form = person_form("Sir", "Walpole")
    assert form is not None
    assert form.given == ()


@pytest.mark.parametrize("text", ["", "  ", "...", "Unknown"])
def test_nobody_has_no_form(text: str) -> None:
    assert full_name_form(text) is None
    assert person_form(text, "") is None


@pytest.mark.parametrize("family", ["Null", "None", "Na", "Test"])
def test_surnames_that_look_like_placeholders_are_names(family: str) -> None:
    form = person_form("Jo", family)
    assert form is not None
    assert form.family == (family.lower(),)


@pytest.mark.parametrize("text", ["김민준", "Мария Иванова", "محمد علي"])
def test_names_of_other_scripts_have_forms(text: str) -> None:
    assert full_name_form(text) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Horiba, Ltd.", "Horiba"),
        ("Sharp Kabushiki Kaisha", "SHARP K.K."),
        ("The Acme Co., Inc.", "ACME"),
        ("Philips B. V.", "Philips BV"),
        ("Müller GmbH & Co. KG", "MUELLER".replace("UE", "U")),
        ("St. Mary's Daycare Ctr", "Saint Marys Day Care Center"),
        ("Assn. of Natl. Univ.", "Association of National University"),
        ("I.B.M.", "IBM Corp"),
        ("I B M", "IBM"),
    ],
)
def test_legal_forms_and_abbreviations_are_folded(one: str, other: str) -> None:
    assert organization_form(one) == organization_form(other) != ()


def test_a_name_of_nothing_but_legal_forms_is_kept() -> None:
    assert organization_form("The Company Ltd") == ("the", "company", "ltd")


def test_a_hostile_name_is_cut() -> None:
    form = full_name_form("ann " * 2_500_000)
    assert form is not None
    assert len(form.given) <= 16
    assert len(organization_form("acme " * 2_500_000)) <= 16


@pytest.mark.parametrize("text", ["Müller Gesellschaft mbH", "Smith's Limited", "Sotheby–Lee Ltd"])
def test_how_signs_are_written_does_not_change_a_name(text: str) -> None:
    one = organization_form(text)
    assert organization_form(unicodedata.normalize("NFD", text)) == one
    assert organization_form(text.replace("'", "’").replace("–", "-")) == one
