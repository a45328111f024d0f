"""What a hold keeps and something else, too, stays where the request was lost with a restore and the hold is lifted."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.app import ErasureFacts
from crmcore.consent import LegalHold, shipped_dispositions
from crmcore.storage.stored import StoredEntry
from tests.app.requests import collecting
from tests.app.test_begun_and_carried_over import ALWAYS, TALKS, TEN_YEARS, is_there, talks
from tests.app.test_erased_again import LETTER, Restored
from tests.app.test_person_erasure import rows_of

OWN = (TEN_YEARS, attrs.evolve(ALWAYS, action="delete"), *shipped_dispositions())


@pytest.mark.parametrize("until", [None, date(2022, 6, 1)])
@pytest.mark.parametrize("kept", ["refused", "table", "purpose"])
def test_what_stays_without_a_hold_is_noted_beside_it(tmp_path: Path, kept: str, until: date | None) -> None:
    one = Restored(tmp_path, None)
    one.live.interactions.record(
        "call", direction="inbound", occurred_at=date(2022, 5, 2), with_=[one.ann], subject="the claim"
    )
    one.saved()
    request = collecting(one.live, one.ann, "erasure")
    if kept == "refused":
        one.live.requests.decide(request.id, "interaction", "refuse", reason="to defend a claim")
    facts = ErasureFacts(
        holds=(attrs.evolve(TALKS, until=until),),
        table=OWN if kept == "table" else None,
        purposes={"interaction": frozenset({"accounting"})} if kept == "purpose" else {},
    )
    plan = one.live.requests.erasure_plan(request.id, facts=facts)
    certificate = one.live.requests.erase(request.id, plan_sha256=plan.digest, facts=facts)
    assert {line.anyway for line in certificate.lines} == {None}
    crm = one.again()
    one.clock.move(days=10)
    # A hold that stands by then does not take away what is noted beside it.
    crm.retention.apply(crm.retention.kept_too_long(holds=[TALKS]))
    for years in (1, 4):
        one.clock.move(days=365 * years)
        crm.retention.apply(crm.retention.kept_too_long(holds=[]))
        assert "the claim" in talks(one)
        assert crm.retention.kept_too_long(holds=[]).steps == ()
    assert not is_there(crm, one.ann)
    one.clock.move(days=365 * 20)
    crm.retention.apply(crm.retention.kept_too_long(holds=[]))
    assert ("the claim" in talks(one)) is (kept == "refused")


def test_what_was_refused_stays_when_the_time_is_over_for_which_it_was_kept_besides(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    one.saved()
    request = collecting(one.live, one.bo, "erasure")
    one.live.requests.decide(request.id, "consent.event", "refuse", reason="to defend a claim")
    plan = one.live.requests.erasure_plan(request.id)
    one.live.requests.erase(request.id, plan_sha256=plan.digest)
    crm = one.again()
    one.clock.move(days=365 * 9)
    assert crm.retention.apply(crm.retention.kept_too_long(holds=[])).left == ()
    assert crm.retention.kept_too_long(holds=[]).steps == ()
    for store in (one.store, one.restored):
        acts = [str(row.body) for row in rows_of(store) if isinstance(row, StoredEntry)]
        assert any('"give"' in act and f'"record":"{one.bo}"' in act.replace(" ", "") for act in acts)


PLACES = ("DE", "FR", "GB", "US", "CA")
LAWSUIT = LegalHold(id="8", reason="a lawsuit")


def answers(crm: Crm, address: str) -> list[tuple[str, ...]]:
    """Of each who has the address, what is answered in several places."""
    asked: dict[str, Any] = {"purpose": "marketing", "channel": "email", "message": LETTER, "point": address}
    return [
        tuple(crm.consent.decide(one.id, jurisdictions=[place], **asked).answer for place in PLACES)
        for one in crm.parties.find(email=address)
    ]


def time_is_over(one: Restored, crm: Crm) -> None:
    """More than three years on, what was kept too long goes in both stores."""
    one.clock.move(days=365 * 3 + 10)
    for kept in one.live.requests.kept_too_long(holds=[]):
        plan = one.live.requests.erasure_plan(kept.request)
        one.live.requests.erase(kept.request, plan_sha256=plan.digest)
    for _ in range(2):
        assert crm.retention.apply(crm.retention.kept_too_long(holds=[])).left == ()


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("kinds", [("party", "consent.event"), ("party",)])
def test_who_is_not_written_to_while_acts_are_kept_is_not_when_their_time_is_over(
    tmp_path: Path, kinds: tuple[str, ...], held: bool
) -> None:
    one = Restored(tmp_path, None)
    one.saved()
    request = collecting(one.live, one.ann, "erasure")
    for kind in kinds:
        one.live.requests.decide(request.id, kind, "refuse", reason="to defend a claim")
    facts = ErasureFacts(holds=(LAWSUIT,) if held else ())
    plan = one.live.requests.erasure_plan(request.id, facts=facts)
    one.live.requests.erase(request.id, plan_sha256=plan.digest, facts=facts)
    crm = one.again()
    time_is_over(one, crm)
    kept = [[act.kind for act in each.consent.events(one.ann)] for each in (one.live, crm)]
    assert sorted(kept[0]) == sorted(kept[1])
    (answered,) = answers(crm, "ann@x.example")
    assert [answered] == answers(one.live, "ann@x.example")
    assert "allow" not in answered


def test_a_no_that_is_kept_is_found_by_its_address_when_the_time_of_the_yes_before_it_is_over(
    tmp_path: Path,
) -> None:
    one = Restored(tmp_path, None)
    one.clock.move(hours=1)
    one.live.consent.withdraw(one.ann, point="ann@x.example", words="none")
    one.saved()
    request = collecting(one.live, one.ann, "erasure")
    (no,) = (
        row.place
        for row in one.live.requests.erasure_plan(request.id).disposals
        if row.kind == "consent.event" and row.place in no_at(one)
    )
    one.live.requests.decide(request.id, no, "refuse", reason="to defend a claim")
    plan = one.live.requests.erasure_plan(request.id)
    one.live.requests.erase(request.id, plan_sha256=plan.digest)
    crm = one.again()
    time_is_over(one, crm)
    for each in (one.live, crm):
        each.parties.add(Person.of("New Lee", email="ann@x.example"))
    assert answers(one.live, "ann@x.example") == answers(crm, "ann@x.example") == [("deny",) * len(PLACES)]


def no_at(one: Restored) -> set[str]:
    """Where the No stands that Ann said at the address of her own, in the words of a plan."""
    return {
        f"{row.stream} {row.seq}"
        for row in rows_of(one.store)
        if isinstance(row, StoredEntry) and '"words":"none"' in str(row.body).replace(" ", "")
    }
