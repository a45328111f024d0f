"""Writes of the tables, within a transaction that holds its locks.

Invariant: the tables `key`, `claim` and `sort` hold exactly what the live rows of `record` say that they carry. A batch
is written by one statement, made of the parts that it needs; which part is carried out first does not matter, since no
two of them touch the same row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from crmcore.storage.document import write
from crmcore.storage.plan import Event, Plan, Written, rekeyed
from crmcore.storage.postgres_driver import Asked
from crmcore.storage.postgres_exchange import Row
from crmcore.storage.postgres_lookup import Tenant
from crmcore.storage.postgres_rows import Place, key_mark, packed, part_mark
from crmcore.storage.validate import Address, Checked, KeyPair


class Effects(NamedTuple):
    """What a plan does to the rows of the tables, each a list of rows."""

    created: list[Row]
    changed: list[Row]
    rekeyed: list[Row]
    keys_lost: list[Row]
    keys_gained: list[Row]
    claims_lost: list[Row]
    claims_gained: list[Row]
    sorts_lost: list[Row]
    sorts_gained: list[Row]
    entries: list[Row]


def effects(secret: bytes, exclusive: frozenset[str], plan: Plan) -> Effects:
    """What a plan does, in the order of the primary keys: neighbours are written together."""
    into = Effects(*([] for _ in Effects._fields))
    claimed: set[str] = set()
    for written in plan.written:
        _record(into, written)
        _keys(into, secret, exclusive, written, claimed)
        _sorts(into, secret, written)
    # What was handed over within the batch has a holder already.
    into.claims_lost[:] = [row for row in into.claims_lost if row[0] not in claimed]
    into.entries.extend(
        [
            (new.stream, seq, new.occurred, new.recorded, new.subjects, new.schema, new.body)
            for new, seq in plan.entered
        ]
    )
    for rows in into:
        rows.sort(key=_place)
    return into


def _place(row: Row) -> tuple[Any, Any]:
    return row[0], row[1]


def _record(into: Effects, written: Written) -> None:
    after, version, before = written
    kind, id_ = after.address
    if after.op == "rekey":
        into.rekeyed.append((kind, id_, after.carries))
    elif before.version:
        body = None if after.op == "delete" else after.body
        into.changed.append((kind, id_, version, after.schema, after.carries, body))
    else:
        into.created.append((kind, id_, version, after.schema, after.carries, after.body))


def _keys(
    into: Effects, secret: bytes, exclusive: frozenset[str], written: Written, claimed: set[str]
) -> None:
    after, _, before = written
    keys: Iterable[KeyPair] = after.keys
    if before.keys:
        lost = set(before.keys) - set(after.keys)
        keys = [pair for pair in after.keys if pair not in before.keys]
        for pair in lost:
            row = (key_mark(secret, *pair), *after.address)
            into.keys_lost.append(row)
            if pair[0] in exclusive:
                into.claims_lost.append(row)
    for pair in keys:
        row = (key_mark(secret, *pair), *after.address)
        into.keys_gained.append(row)
        if pair[0] in exclusive:
            into.claims_gained.append(row)
            claimed.add(row[0])


def _sorts(into: Effects, secret: bytes, written: Written) -> None:
    after, _, before = written
    if after.sorts == before.sorts:
        return
    kind, id_ = after.address
    for into_rows, these, others in (
        (into.sorts_lost, before.sorts, after.sorts),
        (into.sorts_gained, after.sorts, before.sorts),
    ):
        into_rows.extend(
            [
                (part_mark(secret, namespace, part), value, id_, kind)
                for namespace, part, value in these
                if (namespace, part, value) not in others
            ]
        )


_RECORD_TYPES = "text uuid bigint bigint text text"
_KEY_TYPES = "uuid text uuid"
_SORT_TYPES = "uuid bytea uuid text"

# For each part of `Effects`: the types of its columns, and the statement over its rows. {t} is the tenant's number.
_PARTS: dict[str, tuple[str, str]] = {
    "created": (
        _RECORD_TYPES,
        "INSERT INTO {{record}} (tenant, kind, id, version, schema, carries, body) SELECT {t}, * FROM {rows}",
    ),
    "changed": (
        _RECORD_TYPES,
        "UPDATE {{record}} AS r SET version = a3, schema = a4, carries = a5, body = a6 "
        "FROM {rows} WHERE r.tenant = {t} AND r.kind = a1 AND r.id = a2",
    ),
    "rekeyed": (
        "text uuid text",
        "UPDATE {{record}} AS r SET carries = a3 FROM {rows} WHERE r.tenant = {t} AND r.kind = a1 AND r.id = a2",
    ),
    "keys_lost": (
        _KEY_TYPES,
        "DELETE FROM {{key}} AS k USING {rows} WHERE k.tenant = {t} AND k.h = a1 AND k.kind = a2 AND k.id = a3",
    ),
    "keys_gained": (_KEY_TYPES, "INSERT INTO {{key}} (tenant, h, kind, id) SELECT {t}, * FROM {rows}"),
    "claims_lost": (
        _KEY_TYPES,
        "DELETE FROM {{claim}} AS c USING {rows} WHERE c.tenant = {t} AND c.h = a1 AND c.kind = a2 AND c.id = a3",
    ),
    "claims_gained": (
        _KEY_TYPES,
        "INSERT INTO {{claim}} (tenant, h, kind, id) SELECT {t}, * FROM {rows} "
        "ON CONFLICT (tenant, h) DO UPDATE SET kind = excluded.kind, id = excluded.id",
    ),
    "sorts_lost": (
        _SORT_TYPES,
        "DELETE FROM {{sort}} AS s USING {rows} "
        "WHERE s.tenant = {t} AND s.h = a1 AND s.value = a2 AND s.id = a3 AND s.kind = a4",
    ),
    "sorts_gained": (_SORT_TYPES, "INSERT INTO {{sort}} (tenant, h, value, id, kind) SELECT {t}, * FROM {rows}"),
    "entries": (
        "text bigint bigint bigint text text text",
        "INSERT INTO {{ledger}} (tenant, stream, seq, occurred, recorded, subjects, schema, body) "
        "SELECT {t}, * FROM {rows}",
    ),
    "changes": (
        "bigint bigint text",
        "INSERT INTO {{feed}} (tenant, era, n, size, changes) SELECT {t}, $2::integer, * FROM {rows}",
    ),
}  # fmt: skip
_NOTE = (
    "INSERT INTO {batch} (tenant, idem, digest, at, era, last, idle, actor, reason, rows, refused, erasure, "
    "rekeyed) "
    "SELECT $1::integer, $3, $4, $5, $2::integer, $6::integer, $7, $8, $9, $10::integer, $11, $12, $13"
)
_FIXED = 13


@lru_cache(maxsize=256)
def _statement(parts: tuple[str, ...]) -> str:
    """The statement that carries out some parts; the rows of each are arrays, after the values of `_NOTE`."""
    texts = [f"note AS ({_NOTE})"]
    at = _FIXED
    for part in parts:
        types, text = _PARTS[part]
        columns = types.split()
        arrays = ", ".join(f"${at + place}::{kind}[]" for place, kind in enumerate(columns, 1))
        names = ", ".join(f"a{place}" for place in range(1, len(columns) + 1))
        rows = f"unnest({arrays}) AS given ({names})"
        texts.append(f"{part} AS ({text.format(t='$1::integer', rows=rows)})")
        at += len(columns)
    return f"WITH {', '.join(texts)} SELECT pg_current_xact_id()::text"


class Note(NamedTuple):
    """What is kept of a batch, chunk or erasure beside its changes."""

    idem: str
    digest: bytes | None
    at: int
    actor: str
    reason: str | None
    rows: int | None = None
    refused: str | None = None
    erasure: str | None = None
    rekeyed: str | None = None


def carry_out(
    tenant: Tenant,
    note: Note,
    done: Effects | None,
    changes: Sequence[Event],
    idle: Place | None,
) -> Asked:
    """The statement that writes a batch; of a chunk what was not copied before. *idle* is where the feed is, for a
    batch without changes."""
    rows: dict[str, Sequence[Row]] = {} if done is None else done._asdict()
    rows["changes"] = packed(changes)
    parts = tuple(part for part in _PARTS if rows.get(part))
    place = None if idle is None else write(idle)
    values: list[Any] = [
        tenant.number,
        tenant.era,
        note.idem,
        note.digest,
        note.at,
        len(changes),
        place,
        note.actor,
    ]
    values += [note.reason, note.rows, note.refused, note.erasure, note.rekeyed]
    for part in parts:
        values += map(list, zip(*rows[part], strict=True))
    return _statement(parts), values


def note_of(checked: Checked, plan: Plan) -> Note:
    return Note(
        checked.idem,
        checked.digest,
        checked.at,
        checked.actor,
        checked.reason,
        rekeyed=rekeyed_text(rekeyed(plan.written)),
    )


def rekeyed_text(addresses: Sequence[Address]) -> str | None:
    """What is kept of the records that a batch only rekeyed."""
    return write(addresses) if addresses else None
