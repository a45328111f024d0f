"""What is left of a condition when what is the same for many people is known.

Invariant: over every case with the same key, what is left comes to the same answer as the whole, asks for the same
facts, and lasts as long; only why it came to it is told in fewer words.
"""

from __future__ import annotations

from typing import Any as Anything

import attrs

from crmcore.consent.case import Case
from crmcore.consent.conditions.acts import Consented, Lifted, NamesRecipient, SaidNo, SpeaksOfTheData
from crmcore.consent.conditions.all_of import All, Any, Condition, Not, Stated
from crmcore.consent.conditions.clock import Inside
from crmcore.consent.conditions.known import AgeAtLeast, FactIs, Within
from crmcore.consent.conditions.listed import Asked, Listed, Related, Tried
from crmcore.consent.finding import FOREVER, NO, YES, Finding, negated
from crmcore.consent.fixed import DAYS, OLDEST, PATHS, grown
from crmcore.consent.history import ACT_FACTS, SCOPE_FACTS


@attrs.frozen
class Settled:
    """What a condition comes to, for everybody of whom the same is known."""

    found: Finding

    def test(self, case: Case) -> Finding:
        return self.found


_NEVER_DONE = SaidNo(frozenset())
"""What nobody did, and, where acts are still to come, may yet do."""


def narrowed(condition: Condition, case: Case) -> Condition:
    """What is left of *condition* for whoever has the key of *case*."""
    match condition:
        case All():
            return _joined(condition.parts, case, decisive=False)
        case Any():
            return _joined(condition.parts, case, decisive=True)
        case Not():
            part = narrowed(condition.part, case)
            return Settled(negated(part.found)) if isinstance(part, Settled) else Not(part)
        case Stated():
            part = narrowed(condition.part, case)
            return Settled(Stated(part).test(case)) if isinstance(part, Settled) else Stated(part)
        case Consented() if condition.after in DAYS and not case.days_at(condition.after):
            return attrs.evolve(condition, after=None)
        case Lifted() if condition.after in DAYS and not case.days_at(condition.after):
            return _NEVER_DONE
        case _ if _hangs_on_the_key(condition, case):
            found = condition.test(case)
            return Settled(found) if found.until >= FOREVER else condition
        case _:
            return condition


def _joined(parts: tuple[Condition, ...], case: Case, *, decisive: bool) -> Condition:
    """All of *parts*, or one of them: those left out that change nothing, and no more than one that decides."""
    left: list[Condition] = []
    for part in parts:
        one = narrowed(part, case)
        if isinstance(one, Settled) and one.found.holds is decisive:
            return one
        if not isinstance(one, Settled) or one.found.holds is None:
            left.append(one)
    if not left:
        return Settled(NO if decisive else YES)
    if len(left) == 1:
        return left[0]
    return Any(tuple(left)) if decisive else All(tuple(left))


def _hangs_on_the_key(condition: Anything, case: Case) -> bool:
    """Whether what a simple condition comes to is the same for everybody with the key of *case*."""
    facts = case.facts
    match condition:
        case FactIs():
            return condition.path in PATHS
        case Within():
            return condition.path in DAYS and not case.days_at(condition.path)
        case AgeAtLeast():
            old_enough = grown(facts, case.at.year)
            return old_enough is None or (old_enough and _fixed(condition, case))
        case Related():
            return not facts.relations
        case Listed():
            return not facts.listings and (condition.fresh is None or not facts.checks)
        case Asked():
            return not facts.checks
        case Tried():
            return not facts.attempts
        case Inside():
            return not facts.zones or case.request.hours == "not_at_issue"
        case NamesRecipient():
            return case.purpose != "third_party_sharing"
        case SpeaksOfTheData():
            return not case.request.use.data
        case _:
            return False


def _fixed(condition: AgeAtLeast, case: Case) -> bool:
    """Whether everybody who was ever old enough by the key is old enough, at whatever time that is asked.

    Of the question it is also told until when, which is when another number holds.
    """
    years, law = condition.at_least, case.law
    if isinstance(years, int):
        return years <= OLDEST
    return law.at_most(years, OLDEST) and (condition.on == "act" or law.is_fixed(years))


def steady(condition: Anything) -> bool:
    """Whether what a narrowed condition comes to hangs only on what was done and in which order, not on when."""
    match condition:
        case None | Settled():
            return True
        case All() | Any():
            return all(steady(part) for part in condition.parts)
        case Not() | Stated():
            return steady(condition.part)
        case Consented():
            return condition.after is None
        case SaidNo():
            return condition.within is None and condition.minutes is None
        case FactIs(path=path):
            return path.startswith("evidence.") or path in ACT_FACTS or path in SCOPE_FACTS
        case _:
            return isinstance(condition, NamesRecipient | SpeaksOfTheData)
