"""``crmcore dedupe FILE`` writes the same bytes with arrays and without them."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.cli import column_records
from crmcore.cli.records import Reading
from crmcore.exchange.reading import MAX_CELL, Table
from crmcore.identity import engine
from crmcore.identity.batch import csv_cells
from tests.cli.commands import Ran, refused, run, write
from tests.identity.model.invented import households

ROWS = households(45)
NAMES = [name for name in ROWS[0] if name != "cluster"]
OUTPUTS = ("clusters.csv", "pairs.csv", "model.json")


def text_of(
    rows: list[dict[str, str]] = ROWS,
    *,
    names: list[str] = NAMES,
    delimiter: str = ",",
    end: str = "\n",
    quoting: Any = csv.QUOTE_MINIMAL,
) -> str:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(
        file, names, delimiter=delimiter, lineterminator=end, quoting=quoting, extrasaction="ignore"
    )
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def outcome(folder: Path, path: Path, *words: object) -> tuple[Ran, dict[str, bytes], dict[str, Any]]:
    """How the command ended, what it wrote, and its document, but for times and how it was worked out."""
    folder.mkdir()
    places = [folder / name for name in (*OUTPUTS, "summary.json")]
    options = ["--out", places[0], "--pairs", places[1], "--save-model", places[2], "--summary", places[3]]
    ran = run("dedupe", path, *options, *words)
    document = json.loads(places[3].read_text()) if places[3].exists() else {}
    said = {
        key: value for key, value in document.items() if not key.startswith("seconds") and key != "engine"
    }
    return ran, {path.name: path.read_bytes() for path in places[:3] if path.exists()}, said


def both(
    folder: Path, monkeypatch: pytest.MonkeyPatch, path: Path, *words: object, engines: tuple[str, str]
) -> None:
    """That both ways come to the same, by the engines that are expected."""
    fast = outcome(folder / "arrays", path, *words)
    with monkeypatch.context() as patched:
        patched.setattr(engine, "find_spec", lambda name: None)
        plain = outcome(folder / "plain", path, *words)
    assert fast[1:] == plain[1:]
    assert (fast[0].code, fast[0].err) == (plain[0].code, plain[0].err)
    assert len(fast[1]) >= 2
    taken = [
        json.loads((folder / name / "summary.json").read_text())["engine"] for name in ("arrays", "plain")
    ]
    assert tuple(taken) == engines
    assert ("with arrays" in fast[0].out) == (engines[0] == "batch")


BATCH, REFERENCE = ("batch", "reference"), ("reference", "reference")
ODD = [
    {**row, "city": 'so-called "town",\nby the sea' if at % 7 == 0 else row["city"]}
    for at, row in enumerate(ROWS)
]
FILES: dict[str, bytes] = {
    "plain": text_of().encode(),
    "quoted": text_of(quoting=csv.QUOTE_ALL, end="\r\n").encode(),
    "odd": text_of(ODD).encode(),
    "mark": b"\xef\xbb\xbf" + text_of().encode(),
    "semicolon": text_of(delimiter=";").encode(),
    "tab": text_of(delimiter="\t").encode(),
    "wide": text_of().encode("utf-16"),
    "no-end": text_of().rstrip("\n").encode(),
    "ragged": (text_of() + "too,few\n" + "x," * len(NAMES) + "many\n").encode(),
    "quote": (text_of() + 'a "b" c' + "," * (len(NAMES) - 1) + "\n" + '"open,' + "\n").encode(),
    "nul": (text_of() + "a\0b" + "," * (len(NAMES) - 1) + "\n").encode(),
    "blank": text_of().replace("\n", "\n\n").replace("\n\n", "\n", 20).encode(),
    "returns": text_of().replace("\n", "\r").encode(),
    "declared": b"sep=,\n" + text_of().encode(),
    "spaces": text_of(
        [{**row, "city": f" {row['city']} " if at % 3 else "  "} for at, row in enumerate(ROWS)]
    ).encode(),
}


@pytest.mark.parametrize("name", FILES)
def test_every_file_comes_to_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    both(tmp_path, monkeypatch, write(tmp_path, FILES[name]), engines=BATCH)


def labelled(folder: Path) -> list[object]:
    pairs = [(0, 1), (3, 9), (4, 5), (20, 31)]
    lines = [f"{a + 2},{b + 2},{int(ROWS[a]['cluster'] == ROWS[b]['cluster'])}" for a, b in pairs]
    return ["--labels", write(folder, "rec_id_a,rec_id_b,same\n" + "\n".join(lines) + "\n", "labels.csv")]


OPTIONS: dict[str, list[object]] = {
    "threshold": ["--threshold", "5.5"],
    "without": ["--without", "phone", "--without", "email"],
    "exclude": ["--exclude", "asked"],
    "id": ["--id-column", "email"],
    "map": ["--map", "city=ignore", "--map", "second=email", "--map", "email=email"],
    "kind": ["--kind", "person"],
    "organization": ["--kind", "organization"],
}


@pytest.mark.parametrize("name", [*OPTIONS, "labels", "model"])
def test_every_option_comes_to_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    more = [
        {
            **row,
            "asked": " No" if at % 9 else "x",
            "second": row["phone"],
            "email": " " if at % 2 else row["email"],
        }
        for at, row in enumerate(ROWS)
    ]
    names = [*NAMES, "asked", "second"] if name in ("exclude", "map") else NAMES
    path = write(tmp_path, text_of(more if len(names) > len(NAMES) else ROWS, names=names))
    words = OPTIONS.get(name, [])
    if name == "labels":
        words = labelled(tmp_path)
    if name == "model":
        run("dedupe", path, "--out", tmp_path / "c.csv", "--save-model", tmp_path / "m.json")
        path = write(tmp_path, text_of(households(30), names=[name for name in NAMES if name != "phone"]))
        words = ["--model", tmp_path / "m.json"]
    both(tmp_path, monkeypatch, path, *words, engines=BATCH)


@pytest.mark.parametrize("name", ["few", "employers"])
def test_what_takes_the_reference_comes_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    rows, names, engines = ROWS[:4], NAMES, REFERENCE
    if name == "employers":
        Random(3).shuffle(rows := list(ROWS))
        rows = [
            {**row, "employer": "Foster", "org_name": "Acme"} if at % 5 == 0 else row
            for at, row in enumerate(rows)
        ]
        names, engines = [*NAMES, "employer", "org_name"], BATCH
    both(tmp_path, monkeypatch, write(tmp_path, text_of(rows, names=names)), engines=engines)


CELL = st.text(st.sampled_from('ab" ,;\n\r\té\x1c'), max_size=4)


@settings(max_examples=150)
@given(
    lines=st.lists(st.lists(CELL, min_size=2, max_size=3), min_size=1, max_size=5),
    end=st.sampled_from(["\n", "\r\n", "\r", ""]),
    quoted=st.booleans(),
)
def test_arrays_read_the_cells_that_the_grammar_finds_or_none(
    lines: list[list[str]], end: str, quoted: bool
) -> None:
    """Any text at all; where arrays read it, each row is fine and has the same cells."""
    rows = [["one", "two"], *lines]
    if quoted:
        rows = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), "\n".join(",".join(row) for row in rows) + end)
        found = csv_cells.cells_of(path, ",", 2, [0, 1], MAX_CELL)
        if found is None:
            return
        expected = list(Table.open(path, delimiter=",").rows())
    assert [row.problem for row in expected] == [None] * len(expected)
    assert [row.number for row in expected] == list(range(2, len(expected) + 2))
    assert [tuple(row.values()) for row in found.to_pylist()] == [row.cells for row in expected]


@pytest.mark.parametrize("chunk", [1, 7, 64])
@pytest.mark.parametrize("name", ["plain", "quoted", "odd", "ragged", "quote", "nul", "no-end"])
def test_files_larger_than_a_portion_are_read_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, chunk: int
) -> None:
    path = write(tmp_path, FILES[name])
    whole = csv_cells.cells_of(path, ",", len(NAMES), [0, 2], MAX_CELL)
    monkeypatch.setattr(csv_cells, "_CHUNK", chunk)
    found = csv_cells.cells_of(path, ",", len(NAMES), [0, 2], MAX_CELL)
    assert (found is None) == (whole is None) == (name in ("ragged", "quote", "nul"))
    assert found is None or found.equals(whole)


def test_a_long_row_is_left_to_the_grammar(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1," + "x" * 50 + "\n")
    assert csv_cells.cells_of(path, ",", 2, [0], 53) is not None
    assert csv_cells.cells_of(path, ",", 2, [0], 52) is None
    assert csv_cells.cells_of(path, ",", 2, [0], 20) is None


def test_a_checkpoint_and_a_memory_limit_change_nothing_that_is_written(tmp_path: Path) -> None:
    path = write(tmp_path, text_of())
    words = ["--checkpoint", tmp_path / "kept", "--memory-limit", "64G"]
    plain, kept = outcome(tmp_path / "plain", path), outcome(tmp_path / "limited", path, *words)
    assert plain[1:] == kept[1:]
    assert not (tmp_path / "kept").exists()


def test_a_command_that_was_interrupted_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, folder = write(tmp_path, text_of()), tmp_path / "kept"

    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("crmcore.cli.dedupe_file._write", stop)
        ran = run("dedupe", path, "--out", tmp_path / "c.csv", "--checkpoint", folder)
    assert (ran.code, ran.out) == (130, "")
    assert (folder / "learned.part").exists()
    again = run("dedupe", path, "--out", tmp_path / "c.csv", "--checkpoint", folder)
    assert "went on from the checkpoint\n" in again.out
    assert not folder.exists()
    before = (tmp_path / "c.csv").read_bytes()
    run("dedupe", path, "--out", tmp_path / "c.csv")
    assert (tmp_path / "c.csv").read_bytes() == before


def test_what_cannot_be_kept_or_does_not_fit_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = write(tmp_path, text_of()), tmp_path / "c.csv"
    assert "name a new folder" in refused("dedupe", path, "--out", out, "--checkpoint", tmp_path)
    assert "allow at least" in refused("dedupe", path, "--out", out, "--memory-limit", "5M")
    assert "takes bytes" in refused("dedupe", path, "--out", out, "--memory-limit", "much", code=2)
    assert not out.exists()
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    for words in (["--checkpoint", tmp_path / "kept"], ["--memory-limit", "5G"]):
        assert "pip install 'crmcore[batch]'" in refused("dedupe", path, "--out", out, *words)


@pytest.mark.parametrize("installed", [True, False])
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    path = write(tmp_path, text_of())
    if not installed:
        monkeypatch.setattr(engine, "find_spec", lambda name: None)
    usual = Reading.of

    def of(*arguments: Any, **options: Any) -> Any:
        found = usual(*arguments, **options)
        path.write_bytes(path.read_bytes()[:-9])
        return found

    monkeypatch.setattr(Reading, "of", of)
    said = refused("dedupe", path, "--out", tmp_path / "c.csv")
    assert said.startswith("people.csv changed while it was read: ")


def test_a_file_that_changes_before_the_page_is_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, text_of())
    usual = column_records.read_columns

    def read(*arguments: Any, **options: Any) -> Any:
        found = usual(*arguments, **options)
        path.write_bytes(path.read_bytes()[:-9])
        return found

    monkeypatch.setattr(column_records, "read_columns", read)
    words = ["--out", tmp_path / "c.csv", "--review", tmp_path / "page.html"]
    assert "changed while it was read" in refused("dedupe", path, *words)
