"""The file of `SqliteStore`: what it refuses to open, how long it waits, and that errors say one clear sentence."""

from __future__ import annotations

import sqlite3
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crmcore.errors import (
    CapabilityMissing,
    Contention,
    Corrupt,
    PositionExpired,
    SchemaMismatch,
    StoreClosed,
    StoreError,
    StoreFull,
    Unavailable,
)
from crmcore.storage import Batch, Key, Sort, SqliteStore
from crmcore.storage.sqlite_schema import connect
from crmcore.testing.kit import TENANT, Writer, append, delete, put, ref


def batch(*ops: Any, idem: str = "b") -> Batch:
    return Writer(None).batch(*ops, idem=idem)  # type: ignore[arg-type]  # only the batch is made


def one_sentence(error: StoreError) -> str:
    text = str(error)
    assert text
    assert "\n" not in text
    assert text[0] in "'0123456789" or text[0].islower()
    assert error.__cause__ is None
    return text


def foreign_database(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE theirs (secret TEXT)")
    database.execute("INSERT INTO theirs VALUES ('canary')")
    database.commit()
    database.close()


def newer_store(path: Path) -> None:
    SqliteStore(path).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 999")
    database.close()


def no_database(path: Path) -> None:
    path.write_bytes(b"name,email\nAnn,canary@x.org\n" * 500)


@pytest.mark.parametrize(
    ("make", "word"),
    [(foreign_database, "another program"), (newer_store, "newer crmcore"), (no_database, "no SQLite file")],
)
def test_a_file_that_is_no_store_is_refused_untouched(
    make: Callable[[Path], None], word: str, tmp_path: Path
) -> None:
    path = tmp_path / "theirs.db"
    make(path)
    before = path.read_bytes()
    with pytest.raises(SchemaMismatch, match=word) as caught:
        SqliteStore(path)
    assert "canary" not in one_sentence(caught.value)
    assert path.read_bytes() == before
    assert sorted(found.name for found in tmp_path.iterdir()) == ["theirs.db"]


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    path.touch()
    with SqliteStore(path, must_exist=True) as store:
        assert store.get([ref(1)]) == {}


def test_a_damaged_store_is_called_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with SqliteStore(path) as store:
        for number in range(50):
            store.apply(batch(put(ref(number), 0, {"text": "canary" * 500}), idem=str(number)))
    data = bytearray(path.read_bytes())
    data[4096 * 2 :] = b"\xa5" * (len(data) - 4096 * 2)
    path.write_bytes(data)
    with pytest.raises(Corrupt) as caught, SqliteStore(path) as store:
        store.get([ref(number) for number in range(50)])
    assert "canary" not in one_sentence(caught.value)


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("folder", "is a folder"),
        ("missing/crm.db", "does not exist"),
        ("file.txt/crm.db", "folder"),
        ("n" * 300 + ".db", "path"),
        ("a\0b.db", "path"),
        (":memory:", "MemoryStore"),
    ],
)
def test_a_place_that_cannot_hold_a_store_is_named(path: str, word: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.txt").write_text("x", encoding="utf-8")
    with pytest.raises(Unavailable, match=word) as caught:
        SqliteStore(tmp_path / path)
    assert str(tmp_path) not in one_sentence(caught.value)


def test_a_store_that_must_exist_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"no store file 'crm\.db'"):
        SqliteStore.open(tmp_path / "crm.db", must_exist=True)
    assert list(tmp_path.iterdir()) == []
    SqliteStore.open(tmp_path / "crm.db").close()
    SqliteStore.open(tmp_path / "crm.db", must_exist=True).close()


def test_a_file_that_was_taken_away_is_not_made_again(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "crm.db") as store:
        for path in tmp_path.iterdir():
            path.unlink()
        with pytest.raises(Unavailable, match="cannot be opened"):
            store.get([ref(1)])
        assert list(tmp_path.iterdir()) == []


def test_a_relative_path_is_that_of_the_moment_of_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with SqliteStore("c r%m?#.db") as store:
        store.apply(batch(put(ref(1))))
        monkeypatch.chdir("elsewhere")
        assert set(store.get([ref(1)])) == {ref(1)}
    assert (tmp_path / "c r%m?#.db").exists()


def test_an_old_sqlite_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 31, 1))
    with pytest.raises(CapabilityMissing, match=r"3\.37"):
        SqliteStore(tmp_path / "crm.db")


def test_exclusive_namespaces_are_settled_when_the_file_is_made(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "crm.db", exclusive={"source", "member"}).close()
    with SqliteStore(tmp_path / "crm.db", exclusive={"source"}) as store:
        assert store.describe().exclusive == {"source", "member"}
    with pytest.raises(SchemaMismatch, match="passport"):
        SqliteStore(tmp_path / "crm.db", exclusive={"source", "passport"})


def test_the_description_shows_no_folder(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "crm.db") as store:
        assert store.describe().address == "crm.db"
        assert store.describe().durability == "power"


def test_the_settings_that_durability_rests_on(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "crm.db").close()
    connection = connect(tmp_path / "crm.db", 1)
    settings = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "temp_store")
    }
    tables = connection.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").fetchall()
    connection.close()
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "foreign_keys": 1,
        "temp_store": 2,
    }
    assert all(strict for name, strict in tables if not name.startswith("sqlite_"))


# --- locks --------------------------------------------------------------------------------------------


def test_a_locked_file_is_waited_for_no_longer_than_asked(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "crm.db") as store:
        store.apply(batch(put(ref(1)), idem="1"))
        other = sqlite3.connect(tmp_path / "crm.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for seconds in (0.0, 0.3):
            start = time.monotonic()
            with pytest.raises(Contention) as caught:
                store.apply(batch(put(ref(2)), idem="2"), timeout=seconds)
            assert seconds <= time.monotonic() - start < seconds + 1
            assert (caught.value.outcome, caught.value.retryable) == ("not_applied", True)
            one_sentence(caught.value)
        assert set(store.get([ref(1), ref(2)])) == {ref(1)}, "readers do not wait for a writer"
        other.execute("ROLLBACK")
        other.close()
        assert store.apply(batch(put(ref(2)), idem="2")).versions == {ref(2): 1}


def test_a_writer_that_ends_in_time_is_waited_for(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "crm.db") as store:
        other = sqlite3.connect(tmp_path / "crm.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.2, other.execute, ["ROLLBACK"])
        release.start()
        assert store.apply(batch(put(ref(1))), timeout=5).versions == {ref(1): 1}
        release.join()
        other.close()


def test_a_file_that_somebody_keeps_to_himself_cannot_be_opened(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "crm.db").close()
    other = sqlite3.connect(tmp_path / "crm.db", isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    start = time.monotonic()
    with pytest.raises(Contention) as caught:
        SqliteStore(tmp_path / "crm.db", timeout=0.2)
    assert time.monotonic() - start < 2
    one_sentence(caught.value)
    other.close()


def test_a_slow_thread_is_waited_for_no_longer_than_asked(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "crm.db") as store:
        other = sqlite3.connect(tmp_path / "crm.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        slow = threading.Thread(target=store.apply, args=[batch(put(ref(1)), idem="1")])
        slow.start()
        time.sleep(0.1)
        with pytest.raises(Contention, match="threads"):
            store.apply(batch(put(ref(2)), idem="2"), timeout=0.1)
        other.execute("ROLLBACK")
        slow.join()
        assert set(store.get([ref(1), ref(2)])) == {ref(1)}
        other.close()


def test_a_store_is_not_used_across_a_fork(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SqliteStore(tmp_path / "crm.db") as store:
        monkeypatch.setattr("os.getpid", lambda: -1)
        with pytest.raises(StoreClosed, match="fork"):
            store.get([ref(1)])
        with pytest.raises(StoreClosed, match="fork"):
            store.apply(batch(put(ref(1))))
        monkeypatch.undo()
        assert store.get([ref(1)]) == {}


# --- faults -------------------------------------------------------------------------------------------


def test_a_full_disk_is_said_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "crm.db"
    with SqliteStore(path) as store:
        store.apply(batch(put(ref(1)), idem="1"))
    real = sqlite3.connect

    def small(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = real(*args, **options)
        connection.execute("PRAGMA max_page_count = 40")
        return connection

    large = batch(*(put(ref(number), 0, {"text": "x" * 10_000}) for number in range(2, 60)), idem="2")
    monkeypatch.setattr(sqlite3, "connect", small)
    with SqliteStore(path) as store:
        with pytest.raises(StoreFull) as caught:
            store.apply(large)
        one_sentence(caught.value)
        assert len(store.scan(TENANT, "party").items) == 1
        store.apply(batch(put(ref(1), 1), idem="3"))
    monkeypatch.undo()
    with SqliteStore(path) as store:
        assert len(store.apply(large).versions) == 58


def test_a_reader_of_the_feed_is_told_when_the_store_was_set_back(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with SqliteStore(path) as store:
        early = store.apply(batch(put(ref(1)), idem="1")).position
    backup = path.read_bytes()
    with SqliteStore(path) as store:
        late = store.apply(batch(put(ref(2)), idem="2")).position
    path.write_bytes(backup)
    with SqliteStore(path) as store:
        assert store.changes(TENANT, early).items == ()
        with pytest.raises(PositionExpired, match="scan"):
            store.changes(TENANT, late)


def test_no_error_holds_a_value(tmp_path: Path) -> None:
    canary = "canary@example.org"
    with SqliteStore(tmp_path / "crm.db") as store:
        key = Key("source", canary)
        store.apply(batch(put(ref(1), 0, {"mail": canary}, [key]), append(canary), idem=canary))
        attempts: list[Callable[[], object]] = [
            lambda: store.apply(batch(put(ref(2), 0, {}, [key]), idem="1")),
            lambda: store.apply(batch(put(ref(1), 0, {"mail": canary}), idem="2")),
            lambda: store.apply(batch(append(canary, expect_seq=7), idem="3")),
            lambda: store.apply(batch(put(ref(2), 0, {canary: 1.5}), idem="4")),
            lambda: store.apply(batch(put(ref(2), 0, {"x": canary + "\ud800"}), idem="5")),
            lambda: store.apply(batch(put(ref(2), 0, {"x": canary + "\0"}), idem="6")),
            lambda: store.apply(batch(put(ref(2)), idem=canary)),
            lambda: store.apply(batch(put(ref(2), 0, {}, [Key(canary.upper(), "x")]), idem="7")),
            lambda: store.apply(batch(put(ref(2), 0, {}, [Key("source", canary * 99)]), idem="8")),
            lambda: store.scan("acme", "party", after=canary),
            lambda: store.changes("acme", canary),
            lambda: store.find("acme", [key], after={Key("email", canary): canary}),
        ]
        for attempt in attempts:
            with pytest.raises(StoreError) as caught:
                attempt()
            shown = "".join(traceback.format_exception_only(caught.value)) + repr(caught.value)
            assert canary not in shown.replace(str(tmp_path), "")
            assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_what_was_deleted_is_not_left_in_the_file(tmp_path: Path) -> None:
    canary = {"mail": "canary-body"}
    marks = [Key("email", "canary-key")], [Sort("name", "", b"canary-sort")]
    with SqliteStore(tmp_path / "crm.db") as store:
        store.apply(batch(*(put(ref(number), 0, canary, *marks) for number in range(20)), idem="1"))
        store.apply(batch(*(delete(ref(number), 1) for number in range(10)), idem="2"))
        store.apply(batch(*(put(ref(number), 1) for number in range(10, 20)), idem="3"))
    data = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for trace in (b"canary", b"canary-sort".hex().encode()):
        assert trace not in data
