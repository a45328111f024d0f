"""Which acts others stand for instead.

Invariant: a correction takes no No back, and makes none narrower, earlier or later: a No that is corrected counts
beside what corrects it. Else it counts from when it was done, for an act of its own record, and of those that correct
each other none does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crmcore.consent.event import ConsentEvent
from crmcore.consent.words import NOES
from crmcore.values.instant import micros_of


def uncorrected(events: tuple[ConsentEvent, ...], now: int) -> tuple[ConsentEvent, ...]:
    """Those of *events* for which no other stands by the instant *now*, in microseconds."""
    corrections: dict[str, list[ConsentEvent]] = {}
    for event in events:
        if event.corrects is not None:
            corrections.setdefault(event.corrects, []).append(event)
    if not corrections:
        return events
    circling = _circling({one.id: one.corrects for one in events if one.corrects is not None})
    return tuple(
        event
        for event in events
        if not any(
            one.id not in circling and micros_of(one.occurred_at) <= now and _may_stand_for(one, event)
            for one in corrections.get(event.id, ())
        )
    )


def _may_stand_for(one: ConsentEvent, other: ConsentEvent) -> bool:
    """Nothing stands for a No: whatever is moved, in time or in scope, a Yes or the time of grace might reach past."""
    return one.record == other.record and other.kind not in NOES


def _circling(corrects: Mapping[str, str]) -> frozenset[str]:
    """The ids of acts that correct themselves, if only by way of others."""
    found: set[str] = set()
    seen: set[str] = set()
    for start in corrects:
        path = list(_path(start, corrects, seen))
        if path and (end := corrects.get(path[-1])) in path:
            found.update(path[path.index(str(end)) :])
        seen.update(path)
    return frozenset(found)


def _path(start: str, corrects: Mapping[str, str], seen: set[str]) -> Iterable[str]:
    """From *start* on, as far as was not seen before."""
    here, walked = start, set[str]()
    while here in corrects and here not in seen and here not in walked:
        walked.add(here)
        yield here
        here = corrects[here]
