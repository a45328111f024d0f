"""`crm.customers`: each customer as one, whatever records, sources and former ids it has.

Invariant: a view is composed from one reading of the facts by a pure function; reading changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from crmcore.app.consent_ledgers import wishes_of
from crmcore.app.consent_whose import acts_of
from crmcore.app.flow import Flow
from crmcore.app.judging import conflicts_of
from crmcore.app.relationships import related
from crmcore.app.resolve import Membership, Reference, firsts, memberships, resolve, search
from crmcore.app.unit import Unit, load_record
from crmcore.consent.saying import said
from crmcore.consent.wishing import wished
from crmcore.identity.survivorship import Profile, survive
from crmcore.interaction.interaction import Interaction
from crmcore.interaction.lay import INTERACTION, TIMELINE
from crmcore.party.party import Party
from crmcore.party.party_keys import PARTY
from crmcore.storage.protocol import Ref
from crmcore.values.ids import CustomerId, PartyId
from crmcore.view.composition import Other, TimelineFacts, compose, value_text
from crmcore.view.customer_view import CustomerView

RECENT = 10
"""So many of the latest interactions are in a view in full."""

COUNTED = 1000
"""A timeline longer than this is said to have more."""


@attrs.frozen
class CustomerPage:
    """A page of customers and the cursor for more; None: that is all."""

    items: tuple[Membership, ...]
    next: str | None = None


@attrs.frozen
class AsyncCustomers:
    """Customers: clusters of parties, seen as one."""

    _flow: Flow

    async def resolve(self, ref: Reference, *, region: str | None = None) -> Membership:
        """The customer that *ref* means: its id and its parties.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
        """
        return await resolve(self._flow.reader(), ref, region=region)

    async def search(self, ref: Reference, *, region: str | None = None) -> tuple[Membership, ...]:
        """All customers that *ref* fits: none, one, or several who share an address or a name."""
        return await search(self._flow.reader(), ref, region=region)

    async def page(
        self, *, kind: str | None = None, after: str | None = None, limit: int = 500
    ) -> CustomerPage:
        """Customers in the order in which they were first recorded, each once; *kind* is that of their first party.

        *limit* is how many parties are looked at, so a page may hold fewer customers, or none, and still have a next.
        """
        unit = self._flow.reader()
        page = await unit.scan(PARTY.tag, after=after, limit=limit)
        standing = {
            PartyId(record.ref.id): record.body.get("standing", "active")
            for record in page.items
            if kind is None or record.body["kind"] == kind
        }
        found = await memberships(unit, standing)
        first = {id: found[id] for id in await firsts(unit, found)}
        # A customer whose first record was taken back is still one if another record stands.
        doubtful = {m for id, c in first.items() if standing[id] == "retracted" for m in c.members}
        alive = {
            party.id for party in await load_parties(unit, sorted(doubtful)) if party.standing == "active"
        }
        alive |= {id for id, word in standing.items() if word == "active"}
        return CustomerPage(tuple(c for c in first.values() if alive.intersection(c.members)), page.next)

    async def view(self, ref: Reference, *, region: str | None = None) -> CustomerView:
        """Everything known of one customer, with where it comes from and what is not known.

        *ref* is a customer id, also a former one, a party id, a source, an e-mail address, a phone number or a name.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
        """
        unit = self._flow.reader()
        customer = await resolve(unit, ref, region=region)
        members = await load_parties(unit, customer.members)
        found = await related(unit, list(customer.members))
        relationships = list({r.id: r for rs in found.values() for r in rs}.values())
        ends = {end for r in relationships for end in (r.from_, r.to)} - set(customer.members)
        policy = self._flow.survivorship
        return compose(
            id=customer.id,
            members=members,
            profile=survive(members, policy),
            relationships=relationships,
            others=await self._others(unit, ends),
            timeline=await _timeline(unit, customer.members),
            consent=(
                *said([act for acts in await acts_of(unit, members) for act in acts]),
                *wished(await wishes_of(unit, customer.members)),
            ),
            conflicts=await conflicts_of(unit, customer),
            policy=f"{policy.id}/{policy.version}",
        )

    async def profile(self, ref: Reference) -> Profile:
        """The surviving value of every field, with the record and the rule behind it and the values that lost."""
        unit = self._flow.reader()
        customer = await resolve(unit, ref)
        return survive(await load_parties(unit, customer.members), self._flow.survivorship)

    async def names(self, ids: Iterable[PartyId]) -> dict[PartyId, str]:
        """What to call the customers that these parties belong to."""
        return {
            party: other.name for party, other in (await self._others(self._flow.reader(), set(ids))).items()
        }

    async def _others(self, unit: Unit, parties: set[PartyId]) -> dict[PartyId, Other]:
        """For each party the customer that it belongs to, with the name that survives there."""
        found = await memberships(unit, sorted(parties))
        everyone = sorted({member for customer in found.values() for member in customer.members})
        loaded = {party.id: party for party in await load_parties(unit, everyone)}
        named: dict[CustomerId, Other] = {}
        for customer in found.values():
            if customer.id not in named:
                members = [loaded[member] for member in customer.members]
                named[customer.id] = Other(id=customer.id, name=self._name(members))
        return {party: named[customer.id] for party, customer in found.items()}

    def _name(self, members: list[Party]) -> str:
        members = [party for party in members if party.standing == "active"] or members
        if len(members) == 1:
            return members[0].display_name
        profile = survive(members, self._flow.survivorship)
        names = [survivor for survivor in profile.survivors if survivor.field == "name"]
        return value_text(names[0].value) if names else members[0].display_name


async def load_parties(unit: Unit, ids: Iterable[PartyId]) -> list[Any]:
    """The parties, in the order of *ids*."""
    refs = [unit.ref(PARTY.tag, id) for id in ids]
    records = await unit.get(refs, check=False)
    return [load_record(PARTY, records[ref]) for ref in refs if ref in records]


async def _timeline(unit: Unit, members: tuple[PartyId, ...]) -> TimelineFacts:
    refs: dict[Ref, None] = {}
    after: str | None = None
    while len(refs) <= COUNTED:
        page = await unit.range(TIMELINE, members, after=after, limit=COUNTED, reverse=True)
        # One with several members of the customer has a place for each, and counts once.
        refs.update((ref, None) for ref in await unit.owners(ref for _, ref in page.items))
        after = page.next
        if after is None:
            break
    oldest = await unit.range(TIMELINE, members, limit=1)
    wanted = [*list(refs)[:RECENT], *await unit.owners(ref for _, ref in oldest.items[:1])]
    records = await unit.get(wanted, check=False)
    loaded: list[Interaction] = [load_record(INTERACTION, records[ref]) for ref in wanted if ref in records]
    return TimelineFacts(
        count=min(len(refs), COUNTED),
        more=len(refs) > COUNTED,
        first=loaded[-1] if loaded else None,
        recent=loaded[:-1],
    )
