"""A docket narrowed to what is known of many people at once: the rules that may still come to something.

Invariant: a narrowed docket answers every case that has the same key as the whole one does. It is for whoever does not
ask why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from crmcore.consent.case import Case
from crmcore.consent.conditions.acts import Consented, Profile, SaidNo
from crmcore.consent.conditions.all_of import Condition
from crmcore.consent.conditions.narrowing import Settled, narrowed, steady
from crmcore.consent.conditions.walking import parts
from crmcore.consent.docket import Docket
from crmcore.consent.pack import Rule

_KEPT = 512
"""So many narrowed forms are kept of one docket before all are made anew."""


def narrow(docket: Docket, case: Case) -> Docket:
    """*docket* for whoever has the key of *case*; made once for each key."""
    found = docket.narrowed.get(case.key)
    if found is None:
        if len(docket.narrowed) >= _KEPT:
            docket.narrowed.clear()
        found = docket.narrowed[case.key] = _narrowed(docket, case)
    return found


def _narrowed(docket: Docket, case: Case) -> Docket:
    defeaters: dict[str, tuple[Rule, ...]] = {}

    def left(rules: Iterable[Rule]) -> tuple[Rule, ...]:
        found = []
        for rule in rules:
            one = _left(rule, docket, case)
            if one is not None:
                found.append(one[0])
                defeaters[rule.id] = one[1]
        return tuple(found)

    profiles = {name: Profile(name, narrowed(one.condition, case)) for name, one in docket.profiles.items()}
    found = docket._replace(
        classifying=left(docket.classifying),
        stops=left(docket.stops),
        permits=left(docket.permits),
        limits=left(docket.limits),
        defeaters=defeaters,
        profiles=profiles,
        narrowed={},
    )
    return found._replace(steady=_steady(found, case.law.lifts))


def _steady(docket: Docket, lifts: str) -> bool:
    """Whether no rule looks at a clock, and what the message is hangs on nothing that is still open.

    *lifts* is the profile of what lifts a No, where a rule names none.
    """
    rules = [*docket.stops, *docket.permits, *docket.limits]
    rules += [other for rule in rules for other in docket.defeaters[rule.id]]
    conditions = [condition for rule in rules for condition in (rule.when, rule.unless)]
    conditions += [docket.profiles[name].condition for name in _profiles(conditions, docket, lifts)]
    return all(map(steady, conditions)) and all(
        _settled(rule.when) and _settled(rule.unless) for rule in docket.classifying
    )


def _profiles(conditions: Iterable[Condition | None], docket: Docket, lifts: str) -> set[str]:
    """The profiles that *conditions* ask for, if only by way of others, and those of what lifts a No."""
    found: set[str] = set()
    rest = [lifts, *(name for one in conditions for name in _named(one))]
    while rest:
        name = rest.pop()
        if name in docket.profiles and name not in found:
            found.add(name)
            rest += _named(docket.profiles[name].condition)
    return found


def _named(condition: Condition | None) -> Iterator[str]:
    for part, _ in parts(condition):
        if isinstance(part, Consented):
            yield part.profile
        elif isinstance(part, SaidNo) and part.lifts is not None:
            yield part.lifts


def _settled(condition: Condition | None) -> bool:
    return condition is None or isinstance(condition, Settled)


def _left(rule: Rule, docket: Docket, case: Case) -> tuple[Rule, tuple[Rule, ...]] | None:
    """What is left of *rule*, and of the rules that defeat it; None if it never applies."""
    when, unless = _part(rule.when, case), _part(rule.unless, case)
    others = tuple(_other(other, case) for other in docket.defeaters[rule.id])
    if _never(when) or (_always(when) and _surely_defeated(unless, others)):
        return None
    left = attrs.evolve(
        rule,
        when=when,
        unless=None if _never(unless) else unless,
        defeated_by=tuple(other.id for other in others if not _idle(other)),
    )
    return left, tuple(other for other in others if not _idle(other))


def _surely_defeated(unless: Condition | None, others: tuple[Rule, ...]) -> bool:
    """Whether what defeats a rule is the same for everybody, and for ever: the first of its defeaters that is not idle.

    Of one that may come to hold later, it stays told until when nothing changes.
    """
    if unless is not None and not _never(unless):
        return _always(unless)
    first = next((other for other in others if not _idle(other)), None)
    return first is not None and _always(first.when) and (first.unless is None or _never(first.unless))


def _idle(rule: Rule) -> bool:
    """Whether a rule never defeats another."""
    return _never(rule.when) or (_always(rule.when) and rule.unless is not None and _always(rule.unless))


def _other(rule: Rule, case: Case) -> Rule:
    return attrs.evolve(rule, when=_part(rule.when, case), unless=_part(rule.unless, case))


def _part(condition: Condition | None, case: Case) -> Condition | None:
    return None if condition is None else narrowed(condition, case)


def _always(condition: Condition | None) -> bool:
    """Whether it holds for everybody; a rule without a condition always does."""
    return condition is None or (isinstance(condition, Settled) and condition.found.holds is True)


def _never(condition: Condition | None) -> bool:
    return isinstance(condition, Settled) and condition.found.holds is False
