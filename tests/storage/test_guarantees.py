"""Every store that ships keeps every guarantee, in both colours."""

from __future__ import annotations

from pathlib import Path

import pytest

from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import Guarantee
from crmcore.testing.subjects import AsyncSqlite, Memory, Sqlite, examine

STORES = {
    "memory": lambda folder: Memory(),
    "sqlite": Sqlite,
    "async_sqlite": AsyncSqlite,
}
CASES = [
    pytest.param(guarantee, store, id=f"{store}-{guarantee.id}-{guarantee.name}")
    for guarantee in GUARANTEES
    for store in STORES
    if store != "memory" or not guarantee.durable
]


@pytest.mark.parametrize(("guarantee", "store"), CASES)
def test_a_store_keeps_its_promise(guarantee: Guarantee, store: str, tmp_path: Path) -> None:
    examine(guarantee, STORES[store](tmp_path))


def test_every_guarantee_of_version_1_is_checked() -> None:
    ids = {guarantee.id for guarantee in GUARANTEES}
    assert ids == {
        "G1",
        "G2",
        "G3",
        "G4",
        "G5",
        "G6",
        "G7",
        "G8",
        "G9",
        "G10",
        "G11",
        "G12",
        "G13",
        "G17",
        "G18",
    }
    assert len(GUARANTEES) >= 44
