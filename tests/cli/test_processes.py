"""Commands in processes of their own: killed, interrupted, piped, and on a terminal."""

from __future__ import annotations

import os
import pty
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from crmcore import Crm
from tests.cli.commands import Ran, done, ended, sentence, start, store_of, write

ROWS = 1_200


def many(folder: Path, count: int = ROWS) -> Path:
    rows = (f"{n},Person{n} Lee,p{n}@x.org,Leeds\n" for n in range(count))
    return write(folder, "Id,Name,Email,Town\n" + "".join(rows), "many.csv")


def stop_while_writing(process: subprocess.Popen[str], store: Path, number: int) -> Ran:
    """Send a signal once some rows, but not all, are committed."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not 0 < committed(store) < ROWS and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    return ended(process)


def committed(store: Path) -> int:
    """How many parties others can read."""
    if not store.exists():
        return 0
    connection = sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)
    try:
        return int(connection.execute("SELECT count(*) FROM record WHERE kind = 'party'").fetchone()[0])
    except sqlite3.OperationalError:  # its tables are not there yet
        return 0
    finally:
        connection.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_an_import_that_was_stopped_is_finished_by_the_same_command(
    tmp_path: Path, number: int, code: int
) -> None:
    path, store = many(tmp_path), tmp_path / "crm.db"
    words = ["import", path, "--store", store, "--id-column", "Id"]
    ran = stop_while_writing(start(*words), store, number)
    assert ran.code == code
    assert "written in" not in ran.out
    if code == 130:
        assert sentence(ran.err).startswith("interrupted")
    there = committed(store)
    assert 0 < there < ROWS
    [document] = done(*words, "--json").json
    assert document["counts"]["unchanged"] == there
    assert document["counts"]["created"] == ROWS - there
    assert document["rows_in"] == ROWS == committed(store)
    [again] = done(*words, "--json").json
    assert again["counts"]["unchanged"] == ROWS
    with Crm.open(store) as crm:
        parties = [customer.members[0] for customer in crm.customers.page(limit=50).items]
        assert {event.type for id in parties for event in crm.parties.history(id)} == {"party.added"}


def test_python_m_crmcore_is_the_same_command(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    assert ended(start("show", "Ann", "--store", store)) == done("show", "Ann", "--store", store)
    ran = ended(start())
    assert (ran.code, ran.out) == (2, "")
    assert "COMMAND" in sentence(ran.err)


@pytest.mark.parametrize("words", [["show", "Ann"], ["show", "Ann", "--json"], ["show", "--help"]])
def test_output_that_nobody_reads_leaves_no_trace_of_a_stack(tmp_path: Path, words: list[str]) -> None:
    store = store_of(tmp_path)
    process = start(*words, "--store", store)
    assert process.stdout is not None
    process.stdout.close()  # like `| head -0`
    process.stdout = None
    ran = ended(process)
    assert ran.err == ""
    assert ran.code in (0, 1)


def test_an_import_whose_plan_nobody_reads_to_its_end_is_whole_or_not_there(tmp_path: Path) -> None:
    path, store = many(tmp_path, 250), tmp_path / "crm.db"
    process = start("import", path, "--store", store, "--id-column", "Id")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("many.csv")  # like `| head -1`
    process.stdout.close()
    process.stdout = None
    ran = ended(process)
    assert ran.err == ""
    assert committed(store) in (0, 250)
    done("import", path, "--store", store, "--id-column", "Id")
    assert committed(store) == 250


def test_a_full_disk_behind_the_output_is_one_sentence(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    if not Path("/dev/full").exists():
        return
    for words in (["show", "Ann"], ["show", "Ann", "--json"]):
        with open("/dev/full", "w") as full:
            ran = ended(start(*words, "--store", store, stdout=full))
        assert ran.code == 1
        assert "No space left" in sentence(ran.err)
    with open("/dev/full", "w") as full:
        assert ended(start("show", "--help", stdout=full)).err == ""


def test_nobody_listening_on_standard_error_changes_nothing(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    process = start("show", "nobody", "--store", store)
    assert process.stderr is not None
    process.stderr.close()
    process.stderr = None
    assert ended(process) == Ran(1, "", "")


def on_a_terminal(words: list[object]) -> tuple[int, str, str]:
    """The exit code, standard output, and what a terminal shows of standard error."""
    master, slave = pty.openpty()
    process = start(*words, stderr=slave)
    os.close(slave)
    shown = b""
    with os.fdopen(master, "rb", buffering=0) as terminal:
        while True:
            try:
                part = terminal.read(4096)
            except OSError:  # how Linux says that the other end is closed
                break
            if not part:
                break
            shown += part
    ran = ended(process)
    return ran.code, ran.out, shown.decode()


@pytest.mark.parametrize("as_json", [False, True])
def test_progress_is_shown_on_a_terminal_only_and_wiped_away(tmp_path: Path, as_json: bool) -> None:
    path, store = many(tmp_path, 250), tmp_path / "crm.db"
    words: list[object] = ["import", path, "--store", store, "--id-column", "Id"]
    words += ["--json"] if as_json else []
    code, out, shown = on_a_terminal(words)
    assert code == 0
    assert "\rplan: 250 of 250" in shown
    assert "\rimport: 250 of 250" in shown
    assert shown.endswith("\r"), "the last line is wiped away"
    assert shown.rpartition("\r")[0].rpartition("\r")[2].isspace()
    assert not set("\r\x1b") & set(out)
    process = ended(start("dedupe", "--store", store))
    assert (process.code, process.err) == (0, "")
