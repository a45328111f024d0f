"""A store whose customers are matched by what was learned: by the model or by rules, and undone whole."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import attrs
import pytest

from crmcore import Crm, Organization, Person
from crmcore.identity.features import Features
from crmcore.identity.matcher import Match
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.match_model import MatchModel
from crmcore.identity.population import Population
from crmcore.party.party import Household
from crmcore.values.ids import PartyId
from tests.app.houses import in_memory
from tests.app.judging import MailboxMatcher
from tests.identity.model.invented import households, records

MODEL = Matcher().learn(records(households())).model
DOOR: dict[str, Any] = {"phone": "+44 20 7946 0018", "address": "12 Harbour Street, York YO1 7HH"}


def model() -> MatchModel:
    assert MODEL is not None
    return MODEL


def test_a_model_of_people_leaves_organizations_to_the_rules() -> None:
    crm = in_memory(matcher=model())
    crm.parties.add(Organization.of("Acme Bakery Ltd", phone=DOOR["phone"]))
    crm.parties.add(Organization.of("Zenith Dental Clinic", phone=DOOR["phone"]))
    twins = [Person.of("Olivia Brandt", birth_date="1985-04-12", email="ob@mail.example") for _ in "ab"]
    for twin in twins:
        crm.parties.add(twin)
    report = crm.identity.dedupe()
    assert report.matchers == (model().name, "rules/1")
    assert dict(report.customers) == {"person": 1, "organization": 2}


def test_single_organizations_are_compared_by_the_rules_beside_a_model_of_people() -> None:
    crm = in_memory(matcher=model())
    shop, _ = (crm.parties.add(Organization.of("Acme Bakery Ltd", **DOOR)).id for _ in "ab")
    (candidate,) = crm.identity.matches(shop)
    assert candidate.match.verdict == "same"


@pytest.mark.parametrize("matcher", [None, MODEL])
def test_households_are_left_to_the_rules(matcher: MatchModel | None) -> None:
    crm = in_memory(matcher=matcher)
    home = (
        Household.of("Lee family", address=DOOR["address"]).with_phone(DOOR["phone"]).with_email("lee@x.org")
    )
    one, _ = (crm.parties.add(home).id for _ in "ab")
    assert [candidate.match.verdict for candidate in crm.identity.matches(one)] == ["same"]
    report = crm.identity.dedupe()
    assert (dict(report.customers), report.notes) == ({"household": 1}, ())


def test_a_field_left_out_is_used_nowhere_in_a_store() -> None:
    crm = in_memory(matcher=Matcher.for_fields(without=["phone", "email"]))
    person = Person.of("Ann Lee", phone=DOOR["phone"], email="ann@x.example")
    a, _ = (crm.parties.add(person).id for _ in "ab")
    (candidate,) = crm.identity.matches(a)
    assert candidate.match.verdict == "unsure"
    assert {reason.field for reason in candidate.match.reasons} == {"name"}
    assert crm.identity.dedupe().merged == 0
    evidence = {entry["field"] for judgement in crm.identity.judgements(a) for entry in judgement.evidence}
    assert evidence == {"name"}


def chain(crm: Crm) -> list[PartyId]:
    """Four parties that the mailbox matcher joins in a row."""
    first, second = ("a@x.org", "b@x.org", "b@x.org", "c@x.org"), (None, "a@x.org", "c@x.org", None)
    people = (
        Person.of("Ann Lee", email=mail).with_email(more or mail)
        for mail, more in zip(first, second, strict=True)
    )
    return [crm.parties.add(person).id for person in people]


@pytest.mark.parametrize("first", range(3))
@pytest.mark.parametrize("then", range(3))
def test_a_decision_is_taken_back_whole_though_a_part_of_it_was_taken_back_before(
    first: int, then: int
) -> None:
    crm = in_memory(matcher=MailboxMatcher())
    ids = chain(crm)
    crm.identity.dedupe()
    links = [next(j for j in crm.identity.judgements(a) if j.pair == (a, b)) for a, b in pairwise(ids)]
    assert len({link.decision for link in links}) == 1
    crm.identity.retract(links[first].id)
    crm.identity.retract(links[then].id, whole=True)
    assert not [j for id in ids for j in crm.identity.judgements(id) if j.live]
    assert all(crm.customers.resolve(a).id != crm.customers.resolve(b).id for a, b in combinations(ids, 2))


def test_parts_of_a_decision_that_share_no_party_are_taken_back_together() -> None:
    crm = in_memory(matcher=MailboxMatcher())
    b, c = (crm.parties.add(Person.of("Ann Lee", email=f"{n}@x.org").with_email("bc@x.org")).id for n in "bc")
    crm.identity.dedupe()
    a, d = (crm.parties.add(Person.of("Ann Lee", email=f"{n}@x.org")).id for n in "bc")
    crm.identity.dedupe()
    one = next(j for j in crm.identity.judgements(a) if {j.a, j.b} == {a, b})
    assert crm.customers.resolve(a).members == tuple(sorted((a, b, c, d)))
    crm.identity.retract(one.id, whole=True)
    assert crm.customers.resolve(b).members == tuple(sorted((b, c)))
    assert (crm.customers.resolve(a).members, crm.customers.resolve(d).members) == ((a,), (d,))


@attrs.frozen
class HighNumbers(MailboxMatcher):
    """The higher the telephone number that two share, the likelier are they one."""

    def compare(self, a: Features, b: Features, population: Population) -> Match:
        match = super().compare(a, b, population)
        shared = max(set(a.phones) & set(b.phones), default="0")
        return attrs.evolve(match, score=int(shared[-2:])) if match.verdict == "unsure" else match


def test_two_customers_are_put_to_review_once() -> None:
    """Though a model learned later finds another pair of their records to be the likeliest."""
    crm = in_memory(matcher=HighNumbers())
    a = crm.parties.add(Person.of("Ann Lee", email="ann@x.org", phone="+44 20 7946 0001")).id
    b = crm.parties.add(Person.of("Bo Hill", email="bo@x.org", phone="+44 20 7946 0001")).id
    assert crm.identity.dedupe().review == 1
    crm.parties.add(Person.of("Ann Lee", email="ann@x.org", phone="+44 20 7946 0002"))
    crm.parties.add(Person.of("Bo Hill", email="bo@x.org", phone="+44 20 7946 0002"))
    report = crm.identity.dedupe()
    assert (report.merged, report.review) == (2, 1)
    assert len(crm.identity.to_review()) == 1
    assert crm.customers.resolve(a).id != crm.customers.resolve(b).id
