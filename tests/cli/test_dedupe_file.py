"""``crmcore dedupe FILE``: one line for every row, and nothing but the mapped columns is evidence."""

from __future__ import annotations

import csv
import io
import json
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cli.commands import done, looked_at, refused, run, write

HEADER = ("rec_id", "given_name", "family_name", "email", "city", "cluster")
ANN, BO = ("Ann", "Lee", "ann@x.org", "Leeds"), ("Bo", "Hill", "bo@x.org", "York")
BLANK = ("", "", "", "")


def text_of(*rows: tuple[str, ...], delimiter: str = ",") -> str:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return written.getvalue()


def clusters(folder: Path, content: str | bytes, *words: object) -> list[tuple[str, str]]:
    """The lines below the header of what is written for a file with *content*."""
    out = folder / "clusters.csv"
    done("dedupe", write(folder, content), "--out", out, *words)
    return lines(out)


def lines(out: Path) -> list[tuple[str, str]]:
    with out.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["rec_id", "cluster"]
    return [(row[0], row[1]) for row in rows]


def labels(found: list[tuple[str, str]]) -> list[str]:
    return [cluster for _, cluster in found]


CELLS = st.sampled_from([ANN, BO, BLANK, ("Ann", "Lee", "", ""), ("ann", "LEE", "ANN@x.org", "leeds")])


@settings(max_examples=25)
@given(rows=st.lists(CELLS, min_size=1, max_size=8), seed=st.integers(0, 99))
def test_there_is_one_line_for_each_row_in_its_place_and_blank_ones_stand_alone(
    rows: list[tuple[str, ...]], seed: int
) -> None:
    ids = [f"r{number}" for number in range(len(rows))]
    random.Random(seed).shuffle(ids)
    table = [(id, *row, str(seed)) for id, row in zip(ids, rows, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        found = clusters(Path(folder), text_of(HEADER, *table), "--kind", "person")
    assert [id for id, _ in found] == ids
    for row, label in zip(rows, labels(found), strict=True):
        assert row != BLANK or labels(found).count(label) == 1
    firsts = list(dict.fromkeys(labels(found)))
    assert firsts == [str(number) for number in range(len(firsts))]


@settings(max_examples=25)
@given(answers=st.lists(st.sampled_from(["0", "1", "", "x"]), min_size=6, max_size=6), data=st.data())
def test_neither_the_cluster_nor_the_id_of_a_row_is_evidence(answers: list[str], data: st.DataObject) -> None:
    rows = [ANN, BO, ANN, ("Cy", "Moss", "", "Hull"), BLANK, BO]
    ids = data.draw(st.permutations(["a@x.org", "a@x.org", "Ann Lee", "5", "6", "7"]))
    told = [(id, *row, answer) for id, row, answer in zip(ids, rows, answers, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        found = clusters(Path(folder), text_of(HEADER, *told))
        bare = clusters(Path(folder), text_of(HEADER[1:-1], *rows))
    assert labels(found) == labels(bare) == ["0", "1", "0", "2", "3", "1"]
    assert [id for id, _ in found] == ids


def test_without_ids_rows_are_known_by_the_numbers_that_a_spreadsheet_shows(tmp_path: Path) -> None:
    found = clusters(tmp_path, text_of(HEADER[1:-1], ANN, BLANK, ANN))
    assert found == [("2", "0"), ("3", "1"), ("4", "0")]


def test_an_id_is_written_as_it_stands_also_where_it_is_blank_or_occurs_twice(tmp_path: Path) -> None:
    table = [(id, *row, "") for id, row in (("b", ANN), (" b ", BO), ("b", ANN), ("", BO), ("", BLANK))]
    found = clusters(tmp_path, text_of(HEADER, *table))
    assert found == [("b", "0"), (" b ", "1"), ("b", "0"), ("", "1"), ("", "2")]


def test_a_byte_order_mark_and_semicolons_change_nothing(tmp_path: Path) -> None:
    table = [HEADER, ("1", *ANN, ""), ("2", *BO, ""), ("3", *ANN, "")]
    plain = clusters(tmp_path, text_of(*table))
    assert clusters(tmp_path, text_of(*table, delimiter=";").encode("utf-8-sig")) == plain
    assert clusters(tmp_path, text_of(*table).encode("utf-16"), "--encoding", "utf-16") == plain


def test_columns_of_other_names_are_mapped(tmp_path: Path) -> None:
    table = [("No", "Wer", "Wo"), ("7", "Ann Lee", "ann@x.org"), ("8", "Ann Lee", "ann@x.org")]
    words = ["--map", "Wer=full_name", "--map", "Wo=email", "--id-column", "No"]
    assert clusters(tmp_path, text_of(*table), *words) == [("7", "0"), ("8", "0")]


def test_a_row_that_cannot_be_read_keeps_its_line_and_its_id(tmp_path: Path) -> None:
    content = 'rec_id,given_name,family_name\na,Ann,Lee\nb,Bo\nc,Cy,Moss,x\n"d"d,Di,Fox\ne,Ann,Lee\n'
    out = tmp_path / "clusters.csv"
    ran = looked_at("dedupe", write(tmp_path, content), "--out", out)
    assert [id for id, _ in lines(out)] == ["a", "b", "c", "", "e"]
    found = labels(lines(out))
    assert [found.count(label) for label in found[1:4]] == [1, 1, 1]
    assert "too_few_cells" in ran.out
    assert "3 rows could not be read" in ran.err


def test_a_summary_holds_counts_and_times_and_no_values(tmp_path: Path) -> None:
    path, out, summary = write(tmp_path, text_of(HEADER, ("1", *ANN, ""), ("2", *BO, ""))), "c.csv", "s.json"
    words = ["--out", tmp_path / out, "--summary", tmp_path / summary]
    shown = done("dedupe", path, *words, "--json").json
    written = (tmp_path / summary).read_text(encoding="utf-8")
    kept = json.loads(written)
    assert (kept["rows"], kept["clusters"], kept["file"]) == (2, 2, "people.csv")
    assert kept["columns"]["city"] == ["city"]
    assert "rec_id" not in written
    assert "ann@x.org" not in written
    timeless = {key: value for key, value in kept.items() if not key.startswith("seconds")}
    assert timeless.items() <= shown.items()


def test_counts_alone_need_no_file(tmp_path: Path) -> None:
    path = write(tmp_path, text_of(HEADER, ("1", *ANN, "")))
    assert done("dedupe", path, "--json").json["clusters"] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["people.csv"]


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    path = write(
        tmp_path, text_of(HEADER, *[(str(n), *random.Random(n).choice([ANN, BO]), "") for n in range(50)])
    )
    for name in ("one.csv", "two.csv"):
        done("dedupe", path, "--out", tmp_path / name)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


@pytest.mark.parametrize("option", ["--out", "--summary"])
@pytest.mark.parametrize("place", ["people.csv", "missing/x", ".", "people.csv/x", "link.csv"])
def test_a_result_that_cannot_be_written_is_refused_before_the_work(
    tmp_path: Path, option: str, place: str
) -> None:
    path = write(tmp_path, text_of(HEADER, ("1", *ANN, "")))
    (tmp_path / "link.csv").symlink_to(path)
    before = path.read_bytes()
    assert "name another file" in refused("dedupe", path, "--json", option, tmp_path / place)
    assert path.read_bytes() == before


def test_two_results_are_not_written_to_one_file(tmp_path: Path) -> None:
    path = write(tmp_path, text_of(HEADER, ("1", *ANN, "")))
    refused("dedupe", path, "--out", tmp_path / "x", "--summary", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    full = Path("/dev/full")
    path = write(tmp_path, text_of(HEADER, ("1", *ANN, "")))
    ran = run("dedupe", path, "--out", full if full.exists() else tmp_path)
    assert ran.code == 1
    assert "cannot be written" in ran.err
