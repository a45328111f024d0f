"""Single rows of a table of cases, for what no table can say."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import attrs

from crmcore.consent.decision import Decision, decide
from crmcore.consent.request import Request
from crmcore.consent.vectors import Vector, vector_of


def said(kind: str, at: str, *channels: str, **more: Any) -> dict[str, Any]:
    """An act as tables write it; about marketing, where nothing else is said."""
    more.setdefault("pu", ["marketing"])
    if kind == "give":
        more.setdefault("ev", "web_form_active")
    return {"act": kind, "t": at, "ch": list(channels), "to": "acme", **more}


def row(place: str, channel: str, purpose: str, facts: dict[str, Any], at: str) -> Vector:
    """The vector of a row that stands in no table."""
    columns = {
        "id": "1",
        "jurisdiction": place,
        "channel": channel,
        "purpose": purpose,
        "facts": json.dumps(facts),
        "at": at,
        "expected": "allow",
        "deciding_rule": "",
        "citation": "",
        "confidence": "high",
    }
    return vector_of(columns)


def asked(one: Vector, request: Request | None = None, **facts: Any) -> Decision:
    """What is decided of a row, about another *request* or with other *facts*."""
    return decide(
        request or one.request,
        attrs.evolve(one.facts, **facts),
        jurisdictions=[one.jurisdiction],
        policy=one.policy,
    )


def at(one: Vector, moment: str, **more: Any) -> Request:
    """The request of a row at another moment."""
    return attrs.evolve(one.request, at=datetime.fromisoformat(moment), **more)


GIVEN = {
    "CA": ("2026-02-01T01:00:00Z", "2026-05-12T12:00:00-04:00"),
    "AU": ("2026-04-01T01:00:00Z", "2026-05-12T12:00:00+10:00"),
    "NZ": ("2026-02-01T01:00:00Z", "2026-05-12T12:00:00+12:00"),
    "SG": ("2026-02-01T01:00:00Z", "2026-05-12T12:00:00+08:00"),
    "JP": ("2026-02-01T01:00:00Z", "2026-05-12T12:00:00+09:00"),
    "KR": ("2026-02-01T01:00:00Z", "2026-05-12T12:00:00+09:00"),
    "IN": ("2027-05-20T01:00:00Z", "2027-06-01T12:00:00+05:30"),
    "BR": ("2026-02-01T01:00:00Z", "2026-05-12T12:00:00-03:00"),
}
"""By country, when somebody said yes, and a noon of some weeks later."""
