"""Conditions on single facts: one of some values, a number of days ago, an age.

Invariant: a fact that is not known makes a condition not known, never false.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from operator import attrgetter
from typing import Any

import attrs

from crmcore.consent.case import Case
from crmcore.consent.counting import Span, last_day
from crmcore.consent.data_words import KNOWN
from crmcore.consent.facts import Subject
from crmcore.consent.finding import FOREVER, NO, Finding
from crmcore.consent.wording import asked, found

_OF_AGE = 18


@attrs.frozen
class FactIs:
    """The fact at *path* is one of *values*; of a set, that one of its members is.

    Whether a kind of data that has no word in any law is one of *values* is not known.
    """

    path: str
    values: frozenset[Any]
    _root: str = attrs.field(init=False, repr=False, eq=False)
    _acts: bool = attrs.field(init=False, repr=False, eq=False)
    _read: Callable[[Any], Any] = attrs.field(init=False, repr=False, eq=False)
    _yes: Finding = attrs.field(init=False, repr=False, eq=False)
    _unknown: Finding = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        root, name = self.path.split(".", 1)
        object.__setattr__(self, "_root", root)
        object.__setattr__(self, "_acts", root in _OF_ACTS)
        object.__setattr__(self, "_read", attrgetter(name))
        object.__setattr__(self, "_yes", Finding(True, because=(self.path,)))
        unknown = Finding(None, missing=(self.path,), why=f"{asked(self.path)} is not known")
        object.__setattr__(self, "_unknown", unknown)

    def test(self, case: Case) -> Finding:
        holder = case.event_root(self._root) if self._acts else case.roots[self._root]
        value = None if holder is None else self._read(holder)
        if value is None:
            return self._unknown
        if not self.values.isdisjoint(value) if isinstance(value, frozenset) else value in self.values:
            return self._yes
        if self.path == "use.data" and not value <= KNOWN:
            return self._unknown
        if case.brief:
            return NO
        return Finding(False, because=(self.path,), why=found(self.path, value))


_OF_ACTS = frozenset({"act", "evidence", "scope"})


@attrs.frozen
class Within:
    """The day at *path* is at most so long ago: counted back from the day that it is where the person is.

    Without a *span* it is enough that the day has come.
    """

    path: str
    span: Span | None = None
    _never: Finding = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_never", Finding(False, why=f"{asked(self.path)}: never"))

    def test(self, case: Case) -> Finding:
        days = case.days_at(self.path)
        return within(case, list(days), self.span, self.path) if days else self._never


def within(
    case: Case,
    days: list[date],
    span: Span | None,
    what: str,
    counting: str = "calendar_months",
    *,
    ahead: bool = False,
) -> Finding:
    """Whether one of *days* is at most *span* ago, wherever the person may be; without one, whether one has come.

    *ahead*: a day that is still to come counts as well.
    """
    answers, until = set(), FOREVER
    for today in case.days:
        ends = [
            date.max if span is None else last_day(span, day, counting)
            for day in days
            if day <= today or ahead
        ]
        lasting = [end for end in ends if today <= end]
        answers.add(bool(lasting))
        if lasting:
            until = min(until, after(case, max(lasting)))
        elif coming := [day for day in days if day > today]:
            until = min(until, case.midnight(min(coming)))
    if len(answers) > 1:
        return Finding(
            None, case.tomorrow, (what,), ("facts.zones",), f"whether {what} is near enough hangs on the zone"
        )
    holds = answers.pop()
    return Finding(
        holds, max(until, case.now + 1), (what,), (), "" if holds else f"{what} is too long ago, or never was"
    )


def after(case: Case, day: date) -> int:
    """When *day* is first over anywhere that the person may be, in microseconds."""
    if day >= date(9999, 12, 30):
        return FOREVER
    return case.midnight(date.fromordinal(day.toordinal() + 1))


@attrs.frozen
class AgeAtLeast:
    """The person is so many years old, *on* the day of the act or of the question. The youngest date counts.

    *at_least* is a number, or the name of a number of the pack. *if_unknown* is what the law takes an age for of which
    nothing is known, where it says so: a duty that needs actual knowledge of a child takes it for old enough, a service
    for children for too young.
    """

    at_least: int | str
    on: str = "question"
    if_unknown: bool | None = None

    def test(self, case: Case) -> Finding:
        subject, others = case.facts.subject, case.facts.others_birth_dates
        under_age = case.facts.others_under_age
        if not subject.birth_dates and not others:
            if subject.adult is True and not under_age:
                return Finding(True, because=("subject.adult",))
            if self.if_unknown is not None and subject.adult is None and not under_age:
                return Finding(self.if_unknown, why="" if self.if_unknown else "the age is not known")
            return Finding(None, missing=("subject.birth_dates",), why="the age is not known")
        moment = case.at if self.on == "question" or case.event is None else case.event.occurred_at
        years = self.at_least if isinstance(self.at_least, int) else case.law.number(self.at_least, moment)
        answers = {_old_enough(case, moment.astimezone(where).date(), years) for where in case.zones}
        if answers == {True}:  # nobody grows younger, but a law may come to ask for more years
            return Finding(True, self._asked_until(case, moment), ("subject.birth_dates",))
        until = FOREVER if self.on == "act" else case.tomorrow
        if answers == {False}:
            return Finding(False, until, ("subject.birth_dates",), (), f"younger than {years}")
        if self.if_unknown is False and not subject.birth_dates and subject.adult is None:
            return Finding(False, until, why="the age is not known")
        return Finding(None, until, (), ("subject.birth_dates",), f"whether they are {years} is not known")

    def _asked_until(self, case: Case, moment: datetime) -> int:
        if self.on == "act" or isinstance(self.at_least, int):
            return FOREVER
        return int(case.law.number_ends(self.at_least, moment))


def _old_enough(case: Case, day: date, years: int) -> bool | None:
    """By the youngest of the dates; those of the customer's other records only make somebody too young."""
    subject = case.facts.subject
    found: bool | None = True if subject.birth_dates or subject.adult is True else None
    if case.facts.others_under_age and not _under_age(subject, day):
        found = None
    for born in (*subject.birth_dates, *case.facts.others_birth_dates):
        ages = born.age_range(day, case.law.leap_birthday)
        if ages is not None and ages[1] < years:
            return False
        if (ages is None or ages[0] < years) and born in subject.birth_dates:
            found = None
    return found


def _under_age(subject: Subject, day: date) -> bool:
    """Whether the person's own dates tell that they are not of age."""
    ages = [born.age_range(day) for born in subject.birth_dates]
    return any(one is not None and one[0] < _OF_AGE for one in ages)
