"""A stretch of time, half-open: from its start up to, but not including, its end.

Invariant: start < end; either end may be open (None). Both ends are dates or both are instants in UTC, never mixed,
so the end date of an employment is the first day on which it no longer held.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Generic, TypeVar

import attrs

from crmcore.errors import InvalidDate, InvalidPeriod
from crmcore.values.frozen_map import FrozenMap, thaw
from crmcore.values.instant import ensure_aware, from_text, to_text
from crmcore.values.personal import Document

T = TypeVar("T", bound=date)
"""`date`, or `datetime` (which Python makes a subclass of it)."""

S = TypeVar("S", bound=date)


def _end(value: Any) -> Any:
    if value is None or (type(value) is date):
        return value
    if isinstance(value, datetime):
        return ensure_aware(value, "the end of a period")
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    raise InvalidPeriod(
        "a period runs between dates or aware datetimes, or None for an open end", reason="type"
    )


def _same_kind(one: date | None, other: date | None) -> bool:
    return one is None or other is None or isinstance(one, datetime) == isinstance(other, datetime)


@attrs.frozen
class Period(Document, Generic[T]):
    """From *start* up to, but not including, *end*; None leaves that side open.

    >>> employment = Period(date(2003, 4, 1), date(2010, 4, 1))
    >>> employment.contains(date(2010, 3, 31)), employment.contains(date(2010, 4, 1))
    (True, False)
    >>> str(employment)
    '2003-04-01/2010-04-01'
    """

    start: T | None = attrs.field(default=None, converter=_end, kw_only=False)
    end: T | None = attrs.field(default=None, converter=_end, kw_only=False)

    def __attrs_post_init__(self) -> None:
        if not _same_kind(self.start, self.end):
            raise InvalidPeriod(
                "a period runs between two dates or two instants, not one of each", reason="mixed"
            )
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise InvalidPeriod(
                "a period must start before it ends: its end is the first moment after it", reason="order"
            )

    @classmethod
    def since(cls, start: S) -> Period[S]:
        """From *start* on, without an end.

        >>> Period.since(date(2020, 1, 1)).contains(date(2999, 1, 1))
        True
        """
        return Period(start, None)

    @classmethod
    def until(cls, end: S) -> Period[S]:
        """Ever before *end*.

        >>> Period.until(date(2020, 1, 1)).contains(date(2020, 1, 1))
        False
        """
        return Period(None, end)

    @classmethod
    def always(cls) -> Period[Any]:
        """All time, of dates and of instants.

        >>> str(Period.always())
        '../..'
        """
        return Period(None, None)

    def contains(self, moment: T) -> bool:
        """Whether *moment* lies in this period.

        Raises:
            InvalidPeriod: if *moment* is a date and the period one of instants, or the reverse.

        >>> Period.since(date(2020, 1, 1)).contains(date(2020, 1, 1))
        True
        """
        point = _end(moment)
        if point is None:
            raise InvalidPeriod("whether a period contains a moment needs a moment, not None", reason="type")
        self._agree(point, point)
        return (self.start is None or self.start <= point) and (self.end is None or point < self.end)

    def overlaps(self, other: Period[T]) -> bool:
        """Whether the two share a moment; periods that only touch do not.

        >>> Period.until(date(2020, 1, 1)).overlaps(Period.since(date(2020, 1, 1)))
        False
        """
        self._agree(other.start, other.end)
        return (self.start is None or other.end is None or self.start < other.end) and (
            other.start is None or self.end is None or other.start < self.end
        )

    def clip(self, other: Period[T]) -> Period[T] | None:
        """What the two have in common, or None.

        >>> str(Period.until(date(2020, 1, 1)).clip(Period.since(date(2019, 1, 1))))
        '2019-01-01/2020-01-01'
        """
        if not self.overlaps(other):
            return None
        starts = [start for start in (self.start, other.start) if start is not None]
        ends = [end for end in (self.end, other.end) if end is not None]
        return Period(max(starts, default=None), min(ends, default=None))

    def gaps(self, periods: Iterable[Period[T]]) -> tuple[Period[T], ...]:
        """The parts of this period that none of *periods* covers, in order of time.

        >>> year = Period(date(2020, 1, 1), date(2021, 1, 1))
        >>> [str(gap) for gap in year.gaps([Period(date(2020, 2, 1), date(2020, 5, 1))])]
        ['2020-01-01/2020-02-01', '2020-05-01/2021-01-01']
        """
        covered = [clipped for period in periods if (clipped := self.clip(period)) is not None]
        covered.sort(key=lambda period: (period.start is not None, period.start or date.min))
        found: list[Period[T]] = []
        reached, open_start = self.start, self.start is None
        for period in covered:
            if period.start is not None and (open_start or (reached is not None and reached < period.start)):
                found.append(Period(reached, period.start))
            open_start = False
            if period.end is None:
                return tuple(found)
            if reached is None or reached < period.end:
                reached = period.end
        if open_start or reached is None or self.end is None or reached < self.end:
            found.append(Period(reached, self.end))
        return tuple(found)

    def _agree(self, *others: date | None) -> None:
        if not all(_same_kind(mine, other) for mine in (self.start, self.end) for other in others):
            raise InvalidPeriod(
                "dates and instants do not compare: give both as dates or both as instants", reason="mixed"
            )

    @property
    def text(self) -> str:
        """The two ends with a slash between them, ``..`` for an open one.

        >>> Period.since(date(2020, 1, 1)).text
        '2020-01-01/..'
        """
        return f"{_to_text(self.start) or '..'}/{_to_text(self.end) or '..'}"

    def __str__(self) -> str:
        return self.text

    @classmethod
    def parse(cls, text: str) -> Period[Any]:
        """The inverse of `text`.

        Raises:
            InvalidPeriod: if *text* is not two ends with a slash between them, in order and of one kind.
            InvalidDate: if an end is neither a date nor an instant.

        >>> Period.parse("2020-01-01/..").start
        datetime.date(2020, 1, 1)
        """
        ends = text.split("/") if isinstance(text, str) else []
        if len(ends) != 2 or not all(ends):
            raise InvalidPeriod(
                "not a period: write its start and end with a slash between, '..' for an open end"
            )
        start, end = (None if part == ".." else _from_text(part) for part in ends)
        return Period(start, end)

    def to_json(self) -> dict[str, Any]:
        """The JSON object of this period.

        >>> Period.since(date(2020, 1, 1)).to_json()
        {'start': '2020-01-01', 'end': None}
        """
        return {**thaw(self.unknown), "start": _to_text(self.start), "end": _to_text(self.end)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Period[Any]:
        """The inverse of `to_json`: a date or an instant, told apart by its form; a missing end is open.

        Raises:
            InvalidPeriod: if *document* is no object, or its ends are no period.
            InvalidDate: if an end is neither a date nor an instant.

        >>> Period.from_json({"start": "2020-01-01", "end": None}) == Period.since(date(2020, 1, 1))
        True
        """
        if not isinstance(document, Mapping):
            raise InvalidPeriod("a period is stored as an object with 'start' and 'end'", reason="type")
        start, end = (
            None if document.get(name) is None else _from_text(document[name]) for name in ("start", "end")
        )
        unknown = {key: value for key, value in document.items() if key not in ("start", "end")}
        return Period(start, end, unknown=FrozenMap(unknown))


def _to_text(moment: date | None) -> str | None:
    if moment is None:
        return None
    return to_text(moment) if isinstance(moment, datetime) else moment.isoformat()


def _from_text(text: str) -> date:
    if isinstance(text, str) and len(text) == 10 and text.isascii():
        try:
            found = date.fromisoformat(text)
        except ValueError:
            found = None
        # Python reads week dates too, which are not what `to_json` writes.
        if found is None or found.isoformat() != text:
            raise InvalidDate(
                "the end of a period is no date of the calendar: write it as YYYY-MM-DD", reason="range"
            )
        return found
    return from_text(text)
