"""`crm.retention`: how long customers are kept, planned before anything is done, and permits that are about to lapse.

Invariant: what goes, goes as a person who asks is erased: by the same table of dispositions, named to the store. A plan
that is applied twice does nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import attrs

from crmcore.app.consent_members import Told
from crmcore.app.consent_then import customer_at
from crmcore.app.consents import AsyncConsents
from crmcore.app.customers import AsyncCustomers, load_parties
from crmcore.app.flow import Flow
from crmcore.app.resolve import Reference
from crmcore.app.retention_contacts import in_touch, recorded_on
from crmcore.app.retention_done import Applied, applied, members_at, to_look_at
from crmcore.app.retention_erasing import as_held, left_over
from crmcore.app.retention_noes import with_notes
from crmcore.app.subject_kinds import check_kinds, day_told
from crmcore.app.unit import Unit
from crmcore.consent.bundle import Confidence
from crmcore.consent.checking import listed, word
from crmcore.consent.disposition import LegalHold, check_purposes, holds_told, purposes_told
from crmcore.consent.known import jurisdictions_of, points_of
from crmcore.consent.lapsing import PermitLapsing, permits
from crmcore.consent.reach import kinds_reached
from crmcore.consent.retention import (
    Retained,
    RetentionPlan,
    RetentionPolicy,
    plan_retention,
    shipped_retention,
)
from crmcore.consent.words import Channel, Purpose
from crmcore.errors import InvalidConsent, InvalidRightsRequest
from crmcore.party.party import Party
from crmcore.values.ids import CustomerId, PartyId


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

        That is what came in from a record of theirs, what they said of their consent and wished, and what they asked of
        their data; not what we did, nor what was imported. What names no record but only an address of theirs is read
        by `plan`, for all at once. A record that never wrote has no last contact but the day on which it was recorded.
        Of several records that are one customer the latest day counts, so that joining them makes nobody go earlier.
        *jurisdictions* apply beside what addresses and numbers tell. Other days and categories are the app's to add.

        Raises:
            InvalidConsent: if one of the *jurisdictions* is no code.
        """
        page = await AsyncCustomers(self._flow).page(after=after, limit=limit)
        told = frozenset(self._flow.known_laws().told(jurisdictions))
        items: list[Retained] = []
        unit = self._flow.reader()
        for customer in page.items:
            parties = await load_parties(unit, customer.members)
            known = await in_touch(self._flow, unit, parties)
            items.append(
                Retained(
                    place=str(customer.id),
                    category=category,
                    members=tuple(map(str, customer.members)),
                    jurisdictions=told.union(*map(jurisdictions_of, parties)),
                    triggers={
                        "recorded": max(recorded_on(party.id) for party in parties),
                        "last_contact": known.last_contact,
                    },
                    last_contact=known.last_contact,
                    open_request=known.open_request,
                    restricted=known.restricted,
                )
            )
        return RetainedPage(tuple(items), page.next)

    async def plan(
        self,
        things: Iterable[Retained],
        *,
        policies: Iterable[RetentionPolicy] | None = None,
        holds: Iterable[LegalHold] = (),
        purposes: Mapping[str, frozenset[str]] | None = None,
    ) -> RetentionPlan:
        """What becomes of each thing today, with reasons. Nothing is written.

        Of customers that would go, all interactions are read once for what names only an address of theirs; plan many
        at a time. Who has an open request about their data, or had it restricted, is kept, and it is said why. Of whom
        a No will not be known when they are gone, since this crm was given no secrets, `notes` of the plan tell.

        *holds* name categories of things, or kinds of data (``"interaction"``, ...) that stay of a customer that goes;
        *purposes* are those for which data of a kind is still needed, as in `ErasureFacts`.

        Raises:
            InvalidRightsRequest: if a hold names neither a category nor a kind of data, if a purpose is for what is no
                kind of data, or if the table of dispositions keeps nothing for it.
        """
        unit, standing = self._flow.reader(), holds_told(holds)
        wanted = listed(things, Retained, "things are several Retained(...)", InvalidRightsRequest)
        found = [await self._known(unit, one) for one in wanted]
        known = None if policies is None else _policies(policies)
        categories = {one.category for one in found} | {
            one.category for one in (shipped_retention() if known is None else known)
        }
        needed = _checked(standing, purposes, categories)
        planned = partial(
            plan_retention, today=self._flow.clock().date(), policies=known, holds=standing, purposes=needed
        )
        plan = await as_held(self._flow, planned(await to_look_at(self._flow, found, planned(found))))
        return await with_notes(self._flow, plan)

    async def _known(self, unit: Unit, thing: Retained) -> Retained:
        """*thing* with what the store knows of it, if it is a customer."""
        members = tuple(map(PartyId, thing.members)) or await members_at(unit, thing.place)
        there = await load_parties(unit, members)
        if thing.last_contact is not None or not there:
            return attrs.evolve(thing, members=members)
        known = await in_touch(self._flow, unit, there)
        return attrs.evolve(thing, members=members, last_contact=known.last_contact)

    async def apply(self, plan: RetentionPlan, *, reviewed: Confidence = "probable") -> Applied:
        """Do what a plan says of customers: erase them, or restrict them to what they are kept for.

        Steps about anything else, and those that want a fact first, are given back: they are not ours to do. So are
        those of customers that have changed since the plan was made, that have an open request about their data or had
        it restricted by now, or of which a record is not surely theirs: as unsure as *reviewed*, or less sure. They are
        to *find out* then, and say why.

        Raises:
            CapabilityMissing: if somebody is to be erased and the store cannot.
        """
        if self._flow.unit is not None:
            raise InvalidRightsRequest("retention is no part of a batch: apply it by itself")
        if not isinstance(plan, RetentionPlan):
            raise InvalidRightsRequest("what is applied is a plan of crm.retention")
        return await applied(self._flow, plan, reviewed)

    async def kept_too_long(
        self,
        *,
        on: date | None = None,
        holds: Iterable[LegalHold] | None = None,
        purposes: Mapping[str, frozenset[str]] | None = None,
        policies: Iterable[RetentionPolicy] | None = None,
    ) -> RetentionPlan:
        """A plan for what is left of customers that were erased here: of whom something was kept whose last day was
        before the day *on* (today, in UTC), or by a hold that is no more, and of whom the erasure was cut off. Look at
        it, and `apply` it.

        *holds* and *purposes* are those of now. Nothing goes of whom a hold kept something while nobody says which
        *holds* there are: that is to *find out* then. They may name categories, of *policies* too, as in `plan`. What
        one of them keeps is to *keep*: when that is applied, no plan that was made before erases it. What goes by
        requests is in `crm.requests.kept_too_long`.

        Raises:
            InvalidRightsRequest: if a hold names neither a category nor a kind of data, if a purpose is for what is no
                kind of data, or if the table of dispositions keeps nothing for it.
        """
        unit, standing = self._flow.reader(), None if holds is None else holds_told(holds)
        day = day_told(on, unit.now.date())
        purposes_told(purposes)
        steps, noted = await left_over(unit, day, standing)
        known = shipped_retention() if policies is None else _policies(policies)
        needed = _checked(standing or (), purposes, noted.union(one.category for one in known))
        plan = RetentionPlan(steps=tuple(steps), holds=standing or (), purposes=needed)
        return await with_notes(self._flow, await as_held(self._flow, plan))

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
        if not isinstance(within, timedelta):
            raise InvalidConsent("within how long something lapses is a timedelta")
        customer, _ = await customer_at(self._flow.reader(), ref, None)
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
        word(channel, Channel, "a channel")
        if not isinstance(by, date) or not (facts is None or callable(facts)):
            raise InvalidConsent(
                "by when something lapses is a date, and facts tells what is known of a customer"
            )
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


def _checked(
    holds: Iterable[LegalHold], purposes: Mapping[str, Iterable[str]] | None, categories: Collection[str]
) -> dict[str, frozenset[str]]:
    """The *purposes* as they are told. Words that nothing is called by are refused, and purposes for which nothing
    would be kept."""
    needed = purposes_told(purposes)
    check_kinds((kind for one in holds for kind in one.kinds), categories)
    check_kinds(needed)
    check_purposes(name for names in needed.values() for name in names)
    return needed


def _policies(policies: Iterable[RetentionPolicy]) -> tuple[RetentionPolicy, ...]:
    return listed(
        policies, RetentionPolicy, "policies are several RetentionPolicy(...)", InvalidRightsRequest
    )


def _points_for(parties: Iterable[Party], channel: Channel) -> tuple[str | None, ...]:
    """The points that the channel reaches, in their normal forms; one None where it needs none."""
    kinds = kinds_reached(channel)
    if not kinds:
        return (None,)
    points = (point for party in parties for point in points_of(party))
    return tuple(dict.fromkeys(normal for kind, normal in points if kind in kinds))
