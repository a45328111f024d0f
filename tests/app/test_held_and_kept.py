"""What a hold keeps and something else, too, stays where the request was lost with a restore and the hold is lifted."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import attrs
import pytest

from crmcore.app import ErasureFacts
from crmcore.consent import shipped_dispositions
from crmcore.storage.stored import StoredEntry
from tests.app.requests import collecting
from tests.app.test_begun_and_carried_over import ALWAYS, TALKS, TEN_YEARS, is_there, talks
from tests.app.test_erased_again import Restored
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
