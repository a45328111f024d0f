"""What runs of `dedupe` leave to one another: changes meanwhile, runs over everything, excluded parties, batches."""

from __future__ import annotations

from functools import cache
from typing import Any

import attrs
import pytest

from crmcore import Crm, Organization, Person
from crmcore.identity.customer import CAP
from crmcore.identity.model.match_model import MatchModel
from crmcore.storage import MemoryStore
from crmcore.values.ids import PartyId
from tests.app.frozen_store import MODEL, Row, expected, frozen
from tests.app.houses import Clock, options
from tests.app.judging import seen
from tests.app.test_near_matches import draft
from tests.identity.model.invented import households


def added(crm: Crm, *rows: Row) -> list[PartyId]:
    return [crm.parties.add(row.draft()).id for row in rows]


def change(crm: Crm, id: PartyId, **fields: Any) -> None:
    """Change fields of a party."""

    def changed(party: Any) -> Any:
        return attrs.evolve(party, **fields)

    crm.parties.change(id, changed)


def become(crm: Crm, id: PartyId, person: Person) -> None:
    """Change a party to what *person* is."""
    change(crm, id, names=person.names, birth_date=person.birth_date, contact_points=person.contact_points)


@pytest.mark.parametrize("during", [False, True])
def test_a_change_during_a_run_is_looked_at_by_the_next_one(during: bool) -> None:
    crm = frozen(MemoryStore(), 2, **options())
    shared = "eb@mail.example"
    two = added(crm, Row("emma", "brandt", "", shared), Row("emma", "brantd", "", shared))
    other, third = added(crm, Row("emma", "castro"), Row("jacob", "castro"))
    crm.identity.dedupe()
    assert len(seen(crm, two)) == 1
    # With a third bearer the mailbox says nothing any more; then that one changes, and it says something again.
    become(crm, third, Row("emma", "castro", "", shared).draft())

    def move() -> None:
        become(crm, third, Row("emma", "castro", "", "jc@mail.example").draft())

    left = [move] if during else []

    def meanwhile(stage: str, done: int, total: int) -> None:
        if stage == "looking again" and done == total and left:
            left.pop()()

    crm.identity.dedupe(on_progress=meanwhile)
    assert not left
    if not during:
        move()
    crm.identity.settle()
    assert seen(crm, [*two, other, third]) == expected(crm, 2)


def test_a_run_that_another_one_overtook_looks_again_at_what_it_decided_by_what_it_had_read() -> None:
    store = MemoryStore()
    crm = frozen(store, 20, **options())
    emma = Row("emma", "brandt", "1985-04-12", "emma.brandt@mail.example")
    first, a, b = added(crm, Row("olivia", "castro"), emma, Row("jacob", "castro", "1950-01-01"))
    overtaking = Crm(store, **options(matcher=MODEL))
    left = [overtaking]

    def meanwhile(stage: str, done: int, total: int) -> None:
        if stage == "looking again" and done == 1 and left:
            become(crm, b, attrs.evolve(emma, phone="+44 20 7946 0001").draft())
            left.pop().identity.dedupe()
            assert len(seen(crm, [a, b])) == 1

    crm.identity.dedupe(on_progress=meanwhile)
    assert not left
    assert seen(crm, [first, a, b]) == expected(crm, 20) == {frozenset({first}), frozenset({a, b})}


COMPANIES = ("Acme Bakery Ltd", "Zeta Ironworks", "Quux Shipping")


@cache
def _employed() -> MatchModel:
    """A model that knows employers."""
    crm, rows = Crm(MemoryStore(), **options()), households(150)
    companies = [crm.parties.add(Organization.of(name)).id for name in COMPANIES]
    for row, party in zip(rows, crm.parties.add_many([draft(row) for row in rows]), strict=True):
        crm.relationships.add("employment", party.id, companies[int(row["cluster"].split()[0]) % 3])
    model = crm.identity.dedupe().model
    assert model is not None
    assert "employer" in [column.name for column in model.columns]
    return model


@pytest.mark.parametrize("act", ["rename", "retract"])
def test_who_works_for_an_organization_that_changed_is_compared_anew(act: str) -> None:
    crm = Crm(MemoryStore(), **options(matcher=_employed()))
    one, other = (crm.parties.add(Organization.of(name)).id for name in COMPANIES[1:])
    ids = [crm.parties.add(Person.of(f"Emma {f}", birth_date="1970-02-03")).id for f in ("Castro", "Brandt")]
    for worker, company in zip(ids, [one, other], strict=True):
        crm.relationships.add("employment", worker, company)
    crm.identity.dedupe()
    assert len(seen(crm, ids)) == 2
    if act == "rename":
        change(crm, other, names=Organization.of(COMPANIES[1]).names)
    else:
        crm.parties.retract(other, reason="by mistake")
    assert crm.identity.dedupe().records == 1
    assert len(seen(crm, ids)) == 1
    change(crm, one, tags=("big",))
    assert crm.identity.dedupe().records == 0, "its name is the same"


def changed_often(crm: Crm, id: PartyId) -> None:
    for number in range(12):
        stranger = Row(f"jacob{'abcdefghijkl'[number]}", "castro", f"1950-01-{number + 1:02}")
        become(crm, id, stranger.draft())


def test_who_changed_too_often_makes_one_run_compare_everything_and_no_more() -> None:
    crm = frozen(MemoryStore(), 20, **options())
    emma = Row("emma", "brandt", "1985-04-12", "emma.brandt@mail.example")
    ids = added(crm, emma, emma, emma)
    crm.identity.merge(ids[1], ids[2])
    crm.identity.dedupe()
    changed_often(crm, ids[0])
    report = crm.identity.dedupe()
    assert "changed too often" in report.notes[0]
    assert (report.looked_at, report.taken_back) == (None, 1)
    assert seen(crm, ids) == {frozenset(ids[:1]), frozenset(ids[1:])}, "what people said stands"
    become(crm, ids[0], emma.draft())
    assert crm.identity.dedupe().looked_at == 3
    assert len(seen(crm, ids)) == 1


def test_a_run_with_another_model_takes_back_what_the_old_one_joined_and_it_does_not() -> None:
    lax = attrs.evolve(MODEL, policy=attrs.evolve(MODEL.policy, threshold=-20 << 16))
    store, clock = MemoryStore(), Clock()
    people = [draft(row) for row in households(40)]
    ids = [party.id for party in Crm(store, **options(clock=clock, matcher=lax)).parties.add_many(people)]
    Crm(store, **options(clock=clock, matcher=lax)).identity.dedupe()
    crm = Crm(store, **options(clock=clock, matcher=MODEL))
    assert len(seen(crm, ids)) < len(expected(crm, 2500))
    report = crm.identity.dedupe(relearn=True)
    assert report.taken_back > 0
    assert f"{report.taken_back} taken back" in report.text()
    assert seen(crm, ids) == expected(crm, 2500)
    assert crm.identity.dedupe(relearn=True).written == 0


def test_who_is_excluded_is_left_out_of_that_run_only() -> None:
    crm, other = (Crm(MemoryStore(), **options()) for _ in range(2))
    people = [draft(row) for row in households(60)]
    ids = [party.id for party in crm.parties.add_many(people)]
    others = [party.id for party in other.parties.add_many(people)]
    excluded = set(ids[:40])

    def exclude(party: Any) -> str | None:
        return "asked to be" if party.id in excluded else None

    assert crm.identity.dedupe(exclude=exclude).looked_at is None
    assert all(len(group) == 1 for group in seen(crm, excluded))
    plain = crm.identity.dedupe()
    assert (plain.matchers, plain.looked_at) == (other.identity.dedupe().matchers, None)
    at, there = ({id: place for place, id in enumerate(of)} for of in (ids, others))
    assert {frozenset(at[id] for id in group) for group in seen(crm, ids)} == {
        frozenset(there[id] for id in group) for group in seen(other, others)
    }
    # Under a frozen model, too: it decides, what it said before stands, and the next run compares everything by it.
    before = seen(crm, ids)
    again = crm.identity.dedupe(exclude=exclude)
    assert (again.matchers, again.written, seen(crm, ids)) == (plain.matchers, 0, before)
    after = crm.identity.dedupe()
    assert (after.matchers, after.looked_at) == (plain.matchers, None)
    assert "left some out" in after.notes[0]
    assert crm.identity.dedupe(exclude=lambda party: None).looked_at is None
    assert crm.identity.dedupe().looked_at == 0, "nobody was excluded"


def test_a_run_in_a_batch_goes_by_the_frozen_model() -> None:
    crm = Crm(MemoryStore(), **options())
    rows = households(60)
    crm.parties.add_many([draft(row) for row in rows[:90]])
    first = crm.identity.dedupe()
    ids = [party.id for party in crm.parties.add_many([draft(row) for row in rows[90:]])]
    with crm.batch() as batch:
        report = batch.identity.dedupe()
    assert report.matchers == first.matchers
    assert report.merged > 0
    after = crm.identity.dedupe()
    assert (after.matchers[0], after.records, after.written) == (first.matchers[0], len(ids), 0)


@pytest.mark.parametrize("most", [3, 2])
def test_equal_people_count_once_when_it_is_told_whether_neighbours_were_looked_for(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    for module in ("model.candidates", "batch.blocking"):
        monkeypatch.setattr(f"crmcore.identity.{module}.NEAR", most)
    # All values of the first two are one typing error apart.
    emma = Row(
        "bernadette", "kowalczyk", "1961-03-17", "bernadette.kowalczyk@post.example", "+44 20 79460018"
    )
    emmy = Row("bernadete", "kowalczik", "1961-03-18", "bernadete.kowalczyk@post.example", "+44 20 79460019")
    crm = Crm(MemoryStore(), **options(matcher=MODEL))
    ids = added(crm, emma, emmy, *[Row("jacob", "castro", "1950-01-01")] * 4)
    crm.identity.dedupe()
    customers = seen(crm, ids)
    assert len(customers) == (2 if most == 3 else 3)
    change(crm, ids[0], tags=("baker",))
    crm.identity.dedupe()
    assert seen(crm, ids) == customers


def test_equal_records_meet_however_many_share_their_values() -> None:
    crm = frozen(MemoryStore(), 2, **options())
    emma = Row("emma", "brandt", "", "eb@mail.example")
    ids = added(crm, emma, emma, *(attrs.evolve(emma, born=f"19{n}-04-12") for n in (50, 70, 90)))
    crm.identity.settle()
    assert seen(crm, ids) == expected(crm, 2)


def test_who_people_told_from_a_record_stays_apart_from_whom_they_took_for_it_when_it_is_taken_back() -> None:
    crm = frozen(MemoryStore(), 20, **options())
    emma = Row("emma maria", "brandt", "1990-07-01", "", "+44 20 7946 0002", "12 harbour street")
    # Were it not for what people said, the third would be the first one's.
    one, gone, other, third = added(
        crm,
        emma,
        Row("olivia", "castro"),
        attrs.evolve(emma, born="1985-04-13", email="jc@mail.example"),
        Row("emma", "brantd", phone=emma.phone),
    )
    crm.identity.merge(one, gone)
    crm.identity.mark_different(gone, other)
    crm.parties.retract(gone, reason="by mistake")
    crm.identity.settle()
    assert (
        seen(crm, [one, gone, other, third])
        == expected(crm, 20)
        == {frozenset({one, gone}), frozenset({other, third})}
    )
    full = crm.identity.dedupe(relearn=True)
    assert full.written == 0, "comparing everything says the same"


def test_more_equal_records_than_a_customer_has_are_told() -> None:
    with Crm.open() as crm:
        crm.parties.load((Person.of("Ann Lee", email="ann@x.org") for _ in range(CAP + 1)), idem="one")
        report = crm.identity.dedupe()
    assert sum(report.customers.values()) == 2
    assert report.notes == ("1 times a group was not made: a customer has 1,000 records at most",)
