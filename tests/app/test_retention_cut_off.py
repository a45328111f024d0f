"""What retention began goes on to its end if it was cut off, by the same plan or by a new one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.app import ErasureFacts
from crmcore.consent import LegalHold, Practice, RetentionPlan, SecretRing
from crmcore.errors import InvalidRightsRequest, StoreClosed
from crmcore.storage import MemoryStore
from crmcore.storage.stored import StoredBatch
from crmcore.values.ids import PartyId
from tests.app.requests import Clock, collecting, customers
from tests.app.test_erasures_cut_off import Cut, held
from tests.app.test_person_erasure import rows_of

SUPERSEDED = (
    "another plan was applied to this customer, or to others who are kept for the same, since this one was made: "
    "plan again"
)
THEN, NOW = datetime(2020, 3, 1, 9, tzinfo=UTC), datetime(2026, 5, 4, 9, tzinfo=UTC)


def cut_off(done: int, records: int, changes: int = 0) -> tuple[Crm, RetentionPlan, tuple[PartyId, ...]]:
    """Ann, who has so many records and was changed so often, and whose erasure was cut off after so many steps; -1: it
    was never begun."""
    store, clock = Cut(), Clock(THEN)
    crm = customers(store, clock)
    ids: list[PartyId] = []
    for number in range(records):
        ids.append(crm.parties.add(Person.of("Ann Lee", email=f"ann@{number}.example")).id)
        clock.move(seconds=1)
    for other in ids[1:]:
        crm.identity.merge(ids[0], other)
    for number in range(changes):
        new = Person.of("Ann Lee", email=f"ann{number}@x.example").contact_points
        crm.parties.change(ids[0], partial(attrs.evolve, contact_points=new))
        clock.move(seconds=1)
    clock.now = NOW
    plan = crm.retention.plan(crm.retention.customers(jurisdictions=["FR"]).items)
    if done >= 0:
        store.left = done
        with pytest.raises(StoreClosed):
            crm.retention.apply(plan)
    store.left = 10**9
    return crm, plan, tuple(ids)


def history(crm: Crm, ids: tuple[PartyId, ...]) -> int:
    streams = [f"party:{id}" for id in ids]
    return sum(
        bool(entry.body) for page in crm.store.ledger("default", streams).values() for entry in page.items
    )


@pytest.mark.parametrize("done", [1, 2])
def test_the_history_goes_though_the_record_that_the_plan_names_is_gone(done: int) -> None:
    crm, plan, ids = cut_off(done, 1, changes=8)
    assert held(crm, "party") == 0 < history(crm, ids)
    assert crm.retention.apply(plan).erased == 1
    assert history(crm, ids) == 0


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_customer_whose_merge_is_erased_already_is_not_asked_about_again(done: int, anew: bool) -> None:
    crm, plan, ids = cut_off(done, 2)
    if anew:
        plan = crm.retention.kept_too_long()
        assert plan.text() == "delete 1 erased customer: the erasure was cut off"
    again = crm.retention.apply(plan)
    assert (again.erased, again.left) == (1, ())
    assert (held(crm, "party"), history(crm, ids)) == (0, 0)
    assert crm.retention.apply(plan).erased == 0


def test_what_has_come_in_since_wants_a_new_plan_and_is_given_back() -> None:
    crm, plan, ids = cut_off(0, 1)
    crm.interactions.record("note", direction="internal", occurred_at=NOW, with_=[ids[0]])
    again = crm.retention.apply(plan)
    assert (again.erased, held(crm, "party"), held(crm, "interaction")) == (0, 1, 1)
    assert [step.reason.partition(":")[0] for step in again.left] == [
        "something has come in since this erasure was begun"
    ]
    crm.interactions.record(
        "call", direction="inbound", occurred_at=NOW, with_=[ids[0]]
    )  # the day it was begun
    for one in (plan, crm.retention.kept_too_long()):
        again = crm.retention.apply(one)
        assert [step.reason for step in again.left] == ["the customer has been in touch since: plan again"]
        assert (again.erased, held(crm, "party")) == (0, 1)


def test_whoever_asked_for_something_since_is_given_back_though_it_is_answered_by_now() -> None:
    crm, plan, (ann,) = cut_off(0, 1)
    asked = collecting(crm, ann, "access")
    crm.requests.bundle(asked.id)
    crm.requests.move(asked.id, "review")
    crm.requests.move(asked.id, "respond", sha256="0" * 64)
    crm.requests.move(asked.id, "close")
    for one in (plan, crm.retention.kept_too_long()):
        again = crm.retention.apply(one)
        assert [step.reason for step in again.left] == ["the customer has been in touch since: plan again"]
        assert (again.erased, held(crm, "party")) == (0, 1)


def test_a_plan_erases_nothing_that_another_one_keeps_that_was_applied_since() -> None:
    whole, note = frozenset({"*"}), frozenset({"interaction"})
    for begun, kinds, left in ((True, whole, 1), (False, whole, 1), (True, note, 0), (False, note, 0)):
        crm, first, (ann,) = cut_off(0 if begun else -1, 1)
        crm.interactions.record("note", direction="internal", occurred_at=THEN, with_=[ann])
        items = crm.retention.customers(jurisdictions=["FR"]).items
        first = first if begun else crm.retention.plan(items)
        hold = LegalHold(id="h", reason="a lawsuit", kinds=kinds)
        crm.retention.apply(crm.retention.plan(items, holds=[hold]))
        again = crm.retention.apply(first)
        assert [step.reason for step in again.left] == [SUPERSEDED]
        assert (again.erased, held(crm, "party"), held(crm, "interaction")) == (0, left, 1)
        if begun:
            assert [one.action for one in crm.retention.kept_too_long().steps] == ["find_out"]
        lifted = crm.retention.plan(items) if left else crm.retention.kept_too_long(holds=[])
        assert (crm.retention.apply(lifted).erased, held(crm, "interaction")) == (1, 0)


def test_a_hold_that_keeps_what_is_left_of_a_customer_keeps_it_from_the_plan_that_was_cut_off() -> None:
    crm, first, _ = cut_off(0, 1)
    hold = LegalHold(id="h", reason="a lawsuit", kinds=frozenset({"prospect"}))
    assert crm.retention.apply(crm.retention.kept_too_long(holds=[hold])).left == ()
    assert [step.reason for step in crm.retention.apply(first).left] == [SUPERSEDED]
    assert [step.action for step in crm.retention.kept_too_long().steps] == ["find_out"]
    assert (crm.retention.apply(crm.retention.kept_too_long(holds=[])).erased, held(crm, "party")) == (1, 0)


def test_no_earlier_plan_erases_what_a_later_one_keeps_of_records_that_were_joined_and_are_apart_again() -> (
    None
):
    for begun, kind in ((False, "prospect"), (False, "party"), (True, "prospect"), (True, "party")):
        store, clock = Cut(), Clock(THEN)
        crm = customers(store, clock)
        one, other = (crm.parties.add(Person.of("Ann Lee", email=f"ann@{x}.example")).id for x in "xy")
        clock.now = NOW
        first = crm.retention.plan(crm.retention.customers(jurisdictions=["FR"]).items)
        if begun:
            with pytest.raises(StoreClosed):
                crm.retention.apply(first)
        store.left = 10**9
        crm.identity.merge(one, other)
        hold = LegalHold(id="h", reason="a lawsuit", kinds=frozenset({kind}))
        items = crm.retention.customers(jurisdictions=["FR"]).items
        assert crm.retention.apply(crm.retention.plan(items, holds=[hold])).restricted == 1
        crm.identity.mark_different(one, other)
        again = crm.retention.apply(first)
        assert [step.reason for step in again.left] == [SUPERSEDED, SUPERSEDED]
        assert (again.erased, held(crm, "party")) == (0, 2)
        unsaid = [one.action for one in crm.retention.kept_too_long().steps]
        assert unsaid == ["find_out"] * (begun or kind == "party")
        items = crm.retention.customers(jurisdictions=["FR"]).items
        assert (crm.retention.apply(crm.retention.plan(items)).erased, held(crm, "party")) == (2, 0)


def test_a_plan_that_was_cut_off_erases_nothing_that_a_request_keeps_that_was_carried_out_since() -> None:
    crm, first, (ann,) = cut_off(-1, 1)
    crm.interactions.record("note", direction="internal", occurred_at=THEN, with_=[ann])
    first = crm.retention.plan(crm.retention.customers(jurisdictions=["FR"]).items)
    assert isinstance(crm.store, Cut)
    crm.store.left = 0
    with pytest.raises(StoreClosed):
        crm.retention.apply(first)
    crm.store.left = 10**9
    hold = LegalHold(id="h", reason="a lawsuit", kinds=frozenset({"interaction"}))
    facts, request = ErasureFacts(holds=(hold,)), collecting(crm, ann, "erasure")
    plan = crm.requests.erasure_plan(request.id, facts=facts)
    done = crm.requests.erase(request.id, plan_sha256=plan.digest, facts=facts)
    crm.requests.move(request.id, "review")
    crm.requests.move(request.id, "respond", sha256=done.sha256)
    crm.requests.move(request.id, "close")
    assert [step.reason for step in crm.retention.apply(first).left] == [SUPERSEDED]
    assert [step.action for step in crm.retention.kept_too_long().steps] == ["find_out"]
    for holds, left in (([hold], 1), ([], 0)):
        crm.retention.apply(crm.retention.kept_too_long(holds=holds))
        assert (held(crm, "party"), held(crm, "interaction")) == (0, left)


def batches(crm: Crm) -> int:
    assert isinstance(crm.store, MemoryStore)
    return sum(isinstance(row, StoredBatch) for row in rows_of(crm.store))


def test_where_somebody_else_is_kept_for_the_same_it_is_not_noted_anew_of_those_that_were() -> None:
    clock = Clock(THEN)
    crm = customers(MemoryStore(), clock)
    for number in range(3):
        crm.parties.add(Person.of("Ann Lee", email=f"ann@{number}.example"))
    clock.now = NOW
    hold = LegalHold(id="h", reason="a lawsuit", kinds=frozenset({"prospect"}))

    def planned(*holds: LegalHold) -> RetentionPlan:
        return crm.retention.plan(crm.retention.customers(jurisdictions=["FR"]).items, holds=holds)

    assert crm.retention.apply(planned(hold)).restricted == 3
    crm.parties.add(Person.of("Bo Hill", email="bo@x.example"))
    lifted, written = planned(), batches(crm)
    again = planned(hold)
    assert (crm.retention.apply(again).restricted, batches(crm) - written) == (1, 2)
    assert (crm.retention.apply(again).restricted, batches(crm) - written) == (0, 2)
    assert [one.reason for one in crm.retention.apply(lifted).left] == [SUPERSEDED] * 3
    before = again
    lifted, again = planned(), planned(hold)  # and though the later one says what the one before said
    for plan in (again, before):  # and though that one is sent again late
        crm.retention.apply(plan)
        assert [one.reason for one in crm.retention.apply(lifted).left] == [SUPERSEDED] * 3
    assert (crm.retention.apply(planned()).erased, held(crm, "party")) == (3, 1)


@pytest.mark.parametrize("anew", [False, True])
def test_what_has_come_in_since_goes_by_another_plan(anew: bool) -> None:
    crm, plan, (ann,) = cut_off(0, 1)
    crm.interactions.record("note", direction="internal", occurred_at=NOW, with_=[ann])

    def another() -> RetentionPlan:
        items = crm.retention.customers(jurisdictions=["FR"]).items
        return crm.retention.kept_too_long() if anew else crm.retention.plan(items)

    assert another().digest == another().digest != plan.digest
    assert (crm.retention.apply(another()).erased, held(crm, "party"), held(crm, "interaction")) == (1, 0, 0)
    assert crm.retention.kept_too_long().steps == ()


def test_what_is_kept_of_a_customer_whose_time_was_over_goes_when_its_own_time_is_over() -> None:
    clock = Clock(THEN)
    crm = customers(clock=clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example")).id
    crm.consent.record("give", ann, purposes=["marketing"], channels=["email"], point="ann@x.example")
    clock.now = NOW
    assert (
        crm.retention.apply(crm.retention.plan(crm.retention.customers(jurisdictions=["FR"]).items)).erased
        == 1
    )
    assert (held(crm, "party"), held(crm, "contact_point")) == (0, 1)
    assert crm.retention.kept_too_long().steps == ()
    clock.move(days=4 * 365)
    plan = crm.retention.kept_too_long()
    assert plan.text() == "delete 1 erased customer: the time is over for which something was kept"
    hold = LegalHold(id="h", reason="a lawsuit", kinds=frozenset({"consent.event"}))
    assert crm.retention.apply(crm.retention.kept_too_long(holds=[hold])).erased == 0
    assert (crm.retention.apply(plan).erased, held(crm, "contact_point")) == (0, 1)
    assert crm.retention.apply(crm.retention.kept_too_long(holds=[])).erased == 1
    assert held(crm, "contact_point") == 0
    assert crm.retention.kept_too_long().steps == ()


def test_whoever_is_kept_by_a_hold_is_restricted_once_and_not_erased() -> None:
    clock = Clock(THEN)
    ours = Practice(controller="acme")
    crm = Crm(MemoryStore(), clock=clock, practice=ours, secrets=SecretRing({1: bytes(range(32))}))
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    clock.now = NOW
    items = crm.retention.customers(jurisdictions=["FR"]).items
    until = date(2027, 1, 1)
    hold = LegalHold(id="h", reason="a lawsuit", kinds=frozenset({"party"}), until=until)
    plan = crm.retention.plan(items, holds=[hold])
    once = crm.retention.apply(plan)
    written = batches(crm)
    done = [once, crm.retention.apply(plan)]
    assert [(one.erased, one.restricted) for one in done] == [(0, 1), (0, 0)]
    assert batches(crm) == written
    assert [len(crm.suppression.of(*ann.contact_points, controller=name)) for name in ("acme", "x")] == [
        1,
        0,
    ]
    assert held(crm, "party") == 1
    clock.move(days=365)
    assert crm.retention.apply(crm.retention.kept_too_long()).erased == 1
    assert held(crm, "party") == 0


def test_what_a_hold_without_an_end_kept_goes_when_the_hold_is_lifted() -> None:
    clock = Clock(THEN)
    crm = customers(clock=clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example")).id
    crm.interactions.record("note", direction="internal", occurred_at=THEN.date(), with_=[ann])
    clock.now = NOW
    kept = LegalHold(id="h", reason="a lawsuit", kinds=frozenset({"interaction"}))
    items = crm.retention.customers(jurisdictions=["FR"]).items
    assert crm.retention.apply(crm.retention.plan(items, holds=[kept])).erased == 1
    clock.move(days=3650)
    unsaid = crm.retention.kept_too_long()
    assert [(one.action, one.reason.partition(":")[0]) for one in unsaid.steps] == [
        ("find_out", "a legal hold kept something of it")
    ]
    assert (crm.retention.apply(unsaid).left, held(crm, "interaction")) == (unsaid.steps, 1)
    lifted = crm.retention.kept_too_long(holds=[])
    assert lifted.text() == "delete 1 erased customer: the hold is lifted that kept something"
    for _ in range(2):  # it holds by now, and so it does though nothing else is to be done
        still = crm.retention.kept_too_long(holds=[kept])
        assert still.text() == "keep 1 erased customer: a lawsuit (a legal hold)"
        assert crm.retention.apply(still).left == ()
        assert [one.reason for one in crm.retention.apply(lifted).left] == [SUPERSEDED]
        lifted = crm.retention.kept_too_long(holds=[])
    assert (crm.retention.apply(lifted).erased, held(crm, "interaction")) == (1, 0)
    assert crm.retention.kept_too_long(holds=[]).steps == ()


def test_what_a_hold_keeps_does_not_go_with_what_is_over_while_nobody_says_which_holds_there_are() -> None:
    clock = Clock(THEN)
    crm = customers(clock=clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example")).id
    crm.consent.record("give", ann, purposes=["marketing"], channels=["email"], point="ann@x.example")
    crm.interactions.record("call", direction="inbound", occurred_at=THEN, with_=[ann])
    clock.now = datetime(2030, 5, 4, tzinfo=UTC)
    kept = LegalHold(id="h", reason="r", kinds=frozenset({"interaction"}), until=date(2040, 1, 1))
    items = crm.retention.customers(jurisdictions=["FR"]).items
    assert crm.retention.apply(crm.retention.plan(items, holds=[kept])).erased == 1
    clock.move(days=4 * 365)
    assert crm.retention.kept_too_long().steps[0].action == "find_out"
    assert crm.retention.apply(crm.retention.kept_too_long()).erased == 0
    assert crm.retention.apply(crm.retention.kept_too_long(holds=[kept])).erased == 1
    assert (held(crm, "contact_point"), held(crm, "interaction")) == (0, 1)


def test_a_hold_by_a_category_keeps_what_is_left_of_customers_of_that_category() -> None:
    for category, action in (("prospect", "keep"), ("customer_marketing", "delete")):
        crm, _, _ = cut_off(0, 1)
        hold = LegalHold(id="h", reason="a lawsuit", kinds=frozenset({category}))
        plan = crm.retention.kept_too_long(holds=[hold])
        assert [one.action for one in plan.steps] == [action]
        assert crm.retention.apply(plan).erased == (action == "delete")


def test_a_slip_in_what_is_told_of_what_was_kept_is_refused_at_once() -> None:
    crm = customers()
    with pytest.raises(InvalidRightsRequest, match="no kind of data is called interactions"):
        crm.retention.kept_too_long(holds=[LegalHold(id="h", reason="r", kinds=frozenset({"interactions"}))])
    with pytest.raises(InvalidRightsRequest, match="acounting"):
        crm.retention.kept_too_long(purposes={"interaction": frozenset({"acounting"})})
    slips: tuple[Any, ...] = ({"interaction": None}, {3: {"claims"}}, {"interaction": "claims"}, ["claims"])
    for wrong in slips:
        with pytest.raises(InvalidRightsRequest, match="told by the kind of data"):
            crm.retention.kept_too_long(holds=[], purposes=wrong)
    days: tuple[Any, ...] = (NOW, "2030-01-01", 3)
    for day in days:
        for too_long in (crm.retention.kept_too_long, crm.requests.kept_too_long):
            with pytest.raises(InvalidRightsRequest, match="the day is a date"):
                too_long(on=day)
