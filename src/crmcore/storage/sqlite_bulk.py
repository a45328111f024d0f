"""Bulk loading into the SQLite file, within a transaction that the caller has begun and will end.

Invariant: a chunk is looked up, planned and written under the one write lock and by the same statements as a batch;
what was refused of it is kept beside it, so that its receipt is the same whenever it is asked for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping

from crmcore.storage.bulk import ChunkReceipt
from crmcore.storage.bulk_plan import CheckedChunk, chunk_receipt, refusals_text, sift
from crmcore.storage.plan import Current, replayable
from crmcore.storage.protocol import Position
from crmcore.storage.sqlite_read import Owner, applied, current, holders, lengths, to_blob
from crmcore.storage.sqlite_write import carry_out
from crmcore.storage.validate import Address


def load(
    connection: sqlite3.Connection,
    owner: Owner,
    checked: CheckedChunk,
    position: Callable[[int], Position],
) -> ChunkReceipt:
    """Write what can be written of a chunk that is not there yet."""
    plan, refused = sift(
        checked,
        _current(connection, owner.no, checked.addresses),
        _lengths(connection, owner.no, checked.streams),
        holders(connection, owner.no, checked.claims),
    )
    done = carry_out(connection, owner.no, owner.head, checked, plan)
    text = refusals_text(refused)
    connection.execute(
        "INSERT INTO load (batch, rows, refused) VALUES (?, ?, ?)", (done.no, checked.size, text)
    )
    return chunk_receipt(checked.tenant, position(done.last), checked.size, text, done.at, replayed=False)


def loaded(
    connection: sqlite3.Connection,
    owner: Owner,
    idem: str,
    digest: bytes,
    position: Callable[[int], Position],
) -> ChunkReceipt | None:
    """The receipt of a chunk that is there, or None."""
    before = applied(connection, owner.no, idem)
    if before is None:
        return None
    replayable(before.digest, digest)
    rows, refused = connection.execute(
        "SELECT rows, refused FROM load WHERE batch = ?", (before.no,)
    ).fetchone()
    return chunk_receipt(owner.name, position(before.last), rows, refused, before.at, replayed=True)


def _current(
    connection: sqlite3.Connection, number: int, addresses: Collection[Address]
) -> Mapping[Address, Current]:
    """As `current`; ids that are new lie beyond all that are there, which one look per kind finds out."""
    ids: dict[str, list[bytes]] = {}
    for kind, id_ in addresses:
        ids.setdefault(kind, []).append(to_blob(id_))
    doubtful = {
        kind
        for kind, blobs in ids.items()
        if connection.execute(
            "SELECT 1 FROM record WHERE tenant = ? AND kind = ? AND id BETWEEN ? AND ? LIMIT 1",
            (number, kind, min(blobs), max(blobs)),
        ).fetchone()
    }
    return current(connection, number, [address for address in addresses if address[0] in doubtful])


def _lengths(connection: sqlite3.Connection, number: int, streams: Collection[str]) -> Mapping[str, int]:
    """As `lengths`, with the same short cut."""
    if not streams:
        return {}
    between = connection.execute(
        "SELECT 1 FROM ledger WHERE tenant = ? AND stream BETWEEN ? AND ? LIMIT 1",
        (number, min(streams, key=str.encode), max(streams, key=str.encode)),
    ).fetchone()
    return lengths(connection, number, streams) if between else {}
