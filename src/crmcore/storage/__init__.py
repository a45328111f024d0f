"""The waist between crmcore and its data: the protocol that any store implements, and the stores that ship."""

from typing import TYPE_CHECKING

from crmcore._lazy import lazily
from crmcore.storage.bulk import (
    AsyncBulk,
    Bulk,
    Chunk,
    ChunkReceipt,
    NewEntry,
    NewRecord,
    Refusal,
    Row,
    bulk_of,
)
from crmcore.storage.document import Json

# Not lazily: the function shares its name with its module, and the protocol is what everybody needs.
from crmcore.storage.lift import Lifted, lift, run
from crmcore.storage.protocol import (
    EXCLUSIVE,
    PROTOCOL,
    Append,
    AsyncStore,
    Batch,
    Body,
    Capability,
    Change,
    Check,
    CheckKey,
    CheckStream,
    Delete,
    Description,
    Draft,
    Entry,
    FeedPage,
    Hits,
    Key,
    Limits,
    Operation,
    Page,
    Position,
    Put,
    Receipt,
    Record,
    Ref,
    Rekey,
    Sort,
    Store,
    Support,
)

if TYPE_CHECKING:
    from crmcore.storage.memory import AsyncMemoryStore, MemoryStore
    from crmcore.storage.sqlite import SqliteStore
    from crmcore.storage.sqlite_async import AsyncSqliteStore

__all__ = [
    "EXCLUSIVE",
    "PROTOCOL",
    "Append",
    "AsyncBulk",
    "AsyncMemoryStore",
    "AsyncSqliteStore",
    "AsyncStore",
    "Batch",
    "Body",
    "Bulk",
    "Capability",
    "Change",
    "Check",
    "CheckKey",
    "CheckStream",
    "Chunk",
    "ChunkReceipt",
    "Delete",
    "Description",
    "Draft",
    "Entry",
    "FeedPage",
    "Hits",
    "Json",
    "Key",
    "Lifted",
    "Limits",
    "MemoryStore",
    "NewEntry",
    "NewRecord",
    "Operation",
    "Page",
    "Position",
    "Put",
    "Receipt",
    "Record",
    "Ref",
    "Refusal",
    "Rekey",
    "Row",
    "Sort",
    "SqliteStore",
    "Store",
    "Support",
    "bulk_of",
    "lift",
    "run",
]

__getattr__ = lazily(
    __name__,
    {"memory": "AsyncMemoryStore MemoryStore", "sqlite": "SqliteStore", "sqlite_async": "AsyncSqliteStore"},
)
