"""Many short histories, one after another, and of one that shows a fault the fewest steps that still show it.

Invariant: what a step does depends on the seed, its number and what is there, so that other steps can be left out. A
fault that was found stays found, whatever comes of looking for fewer steps.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from random import Random

from crmcore.errors import MissingExtra, StoreError
from crmcore.testing.kit import Broken, Inconclusive, NotAsked, Subject, Unusable, placed
from crmcore.testing.machine.play import Play
from crmcore.testing.machine.steps import take

LEAST: Mapping[str, int] = {
    "batches applied": 40, "batches refused": 10, "stale checks": 3, "batches sent again": 5, "pages read": 30,
    "questions": 100,
}  # fmt: skip
"""How often the machine must have seen what, to have said anything."""
PATIENCE = 180.0
"""Seconds that a slow store gets beyond its budget, until enough was seen."""
SECONDS = {"quick": 5.0, "full": 240.0}
SHRINKING = {"quick": 5.0}
"""Seconds for finding fewer steps; where there is more time, `LONG`."""
LONG = 60.0
STEPS = range(8, 30)
"""How long a history may be."""
HISTORIES = 5
"""How many histories are told to one store, each to tenants of its own."""


async def run_machine(subject: Subject) -> None:
    """Let chance call a store for as long as the budget of *subject* says, and until enough was seen.

    Raises:
        Broken: with the calls that show it, if the store does something else than the model.
    """
    seen: Counter[str] = Counter()
    limit = 0.0 if subject.brief else SECONDS.get(subject.budget, subject.minutes * 60)
    began, turn = time.monotonic(), 0
    while (gone := time.monotonic() - began) < limit or (_too_few(seen) and gone < limit + PATIENCE):
        play = await _opened(subject, turn)
        for number in range(HISTORIES):
            play.begin(f"{subject.seed}/{turn}", number)
            steps = range(Random(play.name).choice(STEPS))
            try:
                await _played(play, steps)
            except Broken as error:
                raise await _shortest(subject, play, list(steps), error) from None
            if time.monotonic() - began > limit and not _too_few(seen + play.counts):
                break
        await play.close()
        seen += play.counts
        turn += 1
    for what, times in seen.items():
        subject.saw(what, times)


def _too_few(seen: Mapping[str, int]) -> bool:
    return any(seen.get(what, 0) < least for what, least in LEAST.items())


async def _opened(subject: Subject, turn: int) -> Play:
    """A store for some histories; every third is opened twice, where that can be."""
    play = Play(subject, [await subject.fresh()])
    if subject.durable and turn % 3 == 1:
        with suppress(NotAsked):  # a store that is opened once at a time: the check of two handles says so
            play.stores.append(await subject.beside(play.stores[0]))
    return play


async def _played(play: Play, steps: Sequence[int]) -> None:
    """Take *steps*.

    Raises:
        Broken: if one shows a fault, also where the store raises what nobody asked for, or ends the program.
    """
    for step in steps:
        play.chance = Random(f"{play.name}/{step}")
        try:
            await take(play)
        except (Broken, NotAsked, Inconclusive, Unusable, MissingExtra):  # what the kit says itself
            raise
        except (Exception, SystemExit) as error:
            raised = "" if isinstance(error, StoreError) else type(error).__name__
            raise Broken(f"a call ended with {placed(error)}", raised=raised) from error


async def _shortest(subject: Subject, play: Play, steps: list[int], found: Broken) -> Broken:
    """The fault with the fewest steps that show it, as far as there is time: told to a store of its own each."""
    began, shortest, told = time.monotonic(), steps, play.told
    size = len(steps)
    while size >= 1 and time.monotonic() - began < SHRINKING.get(subject.budget, LONG):
        for start in range(0, len(shortest), size):
            fewer = shortest[:start] + shortest[start + size :]
            other = await _again(subject, play, fewer)
            if other is not None and other[0].raised == found.raised:
                shortest, (found, told) = fewer, other
                break
        else:
            size //= 2
    return Broken("\n".join([str(found), "after these calls:", *told]), raised=found.raised)


async def _again(subject: Subject, play: Play, steps: Sequence[int]) -> tuple[Broken, list[str]] | None:
    """The fault that another store shows after these steps of a history; None where it shows none, or cannot be had."""
    try:
        other = Play(subject, [await subject.fresh()])
        if play.twice:
            other.stores.append(await subject.beside(other.stores[0]))
    except (
        Exception,
        SystemExit,
    ):  # it says nothing of the steps, and what was found is told with those known so far
        return None
    other.begin(*play.begun)
    try:
        await _played(other, steps)
    except Broken as error:
        return error, other.told
    except (NotAsked, Inconclusive, Unusable, MissingExtra):  # as above
        return None
    finally:
        with suppress(Exception, SystemExit):  # a store that was broken may not even close
            await other.close()
    return None
