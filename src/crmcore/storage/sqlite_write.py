"""Writes of the SQLite file, within a transaction that the caller has begun and will end.

Invariant: a batch is looked up, planned and written under one write lock, so that nothing can come between; the
tables `key` and `sort` hold exactly what the live rows of `record` say that they carry.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from crmcore.storage.bulk_plan import CheckedChunk
from crmcore.storage.cursor import new_generation
from crmcore.storage.document import write
from crmcore.storage.erasing import CheckedErasure
from crmcore.storage.plan import Event, Plan, Written, decide, rekeyed
from crmcore.storage.sqlite_read import NO_TENANT, Applied, Owner, current, holders, lengths, owner, to_blob
from crmcore.storage.validate import Address, Checked, KeyPair

_Row = tuple[Any, ...]


def plan(connection: sqlite3.Connection, number: int, checked: Checked) -> Plan:
    """Decide a batch over what the file holds now."""
    return decide(
        checked,
        current(connection, number, checked.addresses),
        lengths(connection, number, checked.streams),
        holders(connection, number, checked.claims),
    )


def tenant_for_writing(connection: sqlite3.Connection, tenant: str) -> Owner:
    """A tenant, made now if it was not there."""
    there = owner(connection, tenant)
    if there.no != NO_TENANT:
        return there
    row = connection.execute(
        "INSERT INTO tenant (name, head, generation) VALUES (?, 0, ?) RETURNING no, name, head, generation",
        (tenant, new_generation()),
    ).fetchone()
    return Owner(*row)


def fence(connection: sqlite3.Connection, number: int, idem: str) -> None:
    """Refuse the batch *idem* for good."""
    connection.execute(
        "INSERT INTO batch (tenant, idem, digest, at, first, last, actor) VALUES (?, ?, NULL, 0, 0, 0, '')",
        (number, idem),
    )


def carry_out(
    connection: sqlite3.Connection, number: int, first: int, checked: Checked | CheckedChunk, plan: Plan
) -> Applied:
    """Write what was planned; the changes are numbered from *first* + 1."""
    blobs = write_records(connection, number, plan.written)
    entries = [
        (new.stream, seq, new.occurred, new.recorded, new.subjects, new.schema, new.body)
        for new, seq in plan.entered
    ]
    entries.sort()
    insert(
        connection,
        "ledger (tenant, stream, seq, occurred, recorded, subjects, schema, body)",
        7,
        entries,
        (number,),
    )
    return note(connection, number, first, checked, plan.events, blobs, rekeyed(plan.written))


def write_records(
    connection: sqlite3.Connection, number: int, written: Sequence[Written]
) -> dict[str, bytes]:
    """Write records with their keys and sorts; the bytes of their ids."""
    blobs = {id_: to_blob(id_) for id_ in {one.after.address[1] for one in written}}
    _records(connection, number, written, blobs)
    _keys(connection, number, written, blobs)
    _sorts(connection, number, written, blobs)
    return blobs


def note(
    connection: sqlite3.Connection,
    number: int,
    first: int,
    checked: Checked | CheckedChunk | CheckedErasure,
    events: Sequence[Event],
    blobs: Mapping[str, bytes],
    rekeyed: Sequence[Address] = (),
) -> Applied:
    """Keep that a batch was applied, with its changes, which are numbered from *first* + 1."""
    last = first + len(events)
    _, idem, digest, at, actor, reason, *_ = checked
    text = write(rekeyed) if rekeyed else None
    batch = connection.execute(
        "INSERT INTO batch (tenant, idem, digest, at, first, last, actor, reason, rekeyed) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (number, idem, digest, at, first, last, actor, reason, text),
    ).lastrowid
    assert batch is not None  # for the type checker: a row was inserted
    blobs = {**blobs, "": b""}
    feed = [
        (number, place, batch, op, name, blobs[id_], what)
        for place, (op, name, id_, what) in enumerate(events, first + 1)
    ]
    insert(connection, "feed (tenant, number, batch, op, name, id, what)", 7, feed)
    connection.execute("UPDATE tenant SET head = ? WHERE no = ?", (last, number))
    return Applied(batch, digest, at, first, last)


_TOGETHER = 32
"""So many rows are inserted by one statement: what the driver does for each statement costs as much as a row."""

_Same = tuple[int] | tuple[int, str]


def insert(
    connection: sqlite3.Connection, into: str, width: int, rows: Sequence[_Row], same: _Same | tuple[()] = ()
) -> None:
    """Insert *rows* of *width* values, each after what is the *same* in all of them.

    *into* is a table with its columns, a constant of the caller.
    """
    one = f"({', '.join([*(f'?{place + 1}' for place in range(len(same))), *'?' * width])})"
    if not rows:
        return
    whole = len(rows) - len(rows) % _TOGETHER
    if whole:
        connection.executemany(
            f"INSERT INTO {into} VALUES {', '.join([one] * _TOGETHER)}",
            (
                tuple(chain(same, chain.from_iterable(rows[start : start + _TOGETHER])))
                for start in range(0, whole, _TOGETHER)
            ),
        )
    if whole < len(rows):
        connection.executemany(f"INSERT INTO {into} VALUES {one}", [(*same, *row) for row in rows[whole:]])


def _records(
    connection: sqlite3.Connection, number: int, written: Iterable[Written], blobs: Mapping[str, bytes]
) -> None:
    created: list[_Row] = []
    changed: list[_Row] = []
    rekeyed: list[_Row] = []
    for after, version, before in written:
        op, (kind, id_), _, schema, body, _, _, carries, _ = after
        blob = blobs[id_]
        if op == "rekey":
            rekeyed.append((carries, number, kind, blob))
        elif before.version:
            text = None if op == "delete" else body
            changed.append((version, schema, carries, text, number, kind, blob))
        else:
            created.append((kind, blob, version, schema, carries, body))
    created.sort()  # in the order of the primary key, neighbours are written together
    insert(connection, "record (tenant, kind, id, version, schema, carries, body)", 6, created, (number,))
    if changed:
        connection.executemany(
            "UPDATE record SET version = ?, schema = ?, carries = ?, body = ? "
            "WHERE tenant = ? AND kind = ? AND id = ?",
            changed,
        )
    if rekeyed:
        connection.executemany(
            "UPDATE record SET carries = ? WHERE tenant = ? AND kind = ? AND id = ?", rekeyed
        )


def _keys(
    connection: sqlite3.Connection, number: int, written: Iterable[Written], blobs: Mapping[str, bytes]
) -> None:
    lost: list[_Row] = []
    gained: dict[str, list[_Row]] = {}
    for after, _, before in written:
        keys: Iterable[KeyPair] = after.keys
        kind, id_ = after.address
        blob = blobs[id_]
        if before.keys:
            lost += [(number, *pair, kind, blob) for pair in before.keys if pair not in after.keys]
            keys = [pair for pair in after.keys if pair not in before.keys]
        for namespace, value in keys:
            if namespace in gained:
                gained[namespace].append((value, kind, blob))
            else:
                gained[namespace] = [(value, kind, blob)]
    if lost:
        connection.executemany(
            "DELETE FROM key WHERE tenant = ? AND namespace = ? AND value = ? AND kind = ? AND id = ?", lost
        )
    if sum(map(len, gained.values())) < _TOGETHER:  # so few that a statement for each namespace costs more
        few = [(namespace, *row) for namespace, rows in gained.items() for row in rows]
        few.sort()
        insert(connection, "key (tenant, namespace, value, kind, id)", 4, few, (number,))
        return
    for namespace, rows in sorted(gained.items()):
        rows.sort()
        insert(connection, "key (tenant, namespace, value, kind, id)", 3, rows, (number, namespace))


def _sorts(
    connection: sqlite3.Connection, number: int, written: Iterable[Written], blobs: Mapping[str, bytes]
) -> None:
    lost: list[_Row] = []
    gained: list[_Row] = []
    for after, _, before in written:
        if after.sorts != before.sorts:
            kind, blob = after.address[0], blobs[after.address[1]]
            lost += [(number, *triple, blob, kind) for triple in before.sorts if triple not in after.sorts]
            gained += [(*triple, blob, kind) for triple in after.sorts if triple not in before.sorts]
    if lost:
        connection.executemany(
            "DELETE FROM sort WHERE tenant = ? AND namespace = ? AND part = ? AND value = ? AND id = ? AND kind = ?",
            lost,
        )
    gained.sort()
    insert(connection, "sort (tenant, namespace, part, value, id, kind)", 5, gained, (number,))
