"""Walking through what a condition is made of.

Invariant: every part is met once, with whether it stands under a *not*.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any as Anything

import attrs

from crmcore.consent.conditions.all_of import All, Any, Not, Stated
from crmcore.consent.conditions.listed import Tried


def parts(condition: Anything, *, holds: bool = True) -> Iterator[tuple[Anything, bool]]:
    """The simple conditions in *condition*, each with whether it is asked to hold or not to hold.

    Of a part that is asked to hold, that it does can only help; of one that is not, it can only hinder.
    """
    match condition:
        case None:
            return
        case All() | Any():
            if not condition.parts:
                yield condition, holds
            for part in condition.parts:
                yield from parts(part, holds=holds)
        case Not():
            yield from parts(condition.part, holds=not holds)
        case Stated():
            yield from parts(condition.part, holds=holds)
        case _:
            yield condition, holds


def needed(condition: Anything, *, holds: bool = True) -> Iterator[tuple[Anything, bool]]:
    """The conditions that must all hold, or not hold, for *condition* to do so: those that no *any* leaves open."""
    match condition:
        case None:
            return
        case All() if holds:
            for part in condition.parts:
                yield from needed(part)
        case Any() if not holds:
            for part in condition.parts:
                yield from needed(part, holds=False)
        case Not():
            yield from needed(condition.part, holds=not holds)
        case Stated():
            yield from needed(condition.part, holds=holds)
        case _:
            yield condition, holds


def counting_across(condition: Anything, channels: frozenset[str]) -> Anything:
    """*condition* as part of a rule about these *channels*: it counts contacts by all of them together."""
    match condition:
        case All() | Any():
            return attrs.evolve(
                condition, parts=tuple(counting_across(part, channels) for part in condition.parts)
            )
        case Not() | Stated():
            return attrs.evolve(condition, part=counting_across(condition.part, channels))
        case Tried():
            return attrs.evolve(condition, across=channels)
        case _:
            return condition
