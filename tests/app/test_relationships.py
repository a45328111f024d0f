"""Laws of `crm.relationships` over every engine: one record, two ends, no doubles, and no circle at any time."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

import attrs
import pytest

from crmcore import Crm, Household, Organization, Period, Person, Relationship
from crmcore.app.relationships import add_relationship
from crmcore.errors import (
    InvalidPeriod,
    InvalidRelationship,
    NotFound,
    RelationshipCycle,
    RelationshipOverlap,
)
from crmcore.party.relationship_events import RelationshipAdded, RelationshipChanged
from crmcore.storage import MemoryStore, run
from crmcore.values.ids import PartyId, RelationshipId
from tests.app.houses import CLERK, in_memory, options
from tests.app.troubled import interrupted

T = TypeVar("T")
NOBODY = "01977420-dc00-7000-8000-000000000000"


def people(crm: Crm, count: int) -> list[PartyId]:
    return [party.id for party in crm.parties.add_many([Person.of(f"Person {n}") for n in range(count)])]


def companies(crm: Crm, count: int) -> list[PartyId]:
    drafts = [Organization.of(f"Company {n}") for n in range(count)]
    return [party.id for party in crm.parties.add_many(drafts)]


# --- two ends ------------------------------------------------------------------------------------------


def test_one_record_is_read_from_both_ends(crm: Crm) -> None:
    (ann,), (acme,) = people(crm, 1), companies(crm, 1)
    job = crm.relationships.add(
        "employment", ann, acme, title="Engineer", valid=Period.since(date(2020, 1, 1))
    )
    assert job.version == 1
    assert crm.relationships.of(ann) == crm.relationships.of(acme) == (job,)
    assert job.other(ann) == acme
    assert crm.relationships.of(people(crm, 1)[0]) == ()


def test_relationships_come_in_the_order_in_which_they_were_recorded(crm: Crm) -> None:
    (ann,), employers = people(crm, 1), companies(crm, 5)
    jobs = [crm.relationships.add("employment", ann, acme) for acme in reversed(employers)]
    assert [job.to for job in crm.relationships.of(ann)] == [job.to for job in jobs]


def test_what_held_on_a_day_is_told_from_what_did_not(crm: Crm) -> None:
    (ann,), (acme, apex) = people(crm, 1), companies(crm, 2)
    first = crm.relationships.add("employment", ann, acme, valid=Period(date(2003, 1, 1), date(2010, 1, 1)))
    second = crm.relationships.add("employment", ann, apex, valid=Period.since(date(2010, 1, 1)))
    assert crm.relationships.of(ann, on=date(2009, 12, 31)) == (first,)
    assert crm.relationships.of(ann, on=date(2010, 1, 1)) == (second,)
    assert crm.relationships.of(ann, on=date(2002, 1, 1)) == ()


@pytest.mark.parametrize(
    ("type_", "ends", "error"),
    [
        ("friendship", ("person", "person"), InvalidRelationship),
        ("employment", ("company", "person"), InvalidRelationship),
        ("employment", ("person", "person"), InvalidRelationship),
        ("household_member", ("person", "company"), InvalidRelationship),
        ("parent_company", ("person", "company"), InvalidRelationship),
        ("employment", ("person", "nobody"), NotFound),
        ("employment", ("nobody", "company"), NotFound),
        ("reports_to", ("person", "person"), InvalidRelationship),
    ],
)
def test_what_is_no_relationship_is_refused(
    crm: Crm, type_: str, ends: tuple[str, str], error: type[Exception]
) -> None:
    ids = {"person": people(crm, 1)[0], "company": companies(crm, 1)[0], "nobody": PartyId(NOBODY)}
    with pytest.raises(error):
        crm.relationships.add(type_, ids[ends[0]], ids[ends[1]])
    assert crm.relationships.of(ids["person"]) == ()


# --- changing ------------------------------------------------------------------------------------------


def test_ending_changing_and_retracting_leave_a_history(crm: Crm) -> None:
    (ann,), (acme,) = people(crm, 1), companies(crm, 1)
    job = crm.relationships.add("employment", ann, acme)
    titled = crm.relationships.change(job.id, lambda r: _titled(r, "Engineer"), reason="promoted")
    ended = crm.relationships.end(job.id, on=date(2020, 1, 1), reason="left")
    crm.relationships.retract(job.id, reason="never worked there")
    assert (titled.version, ended.version) == (2, 3)
    assert ended.valid == Period.until(date(2020, 1, 1))
    assert crm.relationships.of(ann) == crm.relationships.of(acme) == ()
    found = [happened.event for happened in crm.events().items]
    added, *changes = [e for e in found if isinstance(e, (RelationshipAdded, RelationshipChanged))]
    assert isinstance(added, RelationshipAdded)
    assert (added.relationship, added.actor) == (job.id, CLERK)
    assert [(e.before, e.after, e.reason) for e in changes if isinstance(e, RelationshipChanged)] == [
        (job, titled, "promoted"),
        (titled, ended, "left"),
        (ended, _retracted(ended, version=4), "never worked there"),
    ]


def _titled(relationship: Relationship, title: str) -> Relationship:
    return attrs.evolve(relationship, title=title)


def _retracted(relationship: Relationship, *, version: int) -> Relationship:
    return attrs.evolve(relationship, retracted=True, version=version)


def test_a_change_that_changes_nothing_writes_nothing(crm: Crm) -> None:
    (ann,), (acme,) = people(crm, 1), companies(crm, 1)
    job = crm.relationships.add("employment", ann, acme)
    before = crm.store.changes("default").watermark
    assert crm.relationships.change(job.id, lambda r: r) == job
    assert crm.store.changes("default").watermark == before


def test_ends_and_type_stay(crm: Crm) -> None:
    (ann, ben), (acme,) = people(crm, 2), companies(crm, 1)
    job = crm.relationships.add("employment", ann, acme)
    for wrong in ({"from_": ben}, {"to": ben}, {"type": "reports_to"}, {"id": RelationshipId(NOBODY)}):
        with pytest.raises(InvalidRelationship):
            crm.relationships.change(job.id, lambda r, wrong=wrong: attrs.evolve(r, **wrong))  # type: ignore[misc]  # a default argument
    with pytest.raises(NotFound):
        crm.relationships.end(RelationshipId(NOBODY), on=date(2020, 1, 1))
    assert crm.relationships.of(ann)[0].from_ == ann


def test_an_end_before_the_beginning_is_refused(crm: Crm) -> None:
    (ann,), (acme,) = people(crm, 1), companies(crm, 1)
    job = crm.relationships.add("employment", ann, acme, valid=Period.since(date(2020, 1, 1)))
    with pytest.raises(InvalidPeriod):
        crm.relationships.end(job.id, on=date(2019, 1, 1))
    assert crm.relationships.of(ann) == (job,)


def test_what_was_taken_back_can_be_said_again(crm: Crm) -> None:
    (ann,), (acme,) = people(crm, 1), companies(crm, 1)
    job = crm.relationships.add("employment", ann, acme)
    with pytest.raises(RelationshipOverlap):
        crm.relationships.add("employment", ann, acme)
    crm.relationships.retract(job.id, reason="mistake")
    again = crm.relationships.add("employment", ann, acme)
    assert crm.relationships.of(ann) == (again,)
    with pytest.raises(RelationshipOverlap):
        crm.relationships.change(job.id, lambda r: _standing(r))


def _standing(relationship: Relationship) -> Relationship:
    return attrs.evolve(relationship, retracted=False)


# --- households and employments ------------------------------------------------------------------------


def test_a_household_has_its_members_and_they_live_in_it(crm: Crm) -> None:
    ann, ben = people(crm, 2)
    lees = crm.parties.add(Household.of("the Lees")).id
    crm.relationships.add("household_member", ann, lees)
    crm.relationships.add("household_member", ben, lees, valid=Period.until(date(2020, 1, 1)))
    assert {r.from_ for r in crm.relationships.of(lees)} == {ann, ben}
    assert {r.from_ for r in crm.relationships.of(lees, on=date(2021, 1, 1))} == {ann}
    labels = [(line.label, line.other_name) for line in crm.customers.view(lees).relationships]
    assert sorted(labels) == [("has member", "Person 0"), ("has member", "Person 1")]
    assert [line.label for line in crm.customers.view(ann).relationships] == ["lives in"]


def test_one_employment_at_a_time_is_primary(crm: Crm) -> None:
    (ann,), (acme, apex) = people(crm, 1), companies(crm, 2)
    first = crm.relationships.add("employment", ann, acme, primary=True)
    with pytest.raises(RelationshipOverlap, match="primary"):
        crm.relationships.add("employment", ann, apex, primary=True)
    crm.relationships.add("employment", ann, apex)
    crm.relationships.end(first.id, on=date(2020, 1, 1))
    later = Period.since(date(2020, 1, 1))
    assert crm.relationships.add("employment", ann, companies(crm, 1)[0], primary=True, valid=later).primary


# --- circles -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [2, 3, 12])
def test_a_circle_of_any_length_is_refused(crm: Crm, length: int) -> None:
    chain = people(crm, length)
    for lower, upper in itertools.pairwise(chain):
        crm.relationships.add("reports_to", lower, upper)
    with pytest.raises(RelationshipCycle):
        crm.relationships.add("reports_to", chain[-1], chain[0])
    crm.relationships.add("reports_to", chain[0], people(crm, 1)[0])


def test_a_chain_as_long_as_a_thousand_is_still_looked_through() -> None:
    crm = in_memory()
    chain = companies(crm, 1003)
    with crm.batch() as batch:
        for lower, upper in reversed(list(itertools.pairwise(chain[:901]))):
            _put(batch, lower, upper)
    with pytest.raises(RelationshipCycle, match="circle"):
        crm.relationships.add("parent_company", chain[900], chain[0])
    with crm.batch() as batch:
        for lower, upper in reversed(list(itertools.pairwise(chain[900:]))):
            _put(batch, lower, upper)
    with pytest.raises(RelationshipCycle, match="more than"):
        crm.relationships.add("parent_company", chain[-1], chain[0])


def _put(batch: Any, lower: PartyId, upper: PartyId) -> None:
    """Record without the rules, as an import does."""
    draft = Relationship(type="parent_company", from_=lower, to=upper)
    run(add_relationship(batch._twin._unit, draft))


def test_two_who_were_each_others_boss_at_different_times_are_no_circle(crm: Crm) -> None:
    ann, ben, cleo = people(crm, 3)
    until, since = Period.until(date(2020, 1, 1)), Period.since(date(2020, 1, 1))
    crm.relationships.add("reports_to", ann, ben, valid=until)
    crm.relationships.add("reports_to", ben, ann, valid=since)
    crm.relationships.add("reports_to", ben, cleo, valid=until)
    with pytest.raises(RelationshipCycle):
        crm.relationships.add("reports_to", cleo, ann, valid=Period(date(2019, 12, 31), date(2020, 1, 2)))
    crm.relationships.add("reports_to", cleo, ann, valid=since)


def test_a_change_can_close_a_circle_too(crm: Crm) -> None:
    ann, ben = people(crm, 2)
    up = crm.relationships.add("reports_to", ann, ben, valid=Period.until(date(2020, 1, 1)))
    crm.relationships.add("reports_to", ben, ann, valid=Period.since(date(2020, 1, 1)))
    with pytest.raises(RelationshipCycle):
        crm.relationships.change(up.id, lambda r: attrs.evolve(r, valid=Period.always()))


def test_a_relationship_that_was_taken_back_closes_no_circle(crm: Crm) -> None:
    ann, ben = people(crm, 2)
    up = crm.relationships.add("reports_to", ann, ben)
    crm.relationships.retract(up.id, reason="mistake")
    crm.relationships.add("reports_to", ben, ann)


# --- two at a time -------------------------------------------------------------------------------------


def _racing(setup: Callable[[Crm], T], meanwhile: Callable[[Crm, T], object]) -> tuple[Crm, Crm, T]:
    """Two over one store; the second verb of the first one is planned, then *meanwhile* happens, then it is applied."""
    store, shared = MemoryStore(), options()
    other = Crm(store, **shared)
    things = setup(other)
    return Crm(interrupted(store, lambda: meanwhile(other, things)), **shared), other, things


def test_two_additions_at_a_time_never_close_a_circle() -> None:
    def meanwhile(other: Crm, ids: list[PartyId]) -> None:
        other.relationships.add("reports_to", ids[1], ids[2])
        other.relationships.add("reports_to", ids[2], ids[0])

    crm, other, (ann, ben, cleo) = _racing(lambda crm: people(crm, 3), meanwhile)
    with pytest.raises(RelationshipCycle):
        crm.relationships.add("reports_to", ann, ben)
    assert len(other.relationships.of(cleo)) == 2


def test_two_additions_at_a_time_never_make_a_double() -> None:
    crm, other, (ann, acme) = _racing(
        lambda crm: (*people(crm, 1), *companies(crm, 1)),
        lambda other, ids: other.relationships.add("employment", ids[0], ids[1]),
    )
    with pytest.raises(RelationshipOverlap):
        crm.relationships.add("employment", ann, acme)
    assert len(other.relationships.of(ann)) == 1


def test_two_additions_at_a_time_that_do_not_contradict_each_other_are_both_made() -> None:
    crm, other, (ann, acme, apex) = _racing(
        lambda crm: (*people(crm, 1), *companies(crm, 2)),
        lambda other, ids: other.relationships.add("employment", ids[0], ids[1]),
    )
    crm.relationships.add("employment", ann, apex)
    assert {r.to for r in other.relationships.of(ann)} == {acme, apex}
