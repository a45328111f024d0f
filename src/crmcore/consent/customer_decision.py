"""Deciding about a customer of several records: no merge makes a No into a Yes.

Invariant: the answer is the strictest over the records that own the contact point, each on its own facts, with every
record's No that is about the person, or about a point that the record gave up, also where one act was the No of several
records. Another record's Yes permits nothing; it lifts a No where both, and the record that is decided about, were one
customer when it was recorded. What was between another record and us stays with that record.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence, Set
from datetime import date, datetime
from typing import Any

import attrs

from crmcore.consent.case import BEGINNING
from crmcore.consent.decision import RANK, Decision, Question
from crmcore.consent.event import ConsentEvent
from crmcore.consent.facts import Facts, Subject
from crmcore.consent.request import Request
from crmcore.consent.told import replaced
from crmcore.consent.words import LIFTING, NOES
from crmcore.errors import InvalidConsent
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.personal import Document, personal


def _together(values: Iterable[str]) -> frozenset[str]:
    return frozenset(values)


def _listed(values: Iterable[str]) -> tuple[str, ...]:
    if isinstance(values, str | bytes):
        raise InvalidConsent("the jurisdictions of a member are several: put a single one into a list")
    return tuple(values)


@attrs.frozen(kw_only=True)
class Member(Document):
    """A record of a customer: the contact points that it owns, and what is known of it alone.

    Its *facts* hold the acts about its points that count for it, each No of whoever else has a point among them, and
    its own acts about the person. *since* is when it came to the customer; None for the record that the customer began
    with.
    """

    record: str
    points: frozenset[str] = personal(default=frozenset(), converter=_together)
    facts: Facts
    jurisdictions: tuple[str, ...] = attrs.field(default=(), converter=_listed)
    since: datetime | None = None


def decide_customer(
    request: Request, members: Sequence[Member], *, trace: bool = True, hashed: bool = False, **options: Any
) -> Decision:
    """May this be done to the customer? *options* are those of `decide`, but for the jurisdictions.

    Where no point is named, every record is asked.

    Raises:
        InvalidConsent: if no record owns the point, or one is told twice.
    """
    return answer(Question(request, **options), members, trace=trace, hashed=hashed)


def decide_each(
    request: Request, customers: Iterable[tuple[str | None, Sequence[Member]]], **options: Any
) -> Iterator[Decision]:
    """May this be done to each of many customers? Each is told by the contact point to use, and by its records.

    *options* are those of `decide`, but for the jurisdictions, *trace* and *hashed*: of each only what decides is
    worked out. One decision is given at a time, so there may be as many customers as there are.

    Raises:
        InvalidConsent: if no record of a customer owns its point, or one is told twice.
    """
    question = Question(request, **options)
    for point, members in customers:
        yield answer(question, members, point=point, again=True)


def answer(
    question: Question,
    members: Sequence[Member],
    *,
    point: str | None = None,
    trace: bool = True,
    hashed: bool = False,
    again: bool = False,
    hint: Hashable = None,
) -> Decision:
    """The strictest answer over the records that own *point*, or the point of the question.

    *again*: the question is put to many, of each of whom only what decides is worked out. *hint* is that of
    `Question.briefly`, of somebody with one record.
    """
    if len(members) > 1 and len({member.record for member in members}) < len(members):
        raise InvalidConsent("a record is told twice: tell all that is known of a record as one member")
    point = question.request.point if point is None else point
    owners = [member for member in members if point is None or point in member.points]
    if not owners:
        raise InvalidConsent("no record of this customer has that contact point: it must be one of theirs")
    jurisdictions = _jurisdictions(owners, members)

    def answered(member: Member) -> Decision:
        facts, joined = facts_of(member, members), joined_to(member, members)
        if again:
            return question.briefly(facts, jurisdictions, point=point, joined=joined, hint=hint)
        return question.of(facts, jurisdictions, point=point, joined=joined, trace=trace, hashed=hashed)

    if len(owners) == 1:
        return answered(owners[0])
    return min([answered(member) for member in owners], key=lambda one: RANK[one.answer])


def _jurisdictions(owners: Sequence[Member], members: Sequence[Member]) -> tuple[str, ...]:
    """All that may apply; the strict baseline too where an owner may be anywhere."""
    if len(members) == 1:
        return tuple(sorted(set(members[0].jurisdictions)))
    found = tuple(sorted({name for member in members for name in member.jurisdictions}))
    return found if all(member.jurisdictions for member in owners) else (*found, "*")


def facts_of(member: Member, members: Sequence[Member]) -> Facts:
    """What counts for one record: its own facts, and of the others what can only be a reason against."""
    others = [other for other in members if other.record != member.record]
    own = member.facts
    if not others:
        return own
    noes = {event.id: event for other in others for event in other.facts.events if _about_the_person(event)}
    known = [(event, noes.pop(event.id, None)) for event in own.events]
    events = [_for(member, _wider(event, there), members) for event, there in known]
    gone = {event.scope.point for event in noes.values()} - {None}
    zones = tuple(dict.fromkeys((*own.zones, *(name for other in others for name in other.facts.zones))))
    return replaced(
        own,
        events=(*events, *noes.values()),
        subject=_strictest(own.subject, [other.facts.subject for other in others]),
        attempts=(*own.attempts, *(one for other in others for one in other.facts.attempts)),
        zones=zones if own.zones else (),
        gpc=True if any(other.facts.gpc for other in others) else own.gpc,
        others_days=_days(others),
        others_under_age=any(other.facts.subject.adult is False for other in others),
        others_lifting=(*own.others_lifting, *_lifting(member, others, gone)),
        others_birth_dates=tuple(born for other in others for born in other.facts.subject.birth_dates),
    )


def joined_to(member: Member, members: Iterable[Member]) -> dict[str, datetime]:
    """For each record since when it and *member* are one customer: what was said before lifts no No for *member*."""
    own = member.since or BEGINNING
    return {one.record: max(own, one.since or BEGINNING) for one in members}


def _about_the_person(event: ConsentEvent) -> bool:
    """Whether it is a No about the person, or one about a contact point that the record has no more."""
    return event.kind in NOES and (event.scope.point is None or event.scope.given_up is not None)


def _wider(no: ConsentEvent, there: ConsentEvent | None) -> ConsentEvent:
    """*no*, or what another record keeps of it *there*, which gave up the contact point that it is about."""
    return no if there is None or there.scope.given_up is None else there


def _lifting(member: Member, others: Sequence[Member], gone: Set[str | None]) -> Iterator[ConsentEvent]:
    """Acts of the others about the person, or about points that are *gone*, that may lift a No, but for those that
    something stands for instead.

    A No that stands for *member* alone is lifted by none that came before they were one customer, also if it was said
    under the record of which that act is: it did not lift it then.
    """
    own = member.facts.events
    known = {event.id for event in own}
    shared = {event.record for event in own if event.kind in NOES and event.record != member.record}
    found: dict[str, ConsentEvent] = {}
    for other in others:
        corrected = {event.corrects for event in other.facts.events}
        joined = max(one.since or BEGINNING for one in (member, other))
        for event in other.facts.events:
            if (
                event.kind in LIFTING
                and (event.scope.point is None or event.scope.point in gone)
                and event.id not in corrected
                and event.id not in known
                and (event.record not in shared or (event.recorded_at or event.occurred_at) >= joined)
            ):
                found.setdefault(event.id, _for(member, event, (member, other)))
    yield from found.values()


def _for(member: Member, event: ConsentEvent, members: Iterable[Member]) -> ConsentEvent:
    """*event* as it counts for *member*: what was said before they were one customer takes back no No of others."""
    if not event.takes_back or event.record == member.record:
        return event
    since = [one.since or BEGINNING for one in members if one.record in (member.record, event.record)]
    apart = (event.recorded_at or event.occurred_at) < max(since, default=BEGINNING)
    return replaced(event, takes_back=()) if apart else event


def _strictest(own: Subject, others: Sequence[Subject]) -> Subject:
    """*own*, with what of the others stands against a contact whoever they are."""
    return replaced(own, deceased=own.deceased or any(one.deceased for one in others))


_DAYS = ("subject.restricted_since", "subject.erased_on", "facts.refused_in_call")


def _days(others: Iterable[Member]) -> FrozenMap[str, tuple[date, ...]]:
    """The days of the others, every one of them: an earlier one is not undone by one that is later or still to come."""
    found: dict[str, tuple[date, ...]] = {}
    for other in others:
        for path in _DAYS:
            root, _, name = path.partition(".")
            day = getattr(other.facts.subject if root == "subject" else other.facts, name)
            if day is not None:
                found[path] = (*found.get(path, ()), day)
    return FrozenMap(found)
