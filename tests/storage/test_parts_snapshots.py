"""What a snapshot does with failures and with large rows, and the one check of timeouts."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crmcore.errors import Corrupt, InvalidRecord, StoreClosed, Unavailable
from crmcore.storage import MemoryStore, SqliteStore, Stored, StoredTenant, lift, run
from crmcore.storage.memory_stored import MemorySnapshot
from crmcore.storage.stored import MOST_BYTES, weight
from crmcore.storage.validate import LONGEST_WAIT, check_timeout
from crmcore.testing.kit import TENANT, Writer, put, ref


def failing() -> Iterator[Stored]:
    yield StoredTenant("a")
    yield StoredTenant("b")
    raise Unavailable("for a moment")


def test_a_snapshot_that_failed_never_says_that_it_ended() -> None:
    snapshot = MemorySnapshot(failing(), MemoryStore()._open)
    assert len(snapshot.read(1)) == 1
    with pytest.raises(Unavailable):
        snapshot.read(5)
    for _ in range(3):
        with pytest.raises(StoreClosed, match="failed") as caught:
            snapshot.read(1)
        assert not caught.value.retryable


def test_a_snapshot_of_a_damaged_file_never_says_that_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with SqliteStore(path) as store:
        run(Writer(lift(store))(put(ref(1)), put(ref(2)), put(ref(3))))
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE record SET carries = 'ann@x.org' WHERE version = 1")
        connection.close()
        snapshot = store.export()
        assert len(snapshot.read(1)) == 1
        with pytest.raises(Corrupt) as caught:
            snapshot.read(5)
        assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)
        for _ in range(3):
            with pytest.raises(StoreClosed, match="failed"):
                snapshot.read(1)


def test_large_rows_come_few_at_a_time(world: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        for number in range(12):
            await Writer(store)(put(ref(number), 0, {"text": "x" * 1_000_000}), idem=f"b{number}")
        snapshot = await store.export()
        sizes = []
        while rows := await snapshot.read(1000):
            sizes.append(sum(map(weight, rows)))
            assert len(rows) == 1 or sum(map(weight, rows[:-1])) < MOST_BYTES
        await snapshot.close()
        assert sum(sizes) >= 12_000_000
        assert max(sizes) < MOST_BYTES + 1_100_000

    world.run(flow)


@pytest.mark.parametrize("tenants", ["acme", b"acme"])
def test_a_text_is_no_collection_of_tenants(world: Any, tenants: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        await Writer(store)(put(ref(1)))
        with pytest.raises(InvalidRecord, match="collection"):
            await store.export(tenants)

    world.run(flow)


@pytest.mark.parametrize("timeout", [math.nan, "1", None, True])
def test_what_is_no_number_of_seconds_is_refused(world: Any, timeout: Any) -> None:
    async def flow() -> None:
        store = world.fresh()
        write = Writer(store)
        with pytest.raises(InvalidRecord, match="seconds"):
            await store.apply(write.batch(put(ref(1))), timeout=timeout)
        with pytest.raises(InvalidRecord, match="seconds"):
            await store.drop_tenant(TENANT, timeout=timeout)

    world.run(flow)


@pytest.mark.parametrize("timeout", [math.inf, 1e10, 1e300, 10**400, 3e6, -math.inf, -1, 0])
def test_any_number_of_seconds_will_do(world: Any, timeout: float) -> None:
    async def flow() -> None:
        store = world.fresh()
        await store.apply(Writer(store).batch(put(ref(1))), timeout=timeout)
        assert (await store.drop_tenant(TENANT, timeout=timeout)).records == 1

    assert 0 <= check_timeout(timeout) <= LONGEST_WAIT
    world.run(flow)


def test_a_file_is_opened_with_any_number_of_seconds(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "crm.db", timeout=math.inf).close()
    with pytest.raises(InvalidRecord):
        SqliteStore(tmp_path / "crm.db", timeout=math.nan)
