"""The answers to one question, remembered by what people did: many did the same.

Invariant: an answer is remembered only where it hangs on nothing that changes with time, and only until a rule comes
into force or goes out of it.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from crmcore.consent.finding import FOREVER

_MOST = 50_000
"""So many answers are remembered before all are worked out anew."""


class Memory:
    """Answers by what tells who is known how (*known*) and what they did."""

    def __init__(self) -> None:
        self._steady: dict[Hashable, bool] = {}
        self._answers: dict[Hashable, Any] = {}
        self._began = -FOREVER
        self._until = FOREVER

    def at(self, now: int) -> Memory:
        """What is still so at the instant *now*, in microseconds; a clock that goes back begins anew."""
        if self._began <= now < self._until:
            return self
        found = Memory()
        found._began = now
        return found

    def steady(self, known: Hashable) -> bool:
        """Whether answers about people who are known so may be remembered; yes, as long as that was not looked at."""
        return self._steady.get(known, True)

    def recall(self, told: Hashable) -> Any:
        """The answer; None if none is remembered."""
        return self._answers.get(told)

    def looked_at(self, known: Hashable) -> bool:
        """Whether it is known already if they are steady."""
        return known in self._steady

    def look(self, known: Hashable, until: int | None) -> None:
        """Note until when answers about people who are known so are steady, in microseconds; None: they never are."""
        self._steady[known] = until is not None
        if until is not None:
            self._until = min(self._until, until)

    def keep(self, known: Hashable, told: Hashable, answer: Any) -> None:
        """Remember an answer, if those about people who are known so are steady."""
        if len(self._answers) + len(self._steady) >= _MOST:
            self._answers.clear()
        if self._steady[known]:
            self._answers[told] = answer
