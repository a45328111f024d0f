"""The store that a command names: never somebody else's file, never made by mistake, never waited for too long."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from crmcore.cli.stores import PATIENCE
from tests.cli.commands import customer, done, ended, refused, sentence, start, store_of, write

READING = [
    ["show", "Ann"],
    ["merge", "Ann", "Bo"],
    ["unmerge", "01900000-0000-7000-8000-000000000000"],
    ["dedupe"],
]
ALL = [*READING, ["import", "people.csv"]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    return tmp_path


@pytest.mark.parametrize("words", ALL, ids=lambda words: words[0])
def test_a_file_of_somebody_else_is_left_alone(folder: Path, words: Sequence[str]) -> None:
    foreign = sqlite3.connect(folder / "foreign.db")
    foreign.execute("CREATE TABLE invoice (total)")
    foreign.close()
    write(folder, "no database at all\n" * 100, "text.db")
    write(folder, b"SQLite format 3\0" + bytes(5000), "damaged.db")
    for name in ("foreign.db", "text.db", "damaged.db", "people.csv"):
        before = (folder / name).read_bytes()
        assert name in refused(*words, "--store", name)
        assert (folder / name).read_bytes() == before


@pytest.mark.parametrize("words", READING, ids=lambda words: words[0])
def test_only_an_import_makes_a_store(folder: Path, words: Sequence[str]) -> None:
    write(folder, b"", "empty.db")
    assert "no store file" in refused(*words, "--store", "missing.db")
    assert "is empty" in refused(*words, "--store", "empty.db")
    assert sorted(file.name for file in folder.iterdir()) == ["empty.db", "people.csv"]
    assert (folder / "empty.db").read_bytes() == b""


@pytest.mark.parametrize("words", ALL, ids=lambda words: words[0])
@pytest.mark.parametrize("place", ["missing/crm.db", ".", "people.csv/crm.db", "x" * 300, ":memory:"])
def test_a_place_that_cannot_hold_a_store_is_refused(folder: Path, words: Sequence[str], place: str) -> None:
    refused(*words, "--store", place)
    assert [file.name for file in folder.iterdir()] == ["people.csv"]


def test_an_empty_file_may_become_a_store(folder: Path) -> None:
    write(folder, b"", "crm.db")
    done("import", "people.csv", "--store", "crm.db")
    done("show", "Ann", "--store", "crm.db")


def test_a_locked_store_is_read_but_not_waited_for_without_end(folder: Path) -> None:
    store = store_of(folder)
    write(folder, b"", "new.db")
    write(folder, "Id,Name\n9,Zoe Young\n", "more.csv")
    writer = sqlite3.connect(store, isolation_level=None)
    other = sqlite3.connect("new.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN EXCLUSIVE")
    begun = time.monotonic()
    try:
        started = [
            start("import", "more.csv", "--store", "crm.db"),
            start("merge", "Ann", "Bo", "--store", "crm.db"),
            start("import", "more.csv", "--store", "new.db"),
        ]
        assert "Ann Lee" in done("show", "Ann", "--store", store).out
        ran = [ended(process) for process in started]
        assert PATIENCE < time.monotonic() - begun < PATIENCE + 15
    finally:
        writer.close()
        other.close()
    assert [one.code for one in ran] == [1, 1, 1]
    assert {sentence(one.err) for one in ran} == {
        "another program keeps the store locked: wait for it to end, then run the command again"
    }
    refused("show", "Zoe", "--store", store)
    done("import", "more.csv", "--store", store)
    assert customer(store, "Zoe Young")
