"""What one condition of a pack becomes when one thing in it is otherwise.

Invariant: whatever can be a bound, a word or an option of a condition is changed by its type, so that a condition that
is new is changed as well, with nothing said of it here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any as Anything
from typing import NamedTuple

import attrs

from crmcore.consent.conditions.all_of import All, Any, Not, Stated
from crmcore.consent.conditions.clock import DAYS, Inside, Window
from crmcore.consent.counting import Span

_SAME_COUNTING = frozenset({"calendar_months", "interpretation_act_s28"})
"""Names of one way of counting, by which statutes are followed that each describe it in words of their own."""


class Change(NamedTuple):
    """What is otherwise: of what *kind*, in *words*, and the *value* after it; None, if nothing is left."""

    kind: str
    words: str
    value: Anything


def changed(condition: Anything) -> Iterator[Change]:
    """What *condition* may become by one change. None of it may be there at all."""
    match condition:
        case None:
            return
        case All() | Any():
            yield from _of_several(condition)
        case Not():
            yield Change("a `not` removed", f"{told(condition)} removed", condition.part)
            yield from _within(condition, "part", "not")
        case Stated():
            yield from _within(condition, "part", "stated")
        case Inside():
            yield from _of_hours(condition)
        case _:
            yield from _of_fields(condition)


def told(condition: Anything) -> str:
    """A condition in a few words."""
    match condition:
        case All():
            return f"all({', '.join(told(one) for one in condition.parts)})"
        case Any():
            return f"any({', '.join(told(one) for one in condition.parts)})"
        case Not() | Stated():
            return f"{type(condition).__name__.lower()} {told(condition.part)}"
    words = [
        "|".join(sorted(map(str, value))) if isinstance(value, frozenset) else str(value)
        for value in _set_fields(condition).values()
        if not isinstance(value, bool | int | Span | tuple | date)
    ]
    return f"{type(condition).__name__} {' '.join(words)}".strip()


def _of_several(condition: All | Any) -> Iterator[Change]:
    parts = condition.parts
    kind = type(condition).__name__.lower()
    for at, part in enumerate(parts):
        if len(parts) > 1:
            rest = (*parts[:at], *parts[at + 1 :])
            yield Change(
                "a part dropped", f"{kind} without {told(part)}", attrs.evolve(condition, parts=rest)
            )
        for change in changed(part):
            new = (*parts[:at], change.value, *parts[at + 1 :])
            words = change.words if kind == "all" else f"{kind} {at + 1}: {change.words}"
            yield Change(change.kind, words, attrs.evolve(condition, parts=new))


def _within(condition: Not | Stated, field: str, word: str) -> Iterator[Change]:
    for change in changed(getattr(condition, field)):
        yield Change(change.kind, f"{word}: {change.words}", attrs.evolve(condition, **{field: change.value}))


def _set_fields(condition: Anything) -> dict[str, Anything]:
    """What is said of a condition: its fields that are not as they are where nothing is."""
    return {
        field.name: getattr(condition, field.name)
        for field in attrs.fields(type(condition))
        if field.init and getattr(condition, field.name) != field.default
    }


def _of_fields(condition: Anything) -> Iterator[Change]:
    """Of a simple condition: bounds moved, words dropped, options not said."""
    name = told(condition)
    for field, value in _set_fields(condition).items():
        default = getattr(attrs.fields(type(condition)), field).default
        if isinstance(value, frozenset):
            found = less(value, f"{name}, {field}", to_none=default == frozenset())
        elif isinstance(value, bool) or (isinstance(value, str) and default is not attrs.NOTHING):
            found = _not_said(value, default, f"{name}, {field}")
        else:
            found = (
                Change("a bound moved by one", f"{name}, {field} {words}", new) for new, words in moved(value)
            )
        for change in found:
            yield change._replace(value=attrs.evolve(condition, **{field: change.value}))


def _not_said(value: Anything, default: Anything, words: str) -> Iterator[Change]:
    if not {value, default} <= _SAME_COUNTING:
        yield Change("an option dropped", f"{words} not said", default)


def less(
    words: frozenset[str], name: str, *, kind: str = "a word dropped", to_none: bool = False
) -> Iterator[Change]:
    """*words* without each of them; the last one goes only *to_none*, where none stands for something."""
    if len(words) > 1 or to_none:
        for word in sorted(words, key=str):
            yield Change(kind, f"{name} without {word}", words - {word})


def moved(value: Anything) -> Iterator[tuple[Anything, str]]:
    """A bound one less and one more, and in words. A time is moved by a day, as finely as laws count it."""
    match value:
        case int():
            yield from ((value + by, f"{value + by}") for by in (-1, 1) if value + by > 0)
        case Span():
            yield from (
                (attrs.evolve(value, days=value.days + by), f"{_length(value)} {by:+d} day") for by in (-1, 1)
            )
        case date():
            yield from ((value + timedelta(days=by), f"{value + timedelta(days=by)}") for by in (-1, 1))
        case _:
            return


def _length(span: Span) -> str:
    return f"P{span.months}M" if span.months else f"P{span.days}D"


def _of_hours(hours: Inside) -> Iterator[Change]:
    """Of hours: each edge of a window a second earlier and later, or open; where one day ends, a day; no holidays."""
    for first, last in _alike(hours.week):
        here = f"{DAYS[first]}-{DAYS[last]}" if first != last else DAYS[first]
        for words, new in _of_windows(hours.week[first]):
            week = tuple(new if first <= day <= last else old for day, old in enumerate(hours.week))
            yield Change("a bound moved by one", f"hours {here} {words}", attrs.evolve(hours, week=week))
        if last < len(DAYS) - 1:
            for day, other in ((last, last + 1), (last + 1, last)):
                week = tuple(hours.week[other] if at == day else old for at, old in enumerate(hours.week))
                words = f"{DAYS[day]} as {DAYS[other]}"
                yield Change("a bound moved by one", f"hours {words}", attrs.evolve(hours, week=week))
    if hours.on_holidays is not None:
        none = attrs.evolve(hours, on_holidays=None)
        yield Change("an option dropped", "hours, holidays not said", none)
        for words, new in _of_windows(hours.on_holidays):
            change = attrs.evolve(hours, on_holidays=new)
            yield Change("a bound moved by one", f"hours on holidays {words}", change)


def _alike(week: tuple[tuple[Window, ...], ...]) -> Iterator[tuple[int, int]]:
    """The first and the last of days in a row that have the same windows."""
    first = 0
    for day in range(1, len(week) + 1):
        if day == len(week) or week[day] != week[first]:
            yield first, day - 1
            first = day


def _of_windows(windows: tuple[Window, ...]) -> Iterator[tuple[str, tuple[Window, ...]]]:
    for at, window in enumerate(windows):
        for words, new in _of_window(window):
            yield words, (*windows[:at], new, *windows[at + 1 :])


def _of_window(window: Window) -> Iterator[tuple[str, Window]]:
    for field in ("begin", "end"):
        for by in (-1, 1):
            other = _a_second(getattr(window, field), by)
            if other is not None:
                new = (
                    attrs.evolve(window, begin=other) if field == "begin" else attrs.evolve(window, end=other)
                )
                yield f"{field} {other}", new
    if window.end != time.max:
        words = "open at its end" if window.closed else "closed at its end"
        yield f"{window.end} {words}", attrs.evolve(window, closed=not window.closed)


def _a_second(clock: time, by: int) -> time | None:
    """A time a second earlier or later on the same day, if there is one."""
    if clock == time.max:
        return None
    day = date(2000, 1, 1)
    other = datetime.combine(day, clock) + timedelta(seconds=by)
    return other.time() if other.date() == day else None
