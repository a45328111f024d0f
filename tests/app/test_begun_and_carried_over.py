"""What was begun and cut off, or kept, is not gone beyond where erasures were carried over into an older backup."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.app import ErasureFacts
from crmcore.consent import LegalHold, Retained, shipped_dispositions
from crmcore.consent.counting import Span
from crmcore.consent.disposition import Disposition
from crmcore.consent.retention import RetentionPlan, read_retention
from crmcore.consent.rights_request import RequestId
from crmcore.errors import InvalidRightsRequest, NotFound, StoreClosed
from crmcore.values.ids import PartyId
from tests.app.requests import Clock, collecting, customers
from tests.app.test_erased_again import Restored, in_a_store_to_cut
from tests.app.test_erased_noes import erased
from tests.app.test_kept_again import PROSPECTS, planned
from tests.app.test_notes_joined import RECORD, only

TALKS = LegalHold(id="8", reason="another", kinds=frozenset({"interaction"}))

TWENTY_YEARS = read_retention("""
[[policy]]
id = "x"
category = "prospect"
purpose = "accounting"
trigger = "recorded"
period = "P20Y"
basis = "obligation"
text = "twenty years by law"
source = "a law"
""")


def is_there(crm: Crm, who: PartyId) -> bool:
    try:
        return bool(crm.parties.get(who))
    except NotFound:
        return False


@pytest.mark.parametrize("asked", [True, False])
def test_what_came_in_since_an_erasure_was_begun_is_looked_at_there_too(tmp_path: Path, asked: bool) -> None:
    one, store, people = in_a_store_to_cut(tmp_path, "Ann Lee", "Bo Hill")
    one.ann, one.bo = people
    one.clock.move(days=1)
    plan = RetentionPlan(steps=one.retained().steps[:1])
    request = collecting(one.live, one.ann, "erasure") if asked else None
    digest = one.live.requests.erasure_plan(request.id).digest if request else ""

    def erase(crm: Crm) -> int:
        if request is None:
            return crm.retention.apply(plan).erased
        return crm.requests.erase(request.id, plan_sha256=digest).count("delete")

    store.left = 0
    with pytest.raises(StoreClosed):
        erase(one.live)
    store.left = 10**9
    one.live.identity.mark_different(one.ann, one.bo, reason="two people")  # no contact, and about Ann
    one.saved()
    crm = one.again()
    for each in (one.live, crm):
        if request is None:
            assert erase(each) == 0
        else:
            with pytest.raises(InvalidRightsRequest):
                erase(each)
        assert is_there(each, one.ann)
    if request is None:
        assert crm.retention.apply(crm.retention.kept_too_long(holds=[])).erased == 1
    else:
        anew = crm.requests.erasure_plan(request.id).digest
        assert {line.cite for line in crm.requests.erase(request.id, plan_sha256=anew).lines}.isdisjoint(
            {"a legal hold"}
        )
    assert not is_there(crm, one.ann)


def answered(crm: Crm, request: RequestId) -> None:
    crm.requests.move(request, "review")
    crm.requests.move(request, "respond", sha256="0" * 64)
    crm.requests.move(request, "close")


def talks(one: Restored) -> list[str | None]:
    return [
        record.body.get("subject") for record in one.restored.scan("default", "interaction", limit=9).items
    ]


TEN_YEARS = Disposition(
    kind="interaction", action="restrict", until=Span.parse("P10Y"), text="for ten years", cite="a law"
)
ALWAYS = attrs.evolve(TEN_YEARS, until=None)


@pytest.mark.parametrize("line", [None, TEN_YEARS, ALWAYS])
def test_what_was_kept_for_who_asked_stays_as_was_noted_where_the_request_is_not_there(
    tmp_path: Path, line: Disposition | None
) -> None:
    one = Restored(tmp_path, None)
    one.live.interactions.record(
        "call", direction="inbound", occurred_at=date(2022, 5, 2), with_=[one.ann], subject="the books"
    )
    one.saved()
    request = collecting(one.live, one.ann, "erasure")
    if line is None:
        one.live.requests.decide(request.id, "interaction", "refuse", reason="to defend a claim")
        facts = None
    else:
        facts = ErasureFacts(table=(line, attrs.evolve(ALWAYS, action="delete"), *shipped_dispositions()))
    plan = one.live.requests.erasure_plan(request.id, facts=facts)
    one.live.requests.erase(request.id, plan_sha256=plan.digest, facts=facts)
    crm = one.again()
    for _ in range(2):
        one.clock.move(days=5 * 365)
        assert crm.retention.apply(crm.retention.kept_too_long(holds=[])).left == ()
        assert not is_there(crm, one.ann)
        there = line is not TEN_YEARS or one.clock.now.year < 2032
        assert ("the books" in talks(one)) is there
        assert crm.retention.kept_too_long(holds=[]).steps == ()


@pytest.mark.parametrize("plans", [1, 2])
def test_a_hold_on_their_category_outlives_what_a_request_was_planned_for_more_than_once(
    tmp_path: Path, plans: int
) -> None:
    one = Restored(tmp_path, None)
    one.saved(years=4)
    request = erased(one.live, one.ann, ErasureFacts(holds=(RECORD, TALKS)))
    for _ in range(plans - 1):
        facts = ErasureFacts(holds=(RECORD,))
        digest = one.live.requests.erasure_plan(request, facts=facts).digest
        one.live.requests.erase(request, plan_sha256=digest, facts=facts)
    answered(one.live, request)
    one.clock.move(days=4 * 365)
    before = only(planned(one.live), one.ann)
    one.clock.move(hours=1)
    one.live.retention.apply(only(planned(one.live, PROSPECTS), one.ann))
    for crm in (one.live, one.again()):
        assert crm.retention.apply(before).erased == 0
        assert is_there(crm, one.ann)


def by_law(crm: Crm, who: PartyId) -> RetentionPlan:
    return only(
        crm.retention.plan(crm.retention.customers(jurisdictions=["FR"]).items, policies=TWENTY_YEARS), who
    )


def test_who_is_kept_whole_by_a_later_plan_is_not_erased_of_what_a_request_kept(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    one.saved(years=4)
    hold = attrs.evolve(RECORD, until=date(2027, 1, 1))
    erased(one.live, one.ann, ErasureFacts(holds=(hold,)))
    one.clock.move(days=1)
    assert one.live.retention.apply(by_law(one.live, one.ann)).restricted == 1
    crm = one.again()
    one.clock.move(days=3 * 365)
    told: tuple[list[LegalHold] | None, ...] = (None, [])
    for holds in told:
        plan = crm.retention.kept_too_long(holds=holds)
        assert [step.action for step in plan.steps] == ["find_out"]
        assert crm.retention.apply(plan).erased == 0
    # It goes by a plan for the customer that it is.
    one.clock.move(days=20 * 365)
    done = crm.retention.apply(by_law(crm, one.ann))
    assert (done.erased, is_there(crm, one.ann)) == (1, False)


@pytest.mark.parametrize("erase", [True, False])
def test_a_law_keeps_whom_a_hold_kept_before_and_whoever_is_gone_is_kept_no_more(
    tmp_path: Path, erase: bool
) -> None:
    one = Restored(tmp_path, None)
    one.clock.move(days=4 * 365)
    if not erase:
        one.live.retention.apply(only(planned(one.live, RECORD), one.ann))
        one.live.retention.apply(only(planned(one.live, PROSPECTS), one.ann))
    one.saved()
    one.live.retention.apply(by_law(one.live, one.ann))
    if erase:
        erased(one.live, one.ann)
    crm = one.again()
    one.clock.move(days=9 * 365)
    steps = crm.retention.kept_too_long(holds=[]).steps
    assert [step.action for step in steps] == ["delete" if erase else "find_out"]


@pytest.mark.parametrize("late", [True, False])
def test_what_stays_of_a_talk_for_somebody_who_is_erased_and_held_is_there(
    tmp_path: Path, late: bool
) -> None:
    one = Restored(tmp_path, None)
    if not late:
        one.saved()
    order = (one.ann, one.cy, one.bo) if late else (one.bo, one.ann, one.cy)
    for who in order:
        if late and who == one.bo:
            one.saved()
        erased(one.live, who, ErasureFacts(holds=(TALKS,)) if who == one.bo else None)
    crm = one.carried(one.live.requests.erasures(), times=1)
    told = crm.requests.erasures().notes
    crm.requests.erase_again(one.live.requests.erasures())
    assert crm.requests.erasures().notes == told
    for store in (one.store, one.restored):
        (talk,) = store.scan("default", "interaction", limit=9).items
        assert [each["party"] for each in talk.body["participants"]] == [one.bo]
    assert [step.action for step in crm.retention.kept_too_long(holds=[TALKS]).steps].count("keep") == 1
    crm.retention.apply(crm.retention.kept_too_long(holds=[]))
    assert talks(one) == []


def test_who_is_kept_for_longer_after_a_request_goes_by_no_plan_of_before(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    one.saved(years=4)
    answered(one.live, erased(one.live, one.ann, ErasureFacts(holds=(RECORD,))))
    one.clock.move(days=4 * 365)
    before = only(planned(one.live), one.ann)
    one.clock.move(hours=1)
    longer = [attrs.evolve(policy, basis="permission") for policy in TWENTY_YEARS]
    items = one.live.retention.customers(jurisdictions=["FR"]).items
    after = only(one.live.retention.plan(items, policies=longer), one.ann)
    assert [step.action for step in after.steps] == ["keep"]
    one.live.retention.apply(after)
    for crm in (one.live, one.again()):
        assert crm.retention.apply(before).erased == 0


def things(*told: tuple[PartyId, date]) -> list[Retained]:
    return [
        Retained(
            place=str(who),
            category="prospect",
            jurisdictions=frozenset({"FR"}),
            triggers={"last_contact": day},
        )
        for who, day in told
    ]


def test_a_plan_that_keeps_several_gives_nobody_back_because_of_itself() -> None:
    clock = Clock(datetime(2020, 1, 1, tzinfo=UTC))
    crm = customers(clock=clock)
    ann, bo, cy = (crm.parties.add(Person.of(name)).id for name in ("Ann Lee", "Bo Hill", "Cy Orr"))
    clock.move(days=4 * 365)
    old, later, now = date(2020, 1, 1), date(2021, 6, 1), date(2024, 6, 1)
    crm.retention.apply(crm.retention.plan(things((ann, old), (bo, old), (cy, old)), holds=[RECORD]))
    clock.move(hours=1)
    crm.retention.apply(crm.retention.plan(things((bo, later))))
    clock.move(days=300)
    done = crm.retention.apply(crm.retention.plan(things((ann, now), (cy, now), (bo, later))))
    assert (done.erased, done.left) == (1, ())


def test_who_was_restricted_by_a_plan_and_is_held_of_a_request_is_noted_so_once(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    one.saved(years=4)
    erased(one.live, one.ann, ErasureFacts(holds=(RECORD,)))
    one.clock.move(days=1)
    one.live.retention.apply(only(planned(one.live, PROSPECTS), one.ann))
    past = one.live.requests.erasures()
    crm = one.carried(past, times=1)
    told = crm.requests.erasures().notes
    crm.requests.erase_again(past)
    assert crm.requests.erasures().notes == told
