from __future__ import annotations

import codecs
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.errors import UnreadableFile
from crmcore.exchange import reading
from crmcore.exchange.reading import Row, Table
from crmcore.exchange.sniffing import sniffed_delimiter
from tests.exchange.files import write


def rows(folder: Path, content: str | bytes, **options: str) -> list[Row]:
    return list(Table.open(write(folder, content), **options).rows())  # type: ignore[arg-type]  # only texts are given


def refusal(path: Path, **options: str) -> str:
    with pytest.raises(UnreadableFile) as caught:
        list(Table.open(path, **options).rows())  # type: ignore[arg-type]  # only texts are given
    return str(caught.value)


# --- encoding ---


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-32-le", codecs.BOM_UTF32_LE),
    ],
)
def test_a_mark_or_strict_utf_8_tells_the_encoding(tmp_path: Path, encoding: str, mark: bytes) -> None:
    (row,) = rows(tmp_path, mark + "name,town\nÅsa,Malmö\n".encode(encoding))
    assert row.cells == ("Åsa", "Malmö")


def test_a_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    table = Table.open(write(tmp_path, codecs.BOM_UTF8 + b"name,town\n"))
    assert (table.columns, table.form) == (("name", "town"), "utf-8, comma")


def test_cp1252_is_read_when_it_is_declared(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, "name\nÅsa “A”\n".encode("cp1252"), encoding="cp1252")
    assert row.cells == ("Åsa “A”",)


@pytest.mark.parametrize("declared", [{}, {"encoding": "utf-8"}])
def test_cp1252_taken_for_utf_8_is_refused_with_its_line_and_a_way_out(
    tmp_path: Path, declared: dict[str, str]
) -> None:
    path = write(tmp_path, "name,town\nAnn,London\nÅsa,Malmö\n".encode("cp1252"))
    assert refusal(path, **declared) == (
        "line 3 of people.csv is not UTF-8 (byte 1 of the line): pass --encoding cp1252, or whatever it was saved in"
    )


def test_the_line_is_found_also_far_into_a_file(tmp_path: Path) -> None:
    path = write(tmp_path, b"name\n" + b"Ann Lee\n" * 400_000 + b"\xc5sa\n" + b"x\n" * 10)
    assert refusal(path).startswith("line 400002 of people.csv is not UTF-8 (byte 1 of the line)")


def test_a_character_cut_off_at_the_end_is_noticed(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, b"name\nAnn \xc3")).startswith("line 2 of people.csv is not UTF-8")


def test_another_encoding_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, b"name\n\x81\n")
    assert "does not fit the encoding cp1252" in refusal(path, encoding="cp1252")


def test_a_declaration_against_the_mark_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, codecs.BOM_UTF8 + b"name\n")
    assert refusal(path, encoding="cp1252") == (
        "people.csv begins with the mark of UTF-8, not of cp1252: leave out --encoding"
    )


@pytest.mark.parametrize("name", ["klingon", "utf-7", "unicode_escape", "hex", ""])
def test_an_encoding_that_no_file_has_is_refused(tmp_path: Path, name: str) -> None:
    assert "not known" in refusal(write(tmp_path, b"name\n"), encoding=name)


def test_utf_16_without_its_mark_is_told_apart_from_nul_bytes(tmp_path: Path) -> None:
    assert "--encoding utf-16-le" in refusal(write(tmp_path, "name\nAnn\n".encode("utf-16-le")))


@pytest.mark.parametrize("head", [b"PK\x03\x04rest", b"\xd0\xcf\x11\xe0rest", b"\x1f\x8brest", b"%PDF-1.4"])
def test_a_workbook_is_no_csv_file(tmp_path: Path, head: bytes) -> None:
    assert "save it as CSV" in refusal(write(tmp_path, head))


# --- what cannot be read at all ---


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", "sep=;\n"])
def test_an_empty_file_is_refused_in_one_sentence(tmp_path: Path, content: str) -> None:
    assert refusal(write(tmp_path, content)) == (
        "people.csv is empty: it needs a line of column names and rows below it"
    )


def test_a_path_that_is_no_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.csv") == "none.csv is not there: give the path of a CSV file"
    assert refusal(tmp_path).endswith("is a directory: give the path of a CSV file")
    assert refusal(Path(os.devnull)) == "null is not a regular file: give the path of a CSV file"


def test_a_file_without_rights_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "name\n")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)  # a chmod does not stop the superuser
    assert refusal(path) == "people.csv cannot be read (Permission denied): check the path and its rights"


def test_a_first_line_of_data_is_refused(tmp_path: Path) -> None:
    assert "holds data (an e-mail address)" in refusal(write(tmp_path, "Ann,ann@x.org\nBo,bo@x.org\n"))


def test_a_broken_header_is_refused(tmp_path: Path) -> None:
    assert "no line of column names (unclosed_quote)" in refusal(write(tmp_path, 'name,"town\nAnn,London\n'))


def test_ten_thousand_columns_are_refused_quickly(tmp_path: Path) -> None:
    wide = ",".join(f"column {n}" for n in range(10_000)) + "\n"
    path = write(tmp_path, wide + (",".join("x" * 10_000) + "\n") * 100)
    begun = time.process_time()
    assert refusal(path).startswith("people.csv has 10,000 columns, more than 1,000: check the delimiter")
    assert time.process_time() - begun < 2


def test_a_line_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_LINE", 100)
    assert "is no CSV file" in refusal(write(tmp_path, "name\n" + "x" * 500))


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n"])
def test_a_delimiter_is_one_character(tmp_path: Path, delimiter: str) -> None:
    assert "one character" in refusal(write(tmp_path, "name\n"), delimiter=delimiter)


# --- delimiter and columns ---


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("name,phone\nAnn,1;2\n", ","),
        ("name;price\nAnn;1,50\nBo;2,75\n", ";"),
        ("name\tnote\nAnn\ta, b; c\n", "\t"),
        ("name|note\nAnn|a, b\n", "|"),
        ("name\nAnn\n", ","),
        ('"a;b",c\n"d;e",f\n', ","),
        ("name;phone", ";"),
    ],
)
def test_the_delimiter_is_seen(content: str, delimiter: str) -> None:
    assert sniffed_delimiter(content) == delimiter


def test_a_sep_line_is_believed_and_is_no_row(tmp_path: Path) -> None:
    table = Table.open(write(tmp_path, "sep=;\r\nname;a,b,c\r\nAnn;1,2,3\r\n"))
    assert (table.delimiter, table.columns) == (";", ("name", "a,b,c"))
    assert [row.cells for row in table.rows()] == [("Ann", "1,2,3")]


def test_a_said_delimiter_wins(tmp_path: Path) -> None:
    assert Table.open(write(tmp_path, "a,b;c\n1,2;3\n"), delimiter=";").columns == ("a,b", "c")


def test_columns_without_a_name_of_their_own_get_one(tmp_path: Path) -> None:
    table = Table.open(write(tmp_path, "Phone,,Phone, Phone ,Phone (2),Column 2,\n"))
    assert table.columns == (
        "Phone",
        "Column 2 (2)",
        "Phone (3)",
        "Phone (4)",
        "Phone (2)",
        "Column 2",
        "Column 7",
    )
    assert [notice.line for notice in table.notices] == [
        '! column names that occur twice were told apart: "Phone (3)", "Phone (4)"'
    ]


@given(st.lists(st.sampled_from(["a", "a ", "", "a (2)", "Column 1", "b"]), min_size=2, max_size=6))
def test_column_names_are_always_distinct(names: list[str]) -> None:
    columns, _ = reading._named(names)
    assert len(set(columns)) == len(names)


# --- rows ---


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_ends_a_row(tmp_path: Path, end: str) -> None:
    found = rows(tmp_path, end.join(["name,town", "Ann,London", "Bo,Paris", ""]))
    assert [(row.number, row.line, row.cells) for row in found] == [
        (2, 2, ("Ann", "London")),
        (3, 3, ("Bo", "Paris")),
    ]


def test_a_row_with_too_few_or_too_many_cells_is_a_row_with_a_problem(tmp_path: Path) -> None:
    found = rows(tmp_path, "a,b\n1\n1,2\n1,2,3\n1,2,,\n")
    assert [(row.cells, row.problem) for row in found] == [
        (("1",), "too_few_cells"),
        (("1", "2"), None),
        (("1", "2", "3"), "too_many_cells"),
        (("1", "2"), None),
    ]


def test_a_nul_is_a_problem_of_its_row(tmp_path: Path) -> None:
    found = rows(tmp_path, "a,b,c,d,e\n1,2,3,4,5\nx\0y,2,3,4,5\n1,2,3,4,5\n")
    assert [row.problem for row in found] == [None, "nul", None]


def test_a_cell_of_ten_megabytes_is_a_problem_of_its_row_and_costs_little(tmp_path: Path) -> None:
    huge = "x" * 10_000_000
    begun = time.process_time()
    found = rows(tmp_path, f'a,b\n1,2\n3,{huge}\n5,"{huge}"\n7,8\n')
    assert [row.problem for row in found] == [None, "cell_too_large", "cell_too_large", None]
    assert found[1].cells[1] == huge
    assert time.process_time() - begun < 3


def test_rows_are_read_one_by_one(tmp_path: Path) -> None:
    table = Table.open(write(tmp_path, "a,b\n" + "1,2\n" * 200_000))
    first = next(iter(table.rows()))
    assert first.cells == ("1", "2")


def test_a_table_can_be_read_again(tmp_path: Path) -> None:
    table = Table.open(write(tmp_path, "a\n1\n2\n"))
    assert list(table.rows()) == list(table.rows())


def test_a_formula_is_data(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, "a,b,c\n=cmd|' /C calc'!A0,+46 8 123,'+46 8 123\n")
    assert row.cells == ("=cmd|' /C calc'!A0", "+46 8 123", "'+46 8 123")


def test_neither_a_row_nor_a_table_shows_a_cell(tmp_path: Path) -> None:
    table = Table.open(write(tmp_path, "name\nAnn Lee\n"))
    assert "Ann" not in repr(table) + repr(list(table.rows()))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = write(tmp_path_factory.getbasetemp(), content)
    sentence, found = "", list[Row]()
    try:
        found = list(Table.open(path).rows())
    except UnreadableFile as error:
        sentence = str(error)
    assert "\n" not in sentence
    assert not sentence or not found
