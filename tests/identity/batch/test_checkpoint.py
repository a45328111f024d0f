"""A run that was cut off goes on to the result of one that was not; what is not its own or not whole is never used."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pytest

from crmcore.errors import UnusableCheckpoint
from crmcore.identity.batch import checkpoint_key, work
from crmcore.identity.batch.checkpoint import Checkpoint, Key
from crmcore.identity.batch.field_encoding import encoded
from crmcore.identity.batch.folder_lock import locked, released
from crmcore.identity.batch.grading import PairGrader
from crmcore.identity.batch.reading import fields_of
from crmcore.identity.model.columns import COLUMNS
from crmcore.identity.model.learning import Matcher
from crmcore.identity.model.policy import UNIT, Policy
from crmcore.identity.table_deduplication import dedupe_table
from tests.identity.batch.test_dedupe import PEOPLE, same
from tests.identity.model.invented import households

PORTION = 300
ROWS = households(50)
CHILD = """
import sys
from crmcore.identity.batch import work
from crmcore.identity import dedupe_table
work.PORTION = int(sys.argv[3])
dedupe_table(sys.argv[1], checkpoint=sys.argv[2])
"""
UNINTERRUPTED = dedupe_table(ROWS)
MODEL = UNINTERRUPTED.learned.model if UNINTERRUPTED.learned is not None else None


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "PORTION", PORTION)


class Graded:
    """Counts the pairs that were compared for portions."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pairs = 0
        usual = PairGrader.patterns

        def patterns(grader: PairGrader, a: Any, b: Any, on_done: Any = None) -> Any:
            self.pairs += len(a)
            return usual(grader, a, b, on_done)

        monkeypatch.setattr(PairGrader, "patterns", patterns)


def cut_off(folder: Path, after: int = 1, rows: Any = ROWS, *arguments: Any, **options: Any) -> None:
    """A run that is interrupted once it has told of so much progress."""
    told = 0

    def stop(done: int, total: int) -> None:
        nonlocal told
        told += 1
        if told == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dedupe_table(rows, *arguments, checkpoint=folder, on_progress=stop, **options)


def parts(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".part")


def children(path: Path, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    left_out = ("COVERAGE_PROCESS_START",)
    env = {name: value for name, value in os.environ.items() if name not in left_out}
    env["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
    while True:
        yield subprocess.Popen([sys.executable, "-c", CHILD, path, folder, str(PORTION)], env=env)


def test_a_run_that_is_killed_at_any_moment_goes_on_to_the_equal_result(tmp_path: Path) -> None:
    """Killed by the system, several times over, at random once it has begun to keep something."""
    chance = Random()
    names = [name for name in ROWS[0] if name != "cluster"]
    path, folder = tmp_path / "rows.csv", tmp_path / "checkpoint"
    pa.csv.write_csv(pa.table({name: [row.get(name, "") for row in ROWS] for name in names}), path)
    before, killed = -1, 0
    for child in children(path, folder):
        deadline = time.monotonic() + 40
        while child.poll() is None and time.monotonic() < deadline:
            if folder.exists() and len(parts(folder)) > before:
                time.sleep(chance.random() * 0.02)
                break
            time.sleep(0.002)
        child.send_signal(signal.SIGKILL)
        child.wait()
        if child.returncode != -signal.SIGKILL:
            break
        killed += 1
        before = len(parts(folder)) if folder.exists() else -1
        if killed == 3:
            break
    assert killed
    found = dedupe_table(path, checkpoint=folder)
    same(found, dedupe_table(path))
    assert found.resumed or child.returncode == 0
    # Whoever is killed between making the folder and its mark leaves an empty one.
    assert not folder.exists() or not list(folder.iterdir())


@pytest.mark.parametrize("matcher", [None, MODEL], ids=["learning", "model"])
def test_what_was_done_is_not_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, matcher: Any
) -> None:
    whole = dedupe_table(ROWS, matcher)
    graded = Graded(monkeypatch)
    cut_off(tmp_path / "c", 3, ROWS, matcher)
    assert parts(tmp_path / "c") == [
        "candidates.part",
        *(f"patterns-{number:06}.part" for number in range(3)),
    ]
    graded.pairs = 0
    dedupe_table(ROWS, matcher)
    alone, graded.pairs = graded.pairs, 0
    found = dedupe_table(ROWS, matcher, checkpoint=tmp_path / "c")
    assert graded.pairs == alone - 3 * PORTION
    assert found.resumed
    assert not whole.resumed
    same(found, whole)


def test_an_interrupt_at_any_step_leaves_a_whole_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writing of every part is cut off half way, and the next call goes on."""
    steps = 0
    usual = os.fsync

    def fsync(opened: int) -> None:
        nonlocal steps
        if stat.S_ISREG(os.fstat(opened).st_mode):
            steps += 1
            if steps % 2:
                os.ftruncate(opened, 40)
                raise KeyboardInterrupt
        usual(opened)

    monkeypatch.setattr(os, "fsync", fsync)
    for _ in range(40):
        try:
            found = dedupe_table(ROWS, checkpoint=tmp_path / "c")
            break
        except KeyboardInterrupt:
            pass
    else:
        pytest.fail("it never ended")
    assert steps > 8
    assert found.notes == UNINTERRUPTED.notes
    same(found, UNINTERRUPTED)


def test_a_model_that_was_learned_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from crmcore.identity.batch import table_learning, table_run

    def stop(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(table_run.TableRun, "outcome", stop)
        with pytest.raises(KeyboardInterrupt):
            dedupe_table(ROWS, checkpoint=tmp_path / "c")
    assert "learned.part" in parts(tmp_path / "c")
    monkeypatch.setattr(table_learning, "train", stop)
    same(dedupe_table(ROWS, checkpoint=tmp_path / "c"), UNINTERRUPTED)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "swap"])
def test_a_damaged_part_is_worked_out_anew_and_said(tmp_path: Path, damage: str) -> None:
    cut_off(tmp_path, 3)
    for name in parts(tmp_path):
        path = tmp_path / name
        raw = bytearray(path.read_bytes())
        other = (tmp_path / "patterns-000001.part").read_bytes()
        raw[len(raw) // 2] ^= 1
        changed: dict[str, bytes] = {"cut": bytes(raw[:-9]), "flip": bytes(raw), "empty": b"", "swap": other}
        path.write_bytes(changed[damage])
    found = dedupe_table(ROWS, checkpoint=tmp_path)
    assert found.notes[-1] == "a part of the checkpoint was damaged and was worked out anew"
    assert found.labels == UNINTERRUPTED.labels
    assert list(tmp_path.iterdir()) == []


OTHER: dict[str, dict[str, Any]] = {
    "kind": {"kind": "person"},
    "apart": {"apart": [(0, 1)]},
    "together": {"together": [(0, 1)]},
    "excluded": {"excluded": {3: "x"}},
    "sources": {"sources": ["a"] * len(ROWS)},
    "further": {"further": (5,)},
    "budget": {"matcher": Matcher(budget=50)},
    "columns": {"matcher": Matcher.for_fields(without=["phone"])},
    "threshold": {"matcher": Matcher(policy=Policy(threshold=UNIT))},
    "rules": {"matcher": Matcher(policy=Policy(rules=()))},
    "model": {"matcher": MODEL},
}


def key(rows: Any = ROWS, **options: Any) -> Key:
    found = encoded(fields_of(rows), None)
    assert found is not None
    usual: dict[str, Any] = {
        "matcher": Matcher(), "kind": None, "apart": (), "together": (), "excluded": {}, "sources": None,
    }  # fmt: skip
    return checkpoint_key.key_of(found, **{**usual, **options})


def test_the_key_tells_all_that_can_change_a_result() -> None:
    keys = [key(), *(key(**options) for options in OTHER.values())]
    keys += [key(ROWS[::-1]), key(ROWS[:-1]), key([*ROWS[:-1], {**ROWS[-1], "city": "elsewhere"}])]
    keys += [key([*ROWS[:-1], {**ROWS[-1], "occupation": "baker"}])]
    assert len({one.digest for one in keys}) == len(keys)
    assert key() == key([dict(row) for row in ROWS])


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [(ROWS[:-1], {}, "of another table"), (ROWS, {"apart": [(0, 1)]}, "of other options")],
)
def test_another_table_or_option_starts_anew_and_says_so(
    tmp_path: Path, rows: Any, options: dict[str, Any], said: str
) -> None:
    cut_off(tmp_path, 2)
    found, expected = dedupe_table(rows, checkpoint=tmp_path, **options), dedupe_table(rows, **options)
    assert found.notes == (*expected.notes, f"started anew: the checkpoint was {said}")
    assert found.labels == expected.labels
    assert not found.resumed


def test_another_version_starts_anew_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off(tmp_path, 2)
    monkeypatch.setattr("crmcore.__version__", "9.9")
    found = dedupe_table(ROWS, checkpoint=tmp_path)
    assert found.notes[-1] == "started anew: the checkpoint was of another version of crmcore or of a library"


@pytest.mark.parametrize("mark", [b"", b"{", b"[]", b'{"tag": "x"}', b"\xff" * 9])
def test_a_mark_that_is_damaged_or_somebody_elses_is_refused_and_left(tmp_path: Path, mark: bytes) -> None:
    cut_off(tmp_path, 2)
    (tmp_path / "checkpoint.json").write_bytes(mark)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(UnusableCheckpoint, match="or a damaged one"):
        dedupe_table(ROWS, checkpoint=tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_progress_and_the_memory_limit_are_no_other_options(tmp_path: Path) -> None:
    cut_off(tmp_path, 2)
    assert dedupe_table(ROWS, checkpoint=tmp_path, memory_limit=1 << 40).resumed


def test_a_folder_with_anything_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    for name in ("thesis.txt", "candidates.part", "lock", "weights.part", "patterns-1.part"):
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_text("mine")
        with pytest.raises(UnusableCheckpoint, match="holds other files"):
            dedupe_table(ROWS, checkpoint=folder)
        assert [path.name for path in folder.iterdir()] == [name]
    for place in (tmp_path / "thesis" / "thesis.txt", tmp_path / "none" / "c"):
        with pytest.raises(UnusableCheckpoint, match="name another folder"):
            dedupe_table(ROWS, checkpoint=place)


def test_a_folder_that_another_run_uses_is_refused(tmp_path: Path) -> None:
    held = locked(tmp_path / "lock")
    with pytest.raises(UnusableCheckpoint, match="another run uses"):
        dedupe_table(ROWS, checkpoint=tmp_path)
    released(held)
    assert dedupe_table(ROWS, checkpoint=tmp_path).labels == UNINTERRUPTED.labels


def test_a_disk_that_is_full_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(opened: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnusableCheckpoint, match="No space left"):
        dedupe_table(ROWS, checkpoint=tmp_path / "c")


def test_columns_of_ones_own_have_no_checkpoint(tmp_path: Path) -> None:
    import attrs

    own = [attrs.evolve(column) if column.name == "city" else column for column in COLUMNS]
    with pytest.raises(UnusableCheckpoint, match="columns of your own"):
        dedupe_table(ROWS, Matcher(columns=tuple(own)), checkpoint=tmp_path)


def test_a_checkpoint_is_for_its_owner_alone_and_holds_no_cell(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    cut_off(folder, 3)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    kept = b""
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        kept += path.read_bytes()
    cells = {text for row in ROWS for text in row.values() if len(text) > 4}
    assert [text for text in cells if text.casefold().encode() in kept.lower()] == []


@pytest.mark.parametrize("rows", [[], PEOPLE[:3], [{"employer": "Foster", "org_name": "Acme"}] * 12])
def test_where_the_reference_decides_no_checkpoint_is_left(tmp_path: Path, rows: Any) -> None:
    same(dedupe_table(rows, checkpoint=tmp_path / "c"), dedupe_table(rows))
    assert not (tmp_path / "c").exists()


def test_a_part_is_one_of_its_own_name_and_key(tmp_path: Path) -> None:
    kept = Checkpoint(tmp_path)
    key = Key(table="t", options="o", version="v")
    kept.begin(key)
    kept.put("learned", {}, json.dumps({"model": 5}))
    (tmp_path / "candidates.part").write_bytes((tmp_path / "learned.part").read_bytes())
    assert kept.get("candidates") is None
    assert kept.get("learned") is not None
    assert work.Work(kept).learned(Matcher()) is None
    kept.close()


def test_a_folder_that_was_there_before_is_there_afterwards(tmp_path: Path) -> None:
    cut_off(tmp_path, 2)
    assert dedupe_table(ROWS, checkpoint=tmp_path).resumed
    assert list(tmp_path.iterdir()) == []
    own = tmp_path / "own"
    cut_off(own, 2)
    assert dedupe_table(ROWS, checkpoint=own).resumed
    assert not own.exists()


def test_rows_that_go_one_by_one_leave_another_tables_checkpoint(tmp_path: Path) -> None:
    cut_off(tmp_path, 2)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    two = [
        {"full_name": f"Ann {at}", "employer": "Acme", "org_name": "Foster", "birth_date": "1980-01-01"}
        for at in range(9)
    ]
    assert dedupe_table(two, checkpoint=tmp_path).engine == "reference"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
