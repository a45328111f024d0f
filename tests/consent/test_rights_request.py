"""What a request can do next: the whole table, and what stands beside it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent.rights_request import (
    DecidedItem,
    IdentityEvidence,
    Notice,
    Requester,
    RequestId,
    RightsRequest,
    RightsStep,
)
from crmcore.consent.rights_steps import MOVES, advance, due_of, replay
from crmcore.consent.rights_words import RequestState, StepKind
from crmcore.errors import InvalidRightsRequest

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ID = RequestId("01890a5d-ac96-7000-8000-000000000000")
SHA = "0" * 64
DAY = timedelta(days=1)


def request(**facts: object) -> RightsRequest:
    given_: dict[str, object] = {
        "id": ID,
        "right": "access",
        "law": "uk_gdpr",
        "received_at": AT,
        "channel": "email",
        "zone": "Europe/London",
        "customer": "c",
        "members": ("c",),
        "anchor": "c",
        **facts,
    }
    return RightsRequest(**given_)  # type: ignore[arg-type]  # a test's facts, by name


def step(kind: StepKind, at: datetime = AT, **facts: object) -> RightsStep:
    return RightsStep(request=ID, kind=kind, at=at, **facts)  # type: ignore[arg-type]  # a test's facts, by name


def identity(at: datetime = AT) -> RightsStep:
    return step("identify", at, evidence=IdentityEvidence(kind="logged_in", at=at))


def ready(state: RequestState) -> RightsRequest:
    """A request in that state that lacks nothing for any next step but what the step itself must bring."""
    items = (DecidedItem(item="a", decision="grant"),)
    evidence = (IdentityEvidence(kind="logged_in", at=AT),)
    return attrs.evolve(request(identity=evidence, items=items), state=state)


TABLE = """
received: check_identity accept refuse
identity_check: accept refuse
accepted: collect refuse
collecting: review refuse
review: collect respond refuse refuse_partly
responded: close
refused: close
partially_refused: close
closed:
"""


def test_from_each_state_these_steps_lead_on_and_no_others() -> None:
    for line in TABLE.split("\n")[1:-1]:
        state, _, kinds = line.partition(":")
        assert {kind for kind, (begins, _) in MOVES.items() if state in begins} == set(kinds.split())


@pytest.mark.parametrize("state", get_args(RequestState))
@pytest.mark.parametrize("kind", MOVES)
def test_a_request_moves_as_the_table_says_and_no_other_way(state: RequestState, kind: StepKind) -> None:
    refused = DecidedItem(item="b", decision="refuse", reason="r")
    before = ready(state)
    if kind == "refuse_partly":
        before = attrs.evolve(before, items=(*before.items, refused))
    begins, end = MOVES[kind]
    taken = step(kind, reason="because", sha256=SHA)
    if state in begins:
        assert advance(before, taken).state == end
    else:
        with pytest.raises(InvalidRightsRequest, match="cannot"):
            advance(before, taken)


def test_nobody_is_answered_before_it_is_known_who_asks() -> None:
    with pytest.raises(InvalidRightsRequest, match="who asks"):
        advance(request(), step("accept"))
    known = advance(request(), identity())
    assert advance(known, step("accept")).state == "accepted"
    free = request(right="opt_out_of_sale", law="ccpa", zone="America/Los_Angeles")
    assert advance(free, step("accept")).state == "accepted"


def test_an_agent_shows_that_they_may_ask() -> None:
    agent = advance(request(requester=Requester(kind="agent", name="A. Gent")), identity())
    with pytest.raises(InvalidRightsRequest, match="may ask"):
        advance(agent, step("accept"))
    shown = attrs.evolve(agent, requester=Requester(kind="agent", authority="power of attorney 7"))
    assert advance(shown, step("accept")).state == "accepted"


def test_a_refusal_says_why_and_an_answer_has_a_digest() -> None:
    with pytest.raises(InvalidRightsRequest, match="give a reason"):
        advance(ready("review"), step("refuse"))
    for digest in (None, "beef", SHA.replace("0", "G")):
        with pytest.raises(InvalidRightsRequest, match="SHA-256"):
            advance(ready("review"), step("respond", sha256=digest))


def test_what_was_refused_in_part_is_not_answered_as_a_whole() -> None:
    refused = DecidedItem(item="b", decision="refuse", reason="r")
    mixed = advance(ready("review"), step("decide_item", item=refused))
    with pytest.raises(InvalidRightsRequest, match="refuse partly"):
        advance(mixed, step("respond", sha256=SHA))
    with pytest.raises(InvalidRightsRequest, match="grant others"):
        advance(ready("review"), step("refuse_partly", sha256=SHA))
    with pytest.raises(InvalidRightsRequest, match="for a reason"):
        advance(ready("review"), step("decide_item", item=DecidedItem(item="b", decision="withhold")))
    granted = advance(mixed, step("decide_item", item=DecidedItem(item="b", decision="grant")))
    assert advance(granted, step("respond", sha256=SHA)).response_sha256 == SHA


def test_the_clock_stops_only_for_what_the_law_says_and_only_in_time() -> None:
    asked = request(law="gdpr", zone="Europe/Berlin")
    with pytest.raises(InvalidRightsRequest, match="identity only"):
        advance(asked, step("stop_clock", cause="clarification"))
    with pytest.raises(InvalidRightsRequest, match="nothing only"):
        advance(request(law="ccpa"), step("stop_clock", cause="identity"))
    with pytest.raises(InvalidRightsRequest, match="ran out"):
        advance(asked, step("stop_clock", AT + 40 * DAY, cause="identity"))
    stopped = advance(asked, step("stop_clock", cause="identity"))
    assert due_of(stopped).day is None
    with pytest.raises(InvalidRightsRequest, match="already"):
        advance(stopped, step("stop_clock", cause="identity"))
    going = advance(stopped, step("resume_clock", AT + 3 * DAY))
    assert due_of(going).day == date(2026, 4, 6)
    assert due_of(going, holidays={date(2026, 4, 6)}).day == date(2026, 4, 7)
    with pytest.raises(InvalidRightsRequest, match="runs already"):
        advance(going, step("resume_clock", AT + 4 * DAY))


def test_nobody_is_asked_who_they_are_when_that_is_known_and_the_request_accepted() -> None:
    asked = advance(request(law="gdpr", zone="Europe/Berlin"), identity())
    checked = advance(asked, step("check_identity"))
    for early in (asked, checked):
        assert advance(early, step("stop_clock", cause="identity")).clock_stopped
    accepted = advance(checked, step("accept"))
    with pytest.raises(InvalidRightsRequest, match="known who asks"):
        advance(accepted, step("stop_clock", cause="identity"))
    assert due_of(accepted).day is not None


def test_nothing_goes_on_while_the_clock_stands_still_but_a_refusal() -> None:
    known = advance(request(), identity())
    stopped = advance(known, step("stop_clock", cause="clarification"))
    with pytest.raises(InvalidRightsRequest, match="stands still"):
        advance(stopped, step("accept"))
    refused = advance(stopped, step("refuse", AT + 20 * DAY, reason="no answer"))
    assert not refused.clock_stopped
    assert refused.pauses[0].end == AT + 20 * DAY


def test_an_extension_comes_once_and_before_the_first_time_ends() -> None:
    last = datetime(2026, 4, 2, 22, 59, 59, tzinfo=UTC)
    assert due_of(request()).at == last + timedelta(seconds=1)
    extended = advance(request(), step("extend", last, reason="many systems"))
    assert due_of(extended).day == date(2026, 6, 2)
    with pytest.raises(InvalidRightsRequest, match="once"):
        advance(extended, step("extend", last, reason="more"))
    with pytest.raises(InvalidRightsRequest, match="before it ends"):
        advance(request(), step("extend", last + timedelta(seconds=1), reason="late"))
    with pytest.raises(InvalidRightsRequest, match="no extension"):
        advance(request(law="lgpd"), step("extend", reason="many systems"))
    with pytest.raises(InvalidRightsRequest, match="give a reason"):
        advance(request(), step("extend"))


def test_a_request_stays_open_until_everybody_has_answered() -> None:
    told = Notice(processor="mailer", what="erase", told_at=AT)
    open_ = advance(ready("responded"), step("notify", notice=told))
    with pytest.raises(InvalidRightsRequest, match="stays open"):
        advance(open_, step("close"))
    with pytest.raises(InvalidRightsRequest, match="proves it"):
        advance(open_, step("answer", notice=attrs.evolve(told, outcome="done")))
    with pytest.raises(InvalidRightsRequest, match="tell them first"):
        advance(open_, step("answer", notice=attrs.evolve(told, processor="other", outcome="nothing_held")))
    with pytest.raises(InvalidRightsRequest, match="told this already"):
        advance(open_, step("notify", notice=told))
    proven = attrs.evolve(told, outcome="done", proof_sha256=SHA)
    done = advance(open_, step("answer", AT + DAY, notice=proven))
    assert done.notices[0].answered_at == AT + DAY
    assert advance(done, step("close", AT + DAY)).state == "closed"


def test_time_never_runs_backwards() -> None:
    later = advance(request(), identity(AT + DAY))
    with pytest.raises(InvalidRightsRequest, match="earlier"):
        advance(later, step("accept"))


def test_what_is_settled_or_closed_takes_no_step() -> None:
    kinds: tuple[StepKind, ...] = ("stop_clock", "extend", "decide_item")
    for kind in kinds:
        with pytest.raises(InvalidRightsRequest, match="settled"):
            advance(ready("responded"), step(kind, reason="r", cause="identity"))
    beside: tuple[StepKind, ...] = ("identify", "notify", "resume_clock", "answer", "confirm_receipt")
    for kind in beside:
        with pytest.raises(InvalidRightsRequest, match="closed"):
            advance(ready("closed"), step(kind))
    with pytest.raises(InvalidRightsRequest, match="received once"):
        advance(ready("received"), step("receive"))


STEPS = st.lists(st.tuples(st.sampled_from(get_args(StepKind)), st.integers(0, 12)), max_size=25)


@given(STEPS)
def test_a_request_is_what_its_steps_make_of_it(tries: list[tuple[StepKind, int]]) -> None:
    draft = attrs.evolve(request(), id=None)
    taken, now = [step("receive", received=draft)], AT
    current = request()
    for kind, days in tries:
        now += days * DAY
        tried = step(
            kind,
            now,
            reason="r",
            sha256=SHA,
            cause="identity",
            evidence=IdentityEvidence(kind="logged_in", at=now),
            item=DecidedItem(item=str(days), decision="grant"),
            notice=Notice(processor=str(days % 2), what="x", told_at=now, outcome="nothing_held"),
        )
        try:
            current = advance(current, tried)
        except InvalidRightsRequest:
            continue
        taken.append(tried)
    assert replay(taken) == current


def test_a_request_without_receipt_is_none() -> None:
    with pytest.raises(InvalidRightsRequest, match="never received"):
        replay([])
    with pytest.raises(InvalidRightsRequest, match="its receipt"):
        replay([step("accept")])
