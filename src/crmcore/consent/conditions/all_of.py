"""Conditions made of conditions: all of them, any of them, not.

Invariant: three values go through as Kleene's logic says: what is not known stays so unless another part decides.
"""

from __future__ import annotations

from typing import Protocol

import attrs

from crmcore.consent.case import Case
from crmcore.consent.finding import FOREVER, Finding, both, either, negated


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
        return both(_until_decided(self.parts, case, decisive=False))


@attrs.frozen
class Any:
    """One of *parts*."""

    parts: tuple[Condition, ...]

    def test(self, case: Case) -> Finding:
        return either(_until_decided(self.parts, case, decisive=True))


@attrs.frozen
class Not:
    """The opposite of *part*."""

    part: Condition

    def test(self, case: Case) -> Finding:
        found = negated(self.part.test(case))
        if found.holds is False and not found.why:
            return found._replace(why="an exception applies")
        return found


def _until_decided(parts: tuple[Condition, ...], case: Case, *, decisive: bool) -> list[Finding]:
    """What the parts come to; where nobody asks why, as many as it takes for an answer that stays for ever."""
    found: list[Finding] = []
    for part in parts:
        one = part.test(case)
        found.append(one)
        if case.brief and one.holds is decisive and one.until >= FOREVER:
            return [one]
    return found
