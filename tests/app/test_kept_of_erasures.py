"""What is kept of somebody who was erased goes when its time is over, and nothing of it is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from crmcore import Crm, Person
from crmcore.app import ErasureFacts
from crmcore.consent import LegalHold, RightsRequest
from crmcore.errors import InvalidRightsRequest
from crmcore.storage import MemoryStore, SqliteStore
from crmcore.storage.erasure import ERASED
from crmcore.storage.stored import StoredEntry
from crmcore.storage.wrappers import Encrypted, MemoryKeyStore, wrapped
from crmcore.values.ids import PartyId
from tests.app.requests import Clock, collecting, customers
from tests.app.test_person_erasure import CANARIES, everything, lived, rows_of

STORES: list[Callable[[Path], MemoryStore | SqliteStore]] = [
    lambda folder: MemoryStore(),
    lambda folder: SqliteStore(folder / "crm.db"),
]


def erase(crm: Crm, request: RightsRequest, facts: ErasureFacts | None = None) -> None:
    plan = crm.requests.erasure_plan(request.id, facts=facts)
    crm.requests.erase(request.id, plan_sha256=plan.digest, facts=facts)


def closed(crm: Crm, who: PartyId, facts: ErasureFacts | None = None) -> RightsRequest:
    """A request for erasure that was carried out, answered and closed."""
    request = collecting(crm, who, "erasure")
    erase(crm, request, facts)
    crm.requests.move(request.id, "review")
    crm.requests.move(request.id, "respond", sha256=crm.requests.certificate(request.id).sha256)
    return crm.requests.move(request.id, "close")


def test_an_address_is_not_kept_for_acts_that_went_with_the_key_of_the_person() -> None:
    crm = customers(wrapped(MemoryStore(), lambda inner: Encrypted(inner, MemoryKeyStore())))
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example").with_email("lees@x.example")).id
    bo = crm.parties.add(Person.of("Bo Lee", email="lees@x.example")).id
    for point in ("ann@x.example", "lees@x.example"):
        crm.consent.record("give", ann, point=point, purposes=["marketing"], channels=["email"])
    crm.consent.withdraw(bo, point="lees@x.example")
    request = collecting(crm, ann, "erasure")
    plan = crm.requests.erasure_plan(request.id)
    assert len([one for one in plan.of("restrict") if one.kind == "contact_point"]) == 2
    certificate = crm.requests.erase(request.id, plan_sha256=plan.digest)
    assert certificate.count("keep", "restrict") == 0
    (left,) = crm.store.scan("default", "contact_point", limit=9).items
    assert "lees@x.example" in str([str.__str__(key.value) for key in left.keys])
    assert [act.kind for act in crm.consent.events(bo)] == ["withdraw"]


@pytest.mark.parametrize("make", STORES)
def test_when_its_time_is_over_nothing_of_the_person_is_left(
    tmp_path: Path, make: Callable[[Path], MemoryStore | SqliteStore]
) -> None:
    clock, store = Clock(), make(tmp_path)
    crm, zed, _ = lived(store, clock)
    request = closed(crm, zed)
    assert crm.requests.kept_too_long() == ()
    assert any("zz@x.example" in row for row in everything(store))
    first = crm.requests.certificate(request.id)
    last = max(line.until for line in first.lines if line.until is not None)
    assert crm.requests.kept_too_long(on=last) == ()
    clock.move(days=3 * 365 + 2)
    (over,) = crm.requests.kept_too_long()
    assert (over.request, over.until) == (request.id, last)
    plan = crm.requests.erasure_plan(request.id)
    assert {one.kind for one in plan.of("delete")} == {"consent.event", "contact_point"}
    assert plan.of("keep", "restrict", "anonymise") == ()
    crm.requests.erase(request.id, plan_sha256=plan.digest)
    for row in everything(store):
        assert not [canary for canary in CANARIES if canary.decode() in row]
    entries = [row for row in rows_of(store) if isinstance(row, StoredEntry)]
    assert not [row for row in entries if zed in row.subjects]
    assert {row.schema for row in entries if row.stream.startswith("consent:")} <= {ERASED}
    assert crm.requests.kept_too_long() == ()
    assert [one.sha256 for one in crm.requests.certificates(request.id)] == [
        crm.requests.get(request.id).response_sha256,
        crm.requests.certificate(request.id).sha256,
    ]
    assert crm.requests.certificate(request.id).count("keep", "restrict") == 0
    assert crm.requests.erase(request.id, plan_sha256=first.plan_sha256) == first
    crm.close()


def test_what_a_hold_keeps_by_then_stays_and_goes_when_the_hold_is_over() -> None:
    clock = Clock()
    crm, zed, _ = lived(clock=clock)
    request = closed(crm, zed)
    clock.move(days=3 * 365 + 2)
    held = ErasureFacts(holds=(LegalHold(id="7", reason="a lawsuit", until=date(2030, 1, 1)),))
    plan = crm.requests.erasure_plan(request.id, facts=held)
    assert {one.action for one in plan.disposals} == {"restrict"}
    crm.requests.erase(request.id, plan_sha256=plan.digest, facts=held)
    assert crm.requests.kept_too_long() == ()
    clock.move(days=365)
    (over,) = crm.requests.kept_too_long()
    assert over.until == date(2030, 1, 1)
    erase(crm, request)
    assert crm.requests.kept_too_long() == ()
    assert len(crm.requests.certificates(request.id)) == 3


def test_whoever_was_held_is_erased_when_the_hold_is_over_with_what_came_since() -> None:
    clock = Clock()
    crm, zed, bo = lived(clock=clock)
    request = closed(
        crm, zed, ErasureFacts(holds=(LegalHold(id="7", reason="a lawsuit", until=date(2026, 6, 1)),))
    )
    crm.interactions.record("note", direction="internal", occurred_at=date(2026, 5, 4), with_=[zed])
    crm.consent.record(
        "give", zed, purposes=["third_party_sharing"], channels=["email"], recipients=["mailer"]
    )
    clock.move(days=40)
    assert [one.request for one in crm.requests.kept_too_long()] == [request.id]
    erase(crm, request)
    assert crm.parties.find(email="zz@x.example") == ()
    assert crm.parties.get(bo).display_name == "Bo Hill"
    assert "restrict" not in [act.kind for act in crm.consent.events(bo)]


def test_a_no_stands_for_whoever_took_the_address_while_the_evidence_was_kept() -> None:
    clock = Clock()
    crm = Crm(MemoryStore(), clock=clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    crm.consent.record("withdraw", ann.id, point="ann@x.example", purposes=["marketing"])
    request = closed(crm, ann.id)
    clock.move(days=400)
    bo = crm.parties.add(Person.of("Bo Lee", email="ann@x.example"))
    assert "withdraw" in [act.kind for act in crm.consent.events(bo.id)]
    clock.move(days=2 * 365 + 2)
    erase(crm, request)
    (no,) = [act for act in crm.consent.events(bo.id) if act.scope.purposes]
    assert (no.kind, no.words) == ("withdraw", None)


def test_what_was_refused_and_went_with_somebody_else_keeps_no_later_plan_from_being_made() -> None:
    clock = Clock()
    crm, zed, bo = lived(clock=clock)
    talk = next(one for one in crm.interactions.timeline(bo).items if one.subject or one.body)
    request = collecting(crm, zed, "erasure")
    crm.requests.decide(request.id, f"interaction {talk.id}", "refuse", reason="a lawsuit")
    crm.requests.decide(request.id, "party", "grant")
    erase(crm, request)
    crm.requests.move(request.id, "review")
    digest = crm.requests.certificate(request.id).sha256
    crm.requests.move(request.id, "refuse_partly", reason="a lawsuit", sha256=digest)
    closed(crm, bo)
    clock.move(days=4 * 365)
    assert crm.requests.erasure_plan(request.id).of("delete")


def test_the_restriction_of_whoever_is_kept_is_in_no_plan() -> None:
    clock = Clock()
    crm, _, bo = lived(clock=clock)
    held = ErasureFacts(
        holds=(LegalHold(id="7", reason="a lawsuit", kinds=frozenset({"party"}), until=date(2026, 6, 1)),)
    )
    request = closed(crm, bo, held)
    again = crm.requests.erasure_plan(request.id, facts=held)
    assert {(one.action, one.kind) for one in again.disposals} <= {
        ("restrict", "party"),
        ("restrict", "features"),
        ("restrict", "cluster"),
    }
    assert [act.kind for act in crm.consent.events(bo)] == ["restrict"]
    clock.move(days=40)
    erase(crm, request)
    assert crm.parties.find(email="bo@x.example") == ()


def test_a_no_stands_for_whoever_else_has_the_address_when_the_evidence_goes() -> None:
    clock = Clock()
    crm = Crm(MemoryStore(), clock=clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="family@x.example"))
    bo = crm.parties.add(Person.of("Bo Lee", email="family@x.example"))
    crm.consent.record("object", ann.id, point="family@x.example", purposes=["direct_marketing"])
    request = closed(crm, ann.id)
    clock.move(days=3 * 365 + 2)
    erase(crm, request)
    assert "object" in [act.kind for act in crm.consent.events(bo.id)]


def test_a_closed_request_without_an_erasure_plans_none() -> None:
    clock = Clock()
    crm, zed, _ = lived(clock=clock)
    request = collecting(crm, zed, "erasure")
    crm.requests.move(request.id, "refuse", reason="owed")
    crm.requests.move(request.id, "close")
    with pytest.raises(InvalidRightsRequest, match="collected or reviewed"):
        crm.requests.erasure_plan(request.id)
    assert crm.requests.kept_too_long() == ()


def test_what_a_hold_without_an_end_kept_is_listed_when_it_is_lifted_and_is_not_kept_for_ever() -> None:
    clock = Clock()
    crm = Crm(MemoryStore(), clock=clock)
    ann, bo = (crm.parties.add(Person.of(name, email="fam@x.example")).id for name in ("Ann Lee", "Bo Lee"))
    crm.consent.record("give", ann, purposes=["marketing"], channels=["email"], point="fam@x.example")
    crm.consent.record("withdraw", bo, purposes=["research"], point="fam@x.example")
    kept = LegalHold(id="7", reason="a lawsuit")
    request = closed(crm, ann, ErasureFacts(holds=(kept,)))
    clock.move(days=4 * 365)
    assert crm.requests.kept_too_long() == crm.requests.kept_too_long(holds=[kept]) == ()
    (lifted,) = crm.requests.kept_too_long(holds=[])
    assert (lifted.request, lifted.until) == (request.id, None)
    erase(crm, request)
    assert crm.requests.kept_too_long(holds=[]) == ()
    assert crm.requests.certificate(request.id).count("keep", "restrict") == 0
    assert [act.kind for act in crm.consent.events(bo)].count("withdraw") >= 1


@pytest.mark.parametrize("others_act", [False, True])
def test_the_ledger_of_a_shared_address_is_not_kept_too_long_for_ever(others_act: bool) -> None:
    clock = Clock()
    crm = Crm(MemoryStore(), clock=clock)
    ann, bo = (crm.parties.add(Person.of(name, email="fam@x.example")).id for name in ("Ann Lee", "Bo Lee"))
    crm.consent.record("withdraw", ann, purposes=["marketing"], point="fam@x.example")
    if others_act:
        crm.consent.record("withdraw", bo, purposes=["research"], point="fam@x.example")
    request = closed(crm, ann)
    clock.move(days=4 * 365)
    assert len(crm.requests.kept_too_long()) == 1
    erase(crm, request)
    assert crm.requests.kept_too_long() == ()
    assert crm.requests.certificate(request.id).count("keep", "restrict") == 0
    assert [act.kind for act in crm.consent.events(bo)].count("withdraw") >= 1
