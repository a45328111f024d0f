"""The contacts that a cap counts: those that an app tells of and those that stand on the timeline, each once.

Invariant: whatever an app tells of counts; the timeline adds to it and takes nothing away. One contact on the timeline
is taken for one that was told of at most, and the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, get_args

from crmcore.consent.facts import Attempt
from crmcore.consent.request import Request
from crmcore.consent.wishes import Stretch, Wish
from crmcore.consent.words import Channel
from crmcore.interaction.interaction import SKEW, Interaction
from crmcore.values.instant import micros
from crmcore.values.moment import moment_instant

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_SKEW = SKEW // timedelta(microseconds=1)

_OURS = frozenset({"outbound", "broadcast"})
"""Directions in which we reach somebody."""

_BY: Mapping[str, frozenset[str] | None] = {
    "email": frozenset({"email"}),
    "sms": frozenset({"sms"}),
    "call": frozenset({"voice", "automated_call"}),
    "letter": frozenset({"post"}),
    "chat": frozenset({"push", "in_app"}),
    "web": frozenset({"push", "in_app"}),
    "social": frozenset({"push", "in_app"}),
    "other": None,
}
"""By which channels an interaction of a kind may have been, if it names none; None: by any. The rest, such as a visit,
is by none of them."""

_BACK: Mapping[Stretch, timedelta] = {
    "day": timedelta(hours=24),
    "week": timedelta(days=7),
    "month": timedelta(days=31),
}
_LATE = 36 * _HOUR
"""A day that is told without a time may end so long after its place in time order, as days are those of some zone."""


class Contact(NamedTuple):
    """One contact, which counts from *first* on, and leaves a cap when *last* is long enough ago: both in microseconds
    of UTC, and the same where it is known to the instant. It may have been by any of *channels*; None: by any that
    there is. *id* is that of an interaction."""

    first: int
    last: int
    channels: frozenset[str] | None
    id: str | None = None


def contacts_made(attempts: Iterable[Attempt], interactions: Iterable[Interaction]) -> tuple[Contact, ...]:
    """The contacts of a customer, each once.

    *attempts* are what the app tells of, *interactions* what stands on the timeline: of those count what went out, and
    what was sent to many. An attempt and an interaction are one contact if they may have been by the same channel, and
    lie no further apart than the clocks of two systems (`SKEW`) or the interaction tells only the day.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 5, 4, 12, tzinfo=UTC)
    >>> len(contacts_made([Attempt(at=noon, channel="email"), Attempt(at=noon, channel="sms")], []))
    2
    """
    left = sorted(
        (_recorded(one) for one in interactions if one.direction in _OURS), key=lambda one: (one.last, one.id)
    )
    found: list[Contact] = []
    for attempt in sorted(frozenset(attempts), key=lambda one: (micros(one.at), one.channel or "")):
        told = _told(attempt)
        same = next((one for one in left if _may_be(one, told)), None)
        if same is not None:
            left.remove(same)
            told = told._replace(first=min(told.first, same.last), last=max(told.last, same.first))
        found.append(told)
    return (*found, *left)


def since_when(request: Request, wishes: Iterable[Wish], taken_for: str | None = None) -> datetime | None:
    """Since when contacts matter to the caps of *wishes*; None where no cap is about the *request*.

    *taken_for* is the purpose that a decision took the message for: caps about either matter.
    """
    purposes = {request.purpose, taken_for or request.purpose}
    stretches = [
        _BACK[cap.per] + timedelta(microseconds=_LATE)
        for wish in wishes
        if any(wish.about(purpose, request.controller) for purpose in purposes)
        for cap in wish.caps or ()
        if not cap.channels or request.channel in cap.channels
    ]
    return request.at - max(stretches) if stretches else None


def _told(attempt: Attempt) -> Contact:
    at = micros(attempt.at)
    return Contact(at, at, None if attempt.channel is None else frozenset({attempt.channel}))


def _recorded(interaction: Interaction) -> Contact:
    """One of a day may have been at any time of it anywhere. None was after it was recorded: what lies ahead of that is
    of a clock that is fast, and counts already."""
    first = last = micros(moment_instant(interaction.occurred_at))
    known = last + 2 * _DAY if interaction.recorded_at is None else micros(interaction.recorded_at)
    if not isinstance(interaction.occurred_at, datetime):
        first, last = first - 14 * _HOUR, min(last + _LATE, known)
    first = min(first, known)
    named = interaction.channel in get_args(Channel)
    channels = frozenset({str(interaction.channel)}) if named else _BY.get(interaction.kind, frozenset())
    return Contact(first, last, channels, str(interaction.id))


def _may_be(recorded: Contact, told: Contact) -> bool:
    one, other = recorded.channels, told.channels
    alike = one is None or other is None or not one.isdisjoint(other)
    return alike and recorded.first - _SKEW <= told.first <= recorded.last + _SKEW
