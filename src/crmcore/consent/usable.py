"""Whether a contact point may be used, by what its own record says of it.

Invariant: it permits nothing: a decision stays as it is, or becomes a denial that says why. What was said at a point
counts whether it may be used or not. Of several records that have it each one's mark counts, but for those that were
taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time

import attrs

from crmcore.consent.case import ENDS_OF_THE_WORLD, instant
from crmcore.consent.decision import Decision, RuleHit
from crmcore.consent.finding import FOREVER
from crmcore.consent.reach import Reach, ReachedPoint, kinds_reached
from crmcore.consent.telling import RECORDED
from crmcore.values.instant import from_micros, micros_of

RECORD = "record"
"""The place that a hit of the trace names which comes of what is recorded, and of no law."""

_TAKEN_BACK = "taken_back"

_WHY: Mapping[str, str] = {
    _TAKEN_BACK: "The record was taken back: nobody is contacted by it.",
    "do_not_use": "The contact point is marked as one not to use.",
    "wrong_person": "The contact point is marked as somebody else's.",
    "dead": "The contact point is marked as given up.",
    "bouncing": "The contact point is marked as one from which messages come back.",
    "no_address": "What is recorded is no e-mail address that can be read.",
    "no_number": "What is recorded is no phone number of which the country is known.",
    "not_valid": "The contact point is not valid at that time.",
}


def points_held(records: Sequence[Reach]) -> Sequence[ReachedPoint]:
    """The contact points of a customer's records.

    By what was taken back nobody is contacted, unless a record that stands has it, too: then that one tells.
    """
    if len(records) == 1 and records[0].stands:
        return records[0].points
    held = [point for one in records if one.stands for point in one.points]
    back = [point for one in records if not one.stands for point in one.points]
    if back:
        there = {(one.kind, one.normal) for one in held}
        held += [one._replace(hindrance=_TAKEN_BACK) for one in back if (one.kind, one.normal) not in there]
    return held


def is_plain(points: Iterable[ReachedPoint]) -> bool:
    """Whether no record says anything of these *points* by which they may not be used, at any time."""
    return not [one for one in points if one.hindrance is not None or one.valid is not None]


def usable(points: Sequence[ReachedPoint], at: datetime) -> Sequence[ReachedPoint]:
    """Those of *points* that may be used at an instant, by every record that has them."""
    out = {(one.kind, one.normal) for one in points if _why_not(one, at) is not None}
    return [one for one in points if (one.kind, one.normal) not in out] if out else points


def asked_about(
    points: Sequence[ReachedPoint], channel: str, normal: str | None, at: datetime
) -> Sequence[ReachedPoint]:
    """Of a customer's *points* those on which it hangs whether *channel* may be used.

    They are the one that is asked about, as each record has it; without one all that the channel reaches, if none of
    them may be used.
    """
    reached = [one for one in points if one.kind in kinds_reached(channel) and normal in (None, one.normal)]
    return reached if normal is not None or not usable(reached, at) else ()


def as_recorded(
    decision: Decision, points: Iterable[ReachedPoint], at: datetime, *, stands: bool = True
) -> Decision:
    """*decision* about *points*, denied where one of them may not be used, or no record of the customer *stands*."""
    points = list(points)
    why = next((why for one in points if (why := _why_not(one, at)) is not None), None)
    until = min([change for one in points for change in _changes(one, at)], default=FOREVER)
    ends = [one for one in (decision.expires_at, _instant(until)) if one is not None]
    if not stands:
        why = _TAKEN_BACK
    if why is None:
        return decision if until >= FOREVER else attrs.evolve(decision, expires_at=min(ends, default=None))
    hit = RuleHit(
        rule=f"{RECORD}.{why}",
        jurisdiction=RECORD,
        stage="stop",
        effect="deny",
        status="fired",
        text=_WHY[why],
        cite=RECORDED,
    )
    denied, line = decision.answer == "deny", f"{hit.text} ({hit.cite})"
    return attrs.evolve(
        decision,
        answer="deny",
        rule=decision.rule if denied else hit.rule,
        reasons=(*decision.reasons, line) if denied else (line, *decision.reasons),
        trace=(*decision.trace, hit) if decision.trace else (),
        missing=(),
        retry_at=None,
        expires_at=min(ends, default=None),
    )


def _why_not(point: ReachedPoint, at: datetime) -> str | None:
    if point.hindrance is not None or point.valid is None:
        return point.hindrance
    now = micros_of(at)
    begin, end = _bounds(point)
    return None if begin <= now < end else "not_valid"


def _changes(point: ReachedPoint, at: datetime) -> Iterator[int]:
    """When a point begins, or ceases, to be valid after an instant, in microseconds."""
    if point.hindrance is None and point.valid is not None:
        yield from (one for one in _bounds(point) if micros_of(at) < one < FOREVER)


def _bounds(point: ReachedPoint) -> tuple[int, int]:
    """From when to when a point is valid wherever the person may be, in microseconds."""
    start, end = (None, None) if point.valid is None else (point.valid.start, point.valid.end)
    return (
        -FOREVER if start is None else max(_midnights(start)),
        FOREVER if end is None else min(_midnights(end)),
    )


def _midnights(bound: date) -> list[int]:
    if isinstance(bound, datetime):
        return [micros_of(bound)]
    return [instant(bound, time.min, zone) for zone in ENDS_OF_THE_WORLD]


def _instant(when: int) -> datetime | None:
    return None if when >= FOREVER else from_micros(when)
