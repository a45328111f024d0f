"""The waist between crmcore and its data: the protocol that any store implements, and the stores that ship."""

from typing import TYPE_CHECKING

from crmcore.storage.lift import Lifted, lift, run
from crmcore.storage.memory import AsyncMemoryStore, MemoryStore
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
from crmcore.storage.sqlite import SqliteStore

if TYPE_CHECKING:
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


def __getattr__(name: str) -> object:
    # asyncio takes longer to import than all of this room: only for those who ask for it.
    if name == "AsyncSqliteStore":
        from crmcore.storage.sqlite_async import AsyncSqliteStore

        return AsyncSqliteStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
