"""What was between the person and us permits from the day on which it began to the day on which it ended."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from crmcore.consent.facts import Relation
from tests.consent.rows import GIVEN, asked, at, row

BUYER = {"rel": {"address_source": "sale", "optout_offered_at_collection": True, "similar": True}}
NOON = "2026-05-12T12:00:00+02:00"


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ({}, "allow"),
        ({"on": date(2026, 5, 12)}, "allow"),
        ({"on": date(2026, 5, 13)}, "deny"),
        ({"on": date(2027, 1, 1)}, "deny"),
        ({"until": date(2026, 5, 12)}, "allow"),
        ({"until": date(2026, 5, 11)}, "deny"),
        ({"until": date(2015, 1, 1), "active": True}, "deny"),
        ({"active": False}, "deny"),
    ],
)
def test_a_relation_permits_while_it_lasts(span: dict[str, Any], expected: str) -> None:
    one = row("EU", "email", "marketing", BUYER, NOON)
    assert asked(one, relations=(Relation(kind="purchase", **span),)).answer == expected


@pytest.mark.parametrize("place", ["CA", "JP"])
@pytest.mark.parametrize("span", [{"until": date(2015, 1, 1), "active": True}, {"on": date(2027, 1, 1)}])
def test_what_ended_or_has_not_begun_is_between_nobody(place: str, span: dict[str, Any]) -> None:
    kind: Any = {"CA": "ongoing", "JP": "order"}[place]
    one = row(place, "email", "marketing", {}, GIVEN[place][1])
    assert asked(one, relations=(Relation(kind=kind, **span),)).answer == "deny"
    assert asked(one, relations=(Relation(kind=kind),)).answer == "allow"


def test_a_contract_that_has_not_begun_does_not_count_by_its_end() -> None:
    one = row("CA", "email", "marketing", {}, GIVEN["CA"][1])
    coming = Relation(kind="contract", on=date(2026, 6, 1), until=date(2026, 8, 1), written=True)
    found = asked(one, relations=(coming,))
    assert (found.answer, found.expires_at) == ("deny", datetime(2026, 6, 1, 4, tzinfo=UTC))
    ended = Relation(kind="contract", active=True, until=date(2015, 8, 1), written=True)
    assert asked(one, relations=(ended,)).answer == "deny"


def test_an_answer_by_a_relation_ends_with_it() -> None:
    one = row("EU", "email", "marketing", BUYER, NOON)
    lasting = Relation(kind="purchase", on=date(2026, 5, 14), until=date(2026, 5, 20))
    for moment, answer, end in (
        (NOON, "deny", datetime(2026, 5, 13, 22, tzinfo=UTC)),
        ("2026-05-14T00:00:00+02:00", "allow", datetime(2026, 5, 20, 22, tzinfo=UTC)),
        ("2026-05-21T00:00:00+02:00", "deny", None),
    ):
        found = asked(one, at(one, moment), relations=(lasting,))
        assert (found.answer, found.expires_at) == (answer, end)


def test_a_relation_that_ended_in_one_zone_alone_is_to_be_found_out() -> None:
    one = row("EU", "email", "marketing", BUYER, NOON)
    ending = Relation(kind="purchase", until=date(2026, 5, 12))
    found = asked(
        one,
        at(one, "2026-05-12T22:30:00+00:00"),
        relations=(ending,),
        zones=("Europe/Berlin", "Europe/London"),
    )
    assert (found.answer, found.missing) == ("need_confirmation", ("facts.zones",))
