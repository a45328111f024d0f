"""What encryption costs for each record: the same batches into SQLite with and without `Encrypted`, in the same run.

Batches of 500 records as in ``storage.py``: a body of 600 bytes, four keys and one sort each, and an entry of a
ledger beside it, which is sealed as a record is; every record of a party of its own, whose key is made in a
`FileKeyStore`. Files and rounds alternate. What counts is the ratio of the medians, and their difference in
microseconds a sealed record or entry, by the clock and of the processor: the first waits for the disk too, which holds
the keys. Reading is `scan` of all records.

    python tests/benchmarks/encryption.py [--records 5000] [--rounds 5] [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import pstats
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from crmcore.storage import Batch, SqliteStore, Store, lift, lower
from crmcore.storage.wrappers.encrypted import Encrypted
from crmcore.storage.wrappers.key_file import FileKeyStore
from crmcore.storage.wrappers.key_store import LocalWrapping
from tests.benchmarks.storage import batches, bodies


def plain(folder: Path) -> Store:
    return SqliteStore(folder / "crm.db")


def encrypted(folder: Path) -> Store:
    keys = FileKeyStore(folder / "keys.db", wrapping=LocalWrapping(secrets.token_bytes(32)))
    return lower(Encrypted(lift(SqliteStore(folder / "crm.db")), keys, ordered={"name"}))


def measured(make: Callable[[Path], Store], work: list[Batch], records: int) -> tuple[float, ...]:
    """Microseconds a record or entry written, and a record read; then the same of the processor."""
    with tempfile.TemporaryDirectory() as folder:
        store = make(Path(folder))
        gc.collect()
        clocks = (time.perf_counter, time.process_time)
        begun = [clock() for clock in clocks]
        for batch in work:
            store.apply(batch)
        middle = [clock() for clock in clocks]
        cursor, seen = None, 0
        while True:
            page = store.scan("acme", "party", after=cursor)
            seen += len(page.items)
            cursor = page.next
            if cursor is None:
                break
        ended = [clock() for clock in clocks]
        assert seen == records
        store.close()
    written = [(end - start) / (2 * records) * 1e6 for start, end in zip(begun, middle, strict=True)]
    read = [(end - start) / records * 1e6 for start, end in zip(middle, ended, strict=True)]
    return written[0], read[0], written[1], read[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    work = batches(list(bodies(arguments.records)), 500)
    if arguments.profile:
        profile = cProfile.Profile()
        profile.runcall(measured, encrypted, work, arguments.records)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    rounds = [
        (measured(plain, work, arguments.records), measured(encrypted, work, arguments.records))
        for _ in range(arguments.rounds)
    ]
    medians = [
        [statistics.median(each[store][what] for each in rounds) for store in (0, 1)] for what in range(4)
    ]
    names = ("write", "read", "write, processor", "read, processor")
    for what, (without, sealed) in zip(names, medians, strict=True):
        print(
            json.dumps(
                {
                    "what": what,
                    "us_plain": round(without, 1),
                    "us_encrypted": round(sealed, 1),
                    "us_more": round(sealed - without, 1),
                    "ratio": round(sealed / without, 2),
                }
            )
        )


if __name__ == "__main__":
    main()
