"""A PostgreSQL server that is killed again and again while four write to it.

    python -m tests.faults.postgres_kill --cycles 100

In each cycle four threads write through one `PostgresStore` until the server and all its processes get ``kill -9`` at a
random moment; then it is started again, and the same store object is asked. Every batch puts two records and an entry
that belong together. Of each batch that was acknowledged all must be there; of one whose outcome was unknown all or
nothing, as `outcome` says, and that must be final: sent again, it is answered from the receipt or refused as fenced; of
one that was said not to be applied nothing may be there.

It prints a table: cycles, acknowledged, unknown, of them applied, said not applied, lost, torn, wrongly told, and how
long the store took to answer after a restart. It ends with 0 if nothing was lost, torn or wrongly told.

A kill of processes cannot show a missing sync, since the system keeps what they wrote: see `tests.faults.power_cut`.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import attrs

from crmcore.errors import Fenced, StoreError
from crmcore.storage import Batch, PostgresStore, Store
from crmcore.testing.kit import TENANT, Writer, append, put, ref
from tests.storage.postgres_server import start_server

WRITERS = 4
PATIENCE = 120.0
"""Seconds that what must come may take on a busy machine."""


class Killable(Protocol):
    """A server that can be killed and started again, and a store on it."""

    def open(self) -> Store: ...

    def kill(self) -> None: ...

    def restart(self) -> None: ...


class PostgresServer:
    """A server of its own, in *folder*."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._server: Any = None
        self.restart()

    def open(self) -> Store:
        return PostgresStore(self._server.get_uri(), timeout=10.0)

    def kill(self) -> None:
        """End the first process and all that it has started, at once; none of them can tidy up."""
        first = int((self._data / "postmaster.pid").read_text().split()[0])
        victims = [first, *children_of(first)]
        os.kill(first, signal.SIGSTOP)  # so that it starts no other meanwhile
        for victim in [*victims, *children_of(first)]:
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                continue
        while any(map(running, victims)):
            time.sleep(0.005)
        # All have ended. The first would be taken for one that runs, as long as the system keeps its number.
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            (self._data / name).unlink(missing_ok=True)

    def restart(self) -> None:
        if self._server is not None:
            del type(self._server)._instances[
                self._data.resolve()
            ]  # it does not know that its server is gone
        self._server = start_server(self._data)

    def stop(self) -> None:
        self._server.cleanup()


def children_of(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@attrs.define
class Tally:
    """What was seen, over all cycles."""

    cycles: int = 0
    acknowledged: int = 0
    unknown: int = 0
    applied: int = 0
    not_applied: int = 0
    lost: int = 0
    torn: int = 0
    wrong: list[str] = attrs.field(factory=list)
    slowest: float = 0.0

    def __str__(self) -> str:
        head = "cycles  acknowledged  unknown  of them applied  not applied  lost  torn  wrongly told  usable after"
        row = (
            f"{self.cycles:>6} {self.acknowledged:>13} {self.unknown:>8} {self.applied:>16} {self.not_applied:>12} "
            f"{self.lost:>5} {self.torn:>5} {len(self.wrong):>13} {self.slowest:>10.2f} s"
        )
        return "\n".join([head, row, *self.wrong[:20]])


def numbered(number: int) -> Batch:
    """A batch whose three parts belong together."""
    body = {"of": number, "text": "x" * 500}
    parts = put(ref(2 * number), 0, body), put(ref(2 * number + 1), 0, body)
    return Writer(None).batch(*parts, append(f"log:{number % WRITERS}", body), idem=f"n{number}")  # type: ignore[arg-type]  # only the batch is made


def parts_there(store: Store, numbers: list[int]) -> dict[int, int]:
    """How many of the three parts of each batch are there."""
    there = dict.fromkeys(numbers, 0)
    for start in range(0, len(numbers), 400):
        refs = [ref(2 * number + part) for number in numbers[start : start + 400] for part in (0, 1)]
        for found in store.get(refs).values():
            there[found.body["of"]] += 1
    for writer in range(WRITERS):
        after = 0
        while True:
            page = store.ledger(TENANT, [f"log:{writer}"], after={f"log:{writer}": after}, limit=1000)
            items = page[f"log:{writer}"].items
            if not items:
                break
            for entry in items:
                if entry.body["of"] in there:
                    there[entry.body["of"]] += 1
            after = items[-1].seq
    return there


@attrs.define
class Cycles:
    """Kills, one after another; batches have numbers that are never used again."""

    server: Killable
    store: Store
    chance: random.Random
    tally: Tally = attrs.field(factory=Tally)
    next: int = 0
    lock: threading.Lock = attrs.field(factory=threading.Lock)

    def one(self, seconds: float) -> None:
        told: dict[int, str] = {}
        over = threading.Event()
        writers = [threading.Thread(target=self._write, args=(told, over)) for _ in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(seconds)
        _wait_until(lambda: list(told.values()).count("applied") > 10)
        self.server.kill()
        _wait_until(lambda: set(told.values()) != {"applied"})  # a write met the kill
        over.set()
        for writer in writers:
            writer.join()
        began = time.monotonic()
        self.server.restart()
        self._usable()
        self.tally.slowest = max(self.tally.slowest, time.monotonic() - began)
        self.tally.cycles += 1
        self._check(told)

    def _write(self, told: dict[int, str], over: threading.Event) -> None:
        while not over.is_set():
            with self.lock:
                number, self.next = self.next, self.next + 1
            try:
                self.store.apply(numbered(number), timeout=5)
                told[number] = "applied"
            except StoreError as error:
                told[number] = error.outcome
                over.wait(0.01)
            except BaseException as error:
                told[number] = type(error).__name__

    def _usable(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.store.get([ref(0)])
                return
            except StoreError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _check(self, told: dict[int, str]) -> None:
        tally = self.tally
        there = parts_there(self.store, sorted(told))
        for number, said in told.items():
            parts = there[number]
            tally.torn += parts not in (0, 3)
            if said == "applied":
                tally.acknowledged += 1
                tally.lost += parts == 0
            elif said == "not_applied":
                tally.not_applied += 1
                if parts:
                    tally.wrong.append(f"n{number} was said not to be applied, and is there")
            elif said == "unknown":
                tally.unknown += 1
                tally.applied += parts > 0
                self._unknown(number, parts > 0)
            else:
                tally.wrong.append(f"n{number} ended with {said}, which is no error of a store")

    def _unknown(self, number: int, there: bool) -> None:
        if (self.store.outcome(TENANT, f"n{number}") is not None) != there:
            self.tally.wrong.append(f"of n{number}, outcome() says the wrong thing")
        try:
            if not self.store.apply(numbered(number)).replayed or not there:
                self.tally.wrong.append(f"n{number} was applied anew")
        except Fenced:
            if there:
                self.tally.wrong.append(f"n{number} is there, and fenced")

    def whole(self) -> None:
        """Once more, over all cycles: nothing of what was there has gone since, and nothing was left torn."""
        there = parts_there(self.store, list(range(self.next)))
        self.tally.torn = max(self.tally.torn, sum(parts not in (0, 3) for parts in there.values()))
        missing = self.tally.acknowledged + self.tally.applied - sum(parts == 3 for parts in there.values())
        self.tally.lost = max(self.tally.lost, missing)


def _wait_until(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < deadline, "the writers do nothing"
        time.sleep(0.01)


def kills(
    server: Killable, cycles: int, seed: int, progress: Callable[[Tally], None] = lambda _: None
) -> Tally:
    chance = random.Random(seed)
    store = server.open()
    running_ = Cycles(server, store, chance)
    for _ in range(cycles):
        running_.one(chance.uniform(0.2, 1.0))
        progress(running_.tally)
    running_.whole()
    store.close()
    return running_.tally


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Kill a PostgreSQL server under four writers, again and again."
    )
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crmcore-kill-", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        server = PostgresServer(Path(folder))
        try:
            tally = kills(server, given.cycles, given.seed)
        finally:
            server.stop()
    print(tally)
    return int(bool(tally.lost or tally.torn or tally.wrong))


if __name__ == "__main__":
    sys.exit(main())
