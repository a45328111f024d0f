"""Stores in which something was erased, or something is broken."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from crmcore.storage import Erasure, SqliteStore, StoredRecord
from crmcore.storage.protocol import Ref
from crmcore.values.source import SYSTEM


def erase_everything(path: Path, idem: str = "request 17", reason: str = "asked for it") -> int:
    """Erase every party of a store; how many records."""
    with SqliteStore(path) as store:
        snapshot = store.export()
        rows = [row for row in snapshot.read(10_000) if isinstance(row, StoredRecord)]
        snapshot.close()
        erasure = Erasure(
            tenant=rows[0].tenant,
            refs=frozenset(Ref(row.tenant, row.kind, row.id) for row in rows),
            subjects=frozenset(row.id for row in rows if row.kind == "party"),
            idem=idem,
            actor=SYSTEM,
            reason=reason,
            at=datetime(2026, 5, 4, tzinfo=UTC),
        )
        return store.erase(erasure).records


def damage(path: Path) -> None:
    """Take away what a record carries."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DELETE FROM key")
    connection.close()
