"""What holds of every decision, whatever is asked and known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
from hypothesis import example, given
from hypothesis import strategies as st

from crmcore.consent.decision import decide
from crmcore.consent.facts import Facts, Subject
from crmcore.consent.request import Message, Request
from tests.consent.cases import RULED, facts, jurisdictions, newsletters, requests, settled
from tests.consent.nearly import asked_for, known

FORGOTTEN: dict[str, Any] = {"checks": (), "zones": (), "holidays": None}
RANK = {"deny": 0, "need_confirmation": 1, "allow": 2}


@given(requests, facts, jurisdictions)
def test_who_may_be_contacted_may_be_by_a_permit_that_is_named(
    request: Request, known: Facts, names: list[str]
) -> None:
    decision = decide(request, known, jurisdictions=names)
    fired = {(hit.jurisdiction, hit.effect) for hit in decision.trace if hit.status == "fired"}
    if decision.answer == "allow":
        assert {jurisdiction for jurisdiction, effect in fired if effect == "permit"} == set(names)
        assert not [
            hit for hit in decision.trace if hit.effect == "deny" and hit.status in ("fired", "unknown")
        ]
    if decision.answer == "need_confirmation":
        assert decision.missing


@given(requests, facts, jurisdictions)
def test_all_jurisdictions_must_allow(request: Request, known: Facts, names: list[str]) -> None:
    each = [decide(request, known, jurisdictions=[name]).answer for name in names]
    together = decide(request, known, jurisdictions=names)
    assert together.answer == min(each, key=lambda answer: RANK[answer])


@given(requests, facts, jurisdictions)
def test_a_decision_is_the_same_whether_or_not_its_reasons_are_asked_for(
    request: Request, known: Facts, names: list[str]
) -> None:
    asked, unasked = (decide(request, known, jurisdictions=names, trace=trace) for trace in (True, False))
    assert unasked.trace == ()
    assert attrs.evolve(unasked, trace=asked.trace, reasons=asked.reasons) == asked


@given(requests, facts, jurisdictions, st.data())
def test_an_answer_stays_until_it_expires(
    request: Request, known: Facts, names: list[str], data: Any
) -> None:
    decision = decide(request, known, jurisdictions=names)
    end = decision.expires_at or request.at + timedelta(days=400)
    assert end > request.at
    length = (end - request.at) // timedelta(microseconds=1)
    later = request.at + timedelta(microseconds=data.draw(st.integers(0, length - 1) | st.just(length - 1)))
    again = decide(attrs.evolve(request, at=later), known, jurisdictions=names)
    assert (again.answer, again.rule) == (decision.answer, decision.rule)


@given(newsletters, settled, st.lists(st.sampled_from(RULED), min_size=1, max_size=2, unique=True))
def test_from_the_instant_named_a_denied_contact_is_no_longer_denied(
    request: Request, known: Facts, names: list[str]
) -> None:
    decision = decide(request, known, jurisdictions=names)
    if decision.retry_at is not None:
        assert decision.answer == "deny"
        assert (
            decide(attrs.evolve(request, at=decision.retry_at), known, jurisdictions=names).answer != "deny"
        )
        before = decision.retry_at - timedelta(microseconds=1)
        assert (
            before < request.at
            or decide(attrs.evolve(request, at=before), known, jurisdictions=names).answer == "deny"
        )


IN_THE_NIGHT = datetime(2026, 8, 11, 3, tzinfo=UTC)
"""In New York it is eleven in the evening."""


@given(requests, facts, jurisdictions, st.sets(st.sampled_from(list(FORGOTTEN)), min_size=1))
@example(
    asked_for("voice", "marketing", IN_THE_NIGHT),
    attrs.evolve(known("voice", "marketing", IN_THE_NIGHT), zones=("America/New_York",)),
    ["US"],
    {"zones"},
)
def test_what_is_not_known_never_helps(
    request: Request, known: Facts, names: list[str], forgotten: set[str]
) -> None:
    """Forgetting what the registers said, the zones or the holidays never makes an answer freer."""
    poorer = attrs.evolve(known, **{name: FORGOTTEN[name] for name in forgotten})
    freer = decide(request, poorer, jurisdictions=names).answer
    if freer == "allow":
        assert decide(request, known, jurisdictions=names).answer == "allow"


@given(requests, facts, jurisdictions)
def test_the_order_in_which_acts_are_told_means_nothing(
    request: Request, known: Facts, names: list[str]
) -> None:
    turned = attrs.evolve(known, events=tuple(reversed(known.events)))
    assert (
        decide(request, turned, jurisdictions=names).answer
        == decide(request, known, jurisdictions=names).answer
    )


def test_what_another_law_says_next_changes_nothing_of_a_no() -> None:
    """In France calls need consent from the next day on; the letter of the Union needs it all the time."""
    request = Request(
        controller="acme",
        channel="voice",
        purpose="marketing",
        at=datetime(2026, 8, 10, 12, tzinfo=UTC),
        message=Message(kind="other", promotion=True),
    )
    known = Facts(subject=Subject(kind="consumer", adult=True), zones=("Europe/Paris",))
    both, alone = (decide(request, known, jurisdictions=names) for names in (["EU", "FR"], ["EU"]))
    assert alone.answer == "deny"
    assert attrs.evolve(both, packs=(), trace=()) == attrs.evolve(alone, packs=(), trace=())
