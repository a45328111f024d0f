"""`crm.unsubscribe`: links that end a subscription with one click, and what happens when one is pressed.

Invariant: only `act` writes. A link works as long as it was promised to, also when the address has left the record that
it was on, or the person was erased: whoever has given the address up is unsubscribed where they are by now, and nobody
else beyond the address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import cast

import attrs

from crmcore.app.asked import Asked
from crmcore.app.consent_ledgers import ledger_of, said_in
from crmcore.app.customers import load_parties
from crmcore.app.flow import Flow
from crmcore.app.resolve import Membership, Reference, memberships, parties_named, resolve
from crmcore.app.suppressions import secrets_of
from crmcore.app.unit import Unit, load_record
from crmcore.app.whom import Whom
from crmcore.consent.clocks import not_before
from crmcore.consent.event import ConsentEvent
from crmcore.consent.known import gone_along, points_of
from crmcore.consent.ledger import POINT, party_stream, point_stream
from crmcore.consent.suppression import SUPPRESSED, SUPPRESSION, Suppression, new_keys
from crmcore.consent.unsubscribe import Ticket, read_ticket, sign_ticket, unsubscribe_act, unsubscribe_headers
from crmcore.consent.words import CHANNELS_OF, ActPurpose, Channel, PointKind
from crmcore.errors import InvalidConsent
from crmcore.party.contact_point import ContactPoint
from crmcore.party.party import Party
from crmcore.party.party_keys import EMAIL, PARTY, PHONE, key
from crmcore.storage.protocol import Key
from crmcore.values.ids import Id, PartyId

_NAMESPACES = {"email": EMAIL, "phone": PHONE}
"""Contact points that can be left with a link, and by which keys the records that have them are found."""

RECORDS = 8
"""A link says of so many records that it is for them: it must fit into the header of a message."""

_BESIDE = 10
"""So many operations at most does a press need beside a check of each record and one of its ledger."""


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

        *point* names the address or number; it may be left out where the customer has one for the *channel*. Without a
        *topic* all of the *purposes* end. It works for so many *days*. Without the secrets nobody reads in it for
        whom it is: the records with the point, eight at most; should they be split, those of them that *ref* names.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if this crm was given no secrets, the customer has several points for the channel or not
                this one, or *days* are less than 60.
        """
        secrets = secrets_of(self._flow)
        named = tuple(purposes)
        whose = self._flow.controller(controller)

        async def found(unit: Unit) -> tuple[ContactPoint, list[str], list[str]]:
            customer = await resolve(unit, ref)
            parties = await load_parties(unit, customer.members)
            contact = _named(point, channel, [one for party in parties for one in party.contact_points])
            return contact, *await _for(unit, ref, customer, parties, contact)

        async def plan(unit: Unit) -> None:
            contact, *_ = await found(unit)
            await ledger_of(unit, contact.kind, contact.key)

        asked = Asked(
            "unsubscribe.token", (channel,), (Whom(ref, point),), more=(topic, frozenset(named), controller)
        )
        await self._flow.commit(plan, asked=asked)
        unit = self._flow.reader()
        contact, records, beside = await found(unit)
        ticket = Ticket(
            point=await ledger_of(unit, contact.kind, contact.key),
            records=tuple(records[:RECORDS]),
            beside=tuple(beside[: max(0, RECORDS - len(records))]),
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

        Where nobody has the address any more, or its ledger is gone because the person was erased, it is suppressed
        instead. Of the records that the message was for, each that has given it up has an act of its own.

        Raises:
            InvalidConsent: as `read`.
        """
        secrets = secrets_of(self._flow)

        async def plan(unit: Unit) -> ConsentEvent | None:
            ticket = read_ticket(token, secrets, unit.now)
            meant = await _meant(unit, ticket)
            ledger = await _ledger(unit, ticket, meant)
            press = partial(unsubscribe_act, token, secrets, unit.now)
            carried = await _carried(unit, meant, ledger, press)
            if ledger is None or not ledger.holders:
                await _suppressed(unit, ticket)
                return carried
            # A Yes may have been given to the address, or by whoever has it.
            streams = [ledger.stream, *map(party_stream, ledger.holders)]
            await unit.guard(streams)
            earlier = await _acts(unit, streams)
            record = next((id for id in meant if id in ledger.holders), ledger.holders[0])
            event = press(point=ledger.normal, earlier=earlier, record=record)
            if event not in earlier:
                event = attrs.evolve(_after(event, earlier), ledger=ledger.stream)
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


async def _for(
    unit: Unit, ref: Reference, customer: Membership, parties: list[Party], contact: ContactPoint
) -> tuple[list[str], list[str]]:
    """Of the records with the contact point those that *ref* names, which are all if it names none, and the others."""
    owners = [str(one.id) for one in parties if (contact.kind, contact.key) in points_of(one)]
    # The id of the customer is that of its first record, and stands for all of them.
    whole = isinstance(ref, str) and ref == customer.id
    named = () if whole else await parties_named(unit, ref)
    records = [id for id in owners if id in named] or owners
    return records, [id for id in owners if id not in records]


async def _meant(unit: Unit, ticket: Ticket) -> tuple[str, ...]:
    """The records that the link is for, with those beside that are of one customer with them."""
    if not ticket.beside:
        return ticket.records
    found = await memberships(unit, map(PartyId, (*ticket.records, *ticket.beside)), check=True)
    own = {found[PartyId(id)].id for id in ticket.records}
    return (*ticket.records, *(id for id in ticket.beside if found[PartyId(id)].id in own))


@attrs.frozen
class _Ledger:
    """The ledger of a contact point: its stream, its kind and normal form, the records that have it."""

    stream: str
    kind: PointKind
    normal: str
    holders: tuple[str, ...]


async def _ledger(unit: Unit, ticket: Ticket, meant: tuple[str, ...]) -> _Ledger | None:
    """Where the act is recorded; None if the ledger is gone."""
    if ticket.point is None:
        return None
    ref = unit.ref("contact_point", ticket.point)
    record = (await unit.get([ref])).get(ref)
    for found in () if record is None else record.keys:
        kind, _, normal = found.value.partition(":")
        if found.namespace == POINT and kind in _NAMESPACES:
            wanted = key(_NAMESPACES[kind], normal)
            refs = (await unit.find([wanted]))[wanted]
            holders = sorted(ref.id for ref in refs if ref.kind == PARTY.tag)
            point = cast("PointKind", kind), normal
            gone = await _given_up(unit, meant, point, holders)
            having = tuple(id for id in holders if id not in gone)
            return _Ledger(point_stream(ticket.point), *point, having)
    return None


async def _given_up(
    unit: Unit, meant: tuple[str, ...], point: tuple[PointKind, str], holders: list[str]
) -> frozenset[str]:
    """Those of *holders* that have the address no more. Whoever the link was for has it until the commit, or gave it up
    before; of a link that does not say, each of them may be meant, as far as one batch can check them all."""
    asked = [id for id in holders if not meant or id in meant]
    check = bool(meant) or 2 * len(asked) + _BESIDE <= unit.store.describe().limits.max_ops
    records = await unit.get([unit.ref(PARTY.tag, id) for id in asked], check=check)
    having = {ref.id for ref, one in records.items() if point in points_of(load_record(PARTY, one))}
    return frozenset(asked) - having


async def _carried(
    unit: Unit, meant: tuple[str, ...], ledger: _Ledger | None, press: Callable[..., ConsentEvent]
) -> ConsentEvent | None:
    """The act as one of each record that the link was for and that has given the address up; the first one, if any.

    Where nothing tells any more which address it was, it is about the person, by the channel of the link.
    """
    gone = [unit.ref(PARTY.tag, id) for id in meant if ledger is None or id not in ledger.holders]
    carried: list[ConsentEvent] = []
    for ref, record in (await unit.get(gone)).items():
        stream = party_stream(ref.id)
        await unit.guard([stream])
        earlier = await said_in(unit, load_record(PARTY, record))
        event = press(point=None if ledger is None else ledger.normal, earlier=earlier, record=ref.id)
        if event not in earlier:
            event = (
                attrs.evolve(event, members=(ref.id,)) if ledger is None else gone_along(event, ledger.kind)
            )
            event = attrs.evolve(_after(event, earlier), id=f"{event.id}:{ref.id}", ledger=stream)
            unit.event(stream, event, subjects=(ref.id,), occurred_at=event.occurred_at)
        carried.append(event)
    return next(iter(carried), None)


def _after(event: ConsentEvent, earlier: Iterable[ConsentEvent]) -> ConsentEvent:
    """*event*, before none of the acts *earlier*, by whichever clock they are dated."""
    return attrs.evolve(
        event, occurred_at=not_before(event.occurred_at, [one.occurred_at for one in earlier])
    )


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
