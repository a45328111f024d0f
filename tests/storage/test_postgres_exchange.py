"""Round trips to PostgreSQL: how many a call costs, and what is left of one that failed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from crmcore.storage import Batch, PostgresStore, run
from crmcore.storage.postgres_driver import DriverError, Names, SyncLink, connect
from crmcore.storage.postgres_exchange import Exchange
from crmcore.testing.kit import EXCLUSIVE, NOW, TENANT, append, email, put, ref, source
from crmcore.values.source import SYSTEM
from tests.storage.postgres_server import drop, dsn, new_schema

A = ref(1)
ADD = "SELECT $1::bigint + 1"
FAIL = "SELECT 1 / $1::bigint"


@pytest.fixture
def link() -> Iterator[SyncLink]:
    made = connect(dsn(), Names("nothing"), time.monotonic() + 10)
    yield made
    made.drop()


def test_a_statement_that_comes_often_is_prepared_once(link: SyncLink) -> None:
    for number in range(10):
        assert run(link.ask(ADD, [number])) == [(number + 1,)]
        assert run(link.together((ADD, [1]), (ADD, [None]))) == [[(2,)], [(None,)]]
    prepared = run(link.ask("SELECT count(*) FROM pg_prepared_statements WHERE statement = $1", [ADD]))
    assert 2 <= prepared[0][0] <= 4, (
        "two types of parameters, each of which came twice in one round trip at most"
    )


def test_a_statement_that_a_failure_kept_from_being_prepared_works_afterwards(link: SyncLink) -> None:
    for _ in range(6):
        with pytest.raises(DriverError) as raised:
            run(link.together((FAIL, [0]), (ADD, [1])))
        assert raised.value.sqlstate == "22012"
        assert link.usable()
    assert run(link.together((ADD, [1]), (FAIL, [1]))) == [[(2,)], [(1,)]]


def test_of_the_statements_after_one_that_fails_none_is_run(link: SyncLink) -> None:
    run(link.ask("CREATE TEMPORARY TABLE seen (n bigint)"))
    for _ in range(5):
        with pytest.raises(DriverError):
            run(link.together((FAIL, [0]), ("INSERT INTO seen VALUES ($1)", [1])))
    assert run(link.ask("SELECT count(*) FROM seen")) == [(0,)]


def test_what_cannot_be_sent_leaves_the_connection_as_it_was(link: SyncLink) -> None:
    with pytest.raises(UnicodeEncodeError):
        run(link.together((ADD, [1]), ("SELECT $1::text", ["\ud800"])))
    assert link.usable()
    assert run(link.ask(ADD, [1])) == [(2,)]


def test_rows_that_are_taken_few_at_a_time_are_all_of_them(link: SyncLink) -> None:
    for size, heavy in ((1, 1000), (7, 1000), (100, 1), (1000, 1000)):
        run(link.begin("SELECT n, 'x' FROM generate_series(1, $1::bigint) AS n", [100]))
        found: list[Any] = []
        while rows := run(link.some(size, heavy)):
            assert len(rows) <= size
            found += rows
        assert found == [(n, "x") for n in range(1, 101)]
        assert link.usable()
        assert run(link.together((ADD, [1]), (ADD, [2]))) == [[(2,)], [(3,)]]
    run(link.begin("SELECT 1 / n FROM generate_series(1, 0, -1) AS n"))
    with pytest.raises(DriverError):
        run(link.some(10, 10))
    assert not link.usable()


def test_a_point_read_costs_one_round_trip_and_a_batch_two(monkeypatch: pytest.MonkeyPatch) -> None:
    schema, trips, whole = new_schema(), 0, Exchange.run

    def counting(self: Exchange, asked: Any) -> Any:
        nonlocal trips
        trips += 1
        return whole(self, asked)

    def batch(version: int) -> Batch:
        ops = (put(A, version, keys=[email("a"), source(str(version))]), append("log"))
        return Batch(tenant=TENANT, ops=ops, idem=f"b{version}", actor=SYSTEM, at=NOW)

    try:
        with PostgresStore(dsn(), schema=schema, exclusive=EXCLUSIVE, pool_size=1) as store:
            store.apply(batch(0))
            monkeypatch.setattr(Exchange, "run", counting)
            store.get([A])
            assert trips == 1
            store.apply(batch(1))
            assert trips == 3
    finally:
        drop(schema)
