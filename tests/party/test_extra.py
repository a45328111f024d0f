"""Laws of typed extras: what was written with one is read back equal with it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import InvalidDocument, InvalidParty
from crmcore.party import Extra, Person
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.money import Money
from crmcore.values.personal import Document
from tests.values.strategies import visible_texts

ANN = Person.of("Ann Lee")
SECRET = "canary-4711"

TYPED: list[tuple[Extra[Any], st.SearchStrategy[Any]]] = [
    (Extra("text", str), visible_texts()),
    (Extra("whole", int), st.integers()),
    (Extra("truth", bool), st.booleans()),
    (Extra("day", date), st.dates()),
    (Extra("instant", datetime), st.datetimes(timezones=st.just(UTC))),
    (Extra("exact", Decimal), st.decimals(allow_nan=False, allow_infinity=False)),
    (Extra("price", Money), st.just(Money.parse("12.50 EUR"))),
]


@pytest.mark.parametrize(("extra", "values"), TYPED, ids=[extra.key for extra, _ in TYPED])
@settings(max_examples=20)
@given(data=st.data())
def test_what_was_written_is_read_back_equal(
    extra: Extra[Any], values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    value = data.draw(values)
    assert ANN.with_extra(extra, value).get(extra) == value


def test_one_extra_leaves_the_others() -> None:
    size, pet = Extra("shoe_size", int), Extra("pet", str)
    ann = ANN.with_extra(size, 42).with_extra(pet, "cat").with_extra(size, 43)
    assert (ann.get(size), ann.get(pet)) == (43, "cat")
    assert ANN.get(size) is None


@pytest.mark.parametrize(
    ("type_", "wrong"), [(int, "42"), (int, True), (str, 42), (bool, 1), (date, "today"), (Money, 5)]
)
def test_a_value_of_another_type_is_refused(type_: Any, wrong: Any) -> None:
    with pytest.raises(InvalidParty, match="shoe_size"):
        ANN.with_extra(Extra("shoe_size", type_), wrong)


def test_what_somebody_else_stored_under_the_key_is_refused_without_its_value() -> None:
    ann = ANN.changed(extras=FrozenMap({"shoe_size": SECRET}))
    with pytest.raises(InvalidDocument) as raised:
        ann.get(Extra("shoe_size", int))
    assert SECRET not in f"{raised.value} {raised.value!r}"


def test_an_extra_may_be_a_document_of_the_application() -> None:
    import attrs

    @attrs.frozen
    class Shoe(Document):
        size: int = 0

    shoe = Extra("shoe", Shoe)
    assert ANN.with_extra(shoe, Shoe(size=42)).get(shoe) == Shoe(size=42)
