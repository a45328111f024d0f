"""What every namespace of `AsyncCrm` stands on: a store, a clock, an actor, and one way to commit.

Invariant: a verb is planned against what it read and committed as one batch. When somebody else was faster, it is
planned again from fresh reads, a few times; when the outcome of a commit is unknown, the store is asked, never guessed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

import attrs

from crmcore.app.unit import Unit
from crmcore.errors import CommitUnknown, Contention, KeyConflict, StreamConflict, VersionConflict
from crmcore.identity.matcher import Matcher
from crmcore.identity.survivorship import Policy
from crmcore.serde import Codecs
from crmcore.storage.protocol import AsyncStore
from crmcore.values.ids import Id, Ids
from crmcore.values.source import Actor

R = TypeVar("R")
Clock = Callable[[], datetime]

ATTEMPTS = 8
"""How often a verb is planned again when others keep changing what it read."""

RESENDS = 2
"""How often a batch is sent again when nobody knows whether it arrived."""


@attrs.frozen(kw_only=True)
class Flow:
    """*unit* is set inside a batch: then verbs gather into it and nothing is committed until the batch ends."""

    store: AsyncStore
    tenant: str
    clock: Clock
    ids: Ids
    codecs: Codecs
    matcher: Matcher
    survivorship: Policy
    actor: Actor
    reason: str | None = None
    unit: Unit | None = None

    def new_unit(self) -> Unit:
        """An empty unit of work at the present time."""
        unit = Unit(
            self.store,
            tenant=self.tenant,
            ids=self.ids,
            codecs=self.codecs,
            now=self.clock(),
            actor=self.actor,
        )
        unit.reason = self.reason
        return unit

    def reader(self) -> Unit:
        """What reads go through: the batch's unit inside a batch, so that a batch sees its own writes."""
        return self.unit if self.unit is not None else self.new_unit()

    async def commit(
        self, plan: Callable[[Unit], Awaitable[R]], *, idem: str | None = None, reason: str | None = None
    ) -> R:
        """Plan and write. *plan* may run several times and must do nothing but read from and write to its unit."""
        if self.unit is not None:
            return await plan(self.unit)
        for attempt in range(1, ATTEMPTS + 1):
            unit = self.new_unit()
            unit.reason = reason if reason is not None else self.reason
            result = await plan(unit)
            if unit.empty:
                return result
            try:
                await self.write(unit, idem or str(self.ids.new(Id)))
            except (VersionConflict, KeyConflict, StreamConflict, Contention):
                if attempt == ATTEMPTS:
                    raise
            else:
                return result
        raise AssertionError("the loop above returns or raises")  # pragma: no cover

    async def write(self, unit: Unit, idem: str) -> None:
        """Apply what *unit* gathered. While the outcome is unknown the same batch is sent again: it is written once.

        Raises:
            CommitUnknown: if the outcome stays unknown. Sending the same batch later, under its *idem*, settles it.
        """
        batch = unit.batch(idem)
        for _ in range(RESENDS):
            try:
                await self.store.apply(batch)
            except CommitUnknown:
                continue
            return
        await self.store.apply(batch)
