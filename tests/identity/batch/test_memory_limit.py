"""What does not fit is refused before it begins; what fits comes to the same in however small portions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from crmcore.errors import InvalidValue, MemoryLimitReached
from crmcore.identity.batch import memory_limit, work
from crmcore.identity.batch.memory_limit import Room
from crmcore.identity.table_deduplication import dedupe_table
from tests.identity.batch.test_dedupe import HOMES, same
from tests.identity.model.invented import households

ROWS = households(50)
MEGABYTE = 1 << 20
CHILD = """
import sys
from crmcore.errors import MemoryLimitReached
from crmcore.identity import dedupe_table
try:
    dedupe_table(sys.argv[1], memory_limit=int(sys.argv[2]))
    print("grouped")
except MemoryLimitReached as error:
    print(error)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    names = [name for name in rows[0] if name != "cluster"]
    pa.csv.write_csv(pa.table({name: [row.get(name, "") for row in rows] for name in names}), path)
    return path


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell")
@pytest.mark.parametrize(("limit", "said"), [(130, "would take"), (400, "grouped")])
def test_the_peak_of_a_process_is_within_the_limit_or_it_is_refused(
    tmp_path: Path, limit: int, said: str
) -> None:
    path = written(tmp_path / "rows.csv", HOMES)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    env.pop("COVERAGE_PROCESS_START", None)
    words = [sys.executable, "-c", CHILD, str(path), str(limit * MEGABYTE)]
    lines = subprocess.run(words, env=env, check=True, capture_output=True, text=True).stdout.splitlines()
    assert said in lines[0]
    assert int(lines[-1]) <= limit << 10


STAGES = ["reading the file", "reading the values", "telling records apart", "finding pairs", "comparing"]


@pytest.mark.parametrize("matcher", [None, "model"])
@pytest.mark.parametrize("stage", [*STAGES, "learning", "grouping"])
def test_a_stage_that_does_not_fit_is_refused_and_what_was_done_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, matcher: str | None
) -> None:
    path = written(tmp_path / "rows.csv", ROWS)
    whole = dedupe_table(path)
    assert whole.learned is not None
    model = None if matcher is None else whole.learned.model
    expected = dedupe_table(path, model)
    if (stage, matcher) == ("learning", "model"):
        return
    with monkeypatch.context() as patched:
        full(patched, stage)
        with pytest.raises(MemoryLimitReached, match=f"^{stage} would take .*: allow at least .* GB, or"):
            dedupe_table(path, model, checkpoint=tmp_path / "c", memory_limit=1 << 40)
    found = dedupe_table(path, model, checkpoint=tmp_path / "c", memory_limit=1 << 40)
    same(found, expected)
    assert found.resumed == (stage in ("comparing", "learning", "grouping"))


def full(patched: pytest.MonkeyPatch, stage: str) -> None:
    """From this stage on there is no room."""
    usual = Room.need

    def need(self: Room, name: str, amount: float) -> None:
        usual(self, name, amount + (1 << 41 if name == stage else 0))

    patched.setattr(Room, "need", need)


@pytest.mark.parametrize("checkpoint", [True, False])
def test_small_portions_come_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpoint: bool
) -> None:
    sizes: list[int] = []

    def portion(self: Room, each: int, most: int, least: int) -> int:
        sizes.append(1)
        return 97

    monkeypatch.setattr(Room, "portion", portion)
    monkeypatch.setattr(work, "PORTION", 500)
    kept: dict[str, Any] = {"checkpoint": tmp_path / "c"} if checkpoint else {}
    told: list[tuple[int, int]] = []
    found = dedupe_table(
        ROWS, memory_limit=1 << 40, on_progress=lambda done, of: told.append((done, of)), **kept
    )
    same(found, dedupe_table(ROWS))
    assert len(sizes) > 5
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


def test_less_room_makes_smaller_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_limit, "_held", lambda: 90 * MEGABYTE)
    monkeypatch.setattr(memory_limit, "_peak", lambda: 90 * MEGABYTE)
    assert Room().portion(400, 1 << 20, 1 << 13) == 1 << 20
    tight, wide = (Room(limit * MEGABYTE).portion(400, 1 << 20, 1 << 13) for limit in (100, 900))
    assert 1 << 13 < tight < 1 << 15 < wide == 1 << 20


def test_a_limit_that_was_passed_after_all_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = iter([50, 50, 120])
    monkeypatch.setattr(memory_limit, "_peak", lambda: next(peaks) * MEGABYTE)
    monkeypatch.setattr(memory_limit, "_held", lambda: 40 * MEGABYTE)
    room = Room(100 * MEGABYTE)
    with pytest.raises(
        MemoryLimitReached, match=r"had reached 120 MB.*limit is 100 MB: allow at least 144 MB"
    ):
        room.check("learning")


@pytest.mark.parametrize("wrong", [0, -1, True, 1.5, "2G"])
def test_a_limit_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidValue, match=": "):
        dedupe_table(ROWS, memory_limit=wrong)


@pytest.mark.parametrize("form", ["parquet", "table", "rows"])
def test_every_form_of_a_table_takes_a_limit(tmp_path: Path, form: str) -> None:
    names = [name for name in ROWS[0] if name != "cluster"]
    table = pa.table({name: [row.get(name, "") for row in ROWS] for name in names})
    pa.parquet.write_table(table, tmp_path / "rows.parquet")
    source = {"parquet": tmp_path / "rows.parquet", "table": table, "rows": iter(ROWS)}[form]
    same(dedupe_table(source, memory_limit=1 << 40), dedupe_table(ROWS))
    with pytest.raises(MemoryLimitReached):
        dedupe_table(source, memory_limit=MEGABYTE)
