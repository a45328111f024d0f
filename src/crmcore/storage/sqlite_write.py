"""Writes of the SQLite file, within a transaction that the caller has begun and will end.

Invariant: a batch is looked up, planned and written under one write lock, so that nothing can come between; the
tables `key` and `sort` hold exactly what the live rows of `record` say that they carry.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from crmcore.storage.plan import Event, Plan, Written, decide, needs
from crmcore.storage.sqlite_read import Applied, current, holders, lengths, to_blob
from crmcore.storage.validate import Checked


def plan(connection: sqlite3.Connection, number: int, checked: Checked) -> Plan:
    """Decide a batch over what the file holds now."""
    wanted = needs(checked)
    return decide(
        checked,
        current(connection, number, wanted.addresses),
        lengths(connection, number, wanted.streams),
        holders(connection, number, wanted.claims),
    )


def tenant_for_writing(connection: sqlite3.Connection, tenant: str) -> tuple[int, int]:
    """The number of a tenant, given now if it had none, and the number of its last change."""
    row = connection.execute("SELECT no, head FROM tenant WHERE name = ?", (tenant,)).fetchone()
    if row is None:
        row = connection.execute(
            "INSERT INTO tenant (name, head) VALUES (?, 0) RETURNING no, head", (tenant,)
        ).fetchone()
    return row[0], row[1]


def fence(connection: sqlite3.Connection, number: int, idem: str) -> None:
    """Refuse the batch *idem* for good."""
    connection.execute(
        "INSERT INTO batch (tenant, idem, digest, at, first, last, actor) VALUES (?, ?, NULL, 0, 0, 0, '')",
        (number, idem),
    )


def carry_out(
    connection: sqlite3.Connection, number: int, first: int, checked: Checked, plan: Plan
) -> Applied:
    """Write what was planned; the changes are numbered from *first* + 1."""
    last = first + len(plan.events)
    batch = connection.execute(
        "INSERT INTO batch (tenant, idem, digest, at, first, last, actor, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (number, checked.idem, checked.digest, checked.at, first, last, checked.actor, checked.reason),
    ).lastrowid
    _records(connection, number, plan.written)
    _indexes(connection, number, plan.written)
    connection.executemany(
        "INSERT INTO ledger (tenant, stream, seq, occurred, recorded, subjects, schema, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (number, new.stream, seq, new.occurred, new.recorded, new.subjects, new.schema, new.body)
            for new, seq in plan.entered
        ),
    )
    connection.executemany(
        "INSERT INTO feed (tenant, number, batch, op, name, id, what) VALUES (?, ?, ?, ?, ?, ?, ?)",
        _feed(number, first, batch, plan.events),
    )
    connection.execute("UPDATE tenant SET head = ? WHERE no = ?", (last, number))
    return Applied(checked.digest, checked.at, first, last)


def _feed(number: int, first: int, batch: int | None, events: Iterable[Event]) -> Iterable[tuple[Any, ...]]:
    for place, (op, name, id_, what) in enumerate(events, first + 1):
        yield number, place, batch, op, name, to_blob(id_), what


def _records(connection: sqlite3.Connection, number: int, written: Iterable[Written]) -> None:
    created: list[tuple[Any, ...]] = []
    changed: list[tuple[Any, ...]] = []
    rekeyed: list[tuple[Any, ...]] = []
    for after, version, before in written:
        address = (number, after.address[0], to_blob(after.address[1]))
        body = None if after.op == "delete" else after.body
        if after.op == "rekey":
            rekeyed.append((after.keys_text, after.sorts_text, *address))
        elif before.version:
            changed.append((version, after.schema, after.keys_text, after.sorts_text, body, *address))
        else:
            created.append((*address, version, after.schema, after.keys_text, after.sorts_text, body))
    connection.executemany(
        "INSERT INTO record (tenant, kind, id, version, schema, keys, sorts, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        created,
    )
    connection.executemany(
        "UPDATE record SET version = ?, schema = ?, keys = ?, sorts = ?, body = ? "
        "WHERE tenant = ? AND kind = ? AND id = ?",
        changed,
    )
    connection.executemany(
        "UPDATE record SET keys = ?, sorts = ? WHERE tenant = ? AND kind = ? AND id = ?", rekeyed
    )


def _indexes(connection: sqlite3.Connection, number: int, written: Iterable[Written]) -> None:
    keys_out: list[tuple[Any, ...]] = []
    keys_in: list[tuple[Any, ...]] = []
    sorts_out: list[tuple[Any, ...]] = []
    sorts_in: list[tuple[Any, ...]] = []
    for after, _, before in written:
        kind, blob = after.address[0], to_blob(after.address[1])
        had, has = before.keys, after.keys
        keys_out.extend((number, *pair, kind, blob) for pair in had if pair not in has)
        keys_in.extend((number, *pair, kind, blob) for pair in has if pair not in had)
        sorted_had, sorted_has = before.sorts, after.sorts
        sorts_out.extend((number, *triple, blob, kind) for triple in sorted_had if triple not in sorted_has)
        sorts_in.extend((number, *triple, blob, kind) for triple in sorted_has if triple not in sorted_had)
    # In the order of the primary key, neighbours are written together.
    keys_in.sort()
    sorts_in.sort()
    connection.executemany(
        "DELETE FROM key WHERE tenant = ? AND namespace = ? AND value = ? AND kind = ? AND id = ?", keys_out
    )
    connection.executemany(
        "INSERT INTO key (tenant, namespace, value, kind, id) VALUES (?, ?, ?, ?, ?)", keys_in
    )
    connection.executemany(
        "DELETE FROM sort WHERE tenant = ? AND namespace = ? AND part = ? AND value = ? AND id = ? AND kind = ?",
        sorts_out,
    )
    connection.executemany(
        "INSERT INTO sort (tenant, namespace, part, value, id, kind) VALUES (?, ?, ?, ?, ?, ?)", sorts_in
    )
