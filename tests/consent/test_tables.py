"""Tables of cases, written from the statutes: each is decided by the rule that the law has for it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from crmcore.consent.decision import decide
from crmcore.consent.pack_reading import shipped_laws
from crmcore.consent.vectors import Vector, read_vectors

FOLDER = Path(__file__).parent
TABLES = {"united_states": 700, "world": 1_600, "europe": 1_700, "strict": 1_000}
"""The tables, each with how many rows it has at least."""


def _disagrees(case: Vector) -> str:
    found = decide(
        case.request, case.facts, jurisdictions=[case.jurisdiction], policy=case.policy, trace=False
    )
    if (found.answer, found.rule or "no_permit") == (case.expected, case.rule):
        return ""
    return f"{case.id}: {case.expected} by {case.rule}, not {found.answer} by {found.rule}"


@pytest.mark.parametrize("table", TABLES)
def test_each_case_is_decided_by_the_rule_that_the_law_has_for_it(table: str) -> None:
    cases = list(read_vectors(FOLDER / f"{table}.csv"))

    assert len(cases) >= TABLES[table]
    assert [found for case in cases if (found := _disagrees(case))] == []


@pytest.mark.parametrize("table", TABLES)
def test_a_case_is_told_once_and_cites_the_law_as_its_rule_does(table: str) -> None:
    with (FOLDER / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    told = [
        tuple(row[key] for key in ("jurisdiction", "channel", "purpose", "facts", "at", "expected"))
        for row in rows
    ]
    assert len({row["id"] for row in rows}) == len({*told}) == len(rows)
    for row in rows:
        rule = shipped_laws().of(row["jurisdiction"]).by_id.get(row["deciding_rule"])
        assert row["citation"] == ("no permit" if rule is None else rule.cite), row["id"]
