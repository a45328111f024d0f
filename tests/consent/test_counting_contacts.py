"""How often somebody was contacted: by any channel that the rule is about, together."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent.decision import decide
from crmcore.consent.facts import Attempt, Facts
from crmcore.consent.pack_reading import Laws, read_pack, shipped_packs
from crmcore.consent.request import Request
from crmcore.consent.words import Channel
from tests.consent.rows import asked, row

PARIS = "2026-05-12T11:00:00+02:00"
MIAMI = "2026-05-12T14:00:00-04:00"
CALLED_BEFORE: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "FR": (
        "voice",
        {"subject": "consumer", "tz": "Europe/Paris", "public_holidays": []},
        PARIS,
        "fr.four_calls_a_month",
    ),
    "US-FL": ("voice", {"subject": "consumer", "tz": "America/New_York"}, MIAMI, "us_fl.three_a_day"),
}


@pytest.mark.parametrize(
    ("place", "before"),
    [
        ("FR", ["automated_call"] * 4),
        ("FR", ["voice", "voice", "automated_call", "automated_call"]),
        ("US-FL", ["voice", "voice", "sms"]),
        ("US-FL", ["sms"] * 3),
    ],
)
def test_calls_are_counted_however_they_were_made(place: str, before: list[Any]) -> None:
    channel, facts, moment, rule = CALLED_BEFORE[place]
    asking = row(place, channel, "marketing", facts, moment)
    hours = 2 if place == "US-FL" else 48
    sent = [
        Attempt(
            at=datetime.fromisoformat(moment) - timedelta(hours=hours * number),
            channel=one,
            same_subject=True,
        )
        for number, one in enumerate(before, 1)
    ]

    assert asked(asking, attempts=tuple(sent)).rule == rule
    assert asked(asking, attempts=tuple(sent[1:])).rule != rule


PACK = """
id = "xr"
jurisdiction = "XR"
name = "Ruritania"
version = "1"

[[rule]]
id = "xr.free"
stage = "permit"
effect = "permit"
text = "Everything is permitted."
cite = "Act 1"

[[rule]]
id = "xr.often"
stage = "cap"
effect = "deny"
channel = ["voice", "sms"]
text = "Nobody is called or texted a third time in a week."
cite = "Act 2"
when = { any = [{ not = { not = { tried = { times = 2, days = 7 } } } }] }
"""
LAWS = Laws({**shipped_packs(), "xr": read_pack(PACK)})
NOW = datetime.fromisoformat(PARIS)


@given(st.lists(st.sampled_from(["voice", "sms", "email", "automated_call", None]), max_size=4))
def test_a_cap_counts_the_channels_of_its_rule_and_no_others(before: list[Any]) -> None:
    sent = tuple(Attempt(at=NOW - timedelta(hours=1), channel=one) for one in before)
    often = sum(one in ("voice", "sms", None) for one in before) >= 2
    channels: tuple[Channel, ...] = ("voice", "sms")
    for channel in channels:
        request = Request(controller="acme", channel=channel, purpose="marketing", at=NOW, point="1")
        found = decide(request, Facts(attempts=sent), jurisdictions=["XR"], laws=LAWS)
        assert found.answer == ("deny" if often else "allow")
