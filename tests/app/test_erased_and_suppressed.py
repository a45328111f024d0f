"""Who was erased on request is not written to when the address comes back."""

from __future__ import annotations

from crmcore import Crm, Person
from crmcore.consent import Message, SecretRing
from crmcore.storage import MemoryStore
from tests.app.requests import Clock, collecting

SECRETS = SecretRing({1: bytes(range(32))})


def test_an_address_that_comes_back_after_an_erasure_is_known() -> None:
    crm = Crm(MemoryStore(), secrets=SECRETS, clock=Clock())
    zed = crm.parties.add(Person.of("Zacharias", email="zz@x.example"))
    request = collecting(crm, zed.id, "erasure")
    crm.requests.erase(request.id, plan_sha256=crm.requests.erasure_plan(request.id).digest)
    back = crm.parties.add(Person.of("Zed", email="ZZ@x.example"))
    asked = crm.consent.decide(
        back.id,
        purpose="marketing",
        channel="email",
        jurisdictions=["EU"],
        message=Message.marketing(sender_identified=True, unsubscribe=True, unsubscribe_burdened=False),
        offered_to_children=False,
    )
    assert (asked.answer, asked.rule) == ("deny", "eu.suppressed")


def test_without_secrets_an_erasure_leaves_no_entry() -> None:
    crm = Crm(MemoryStore(), clock=Clock())
    zed = crm.parties.add(Person.of("Zacharias", email="zz@x.example"))
    request = collecting(crm, zed.id, "erasure")
    crm.requests.erase(request.id, plan_sha256=crm.requests.erasure_plan(request.id).digest)
    assert crm.consent.events(crm.parties.add(Person.of("Zed", email="zz@x.example")).id) == ()
