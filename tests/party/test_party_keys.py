"""Laws of the keys that parties and relationships are found by."""

from __future__ import annotations

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.party import Household, Party, Person
from crmcore.party.party_keys import (
    EMAIL,
    IDENTIFIER,
    NAME,
    PHONE,
    RETRACTED,
    key,
    party_keys,
    party_sorts,
    related_keys,
    retracted_key,
    source_key,
)
from crmcore.values.source import Source
from tests.party.strategies import parties, relationships
from tests.values.strategies import HOSTILE


@settings(max_examples=25)
@given(parties())
def test_a_retracted_party_keeps_its_source_records_and_is_found_by_nothing_else(party: Party) -> None:
    retracted = attrs.evolve(party, standing="retracted")
    keys = party_keys(retracted)
    assert {one for one in keys if one.namespace != RETRACTED} == {source_key(one) for one in party.sources}
    told = party_keys(attrs.evolve(party, standing="active"))
    there = {retracted_key(one) for one in told if one.namespace in (EMAIL, PHONE)}
    assert {one for one in keys if one.namespace == RETRACTED} == there
    assert party_sorts(retracted) == frozenset()


@settings(max_examples=25)
@given(parties())
def test_every_source_address_and_identifier_is_a_key(party: Party) -> None:
    active = attrs.evolve(party, standing="active")
    keys = party_keys(active)
    assert {source_key(source) for source in active.sources} <= keys
    assert {key(EMAIL, point.key) for point in active.emails} <= keys
    assert {key(PHONE, point.key) for point in active.phones} <= keys
    found = [found for found in keys if found.namespace == IDENTIFIER]
    assert len(found) == len({(i.scheme, i.key) for i in active.identifiers})


@settings(max_examples=25)
@given(parties())
def test_keys_fit_into_any_store(party: Party) -> None:
    active = attrs.evolve(party, standing="active")
    assert all(len(found.value.encode()) <= 512 for found in party_keys(active))
    assert all(len(sort.value) <= 64 for sort in party_sorts(active))


@given(st.text() | st.sampled_from(HOSTILE) | st.characters(categories=["Cs"]))
def test_any_text_at_all_makes_a_key_that_a_store_can_look_for(text: str) -> None:
    found = key(EMAIL, text * 50)
    assert len(found.value.encode()) <= 512
    assert "\x00" not in found.value
    assert key(EMAIL, text * 50) == found


def test_two_long_texts_have_two_keys() -> None:
    assert key(EMAIL, "x" * 600) != key(EMAIL, "x" * 601)


def test_a_number_is_found_with_and_without_its_extension() -> None:
    ann = Person.of("Ann Lee", phone="+44 20 7946 0018 ext. 7")
    values = {found.value for found in party_keys(ann) if found.namespace == PHONE}
    assert values == {"+442079460018x7", "+442079460018"}


def test_a_system_and_its_record_are_never_mistaken_for_another_pair() -> None:
    assert source_key(Source("a", "b c")) != source_key(Source("a b", "c"))


def test_a_name_is_in_order_under_each_of_its_words() -> None:
    sorts = party_sorts(Person.of("María del Carmen García"))
    assert {sort.part for sort in sorts} == {"m", "d", "c", "g"}
    assert {sort.namespace for sort in sorts} == {NAME}
    assert party_sorts(Household.of("the Lees")) != frozenset()


@given(relationships())
def test_a_relationship_is_found_from_both_ends(relationship: object) -> None:
    assert {found.value for found in related_keys(relationship)} == {relationship.from_, relationship.to}  # type: ignore[arg-type,attr-defined]  # drawn from the strategy
