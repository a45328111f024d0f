"""What a party's own record tells for a decision: its points, its kind and age, where it may live.

Invariant: nothing is guessed. A number's country and an address's country are candidates, all of which are asked; a
person is taken for a consumer, whom laws protect most, until an app says more. A No about a contact point that a record
has no more holds for those that it has now, and where no point is asked about; a Yes about it permits nothing there,
and lifts that No if it did before, but no other one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.facts import Facts
from crmcore.consent.reach import Reach, reach_of
from crmcore.consent.speaking import meant
from crmcore.consent.told import replaced
from crmcore.consent.words import CHANNELS_OF, LIFTING, NOES
from crmcore.party.party import Party
from crmcore.values.frozen_map import FrozenMap
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
    former = {
        event.id: event.scope.point
        for event in events
        if event.scope.point is not None and event.scope.point not in points
    }
    if not former:
        return replaced(told, subject=subject, events=(*told.events, *events))
    return replaced(
        told,
        subject=subject,
        events=(*told.events, *_spread(events, former, points)),
        others_lifting=(*told.others_lifting, *_lifting(events, former, points)),
        former_points=FrozenMap({**told.former_points, **former}),
    )


def _spread(
    events: tuple[ConsentEvent, ...], former: Mapping[str, str], points: frozenset[str]
) -> Iterator[ConsentEvent]:
    """*events*, and each No about a former point as said of each of *points* too, by the ways that reached the former
    one. A Yes stays where it was said."""
    for event in events:
        yield event
        if event.kind in NOES and event.id in former:
            channels = event.scope.channels or _channels_of(former[event.id])
            yield from _moved(event, attrs.evolve(event.scope, channels=channels), points)


_FORMS = ((re.compile(r"[^\s@:]+@[^\s@:]+"), "email"), (re.compile(r"\+[0-9]+(x[0-9]+)?"), "phone"))


def _channels_of(former: str) -> frozenset[Any]:
    """By which channels a former point was reached, as far as its form shows; none if it may be any."""
    kind = next((kind for form, kind in _FORMS if form.fullmatch(former)), None)
    return frozenset() if kind is None else CHANNELS_OF[kind]


def _lifting(
    events: tuple[ConsentEvent, ...], former: Mapping[str, str], points: frozenset[str]
) -> Iterator[ConsentEvent]:
    """What was said of a former point and may lift a No that was, as said of each of *points*; nothing that another act
    stands for instead, and no bare confirmation of what nobody had asked."""
    corrected = {event.corrects for event in events}
    requests = sorted(
        ((micros_of(one.occurred_at), one) for one in events if one.kind == "request"),
        key=lambda pair: pair[0],
    )
    for event in events:
        if event.id in former and event.kind in LIFTING and event.id not in corrected:
            scope = meant(event, requests)
            if event.kind == "lift" or scope.channels:
                yield from _moved(event, scope, points)


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
