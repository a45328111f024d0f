"""A date of which a part may be unknown: a birthday without a year, a year alone.

Invariant: what is unknown is None, never a stand-in (no year 1604, no 1 January); what is known could be a part of
a date in the calendar.
"""

from __future__ import annotations

from calendar import isleap, monthrange
from datetime import date, datetime
from typing import Literal

import attrs

from crmcore.errors import InvalidDate
from crmcore.values.partial_date_text import Order, Parts, canonical, read
from crmcore.values.personal import personal

Leap = Literal["feb28", "mar1", "leap_year"]
"""When 29 February is kept in other years: the day before, the day after, or not at all."""


def _check(value: object, low: int, high: int, what: str) -> None:
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidDate(f"the {what} of a date is an integer, or None when unknown", reason="type")
    if not low <= value <= high:
        hint = "; leave out a year that is not known" if what == "year" else ""
        raise InvalidDate(f"the {what} of a date lies between {low} and {high}{hint}", reason="range")


@attrs.frozen
class PartialDate:
    """Any of the year, the month and the day that ISO 8601 or vCard can write together.

    >>> PartialDate(1985, 4)
    PartialDate(year=<hidden>, month=<hidden>, day=None)
    >>> PartialDate(1985, 4).text
    '1985-04'
    """

    year: int | None = personal(default=None)
    month: int | None = personal(default=None)
    day: int | None = personal(default=None)

    def __attrs_post_init__(self) -> None:
        _check(self.year, 1, 9999, "year")
        _check(self.month, 1, 12, "month")
        _check(self.day, 1, 31, "day")
        if self.year is None and self.month is None and self.day is None:
            raise InvalidDate(
                "a date needs a year, a month or a day: use None for no date at all", reason="empty"
            )
        if self.year is not None and self.month is None and self.day is not None:
            raise InvalidDate("a day in a year needs its month: leave out the day too", reason="gap")
        # Without a year the year may have been a leap one: 29 February is a birthday.
        if (
            self.month is not None
            and self.day is not None
            and self.day > monthrange(self.year or 2000, self.month)[1]
        ):
            raise InvalidDate("the month has no such day in that year", reason="range")

    @classmethod
    def parse(cls, text: str, order: Order | None = None) -> PartialDate:
        """Read ISO 8601 and vCard (``1985``, ``1985-04``, ``19850412``, ``--04-12``), and the ways people write.

        Numbers apart (``4/12/1985``, ``12.4.1985``) are read in the given *order*, which is never guessed; without
        one, only a day above 12 or a year that stands first can tell. Names of months are English. The year has
        four digits.

        Raises:
            InvalidDate: with the *reason* ``"empty"``, ``"malformed"``, ``"range"`` (no such date), ``"order"``
                (it could be read two ways, or contradicts *order*), ``"century"`` (a year of two digits) or
                ``"time"`` (a time of day follows).

        >>> PartialDate.parse("04/12/1985", order="mdy").text
        '1985-04-12'
        >>> PartialDate.parse("31 Jan 2013").text
        '2013-01-31'
        >>> PartialDate.parse("04/12/1985")
        Traceback (most recent call last):
        ...
        crmcore.errors.InvalidDate: the day and the month could be either number: say the order, 'dmy' or 'mdy'
        """
        return cls(*read(text, order))

    @classmethod
    def of(cls, day: date) -> PartialDate:
        """The whole date *day*.

        Raises:
            InvalidDate: for a datetime; which day an instant falls on depends on a zone.

        >>> PartialDate.of(date(1985, 4, 12)).text
        '1985-04-12'
        """
        if not isinstance(day, date) or isinstance(day, datetime):
            raise InvalidDate(
                "a date is needed here, not an instant: say in which zone and take its date", reason="type"
            )
        return cls(day.year, day.month, day.day)

    @property
    def text(self) -> str:
        """The canonical form: ISO 8601 with hyphens, two of them for an unknown year.

        >>> PartialDate.parse("--0412").text
        '--04-12'
        """
        return canonical(self._parts)

    @property
    def exact(self) -> date | None:
        """The date when all of it is known, else None.

        >>> PartialDate.parse("1985-04-12").exact
        datetime.date(1985, 4, 12)
        """
        if self.year is None or self.month is None or self.day is None:
            return None
        return date(self.year, self.month, self.day)

    @property
    def _parts(self) -> Parts:
        return self.year, self.month, self.day

    def to_json(self) -> str:
        """The canonical text.

        >>> PartialDate(month=4, day=12).to_json()
        '--04-12'
        """
        return self.text

    @classmethod
    def from_json(cls, text: str) -> PartialDate:
        """The inverse of `to_json`; reads canonical texts only.

        Raises:
            InvalidDate: if *text* is not what `to_json` writes.

        >>> PartialDate.from_json("--04-12") == PartialDate(month=4, day=12)
        True
        """
        found = cls.parse(text)
        if found.text != text:
            raise InvalidDate(
                "a stored date is in the canonical form: YYYY-MM-DD, YYYY-MM, YYYY, --MM-DD, --MM or ---DD"
            )
        return found

    def earliest(self) -> date | None:
        """The first date that it could be; None when the year is unknown.

        >>> PartialDate(1985, 4).earliest()
        datetime.date(1985, 4, 1)
        """
        if self.year is None:
            return None
        return date(self.year, self.month or 1, self.day or 1)

    def latest(self) -> date | None:
        """The last date that it could be; None when the year is unknown.

        >>> PartialDate(1985, 4).latest()
        datetime.date(1985, 4, 30)
        """
        if self.year is None:
            return None
        month = self.month or 12
        return date(self.year, month, self.day or monthrange(self.year, month)[1])

    def contains(self, day: date) -> bool:
        """Whether *day* agrees with all that is known.

        >>> PartialDate.parse("--04-12").contains(date(2026, 4, 12))
        True
        """
        return all(
            known is None or known == given
            for known, given in zip(self._parts, (day.year, day.month, day.day), strict=True)
        )

    def compatible(self, other: PartialDate) -> bool:
        """Whether both could speak of one date of the calendar.

        >>> PartialDate.parse("1985").compatible(PartialDate.parse("--04-12"))
        True
        >>> PartialDate.parse("1985").compatible(PartialDate.parse("--02-29"))
        False
        """
        pairs = list(zip(self._parts, other._parts, strict=True))
        if any(one is not None and two is not None and one != two for one, two in pairs):
            return False
        year, month, day = (one if one is not None else two for one, two in pairs)
        if day is None:
            return True
        return day <= monthrange(year or 2000, month or 12)[1]

    def age_range(self, on: date, leap: Literal["feb28", "mar1"] = "mar1") -> tuple[int, int] | None:
        """The least and the greatest age in whole years on the day *on*, of whom was born at this date.

        None when the year is unknown or lies after *on*. *leap* says when in other years somebody turns older who was
        born on 29 February: laws differ.

        >>> PartialDate(1985).age_range(date(2026, 11, 22))
        (40, 41)
        >>> PartialDate(1985, 4).age_range(date(2026, 11, 22))
        (41, 41)
        >>> leaper = PartialDate.parse("2012-02-29")
        >>> leaper.age_range(date(2026, 2, 28)), leaper.age_range(date(2026, 2, 28), leap="feb28")
        ((13, 13), (14, 14))
        """
        first, last = self.earliest(), self.latest()
        if first is None or last is None or first > on:
            return None
        return _age(min(last, on), on, leap), _age(first, on, leap)

    def next_anniversary(self, after: date, leap: Leap = "feb28") -> date | None:
        """The first anniversary later than the day *after*; the date itself is none.

        *leap* says when 29 February is kept in other years. None when the month or the day is unknown, or when
        the calendar ends first (year 9999).

        >>> PartialDate.parse("--02-29").next_anniversary(date(2026, 3, 1), leap="mar1")
        datetime.date(2027, 3, 1)
        >>> PartialDate.parse("--02-29").next_anniversary(date(2026, 3, 1), leap="leap_year")
        datetime.date(2028, 2, 29)
        """
        if leap not in ("feb28", "mar1", "leap_year"):
            raise InvalidDate("the leap rule is one of 'feb28', 'mar1' and 'leap_year'", reason="leap")
        if self.month is None or self.day is None:
            return None
        year = after.year if self.year is None else max(after.year, self.year + 1)
        # The longest way from one 29 February to the next is eight years, around 1900 or 2100.
        for candidate in range(year, min(year + 9, 9999) + 1):
            found = _observed(candidate, self.month, self.day, leap)
            if found is not None and found > after:
                return found
        return None


def _observed(year: int, month: int, day: int, leap: Leap) -> date | None:
    if (month, day) != (2, 29) or isleap(year):
        return date(year, month, day)
    if leap == "leap_year":
        return None
    return date(year, 2, 28) if leap == "feb28" else date(year, 3, 1)


def _age(born: date, on: date, leap: Leap) -> int:
    day = born.day
    if leap == "feb28" and (born.month, day) == (2, 29):
        day = monthrange(on.year, 2)[1]
    return on.year - born.year - ((on.month, on.day) < (born.month, day))
