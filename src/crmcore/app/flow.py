"""What every namespace of `AsyncCrm` stands on: a store, a clock, an actor, and one way to commit.

Invariant: a verb is planned against what it read and committed as one batch. When somebody else was faster, it is
planned again from fresh reads; when the outcome of a commit is unknown, the store is asked, never guessed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar, cast

import attrs

from crmcore.app.asked import Asked
from crmcore.app.frozen import Kept
from crmcore.app.journal import Journal
from crmcore.app.unit import Unit
from crmcore.consent.controllers import NOBODY
from crmcore.errors import (
    BatchEnded,
    BatchTooLarge,
    CommitUnknown,
    InvalidConsent,
    KeyConflict,
    StoreError,
    StreamConflict,
    VersionConflict,
)
from crmcore.identity.matcher import PairMatcher
from crmcore.identity.model.learning import Matcher
from crmcore.identity.survivorship import SurvivorshipPolicy
from crmcore.serde import Codecs
from crmcore.storage.protocol import AsyncStore
from crmcore.values.ids import Id, Ids
from crmcore.values.source import Actor
from crmcore.values.text import storable

if TYPE_CHECKING:
    from crmcore.consent.pack_reading import Laws
    from crmcore.consent.practice import Practice
    from crmcore.consent.secret_ring import SecretRing

R = TypeVar("R")
Clock = Callable[[], datetime]

ATTEMPTS = 64
"""How often a verb is planned again when others keep changing what it read. A plan costs a few reads, so this is no
wait; it ends when so many others were faster that something must be wrong."""

PATIENT = 3
"""So many plans of a No wait for a moment in which nobody else writes where it is dated by (`clocks`)."""

NOTHING_ASKED = Asked("")

RESENDS = 2
"""How often a batch is sent again when nobody knows whether it arrived."""


async def sent(send: Callable[[], Awaitable[R]]) -> R:
    """What *send* gives, which sends one and the same batch; again while its outcome is unknown.

    Raises:
        CommitUnknown: if the outcome stays unknown.
    """
    unknown: CommitUnknown | None = None
    for _ in range(RESENDS + 1):
        try:
            return await send()
        except CommitUnknown as error:
            unknown = unknown or error
        except StoreError:
            if unknown is None:
                raise
            break  # it speaks of this attempt alone: the one before may have been written, or may yet be
    assert unknown is not None  # for the type checker: the loop went on or ended because of it
    raise unknown


@attrs.frozen(kw_only=True)
class Flow:
    """*unit* is set inside a batch: then verbs gather into it and nothing is committed until the batch ends.

    *journal* is set inside a batch with an idempotency key. *matcher* compares two records; *learner*, where there is
    one, learns from all people before they are deduplicated. *practice* is what the company says of itself, *laws* are
    those by which it is decided, *kept* the models that are at hand. *secrets* are what suppressed addresses and links
    are known by.
    """

    store: AsyncStore
    tenant: str
    clock: Clock
    ids: Ids
    codecs: Codecs
    matcher: PairMatcher
    learner: Matcher | None = None
    survivorship: SurvivorshipPolicy
    actor: Actor
    practice: Practice | None = None
    laws: Laws | None = None
    reason: str | None = None
    unit: Unit | None = None
    journal: Journal | None = None
    kept: Kept = attrs.field(factory=Kept, repr=False, eq=False)
    secrets: SecretRing | None = None

    def controller(self, named: str | None) -> str:
        """Whom things are said to: whoever is *named*, else the company of the practice, else nobody that is known.

        A No to nobody speaks to everybody, a Yes to nobody is one to nobody else.
        """
        if not isinstance(named, str | None):
            raise InvalidConsent("a controller is named by a text")
        own = self.practice.controller if self.practice is not None else None
        return storable(named or own or NOBODY)

    def known_laws(self) -> Laws:
        """The laws by which it is decided: those that come with crmcore, if none were given."""
        from crmcore.consent.pack_reading import shipped_laws  # reads all packs, for whoever asks of consent

        return self.laws or shipped_laws()

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
        unit.reason = storable(self.reason)
        return unit

    def reader(self) -> Unit:
        """What reads go through: the batch's unit inside a batch, so that a batch sees its own writes."""
        return self._gathering() or self.new_unit()

    async def commit(
        self,
        plan: Callable[[Unit], Awaitable[R]],
        *,
        asked: Asked = NOTHING_ASKED,
        idem: str | None = None,
        reason: str | None = None,
        attempts: int = ATTEMPTS,
    ) -> R:
        """Plan and write. *plan* may run several times and must do nothing but read from and write to its unit.

        *asked* names the verb and what it was given, by which a batch that is run again knows it. After so many
        *attempts* the conflict is raised. Within a batch of the app nothing is watched that only moves the date of a
        No, nor after a few attempts, or where that is too much for the store.
        """
        gathering = self._gathering()
        if gathering is not None:
            return await self._gather(gathering, plan, asked)
        patience = PATIENT
        for attempt in range(1, attempts + 1):
            unit = self.new_unit()
            unit.dating = "watched" if attempt <= patience else "ahead"
            unit.reason = storable(reason if reason is not None else self.reason)
            result = await plan(unit)
            if unit.empty:
                return result
            try:
                await self.write(unit, idem or str(self.ids.new(Id)))
            except (VersionConflict, KeyConflict, StreamConflict):
                if attempt == attempts:
                    raise
            except BatchTooLarge:
                if attempt == attempts or not unit.watches:
                    raise
                patience = 0
            else:
                return result
        raise AssertionError("the loop above returns or raises")  # pragma: no cover

    def _gathering(self) -> Unit | None:
        """The unit of the batch, which must not be over."""
        if self.unit is not None and self.unit.ended:
            raise BatchEnded("the batch has ended, so nothing would come of this: begin another one")
        return self.unit

    async def _gather(self, unit: Unit, plan: Callable[[Unit], Awaitable[R]], asked: Asked) -> R:
        """Plan into the batch; a plan that fails leaves nothing there."""
        if self.journal is not None and self.journal.replaying:
            return cast("R", await self.journal.recall(unit, asked))
        mark = unit.mark()
        try:
            result = await plan(unit)
            if self.journal is not None:
                await self.journal.note(unit, asked, result)
        except BaseException:
            unit.undo(mark)
            raise
        return result

    async def write(self, unit: Unit, idem: str) -> None:
        """Apply what *unit* gathered. While the outcome is unknown the same batch is sent again: it is written once.

        Raises:
            CommitUnknown: if the outcome stays unknown. Sending the same batch later, under its *idem*, settles it.
        """
        batch = unit.batch(idem)
        await sent(lambda: self.store.apply(batch))
