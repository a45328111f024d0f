"""The waist between crmcore and its data: the protocol that any store implements, and the stores that ship."""

from typing import TYPE_CHECKING

from crmcore._lazy import lazily

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
    "AsyncMemoryStore",
    "AsyncSqliteStore",
    "AsyncStore",
    "Batch",
    "Body",
    "Capability",
    "Change",
    "Check",
    "CheckKey",
    "CheckStream",
    "Delete",
    "Description",
    "Draft",
    "Entry",
    "FeedPage",
    "Hits",
    "Key",
    "Lifted",
    "Limits",
    "MemoryStore",
    "Operation",
    "Page",
    "Position",
    "Put",
    "Receipt",
    "Record",
    "Ref",
    "Rekey",
    "Sort",
    "SqliteStore",
    "Store",
    "Support",
    "lift",
    "run",
]

__getattr__ = lazily(
    __name__,
    {"memory": "AsyncMemoryStore MemoryStore", "sqlite": "SqliteStore", "sqlite_async": "AsyncSqliteStore"},
)
