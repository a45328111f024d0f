"""Processes that write to one SQLite file and are killed at random moments.

    python -m tests.faults.sqlite_kill --cycles 100

In each cycle three processes write to the same file, each with batches of a size of its own, and get ``kill -9`` one by
one. Everything that they had told as acknowledged must be there, every batch as a whole, and the file intact. What was
under way when its process was killed may be there or not; `outcome` must say which, for good.

A kill of processes cannot show a missing sync, since the system keeps what they wrote: see `tests.faults.power_cut`.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import attrs

from crmcore.errors import Fenced
from crmcore.storage import Batch, Put, SqliteStore
from crmcore.testing.kit import TENANT, Writer, append, put, ref
from tests.faults.power_cut import intact

PROCESSES = 3
_EACH = 1_000_000


def sized(number: int) -> Batch:
    """A batch of a size of its own; writer w has the numbers from w * 1,000,000 on."""
    size = 1 + number % 7 * 15
    puts = [put(ref(100 * number + part), 0, {"of": number, "text": "x" * 200}) for part in range(size)]
    entry = append(f"log:{number // _EACH}", {"of": number, "size": size})
    return Writer(None).batch(*puts, entry, idem=f"n{number}")  # type: ignore[arg-type]  # only the batch is made


def writes(path: str, first: int) -> None:
    """Write for ever, and tell each number when it was acknowledged."""
    with SqliteStore(path) as store:
        number = first
        while True:
            store.apply(sized(number))
            print(number, flush=True)
            number += 1


@attrs.define
class Tally:
    cycles: int = 0
    acknowledged: int = 0
    unknown: int = 0
    applied: int = 0
    lost: int = 0
    torn: int = 0
    damaged: int = 0
    wrong: int = 0

    def __str__(self) -> str:
        head = "cycles  acknowledged  under way  of them applied  lost  torn  damaged  wrongly told"
        return (
            f"{head}\n{self.cycles:>6} {self.acknowledged:>13} {self.unknown:>10} {self.applied:>16} {self.lost:>5} "
            f"{self.torn:>5} {self.damaged:>8} {self.wrong:>13}"
        )

    def bad(self) -> bool:
        return bool(self.lost or self.torn or self.damaged or self.wrong)


def one_cycle(path: Path, nexts: list[int], chance: random.Random, tally: Tally) -> None:
    """Kill all writers, then look; *nexts* are the numbers that each writer goes on with."""
    command = [sys.executable, "-m", "tests.faults.sqlite_kill", "--write", str(path)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    children = [
        subprocess.Popen([*command, str(first)], stdout=subprocess.PIPE, text=True, env=env)
        for first in nexts
    ]
    told = [
        [child.stdout.readline()] if child.stdout else [] for child in children
    ]  # all of them write by now
    for child in children:
        time.sleep(chance.uniform(0.01, 0.1))
        os.kill(child.pid, signal.SIGKILL)
    for writer, child in enumerate(children):
        told[writer] += child.communicate()[0].splitlines()
    tally.cycles += 1
    with SqliteStore(path) as store:
        for writer, lines in enumerate(told):
            acknowledged = max(int(line) for line in lines if line.strip())
            entered = entries_of(store, writer)
            for number in range(nexts[writer], acknowledged + 1):
                tally.acknowledged += 1
                parts, whole = parts_of(store, number, entered)
                tally.lost += parts == 0
                tally.torn += parts not in (0, whole)
            nexts[writer] = acknowledged + 1
            under_way(store, acknowledged + 1, nexts, writer, tally)
    tally.damaged += not intact(path)


def entries_of(store: SqliteStore, writer: int) -> Counter[int]:
    """Of which batches there are entries."""
    entered: Counter[int] = Counter()
    after = 0
    while True:
        items = store.ledger(TENANT, [f"log:{writer}"], after={f"log:{writer}": after})[f"log:{writer}"].items
        if not items:
            return entered
        entered.update(entry.body["of"] for entry in items)
        after = items[-1].seq


def parts_of(store: SqliteStore, number: int, entered: Counter[int]) -> tuple[int, int]:
    """How many parts of a batch are there, and how many it has."""
    batch = sized(number)
    refs = [op.ref for op in batch.ops if isinstance(op, Put)]
    return len(store.get(refs)) + entered[number], len(batch.ops)


def under_way(store: SqliteStore, number: int, nexts: list[int], writer: int, tally: Tally) -> None:
    parts, whole = parts_of(store, number, entries_of(store, writer))
    tally.unknown += 1
    tally.applied += parts > 0
    tally.torn += parts not in (0, whole)
    tally.wrong += (store.outcome(TENANT, f"n{number}") is not None) != (parts > 0)
    try:
        tally.wrong += not store.apply(sized(number)).replayed
    except Fenced:
        tally.wrong += parts > 0
    nexts[writer] = number + 1  # of a batch that is fenced nothing comes any more


def kills(path: Path, cycles: int, seed: int) -> Tally:
    tally, chance = Tally(), random.Random(seed)
    nexts = [writer * _EACH for writer in range(PROCESSES)]
    for _ in range(cycles):
        one_cycle(path, nexts, chance, tally)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill processes that write to one SQLite file.")
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.write:
        writes(given.write[0], int(given.write[1]))
    with tempfile.TemporaryDirectory() as folder:
        tally = kills(Path(folder) / "crm.db", given.cycles, given.seed)
    print(tally)
    return int(tally.bad())


if __name__ == "__main__":
    sys.exit(main())
