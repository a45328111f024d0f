"""Somebody said no and is erased: when an address of theirs comes back, or somebody else has it, it is still no."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from crmcore import Crm, Person
from crmcore.app import ErasureFacts
from crmcore.app.unit import Unit
from crmcore.consent import Evidence, LegalHold, Message, Practice, SecretRing
from crmcore.consent.rights_request import RequestId
from crmcore.storage import MemoryStore
from crmcore.values.ids import PartyId
from tests.app.requests import Clock, collecting

SECRETS = SecretRing({1: bytes(range(32))})
SHOWN = Evidence.double_opt_in(notice="newsletter", version="3", condition_of_contract=False)
OURS = Practice(
    controller="acme",
    offered_to_children=False,
    marketing=Message.marketing(sender_identified=True, unsubscribe=True, unsubscribe_burdened=False),
)


def opened(clock: Clock, secrets: SecretRing | None = SECRETS) -> Crm:
    clock.now = datetime(2022, 5, 4, 9, tzinfo=UTC)
    return Crm(MemoryStore(), clock=clock, practice=OURS, secrets=secrets)


def erased(crm: Crm, who: PartyId, facts: ErasureFacts | None = None) -> RequestId:
    request = collecting(crm, who, "erasure")
    plan = crm.requests.erasure_plan(request.id, facts=facts)
    crm.requests.erase(request.id, plan_sha256=plan.digest, facts=facts)
    assert crm.requests.erase(request.id, plan_sha256=plan.digest) == crm.requests.certificate(request.id)
    return request.id


def answer(crm: Crm, who: PartyId, controller: str = "acme") -> str:
    found = crm.consent.decide(
        who, purpose="marketing", channel="email", jurisdictions=["DE"], controller=controller
    )
    return found.answer


def back(crm: Crm, clock: Clock, email: str, controller: str = "acme") -> str:
    """The answer, when an import brings an address back and asserts that consent was given."""
    clock.move(days=1)
    who = crm.parties.add(Person.of("Ann Lee", email=email)).id
    crm.consent.record(
        "assert_import",
        email,
        purposes=["marketing"],
        channels=["email"],
        evidence=SHOWN,
        controller=controller,
    )
    return answer(crm, who, controller)


@pytest.mark.parametrize("years", [0, 4])
def test_a_no_at_an_address_that_the_person_no_longer_had_outlives_them(years: int) -> None:
    clock = Clock()
    crm = opened(clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="old@x.example"))
    crm.consent.withdraw("old@x.example", channels=["email"])
    clock.move(hours=1)
    crm.parties.change(ann.id, lambda p: p.with_email("new@x.example").without("old@x.example"))
    clock.move(days=365 * years)
    erased(crm, ann.id)
    assert back(crm, clock, "old@x.example") == "deny"


def test_a_no_to_another_controller_outlives_the_person_and_is_none_to_a_third() -> None:
    clock = Clock()
    crm = opened(clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    crm.consent.record("object", ann.id, purposes=["direct_marketing"], controller="beta")
    clock.move(days=2)
    erased(crm, ann.id)
    assert back(crm, clock, "ann@x.example", "beta") == "deny"
    found = crm.suppression.of(*crm.parties.find(email="ann@x.example")[0].contact_points, controller="gamma")
    assert found == ()


def test_what_else_was_refused_is_suppressed_with_direct_marketing() -> None:
    clock = Clock()
    crm = opened(clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    points = ann.contact_points
    crm.consent.record("object", ann.id, purposes=["third_party_sharing"])
    crm.consent.record("refuse", ann.id, purposes=["research"])
    crm.consent.withdraw("ann@x.example", controller="beta")
    erased(crm, ann.id)
    (ours,) = crm.suppression.of(*points, controller="acme")
    assert ours.scope.purposes == {"direct_marketing", "third_party_sharing", "research"}
    (theirs,) = crm.suppression.of(*points, controller="beta")
    assert theirs.scope.purposes == frozenset()


@pytest.mark.parametrize("secrets", [None, SECRETS])
@pytest.mark.parametrize("years", [0, 4])
def test_a_no_stands_for_whoever_else_has_the_address(secrets: SecretRing | None, years: int) -> None:
    clock = Clock()
    crm = opened(clock, secrets)
    ann = crm.parties.add(Person.of("Ann Lee", email="family@x.example"))
    bo = crm.parties.add(Person.of("Bo Lee", email="family@x.example"))
    crm.consent.record(
        "give", bo.id, point="family@x.example", purposes=["marketing"], channels=["email"], evidence=SHOWN
    )
    clock.move(hours=1)
    crm.consent.withdraw(ann.id, point="family@x.example", words="Ann wants none")
    clock.move(days=365 * years)
    assert answer(crm, bo.id) == "deny"
    erased(crm, ann.id)
    assert answer(crm, bo.id) == "deny"
    if years:
        (no,) = [act for act in crm.consent.events(bo.id) if act.kind == "withdraw"]
        assert (no.words, no.occurred_at) == (None, datetime(2022, 5, 4, 10, tzinfo=UTC))
        erased(crm, bo.id)
        assert crm.store.scan("default", "contact_point", limit=10).items == ()


def test_a_no_stays_that_is_all_that_was_said_about_an_address_that_somebody_else_has() -> None:
    clock = Clock()
    crm = opened(clock, None)
    ann = crm.parties.add(Person.of("Ann Lee", email="family@x.example"))
    bo = crm.parties.add(Person.of("Bo Lee", email="family@x.example"))
    crm.consent.withdraw(ann.id, point="family@x.example")
    clock.move(days=4 * 365)
    erased(crm, ann.id)
    assert [act.kind for act in crm.consent.events(bo.id)] == ["withdraw"]


@pytest.mark.parametrize("secrets", [None, SECRETS])
@pytest.mark.parametrize("order", [("acme", "beta"), ("beta", "acme")])
def test_kept_acts_permit_nothing_to_any_of_the_controllers_they_name(
    order: tuple[str, str], secrets: SecretRing | None
) -> None:
    clock = Clock()
    crm = opened(clock, secrets)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    for controller in order:
        crm.consent.record(
            "give",
            ann.id,
            point="ann@x.example",
            purposes=["marketing"],
            channels=["email"],
            evidence=SHOWN,
            controller=controller,
        )
        clock.move(hours=1)
    assert [answer(crm, ann.id, one) for one in order] == ["allow", "allow"]
    erased(crm, ann.id)
    clock.move(days=1)
    again = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    assert [answer(crm, again.id, one) for one in order] == ["deny", "deny"]
    assert crm.consent.events(again.id) == ()  # nothing of whom nobody knows any more


def test_without_secrets_the_plan_says_that_a_no_will_not_be_known_again() -> None:
    clock = Clock()
    crm = opened(clock, None)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    asked = collecting(crm, ann.id, "erasure")
    assert crm.requests.erasure_plan(asked.id).notes == ()
    crm.consent.record("object", ann.id, purposes=["direct_marketing"])
    crm.consent.withdraw("ann@x.example")
    (note,) = crm.requests.erasure_plan(asked.id).notes
    assert note.startswith("1 of the acts")
    clock.move(days=4 * 365)
    (note,) = crm.requests.erasure_plan(asked.id).notes
    assert note.startswith("2 of the acts")
    assert note in crm.requests.erasure_plan(asked.id).text()
    kept = ErasureFacts(
        purposes={"party": frozenset({"accounting"}), "consent.event": frozenset({"accounting"})}
    )
    assert crm.requests.erasure_plan(asked.id, facts=kept).notes == ()
    with_secrets = Crm(crm.store, clock=clock, practice=OURS, secrets=SECRETS)
    assert with_secrets.requests.erasure_plan(asked.id).notes == ()


def test_a_hold_restricts_for_every_controller_and_its_reason_is_in_no_certificate() -> None:
    clock = Clock()
    crm = opened(clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    for controller in ("acme", "beta"):
        crm.consent.record(
            "give",
            "ann@x.example",
            purposes=["marketing"],
            channels=["email"],
            evidence=SHOWN,
            controller=controller,
        )
    clock.move(hours=1)
    assert (answer(crm, ann.id), answer(crm, ann.id, "beta")) == ("allow", "allow")
    restricted = Crm(crm.store, clock=clock, practice=OURS)
    request = erased(restricted, ann.id, ErasureFacts(holds=(LegalHold(id="7", reason="a suit by Ann Lee"),)))
    assert (answer(restricted, ann.id), answer(restricted, ann.id, "beta")) == ("deny", "deny")
    (act,) = [act for act in crm.consent.events(ann.id) if act.kind == "restrict"]
    assert act.scope.controller is None
    text = str(crm.requests.certificate(request).to_json())
    assert "Ann" not in text
    assert "it must not be lost" in text


def test_the_ledger_of_a_shared_address_is_not_read_anew_for_every_no(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = Unit.entries
    streams: list[str] = []

    async def entries(unit: Unit, stream: str) -> Any:
        streams.append(stream)
        return await read(unit, stream)

    monkeypatch.setattr(Unit, "entries", entries)

    def reads(noes: int) -> int:
        clock = Clock()
        crm = opened(clock)
        ann = crm.parties.add(Person.of("Ann Lee", email="fam@x.example")).id
        bo = crm.parties.add(Person.of("Bo Lee", email="fam@x.example")).id
        for number in range(noes):
            crm.consent.record(
                "withdraw", ann, purposes=["marketing"], topics=[f"t{number}"], point="fam@x.example"
            )
        streams.clear()
        erased(crm, ann)
        count = len(streams)
        ledger = str(crm.consent.events(bo)[0].ledger)
        entries = crm.store.ledger("default", [ledger])[ledger].items
        assert len([one for one in entries if one.body.get("ledger") and one.body.get("via")]) >= noes
        return count

    assert reads(6) == reads(2)
