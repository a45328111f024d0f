"""``crmcore dedupe FILE`` with a learned model: what decides, what is told of pairs, and what must not be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crmcore.identity.model.match_model import MatchModel
from crmcore.identity.model.policy import UNIT
from tests.cli.commands import PEOPLE, done, looked_at, refused, write
from tests.cli.recorded import FIELDS, of, people, read, right, table

ROWS = people()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return table(tmp_path / "people.csv", ROWS)


def summary(file: Path, *words: object) -> Any:
    return done("dedupe", file, "--json", *words).json


def clusters(file: Path, *words: object) -> list[str]:
    out = file.parent / "clusters.csv"
    done("dedupe", file, "--out", out, *words)
    return [row["cluster"] for row in read(out)]


def test_a_model_is_learned_and_named(file: Path) -> None:
    ran = done("dedupe", file, "--out", file.parent / "clusters.csv")
    assert "decided by model/" in ran.out
    assert "250 rows -> 120 clusters" in ran.out


def test_few_records_are_left_to_rules_and_it_is_said_why(tmp_path: Path) -> None:
    ran = done("dedupe", write(tmp_path), "--out", tmp_path / "clusters.csv", "--threshold", "2")
    assert "decided by rules/1, since learning takes at least 10 different records: given 3" in ran.out
    assert "! the threshold was not used" in ran.out


def test_the_file_of_pairs_tells_levels_and_reasons(file: Path) -> None:
    out = file.parent / "pairs.csv"
    found = summary(file, "--pairs", out)
    pairs = read(out)
    assert list(pairs[0])[:5] == ["rec_id_a", "rec_id_b", "verdict", "bits", "given name"]
    assert len({frozenset((pair["rec_id_a"], pair["rec_id_b"])) for pair in pairs}) == len(pairs)
    same = [pair for pair in pairs if pair["verdict"] == "same"]
    assert len(same) == found["rows"] - found["clusters"]
    assert sum(pair["verdict"] == "unsure" for pair in pairs) == found["pairs_to_review"]
    assert sum(pair["verdict"] == "related" for pair in pairs) == found["pairs_related"]
    assert right((pair["rec_id_a"], pair["rec_id_b"]) for pair in same) > 0.95
    for pair in pairs:
        assert "\n" not in pair["explanation"]
        assert f"{pair['verdict']}, " in pair["explanation"]
        assert f"{float(pair['bits']):.1f} bits" in pair["explanation"] or pair["bits"].endswith("5")
    assert "email" not in pairs[0]
    assert {pair["e-mail"] for pair in pairs} <= {
        "",
        "different",
        "alike",
        "same local part",
        "one error",
        "same",
    }


def test_rules_explain_their_pairs_too(tmp_path: Path) -> None:
    path = write(tmp_path, PEOPLE + "4,Ann Lee,ann@x.org,,London\n")
    done("dedupe", path, "--json", "--pairs", tmp_path / "pairs.csv")
    (pair,) = read(tmp_path / "pairs.csv")
    assert (pair["rec_id_a"], pair["rec_id_b"], pair["verdict"], pair["e-mail"]) == ("2", "5", "same", "same")


def test_a_saved_model_decides_as_it_did(file: Path) -> None:
    model = file.parent / "model.json"
    before = clusters(file, "--save-model", model)
    assert clusters(file, "--model", model) == before
    assert summary(file, "--model", model)["decided_by"] == MatchModel.load(model).name
    again = file.parent / "again.json"
    clusters(file, "--model", model, "--save-model", again)
    assert again.read_bytes() == model.read_bytes()


def test_a_threshold_is_exact_and_a_part_of_the_model(file: Path) -> None:
    model = file.parent / "model.json"
    assert summary(file, "--threshold", "3.5", "--save-model", model)["threshold_bits"] == 3.5
    assert MatchModel.load(model).policy.same_at == 7 * UNIT // 2
    assert summary(file, "--model", model)["threshold_bits"] == 3.5
    assert summary(file, "--model", model, "--threshold", "0")["threshold_bits"] == 0
    assert summary(file, "--threshold", "-2.25")["threshold_bits"] == -2.25
    assert len(set(clusters(file, "--threshold", "900"))) == len(ROWS)


@pytest.mark.parametrize("bits", ["", "x", "nan", "inf", "1e9", "3,5"])
def test_a_threshold_that_is_no_number_of_bits_is_refused(file: Path, bits: str) -> None:
    assert "such as 3.5" in refused("dedupe", file, "--json", "--threshold", bits, code=2)
    assert "--threshold goes with a CSV file" in refused("dedupe", "--store", "x", "--threshold", "0", code=2)


def test_a_field_that_is_left_out_is_not_even_read(tmp_path: Path) -> None:
    rows = [{**row, "national_id": f"N{of(row['rec_id'])}"} for row in ROWS]
    bare = clusters(table(tmp_path / "bare.csv", ROWS))
    path = table(tmp_path / "people.csv", rows)
    assert clusters(path, "--without", "national_id") == bare
    out = tmp_path / "pairs.csv"
    told = done("dedupe", path, "--out", tmp_path / "c.csv", "--without", "national_id", "--pairs", out)
    assert "! national_id was left out on request" in told.out
    assert "identifier" not in out.read_text(encoding="utf-8")
    few = write(tmp_path, "name,national_id\nAnn Lee,N1234567\nAnn Lee,N1234567\n", "few.csv")
    words = ("--map", "name=full_name")
    assert clusters(few, *words) == ["0", "0"]
    assert clusters(few, *words, "--without", "national_id") == ["0", "1"]


def test_a_field_that_is_not_there_is_told_and_one_that_nobody_knows_refused(file: Path) -> None:
    assert "no column holds it" in summary(file, "--without", "occupation")["notes"][0]
    refused("dedupe", file, "--json", "--without", "shoe_size", code=2)
    left = [word for field in FIELDS[1:] for word in ("--without", field)]
    assert "nothing of people.csv is left" in refused("dedupe", file, "--json", *left)


def test_rows_that_must_not_be_linked_stand_alone(tmp_path: Path) -> None:
    flags = ["yes", "TRUE", "1", "x", "", "no", "0", "False", " "]
    rows = [{**row, "locked": flags[at % len(flags)]} for at, row in enumerate(ROWS)]
    path = table(tmp_path / "people.csv", rows, (*FIELDS, "locked"))
    out = tmp_path / "pairs.csv"
    found = clusters(path, "--exclude", "Locked", "--pairs", out)
    alone = [at for at in range(len(rows)) if at % len(flags) < 4]
    assert all(found.count(found[at]) == 1 for at in alone)
    ids = {rows[at]["rec_id"] for at in alone}
    assert not any({pair["rec_id_a"], pair["rec_id_b"]} & ids for pair in read(out))
    told = summary(path, "--exclude", "locked")
    assert told["excluded"] == len(alone)
    assert "must not be linked" in told["notes"][0]
    assert "no column" in refused("dedupe", path, "--json", "--exclude", "nothing")


def test_a_model_that_cannot_be_used_is_refused(file: Path) -> None:
    folder, model = file.parent, file.parent / "model.json"
    clusters(file, "--save-model", model)
    document = json.loads(model.read_text(encoding="utf-8"))
    newer = write(folder, json.dumps({**document, "schema": 99}), "newer.json")
    assert "newer.json" in (said := refused("dedupe", file, "--json", "--model", newer))
    assert "upgrade crmcore" in said
    for name, content in (
        ("empty", ""),
        ("text", "hello"),
        ("binary", b"\xff\xfe\0"),
        ("huge", "x" * 9_000_000),
    ):
        bad = write(folder, content, name)
        assert "not a matching model" in refused("dedupe", file, "--json", "--model", bad)
    refused("dedupe", file, "--json", "--model", folder)
    refused("dedupe", file, "--json", "--model", folder / "missing.json")
    document["body"]["columns"][0]["name"] = "shoe size"
    other = write(folder, json.dumps(document), "other.json")
    assert "use it from Python" in refused("dedupe", file, "--json", "--model", other)
    towns = write(folder, "org_name,country\nFoster Works,DE\nHill Works,FR\n", "towns.csv")
    assert "no two of these records" in refused("dedupe", towns, "--json", "--model", model)


def test_what_a_model_does_not_know_is_told(tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    fields = tuple(field for field in FIELDS if field != "phone")
    clusters(table(tmp_path / "people.csv", ROWS, fields), "--save-model", model)
    found = summary(table(tmp_path / "people.csv", ROWS), "--model", model)
    assert found["notes"][0] == "model.json knows nothing of phone: not compared"


def test_without_a_model_none_is_saved_and_it_is_said(tmp_path: Path) -> None:
    ran = looked_at("dedupe", write(tmp_path), "--json", "--save-model", tmp_path / "model.json")
    assert "none was saved" in ran.err
    assert not (tmp_path / "model.json").exists()


@pytest.mark.parametrize("option", ["--pairs", "--save-model"])
@pytest.mark.parametrize(
    "place", ["people.csv", "missing/x", ".", "labels.csv", "model.json", "clusters.csv"]
)
def test_a_result_is_not_written_over_what_is_used(file: Path, option: str, place: str) -> None:
    folder, before = file.parent, file.read_bytes()
    words = (
        "--labels",
        folder / "labels.csv",
        "--model",
        folder / "model.json",
        "--out",
        folder / "clusters.csv",
    )
    assert "name another file" in refused("dedupe", file, *words, option, folder / place)
    assert file.read_bytes() == before
