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
        if case.brief:
            return _briefly(self.parts, case, decisive=False)
        return both(part.test(case) for part in self.parts)


@attrs.frozen
class Any:
    """One of *parts*."""

    parts: tuple[Condition, ...]

    def test(self, case: Case) -> Finding:
        if case.brief:
            return _briefly(self.parts, case, decisive=True)
        return either(part.test(case) for part in self.parts)


@attrs.frozen
class Not:
    """The opposite of *part*."""

    part: Condition

    def test(self, case: Case) -> Finding:
        found = negated(self.part.test(case))
        if found.holds is False and not found.why and not case.brief:
            return found._replace(why="an exception applies")
        return found


def _briefly(parts: tuple[Condition, ...], case: Case, *, decisive: bool) -> Finding:
    """What `both` and `either` find, where nobody asks why: as many parts as it takes for an answer that lasts."""
    until, lasting = FOREVER, -1
    missing: tuple[str, ...] | None = None
    for part in parts:
        found = part.test(case)
        if found.holds is decisive:
            if found.until >= FOREVER:
                return found
            if found.until > lasting:
                lasting = found.until
        else:
            if found.until < until:
                until = found.until
            if found.holds is None:
                missing = found.missing if missing is None else (*missing, *found.missing)
    if lasting >= 0:
        return Finding(decisive, lasting)
    if missing is not None:
        return Finding(None, until, (), tuple(dict.fromkeys(missing)))
    return Finding(not decisive, until)


@attrs.frozen
class Stated:
    """It is known that *part* holds: what is not known does not count against anybody.

    For defects of a consent, which stands until one is known.
    """

    part: Condition

    def test(self, case: Case) -> Finding:
        found = self.part.test(case)
        return found if found.holds is not None else Finding(False, found.until)
