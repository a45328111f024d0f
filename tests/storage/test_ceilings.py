"""A store whose transactions have DynamoDB's ceilings keeps every promise, and says what it takes."""

from __future__ import annotations

import pytest

from crmcore.storage import AsyncStore, lift
from crmcore.testing.ceilings import CeilingsStore, Table
from crmcore.testing.checks import GUARANTEES
from crmcore.testing.kit import EXCLUSIVE, Guarantee
from crmcore.testing.subjects import Memory, examine


class Ceilings(Memory):
    """Each store over a table of its own, which outlives it."""

    durable = True

    def __init__(self) -> None:
        super().__init__()
        self._tables: dict[int, Table] = {}

    def make(self, number: int) -> AsyncStore:
        return lift(CeilingsStore(self._tables.setdefault(number, Table()), exclusive=EXCLUSIVE))


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda one: one.name)
def test_a_store_under_ceilings_keeps_its_promises(guarantee: Guarantee) -> None:
    examine(guarantee, Ceilings())
