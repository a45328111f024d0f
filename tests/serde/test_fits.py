"""A glance at a value never says more than writing and reading it would."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore import Party, Person
from crmcore.errors import CrmError
from crmcore.party.party_keys import PARTY
from crmcore.serde import fits
from crmcore.values import EmailAddress
from crmcore.values.frozen_map import FrozenMap
from tests.party.strategies import parties

ANN = Person.of(
    "Ann Lee", email="ann@x.org", phone="020 7946 0018", region="GB", address="1 High Street, Rye"
)
OTHER = EmailAddress(text="a@x.org", local="b", domain="x.org")
"""Not what its text says."""

WRONG: list[Any] = [
    7,
    1.5,
    True,
    None,
    "",
    "x",
    b"x",
    (),
    ("x",),
    (None,),
    [],
    {},
    frozenset({1}),
    object(),
    ANN,
]


def comes_back(party: Any) -> bool:
    try:
        return bool(PARTY.load(PARTY.dump(party)) == party)
    except (CrmError, AttributeError, TypeError, ValueError, KeyError, RecursionError):
        return False


@settings(max_examples=60)
@given(parties(stored=False))
def test_what_a_program_makes_fits_and_comes_back(party: Party) -> None:
    assert comes_back(party)
    assert fits(Party, party)


def with_any(value: Any, data: st.DataObject) -> Any:
    """*value* with something in one of its fields, or in a field of what is in one, that the constructor lets pass."""
    field = data.draw(st.sampled_from(attrs.fields(type(value))))
    item = getattr(value, field.name)
    inner = item[0] if isinstance(item, tuple) and item else item
    new = data.draw(st.sampled_from(WRONG))
    if attrs.has(type(inner)) and data.draw(st.booleans()):
        new = with_any(inner, data)
        new = (new, *item[1:]) if isinstance(item, tuple) else new
    return attrs.evolve(value, **{field.alias: new})


@settings(max_examples=200)
@given(parties(stored=False), st.data())
def test_what_fits_comes_back_whatever_stands_in_a_field(party: Party, data: st.DataObject) -> None:
    try:
        wrong = with_any(party, data)
    except (CrmError, AttributeError, TypeError, ValueError):
        return
    assert comes_back(wrong) or not fits(Party, wrong)


@pytest.mark.parametrize(
    "party",
    [
        ANN.changed(occupation=7),
        ANN.changed(language="en"),
        ANN.changed(sources=("shop",)),
        ANN.changed(names=[*ANN.names]),
        ANN.changed(unknown=FrozenMap({"later": 1})),
        ANN.changed(observed_at=datetime(2026, 1, 1, tzinfo=UTC)).changed(zone=b"x"),
        ANN.changed(contact_points=(attrs.evolve(ANN.emails[0], value=OTHER),)),
        "ANN",
        None,
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_of_another_type_does_not_fit(party: Any) -> None:
    assert not fits(Party, party)


def test_what_is_usual_fits() -> None:
    party = ANN.with_source("shop", "1").with_tag("vip")
    assert fits(Party, party.changed(observed_at=datetime(2026, 1, 1, tzinfo=UTC)))
