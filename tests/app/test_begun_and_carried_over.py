"""What was begun and cut off, or kept, is not gone beyond where erasures were carried over into an older backup."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.consent.retention import RetentionPlan
from crmcore.errors import InvalidRightsRequest, NotFound, StoreClosed
from crmcore.values.ids import PartyId
from tests.app.requests import collecting
from tests.app.test_erased_again import Restored, noted
from tests.app.test_erasures_cut_off import Cut


def is_there(crm: Crm, who: PartyId) -> bool:
    try:
        return bool(crm.parties.get(who))
    except NotFound:
        return False


@pytest.mark.parametrize("asked", [True, False])
def test_what_came_in_since_an_erasure_was_begun_is_looked_at_there_too(tmp_path: Path, asked: bool) -> None:
    one, store = Restored(tmp_path, None), Cut()
    one.store, store.left = store, 10**9
    one.live = one.opened(store)
    one.ann, one.bo = (one.live.parties.add(Person.of(name)).id for name in ("Ann Lee", "Bo Hill"))
    one.clock.move(days=1)
    plan = RetentionPlan(steps=one.retained().steps[:1])
    request = collecting(one.live, one.ann, "erasure") if asked else None
    digest = one.live.requests.erasure_plan(request.id).digest if request else ""

    def goes_on(crm: Crm) -> int:
        if request is None:
            return crm.retention.apply(plan).erased
        with pytest.raises(InvalidRightsRequest):
            crm.requests.erase(request.id, plan_sha256=digest)
        return 0

    store.left = 0
    with pytest.raises(StoreClosed):
        if request is None:
            one.live.retention.apply(plan)
        else:
            one.live.requests.erase(request.id, plan_sha256=digest)
    store.left = 10**9
    one.live.identity.mark_different(one.ann, one.bo, reason="two people")  # no contact, and about Ann
    one.saved()
    crm = one.again()
    for each in (one.live, crm):
        assert goes_on(each) == 0
        assert is_there(each, one.ann)
    if request is None:
        assert crm.retention.apply(crm.retention.kept_too_long(holds=[])).erased == 1
    else:
        anew = crm.requests.erasure_plan(request.id).digest
        assert {line.cite for line in crm.requests.erase(request.id, plan_sha256=anew).lines}.isdisjoint(
            {"a legal hold"}
        )
    assert not is_there(crm, one.ann)
