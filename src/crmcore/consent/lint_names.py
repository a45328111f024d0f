"""Names in a pack that name nothing, and numbers that are there twice or at times not at all.

Invariant: what is looked up when a decision is made is found, or told here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import combinations, pairwise
from typing import Any

from crmcore.consent.conditions.acts import Consented, SaidNo, Unlapsed
from crmcore.consent.conditions.known import AgeAtLeast
from crmcore.consent.conditions.listed import Related
from crmcore.consent.conditions.walking import parts
from crmcore.consent.grace import Grace
from crmcore.consent.law import Law
from crmcore.consent.pack import Number, Pack

Told = Iterator[tuple[str, str, str]]

_OF_DAYS = frozenset({"days", "business_days_exclusive", "business_days_inclusive", "nth_working_day"})
"""Ways of counting days, for the time that a withdrawal takes; the others count months."""


def names_nothing(pack: Pack, law: Law, among: Mapping[str, Pack]) -> Told:
    """A code, the place and a sentence for each."""
    included = {rule.id for one in among.values() if one.id != pack.id for rule in one.rules}
    for name in sorted(pack.without - included):
        yield "without", "without", f"no pack has the rule {name}"
    if pack.lifts is not None and pack.lifts not in law.profiles:
        yield "profile", "lifts", f"there is no profile {pack.lifts}"
    yield from _rules(pack, law, included)
    for name, profile in pack.profiles.items():
        yield from _conditions(f"profile {name}", profile.condition, law)
    yield from _numbers(pack)
    yield from _graces(pack, law)


def _graces(pack: Pack, law: Law) -> Told:
    for grace in pack.graces:
        if not grace.cite.strip():
            yield "citation", "grace", "the time for a withdrawal has no citation"
        if grace.counting not in _OF_DAYS:
            yield (
                "counting",
                "grace",
                f"{grace.counting} counts no days: one of {', '.join(sorted(_OF_DAYS))}",
            )
        if grace.since is not None and grace.until is not None and grace.until < grace.since:
            yield "never_in_force", "grace", f"it ends on {grace.until}, before it begins on {grace.since}"
        if grace.right is not None and grace.right not in law.rights:
            yield "right", "grace", f"no rule asks for the right {grace.right}"
    for one, other in combinations(pack.graces, 2):
        if shared := _shared(one, other):
            yield (
                "overlap",
                "grace",
                f"there are two times for {' and '.join(sorted(shared))} on the same days",
            )


def _shared(one: Grace, other: Grace) -> frozenset[str]:
    """The channels by which an act has two times for processing it, of which the second is never looked at."""
    begins = max(one.since or date.min, other.since or date.min)
    ends = min(one.until or date.max, other.until or date.max)
    about = one.purposes & other.purposes if one.purposes and other.purposes else True
    if begins > ends or one.right != other.right or not (about and one.kinds & other.kinds):
        return frozenset()
    return one.channels & other.channels


def _rules(pack: Pack, law: Law, included: Iterable[str]) -> Told:
    ids = [rule.id for rule in pack.rules]
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        yield "twice", name, "two rules of the pack have this id"
    taken = set(included) - pack.without
    for rule in pack.rules:
        if rule.id in taken:
            yield "twice", rule.id, "a rule of another pack has this id"
        for name in rule.defeated_by:
            if name not in law.by_id:
                yield "defeated_by", rule.id, f"there is no rule {name} to defeat it"
        if not rule.cite.strip():
            yield "citation", rule.id, "it has no citation"
        for condition in (rule.when, rule.unless):
            yield from _conditions(rule.id, condition, law)


def _conditions(where: str, condition: Any, law: Law) -> Told:
    for part, _ in parts(condition):
        match part:
            case Consented() if part.profile not in law.profiles:
                yield "profile", where, f"there is no profile {part.profile}"
            case SaidNo() if part.lifts is not None and part.lifts not in law.profiles:
                yield "profile", where, f"there is no profile {part.lifts}"
            case AgeAtLeast() if isinstance(part.at_least, str) and not law.has_number(part.at_least):
                yield "number", where, f"there is no number {part.at_least}"
            case Related() | Unlapsed() if part.counting in _OF_DAYS:
                yield "counting", where, f"{part.counting} counts no months"


def _numbers(pack: Pack) -> Told:
    for name in dict.fromkeys(number.name for number in pack.numbers):
        alike = sorted(
            (one for one in pack.numbers if one.name == name), key=lambda one: one.since or date.min
        )
        for one in alike:
            if not one.cite.strip():
                yield "citation", f"number {name}", "it has no citation"
            if one.since is not None and one.until is not None and one.until < one.since:
                yield "never_in_force", f"number {name}", f"it ends on {one.until}, before it begins"
        for first, second in pairwise(alike):
            yield from _beside(name, first, second)


def _beside(name: str, first: Number, second: Number) -> Told:
    if first.until is None or second.since is None or second.since <= first.until:
        yield "overlap", f"number {name}", f"it is {first.value} and {second.value} on the same days"
    elif second.since > first.until + timedelta(days=1):
        yield "gap", f"number {name}", f"there is none between {first.until} and {second.since}"
