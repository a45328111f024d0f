"""Counting time as laws do."""

from __future__ import annotations

from datetime import date

import pytest

from crmcore.consent.counting import Span, last_day


@pytest.mark.parametrize(
    ("counting", "end"),
    [
        ("calendar_months", "2026-08-31"),
        ("interpretation_act_s28", "2026-08-31"),
        ("civil_months", "2026-08-28"),
        ("months_beginning_on", "2026-08-27"),
    ],
)
def test_months_are_counted_as_each_law_says(counting: str, end: str) -> None:
    assert last_day(Span.parse("P6M"), date(2026, 2, 28), counting).isoformat() == end
