"""The law of the United States, of California, Florida and Texas, on cases written from the statutes."""

from __future__ import annotations

from pathlib import Path

from crmcore.consent.decision import decide
from crmcore.consent.vectors import Vector, read_vectors

CASES = Path(__file__).parent / "united_states.csv"


def _disagrees(case: Vector) -> str:
    found = decide(case.request, case.facts, jurisdictions=[case.jurisdiction], policy=case.policy)
    if (found.answer, found.rule or "no_permit") == (case.expected, case.rule):
        return ""
    return f"{case.id}: {case.expected} by {case.rule}, not {found.answer} by {found.rule}"


def test_each_case_is_decided_by_the_rule_that_the_law_has_for_it() -> None:
    cases = list(read_vectors(CASES))

    assert len(cases) > 200
    assert [found for case in cases if (found := _disagrees(case))] == []
