from __future__ import annotations

import csv
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.exchange import csv_lines
from crmcore.exchange.csv_lines import Record, records

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8) | st.text(
    st.sampled_from('",\n\ra'), max_size=8
)
ANYTHING = st.text(st.sampled_from("a\",;\n\r 'é"), max_size=60)


def parsed(text: str, delimiter: str = ",", max_cell: int = 1000) -> list[Record]:
    return list(records(StringIO(text, newline=""), delimiter=delimiter, max_cell=max_cell))


@settings(max_examples=300)
@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), max_size=6), st.sampled_from(",;\t|"))
def test_what_was_written_as_csv_is_read_back(table: list[list[str]], delimiter: str) -> None:
    buffer = StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(table)
    assert [list(record.cells) for record in parsed(buffer.getvalue(), delimiter)] == table


@given(ANYTHING)
def test_no_character_is_lost_or_read_twice(text: str) -> None:
    found = parsed(text)
    rest = text
    for record in found:
        before, raw, rest = rest.partition(record.raw)
        assert raw
        assert not before.strip("\r\n \t")
    assert not rest.strip()


@given(ANYTHING)
def test_records_are_numbered_upwards_and_begin_on_their_lines(text: str) -> None:
    lines = list(StringIO(text, newline=""))
    found = parsed(text)
    assert [record.number for record in found] == sorted({record.number for record in found})
    assert all("".join(lines[record.line - 1 :]).startswith(record.raw) for record in found)


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("a,b\r\n", ("a", "b")),
        ("a,b", ("a", "b")),
        ("a,b\r", ("a", "b")),
        ('"a","b"\n', ("a", "b")),
        ('"a ""x""",b', ('a "x"', "b")),
        ('"a\nb",c', ("a\nb", "c")),
        ('"","""\n"\r\n', ("", '"\n')),
        ('"a\r\n\r\nb",c', ("a\r\n\r\nb", "c")),
        ('5" pipe,b', ('5" pipe', "b")),
        ("a,", ("a", "")),
        (",,", ("", "", "")),
        ('"",""', ("", "")),
        (' "a",b', (' "a"', "b")),
    ],
)
def test_cells_are_read_as_the_grammar_says(text: str, cells: tuple[str, ...]) -> None:
    (record,) = parsed(text)
    assert (record.cells, record.raw, record.problem) == (cells, text, None)


def test_empty_lines_are_counted_as_a_spreadsheet_counts_them_but_are_no_records() -> None:
    assert [(r.number, r.line) for r in parsed("a\n\n  \nb\n")] == [(1, 1), (4, 4)]


def test_a_record_over_several_lines_is_one_number_and_several_lines() -> None:
    assert [(r.number, r.line) for r in parsed('a\n"b\nc"\nd\n')] == [(1, 1), (2, 2), (3, 4)]


def test_an_unclosed_quote_costs_its_line_and_not_the_rest_of_the_file() -> None:
    found = parsed('a,b\n1,"x\n2,y\n3,z\n')
    assert [(r.cells, r.problem) for r in found] == [
        (("a", "b"), None),
        (('1,"x',), "unclosed_quote"),
        (("2", "y"), None),
        (("3", "z"), None),
    ]


def test_a_quote_that_swallows_the_next_rows_is_noticed_where_it_closes() -> None:
    found = parsed('1,"x\n2,y\n3,"z"\n4,w\n')
    assert [(r.line, r.cells, r.problem) for r in found] == [
        (1, ('1,"x',), "stray_quote"),
        (2, ("2", "y"), None),
        (3, ("3", "z"), None),
        (4, ("4", "w"), None),
    ]


def test_text_behind_a_closing_quote_is_a_problem_and_is_kept() -> None:
    (record,) = parsed('"a"b,c\n')
    assert (record.cells, record.problem, record.raw) == (('"a"b,c',), "stray_quote", '"a"b,c\n')


def test_a_quote_left_open_for_too_long_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_lines, "MAX_RECORD", 20)
    found = parsed('1,"x\n' + "2,y\n" * 30 + '3,"z"\n')
    assert [found[0].problem, len(found)] == ["unclosed_quote", 32]


def test_a_large_cell_and_a_nul_are_problems_of_their_record_alone() -> None:
    found = parsed(f"a,{'x' * 50}\nb,\0\nc,d\n", max_cell=20)
    assert [(r.problem, len(r.cells)) for r in found] == [("cell_too_large", 2), ("nul", 2), (None, 2)]


def test_a_record_shows_nothing_of_its_cells() -> None:
    assert "Ann" not in repr(parsed("Ann,Lee\n"))
