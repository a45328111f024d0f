"""A fault in every call of the driver: what the errors say is true. The long form is `tests.faults.matrix`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from crmcore.errors import Contention, StoreError, StoreTimeout
from crmcore.storage import Batch, PostgresStore, Receipt, SqliteStore, Store
from crmcore.testing.kit import put, ref
from tests.faults.faulty_postgres import faulty_postgres
from tests.faults.faulty_sqlite import FaultySqlite, faulty_sqlite
from tests.faults.matrix import SHAPES, Line, Shape, matrix, sent, table
from tests.faults.wire import KINDS
from tests.storage.postgres_server import drop, dsn, new_schema

HANGS = 20.0
"""Seconds over its time that no call takes on the busiest machine, but one that does not look at the clock."""

A_NEW_RECORD: Mapping[str, Shape] = {"a new record": SHAPES["a new record"]}


def clean(lines: list[Line]) -> None:
    assert not [text for line in lines for text in line.wrong], table(lines)
    assert sum(line.faults for line in lines) > 20


def test_every_fault_of_sqlite_is_told_truly(tmp_path: Path) -> None:
    with faulty_sqlite(tmp_path) as target:
        lines = matrix(
            target, {name: SHAPES[name] for name in ("a new record", "a key handed over")}, grace=HANGS
        )
    clean(lines)
    assert all(line.faults > 15 for line in lines)
    by_kind = {line.kind: line for line in lines}
    assert (by_kind["error before"].unknown, by_kind["error before"].there) == (1, 0), "COMMIT, and only it"
    assert (by_kind["error after send"].unknown, by_kind["error after send"].there) == (1, 1)
    assert by_kind["hang"].not_applied == 1, "at BEGIN others are waited for; a slow disk is waited out"


def test_the_other_shapes_on_sqlite(tmp_path: Path) -> None:
    with faulty_sqlite(tmp_path) as target:
        clean(matrix(target, SHAPES, step=6, grace=HANGS))


def test_faults_on_the_wire_to_postgresql_are_told_truly(tmp_path: Path) -> None:
    with faulty_postgres(tmp_path) as target:
        target.kinds = tuple(kind for kind in KINDS if kind != "hang")
        lines = matrix(target, A_NEW_RECORD, step=3, grace=HANGS)
        target.kinds = ("hang",)  # each takes as long as its batch may
        lines += matrix(target, A_NEW_RECORD, step=9, grace=HANGS)
    clean(lines)
    assert any(line.there for line in lines), "a commit that was carried out and not confirmed is among them"


@pytest.fixture
def schema() -> Iterator[str]:
    name = new_schema()
    yield name
    drop(name)


def test_a_store_goes_on_after_it_could_not_get_a_lock(schema: str) -> None:
    """psycopg takes statements for prepared that the server never saw, when a round trip fails in which they were
    to be; such a connection must not be used again."""
    with PostgresStore(dsn(), schema=schema, pool_size=1) as store:
        store.apply(sent("0", put(ref(0))))
        with pytest.raises(StoreError):
            store.apply(sent("conflict", put(ref(0))))
        for number in range(1, 9):
            store.apply(sent(f"{number}", put(ref(number))))
            with locked(schema), pytest.raises((Contention, StoreTimeout)):
                store.apply(sent(f"late-{number}", put(ref(100 + number))), timeout=0.05)
            assert not store.apply(sent(f"after-{number}", put(ref(200 + number)))).replayed


@contextmanager
def locked(schema: str) -> Iterator[None]:
    """Somebody keeps the table of batches to himself."""
    with psycopg.connect(dsn()) as connection:
        connection.execute(f'LOCK TABLE "{schema}".batch IN ACCESS EXCLUSIVE MODE'.encode())
        yield
        connection.rollback()


# --- the matrix can fail -------------------------------------------------------------------------------


class Wrong:
    """A store that says something else than what is so."""

    def __init__(self, store: Store, lie: str) -> None:
        self._store, self._lie = store, lie

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        try:
            return self._store.apply(batch, timeout=timeout)
        except StoreError as error:
            if self._lie == "nothing was applied" and error.outcome == "unknown":
                raise Contention("others were writing") from None
            if self._lie == "sends again by itself" and error.outcome == "unknown":
                return self._store.apply(Batch(**{**fields(batch), "idem": batch.idem + " again"}))
            if self._lie == "lets the driver's errors out":
                raise sqlite3.OperationalError("disk I/O error") from None
            raise

    def close(self) -> None:
        self._store.close()


def fields(batch: Batch) -> dict[str, Any]:
    return {name: getattr(batch, name) for name in ("tenant", "ops", "idem", "actor", "reason", "at")}


@pytest.mark.parametrize(
    "lie", ["nothing was applied", "sends again by itself", "lets the driver's errors out"]
)
def test_a_store_that_tells_it_wrongly_is_caught(lie: str, tmp_path: Path) -> None:
    with faulty_sqlite(tmp_path) as target:
        target.store = Wrong(target.store, lie)  # type: ignore[assignment]  # the calls that the matrix makes
        target.kinds = ("error after send",)  # the kind that shows all three
        assert any(line.wrong for line in matrix(target, A_NEW_RECORD))


def test_a_writer_that_was_closed_under_a_store_is_made_anew(tmp_path: Path) -> None:
    target = FaultySqlite(tmp_path / "crm.db")
    assert isinstance(target.store, SqliteStore)
    assert target.store._writer is not None
    target.store._writer.close()
    with pytest.raises(StoreError):
        target.store.apply(sent("1", put(ref(1))))
    assert not target.store.apply(sent("1", put(ref(1)))).replayed
    target.store.close()
    target.other.close()
