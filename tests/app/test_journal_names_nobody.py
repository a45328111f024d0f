"""What a batch leaves behind of whom it was about: nothing on which an address could be guessed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from crmcore import Crm, Person
from crmcore.consent import SecretRing
from crmcore.errors import IdempotencyMismatch, NotFound
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


def test_without_secrets_whoever_is_gone_is_not_found_again() -> None:
    store = MemoryStore()
    crm = people(store, None)
    run_batch(crm, ANN)
    other = Person.of("Ann Lee", email="ann@z.example").contact_points
    crm.parties.change(crm.parties.find(email=ANN)[0].id, lambda party: party.changed(contact_points=other))
    with pytest.raises(NotFound):
        run_batch(crm, ANN)


def test_with_secrets_a_batch_runs_again_also_when_the_address_has_left() -> None:
    crm = people(MemoryStore(), OLD)
    done = run_batch(crm, ANN, ANN)
    other = Person.of("Ann Lee", email="ann@z.example").contact_points
    crm.parties.change(crm.parties.find(email=ANN)[0].id, lambda party: party.changed(contact_points=other))
    assert run_batch(crm, ANN, ANN) == done
