"""The zones in which somebody may be: IANA names, and fixed offsets.

Invariant: a name that this system does not know is refused, never taken for UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from crmcore.errors import InvalidConsent

_FIXED = re.compile(r"([+-])([01][0-9]|2[0-3]):([0-5][0-9])")

_WHAT = "a zone is the name of an IANA time zone, such as 'Europe/Berlin', or an offset, such as '+02:00'"


@lru_cache(maxsize=1024)
def zone(name: str) -> tzinfo:
    """The zone of that name, or of a fixed offset such as ``+02:00``.

    Raises:
        InvalidConsent: if this system knows none.
    """
    if found := _FIXED.fullmatch(name):
        sign = -1 if found[1] == "-" else 1
        return timezone(sign * timedelta(hours=int(found[2]), minutes=int(found[3])))
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidConsent(_WHAT) from None


def is_zone(name: str) -> bool:
    """Whether this system knows a zone of that name."""
    try:
        zone(name)
    except InvalidConsent:
        return False
    return True


def known_zones(instance: object, attribute: object, value: Iterable[str]) -> None:
    """A validator: every name is that of a zone."""
    if not isinstance(value, tuple | list):
        raise InvalidConsent(f"{_WHAT}; several are given as a tuple")
    for name in value:
        if not isinstance(name, str):
            raise InvalidConsent(_WHAT)
        zone(name)
