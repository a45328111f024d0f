"""What of a question is the same for many people and takes few values: by it a docket is narrowed for all of them.

Invariant: two cases with the same key get the same answer to every condition that is settled by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from operator import attrgetter
from typing import Any

import attrs

from crmcore.consent.facts import Collection, Facts
from crmcore.consent.policy import Policy
from crmcore.consent.request import Message, Request, Use
from crmcore.values.partial_date import PartialDate

_SUBJECT = ("kind", "adult", "deceased", "known", "presumed_interest")
_POINT = ("line", "kind", "device_permission", "in_directory")


def _fields(cls: Any) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(cls) if field.name != "unknown")


_OF_EACH = frozenset({"controller", "at", "point", "brand", "topic", "message", "use"})
_ASKED = tuple(name for name in _fields(Request) if name not in _OF_EACH)
"""What of a request rules ask for by itself; acts are held against the rest."""

PATHS = frozenset(
    f"{root}.{name}"
    for root, names in (
        ("request", _ASKED),
        ("message", _fields(Message)),
        ("use", _fields(Use)),
        ("policy", _fields(Policy)),
        ("subject", _SUBJECT),
        ("point", _POINT),
        ("collection", _fields(Collection)),
        ("facts", ("gpc",)),
    )
    for name in names
)
"""The facts whose values are in the key."""

DAYS = ("subject.restricted_since", "subject.erased_on", "point.holder_since", "facts.refused_in_call")
"""The days of which the key says whether any is known, of this record or of others of the customer."""

OLDEST = 21
"""The highest age of which it is told whether somebody had reached it."""

_of_request = attrgetter(*_ASKED, "message", "use")
_of_facts = attrgetter(
    *(f"subject.{name}" for name in _SUBJECT),
    *(f"point.{name}" for name in _POINT),
    *(f"collection.{name}" for name in _fields(Collection)),
    "gpc",
    "others_under_age",
)
_days_of = attrgetter(*(path.removeprefix("facts.") for path in DAYS))
_KEPT = 4096
_numbers: dict[Any, int] = {}
_next = count(1)


def asked_key(request: Request, policy: Policy) -> int:
    """A number for what a request and a policy say beside the address and the instant; never given to another."""
    told = (_of_request(request), policy)
    found = _numbers.get(told)
    if found is None:
        if len(_numbers) >= _KEPT:
            _numbers.clear()
        found = _numbers[told] = next(_next)
    return found


def grown(facts: Facts, year: int) -> bool | None:
    """Whether somebody had been of every age that laws ask for when the first act was done, or by that *year*.

    None where no birth date is known. By that of another record of the customer nobody is old enough.
    """
    if facts.others_birth_dates:
        return False
    first = min([year, *(act.occurred_at.year for act in (*facts.events, *facts.others_lifting))])
    return grown_by(facts.subject.birth_dates, first)


def grown_by(born: Iterable[PartialDate], year: int) -> bool | None:
    """`grown` by these birth dates alone, of somebody whose first act was in that *year*."""
    found = [one.year is not None and one.year + OLDEST + 1 < year for one in born]
    return all(found) if found else None


def facts_key(facts: Facts, year: int) -> tuple[Any, ...]:
    """What facts say in the *year* of the question that takes few values, and of the rest whether there is anything."""
    others = facts.others_days
    return (
        _of_facts(facts),
        tuple([day is None for day in _days_of(facts)]),
        tuple([path in others for path in DAYS]) if others else None,
        grown(facts, year),
        not facts.relations,
        not facts.listings,
        not facts.checks,
        not facts.attempts,
        not facts.zones,
    )
