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
    assert (
        fits(Party, party)
        or party.unknown
        or any(point.unknown for point in party.contact_points)
        or _deep(party)
    )


def _deep(party: Party) -> bool:
    """What a glance leaves to be tried: unknown keys further down."""
    return "unknown" in repr(attrs.asdict(party, recurse=True))


@settings(max_examples=150)
@given(parties(stored=False), st.data())
def test_what_fits_comes_back_whatever_stands_in_a_field(party: Party, data: st.DataObject) -> None:
    wrong: Any = party
    path = [party]
    while attrs.has(type(path[-1])):  # into a value within a value, as far as chance leads
        inner = [getattr(path[-1], f.name) for f in attrs.fields(type(path[-1]))]
        inner = [
            x for item in inner for x in (item if isinstance(item, tuple) else (item,)) if attrs.has(type(x))
        ]
        if not inner or data.draw(st.booleans()):
            break
        path.append(data.draw(st.sampled_from(inner)))
    field = data.draw(st.sampled_from([f.name for f in attrs.fields(type(path[-1]))]))
    before = getattr(path[-1], field)
    object.__setattr__(path[-1], field, data.draw(st.sampled_from(WRONG)))
    try:
        assert comes_back(wrong) or not fits(Party, wrong)
    finally:
        object.__setattr__(path[-1], field, before)


@pytest.mark.parametrize(
    "party",
    [
        ANN.changed(occupation=7),
        ANN.changed(language="en"),
        ANN.changed(sources=("shop",)),
        ANN.changed(names=[*ANN.names]),
        ANN.changed(unknown=FrozenMap({"later": 1})),
        ANN.changed(observed_at=datetime(2026, 1, 1, tzinfo=UTC)).changed(zone=b"x"),
        ANN.changed(contact_points=(attrs.evolve(ANN.emails[0], value=EmailAddress(text="a@x.org", local="b", domain="x.org")),)),
        "ANN",
        None,
    ],
    ids=range(9),
)  # fmt: skip
def test_what_is_of_another_type_does_not_fit(party: Any) -> None:
    assert not fits(Party, party)


def test_what_is_usual_fits() -> None:
    assert fits(
        Party,
        ANN.with_source("shop", "1").with_tag("vip").changed(observed_at=datetime(2026, 1, 1, tzinfo=UTC)),
    )
