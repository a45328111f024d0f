"""`crm.unsubscribe`: links that end a subscription with one click, and what happens when one is pressed.

Invariant: only `act` writes. A link works as long as it was promised to, also when the address has left the record that
it was on, or the person was erased.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

import attrs

from crmcore.app.asked import Asked
from crmcore.app.consent_ledgers import ledger_of
from crmcore.app.customers import load_parties
from crmcore.app.flow import Flow
from crmcore.app.resolve import Reference, resolve
from crmcore.app.suppressions import secrets_of
from crmcore.app.unit import Unit, load_record
from crmcore.app.whom import Whom
from crmcore.consent.event import ConsentEvent
from crmcore.consent.ledger import CHANNELS_OF, POINT, party_stream, point_stream
from crmcore.consent.suppression import SUPPRESSED, SUPPRESSION, Suppression, new_keys
from crmcore.consent.unsubscribe import Ticket, read_ticket, sign_ticket, unsubscribe_act, unsubscribe_headers
from crmcore.consent.words import ActPurpose, Channel
from crmcore.errors import InvalidConsent
from crmcore.party.contact_point import ContactPoint
from crmcore.party.party_keys import EMAIL, PARTY, PHONE, key
from crmcore.storage.protocol import Key
from crmcore.values.ids import Id

_NAMESPACES = {"email": EMAIL, "phone": PHONE}
"""Contact points that can be left with a link, and by which keys the records that have them are found."""


@attrs.frozen
class AsyncUnsubscribes:
    """Links for unsubscribing. They need the secrets that `Crm` was given."""

    _flow: Flow

    async def token(
        self,
        ref: Reference,
        *,
        channel: Channel = "email",
        topic: str | None = None,
        purposes: Iterable[ActPurpose] = ("marketing",),
        point: str | None = None,
        controller: str | None = None,
        days: int = 366,
    ) -> str:
        """A signed token by which whoever has the customer's contact point ends what they get there.

        *point* names the address or number; it may be left out where the customer has one for the *channel*. Without
        a *topic* all of the *purposes* end. It works for so many *days*. The token holds no address and no name.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if this crm was given no secrets, the customer has several points for the channel or not
                this one, or *days* are less than 60.
        """
        secrets = secrets_of(self._flow)
        named = tuple(purposes)
        whose = self._flow.controller(controller)

        async def found(unit: Unit) -> ContactPoint:
            customer = await resolve(unit, ref)
            parties = await load_parties(unit, customer.members)
            return _named(point, channel, [one for party in parties for one in party.contact_points])

        async def plan(unit: Unit) -> None:
            contact = await found(unit)
            await ledger_of(unit, contact.kind, contact.key)

        asked = Asked("unsubscribe.token", (channel,), (Whom(ref, point),), more=(topic, named, controller))
        await self._flow.commit(plan, asked=asked)
        unit = self._flow.reader()
        contact = await found(unit)
        ticket = Ticket(
            point=await ledger_of(unit, contact.kind, contact.key),
            known=tuple(sorted(one.value for one in new_keys(contact, whose, secrets))),
            controller=whose,
            channel=channel,
            topic=topic,
            purposes=named,
            issued_at=unit.now,
            expires_at=unit.now + timedelta(days=days),
        )
        return sign_ticket(ticket, secrets)

    async def headers(
        self,
        ref: Reference,
        *,
        url: str,
        mailto: str | None = None,
        topic: str | None = None,
        purposes: Iterable[ActPurpose] = ("marketing",),
        point: str | None = None,
        controller: str | None = None,
    ) -> Mapping[str, str]:
        """The headers of an e-mail to a customer, with a token of its own; *url* is your page for unsubscribing.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: as `token`, and if *url* is not one of https.
        """
        token = await self.token(ref, topic=topic, purposes=purposes, point=point, controller=controller)
        return unsubscribe_headers(url, token, mailto=mailto)

    async def read(self, token: str) -> Ticket:
        """What a link stands for, for the page that asks whether it is meant. Nothing is written.

        Raises:
            InvalidConsent: with a sentence for whoever pressed it, if the link is damaged, foreign, too old or run out.
        """
        flow = self._flow
        return read_ticket(token, secrets_of(flow), flow.reader().now)

    async def act(self, token: str) -> ConsentEvent:
        """Do what a link asks for, and give the act that stands for it. Pressing it again writes nothing.

        Where the contact point's ledger is gone, because the person was erased, the address is suppressed instead.

        Raises:
            InvalidConsent: as `read`.
        """
        secrets = secrets_of(self._flow)

        async def plan(unit: Unit) -> ConsentEvent | None:
            ticket = read_ticket(token, secrets, unit.now)
            ledger = await _ledger(unit, ticket)
            if ledger is None:
                await _suppressed(unit, ticket)
                return None
            # A Yes may have been given to the address, or by whoever has it.
            streams = [ledger.stream, *map(party_stream, ledger.holders)]
            await unit.guard(streams)
            earlier = await _acts(unit, streams)
            event = unsubscribe_act(
                token,
                secrets,
                unit.now,
                point=ledger.normal,
                earlier=earlier,
                record=ledger.holders[0],
            )
            if event not in earlier:
                event = attrs.evolve(event, ledger=ledger.stream)
                unit.event(ledger.stream, event, subjects=ledger.holders, occurred_at=event.occurred_at)
            return event

        event = await self._flow.commit(plan, asked=Asked("unsubscribe.act", more=(token,)))
        # Where the address is suppressed instead, no ledger holds the act.
        return unsubscribe_act(token, secrets, self._flow.new_unit().now) if event is None else event


def _named(point: str | None, channel: str, points: list[ContactPoint]) -> ContactPoint:
    reached = {one.key: one for one in points if one.kind in _NAMESPACES and channel in CHANNELS_OF[one.kind]}
    if point is not None:
        reached = {
            normal: one
            for normal, one in reached.items()
            if point.strip() in (one.raw, normal, one.raw.strip())
        }
    if len(reached) != 1:
        raise InvalidConsent(
            f"{len(reached)} contact points of this customer fit for {channel}: name one that is theirs with point=..."
        )
    return next(iter(reached.values()))


@attrs.frozen
class _Ledger:
    """The ledger of a contact point that somebody here has: its stream, the normal form, the records that have it."""

    stream: str
    normal: str
    holders: tuple[str, ...]


async def _ledger(unit: Unit, ticket: Ticket) -> _Ledger | None:
    """Where the act is recorded; None if the ledger is gone, or no record has the address any more."""
    if ticket.point is None:
        return None
    ref = unit.ref("contact_point", ticket.point)
    record = (await unit.get([ref])).get(ref)
    for found in () if record is None else record.keys:
        kind, _, normal = found.value.partition(":")
        if found.namespace == POINT and kind in _NAMESPACES:
            wanted = key(_NAMESPACES[kind], normal)
            refs = (await unit.find([wanted]))[wanted]
            holders = tuple(sorted(one.id for one in refs if one.kind == PARTY.tag))
            return _Ledger(point_stream(ticket.point), normal, holders) if holders else None
    return None


async def _acts(unit: Unit, streams: Iterable[str]) -> list[ConsentEvent]:
    codec = unit.codecs["consent.event"]
    ledgers = await unit.ledgers(list(streams))
    return [codec.load(body) for entries in ledgers.values() for _, body in entries]


async def _suppressed(unit: Unit, ticket: Ticket) -> None:
    """Suppress the address that nobody here has any more, once, in each of its forms."""
    if not ticket.known:
        return
    wanted = frozenset(Key(SUPPRESSED, known) for known in ticket.known)
    refs = dict.fromkeys(ref for found in (await unit.find(wanted)).values() for ref in found)
    for record in (await unit.get(list(refs))).values():
        entry: Suppression = load_record(SUPPRESSION, record)
        if wanted == record.keys and entry.scope == ticket.scope and entry.stands(unit.now):
            return
    entry = Suppression(
        kind="email" if ticket.channel == "email" else "phone",
        reason="withdrawal",
        since=unit.now,
        scope=ticket.scope,
        secret=int(ticket.known[0].split(".")[0]),
        actor=unit.actor,
    )
    await unit.put(SUPPRESSION, unit.ids.new(Id), entry, expect=0, keys=wanted)
