"""Who was erased on request is not written to when the address comes back."""

from __future__ import annotations

from datetime import date
from itertools import count

from crmcore import Crm, Person
from crmcore.consent import Message, SecretRing
from crmcore.errors import StoreClosed
from crmcore.storage import MemoryStore
from tests.app.requests import Clock, collecting
from tests.app.test_erasures_cut_off import Cut
from tests.app.test_person_erasure import NOTHING_KEPT

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


def test_an_erasure_that_goes_on_suppresses_nothing_twice() -> None:
    for done in count():
        store = Cut()
        crm = Crm(store, secrets=SECRETS, clock=Clock())
        zed = crm.parties.add(Person.of("Zacharias", email="zz@x.example")).id
        crm.consent.record("object", zed, purposes=["profiling"])
        for _ in range(2):
            crm.interactions.record("note", direction="internal", occurred_at=date(2026, 3, 1), with_=[zed])
        request = collecting(crm, zed, "erasure")
        plan = crm.requests.erasure_plan(request.id, facts=NOTHING_KEPT)
        store.left = done
        try:
            crm.requests.erase(request.id, plan_sha256=plan.digest, facts=NOTHING_KEPT)
        except StoreClosed:
            store.left = 10**9
            crm.requests.erase(request.id, plan_sha256=plan.digest, facts=NOTHING_KEPT)
            whole = False
        else:
            whole = True
        (entry,) = crm.store.scan("default", "suppression", limit=9).items
        assert set(entry.body["scope"]["purposes"]) == {"direct_marketing", "profiling"}
        if whole:
            break
    assert done > 1


def test_without_secrets_an_erasure_leaves_no_entry() -> None:
    crm = Crm(MemoryStore(), clock=Clock())
    zed = crm.parties.add(Person.of("Zacharias", email="zz@x.example"))
    request = collecting(crm, zed.id, "erasure")
    crm.requests.erase(request.id, plan_sha256=crm.requests.erasure_plan(request.id).digest)
    assert crm.consent.events(crm.parties.add(Person.of("Zed", email="zz@x.example")).id) == ()
