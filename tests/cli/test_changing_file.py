"""A CSV file that somebody writes while it is deduplicated: nobody is shown the values of somebody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crmcore.app.deduplication import notes_of
from tests.cli.commands import refused, write
from tests.cli.reviewing import DOUBTFUL

OTHERS = [
    DOUBTFUL.replace("Ann Lee", "Zoe Zett"),
    "\n".join([*DOUBTFUL.splitlines()[:1], *reversed(DOUBTFUL.splitlines()[1:])]),
    "rec_id\n",
    "",
    b"\xff\xfe\x00",
    None,
]


@pytest.mark.parametrize("other", OTHERS, ids=["a value", "the order", "columns", "empty", "no text", "gone"])
def test_a_file_that_changes_during_the_run_gets_no_page_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str | bytes | None
) -> None:
    file, page, out = write(tmp_path, DOUBTFUL), tmp_path / "review.html", tmp_path / "c.csv"

    def changing(found: Any) -> Any:  # called when all is decided and nothing is written yet
        file.unlink()
        if other is not None:
            write(tmp_path, other)
        return notes_of(found)

    monkeypatch.setattr("crmcore.cli.dedupe_file.notes_of", changing)
    assert "changed while it was read" in refused("dedupe", file, "--out", out, "--review", page)
    assert not page.exists()
    assert not out.exists()
