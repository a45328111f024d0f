"""What a party's own record tells for a decision: its points, its kind and age, where it may live.

Invariant: nothing is guessed. A number's country and an address's country are candidates, all of which are asked; a
person is taken for a consumer, whom laws protect most, until an app says more. A No about a contact point that a record
has no more holds for those that it has now; a Yes about it permits nothing there, and lifts that No if it did before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.facts import Facts
from crmcore.consent.reach import Reach, reach_of
from crmcore.consent.speaking import meant
from crmcore.consent.told import replaced
from crmcore.consent.words import LIFTING, NOES
from crmcore.party.party import Party
from crmcore.values.instant import micros_of


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
    if all(event.scope.point is None or event.scope.point in points for event in events):
        return replaced(told, subject=subject, events=(*told.events, *events))
    return replaced(
        told,
        subject=subject,
        events=(*told.events, *_spread(events, points)),
        others_lifting=(*told.others_lifting, *_lifting(events, points)),
    )


def _spread(events: tuple[ConsentEvent, ...], points: frozenset[str]) -> Iterator[ConsentEvent]:
    """*events*, where a No about a former point speaks of each of *points*. A Yes stays where it was said."""
    for event in events:
        if event.scope.point is None or event.scope.point in points or event.kind not in NOES:
            yield event
        else:
            yield from _moved(event, event.scope, points)


def _lifting(events: tuple[ConsentEvent, ...], points: frozenset[str]) -> Iterator[ConsentEvent]:
    """What was said of a former point and may lift a No that was, as said of each of *points*; nothing that another act
    stands for instead."""
    corrected = {event.corrects for event in events}
    requests = sorted(
        ((micros_of(one.occurred_at), one) for one in events if one.kind == "request"),
        key=lambda pair: pair[0],
    )
    for event in events:
        former = event.scope.point is not None and event.scope.point not in points
        if former and event.kind in LIFTING and event.id not in corrected:
            yield from _moved(event, meant(event, requests), points)


def _moved(event: ConsentEvent, scope: Scope, points: frozenset[str]) -> Iterator[ConsentEvent]:
    for point in sorted(points):
        yield attrs.evolve(event, scope=attrs.evolve(scope, point=point))


def outlasting(events: Iterable[ConsentEvent]) -> Iterator[ConsentEvent]:
    """The acts among *events*, about one contact point, that a record keeps when the point is no longer its own.

    Every No, and what may have lifted it since: whether it has is for each decision to say.
    """
    said = tuple(events)
    first = min((event.occurred_at for event in said if event.kind in NOES), default=None)
    if first is None:
        return
    for event in said:
        since = event.kind in LIFTING and event.occurred_at > first
        if since or event.kind in NOES or event.kind == "request" or event.corrects is not None:
            yield event
