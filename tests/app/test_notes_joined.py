"""What was noted in either store holds, whichever file of erasures is carried over into whichever backup."""

from __future__ import annotations

from datetime import date
from itertools import product
from pathlib import Path

import attrs
import pytest

from crmcore import Crm, Person
from crmcore.app import ErasureFacts
from crmcore.app.notes_joined import joined
from crmcore.consent import LegalHold
from crmcore.consent.certificate import CertificateLine, ErasureBegun, Restriction, place_hash
from crmcore.consent.disposition import HELD
from crmcore.consent.retention import RetentionPlan
from crmcore.errors import InvalidRightsRequest, StoreClosed
from crmcore.values.ids import PartyId
from tests.app.requests import collecting
from tests.app.test_erased_again import Restored, in_a_store_to_cut
from tests.app.test_erased_noes import erased
from tests.app.test_kept_again import PROSPECTS, may_write, planned, restrictions

RECORD = LegalHold(id="7", reason="a lawsuit", kinds=frozenset({"party"}))


def only(plan: RetentionPlan, *who: PartyId) -> RetentionPlan:
    return attrs.evolve(
        plan, steps=tuple(step for step in plan.steps if {step.place, *step.members} & {*who})
    )


def digests(crm: Crm) -> list[tuple[object, ...]]:
    """What is noted that tells plans of before."""
    notes = [note.parts[0] for note in crm.requests.erasures().notes]
    return [(one.request, one.plan_sha256, one.beside, one.held, one.restricted, one.number) for one in notes]


def test_a_file_that_is_older_than_the_backup_brings_no_plan_to_life_that_was_made_in_between(
    tmp_path: Path,
) -> None:
    one = Restored(tmp_path, None)
    one.clock.move(days=4 * 365)
    one.live.retention.apply(planned(one.live, PROSPECTS))
    older = one.live.requests.erasures()
    one.clock.move(hours=1)
    between = planned(one.live)
    one.live.retention.apply(planned(one.live, PROSPECTS))
    one.saved()
    noted = one.live.requests.erasures().notes
    for crm in (one.live, one.carried(older)):
        crm.requests.erase_again(older)
        assert crm.retention.apply(between).erased == 0
        assert crm.requests.erasures().notes == noted


def test_a_file_that_is_older_than_the_backup_does_not_bring_back_what_was_begun_before_a_hold(
    tmp_path: Path,
) -> None:
    one, store, (ann, bo) = in_a_store_to_cut(tmp_path, "Ann Lee", "Bo Hill")
    one.clock.move(days=4 * 365)
    request, plan = collecting(one.live, ann, "erasure"), only(planned(one.live), bo)
    first = one.live.requests.erasure_plan(request.id)
    store.left = 0
    with pytest.raises(StoreClosed):
        one.live.requests.erase(request.id, plan_sha256=first.digest)
    with pytest.raises(StoreClosed):
        one.live.retention.apply(plan)
    store.left = 10**9
    older = one.live.requests.erasures()
    held = ErasureFacts(holds=(RECORD,))
    second = one.live.requests.erasure_plan(request.id, facts=held)
    certificate = one.live.requests.erase(request.id, plan_sha256=second.digest, facts=held)
    one.live.retention.apply(only(planned(one.live, PROSPECTS), bo))
    one.saved()
    crm = one.carried(older)
    with pytest.raises(InvalidRightsRequest):
        crm.requests.erase(request.id, plan_sha256=first.digest)
    assert crm.requests.certificate(request.id) == certificate
    assert crm.retention.apply(plan).erased == 0
    assert [step.action for step in crm.retention.kept_too_long().steps] == ["find_out"]


def test_that_a_hold_keeps_what_is_left_is_not_forgotten_by_an_older_file(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    one.clock.move(days=4 * 365)
    one.live.retention.apply(planned(one.live))
    older, on = one.live.requests.erasures(), date(2050, 1, 1)
    one.live.retention.apply(one.live.retention.kept_too_long(on=on, holds=[PROSPECTS]))
    one.saved()
    found = one.carried(older).retention.kept_too_long(on=on).steps
    assert found
    assert {step.action for step in found} == {"find_out"}


def test_what_a_plan_noted_at_a_record_and_what_a_request_did_are_both_carried_over(tmp_path: Path) -> None:
    for times, late in product((1, 2), (False, True)):
        folder = tmp_path / f"{times} {late}"
        folder.mkdir()
        one = Restored(folder, None)
        other = one.live.parties.add(Person.of("Ann Lee-Hill", email="hill@x.example")).id
        one.clock.move(days=4 * 365)
        if not late:
            one.saved()
        one.live.retention.apply(planned(one.live, PROSPECTS))
        before = only(planned(one.live), one.ann, other)
        if late:
            one.saved()
        one.live.identity.merge(one.ann, other, reason="the same")
        erased(one.live, one.ann, ErasureFacts(holds=(RECORD,)))
        crm = one.carried(one.live.requests.erasures(), times=times)
        noted = digests(crm)
        crm.requests.erase_again(one.live.requests.erasures())
        assert digests(crm) == noted
        crm.identity.mark_different(one.ann, other)
        assert crm.retention.apply(before).erased == 0, (times, late)


def test_who_was_restricted_is_so_where_a_backup_of_what_was_restored_is_restored(tmp_path: Path) -> None:
    one = Restored(tmp_path, None)
    one.saved(years=4)
    one.live.identity.merge(one.bo, one.ann, reason="the same")
    plan = only(planned(one.live, PROSPECTS), one.ann, one.bo)
    one.live.retention.apply(plan)
    one.clock.move(hours=1)
    one.live.identity.mark_different(one.ann, one.bo, reason="two people")
    goes, stays = (one.ann, one.bo) if plan.steps[0].place == one.ann else (one.bo, one.ann)
    erased(one.live, goes)
    past = one.live.requests.erasures()
    for _ in range(3):
        crm = one.carried(past, times=1)
        assert [via for via, _ in restrictions(crm, stays)] == ["retention:legal_claims"]
        past = crm.requests.erasures()


def test_who_is_joined_to_somebody_restricted_and_held_with_them_is_restricted_when_apart_again(
    tmp_path: Path,
) -> None:
    one = Restored(tmp_path, None)
    one.clock.move(days=4 * 365)
    one.live.retention.apply(only(planned(one.live, PROSPECTS), one.bo))
    one.live.identity.merge(one.bo, one.ann, reason="the same")
    assert one.live.retention.apply(only(planned(one.live, PROSPECTS), one.bo)).restricted == 1
    assert one.live.retention.apply(only(planned(one.live, PROSPECTS), one.bo)).restricted == 0
    one.clock.move(hours=1)
    one.live.identity.mark_different(one.bo, one.ann, reason="two people")
    assert may_write(one.live, one.ann) == "deny"
    assert [members for _, members in restrictions(one.live, one.bo)] == [(one.bo,)]


def test_two_notes_of_which_neither_came_first_keep_what_either_keeps_and_are_no_plan_of_before() -> None:
    gone, stays = (
        CertificateLine(kind="party", action=x, count=1, reason="r", cite="c") for x in ("delete", "keep")
    )
    place = (place_hash("party 17"),)
    apart = ErasureBegun(request="17", plan_sha256="a", lines=(gone,), places=place, number=2, done=True)
    other = attrs.evolve(
        apart,
        plan_sha256="b",
        lines=(stays,),
        held=True,
        done=False,
        restricted=(Restriction(mark="m", members=("9",)),),
    )
    for here, there in ((apart, other), (other, apart)):
        told = joined([here], [there])
        (first,) = told
        assert first.plan_sha256 not in ("a", "b")
        assert {*first.beside} == {"a", "b"}
        assert (first.lines, first.held, first.restricted, first.done) == (
            (stays,),
            True,
            other.restricted,
            False,
        )
        assert [joined(told, [one]) for one in (here, there)] == [told, told]
    kept = attrs.evolve(apart, plan_sha256="k", lines=(), places=(), number=3)
    assert joined([apart], [kept]) == [attrs.evolve(apart, beside=("k",))]
    unknown = attrs.evolve(kept, number=0)
    assert joined([unknown], [other]) == [attrs.evolve(other, beside=("k",))]
    assert joined([], [other]) == [other]


def test_of_two_lines_that_keep_a_thing_the_longer_stands_whichever_came_first() -> None:
    line = CertificateLine(kind="party", action="restrict", count=1, reason="r", cite="c")
    place = (place_hash("party 17"),)

    def note(digest: str, line: CertificateLine, **told: object) -> ErasureBegun:
        return ErasureBegun(
            request="17",
            plan_sha256=digest,
            lines=(line,),
            places=place,
            number=2,
            members=("17",),
            **told,  # type: ignore[arg-type]  # a note has fields of several types
        )

    held = attrs.evolve(line, cite=HELD)
    short, long = (attrs.evolve(line, until=date(year, 1, 1)) for year in (2026, 2030))
    strong = attrs.evolve(short, action="keep")
    gone = attrs.evolve(line, action="delete")
    for more, less in (
        (held, short),
        (held, strong),
        (held, line),
        (long, short),
        (long, strong),
        (short, gone),
    ):
        known = note("a", more, category="prospect", asked=date(2025, 1, 1))
        for here, there in ((known, note("b", less)), (note("b", less), known)):
            (told,) = joined([here], [there])
            anyway = (less.until or date.max) if more is held else None
            assert told.lines == (attrs.evolve(more, anyway=anyway),)
            assert joined([told], [there]) == [told]
            assert (told.category, told.asked) == ("prospect", date(2025, 1, 1))
