"""Mutants that keep less than they acknowledged when their process is killed.

Invariant: each is good as long as it is closed.
"""

from __future__ import annotations

from crmcore.storage import Batch, MemoryStore, Receipt
from crmcore.testing.zoo.mutant import Mutant


class SavesWhenItIsClosed(Mutant):
    """Writes what it was given into its file when it is closed, and no sooner."""

    caught_by = "what_was_acknowledged_outlives_a_kill"

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        return MemoryStore.apply(self, batch, timeout=timeout)

    def outcome(self, tenant: str, idem: str) -> Receipt | None:
        return MemoryStore.outcome(self, tenant, idem)


class FencesInMemory(Mutant):
    """Keeps no fence for a batch that it said was not applied, until it is closed."""

    caught_by = "what_was_acknowledged_outlives_a_kill"

    def outcome(self, tenant: str, idem: str) -> Receipt | None:
        return MemoryStore.outcome(self, tenant, idem)


class OpensTwice(Mutant):
    """Lets itself be opened twice, and never looks at the file again."""

    caught_by = "what_one_handle_writes_the_other_sees"

    def hold(self) -> None:
        pass


class LocksForItself(Mutant):
    """Lets itself be opened twice, and has a lock for each of the two and what was there when they were opened."""

    caught_by = "many_through_two_handles_have_one_order"

    def hold(self) -> None:
        pass
