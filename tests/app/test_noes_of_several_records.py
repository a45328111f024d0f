"""A No that is one of several records stands for each of them until what that one says, or all while they are one."""

from __future__ import annotations

import itertools
from typing import Any

from crmcore import Crm, Person
from crmcore.consent import Facts, Subject
from crmcore.values.ids import PartyId
from tests.app.houses import Clock
from tests.app.test_change_of_address import HOUR, SAID
from tests.consent.asking import PRACTICE, YES, company

THERE = "h@x.org"


def sharing(*names: str) -> tuple[Clock, Crm, list[PartyId]]:
    """Several who share an address, recorded one after the other."""
    clock = Clock()
    crm = company(clock)
    ids = []
    for name in names:
        ids.append(crm.parties.add(Person.of(name, email=THERE)).id)
        clock.now += HOUR
    return clock, crm, ids


def answers(crm: Crm, *ids: PartyId, law: str = "US") -> list[str]:
    """Whether each may be written to there; an audience, in whichever order, gets the same answers."""
    asked: dict[str, Any] = {
        "purpose": "marketing",
        "channel": "email",
        "jurisdictions": [law],
        "offered_to_children": False,
        "message": PRACTICE.marketing,
        "facts": Facts(subject=Subject(kind="consumer", adult=True), point=PRACTICE.point),
    }
    found = [str(crm.consent.decide(id, point=THERE, **asked).answer) for id in ids]
    for way in (1, -1):
        listed = crm.consent.audience(ids[::way], **asked)
        told = [None if one.decision is None else str(one.decision.answer) for one in listed]
        assert told == [None if one is None else alone for one, alone in zip(told, found[::way], strict=True)]
    return found


def test_a_yes_that_came_before_a_record_lifts_no_no_of_another_for_it() -> None:
    for order in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        clock, crm, made = sharing("Al Poe", "Bea Poe", "Cy Poe")
        al, bea, cy = (made[place] for place in order)
        crm.identity.merge(al, bea)
        clock.now += HOUR
        crm.consent.record("withdraw", bea, point=THERE, **SAID)
        clock.now += HOUR
        crm.consent.record("give", al, point=THERE, **SAID, evidence=YES)
        clock.now += HOUR
        assert answers(crm, al, cy) == ["allow", "deny"]
        crm.identity.merge(bea, cy)
        clock.now += HOUR
        assert answers(crm, al, cy) == ["deny", "deny"], order
        crm.consent.record("give", al, point=THERE, **SAID, evidence=YES)
        clock.now += HOUR
        assert answers(crm, al, cy) == ["allow", "allow"]


def test_a_no_of_several_records_is_lifted_for_each_by_what_that_one_says() -> None:
    points: tuple[dict[str, Any], ...] = ({}, {"point": THERE})
    for point, (named, other) in itertools.product(points, ((0, 1), (1, 0))):
        clock, crm, made = sharing("Al Poe", "Bea Poe", "Cy Poe")
        al, bea, cy = made[named], made[other], made[2]
        judged = crm.identity.merge(al, bea).id
        clock.now += HOUR
        crm.consent.record("withdraw", al, **SAID, **point)
        clock.now += HOUR
        crm.identity.retract(judged)
        for id, expected in ((al, ["allow", "deny", "allow"]), (bea, ["allow", "allow", "allow"])):
            clock.now += HOUR
            crm.consent.record("give", id, point=THERE, **SAID, evidence=YES)
            clock.now += HOUR
            assert answers(crm, al, bea, cy) == expected, (point, named)
            assert answers(crm, al, bea, law="DE") == expected[:2]
        crm.identity.merge(al, bea)
        clock.now += HOUR
        assert answers(crm, al, bea) == ["allow", "allow"]


def test_a_lift_is_of_each_record_of_which_it_was_said() -> None:
    for together in (True, False):
        clock, crm, (al, bea) = sharing("Al Poe", "Bea Poe")
        judged = crm.identity.merge(al, bea).id
        clock.now += HOUR
        crm.consent.record("restrict", al)
        clock.now += HOUR
        if together:
            crm.consent.record("lift", al)
            clock.now += HOUR
        crm.identity.retract(judged)
        clock.now += HOUR
        if not together:
            crm.consent.record("lift", al)
            clock.now += HOUR
        expected = ["allow", "allow" if together else "deny"]
        assert answers(crm, al, bea) == expected
        crm.identity.merge(al, bea)
        clock.now += HOUR
        assert answers(crm, al, bea) == expected[1:] * 2


def test_a_lift_of_one_record_at_a_shared_address_ends_no_restriction_of_another() -> None:
    clock, crm, (al, bea, cy) = sharing("Al Poe", "Bea Poe", "Cy Poe")
    judged = crm.identity.merge(al, bea).id
    clock.now += HOUR
    crm.consent.record("restrict", al, point=THERE)
    clock.now += HOUR
    crm.identity.retract(judged)
    clock.now += HOUR
    crm.consent.record("lift", al, point=THERE)
    clock.now += HOUR
    assert answers(crm, al, bea, cy) == ["allow", "deny", "allow"]
    crm.consent.record("lift", bea, point=THERE)
    clock.now += HOUR
    assert answers(crm, al, bea, cy) == ["allow"] * 3
