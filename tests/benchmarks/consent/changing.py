"""Mutants of packs: each is a pack in which one thing is otherwise than its author wrote it.

Invariant: every mutant differs from its pack in one place, which its name tells, and is made of the values that were
read; no text is touched, and no pack is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import attrs

from crmcore.consent.grace import Grace
from crmcore.consent.pack import Number, Pack, Rule
from tests.benchmarks.consent.changing_conditions import Change, changed, less, moved

KINDS = (
    "a rule dropped",
    "a defeater removed",
    "a bound moved by one",
    "an in-force date shifted",
    "a part dropped",
    "a `not` removed",
    "a word dropped",
    "an option dropped",
    "a scope narrowed",
    "a leave-out taken back",
)
"""What may be otherwise, as reports tell it."""


@attrs.frozen(kw_only=True)
class Mutant:
    """*pack* as it would be with one change of some *kind* in its *part*: a rule, a profile, a grace, a number.

    *edge* is the day about which a change of the dates of a rule matters, and the only one.
    """

    name: str
    kind: str
    pack: Pack
    part: str
    edge: date | None = None


def mutants(pack: Pack) -> Iterator[Mutant]:
    """All mutants of *pack*, in the order of its text, each under a name of its own."""
    seen: Counter[str] = Counter()
    for part, change, edge in _changes(pack):
        name = f"{part}: {change.words}"
        seen[name] += 1
        if seen[name] > 1:
            name = f"{name} #{seen[name]}"
        yield Mutant(name=name, kind=change.kind, pack=change.value, part=part, edge=edge)


def _changes(pack: Pack) -> Iterator[tuple[str, Change, date | None]]:
    """For each change the part that it is in, the pack after it, and the day about which alone it matters, if any."""
    for id in sorted(pack.without):
        one = Change("a leave-out taken back", id, attrs.evolve(pack, without=pack.without - {id}))
        yield f"{pack.id} without", one, None
    for name, profile in pack.profiles.items():
        for change in changed(profile.condition):
            profiles = {**pack.profiles, name: attrs.evolve(profile, condition=change.value)}
            yield f"{pack.id} profile {name}", _as_pack(change, pack, profiles=profiles), None
    for at, number in enumerate(pack.numbers):
        for change in _of_number(number):
            yield f"{pack.id} number {number.name}", _replaced(change, pack, "numbers", at), None
    for at, grace in enumerate(pack.graces):
        for change in _of_grace(grace):
            words = [*sorted(grace.channels), *([grace.right] if grace.right else ())]
            part = f"{pack.id} grace {', '.join(words)}"
            yield part, _replaced(change, pack, "graces", at), None
    for at, rule in enumerate(pack.rules):
        for change in _of_rule(rule):
            edge = None if change.value is None else _edge(rule, change.value)
            yield rule.id, _replaced(change, pack, "rules", at), edge


def _as_pack(change: Change, pack: Pack, **fields: Any) -> Change:
    return change._replace(value=attrs.evolve(pack, **fields))


def _replaced(change: Change, pack: Pack, field: str, at: int) -> Change:
    """A change of one of several things, as one of the pack. One that leaves nothing drops it."""
    several = getattr(pack, field)
    new = () if change.value is None else (change.value,)
    return _as_pack(change, pack, **{field: (*several[:at], *new, *several[at + 1 :])})


def _of_rule(rule: Rule) -> Iterator[Change]:
    yield Change("a rule dropped", "dropped", None)
    if rule.unless is not None:
        yield Change("a defeater removed", "without its unless", attrs.evolve(rule, unless=None))
    for name in rule.defeated_by:
        left = tuple(one for one in rule.defeated_by if one != name)
        yield Change("a defeater removed", f"not defeated by {name}", attrs.evolve(rule, defeated_by=left))
    for field in ("when", "unless"):
        for change in changed(getattr(rule, field)):
            yield _inside(change, rule, field)
    for field in ("channels", "purposes"):
        for change in less(getattr(rule, field), field, kind="a scope narrowed"):
            yield change._replace(value=attrs.evolve(rule, **{field: change.value}))
    yield from _dates(rule)


def _inside(change: Change, rule: Rule, field: str) -> Change:
    return Change(change.kind, f"{field}: {change.words}", attrs.evolve(rule, **{field: change.value}))


def _dates(one: Rule | Grace | Number) -> Iterator[Change]:
    for field in ("since", "until"):
        day = getattr(one, field)
        if day is not None:
            for by in (-1, 1):
                other = day + timedelta(days=by)
                yield Change(
                    "an in-force date shifted", f"{field} {other}", attrs.evolve(one, **{field: other})
                )


def _edge(old: Rule, new: Rule) -> date | None:
    """The day about which a shift of dates matters."""
    for field in ("since", "until"):
        if getattr(old, field) != getattr(new, field):
            found: date = getattr(old, field)
            return found
    return None


def _of_number(number: Number) -> Iterator[Change]:
    for value, words in moved(number.value):
        yield Change("a bound moved by one", words, attrs.evolve(number, value=value))
    yield from _dates(number)


def _of_grace(grace: Grace) -> Iterator[Change]:
    yield Change("a rule dropped", "dropped", None)
    for number, words in moved(grace.number):
        yield Change("a bound moved by one", words, attrs.evolve(grace, number=number))
    for field in ("channels", "kinds", "purposes"):
        for change in less(getattr(grace, field), field, kind="a scope narrowed"):
            yield change._replace(value=attrs.evolve(grace, **{field: change.value}))
    yield from _dates(grace)
