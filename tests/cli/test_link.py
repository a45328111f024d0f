"""``crmcore link``: which records of one file are which of another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import done, looked_at, refused, write
from tests.cli.recorded import of, people, read, right, table

ROWS = people(150, (1, 2, 3), 3)
FIRST = {of(row["rec_id"]): row for row in reversed(ROWS)}
LATER = [row for row in ROWS if FIRST[of(row["rec_id"])] is not row]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """In *A* people may stand twice, in *B* they do not."""
    return table(tmp_path / "a.csv", LATER), table(tmp_path / "b.csv", FIRST.values())


def links(files: tuple[Path, Path], *words: object) -> list[dict[str, str]]:
    out = files[0].parent / "links.csv"
    done("link", *files, "--out", out, *words)
    return read(out)


def pairs(found: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(link["rec_id_a"], link["rec_id_b"]) for link in found]


def test_several_records_of_one_file_may_be_one_of_the_other(files: tuple[Path, Path]) -> None:
    found = links(files)
    assert list(found[0]) == ["rec_id_a", "rec_id_b", "bits", "verdict"]
    assert right(pairs(found)) > 0.98
    assert len(found) > 0.95 * len(LATER)
    assert len({b for _, b in pairs(found)}) < len(found)
    ids = [row["rec_id"] for row in LATER]
    assert [ids.index(a) for a, _ in pairs(found)] == sorted(ids.index(a) for a, _ in pairs(found))


def test_one_to_one_links_no_record_twice(files: tuple[Path, Path]) -> None:
    found = pairs(links(files, "--one-to-one"))
    assert right(found) > 0.98
    for side in (0, 1):
        assert len({pair[side] for pair in found}) == len(found)
    assert {of(b) for _, b in found} <= {of(row["rec_id"]) for row in LATER}


def test_exchanging_the_files_exchanges_the_links(files: tuple[Path, Path]) -> None:
    forth, back = pairs(links(files)), pairs(links((files[1], files[0])))
    assert sorted(forth) == sorted((b, a) for a, b in back)


def test_the_summary_counts_what_is_written(files: tuple[Path, Path]) -> None:
    out = files[0].parent / "pairs.csv"
    found = links(files)
    summary: Any = done("link", *files, "--json", "--pairs", out).json
    assert summary["links"] == len(found)
    linked = [len({pair[side] for pair in pairs(found)}) for side in (0, 1)]
    assert [file["linked"] for file in summary["files"]] == linked
    assert summary["decided_by"].startswith("model/")
    told = read(out)
    assert sum(pair["verdict"] == "same" for pair in told) == len(found)
    assert sum(pair["verdict"] == "unsure" for pair in told) == summary["pairs_to_review"]
    mine = {row["rec_id"] for row in LATER}
    assert all(pair["rec_id_a"] in mine and pair["rec_id_b"] not in mine for pair in told)
    assert (
        f"{len(found)} links: {linked[0]} of {len(LATER)} rows of a.csv"
        in done("link", *files, "--out", files[0].parent / "links.csv").out
    )


def test_few_records_are_linked_by_rules_also_one_to_one(tmp_path: Path) -> None:
    a = write(tmp_path, "rec_id,full_name,email\n1,Ann Lee,ann@x.org\n2,Ann Lee,ann@x.org\n", "a.csv")
    b = write(tmp_path, "key,wer,email\nx,Ann Lee,ann@x.org\ny,Bo Hill,bo@x.org\n", "b.csv")
    words = ("--map", "wer=full_name", "--id-column", "key")
    assert pairs(links((a, b), *words)) == [("1", "x"), ("2", "x")]
    assert pairs(links((a, b), *words, "--one-to-one")) == [("1", "x")]


def test_a_saved_model_and_a_threshold_are_used(files: tuple[Path, Path]) -> None:
    model = files[0].parent / "model.json"
    done("dedupe", files[0], "--json", "--save-model", model)
    summary = done(
        "link", *files, "--json", "--model", model, "--threshold", "900", "--without", "email"
    ).json
    assert (summary["links"], summary["threshold_bits"]) == (0, 900)
    assert summary["notes"][0] == "email was left out on request"
    summary = done("link", *files, "--json", "--without", "occupation").json
    assert "no column holds it" in summary["notes"][0]


def test_a_file_with_rows_that_cannot_be_read_is_told(files: tuple[Path, Path]) -> None:
    with files[1].open("a", encoding="utf-8") as file:
        file.write("torn\n")
    ran = looked_at("link", *files, "--out", files[0].parent / "links.csv")
    assert "! 1 row of b.csv not read (too_few_cells)" in ran.out


@pytest.mark.parametrize("option", ["--out", "--pairs"])
@pytest.mark.parametrize("place", ["a.csv", "b.csv", "model.json", ".", "missing/x"])
def test_what_is_read_is_not_written_over(files: tuple[Path, Path], option: str, place: str) -> None:
    folder = files[0].parent
    words = ("--json", "--model", folder / "model.json", option, folder / place)
    assert "name another file" in refused("link", *files, *words)


def test_what_makes_no_sense_is_refused(files: tuple[Path, Path]) -> None:
    a, b = files
    assert "crmcore dedupe" in refused("link", a, a, "--json")
    assert "say where the links go" in refused("link", a, b, code=2)
    assert "in a.csv or in b.csv" in refused("link", a, b, "--json", "--id-column", "number")
    empty = write(a.parent, "", "empty.csv")
    for words in ((a, a.parent), (a.parent / "missing.csv", b), (a, empty)):
        refused("link", *words, "--json")
    assert "no rows" in refused("link", a, write(a.parent, "full_name\n", "head.csv"), "--json")
