"""Somebody was erased: what the library says of everybody else, and of what was once there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crmcore import Crm, Person
from crmcore.errors import NotFound
from crmcore.party import PartyAdded
from crmcore.storage import Erasure, MemoryStore, Ref
from crmcore.values.source import SYSTEM

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def erased(store: MemoryStore, *ids: str) -> None:
    refs = {Ref("default", kind, id) for id in ids for kind in ("party", "features")}
    erasure = Erasure(
        tenant="default", refs=frozenset(refs), subjects=frozenset(ids), idem="e", actor=SYSTEM, at=NOW
    )
    assert store.erase(erasure).entries


def test_events_go_on_after_an_erasure_without_what_was_erased() -> None:
    store = MemoryStore()
    with Crm(store) as crm:
        ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
        bo = crm.parties.add(Person.of("Bo Hill", email="bo@x.org"))
        before = crm.events()
        erased(store, ann.id)
        crm.parties.change(bo.id, lambda p: p.with_email("bo@y.org"))
        after = crm.events()
        assert [one.stream for one in after.items] == [f"party:{bo.id}"] * 2
        assert isinstance(after.items[0].event, PartyAdded)
        assert after.items[0] == before.items[1]
        assert crm.events(before.next).items == after.items[1:]


def test_an_erased_party_has_no_history_and_is_not_found() -> None:
    store = MemoryStore()
    with Crm(store) as crm:
        ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
        bo = crm.parties.add(Person.of("Bo Hill", email="bo@x.org"))
        kept = crm.parties.history(bo.id)
        erased(store, ann.id)
        assert crm.parties.find(email="ann@x.org") == ()
        with pytest.raises(NotFound):
            crm.parties.get(ann.id)
        assert crm.parties.history(bo.id) == kept
        again = crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
        assert [party.id for party in crm.parties.find(email="ann@x.org")] == [again.id]


def test_who_is_joined_to_an_erased_record_is_a_customer_still() -> None:
    store = MemoryStore()
    with Crm(store) as crm:
        ann, too, three = (
            crm.parties.add(Person.of("Ann Lee", email=f"ann{number}@x.org")) for number in range(3)
        )
        crm.identity.merge(ann.id, too.id, reason="said so")
        crm.identity.merge(too.id, three.id, reason="said so")
        erased(store, ann.id)
        assert "ann1@x.org" in crm.customers.view(too.id).text()
        assert "ann0@x.org" not in crm.customers.view(too.id).text()
        assert crm.parties.history(too.id)


def test_a_history_tells_what_was_not_erased_of_it() -> None:
    store = MemoryStore()
    with Crm(store) as crm:
        ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org"))
        crm.parties.change(ann.id, lambda p: p.with_email("a@y.org"))
        whole = crm.parties.history(ann.id)
        first = frozenset({(f"party:{ann.id}", 1)})
        store.erase(Erasure(tenant="default", entries=first, idem="e", actor=SYSTEM, at=NOW))
        assert crm.parties.history(ann.id) == whole[1:]
