"""Addresses as one group of parts, whatever the custom of writing them."""

from __future__ import annotations

import pytest

from crmcore.identity.addresses import address_form, address_of_lines, street_form


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1112 W. Foster Avenue", "1112 west foster ave"),
        ("5332-34 W Addison", "5332 34 w addison"),
        ("401 E 111th Street", "401 east 111th st"),
        ("12 First St", "12 1st Street"),
        ("100 N Main St, Suite 5", "100 north main street"),
        ("100 N Main St Floor 2", "100 N Main St"),
        ("Goethestraße 12", "Goethestr. 12"),
        ("12, rue de l'Église", "12 RUE DE L EGLISE".replace("L E", "LE")),
        ("7 Saint Louis Rd", "7 St. Louis Road"),
    ],
)
def test_spellings_of_one_door_are_one(one: str, other: str) -> None:
    assert street_form("", one).door == street_form("", other).door != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10 51st St", "10 52nd St"),
        ("10 Oak St", "12 Oak St"),
        ("10a Oak St", "10b Oak St"),
        ("1 Elm St", "1 Oak St"),
    ],
)
def test_different_doors_are_different(one: str, other: str) -> None:
    assert street_form("", one).door != street_form("", other).door


def test_a_number_given_apart_is_the_house_number() -> None:
    assert street_form("24", "Learmonth Drive") == street_form("", "24 Learmonth Dr")


def test_directions_types_and_units_are_parts_of_their_own() -> None:
    form = street_form("", "730 N Pulaski Rd Apt 3")
    assert (form.number, form.direction, form.street, form.type, form.unit) == (
        "730",
        "n",
        ("pulaski",),
        "rd",
        "3",
    )


def test_a_street_called_north_keeps_its_name() -> None:
    assert street_form("", "5251 W North Ave").street == ("north",)
    assert street_form("", "12 North Street").street == ("north",)


def test_lines_give_street_postcode_and_city() -> None:
    form = address_of_lines(("Foster Center", "1112 W Foster Ave", "Chicago IL 60640"))
    assert form is not None
    assert (form.door, form.postcode, form.city) == ("1112 foster", "60640", "chicago il")


@pytest.mark.parametrize(
    ("last", "postcode"),
    [
        ("London SW1A 2AA", "sw1a2aa"),
        ("1012 AB Amsterdam", "1012ab"),
        ("80331 München", "80331"),
        ("00-950 Warszawa", "00950"),
    ],
)
def test_postcodes_of_many_countries_are_found(last: str, postcode: str) -> None:
    form = address_of_lines(("10 Some Street", last))
    assert form is not None
    assert form.postcode == postcode


def test_one_line_with_commas_is_read_like_lines() -> None:
    assert address_of_lines(("5 Oak St, York, YO1 7HH",)) == address_of_lines(("5 Oak St", "York", "YO1 7HH"))


def test_nothing_gives_no_form() -> None:
    assert address_form() is None
    assert address_of_lines(()) is None
    assert address_form(city=" ", postcode="-") is None


def test_a_hostile_street_is_cut() -> None:
    assert len(street_form("", ("12 oak " * 1_000_000)[:160]).street) <= 16
    form = address_form(street="12 oak " * 1_000_000, city="x" * 10_000_000)
    assert form is not None
    assert len(form.text) < 1000
