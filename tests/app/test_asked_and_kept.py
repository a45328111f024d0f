"""Who asked to be erased, and whom a plan of retention kept besides, goes though their request was lost."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import attrs
import pytest

from crmcore import Person
from crmcore.app import ErasureFacts
from crmcore.errors import StoreClosed
from tests.app.requests import collecting
from tests.app.test_begun_and_carried_over import TWENTY_YEARS, answered, by_law, is_there
from tests.app.test_erased_again import Restored
from tests.app.test_erased_noes import erased
from tests.app.test_erasures_cut_off import Cut
from tests.app.test_kept_again import planned
from tests.app.test_notes_joined import RECORD, only


@pytest.mark.parametrize("law", [True, False])
def test_who_asked_and_was_cut_off_goes_though_a_plan_says_that_their_time_is_not_over(
    tmp_path: Path, law: bool
) -> None:
    one, store = Restored(tmp_path, None), Cut()
    one.store, store.left = store, 10**9
    one.live = one.opened(store)
    ann = one.live.parties.add(Person.of("Ann Lee")).id
    one.saved()
    request = collecting(one.live, ann, "erasure")
    digest = one.live.requests.erasure_plan(request.id).digest
    store.left = 0
    with pytest.raises(StoreClosed):
        one.live.requests.erase(request.id, plan_sha256=digest)
    store.left = 10**9
    one.clock.move(days=1)
    nightly = by_law(one.live, ann) if law else planned(one.live)
    assert [step.action for step in nightly.steps] == ["restrict" if law else "keep"]
    one.live.retention.apply(nightly)
    crm = one.again()
    plan = crm.retention.kept_too_long(holds=[])
    assert [step.action for step in plan.steps] == ["find_out" if law else "delete"]
    assert crm.retention.apply(plan).erased == (not law)
    assert is_there(crm, ann) == law
    assert len(crm.retention.kept_too_long(holds=[]).steps) == law


@pytest.mark.parametrize("law", [True, False])
def test_who_asked_after_a_plan_had_kept_them_goes_when_what_kept_their_record_is_over(
    tmp_path: Path, law: bool
) -> None:
    one = Restored(tmp_path, None)
    one.clock.move(days=4 * 365)
    one.live.retention.apply(only(planned(one.live, RECORD), one.ann))
    one.clock.move(days=1)
    longer = [attrs.evolve(policy, basis="permission") for policy in TWENTY_YEARS]
    items = one.live.retention.customers(jurisdictions=["FR"]).items
    kept = one.live.retention.plan(items, policies=TWENTY_YEARS if law else longer)
    one.live.retention.apply(only(kept, one.ann))
    one.saved()
    hold = attrs.evolve(RECORD, until=date(2027, 1, 1))
    answered(one.live, erased(one.live, one.ann, ErasureFacts(holds=(hold,))))
    crm = one.again()
    one.clock.move(days=2 * 365)
    for _ in range(2):
        done = crm.retention.apply(crm.retention.kept_too_long(holds=[]))
        assert [step.action for step in done.left] == ["find_out"] * law
        assert is_there(crm, one.ann) == law
