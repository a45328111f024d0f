"""Clocks of several machines, which differ a little: how that is kept from losing a No.

Invariant: a No that this crm dates itself, or that is told to be of about now, is not before any act that was recorded
already. It is heard by every clock that has reached the moment at which it was recorded, though not yet the time that
it has. Where nobody can watch what others record meanwhile, since they keep doing so or the store takes no more at
once, it is later than what any clock shows: no No is refused, or waits, for its time. In a batch that the app gathers
nothing is watched: there it is later than what was recorded when the batch read it, and what a clock that is ahead
records until the batch ends may come after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from crmcore.consent.event import ConsentEvent
from crmcore.consent.words import NOES

SKEW = timedelta(minutes=5)
"""So far two clocks may be apart. What lies further ahead is no matter of clocks."""


def shown_by(at: datetime, now: datetime) -> datetime:
    """When whoever tells the instant *at* may have told it: *now* where that is as far off as two clocks, else *at*."""
    return now if abs(now - at) <= SKEW else at


def recorded_as(told: datetime, at: datetime, recorded_at: datetime | None) -> bool:
    """Whether a No of which *told* was the time may be that which was recorded as done *at*: both are one instant, or
    no further from *recorded_at* than two clocks."""
    near = recorded_at is not None and max(abs(told - recorded_at), abs(at - recorded_at)) <= SKEW
    return told == at or near


def not_before(at: datetime, others: Iterable[datetime], now: datetime | None = None) -> datetime:
    """The instant *at*, or the latest of the *others* that a clock which is ahead of ours may have shown *now*, or at
    that instant.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    >>> str(not_before(noon, [noon + timedelta(seconds=2), noon + timedelta(days=2)]))
    '2026-06-01 12:00:02+00:00'
    """
    latest = later_than_any(at if now is None else now)
    return max([at, *(one for one in others if at < one <= latest)])


def later_than_any(at: datetime) -> datetime:
    """Later than what any clock may show at the instant *at*. Whatever is said until then is before such a No."""
    return at + SKEW


def heard_early(event: ConsentEvent) -> datetime | None:
    """Since when a No is heard that is dated ahead of the clock by which it was recorded; None of any other."""
    recorded = event.recorded_at
    if event.kind not in NOES or recorded is None or not recorded < event.occurred_at <= recorded + SKEW:
        return None
    return recorded
