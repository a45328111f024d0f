"""`crm.suppression`: addresses that are not to be used, known by a keyed hash, whoever has them and whoever was erased.

Invariant: no call writes an address, and none takes an entry away: one that was lifted stays, with the instant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import attrs

from crmcore.app.asked import Asked
from crmcore.app.consent_then import customer_at
from crmcore.app.flow import Flow
from crmcore.app.resolve import Reference
from crmcore.app.suppressed import Suppressed, suppressed_of, suppressed_points
from crmcore.app.unit import Unit, load_record
from crmcore.app.whom import Whom
from crmcore.consent.address_forms import forms_of, point_of, written_point
from crmcore.consent.checking import listed
from crmcore.consent.controllers import NOBODY
from crmcore.consent.event import Scope
from crmcore.consent.facts import Listing
from crmcore.consent.request import Request
from crmcore.consent.secret_ring import SecretRing
from crmcore.consent.speaking import ends_all
from crmcore.consent.suppression import (
    SUPPRESSION,
    Suppression,
    SuppressionReason,
    all_keys,
    fingerprint,
    listings,
    new_keys,
)
from crmcore.consent.words import ActPurpose, Channel, PointKind
from crmcore.errors import InvalidConsent
from crmcore.party.contact_point import ContactPoint
from crmcore.party.party import Party
from crmcore.storage.protocol import Key, Record
from crmcore.values.ids import Id


@attrs.frozen
class AsyncSuppressions:
    """Addresses that are not to be used. It needs the secrets that `Crm` was given."""

    _flow: Flow

    async def add(
        self,
        kind: PointKind,
        text: str,
        *,
        reason: SuppressionReason,
        controller: str | None = None,
        channels: Iterable[Channel] = (),
        purposes: Iterable[ActPurpose] = (),
        topics: Iterable[str] = (),
        since: datetime | None = None,
        region: str | None = None,
    ) -> Suppression:
        """Suppress an address, whether or not anybody has it. One that is suppressed so already stays as it is.

        *since* is now, if nothing is said. *region* is where a local telephone number is dialled.

        Raises:
            InvalidConsent: if this crm was given no secrets, the text is no address of its *kind*, or *since* is in the
                future.
        """
        point = point_of(kind, text, region=region)
        scope = _scope(controller, channels, purposes, topics)

        async def plan(unit: Unit) -> Suppression:
            return await suppress(unit, secrets_of(self._flow), point, reason, scope, since)

        asked = Asked("suppression.add", (kind, reason), more=(point.key, scope, since))
        return await self._flow.commit(plan, asked=asked)

    async def add_customer(
        self,
        ref: Reference,
        *,
        reason: SuppressionReason,
        controller: str | None = None,
        channels: Iterable[Channel] = (),
        purposes: Iterable[ActPurpose] = (),
        topics: Iterable[str] = (),
    ) -> tuple[Suppression, ...]:
        """Suppress every address of a customer, of all records: what is done before the customer is erased.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if this crm was given no secrets.
        """
        scope = _scope(controller, channels, purposes, topics)

        async def plan(unit: Unit) -> tuple[Suppression, ...]:
            _, parties = await customer_at(unit, ref, None)
            return await suppress_parties(unit, secrets_of(self._flow), parties, reason, scope)

        asked = Asked("suppression.add_customer", (reason,), (Whom(ref),), more=(scope,))
        return await self._flow.commit(plan, asked=asked)

    async def lift(
        self, kind: PointKind, text: str, *, controller: str | None = None, region: str | None = None
    ) -> tuple[Suppression, ...]:
        """End the entries that stand and were made about this address: those for one *controller* or, if none is named,
        those that name none. A mistake is set right so, for the address as it is written but for its case, and for
        the one that it is plainly meant for: an entry about another that may reach the same mailbox, with a tag or with
        dots, stays. Somebody who comes back gives a new consent instead, which is kept with its evidence.

        Raises:
            InvalidConsent: if this crm was given no secrets, or the text is no address of its *kind*.
        """
        point = point_of(kind, text, region=region)
        points = (point, written_point(kind, text, region=region))

        async def plan(unit: Unit) -> tuple[Suppression, ...]:
            secrets = secrets_of(self._flow)
            ended = []
            for entry, record in await entries_of(unit, secrets, points, controller):
                named = entry.scope.controller == controller and any(
                    _made_of(entry, record, one, secrets) for one in points
                )
                if named and entry.stands(unit.now) and entry.id is not None:
                    version = unit.next_version(SUPPRESSION.tag, entry.id, entry.version)
                    over = attrs.evolve(entry, until=unit.now, version=version)
                    await unit.put(SUPPRESSION, entry.id, over, expect=entry.version, keys=record.keys)
                    ended.append(over)
            return tuple(ended)

        asked = Asked("suppression.lift", (kind,), more=(point.key, points[1].key, controller))
        return await self._flow.commit(plan, asked=asked)

    async def of(self, *points: ContactPoint, controller: str | None = None) -> tuple[Suppression, ...]:
        """The entries about contact points, also those that were lifted: to look at before records are taken in.
        They are those that speak to *controller*: this crm's own, if nothing is said.

        Raises:
            InvalidConsent: if this crm was given no secrets.
        """
        whom = self._flow.controller(controller)
        found = await entries_of(self._flow.reader(), secrets_of(self._flow), points, whom)
        return tuple(entry for entry, _ in found)

    async def met(self, *refs: Reference) -> tuple[Suppressed, ...]:
        """Which records of these customers have suppressed addresses, how many, and the entries about them.

        What was told when a record was created, changed or merged are the domain events ``suppression.met``; this is
        how it is now. No address is named.

        Raises:
            NotFound: if nothing answers to one of *refs*.
            AmbiguousReference: if one fits several customers.
            InvalidConsent: if this crm was given no secrets.
        """
        secrets_of(self._flow)
        unit = self._flow.reader()
        named = [party for ref in refs for party in (await customer_at(unit, ref, None))[1]]
        parties = list({party.id: party for party in named}.values())
        found = await suppressed_points(
            self._flow, unit, [point for party in parties for point in party.contact_points]
        )
        return tuple(one for party in parties if (one := suppressed_of(party, found)) is not None)

    async def listings(
        self, points: Sequence[ContactPoint], request: Request, *, zones: Sequence[str] = ()
    ) -> tuple[Listing, ...]:
        """What the list says of a request to one of *points*, as facts for its decision.

        Raises:
            InvalidConsent: if this crm was given no secrets, or these are no contact points and no request.
        """
        points = listed(points, ContactPoint, "points are several contact points, as a party has them")
        if not isinstance(request, Request):
            raise InvalidConsent("what the list is asked about is a Request(...)")
        unit = self._flow.reader()
        return await listings_of(unit, secrets_of(self._flow), points, request, zones)


def _scope(
    controller: str | None,
    channels: Iterable[Channel],
    purposes: Iterable[ActPurpose],
    topics: Iterable[str],
) -> Scope:
    return Scope(controller=controller, channels=channels, purposes=purposes, topics=topics)


def secrets_of(flow: Flow) -> SecretRing:
    """The secrets that this crm was given.

    Raises:
        InvalidConsent: if it was given none.
    """
    if flow.secrets is None:
        raise InvalidConsent(
            "this needs secrets that are kept apart from the data: open the crm with secrets=SecretRing({1: ...})"
        )
    return flow.secrets


async def suppress(
    unit: Unit,
    secrets: SecretRing,
    point: ContactPoint,
    reason: SuppressionReason,
    scope: Scope,
    since: datetime | None = None,
    *,
    wider: bool = False,
) -> Suppression:
    """Write an entry about *point*, unless one of the same scope stands; also of a *wider* one, if that is enough.

    Raises:
        InvalidConsent: if *since* is in the future.
    """
    entry = Suppression(
        kind=point.kind,
        reason=reason,
        since=unit.now if since is None else since,
        scope=scope,
        secret=secrets.newest,
        actor=unit.actor,
    )
    if entry.since > unit.now:
        raise InvalidConsent("a suppression begins when it is made: this one lies in the future")
    keys = new_keys(point, scope.controller, secrets)
    for known, record in await entries_of(unit, secrets, [point], scope.controller):
        same = known.scope.controller == scope.controller and wider and ends_all(known.scope, scope)
        alike = (known.scope == scope or same) and known.reason == reason and known.until is None
        # One of an address that shares a form with this one does not stand for it: it may be lifted by itself.
        if alike and keys == record.keys and known.since <= entry.since:
            return known
    id = unit.ids.new(Id)
    await unit.put(SUPPRESSION, id, entry, expect=0, keys=keys)
    return attrs.evolve(entry, id=id, version=1)


def _made_of(entry: Suppression, record: Record, point: ContactPoint, secrets: SecretRing) -> bool:
    """Whether an entry was made of this very address, and not of one that shares a form with it."""
    made = {key.value for key in record.keys}
    own = entry.scope.controller
    return any(
        made == {fingerprint(form, whom, secrets, entry.secret) for form in forms_of(point)}
        for whom in {own, own and NOBODY}  # older ones are known by the very name
    )


async def suppress_parties(
    unit: Unit, secrets: SecretRing, parties: Iterable[Party], reason: SuppressionReason, scope: Scope
) -> tuple[Suppression, ...]:
    """Write an entry about each contact point of *parties*: before they are erased, in the same batch or an earlier."""
    points = [point for party in parties for point in party.contact_points]
    written = [await suppress(unit, secrets, point, reason, scope) for point in points]
    return tuple({entry.id: entry for entry in written}.values())


async def entries_of(
    unit: Unit, secrets: SecretRing, points: Iterable[ContactPoint], controller: str | None
) -> list[tuple[Suppression, Record]]:
    """The entries about any of *points*, for this controller or for all, oldest first."""
    keys = frozenset[Key]().union(*(all_keys(point, controller, secrets) for point in points))
    refs = dict.fromkeys(ref for found in (await unit.find(keys)).values() for ref in found)
    records = await unit.get(list(refs))
    found = [(load_record(SUPPRESSION, record), record) for _, record in sorted(records.items())]
    return [(entry, record) for entry, record in found if entry.tells(controller)]


async def entries_by_point(
    unit: Unit, secrets: SecretRing, points: Iterable[ContactPoint], controller: str | None
) -> dict[str, list[Suppression]]:
    """The entries about each of *points* of which there are any, by its normal form, looked for together."""
    keys: dict[str, frozenset[Key]] = {}
    for point in points:
        found = all_keys(point, controller, secrets)
        keys[point.key] = keys.get(point.key, frozenset()) | found
    hits = await unit.find(frozenset[Key]().union(*keys.values())) if keys else {}
    records = await unit.get(list(dict.fromkeys(ref for refs in hits.values() for ref in refs)), check=False)
    entries = {ref: load_record(SUPPRESSION, record) for ref, record in sorted(records.items())}
    told: dict[str, list[Suppression]] = {}
    for normal, some in keys.items():
        about = {ref for key in some for ref in hits[key]}
        theirs = [entry for ref, entry in entries.items() if ref in about and entry.tells(controller)]
        if theirs:
            told[normal] = theirs
    return told


async def listings_of(
    unit: Unit,
    secrets: SecretRing,
    points: Iterable[ContactPoint],
    request: Request,
    zones: Sequence[str] = (),
) -> tuple[Listing, ...]:
    """What the list says of a request to one of *points*: facts for its decision."""
    found = await entries_of(unit, secrets, points, request.controller)
    return listings((entry for entry, _ in found), request, zones)
