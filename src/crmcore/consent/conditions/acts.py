"""Conditions on what the person did: a Yes that stands, a No that stands.

Invariant: whether a Yes is one is said by the law that is asked, by the name of a profile.
"""

from __future__ import annotations

from datetime import date, time, timedelta

import attrs

from crmcore.consent.case import Case, instant
from crmcore.consent.counting import Span, last_day
from crmcore.consent.event import ConsentEvent
from crmcore.consent.finding import Finding, both
from crmcore.consent.standing import standing_no, standing_yes


@attrs.frozen
class Consented:
    """A Yes stands that the profile *profile* takes for one; *night* or *any_time* also speak of those hours.

    *after* is the path of a day: the Yes was said after it.
    """

    profile: str
    night: bool = False
    any_time: bool = False
    after: str | None = None

    def test(self, case: Case) -> Finding:
        law = case.law

        def valid(case: Case, event: ConsentEvent) -> Finding:
            if self.night and not event.night:
                return Finding(False, why="it does not speak of the night")
            if self.any_time and not event.any_time:
                return Finding(False, why="it does not speak of those hours")
            if self.after is not None and not self._after(case, event):
                return Finding(False, why="it was said before")
            return law.valid(case, event, self.profile)

        return standing_yes(case, case.purpose, valid, law.graces)


    def _after(self, case: Case, event: ConsentEvent) -> bool:
        root, _, name = (self.after or "").partition(".")
        day = getattr(case.roots[root], name)
        return day is None or all(event.occurred_at.astimezone(one).date() > day for one in case.zones)


@attrs.frozen
class Unlapsed:
    """The Yes names its end, or says that it has none; else it lapses *span* after the day on which it was given."""

    span: Span
    counting: str

    def test(self, case: Case) -> Finding:
        event = case.event
        if event is None:
            return Finding(False, why="there is no act")
        if event.open_ended or event.valid_until is not None:
            return Finding(True, because=(event.id,))
        if event.open_ended is None:
            return Finding(None, missing=("act.open_ended",), why="whether it names a time is not known")
        ends = [
            instant(self._last(event.occurred_at.astimezone(where).date()) + timedelta(days=1), time.min, where)
            for where in case.zones
        ]
        if not ends:
            return Finding(None, missing=("facts.zones",), why="which day it is there is not known")
        if case.now < min(ends):
            return Finding(True, min(ends), (event.id,))
        if case.now >= max(ends):
            return Finding(False, why="it lapsed, since it names no time")
        return Finding(None, max(ends), (), ("facts.zones",), "whether it lapsed hangs on the zone")

    def _last(self, given: date) -> date:
        return last_day(self.span, given, self.counting)


@attrs.frozen
class SaidNo:
    """A No of these *kinds* stands, about the request or, with *across*, about one of those channels.

    *about* asks of a No to another purpose; *right* of one that exercised that right.
    """

    kinds: frozenset[str]
    across: frozenset[str] = frozenset()
    about: str | None = None
    right: str | None = None

    def test(self, case: Case) -> Finding:
        law = case.law
        channels = self.across or frozenset({case.request.channel})
        found = standing_no(
            case,
            self.kinds,
            self.about or case.purpose,
            channels,
            law.graces,
            lambda case, event: law.valid(case, event, law.lifts),
        )
        if found.holds and self.right is not None:
            ids = {event.id for event in case.events if event.scope.right == self.right}
            return found if ids.intersection(found.because) else found._replace(holds=False)
        return found


@attrs.frozen
class Profile:
    """When a Yes is one: *conditions* on the act, its evidence and whoever gave it."""

    name: str
    conditions: tuple[object, ...]

    def test(self, case: Case, event: ConsentEvent) -> Finding:
        before, case.event = case.event, event
        try:
            return both(one.test(case) for one in self.conditions)  # type: ignore[attr-defined]  # conditions
        finally:
            case.event = before
