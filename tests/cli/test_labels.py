"""``crmcore dedupe FILE --labels``: what people said holds, and tells how far the scores can be trusted."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from crmcore.cli.calibrating import LEAST_LABELS, likely_from
from crmcore.identity.calibration import calibrate
from crmcore.identity.model.policy import Policy
from tests.cli.commands import done, refused, write
from tests.cli.recorded import FIELDS, of, people, read, table

ROWS = people()
COLUMNS = ("rec_id_a", "rec_id_b", "same")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return table(tmp_path / "people.csv", ROWS)


def label(a: str, b: str, same: str) -> dict[str, str]:
    return {"rec_id_a": a, "rec_id_b": b, "same": same}


def labels(file: Path, *rows: dict[str, str]) -> Path:
    return table(file.parent / "labels.csv", rows, COLUMNS)


def judged(file: Path) -> list[dict[str, str]]:
    """Labels on the pairs that are linked, as they truly are, strongest first; and on as many others."""
    done("dedupe", file, "--json", "--pairs", file.parent / "all.csv")
    pairs = [pair for pair in read(file.parent / "all.csv") if pair["verdict"] == "same"]
    ids = [row["rec_id"] for row in ROWS]
    true = [label(pair["rec_id_a"], pair["rec_id_b"], "yes") for pair in pairs]
    return [*true, *(label(a, b, "no") for a, b in pairwise(ids) if of(a) != of(b))]


def summary(file: Path, path: Path, *words: object) -> Any:
    return done("dedupe", file, "--labels", path, "--json", *words).json


def test_labels_are_decisions(file: Path) -> None:
    first, *_, other = [row for row in ROWS if of(row["rec_id"]) in ("3", "7")]
    linked = next(pair for pair in judged(file) if pair["same"] == "yes")
    stranger = next(row["rec_id"] for row in ROWS if of(row["rec_id"]) == "11")
    path = labels(
        file,
        label(linked["rec_id_a"], linked["rec_id_b"], "NO"),
        label(stranger, first["rec_id"], "true"),
        label(stranger, other["rec_id"], ""),
    )
    out, pairs = file.parent / "clusters.csv", file.parent / "pairs.csv"
    ran = done("dedupe", file, "--labels", path, "--out", out, "--pairs", pairs)
    assert "2 labelled pairs in labels.csv: 1 the same, 1 different, 1 row without an answer" in ran.out
    cluster = {row["rec_id"]: row["cluster"] for row in read(out)}
    assert cluster[linked["rec_id_a"]] != cluster[linked["rec_id_b"]]
    assert cluster[stranger] == cluster[first["rec_id"]]
    said = [pair for pair in read(pairs) if pair["explanation"].startswith("labelled the same; ")]
    assert {said[0]["rec_id_a"], said[0]["rec_id_b"]} == {stranger, first["rec_id"]}
    assert len(said) == 1


def test_few_labels_report_and_move_nothing(file: Path) -> None:
    found = summary(file, labels(file, *judged(file)[-20:]))
    assert found["labels"]["compared"] == 20
    assert not found["labels"]["used"]
    assert found["threshold_bits"] == 0


def test_labels_that_agree_with_the_threshold_leave_it(file: Path) -> None:
    found = summary(file, labels(file, *judged(file)))
    assert found["labels"]["compared"] > LEAST_LABELS
    assert "no label speaks against" in found["labels"]["refusal"]
    assert found["threshold_bits"] == 0
    table = found["labels"]["reliability"]
    assert sum(bin["pairs"] for bin in table) == found["labels"]["compared"]
    assert table[0]["observed"] < table[-1]["observed"]


def test_labels_move_the_threshold_unless_one_was_typed(file: Path) -> None:
    pairs = judged(file)
    true = [pair for pair in pairs if pair["same"] == "yes"]
    # As if the weaker half of the links were of different people; groups are labelled once so as not to contradict.
    once = {of(pair["rec_id_a"]): pair for pair in reversed(true)}
    kept = sorted(once.values(), key=true.index)
    half = len(kept) // 2
    said = [*kept[:half], *({**pair, "same": "no"} for pair in kept[half:])]
    path = labels(file, *said)
    found = summary(file, path)
    assert found["labels"]["used"]
    assert found["threshold_bits"] == found["labels"]["threshold_bits"] > 1
    ran = done("dedupe", file, "--labels", path, "--out", file.parent / "c.csv")
    assert "not as predicted" in ran.out
    assert "bits on: used" in ran.out
    typed = summary(file, path, "--threshold", "1")
    assert (typed["threshold_bits"], typed["labels"]["refusal"]) == (1, "--threshold says otherwise")


def test_the_threshold_follows_from_the_costs() -> None:
    staircase = calibrate(
        [(0, False, 1), (10, True, 1), (10, False, 1), (20, True, 3), (20, False, 1), (30, True, 1)]
    )
    assert [likely_from(staircase, Policy(false_merge=cost)) for cost in (1, 2, 3, 4)] == [10, 20, 20, 30]
    assert likely_from(calibrate([(0, False, 1)]), Policy()) is None


def test_rules_give_no_probabilities_and_labels_still_hold(tmp_path: Path) -> None:
    path = write(tmp_path, "name,email\nAnn Lee,a@x.org\nAnn Lee,a@x.org\nBo Hill,b@x.org\n")
    said = write(tmp_path, "rec_id_a,rec_id_b,same\n2,3,no\n2,4,yes\n", "labels.csv")
    words = ("--map", "name=full_name", "--out", tmp_path / "c.csv")
    assert "since rules decided" in done("dedupe", path, *words, "--labels", said).out
    assert [row["cluster"] for row in read(tmp_path / "c.csv")] == ["0", "1", "0"]


def test_a_record_that_must_not_be_linked_is_linked_by_no_label(tmp_path: Path) -> None:
    rows = [{**row, "locked": "x" if at == 0 else ""} for at, row in enumerate(ROWS)]
    path = table(tmp_path / "people.csv", rows, (*FIELDS, "locked"))
    said = labels(path, label(rows[0]["rec_id"], rows[1]["rec_id"], "yes"))
    done("dedupe", path, "--out", tmp_path / "c.csv", "--exclude", "locked", "--labels", said)
    found = [row["cluster"] for row in read(tmp_path / "c.csv")]
    assert found.count(found[0]) == 1
    assert "1 label not used" in summary(path, said, "--exclude", "locked")["notes"][-1]


HEAD = "rec_id_a,rec_id_b,same\n"
A, B, C = (row["rec_id"] for row in ROWS[:3])
REFUSED = {
    "unknown": (f"{HEAD}{A},nobody,yes\n", "does not have"),
    "itself": (f"{HEAD}{A},{A},yes\n", "one record twice"),
    "neither": (f"{HEAD}{A},{B},perhaps\n", "something else than yes"),
    "contrary": (f"{HEAD}{A},{B},yes\n{B},{A},0\n", "row 3) contradict"),
    "around a corner": (f"{HEAD}{A},{B},yes\n{B},{C},1\n{A},{C},no\n", "apart in row 4"),
    "cells": (f"{HEAD}{A},{B}\n", "too_few_cells"),
    "huge": (f"{HEAD}{A},{B},{'x' * 2_000_000}\n", "cell_too_large"),
    "columns": ("a,b\n1,2\n", "rec_id_a, rec_id_b, same"),
    "empty": ("", "is empty"),
    "no rows": (HEAD, "no labelled pair"),
    "blank": (f"{HEAD}{A},{B},\n", "no labelled pair"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_labels_that_cannot_be_used_are_refused(file: Path, name: str) -> None:
    content, says = REFUSED[name]
    said = refused("dedupe", file, "--json", "--labels", write(file.parent, content, "labels.csv"))
    assert says in said
    assert "labels.csv" in said
    assert "nobody" not in said
    assert "perhaps" not in said


def test_labels_that_are_not_there_or_name_no_single_record_are_refused(file: Path) -> None:
    refused("dedupe", file, "--json", "--labels", file.parent)
    refused("dedupe", file, "--json", "--labels", file.parent / "missing.csv")
    twice = write(file.parent, "rec_id,full_name\n1,Ann Lee\n1,Bo Hill\n2,Cy Moss\n", "twice.csv")
    said = write(file.parent, f"{HEAD}1,2,no\n", "labels.csv")
    assert "several rows of twice.csv" in refused("dedupe", twice, "--json", "--labels", said)
