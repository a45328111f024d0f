"""What is told for an erasure and is no such thing is refused in a sentence, before anything is done."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.app import ErasureFacts, PastErasures
from crmcore.app.past_erasures import ErasureNote
from crmcore.consent import LegalHold, RetentionPlan
from crmcore.errors import InvalidRightsRequest
from crmcore.values.ids import Id, PartyId
from tests.app.requests import Clock, collecting, customers


def with_a_talk(clock: Clock) -> tuple[Crm, PartyId]:
    crm = customers(clock=clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example")).id
    crm.interactions.record("email", direction="inbound", occurred_at=date(2026, 5, 1), with_=[ann])
    clock.move(days=5 * 365)
    return crm, ann


@pytest.mark.parametrize("kind", ["interaction", "*"])
@pytest.mark.parametrize("names", [["accounting"], ("accounting",), {"accounting"}, {"accounting": 1}.keys()])
def test_purposes_are_told_as_several_texts_of_whatever_kind(kind: str, names: Any) -> None:
    crm, ann = with_a_talk(Clock())
    purposes = {kind: names, "*": names}
    plan = crm.retention.plan(crm.retention.customers(jurisdictions=["FR"]).items, purposes=purposes)
    assert plan.purposes == {one: frozenset({"accounting"}) for one in purposes}
    crm.retention.kept_too_long(holds=[], purposes=purposes)
    told = crm.requests.erasure_plan(
        collecting(crm, ann, "erasure").id, facts=ErasureFacts(purposes=purposes)
    )
    assert {one.action for one in told.disposals if one.kind == "interaction"} == {"keep"}
    assert crm.retention.apply(attrs.evolve(plan, purposes=purposes)).left


@pytest.mark.parametrize("names", [{1}, {None}, [["a"]], b"abc", "accounting", 5, None, iter(["accounting"])])
def test_purposes_that_are_no_texts_are_refused(names: Any) -> None:
    crm, ann = with_a_talk(Clock())
    for told in ({"interaction": names}, {3: {"accounting"}}, [names]):
        purposes: Any = told
        with pytest.raises(InvalidRightsRequest, match="purposes are told by the kind"):
            crm.retention.plan([], purposes=purposes)
        with pytest.raises(InvalidRightsRequest, match="purposes are told by the kind"):
            crm.retention.kept_too_long(purposes=purposes)
        request = collecting(crm, ann, "erasure").id
        with pytest.raises(InvalidRightsRequest, match="purposes are told by the kind"):
            crm.requests.erasure_plan(request, facts=ErasureFacts(purposes=purposes))


@pytest.mark.parametrize("wrong", [{"holds": 5}, {"holds": (1,)}, {"table": 5}, {"table": (1,)}])
def test_facts_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    crm, ann = with_a_talk(Clock())
    request = collecting(crm, ann, "erasure").id
    with pytest.raises(InvalidRightsRequest, match="are several"):
        crm.requests.erasure_plan(request, facts=ErasureFacts(**wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kinds": {1}},
        {"kinds": "interaction"},
        {"kinds": 5},
        {"kinds": [["a"]]},
        {"until": Clock().now},
        {"until": "2027-01-01"},
        {"id": 7},
        {"reason": None},
    ],
)
def test_a_hold_is_told_by_texts_and_a_day(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRightsRequest, match="a legal hold"):
        LegalHold(**{"id": "1", "reason": "x", **wrong})
    assert LegalHold(id="1", reason="x", kinds=frozenset(["party", "*"])).kinds == frozenset()
    hold = LegalHold(id="1", reason="x", until=Clock().now.date())
    assert hold.holds("party", Clock().now.date())
    assert not hold.holds("party", Clock().now.date() + timedelta(days=1))


@pytest.mark.parametrize("wrong", [(1,), None, "x", 5])
def test_what_was_erased_is_told_as_erasures_and_notes(wrong: Any) -> None:
    for told in ({"erasures": wrong}, {"notes": wrong}):
        with pytest.raises(InvalidRightsRequest, match=r"crm\.requests\.erasures"):
            PastErasures(**{"tenant": "default", "erasures": (), **told})
    for parts in (wrong, ()):
        with pytest.raises(InvalidRightsRequest, match=r"crm\.requests\.erasures"):
            ErasureNote(id=Id("1"), parts=parts)


@pytest.mark.parametrize("wrong", [("x",), (1,), None, "x", 5])
def test_a_plan_of_retention_that_is_built_by_hand_is_one(wrong: Any) -> None:
    for told in ({"steps": wrong}, {"holds": wrong}, {"purposes": {"interaction": wrong}}):
        if told == {"purposes": {"interaction": ("x",)}}:
            continue
        with pytest.raises(InvalidRightsRequest, match="are "):
            RetentionPlan(**{"steps": (), **told})
    nothing: Any = None
    assert RetentionPlan(steps=(), purposes=nothing) == RetentionPlan(steps=())
