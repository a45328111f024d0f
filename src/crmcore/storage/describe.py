"""What the stores that ship say of themselves.

Invariant: both take the same batches, so that what works in memory works in a file.
"""

from __future__ import annotations

from typing import Literal

from crmcore.storage.capability import BULK, ORDERED_TEXT, PARTS, unclaimed
from crmcore.storage.protocol import Capability, Description, Limits

LIMITS = Limits(
    max_ops=20_000,
    max_items=20_000 * 82,  # never reached: an operation writes 82 at most
    max_rows=20_000,
    max_batch_bytes=64 << 20,
    max_chunk_bytes=256 << 20,
    max_body_bytes=4 << 20,
    idem_window_hours=24 * 365 * 100,  # receipts are never dropped
)

CAPABILITIES = (
    Capability(name="changes", support="full"),
    Capability(name=BULK, support="full"),
    Capability(name=ORDERED_TEXT, support="full"),
    *(unclaimed(name, "not in version 1 of the shipped stores") for name in PARTS if name != BULK),
)


def described(
    engine: str, address: str, durability: Literal["none", "process", "power"], exclusive: frozenset[str]
) -> Description:
    return Description(
        engine=engine,
        address=address,
        durability=durability,
        exclusive=exclusive,
        capabilities=CAPABILITIES,
        limits=LIMITS,
    )
