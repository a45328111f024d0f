"""The memory and time that it takes to scan, back up, verify and restore a store of N records, each in its own process.

    PYTHONPATH=src python tests/benchmarks/backup_memory.py 1000000 FOLDER

Every record has three keys, a sort, a body of some 200 bytes and an entry in a ledger. What is told is the most memory
that each process held, Python and crmcore included; it ends with an error if one took more than 200 MB.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from crmcore.storage import (
    Chunk,
    Json,
    NewEntry,
    NewRecord,
    Row,
    SqliteStore,
    backup,
    restore,
    verify_backup,
)
from crmcore.values.source import SYSTEM

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LIMIT = 200
STAGES = ("fill", "scan", "backup", "verify", "restore", "check")


def row(number: int) -> Row:
    id_ = f"{number:08x}-0000-7000-8000-{number * 2654435761 % (1 << 48):012x}"
    keys = [
        ("email", f"person{number}@x.example"),
        ("phone", f"+44{number:09d}"),
        ("source", f"shop#{number}"),
    ]
    body = Json.of({"name": f"Ann{number} Lee", "note": f"{number} " * 20, "n": number})
    record = NewRecord("party", id_, 1, body, keys, [("name", "", f"lee ann{number}".encode())])
    entry = Json.of({"added": f"Ann{number} Lee"})
    return Row((record,), (NewEntry(f"party:{id_}", NOW, NOW, (id_,), "party.added/1", entry),))


def chunks(count: int) -> Iterator[Chunk]:
    for start in range(0, count, 5000):
        rows = [row(number) for number in range(start, min(count, start + 5000))]
        yield Chunk(tenant="acme", rows=rows, idem=f"load-{start}", digest="1", actor=SYSTEM, at=NOW)


def stage(name: str, count: int, folder: Path) -> str:
    """Do one stage in this process, and tell what was done."""
    first, second, file = folder / "first.db", folder / "second.db", folder / "crm.backup"
    if name == "verify":
        return f"{verify_backup(file).records:,} records"
    with SqliteStore(second if name in ("restore", "check") else first) as store:
        if name == "fill":
            for chunk in chunks(count):
                store.load(chunk)
            return f"{first.stat().st_size / 1e6:,.0f} MB in the file"
        if name == "scan":
            return f"{sum(1 for _ in scanned(store)):,} records"
        if name == "backup":
            backup(store, file, at=NOW)
            return f"{file.stat().st_size / 1e6:,.0f} MB in the backup"
        if name == "restore":
            return f"{restore(store, file).restored.records:,} records, compared"
        found = store.verify()
        return f"{found.records:,} records, {len(found.problems)} problems"


def scanned(store: SqliteStore) -> Iterator[object]:
    page = store.scan("acme", "party")
    yield from page.items
    while page.next is not None:
        page = store.scan("acme", "party", after=page.next)
        yield from page.items


def main() -> int:
    count, folder, *only = sys.argv[1:]
    if only:
        began = time.monotonic()
        told = stage(only[0], int(count), Path(folder))
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{only[0]:8} {time.monotonic() - began:8.1f} s {held:6.0f} MB   {told}", flush=True)
        return 0 if held <= LIMIT or only[0] == "fill" else 1
    worst = 0
    for name in STAGES:
        command = [sys.executable, __file__, count, folder, name]
        worst = max(worst, subprocess.run(command, check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
