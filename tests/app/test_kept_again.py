"""Whoever retention kept is kept, too, where an older backup was restored and erasures were carried over."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.app import ErasureFacts, PastErasures
from crmcore.consent import LegalHold
from crmcore.consent.ledger import party_stream
from crmcore.consent.retention import RetentionPlan, RetentionStep
from crmcore.errors import InvalidDocument, StoreClosed
from crmcore.storage.erasure import ERASED, Erasure
from crmcore.storage.stored import StoredEntry
from crmcore.values.ids import PartyId
from crmcore.values.source import SYSTEM
from tests.app.test_erased_again import Restored, in_a_store_to_cut, lines_of, noted
from tests.app.test_erased_noes import erased
from tests.app.test_person_erasure import rows_of

PROSPECTS = LegalHold(id="7", reason="a lawsuit", kinds=frozenset({"prospect"}))
SUPERSEDED = (
    "another plan was applied to this customer, or to others who are kept for the same, since this one was made: "
    "plan again"
)


def kept(*members: PartyId, purpose: str = "legal_claims") -> RetentionPlan:
    """A plan by which a customer is restricted, as by a hold on a category or a law that keeps them."""
    first, ids = str(members[0]), tuple(map(str, members))
    step = RetentionStep(
        place=first,
        category="prospect",
        action="restrict",
        reason="r",
        source="",
        purpose=purpose,
        members=ids,
    )
    return RetentionPlan(steps=(step,))


def planned(crm: Crm, *holds: LegalHold) -> RetentionPlan:
    return crm.retention.plan(crm.retention.customers(jurisdictions=["FR"]).items, holds=holds)


def may_write(crm: Crm, who: PartyId) -> str:
    found = crm.consent.decide(
        who, point="ann@x.example", purpose="marketing", channel="email", jurisdictions=["DE"]
    )
    return found.answer


def restrictions(crm: Crm, who: PartyId) -> list[tuple[str | None, tuple[str, ...]]]:
    return [(act.via, act.members) for act in crm.consent.events(who) if act.kind == "restrict"]


def test_who_is_kept_by_a_hold_on_a_category_is_restricted_there_too_and_goes_by_no_plan_of_before(
    tmp_path: Path,
) -> None:
    one = Restored(tmp_path, None)
    one.saved(years=4)
    before = planned(one.live)
    assert {step.action for step in before.steps} == {"delete"}
    assert may_write(one.live, one.ann) == "allow"
    one.clock.move(hours=1)
    assert one.live.retention.apply(planned(one.live, PROSPECTS)).restricted == 3
    restored = one.again()
    for crm in (one.live, restored):
        assert [restrictions(crm, who) for who in (one.ann, one.bo, one.cy)] == [
            [("retention:legal_claims", (str(who),))] for who in (one.ann, one.bo, one.cy)
        ]
        assert may_write(crm, one.ann) == "deny"
        again = crm.retention.apply(before)
        assert (again.erased, [step.reason for step in again.left]) == (0, [SUPERSEDED] * 3)
        assert crm.retention.kept_too_long(holds=[]).steps == ()
    assert restored.requests.erasures() == one.live.requests.erasures()
    # When the hold is lifted, they go in either store.
    one.clock.move(hours=1)
    for crm in (one.live, restored):
        assert crm.retention.apply(planned(crm)).erased == 3
    assert lines_of(one.restored) == lines_of(one.store)


def test_who_is_kept_once_more_goes_by_no_plan_that_was_made_in_between(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    one.clock.move(days=4 * 365)
    one.live.retention.apply(planned(one.live, PROSPECTS))
    between = planned(one.live)
    one.saved()
    one.live.parties.add(Person.of("Di Lee", email="di@x.example"))
    assert one.live.retention.apply(planned(one.live, PROSPECTS)).restricted == 1
    for crm in (one.live, one.again()):
        again = crm.retention.apply(between)
        assert (again.erased, [step.reason for step in again.left]) == (0, [SUPERSEDED] * 3)


def test_of_records_that_a_request_kept_and_that_are_apart_again_no_plan_of_before_erases_one(
    tmp_path: Path,
) -> None:
    one = Restored(tmp_path, None)
    other = one.live.parties.add(Person.of("Ann Lee-Hill", email="hill@x.example")).id
    one.clock.move(days=4 * 365)
    before = planned(one.live)
    before = attrs.evolve(before, steps=tuple(x for x in before.steps if x.place in (one.ann, other)))
    one.live.identity.merge(one.ann, other, reason="the same")
    one.saved()
    hold = LegalHold(id="7", reason="a lawsuit", kinds=frozenset({"party"}))
    erased(one.live, one.ann, ErasureFacts(holds=(hold,)))
    for crm in (one.live, one.again()):
        crm.identity.mark_different(one.ann, other)
        again = crm.retention.apply(before)
        assert (again.erased, [step.reason for step in again.left]) == (0, [SUPERSEDED] * 2)
        assert [crm.parties.get(who).id for who in (one.ann, other)] == [one.ann, other]


def test_who_was_joined_only_after_the_backup_is_restricted_by_each_record(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    one.live.retention.apply(kept(one.bo))
    one.saved()
    one.live.identity.merge(one.bo, one.ann, reason="the same")
    one.live.retention.apply(kept(one.bo, one.ann))
    restored = one.again()
    assert [may_write(crm, one.ann) for crm in (one.live, restored)] == ["deny", "deny"]
    one.live.retention.apply(kept(one.bo, one.ann, purpose="accounting"))
    one.clock.move(hours=1)
    one.live.identity.mark_different(one.bo, one.ann, reason="two people")
    one.live.retention.apply(kept(one.bo, purpose="accounting"))
    found = [{via for via, _ in restrictions(crm, one.ann)} for crm in (one.live, one.again())]
    assert found == [{"retention:accounting", "retention:legal_claims"}] * 2


def test_who_was_joined_before_the_backup_is_restricted_once(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    one.live.identity.merge(one.bo, one.ann, reason="the same")
    one.saved()
    one.live.consent.record("object", one.ann, purposes=["direct_marketing"])
    entries = frozenset((party_stream(str(who)), 1) for who in (one.ann, one.bo))
    one.store.erase(
        Erasure(tenant="default", entries=entries, idem="17", actor=SYSTEM, at=one.clock.now)
    )  # its number is that of the restriction where the backup is restored
    one.live.retention.apply(kept(one.bo, one.ann))
    found = [restrictions(crm, one.ann) for crm in (one.live, one.again())]
    assert [via for via, _ in found[0]] == ["retention:legal_claims"]
    assert found[0] == found[1]


def test_who_was_kept_and_erased_since_has_nothing_written_about_them(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    one.saved()
    one.live.retention.apply(kept(one.cy))
    erased(one.live, one.cy)
    one.again()
    written = [row for row in rows_of(one.restored) if isinstance(row, StoredEntry)]
    assert {row.schema for row in written if one.cy in row.subjects} <= {ERASED}


def test_what_is_kept_of_who_was_kept_whole_before_is_found_when_its_time_is_over(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    one.clock.move(days=4 * 365)
    one.live.retention.apply(planned(one.live, PROSPECTS))
    stale = one.live.requests.erasures()
    one.saved()
    assert one.live.retention.apply(planned(one.live)).erased == 3
    one.live.requests.erase_again(stale)  # it is noted no less by what was kept apart before
    on, everybody = date(2050, 1, 1), sorted((str(who),) for who in (one.ann, one.bo, one.cy))
    for past in (one.live.requests.erasures(), one.store.erasures("default").items):
        crm = one.carried(past)
        for each in (one.live, crm):
            found = each.retention.kept_too_long(on=on, holds=[]).steps
            assert sorted(step.members for step in found) == everybody


def test_of_which_category_a_customer_was_is_noted_though_they_were_kept_first(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    one.clock.move(days=4 * 365)
    one.live.retention.apply(planned(one.live, PROSPECTS))
    acts = LegalHold(id="8", reason="r", kinds=frozenset({"consent.event"}))
    assert one.live.retention.apply(planned(one.live, acts)).erased == 3
    for hold, action in (
        (PROSPECTS, "keep"),
        (attrs.evolve(PROSPECTS, kinds=frozenset({"invoice"})), "delete"),
    ):
        assert [step.action for step in one.live.retention.kept_too_long(holds=[hold]).steps] == [action] * 3


def test_a_talk_of_which_something_was_to_stay_for_somebody_who_is_erased_by_now_stops_nothing(
    tmp_path: Path,
) -> None:
    one, store, (ann, bo) = in_a_store_to_cut(tmp_path, "Ann Lee", "Bo Hill")
    one.live.interactions.record("call", direction="inbound", occurred_at=date(2022, 5, 1), with_=[ann, bo])
    one.saved()
    store.left = 0
    with pytest.raises(StoreClosed):
        erased(one.live, ann)
    store.left = 10**9
    kept_talk = LegalHold(id="7", reason="r", kinds=frozenset({"interaction"}))
    erased(one.live, bo, ErasureFacts(holds=(kept_talk,)))
    one.again()
    for each in (one.store, one.restored):  # the talk, and what is to stay of it, both of which are held
        assert len(each.scan("default", "interaction", limit=9).items) == 2
    assert [note.done for note in noted(one.restored) if note.members == (ann,)] == [False]


def test_a_restriction_holds_while_the_erasure_is_not_done_that_follows_it(tmp_path: Path) -> None:
    one, store, (ann,) = in_a_store_to_cut(tmp_path, "Ann Lee")
    one.saved(years=4)
    one.live.retention.apply(planned(one.live, PROSPECTS))
    store.left = 0
    with pytest.raises(StoreClosed):
        one.live.retention.apply(planned(one.live))
    assert restrictions(one.again(), ann) == [("retention:legal_claims", (str(ann),))]


def parts_in(past: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for note in past["notes"] for part in note["parts"]]


def lines_in(past: dict[str, Any]) -> list[dict[str, Any]]:
    return [line for part in parts_in(past) for line in part.get("lines", ())]


# So that what is refused is refused before anything is written, each of these is a file with one slip.
SLIPS: tuple[Callable[[dict[str, Any]], object], ...] = (
    lambda past: past.pop("notes"),
    lambda past: past.update(restrictions=[]),
    lambda past: past.update(tenant=3),
    lambda past: past.update(tenant=""),
    lambda past: past.update(notes={}),
    lambda past: past.update(erasures=[*past["erasures"], {}]),
    lambda past: past.update(erasures="\n"),
    lambda past: past["erasures"][0].update(more=[]),
    lambda past: past["erasures"][0].pop("entries"),
    lambda past: past["notes"].append({"id": past["notes"][0]["id"], "parts": []}),
    lambda past: past["notes"].append({"id": "x", "parts": past["notes"][0]["parts"]}),
    lambda past: past["notes"][0].update(more=0),
    lambda past: past["notes"][0]["parts"].append(past["notes"][0]["parts"][0]),
    lambda past: past["notes"][0]["parts"].append("x"),
    lambda past: past["notes"][0]["parts"][0].update(members=["x"]),
    lambda past: past["notes"][0]["parts"][0].update(points=["x"]),
    lambda past: past["notes"][0]["parts"][0].update(restricted=[{"mark": "x", "members": ["x"]}]),
    lambda past: past["notes"][0]["parts"][0].update(restricted=[{"mark": "x"}]),
    lambda past: past["notes"][0]["parts"][0].update(asked="0001-01-01"),
    lambda past: past["notes"][0]["parts"][0].update(more=10**30),
    lambda past: past["notes"][0]["parts"][0].update(request="\x00"),
    lambda past: past["notes"][0]["parts"][0].update(later=1.5),
    lambda past: past["notes"][0]["parts"][0].update(number=-1),
    lambda past: past["notes"][0]["parts"][0].update(number=10**30),
    lambda past: [line.update(count=-5) for line in lines_in(past)],
    lambda past: [line.update(count=line["count"] + 1) for line in lines_in(past)],
    lambda past: [part.update(places=part["places"][1:]) for part in parts_in(past) if "places" in part],
    lambda past: [part.update(places=[*part.get("places", ()), "12345678"]) for part in parts_in(past)],
    lambda past: past["notes"][0]["parts"][0].update(later=json.loads("[" * 900 + "]" * 900)),
)


def test_a_file_that_is_none_of_erasures_is_refused(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    one.live.retention.apply(kept(one.bo))
    erased(one.live, one.ann)
    past = one.live.requests.erasures()
    text = json.dumps(past.to_json())
    assert PastErasures.of_json(json.loads(text)) == PastErasures.of_json(past.to_json()) == past
    for slip in SLIPS:
        document = json.loads(text)
        slip(document)
        with pytest.raises(InvalidDocument, match="this is not what") as refused:
            PastErasures.of_json(document)
        assert refused.value.__context__ is None
    wrongs: tuple[Any, ...] = ([], None, "x", 3)
    for wrong in wrongs:
        with pytest.raises(InvalidDocument):
            PastErasures.of_json(wrong)
    more = json.loads(text)
    more["notes"][0]["parts"][0]["later"] = {"a": [1]}  # of a newer crmcore: it is kept
    assert PastErasures.of_json(more).to_json()["notes"][0]["parts"][0]["later"] == {"a": [1]}
