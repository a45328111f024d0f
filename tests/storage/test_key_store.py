"""Keys are kept wrapped, are destroyed without a trace, and survive a rotation that is cut off anywhere."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crmcore.errors import (
    Contention,
    Corrupt,
    InvalidValue,
    SchemaMismatch,
    StoreClosed,
    StoreFull,
    Unavailable,
    WrongKey,
)
from crmcore.storage import SqliteStore, run
from crmcore.storage.sqlite_schema import connect
from crmcore.storage.wrappers.key_file import FileKeyStore
from crmcore.storage.wrappers.key_store import KeyStore, LocalWrapping, MemoryKeyStore
from crmcore.storage.wrappers.sealing import DataKey, DestroyedKey

MASTER = bytes(range(32))
AT = datetime(2026, 3, 1, tzinfo=UTC)


def opened(folder: Path, wrapping: LocalWrapping | None = None, name: str = "keys.db") -> FileKeyStore:
    return FileKeyStore(folder / name, wrapping=wrapping or LocalWrapping(MASTER), timeout=0.2)


STORES: dict[str, Callable[[Path], KeyStore]] = {"memory": lambda folder: MemoryKeyStore(), "file": opened}


@pytest.fixture(params=STORES)
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeyStore]:
    store = STORES[request.param](tmp_path)
    yield store
    if isinstance(store, FileKeyStore):
        store.close()


def key(store: KeyStore, subject: str, tenant: str = "acme") -> DataKey:
    return run(store.keys_for(tenant, [subject]))[subject]


def test_a_subject_has_one_key_and_keeps_it(keys: KeyStore) -> None:
    many = [str(number) for number in range(1200)]
    first = run(keys.keys_for("acme", many))
    assert set(first) == set(many)
    assert len({one.secret for one in first.values()}) == len({one.id for one in first.values()}) == 1200
    assert {len(one.secret) for one in first.values()} == {32}
    assert run(keys.keys_for("acme", [*many, "more"])).items() > first.items()
    assert run(keys.keys_of("acme", [one.id for one in first.values()])) == {
        one.id: one for one in first.values()
    }
    assert key(keys, "1", "other").secret != first["1"].secret
    assert run(keys.keys_of("other", [first["1"].id])) == {}


def test_a_tenant_has_one_root_key_that_is_no_subject(keys: KeyStore) -> None:
    assert run(keys.root("acme", make=False)) is None
    root = run(keys.root("acme", make=True))
    assert root is not None
    assert len(root) == 32
    assert run(keys.root("acme", make=True)) == run(keys.root("acme", make=False)) == root
    assert run(keys.root("other", make=True)) != root
    assert run(keys.destroy("acme", ["", "x"], AT)) == 0
    assert run(keys.root("acme", make=False)) == root


def test_a_destroyed_key_leaves_whose_it_was_and_when(keys: KeyStore) -> None:
    ann, bob = key(keys, "ann"), key(keys, "bob")
    assert run(keys.destroy("acme", ["ann", "nobody"], AT)) == 1
    assert run(keys.destroy("acme", ["ann"], AT)) == 0
    found = run(keys.keys_of("acme", [ann.id, bob.id]))
    gone = found[ann.id]
    assert isinstance(gone, DestroyedKey)
    assert (gone.subject, gone.at) == ("ann", 1_772_323_200_000_000)
    assert found[bob.id] == bob
    later = key(keys, "ann")
    assert (later.id != ann.id, later.secret != ann.secret) == (True, True)
    assert run(keys.keys_of("acme", [ann.id]))[ann.id] == gone


def test_a_dropped_tenant_has_nothing(keys: KeyStore) -> None:
    ann, other = key(keys, "ann"), key(keys, "ann", "other")
    run(keys.root("acme", make=True))
    run(keys.drop("acme"))
    assert run(keys.root("acme", make=False)) is None
    assert run(keys.keys_of("acme", [ann.id])) == {}
    assert key(keys, "ann", "other") == other


def test_keys_never_show_themselves(keys: KeyStore) -> None:
    ann = key(keys, "ann")
    shown = repr([keys, ann, LocalWrapping(MASTER)]) + str(keys) + str(ann)
    assert ann.secret.hex() not in shown
    assert repr(ann.secret) not in shown
    assert repr(MASTER) not in shown


# --- the file -------------------------------------------------------------------------------------


def _bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())


def _wrapped(folder: Path, subject: str) -> bytes:
    connection = sqlite3.connect(folder / "keys.db")
    ((wrapped,),) = connection.execute(
        "SELECT wrapped FROM data_key WHERE subject = ?", (subject,)
    ).fetchall()
    connection.close()
    return bytes(wrapped)


def test_the_file_holds_no_key_in_plain(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        root = run(store.root("acme", make=True))
        ann = key(store, "ann")
        assert root is not None
        assert root not in _bytes(tmp_path)
        assert ann.secret not in _bytes(tmp_path)
        assert _wrapped(tmp_path, "ann") in _bytes(tmp_path)


def test_no_byte_of_a_destroyed_key_is_left_in_the_files(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for number in range(50):
            key(store, f"s{number}")
        wrapped = {number: _wrapped(tmp_path, f"s{number}") for number in range(50)}
        assert all(some[-16:] in _bytes(tmp_path) for some in wrapped.values())
        run(store.destroy("acme", [f"s{number}" for number in range(25)], AT))
        left = [number for number, some in wrapped.items() if some[12:28] in _bytes(tmp_path)]
    assert left == list(range(25, 50))


def test_a_destruction_that_cannot_be_finished_says_so(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        ann = key(store, "ann")
        wrapped = _wrapped(tmp_path, "ann")
        reader = sqlite3.connect(tmp_path / "keys.db", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM data_key").fetchone()
        with pytest.raises(Contention, match="do the same again"):
            run(store.destroy("acme", ["ann"], AT))
        assert isinstance(run(store.keys_of("acme", [ann.id]))[ann.id], DestroyedKey)
        reader.close()
        assert run(store.destroy("acme", ["ann"], AT)) == 0
        assert wrapped[12:28] not in _bytes(tmp_path)


def test_another_process_sees_at_once_that_a_key_was_destroyed(tmp_path: Path) -> None:
    with opened(tmp_path) as one, opened(tmp_path) as other:
        ann = key(one, "ann")
        assert key(other, "ann") == ann
        run(one.destroy("acme", ["ann"], AT))
        assert isinstance(run(other.keys_of("acme", [ann.id]))[ann.id], DestroyedKey)
        assert key(other, "ann") != ann


def test_threads_and_processes_that_ask_at_once_get_one_key(tmp_path: Path) -> None:
    with opened(tmp_path) as one, FileKeyStore(tmp_path / "keys.db", wrapping=LocalWrapping(MASTER)) as other:
        got: list[DataKey] = []
        begin = threading.Barrier(4)

        def ask(store: FileKeyStore) -> None:
            begin.wait()
            got.extend(run(store.keys_for("acme", [str(number) for number in range(20)])).values())

        threads = [threading.Thread(target=ask, args=(store,)) for store in (one, other) * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(got) == 80
    assert len(set(got)) == 20


def test_a_wrong_wrapping_key_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        key(store, "ann")
    with opened(tmp_path, LocalWrapping(bytes(32))) as wrong:
        for call in (wrong.keys_for("acme", ["ann"]), wrong.keys_for("acme", ["bob"])):
            with pytest.raises(WrongKey, match="wrapped with another key"):
                run(call)
    with pytest.raises(InvalidValue, match="32 random bytes"):
        LocalWrapping(b"short")


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        key(store, "ann")
        key(store, "bob")
    connection = sqlite3.connect(tmp_path / "keys.db")
    connection.execute(
        "UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key WHERE subject = 'ann') WHERE subject = 'bob'"
    )
    connection.commit()
    connection.close()
    with opened(tmp_path) as store:
        assert key(store, "ann")
        with pytest.raises(Corrupt):
            key(store, "bob")


def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "keys.db").close()
    with pytest.raises(SchemaMismatch):
        opened(tmp_path)
    with pytest.raises(Unavailable):
        FileKeyStore(tmp_path / "nowhere" / "keys.db", wrapping=LocalWrapping(MASTER))
    store = opened(tmp_path, name="other.db")
    store.close()
    store.close()
    with pytest.raises(StoreClosed):
        key(store, "ann")


# --- rotation -------------------------------------------------------------------------------------


class Filmed(FileKeyStore):
    """Copies its files after every commit: what a process that dies there leaves."""

    films: list[Path]

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        with super()._transaction(connection):
            yield
        if hasattr(self, "films"):
            folder = self._path.parent / f"film{len(self.films)}"
            folder.mkdir()
            for file in self._path.parent.glob("keys.db*"):
                shutil.copy(file, folder)
            self.films.append(folder)


def test_a_rotation_that_is_cut_off_anywhere_is_gone_on_with(tmp_path: Path) -> None:
    subjects = [str(number) for number in range(25)]
    with Filmed(tmp_path / "keys.db", wrapping=LocalWrapping(MASTER)) as store:
        root = run(store.root("acme", make=True))
        before = run(store.keys_for("acme", subjects))
        other = key(store, "1", "other")
        wrapped = _wrapped(tmp_path, "7")
        store.films = []
        assert store.rotate("acme", rows=10) == 26
        assert run(store.keys_for("acme", subjects)) == before
        assert key(store, "1", "other") == other
        assert wrapped[12:] not in _bytes(tmp_path)
        films = store.films
    assert len(films) == 6
    for number, film in enumerate(films):
        with opened(film) as again:
            assert run(again.keys_for("acme", subjects)) == before
            assert run(again.root("acme", make=False)) == root
            again.rotate("acme", rows=7)
            assert run(again.keys_for("acme", subjects)) == before
            # The last film shows a rotation that was done, so the next one begins anew.
            assert _generations(film) == ([3] if number == 5 else [2])


def test_rotations_that_run_at_once_lose_no_key(tmp_path: Path) -> None:
    class Overtaken(FileKeyStore):
        other: FileKeyStore | None = None

        def _rewrap_some(self, connection: sqlite3.Connection, tenant: str, rows: int) -> int:
            done = super()._rewrap_some(connection, tenant, rows)
            if not done and self.other is not None:
                self._new_kek(connection, tenant)  # as another process does that begins after this one
            return done

    with (
        opened(tmp_path) as store,
        Overtaken(tmp_path / "keys.db", wrapping=LocalWrapping(MASTER)) as overtaken,
    ):
        ann = key(store, "ann")
        overtaken.other = store
        overtaken.rotate("acme")
        assert key(store, "ann") == key(overtaken, "ann") == ann
        store.rotate("acme")
        assert key(store, "ann") == ann


def _generations(folder: Path) -> list[int]:
    connection = sqlite3.connect(folder / "keys.db")
    rows = connection.execute("SELECT DISTINCT generation FROM kek WHERE tenant = 'acme'").fetchall()
    used = connection.execute("SELECT DISTINCT generation FROM data_key WHERE tenant = 'acme'").fetchall()
    connection.close()
    assert rows == used
    return [generation for (generation,) in rows]


def test_a_new_wrapping_key_takes_the_place_of_the_former(tmp_path: Path) -> None:
    former, new = LocalWrapping(MASTER), LocalWrapping(secrets.token_bytes(32))
    with opened(tmp_path, former) as store:
        ann, other = key(store, "ann"), key(store, "ann", "other")
    with opened(tmp_path, new) as store:
        assert store.rewrap(former) == 2
        assert store.rewrap(former) == 0
        assert (key(store, "ann"), key(store, "ann", "other")) == (ann, other)
    with opened(tmp_path, former) as store, pytest.raises(WrongKey):
        key(store, "ann")


def test_a_master_key_that_was_left_opens_nothing_in_the_files(tmp_path: Path) -> None:
    former, new = LocalWrapping(MASTER), LocalWrapping(secrets.token_bytes(32))
    with opened(tmp_path, former) as store:
        key(store, "ann")
        connection = sqlite3.connect(tmp_path / "keys.db")
        ((wrapped,),) = connection.execute("SELECT wrapped FROM kek").fetchall()
        connection.close()
    with opened(tmp_path, new) as store:
        assert store.rewrap(former) == 1
        for file in tmp_path.iterdir():
            assert wrapped not in file.read_bytes(), file.name


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_a_file_of_keys_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        key(store, "ann")
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_what_was_destroyed_at_a_time_is_known(keys: KeyStore) -> None:
    key(keys, "ann")
    key(keys, "bob")
    run(keys.destroy("acme", ["ann"], AT))
    key(keys, "ann")
    everybody = ["ann", "bob", "cid"]
    assert set(run(keys.destroyed("acme", everybody, AT))) == {"ann"}
    assert set(run(keys.destroyed("acme", ["bob"], AT))) == set()
    assert set(run(keys.destroyed("acme", everybody, AT + timedelta(days=1)))) == set()
    assert set(run(keys.destroyed("other", everybody, AT))) == set()


def test_a_rotation_of_a_tenant_that_has_nothing_makes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert store.rotate("acme") == 0
        assert _generations(tmp_path) == []


def _wrapped_keys(path: Path) -> dict[str, bytes]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT subject, wrapped FROM data_key").fetchall()
    connection.close()
    return dict(rows)


def _left_by_a_process_that_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[str]]:
    """Make a file of keys in the folder ``image``, and say which files still have a key that was destroyed."""
    (tmp_path / "image").mkdir()

    def killed(*_: object) -> None:
        for file in tmp_path.glob("keys.db*"):
            shutil.copy(file, tmp_path / "image")
        raise KeyboardInterrupt

    with opened(tmp_path) as keys:
        key(keys, "ann")
        wrapped = _wrapped_keys(tmp_path / "keys.db")["ann"]
        with monkeypatch.context() as patched:
            patched.setattr(FileKeyStore, "_wipe", killed)
            with pytest.raises(KeyboardInterrupt):
                run(keys.destroy("acme", ["ann"], AT))

    def left() -> list[str]:
        return [file.name for file in (tmp_path / "image").iterdir() if wrapped in file.read_bytes()]

    assert left()
    return left


def test_what_was_destroyed_by_a_process_that_was_killed_is_wiped_when_the_file_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = _left_by_a_process_that_was_killed(tmp_path, monkeypatch)
    with opened(tmp_path / "image") as again:
        assert left() == []
        assert run(again.destroyed("acme", ["ann"], AT)) == {"ann"}


def test_what_cannot_be_wiped_when_the_file_is_opened_is_wiped_when_nobody_reads_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = _left_by_a_process_that_was_killed(tmp_path, monkeypatch)
    reader = sqlite3.connect(tmp_path / "image" / "keys.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM data_key").fetchone()
    waited: list[int] = []

    def watched(*given: Any, **named: Any) -> sqlite3.Connection:
        connection = connect(*given, **named)
        asked: list[str] = []

        def trace(statement: str) -> None:
            asked.append(statement)
            if "wal_checkpoint" in statement:
                last = [one for one in asked if "busy_timeout =" in one]
                waited.append(int(last[-1].rpartition("=")[2]) if last else -1)

        connection.set_trace_callback(trace)
        return connection

    monkeypatch.setattr("crmcore.storage.wrappers.key_file_base.connect", watched)
    with opened(tmp_path / "image") as again:
        assert left() == ["keys.db-wal"]
        assert run(again.root("acme", make=False)) is None
        assert left() == ["keys.db-wal"]
        assert set(waited) == {0}  # whoever reads is not waited for
        reader.close()
        assert run(again.destroyed("acme", ["ann"], AT)) == {"ann"}
        assert left() == []
        before = len(waited)
        key(again, "bob")
        assert len(waited) == before


def test_what_a_destruction_could_not_wipe_is_wiped_by_the_next_call(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        key(store, "ann")
        wrapped = _wrapped(tmp_path, "ann")
        reader = sqlite3.connect(tmp_path / "keys.db", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM data_key").fetchone()
        with pytest.raises(Contention):
            run(store.destroy("acme", ["ann"], AT))
        reader.close()
        assert wrapped[12:28] in _bytes(tmp_path)
        run(store.root("acme", make=False))
        assert wrapped[12:28] not in _bytes(tmp_path)


def test_a_disk_that_is_full_makes_no_key_and_keeps_nobody_from_reading(tmp_path: Path) -> None:
    many = [f"subject {number}" for number in range(500)]
    with opened(tmp_path) as keys:
        ann = key(keys, "ann")
        connection = keys._connection
        assert connection is not None
        connection.execute("PRAGMA max_page_count = 1")  # as many as there are
        with pytest.raises(StoreFull):
            run(keys.keys_for("acme", many))
        assert key(keys, "ann") == ann
    assert set(_wrapped_keys(tmp_path / "keys.db")) == {"ann"}
    with opened(tmp_path) as again:
        made = run(again.keys_for("acme", ["ann", *many]))
    with opened(tmp_path) as again:
        assert made["ann"] == ann
        assert run(again.keys_for("acme", ["ann", *many])) == made


def test_no_key_is_wrapped_by_one_that_another_process_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as mine, opened(tmp_path) as other:
        key(mine, "ann")
        read = FileKeyStore._read_live

        def slowly(self: FileKeyStore, *asked: Any) -> Any:
            found = read(self, *asked)
            if self is mine and not dropped:
                dropped.append(True)
                run(other.drop("acme"))
                key(other, "bob")
            return found

        dropped: list[bool] = []
        monkeypatch.setattr(FileKeyStore, "_read_live", slowly)
        zoe = key(mine, "zoe")
        assert dropped
    with opened(tmp_path) as again:
        assert key(again, "zoe") == zoe
