"""The time that a law gives for processing a No: for what that law is about, and for nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest

from crmcore.consent.decision import decide
from crmcore.consent.pack_reading import Laws, read_pack, shipped_packs
from crmcore.consent.vectors import Vector
from tests.consent.rows import row, said

PLACES = {
    "US": "2026-05-12T14:00:00-04:00",
    "US-CA": "2026-05-12T14:00:00-07:00",
    "CA": "2026-05-12T14:00:00-04:00",
    "AU": "2026-05-12T14:00:00+10:00",
    "NZ": "2026-05-12T14:00:00+12:00",
    "SG": "2026-05-12T14:00:00+08:00",
}
WAYS = [("email", one) for one in ("marketing", "service", "profiling", "third_party_sharing")]
WAYS += [("in_app", "third_party_sharing"), ("in_app", "profiling"), ("sms", "service")]


def asking(place: str, channel: str, purpose: str, *acts: dict[str, Any]) -> Vector:
    facts: dict[str, Any] = {
        "consents": [*acts],
        "policy": {"withdrawal_grace": "legal_max"},
        "recipient": "x",
        "public_holidays": [],
        "data": ["health"] if purpose == "profiling" else [],
    }
    return row(place, channel, purpose, facts, PLACES[place])


def history(channel: str, purpose: str, at: datetime) -> list[tuple[dict[str, Any], ...]]:
    """Nothing, a Yes, a No of today, of long ago, and one that exercises a right."""
    yes = said(
        "give", "2026-04-20T09:00:00Z", channel, pu=[purpose], recipients=["x"], explicit=True, ev="web_doi"
    )
    late, early = (
        said("withdraw", (at - timedelta(days=days)).isoformat(), channel, pu=[purpose]) for days in (1, 40)
    )
    right = said(
        "withdraw", (at - timedelta(days=1)).isoformat(), channel, pu=[purpose], right="limit_sensitive_pi"
    )
    return [(), (yes,), (late,), (early,), (yes, late), (right,), (yes, right)]


@pytest.mark.parametrize("place", PLACES)
def test_whether_anybody_asks_why_changes_nothing_within_a_grace(place: str) -> None:
    laws = Laws(shipped_packs())
    at = datetime.fromisoformat(PLACES[place])
    for channel, purpose in WAYS:
        told = [asking(place, channel, purpose, *acts) for acts in history(channel, purpose, at)]
        for one in [*told, *reversed(told)]:
            brief, whole = (
                decide(
                    one.request, one.facts, jurisdictions=[place], laws=laws, policy=one.policy, trace=trace
                )
                for trace in (False, True)
            )
            assert attrs.evolve(brief, trace=whole.trace, reasons=whole.reasons) == whole


HEAD = 'id = "xr"\njurisdiction = "XR"\nname = "Ruritania"\nversion = "1"\nincludes = ["xs"]\n'
BASE = """
id = "xs"
jurisdiction = "XS"
name = "The union that Ruritania is in"
version = "1"

[[grace]]
channel = "email"
days = 10
counting = "days"
cite = "Treaty 1"

[[rule]]
id = "xs.free"
stage = "permit"
effect = "permit"
text = "Everything is permitted."
cite = "Treaty 2"

[[rule]]
id = "xs.no"
stage = "no"
effect = "deny"
text = "The person said no."
cite = "Treaty 3"
when = { any = [{ no = "withdraw" }, { no = { kinds = "withdraw", right = "silence" } }] }
"""
GRACE = '[[grace]]\nchannel = "email"\ncounting = "days"\ncite = "Act 1"\n'


@pytest.mark.parametrize(
    ("grace", "purpose", "right", "days"),
    [
        ("", "marketing", None, 10),
        ("days = 3\n", "marketing", None, 3),
        ('days = 3\npurpose = "service"\n', "marketing", None, 10),
        ('days = 3\npurpose = "service"\n', "service", None, 3),
        ('days = 3\nright = "silence"\n', "marketing", None, 10),
        ('days = 3\nright = "silence"\n', "marketing", "silence", 3),
        ("days = 3\n", "marketing", "silence", 0),
        ('days = 0\npurpose = ["marketing"]\n', "marketing", None, 0),
    ],
)
def test_the_time_of_a_pack_stands_before_that_of_those_that_it_includes(
    grace: str, purpose: str, right: str | None, days: int
) -> None:
    text = HEAD + (GRACE + grace if grace else "")
    laws = Laws({**shipped_packs(), "xr": read_pack(text), "xs": read_pack(BASE)})
    no = said("withdraw", "2026-05-01T12:00:00Z", "email", pu=[purpose], right=right)
    facts = {"consents": [no], "tz": "UTC", "policy": {"withdrawal_grace": "legal_max"}}
    answers = []
    for at in range(15):
        moment = datetime.fromisoformat("2026-05-01T00:00:00+00:00") + timedelta(
            days=at, hours=0 if at else 12
        )
        asked = row("XR", "email", purpose, facts, moment.isoformat())
        answers.append(
            decide(asked.request, asked.facts, jurisdictions=["XR"], laws=laws, policy=asked.policy).answer
        )
    assert answers == ["allow"] * days + ["deny"] * (15 - days)
