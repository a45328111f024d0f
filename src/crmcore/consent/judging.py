"""What one jurisdiction says of a request.

Invariant: a deny that fired decides, whatever permits; without a permit that can be named the answer is never yes; and
what is not known is asked for, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import NamedTuple

from crmcore.consent.case import Case, instant
from crmcore.consent.finding import FOREVER, NO, YES, Finding, both, negated
from crmcore.consent.law import Law
from crmcore.consent.pack import Rule
from crmcore.consent.words import STAGES, Outcome
from crmcore.consent.zones import zone

_ORDER = {stage: number for number, stage in enumerate(STAGES)}


class Hit(NamedTuple):
    """What a rule came to. *status* is fired, defeated, unknown or not_applicable."""

    rule: Rule
    status: str
    found: Finding
    defeated_by: str = ""


class Opinion(NamedTuple):
    """What one jurisdiction says: its *outcome*, the purpose as it sees it, the rule that decides, and every rule."""

    jurisdiction: str
    outcome: Outcome
    purpose: str
    deciding: Rule | None
    permit: Rule | None
    hits: tuple[Hit, ...]
    missing: tuple[str, ...]
    until: int


def judge(case: Case, law: Law) -> Opinion:
    """What *law* says of the case. A message that may or may not be marketing is allowed if it is so either way."""
    case.under(law, case.request.purpose)
    day = case.at.astimezone(zone(law.pack.zone)).date()
    until = min((edge for edge in _edges(law) if edge > case.now), default=FOREVER)
    hits: list[Hit] = []
    purpose, unsure, until = _classified(case, law, day, until, hits)
    found = _judged_as(purpose, case, law, day, unsure, hits, until)
    if unsure and found.outcome == "allow" and purpose != case.request.purpose:
        claimed = _judged_as(case.request.purpose, case, law, day, unsure, hits, found.until)
        return found._replace(until=claimed.until) if claimed.outcome == "allow" else claimed
    return found


def _judged_as(
    purpose: str, case: Case, law: Law, day: date, unsure: tuple[str, ...], before: list[Hit], until: int
) -> Opinion:
    """What *law* says of a message for *purpose*, after what was found *before*."""
    case.under(law, purpose)
    speaking = law.speaking(case.request.channel, purpose)
    asked = (rule for rule in speaking if rule.effect not in ("classify", "note") and rule.in_force(day))
    hits = [*before, *(_hit(rule, case) for rule in asked)]
    until = min([until, *(hit.found.until for hit in hits)])
    return _opinion(case, law, purpose, unsure, tuple(hits), until)


def _edges(law: Law) -> list[int]:
    where = zone(law.pack.zone)
    return [instant(day, time.min, where) for day in law.edges]


def _classified(
    case: Case, law: Law, day: object, until: int, hits: list[Hit]
) -> tuple[str, tuple[str, ...], int]:
    """The purpose that the content of the message makes of the one that was claimed, and the facts that would tell."""
    purpose: str = case.request.purpose
    missing: tuple[str, ...] = ()
    for rule in law.speaking(case.request.channel, purpose):
        if rule.effect == "classify" and rule.in_force(day):  # type: ignore[arg-type]  # a day
            hit = _hit(rule, case)
            hits.append(hit)
            if hit.status == "fired":
                return rule.becomes or purpose, (), until
            if hit.status == "unknown":
                missing += hit.found.missing
    if missing:
        return "marketing", missing, until
    return purpose, (), until


def _hit(rule: Rule, case: Case) -> Hit:
    found = condition(rule, case)
    if found.holds is False:
        return Hit(rule, "not_applicable", found)
    until = found.until
    unknown = found if found.holds is None else None
    for name, defeater in _defeaters(rule, case):
        if defeater.holds is True:
            return Hit(rule, "defeated", Finding(False, min(defeater.until, FOREVER), defeater.because), name)
        until = min(until, defeater.until)
        if defeater.holds is None:
            unknown = unknown or defeater
    if unknown is not None:
        return Hit(rule, "unknown", unknown._replace(until=until))
    return Hit(rule, "fired", found._replace(until=until))


def condition(rule: Rule, case: Case) -> Finding:
    """Whether the condition of *rule* holds; worked out once for each law."""
    found = case.notes.get(rule.id)
    if found is None:
        found = rule.when.test(case) if rule.when is not None else YES
        case.notes[rule.id] = found
    return found


def _defeaters(rule: Rule, case: Case) -> Iterator[tuple[str, Finding]]:
    if rule.unless is not None:
        yield "unless", rule.unless.test(case)
    for name in rule.defeated_by:
        other = case.law.by_id.get(name)
        if other is None or not other.in_force(case.at.astimezone(zone(case.law.pack.zone)).date()):
            continue
        found = condition(other, case)
        if found.holds and other.unless is not None:
            found = both((found, negated(other.unless.test(case))))
        yield name, found


def _opinion(
    case: Case, law: Law, purpose: str, unsure: tuple[str, ...], hits: tuple[Hit, ...], until: int
) -> Opinion:
    denies = [hit for hit in hits if hit.rule.effect == "deny"]
    fired = sorted((hit for hit in denies if hit.status == "fired"), key=lambda hit: _ORDER[hit.rule.stage])
    permits = [hit for hit in hits if hit.rule.effect == "permit"]
    permit = next((hit.rule for hit in permits if hit.status == "fired"), None)
    open_permits = [hit for hit in permits if hit.status == "unknown"] if permit is None else []
    no_permit = permit is None and not open_permits
    missing = [name for hit in denies if hit.status == "unknown" for name in hit.found.missing]
    missing += [name for hit in open_permits for name in hit.found.missing]
    outcome: Outcome = "allow"
    deciding: Rule | None = permit
    if fired and (_ORDER[fired[0].rule.stage] < _ORDER["permit"] or not no_permit):
        outcome, deciding = "deny", fired[0].rule
    elif no_permit:
        outcome, deciding = "deny", None
    elif missing:
        outcome = "need_confirmation"
        deciding = next(hit.rule for hit in (*denies, *open_permits) if hit.status == "unknown")
    if unsure and outcome != "allow":
        outcome, missing = "need_confirmation", [*unsure, *missing]
    told = tuple(dict.fromkeys(missing)) if outcome == "need_confirmation" else ()
    return Opinion(law.jurisdiction, outcome, purpose, deciding, permit, hits, told, until)


def at_instant(moment: int) -> datetime | None:
    """The instant of so many microseconds; None for one that never comes."""
    from crmcore.values.instant import from_micros

    return None if moment >= FOREVER else from_micros(moment)


__all__ = ["NO", "Hit", "Opinion", "judge"]
