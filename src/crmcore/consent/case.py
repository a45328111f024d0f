"""One question in the middle of being decided: the request and the facts, and what is worked out of them once.

Invariant: nothing that happened after the instant of the question, or was recorded after what was known then, is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from functools import cached_property
from typing import Any

from crmcore.consent.event import ConsentEvent
from crmcore.consent.facts import Facts
from crmcore.consent.finding import FOREVER, Finding
from crmcore.consent.policy import Policy
from crmcore.consent.request import Request
from crmcore.consent.zones import zone
from crmcore.errors import InvalidDate
from crmcore.values.instant import micros

ENDS_OF_THE_WORLD = (timezone(timedelta(hours=14)), timezone(timedelta(hours=-12)))


class Case:
    """A request over facts, at an instant, as it was known then. In *brief*, nobody will ask why."""

    def __init__(
        self,
        request: Request,
        facts: Facts,
        policy: Policy,
        known_at: datetime | None,
        at: datetime | None = None,
        *,
        brief: bool = False,
    ) -> None:
        self.request, self.facts, self.policy = request, facts, policy
        self.at = request.at if at is None else at
        self.now = micros(self.at)
        self._known = None if known_at is None else micros(known_at)
        self.brief = brief
        self.event: ConsentEvent | None = None
        self.law: Any = None
        self.purpose: str = request.purpose
        self.notes: dict[str, Finding] = {}

    def under(self, law: Any, purpose: str) -> None:
        """Go on under *law*, which takes the message for one of *purpose*."""
        self.law, self.purpose, self.notes = law, purpose, {}

    def event_root(self, root: str) -> Any:
        """The act that is looked at, its evidence or its scope."""
        if self.event is None:
            return None
        return self.event if root == "act" else getattr(self.event, root)

    @property
    def placed(self) -> bool:
        """Whether it is known in which zones the person may be."""
        return bool(self.facts.zones)

    @cached_property
    def zones(self) -> tuple[tzinfo, ...]:
        """Where the person may be: if nobody knows, at both ends of the world, between which all days lie."""
        return tuple(zone(name) for name in self.facts.zones) or ENDS_OF_THE_WORLD

    @cached_property
    def days(self) -> frozenset[date]:
        """Which day it is there."""
        return frozenset(self.at.astimezone(one).date() for one in self.zones)

    def midnight(self, day: date) -> int:
        """When *day* first begins anywhere that the person may be, in microseconds."""
        return min((instant(day, time.min, one) for one in self.zones), default=FOREVER)

    @cached_property
    def tomorrow(self) -> int:
        """When it is another day anywhere that the person may be."""
        return min(
            (
                instant(self.at.astimezone(one).date() + timedelta(days=1), time.min, one)
                for one in self.zones
            ),
            default=FOREVER,
        )

    @cached_property
    def _events(self) -> tuple[tuple[ConsentEvent, ...], int]:
        known = self._known
        seen = [
            (when, event)
            for event in self.facts.events
            if known is None or micros(event.recorded_at or event.occurred_at) <= known
            for when in (micros(event.occurred_at),)
        ]
        corrected = {event.corrects for _, event in seen if event.corrects is not None}
        seen = [(when, event) for when, event in seen if event.id not in corrected]
        coming = min((when for when, _ in seen if when > self.now), default=FOREVER)
        past = sorted((pair for pair in seen if pair[0] <= self.now), key=lambda pair: pair[0])
        return tuple(event for _, event in past), coming

    @property
    def events(self) -> tuple[ConsentEvent, ...]:
        """What had been done, oldest first."""
        return self._events[0]

    @property
    def next_event(self) -> int:
        """When the next act is done."""
        return self._events[1]

    @cached_property
    def roots(self) -> Mapping[str, Any]:
        """What the paths of facts begin with."""
        facts, request = self.facts, self.request
        return {
            "request": request,
            "message": request.message,
            "use": request.use,
            "policy": self.policy,
            "subject": facts.subject,
            "point": facts.point,
            "collection": facts.collection,
            "facts": facts,
        }


def instant(day: date, clock: time, where: tzinfo) -> int:
    """When a clock on the wall shows that time on that day, the first time; after it where the clock skips it.

    The first and the last days of the calendar begin before and end after every instant.
    """
    try:
        return micros(datetime.combine(day, clock, tzinfo=where))
    except (OverflowError, InvalidDate):
        return FOREVER if day.year > 1 else -FOREVER
