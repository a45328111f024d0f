"""`known_at`: nothing that was recorded later is looked at, neither an act nor a change of a record nor a merge."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore import Crm, Person
from crmcore.consent import Wished
from crmcore.errors import AmbiguousReference, CrmError, InvalidConsent
from crmcore.values.partial_date import PartialDate
from tests.app.houses import START, Clock
from tests.app.test_audience import moves, play
from tests.app.test_consents import person
from tests.consent.asking import PRACTICE, YES, asked, company

DAY = timedelta(days=1)
GIVEN: Any = {"purposes": ["marketing"], "channels": ["email"], "evidence": YES, "controller": "northwind"}
TOLD: Any = {"controller": "northwind", "message": PRACTICE.marketing}


def at(crm: Crm) -> Any:
    """By now, as it is asked later: the instant at which the next thing is recorded comes after it."""
    return crm.consent.record("request", person(crm, "clock@x.org").id).recorded_at


def answers(crm: Crm, ref: str, then: Any, **more: Any) -> tuple[str, str]:
    """What is known now, and what was known then, of that instant."""
    now = asked(crm, ref, at=then, **TOLD, **more).answer
    return now, asked(crm, ref, at=then, known_at=then, **TOLD, **more).answer


def test_a_birth_date_that_was_put_right_later_was_not_known_then(crm: Crm) -> None:
    ann = person(crm, "ann@x.org")
    crm.parties.change(ann.id, lambda p: p.changed(birth_date=PartialDate.parse("2018-01-01")))
    crm.consent.record("give", "ann@x.org", **GIVEN)
    then = at(crm)
    children: Any = {"offered_to_children": True}
    before = asked(crm, ann.id, at=then, **TOLD, **children).answer
    crm.parties.change(ann.id, lambda p: p.changed(birth_date=PartialDate.parse("1990-01-01")))
    assert answers(crm, ann.id, then, **children)[1] == before != "allow"
    assert before != asked(crm, ann.id, at=then, **TOLD, **children).answer


def test_a_merge_that_was_taken_back_was_one_then() -> None:
    crm = company()
    one, other = person(crm, "ann@x.org"), person(crm, "lee@x.org")
    crm.consent.record("give", "ann@x.org", **GIVEN)
    crm.consent.record("object", other.id, purposes=["marketing"], controller="northwind")
    apart = at(crm)
    merged = crm.identity.merge(one.id, other.id)
    together = at(crm)
    crm.identity.retract(merged.id)
    point: Any = {"point": "ann@x.org"}
    assert answers(crm, one.id, apart, **point) == ("allow", "allow")
    assert answers(crm, one.id, together, **point) == ("allow", "deny")
    crm.identity.merge(one.id, other.id)
    assert answers(crm, one.id, apart, **point) == ("deny", "allow")


def test_a_former_address_is_asked_about_as_it_was_known() -> None:
    crm = company()
    ann = person(crm, "ann@x.org")
    crm.consent.record("give", "ann@x.org", **GIVEN)
    then = at(crm)
    crm.parties.change(ann.id, lambda p: p.without("ann@x.org").with_email("new@x.org"))
    assert asked(crm, ann.id, at=then, known_at=then).answer == "allow"
    assert asked(crm, ann.id, at=then, known_at=then, point="ann@x.org").answer == "allow"
    (row,) = crm.consent.matrix(
        ann.id, purposes=["marketing"], at=then, known_at=then, jurisdictions=["DE"]
    ).rows
    assert row.point == "ann@x.org"
    for wrong in ({"ref": "new@x.org"}, {"ref": ann.id, "point": "new@x.org"}):
        with pytest.raises(InvalidConsent, match="no record of this customer"):
            asked(crm, wrong.pop("ref"), at=then, known_at=then, **wrong)
    assert asked(crm, ann.id).answer == "deny"


def test_a_number_that_they_did_not_have_then_leads_to_no_other_number() -> None:
    crm = company()
    old, new = "+44 20 7946 0018", "+44 20 7946 0999"
    ann = crm.parties.add(Person.of("Ann Hill", phone=old))
    then = at(crm)
    crm.parties.change(ann.id, lambda p: p.without(old).with_phone(new + " ext. 12"))
    called: Any = {"at": then, "known_at": then, "channel": "voice", "jurisdictions": ["GB"]}
    for ref in (new, new + " x12", new.replace(" ", "")):
        with pytest.raises(InvalidConsent, match="no record of this customer"):
            asked(crm, ref, **called)
    row = crm.consent.matrix(ann.id, purposes=["marketing"], channels=["voice"], at=then, known_at=then).rows
    assert [one.point for one in row] == ["+442079460018"]
    assert asked(crm, ann.id, point=old, **called) == asked(crm, "Ann Hill", **called)
    assert asked(crm, new, channel="voice", jurisdictions=["GB"]).channel == "voice"
    crm.parties.add(Person.of("55512 34", email="lee@x.org"))
    later: Any = {"at": START + DAY, "known_at": START + DAY, "jurisdictions": ["GB"]}
    assert asked(crm, "55512", **later).channel == "email"


def test_a_record_that_was_not_there_is_taken_as_it_came() -> None:
    crm = company()
    ann = person(crm, "ann@x.org")
    crm.parties.change(ann.id, lambda p: p.with_email("new@x.org"))
    early = START - 30 * DAY
    assert asked(crm, ann.id, at=early, known_at=early).answer == "deny"


def test_what_fitted_two_customers_then_is_refused() -> None:
    crm = company()
    one, other = person(crm, "fam@x.org"), person(crm, "fam@x.org")
    then = at(crm)
    crm.identity.merge(one.id, other.id)
    assert asked(crm, "fam@x.org", at=then).answer == "deny"
    with pytest.raises(AmbiguousReference, match="then"):
        asked(crm, "fam@x.org", at=then, known_at=then)


def test_wishes_are_those_of_the_records_that_were_one_then() -> None:
    crm = company()
    one, other = person(crm, "ann@x.org"), person(crm, "lee@x.org")
    crm.consent.record("give", "ann@x.org", **GIVEN)
    crm.preferences.record(other.id, Wished(channels=frozenset({"post"})))
    then = at(crm)
    crm.identity.merge(one.id, other.id)
    told: Any = {
        "purpose": "marketing",
        "channel": "email",
        "jurisdictions": ["DE"],
        "at": then,
        "point": "ann@x.org",
    }
    told["offered_to_children"] = False
    assert crm.preferences.decide(one.id, **told).rule == "wish.channel"
    assert crm.preferences.decide(one.id, **told, known_at=then).answer == "allow"


@given(
    st.lists(
        st.one_of(moves, st.tuples(st.just("apart"), st.tuples(st.integers(0, 2), st.integers(0, 2)))),
        max_size=8,
    )
)
@settings(max_examples=12)
def test_what_was_answered_then_is_answered_whenever_it_is_asked_about(
    history: list[tuple[str, Any]],
) -> None:
    clock = Clock()
    crm = company(clock)
    people = [person(crm, "a@x.org"), person(crm, "a@x.org", "b@x.org"), person(crm, "c@x.org"), person(crm)]
    answered: list[tuple[Any, list[Any]]] = []
    for kind, what in history:
        if kind == "apart":
            with suppress(CrmError):
                crm.identity.mark_different(people[what[0]].id, people[what[1]].id)
        else:
            play(crm, people, (kind, what), clock)
        answered.append((clock.now, everything(crm, people, clock.now)))
    for then, said in answered:
        assert everything(crm, people, then) == said


def everything(crm: Crm, people: list[Any], then: Any) -> list[Any]:
    told: Any = {"jurisdictions": ["DE"], "at": then, "known_at": then, "offered_to_children": False}
    return [
        [(row.channel, row.point, row.answer, row.rule) for row in crm.consent.matrix(one.id, **told).rows]
        for one in people
    ]
