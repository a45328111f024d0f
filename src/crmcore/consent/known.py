"""What a party's own record tells for a decision: its points, its kind and age, where it may live.

Invariant: nothing is guessed. A number's country and an address's country are candidates, all of which are asked; a
person is taken for a consumer, whom laws protect most, until an app says more. A No about a contact point that a record
has no more holds for those that it has now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from crmcore.consent.event import ConsentEvent
from crmcore.consent.facts import Facts
from crmcore.consent.lifting import may_end
from crmcore.consent.reach import Reach, reach_of
from crmcore.consent.told import replaced
from crmcore.consent.words import NOES
from crmcore.party.party import Party


def points_of(party: Party) -> Iterator[tuple[str, str]]:
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
    points = frozenset([point.normal for point in reach.points])
    return replaced(told, subject=subject, events=(*told.events, *_carried(events, points)))


def _carried(events: tuple[ConsentEvent, ...], points: frozenset[str]) -> Iterable[ConsentEvent]:
    """*events*, where a No about a former point speaks of each of *points*. A Yes stays where it was said."""
    if all(event.scope.point is None or event.scope.point in points for event in events):
        return events
    return _spread(events, points)


def _spread(events: tuple[ConsentEvent, ...], points: frozenset[str]) -> Iterator[ConsentEvent]:
    for event in events:
        if event.scope.point is None or event.scope.point in points or event.kind not in NOES:
            yield event
        else:
            for point in sorted(points):
                yield attrs.evolve(event, scope=attrs.evolve(event.scope, point=point))


def outlasting(events: tuple[ConsentEvent, ...]) -> Iterator[ConsentEvent]:
    """The acts among *events*, about one contact point, that a record keeps when the point is no longer its own.

    Every No, but for one that the same record took back later, all of it and in so many words.
    """
    for no in events:
        if no.kind in NOES and not any(_undoes(event, no) for event in events):
            yield no


def _undoes(yes: ConsentEvent, no: ConsentEvent) -> bool:
    return (
        (yes.kind in ("give", "confirm") or (yes.kind == "lift" and may_end(yes, no)))
        and yes.occurred_at > no.occurred_at
        and yes.record == no.record
        and yes.scope.controller == no.scope.controller
        and (yes.scope.brand, yes.scope.topics) == (no.scope.brand, no.scope.topics)
        and yes.scope.recipients in (frozenset(), no.scope.recipients)
        and bool(no.scope.channels)
        and no.scope.channels <= yes.scope.channels
        and bool(no.scope.purposes)
        and no.scope.purposes <= yes.scope.purposes
    )
