"""What one jurisdiction says of a request.

Invariant: a deny that fired decides, whatever permits; without a permit that can be named the answer is never yes; and
what is not known is asked for, never guessed. Whether somebody wants to know why changes nothing of the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from crmcore.consent.case import Case
from crmcore.consent.docket import Docket
from crmcore.consent.finding import YES, Finding, both, negated
from crmcore.consent.law import Law
from crmcore.consent.narrowing import narrow
from crmcore.consent.pack import Rule
from crmcore.consent.words import Outcome


class Hit(NamedTuple):
    """What a rule came to. *status* is fired, defeated, unknown or not_applicable."""

    rule: Rule
    status: str
    found: Finding
    defeated_by: str = ""


class Opinion(NamedTuple):
    """What one jurisdiction says: its *outcome*, the purpose as it sees it, the rule that decides, and every rule.

    In brief, *hits* are only of the rules that it took to decide. *until* is when one of those may come to something
    else, in microseconds.
    """

    jurisdiction: str
    outcome: Outcome
    purpose: str
    deciding: Rule | None
    hits: tuple[Hit, ...]
    missing: tuple[str, ...]
    until: int


def judge(case: Case, law: Law) -> Opinion:
    """What *law* says of the case. A message that may or may not be marketing is allowed if it is so either way."""
    opinion = _judged(case, law)
    case.lifting = {}  # those refer to the case: it would be left to the garbage collector
    return opinion


def _judged(case: Case, law: Law) -> Opinion:
    claimed = case.request.purpose
    docket = _docket(case, law, claimed)
    before: list[Hit] = []
    purpose, unsure = _classified(case, docket, before)
    if purpose != claimed:
        docket = _docket(case, law, purpose)
    found = _judged_by(docket, case, unsure, before)
    if unsure and found.outcome == "allow" and purpose != claimed:
        again = _judged_by(_docket(case, law, claimed), case, unsure, before)
        until = min(found.until, again.until)
        return (found if again.outcome == "allow" else again)._replace(until=until)
    return found


def steady(case: Case, law: Law) -> int | None:
    """Until when what *law* says of the case in brief hangs on what was done, and on nothing that changes with time.

    In microseconds; None where it hangs on more.
    """
    claimed = case.request.purpose
    docket = _docket(case, law, claimed)
    purpose, _ = _classified(case, docket, [])
    last = docket if purpose == claimed else _docket(case, law, purpose)
    return min(docket.until, last.until) if docket.steady and last.steady else None


def _docket(case: Case, law: Law, purpose: str) -> Docket:
    """What *law* has to say of the case as one for *purpose*; in brief, of people of whom as much is known."""
    docket = law.docket(case.request.channel, purpose, case.now)
    case.under(law, purpose, docket)
    if case.brief:
        docket = case.docket = narrow(docket, case)
    return docket


def _classified(case: Case, docket: Docket, hits: list[Hit]) -> tuple[str, tuple[str, ...]]:
    """The purpose that the content of the message makes of the one that was claimed, and the facts that would tell."""
    missing: tuple[str, ...] = ()
    for rule in docket.classifying:
        hit = _hit(rule, case, docket)
        hits.append(hit)
        if hit.status == "fired":
            return rule.becomes or case.request.purpose, ()
        if hit.status == "unknown":
            missing += hit.found.missing
    return ("marketing" if missing else case.request.purpose), missing


def _judged_by(docket: Docket, case: Case, unsure: tuple[str, ...], before: Iterable[Hit]) -> Opinion:
    """What the rules on *docket* come to, after what was found *before*.

    Rules are asked until it is certain which one decides: the first stop that fires, else the first limit that does
    where something permits or may permit, else the first permit.
    """
    hits = list(before)
    denies = _asked(docket.stops, case, docket, hits)
    fired = _fired(denies)
    permits: list[Hit] = []
    if fired is None:
        permits = _asked(docket.permits, case, docket, hits)
        if any(hit.status in ("fired", "unknown") for hit in permits):
            limits = _asked(docket.limits, case, docket, hits)
            denies += limits
            fired = _fired(limits)
    until = min([docket.until, *[hit.found.until for hit in hits]])
    outcome, deciding, missing = _outcome(denies, permits, fired)
    if unsure and outcome != "allow":
        outcome, missing = "need_confirmation", [*unsure, *missing]
    told = tuple(dict.fromkeys(missing)) if outcome == "need_confirmation" else ()
    if not case.brief:
        hits = [*before, *_all(docket, case, hits)]
    return Opinion(case.law.jurisdiction, outcome, case.purpose, deciding, tuple(hits), told, until)


def _asked(rules: Iterable[Rule], case: Case, docket: Docket, hits: list[Hit]) -> list[Hit]:
    """What *rules* come to, as far as the first that fires; all of it is added to *hits*."""
    found = []
    for rule in rules:
        hit = _hit(rule, case, docket)
        found.append(hit)
        if hit.status == "fired":
            break
    hits += found
    return found


def _fired(hits: list[Hit]) -> Hit | None:
    return hits[-1] if hits and hits[-1].status == "fired" else None


def _outcome(
    denies: list[Hit], permits: list[Hit], fired: Hit | None
) -> tuple[Outcome, Rule | None, list[str]]:
    """The answer, the rule that decides it, and which facts would settle it."""
    permit = _fired(permits)
    unknown = [hit for hit in denies if hit.status == "unknown"]
    if permit is None:
        unknown += [hit for hit in permits if hit.status == "unknown"]
    missing = [name for hit in unknown for name in hit.found.missing]
    if fired is not None:
        return "deny", fired.rule, missing
    if not any(hit.status in ("fired", "unknown") for hit in permits):
        return "deny", None, missing
    if unknown:
        return "need_confirmation", unknown[0].rule, missing
    return "allow", permit.rule if permit is not None else None, missing


def _all(docket: Docket, case: Case, asked: Iterable[Hit]) -> Iterator[Hit]:
    """What every rule comes to, those included that it did not take to decide."""
    found = {hit.rule.id: hit for hit in asked}
    for rule in (*docket.stops, *docket.permits, *docket.limits):
        yield found.get(rule.id) or _hit(rule, case, docket)


def _hit(rule: Rule, case: Case, docket: Docket) -> Hit:
    if rule.when is None:
        found = YES
    else:
        found = case.notes.get(rule.id) or _condition(rule, case)
    if found.holds is False:
        return Hit(rule, "not_applicable", found)
    if rule.unless is None and not rule.defeated_by:
        return Hit(rule, "fired" if found.holds else "unknown", found)
    until = found.until
    unknown = found if found.holds is None else None
    for name, defeater in _defeaters(rule, case, docket):
        if defeater.holds is True:
            return Hit(rule, "defeated", Finding(False, defeater.until, defeater.because), name)
        until = min(until, defeater.until)
        if defeater.holds is None:
            unknown = unknown or defeater
    if unknown is not None:
        return Hit(rule, "unknown", unknown._replace(until=until))
    return Hit(rule, "fired", found._replace(until=until))


def _condition(rule: Rule, case: Case) -> Finding:
    """Whether the condition of *rule* holds; worked out once for each law."""
    if rule.when is None:
        return YES
    found = case.notes.get(rule.id)
    if found is None:
        found = case.notes[rule.id] = rule.when.test(case)
    return found


def _defeaters(rule: Rule, case: Case, docket: Docket) -> Iterator[tuple[str, Finding]]:
    if rule.unless is not None:
        yield "unless", rule.unless.test(case)
    for other in docket.defeaters[rule.id]:
        found = _condition(other, case)
        if found.holds and other.unless is not None:
            found = both((found, negated(other.unless.test(case))))
        yield other.id, found
