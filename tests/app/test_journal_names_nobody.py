"""What a batch leaves behind of whom it was about: nothing on which an address could be guessed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from crmcore import Crm, Person
from crmcore.consent import SecretRing
from crmcore.errors import IdempotencyMismatch
from crmcore.storage import MemoryStore
from tests.app.requests import NOW

OLD = SecretRing({1: b"1" * 32})
BOTH = SecretRing({1: b"1" * 32, 2: b"2" * 32})
ANN, TOO = "ann@x.example", "ann@y.example"


def opened(store: MemoryStore, secrets: SecretRing | None) -> Crm:
    return Crm(store, clock=lambda: NOW, secrets=secrets)


def people(store: MemoryStore, secrets: SecretRing | None) -> Crm:
    crm = opened(store, secrets)
    crm.parties.add(Person.of("Ann Lee", email=ANN).with_email(TOO))
    crm.parties.add(Person.of("Bo Hill", email="bo@x.example"))
    return crm


def run_batch(crm: Crm, ref: str, point: str | None = None, purpose: Any = "marketing") -> tuple[Any, Any]:
    with crm.batch(idem="webhook 7") as b:
        act = b.consent.record("withdraw", ref, point=point, purposes=[purpose])
        return act, b.requests.receive(ref, right="access", law="gdpr", channel="email", zone="Europe/Berlin")


def guesses(address: str) -> Iterator[str]:
    """What whoever holds the store alone can make of a guess."""
    scope = {"controller": "default", "purposes": ["marketing"]}
    for asked in (
        ["requests.receive", address, "access", "gdpr"],
        ["requests.receive", address, None, "access", "gdpr"],
        ["consent.record", "withdraw", address, None, scope],
        ["consent.record", "withdraw", address, address, scope],
    ):
        plain = json.dumps(asked, sort_keys=True, separators=(",", ":"))
        yield hashlib.sha256(plain.encode()).hexdigest()


@pytest.mark.parametrize("secrets", [None, OLD])
def test_no_address_can_be_guessed_from_a_journal(secrets: SecretRing | None) -> None:
    store = MemoryStore()
    crm = people(store, secrets)
    run_batch(crm, ANN, ANN)
    (journal,) = store.scan("default", "batch", limit=9).items
    digests = {call["digest"] for call in journal.body["calls"]}
    assert len(digests) == 2
    assert digests.isdisjoint(guesses(ANN))


@pytest.mark.parametrize("secrets", [None, OLD])
def test_a_batch_about_somebody_else_is_another_one(secrets: SecretRing | None) -> None:
    crm = people(MemoryStore(), secrets)
    done = run_batch(crm, ANN, ANN)
    assert run_batch(crm, ANN, ANN) == done
    for ref, point, purpose in (
        ("bo@x.example", None, "marketing"),
        (ANN, TOO, "marketing"),
        (ANN, ANN, "research"),
    ):
        with pytest.raises(IdempotencyMismatch):
            run_batch(crm, ref, point, purpose)
    assert len(crm.consent.events(ANN)) == 1


def test_a_batch_runs_again_under_newer_secrets_and_those_that_came_later() -> None:
    store = MemoryStore()
    done = run_batch(people(store, OLD), ANN)
    assert run_batch(opened(store, BOTH), ANN) == done
    store = MemoryStore()
    with people(store, None).batch(idem="add") as b:
        added = b.parties.add(Person.of("Cleo", email="c@x.example"))
    with opened(store, BOTH).batch(idem="add") as b:
        assert b.parties.add(Person.of("Cleo", email="c@x.example")) == added


@pytest.mark.parametrize("secrets", [None, OLD])
@pytest.mark.parametrize("point", [None, ANN])
def test_a_batch_runs_again_also_when_the_address_has_left_or_somebody_else_has_it_too(
    secrets: SecretRing | None, point: str | None
) -> None:
    crm = people(MemoryStore(), secrets)
    done = run_batch(crm, ANN, point)
    crm.parties.add(Person.of("Ann Lee", email=ANN).with_email("ann@a.example"))
    assert run_batch(crm, ANN, point) == done
    ann, other = done[0].record, Person.of("Ann Lee", email="ann@z.example").contact_points
    crm.parties.change(ann, lambda party: party.changed(contact_points=other))
    assert run_batch(crm, ANN, point) == done


@pytest.mark.parametrize("secrets", [None, OLD])
def test_a_request_that_came_in_a_batch_is_known_again_after_whoever_asked_was_erased(
    secrets: SecretRing | None,
) -> None:
    crm = people(MemoryStore(), secrets)

    def received() -> Any:
        with crm.batch(idem="r") as b:
            return b.requests.receive(ANN, right="erasure", law="gdpr", channel="email", zone="Europe/Berlin")

    request = received()
    crm.requests.identify(request.id, "logged_in")
    for step in ("accept", "collect"):
        crm.requests.move(request.id, step)
    plan = crm.requests.erasure_plan(request.id)
    crm.requests.erase(request.id, plan_sha256=plan.digest)
    assert received().id == request.id


def test_without_secrets_another_address_is_not_taken_for_one_that_was_given_up() -> None:
    crm = people(MemoryStore(), None)
    ann = crm.parties.find(email=ANN)[0].id

    def said(point: str) -> Any:
        with crm.batch(idem="k") as b:
            return b.consent.record("withdraw", ann, purposes=["marketing"], point=point)

    done = said(ANN)
    other = Person.of("Ann Lee", email=TOO).contact_points
    crm.parties.change(ann, lambda party: party.changed(contact_points=other))
    with pytest.raises(IdempotencyMismatch):
        said(TOO)
    assert said(ANN) == done


@pytest.mark.parametrize("secrets", [None, OLD])
def test_a_batch_about_several_runs_again_in_any_order_but_not_more_often(secrets: SecretRing | None) -> None:
    crm = people(MemoryStore(), secrets)

    def said(*refs: str) -> list[Any]:
        with crm.batch(idem="k") as b:
            return [b.consent.record("withdraw", ref, purposes=["marketing"]) for ref in refs]

    first, second = said(ANN, "bo@x.example")
    assert said("bo@x.example", ANN) == [second, first]
    with pytest.raises(IdempotencyMismatch):
        said(ANN, ANN)
