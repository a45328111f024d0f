"""Power cuts over the SQLite store: run it, cut, open what the disk kept, compare with what had been acknowledged.

    python -m tests.faults.power_cut --images 10000
    python -m tests.faults.power_cut --images 2000 --synchronous NORMAL      # loses batches: the harness can fail
    python -m tests.faults.power_cut --images 2000 --synchronous OFF         # damages files as well

The store is the one that ships, run on `apsw` with a file system that writes down every write, sync and removal (see
`tests.faults.disk` for what a power cut may leave). Each picture of the disk is opened by the store with Python's own
SQLite, and must be what some whole number of batches left: all that were acknowledged before the cut, perhaps the one
under way, and nothing of any other. Then the store must go on: the last batch is answered as one sent again, and the
next one applies.

It prints one line: pictures taken, whole, lost (an acknowledged batch is not there), torn (the state is that of no
number of batches) and damaged (SQLite finds the file damaged), and ends with 0 if all are whole.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Literal

import apsw
import attrs

from crmcore.storage import Batch, Key, MemoryStore, Operation, Sort, SqliteStore, Store, lift, run
from crmcore.testing.kit import Picture, Writer, append, delete, picture, put, ref, rekey
from tests.faults.disk import Disk, LoggingVfs
from tests.faults.driver import driven_by, through_vfs

Found = Literal["whole", "lost", "torn", "damaged"]
NAME = "crm.db"
SHIPPED = "PRAGMA synchronous = FULL"
KEYS = [Key("email", str(number)) for number in range(7)]
STREAMS = ["log:0", "log:1"]
_LARGE = 60_000
_numbers = count()


def numbered(seed: int, number: int, text: int) -> Batch:
    """The batch number *number* of a run: it makes records, changes and removes earlier ones, and appends."""
    chance = random.Random(f"{seed}/{number}")
    body = {"n": number, "text": "x" * chance.randint(0, text)}
    sort = Sort("name", "", number.to_bytes(2, "big"))
    ops: list[Operation] = [put(ref(10 * number), 0, body, [KEYS[number % 7]], [sort])]
    ops += [put(ref(10 * number + extra), 0, body) for extra in range(1, chance.choice((1, 1, 2, 5)))]
    ops.append(append(STREAMS[number % 2], {"n": number}))
    if number:
        before = ref(10 * (number - 1))
        ops.append(
            chance.choice(
                (
                    put(before, 1, {"again": number}, [KEYS[0]]),
                    rekey(before, 1, [KEYS[3]], [sort]),
                    delete(before, 1),
                )
            )
        )
    return Writer(None).batch(*ops, idem=f"n{number}")  # type: ignore[arg-type]  # only the batch is made


def seen(store: Store) -> Picture:
    """All that can be seen, but for the positions, which every store writes in its own way."""
    there = run(picture(lift(store), KEYS, STREAMS))
    return attrs.evolve(there, changes=tuple(attrs.evolve(one, position="") for one in there.changes))


@attrs.frozen(kw_only=True)
class Image:
    """What the disk kept. *acknowledged* batches had been answered, *sent* had at least been begun."""

    files: dict[str, bytes]
    acknowledged: int
    sent: int


@attrs.define
class Run:
    """One life of a store on a disk: a few times opened, written to, closed."""

    seed: int
    folder: Path
    synchronous: str = "FULL"
    sessions: int = 3
    batches: int = 8
    images: int = 200
    text: int = 300
    acknowledged: int = 0
    sent: int = 0
    met: int = 0
    taken: list[Image] = attrs.field(factory=list)

    def heard(self, sql: str) -> str:
        """The shipped setting must be met; this is the only statement that is ever changed."""
        if sql == SHIPPED:
            self.met += 1
            return SHIPPED.replace("FULL", self.synchronous)
        return sql

    def live(self) -> list[Image]:
        chance = random.Random(self.seed)
        disk = Disk()
        vfs = f"power-{next(_numbers)}"
        logging = LoggingVfs(vfs, disk)
        try:
            with driven_by(through_vfs(vfs, self.heard)):
                self._written(disk, vfs, chance)
        finally:
            logging.unregister()
        if not self.met:
            raise AssertionError("the shipped setting was not met: what was tested is something else")
        return self.taken

    def _written(self, disk: Disk, vfs: str, chance: random.Random) -> None:
        """Write, and take pictures at moments of the log that come about evenly."""
        often = self.images / (self.sessions * self.batches * (30 if self.text < _LARGE else 90))

        def watch() -> None:
            while chance.random() < often and len(self.taken) < self.images:
                self.taken.append(
                    Image(files=disk.cut(chance), acknowledged=self.acknowledged, sent=self.sent)
                )
                if chance.random() < 0.5:
                    break

        disk.watch = watch
        path = self.folder / NAME
        for _ in range(self.sessions):
            with SqliteStore(path) as store:
                for _ in range(self.batches):
                    self.sent += 1
                    store.apply(numbered(self.seed, self.sent - 1, self.text))
                    self.acknowledged = self.sent
                    watch()
                    if chance.random() < 0.2:
                        store.get([ref(0)])
                    if chance.random() < 0.3:
                        checkpoint(path, vfs, chance)
            watch()


def checkpoint(path: Path, vfs: str, chance: random.Random) -> None:
    """What another process may do at any time."""
    other = apsw.Connection(str(path), vfs=vfs)
    other.execute(f"PRAGMA wal_checkpoint({chance.choice(('PASSIVE', 'FULL', 'RESTART', 'TRUNCATE'))})")
    other.close()


def expected(seed: int, batches: int, text: int) -> list[Picture]:
    """What is to be seen after each number of batches."""
    store = MemoryStore()
    pictures = [seen(store)]
    for number in range(batches):
        store.apply(numbered(seed, number, text))
        pictures.append(seen(store))
    return pictures


def judged(image: Image, folder: Path, pictures: list[Picture], batch: Callable[[int], Batch]) -> Found:
    """Open what the disk kept, with the store that ships on Python's own SQLite."""
    folder.mkdir()
    for name, data in image.files.items():
        (folder / name).write_bytes(data)
    try:
        with SqliteStore(folder / NAME) as store:
            there = seen(store)
            number = len({change.idem for change in there.changes})
            if number < image.acknowledged:
                return "lost"
            if number > image.sent or there != pictures[number]:
                return "torn"
            if store.verify().problems:
                return "damaged"
            goes_on(store, number, batch)
            return "whole"
    except Exception:  # in whatever way it shows
        return "damaged"


def goes_on(store: Store, number: int, batch: Callable[[int], Batch]) -> None:
    if number:
        assert store.apply(batch(number - 1)).replayed, "the last batch is applied twice"
    assert not store.apply(batch(number)).replayed


def intact(path: Path) -> bool:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()


def campaign(
    images: int, folder: Path, *, synchronous: str = "FULL", first: int = 0, each: int = 250
) -> Counter[Found]:
    """Lives until *images* pictures were judged; every tenth writes so much that the log is put away by itself."""
    found: Counter[Found] = Counter()
    for seed in count(first):
        large = seed % 10 == 9
        here = folder / f"life-{seed}"
        here.mkdir()
        life = Run(
            seed=seed,
            folder=here,
            synchronous=synchronous,
            text=_LARGE if large else 300,
            batches=25 if large else 8,
            images=min(each if not large else 20, images - found.total()),
        )
        taken = life.live()
        pictures = expected(seed, life.sent, life.text)
        for number, image in enumerate(taken):
            place = here / f"image-{number}"
            verdict = judged(image, place, pictures, partial(numbered, seed, text=life.text))
            found[verdict] += 1
            for path in place.iterdir():
                path.unlink()
        if found.total() >= images:
            return found
    raise AssertionError("there is no end of seeds")


def main() -> int:
    parser = argparse.ArgumentParser(description="Cut the power of an SQLite store, many times.")
    parser.add_argument("--images", type=int, default=10_000, help="how many pictures of the disk (10000)")
    parser.add_argument("--synchronous", default="FULL", choices=("FULL", "NORMAL", "OFF"))
    parser.add_argument("--first", type=int, default=0, help="the seed of the first life (0)")
    given = parser.parse_args()
    began = time.monotonic()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        found = campaign(given.images, Path(folder), synchronous=given.synchronous, first=given.first)
    print(
        f"synchronous={given.synchronous}  {found.total()} pictures of the disk: {found['whole']} whole, "
        f"{found['lost']} lost, {found['torn']} torn, {found['damaged']} damaged "
        f"({time.monotonic() - began:.0f} s)"
    )
    return int(found.total() != found["whole"])


if __name__ == "__main__":
    sys.exit(main())
