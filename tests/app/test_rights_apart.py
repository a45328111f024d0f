"""Requests that are acts: each ends what it began, none is answered before it was carried out, and none is lost."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.consent import RetentionPolicy, Scope, Use
from crmcore.consent.counting import Span
from crmcore.consent.event import ConsentEvent
from crmcore.consent.known import outlasting
from crmcore.consent.ledger import party_stream
from crmcore.consent.rights_words import Right
from crmcore.errors import InvalidRightsRequest
from crmcore.storage import MemoryStore
from crmcore.storage.erasure import Erasure
from tests.app.requests import NOW, Clock, collecting
from tests.app.test_rights_acts import CLERK, answer, known, received

LEDGERS = RetentionPolicy(
    id="ledgers",
    category="prospect",
    purpose="accounting",
    trigger="recorded",
    period=Span.parse("P10Y"),
    basis="obligation",
    text="Books are kept.",
    source="a law",
)


def lift(crm: Crm, clock: Clock, id: Any) -> None:
    crm.requests.announce_lifting(id, reason="settled")
    clock.move(days=1)
    crm.acting_as(CLERK).requests.lift(id)
    clock.move(days=1)


def test_lifting_one_restriction_leaves_the_other() -> None:
    clock = Clock()
    crm = known(clock)
    clock.move(hours=1)
    first, second = received(crm, "restriction"), received(crm, "restriction")
    for request in (first, second):
        crm.requests.carry_out(request.id)
    lift(crm, clock, first.id)
    assert answer(crm) == "deny"
    lift(crm, clock, second.id)
    assert answer(crm) == "allow"


def test_the_end_of_a_review_ends_no_restriction_of_all_processing() -> None:
    clock = Clock()
    crm = known(clock)
    clock.move(hours=1)
    use = Use(data=frozenset({"purchases"}), aim="other", solely_automated=False, legal_effect=False)
    whole, review = received(crm, "restriction"), received(crm, "automated_decision_review")
    for request in (whole, review):
        crm.requests.carry_out(request.id)
    restricted = answer(crm, "profiling", use=use)
    lift(crm, clock, review.id)
    assert answer(crm, "profiling", use=use) == restricted != "allow"
    lift(crm, clock, whole.id)
    assert answer(crm, "profiling", use=use) == "allow"


def test_a_restriction_by_a_duty_to_keep_outlasts_a_request_and_is_renewed_once_it_was_lifted() -> None:
    clock = Clock()
    crm = known(clock)
    clock.move(hours=1)

    def applied() -> int:
        plan = crm.retention.plan(crm.retention.customers().items, policies=[LEDGERS])
        done = crm.retention.apply(plan).restricted
        clock.move(hours=1)
        return done

    assert (applied(), applied()) == (1, 0)
    request = received(crm, "restriction")
    crm.requests.carry_out(request.id)
    lift(crm, clock, request.id)
    assert (answer(crm), applied()) == ("deny", 0)
    crm.consent.record("lift", "ann@x.example")
    crm.consent.record("lift", crm.parties.find(email="ann@x.example")[0].id)
    clock.move(hours=1)
    assert answer(crm) == "allow"
    assert (applied(), applied()) == (1, 0)
    assert answer(crm) == "deny"


def test_an_address_that_is_given_up_takes_a_restriction_along_with_the_lifts() -> None:
    scope = Scope(controller="acme", channels={"email"}, purposes={"marketing"}, point="ann@x.example")
    no = ConsentEvent(id="no", kind="restrict", occurred_at=NOW, scope=scope, record="r", via="request:1")
    later = NOW.replace(year=2027)

    def end(via: str | None) -> ConsentEvent:
        return ConsentEvent(id="l", kind="lift", occurred_at=later, scope=scope, record="r", via=via)

    for via in ("request:1", "request:2", None):  # which of them ends it is for each decision to say
        kept = list(outlasting((no, end(via)), "email", set()))
        assert kept == [attrs.evolve(no, scope=attrs.evolve(scope, given_up="email")), end(via)]


@pytest.mark.parametrize("right", ["objection", "restriction", "automated_decision_review", "rectification"])
def test_nothing_is_answered_before_it_was_carried_out(right: Right) -> None:
    crm = known()
    request = collecting(crm, "ann@x.example", right)
    crm.requests.move(request.id, "review")
    with pytest.raises(InvalidRightsRequest, match=r"nothing was (recorded|corrected) for this request yet"):
        crm.requests.move(request.id, "respond", sha256="0" * 64)
    crm.requests.decide(request.id, "one", "refuse", reason="no")
    crm.requests.decide(request.id, "other", "withhold", reason="of others")
    with pytest.raises(InvalidRightsRequest, match=r"nothing was (recorded|corrected) for this request yet"):
        crm.requests.move(request.id, "refuse_partly", sha256="0" * 64)
    if right == "rectification":
        crm.requests.decide(request.id, "other", "grant")
    else:
        crm.requests.carry_out(request.id)
    assert crm.requests.move(request.id, "refuse_partly", sha256="0" * 64).state == "partially_refused"


def test_what_was_not_done_can_be_refused() -> None:
    crm = known()
    request = collecting(crm, "ann@x.example", "objection")
    assert crm.requests.move(request.id, "refuse", reason="compelling grounds").state == "refused"


def test_an_objection_of_somebody_who_was_erased_since_can_be_answered() -> None:
    crm = known()
    objection = collecting(crm, "ann@x.example", "objection")
    erasure = collecting(crm, "ann@x.example", "erasure")
    plan = crm.requests.erasure_plan(erasure.id)
    crm.requests.erase(erasure.id, plan_sha256=plan.digest)
    crm.requests.move(objection.id, "review")
    assert crm.requests.move(objection.id, "respond", sha256="0" * 64).state == "responded"


def test_what_is_asked_for_later_is_recorded_beside_what_was_and_nothing_twice() -> None:
    clock = Clock()
    crm = known(clock)
    clock.move(hours=1)
    request = received(crm, "objection")
    first = crm.requests.carry_out(request.id, purposes=["research"])
    assert answer(crm) == "allow"
    more = crm.requests.carry_out(request.id, purposes=["research", "direct_marketing"])
    assert [sorted(act.scope.purposes) for act in (first, more)] == [["research"], ["direct_marketing"]]
    assert answer(crm) == "deny"
    crm.requests.carry_out(request.id)
    crm.requests.carry_out(request.id, purposes=["research"])
    assert len(crm.consent.events("ann@x.example")) == 3


def test_a_restriction_that_grew_is_lifted_whole() -> None:
    clock = Clock()
    crm = known(clock)
    clock.move(hours=1)
    request = received(crm, "restriction")
    crm.requests.carry_out(request.id, purposes=["research"])
    crm.requests.carry_out(request.id, purposes=["marketing"])
    assert answer(crm) == "deny"
    lift(crm, clock, request.id)
    assert answer(crm) == "allow"
    assert crm.consent.events("ann@x.example")[-1].scope.purposes == {"research", "marketing"}


@pytest.mark.parametrize("step", ["lift", "announce", "receive", "decide_item"])
def test_a_request_moves_by_its_moves_alone(step: Any) -> None:
    clock = Clock()
    crm = known(clock)
    clock.move(hours=1)
    request = received(crm, "restriction")
    crm.requests.carry_out(request.id)
    crm.requests.announce_lifting(request.id, reason="settled")
    clock.move(days=1)
    with pytest.raises(InvalidRightsRequest, match="has a verb of its own"):
        crm.requests.move(request.id, step, reason="settled")
    crm.requests.lift(request.id)
    assert answer(crm) == "allow"


@pytest.mark.parametrize("right", ["restriction", "automated_decision_review"])
def test_a_restriction_is_lifted_for_whoever_was_told_apart_since(right: Right) -> None:
    clock = Clock()
    crm = known(clock)
    ann = crm.parties.find(email="ann@x.example")[0].id
    bob = crm.parties.add(Person.of("Bob Stone", email="bob@x.example")).id
    crm.identity.merge(ann, bob)
    clock.move(hours=1)
    request = received(crm, right)
    crm.requests.carry_out(request.id)
    crm.identity.mark_different(ann, bob)
    lift(crm, clock, request.id)
    assert [[act.kind for act in crm.consent.events(id)][-2:] for id in (ann, bob)] == [
        ["restrict", "lift"]
    ] * 2


def test_nothing_is_written_of_whoever_was_told_apart_and_erased_since() -> None:
    clock = Clock()
    crm = known(clock)
    store = crm.store
    assert isinstance(store, MemoryStore)
    ann = crm.parties.find(email="ann@x.example")[0].id
    bob = crm.parties.add(Person.of("Bob Stone", email="bob@x.example")).id
    crm.identity.merge(ann, bob)
    clock.move(hours=1)
    request = received(crm, "restriction")
    crm.requests.carry_out(request.id)
    crm.identity.mark_different(ann, bob)
    ledger, at = party_stream(bob), clock.now
    named = frozenset({(ledger, 1)})
    store.erase(Erasure(tenant="default", idem="bob", actor=CLERK, reason="r", at=at, entries=named))
    lift(crm, clock, request.id)
    assert answer(crm) == "allow"
    (page,) = store.ledger("default", [ledger]).values()
    assert [entry.body.get("kind") for entry in page.items if entry.body] == []
