"""`crm.retention`: how long customers are kept, planned before anything is done, and permits that are about to lapse.

Invariant: what goes, goes as a person who asks is erased: by the same table of dispositions, named to the store. A plan
that is applied twice does nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import attrs

from crmcore.app.consent_members import Told
from crmcore.app.consents import AsyncConsents
from crmcore.app.customers import AsyncCustomers, load_parties
from crmcore.app.flow import Flow
from crmcore.app.interactions import AsyncInteractions
from crmcore.app.resolve import Reference, memberships, resolve
from crmcore.app.subject_erasure import (
    ErasureFacts,
    erase_planned,
    planned_erasure,
    prepare,
    restrict_person,
)
from crmcore.consent.disposition import LegalHold
from crmcore.consent.known import jurisdictions_of, points_of
from crmcore.consent.lapsing import PermitLapsing, permits
from crmcore.consent.ledger import CHANNELS_OF
from crmcore.consent.retention import (
    Retained,
    RetentionPlan,
    RetentionPolicy,
    RetentionStep,
    plan_retention,
)
from crmcore.consent.words import Channel, Purpose
from crmcore.errors import InvalidRightsRequest
from crmcore.party.party import Party
from crmcore.party.party_keys import PARTY
from crmcore.storage.erasure import eraser_of
from crmcore.values.ids import CustomerId, Id, PartyId
from crmcore.values.moment import moment_instant


@attrs.frozen
class RetainedPage:
    """A page of customers as retention sees them, and the cursor for more; None: that is all."""

    items: tuple[Retained, ...]
    next: str | None = None


@attrs.frozen
class LapsingPage:
    """What lapses of a page of customers, and the cursor for more; None: that is all."""

    items: tuple[PermitLapsing, ...]
    next: str | None = None


@attrs.frozen(kw_only=True)
class Applied:
    """What was done: how many customers were *erased* and *restricted*, and the steps that are not ours to do."""

    erased: int
    restricted: int
    left: tuple[RetentionStep, ...]


@attrs.frozen
class AsyncRetention:
    """How long customers are kept, and which permits are about to lapse."""

    _flow: Flow

    async def customers(
        self,
        *,
        category: str = "prospect",
        jurisdictions: Iterable[str] = (),
        after: str | None = None,
        limit: int = 500,
    ) -> RetainedPage:
        """Customers with the days that the store knows: *recorded*, and *last_contact*, the last that came from them.

        Somebody who never wrote has no last contact but the day on which they were recorded. *jurisdictions* apply
        beside what addresses and numbers tell. Other days and categories are the app's to add.
        """
        page = await AsyncCustomers(self._flow).page(after=after, limit=limit)
        told = frozenset(jurisdictions)
        items: list[Retained] = []
        unit = self._flow.reader()
        for customer in page.items:
            parties = await load_parties(unit, customer.members)
            recorded = min(_recorded(party.id) for party in parties)
            last = await self._last_contact(customer.id)
            items.append(
                Retained(
                    place=str(customer.id),
                    category=category,
                    jurisdictions=told.union(*map(jurisdictions_of, parties)),
                    triggers={"recorded": recorded, "last_contact": last or recorded},
                )
            )
        return RetainedPage(tuple(items), page.next)

    async def _last_contact(self, customer: Id) -> date | None:
        timeline = AsyncInteractions(self._flow)
        after: str | None = None
        while True:
            page = await timeline.timeline(customer, after=after)
            for one in page.items:
                if one.direction == "inbound":
                    return moment_instant(one.occurred_at).date()
            after = page.next
            if after is None:
                return None

    async def plan(
        self,
        things: Iterable[Retained],
        *,
        policies: Iterable[RetentionPolicy] | None = None,
        holds: Iterable[LegalHold] = (),
    ) -> RetentionPlan:
        """What becomes of each thing today, with reasons. Nothing is written."""
        return plan_retention(things, today=self._flow.clock().date(), policies=policies, holds=holds)

    async def apply(self, plan: RetentionPlan) -> Applied:
        """Do what a plan says of customers: erase them, or restrict them to what they are kept for.

        Steps about anything else, and those that want a fact first, are given back: they are not ours to do.

        Raises:
            CapabilityMissing: if somebody is to be erased and the store cannot.
        """
        if self._flow.unit is not None:
            raise InvalidRightsRequest("retention is no part of a batch: apply it by itself")
        erased = restricted = 0
        left: list[RetentionStep] = []
        mark = f"retention:{plan.digest[:16]}"
        for step in plan.steps:
            if step.action == "keep":
                continue
            members = await self._members(step.place)
            if step.action == "delete" and members:
                await self._erase(members, mark)
                erased += 1
            elif step.action == "restrict" and members:
                restricted += await self._restrict(members, step)
            else:
                left.append(step)
        return Applied(erased=erased, restricted=restricted, left=tuple(left))

    async def lapsing(
        self, ref: Reference, *, purpose: Purpose, channel: Channel, within: timedelta, **asked: Any
    ) -> PermitLapsing | None:
        """When what permits to contact a customer will permit no more, if that is *within* so long.

        Ask for another permit while this one holds. Of somebody who said No nothing lapses. *asked* is as
        `crm.consent.decide` takes it.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
        """
        customer = await resolve(self._flow.reader(), ref)
        until = self._flow.clock() + within
        return await self._lapse(customer.id, ref, until, purpose=purpose, channel=channel, **asked)

    async def lapsing_by(
        self,
        by: date,
        *,
        purpose: Purpose,
        channel: Channel,
        facts: Callable[[CustomerId], Told | None] | None = None,
        after: str | None = None,
        limit: int = 500,
        **asked: Any,
    ) -> LapsingPage:
        """The permits of a page of customers that will lapse by the end of a day, in UTC, those first that lapse first.

        *facts* tells what the app knows of a customer beside the ledgers, such as its purchases. *asked* is as
        `crm.consent.decide` takes it, and the same for all. Whoever has several addresses for the channel is asked of
        each. Who said No stands in no list: there is nothing to renew.
        """
        page = await AsyncCustomers(self._flow).page(after=after, limit=limit)
        until = datetime.combine(by + timedelta(days=1), time(), UTC) - timedelta(microseconds=1)
        unit = self._flow.reader()
        found: dict[PermitLapsing, None] = {}
        for customer in page.items:
            told = None if facts is None else facts(customer.id)
            parties = await load_parties(unit, customer.members)
            for point in _points_for(parties, channel):
                lapse = await self._lapse(
                    customer.id,
                    customer.id,
                    until,
                    purpose=purpose,
                    channel=channel,
                    point=point,
                    facts=told,
                    **asked,
                )
                if lapse is not None:
                    found[lapse] = None
        return LapsingPage(tuple(sorted(found, key=lambda one: (one.at, one.customer))), page.next)

    async def _lapse(
        self, customer: CustomerId, ref: Reference, until: datetime, **asked: Any
    ) -> PermitLapsing | None:
        """The first lapse that comes by the instant *until*."""
        consents = AsyncConsents(self._flow)
        first = await consents.decide(ref, at=self._flow.clock(), **asked)
        held, moment = permits(first), first.expires_at
        while held and moment is not None and moment <= until:
            decision = await consents.decide(ref, at=moment, **asked)
            if not permits(decision):
                return PermitLapsing(
                    at=moment,
                    purpose=first.purpose,
                    channel=first.channel,
                    rules=held,
                    customer=str(customer),
                )
            held, moment = permits(decision), decision.expires_at
        return None

    async def _members(self, place: str) -> tuple[PartyId, ...]:
        """The records of the customer that *place* names; none if it names something else, or who is erased."""
        unit = self._flow.reader()
        party = PartyId(place)
        if unit.ref(PARTY.tag, party) not in await unit.get([unit.ref(PARTY.tag, party)], check=False):
            return ()
        return (await memberships(unit, [party]))[party].members

    async def _erase(self, members: tuple[PartyId, ...], mark: str) -> None:
        eraser_of(self._flow.store)

        unit = self._flow.new_unit()
        planned = await planned_erasure(unit, members, unit.now.date(), ErasureFacts(), mark)
        await prepare(self._flow, planned, mark)
        await erase_planned(self._flow, planned, mark, unit.now)

    async def _restrict(self, members: tuple[PartyId, ...], step: RetentionStep) -> bool:
        """Restrict the processing of a person's data, unless it is restricted for this already."""
        mark = f"retention:{step.purpose}"
        own = self._flow.controller(None)
        return await self._flow.commit(lambda unit: restrict_person(unit, members, mark, own))


def _recorded(id: PartyId) -> date:
    """The day on which a record was made, which its id tells."""
    return datetime.fromtimestamp(id.milliseconds / 1000, UTC).date()


def _points_for(parties: Iterable[Party], channel: Channel) -> tuple[str | None, ...]:
    """The points that the channel reaches, in their normal forms; one None where it needs none."""
    kinds = {kind for kind, channels in CHANNELS_OF.items() if channel in channels}
    if not kinds:
        return (None,)
    points = (point for party in parties for point in points_of(party))
    return tuple(dict.fromkeys(normal for kind, normal in points if kind in kinds))
