"""The report tells all that was asked for, what failed too, and measures nothing twice."""

from __future__ import annotations

import csv
import doctest
import json
import shlex
import sys
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.benchmarks.identity import measuring, plots, report

GOOD = {"seconds": 3.0, "whole": 4.0, "memory": 200, "rows": 60, "compared": 9, "f1": 0.9, "bcubed": None}


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A few people, some of whom are there twice."""
    chance, path = Random(2), tmp_path / "people.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["given_name", "family_name", "birth_date", "email", "cluster"])
        for number in range(40):
            name = "".join(chance.choices("abdeginorst", k=6))
            row = ["ann", name, f"{1950 + number}-03-{10 + number % 9}", f"{name}@x.example", number]
            writer.writerows([row] * (2 if number % 2 else 1))
    return path


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that crmcore was run on, which it is not really."""
    seen: list[str] = []

    def ours(path: Path) -> dict[str, Any]:
        seen.append(path.stem)
        return dict(GOOD, rows=path.stat().st_size)

    monkeypatch.setattr(measuring, "ours", ours)
    monkeypatch.setattr(measuring, "busy", lambda: 0.0)
    return seen


def peer(name: str, program: str) -> str:
    """The argument for a peer that runs a Python program."""
    return f"{name}={shlex.join([sys.executable, '-c', program])} {{file}}"


SAYS = 'print(\'x\'); print(\'RESULT {"seconds_total": 6, "peak_rss_mb": 400, "f1": 0.8, "f1_at_default": 0.7}\')'


def made(out: Path, *arguments: str | Path) -> str:
    assert report.main([*map(str, arguments), "--out", str(out), "--load", "0", "--runs", "1"]) == 0
    return (out / "report.md").read_text(encoding="utf-8")


def test_a_tiny_file_is_measured_and_told(people: Path, tmp_path: Path) -> None:
    text = made(tmp_path / "out", people)
    (row,) = (line for line in text.splitlines() if line.startswith("| people "))
    assert row.split("|")[2:5] == [" 60 ", " 1.0000 ", " 1.0000 "]
    kept = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    ((one,),) = kept["rounds"].values()
    assert one["crmcore"]["whole"] > one["crmcore"]["seconds"] > 0
    for name in ("seconds", "memory"):
        assert ElementTree.parse(tmp_path / "out" / f"{name}.svg").getroot().tag.endswith("svg")
        assert f'src="{name}.svg"' in text
    assert not (tmp_path / "out" / "ratios.svg").exists()


def test_a_peer_stands_beside_with_its_ratios(people: Path, tmp_path: Path, runs: list[str]) -> None:
    text = made(tmp_path, people, "--peer", peer("other", SAYS))
    (row,) = (line for line in text.splitlines() if line.startswith("| people | other |"))
    assert "0.8000 (0.7000 at its default) / 0.9000 | 6.00 / 3.00 | 2.0x" in row
    assert row.endswith("400 / 200 | 50% |")
    assert "The whole process of other has in it whatever the peer measures of itself" in text
    told = SAYS.replace('{"', '{"told": 0.01, "', 1)
    assert "has in it" not in made(tmp_path, people, "--peer", peer("other", told))
    assert "people: other: 2.0 times" in (tmp_path / "ratios.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("import sys; sys.exit('no engine in /data/of/me/engine')", "failed: exit 1: no engine in engine"),
        ("print('done')", "failed: its last line is no JSON with the seconds it took"),
        ("import time; time.sleep(60)", "failed: not done after 0.5 s"),
    ],
)
def test_a_peer_that_fails_is_shown_as_failed(
    program: str, why: str, people: Path, tmp_path: Path, runs: list[str]
) -> None:
    text = made(tmp_path, people, "--peer", peer("other", program), "--timeout", "0.5")
    assert f"| people | other | {why} |" in text
    assert "people: other: failed" in (tmp_path / "ratios.svg").read_text(encoding="utf-8")
    assert made(tmp_path, people, "--peer", peer("other", program), "--timeout", "0.5") == text
    assert runs == ["people"] * 2, "what failed is tried again"


def test_a_peer_that_is_not_there_is_shown_as_failed(people: Path, tmp_path: Path, runs: list[str]) -> None:
    text = made(tmp_path, people, "--peer", "other=no-such-command {file}")
    assert "| people | other | failed: FileNotFoundError: No such file or directory |" in text


def test_crmcore_that_fails_is_shown_as_failed(tmp_path: Path) -> None:
    path = tmp_path / "nothing.csv"
    path.write_text("one,two\n1,2\n", encoding="utf-8")
    assert "| nothing | failed: exit 1: " in made(tmp_path, path)


def test_what_is_there_is_not_measured_again(people: Path, tmp_path: Path, runs: list[str]) -> None:
    first = made(tmp_path, people, "--peer", peer("other", SAYS))
    assert made(tmp_path, people, "--peer", peer("other", SAYS)) == first
    assert runs == ["people"]
    made(tmp_path, people, "--peer", peer("other", "0;" + SAYS))
    assert runs == ["people"] * 2, "another command"
    with people.open("a", encoding="utf-8") as file:
        file.write("bob,doe,,,99\n")
    made(tmp_path, people, "--peer", peer("other", SAYS))
    assert runs == ["people"] * 3, "another file under its name"
    made(tmp_path, people, "--peer", peer("other", SAYS), "--again")
    assert runs == ["people"] * 4


def test_figures_of_other_code_are_measured_anew(
    people: Path, tmp_path: Path, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, people)
    monkeypatch.setattr(measuring, "code", lambda: "other")
    assert "code other" in made(tmp_path, people)
    assert runs == ["people"] * 2


def test_a_run_that_was_interrupted_goes_on_where_it_was(
    people: Path, tmp_path: Path, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = people.with_name("more.csv")
    other.write_text(people.read_text(encoding="utf-8") + "bob,doe,,,99\n", encoding="utf-8")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(measuring, "theirs", interrupted)
        with pytest.raises(KeyboardInterrupt):
            made(tmp_path, people, other, "--peer", peer("other@more", SAYS))
    text = made(tmp_path, people, other, "--peer", peer("other@more", SAYS))
    assert runs == ["people", "more", "more"]
    assert "The time grows with the rows to the power of 0.00" in text


def test_what_is_written_names_no_place(people: Path, tmp_path: Path, runs: list[str]) -> None:
    made(tmp_path / "out", people, "--peer", peer("other", SAYS), "--peer", "bad=/no/such/place/x {file}")
    for path in (tmp_path / "out").iterdir():
        text = path.read_text(encoding="utf-8")
        assert str(tmp_path) not in text
        assert "/no/such" not in text
        assert sys.executable not in text


def test_a_machine_that_was_busy_is_told(
    people: Path, tmp_path: Path, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "must be measured again" not in made(tmp_path, people)
    monkeypatch.setattr(measuring, "busy", lambda: 0.5)
    assert "Other work kept up to 50% of the processors busy" in made(tmp_path, people, "--again")


@pytest.mark.parametrize("module", [measuring, plots])
def test_its_examples_run(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0
