"""Snapshots, damage and positions of a store on PostgreSQL: nothing is left out without a word."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crmcore.errors import Corrupt, InvalidRecord, StoreClosed, StoreError, Unavailable
from crmcore.storage import Batch, Operation, PostgresStore, SqliteStore
from crmcore.storage.erasure import Erasure
from crmcore.storage.lower import LoweredSnapshot
from crmcore.storage.nearness import Breadth
from crmcore.storage.stored import StoredBatch
from crmcore.testing.kit import EXCLUSIVE, NOW, TENANT, append, email, put, ref, rekey
from crmcore.values.source import SYSTEM
from tests.storage.postgres_server import drop, dsn, execute, new_schema

A = ref(1)
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
    with PostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE, pool_size=2, timeout=5) as made:
        made.apply(batch("a", put(A, 0, {"email": CANARY}), append("log:1", {"email": CANARY})))
        yield made


def backend(snapshot: LoweredSnapshot) -> int:
    link = snapshot._snapshot._link  # type: ignore[attr-defined]  # that of this store has one
    return int(link._raw.info.backend_pid)


def test_a_snapshot_that_failed_never_says_that_it_ended(store: PostgresStore) -> None:
    snapshot = store.export()
    assert len(snapshot.read(1)) == 1
    execute("SELECT pg_terminate_backend(%s, 5000)", parameters=[backend(snapshot)])
    with pytest.raises(StoreError):
        snapshot.read(10)
    for _ in range(2):
        with pytest.raises(StoreClosed) as raised:
            snapshot.read(10)
        assert not raised.value.retryable


def test_a_snapshot_ends_with_its_store(store: PostgresStore) -> None:
    snapshot = store.export()
    process = backend(snapshot)
    assert snapshot.read(1)
    store.close()
    with pytest.raises(StoreClosed):
        snapshot.read(1)
    execute("SELECT pg_sleep(0.3)")
    assert execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", parameters=[process]) == [(0,)]


def test_a_single_text_is_no_collection_of_tenants(store: PostgresStore) -> None:
    with pytest.raises(InvalidRecord):
        store.export(TENANT)


DAMAGED = '{"email": canary@pii.example}'


def hidden(error: BaseException) -> None:
    seen: BaseException | None = error
    while seen is not None:
        assert "canary" not in f"{seen} {seen!r} {vars(seen)}"
        assert "canary" not in str(getattr(seen, "doc", ""))
        seen = seen.__cause__ or seen.__context__


def test_bodies_that_are_damaged_are_corrupt_and_not_shown(store: PostgresStore, schema: str) -> None:
    for table in ("record", "ledger"):
        execute(f"UPDATE {{{table}}} SET body = %s", schema, [DAMAGED])
    with pytest.raises(Corrupt) as raised:
        store.get([A])
    hidden(raised.value)
    with pytest.raises(Corrupt) as raised:
        store.ledger(TENANT, ["log:1"])
    hidden(raised.value)
    assert {(p.code, p.count) for p in store.verify().problems} == {
        ("record_invalid", 1),
        ("entry_invalid", 1),
    }


DEEP = 100_000


def test_what_is_too_deep_to_be_read_is_corrupt(store: PostgresStore, schema: str) -> None:
    store.apply(batch("b", put(ref(2), keys=[email(CANARY)])))
    body = '{"a":' * DEEP + "1" + "}" * DEEP
    execute("UPDATE {record} SET body = %s", schema, [body])
    execute("UPDATE {ledger} SET body = %s, subjects = %s", schema, [body, "[" * DEEP + "]" * DEEP])
    execute("UPDATE {feed} SET changes = %s", schema, ["[" * DEEP + "]" * DEEP])
    for call in (
        lambda: store.get([A]),
        lambda: store.ledger(TENANT, ["log:1"]),
        lambda: store.changes(TENANT),
        lambda: store.near(TENANT, "email", [CANARY], A.kind, breadth=Breadth(largest=9, enough=9, most=9)),
        lambda: store.export().read(),
    ):
        with pytest.raises(Corrupt):
            call()
    assert {(p.code, p.count) for p in store.verify().problems} == {
        ("record_invalid", 2),
        ("entry_invalid", 1),
        ("feed_invalid", 2),
    }


def test_damage_of_the_feed_is_corrupt(store: PostgresStore, schema: str) -> None:
    execute("UPDATE {feed} SET changes = %s", schema, ["canary"])
    with pytest.raises(Corrupt) as raised:
        store.changes(TENANT)
    hidden(raised.value)
    assert {(p.code, p.count) for p in store.verify().problems} == {("feed_invalid", 1)}


@pytest.mark.parametrize(
    "changes",
    [
        "[1]",
        '{"a":1}',
        '[["put","party","canary",1]]',
        '[["burn","party","",1]]',
        '[["append","log:1","","1"]]',
        "[[null]]",
        "[]",
    ],
)
def test_rows_of_the_feed_that_are_no_changes_are_counted(
    store: PostgresStore, schema: str, changes: str
) -> None:
    execute("UPDATE {feed} SET changes = %s", schema, [changes])
    store.apply(batch("b", append("log:1", {})))
    assert {(p.code, p.count) for p in store.verify().problems} == {("feed_invalid", 1)}


def test_what_records_carry_and_cannot_be_read_is_counted(store: PostgresStore, schema: str) -> None:
    store.apply(batch("b", put(ref(2), keys=[email(CANARY)])))
    execute("UPDATE {record} SET carries = 'canary' WHERE carries <> '[[],[]]'", schema)
    found = {(p.code, p.count) for p in store.verify().problems}
    assert found == {("record_invalid", 1), ("key_extra", 1)}


def test_bodies_in_a_file_that_are_damaged_are_corrupt_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with SqliteStore(path) as store:
        store.apply(batch("a", put(A, 0, {"email": CANARY})))
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("UPDATE record SET body = ?", (DAMAGED,))
        with pytest.raises(Corrupt) as raised:
            store.get([A])
        hidden(raised.value)


def test_a_batch_that_only_rekeyed_the_erased_is_stripped_also_after_a_restore(store: PostgresStore) -> None:
    store.apply(batch("b", rekey(A, 1, keys=[email("ann@x.org")])))
    snapshot = store.export()
    rows = snapshot.read()
    snapshot.close()
    assert [row.rekeyed for row in rows if isinstance(row, StoredBatch)] == [(), ((A.kind, A.id),)]
    other = new_schema()
    try:
        with PostgresStore(dsn(), schema=other, exclusive=EXCLUSIVE) as again:
            again.restore(rows)
            for one in (store, again):
                report = one.erase(
                    Erasure(tenant=TENANT, refs=frozenset({A}), idem="e", actor=SYSTEM, at=NOW)
                )
                assert report.batches == 2
    finally:
        drop(other)


@pytest.mark.parametrize("timeout", [float("inf"), 1e300])
def test_however_long_a_call_may_wait_it_works(store: PostgresStore, schema: str, timeout: float) -> None:
    assert not store.apply(batch("long", append("log:2", {})), timeout=timeout).replayed
    with PostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE, timeout=timeout) as other:
        assert other.get([A])


def test_a_timeout_is_a_number(store: PostgresStore) -> None:
    with pytest.raises(InvalidRecord):
        store.apply(batch("nan", append("log:2", {})), timeout=float("nan"))


def test_an_address_that_is_no_text_is_refused_with_a_sentence() -> None:
    with pytest.raises(Unavailable, match="no address"):
        PostgresStore("postgresql://\ud800/crm")
