"""Instants: aware datetimes in UTC, their text, and the bytes that order them.

Invariant: an instant that passed `ensure_aware` is a plain `datetime` in UTC; its text and its bytes give it back
to the microsecond, and both sort as time does.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from crmcore.errors import InvalidDate, NaiveDatetime

MICROSECOND = timedelta(microseconds=1)
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = (datetime.max.replace(tzinfo=UTC) - _FIRST) // MICROSECOND
_TEXT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
    r"(Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
)


def ensure_aware(moment: datetime, what: str = "a moment") -> datetime:
    """*moment* in UTC. *what* names it in the error.

    Raises:
        NaiveDatetime: if *moment* has no zone or is no datetime at all.
        InvalidDate: if in UTC it falls before the year 1 or after 9999.

    >>> from zoneinfo import ZoneInfo
    >>> ensure_aware(datetime(2026, 7, 1, 9, tzinfo=ZoneInfo("Europe/Berlin"))).isoformat()
    '2026-07-01T07:00:00+00:00'
    """
    if not isinstance(moment, datetime):
        raise NaiveDatetime(f"{what} is not a datetime: give an aware datetime", reason="type")
    if moment.utcoffset() is None:
        raise NaiveDatetime(f"{what} has no time zone: give an aware datetime, for example with tzinfo=UTC")
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        utc = None
    if utc is None:
        raise InvalidDate(f"{what} is outside the years 1 to 9999 in UTC", reason="range")
    if type(utc) is datetime and not utc.fold:
        return utc
    # Subclasses may carry more than microseconds, and a fold means nothing in UTC: neither would survive storage.
    return datetime(
        utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond, tzinfo=UTC
    )


def to_text(moment: datetime) -> str:
    """The instant as ISO 8601 text in UTC, always with microseconds; the texts sort as time does.

    >>> to_text(datetime(2026, 11, 22, 9, 30, tzinfo=UTC))
    '2026-11-22T09:30:00.000000Z'
    """
    return ensure_aware(moment).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_text(text: str) -> datetime:
    """The instant in a text such as `to_text` writes; fewer decimals and other offsets are read too (RFC 3339).

    Raises:
        NaiveDatetime: if *text* names no offset.
        InvalidDate: if it is anything else than one instant in full.

    >>> from_text("2026-11-22T10:30:00+01:00").isoformat()
    '2026-11-22T09:30:00+00:00'
    """
    match = _TEXT.fullmatch(text) if isinstance(text, str) and len(text) <= 32 else None
    if match is None:
        raise InvalidDate("not an instant: write it as YYYY-MM-DDTHH:MM:SS.ffffffZ")
    if match[1] is None:
        raise NaiveDatetime("an instant's text needs an offset: end it with Z or +HH:MM")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None:
        raise InvalidDate("not an instant: the calendar has no such day", reason="range")
    return moment if moment.tzinfo is UTC else ensure_aware(moment, "an instant")


def micros(moment: datetime) -> int:
    """Microseconds from the beginning of the year 1 in UTC; exact, where `timestamp` is a float.

    >>> micros(datetime(1, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (ensure_aware(moment) - _FIRST) // MICROSECOND


def micros_of(moment: datetime) -> int:
    """`micros` of a moment that has passed `ensure_aware` before: nothing is checked again.

    >>> micros_of(datetime(1, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (moment - _FIRST) // MICROSECOND


def from_micros(number: int) -> datetime:
    """The inverse of `micros`.

    Raises:
        InvalidDate: if *number* lies outside the years 1 to 9999.

    >>> from_micros(1_000_000).isoformat()
    '0001-01-01T00:00:01+00:00'
    """
    if not 0 <= number <= _LAST:
        raise InvalidDate("an instant lies within the years 1 to 9999", reason="range")
    return _FIRST + timedelta(microseconds=number)


def to_sort(moment: datetime) -> bytes:
    """Eight bytes that sort as time does, for ordered keys.

    >>> to_sort(datetime(1, 1, 1, tzinfo=UTC)).hex()
    '0000000000000000'
    """
    return micros(moment).to_bytes(8, "big")


def from_sort(key: bytes) -> datetime:
    """The inverse of `to_sort`.

    Raises:
        InvalidDate: if *key* is not eight bytes of that range.

    >>> from_sort(bytes(8)).isoformat()
    '0001-01-01T00:00:00+00:00'
    """
    if not isinstance(key, bytes) or len(key) != 8:
        raise InvalidDate("the ordered key of an instant has 8 bytes")
    return from_micros(int.from_bytes(key, "big"))
