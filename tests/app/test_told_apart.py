"""Somebody asks about their data, and then a person says that one of the records is somebody else's."""

from __future__ import annotations

import pytest

from crmcore import Crm, Person
from crmcore.consent import RightsRequest
from crmcore.consent.bundle import Confidence
from crmcore.consent.rights_words import Right
from crmcore.errors import InvalidRightsRequest
from crmcore.values.ids import JudgementId, PartyId
from tests.app.requests import Clock, collecting, customers

SURE: tuple[Confidence, ...] = ("certain", "probable", "doubtful")


def merged(right: Right) -> tuple[Crm, RightsRequest, dict[str, PartyId], JudgementId]:
    """Ann and Bob were taken for one when Ann asked."""
    crm = customers(clock=Clock())
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    bob = crm.parties.add(Person.of("Bob Stone", email="bob@x.example"))
    slip = crm.identity.merge(ann.id, bob.id)
    return crm, collecting(crm, "ann@x.example", right), {"ann": ann.id, "bob": bob.id}, slip.id


def tell_apart(crm: Crm, ids: dict[str, PartyId], slip: JudgementId, way: str) -> None:
    if way == "taken back":
        crm.identity.retract(slip)
    crm.identity.mark_different(ids["ann"], ids["bob"])


WAYS = pytest.mark.parametrize("way", ["told apart", "taken back"])


@WAYS
@pytest.mark.parametrize("reviewed", SURE)
def test_whoever_was_told_from_the_person_who_asked_is_not_erased_with_them(
    way: str, reviewed: Confidence
) -> None:
    crm, request, ids, slip = merged("erasure")
    tell_apart(crm, ids, slip, way)
    plan = crm.requests.erasure_plan(request.id, reviewed=reviewed)
    assert [one.kind for one in plan.of("delete")].count("party") == 1
    crm.requests.erase(request.id, plan_sha256=plan.digest, reviewed=reviewed)
    assert crm.parties.find(email="ann@x.example") == ()
    assert [one.id for one in crm.parties.find(email="bob@x.example")] == [ids["bob"]]


@WAYS
def test_nothing_of_whoever_was_told_from_the_person_is_given_to_them(way: str) -> None:
    crm, request, ids, slip = merged("access")
    tell_apart(crm, ids, slip, way)
    bundle = crm.requests.bundle(request.id, reviewed="doubtful")
    assert {item.origin for item in bundle.items} == {ids["ann"]}
    assert not [word for word in ("Bob", "Stone", "bob@") if word in str(bundle.to_json())]


def test_an_objection_is_none_of_whoever_was_told_from_the_person() -> None:
    crm, request, ids, slip = merged("objection")
    tell_apart(crm, ids, slip, "told apart")
    crm.requests.carry_out(request.id)
    assert [act.kind for act in crm.consent.events(ids["ann"])] == ["object"]
    assert crm.consent.events(ids["bob"]) == ()


@pytest.mark.parametrize("reviewed", SURE)
def test_while_nobody_has_said_whose_a_record_is_that_was_split_off_nothing_is_erased(
    reviewed: Confidence,
) -> None:
    crm, request, _, slip = merged("erasure")
    crm.identity.retract(slip)
    with pytest.raises(InvalidRightsRequest, match="mark them different"):
        crm.requests.erasure_plan(request.id, reviewed=reviewed)
