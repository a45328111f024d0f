"""The optional parts of the protocol: their names, and who claims them.

Invariant: a part that a store does not claim is refused with `CapabilityMissing`, before anything is written; nothing
weaker stands in for it. Each part is a protocol of its own, in both colours, and is asked for by a function
(`bulk_of`, `stream_of`, ...), never by looking whether a store happens to have a method.
"""

from __future__ import annotations

from crmcore.errors import CapabilityMissing
from crmcore.storage.protocol import Capability, Description

BULK = "bulk"
STREAM = "stream"
DURABLE = "durable"
SCHEMA = "schema"
ERASER = "eraser"
BACKUP = "backup"
TENANTS = "tenants"
ORDERED_TEXT = "ordered_text"
CHANGES = "changes"

PARTS = (BULK, STREAM, DURABLE, SCHEMA, ERASER, BACKUP, TENANTS)
"""The parts that are protocols. A store names each of them in `Description.capabilities`, claimed or not."""

_LACKING = {
    BULK: ("this store cannot load in bulk", "write in batches instead, with apply or crm.parties.add_many(...)"),
    STREAM: ("this store cannot be read out as of one moment", "read it page by page instead, with scan and ledger"),
    DURABLE: ("this store cannot check itself", "use the checks of its engine"),
    SCHEMA: ("this store has no migrations", "there is nothing to migrate"),
    ERASER: ("this store cannot erase", "keep personal data in a store that claims `eraser`, or behind `Encrypted`"),
    BACKUP: ("nothing can be restored into this store", "restore into a store that claims `backup`"),
    TENANTS: ("this store cannot list or drop tenants", "keep a list of them yourself"),
    CHANGES: ("this store has no feed", "read everything again with scan, or use a store that claims `changes`"),
    ORDERED_TEXT: (
        "this store keeps no order of texts",
        "find by key instead, or use a store that claims `ordered_text`",
    ),
}  # fmt: skip


def claims(description: Description, name: str) -> bool:
    """Whether a store has an optional part.

    >>> from crmcore.storage.memory import MemoryStore
    >>> claims(MemoryStore().describe(), BULK)
    True
    """
    return any(one.name == name and one.support in ("full", "versioned") for one in description.capabilities)


def claimed(description: Description, name: str) -> None:
    """Refuse a store that does not claim the part *name*.

    Raises:
        CapabilityMissing: with the store's own reason.
    """
    if not claims(description, name):
        raise missing(name, next((one.reason for one in description.capabilities if one.name == name), ""))


def missing(name: str, reason: str = "") -> CapabilityMissing:
    """The error of a store that is asked for a part that it does not have."""
    lacking, instead = _LACKING[name]
    return CapabilityMissing(f"{lacking}{reason and f' ({reason})'}: {instead}")


def unclaimed(name: str, reason: str) -> Capability:
    """The entry of a part that a store does not have yet. *reason* says why, for whoever reads the description."""
    return Capability(name=name, support="not_implemented", reason=reason)
