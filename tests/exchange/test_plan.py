from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.errors import InvalidDocument, InvalidMapping, UnreadableFile
from crmcore.exchange.decide import SeenRecords, decide
from crmcore.exchange.plan import PLAN, ImportPlan, RowOutcome
from crmcore.exchange.prepare import PlanMaker
from tests.exchange.files import PEOPLE, TODAY, prepared

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def planned(folder: Path, content: str | bytes, **options: Any) -> ImportPlan:
    """The plan for a store that holds nothing yet."""
    ready = prepared(folder, content, **options)
    maker, seen = PlanMaker(ready), SeenRecords()
    for read in ready.reads(as_of=TODAY):
        verdict = seen.verdict(read)
        maker.add(read, verdict if verdict is not None else decide(read, None))  # type: ignore[arg-type]  # facts have no quick verdict
    return maker.plan(at=NOW)


def test_a_plan_says_what_would_happen(tmp_path: Path) -> None:
    content = (
        "Id,True Id,Firm,First name,Last name,Employer,Filed on,Phone,Email Address,Shoe size,Email consent\n"
        "1,9,Oak LLP,Ann,Lee,Rye Ltd,2019-10-15,2262649,01/31/13,42,yes\n"
        "2,9,Elm LLP,Bo,Ek,Oak AB,2019-10-16,7.73E+016,02/28/13,,no\n"
        "2,9,Elm LLP,Bo,Ek,Oak AB,2019-10-16,7.73E+016,02/28/13,,no\n"
        "3,8,,,,,,,,40,\n"
        "4,8,Oak LLP,Jörn\n"
    )
    plan = planned(
        tmp_path, content, id_column="Id", source_column="Firm", columns=(("Employer", "employer"),)
    )
    assert plan.text() == "\n".join(
        [
            'people.csv   utf-8, comma, 5 rows, 2 sources ("Firm"), id "Id", "True Id" not used',
            '= "First name" given_name, "Last name" family_name, "Employer" employer, "Phone" phone',
            '= kept as they are: "Filed on", "Email Address", "Shoe size", "Email consent"',
            '? "Employer" looks like organizations: employment',
            '? "Filed on" looks like dates: interaction',
            '! "Email Address" holds dates (3 of 3): not mapped',
            '! "Email consent" speaks of consent: not mapped, kept; consent is imported on its own, with its evidence',
            "! 2 phones ruined by a spreadsheet (7.73E+016): raw kept",
            '? 1 phone in "Phone" without a country: raw kept; say where they are dialled with --region',
            "! 1 row rejected (no_designation): nothing in the row designates anybody: "
            "give a name, an e-mail address or a telephone number",
            "! 1 row rejected (too_few_cells): the row has fewer cells than the header: "
            "look for a missing delimiter or a line end too many",
            '  to say yes: --map "Filed on=contact_date"',
            "in 5 = created 2 + skipped 1 + rejected 2",
        ]
    )


def test_text_in_a_wrong_encoding_is_told_and_kept(tmp_path: Path) -> None:
    plan = planned(tmp_path, "name,town\nAnn Lee,MÃ¼nchen\nBo Ek,KrakÃ³w\nCy Day,Göteborg\n")
    assert [notice.line for notice in plan.notices] == [
        '! 2 cells with text in a wrong encoding (2 in "town"): kept as written, not repaired'
    ]
    assert plan.counts["created"] == 3


def test_a_header_without_rows_is_a_plan_that_says_so(tmp_path: Path) -> None:
    plan = planned(tmp_path, "name,email\n")
    assert (plan.rows_in, plan.changes_nothing) == (0, True)
    assert plan.text().splitlines()[-2:] == [
        "! the file has a header but no rows: nothing to import",
        "in 0 = created 0 + rejected 0",
    ]


def test_a_file_whose_only_row_is_rejected_has_a_row(tmp_path: Path) -> None:
    plan = planned(tmp_path, "name,email\nAnn\0,ann@x.org\n")
    assert [notice.code for notice in plan.notices] == ["nul"]
    assert [notice.code for notice in planned(tmp_path, "name,email\n,\n").notices] == ["no_rows"]


def test_planning_twice_gives_the_same_plan(tmp_path: Path) -> None:
    assert planned(tmp_path, PEOPLE).digest == planned(tmp_path, PEOPLE).digest


def test_a_plan_is_stored_as_json_and_read_back(tmp_path: Path) -> None:
    plan = planned(tmp_path, PEOPLE + "x\n", columns=(("Town", "city"),), id_column="Id")
    again = PLAN.load(PLAN.dump(plan))
    assert (again, again.digest, again.text()) == (plan, plan.digest, plan.text())


def test_a_plan_that_does_not_add_up_cannot_be_made(tmp_path: Path) -> None:
    plan = planned(tmp_path, PEOPLE)
    with pytest.raises(InvalidDocument, match="does not add up"):
        attrs.evolve(plan, outcomes=plan.outcomes[1:])
    with pytest.raises(InvalidDocument):
        PLAN.load({**PLAN.dump(plan), "outcomes": [{"number": 2, "outcome": "lost"}] * 3})


def test_a_plan_shows_nothing_of_the_rows(tmp_path: Path) -> None:
    assert "Lee" not in repr(planned(tmp_path, PEOPLE)) + planned(tmp_path, PEOPLE).text()


CELL = st.sampled_from(
    ["", " ", "1", "2", "Ann Lee", "ann@x.org", "x", '"', "\0", "=cmd()", "2019-10-15", "a,b", '"a\nb"']
)
LINE = st.lists(CELL, min_size=0, max_size=5).map(",".join)


@given(st.lists(LINE, max_size=8), st.booleans())
def test_every_row_that_goes_in_comes_out_once(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], by_id: bool
) -> None:
    content = "id,name,email,when\n" + "\n".join(lines)
    options: dict[str, Any] = {"id_column": "id"} if by_id else {}
    try:
        plan = planned(tmp_path_factory.getbasetemp(), content, **options)
    except (InvalidMapping, UnreadableFile):
        return
    assert plan.rows_in == sum(plan.counts.values()) == len(plan.outcomes)
    assert len({row.number for row in plan.outcomes}) == plan.rows_in
    again = planned(tmp_path_factory.getbasetemp(), content, **options)
    assert again == plan


def test_an_outcome_is_short_as_json() -> None:
    from crmcore.serde import dump

    assert dump(RowOutcome(number=2, outcome="created")) == {"number": 2, "outcome": "created"}
