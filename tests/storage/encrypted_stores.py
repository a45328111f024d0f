"""Encrypted stores as subjects of the guarantees."""

from __future__ import annotations

from pathlib import Path

from crmcore.storage import (
    EXCLUSIVE,
    AsyncMemoryStore,
    AsyncSqliteStore,
    AsyncStore,
    SqliteStore,
    lift,
)
from crmcore.storage.wrappers.encrypted import Encrypted
from crmcore.storage.wrappers.key_file import FileKeyStore
from crmcore.storage.wrappers.key_store import LocalWrapping, MemoryKeyStore
from crmcore.testing.subjects import Memory, Placed

WRAPPING = LocalWrapping(bytes(range(32)))


class EncryptedMemory(Memory):
    def make(self, number: int) -> AsyncStore:
        return Encrypted(AsyncMemoryStore(exclusive=EXCLUSIVE), MemoryKeyStore())


class EncryptedSqlite(Placed):
    """With its keys in a file, so that a reopened store has them too."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, self.open, self.open)
        self._keys: list[FileKeyStore] = []

    def open(self, place: Path) -> AsyncStore:
        return Encrypted(self.within(place), self.keys(place))

    def within(self, place: Path) -> AsyncStore:
        return lift(SqliteStore(place / "crm.db", exclusive=EXCLUSIVE))

    def keys(self, place: Path) -> FileKeyStore:
        self._keys.append(FileKeyStore(place / "keys.db", wrapping=WRAPPING))
        return self._keys[-1]

    async def end(self) -> None:
        await super().end()
        for keys in self._keys:
            keys.close()


class EncryptedAsyncSqlite(EncryptedSqlite):
    def within(self, place: Path) -> AsyncStore:
        return AsyncSqliteStore.open(place / "crm.db", exclusive=EXCLUSIVE)
