"""Files that are wrong: one sentence that says what and what to do, an exit code, and nothing lost."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import attrs
import pytest

from crmcore import Crm
from tests.cli.commands import PEOPLE, done, looked_at, refused, run, sentence, store_of, write

MANY = ",".join(f"c{n}" for n in range(10_000))

UNREADABLE: dict[str, tuple[str | bytes, str]] = {
    "empty": (b"", "is empty"),
    "blank": (b"\n\n \n", "is empty"),
    "mark only": (b"\xef\xbb\xbf", "is empty"),
    "header only": ("Name,Email\n", "no rows"),
    "header without line end": ("Name,Email", "no rows"),
    "nothing useful": ("Shoe size\n42\n43\n", "--map COLUMN=FIELD"),
    "NUL bytes in the header": (b"Na\0me,Email\nAnn Lee,a@x.org\n", "column names"),
    "NUL bytes only": (bytes(5000), "UTF-16"),
    "no header": ("Ann Lee,a@x.org\nBo Hill,b@x.org\n", "column names above"),
    "cp1252": ("Name,Town\nJosé Núñez,Köln\n".encode("cp1252"), "--encoding cp1252"),
    "10,000 columns": (f"{MANY}\n{MANY}\n", "10,000 columns"),
    "a workbook": (b"PK\x03\x04" + bytes(99), "save it as CSV"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_cannot_be_read_is_refused_and_nothing_is_made(tmp_path: Path, name: str) -> None:
    content, word = UNREADABLE[name]
    path = write(tmp_path, content, "bad.csv")
    others = [tmp_path / name for name in ("crm.db", "rejected.csv", "clusters.csv")]
    said = refused("import", path, "--store", others[0], "--rejected", others[1])
    assert word in said
    assert "bad.csv" in said or "--map" in said
    assert word in refused("dedupe", path, "--out", others[2])
    assert word in refused("dedupe", path, "--json")
    assert not any(other.exists() for other in others)
    assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())


def test_a_declared_encoding_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    content = "Name,Town\nJosé Núñez,Köln\n".encode("cp1252")
    path, store = write(tmp_path, content), tmp_path / "crm.db"
    assert "line 2" in refused("import", path, "--store", store, "--encoding", "utf-8")
    assert "encoding" in refused("import", path, "--store", store, "--encoding", "no such thing")
    done("import", path, "--store", store, "--encoding", "cp1252")
    assert "Köln" in done("show", "José Núñez", "--store", store).out


@attrs.frozen
class Bad:
    """A file of which not all can be taken over as it is: its *rows*, how many are *rejected*, what is said."""

    content: str | bytes
    rows: int
    rejected: int
    says: str


BIG = "x" * 10_000_000
LOOKED_AT: dict[str, Bad] = {
    "10 MB cell": Bad(f"Name,Note\nAnn Lee,{BIG}\nBo Hill,hi\n", 2, 1, "cell_too_large"),
    "10 MB cell in quotes": Bad(f'Name,Note\nAnn Lee,"{BIG}"\nBo Hill,hi\n', 2, 1, "cell_too_large"),
    "NUL bytes in a cell": Bad(b"Name,Email\nAnn\0 Lee,a@x.org\nBo Hill,b@x.org\n", 2, 1, "nul"),
    "a cell too many": Bad("Name,Email\nAnn Lee,a@x.org,x\nBo Hill,b@x.org\n", 2, 1, "too_many_cells"),
    "a cell too few": Bad("Name,Email\nAnn Lee\nBo Hill,b@x.org\n", 2, 1, "too_few_cells"),
    "a stray quote": Bad('Name,Email\n"Ann" Lee,a@x.org\nBo Hill,b@x.org\n', 2, 1, "stray_quote"),
    "an open quote": Bad('Name,Email\nBo Hill,b@x.org\n"Ann Lee,a@x.org\n', 2, 1, "unclosed_quote"),
    "duplicate headers": Bad("Name,Phone,Phone\nAnn Lee,+442079460018,+442079460019\n", 1, 0, "occur twice"),
    "a formula": Bad("Name,Email\n=cmd|' /C calc'!A0,a@x.org\n@SUM(1+1),b@x.org\n", 2, 0, "spreadsheet"),
}


@pytest.mark.parametrize("name", LOOKED_AT)
def test_what_cannot_be_taken_over_as_it_is_is_told_and_nothing_is_lost(tmp_path: Path, name: str) -> None:
    bad = LOOKED_AT[name]
    path, store = write(tmp_path, bad.content), tmp_path / "crm.db"
    rejected, out = tmp_path / "rejected.csv", tmp_path / "clusters.csv"
    ran = looked_at("import", path, "--store", store, "--rejected", rejected)
    assert f"in {bad.rows} = created {bad.rows - bad.rejected} + rejected {bad.rejected}\n" in ran.out
    assert any(line.startswith("! ") and bad.says in line for line in ran.out.splitlines())
    with Crm.open(store) as crm:
        assert len(crm.customers.page().items) == bad.rows - bad.rejected
    assert rejected.exists() == bool(bad.rejected)
    ran = looked_at("dedupe", path, "--out", out)
    assert bad.says in ran.out
    assert len(out.read_text().splitlines()) == bad.rows + 1


def test_a_phone_that_a_spreadsheet_ruined_has_a_code_of_its_own_and_is_kept(tmp_path: Path) -> None:
    path = write(tmp_path, "Name,Phone\nAnn Lee,1.23E+10\nBo Hill,14155550132.0\n")
    store = tmp_path / "crm.db"
    ran = looked_at("import", path, "--store", store, "--json")
    codes = [notice["code"] for notice in ran.json[0]["notices"]]
    assert codes == ["spreadsheet_scientific", "spreadsheet_float"]
    assert "1.23E+10" in done("show", "Ann Lee", "--store", store).out
    assert "14155550132.0" in done("show", "Bo Hill", "--store", store).out


def test_one_column_is_enough(tmp_path: Path) -> None:
    path, out = write(tmp_path, "Name\nAnn Lee\nBo Hill\n"), tmp_path / "clusters.csv"
    assert "created 2" in done("import", path, "--store", tmp_path / "crm.db").out
    done("dedupe", path, "--out", out)
    assert out.read_text() == "rec_id,cluster\n2,0\n3,1\n"


def test_two_columns_for_one_field_are_refused(tmp_path: Path) -> None:
    words = ["--map", "Name=full_name", "--map", "Town=full_name"]
    said = refused("import", write(tmp_path), "--store", tmp_path / "crm.db", *words)
    assert "choose one" in said
    assert "choose one" in refused("dedupe", tmp_path / "people.csv", "--json", *words)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--map", "Twon=city"], 'did you mean "Town"'),
        (["--map", "Nobody knows=city"], '"Id", "Name", "Email", "Phone", "Town"'),
        (["--map", "Town=village"], "no field"),
        (["--id-column", "Number"], "no column"),
        (["--id-column", "Id", "--map", "Id=phone"], "id column"),
        (["--delimiter", "ab"], "one character"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused(tmp_path: Path, words: list[str], says: str) -> None:
    path = write(tmp_path)
    assert says in refused("import", path, "--store", tmp_path / "crm.db", *words)
    assert says in refused("dedupe", path, "--json", *words)
    assert not (tmp_path / "crm.db").exists()


@pytest.mark.parametrize("path", ["missing.csv", ".", "people.csv/below", "x" * 300])
def test_a_path_that_cannot_be_read_is_refused(tmp_path: Path, path: str) -> None:
    write(tmp_path)
    refused("import", tmp_path / path, "--store", tmp_path / "crm.db")
    refused("dedupe", tmp_path / path, "--json")
    refused("import", tmp_path / "people.csv", tmp_path / path, "--store", tmp_path / "crm.db")
    assert not (tmp_path / "crm.db").exists()


FORMULAS = ["=cmd|' /C calc'!A0", "+1+1|x!A1", "-2+3", "@SUM(1)", "'=quoted", "\t=x", "plain"]


def test_rejected_rows_come_back_as_they_were_and_run_in_no_spreadsheet(tmp_path: Path) -> None:
    text = io.StringIO()
    rows = [["Name", "=Note", "Id"], *([cell, cell, "", cell] for cell in FORMULAS)]
    csv.writer(text).writerows(rows)
    path, rejected = write(tmp_path, text.getvalue()), tmp_path / "rejected.csv"
    words = ["--store", tmp_path / "crm.db", "--map", "Name=full_name"]
    looked_at("import", path, *words, "--rejected", rejected)
    written = list(csv.reader(io.StringIO(rejected.read_text("utf-8-sig"), newline="")))
    assert not any(cell.startswith(tuple("=+-@\t\r")) for row in written for cell in row)
    # Corrected by taking the surplus cell away, every row comes in; the cells are what they were at first.
    corrected = [row if number == 0 else row[:7] for number, row in enumerate(written)]
    with rejected.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(corrected)
    ran = run("import", rejected, *words, "--json")
    assert ran.json[0]["counts"]["created"] == len(FORMULAS)
    with Crm.open(tmp_path / "crm.db") as crm:
        parties = [crm.parties.get(customer.members[0]) for customer in crm.customers.page().items]
    assert {str(party.extras["=Note"]).strip() for party in parties} == {cell.strip() for cell in FORMULAS}


def test_a_record_changed_by_hand_is_left_to_a_person(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    with Crm.open(store) as crm:
        ann = crm.customers.resolve("Ann Lee").members[0]
        crm.parties.change(ann, lambda p: p.renamed("Ann Hill"))
    write(tmp_path, PEOPLE.replace("Ann Lee", "Anna Lee"))
    ran = looked_at("import", tmp_path / "people.csv", "--store", store, "--id-column", "Id")
    assert "conflicts 1" in ran.out
    assert "1 row is left to a person" in sentence(ran.err)
    assert "Ann Hill" in done("show", "ann@x.org", "--store", store).out
