"""`crm.preferences`: how people want to be contacted, and the page on which they say so.

Invariant: a wish stands in the ledger of the one record under which it was said, and counts for the whole customer. No
wish permits anything: a decision under wishes is never more than the decision without them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import attrs

from crmcore.app.asked import Asked, fields_of
from crmcore.app.consent_audience import audience
from crmcore.app.consent_ledgers import (
    append_act,
    ledgers_for,
    owner_of,
    said_for,
    time_of_no,
    wishes_of,
)
from crmcore.app.consent_members import Told, belonging_of, facts_told, members_for, told_by_id
from crmcore.app.consent_then import customer_at
from crmcore.app.consent_whose import taken_back
from crmcore.app.consents import AsyncConsents, points_then
from crmcore.app.flow import Flow
from crmcore.app.point_meant import point_asked, point_named, points_meant, record_named
from crmcore.app.resolve import Membership, Reference
from crmcore.app.unit import Unit, load_record, proven
from crmcore.app.whom import Whom
from crmcore.app.wishes_heard import Hearing
from crmcore.consent.act_texts import bounded
from crmcore.consent.audience import AudienceMember
from crmcore.consent.case import BEGINNING
from crmcore.consent.checking import together
from crmcore.consent.customer_decision import Member, facts_of, joined_to
from crmcore.consent.decision import Decision
from crmcore.consent.event import ConsentEvent, Evidence
from crmcore.consent.facts import Facts
from crmcore.consent.known import each_once, gone_along, points_of
from crmcore.consent.ledger import party_stream, wish_stream
from crmcore.consent.preference_centre import (
    Change,
    Offer,
    PreferenceCentre,
    centre_changes,
    preference_centre,
)
from crmcore.consent.request import Request
from crmcore.consent.topics import Topics
from crmcore.consent.wishes import WISH, Basis, Wish, Wished
from crmcore.consent.words import NOES, Channel, PointKind, Purpose
from crmcore.consent.zones import known_zones
from crmcore.errors import CrmError, InvalidConsent, NotFound, RuleViolation
from crmcore.party.party import Party
from crmcore.party.party_keys import PARTY
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.ids import Id
from crmcore.values.language import Language


@attrs.frozen
class AsyncPreferences:
    """How people want to be contacted: their wishes, a preference centre, and decisions under wishes."""

    _flow: Flow

    async def record(
        self,
        ref: Reference,
        wished: Wished,
        *,
        basis: Basis = "stated",
        purposes: Iterable[Purpose] = (),
        controller: str | None = None,
        said_at: datetime | None = None,
    ) -> Wish:
        """Record what somebody wishes, or with the *basis* ``inferred`` what is guessed of them.

        What is None in *wished* was not spoken of; what is empty is wanted no longer. It is about all *purposes* but
        transactions and notices of law, unless some are named, and stands under the record that *ref* names.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if it has not been said yet, is about what is no topic of the practice, or names a zone that
                there is not.
        """
        if not isinstance(wished, Wished):
            raise InvalidConsent("what somebody wishes is told as Wished(...)")
        if self._topics is not None:
            self._topics.check((wished.only_topics or frozenset()) | (wished.no_topics or frozenset()))
        about = together(purposes)

        async def plan(unit: Unit) -> Wish:
            _, parties = await customer_at(unit, ref, None)
            wish = Wish(
                id=str(unit.ids.new(Id)),
                record=await _record_of(unit, ref, parties),
                basis=basis,
                said_at=unit.now if said_at is None else said_at,
                recorded_at=unit.now,
                controller=self._flow.controller(controller),
                purposes=about,
                **{
                    field.name: getattr(wished, field.name)
                    for field in attrs.fields(Wished)
                    if field.name != "unknown"
                },
            )
            _append(unit, wish)
            return wish

        written = {
            **fields_of(wished),
            "purposes": about,
            "controller": self._flow.controller(controller),
            **({} if said_at is None else {"said_at": said_at}),
        }
        asked = Asked("preferences.record", (basis,), (Whom(ref),), (written,))
        return await self._flow.commit(plan, asked=asked)

    async def of(self, ref: Reference) -> tuple[Wish, ...]:
        """All wishes of a customer, of all records, in the order in which they were said.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
        """
        unit = self._flow.reader()
        customer, _ = await customer_at(unit, ref, None)
        return await wishes_of(unit, customer.members)

    async def centre(
        self,
        ref: Reference,
        offers: Iterable[Offer],
        *,
        points: Mapping[Channel, str] | None = None,
        controller: str | None = None,
        at: datetime | None = None,
    ) -> PreferenceCentre:
        """What a customer gets and wishes, to be shown: a line for each of *offers*, by the topics of the practice.

        *points* names the contact point of each channel that the lines are about, however it is written; a line of a
        channel without one is about the person.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if offers overlap or are about what is no topic, no record of the customer has one of the
                *points*, or it is none that its channel reaches.
        """
        unit = self._flow.reader()
        customer, parties = await customer_at(unit, ref, None)
        if points is not None and not isinstance(points, Mapping):
            raise InvalidConsent(
                "the points of a centre are told by channel, such as {'email': 'ann@x.example'}"
            )
        named: dict[Channel, str] = {
            channel: point_named(said, (channel,), parties) for channel, said in (points or {}).items()
        }
        shown = preference_centre(
            controller=self._flow.controller(controller),
            offers=offers,
            at=unit.now if at is None else at,
            points=named,
            topics=self._topics,
            **await _said(unit, customer, parties),
        )
        return attrs.evolve(shown, holders=FrozenMap(_holders(named, parties)))

    async def change(
        self,
        ref: Reference,
        before: PreferenceCentre,
        after: PreferenceCentre,
        *,
        evidence: Evidence | None,
    ) -> Change:
        """Record what somebody has changed in the centre, if anything: acts with their *evidence*, and a wish.

        *before* is what they were shown, read before a batch with a key, which knows a change again by both. Whatever
        was changed since, what they see as off is off; at a contact point that was left, for whoever left it.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: if the two are not of one centre, or a Yes (`crm.consent.record`) or a wish (`record`) is
                refused: what they turned off is recorded then, and nothing else; of a batch nothing.
        """
        if not isinstance(before, PreferenceCentre) or not isinstance(after, PreferenceCentre):
            raise InvalidConsent("what they were shown and what they chose are preference centres")

        refused: list[CrmError] = []

        async def plan(unit: Unit) -> list[ConsentEvent | Wish]:
            refused.clear()
            customer, parties = await customer_at(unit, ref, None)
            latest = await time_of_no(unit, unit.now, parties, ())
            changes = partial(
                centre_changes,
                before,
                current=await _as_it_stands(unit, before, latest, customer, parties),
                at=unit.now,
                new_id=lambda: str(unit.ids.new(Id)),
                evidence=evidence,
                record=await _record_of(unit, ref, parties),
                members=tuple(map(str, customer.members)),
            )
            wrong: CrmError | None = None
            try:
                changed = changes(after)
            except RuleViolation as error:  # of the page, then it is raised again, or of a wish
                changed, wrong = changes(attrs.evolve(after, wishes=before.wishes)), error
            noes = [attrs.evolve(one, occurred_at=latest) for one in changed.events if one.kind in NOES]
            said = [act for no in noes for act in await _record(unit, no, before, parties)]
            mark = unit.mark()
            try:
                if wrong is not None:
                    raise wrong
                return said + await _beside(unit, changed, before, parties)
            except (NotFound, RuleViolation) as error:  # no No is lost by what comes along with it
                if not said or self._flow.unit is not None:  # a verb that fails leaves nothing in a batch
                    raise
                unit.undo(mark)
                refused.append(error)
                return said

        asked = _asked(ref, before, after, evidence)
        said = await self._flow.commit(plan, asked=asked)
        if refused:
            refused[0].add_note("what they turned off is recorded")
            raise refused[0]
        events = tuple(one for one in said if isinstance(one, ConsentEvent))
        return Change(events=events, wish=next((one for one in said if isinstance(one, Wish)), None))

    async def decide(
        self,
        ref: Reference,
        *,
        purpose: Purpose,
        channel: Channel,
        point: str | None = None,
        controller: str | None = None,
        facts: Told | None = None,
        at: datetime | None = None,
        known_at: datetime | None = None,
        language: Language | None = None,
        **asked: Any,
    ) -> Decision:
        """The decision of `crm.consent.decide` under the wishes of the customer: never more than that.

        Caps count what went out by the timelines of all records, and the attempts in *facts*, each contact once. Quiet
        hours go by the zones in *facts*; of a record of whom they name none, by its own. *language* is that of the
        message. Where both the law and a wish ask to wait, *retry_at* is the later of the two: ask again then. A wish
        about what a message is taken for counts as one about what it is sent as.

        Raises:
            NotFound: if nothing answers to *ref*.
            AmbiguousReference: if it fits several customers.
            InvalidConsent: as `crm.consent.decide` says.
        """
        unit = self._flow.reader()
        moment = unit.now if at is None else at
        of_law: dict[str, Any] = {"point": point, "controller": controller, "facts": facts, "at": moment}
        decision = await AsyncConsents(self._flow).decide(
            ref, purpose=purpose, channel=channel, known_at=known_at, **of_law, **asked
        )
        customer, parties = await customer_at(unit, ref, known_at)
        of_request = ("brand", "topic", "hours")
        return await Hearing(language, self._topics, known_at).hear(
            unit,
            Request(
                controller=self._flow.controller(controller),
                channel=channel,
                purpose=purpose,
                at=moment,
                **{name: asked[name] for name in of_request if name in asked},
            ),
            decision,
            await wishes_of(unit, customer.members),
            {party: facts_told(told_by_id(facts), party.id) for party in parties},
            await _joined(unit, customer, known_at),
            point_asked(ref, point, channel, parties, moment),
        )

    async def audience(
        self,
        refs: Iterable[Reference] | None = None,
        *,
        purpose: Purpose,
        channel: Channel,
        language: Language | None = None,
        **asked: Any,
    ) -> AsyncIterator[AudienceMember]:
        """The audience of `crm.consent.audience`, each decision under the wishes of the customer, as in `decide`.

        Of several contact points the one is told that may be used also by the wishes. *asked* is all that
        `crm.consent.audience` takes beside.

        Raises:
            InvalidConsent: as `crm.consent.audience` says.
        """
        hearing = Hearing(language, self._topics, asked.get("known_at"))
        async for one in audience(
            self._flow, refs, purpose=purpose, channel=channel, hearing=hearing, **asked
        ):
            yield one

    @property
    def _topics(self) -> Topics | None:
        return None if self._flow.practice is None else self._flow.practice.topics


async def _record_of(unit: Unit, ref: Reference, parties: Sequence[Party]) -> str:
    """The record that *ref* names, or another of the customer; it must be there until the commit."""
    return str((await owner_of(unit, [record_named(ref, parties), *parties], None)).id)


def _asked(
    ref: Reference, before: PreferenceCentre, after: PreferenceCentre, evidence: Evidence | None
) -> Asked:
    """What a change of the centre is known by: the lines that were turned, which are the company's, and the wishes."""
    lines = zip(before.choices, after.choices, strict=False)
    turned = [(new.offer, old.state, new.state) for old, new in lines if old.state != new.state]
    acts = [
        {
            "kind": "give" if state == "on" else "withdraw",
            "evidence": evidence,
            "scope": {
                "controller": before.controller,
                "channels": frozenset({offer.channel}),
                "purposes": frozenset({offer.purpose}),
                "point": before.points.get(offer.channel),
            },
        }
        for offer, _, state in turned
    ]
    wished = fields_of(after.wishes)
    changed = {
        name: one for name, one in wished.items() if one is not None and one != getattr(before.wishes, name)
    }
    wish = [{**changed, "controller": before.controller}] if changed else []
    return Asked(
        "preferences.change", (turned,), (Whom(ref),), (*acts, *wish), more=(before, after, evidence)
    )


def _append(unit: Unit, wish: Wish) -> None:
    if wish.said_at > unit.now:
        raise InvalidConsent("a wish is recorded when it has been said: this one lies in the future")
    known_zones(wish, None, tuple(quiet.zone for quiet in wish.quiet or () if quiet.zone is not None))
    proven(WISH, wish, InvalidConsent)
    unit.event(wish_stream(wish.record), wish, subjects=(wish.record,), occurred_at=wish.said_at)


async def _beside(
    unit: Unit, changed: Change, before: PreferenceCentre, parties: Sequence[Party]
) -> list[ConsentEvent | Wish]:
    """Append what is no No: acts, and a wish."""
    said: list[ConsentEvent | Wish] = []
    for event in changed.events:
        if event.kind not in NOES:
            said += await _record(unit, event, before, parties)
    if changed.wish is not None:
        _append(unit, changed.wish)
        said.append(changed.wish)
    return said


async def _record(
    unit: Unit, event: ConsentEvent, before: PreferenceCentre, parties: Sequence[Party]
) -> list[ConsentEvent | Wish]:
    """Append an act of the centre, and what is carried along of it."""
    recorded = await _recorded(unit, event, parties)
    return [recorded, *await _carried(unit, recorded, before, parties)]


async def _recorded(unit: Unit, event: ConsentEvent, parties: Sequence[Party]) -> ConsentEvent:
    """Append an act of the centre to its ledgers, under a record that has its contact point.

    A No about one that they left since they were shown it is one of the person, so that it goes with them.
    """
    about, (channel,) = event.scope.point, event.scope.channels
    if event.kind in NOES and about not in {
        None,
        *(normal for one in parties for _, normal in points_of(one)),
    }:
        about, everyone = None, tuple(str(one.id) for one in parties)
        event = attrs.evolve(event, scope=attrs.evolve(event.scope, point=None), members=everyone)
    owners = [
        one
        for one in parties
        if about is None or about in {normal for _, normal in points_meant(None, channel, points_of(one))}
    ]
    if not owners:
        raise InvalidConsent("no record of this customer has a contact point of the preference centre")
    named = [one for one in parties if str(one.id) == event.record]
    owner = await owner_of(unit, [*named, *owners], about, kind=event.kind)
    streams = await ledgers_for(unit, event.kind, owner, about, event.members)
    scope = attrs.evolve(event.scope, points=points_then(event.kind, about, owner))
    event = attrs.evolve(
        bounded(event),
        scope=scope,
        record=str(owner.id),
        members=said_for(event.kind, owners, about, event.members),
        actor=unit.actor,
        ledger=streams[0],
        takes_back=await taken_back(unit, event.kind, about, parties),
    )
    proven(unit.codecs["consent.event"], event, InvalidConsent)
    append_act(unit, event, streams)
    return event


async def _carried(
    unit: Unit, event: ConsentEvent, before: PreferenceCentre, parties: Sequence[Party]
) -> list[ConsentEvent]:
    """A No at a contact point as one of each record that had it when they were shown it, and gave it up since."""
    about, (channel,) = event.scope.point, event.scope.channels
    if event.kind not in NOES or about is None:
        return []
    held = before.holders.get(channel, ())
    refs = [unit.ref(PARTY.tag, one.id) for one in parties if str(one.id) in held]
    kind: PointKind = next(one for party in parties for one, normal in points_of(party) if normal == about)
    carried = []
    for ref, record in (await unit.get(refs)).items():
        if any(normal == about for _, normal in points_of(load_record(PARTY, record))):
            continue
        stream = party_stream(ref.id)
        own = attrs.evolve(event, id=f"{event.id}:{ref.id}", record=ref.id, members=(), ledger=stream)
        carried.append(gone_along(own, kind))
        append_act(unit, carried[-1], (stream,))
    return carried


def _holders(points: Mapping[Channel, str], parties: Sequence[Party]) -> dict[Channel, tuple[str, ...]]:
    """By channel the records that have the contact point of its lines."""
    return {
        channel: tuple(str(one.id) for one in parties if any(normal == about for _, normal in points_of(one)))
        for channel, about in points.items()
    }


async def _said(unit: Unit, customer: Membership, parties: Sequence[Party]) -> dict[str, Any]:
    """All that a preference centre is read from."""
    members = await members_for(unit, customer, parties, Facts(), ())
    return {
        "events": each_once(event for one in members for event in one.facts.events),
        "owners": _by_point(members),
        "wishes": await wishes_of(unit, customer.members),
        "joined": {one.record: one.since or BEGINNING for one in members},
    }


async def _as_it_stands(
    unit: Unit, before: PreferenceCentre, at: datetime, customer: Membership, parties: Sequence[Party]
) -> PreferenceCentre:
    """The centre that was shown *before*, with what stands by now."""
    return preference_centre(
        controller=before.controller,
        offers=[choice.offer for choice in before.choices],
        at=at,
        points=before.points,
        topics=before.topics,
        **await _said(unit, customer, parties),
    )


def _by_point(members: Sequence[Member]) -> dict[str, list[Facts]]:
    """For each contact point what counts for each of the records that have it, as a decision goes by it."""
    found: dict[str, list[Facts]] = {}
    for one in members:
        facts = attrs.evolve(facts_of(one, members), joined=FrozenMap(joined_to(one, members)))
        for normal in one.points:
            found.setdefault(normal, []).append(facts)
    return found


async def _joined(unit: Unit, customer: Membership, known_at: datetime | None) -> Mapping[str, datetime]:
    return {str(id): since for id, since in (await belonging_of(unit, customer, known_at)).items()}
