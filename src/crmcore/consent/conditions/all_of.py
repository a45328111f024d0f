"""Conditions made of conditions: all of them, any of them, not.

Invariant: three values go through as Kleene's logic says: what is not known stays so unless another part decides.
"""

from __future__ import annotations

from typing import Protocol

import attrs

from crmcore.consent.case import Case
from crmcore.consent.finding import Finding, both, either, negated


class Condition(Protocol):
    """Anything that can be asked of a case."""

    def test(self, case: Case) -> Finding:
        """What it comes to."""
        ...


@attrs.frozen
class All:
    """All of *parts*."""

    parts: tuple[Condition, ...]

    def test(self, case: Case) -> Finding:
        return both(part.test(case) for part in self.parts)


@attrs.frozen
class Any:
    """One of *parts*."""

    parts: tuple[Condition, ...]

    def test(self, case: Case) -> Finding:
        return either(part.test(case) for part in self.parts)


@attrs.frozen
class Not:
    """The opposite of *part*."""

    part: Condition

    def test(self, case: Case) -> Finding:
        found = negated(self.part.test(case))
        if found.holds is False and not found.why:
            return found._replace(why="an exception applies")
        return found
