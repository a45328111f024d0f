"""Many writers on one PostgreSQL: nothing is lost, doubled or turned around, from threads and from processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psycopg
import pytest

import crmcore.storage.postgres_pool as postgres_pool
from crmcore.errors import Contention, Fenced, KeyConflict, StoreClosed, StoreError, VersionConflict
from crmcore.storage import (
    Batch,
    Check,
    CheckKey,
    Chunk,
    Erasure,
    Json,
    NewRecord,
    Operation,
    PostgresStore,
    Row,
)
from crmcore.storage.postgres_driver import Names, SyncLink, connect
from crmcore.storage.postgres_locks import for_key, number_for
from crmcore.testing.kit import EXCLUSIVE, NOW, TENANT, append, put, ref, rekey, source
from crmcore.values.source import SYSTEM
from tests.storage.postgres_server import drop, dsn, execute, new_schema

A, B, X, Y = ref(1), ref(2), ref(3), ref(4)


def batch(idem: str, *ops: Operation, tenant: str = TENANT) -> Batch:
    return Batch(tenant=tenant, ops=ops, idem=idem, actor=SYSTEM, at=NOW)


@pytest.fixture
def schema() -> Iterator[str]:
    name = new_schema()
    yield name
    drop(name)


@pytest.fixture
def store(schema: str) -> Iterator[PostgresStore]:
    with PostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE) as made:
        yield made


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Run the calls in threads that begin together; what each gave, an error being an answer, too."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        gate.wait()
        try:
            return call()
        except StoreError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def count_up(store: PostgresStore, name: str, times: int) -> int:
    """Add one to a counter so often, each time over the version that was read; how many conflicts there were."""
    conflicts = 0
    for number in range(times):
        while True:
            found = store.get([A])[A]
            op = put(A, found.version, {"n": found.body["n"] + 1})
            try:
                store.apply(batch(f"{name}-{number}-{found.version}", op, append("log", {"by": name})))
                break
            except VersionConflict:
                conflicts += 1
    return conflicts


def test_no_update_of_threads_is_lost(store: PostgresStore) -> None:
    store.apply(batch("first", put(A, 0, {"n": 0})))
    answers = at_once(*(partial(count_up, store, f"t{one}", 15) for one in range(4)))
    assert store.get([A])[A].body["n"] == 60
    assert store.get([A])[A].version == 61
    assert len(store.ledger(TENANT, ["log"])["log"].items) == 60
    assert sum(answer for answer in answers if isinstance(answer, int)) > 0, "they never met"


_COUNTER = """
import sys
from crmcore.storage import PostgresStore
from crmcore.testing.kit import EXCLUSIVE
from tests.storage.test_postgres_many import count_up
with PostgresStore(sys.argv[1], schema=sys.argv[2], exclusive=EXCLUSIVE) as store:
    count_up(store, sys.argv[3], 20)
"""


def test_no_update_of_processes_is_lost(store: PostgresStore, schema: str) -> None:
    store.apply(batch("first", put(A, 0, {"n": 0})))
    running = [
        subprocess.Popen([sys.executable, "-c", _COUNTER, dsn(), schema, f"p{number}"]) for number in range(3)
    ]
    assert [one.wait(60) for one in running] == [0, 0, 0]
    assert store.get([A])[A].body["n"] == 60
    feed = [change for change in store.changes(TENANT).items if change.ref == A]
    assert [change.version for change in feed] == list(range(1, 62))


def test_two_that_each_check_what_the_other_writes_do_not_both_pass(store: PostgresStore) -> None:
    for number in range(15):
        one, other = ref(10 + 2 * number), ref(11 + 2 * number)
        first = batch(f"a{number}", Check(ref=one, expect=0), put(other))
        second = batch(f"b{number}", Check(ref=other, expect=0), put(one))
        answers = at_once(partial(store.apply, first), partial(store.apply, second))
        assert sum(isinstance(answer, VersionConflict) for answer in answers) == 1, answers


def test_two_that_each_free_the_key_that_the_other_checks_do_not_both_pass(store: PostgresStore) -> None:
    for number in range(15):
        one, other = ref(10 + 2 * number), ref(11 + 2 * number)
        mine, yours = source(f"x{number}"), source(f"y{number}")
        store.apply(batch(f"p{number}", put(one, keys=[mine]), put(other, keys=[yours])))
        first = batch(f"a{number}", rekey(one, 1), CheckKey(key=yours, holder=other))
        second = batch(f"b{number}", rekey(other, 1), CheckKey(key=mine, holder=one))
        answers = at_once(partial(store.apply, first), partial(store.apply, second))
        assert sum(isinstance(answer, KeyConflict) for answer in answers) == 1, answers


def test_one_of_many_gets_an_exclusive_key(store: PostgresStore) -> None:
    for number in range(6):
        wanted = [
            batch(f"{number}-{who}", put(ref(100 * number + who), keys=[source(str(number))]))
            for who in range(5)
        ]
        answers = at_once(*(partial(store.apply, one) for one in wanted))
        assert sum(isinstance(answer, KeyConflict) for answer in answers) == 4, answers
    assert execute("SELECT count(*) FROM {claim}", _schema_of(store)) == [(6,)]


def _schema_of(store: PostgresStore) -> str:
    return store.describe().address.partition("#")[2]


def test_the_feed_loses_doubles_and_turns_nothing_around_while_many_write(store: PostgresStore) -> None:
    writers, each = 4, 40
    done = threading.Event()
    seen: list[tuple[str | None, int | None, int | None]] = []

    def read() -> int:
        position, pages = "", 0
        while True:
            last = done.is_set()
            page = store.changes(TENANT, position, 7)
            seen.extend([(one.ref.id if one.ref else None, one.version, one.seq) for one in page.items])
            position, pages = page.next, pages + 1
            if last and not page.items:
                return pages

    def write(writer: int) -> None:
        for number in range(each):
            while True:
                target = ref(number % 5)
                now = store.get([target])
                version = now[target].version if now else 0
                try:
                    store.apply(batch(f"{writer}-{number}-{version}", put(target, version), append("log")))
                    break
                except VersionConflict:
                    pass

    with ThreadPoolExecutor(writers + 1) as threads:
        reading = threads.submit(read)
        writing = [threads.submit(write, writer) for writer in range(writers)]
        for one in writing:
            one.result()
        done.set()
        assert reading.result() > 5, "the reader came too late"
    assert len(seen) == len(set(seen)) == 2 * writers * each
    for number in range(5):
        versions = [version for id_, version, _ in seen if id_ == ref(number).id]
        assert versions == list(range(1, len(versions) + 1))
    assert [seq for id_, _, seq in seen if id_ is None] == list(range(1, writers * each + 1))


def test_the_feed_waits_for_a_transaction_that_is_under_way(store: PostgresStore) -> None:
    store.apply(batch("before", put(A)))
    with psycopg.connect(dsn()) as other:
        other.execute("SELECT pg_current_xact_id()")
        receipt = store.apply(batch("behind", put(B)))
        page = store.changes(TENANT)
        assert [change.idem for change in page.items] == ["before"]
        assert page.watermark == page.next != receipt.position
        assert store.changes(TENANT, receipt.position).items == (), "a receipt's position is no forgery"
        other.rollback()
    assert [change.idem for change in store.changes(TENANT, page.next).items] == ["behind"]


def test_a_feed_goes_on_in_a_server_that_counts_from_lower_numbers(store: PostgresStore, schema: str) -> None:
    store.apply(batch("one", put(A)))
    store.apply(batch("two", put(B)))
    for table in ("{batch}", "{feed}"):  # as after a dump of another server was restored here
        execute(f"UPDATE {table} SET tx = ((tx::text)::bigint + 1000000000)::text::xid8", schema)
    store.close()
    with PostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE) as moved:
        first = moved.changes(TENANT, limit=1)
        assert [change.idem for change in first.items] == ["one"]
        moved.apply(batch("three", put(X)))
        moved.apply(batch("four", put(Y)))
        assert [change.idem for change in moved.changes(TENANT, first.next).items] == ["two", "three", "four"]
        assert execute("SELECT convert_from(value, 'UTF8') FROM {meta} WHERE name = 'era'", schema) == [
            ("2",)
        ]
        again = moved.apply(batch("two", put(B)))
        assert again.replayed
        assert [change.idem for change in moved.changes(TENANT, again.position).items] == ["three", "four"]


def test_a_large_batch_takes_the_lock_of_the_tenant_and_others_wait(schema: str) -> None:
    many = batch("many", *(put(ref(number)) for number in range(100)))
    with PostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE) as store:
        secret = execute("SELECT value FROM {meta} WHERE name = 'secret'", schema)[0][0]
        with psycopg.connect(dsn()) as other:
            other.execute("SELECT pg_advisory_xact_lock_shared(%s)", [number_for(secret, "tenant", TENANT)])
            assert store.apply(batch("small", put(ref(500)))).versions, (
                "who writes little waits for no reader"
            )
            with pytest.raises(Contention):
                store.apply(many, timeout=0.2)
        assert len(store.apply(many).versions) == 100


def test_an_outcome_waits_for_the_batch_that_is_under_way(store: PostgresStore, schema: str) -> None:
    secret = execute("SELECT value FROM {meta} WHERE name = 'secret'", schema)[0][0]
    numbers, _ = for_key(secret, TENANT, "late")
    with psycopg.connect(dsn()) as other, ThreadPoolExecutor(1) as thread:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [numbers[1]])
        asked = thread.submit(store.outcome, TENANT, "late")
        with pytest.raises(TimeoutError):
            asked.result(0.3)
        other.rollback()
        assert asked.result(5) is None


def test_connections_come_back_whatever_happens(schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counting(address: str, names: Names, deadline: float) -> SyncLink:
        link = connect(address, names, deadline)
        made.append(link._raw.info.backend_pid)
        return link

    monkeypatch.setattr(postgres_pool, "connect", counting)
    with PostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE, pool_size=2) as store:
        pool = store._flow._pool
        store.apply(batch("a", put(A)))
        for number in range(5):
            with pytest.raises(VersionConflict):
                store.apply(batch(f"b{number}", put(A)))
        at_once(*(lambda: store.get([A]) for _ in range(6)))
        assert pool.idle.out == 0  # type: ignore[attr-defined]  # the pool of this colour
        assert len(pool.idle._links) <= 2  # type: ignore[attr-defined]  # the pool of this colour
        assert 1 <= len(made) <= 2
    store.close()  # a second time
    with pytest.raises(StoreClosed):
        store.get([A])


def test_who_finds_no_connection_free_is_told_so(schema: str) -> None:
    with PostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE, pool_size=1, timeout=0.3) as store:
        secret = execute("SELECT value FROM {meta} WHERE name = 'secret'", schema)[0][0]
        with psycopg.connect(dsn()) as other, ThreadPoolExecutor(1) as thread:
            other.execute("SELECT pg_advisory_xact_lock(%s)", [number_for(secret, "tenant", TENANT)])
            waiting = thread.submit(store.apply, batch("a", put(A)), timeout=5)
            while not store._flow._pool.idle.out:  # type: ignore[attr-defined]  # the pool of this colour
                pass
            with pytest.raises(Contention, match="pool"):
                store.get([A])
            other.rollback()
            assert waiting.result(5).versions == {A: 1}


def test_writers_of_one_ledger_number_it_without_a_gap(store: PostgresStore) -> None:
    def write(name: str) -> None:
        for number in range(15):
            store.apply(batch(f"{name}{number}", append("log")))

    at_once(*(partial(write, str(one)) for one in range(4)))
    assert [one.seq for one in store.ledger(TENANT, ["log"])["log"].items] == list(range(1, 61))


def test_a_chunk_whose_records_were_erased_is_known_and_refused(store: PostgresStore) -> None:
    row = Row((NewRecord("party", A.id, 1, Json("{}")),))
    chunk = Chunk(tenant=TENANT, rows=(row,), idem="c", digest="d", actor=SYSTEM, at=NOW)
    store.load(chunk)
    store.erase(Erasure(tenant=TENANT, refs=frozenset({A}), idem="e", actor=SYSTEM, at=NOW))
    with pytest.raises(Fenced):
        store.loaded(TENANT, "c", "d")
    with pytest.raises(Fenced):
        store.load(chunk)
