"""What a decision costs grows with the number of acts, and no faster."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import pytest

from crmcore.consent.decision import decide
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Facts, Subject
from crmcore.consent.request import Request
from tests.consent.cases import NOW

REQUEST = Request(controller="acme", channel="email", purpose="marketing", at=NOW, offered_to_children=False)
YES = Evidence(kind="double_opt_in", condition_of_contract=False)
POOR = Evidence(kind="silence")


def history(acts: str, size: int) -> Facts:
    """*acts* again and again: y is a yes, p one without proof, n a no."""
    events = tuple(
        ConsentEvent(
            id=str(number),
            kind="withdraw" if acts[number % len(acts)] == "n" else "give",
            occurred_at=NOW - timedelta(minutes=size - number),
            scope=Scope(controller="acme", channels={"email"}, purposes={"marketing"}),
            evidence={"y": YES, "p": POOR}.get(acts[number % len(acts)]),
        )
        for number in range(size)
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


@pytest.mark.parametrize("acts", ["ny", "yn", "n", "p", "pn", "np", "nnyp", "y"])
def test_twice_as_many_acts_cost_twice_as_much_at_most(acts: str) -> None:
    assert calls(history(acts, 480)) <= 2.1 * calls(history(acts, 240))
