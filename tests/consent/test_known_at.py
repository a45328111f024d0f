"""What was known at an instant is decided on as if nothing else had ever been told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent.decision import decide
from crmcore.consent.facts import Facts
from crmcore.consent.request import Request
from tests.consent.cases import facts, jurisdictions, moments, requests

WAITED = st.lists(st.none() | st.integers(0, 400).map(timedelta), min_size=5, max_size=5)
"""How long after an act it was recorded; None where nothing else is said: at once."""


def recorded(known: Facts, waited: Any) -> Facts:
    """*known*, of whose acts each was recorded so long after it was done."""
    return attrs.evolve(
        known,
        events=tuple(
            attrs.evolve(one, recorded_at=None if late is None else one.occurred_at + late)
            for one, late in zip(known.events, waited, strict=False)
        ),
    )


@given(requests, facts, jurisdictions, WAITED, moments)
def test_what_was_recorded_later_changes_nothing_of_what_was_known(
    request: Request, known: Facts, names: list[str], waited: Any, then: datetime
) -> None:
    told = recorded(known, waited)
    by_then = tuple(one for one in told.events if (one.recorded_at or one.occurred_at) <= then)
    found = decide(request, told, jurisdictions=names, known_at=then)
    assert found == decide(request, attrs.evolve(told, events=by_then), jurisdictions=names)


@given(requests, facts, jurisdictions, WAITED)
def test_once_all_is_recorded_it_is_known(
    request: Request, known: Facts, names: list[str], waited: Any
) -> None:
    told = recorded(known, waited)
    last = max([request.at, *(one.recorded_at or one.occurred_at for one in told.events)])
    assert decide(request, told, jurisdictions=names, known_at=last) == decide(
        request, told, jurisdictions=names
    )
