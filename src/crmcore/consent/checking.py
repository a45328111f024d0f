"""Checks of the closed vocabularies, for the fields of values.

Invariant: a word that is not in its vocabulary is refused when a value is made, with those that are.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from types import UnionType
from typing import Any, TypeVar, get_args

import attrs

from crmcore.errors import CrmError, InvalidConsent, InvalidDate
from crmcore.values.instant import ensure_aware
from crmcore.values.text import storable

T = TypeVar("T")


def moment(value: datetime, what: str) -> None:
    """Refuse an instant without a zone, or so near to the ends of the calendar that it has no day in some zone.

    Raises:
        NaiveDatetime: if it has no zone or is no datetime at all.
        InvalidDate: if in UTC it falls before the year 2 or after 9998.
    """
    if type(value) is datetime and value.tzinfo is UTC and 1 < value.year < 9999:
        return
    if not 1 < ensure_aware(value, what).year < 9999:
        raise InvalidDate(f"{what} is outside the years 2 to 9998 in UTC", reason="range")


def together(values: Iterable[Any]) -> frozenset[Any]:
    """A set of *values*.

    Raises:
        InvalidConsent: if they are no such thing, or one text: that would be a set of its letters.
    """
    try:
        if not isinstance(values, str | bytes):
            return frozenset(values)
    except TypeError:
        pass
    raise InvalidConsent("several words are given as a list, a tuple or a set of texts")


def names(values: Iterable[Any]) -> frozenset[Any]:
    """A set of texts, as a store can hold them; see `together`."""
    return frozenset(map(storable, together(values)))


def fields_told(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Refuse names *given* as fields of *what* that are none of those *known*.

    Raises:
        InvalidConsent: naming the first of them, and all that are known.
    """
    there = sorted(known)
    for name in sorted(set(given).difference(there)):
        raise InvalidConsent(
            f"{name} is no field of {what}: leave it out, or tell {', '.join(there[:-1])} or {there[-1]}"
        )


def listed(
    values: Iterable[T], kind: type | UnionType, what: str, error: type[CrmError] = InvalidConsent
) -> tuple[T, ...]:
    """*values* as a tuple. *what* says in a sentence what they are.

    Raises:
        InvalidConsent: or another *error*, if they are no such thing, or one text: that would be its letters.

    >>> listed(["DE", "US-CA"], str, "jurisdictions are several texts")
    ('DE', 'US-CA')
    """
    try:
        if not isinstance(values, str | bytes):
            found = tuple(values)
            if all(isinstance(one, kind) for one in found):
                return found
    except TypeError:
        pass
    raise error(what)


def word(value: object, words: Any, what: str) -> None:
    """Refuse what is none of *words*.

    Raises:
        InvalidConsent: with those that there are.
    """
    if value not in get_args(words):
        raise InvalidConsent(f"{what} is one of {', '.join(sorted(get_args(words)))}")


def some_of(words: Any, what: str) -> Any:
    """A validator of a set of *words*."""
    known = frozenset(get_args(words))

    def check(instance: object, attribute: object, value: frozenset[str]) -> None:
        if not value <= known:
            raise InvalidConsent(f"{what} are some of {', '.join(sorted(known))}")

    return check


def one_of(words: Any, what: str, **options: Any) -> Any:
    """A field that holds one of *words*, or None. *options* are those of `attrs.field`."""
    known = frozenset(get_args(words))

    def check(instance: object, attribute: object, value: str | None) -> None:
        if value is not None and not (isinstance(value, str) and value in known):
            raise InvalidConsent(f"{what} is one of {', '.join(sorted(known))}")

    return attrs.field(validator=check, **options)
