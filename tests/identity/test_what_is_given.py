"""What is given to `dedupe` and `dedupe_table` beside the records is refused in a sentence where it cannot be meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crmcore.errors import InvalidJudgement
from crmcore.identity import dedupe, dedupe_table
from crmcore.identity.features import features_of_row

ROWS = [{"full_name": name, "phone": "+44 20 7946 0018"} for name in ("Ann Lee", "Jane Lee", "Bo Hill")]


def of_records(**given: Any) -> Any:
    return dedupe([features_of_row(row) for row in ROWS], **given)


def of_table(**given: Any) -> Any:
    return dedupe_table(ROWS, **given)


WAYS = pytest.mark.parametrize("group", [of_records, of_table])

WRONG: list[dict[str, Any]] = [
    {"apart": None},
    {"apart": 5},
    {"apart": [0]},
    {"apart": [(0,)]},
    {"apart": [(0, 1, 2)]},
    {"apart": ["01"]},
    {"apart": [(0, 3)]},
    {"apart": [(1, 1)]},
    {"together": None},
    {"together": [None]},
    {"together": [("a", "b")]},
    {"together": [(0.0, 1.0)]},
    {"together": [(True, 0)]},
    {"together": [(-1, 0)]},
    {"together": [([0], 1)]},
    {"excluded": [1]},
    {"excluded": {1}},
    {"excluded": 1},
    {"excluded": {"a": "x"}},
    {"excluded": {1.0: "x"}},
    {"excluded": {9: "x"}},
    {"excluded": {1: None}},
    {"sources": 5},
    {"sources": ["a"]},
    {"sources": ["a", "b", ["c"]]},
]


@WAYS
@pytest.mark.parametrize("given", WRONG, ids=str)
def test_what_names_no_records_is_refused_in_a_sentence(
    group: Callable[..., Any], given: dict[str, Any]
) -> None:
    with pytest.raises(InvalidJudgement) as caught:
        group(**given)
    assert ": " in str(caught.value)  # what to do follows


@WAYS
def test_pairs_may_come_one_by_one_and_positions_be_any_whole_numbers(group: Callable[..., Any]) -> None:
    import numpy as np

    found = group(together=([at, 1] for at in (0,)), apart=np.array([[0, 2]]), excluded={np.int64(2): "x"})
    assert found.labels == (0, 0, 1)
    assert dict(found.excluded) == {2: "x"}
