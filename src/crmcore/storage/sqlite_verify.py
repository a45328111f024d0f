"""Whether the SQLite file keeps what it promises.

Invariant: nothing is changed, and what is told is codes and numbers, never a value. A file that is too damaged to be
looked at is a problem, too, and no error. Nothing is sorted, so the memory that it takes does not grow with the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Set
from typing import NamedTuple

from crmcore.storage.upkeep import Integrity, Problem


class _Promise(NamedTuple):
    """What is counted when it is broken: *code*, what that means, and the *statement* that counts."""

    code: str
    message: str
    statement: str


# What records say that they carry, as rows.
_KEYS = (
    "(SELECT record.tenant AS tenant, record.kind AS kind, record.id AS id, "
    "json_extract(pair.value, '$[0]') AS namespace, "
    "json_extract(pair.value, '$[1]') AS value FROM record, json_each(carries, '$[0]') AS pair)"
)
_SORTS = (
    "(SELECT record.tenant AS tenant, record.kind AS kind, record.id AS id, "
    "json_extract(triple.value, '$[0]') AS namespace, json_extract(triple.value, '$[1]') AS part, "
    "json_extract(triple.value, '$[2]') AS value "
    "FROM record, json_each(carries, '$[1]') AS triple)"
)
_HAS_KEY = (
    "EXISTS (SELECT 1 FROM key WHERE key.tenant = said.tenant AND key.namespace = said.namespace "
    "AND key.value = said.value AND key.kind = said.kind AND key.id = said.id)"
)
# from_hex: made below, as SQLite's own unhex() is newer than the oldest SQLite that will do.
_HAS_SORT = (
    "EXISTS (SELECT 1 FROM sort WHERE sort.tenant = said.tenant AND sort.namespace = said.namespace "
    "AND sort.part = said.part AND sort.value = from_hex(said.value) AND sort.id = said.id "
    "AND sort.kind = said.kind)"
)

_PROMISES = (
    _Promise(
        "key_missing",
        "records carry keys under which they are not found",
        f"SELECT count(*) FROM {_KEYS} AS said WHERE NOT {_HAS_KEY}",
    ),
    _Promise(
        "key_extra",
        "records are found under keys that they do not carry",
        f"SELECT (SELECT count(*) FROM key) - (SELECT count(*) FROM {_KEYS} AS said WHERE {_HAS_KEY})",
    ),
    _Promise(
        "sort_missing",
        "records carry sorts under which they are not found",
        f"SELECT count(*) FROM {_SORTS} AS said WHERE NOT {_HAS_SORT}",
    ),
    _Promise(
        "sort_extra",
        "records are found under sorts that they do not carry",
        f"SELECT (SELECT count(*) FROM sort) - (SELECT count(*) FROM {_SORTS} AS said WHERE {_HAS_SORT})",
    ),
    _Promise(
        "record_invalid",
        "bodies are no JSON objects, or deleted records still carry something",
        "SELECT count(*) FROM record WHERE CASE WHEN body IS NULL THEN carries != '[[],[]]' "
        "WHEN json_valid(body) THEN json_type(body) != 'object' ELSE 1 END",
    ),
    _Promise(
        "entry_invalid",
        "bodies of entries are no JSON objects, or their subjects no lists",
        "SELECT count(*) FROM ledger WHERE CASE WHEN json_valid(body) AND json_valid(subjects) "
        "THEN json_type(body) != 'object' OR json_type(subjects) != 'array' ELSE 1 END",
    ),
    _Promise(
        "ledger_gap",
        "ledgers are not numbered from 1 without a gap",
        "SELECT count(*) FROM (SELECT 1 FROM ledger GROUP BY tenant, stream "
        "HAVING min(seq) != 1 OR max(seq) != count(*))",
    ),
    _Promise(
        "feed_gap",
        "feeds are not numbered from 1 to their end without a gap",
        "SELECT count(*) FROM tenant LEFT JOIN (SELECT tenant, count(*) AS n, min(number) AS low, "
        "max(number) AS high FROM feed GROUP BY tenant) AS fed ON fed.tenant = tenant.no "
        "WHERE coalesce(n, 0) != head OR (n > 0 AND (low != 1 OR high != n))",
    ),
    _Promise(
        "batch_wrong",
        "batches do not have the changes that the feed has of them",
        # By the places that each says it has, row by row: grouping the feed would hold all of it.
        "SELECT (SELECT count(*) FROM batch WHERE last - first != (SELECT count(*) FROM feed "
        "WHERE feed.tenant = batch.tenant AND number > first AND number <= last AND feed.batch = batch.no)) "
        "+ (SELECT count(*) FROM feed WHERE NOT EXISTS (SELECT 1 FROM batch WHERE batch.no = feed.batch "
        "AND batch.tenant = feed.tenant AND number > first AND number <= last))",
    ),
    _Promise(
        "change_ahead",
        "changes tell of versions or entries that are not there",
        "SELECT count(*) FROM feed WHERE CASE WHEN id = x'' THEN NOT EXISTS (SELECT 1 FROM ledger "
        "WHERE ledger.tenant = feed.tenant AND stream = name AND seq = what) ELSE NOT EXISTS (SELECT 1 FROM record "
        "WHERE record.tenant = feed.tenant AND kind = name AND record.id = feed.id AND version >= what) END",
    ),
    _Promise(
        "stray",
        "rows belong to no tenant or to no batch",
        "SELECT (SELECT count(*) FROM record WHERE tenant NOT IN (SELECT no FROM tenant)) "
        "+ (SELECT count(*) FROM ledger WHERE tenant NOT IN (SELECT no FROM tenant)) "
        "+ (SELECT count(*) FROM key WHERE tenant NOT IN (SELECT no FROM tenant)) "
        "+ (SELECT count(*) FROM sort WHERE tenant NOT IN (SELECT no FROM tenant)) "
        "+ (SELECT count(*) FROM batch WHERE tenant NOT IN (SELECT no FROM tenant)) "
        "+ (SELECT count(*) FROM feed WHERE tenant NOT IN (SELECT no FROM tenant) "
        "OR batch NOT IN (SELECT no FROM batch)) "
        "+ (SELECT count(*) FROM load WHERE batch NOT IN (SELECT no FROM batch)) "
        "+ (SELECT count(*) FROM erasure WHERE batch NOT IN (SELECT no FROM batch))",
    ),
)

_SHARED = (
    "SELECT count(*) FROM key WHERE namespace = ? AND EXISTS (SELECT 1 FROM key AS other "
    "WHERE other.tenant = key.tenant AND other.namespace = key.namespace AND other.value = key.value "
    "AND (other.kind, other.id) < (key.kind, key.id))"
)

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}


def verify(connection: sqlite3.Connection, exclusive: Set[str]) -> Integrity:
    """Look at everything, on a connection of its own, in a transaction."""
    connection.create_function("from_hex", 1, bytes.fromhex, deterministic=True)
    found: dict[tuple[str, str], int] = {}

    def look(code: str, message: str, count: Callable[[], int]) -> int:
        try:
            number = count()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in _DAMAGED:
                raise
            code, message, number = "unreadable", "parts of the file cannot be looked at", 1
        if number and code:
            found[code, message] = found.get((code, message), 0) + number
        return number

    def counted(statement: str, *values: str) -> Callable[[], int]:
        return lambda: int(connection.execute(statement, values).fetchone()[0])

    def own() -> int:
        return sum(1 for (line,) in connection.execute("PRAGMA integrity_check(1000)") if line != "ok")

    look("engine", "SQLite's own check finds the file damaged", own)
    for code, message, statement in _PROMISES:
        look(code, message, counted(statement))
    for namespace in sorted(exclusive):
        message = "keys of exclusive namespaces have more than one holder"
        look("key_shared", message, counted(_SHARED, namespace))
    return Integrity(
        records=look("", "", counted("SELECT count(*) FROM record WHERE body IS NOT NULL")),
        entries=look("", "", counted("SELECT count(*) FROM ledger")),
        changes=look("", "", counted("SELECT count(*) FROM feed")),
        problems=tuple(
            Problem(code=code, message=message, count=count) for (code, message), count in found.items()
        ),
    )
