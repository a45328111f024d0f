"""What `SqliteStore.apply` costs over hand-written sqlite3 code, in the same run.

All write the same rows to the same tables with the same settings, in batches of 500 records: a body, four keys, one
sort and one ledger entry each. One hand-written code does the same as the store: it looks whether the batch was
applied before, at which version each record is, who holds its exclusive key and how long its ledger is, and keeps a
digest of the batch. The other only encodes the bodies and inserts. Files and rounds alternate; the median of the
rounds' ratios counts.

    python tests/benchmarks/storage.py [--records 10000] [--size 500] [--rounds 5] [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import hashlib
import json
import pstats
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count as counting
from pathlib import Path
from typing import Any

from crmcore.storage import Append, Batch, Draft, Key, Put, Ref, Sort, SqliteStore
from crmcore.storage.sqlite_schema import connect
from crmcore.values.ids import Ids, PartyId
from crmcore.values.source import SYSTEM

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MICROS = 1_767_225_600_000_000


Values = tuple[Any, ...]
Row = tuple[PartyId, dict[str, object], list[tuple[str, str]], bytes]


def bodies(count: int) -> Iterator[Row]:
    milliseconds = counting(1_767_225_600_000)  # a new one for every record: ids ascend, as in an import
    ids = Ids(lambda: next(milliseconds))
    for number in range(count):
        body = {
            "names": [
                {"full": f"Ann Lee {number}", "given": ["Ann"], "family": f"Lee {number}", "use": "usual"}
            ],
            "points": [
                {"kind": "email", "raw": f"Ann.{number}@Example.org", "value": f"ann.{number}@example.org"},
                {"kind": "phone", "raw": "020 7946 0018", "value": f"+44207946{number:06}", "rank": 1},
                {"kind": "postal", "lines": ["12 High Street", "Flat 3"], "city": "Lübeck", "country": "DE"},
            ],
            "sources": [{"system": "crm:eu1", "record": str(number), "seen": "2026-01-01T00:00:00Z"}],
            "observed": {"names": "2026-01-01T00:00:00Z", "points": "2026-01-01T00:00:00Z"},
            "tags": ["vip", "newsletter"],
        }
        keys = [
            ("source", f"crm:eu1\x1f{number}"),
            ("email", f"ann.{number}@example.org"),
            ("phone", f"+44207946{number:06}"),
            ("name", f"ann lee {number % 1000}"),
        ]
        yield ids.new(PartyId), body, sorted(keys), f"lee {number}\x1fann".encode()


def history(body: dict[str, object]) -> dict[str, object]:
    return {
        "change": "created",
        "source": body["sources"],
        "set": {"names": body["names"], "points": body["points"]},
    }


def batches(rows: list[Row], size: int) -> list[Batch]:
    made: list[Batch] = []
    ops: list[Put | Append] = []
    for id_, body, keys, sort in rows:
        ops.append(
            Put(
                ref=Ref("acme", "party", id_),
                expect=0,
                schema=1,
                body=body,
                keys=frozenset(Key(*key) for key in keys),
                sorts=frozenset({Sort("name", "", sort)}),
            )
        )
        entry = Draft(
            occurred_at=NOW, recorded_at=NOW, subjects=(id_,), schema="party.created/1", body=history(body)
        )
        ops.append(Append(stream=f"party:{id_}", entry=entry))
        if len(ops) == 2 * size:
            made.append(Batch(tenant="acme", ops=tuple(ops), idem=f"chunk-{len(made)}", actor=SYSTEM, at=NOW))
            ops = []
    return made


def by_store(path: Path, made: list[Batch]) -> float:
    with SqliteStore(path) as store:
        start = time.perf_counter()
        for batch in made:
            store.apply(batch)
        return time.perf_counter() - start


def look_up(db: sqlite3.Connection, chunk: list[Row], batch: Batch) -> None:
    """What a careful hand would look up before it writes, and refuse."""
    if db.execute("SELECT digest FROM batch WHERE tenant = 1 AND idem = ?", (batch.idem,)).fetchone():
        raise SystemExit("applied before")
    for id_, _, pairs, _ in chunk:
        blob = bytes.fromhex(id_.replace("-", ""))
        version = db.execute(
            "SELECT version FROM record WHERE tenant = 1 AND kind = 'party' AND id = ?", (blob,)
        ).fetchone()
        holders = [
            db.execute(
                "SELECT kind, id FROM key WHERE tenant = 1 AND namespace = ? AND value = ?", pair
            ).fetchone()
            for pair in pairs
            if pair[0] == "source"
        ]
        length = db.execute(
            "SELECT max(seq) FROM ledger WHERE tenant = 1 AND stream = ?", (f"party:{id_}",)
        ).fetchone()
        if version or any(holders) or length[0]:
            raise SystemExit("there already")


def by_hand(path: Path, made: list[tuple[list[Row], Batch]], *, careful: bool) -> float:
    SqliteStore(path).close()
    db = connect(path, 5)
    start = time.perf_counter()
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO tenant (no, name, head) VALUES (1, 'acme', 0)")
    db.execute("COMMIT")
    head = 0
    actor = '{"id":"crmcore","kind":"system","on_behalf_of":null}'
    for number, (chunk, batch) in enumerate(made, 1):
        records: list[Values] = []
        keys: list[Values] = []
        sorts: list[Values] = []
        entries: list[Values] = []
        feed: list[Values] = []
        for id_, body, pairs, sort in chunk:
            blob = bytes.fromhex(id_.replace("-", ""))
            text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
            entry = json.dumps(history(body), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
            carries = json.dumps(
                [pairs, [("name", "", sort.hex())]], ensure_ascii=False, separators=(",", ":")
            )
            records.append((1, "party", blob, 1, 1, carries, text))
            keys.extend((1, *pair, "party", blob) for pair in pairs)
            sorts.append((1, "name", "", sort, blob, "party"))
            stream = f"party:{id_}"
            entries.append((1, stream, 1, MICROS, MICROS, f'["{id_}"]', "party.created/1", entry))
            feed.append((1, head + 1, number, "put", "party", blob, 1))
            feed.append((1, head + 2, number, "append", stream, b"", 1))
            head += 2
        digest = bytes(32)
        db.execute("BEGIN IMMEDIATE")
        if careful:
            look_up(db, chunk, batch)
            said = "\n".join(f"{row[5]}\t{row[6]}" for row in records) + "\n".join(row[7] for row in entries)
            digest = hashlib.sha256(said.encode()).digest()
        db.execute(
            "INSERT INTO batch VALUES (?, 1, ?, ?, ?, ?, ?, ?, NULL, NULL)",
            (number, batch.idem, digest, MICROS, head - len(feed), head, actor),
        )
        db.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?)", records)
        db.executemany("INSERT INTO key VALUES (?, ?, ?, ?, ?)", sorted(keys))
        db.executemany("INSERT INTO sort VALUES (?, ?, ?, ?, ?, ?)", sorted(sorts))
        db.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?)", entries)
        db.executemany("INSERT INTO feed VALUES (?, ?, ?, ?, ?, ?, ?)", feed)
        db.execute("UPDATE tenant SET head = ? WHERE no = 1", (head,))
        db.execute("COMMIT")
    taken = time.perf_counter() - start
    db.close()
    return taken


def content(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows but the secret and the digests, to show that both wrote the same."""
    db = sqlite3.connect(path)
    tables = ("record", "key", "sort", "ledger", "feed")
    rows = {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    rows["tenant"] = db.execute("SELECT no, name, head FROM tenant").fetchall()
    rows["batch"] = db.execute(
        "SELECT no, tenant, idem, at, first, last, actor, reason FROM batch"
    ).fetchall()
    db.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="SqliteStore.apply against hand-written sqlite3 code")
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=500, help="records in a batch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="show where the store spends its time")
    options = parser.parse_args()
    size = options.size
    rows = list(bodies(options.records // size * size))
    made = batches(rows, size)
    chunks = [
        (rows[start : start + size], batch)
        for start, batch in zip(range(0, len(rows), size), made, strict=True)
    ]
    if options.profile:
        with tempfile.TemporaryDirectory() as folder, cProfile.Profile() as profile:
            by_store(Path(folder, "store.db"), made)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    gc.collect()
    gc.freeze()  # the input of the benchmark is no business of the collector while it is measured
    taken: list[tuple[float, float, float]] = []
    for round_ in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, f"{name}.db") for name in ("store", "careful", "bare")]
            taken.append(
                (
                    by_store(files[0], made),
                    by_hand(files[1], chunks, careful=True),
                    by_hand(files[2], chunks, careful=False),
                )
            )
            if round_ == 0 and not content(files[0]) == content(files[1]) == content(files[2]):
                raise SystemExit("they did not write the same rows: the comparison is void")
    print(f"{len(rows):,} records, {size} a batch, {options.rounds} rounds, medians")
    for place, name in enumerate(("SqliteStore.apply", "by hand, doing the same", "by hand, inserting only")):
        seconds = statistics.median(each[place] for each in taken)
        ratio = statistics.median(each[0] / each[place] for each in taken)
        beside = f"   the store takes {ratio:.2f}x" if place else ""
        print(f"{name:24} {len(rows) / seconds:9,.0f} records/s{beside}")


if __name__ == "__main__":
    main()
