"""What people said about being contacted, in a line for each thing that they spoke of.

Invariant: the lines for the same acts are the same, in whatever order they are given. They tell what was said, not what
follows from it: that is what a decision is for.
"""

from __future__ import annotations

from collections.abc import Iterable

from crmcore.consent.event import ConsentEvent
from crmcore.consent.telling import CHANNELS

_DID = {
    "give": "agreed to",
    "refuse": "refused",
    "request": "asked for",
    "confirm": "confirmed",
    "withdraw": "withdrew",
    "object": "objected to",
    "restrict": "restricted",
    "lift": "lifted the restriction of",
    "invalidate": "was found never to have agreed to",
    "assert_import": "was imported as agreeing to",
}


def said(acts: Iterable[ConsentEvent]) -> tuple[str, ...]:
    """The latest act on each thing that was spoken of, latest first; nothing if nothing was said.

    >>> from datetime import UTC, datetime
    >>> from crmcore.consent.event import Scope
    >>> news = Scope(purposes=("marketing",), channels=("email",))
    >>> first = ConsentEvent(id="1", kind="give", occurred_at=datetime(2026, 2, 1, tzinfo=UTC), scope=news)
    >>> later = ConsentEvent(id="2", kind="withdraw", occurred_at=datetime(2026, 3, 1, tzinfo=UTC), scope=news)
    >>> said([first, later]), said([])
    (('2026-03-01 withdrew marketing by e-mail (the latest of 2 acts on it)',), ())
    """
    found = {act.id: act for act in acts}.values()
    several = len({act.scope.controller for act in found}) > 1
    by_thing: dict[str, list[ConsentEvent]] = {}
    for act in sorted(found, key=lambda act: (act.occurred_at, act.id), reverse=True):
        by_thing.setdefault(_thing(act, to=several), []).append(act)
    return tuple(_line(thing, of_it) for thing, of_it in by_thing.items())


def _thing(act: ConsentEvent, *, to: bool) -> str:
    """What an act is about, and *to* whom it was said where others were told something too."""
    scope = act.scope
    purposes = ", ".join(sorted(purpose.replace("_", " ") for purpose in scope.purposes)) or "everything"
    topics = f" about {', '.join(sorted(scope.topics))}" if scope.topics else ""
    brand = f" of {scope.brand}" if scope.brand is not None else ""
    recipients = f" with {', '.join(sorted(scope.recipients))}" if scope.recipients else ""
    channels = ", ".join(sorted(CHANNELS.get(one, one) for one in scope.channels))
    way = f" by {channels}" if channels else ""
    point = f" for {scope.point}" if scope.point is not None else ""
    whom = f" to {scope.controller or 'everybody'}" if to else ""
    return f"{purposes}{topics}{brand}{recipients}{way}{point}{whom}"


def _line(thing: str, acts: list[ConsentEvent]) -> str:
    latest = acts[0]
    more = "" if len(acts) == 1 else f" (the latest of {len(acts)} acts on it)"
    return f"{latest.occurred_at:%Y-%m-%d} {_DID[latest.kind]} {thing}{more}"
