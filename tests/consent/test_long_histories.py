"""What a decision costs grows with the number of acts, and no faster."""

from __future__ import annotations

import gc
import sys
from datetime import timedelta
from typing import Any

import attrs
import pytest

from crmcore.consent.case import Case
from crmcore.consent.decision import decide
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Facts, Subject
from crmcore.consent.request import Request
from crmcore.values.frozen_map import FrozenMap
from tests.consent.cases import NOW

REQUEST = Request(controller="acme", channel="email", purpose="marketing", at=NOW, offered_to_children=False)
YES = Evidence(kind="double_opt_in", condition_of_contract=False)
POOR = Evidence(kind="silence")


def history(acts: str, size: int, no_by: str | None = None) -> Facts:
    """*acts* again and again, in capitals each of them many times in a row: y is a yes, p one without proof, n a no.

    The Noes stand under the record *no_by*, all else under none.
    """
    told = (
        acts * (size // len(acts)) if acts.islower() else "".join(one * (size // len(acts)) for one in acts)
    )
    told = told.lower()
    events = tuple(
        ConsentEvent(
            id=str(number),
            kind="withdraw" if one == "n" else "give",
            occurred_at=NOW - timedelta(minutes=size - number),
            scope=Scope(controller="acme", channels={"email"}, purposes={"marketing"}),
            record=no_by if one == "n" else None,
            evidence={"y": YES, "p": POOR}.get(one),
        )
        for number, one in enumerate(told)
    )
    return Facts(events=events, subject=Subject(adult=True))


def calls(known: Facts) -> int:
    """How many functions are called for a decision."""
    decide(REQUEST, known, jurisdictions=["DE"])
    count = 0

    def counted(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        decide(REQUEST, known, jurisdictions=["DE"])
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "acts", ["ny", "yn", "n", "p", "pn", "np", "nnyp", "y", "NP", "PN", "YN", "NY", "NPN"]
)
def test_twice_as_many_acts_cost_twice_as_much_at_most(acts: str) -> None:
    assert calls(history(acts, 480)) <= 2.1 * calls(history(acts, 240))


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("acts", ["yn", "ny", "pn", "np", "nnyp", "PN", "NPN"])
def test_so_do_acts_of_two_records(acts: str, joined: bool) -> None:
    since = FrozenMap({"b": NOW - timedelta(days=9)} if joined else {})
    few, many = (attrs.evolve(history(acts, size, "b"), joined=since) for size in (240, 480))
    assert calls(many) <= 2.1 * calls(few)


@pytest.mark.parametrize("acts", ["p", "n"])
def test_a_long_history_is_explained_in_few_words(acts: str) -> None:
    decision = decide(REQUEST, history(acts, 2_000), jurisdictions=["DE"])
    assert decision.answer == "deny"
    assert "and 1,995 earlier" in decision.explain() + "".join(hit.why for hit in decision.trace)
    assert len(decision.explain()) < 5_000
    assert all(len(hit.why) < 2_000 for hit in decision.trace)


def restrictions(size: int, *, apart: bool) -> Facts:
    """A Yes, and restrictions that lifts end: each one that is its own if they are *apart*, else any."""
    given = history("y", 1).events[0]

    def act(kind: Any, number: int) -> ConsentEvent:
        return attrs.evolve(
            given,
            id=f"{kind}{number}",
            kind=kind,
            occurred_at=NOW - timedelta(minutes=2 * size - 2 * number - (kind == "lift")),
            via=f"request:{number}" if apart else None,
            evidence=None,
        )

    first = attrs.evolve(given, occurred_at=NOW - timedelta(days=90))
    acts = [act(kind, number) for number in range(size) for kind in ("restrict", "lift")]
    return Facts(
        events=(first, *acts[:-1], attrs.evolve(acts[-1], occurred_at=NOW)), subject=Subject(adult=True)
    )


@pytest.mark.parametrize("apart", [False, True])
def test_so_do_restrictions_each_of_which_was_lifted(apart: bool) -> None:
    few, many = (restrictions(size, apart=apart) for size in (120, 240))
    lacking = attrs.evolve(many, events=many.events[:-1])
    answers = [decide(REQUEST, one, jurisdictions=["DE"]).answer for one in (many, lacking)]
    assert answers == [decide(REQUEST, history("y", 1), jurisdictions=["DE"]).answer, "deny"]
    assert calls(many) <= 2.1 * calls(few)


@pytest.mark.parametrize("trace", [True, False])
@pytest.mark.parametrize("acts", ["ynny", "ynyn", "p"])
def test_a_decision_leaves_nothing_to_the_garbage_collector(acts: str, trace: bool) -> None:
    """Whoever asks of a million people would else wait for it every so often."""
    known, at_night = history(acts, 8), attrs.evolve(REQUEST, channel="voice")
    gc.collect()
    gc.disable()
    try:
        for request in (REQUEST, at_night):
            decide(request, known, jurisdictions=["DE", "US-TX"], trace=trace)
        left = [one for one in gc.get_objects() if isinstance(one, Case)]
    finally:
        gc.enable()
    assert left == []
