"""One step of a history: something is written, all that can be read is compared, and a few questions are asked.

Invariant: what chance can choose is decided by what the store claims, so a step never asks for what it need not have.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from crmcore.storage.capability import BACKUP, BULK, CHANGES, DURABLE, STREAM, TENANTS
from crmcore.testing.machine import reading, writing
from crmcore.testing.machine.comparing import all_reads_agree
from crmcore.testing.machine.pages import who_stays
from crmcore.testing.machine.play import Play
from crmcore.testing.spoiling import spoil

Step: TypeAlias = Callable[[Play, str], Awaitable[None]]

WRITES: tuple[tuple[Step, int, tuple[str, ...]], ...] = (
    (writing.send, 20, ()),
    (writing.send_what_was_decided_too_early, 4, ()),
    (writing.send_again, 4, ()),
    (writing.load, 4, (BULK,)),
    (writing.load_again, 2, (BULK,)),
    (writing.drop, 1, (TENANTS,)),
    (writing.move, 1, (STREAM, BACKUP)),
)
"""What writes, how often it is chosen, and the parts that a store needs for it."""

QUESTIONS: tuple[tuple[Step, int, tuple[str, ...]], ...] = (
    (reading.get, 2, ()),
    (reading.find, 4, ()),
    (reading.fanout, 2, ()),
    (reading.range_, 6, ()),
    (reading.scan, 4, ()),
    (reading.ledger, 3, ()),
    (reading.changes, 3, (CHANGES,)),
    (reading.outcome, 1, ()),
    (reading.loaded, 1, (BULK,)),
    (reading.tenants, 1, (TENANTS,)),
    (reading.verify, 1, (DURABLE,)),
)
"""What is asked, in the same way."""


async def take(play: Play) -> None:
    """Take one step, as `Play.chance` decides."""
    tenant, other = play.chance.sample(play.tenants, 2)
    if play.subject.durable and play.likely(0.03):
        await writing.reopen(play, tenant)
    await _chosen(play, WRITES)(play, tenant)
    who_stays(play)
    await all_reads_agree(play, tenant)
    if play.likely(0.2):
        await all_reads_agree(play, other)
    for _ in range(play.chance.choice([1, 2, 3, 4])):
        await _chosen(play, QUESTIONS)(play, play.chance.choice(play.tenants))
        play.counts["questions"] += 1
    given, play.given = play.given, []
    if play.likely(0.3):
        spoil(given)


def _chosen(play: Play, steps: tuple[tuple[Step, int, tuple[str, ...]], ...]) -> Step:
    able = [(step, weight) for step, weight, parts in steps if play.claims(*parts)]
    return play.chance.choices([step for step, _ in able], [weight for _, weight in able])[0]
