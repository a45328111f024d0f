"""A file that changes while it is read is refused, whatever came of reading it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from crmcore.errors import UnreadableFile
from crmcore.identity.table_deduplication import dedupe_table
from crmcore.identity.unchanged_file import FileState, unchanged

TEXT = "given_name,city\nann,york\nbo,kiel\n"


def longer(path: Path) -> None:
    with path.open("a") as file:
        file.write("cy,brno\n")


def rewritten(path: Path) -> None:
    """Of the same size and age."""
    found = path.stat()
    path.write_text(TEXT.replace("ann", "eve"))
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def replaced(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_text(TEXT)
    other.replace(path)


def ragged(path: Path) -> None:
    path.write_text(TEXT + "secret,too,many,cells\n")


@pytest.mark.parametrize("change", [longer, rewritten, replaced, ragged, Path.unlink])
def test_a_csv_file_that_changes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], None]
) -> None:
    path = tmp_path / "people.csv"
    path.write_text(TEXT)
    usual = pa.csv.read_csv

    def read_csv(*arguments: Any, **options: Any) -> Any:
        time.sleep(0.02)  # the system's clock ticks that often
        change(path)
        return usual(*arguments, **options)

    monkeypatch.setattr(pa.csv, "read_csv", read_csv)
    with pytest.raises(UnreadableFile, match=r"people\.csv changed while it was read: "):
        dedupe_table(path)


def test_a_parquet_file_that_changes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "people.parquet"
    pa.parquet.write_table(pa.table({"city": ["york"]}), path)
    usual = pa.parquet.read_table

    def read_table(*arguments: Any) -> Any:
        found = usual(*arguments)
        path.touch()
        return found

    monkeypatch.setattr(pa.parquet, "read_table", read_table)
    with pytest.raises(UnreadableFile, match="changed while it was read"):
        dedupe_table(path)


def test_a_file_that_changed_between_two_readings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(TEXT)
    since = FileState.of(path)
    with unchanged(path, since) as state:
        assert state == since
    longer(path)
    with pytest.raises(UnreadableFile, match="changed"), unchanged(path, since):
        pytest.fail("it was not noticed")


def test_what_else_is_wrong_with_a_file_that_stays_is_said_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(TEXT)
    with pytest.raises(ZeroDivisionError), unchanged(path):
        raise ZeroDivisionError
