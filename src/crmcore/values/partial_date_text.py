"""The texts of partial dates: ISO 8601, vCard, and how people write dates.

Invariant: a text is read in one way or refused; the order of day and month is told or shown by the numbers, never
guessed. No message quotes the text.
"""

from __future__ import annotations

import re
from calendar import monthrange
from functools import lru_cache
from typing import Literal

from crmcore.errors import InvalidDate

Order = Literal["mdy", "dmy", "ymd"]
"""In which order the numbers of a date stand: m for the month, d for the day, y for the year."""

Parts = tuple[int | None, int | None, int | None]
"""Year, month and day; None for the unknown ones."""

_ISO = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?)?"
    r"|(?P<year_b>[0-9]{4})(?P<month_b>[0-9]{2})(?P<day_b>[0-9]{2})"
    r"|--(?P<month_n>[0-9]{2})(?:-?(?P<day_n>[0-9]{2}))?"
    r"|---(?P<day_o>[0-9]{2})"
)
_NUMBERS = re.compile(r"([0-9]{1,4})([-/.]| +|\. +)([0-9]{1,2})\2([0-9]{1,4})")
_MONTH_YEAR = re.compile(r"([0-9]{1,2})[-/.]([0-9]{4})|([0-9]{4})[/.]([0-9]{1,2})")
_WORDS = re.compile(r"[0-9]{1,4}(?=st|nd|rd|th)?|[a-z]+")
_WORDED = re.compile(r"[a-z0-9]+(?:[\s,.\-/]+[a-z0-9]+){1,3}\.?")
_TIME = re.compile(r"\S*[0-9]\S*(?:T| +)[0-9]{1,2}:?[0-9]{2}.*", re.DOTALL)

_MONTHS = ("january february march april may june july august september october november december").split()
_MONTH_NUMBERS = {
    **{name: number for number, name in enumerate(_MONTHS, 1)},
    **{name[:3]: number for number, name in enumerate(_MONTHS, 1)},
    "sept": 9,
}

_ADVICE = {
    "empty": "a date is needed: give a text that is not blank",
    "malformed": "not a date: write it as YYYY-MM-DD, or YYYY, YYYY-MM, --MM-DD when a part is unknown",
    "range": "the calendar has no such date: check the day, the month and the year",
    "ambiguous": "the day and the month could be either number: say the order, 'dmy' or 'mdy'",
    "order": "the numbers do not fit the order that was said: check the order",
    "century": "a year has four digits: two do not say which century",
    "time": "a time of day follows the date: give the date alone, in the zone where it is meant",
}


def read(text: str, order: Order | None = None) -> Parts:
    """Year, month and day of *text*; white space around it is dropped.

    Raises:
        InvalidDate: as `PartialDate.parse` says.

    >>> read("--0412")
    (None, 4, 12)
    """
    if order not in (None, "mdy", "dmy", "ymd"):
        raise InvalidDate("the order of a date is one of 'mdy', 'dmy' and 'ymd'", reason="order")
    if not isinstance(text, str):
        raise InvalidDate("a date is read from a text: give a str", reason="type")
    text = text.strip()
    if len(text) > 40:
        raise InvalidDate(_ADVICE["malformed"])
    verdict = _judge(text, order)
    if isinstance(verdict, str):
        raise InvalidDate(_ADVICE[verdict], reason="order" if verdict == "ambiguous" else verdict)
    return verdict


def canonical(parts: Parts) -> str:
    """The one text of *parts* that is written.

    >>> canonical((None, 4, 12))
    '--04-12'
    """
    year, month, day = parts
    if year is None and month is None:
        return f"---{day:02d}"
    head = "-" if year is None else f"{year:04d}"
    return head + (f"-{month:02d}" if month is not None else "") + (f"-{day:02d}" if day is not None else "")


@lru_cache(maxsize=8192)
def _judge(text: str, order: Order | None) -> Parts | str:
    """The parts, or the reason why there are none; refusals are remembered too, since files repeat them."""
    if not text:
        return "empty"
    if match := _ISO.fullmatch(text):
        return _iso(match)
    if match := _NUMBERS.fullmatch(text):
        return _numbers(match[1], match[3], match[4], order)
    if match := _MONTH_YEAR.fullmatch(text):
        return _existing(int(match[2] or match[3]), int(match[1] or match[4]), None)
    lower = text.lower()
    if text.isascii() and _WORDED.fullmatch(lower):
        return _worded(lower)
    return "time" if _TIME.fullmatch(text) else "malformed"


def _iso(match: re.Match[str]) -> Parts | str:
    found: dict[str, int] = {}
    for name, digits in match.groupdict().items():
        if digits is not None:
            found[name.partition("_")[0]] = int(digits)
    return _existing(found.get("year"), found.get("month"), found.get("day"))


def _numbers(first: str, second: str, third: str, order: Order | None) -> Parts | str:
    one, two, three = int(first), int(second), int(third)
    if len(first) == 4:
        # A year in front is followed by the month wherever people write so.
        return _existing(one, two, three) if len(third) <= 2 else "malformed"
    if len(third) != 4 or len(first) > 2:
        return "malformed" if len(first) == 3 or len(third) == 3 else "century"
    if order == "ymd":
        return "order"
    as_dmy, as_mdy = _existing(three, two, one), _existing(three, one, two)
    if order is not None:
        told, other = (as_dmy, as_mdy) if order == "dmy" else (as_mdy, as_dmy)
        return told if not isinstance(told, str) or isinstance(other, str) else "order"
    if isinstance(as_dmy, str):
        return as_mdy
    return as_dmy if isinstance(as_mdy, str) or as_mdy == as_dmy else "ambiguous"


def _worded(lower: str) -> Parts | str:
    """``31 Jan 2013``, ``Jan 31st, 2013``, ``2013 January``, ``31 January``."""
    words = _WORDS.findall(re.sub(r"(?<=[0-9])(?:st|nd|rd|th)\b", "", lower))
    months = [_MONTH_NUMBERS[word] for word in words if word in _MONTH_NUMBERS]
    numbers = [word for word in words if word.isdigit()]
    if len(months) != 1 or len(months) + len(numbers) != len(words) or not 1 <= len(numbers) <= 2:
        return "malformed"
    years = [int(word) for word in numbers if len(word) == 4]
    days = [int(word) for word in numbers if len(word) <= 2]
    if len(days) == 2:
        return "century"
    if len(years) > 1 or len(years) + len(days) != len(numbers):
        return "malformed"
    return _existing(years[0] if years else None, months[0], days[0] if days else None)


def _existing(year: int | None, month: int | None, day: int | None) -> Parts | str:
    if year == 0 or (month is not None and not 1 <= month <= 12):
        return "range"
    # Without a year it may have been a leap year, without a month a long one.
    if day is not None and not 1 <= day <= monthrange(year or 2000, month or 12)[1]:
        return "range"
    return year, month, day
