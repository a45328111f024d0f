"""Databases that others set up, servers that say no, and callers whose own rows fail: each ends in a sentence."""

from __future__ import annotations

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

import crmcore.storage.postgres_transaction as postgres_transaction
from crmcore.errors import (
    CommitUnknown,
    NotEmpty,
    SchemaMismatch,
    StoreError,
    StoreTimeout,
    Unavailable,
)
from crmcore.storage import Batch, Operation, PostgresStore, Stored, StoredTenant, lift, run
from crmcore.storage.erasure import Erasure
from crmcore.storage.nearness import Breadth
from crmcore.storage.postgres_driver import DriverError, SyncLink
from crmcore.storage.postgres_schema import STEPS
from crmcore.storage.stored import StoredRecord
from crmcore.testing.kit import EXCLUSIVE, NOW, TENANT, Writer, append, put, ref
from crmcore.values.source import SYSTEM
from tests.storage.postgres_server import address_with, drop, dsn, execute, new_database, new_schema, sessions

A, B = ref(1), ref(2)


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


def set_to(**settings: str) -> str:
    """The address of the server, for who has these settings of his own."""
    return address_with(" ".join(f"-c {name}={value}" for name, value in settings.items()))


# --- what others have made ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("meta", "name text PRIMARY KEY, value bytea"),
        ("meta", "name text, setting text"),
        ("record", "id bigint"),
        ("batch", "id bigint"),
    ],
)
def test_a_schema_with_tables_of_somebody_else_is_refused_and_left_as_it_is(
    schema: str, table: str, columns: str
) -> None:
    execute(f"CREATE SCHEMA {schema}")
    execute(f"CREATE TABLE {schema}.{table} ({columns})")
    for migrate in (True, False):
        with pytest.raises(SchemaMismatch, match="another schema"):
            PostgresStore(dsn(), schema=schema, migrate=migrate)
    there = "SELECT count(*) FROM pg_tables WHERE schemaname = %s"
    assert execute(there, parameters=[schema]) == [(1,)]
    assert execute(f"SELECT * FROM {schema}.{table}") == []


def test_a_schema_with_other_tables_beside_ours_is_fine(schema: str) -> None:
    execute(f"CREATE SCHEMA {schema}")
    execute(f"CREATE TABLE {schema}.invoice (id bigint)")
    with PostgresStore(dsn(), schema=schema) as store:
        assert store.apply(batch("a", put(A))).versions == {A: 1}


def test_an_odd_search_path_changes_nothing(schema: str) -> None:
    """One in which somebody's own functions come before those of the server."""
    evil = f"{schema}_evil"
    execute(f"CREATE SCHEMA {evil}")
    try:
        for name, kind in (("pg_current_xact_id", "xid8"), ("pg_current_snapshot", "pg_snapshot")):
            body = "BEGIN RAISE division_by_zero; END"
            execute(f"CREATE FUNCTION {evil}.{name}() RETURNS {kind} LANGUAGE plpgsql AS '{body}'")
        address = set_to(search_path=f"{evil},pg_catalog")
        with PostgresStore(address, schema=schema, exclusive=EXCLUSIVE) as store:
            assert store.apply(batch("a", put(A))).versions == {A: 1}
            assert [change.ref for change in store.changes(TENANT).items] == [A]
    finally:
        execute(f"DROP SCHEMA {evil} CASCADE")


# --- what operators set -------------------------------------------------------------------------------


def test_a_server_that_can_only_be_read_is_read_and_says_where_to_write(
    store: PostgresStore, schema: str
) -> None:
    store.apply(batch("a", put(A)))
    address = set_to(default_transaction_read_only="on")
    with PostgresStore(address, schema=schema, exclusive=EXCLUSIVE) as standby:
        assert standby.get([A]).keys() == {A}
        assert standby.verify().problems == ()
        with pytest.raises(Unavailable, match="primary"):
            standby.apply(batch("b", put(B)))
        assert standby.get([A, B]).keys() == {A}
    with pytest.raises(Unavailable, match="primary"):
        PostgresStore(address, schema=f"{schema}_other")


BREADTH = Breadth(largest=10, enough=10, most=10)
THEIRS = "1234567ms"
"""Twenty minutes, so that it is only seen, and never ends anything."""


def test_the_time_limits_of_the_operator_bound_nothing_that_a_store_does(
    schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what a connection does first, which is to set its own, is done under them."""
    asked_under: list[tuple[str, str]] = []
    waited_under: list[str] = []
    whole = SyncLink.together

    async def together(self: SyncLink, *asked: Any) -> Any:
        answer = await whole(self, *asked)
        ((statement, idle, lock),) = (await whole(self, (settings, ())))[0]
        asked_under.append((statement, idle))
        if "pg_advisory_xact_lock" in str(asked):
            waited_under.append(lock)
        return answer

    names = ("statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout")
    settings = f"SELECT {', '.join(f'current_setting({name!r})' for name in names)}"
    monkeypatch.setattr(SyncLink, "together", together)
    address = set_to(**dict.fromkeys(names, THEIRS))
    with PostgresStore(address, schema=schema, exclusive=EXCLUSIVE, migrate=False) as store:
        store.migrate()
        store.apply(batch("a", put(A)))
        assert store.get([A]).keys() == {A}
        store.near(TENANT, "email", ["x"], "party", breadth=BREADTH)
        assert store.erase(ERASURE).records == 1
        assert store.verify().problems == ()
        store.export().close()
    with PostgresStore(address, schema=f"{schema}_b", exclusive=EXCLUSIVE):
        drop(f"{schema}_b")
    assert len(asked_under) > 60
    assert not [both for both in asked_under if THEIRS in both]
    assert len(waited_under) >= 2 + 2 * len(STEPS)
    assert THEIRS not in waited_under


def test_a_server_without_room_for_a_connection_says_what_to_look_at(schema: str) -> None:
    PostgresStore(dsn(), schema=schema).close()
    role = f"app_{schema}"
    address = address_with(user=role, password="canary")
    execute(f"CREATE ROLE {role} LOGIN PASSWORD 'canary'")
    try:
        with psycopg.connect(address) as connection:
            assert connection.execute("SELECT current_user").fetchall() == [(role,)]
        execute(f"ALTER ROLE {role} CONNECTION LIMIT 0")
        with pytest.raises(Unavailable, match="max_connections") as raised:
            PostgresStore(address, schema=schema)
        assert "canary" not in f"{raised.value!r} {vars(raised.value)}"
        assert raised.value.__suppress_context__
        assert raised.value.retryable
    finally:
        execute(f"DROP ROLE {role}")


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_of_another_encoding_is_refused(encoding: str) -> None:
    made = f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    with new_database(made) as address, pytest.raises(Unavailable, match=f"{encoding}.*UTF8"):
        PostgresStore(address)


def test_texts_are_in_the_order_of_their_bytes_whatever_the_database_sorts_by(
    store: PostgresStore, schema: str
) -> None:
    """Whatever text is part of a primary key or of an index says so by itself; `meta` is never read in an order."""
    indexed = execute(
        "SELECT c.relname, a.attname, o.collname FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid "
        "JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey) "
        "JOIN pg_collation AS o ON o.oid = a.attcollation WHERE n.nspname = %s AND c.relname <> 'meta'",
        parameters=[schema],
    )
    assert {"tenant", "record", "key", "ledger", "batch"} <= {table for table, _, _ in indexed}
    assert {collation for _, _, collation in indexed} == {"C"}


def test_a_store_works_where_select_cannot_poll() -> None:
    """As on Windows."""
    code = (
        "import select\n"
        "del select.poll, select.epoll\n"
        "import crmcore.storage as storage\n"
        f"with storage.PostgresStore({dsn()!r}, schema={(name := new_schema())!r}) as store:\n"
        "    print(store.tenants().items, store.tenants().items)\n"
    )
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert (done.stdout, done.returncode) == ("() ()\n", 0), done.stderr
    finally:
        drop(name)


# --- callers whose rows fail, and commits that nobody confirms -----------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        OSError(5, "their disk"),
        TimeoutError("theirs"),
        psycopg.OperationalError("theirs"),
        KeyError("theirs"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_in_the_rows_of_the_caller_is_the_callers(store: PostgresStore, error: Exception) -> None:
    def rows() -> Iterator[Stored]:
        yield StoredTenant(TENANT)
        raise error

    with pytest.raises(type(error)) as raised:
        store.restore(rows())
    assert raised.value is error
    assert store.tenants().items == ()
    assert store._flow._pool.idle.out == 0  # type: ignore[attr-defined]  # the pool of this colour


def lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lose the answer of every commit."""
    whole = SyncLink.together

    async def together(self: SyncLink, *asked: Any) -> Any:
        answer = await whole(self, *asked)
        if asked[-1][0] == "COMMIT" and "transaction_isolation" not in str(asked):
            self.drop()
            raise DriverError
        return answer

    monkeypatch.setattr(SyncLink, "together", together)


ERASURE = Erasure(tenant=TENANT, refs=frozenset({A}), idem="e", actor=SYSTEM, at=NOW)
IN_DOUBT: dict[str, tuple[Callable[[PostgresStore], object], str]] = {
    "apply": (lambda store: store.apply(batch("b", put(B))), "outcome()"),
    "erase": (lambda store: store.erase(ERASURE), "same erasure"),
    "drop_tenant": (lambda store: store.drop_tenant(TENANT), "drop it again"),
    "restore": (lambda store: store.restore([StoredTenant("new")]), "NotEmpty"),
}


@pytest.mark.parametrize("call", IN_DOUBT)
def test_a_commit_in_doubt_says_what_to_do_then(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    store.apply(batch("a", put(A)))
    write, advice = IN_DOUBT[call]
    with monkeypatch.context() as patched:
        lost(patched)
        with pytest.raises(CommitUnknown) as raised:
            write(store)
    assert advice in str(raised.value)
    write(store)  # and that is right


def test_what_was_restored_in_doubt_is_refused_the_second_time(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = StoredRecord(TENANT, A.kind, A.id, 1, 1, None)
    with monkeypatch.context() as patched:
        lost(patched)
        with pytest.raises(CommitUnknown):
            store.restore([StoredTenant(TENANT), record])
    with pytest.raises(NotEmpty):
        store.restore([StoredTenant(TENANT), record])


def test_a_replay_whose_connection_breaks_at_its_end_is_answered_all_the_same(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = store.apply(batch("a", put(A)))
    whole = SyncLink.ask

    async def ask(self: SyncLink, text: str, parameters: Any = ()) -> Any:
        if text == "ROLLBACK":
            self.drop()
        return await whole(self, text, parameters)

    monkeypatch.setattr(SyncLink, "ask", ask)
    again = store.apply(batch("a", put(A)))
    assert (again.replayed, again.versions, again.position) == (True, receipt.versions, receipt.position)
    assert store.outcome(TENANT, "a") == again
    assert store.apply(batch("b", put(B))).versions == {B: 1}


@pytest.mark.parametrize(
    ("seconds", "meaning", "advice"),
    [(31, StoreTimeout, "give what is written faster"), (1, Unavailable, "ended the connection")],
)
@pytest.mark.parametrize("given", [0, 1, 2])
def test_a_restore_that_waited_too_long_for_its_rows_is_told_so(
    store: PostgresStore,
    monkeypatch: pytest.MonkeyPatch,
    given: int,
    seconds: int,
    meaning: type[StoreError],
    advice: str,
) -> None:
    """The server ends the connection, and whether it did so for that is known by the clock."""
    clock = SimpleNamespace(monotonic=time.monotonic)
    monkeypatch.setattr(postgres_transaction, "time", clock)
    assert store.get([A]) == {}
    (session,) = sessions(store)

    before: list[Stored] = [StoredTenant(TENANT), StoredRecord(TENANT, A.kind, A.id, 1, 1, None)]

    def rows() -> Iterator[Stored]:
        yield from before[:given]
        execute("SELECT pg_terminate_backend(%s, 60000)", parameters=[session])
        clock.monotonic = lambda: time.monotonic() + seconds
        yield from [StoredTenant(TENANT)][given:]

    with pytest.raises(meaning, match=advice) as raised:
        store.restore(rows())
    assert raised.value.outcome == "not_applied"
    assert store.tenants().items == ()


def test_a_server_that_was_started_again_between_two_calls_costs_no_unknown(store: PostgresStore) -> None:
    store.apply(batch("a", put(A)))
    for number in range(5):
        assert sessions(store)
        for session in sessions(store):
            execute("SELECT pg_terminate_backend(%s, 60000)", parameters=[session])
        assert not store.apply(batch(f"b{number}", append("log"))).replayed


# --- large rows ---------------------------------------------------------------------------------------


def test_large_rows_are_read_and_written_few_at_a_time(store: PostgresStore, schema: str) -> None:
    """30 MB of bodies in no more than 20 MB of memory: read as an export, looked at, and restored."""
    body = {"text": "x" * 1_000_000}
    writer = Writer(lift(store))
    for number in range(30):
        run(writer(put(ref(number), 0, body), idem=f"b{number}"))
    other = new_schema()
    try:
        with PostgresStore(dsn(), schema=other, exclusive=EXCLUSIVE) as again:
            snapshot = store.export()

            def rows() -> Iterator[Stored]:
                while found := snapshot.read():
                    yield from found

            tracemalloc.start()
            try:
                assert again.restore(rows()).records == 30
                assert again.verify().problems == ()
                assert tracemalloc.get_traced_memory()[1] < 20_000_000
            finally:
                tracemalloc.stop()
                snapshot.close()
    finally:
        drop(other)
