"""Opening the store that a command names.

Invariant: a command that only reads or judges never makes a store: a mistyped path is an error, not an empty file.
"""

from __future__ import annotations

from pathlib import Path

from crmcore.storage.sqlite import SqliteStore


def existing_store(path: Path) -> SqliteStore:
    """The store in an SQLite file that must exist.

    Raises:
        StoreError: if there is none, or it is no store of crmcore.
    """
    return SqliteStore.open(path, must_exist=True)
