"""An encrypted store keeps every guarantee of a store, over memory and SQLite, in both colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crmcore.storage import MemoryStore
from crmcore.storage.wrappers import Encrypted, MemoryKeyStore, wrapped
from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import Guarantee
from crmcore.testing.subjects import Opened, Placed
from tests.storage.encrypted_stores import (
    EncryptedAsyncSqlite,
    EncryptedMemory,
    EncryptedSqlite,
)
from tests.storage.wrapped_kit import NEVER_WAITS, NO_ITEMS, NOT_RESTORED, asked, assert_kept, unclaimed

STORES: dict[str, Callable[[Path], Opened]] = {
    "memory": lambda folder: EncryptedMemory(),
    "lowered": lambda folder: Placed(
        folder, lambda place: wrapped(MemoryStore(), lambda inner: Encrypted(inner, MemoryKeyStore()))
    ),
    "sqlite": EncryptedSqlite,
    "async_sqlite": EncryptedAsyncSqlite,
}
CASES = [
    pytest.param(guarantee, store, id=f"{store}-{guarantee.id}-{guarantee.name}")
    for guarantee in GUARANTEES
    for store in STORES
    if asked(guarantee, store)
]


@pytest.mark.parametrize(("guarantee", "store"), CASES)
def test_an_encrypted_store_keeps_its_promise(guarantee: Guarantee, store: str, tmp_path: Path) -> None:
    lacking = ["ordered_text", "backup"]
    in_file = "sqlite" in store
    not_claimed = unclaimed(*lacking) if in_file else unclaimed(*lacking, "durable", "schema", keeps=False)
    waits = frozenset[str]() if store == "async_sqlite" else NEVER_WAITS
    assert_kept(guarantee, STORES[store](tmp_path), not_claimed, NO_ITEMS | NOT_RESTORED | waits)
