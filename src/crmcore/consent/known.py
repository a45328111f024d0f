"""What a party's own record tells for a decision: its points, its kind and age, where it may live.

Invariant: nothing is guessed. A number's country and an address's country are candidates, all of which are asked; a
person is taken for a consumer, whom laws protect most, until an app says more. A record keeps each No about a contact
point that it gives up, with the kind of that point and with what may have lifted the No.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from crmcore.consent.event import ConsentEvent
from crmcore.consent.facts import Facts
from crmcore.consent.reach import Reach, reach_of
from crmcore.consent.told import replaced
from crmcore.consent.words import LIFTING, NOES, PointKind
from crmcore.party.party import Party


def points_of(party: Party) -> Iterator[tuple[PointKind, str]]:
    """The kind and the normal form of every contact point."""
    for point in party.contact_points:
        yield point.kind, point.key


def jurisdictions_of(party: Party) -> Iterator[str]:
    """Countries, and states of the United States, that addresses and numbers point at."""
    yield from reach_of(party).jurisdictions


def facts_of_record(reach: Reach, told: Facts, events: tuple[ConsentEvent, ...]) -> Facts:
    """*told*, filled in with what the record and its ledgers say."""
    subject, filled = told.subject, dict[str, Any]()
    if subject.kind is None and reach.kind is not None:
        filled["kind"] = reach.kind
    if reach.birth_date is not None and not subject.birth_dates:
        filled["birth_dates"] = (reach.birth_date,)
    if filled:
        subject = replaced(subject, **filled)
    return replaced(told, subject=subject, events=(*told.events, *events))


def outlasting(events: Iterable[ConsentEvent], kind: PointKind) -> Iterator[ConsentEvent]:
    """What a record keeps of *events*, about one contact point of that *kind*, when the point is no longer its own.

    Every No, which goes along to the points that are left, and what may have lifted it since: whether it has is for
    each decision to say.
    """
    said = tuple(events)
    first = min((event.occurred_at for event in said if event.kind in NOES), default=None)
    if first is None:
        return
    for event in said:
        since = event.kind in LIFTING and event.occurred_at > first
        if event.kind in NOES:
            yield gone_along(event, kind)
        elif since or event.kind == "request" or event.corrects is not None:
            yield event


def gone_along(no: ConsentEvent, kind: PointKind) -> ConsentEvent:
    """A No about a contact point of that *kind*, as a record keeps it that has the point no more."""
    return attrs.evolve(no, scope=attrs.evolve(no.scope, given_up=kind))
