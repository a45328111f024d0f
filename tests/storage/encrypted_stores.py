"""Encrypted stores as subjects of the guarantees."""

from __future__ import annotations

import secrets
from pathlib import Path

from crmcore.storage import AsyncMemoryStore, AsyncSqliteStore, AsyncStore, SqliteStore, lift
from crmcore.storage.wrappers.encrypted import Encrypted
from crmcore.storage.wrappers.encrypted_describe import ORDERED
from crmcore.storage.wrappers.key_file import FileKeyStore
from crmcore.storage.wrappers.key_store import LocalWrapping, MemoryKeyStore
from crmcore.testing.kit import EXCLUSIVE
from crmcore.testing.subjects import AsyncSqlite, Memory, Sqlite

KIT_ORDERED = ORDERED | {"name"}
"""The kit looks at orders in the namespace ``name``."""


class EncryptedMemory(Memory):
    def make(self, number: int) -> AsyncStore:
        inner = AsyncMemoryStore(exclusive=EXCLUSIVE)
        return Encrypted(inner, MemoryKeyStore(), ordered=KIT_ORDERED)


class EncryptedSqlite(Sqlite):
    """With its keys in a file, so that a reopened store has them too."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._wrapping = LocalWrapping(secrets.token_bytes(32))
        self._keys: dict[int, FileKeyStore] = {}

    def make(self, number: int) -> AsyncStore:
        inner = lift(SqliteStore(self.folder / f"{number}.db", exclusive=EXCLUSIVE))
        return Encrypted(inner, self.keys(number), ordered=KIT_ORDERED)

    def keys(self, number: int) -> FileKeyStore:
        """Opened anew with its store."""
        if number in self._keys:
            self._keys[number].close()
        self._keys[number] = FileKeyStore(self.folder / f"{number}.keys", wrapping=self._wrapping)
        return self._keys[number]

    async def end(self) -> None:
        await super().end()
        for keys in self._keys.values():
            keys.close()


class EncryptedAsyncSqlite(EncryptedSqlite, AsyncSqlite):
    def make(self, number: int) -> AsyncStore:
        inner = AsyncSqliteStore.open(self.folder / f"{number}.db", exclusive=EXCLUSIVE)
        return Encrypted(inner, self.keys(number), ordered=KIT_ORDERED)
