"""What is particular to the SQLite file: bytes that stay behind, older files, damage, and who holds up whom."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, cast

import pytest

import crmcore.storage.sqlite_erasing as sqlite_erasing
from crmcore.errors import Contention, Corrupt, SchemaMismatch, StoreError, Unavailable
from crmcore.storage import (
    AsyncSqliteStore,
    AsyncStore,
    MemoryStore,
    Residual,
    SqliteStore,
    Stored,
    StoredBatch,
    eraser_of,
    lift,
    run,
    schema_of,
    tenants_of,
)
from crmcore.storage.sqlite_migrations import SCHEMA_VERSION, STEPS
from crmcore.testing.kit import EXCLUSIVE, TENANT, Writer, append, email, name_sort, put, ref, source
from tests.storage.erased_bytes import erasure, fill, left, person
from tests.storage.frozen_history import play
from tests.storage.test_parts_erasure import rows

FROZEN = Path(__file__).parent / "frozen" / "sqlite_1.sql"
ROOT = Path(__file__).parents[2]


# --- erasing: bytes -----------------------------------------------------------------------------------


OF_THEN = frozenset({"source", "member"})
"""The exclusive namespaces of the frozen files."""


def test_no_byte_of_500_erased_people_is_left_in_any_file(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    chosen = random.Random(2).sample(range(4000), 500)
    with SqliteStore(path) as store:
        fill(store, 4000)
        assert len(left(path, chosen)) == 2, "the canaries are in the file and in its log"
        report = store.erase(erasure(chosen))
        assert (report.records, report.entries, report.residual) == (500, 1500, ())
        assert not left(path, chosen)
        assert left(path, [number for number in range(4000) if number not in set(chosen)])
        assert store.verify().problems == ()
    assert not left(path, chosen)


def test_the_search_finds_what_is_left_when_the_file_is_not_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_erasing, "_rewrite", lambda connection, deadline: None)
    path = tmp_path / "crm.db"
    chosen = random.Random(2).sample(range(400), 50)
    with SqliteStore(path) as store:
        fill(store, 400)
        store.erase(erasure(chosen))
        assert left(path, chosen)


def test_a_tenant_that_is_dropped_leaves_no_byte(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with SqliteStore(path) as store:
        fill(store, 300)
        report = store.drop_tenant(TENANT)
        assert (report.records, report.entries, report.residual) == (300, 900, ())
        assert not left(path, list(range(300)))
        for file in tmp_path.iterdir():
            assert TENANT.encode() not in file.read_bytes()


def test_who_reads_the_file_as_it_was_is_reported_and_can_be_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crmcore.storage.sqlite_parts._PATIENCE", 0.2)
    path = tmp_path / "crm.db"
    with SqliteStore(path) as store, SqliteStore(path) as another:
        fill(store, 50)
        snapshot = another.export()
        report = store.erase(erasure([1, 2, 3]))
        assert [one.place for one in report.residual] == ["write_ahead_log"]
        assert left(path, [1, 2, 3]), "what is reported is so"
        again = store.erase(erasure([1, 2, 3]))
        assert (again.replayed, [one.place for one in again.residual]) == (True, ["write_ahead_log"])
        snapshot.close()
        assert store.erase(erasure([1, 2, 3])).residual == ()
        assert not left(path, [1, 2, 3])


def test_a_file_that_could_not_be_rewritten_is_reported_and_rewritten_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "crm.db"
    rewrite = sqlite_erasing._rewrite
    with SqliteStore(path) as store:
        fill(store, 50)
        with monkeypatch.context() as patched:
            error = sqlite3.OperationalError("no room")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL

            def fails(connection: sqlite3.Connection, deadline: float) -> None:
                raise error

            patched.setattr(sqlite_erasing, "_rewrite", fails)
            assert [one.place for one in store.erase(erasure([1])).residual] == ["free_space"]
        calls: list[object] = []
        monkeypatch.setattr(sqlite_erasing, "_rewrite", lambda *given: calls.append(rewrite(*given)))
        assert store.erase(erasure([1])).residual == ()
        assert store.erase(erasure([1])).residual == ()
        assert len(calls) == 1, "a clean file is not rewritten again"


def test_rewriting_ends_with_the_time_that_it_has(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with SqliteStore(path) as store:
        fill(store, 500)
        store._clean = lambda deadline: clean(-1.0)  # type: ignore[method-assign] # its time is over when it begins
        clean = SqliteStore._clean.__get__(store)
        assert [one.place for one in store.erase(erasure([1])).residual] == ["free_space"]
        del store._clean
        assert store.erase(erasure([1])).residual == ()
        assert not left(path, [1])


class Between:
    """A connection that lets somebody else do something before a statement is executed."""

    def __init__(self, connection: sqlite3.Connection, before: str, act: Callable[[], object]) -> None:
        self._connection = connection
        self._before = before
        self._act = act

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        if statement.startswith(self._before):
            self._act()
        return self._connection.execute(statement, *values)  # type: ignore[arg-type]  # passed on as it came


@pytest.mark.parametrize("moment", ["PRAGMA wal_checkpoint", "DELETE FROM meta"])
def test_what_another_process_erases_meanwhile_stays_noted_until_the_file_is_clean_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    path = tmp_path / "crm.db"
    with SqliteStore(path) as ours, SqliteStore(path) as theirs:
        fill(ours, 2000)
        clean = sqlite_erasing.clean
        monkeypatch.setattr(theirs, "_clean", lambda deadline: ())  # they come to that only later

        def meanwhile(connection: sqlite3.Connection, deadline: float) -> tuple[Residual, ...]:
            between = Between(
                connection, moment, lambda: theirs.erase(erasure(list(range(100, 300)), "theirs"))
            )
            return clean(cast("sqlite3.Connection", between), deadline)

        monkeypatch.setattr(sqlite_erasing, "clean", meanwhile)
        assert ours.erase(erasure([1], "ours")).residual == ()
        monkeypatch.undo()
        assert theirs.erase(erasure(list(range(100, 300)), "theirs")).replayed
        assert not left(path, [1, *range(100, 300)])


@pytest.mark.parametrize("error", [Contention, Unavailable, Corrupt])
def test_what_goes_wrong_after_the_commit_is_a_residual_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[StoreError]
) -> None:
    def fails(*_: object) -> NoReturn:
        raise error("in the way")

    with SqliteStore(tmp_path / "crm.db") as store:
        fill(store, 3)
        monkeypatch.setattr(sqlite_erasing, "clean", fails)
        report = store.erase(erasure([1]))
        assert (report.records, [one.place for one in report.residual]) == (1, ["free_space"])
        assert [one.place for one in store.drop_tenant(TENANT).residual] == ["free_space"]
        assert store.tenants().items == ()


def test_an_erasure_that_finds_nothing_does_not_rewrite_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_erasing, "_rewrite", lambda *given: pytest.fail("rewritten"))
    with SqliteStore(tmp_path / "crm.db") as store:
        fill(store, 5)
        assert store.erase(erasure([77])).records == 0


def test_a_settled_connection_puts_nothing_of_a_statement_into_a_temporary_file(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "crm.db") as store:
        fill(store, 5)
        store.erase(erasure([1]))
        with store._owning(1.0) as connection:
            assert connection.execute("PRAGMA temp_store").fetchone() == (2,)


def test_erasing_in_another_process_is_seen_by_this_one(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with SqliteStore(path) as store, SqliteStore(path) as another:
        fill(store, 20)
        another.erase(erasure([3]))
        assert store.get([person(3)]) == {}
        assert store.get([person(4)]) != {}


# --- snapshots ----------------------------------------------------------------------------------------


def test_a_snapshot_holds_up_nobody_who_writes(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "crm.db") as store:
        fill(store, 100)
        snapshot = store.export()
        assert len(snapshot.read(10)) == 10
        done = threading.Thread(target=lambda: store.apply(Writer(lift(store)).batch(put(ref(7777)))))
        done.start()
        done.join(5)
        assert not done.is_alive()
        assert store.get([ref(7777)])
        snapshot.close()


def test_a_snapshot_that_nobody_closed_is_closed_with_its_store(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "crm.db")
    fill(store, 10)
    snapshot = store.export()
    snapshot.read(1)
    store.close()
    assert {file.name for file in tmp_path.iterdir()} == {"crm.db"}, "no connection is left: the log is gone"
    snapshot.close()


# --- older files --------------------------------------------------------------------------------------


def frozen(path: Path, *, loaded: bool = True) -> Path:
    """A file of version 1, as crmcore wrote it then; if nothing had been *loaded*, without that table."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(FROZEN.read_text(encoding="utf-8"))
    if not loaded:
        connection.execute("DROP TABLE load")
        connection.execute("DELETE FROM batch WHERE idem = 'chunk-1'")
    connection.close()
    return path


def tables(path: Path) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name").fetchall()
    columns = [
        (name, *column)
        for _, name, *_ in found
        for column in connection.execute("SELECT * FROM pragma_table_info(?)", (name,)).fetchall()
    ]
    connection.close()
    return [(kind, name, table) for kind, name, table, _ in found] + columns


def of_then(store: AsyncStore) -> list[Stored]:
    """The rows of a store, without what a file of then did not keep."""
    return [row._replace(rekeyed=()) if isinstance(row, StoredBatch) else row for row in run(rows(store))]


def test_a_file_of_version_1_is_migrated_and_shows_what_it_showed(tmp_path: Path) -> None:
    with SqliteStore(frozen(tmp_path / "old.db"), exclusive=OF_THEN) as store:
        memory = lift(MemoryStore(exclusive=OF_THEN))
        run(play(memory))
        assert run(rows(lift(store))) == of_then(memory)
        assert store.verify().problems == ()
        assert (store.schema().version, store.schema().pending) == (SCHEMA_VERSION, ())
        run(play(lift(store)))  # every batch of then is known
        assert run(rows(lift(store))) == of_then(memory)


@pytest.mark.parametrize("loaded", [True, False])
def test_a_migrated_file_has_the_tables_of_a_new_one(tmp_path: Path, loaded: bool) -> None:
    SqliteStore(frozen(tmp_path / "old.db", loaded=loaded), exclusive=OF_THEN).close()
    SqliteStore(tmp_path / "new.db").close()
    assert tables(tmp_path / "old.db") == tables(tmp_path / "new.db")


def test_an_older_file_is_refused_where_it_is_not_to_be_migrated(tmp_path: Path) -> None:
    path = frozen(tmp_path / "old.db")
    before = path.read_bytes()
    for make in (SqliteStore, AsyncSqliteStore.open):
        with pytest.raises(SchemaMismatch, match="migrate=True"):
            make(path, exclusive=OF_THEN, migrate=False)
    assert path.read_bytes() == before
    SqliteStore(path, exclusive=OF_THEN).close()
    SqliteStore(path, exclusive=OF_THEN, migrate=False).close()


def test_a_file_of_the_next_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(SchemaMismatch, match="newer"):
        SqliteStore(path)


KILLED = """
import os, sys
import crmcore.storage.sqlite_migrations as migrations
from crmcore.storage import SqliteStore
left = int(sys.argv[2])
def take(connection, step):
    global left
    for statement in (*step.statements, f"PRAGMA user_version = {step.version:d}"):
        if left == 0:
            os._exit(9)
        left -= 1
        connection.execute(statement)
migrations.take = take
SqliteStore(sys.argv[1], exclusive=())
os._exit(0 if left else 9)
"""
STATEMENTS = sum(len(step.statements) + 1 for step in STEPS)


@pytest.mark.parametrize("left_to_do", range(STATEMENTS + 1))
def test_a_migration_that_was_killed_is_gone_on_with(tmp_path: Path, left_to_do: int) -> None:
    path = frozen(tmp_path / "old.db")
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), str(left_to_do)], timeout=60, check=False)
    assert done.returncode == 9
    connection = sqlite3.connect(path)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    finished = [
        step.version for step in STEPS if _ends(step.version) < left_to_do or left_to_do == STATEMENTS
    ]
    assert version == max(finished, default=1)
    with SqliteStore(path, exclusive=OF_THEN) as store:
        memory = lift(MemoryStore(exclusive=OF_THEN))
        run(play(memory))
        assert run(rows(lift(store))) == of_then(memory)
        assert store.schema().pending == ()


def _ends(version: int) -> int:
    """How many statements are written before the commit of the step to *version*, less one."""
    return sum(len(step.statements) + 1 for step in STEPS if step.version <= version) - 1


def test_a_store_that_is_open_has_no_steps_to_take(tmp_path: Path) -> None:
    with SqliteStore(frozen(tmp_path / "old.db"), exclusive=OF_THEN) as store:
        assert run(schema_of(lift(store)).migrate()) == ()


# --- damage -------------------------------------------------------------------------------------------

DAMAGES: dict[str, tuple[str, ...]] = {
    "key_missing": ("DELETE FROM key WHERE value = 'a' AND namespace = 'email'",),
    "key_extra": (
        "INSERT INTO key SELECT tenant, namespace, 'z', kind, id FROM key WHERE namespace = 'email' LIMIT 1",
    ),
    "sort_missing": ("DELETE FROM sort",),
    "sort_extra": ("UPDATE sort SET value = x'00'",),
    "record_invalid": ("UPDATE record SET body = '[1' WHERE kind = 'party'",),
    "entry_invalid": ("UPDATE ledger SET body = '7' WHERE seq = 1",),
    "ledger_gap": ("DELETE FROM ledger WHERE seq = 1",),
    "feed_gap": ("UPDATE tenant SET head = head + 1",),
    "batch_wrong": ("UPDATE batch SET last = last + 1 WHERE no = 1",),
    "change_ahead": ("UPDATE feed SET what = what + 1 WHERE number = 1",),
    "stray": ("UPDATE record SET tenant = 9", "UPDATE key SET tenant = 9", "UPDATE sort SET tenant = 9"),
    "key_shared": (
        "INSERT INTO key SELECT tenant, namespace, value, 'note', id FROM key WHERE namespace = 'source' LIMIT 1",
    ),
    "unreadable": ("UPDATE record SET carries = '[[' WHERE body IS NOT NULL",),
}


def healthy(path: Path) -> None:
    async def flow() -> None:
        store = lift(SqliteStore(path, exclusive=EXCLUSIVE))
        write = Writer(store)
        await write(put(ref(1), 0, {}, [email("a"), source("1")], [name_sort(b"a")]), append("log:1"))
        await write(append("log:1"), put(ref(2), 0, {}))
        await eraser_of(store).erase(erasure([2]))
        assert await store.outcome(TENANT, "fenced") is None
        await store.close()

    run(flow())


@pytest.mark.parametrize("code", DAMAGES)
def test_every_kind_of_damage_is_told_by_its_code(tmp_path: Path, code: str) -> None:
    path = tmp_path / "crm.db"
    healthy(path)
    with SqliteStore(path, exclusive=EXCLUSIVE) as store:
        found = store.verify()
        assert (found.records, found.entries, found.changes, found.problems) == (1, 2, 5, ())
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in DAMAGES[code]:
        connection.execute(statement)
    connection.close()
    with SqliteStore(path, exclusive=EXCLUSIVE) as store:
        problems = {problem.code: problem.count for problem in store.verify().problems}
        assert problems.get(code, 0) >= 1
        assert store.verify() == store.verify(), "looking changes nothing"


def test_a_page_that_was_overwritten_is_found_by_the_check_of_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with SqliteStore(path) as store:
        fill(store, 200)
    data = bytearray(path.read_bytes())
    middle = len(data) // 4096 // 2 * 4096
    data[middle : middle + 64] = bytes(64)
    path.write_bytes(data)
    with SqliteStore(path) as store:
        codes = {problem.code for problem in store.verify().problems}
    assert codes & {"engine", "unreadable"}


# --- asyncio ------------------------------------------------------------------------------------------


def test_the_loop_goes_on_while_a_file_is_rewritten(tmp_path: Path) -> None:
    async def flow() -> int:
        async with AsyncSqliteStore.open(tmp_path / "crm.db") as store:
            await asyncio.to_thread(fill, store._store, 500)
            erased = asyncio.ensure_future(store.erase(erasure([1, 2])))
            turns = 0
            while not erased.done():
                await asyncio.sleep(0)
                turns += 1
            assert erased.result().residual == ()
            assert (await tenants_of(store).tenants()).items == (TENANT,)
            return turns

    assert asyncio.run(flow()) > 10


def test_an_erasure_waits_no_longer_than_it_may(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with SqliteStore(path) as store:
        fill(store, 5)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Contention):
            store.erase(erasure([1]), timeout=0.1)
        other.execute("ROLLBACK")
        other.close()
        assert store.erase(erasure([1])).records == 1
