"""Organizations are told apart by the people who work for them."""

from __future__ import annotations

import pytest

from crmcore.identity.features import Features, features_of
from crmcore.identity.population import Population
from crmcore.identity.rules import RuleMatcher
from crmcore.party.party import Organization


def verdict(a: Features, b: Features) -> str:
    return RuleMatcher().compare(a, b, Population.of([a, b])).verdict


def firm(name: str, *people: str) -> Features:
    return features_of(Organization.of(name), people=people)


def test_a_lone_name_of_an_organization_joins_nothing() -> None:
    assert verdict(firm("Renesas Electronics Corporation"), firm("Renesas Electronics Corp.")) == "unsure"


def test_a_whole_name_and_a_colleague_in_common_are_two_fields_that_agree() -> None:
    assert (
        verdict(firm("Renesas Electronics Corporation", "p1"), firm("Renesas Electronics Corp.", "p1"))
        == "same"
    )


def test_different_people_say_nothing() -> None:
    assert verdict(firm("Renesas Electronics", "p1"), firm("Renesas Electronics", "p2")) == "unsure"


@pytest.mark.parametrize(
    "other", ["Renesas Technology Corp.", "Hitachi, Ltd.", "Texas Instruments Incorporated"]
)
def test_people_who_move_between_companies_do_not_make_them_one(other: str) -> None:
    people = ("p1", "p2", "p3", "p4", "p5")
    assert verdict(firm("Renesas Electronics Corporation", *people), firm(other, *people)) != "same"


def test_many_colleagues_say_no_more_than_three() -> None:
    population = Population()
    few = RuleMatcher().compare(firm("Acme", "p1", "p2", "p3"), firm("Acme", "p1", "p2", "p3"), population)
    people = [f"p{number}" for number in range(50)]
    many = RuleMatcher().compare(firm("Acme", *people), firm("Acme", *people), population)
    assert few.score == many.score


def test_the_order_and_repetition_of_people_do_not_matter() -> None:
    assert firm("Acme", "p1", "p2") == firm("Acme", "p2", "p1", "p2")
