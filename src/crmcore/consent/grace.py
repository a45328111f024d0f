"""The time that a law gives for processing a withdrawal.

Invariant: where nobody asked for the whole of it, or cannot say which day it is, a withdrawal counts at once.
"""

from __future__ import annotations

from datetime import date, time

import attrs

from crmcore.consent.case import Case, instant
from crmcore.consent.counting import effective_day
from crmcore.consent.event import ConsentEvent


@attrs.frozen(kw_only=True)
class Grace:
    """*number* of days, counted in a named way, for acts of some *kinds* about some *channels*.

    It is given for requests for these *purposes*, of whatever purpose where it names none: a law on messages gives time
    to stop sending them, none to go on making profiles. One that names a *right* is for acts that exercise it, any
    other for acts that exercise none. *since* and *until* bound the days on which the act was received, the last one
    included.
    """

    channels: frozenset[str]
    number: int
    counting: str
    kinds: frozenset[str] = frozenset({"withdraw", "refuse"})
    purposes: frozenset[str] = frozenset()
    right: str | None = None
    cite: str = ""
    since: date | None = None
    until: date | None = None


def effective(event: ConsentEvent, at: int, case: Case, graces: tuple[Grace, ...]) -> int:
    """The instant from which *event*, of the instant *at*, counts; both in microseconds."""
    if not case.graced:
        return at
    right = event.scope.right if event.scope.right in case.rights else None
    for grace in graces:
        if grace.right == right and _speaks_of(grace, event, case) and _in_force(grace, event, case):
            return min(
                instant(
                    effective_day(
                        event.occurred_at.astimezone(where).date(),
                        grace.number,
                        grace.counting,
                        case.facts.holidays or frozenset(),
                    ),
                    time.min,
                    where,
                )
                for where in case.zones
            )
    return at


def _speaks_of(grace: Grace, event: ConsentEvent, case: Case) -> bool:
    return (
        event.kind in grace.kinds
        and case.request.channel in grace.channels
        and (not grace.purposes or case.purpose in grace.purposes)
    )


def _in_force(grace: Grace, event: ConsentEvent, case: Case) -> bool:
    days = [event.occurred_at.astimezone(where).date() for where in case.zones]
    return all(
        (grace.since is None or grace.since <= day) and (grace.until is None or day <= grace.until)
        for day in days
    )
