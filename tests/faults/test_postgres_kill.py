"""A PostgreSQL server that is killed under four writers; at length in `tests.faults.postgres_kill`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmcore.errors import StoreError
from crmcore.storage import Batch, MemoryStore, Receipt, Store
from tests.faults.postgres_kill import PostgresServer, kills


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with tempfile.TemporaryDirectory(
        prefix="crmcore-kill-", dir="/tmp"
    ) as folder:  # sockets need a short path
        os.chmod(folder, 0o755)  # the server has a user of its own
        server = PostgresServer(Path(folder))
        try:
            yield server
        finally:
            server.stop()


def test_a_killed_server_has_all_that_it_acknowledged(server: PostgresServer) -> None:
    tally = kills(server, 2, seed=3)
    assert (tally.lost, tally.torn, tally.wrong) == (0, 0, [])
    assert tally.acknowledged > 20
    assert tally.unknown + tally.not_applied > 0


class Forgetting:
    """A server in memory that keeps everything when it is killed, or all but what was acknowledged last."""

    def __init__(self, whole: bool) -> None:
        self.inner, self.whole, self.down = MemoryStore(), whole, False
        self.kept: list[Batch] = []

    def open(self) -> Store:
        return self  # type: ignore[return-value]  # it has the calls that the cycles make

    def kill(self) -> None:
        self.down = True

    def restart(self) -> None:
        self.inner = MemoryStore()
        kept = self.kept if self.whole else self.kept[:-3]
        for batch in kept:
            self.inner.apply(batch)
        self.down = False

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        if self.down:
            raise StoreError("down")
        self.kept.append(batch)
        return self.inner.apply(batch)

    def get(self, refs: object) -> object:
        return self.inner.get(refs)  # type: ignore[arg-type]  # passed on

    def ledger(self, *args: object, **options: object) -> object:
        return self.inner.ledger(*args, **options)  # type: ignore[arg-type]  # passed on

    def close(self) -> None:
        self.inner.close()


def test_the_cycles_see_what_is_lost() -> None:
    assert kills(Forgetting(whole=True), 1, seed=1).lost == 0
    assert kills(Forgetting(whole=False), 1, seed=1).lost == 3
