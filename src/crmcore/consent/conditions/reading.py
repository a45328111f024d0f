"""Reading conditions from the tables of a pack.

Invariant: every key is known, or the pack is refused with the key that is not; nothing is skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any as Anything
from typing import get_args

import attrs

from crmcore.consent.conditions.acts import (
    Consented,
    Lifted,
    NamesRecipient,
    SaidNo,
    SpeaksOfTheData,
    Unlapsed,
)
from crmcore.consent.conditions.all_of import All, Any, Condition, Not, Stated
from crmcore.consent.conditions.clock import DAYS, Inside, Window
from crmcore.consent.conditions.known import AgeAtLeast, FactIs, Within
from crmcore.consent.conditions.listed import Asked, Listed, Related, Tried
from crmcore.consent.counting import COUNTINGS, Span
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Collection, Facts, PointFacts, RelationKind, Subject
from crmcore.consent.policy import Policy
from crmcore.consent.request import Message, Request, Use
from crmcore.consent.words import ActKind, ActPurpose, Channel
from crmcore.errors import InvalidPack

ROOTS: Mapping[str, type] = {
    "request": Request,
    "message": Message,
    "use": Use,
    "policy": Policy,
    "subject": Subject,
    "point": PointFacts,
    "collection": Collection,
    "facts": Facts,
    "act": ConsentEvent,
    "evidence": Evidence,
    "scope": Scope,
}
"""What the paths of facts begin with, and what is found there."""


def condition(table: Mapping[str, Anything], where: str) -> Condition:
    """The condition that a table of a pack says; several keys must all hold.

    Raises:
        InvalidPack: if a key or a value is not one that packs know. *where* is told.
    """
    if not isinstance(table, Mapping):
        raise InvalidPack(f"{where}: a condition is a table")
    parts = tuple(_part(key, value, f"{where}, {key}") for key, value in table.items())
    return parts[0] if len(parts) == 1 else All(parts)


def _part(key: str, value: Anything, where: str) -> Condition:
    if "." in key:
        return _fact(key, value, where)
    if isinstance(value, Mapping) and key in ROOTS:  # TOML reads a bare dotted key as a table in a table
        return All(tuple(_fact(f"{key}.{name}", one, where) for name, one in value.items()))
    if key not in _READERS:
        raise InvalidPack(f"{where}: there is no such condition; known are {', '.join(sorted(_READERS))}")
    return _READERS[key](value, where)


def _fact(path: str, value: Anything, where: str) -> Condition:
    root, _, name = path.partition(".")
    if root not in ROOTS or name not in {field.name for field in attrs.fields(ROOTS[root])}:
        raise InvalidPack(f"{where}: there is no fact {path!r}")
    if isinstance(value, Mapping):
        options = _options(value, where, "within", "past")
        return Within(path, Span.parse(options["within"]) if "within" in options else None)
    return FactIs(path, frozenset(value if isinstance(value, list) else [value]))


def _options(value: Anything, where: str, *known: str) -> dict[str, Anything]:
    if not isinstance(value, Mapping):
        raise InvalidPack(f"{where}: a table with some of {', '.join(known)}")
    if wrong := set(value) - set(known):
        raise InvalidPack(f"{where}: {', '.join(sorted(wrong))} is not among {', '.join(known)}")
    return dict(value)


def _words(value: Anything, known: Anything, where: str) -> frozenset[str]:
    found = frozenset([value] if isinstance(value, str) else value)
    if wrong := found - frozenset(get_args(known)):
        raise InvalidPack(f"{where}: {', '.join(sorted(wrong))} is not among {', '.join(get_args(known))}")
    return found


def _consent(value: Anything, where: str) -> Condition:
    if isinstance(value, str):
        return Consented(value)
    options = _options(value, where, "profile", "night", "any_time", "after", "about", "across")
    options["about"] = _words(options.get("about", ()), ActPurpose, where)
    options["across"] = _words(options.get("across", ()), Channel, where)
    return Consented(**options)


def _no(value: Anything, where: str) -> Condition:
    if not isinstance(value, Mapping):
        return SaidNo(_words(value, ActKind, where))
    options = _options(
        value,
        where,
        "kinds",
        "across",
        "about",
        "right",
        "lifts",
        "named",
        "at_once",
        "within",
        "minutes",
        "counting",
    )
    if "within" in options:
        if options.pop("counting", None) != "calendar_months":
            raise InvalidPack(f"{where}: name how the time is counted: counting = 'calendar_months'")
        if "minutes" in options:
            raise InvalidPack(f"{where}: it says within or minutes, not both")
        options["within"] = Span.parse(options["within"])
    options["kinds"] = _words(options["kinds"], ActKind, where)
    options["across"] = _words(options.get("across", ()), Channel, where)
    return SaidNo(**options)


def _listed(value: Anything, where: str) -> Condition:
    if isinstance(value, str):
        return Listed(value)
    options = _options(value, where, "on", "days", "fresh", "lifted", "relied")
    return Listed(options.pop("on"), **options)


def _related(value: Anything, where: str) -> Condition:
    if not isinstance(value, Mapping):
        return Related(_words(value, RelationKind, where))
    options = _options(
        value, where, "kinds", "within", "ended_within", "active", "written", "paid", "not_before", "counting"
    )
    if "within" in options or "ended_within" in options:
        _counting(options, where)
    if "within" in options and "ended_within" in options:
        raise InvalidPack(f"{where}: it says within or ended_within, not both")
    if "not_before" in options:
        options["not_before"] = _day(options["not_before"], where)
    return Related(
        _words(options["kinds"], RelationKind, where),
        span=Span.parse(options["within"]) if "within" in options else None,
        ended=Span.parse(options["ended_within"]) if "ended_within" in options else None,
        **{
            name: options[name]
            for name in ("active", "written", "paid", "not_before", "counting")
            if name in options
        },
    )


def _day(value: Anything, where: str) -> date:
    """A day: a date of TOML, or a text as the schema has it."""
    try:
        if isinstance(value, str) and (day := date.fromisoformat(value)).isoformat() == value:
            return day
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
    except ValueError:
        pass
    raise InvalidPack(f"{where}: a day is written like 2026-02-05")


def _counting(options: Mapping[str, Anything], where: str) -> str:
    if options.get("counting") not in COUNTINGS:
        raise InvalidPack(
            f"{where}: name how the time is counted: counting is one of {', '.join(sorted(COUNTINGS))}"
        )
    return str(options["counting"])


def _unlapsed(value: Anything, where: str) -> Condition:
    options = _options(value, where, "within", "counting")
    return Unlapsed(Span.parse(options.get("within", "")), _counting(options, where))


def _asked(value: Anything, where: str) -> Condition:
    options = _options(value, where, "on", "within")
    return Asked(options.pop("on"), **options)


def _inside(value: Anything, where: str) -> Condition:
    options = dict(value)
    holidays = options.pop("holidays", None)
    closed = options.pop("ends", "closed") == "closed"
    week: dict[str, tuple[Window, ...]] = {}
    for days, windows in options.items():
        first, _, last = days.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            raise InvalidPack(f"{where}: days are written like 'mon-fri' or 'sat', not {days!r}")
        named = DAYS[DAYS.index(first) : DAYS.index(last or first) + 1]
        if not named:
            raise InvalidPack(f"{where}: {days!r} runs over Sunday: a week begins on mon, so write two parts")
        if twice := [day for day in named if day in week]:
            raise InvalidPack(
                f"{where}: {twice[0]} is named twice: split the range, so that each day stands once"
            )
        week |= dict.fromkeys(named, _windows(windows, closed, where))
    if not week and holidays is None:
        raise InvalidPack(f"{where}: it names no day")
    on_holidays = None if holidays is None else _windows(holidays, closed, where)
    return Inside(tuple(week.get(day, ()) for day in DAYS), on_holidays)


def _windows(texts: Anything, closed: bool, where: str) -> tuple[Window, ...]:
    found = []
    for text in [texts] if isinstance(texts, str) else texts:
        begin, _, end = text.partition("-")
        try:
            start, finish = time.fromisoformat(begin), time.max if end == "24:00" else time.fromisoformat(end)
        except ValueError:
            raise InvalidPack(f"{where}: hours are written like '09:00-20:00', not {text!r}") from None
        if end == "00:00":
            raise InvalidPack(f"{where}: a day that ends at midnight ends at 24:00: write '{begin}-24:00'")
        if finish <= start:
            raise InvalidPack(
                f"{where}: {text!r} does not end after it begins: over midnight write two, '{begin}-24:00' and "
                f"'00:00-{end}', each for its days"
            )
        found.append(Window(start, finish, closed))
    return tuple(found)


def _tried(value: Anything, where: str) -> Condition:
    options = _options(value, where, "times", "hours", "days", "same_subject")
    if not options.get("hours") and not options.get("days"):
        raise InvalidPack(f"{where}: name within how many hours or days")
    return Tried(**options)


def _so(kind: Condition, value: Anything, where: str) -> Condition:
    if value is not True:
        raise InvalidPack(f"{where}: it is true, or left out")
    return kind


def _several(kind: Callable[[tuple[Condition, ...]], Condition]) -> Callable[[Anything, str], Condition]:
    return lambda value, where: kind(tuple(condition(one, where) for one in value))


_READERS: Mapping[str, Callable[[Anything, str], Condition]] = {
    "consent": _consent,
    "no": _no,
    "lifted": lambda value, where: Lifted(**_options(value, where, "after")),
    "listed": _listed,
    "asked": _asked,
    "unlapsed": _unlapsed,
    "related": _related,
    "inside": _inside,
    "tried": _tried,
    "age": lambda value, where: AgeAtLeast(**_options(value, where, "at_least", "on", "if_unknown")),
    "any": _several(Any),
    "all": _several(All),
    "speaks_of_the_data": lambda value, where: _so(SpeaksOfTheData(), value, where),
    "names_recipient": lambda value, where: _so(NamesRecipient(), value, where),
    "stated": lambda value, where: Stated(condition(value, where)),
    "not": lambda value, where: Not(condition(value, where)),
}
