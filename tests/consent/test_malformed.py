"""What is malformed is refused when it is told, in a sentence, and never taken for something that allows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest

from crmcore.consent.decision import decide
from crmcore.consent.event import ConsentEvent
from crmcore.consent.facts import Facts
from crmcore.consent.request import Request
from crmcore.errors import CrmError
from tests.consent.cases import NOW

ASKED = Request(controller="acme", channel="email", purpose="marketing", at=NOW)


def test_what_was_known_is_asked_of_an_instant_with_a_zone() -> None:
    with pytest.raises(CrmError, match="zone"):
        decide(ASKED, Facts(), jurisdictions=["EU"], known_at=datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("moment", [datetime.max, datetime.min, datetime(9999, 1, 2), datetime(1, 6, 1)])
def test_an_instant_at_the_ends_of_the_calendar_is_refused(moment: datetime) -> None:
    for here in (UTC, timezone(timedelta(hours=13))):
        with pytest.raises(CrmError, match="years"):
            attrs.evolve(ASKED, at=moment.replace(tzinfo=here))
        with pytest.raises(CrmError, match="years"):
            ConsentEvent(id="1", kind="give", occurred_at=moment.replace(tzinfo=here))


@pytest.mark.parametrize(
    "name",
    [
        "+99:99",
        "+24:00",
        "+02:60",
        "+02:00\n",
        "\u0660\u0661:00",
        "",
        None,
        5,
        ["UTC"],
        "/etc/passwd",
        "../x",
    ],
)
def test_what_is_no_zone_is_refused(name: Any) -> None:
    with pytest.raises(CrmError, match="zone"):
        Facts(zones=(name,))


@pytest.mark.parametrize("name", ["+14:00", "-12:00", "+05:45", "Europe/Berlin"])
def test_a_zone_is_a_name_or_an_offset(name: str) -> None:
    assert decide(ASKED, Facts(zones=(name,)), jurisdictions=["EU"]).answer == "deny"
