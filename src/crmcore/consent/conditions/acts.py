"""Conditions on what the person did: a Yes that stands, a No that stands.

Invariant: whether a Yes is one is said by the law that is asked, by the name of a profile.
"""

from __future__ import annotations

import attrs

from crmcore.consent.case import Case
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
