"""Short ways to say what is loaded in bulk.

Invariant: what these make can be kept by every store that claims ``bulk``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crmcore.storage import Chunk, Json, Key, NewEntry, NewRecord, Row, Sort
from crmcore.testing.kit import NOW, TENANT, uid
from crmcore.values.source import SYSTEM


def new(
    number: int,
    body: Any = None,
    keys: Iterable[Key] = (),
    sorts: Iterable[Sort] = (),
    *,
    kind: str = "party",
) -> NewRecord:
    return NewRecord(kind, uid(number), 1, Json.of(body or {}), frozenset(keys), frozenset(sorts))


def entry(stream: str, body: Any = None) -> NewEntry:
    return NewEntry(stream, NOW, NOW, (uid(1),), "note/1", Json.of(body or {}))


def row(number: int, *keys: Key, body: Any = None) -> Row:
    """A record and the first entry of its ledger."""
    return Row((new(number, body, keys),), (entry(f"party:{number}", body),))


def chunk(*rows: Row, idem: str = "load:1", digest: str = "rows", tenant: str = TENANT) -> Chunk:
    return Chunk(tenant=tenant, rows=rows, idem=idem, digest=digest, actor=SYSTEM, reason="a load", at=NOW)
