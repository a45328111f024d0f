"""How much of PostgreSQL's own speed `PostgresStore` leaves, on one connection, against bare psycopg in the same run.

- Bulk: records of eight keys, one sort and one ledger entry, in chunks, all indexes in place; beside psycopg copying
  as many rows, made before, into tables and indexes of the same form, a transaction for each chunk.
- Compare-and-set: a durable `apply` of one `Put` over the version before, beside a bare UPDATE ... COMMIT and a bare
  INSERT ... COMMIT, which is as often as this disk can be waited for.
- Point get: `get` of one record, beside a bare execute of the same select and `json.loads` of the body.

    python -m tests.benchmarks.postgres [--records 20000] [--chunk 5000] [--writes 1000] [--reads 3000] [--rounds 3]

The server is that of the tests, or the one that CRMCORE_TEST_POSTGRES names.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any

import psycopg

from crmcore.storage import Batch, Chunk, Json, Key, NewEntry, NewRecord, PostgresStore, Put, Ref, Row
from crmcore.values.ids import Ids, PartyId
from crmcore.values.source import SYSTEM
from tests.storage.postgres_server import drop, dsn, new_schema

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = 8


def rows(ids: Ids, start: int, size: int) -> list[Row]:
    made = []
    for number in range(start, start + size):
        id_ = str(ids.new(PartyId))
        body = {
            "names": [{"full": f"Ann Lee {number}", "given": ["Ann"], "family": f"Lee {number}"}],
            "points": [
                {"kind": "email", "value": f"ann.{number}@example.org"},
                {"kind": "phone", "value": f"+44207946{number:06}", "rank": 1},
                {"kind": "postal", "lines": ["12 High Street"], "city": "Lübeck", "country": "DE"},
            ],
            "tags": ["vip", "newsletter"],
        }
        keys = [("source", f"crm:eu1\x1f{number}")]
        keys += [(f"block{part}", f"{number * 7919 % 100_003}:{part}") for part in range(KEYS - 1)]
        sorts = [("name", "", f"lee {number}".encode())]
        record = NewRecord("party", id_, 1, Json.of(body), keys, sorts)
        entry = NewEntry(f"party:{id_}", NOW, NOW, (id_,), "added/1", Json.of({"by": "import"}))
        made.append(Row((record,), (entry,)))
    return made


def timed(call: Callable[[], Any]) -> float:
    gc.collect()
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def load(store: PostgresStore, records: int, chunk: int, tenant: str) -> tuple[float, list[str]]:
    milliseconds = count(1_767_225_600_000)
    ids = Ids(lambda: next(milliseconds))
    spent = 0.0
    names: list[str] = []
    for start in range(0, records, chunk):
        made = rows(ids, start, min(chunk, records - start))
        names += [row.records[0].id for row in made]
        one = Chunk(tenant=tenant, rows=made, idem=f"c{start}", digest="d", actor=SYSTEM, at=NOW)
        spent += timed(partial(store.load, one, timeout=120))
    return spent, names


COPIED = {
    "record": "tenant, kind, id, version, schema, carries, body",
    "ledger": "tenant, stream, seq, occurred, recorded, subjects, schema, body",
    "key": "tenant, h, kind, id",
    "claim": "tenant, h, kind, id",
    "sort": "tenant, h, value, id, kind",
}


def bare_load(connection: psycopg.Connection[Any], schema: str, records: int, chunk: int) -> float:
    """The rows of the store, copied out of it before, in chunks as they came."""
    for table in COPIED:
        connection.execute(f'CREATE TABLE "{schema}".b_{table} (LIKE "{schema}".{table} INCLUDING ALL)')
    spent = 0.0
    for at in range(0, records, chunk):
        parts = {}
        for table, columns in COPIED.items():
            each = KEYS if table == "key" else 1
            select = f'SELECT {columns} FROM "{schema}".{table} ORDER BY id OFFSET %s LIMIT %s'
            if table == "ledger":
                select = select.replace("BY id", "BY stream")
            parts[table] = connection.execute(select, (at * each, chunk * each)).fetchall()
        spent += timed(partial(bare_copy, connection, schema, parts))
    return spent


def bare_copy(connection: psycopg.Connection[Any], schema: str, parts: dict[str, list[Any]]) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        for table, found in parts.items():
            into = f'COPY "{schema}".b_{table} ({COPIED[table]}) FROM STDIN'
            with cursor.copy(into) as copy:
                for row in sorted(found):
                    copy.write_row(row)


def bare_inserts(connection: psycopg.Connection[Any], schema: str, writes: int) -> float:
    connection.execute(f'CREATE TABLE "{schema}".inserted (n bigint PRIMARY KEY)')
    insert = f'INSERT INTO "{schema}".inserted VALUES (%s)'
    return timed(lambda: [connection.execute(insert, (number,)) for number in range(writes)])


def compare_and_set(store: PostgresStore, writes: int, tenant: str) -> float:
    ref = Ref(tenant, "party", "00000000-0000-7000-8000-000000000001")
    keys = frozenset(Key("email", f"ann{number}@x.org") for number in range(4))

    def put(version: int) -> None:
        body = {"n": version, "name": "Ann Lee", "email": "ann@example.org"}
        op = Put(ref=ref, expect=version, schema=1, body=body, keys=keys)
        store.apply(Batch(tenant=tenant, ops=(op,), idem=f"w{version}", actor=SYSTEM, at=NOW))

    put(0)

    def write() -> None:
        for version in range(1, writes + 1):
            put(version)

    return timed(write)


def bare_compare_and_set(connection: psycopg.Connection[Any], schema: str, writes: int) -> float:
    connection.execute(f'CREATE TABLE "{schema}".bare (id uuid PRIMARY KEY, version bigint, body text)')
    id_ = "00000000-0000-7000-8000-000000000001"
    connection.execute(f'INSERT INTO "{schema}".bare VALUES (%s, 0, %s)', (id_, "{}"))
    update = f'UPDATE "{schema}".bare SET version = version + 1, body = %s WHERE id = %s AND version = %s'
    body = json.dumps({"name": "Ann Lee", "email": "ann@example.org"})
    return timed(lambda: [connection.execute(update, (body, id_, version)) for version in range(writes)])


def gets(store: PostgresStore, tenant: str, names: list[str]) -> float:
    def read() -> None:
        for name in names:
            ref = Ref(tenant, "party", name)
            assert store.get([ref])[ref].version == 1

    return timed(read)


def bare_gets(connection: psycopg.Connection[Any], schema: str, tenant: str, names: list[str]) -> float:
    select = (
        f'SELECT version, schema, carries, body FROM "{schema}".record WHERE tenant = '
        f'(SELECT no FROM "{schema}".tenant WHERE name = %s) AND kind = %s AND id = %s AND body IS NOT NULL'
    )

    def read() -> None:
        for name in names:
            row = connection.execute(select, (tenant, "party", name)).fetchone()
            assert row is not None
            json.loads(row[3])

    return timed(read)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--chunk", type=int, default=5_000)
    parser.add_argument("--writes", type=int, default=1_000)
    parser.add_argument("--reads", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    figures: dict[str, list[float]] = {}
    for number in range(asked.rounds):
        schema = new_schema()
        with PostgresStore(dsn(), schema=schema, pool_size=1) as store:
            bare = psycopg.connect(dsn(), autocommit=True)
            spent, names = load(store, asked.records, asked.chunk, "acme")
            names = names[:: max(len(names) // asked.reads, 1)]
            gets(store, "acme", names[:50])
            bare_gets(bare, schema, "acme", names[:50])
            results = {
                "bulk records/s": asked.records / spent,
                "bare copy records/s": asked.records / bare_load(bare, schema, asked.records, asked.chunk),
                "compare-and-set/s": asked.writes / compare_and_set(store, asked.writes, f"w{number}"),
                "bare update/s": asked.writes / bare_compare_and_set(bare, schema, asked.writes),
                "bare insert/s": asked.writes / bare_inserts(bare, schema, asked.writes),
                "get us": gets(store, "acme", names) / len(names) * 1e6,
                "bare get us": bare_gets(bare, schema, "acme", names) / len(names) * 1e6,
            }
            bare.close()
        drop(schema)
        for name, value in results.items():
            figures.setdefault(name, []).append(value)
    print(f"N {asked.records}, {KEYS} keys a record, chunks of {asked.chunk}, indexes kept while loading")
    for name, values in figures.items():
        print(
            f"{name:20} median {statistics.median(values):10,.1f}   all {[round(one, 1) for one in values]}"
        )
    for ours, theirs in (
        ("get us", "bare get us"),
        ("bulk records/s", "bare copy records/s"),
        ("compare-and-set/s", "bare update/s"),
        ("compare-and-set/s", "bare insert/s"),
    ):
        pairs = zip(figures[ours], figures[theirs], strict=True)
        ratio = statistics.median([one / other for one, other in pairs])
        print(f"{ours} over {theirs}: {ratio:.2f}")


if __name__ == "__main__":
    main()
