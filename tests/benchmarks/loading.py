"""How fast a store of parties is loaded: through `apply`, through Bulk, and by SQL written by hand, in one run.

Each way fills an SQLite file of its own with the same persons (name, e-mail, telephone, address, source). The drafts
exist already: making them is not counted, everything after is, from proving a draft to the last commit. Counted is the
time of the processor, since other work may run beside. It shows:

- ``add_many``: `crm.parties.add_many`, which writes through `apply`;
- ``load``: `crm.parties.load`, which writes through Bulk;
- ``store``: `SqliteStore.load` alone, given rows whose bodies and keys are there already;
- ``by hand``: SQL that writes the bytes that ``load`` wrote (records of parties and those by which they are compared,
  keys, orders, histories, feed), the same rows to the same tables, sorted as well and in chunks of the same size. It
  computes no key and checks nothing.

The files of ``load`` and ``by hand`` are compared row by row. Ratios count; absolute numbers are those of a machine.

    python tests/benchmarks/loading.py [--parties 100000] [--without add_many] [--profile]
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import pstats
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from crmcore import Crm, Party, Person, PostalAddress
from crmcore.app import loading
from crmcore.party import EmailPoint, PhonePoint
from crmcore.storage import Chunk, Json, Key, NewEntry, NewRecord, Row, Sort, SqliteStore
from crmcore.storage.sqlite_schema import connect
from crmcore.values import EmailAddress, Ids, PhoneNumber
from crmcore.values.source import SYSTEM

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = loading._ROWS
GIVEN = (
    "Ann Ben Cleo Dan Eva Finn Gina Hugo Ivy Jon Kate Leo Mia Ned Olga Paul Rita Sam Tina Uwe Vera Will Zoe Marie"
).split()
SYLLABLES = "ba be bi bo da de di do fa fe ga go ha ke ko la le li lo ma me mi mo na ne no pa ra re ri sa se ta".split()


def drafts(count: int) -> Iterator[Person]:
    """Persons; few have a name in common, as in life. Their telephone numbers are not parsed, which takes longest."""
    random = Random(7)
    for number in range(count):
        family = "".join(random.choices(SYLLABLES, k=3)).capitalize()
        given = random.choice(GIVEN)
        local, digits = f"{given}.{family}{number}".lower(), f"020{70_000_000 + number}"
        text = f"{local}@example.org"
        street = "".join(random.choices(SYLLABLES, k=2)).capitalize()
        lines = (
            f"{random.randrange(1, 200)} {street} Street",
            f"Town{random.randrange(400)} SW{random.randrange(1, 9)} 1AA",
        )
        yield Person.of(
            f"{given} {family}",
            address=PostalAddress(lines=lines, country="GB"),
            contact_points=(
                EmailPoint(raw=text, value=EmailAddress(text=text, local=local, domain="example.org")),
                PhonePoint(
                    raw=digits, value=PhoneNumber(text=digits, e164=f"+44{digits[1:]}"), digits=digits
                ),
            ),
        ).with_source("shop", str(number))


class Made:
    """Drafts that are made ten thousand at a time, and how long that took: no business of the clock."""

    def __init__(self, count: int) -> None:
        self._source = drafts(count)
        self.seconds = 0.0

    def slices(self) -> Iterator[list[Party]]:
        while True:
            started = time.process_time()
            made: list[Party] = list(islice(self._source, ROWS))
            self.seconds += time.process_time() - started
            if not made:
                return
            yield made

    def __iter__(self) -> Iterator[Party]:
        for made in self.slices():
            yield from made


def opened(path: Path) -> Crm:
    """A new file; clock and ids are the same in every run."""
    return Crm(
        SqliteStore(path), clock=lambda: NOW, ids=Ids(lambda: 1_767_225_600_000, Random(1).getrandbits)
    )


def by_add_many(path: Path, count: int) -> float:
    made = Made(count)
    with opened(path) as crm:
        started = time.process_time()
        for some in made.slices():
            crm.parties.add_many(some)
        return time.process_time() - started - made.seconds


def by_load(path: Path, count: int) -> float:
    made = Made(count)
    with opened(path) as crm:
        started = time.process_time()
        report = crm.parties.load(made, idem="x")
        taken = time.process_time() - started - made.seconds
    if report.added != count:
        raise SystemExit(f"not everything was stored: {report.text()}")
    return taken


Taken = tuple[list[Any], list[Any], list[Any], list[Any]]


def written(path: Path) -> Iterator[tuple[list[Any], Taken]]:
    """What ``load`` wrote, chunk by chunk: the batch, and its records, entries and feed with bodies decoded."""
    db = sqlite3.connect(path)
    for batch in db.execute("SELECT * FROM batch WHERE last > first ORDER BY no").fetchall():
        feed = db.execute("SELECT * FROM feed WHERE batch = ? ORDER BY number", (batch[0],)).fetchall()
        puts = [(row[4], row[5]) for row in feed if row[3] == "put"]
        streams = [row[4] for row in feed if row[3] == "append"]
        records = []
        for put in puts:
            row = db.execute("SELECT * FROM record WHERE tenant = 1 AND kind = ? AND id = ?", put).fetchone()
            records.append((*row[:5], json.loads(row[5]), json.loads(row[6])))
        entries = []
        for stream in streams:
            row = db.execute("SELECT * FROM ledger WHERE tenant = 1 AND stream = ?", (stream,)).fetchone()
            entries.append((*row[:7], json.loads(row[7])))
        yield batch, (records, entries, feed, list(batch))
    db.close()


text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def by_hand(path: Path, source: Path) -> float:
    """Write what is in the file *source*, as somebody would who needs this once."""
    SqliteStore(path).close()
    db = connect(path, 5)
    db.execute("INSERT INTO tenant (no, name, head) VALUES (1, 'default', 0)")
    db.execute(
        "CREATE TABLE load (batch INTEGER PRIMARY KEY, rows INTEGER NOT NULL, refused TEXT NOT NULL) STRICT"
    )
    taken = 0.0
    for batch, (records, entries, feed, _) in written(source):
        started = time.process_time()
        keys: list[Any] = []
        sorts: list[Any] = []
        bodies: list[Any] = []
        for tenant, kind, id_, version, schema, (own_keys, own_sorts), body in records:
            bodies.append((tenant, kind, id_, version, schema, text([own_keys, own_sorts]), text(body)))
            keys.extend([(tenant, namespace, value, kind, id_) for namespace, value in own_keys])
            sorts.extend(
                [(tenant, name, part, bytes.fromhex(value), id_, kind) for name, part, value in own_sorts]
            )
        keys.sort()
        sorts.sort()
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", batch)
        db.execute("INSERT INTO load VALUES (?, ?, '[]')", (batch[0], len(entries)))
        db.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?)", bodies)
        db.executemany("INSERT INTO key VALUES (?, ?, ?, ?, ?)", keys)
        db.executemany("INSERT INTO sort VALUES (?, ?, ?, ?, ?, ?)", sorts)
        db.executemany(
            "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [(*e[:7], text(e[7])) for e in entries]
        )
        db.executemany("INSERT INTO feed VALUES (?, ?, ?, ?, ?, ?, ?)", feed)
        db.execute("UPDATE tenant SET head = ? WHERE no = 1", (feed[-1][1],))
        db.execute("COMMIT")
        taken += time.process_time() - started
    db.close()
    return taken


def by_store(path: Path, source: Path) -> float:
    """Write the same rows through `SqliteStore.load` alone."""
    taken = 0.0
    with SqliteStore(path) as store:
        for number, (_, (records, entries, _, _)) in enumerate(written(source)):
            rows = tuple(as_rows(records, entries))
            chunk = Chunk(tenant="default", rows=rows, idem=str(number), digest="x", actor=SYSTEM, at=NOW)
            started = time.process_time()
            store.load(chunk)
            taken += time.process_time() - started
    return taken


def as_rows(records: list[Any], entries: list[Any]) -> Iterator[Row]:
    of: dict[bytes, list[Any]] = {}
    for record in records:
        of.setdefault(record[2], []).append(record)
    for entry, own in zip(entries, of.values(), strict=True):
        subject = json.loads(entry[5])[0]
        new = NewEntry(entry[1], NOW, NOW, (subject,), entry[6], Json.of(entry[7]))
        yield Row(tuple(as_record(record, subject) for record in own), (new,))


def as_record(record: Any, id: str) -> NewRecord:
    keys, sorts = record[5]
    return NewRecord(
        record[1],
        id,
        record[4],
        Json.of(record[6]),
        frozenset(Key(*key) for key in keys),
        frozenset(Sort(name, part, bytes.fromhex(value)) for name, part, value in sorts),
    )


def same_rows(one: Path, other: Path) -> bool:
    """Whether two files hold the same, table by table."""
    db = sqlite3.connect(one)
    db.execute("ATTACH ? AS other", (str(other),))
    for table in ("record", "key", "sort", "ledger", "feed"):
        left, right = (
            db.execute(f"SELECT count(*) FROM {name}.{table}").fetchone() for name in ("main", "other")
        )
        names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
        joined = " AND ".join(f"a.{name} IS b.{name}" for name in names)
        both = db.execute(f"SELECT count(*) FROM main.{table} a JOIN other.{table} b ON {joined}").fetchone()
        if not left == right == both:
            return False
    db.close()
    return True


def table(count: int, seconds: dict[str, float]) -> Iterable[str]:
    yield f"{count:,} parties, chunks of {ROWS:,}, Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"
    yield f"{'':10s}{'parties/s':>12s}{'of by hand':>12s}"
    for name, taken in seconds.items():
        yield f"{name:10s}{count / taken:12,.0f}{seconds['by hand'] / taken:12.0%}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Loading a store of parties")
    parser.add_argument("--parties", type=int, default=100_000)
    parser.add_argument("--without", action="append", default=[], choices=["add_many", "store"])
    parser.add_argument("--profile", action="store_true", help="show where crm.parties.load spends its time")
    parser.add_argument("--json", action="store_true", help="print parties a second as JSON on the last line")
    options = parser.parse_args()
    count = options.parties
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder, f"{name}.db") for name in ("add_many", "load", "store", "by hand")}
        if options.profile:
            with cProfile.Profile() as profile:
                by_load(files["load"], count)
            pstats.Stats(profile).sort_stats("tottime").print_stats(40)
            return
        by_load(Path(folder, "warm.db"), 1_000)
        gc.collect()
        seconds: dict[str, float] = {}
        if "add_many" not in options.without:
            seconds["add_many"] = by_add_many(files["add_many"], count)
            files["add_many"].unlink()
        seconds["load"] = by_load(files["load"], count)
        if "store" not in options.without:
            seconds["store"] = by_store(files["store"], files["load"])
            files["store"].unlink()
        seconds["by hand"] = by_hand(files["by hand"], files["load"])
        if not same_rows(files["load"], files["by hand"]):
            raise SystemExit("the two did not write the same rows: the comparison is void")
    if options.json:
        rates = {name: count / taken for name, taken in seconds.items()}
        print(json.dumps({"parties": count, "rates": rates}))
        return
    print("\n".join(table(count, seconds)))


if __name__ == "__main__":
    main()
