"""Stores in which something happens just when a batch is applied: what a busy store, or a bad network, does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from crmcore.errors import CommitUnknown
from crmcore.storage.protocol import Batch, Receipt, Store


class _Through:
    """All calls as they are, to the store below."""

    def __init__(self, store: Store) -> None:
        self.below = store
        self.batches: list[Batch] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)


class _Interrupted(_Through):
    def __init__(self, store: Store, interruptions: list[Callable[[], object]]) -> None:
        super().__init__(store)
        self.interruptions = interruptions

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        self.batches.append(batch)
        if self.interruptions:
            self.interruptions.pop(0)()
        return self.below.apply(batch, timeout=timeout)


def interrupted(store: Store, *interruptions: Callable[[], object]) -> Store:
    """A store in which somebody else does something after a verb was planned and before it is applied.

    The first interruption comes with the first batch, the second with the second, and so on.
    """
    return cast("Store", _Interrupted(store, list(interruptions)))


def refusing(store: Store, *errors: Exception) -> Store:
    """A store that answers its first batches with *errors*, and has written nothing of them."""

    def raising(error: Exception) -> Callable[[], object]:
        def interrupt() -> object:
            raise error

        return interrupt

    return interrupted(store, *(raising(error) for error in errors))


class _Lossy(_Through):
    def __init__(self, store: Store, answers: str) -> None:
        super().__init__(store)
        self.answers = list(answers)

    def apply(self, batch: Batch, *, timeout: float = 30.0) -> Receipt:
        self.batches.append(batch)
        answer = self.answers.pop(0) if self.answers else "r"
        if answer == "q":
            raise CommitUnknown("the question was lost", idem=batch.idem)
        receipt = self.below.apply(batch, timeout=timeout)
        if answer == "a":
            raise CommitUnknown("the answer was lost", idem=batch.idem)
        return receipt


def lossy(store: Store, answers: str) -> Store:
    """A store whose line drops: for each batch the question (q), the answer (a) or nothing (r) is lost."""
    return cast("Store", _Lossy(store, answers))
