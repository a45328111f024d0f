"""An encrypted store keeps every guarantee of a store, over memory and SQLite, in both colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crmcore.storage import EXCLUSIVE, MemoryStore, lift, lower
from crmcore.storage.wrappers.encrypted import Encrypted
from crmcore.storage.wrappers.key_store import MemoryKeyStore
from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import Guarantee
from crmcore.testing.subjects import Made, examine
from tests.storage.encrypted_stores import (
    EncryptedAsyncSqlite,
    EncryptedMemory,
    EncryptedSqlite,
)


def _lowered(folder: Path) -> Made:
    def make() -> object:
        inner = lift(MemoryStore(exclusive=EXCLUSIVE))
        return lower(Encrypted(inner, MemoryKeyStore()))

    return Made(make)  # type: ignore[arg-type]  # a Lowered is a Store


STORES: dict[str, Callable[[Path], object]] = {
    "memory": lambda folder: EncryptedMemory(),
    "lowered": _lowered,
    "sqlite": EncryptedSqlite,
    "async_sqlite": EncryptedAsyncSqlite,
}
CASES = [
    pytest.param(guarantee, store, id=f"{store}-{guarantee.id}-{guarantee.name}")
    for guarantee in GUARANTEES
    for store in STORES
    if not guarantee.durable or "sqlite" in store
]


@pytest.mark.parametrize(("guarantee", "store"), CASES)
def test_an_encrypted_store_keeps_its_promise(guarantee: Guarantee, store: str, tmp_path: Path) -> None:
    examine(guarantee, STORES[store](tmp_path))  # type: ignore[arg-type]  # all of them are subjects
