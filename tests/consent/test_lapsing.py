"""Consent that lapses, and what is between people and ends: on which day, and where."""

from __future__ import annotations

from datetime import date

import attrs
import pytest

from crmcore.consent.decision import decide
from crmcore.consent.facts import Relation
from crmcore.consent.lapsing import permits
from tests.consent.rows import asked, at, row, said

LAPSING = {
    "tz": "Australia/Sydney",
    "suppress": [{"list": "dncr_au", "since": "2025-01-01"}],
    "consents": [said("give", "2026-02-12T12:00:00+11:00", "voice")],
}
ONE = row("AU", "voice", "marketing", LAPSING, "2026-05-12T12:00:00+10:00")


def test_a_consent_whose_term_nobody_knows_is_asked_about_once_it_may_have_lapsed() -> None:
    found = asked(ONE, events=tuple(attrs.evolve(event, open_ended=None) for event in ONE.facts.events))
    assert (found.answer, "act.open_ended" in found.missing) == ("need_confirmation", True)


def test_a_consent_lapses_at_midnight_where_the_person_is() -> None:
    assert asked(ONE, at(ONE, "2026-05-11T12:00:00+10:00")).answer == "allow"
    late = at(ONE, "2026-05-11T23:30:00+10:00", hours="not_at_issue")
    assert asked(ONE, late).answer == "allow"
    assert asked(ONE, late, zones=("Pacific/Auckland",)).answer == "deny"
    assert asked(ONE, late, zones=("Pacific/Auckland", "Australia/Sydney")).answer == "need_confirmation"


def test_a_place_without_a_pack_has_the_permits_of_its_country() -> None:
    request = at(ONE, "2026-05-11T12:00:00+10:00")
    country, part = (decide(request, ONE.facts, jurisdictions=[place]) for place in ("AU", "AU-NSW"))
    assert permits(country) == permits(part) != ()


@pytest.mark.parametrize(
    ("ended", "kind", "expected"),
    [
        ("2024-05-13", "tax_exempt_nonprofit", "allow"),
        ("2024-05-11", "tax_exempt_nonprofit", "deny"),
        ("2024-05-13", None, "deny"),
    ],
)
def test_members_may_be_written_to_for_two_years_after_they_left(
    ended: str, kind: str | None, expected: str
) -> None:
    sender = {} if kind is None else {"sender_kind": kind}
    one = row("CA", "email", "marketing", sender, "2026-05-12T12:00:00-04:00")
    left = Relation(kind="membership", until=date.fromisoformat(ended))
    assert asked(one, relations=(left,)).answer == expected
