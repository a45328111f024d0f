"""What people did, as far as it matters to rules that do not look at a clock: what, in which order, on what evidence.

Invariant: two histories of the same shape are answered alike by every docket that is steady.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from operator import attrgetter, itemgetter
from typing import Any

from crmcore.consent.act_reading import Sketch
from crmcore.consent.case import BEGINNING, Case
from crmcore.consent.event import ConsentEvent
from crmcore.consent.finding import FOREVER
from crmcore.values.instant import micros_of

_MOST = 6
"""Of longer histories hardly two are alike."""

_of_act = attrgetter("kind", "open_ended", "night", "any_time", "via", "evidence")
_of_scope = attrgetter("controller", "brand", "channels", "purposes", "topics", "recipients", "right")

ACT_FACTS = frozenset({"act.kind", "act.open_ended", "act.night", "act.any_time", "act.via"})
SCOPE_FACTS = frozenset(
    f"scope.{name}"
    for name in ("controller", "brand", "channels", "purposes", "topics", "recipients", "right")
)
"""The facts of an act and of its scope that are in its shape; of its evidence all are."""


def shape(case: Case) -> tuple[Any, ...] | None:
    """The shape of what was done; None if its times matter, or other records of the customer."""
    if (
        len(case.past) > _MOST
        or len(case.joined) > 1
        or any(since > BEGINNING for since in case.joined.values())
        or case.others_lift
        or case.next_event < FOREVER
    ):
        return None
    contact, joined = case.contact, case.joined
    points: dict[str | None, int] = {None: 0, contact.point: 1}
    records: dict[str | None, int] = {None: 0, **dict.fromkeys(joined, 1)}
    found: list[Any] = []
    before = -FOREVER
    for when, event in case.past:
        if event.corrects is not None or event.valid_until is not None:
            return None
        if event.takes_back or event.alone or event.scope.given_up is not None:
            return None
        if event.members and event.record not in joined and not joined.keys().isdisjoint(event.members):
            return None
        found += _shape(event, contact.point, points, records)
        found.append(when == before)
        before = when
    return tuple(found)


def outline(
    sketches: Sequence[Sketch], point: str | None, points: Set[str], record: str, now: int
) -> tuple[Any, ...] | None:
    """What is the same for acts of the same `shape`, seen from their sketches alone; None where only acts can tell.

    *points* are those of the *record*, *now* is the instant of the question in microseconds.
    """
    if len(sketches) > _MOST:
        return None
    numbers: dict[str | None, int] = {None: 0, point: 1}
    records: dict[str | None, int] = {None: 0, record: 1}
    found: list[Any] = []
    before = -FOREVER
    for when, one in sorted([(micros_of(one.at), one) for one in sketches], key=itemgetter(0)):
        if not one.form or when > now or not (one.point is None or one.point in points):
            return None
        if one.record != record and isinstance(one.body, Mapping) and record in one.body.get("members", ()):
            return None
        found.append(
            (
                one.form,
                numbers.setdefault(one.point, len(numbers) + 1),
                None if one.points is None else point is None or point in one.points,
                records.setdefault(one.record, len(records) + 1),
                when == before,
            )
        )
        before = when
    return tuple(found)


def _shape(
    event: ConsentEvent, point: str | None, points: dict[str | None, int], records: dict[str | None, int]
) -> tuple[Any, ...]:
    """An act without its time and its names; points and records are numbered as they come, the own ones first."""
    scope = event.scope
    return (
        _of_act(event),
        _of_scope(scope),
        points.setdefault(scope.point, len(points) + 1),
        None if scope.points is None else point is None or point in scope.points,
        records.setdefault(event.record, len(records) + 1),
    )
