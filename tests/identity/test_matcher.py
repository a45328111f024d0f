"""A match explains itself when asked, and only then."""

from __future__ import annotations

from crmcore.identity.matcher import Match, Reason
from tests.identity.rows import ANN, compared, row


def test_a_match_shows_no_value_until_it_is_asked() -> None:
    match = compared(ANN, ANN)
    shown = f"{match!r} {match} {match.reasons!r}".lower()
    assert not any(value in shown for value in ("ann", "lee", "oak", "1985", "x.org"))
    explained = match.explain()
    assert "ann lee" in explained
    assert "1985-04-12" in explained


def test_an_explanation_has_a_line_for_every_field_with_its_points() -> None:
    match = compared(ANN, row(full_name="Ann Lee", birth_date="1985-04-13"))
    first, *lines = match.explain().splitlines()
    assert first.startswith(match.verdict)
    assert [reason.field for reason in match.reasons] == ["name", "birth date"]
    assert len(lines) == 2
    assert "birth date: typo (1985-04-12 / 1985-04-13)" in lines[1]


def test_the_points_of_the_reasons_are_the_score() -> None:
    match = compared(ANN, row(full_name="Bo Lee", birth_date="1985", city="York", email="bo@x.org"))
    assert sum(reason.points for reason in match.reasons) == match.score


def test_a_match_without_reasons_explains_that_there_is_nothing() -> None:
    assert Match("different", 0).explain() == "different, 0.0 bits"
    assert Reason("kind", "different", 0, False).detail == ""
