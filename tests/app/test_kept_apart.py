"""Records that people kept apart for a time: what was said meanwhile takes back no No of the other."""

from __future__ import annotations

from typing import Any

from crmcore import Crm
from crmcore.consent import Wished
from crmcore.values.ids import JudgementId
from tests.app.test_consents import person
from tests.consent.asking import YES, asked, company

SHARED = "family@x.org"
GIVEN: Any = {"purposes": ["marketing"], "channels": ["email"], "evidence": YES}


def refused(crm: Crm) -> tuple[Any, Any]:
    """Two records of one address, the first of which objected to marketing."""
    one, other = person(crm, SHARED), person(crm, SHARED)
    crm.consent.record("object", one.id, purposes=["marketing"])
    return one, other


def answers(crm: Crm, *records: Any) -> list[str]:
    return [asked(crm, record.id, point=SHARED).answer for record in records]


def test_a_yes_given_apart_takes_back_no_objection_when_the_two_are_joined_again() -> None:
    crm = company()
    one, other = refused(crm)
    crm.identity.merge(one.id, other.id)
    apart = crm.identity.mark_different(one.id, other.id)
    crm.consent.record("give", other.id, point=SHARED, **GIVEN)
    before = answers(crm, one, other)
    crm.identity.retract(apart.id)
    assert answers(crm, one, other) == ["deny", "deny"]
    assert before[0] == "deny"
    crm.consent.record("give", other.id, point=SHARED, **GIVEN)
    assert answers(crm, one, other) == ["allow", "allow"]


def test_the_audience_is_told_of_records_joined_again_as_a_single_question_is() -> None:
    crm = company()
    one, other = refused(crm)
    crm.identity.merge(one.id, other.id)
    apart = crm.identity.mark_different(one.id, other.id)
    crm.consent.record("give", other.id, point=SHARED, **GIVEN)
    crm.identity.retract(apart.id)
    (told,) = crm.consent.audience(
        purpose="marketing", channel="email", jurisdictions=["DE"], offered_to_children=False
    )
    assert told.decision is not None
    assert told.decision.answer == "deny"


def test_records_that_a_third_one_held_together_were_apart_while_it_was_kept_from_one_of_them() -> None:
    crm = company()
    one, other = refused(crm)
    between = person(crm, "between@x.org")
    crm.identity.merge(one.id, between.id)
    crm.identity.merge(between.id, other.id)
    apart = crm.identity.mark_different(one.id, other.id)
    crm.consent.record("give", other.id, point=SHARED, **GIVEN)
    crm.identity.retract(apart.id)
    assert len(crm.customers.resolve(one.id).members) == 3
    assert answers(crm, one, other) == ["deny", "deny"]


def test_a_split_elsewhere_takes_nothing_from_what_was_said_together() -> None:
    crm = company()
    one, other = refused(crm)
    third = person(crm, "third@x.org")
    crm.identity.merge(one.id, other.id)
    crm.consent.record("give", other.id, point=SHARED, **GIVEN)
    held = crm.identity.mark_different(one.id, third.id)
    crm.identity.retract(held.id)
    crm.identity.merge(one.id, third.id)
    assert answers(crm, one, other) == ["allow", "allow"]


def test_a_wish_said_apart_replaces_none_of_the_other_record() -> None:
    crm = company()
    one, other = person(crm, "ann@x.org"), person(crm, "lee@x.org")
    crm.consent.record("give", "ann@x.org", **GIVEN)
    crm.preferences.record(one.id, Wished(channels=frozenset({"post"})))
    crm.identity.merge(one.id, other.id)
    apart: JudgementId = crm.identity.mark_different(one.id, other.id).id
    crm.preferences.record(other.id, Wished(channels=frozenset()))
    crm.identity.retract(apart)
    found = crm.preferences.decide("ann@x.org", purpose="marketing", channel="email", jurisdictions=["DE"])
    assert found.answer == "deny"
    assert "wish.channel" in {hit.rule for hit in found.trace}
