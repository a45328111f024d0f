"""What goes wrong between a store and its server: every error has its name, its outcome and no stored value."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

import crmcore.storage.postgres_schema as postgres_schema
from crmcore.errors import (
    CommitUnknown,
    Contention,
    Corrupt,
    InvalidRecord,
    SchemaMismatch,
    StoreError,
    StoreFull,
    StoreTimeout,
    Unavailable,
)
from crmcore.storage import AsyncPostgresStore, Batch, Operation, PostgresStore
from crmcore.storage.postgres_driver import DriverError, SyncLink
from crmcore.storage.postgres_errors import surely_undone, translated
from crmcore.storage.postgres_locks import number_for
from crmcore.testing.kit import EXCLUSIVE, NOW, TENANT, append, email, name_sort, put, ref, source
from crmcore.values.source import SYSTEM
from tests.storage.postgres_server import address_with, drop, dsn, execute, new_schema, sessions

A, B = ref(1), ref(2)
CANARY = "canary@pii.example"


def batch(idem: str, *ops: Operation) -> Batch:
    return Batch(tenant=TENANT, ops=ops, idem=idem, actor=SYSTEM, at=NOW)


@pytest.fixture
def schema() -> Iterator[str]:
    name = new_schema()
    yield name
    drop(name)


@pytest.fixture
def store(schema: str) -> Iterator[PostgresStore]:
    with PostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE, pool_size=2) as made:
        yield made


def backend(store: PostgresStore) -> int:
    """The process of the connection that the store uses next."""
    if not sessions(store):
        store.get([A])
    return sessions(store)[-1]


# --- what the errors are ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("40001", Contention),
        ("40P01", Contention),
        ("55P03", Contention),
        ("57014", StoreTimeout),
        ("53100", StoreFull),
        ("53200", StoreFull),
        ("53300", Unavailable),
        ("08006", Unavailable),
        ("57P01", Unavailable),
        ("25006", Unavailable),
        ("25P03", StoreTimeout),
        ("25P04", StoreTimeout),
        ("42P07", SchemaMismatch),
        ("28P01", Unavailable),
        ("42501", Unavailable),
        ("42P01", SchemaMismatch),
        ("23505", Corrupt),
        ("XX001", Corrupt),
        ("22P02", Corrupt),
    ],
)
def test_a_sqlstate_has_one_meaning(state: str, kind: type[StoreError]) -> None:
    error = DriverError.of(psycopg.errors.lookup(state)(f"Key (v)=({CANARY}) already exists"))
    meaning = translated(error)
    assert type(meaning) is kind
    assert meaning.outcome == "not_applied"
    assert state in str(meaning)
    assert CANARY not in str(meaning)


def test_a_commit_that_the_server_cannot_tell_of_is_not_taken_for_undone() -> None:
    ambiguous = DriverError("40003")
    assert not surely_undone(ambiguous, failed=False)
    assert not surely_undone(DriverError(), failed=False)
    assert surely_undone(DriverError("40001"), failed=False)
    assert surely_undone(DriverError("23505"), failed=True)


def test_no_error_of_the_server_shows_what_is_stored(store: PostgresStore, schema: str) -> None:
    full = put(A, 0, {"email": CANARY}, [email(CANARY), source(CANARY)], [name_sort(CANARY.encode())])
    store.apply(batch("a", full, append(f"log:{CANARY}", {"text": CANARY})))
    breaks = (
        "DELETE FROM {record}",  # so that its keys are there already
        "ALTER TABLE {record} ADD CONSTRAINT c CHECK (body NOT LIKE '%canary%')",
        "ALTER TABLE {record} DROP CONSTRAINT c, ALTER COLUMN body TYPE bigint USING 1",
    )
    for number, statement in enumerate(breaks):
        execute(statement, schema)
        with pytest.raises(StoreError) as raised:
            store.apply(batch(f"again{number}", full))
        shown = f"{raised.value} {raised.value!r} {raised.value.args} {vars(raised.value)}"
        assert "canary" not in shown
        assert raised.value.__suppress_context__
        assert raised.value.outcome == "not_applied"
    assert store._flow._pool.idle.out == 0  # type: ignore[attr-defined]  # the pool of this colour


def test_what_the_tables_contradict_is_no_conflict(store: PostgresStore, schema: str) -> None:
    store.apply(batch("a", put(A, keys=[email("x")])))
    execute("DELETE FROM {record}", schema)
    with pytest.raises(Corrupt):
        store.apply(batch("b", put(A, keys=[email("x")])))


@pytest.mark.parametrize(
    "address",
    ["postgresql://ann:secret@127.0.0.1:1/crm", "host=127.0.0.1 port=1 user=ann password=secret"],
)
def test_a_server_that_is_not_there_is_unavailable(address: str) -> None:
    with pytest.raises(Unavailable) as raised:
        PostgresStore(address, timeout=2)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("address", ["postgresql://[canary", "canary at home", "canary"])
def test_what_is_no_address_is_refused_without_being_quoted(address: str) -> None:
    with pytest.raises(Unavailable) as raised:
        PostgresStore(address)
    assert "canary" not in str(raised.value)


def test_an_address_is_shown_without_user_and_password(store: PostgresStore, schema: str) -> None:
    address = store.describe().address
    assert address.endswith(f"#{schema}")
    assert "@" not in address
    assert "postgres:" not in address


@pytest.mark.parametrize("name", ["", "Crm", "crm-1", 'a"; DROP TABLE x; --', "pg_crm", "x" * 64, "ä"])
def test_a_schema_is_a_plain_word(name: str) -> None:
    with pytest.raises(InvalidRecord):
        PostgresStore(dsn(), schema=name)


def test_without_psycopg_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "import crmcore.storage\n"
        "try:\n    crmcore.storage.PostgresStore\n"
        "except crmcore.errors.MissingExtra as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "crmcore[postgres]" in done.stdout


# --- servers that hang or go --------------------------------------------------------------------------


def stopped(pid: int) -> Callable[[], None]:
    """Stop a process; the answer lets it go on."""
    os.kill(pid, signal.SIGSTOP)
    return lambda: os.kill(pid, signal.SIGCONT)


def test_a_server_that_hangs_is_waited_for_no_longer_than_told(store: PostgresStore) -> None:
    store.apply(batch("a", put(A)))
    go_on = stopped(backend(store))
    begun = time.monotonic()
    try:
        with pytest.raises(StoreTimeout):
            store.apply(batch("b", put(B)), timeout=0.5)
        assert time.monotonic() - begun < 1.5
    finally:
        go_on()
    assert store.outcome(TENANT, "b") is None
    assert store.get([A, B]).keys() == {A}
    assert store._flow._pool.idle.out == 0  # type: ignore[attr-defined]  # the pool of this colour


def test_a_read_of_a_server_that_hangs_ends(schema: str) -> None:
    with PostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE, timeout=0.5) as store:
        go_on = stopped(backend(store))
        begun = time.monotonic()
        try:
            with pytest.raises(StoreTimeout):
                store.get([A])
            assert time.monotonic() - begun < 1.5
        finally:
            go_on()
        assert store.get([A]) == {}


def commits(monkeypatch: pytest.MonkeyPatch, before: Callable[[SyncLink], None]) -> None:
    """Do something in the moment when a batch is sent to be committed."""
    whole = SyncLink.together

    async def together(self: SyncLink, *asked: Any) -> Any:
        if asked[-1][0] == "COMMIT":
            before(self)
        return await whole(self, *asked)

    monkeypatch.setattr(SyncLink, "together", together)


def test_a_commit_that_hangs_is_unknown_and_its_outcome_is_told_later(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.apply(batch("a", put(A)))
    resume: list[Callable[[], None]] = []
    with monkeypatch.context() as patched:
        commits(patched, lambda link: resume.append(stopped(link._raw.info.backend_pid)))
        begun = time.monotonic()
        try:
            with pytest.raises(CommitUnknown) as raised:
                store.apply(batch("b", put(B)), timeout=0.5)
            assert time.monotonic() - begun < 1.5
        finally:
            threading.Timer(0.3, resume[0]).start()  # while the outcome is asked for, which waits
    assert raised.value.outcome == "unknown"
    receipt = store.outcome(TENANT, "b")
    assert (receipt is not None) == (B in store.get([B]))
    if receipt is None:  # the server had not read it, and saw the connection closed first
        with pytest.raises(StoreError):
            store.apply(batch("b", put(B)))


def test_a_connection_that_is_cut_before_the_commit_is_sent_wrote_nothing(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.apply(batch("a", put(A)))
    begin = SyncLink.together

    async def cut(self: SyncLink, *asked: Any) -> Any:
        answers = await begin(self, *asked)
        if "BEGIN" in asked[0][0]:
            execute("SELECT pg_terminate_backend(%s, 5000)", parameters=[self._raw.info.backend_pid])
        return answers

    with monkeypatch.context() as patched:
        patched.setattr(SyncLink, "together", cut)
        with pytest.raises(Unavailable) as raised:
            store.apply(batch("b", put(B)))
    assert raised.value.outcome == "not_applied"
    assert store.apply(batch("b", put(B))).replayed is False


def test_a_connection_that_is_cut_while_committing_is_unknown(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.apply(batch("a", put(A)))

    def cut(link: SyncLink) -> None:
        execute("SELECT pg_terminate_backend(%s, 5000)", parameters=[link._raw.info.backend_pid])

    with monkeypatch.context() as patched:
        commits(patched, cut)
        with pytest.raises(CommitUnknown):
            store.apply(batch("b", put(B)))
    assert store.outcome(TENANT, "b") is None


def test_a_write_that_the_server_refuses_with_the_commit_behind_it_wrote_nothing(
    store: PostgresStore, schema: str
) -> None:
    execute("ALTER TABLE {feed} ADD CONSTRAINT never CHECK (size < 0)", schema)
    with pytest.raises(Corrupt) as raised:
        store.apply(batch("a", put(A)))
    assert raised.value.outcome == "not_applied"
    execute("ALTER TABLE {feed} DROP CONSTRAINT never", schema)
    assert store.apply(batch("a", put(A))).replayed is False


def test_a_server_that_ended_idle_connections_is_not_noticed(store: PostgresStore) -> None:
    store.apply(batch("a", put(A)))
    execute("SELECT pg_terminate_backend(%s, 5000)", parameters=[backend(store)])
    assert store.get([A]).keys() == {A}
    assert store.apply(batch("b", put(B))).versions == {B: 1}


def test_who_waits_for_others_all_the_time_is_told_of_contention(store: PostgresStore, schema: str) -> None:
    secret = execute("SELECT value FROM {meta} WHERE name = 'secret'", schema)[0][0]
    with psycopg.connect(dsn()) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [number_for(secret, "tenant", TENANT)])
        begun = time.monotonic()
        with pytest.raises(Contention):
            store.apply(batch("a", put(A)), timeout=0.3)
        assert time.monotonic() - begun < 1.3
    assert store.apply(batch("a", put(A))).versions == {A: 1}


# --- tasks that are cancelled -------------------------------------------------------------------------


def test_a_task_that_is_cancelled_while_it_waits_wrote_nothing(schema: str) -> None:
    async def flow() -> None:
        async with AsyncPostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE, pool_size=2) as store:
            with psycopg.connect(dsn()) as other:
                number = number_for(store._secret, "tenant", TENANT)
                other.execute("SELECT pg_advisory_xact_lock(%s)", [number])
                task = asyncio.create_task(store.apply(batch("a", put(A))))
                await asyncio.sleep(0.2)
                task.cancel()
                with pytest.raises(asyncio.CancelledError) as raised:
                    await task
                assert raised.value.__cause__ is None
            assert await store.outcome(TENANT, "a") is None
            assert store._pool.idle.out == 0  # type: ignore[attr-defined]  # the pool of this colour

    asyncio.run(flow())


def test_a_task_that_is_cancelled_while_it_commits_says_that_it_may_have_written(schema: str) -> None:
    async def flow() -> None:
        async with AsyncPostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE, pool_size=2) as store:
            await store.apply(batch("a", put(A)))
            link = store._pool.idle._links[-1]  # type: ignore[attr-defined]  # the pool of this colour
            whole = link.together

            async def together(*asked: Any) -> Any:
                if asked[-1][0] == "COMMIT":
                    resume.append(stopped(link._raw.info.backend_pid))
                return await whole(*asked)

            resume: list[Callable[[], None]] = []
            link.together = together
            task = asyncio.create_task(store.apply(batch("b", put(B))))
            while not resume:  # a moment inside of the driver, of which nothing tells
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as raised:
                await task
            resume[0]()
            assert isinstance(raised.value.__cause__, CommitUnknown)
            receipt = await store.outcome(TENANT, "b")
            assert (receipt is not None) == (B in await store.get([B]))

    asyncio.run(flow())


# --- rights -------------------------------------------------------------------------------------------


def test_a_role_that_only_reads_and_writes_rows_can_work_and_cannot_change_tables(
    store: PostgresStore, schema: str
) -> None:
    role = f"app_{schema}"
    execute(f"CREATE ROLE {role}")
    try:
        execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
        execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}")
        address = address_with(f"-c role={role}")
        with PostgresStore(address, schema=schema, exclusive=EXCLUSIVE) as app:
            assert app.apply(batch("a", put(A, keys=[source("1")]), append("log"))).versions == {A: 1}
            assert app.get([A]).keys() == {A}
            assert app.verify().problems == ()
        with pytest.raises(Unavailable, match="42501"):
            PostgresStore(address, schema=f"{schema}_other")
    finally:
        execute(f"DROP OWNED BY {role}")
        execute(f"DROP ROLE {role}")


# --- migrations ---------------------------------------------------------------------------------------


class Crash(Exception):
    pass


def test_a_migration_that_is_cut_off_anywhere_is_gone_on_with(
    schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After every statement that changes something, until one migration passes whole."""
    ask, taken, left = SyncLink.ask, 0, 0

    async def cut(self: SyncLink, text: str, parameters: Any = ()) -> Any:
        nonlocal left
        answer = await ask(self, text, parameters)
        if text.lstrip().startswith(("CREATE", "INSERT", "COMMIT")):
            left -= 1
            if left == 0:
                self.drop()
                raise Crash
        return answer

    for statements in range(1, 40):
        left = statements
        with monkeypatch.context() as patched:
            patched.setattr(SyncLink, "ask", cut)
            try:
                PostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE).close()
            except Crash:
                taken += 1
                continue
        break
    assert taken > 6, "it was cut off in the middle of nothing"
    with PostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE) as store:
        assert store.schema().pending == ()
        assert store.apply(batch("a", put(A))).versions == {A: 1}
        assert store.verify().problems == ()


def test_many_who_open_an_empty_database_at_once_make_one_store() -> None:
    for _ in range(3):
        schema = new_schema()
        try:
            with ThreadPoolExecutor(4) as threads:
                made = [
                    threads.submit(PostgresStore, dsn(), schema=schema, exclusive=EXCLUSIVE) for _ in range(4)
                ]
                stores = [one.result() for one in made]
            stores[0].apply(batch("a", put(A)))
            assert all(store.get([A]).keys() == {A} for store in stores)
            for store in stores:
                store.close()
        finally:
            drop(schema)


def test_tables_are_left_alone_where_that_is_asked_for(schema: str) -> None:
    with PostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE, migrate=False) as store:
        assert store.schema().pending == postgres_schema.STEPS
        with pytest.raises(SchemaMismatch, match="migrate"):
            store.get([A])
        with pytest.raises(SchemaMismatch):
            store.apply(batch("a", put(A)))
        assert execute("SELECT to_regclass(%s)", parameters=[f"{schema}.record"]) == [(None,)]
        assert store.migrate() == postgres_schema.STEPS
        assert store.migrate() == ()
        assert store.apply(batch("a", put(A))).versions == {A: 1}


def test_exclusive_namespaces_are_settled_when_the_tables_are_made(schema: str) -> None:
    PostgresStore(dsn(), schema=schema, exclusive={"source"}).close()
    with pytest.raises(SchemaMismatch, match="member"):
        PostgresStore(dsn(), schema=schema, exclusive={"source", "member"})
    with PostgresStore(dsn(), schema=schema, exclusive=()) as store:
        assert store.describe().exclusive == {"source"}
