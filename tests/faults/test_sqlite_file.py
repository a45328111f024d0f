"""One SQLite file under hard conditions: killed writers, a file that cannot be written, clocks, slow readers."""

from __future__ import annotations

import sqlite3
import stat
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

import attrs
import pytest

from crmcore.errors import StoreError, Unavailable
from crmcore.storage import SqliteStore, lift, run
from crmcore.testing.kit import NOW, TENANT, append, put, record, ref
from tests.faults.driver import driven_by
from tests.faults.matrix import sent
from tests.faults.sqlite_kill import kills


def test_killed_writers_leave_whole_batches_and_all_that_were_acknowledged(tmp_path: Path) -> None:
    tally = kills(tmp_path / "crm.db", 2, seed=7)
    assert not tally.bad(), str(tally)
    assert tally.acknowledged > 20
    assert tally.unknown == 6


def test_a_file_that_can_only_be_read_is_read(tmp_path: Path) -> None:
    """Root may write to any file, so it is the driver that refuses."""
    path = tmp_path / "crm.db"
    with SqliteStore(path) as store:
        store.apply(sent("1", put(ref(1))))
    before = path.read_bytes()
    real = sqlite3.connect

    def read_only(*args: object, **options: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = real(*args, **options)  # type: ignore[call-overload]  # passed on
        connection.execute("PRAGMA query_only = ON")
        return connection

    with driven_by(read_only), SqliteStore(path) as store:
        assert set(store.get([ref(1)])) == {ref(1)}
        with pytest.raises(Unavailable, match="permissions") as caught:
            store.apply(sent("2", put(ref(2))))
        assert caught.value.outcome == "not_applied"
        assert store.get([ref(2)]) == {}
    assert path.read_bytes() == before


def test_a_file_without_the_right_to_write_is_refused_or_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with SqliteStore(path) as store:
        store.apply(sent("1", put(ref(1))))
    path.chmod(stat.S_IRUSR)
    refused = None
    try:
        with SqliteStore(path) as store:
            store.apply(sent("2", put(ref(2))))
    except StoreError as error:
        refused = error.outcome
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    with SqliteStore(path) as store:
        assert (len(store.get([ref(2)])) == 0) == (refused == "not_applied")
        assert set(store.get([ref(1)])) == {ref(1)}


@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
def test_a_clock_that_jumps_breaks_nothing(hours: int, tmp_path: Path) -> None:
    """What comes after what is a matter of commits; an instant is only written down."""

    def at(number: int) -> datetime:
        return NOW + timedelta(hours=hours * (number % 3), seconds=number)

    with SqliteStore(tmp_path / "crm.db") as store:
        for number in range(9):
            batch = sent(
                str(number), put(ref(1), number, {"n": number}), append("log:1", {"n": number}, number)
            )
            store.apply(attrs.evolve(batch, at=at(number)))
            assert store.apply(attrs.evolve(batch, at=at(number + 1))).at == at(number)
        changes = store.changes(TENANT).items
        assert [change.at for change in changes[::2]] == [at(number) for number in range(9)]
        assert [change.version for change in changes[::2]] == list(range(1, 10))
        entries = store.ledger(TENANT, ["log:1"])["log:1"].items
        assert [entry.body["n"] for entry in entries] == list(range(9))
        found = run(record(lift(store), ref(1)))
        assert found is not None
        assert found.body == {"n": 8}


def test_a_slow_reader_holds_up_no_writer_and_sees_one_moment(tmp_path: Path) -> None:
    """A reader stays on its page for as long as it likes; the log that grows meanwhile is put away afterwards."""
    path = tmp_path / "crm.db"
    with SqliteStore(path) as store:
        store.apply(sent("0", *(put(ref(number), 0, {"n": 0}) for number in range(50))))
        slow = sqlite3.connect(path, isolation_level=None)
        slow.execute("BEGIN")
        rows = slow.execute("SELECT version FROM record")
        first = rows.fetchone()
        for step in range(1, 40):
            ops = [put(ref(number), step, {"n": step, "text": "x" * 2000}) for number in range(50)]
            store.apply(sent(str(step), *ops), timeout=20)  # in vain, if it waited for the reader
        assert {first, *rows} == {(1,)}, "what it reads is as it was when it began"
        slow.execute("COMMIT")
        slow.close()
        assert {found.version for found in store.get([ref(number) for number in range(50)]).values()} == {40}
    assert not path.with_name("crm.db-wal").exists()


def test_readers_never_wait_for_a_writer_that_takes_long(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with SqliteStore(path) as store:
        store.apply(sent("0", put(ref(1))))
        writer = sqlite3.connect(path, isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        reads: list[float] = []

        def read() -> None:
            began = time.monotonic()
            store.get([ref(1)])
            reads.append(time.monotonic() - began)

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        writer.execute("ROLLBACK")
        writer.close()
    assert len(reads) == 8
    assert max(reads) < 25, "who waits for the writer does so for 30 seconds"
