"""A plan of retention is applied: what it keeps stays, and whoever has changed since is left."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore import Crm, Person
from crmcore.consent import Evidence, LegalHold, Retained, RetentionPlan, RetentionStep, SecretRing
from crmcore.errors import InvalidRightsRequest
from crmcore.party.party import Party
from tests.app.requests import Clock, customers

THEN, NOW = datetime(2022, 3, 1, 9, tzinfo=UTC), datetime(2026, 5, 4, 9, tzinfo=UTC)
IN_TOUCH = "the customer has been in touch since: plan again"


def silent(clock: Clock) -> tuple[Crm, Party]:
    """Ann, who called in 2022 and never since; it is 2026."""
    clock.now = THEN
    crm = customers(clock=clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    crm.interactions.record("call", direction="inbound", occurred_at=date(2022, 3, 1), with_=[ann.id])
    clock.now = NOW
    return crm, ann


def planned(
    crm: Crm, holds: tuple[LegalHold, ...] = (), purposes: dict[str, frozenset[str]] | None = None
) -> RetentionPlan:
    items = crm.retention.customers(jurisdictions=["FR"]).items
    return crm.retention.plan(items, holds=holds, purposes=purposes)


def held(crm: Crm, kind: str) -> int:
    return len(crm.store.scan("default", kind, limit=100).items)


def test_what_a_hold_names_by_its_kind_stays_when_the_customer_goes() -> None:
    crm, _ = silent(Clock())
    plan = planned(crm, (LegalHold(id="h", reason="a lawsuit", kinds=frozenset({"interaction"})),))
    assert plan.text().splitlines()[-1] == "restrict what of it is interaction: a lawsuit (a legal hold)"
    assert crm.retention.apply(plan).erased == 1
    assert (held(crm, "party"), held(crm, "interaction")) == (0, 1)


def test_a_plan_tells_that_a_no_will_not_be_known_of_those_who_go() -> None:
    without, ann = silent(Clock(NOW))
    ours = Crm(without.store, clock=lambda: NOW, secrets=SecretRing({1: bytes(range(32))}))
    assert planned(without).notes == ()
    shown = Evidence.imported(document="a list")
    without.consent.record("refuse", ann.id, channels=["email"], evidence=shown, occurred_at=THEN)
    plan, known = planned(without), planned(ours)
    assert plan.text().splitlines()[-1] == plan.notes[0]
    assert plan.notes[0].startswith("1 of those who go said no, and that will not be known")
    assert (known.notes, known.digest) == ((), plan.digest)
    kept = planned(without, (LegalHold(id="h", reason="a lawsuit", kinds=frozenset({"*"})),))
    assert kept.notes == ()


def test_a_plan_tells_that_a_no_will_not_be_known_where_all_go_who_share_the_address() -> None:
    clock = Clock()
    crm, ann = silent(clock)
    clock.now = THEN
    crm.parties.add(Person.of("Bo Lee", email="ann@x.example"))
    crm.consent.record("refuse", ann.id, point="ann@x.example", channels=["email"], evidence=None)
    clock.now = NOW
    items = crm.retention.customers(jurisdictions=["FR"]).items
    (hers,) = (one for one in items if one.place == str(ann.id))
    assert crm.retention.plan([hers]).notes == (), "who stays has the address, and the No with it"
    for order in (items, items[::-1]):
        (note,) = crm.retention.plan(order).notes
        assert note.startswith("1 of those who go said no")
    held = LegalHold(id="h", reason="a lawsuit", kinds=frozenset({"consent.event"}))
    assert planned(crm, (held,)).notes == (), "what is held is known"


def test_a_hold_of_any_kind_keeps_the_customer_whole() -> None:
    crm, _ = silent(Clock())
    plan = planned(crm, (LegalHold(id="h", reason="a lawsuit", kinds=frozenset({"*"})),))
    assert plan.text() == "restrict 1 prospect: a lawsuit (a legal hold)"
    assert (crm.retention.apply(plan).erased, held(crm, "party")) == (0, 1)


def test_a_plan_that_says_anything_else_has_another_digest() -> None:
    hold = LegalHold(id="h", reason="a lawsuit")
    step = RetentionStep(
        place="p", category="prospect", action="delete", reason="r", source="s", members=("a", "b")
    )
    plan = RetentionPlan(steps=(step,), holds=(hold,))
    others: list[dict[str, Any]] = [
        {"last_contact": NOW.date()},
        {"category": "customer"},
        {"purpose": "legal_claims"},
    ]
    others += [{"members": ("a",), "held": "b"}, {"noted": ("x",)}, {"reason": "another"}]
    found = [attrs.evolve(plan, steps=(attrs.evolve(step, **one),)) for one in others]
    found.append(attrs.evolve(plan, holds=(attrs.evolve(hold, reason="an audit"),)))
    assert len({one.digest for one in (plan, *found)}) == len(found) + 1


def test_what_a_purpose_needs_stays_when_the_customer_goes() -> None:
    crm, _ = silent(Clock())
    plan = planned(crm, purposes={"interaction": frozenset({"accounting"})})
    assert "keep what of it is interaction as accounting needs it" in plan.text()
    assert crm.retention.apply(plan).erased == 1
    assert (held(crm, "party"), held(crm, "interaction")) == (0, 1)


def test_a_hold_or_a_purpose_of_a_kind_that_there_is_not_is_refused() -> None:
    crm, _ = silent(Clock())
    with pytest.raises(InvalidRightsRequest, match="no kind of data is called interactions"):
        planned(crm, (LegalHold(id="h", reason="a lawsuit", kinds=frozenset({"interactions"})),))
    with pytest.raises(InvalidRightsRequest, match="no kind of data is called person"):
        planned(crm, purposes={"person": frozenset({"accounting"})})
    with pytest.raises(InvalidRightsRequest, match="no kind of data is called prospect"):
        planned(crm, purposes={"prospect": frozenset({"accounting"})})
    assert planned(crm, (LegalHold(id="h", reason="a lawsuit", kinds=frozenset({"invoice"})),)).of("delete")


@pytest.mark.parametrize("kind", ["interaction", "relationship", "*"])
def test_a_purpose_that_no_law_keeps_anything_for_is_refused_before_anybody_goes(kind: str) -> None:
    crm, _ = silent(Clock())
    with pytest.raises(InvalidRightsRequest, match="knows no purpose acounting"):
        planned(crm, purposes={kind: frozenset({"acounting", "accounting"})})


def test_whoever_was_in_touch_since_the_plan_is_left() -> None:
    crm, ann = silent(Clock())
    plan = planned(crm)
    crm.interactions.record("email", direction="inbound", occurred_at=date(2026, 5, 3), with_=[ann.id])
    done = crm.retention.apply(plan)
    assert (done.erased, [(step.action, step.reason) for step in done.left]) == (
        0,
        [("find_out", IN_TOUCH)],
    )
    assert held(crm, "party") == 1


def test_whoever_is_one_customer_with_another_record_since_the_plan_is_left() -> None:
    crm, ann = silent(Clock())
    plan = planned(crm)
    new = crm.parties.add(Person.of("Ann Lee", email="new@x.example"))
    crm.identity.merge(ann.id, new.id)
    done = crm.retention.apply(plan)
    assert [step.reason for step in done.left] == ["the customer has other records by now: plan again"]
    assert held(crm, "party") == 2


@pytest.mark.parametrize("since", [False, True])
def test_a_last_contact_that_the_app_knows_is_none_that_came_since(since: bool) -> None:
    clock = Clock()
    clock.now = datetime(2025, 6, 1, 9, tzinfo=UTC)  # the day of an import
    crm = customers(clock=clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    crm.interactions.record("email", direction="inbound", occurred_at=date(2024, 3, 1), with_=[ann.id])
    clock.now = NOW
    told = Retained(
        place=str(ann.id),
        category="prospect",
        jurisdictions=frozenset({"FR"}),
        triggers={"last_contact": date(2021, 3, 1)},
    )
    plan = crm.retention.plan([told])
    if since:
        crm.interactions.record("call", direction="inbound", occurred_at=date(2026, 5, 3), with_=[ann.id])
    done = crm.retention.apply(plan)
    assert done.erased == (not since)
    assert [step.reason for step in done.left] == [IN_TOUCH] * since


def test_of_a_customer_that_an_app_names_itself_the_records_are_looked_up() -> None:
    crm, ann = silent(Clock())
    told = Retained(
        place=str(ann.id),
        category="prospect",
        jurisdictions=frozenset({"FR"}),
        triggers={"last_contact": date(2022, 3, 1)},
    )
    plan = crm.retention.plan([told])
    new = crm.parties.add(Person.of("Ann Lee", email="new@x.example"))
    crm.identity.merge(ann.id, new.id)
    assert crm.retention.apply(plan).erased == 0
    assert crm.retention.plan([told]).steps[0].members == (ann.id, new.id)


def test_a_customer_of_whom_only_a_model_took_a_record_goes_when_somebody_has_looked() -> None:
    clock = Clock()
    crm, _ = silent(clock)
    clock.now = THEN
    for number in range(2):
        crm.parties.add(
            Person.of(
                "Bo Hill",
                email=f"bo@{'xy'[number]}.example",
                phone="+44 20 7946 0018",
                birth_date="1980-02-29",
                address="1 High Street, Leeds LS1 1AA",
            )
        )
    crm.identity.dedupe()
    clock.now = NOW
    plan = planned(crm)
    done = crm.retention.apply(plan)
    assert (done.erased, held(crm, "party")) == (1, 2)
    assert [step.reason.partition(":")[0] for step in done.left] == ["a record may be another person's"]
    assert crm.retention.apply(plan, reviewed="doubtful").erased == 1
    assert held(crm, "party") == 0


DAYS = st.dates(date(2020, 1, 1), date(2026, 5, 4))


@given(st.lists(st.tuples(DAYS, st.lists(DAYS, max_size=2)), min_size=2, max_size=3))
@settings(max_examples=40)
def test_joining_records_makes_nobody_go_earlier(records: list[tuple[date, list[date]]]) -> None:
    clock = Clock()
    crm = customers(clock=clock)
    names, ids = count(), []
    for made, _ in sorted(records):
        clock.now = datetime(made.year, made.month, made.day, 9, tzinfo=UTC)
        ids.append(crm.parties.add(Person.of("Ann Lee", email=f"a{next(names)}@x.example")).id)
    clock.now = NOW
    for id, (_, spoken) in zip(ids, sorted(records), strict=True):
        for day in spoken:
            crm.interactions.record("call", direction="inbound", occurred_at=day, with_=[id])
    alone = [one.triggers["last_contact"] for one in crm.retention.customers().items]
    assert sorted(alone) == sorted(max(spoken, default=made) for made, spoken in records)
    for other in ids[1:]:
        crm.identity.merge(ids[0], other)
    (joined,) = crm.retention.customers().items
    assert joined.triggers["last_contact"] == max(alone)
    assert joined.triggers["recorded"] == max(made for made, _ in records)
