"""What stays of a talk for others is the same thing in each store that erasures are carried over into."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import attrs
import pytest

from crmcore import Crm
from crmcore.app import ErasureFacts
from crmcore.consent import shipped_dispositions
from crmcore.consent.rights_request import RequestId
from crmcore.errors import StoreClosed
from crmcore.storage import MemoryStore
from crmcore.values.ids import PartyId
from tests.app.requests import collecting
from tests.app.test_begun_and_carried_over import TALKS, TEN_YEARS
from tests.app.test_erased_again import Restored, in_a_store_to_cut
from tests.app.test_erased_noes import erased
from tests.app.test_notes_joined import only


def talks(store: MemoryStore) -> dict[str, tuple[str, ...]]:
    found = store.scan("default", "interaction", limit=99).items
    return {one.ref.id: tuple(who["party"] for who in one.body["participants"]) for one in found}


def refused(crm: Crm, who: PartyId, what: str) -> RequestId:
    request = collecting(crm, who, "erasure")
    crm.requests.decide(request.id, what, "refuse", reason="to defend a claim")
    plan = crm.requests.erasure_plan(request.id)
    crm.requests.erase(request.id, plan_sha256=plan.digest)
    return request.id


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("by_table", [True, False])
def test_a_copy_of_a_talk_is_kept_as_long_as_was_noted_of_it_or_of_the_talk(
    tmp_path: Path, first: bool, by_table: bool
) -> None:
    one = Restored(tmp_path, None)
    one.saved()
    if first:
        erased(one.live, one.ann)
    if by_table:
        shared = (TEN_YEARS, attrs.evolve(TEN_YEARS, shared=True))
        erased(one.live, one.bo, ErasureFacts(table=(*shared, *shipped_dispositions())))
    else:
        refused(one.live, one.bo, "interaction")
    for who in (one.cy, *(() if first else (one.ann,))):
        erased(one.live, who)
    (stays,) = talks(one.store).values()
    assert stays == (one.bo,)
    crm = one.carried(one.live.requests.erasures(), times=1)
    told = crm.requests.erasures().notes
    crm.requests.erase_again(one.live.requests.erasures())
    assert crm.requests.erasures().notes == told
    assert talks(one.restored) == talks(one.store)
    one.clock.move(days=5 * 365)
    crm.retention.apply(crm.retention.kept_too_long(holds=[]))
    assert talks(one.restored) == talks(one.store)
    one.clock.move(days=6 * 365)
    crm.retention.apply(crm.retention.kept_too_long(holds=[]))
    assert talks(one.restored) == ({} if by_table else talks(one.store))


def test_of_whom_one_talk_is_kept_no_other_comes_back(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    own = one.live.interactions.record(
        "call", direction="inbound", occurred_at=date(2022, 5, 2), with_=[one.bo]
    ).id
    one.saved()
    for who in (one.ann, one.cy):
        erased(one.live, who)
    refused(one.live, one.bo, own)
    one.again()
    assert talks(one.restored) == talks(one.store) == {own: (one.bo,)}


@pytest.mark.parametrize("asked", [True, False])
def test_a_copy_that_went_goes_where_it_was_carried_over_before(tmp_path: Path, asked: bool) -> None:
    one = Restored(tmp_path, None)
    one.saved()
    erased(one.live, one.ann)
    crm = one.carried(one.live.requests.erasures(), times=1)
    assert talks(one.restored) == talks(one.store)
    if asked:
        erased(one.live, one.bo)
        erased(one.live, one.cy)
    else:
        one.clock.move(days=4 * 365)
        plan = one.live.retention.plan(one.live.retention.customers(jurisdictions=["FR"]).items)
        assert one.live.retention.apply(only(plan, one.bo, one.cy)).erased == 2
    for _ in range(2):
        crm.requests.erase_again(one.live.requests.erasures())
        assert talks(one.restored) == talks(one.store) == {}


def test_a_copy_that_was_erased_and_written_again_is_there(tmp_path: Path) -> None:
    one, store, people = in_a_store_to_cut(tmp_path, "Ann Lee", "Bo Hill")
    one.ann, one.bo = people
    one.live.interactions.record(
        "call", direction="inbound", occurred_at=date(2022, 5, 1), with_=[one.ann, one.bo]
    )
    one.saved()
    request = collecting(one.live, one.ann, "erasure").id

    def erase(*facts: ErasureFacts) -> None:
        told = facts[0] if facts else None
        digest = one.live.requests.erasure_plan(request, facts=told).digest
        one.live.requests.erase(request, plan_sha256=digest, facts=told)

    store.left = 0
    with pytest.raises(StoreClosed):
        erase()
    assert len(talks(store)) == 2
    store.left = 10**9
    erase(ErasureFacts(holds=(TALKS,)))
    assert list(talks(store).values()) == [(one.ann, one.bo)]
    erase()
    assert list(talks(store).values()) == [(one.bo,)]
    one.again()
    assert talks(one.restored) == talks(store)


def test_whoever_nobody_knows_to_leave_out_is_named_in_no_copy(tmp_path: Path) -> None:
    """Erasures alone, without notes, of a talk whose erased participant's own record was kept."""
    one = Restored(tmp_path, None)
    one.saved()
    request = collecting(one.live, one.ann, "erasure")
    for kind in ("party", "party.added", "consent.event"):
        one.live.requests.decide(request.id, kind, "refuse", reason="to defend a claim")
    plan = one.live.requests.erasure_plan(request.id)
    one.live.requests.erase(request.id, plan_sha256=plan.digest)
    crm = one.carried(one.live.requests.erasures().erasures)
    assert crm.interactions.timeline(one.ann).items == ()
