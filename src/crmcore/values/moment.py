"""When something happened, as exactly as the source said it: an instant or a whole day.

Invariant: a date stays a date. It is never widened to midnight in storage; only its place in an order is that of the
day's first instant in UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from crmcore.errors import InvalidDate
from crmcore.values.instant import ensure_aware, from_text, to_text

Moment = datetime | date
"""An aware datetime, or a date where the source gave no time of day."""


def check_moment(moment: Moment, what: str) -> Moment:
    """The moment itself, with instants in UTC.

    Raises:
        NaiveDatetime: for a datetime without a zone.
        InvalidDate: for anything that is neither datetime nor date.
    """
    if isinstance(moment, datetime):
        return ensure_aware(moment, what)
    if isinstance(moment, date):
        return moment
    raise InvalidDate(f"{what} must be an aware datetime or a date", reason="type")


def optional_moment(moment: Moment | None) -> Moment | None:
    """What `check_moment` makes of *moment*, or None: for fields, which hold instants in UTC only.

    An instant in an hour that a zone's clocks repeat does not compare equal to the same instant in UTC.

    >>> optional_moment(date(2019, 10, 15))
    datetime.date(2019, 10, 15)
    """
    return None if moment is None else check_moment(moment, "a moment")


def moment_instant(moment: Moment) -> datetime:
    """Where *moment* stands in time order: itself, or the first instant of its day in UTC.

    >>> moment_instant(date(2019, 10, 15)).isoformat()
    '2019-10-15T00:00:00+00:00'
    """
    if isinstance(moment, datetime):
        return moment
    return datetime.combine(moment, time(), tzinfo=UTC)


def moment_date(moment: Moment) -> date:
    """The day of *moment* (in UTC for an instant)."""
    return moment.date() if isinstance(moment, datetime) else moment


def moment_text(moment: Moment) -> str:
    """ISO 8601, a date without and an instant with its time: the inverse of `moment_from_text`."""
    return to_text(moment) if isinstance(moment, datetime) else moment.isoformat()


def moment_from_text(text: str) -> Moment:
    """Read what `moment_text` wrote.

    >>> moment_from_text("2019-10-15")
    datetime.date(2019, 10, 15)
    """
    if len(text) == 10:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise InvalidDate("not an ISO 8601 date: write YYYY-MM-DD") from None
    return from_text(text)
