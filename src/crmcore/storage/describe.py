"""What the stores that ship say of themselves.

Invariant: both take the same batches, so that what works in memory works in a file.
"""

from __future__ import annotations

from typing import Literal

from crmcore.storage.capability import (
    BACKUP,
    BULK,
    CHANGES,
    DURABLE,
    ERASER,
    ORDERED_TEXT,
    SCHEMA,
    STREAM,
    TENANTS,
)
from crmcore.storage.protocol import Capability, Description, Limits

LIMITS = Limits(
    max_ops=20_000,
    max_items=20_000 * (2 * 104 + 2),  # never reached: an operation writes that many at most
    max_rows=20_000,
    max_batch_bytes=64 << 20,
    max_chunk_bytes=256 << 20,
    max_body_bytes=4 << 20,
    max_keys=104,
    idem_window_hours=24 * 365 * 100,  # receipts are never dropped
)

_SHARED = (
    Capability(name=CHANGES, support="full"),
    Capability(name=ORDERED_TEXT, support="full"),
    *(Capability(name=name, support="full") for name in (BULK, STREAM, ERASER, BACKUP, TENANTS)),
)

MEMORY = (
    *_SHARED,
    Capability(name=DURABLE, support="unsupported", reason="what is only in memory ends with its process"),
    Capability(
        name=SCHEMA, support="unsupported", reason="what is only in memory is never older than crmcore"
    ),
)
"""What the store in memory claims."""

SQLITE = (*_SHARED, Capability(name=DURABLE, support="full"), Capability(name=SCHEMA, support="full"))
"""What the store in a file claims."""


def described(
    engine: str,
    address: str,
    durability: Literal["none", "process", "power"],
    exclusive: frozenset[str],
    capabilities: tuple[Capability, ...],
) -> Description:
    return Description(
        engine=engine,
        address=address,
        durability=durability,
        exclusive=exclusive,
        capabilities=capabilities,
        limits=LIMITS,
    )
