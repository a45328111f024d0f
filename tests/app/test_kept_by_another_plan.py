"""What a later plan keeps of a customer whose erasure was cut off, or who was erased but for something, stays."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.app import ErasureFacts
from crmcore.app.past_erasures import ErasureNote
from crmcore.consent import LegalHold, RetentionPlan
from crmcore.consent.counting import Span
from crmcore.consent.retention import RetentionPolicy, shipped_retention
from crmcore.errors import InvalidRightsRequest, StoreClosed
from crmcore.storage import MemoryStore
from crmcore.values.ids import PartyId
from tests.app.test_erased_again import Restored
from tests.app.test_erased_noes import erased
from tests.app.test_erasures_cut_off import Cut
from tests.app.test_kept_again import PROSPECTS, SUPERSEDED, planned

SHIPPED = tuple(one for one in shipped_retention() if one.category == "prospect")
BOOKS = attrs.evolve(
    SHIPPED[0], id="books", basis="obligation", period=Span.parse("P18Y"), purpose="accounting", text="books"
)
LONGER = tuple(attrs.evolve(one, period=Span.parse("P9Y")) for one in SHIPPED)


def cut_off(folder: Path, *more: str) -> tuple[Restored, RetentionPlan, list[PartyId]]:
    """Ann, who may have *more* records, and whose erasure was noted and then cut off; the first one names her."""
    one, store = Restored(folder, None), Cut()
    one.store, store.left = store, 10**9
    one.live = one.opened(store)
    ids = [one.live.parties.add(Person.of(name)).id for name in ("Ann Lee", *more)]
    one.clock.move(days=4 * 365)
    for other in ids[1:]:
        one.live.identity.merge(ids[0], other, reason="the same")
    plan = planned(one.live)
    store.left = 0
    with pytest.raises(StoreClosed):
        one.live.retention.apply(plan)
    store.left = 10**9
    one.clock.move(hours=1)
    return one, plan, sorted(ids, key=lambda id: id != plan.steps[0].place)


def kept_by(crm: Crm, *policies: RetentionPolicy) -> RetentionPlan:
    return crm.retention.plan(crm.retention.customers(jurisdictions=["FR"]).items, policies=policies)


def of_customers(crm: Crm) -> list[ErasureNote]:
    return [note for note in crm.requests.erasures().notes if note.parts[0].members]


def test_who_is_kept_by_law_or_for_longer_since_an_erasure_was_cut_off_stays(tmp_path: Path) -> None:
    for number, policies in enumerate(([*SHIPPED, BOOKS], LONGER)):
        folder = tmp_path / str(number)
        folder.mkdir()
        one, before, (ann,) = cut_off(folder)
        crm = one.live
        crm.retention.apply(kept_by(crm, *policies))
        noted = of_customers(crm)
        crm.retention.apply(kept_by(crm, *policies))
        assert of_customers(crm) == noted  # not each night anew
        again = crm.retention.apply(before)
        assert (again.erased, [step.reason for step in again.left]) == (0, [SUPERSEDED])
        for holds in (None, [], [PROSPECTS]):
            left = crm.retention.kept_too_long(holds=holds)
            assert [step.action for step in left.steps] == ["keep" if holds else "find_out"]
        assert crm.retention.apply(crm.retention.kept_too_long(holds=[])).erased == 0
        assert crm.parties.get(ann).id == ann
        one.clock.move(hours=1)  # by a plan that is made since, they go
        assert crm.retention.apply(kept_by(crm, *SHIPPED)).erased == 1
        assert crm.retention.kept_too_long(holds=[]).steps == ()


def test_who_is_only_kept_is_written_about_where_an_erasure_was_begun_and_nowhere_else(
    tmp_path: Path,
) -> None:
    one, before, (first, other) = cut_off(tmp_path, "Ann Hill")
    one.live.identity.mark_different(first, other)
    items = one.live.retention.customers(jurisdictions=["FR"]).items
    apart = [item for item in items if other in item.members]
    one.live.retention.apply(one.live.retention.plan(apart, policies=LONGER))
    assert [step.reason for step in one.live.retention.apply(before).left] == [SUPERSEDED]
    assert [one.live.parties.get(who).id for who in (first, other)] == [first, other]
    one.live.retention.apply(one.live.retention.plan(items, holds=[PROSPECTS]))
    noted = one.live.requests.erasures().notes
    one.clock.move(hours=1)
    one.live.retention.apply(one.live.retention.plan(apart, policies=LONGER))
    assert one.live.requests.erasures().notes == noted


def test_what_a_hold_keeps_of_any_record_is_to_be_found_out_while_nobody_says_which_there_are(
    tmp_path: Path,
) -> None:
    one, _, (first, other) = cut_off(tmp_path, "Ann Hill")
    one.live.identity.mark_different(first, other)
    items = [x for x in one.live.retention.customers(jurisdictions=["FR"]).items if other in x.members]
    assert one.live.retention.apply(one.live.retention.plan(items, holds=[PROSPECTS])).restricted == 1
    assert [step.action for step in one.live.retention.kept_too_long().steps] == ["find_out"]


def test_a_hold_that_holds_is_not_lifted_since_it_names_nothing_that_was_made_of_what_it_keeps(
    tmp_path: Path,
) -> None:
    on = date(2026, 6, 1)
    for number, kind in enumerate(("consent.event", "party")):
        folder = tmp_path / str(number)
        folder.mkdir()
        one = Restored(folder, None)
        one.clock.move(days=4 * 365)
        hold = LegalHold(id="8", reason="r", kinds=frozenset({kind}))
        erased(one.live, one.ann, ErasureFacts(holds=(hold,)))
        one.live.retention.apply(planned(one.live, hold))
        assert one.live.requests.kept_too_long(on=on, holds=[hold]) == ()
        assert {x.action for x in one.live.retention.kept_too_long(on=on, holds=[hold]).steps} == {"keep"}
        assert len(one.live.requests.kept_too_long(on=on, holds=[])) == 1
        assert {x.action for x in one.live.retention.kept_too_long(on=on, holds=[]).steps} == {"delete"}


def test_what_was_erased_of_another_tenant_is_refused(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    erased(one.live, one.cy)
    with pytest.raises(InvalidRightsRequest, match="another tenant"):
        Crm(MemoryStore(), tenant="other").requests.erase_again(one.live.requests.erasures())
