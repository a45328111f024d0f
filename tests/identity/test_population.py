"""How common values are: counted by customers, not by records."""

from __future__ import annotations

from random import Random

from crmcore.identity.population import LEAST_SIZE, POINTS_A_BIT, Population
from tests.identity.rows import STRANGERS, row


def test_a_shared_mailbox_is_less_rare_than_a_personal_one() -> None:
    desk = [row(full_name=name, email="info@x.org") for name in ("Ann Lee", "Bo Hill", "Cy Park", "Di Moss")]
    population = Population.of([*desk, row(full_name="Ed Nash", email="ed@x.org")])
    assert population.rarity("email", "info@x.org") < population.rarity("email", "ed@x.org")


def test_one_customer_recorded_often_makes_nothing_common() -> None:
    once = Population.of([row(full_name="Ann Lee", email="ann@x.org")])
    often = Population.of([row(full_name="Ann Lee", email="ann@x.org")] * 50)
    assert often.rarity("email", "ann@x.org") == once.rarity("email", "ann@x.org")
    assert often.size == once.size == 1


def test_misspellings_of_one_customer_make_nothing_common() -> None:
    names = ("Olivia Davies", "Olvia Davies", "Olivia Daves", "Davies")
    population = Population.of([row(full_name=name, email="od@x.org") for name in names])
    assert population.rarity("email", "od@x.org") == Population.of([]).rarity("email", "od@x.org")


def test_more_customers_of_a_value_make_it_less_rare() -> None:
    rarities = []
    for count in (1, 2, 4, 12, 24):
        people = [
            row(full_name=" ".join((*f.names[0].given, *f.names[0].family)), phone="5550132")
            for f in STRANGERS[:count]
        ]
        others = [row(full_name=f"Name{letter} Other{letter}") for letter in "abcdefgh"]
        rarities.append(Population.of([*people, *others]).rarity("phone", "5550132"))
    assert rarities == sorted(rarities, reverse=True)
    assert len(set(rarities)) > 3


def test_a_word_is_as_rare_as_the_names_it_occurs_in_are_few() -> None:
    names = ("Acme School", "Bolt School", "Cape School", "Dune School", "Edge Works")
    population = Population.of([row(org_name=name) for name in names])
    assert population.rarity("word", "school") < population.rarity("word", "edge")


def test_small_populations_hardly_change_what_is_presumed() -> None:
    pair = Population.of([row(full_name="Ann Lee", city="York"), row(full_name="Bo Hill", city="York")])
    assert Population().rarity("city", "york") - pair.rarity("city", "york") <= 2 * POINTS_A_BIT


def test_a_large_population_is_believed() -> None:
    people = [
        row(full_name=f"{a}{b} {b}{a}x", city="York") for a in "bcdfghjklmnpqrst" for b in "bcdfghjklmnpqrst"
    ]
    assert len(people) == LEAST_SIZE
    assert Population.of(people).rarity("city", "york") <= 1.1 * POINTS_A_BIT


def test_the_order_of_records_does_not_matter() -> None:
    records = [*STRANGERS, *STRANGERS[:5]]
    shuffled = Random(1).sample(records, len(records))
    for field, value in (("city", "vigo"), ("given", "olafbr"), ("family", "castropia")):
        assert Population.of(shuffled).rarity(field, value) == Population.of(records).rarity(field, value)


def test_empty_records_are_no_customers() -> None:
    assert Population.of([row(), row(note="x")]).size == 0


def test_a_population_does_not_show_its_values() -> None:
    assert repr(Population.of([row(full_name="Ann Lee")])) == "Population(size=1)"
