"""A use of data that is not told is none of those that a person agreed to, and may be one that they objected to."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from crmcore.consent.event import Scope
from crmcore.consent.request import Use
from tests.consent.rows import asked, row, said

NOON = "2026-05-12T10:00:00+02:00"


def given(purpose: str, **more: Any) -> dict[str, Any]:
    return said("give", "2026-02-01T09:00:00Z", "in_app", pu=[purpose], **more)


@pytest.mark.parametrize(("place", "confirmed"), [("EU", False), ("AU", False), ("AU", True)])
@pytest.mark.parametrize(
    ("recipient", "expected"), [("gamma", "allow"), ("delta", "deny"), (None, "need_confirmation")]
)
def test_a_recipient_that_is_not_told_is_not_the_one_that_was_named(
    recipient: str | None, expected: str, place: str, confirmed: bool
) -> None:
    yes = given("third_party_sharing", recipients=["gamma"])
    one = row(place, "in_app", "third_party_sharing", {"consents": [yes]}, NOON)
    if confirmed:  # what a bare confirmation is about stands in its request
        request = attrs.evolve(one.facts.events[0], id="ask", kind="request")
        answer = attrs.evolve(request, id="yes", kind="confirm", scope=Scope(controller="acme"))
        one = attrs.evolve(one, facts=attrs.evolve(one.facts, events=(request, answer)))
    used = attrs.evolve(one.request, use=attrs.evolve(one.request.use, recipient=recipient))
    found = asked(one, used)
    assert (found.answer, found.missing) == (expected, () if recipient else ("use.recipient",))


@pytest.mark.parametrize("no", ["direct_marketing", "profiling_for_direct_marketing"])
@pytest.mark.parametrize(
    ("aim", "expected"), [("direct_marketing", "deny"), ("other", "allow"), (None, "need_confirmation")]
)
@pytest.mark.parametrize("acts", [[], [given("profiling")]])
def test_an_aim_that_is_not_told_may_be_the_one_that_was_objected_to(
    no: str, aim: Any, expected: str, acts: list[Any]
) -> None:
    objected = {"act": "object", "t": "2026-04-01T08:00:00Z", "scope": no}
    one = row("EU", "in_app", "profiling", {"consents": [*acts, objected]}, NOON)
    found = asked(one, attrs.evolve(one.request, use=Use(aim=aim, data=(), solely_automated=False)))
    assert (found.answer, found.missing) == (expected, () if aim else ("use.aim",))
