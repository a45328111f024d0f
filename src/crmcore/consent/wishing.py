"""What people wish about being contacted, in a line for each time that they said it.

Invariant: the lines for the same wishes are the same, in whatever order they are given. A wish of which all was said
anew, of the same things and under the same record, is told of no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from crmcore.consent.telling import CHANNELS
from crmcore.consent.wishes import Cap, QuietHours, Wish


def wished(wishes: Iterable[Wish]) -> tuple[str, ...]:
    """What was wished, or inferred, latest first; nothing if nothing was.

    >>> from datetime import UTC, datetime
    >>> first, then = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    >>> early = Wish(id="1", record="r", said_at=first, channels={"post"}, no_topics={"sale"})
    >>> later = Wish(id="2", record="r", said_at=then, channels=(), caps=[Cap(most=1, per="week")])
    >>> wished([early, later])
    ('2026-03-01 wishes: any channel, at most 1 a week', '2026-02-01 wishes: nothing about sale')
    """
    latest = sorted({wish.id: wish for wish in wishes}.values(), key=lambda one: (one.said_at, one.id))[::-1]
    several = len({wish.controller for wish in latest}) > 1
    spoken: set[tuple[Any, ...]] = set()
    lines: list[str] = []
    for wish in latest:
        said = [
            words
            for aspect, words in _aspects(wish)
            if (aspect, wish.record, wish.basis, wish.purposes, wish.controller) not in spoken
        ]
        spoken.update(
            (one, wish.record, wish.basis, wish.purposes, wish.controller) for one, _ in _aspects(wish)
        )
        if said:
            verb = "wishes" if wish.basis == "stated" else "is thought to wish"
            lines.append(f"{wish.said_at:%Y-%m-%d} {verb}{_about(wish, several)}: {', '.join(said)}")
    return tuple(lines)


def _about(wish: Wish, several: bool) -> str:
    purposes = ", ".join(sorted(purpose.replace("_", " ") for purpose in wish.purposes))
    whom = f" of {wish.controller or 'everybody'}" if several else ""
    return whom + (f" for {purposes}" if purposes else "")


def _aspects(wish: Wish) -> Iterator[tuple[str, str]]:
    """Each thing that a wish speaks of, in words."""
    if wish.channels is not None:
        ways = " or ".join(sorted(CHANNELS.get(one, one) for one in wish.channels))
        yield "channels", f"only by {ways}" if ways else "any channel"
    if wish.caps is not None:
        yield "caps", " and ".join(map(_cap, wish.caps)) or "any number of contacts"
    if wish.language is not None:
        yield "language", f"in {wish.language.tag}"
    if wish.quiet is not None:
        yield "quiet", " and ".join(map(_quiet, wish.quiet)) or "any hour"
    if wish.only_topics is not None:
        yield "only_topics", f"only about {_listed(wish.only_topics)}" if wish.only_topics else "any topic"
    if wish.no_topics is not None:
        yield (
            "no_topics",
            f"nothing about {_listed(wish.no_topics)}" if wish.no_topics else "no topic left out",
        )


def _cap(cap: Cap) -> str:
    ways = ", ".join(sorted(CHANNELS.get(one, one) for one in cap.channels))
    return f"at most {cap.most} a {cap.per}{f' by {ways}' if ways else ''}"


def _quiet(quiet: QuietHours) -> str:
    days = f" on {_listed(quiet.days)}" if quiet.days else ""
    return f"quiet from {quiet.begin} to {quiet.end}{days}{f' ({quiet.zone})' if quiet.zone else ''}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
