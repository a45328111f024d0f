"""`crm.consent`: what people said about being contacted, and may we: for this, this way, now, and why.

Invariant: a reference that leads to nobody is an error, never a permission. A No about an address is of the address,
whichever record has it, and a Yes of who said it; an act about a person is of every record that the customer had then.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs

from crmcore.app.asked import Asked, ToldAt, fields_of
from crmcore.app.consent_asking import known_customer, request_of, ways
from crmcore.app.consent_audience import audience
from crmcore.app.consent_ledgers import append_act, ledgers_for, owner_of, said_for, time_of_no, told_already
from crmcore.app.consent_members import Told
from crmcore.app.consent_then import customer_at
from crmcore.app.consent_told import Portions, Teller, tellers
from crmcore.app.consent_whose import acts_of, taken_back
from crmcore.app.flow import Flow
from crmcore.app.point_meant import point_asked, point_named, record_named
from crmcore.app.resolve import Reference
from crmcore.app.unit import Unit, proven
from crmcore.app.whom import Whom
from crmcore.consent.act_texts import bounded
from crmcore.consent.audience import AudienceMember
from crmcore.consent.checking import fields_told, listed, together, word
from crmcore.consent.clocks import SKEW, shown_by
from crmcore.consent.consent_matrix import ConsentMatrix, matrix_row, message_for
from crmcore.consent.decision import Decision
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.known import points_of
from crmcore.consent.policy import Policy
from crmcore.consent.request import Message, Use
from crmcore.consent.words import NOES, YESES, ActKind, ActPurpose, Channel, Purpose
from crmcore.errors import InvalidConsent
from crmcore.party.party import Party
from crmcore.values.ids import Id


@attrs.frozen
class AsyncConsents:
    """What people said about being contacted, and decisions about contact."""

    _flow: Flow

    async def record(
        self,
        kind: ActKind,
        ref: Reference,
        *,
        purposes: Iterable[ActPurpose] = (),
        channels: Iterable[Channel] = (),
        point: str | None = None,
        controller: str | None = None,
        evidence: Evidence | None = None,
        occurred_at: datetime | None = None,
        brand: str | None = None,
        topics: Iterable[str] = (),
        recipients: Iterable[str] = (),
        right: str | None = None,
        **facts: Any,
    ) -> ConsentEvent:
        """Record what somebody did: give, refuse, withdraw, object, ...

        *point* is the address or number that it is about; a *ref* that is one stands for itself if the *channels* reach
        it, and a number without its extension for the one that has it. Without one it is about the person, whatever way
        they are reached; a Yes then goes to the points that the record has now, not to later ones. A No by channels
        that do not all reach the address by which somebody was named is about the person; a Yes by further ones that
        need no point (``in_app``) is, too, but goes to that address alone. A No by an address that several customers
        have is one of each, and the first act is given back; one by an id without a *point* is that customer's alone.
        *controller* is whom it was said to: this crm's own, if nothing is said. *occurred_at* is now; a No of about now
        is as late as what was recorded already. *facts* are further fields of `ConsentEvent`; *right* is one of a pack.

        Raises:
            NotFound: if nothing answers to *ref*; to a No also records that were taken back do by their addresses.
            AmbiguousReference: if it fits several customers, and is no address of theirs or the act is no No.
            InvalidConsent: if no record of the customer has the *point*, the *channels* do not reach it, it may be
                several numbers, as of two countries or extensions, the act has not happened yet, it is a Yes under a
                record that was taken back, it is about no topic of the practice, no law knows the *right*, one of its
                fields is of another type, or filled in by this crm, or its texts are too long (those of a No are cut).
            StoreError: if the store fails; of a No of more customers than one batch holds a part may be recorded then.
        """
        _check_facts(facts)
        word(kind, ActKind, "an act")
        topics = together(topics)
        _check_known(self._flow, topics, right)
        scope = Scope(
            controller=self._flow.controller(controller),
            brand=brand,
            channels=channels,
            purposes=purposes,
            topics=topics,
            recipients=recipients,
            right=right,
        )
        portions = Portions(at_once=self._flow.unit is not None)

        async def told(unit: Unit, teller: Teller) -> ConsentEvent:
            customer, parties, (about, only), scope = teller
            owners = _owners(parties, about, ref)
            owner = await owner_of(unit, [record_named(ref, parties), *owners], about or only, kind=kind)
            members = tuple(str(one) for one in customer.members)
            streams = await ledgers_for(unit, kind, owner, about, members)
            event = ConsentEvent(
                id=str(unit.ids.new(Id)),
                kind=kind,
                occurred_at=unit.now if occurred_at is None else occurred_at,
                recorded_at=unit.now,
                scope=attrs.evolve(scope, point=about, points=points_then(kind, about, owner, only)),
                evidence=evidence,
                record=str(owner.id),
                members=said_for(kind, owners, about, members),
                actor=unit.actor,
                ledger=streams[0],
                takes_back=await taken_back(unit, kind, about, parties),
                **facts,
            )
            event = bounded(await _dated(unit, event, parties, streams, told=occurred_at is not None))
            proven(unit.codecs["consent.event"], event, InvalidConsent)
            append_act(unit, event, streams)
            return event

        async def plan(unit: Unit) -> ConsentEvent | None:
            meant = portions.next(await tellers(unit, kind, ref, point, scope))
            return next(iter([await told(unit, one) for one in meant]), None)

        written = {"scope": fields_of(scope, "point", "points"), "evidence": evidence, **facts}
        written |= _time_told(kind, occurred_at)
        asked = Asked("consent.record", (kind,), (Whom(ref, point),), (written,))
        first = await portions.each(lambda: self._flow.commit(plan, asked=asked))
        assert first is not None  # for the type checker: somebody tells it, or it was refused
        return first

    async def withdraw(self, ref: Reference, **said: Any) -> ConsentEvent:
        """Record that somebody took consent back. *said* is as `record` takes it."""
        return await self.record("withdraw", ref, **said)

    async def events(self, ref: Reference) -> tuple[ConsentEvent, ...]:
        """All acts of a customer, in the order of their times; of others who have a contact point no more each No."""
        unit = self._flow.reader()
        _, parties = await customer_at(unit, ref, None)
        found = {event.id: event for acts in await acts_of(unit, parties) for event in acts}
        return tuple(sorted(found.values(), key=lambda event: (event.occurred_at, event.id)))

    async def decide(
        self,
        ref: Reference,
        *,
        purpose: Purpose,
        channel: Channel,
        point: str | None = None,
        controller: str | None = None,
        message: Message | None = None,
        use: Use | None = None,
        facts: Told | None = None,
        jurisdictions: Sequence[str] = (),
        policy: Policy | None = None,
        at: datetime | None = None,
        known_at: datetime | None = None,
        **asked: Any,
    ) -> Decision:
        """May this customer be contacted for *purpose* through *channel*, at *at* (now, if nothing is said)?

        It is about the *point*, or about *ref* itself where that is an address that the channel reaches, or else about
        the one point that the channel reaches and that may be used; about the person where it needs none (``push``,
        ``in_app``). It is denied at a point that a record marks as unusable, that is not valid then or was read as no
        address or number, and where all records were taken back. *facts* are what the app knows beside the ledgers: of
        the customer, or of each of its records, by its id: what was between one record and us says nothing of another;
        what is told of records of others is theirs alone. *jurisdictions* are those that may apply beside what
        addresses and numbers tell. *asked* are further fields of `Request`. What is left open and the `Practice` tells
        is filled in. With *known_at*: as it was known then, by the acts, the records and the merges that there were;
        *ref*, and lists of suppressed addresses, are those of today. It hears no wishes: `crm.preferences.decide` does.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if the customer has several points for the channel and none is named, or has not this one,
                or the channel does not reach it, a jurisdiction is no code, or *facts* are told of no id of one.
        """
        unit = self._flow.reader()
        customer, parties = await customer_at(unit, ref, known_at)
        request = request_of(
            self._flow,
            purpose,
            channel,
            controller,
            message,
            use,
            at=unit.now if at is None else at,
            **asked,
        )
        request = request.to(point_asked(ref, point, channel, parties, request.at))
        known = await known_customer(
            self._flow,
            unit,
            customer,
            parties,
            facts,
            jurisdictions,
            request.controller,
            point=request.point,
            known_at=known_at,
        )
        return known.decide(request, policy=policy, known_at=known_at)

    async def matrix(
        self,
        ref: Reference,
        *,
        purposes: Sequence[Purpose] = ("marketing", "service", "transactional"),
        channels: Sequence[Channel] | None = None,
        point: str | None = None,
        controller: str | None = None,
        message: Message | Mapping[Purpose, Message] | None = None,
        use: Use | None = None,
        facts: Told | None = None,
        jurisdictions: Sequence[str] = (),
        policy: Policy | None = None,
        at: datetime | None = None,
        known_at: datetime | None = None,
        **asked: Any,
    ) -> ConsentMatrix:
        """All that this customer may be contacted for, and how: what `decide` answers for each purpose, each channel
        and each contact point that it reaches, or for one *point* alone.

        Without *channels* it is about those by which the customer has a contact point. *message* is what is to be said,
        for all purposes or for each; of a purpose of which nothing is told it promotes something in marketing and
        nothing in service. The rest is as `decide` takes it; wishes are not heard.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if a purpose, a channel or a jurisdiction is none, or no record of the customer has the
                *point*, or none of the *channels* reaches it.
        """
        unit = self._flow.reader()
        customer, parties = await customer_at(unit, ref, known_at)
        about = None if point is None else point_named(point, channels or (), parties)
        now, whom = unit.now if at is None else at, self._flow.controller(controller)
        known = await known_customer(
            self._flow,
            unit,
            customer,
            parties,
            facts,
            jurisdictions,
            whom,
            point=None,
            known_at=known_at,
        )
        requests = [
            request_of(
                self._flow,
                purpose,
                channel,
                controller,
                message_for(purpose, message),
                use,
                at=now,
                point=reached,
                **asked,
            )
            for purpose in listed(purposes, str, "the purposes of a matrix are several texts")
            for channel, reached in ways(parties, channels, about)
        ]
        rows = [matrix_row(one, known.decide(one, policy=policy, known_at=known_at)) for one in requests]
        return ConsentMatrix(controller=whom, at=now, known_at=known_at, rows=tuple(rows))

    async def audience(
        self,
        refs: Iterable[Reference] | None = None,
        *,
        purpose: Purpose,
        channel: Channel,
        controller: str | None = None,
        message: Message | None = None,
        use: Use | None = None,
        facts: Told | None = None,
        jurisdictions: Sequence[str] = (),
        policy: Policy | None = None,
        at: datetime | None = None,
        known_at: datetime | None = None,
        **asked: Any,
    ) -> AsyncIterator[AudienceMember]:
        """Whom of all customers, or of those that *refs* mean, may be contacted: one after the other, each once.

        Each has the answer that `decide` would give now, without its trace, several times faster; of several contact
        points the one that may be used, unless they are named by one of them; who has none is ``unreachable``. All else
        is as in `decide`, wishes unheard (`crm.preferences.audience` hears them), but that whoever cannot be decided
        about is told of with a *barrier*, so that one wrong reference does not end the work; and that *known_at* leaves
        out acts alone: records and merges are those of today. Its memory grows with ids that are named alone. Without
        *at*, each page of customers is decided about as it is when it is read: a No that comes while you go through
        them counts for those that are still to come.

        Raises:
            InvalidConsent: if *refs* is a single text, or one of them is neither a text nor a `Source`, a jurisdiction
                is no code, or *facts* are told of what is no id of a record.
        """
        async for one in audience(
            self._flow,
            refs,
            purpose=purpose,
            channel=channel,
            controller=controller,
            message=message,
            use=use,
            facts=facts,
            jurisdictions=jurisdictions,
            policy=policy,
            at=at,
            known_at=known_at,
            **asked,
        ):
            yield one


_FILLED_IN = frozenset(
    {"id", "recorded_at", "scope", "record", "members", "actor", "ledger", "takes_back", "alone"}
)
"""What this crm tells of an act itself: no app says for whom a Yes or a No counts."""

_TOLD = {one.name for one in attrs.fields(ConsentEvent)} - _FILLED_IN
_BESIDE = _TOLD - {"type", "unknown", "kind", "occurred_at", "evidence"}
"""What an app may tell of an act beside what `record` names."""


def _check_facts(facts: Mapping[str, Any]) -> None:
    """Refuse what no app says of an act."""
    found = sorted(_FILLED_IN.intersection(facts))
    if found:
        raise InvalidConsent(f"{' and '.join(found)} of an act is filled in by this crm: leave it out")
    fields_told(facts, _BESIDE, "an act")


def _time_told(kind: str, at: datetime | None) -> dict[str, Any]:
    """The time that was told of an act, as something that it has: a No may be recorded with a later one."""
    return {} if at is None else {"occurred_at": ToldAt(at) if kind in NOES else at}


async def _dated(
    unit: Unit, event: ConsentEvent, parties: Sequence[Party], streams: Iterable[str], *, told: bool
) -> ConsentEvent:
    """*event* with the time that it has. A No of about now is before nothing that was recorded already, but for one
    that is told again, which keeps its time: what was said since stands.

    Raises:
        InvalidConsent: if it lies in the future.
    """
    ahead = event.occurred_at - unit.now
    if ahead > timedelta() and (event.kind not in NOES or ahead > SKEW):
        raise InvalidConsent("an act is recorded when it has happened: this one lies in the future")
    about_now = event.kind in NOES and shown_by(event.occurred_at, unit.now) == unit.now
    if about_now and not (told and await told_already(unit, event)):
        at = min(event.occurred_at, unit.now)
        event = attrs.evolve(event, occurred_at=await time_of_no(unit, at, parties, streams))
    return event


def _check_known(flow: Flow, topics: frozenset[str], right: str | None) -> None:
    """Refuse topics that the practice does not know, and a right that no law does."""
    if flow.practice is not None and flow.practice.topics is not None:
        flow.practice.topics.check(topics)
    if right is not None:
        flow.known_laws().check_right(right)


def _owners(parties: Sequence[Party], about: str | None, ref: Reference) -> list[Party]:
    """The records under which an act may stand: the one that was named, if it has the point, then others that have."""
    owners = [p for p in parties if about is None or about in {normal for _, normal in points_of(p)}]
    named = record_named(ref, owners)
    return sorted(owners, key=lambda party: party is not named)


def points_then(
    kind: ActKind, about: str | None, owner: Party, only: str | None = None
) -> frozenset[str] | None:
    """A Yes about the person reaches the points that the record has, or *only* one, and none that it will have."""
    if about is not None or kind not in YESES:
        return None
    return frozenset(normal for _, normal in points_of(owner) if only in (None, normal))
