from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.errors import PlanStale, UnreadableFile
from crmcore.exchange.mapping import ImportOptions
from crmcore.exchange.prepare import prepare
from crmcore.exchange.reading import Table
from crmcore.exchange.rejected import write_rejected
from tests.exchange.files import TODAY
from tests.exchange.test_plan import planned


def lines_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_rejected_rows_are_written_with_their_cells_and_the_reason(tmp_path: Path) -> None:
    plan = planned(tmp_path, 'name;town\nAnn Lee;York\n;"Oslo\nSentrum"\nBo\nCy;Day;!\n"x"y;z\nDi\0;Fox\n')
    out = tmp_path / "rejected.csv"
    assert write_rejected(plan, out) == 5
    text = out.read_bytes().decode("utf-8-sig")
    assert text.splitlines()[0] == "_row;_code;_field;_message;name;town"
    with out.open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.reader(file, delimiter=";"))
    assert [(row[0], row[1], row[2], row[4:]) for row in found[1:]] == [
        ("3", "no_designation", "", ["", "Oslo\nSentrum"]),
        ("4", "too_few_cells", "", ["Bo"]),
        ("5", "too_many_cells", "", ["Cy", "Day", "!"]),
        ("6", "stray_quote", "", ['"x"y;z']),
        ("7", "nul", "name", ["Di\0", "Fox"]),
    ]
    assert all(row[3] for row in found)


def test_no_rejected_row_makes_no_file(tmp_path: Path) -> None:
    out = tmp_path / "rejected.csv"
    assert write_rejected(planned(tmp_path, "name\nAnn Lee\n"), out) == 0
    assert not out.exists()


def test_a_file_of_rejected_rows_is_rejected_again_row_by_row(tmp_path: Path) -> None:
    content = 'name,town,note\n,York,=cmd()\nBo\nCy,Day,!,+46\n"x"y,z,w\n'
    first = planned(tmp_path, content)
    out = tmp_path / "rejected.csv"
    write_rejected(first, out)
    table = Table.open(out)
    assert (table.columns, table.returned) == (("name", "town", "note"), True)
    before = [row.cells for row in Table.open(tmp_path / "people.csv").rows()]
    assert [row.cells for row in table.rows()] == before
    again = prepare(out, ImportOptions(columns=(("name", "full_name"),))).reads(as_of=TODAY)
    codes = [getattr(read, "code", None) for read in again]
    assert codes[:3] == ["no_designation", "too_few_cells", "too_many_cells"]


def test_a_corrected_file_is_imported_with_its_formulas_and_phones_as_they_were(tmp_path: Path) -> None:
    plan = planned(tmp_path, "name,phone,note\n,,=cmd|' /C calc'!A0\n,,'tis\n,,''=x\n")
    out = tmp_path / "rejected.csv"
    write_rejected(plan, out)
    rows = lines_of(out)
    assert [row[6] for row in rows[1:]] == ["'=cmd|' /C calc'!A0", "'tis", "'''=x"]
    for row, phone in zip(rows[1:], ["'+46812345678", "+46812345679", "+46812345670"], strict=True):
        row[4], row[5] = "Ann Lee", phone
    with out.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    found = list(prepare(out, ImportOptions()).reads(as_of=TODAY))
    assert [read.party.extras["note"] for read in found] == ["=cmd|' /C calc'!A0", "'tis", "''=x"]  # type: ignore[union-attr]  # all have facts
    assert [read.party.phones[0].key for read in found] == ["+46812345678", "+46812345679", "+46812345670"]  # type: ignore[union-attr]  # all have facts


def test_a_changed_original_is_noticed(tmp_path: Path) -> None:
    plan = planned(tmp_path, "name,town\n,York\n")
    (tmp_path / "people.csv").write_text("name,town\n,Oslo\n", encoding="utf-8")
    with pytest.raises(PlanStale):
        write_rejected(plan, tmp_path / "rejected.csv")


def test_the_original_is_never_overwritten(tmp_path: Path) -> None:
    plan = planned(tmp_path, "name,town\n,York\n")
    with pytest.raises(UnreadableFile, match="name another one"):
        write_rejected(plan, tmp_path / "people.csv")


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    plan = planned(tmp_path, "name,town\n,York\n")
    with pytest.raises(UnreadableFile, match="cannot be written"):
        write_rejected(plan, tmp_path / "no" / "such" / "folder.csv")


CELL = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5))
def test_any_cells_come_back_from_a_file_of_rejected_rows(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    original = folder / "people.csv"
    with original.open("w", encoding="utf-8", newline="") as file:
        # The third column makes every row one cell too long, so that each is rejected.
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(
            [("name", "note"), *((*pair, "surplus") for pair in cells)]
        )
    plan = planned(folder, original.read_bytes())
    out = folder / "rejected.csv"
    assert write_rejected(plan, out) == len(cells)
    assert [row.cells for row in Table.open(out).rows()] == [(*pair, "surplus") for pair in cells]
