"""Conditions on the time of day, the day of the week and holidays, where the person is.

Invariant: a time is inside only if it is so in every zone in which the person may be. Windows are of wall clocks, so
they move with the clocks. Both ends of a window are inside unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time, timedelta, tzinfo

import attrs

from crmcore.consent.case import Case, instant
from crmcore.consent.finding import FOREVER, Finding

_DAY = 86_400_000_000
_QUARTER = 900_000_000

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@attrs.frozen
class Window:
    """From a time to a time of the same day. *closed* windows still hold at their last instant."""

    begin: time
    end: time
    closed: bool = True


@attrs.frozen
class Inside:
    """The time is within the windows of its day of the week, from Monday on; *holidays* says what holds on those."""

    week: tuple[tuple[Window, ...], ...]
    on_holidays: tuple[Window, ...] | None = None

    def test(self, case: Case) -> Finding:
        if case.request.hours == "not_at_issue":
            return Finding(True, because=("request.hours",))
        if not case.placed:
            return Finding(None, missing=("facts.zones",), why="the time there is not known")
        if self.on_holidays is not None and case.facts.holidays is None:
            return Finding(None, case.tomorrow, (), ("facts.holidays",), "the holidays there are not known")
        answers, until = set(), FOREVER
        for where in case.zones:
            here = case.at.astimezone(where)
            answers.add(self._inside(here.date(), here.timetz().replace(tzinfo=None), case))
            until = min(until, self._next_edge(here.date(), where, case))
        if len(answers) > 1:
            return Finding(
                None, until, (), ("facts.zones",), "the time is within the hours in some zones only"
            )
        holds = answers.pop()
        return Finding(holds, until, ("facts.zones",), (), "" if holds else "outside of the hours there")

    def _windows(self, day: date, case: Case) -> tuple[Window, ...]:
        if self.on_holidays is not None and day in (case.facts.holidays or ()):
            return self.on_holidays
        return self.week[day.weekday()]

    def _inside(self, day: date, clock: time, case: Case) -> bool:
        return any(
            one.begin <= clock and (clock <= one.end if one.closed else clock < one.end)
            for one in self._windows(day, case)
        )

    def _next_edge(self, day: date, where: tzinfo, case: Case) -> int:
        """When it may change: no window is further away than the days of a week and a row of holidays."""
        for ahead in range(-1, 40):
            if edges := [
                edge for edge in self._edges(day + timedelta(days=ahead), where, case) if edge > case.now
            ]:
                return min(edges)
        return FOREVER

    def _edges(self, day: date, where: tzinfo, case: Case) -> Iterator[int]:
        begin, end = instant(day, time.min, where), instant(day + timedelta(days=1), time.min, where)
        yield begin
        if end - begin != _DAY:  # clocks change: a time may come twice or never, so look again and again
            yield from range(begin, end, _QUARTER)
        for one in self._windows(day, case):
            yield instant(day, one.begin, where)
            yield instant(day, one.end, where) + one.closed
