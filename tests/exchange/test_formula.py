from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.exchange.formula import disarmed, restored


@given(st.text(st.sampled_from("'=+-@\t\ra"), max_size=6) | st.text(max_size=6))
def test_disarming_is_undone_exactly(cell: str) -> None:
    assert restored(disarmed(cell)) == cell


@given(st.text(st.sampled_from("'=+-@\t\ra"), max_size=6))
def test_nothing_disarmed_begins_a_formula(cell: str) -> None:
    assert disarmed(cell)[:1] not in {"=", "+", "-", "@", "\t", "\r"}


@pytest.mark.parametrize("cell", ["Ann", "", "a=b", "2026-01-01", "ann@x.org", "'tis"])
def test_what_begins_no_formula_is_left_alone(cell: str) -> None:
    assert disarmed(cell) == cell == restored(cell)
