"""Laws of relationships: two ends, one record, dates, and the circles and doubles that are refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.errors import (
    InvalidPeriod,
    InvalidRelationship,
    RelationshipCycle,
    RelationshipOverlap,
)
from crmcore.party import (
    EMPLOYMENT,
    MEMBERSHIP,
    PARENT_COMPANY,
    REPORTS_TO,
    TYPES,
    Relationship,
    check_cycle,
    check_kinds,
    check_overlap,
)
from crmcore.values.ids import RelationshipId
from crmcore.values.period import Period
from tests.party.strategies import PARTIES, RELATIONSHIPS, relationships
from tests.values.strategies_time import date_periods

ANN, BEN, ACME, APEX = PARTIES
KINDS = ("person", "organization", "household", "anonymous")


def job(to: Any = ACME, **facts: Any) -> Relationship:
    return Relationship(type="employment", from_=ANN, to=to, **facts)


@given(relationships())
def test_the_other_end_of_the_other_end_is_the_first(relationship: Relationship) -> None:
    for end in (relationship.from_, relationship.to):
        assert relationship.other(end) != end
        assert relationship.other(relationship.other(end)) == end


def test_a_party_is_never_related_to_itself() -> None:
    with pytest.raises(InvalidRelationship):
        Relationship(type="reports_to", from_=ANN, to=ANN)


def test_a_relationship_holds_from_day_to_day() -> None:
    with pytest.raises(InvalidRelationship, match="dates"):
        job(valid=Period(datetime(2020, 1, 1, tzinfo=UTC), None))
    with pytest.raises(InvalidRelationship, match="dates"):
        job(valid=Period(None, datetime(2020, 1, 1, tzinfo=UTC)))


def test_a_draft_has_no_id_and_says_how_to_get_one() -> None:
    with pytest.raises(InvalidRelationship, match=r"crm\.relationships\.add"):
        _ = job().id


def test_the_day_of_the_end_is_the_first_on_which_it_no_longer_holds() -> None:
    ended = job(valid=Period.since(date(2003, 4, 1))).ended(date(2010, 4, 1))
    assert ended.valid.contains(date(2010, 3, 31))
    assert not ended.valid.contains(date(2010, 4, 1))
    with pytest.raises(InvalidPeriod):
        ended.ended(date(2003, 4, 1))


@pytest.mark.parametrize("type_", TYPES.values(), ids=lambda type_: type_.key)
@pytest.mark.parametrize("from_kind", KINDS)
@pytest.mark.parametrize("to_kind", KINDS)
def test_a_type_joins_the_kinds_that_it_names_and_no_others(type_: Any, from_kind: str, to_kind: str) -> None:
    if from_kind in type_.kinds[0] and to_kind in type_.kinds[1]:
        check_kinds(type_, from_kind, to_kind)
    else:
        with pytest.raises(InvalidRelationship, match=type_.key):
            check_kinds(type_, from_kind, to_kind)


def test_the_four_types_have_a_label_from_either_end() -> None:
    assert set(TYPES) == {"employment", "household_member", "reports_to", "parent_company"}
    assert {(EMPLOYMENT.label, EMPLOYMENT.inverse), (MEMBERSHIP.label, MEMBERSHIP.inverse)} == {
        ("works for", "employs"),
        ("lives in", "has member"),
    }


# --- doubles -------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(date_periods(), date_periods())
def test_the_same_twice_is_refused_exactly_when_the_times_overlap(
    one: Period[date], other: Period[date]
) -> None:
    old = job(id=RELATIONSHIPS[0], valid=one)
    new = job(valid=other)
    if one.overlaps(other):
        with pytest.raises(RelationshipOverlap):
            check_overlap(new, [old], EMPLOYMENT)
    else:
        check_overlap(new, [old], EMPLOYMENT)


def test_several_employers_at_a_time_are_fine_and_one_is_primary_at_most() -> None:
    old = job(id=RELATIONSHIPS[0], primary=True)
    check_overlap(job(APEX), [old], EMPLOYMENT)
    with pytest.raises(RelationshipOverlap, match="primary"):
        check_overlap(job(APEX, primary=True), [old], EMPLOYMENT)
    check_overlap(
        Relationship(type="household_member", from_=ANN, to=APEX, primary=True),
        [attrs.evolve(old, type="household_member")],
        MEMBERSHIP,
    )


@pytest.mark.parametrize(
    "old",
    [
        job(id=RELATIONSHIPS[0], retracted=True, primary=True),
        job(id=RELATIONSHIPS[1], primary=True),
        Relationship(id=RelationshipId(ANN), type="reports_to", from_=ANN, to=ACME, primary=True),
        Relationship(id=RelationshipId(ANN), type="employment", from_=BEN, to=ACME, primary=True),
    ],
    ids=["taken back", "itself", "another type", "of somebody else"],
)
def test_what_stands_in_nobodys_way_is_no_double(old: Relationship) -> None:
    check_overlap(job(id=RELATIONSHIPS[1], primary=True), [old], EMPLOYMENT)


# --- circles -------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.lists(st.sampled_from(PARTIES[2:])))
def test_a_circle_is_refused_and_a_hierarchy_is_not(above: list[Any]) -> None:
    new = Relationship(type="reports_to", from_=ANN, to=BEN)
    for type_ in (REPORTS_TO, PARENT_COMPANY):
        check_cycle(new, above, type_)
        with pytest.raises(RelationshipCycle):
            check_cycle(new, [*above, ANN], type_)
    check_cycle(new, [*above, ANN], EMPLOYMENT)
