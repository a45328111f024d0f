"""What can be wrong with a rule by itself, or beside the other rules of its law.

Invariant: a rule is called impossible only where no facts whatever could make it fire, or decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any as Anything
from typing import Literal, get_args, get_origin, get_type_hints

from crmcore.consent.conditions.acts import Profile, SaidNo
from crmcore.consent.conditions.all_of import All, Any
from crmcore.consent.conditions.known import FactIs, Within
from crmcore.consent.conditions.listed import Listed, Tried
from crmcore.consent.conditions.reading import ROOTS
from crmcore.consent.conditions.walking import needed, parts
from crmcore.consent.law import Law
from crmcore.consent.pack import Rule
from crmcore.consent.speaking import MARKETING
from crmcore.consent.words import STAGES, Channel, Purpose

_AFTER_PERMIT = frozenset(STAGES[STAGES.index("permit") + 1 :])
_REFUSALS = frozenset({"facts.refused_in_call", "collection.refusal_stated"})
"""Facts that say no, though they are no acts."""
_CONFIRMING = FactIs("message.kind", frozenset({"optout_confirmation"}))


def cannot_hold(rule: Rule | Profile, law: Law) -> Iterator[tuple[str, str]]:
    """Why it can never fire: dates in the wrong order, conditions that exclude each other, values that are none."""
    when = rule.condition if isinstance(rule, Profile) else rule.when
    if isinstance(rule, Rule):
        if rule.since is not None and rule.until is not None and rule.until < rule.since:
            yield "never_in_force", f"it ends on {rule.until}, before it begins on {rule.since}"
        if rule.effect == "classify" and rule.becomes not in get_args(Purpose):
            yield "becomes", "it makes the message one for a purpose that is none: name it in becomes"
        elif rule.effect == "classify" and rule.becomes in (rule.purposes or get_args(Purpose)):
            yield "becomes", f"it makes {rule.becomes} of what is {rule.becomes} already"
    unless = None if isinstance(rule, Profile) else rule.unless
    for part, _ in (*parts(when), *parts(unless)):
        if isinstance(part, All | Any):
            yield "contradiction", "a list of conditions is empty"
        if isinstance(part, FactIs) and (none := _no_values(part)):
            yield "no_such_value", f"{part.path} is never {' or '.join(none)}"
    yield from _contradictions(rule, when)


def _contradictions(rule: Rule | Profile, when: Anything) -> Iterator[tuple[str, str]]:
    left: dict[str, frozenset[Anything]] = {}
    if isinstance(rule, Rule):
        left = {"request.channel": rule.channels or frozenset(get_args(Channel))}
    asked = list(needed(when))
    for part, holds in asked:
        if not isinstance(part, FactIs) or _is_set(part.path):
            continue
        before = left.get(part.path)
        if holds:
            left[part.path] = part.values if before is None else before & part.values
        elif before is not None:
            left[part.path] = before - part.values
        if part.path in left and not left[part.path]:
            yield "contradiction", f"what it asks of {part.path} excludes itself"
            return
    for part, holds in asked:
        if holds and (part, False) in asked:
            yield "contradiction", "it asks for the same to hold and not to hold"
            return


def _hint(path: str) -> Anything:
    root, _, name = path.partition(".")
    return get_type_hints(ROOTS[root]).get(name)


def _is_set(path: str) -> bool:
    return get_origin(_hint(path)) is frozenset


def _no_values(part: FactIs) -> list[str]:
    """Those of its values that the fact can never have."""
    words = _words(_hint(part.path))
    return sorted(str(value) for value in part.values - words) if words else []


def _words(hint: Anything) -> frozenset[Anything]:
    """The closed vocabulary of a type; empty, if it has none."""
    if hint is bool:
        return frozenset({True, False})
    if get_origin(hint) is Literal:
        return frozenset(get_args(hint))
    closed = [_words(one) for one in get_args(hint) if one is not type(None)]
    return frozenset().union(*closed) if closed and all(closed) else frozenset()


def frees(rule: Rule, law: Law) -> Iterator[tuple[str, str]]:
    """Where a No, an entry on a list or a number of contacts would make an answer freer.

    The one message that a No may call for is the one that confirms it.
    """
    if (_CONFIRMING, True) in needed(rule.when):
        return
    strict = rule.effect == "deny" or (rule.effect == "classify" and rule.becomes in MARKETING)
    told = [*parts(rule.when, holds=not strict), *parts(rule.unless, holds=strict)]
    for name in rule.defeated_by:
        if (other := law.by_id.get(name)) is not None:
            told += [*parts(other.when, holds=strict), *parts(other.unless, holds=not strict)]
    found: dict[str, str] = {}
    for part, freer in told:
        if freer and (what := _no_of(part)):
            found.setdefault(what, f"{what} would make the answer freer")
    for text in found.values():
        yield "polarity", text


def _no_of(part: Anything) -> str:
    match part:
        case SaidNo():
            return f"a No ({', '.join(sorted(part.kinds))})"
        case Listed():
            return f"an entry on the list {part.list}"
        case Tried():
            return "a number of contacts"
        case FactIs() if part.path in _REFUSALS and True in part.values:
            return part.path
        case Within() if part.path in _REFUSALS:
            return part.path
    return ""


def doubled(rule: Rule, law: Law) -> Iterator[tuple[Literal["error", "note"], str, str]]:
    """Other permits that say the same, or allow whatever this one does."""
    if rule.effect != "permit":
        return
    for other in law.rules:
        if other.effect != "permit" or other.id == rule.id or not _covers(other, rule):
            continue
        if not _covers(rule, other):
            yield "note", "implied", f"{other.id} permits all that it permits"
        elif rule.id < other.id:
            yield "error", "identical", f"{other.id} permits just the same"


def _covers(wide: Rule, narrow: Rule) -> bool:
    """Whether *wide* permits in every case in which *narrow* does."""
    if wide.unless != narrow.unless and wide.unless is not None:
        return False
    if not set(wide.defeated_by) <= set(narrow.defeated_by):
        return False
    begins = wide.since is None or wide.since <= (narrow.since or date.min)
    ends = wide.until is None or (narrow.until or date.max) <= wide.until
    if not (begins and ends and _within(narrow.channels, wide.channels, get_args(Channel))):
        return False
    if not _within(narrow.purposes, wide.purposes, get_args(Purpose)):
        return False
    asked = list(needed(narrow.when))
    return all(any(_implies(mine, theirs) for mine in asked) for theirs in needed(wide.when))


def _within(narrow: Iterable[str], wide: Iterable[str], all_: Iterable[str]) -> bool:
    return frozenset(narrow or all_) <= frozenset(wide or all_)


def _implies(mine: tuple[Anything, bool], theirs: tuple[Anything, bool]) -> bool:
    if mine == theirs:
        return True
    one, other = mine[0], theirs[0]
    return (
        mine[1]
        and theirs[1]
        and isinstance(one, FactIs)
        and isinstance(other, FactIs)
        and one.path == other.path
        and one.values <= other.values
    )


def never_decides(rule: Rule, law: Law) -> Iterator[tuple[Literal["error", "note"], str, str]]:
    """A rule of form, hours or number of contacts about what nothing permits anyway; a stage that does not suit."""
    if rule.effect == "permit" and rule.stage != "permit":
        yield "error", "stage", f"a permit stands in the stage {rule.stage}: it is asked in the stage permit"
    if rule.effect == "deny" and rule.stage == "classify":
        yield "error", "stage", "a rule that denies stands in the stage classify"
    if rule.effect != "deny" or rule.stage not in _AFTER_PERMIT:
        return
    permits = [other for other in law.rules if other.effect == "permit"]
    pairs = (
        (channel, purpose)
        for channel in rule.channels or get_args(Channel)
        for purpose in rule.purposes or get_args(Purpose)
    )
    if not any(other.speaks_of(*pair) for pair in pairs for other in permits):
        yield "error", "never_decides", "nothing permits what it limits"
