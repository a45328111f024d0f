"""What a No needs to be taken back: what ends one kind of No ends no other, and nobody else takes it back."""

from __future__ import annotations

import pytest

from crmcore.consent.words import ActKind
from tests.consent.rows import asked, row, said

NOON = "2026-05-12T10:00:00+02:00"
GIVEN = said("give", "2026-02-01T09:00:00Z", "email", ev="web_doi")
WITHDRAWN = said("withdraw", "2026-03-01T09:00:00Z", "email")


@pytest.mark.parametrize("no", ["refuse", "withdraw", "object", "invalidate"])
def test_a_lift_ends_a_restriction_and_no_other_no(no: ActKind) -> None:
    objected = said(no, "2026-03-05T09:00:00Z", "post", pu=["direct_marketing"])
    restricted = said("restrict", "2026-03-10T09:00:00Z", "post")
    lifted = said("lift", "2026-04-01T09:00:00Z", "post")
    for acts, expected in (([objected, restricted, lifted], "deny"), ([restricted, lifted], "allow")):
        one = row("EU", "post", "marketing", {"consents": acts}, NOON)
        assert asked(one).answer == expected


@pytest.mark.parametrize(
    ("place", "right", "expected"),
    [
        ("EU", "art21", "deny"),
        ("EU", "limit_sensitive_pi", "deny"),
        ("US-CA", "ccpa_1798_120", "deny"),
        ("US-CA", "limit_sensitive_pi", "allow"),
    ],
)
def test_a_right_that_the_law_has_no_rule_for_is_a_plain_no(place: str, right: str, expected: str) -> None:
    no = said("object", "2026-03-01T09:00:00Z", "email", right=right)
    assert asked(row(place, "email", "marketing", {"consents": [GIVEN, no]}, NOON)).answer == expected
