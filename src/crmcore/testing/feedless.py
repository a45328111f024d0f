"""A good store that has no feed and no optional part: the least that a store may be.

Invariant: it passes the kit, so that no check may take a part for granted that a store need not have.
"""

from __future__ import annotations

from pathlib import Path

import attrs

from crmcore.storage import Batch, Capability, Description, FeedPage, MemoryStore, Position, Receipt, adapter
from crmcore.storage.capability import CHANGES, ORDERED_TEXT, missing


class Feedless:
    """A `Store` with the required calls alone, whose receipts have no position."""

    def __init__(self, place: Path) -> None:
        self._store = store = MemoryStore()
        self.get, self.find, self.fanout, self.range = store.get, store.find, store.fanout, store.range
        self.scan, self.ledger, self.close = store.scan, store.ledger, store.close

    def describe(self) -> Description:
        lacking = [
            adapter.unclaimed(part, "it is the least that a store may be")
            for part in (*adapter.PARTS, CHANGES)
        ]
        ordered = Capability(name=ORDERED_TEXT, support="full")
        return attrs.evolve(self._store.describe(), capabilities=(ordered, *lacking))

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return attrs.evolve(self._store.apply(batch, timeout=timeout), position="")

    def changes(self, tenant: str, after: Position = "", limit: int = 500) -> FeedPage:
        raise missing(CHANGES)

    def outcome(self, tenant: str, idem: str) -> Receipt | None:
        receipt = self._store.outcome(tenant, idem)
        return receipt and attrs.evolve(receipt, position="")
