"""Consent in writing: a signature is, of anything else it has to be told."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from tests.consent.rows import asked, row, said

FACTS = {
    "subject": "consumer",
    "line": "mobile",
    "tz": "America/New_York",
    "dialer": "autodialer",
    "consents": [said("give", "2026-02-01T09:00:00Z", "sms", ev="paper_signed")],
}


@pytest.mark.parametrize(
    ("kind", "written", "answer"),
    [
        ("signed_paper", None, "allow"),
        ("e_signature", None, "allow"),
        ("signed_paper", False, "deny"),
        ("e_signature", False, "deny"),
        ("web_form", None, "need_confirmation"),
        ("web_form", True, "allow"),
        ("recorded_call", None, "need_confirmation"),
    ],
)
def test_what_is_signed_is_in_writing_unless_it_is_told_otherwise(
    kind: Any, written: bool | None, answer: str
) -> None:
    asking = row("US", "sms", "marketing", FACTS, "2026-05-12T14:00:00-04:00")
    (yes,) = asking.facts.events
    assert yes.evidence is not None
    evidence = attrs.evolve(yes.evidence, kind=kind, written=written)
    assert asked(asking, events=(attrs.evolve(yes, evidence=evidence),)).answer == answer
