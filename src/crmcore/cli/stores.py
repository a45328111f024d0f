"""Opening the store that a command names.

Invariant: a command that only reads or judges never makes a store: a mistyped path is an error, not an empty file. A
command waits for a store that others write to, but not for minutes.
"""

from __future__ import annotations

from pathlib import Path

from crmcore.errors import Unavailable
from crmcore.storage.protocol import Batch, Receipt
from crmcore.storage.sqlite import SqliteStore

PATIENCE = 5.0
"""Seconds that a command waits for a store that somebody else has locked; commits of other programs take less."""


class CommandStore(SqliteStore):
    """An `SqliteStore` whose user sits in front of it."""

    def apply(self, batch: Batch, *, timeout: float = PATIENCE) -> Receipt:
        return super().apply(batch, timeout=min(timeout, PATIENCE))


def existing_store(path: Path) -> SqliteStore:
    """The store in an SQLite file that must exist.

    Raises:
        StoreError: if there is none, or it is no store of crmcore.
    """
    if is_new(path) and path.exists():
        raise Unavailable(f"the store file {path.name!r} is empty: fill it first with crmcore import")
    return CommandStore.open(path, must_exist=True, timeout=PATIENCE)


def any_store(path: Path) -> SqliteStore:
    """The store in an SQLite file, made where there is none.

    Raises:
        StoreError: if the file is no store of crmcore, or cannot be made.
    """
    return CommandStore.open(path, timeout=PATIENCE)


def is_new(path: Path) -> bool:
    """Whether a store would have to be made there: there is no file, or an empty one."""
    return not path.exists() or (path.is_file() and path.stat().st_size == 0)
