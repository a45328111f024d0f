"""`crm.unsubscribe`: links that end a subscription with one click, and what happens when one is pressed.

Invariant: only `act` writes. A link works as long as it was promised to, also when the address has left the record that
it was on, or the person was erased: whoever has given the address up is unsubscribed where they are by now, and nobody
else beyond the address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import attrs

from crmcore.app.asked import Asked
from crmcore.app.consent_ledgers import ledger_of, said_in, watched
from crmcore.app.consent_then import customer_at
from crmcore.app.flow import Flow
from crmcore.app.point_meant import point_asked
from crmcore.app.resolve import Reference
from crmcore.app.suppressions import secrets_of
from crmcore.app.unit import Unit, load_record
from crmcore.app.unsubscribe_whose import NAMESPACES, LedgerMeant, Meant, meant_by, whose_now
from crmcore.app.whom import Whom
from crmcore.consent.checking import listed, word
from crmcore.consent.clocks import later_than_any, not_before
from crmcore.consent.event import ConsentEvent
from crmcore.consent.known import gone_along
from crmcore.consent.ledger import party_stream
from crmcore.consent.reach import kinds_reached
from crmcore.consent.suppression import SUPPRESSED, SUPPRESSION, Suppression, new_keys
from crmcore.consent.unsubscribe import Ticket, read_ticket, sign_ticket, unsubscribe_act, unsubscribe_headers
from crmcore.consent.words import ActPurpose, Channel
from crmcore.errors import InvalidConsent
from crmcore.party.contact_point import ContactPoint
from crmcore.party.party import Party
from crmcore.party.party_keys import PARTY
from crmcore.storage.protocol import Key
from crmcore.values.ids import Id


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
        whom it is: the records with the point; should they be split, those of them that *ref* names.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if this crm was given no secrets, the customer has several points for the channel or not
                this one, or *days* are less than 60, or more than the calendar has.
        """
        secrets = secrets_of(self._flow)
        word(channel, Channel, "a channel")
        if not isinstance(days, int):
            raise InvalidConsent("a link works for a number of days")
        named = listed(purposes, str, "the purposes of a link are several texts")
        whose = self._flow.controller(controller)

        async def found(unit: Unit) -> tuple[ContactPoint, Meant]:
            customer, parties = await customer_at(unit, ref, None)
            contact = _named(ref, point, channel, parties, unit.now)
            return contact, await meant_by(unit, ref, customer, parties, contact)

        async def plan(unit: Unit) -> None:
            contact, _ = await found(unit)
            await ledger_of(unit, contact.kind, contact.key)

        asked = Asked(
            "unsubscribe.token", (channel,), (Whom(ref, point),), more=(topic, frozenset(named), controller)
        )
        await self._flow.commit(plan, asked=asked)
        unit = self._flow.reader()
        contact, meant = await found(unit)
        ticket = Ticket(
            point=await ledger_of(unit, contact.kind, contact.key),
            records=meant.records,
            beside=meant.beside,
            more=meant.more,
            known=tuple(sorted(one.value for one in new_keys(contact, whose, secrets))),
            controller=whose,
            channel=channel,
            topic=topic,
            purposes=named,
            issued_at=unit.now,
            expires_at=_in(days, unit.now),
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
        instead. Each record that the message was for has an act of its own, at the address or where it is by now.

        Raises:
            InvalidConsent: as `read`.
        """
        secrets = secrets_of(self._flow)

        async def plan(unit: Unit) -> ConsentEvent | None:
            ticket = read_ticket(token, secrets, unit.now)
            meant, ledger = await whose_now(unit, ticket)
            press = partial(unsubscribe_act, token, secrets, unit.now)
            carried = await _carried(unit, meant, ledger, press)
            if ledger is None or not ledger.holders:
                await _suppressed(unit, ticket)
                return carried
            return await _left(unit, meant, ledger, press)

        event = await self._flow.commit(plan, asked=Asked("unsubscribe.act", more=(token,)))
        # Where the address is suppressed instead, no ledger holds the act.
        return unsubscribe_act(token, secrets, self._flow.new_unit().now) if event is None else event


def _in(days: int, now: datetime) -> datetime:
    try:
        return now + timedelta(days=days)
    except OverflowError:
        raise InvalidConsent("a link ends within the calendar: let it work for fewer days") from None


def _named(
    ref: Reference, point: str | None, channel: Channel, parties: Sequence[Party], now: datetime
) -> ContactPoint:
    """The contact point that is meant, as decisions mean it, if it is one that can be left with a link."""
    normal = point_asked(ref, point, channel, parties, now)
    for one in (one for party in parties for one in party.contact_points):
        if one.key == normal and one.kind in NAMESPACES and one.kind in kinds_reached(channel):
            return one
    raise InvalidConsent(
        f"the customer has no contact point for {channel} that can be left with a link: add one first, or take "
        "another channel"
    )


async def _left(
    unit: Unit, meant: Sequence[str], ledger: LedgerMeant, press: Callable[..., ConsentEvent]
) -> ConsentEvent:
    """An act at the address of each record that the link was for and that has it; the first one.

    Where none of them has it any more it is one act, of whoever has it by now.
    """
    streams = [ledger.stream, *map(party_stream, ledger.holders)]
    await watched(unit, (), streams)
    earlier = await _acts(unit, streams)  # a Yes may have been given to the address, or by whoever has it
    own = [id for id in meant if id in ledger.holders]
    said: list[ConsentEvent] = []
    for record in own or ledger.holders[:1]:
        event = press(point=ledger.normal, earlier=earlier, record=record, each=bool(own))
        if event not in earlier:
            event = attrs.evolve(_after(unit, event, earlier), ledger=ledger.stream)
            unit.event(ledger.stream, event, subjects=ledger.holders, occurred_at=event.occurred_at)
        said.append(event)
    return said[0]


async def _carried(
    unit: Unit, meant: Sequence[str], ledger: LedgerMeant | None, press: Callable[..., ConsentEvent]
) -> ConsentEvent | None:
    """The act as one of each record that the link was for and that has given the address up; the first one, if any.

    Where nothing tells any more which address it was, it is about the person, by the channel of the link.
    """
    gone = [unit.ref(PARTY.tag, id) for id in meant if ledger is None or id not in ledger.holders]
    carried: list[ConsentEvent] = []
    for ref, record in (await unit.get(gone)).items():
        stream, party = party_stream(ref.id), load_record(PARTY, record)
        await watched(unit, [party])
        earlier = await said_in(unit, party)
        point = None if ledger is None else ledger.normal
        event = press(point=point, earlier=earlier, record=ref.id, each=True)
        if event not in earlier:
            event = (
                attrs.evolve(event, members=(ref.id,)) if ledger is None else gone_along(event, ledger.kind)
            )
            event = attrs.evolve(_after(unit, event, earlier), ledger=stream)
            unit.event(stream, event, subjects=(ref.id,), occurred_at=event.occurred_at)
        carried.append(event)
    return next(iter(carried), None)


def _after(unit: Unit, event: ConsentEvent, earlier: Iterable[ConsentEvent]) -> ConsentEvent:
    """*event*, before none of the acts *earlier*, by whichever clock they are dated; later than any, of a *unit* that
    dates it ahead."""
    times = [one.occurred_at for one in earlier]
    ahead = unit.dating == "ahead"
    at = later_than_any(event.occurred_at) if ahead else not_before(event.occurred_at, times)
    return attrs.evolve(event, occurred_at=at)


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
        alike = wanted == record.keys and entry.scope == ticket.scope
        # One that was lifted by a clock ahead of ours is over.
        if alike and entry.since <= unit.now and entry.until is None:
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
