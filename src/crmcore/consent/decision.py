"""The decision whether somebody may be contacted, and why.

Invariant: a decision is a pure function of the request, the facts, the packs and the policy, all of which are given. It
allows only by a permit that it names, in every jurisdiction that may apply.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import attrs

from crmcore.consent.case import Case
from crmcore.consent.facts import Facts
from crmcore.consent.finding import FOREVER
from crmcore.consent.judging import Opinion, judge
from crmcore.consent.pack_reading import Laws, shipped_laws
from crmcore.consent.policy import Policy
from crmcore.consent.practice import Practice
from crmcore.consent.request import Request
from crmcore.consent.telling import in_words
from crmcore.consent.words import Outcome
from crmcore.values.instant import from_micros
from crmcore.values.personal import Document

RANK = {"deny": 0, "need_confirmation": 1, "allow": 2}
_SEARCHED = 64
"""So many changes ahead are looked at for the instant at which a denied contact becomes possible."""


@attrs.frozen(kw_only=True)
class RuleHit(Document):
    """What a rule came to. *status* is ``fired``, ``defeated``, ``unknown`` or ``not_applicable``.

    *because* are the ids of acts and the names of facts behind it; *why* says what a permit lacked.
    """

    rule: str
    jurisdiction: str
    stage: str
    effect: str
    status: str
    text: str
    cite: str
    because: tuple[str, ...] = ()
    why: str = ""
    defeated_by: str | None = None


@attrs.frozen(kw_only=True)
class Decision(Document):
    """*answer* is what to do. *rule* decides it: a denying rule, the permit that allows, or None where none permits.

    *missing* are the facts that would settle a ``need_confirmation``. *practice* are those that were filled in from
    what the company says of itself. From *retry_at* on a denial of the hour or of a number of contacts no longer holds;
    until *expires_at*, exclusive, the answer stays as it is with the same facts.
    """

    answer: Outcome
    purpose: str
    channel: str
    jurisdiction: str
    rule: str | None
    reasons: tuple[str, ...]
    trace: tuple[RuleHit, ...] = ()
    missing: tuple[str, ...] = ()
    practice: tuple[str, ...] = ()
    retry_at: datetime | None = None
    expires_at: datetime | None = None

    def explain(self) -> str:
        """The decision in words: the answer, the rule behind it with its citation, what came near, what is missing."""
        return "\n".join(in_words(self))


def decide(
    request: Request,
    facts: Facts,
    *,
    jurisdictions: Iterable[str],
    laws: Laws | None = None,
    policy: Policy | None = None,
    practice: Practice | None = None,
    known_at: datetime | None = None,
    trace: bool = True,
) -> Decision:
    """May this be done?

    All *jurisdictions* that may apply must allow it; where none is known, the strict baseline must. What the request
    and the acts leave open is filled in from *practice*. With *known_at* only what had been recorded by then counts.
    """
    own: tuple[str, ...] = ()
    if practice is not None:
        request, facts, own = practice.fill(request, facts)
    laws = shipped_laws() if laws is None else laws
    policy = Policy() if policy is None else policy
    names = tuple(jurisdictions) or ("*",)
    case = Case(request, facts, policy, known_at, brief=not trace)
    opinions = [judge(case, laws.of(name)) for name in names]
    worst = min(opinions, key=lambda one: RANK[one.outcome])
    until = min(one.until for one in opinions)
    return Decision(
        answer=worst.outcome,
        purpose=worst.purpose,
        channel=request.channel,
        jurisdiction=worst.jurisdiction,
        rule=worst.deciding.id if worst.deciding is not None else None,
        reasons=_reasons(worst),
        trace=tuple(hit for one in opinions for hit in _hits(one)) if trace else (),
        missing=tuple(dict.fromkeys(name for one in opinions for name in one.missing)),
        practice=own,
        retry_at=_retry(request, facts, policy, known_at, laws, names, opinions)
        if worst.outcome == "deny"
        else None,
        expires_at=None if until >= FOREVER else from_micros(until),
    )


def _reasons(opinion: Opinion) -> tuple[str, ...]:
    rule = opinion.deciding
    if rule is not None:
        lines = [f"{rule.text} ({rule.cite})"]
        found = next(hit.found for hit in opinion.hits if hit.rule is rule)
        if opinion.outcome != "allow" and found.why:
            lines.append(found.why)
        return tuple(lines)
    near = [
        f"{hit.rule.text} ({hit.rule.cite}): {hit.found.why}"
        for hit in opinion.hits
        if hit.rule.effect == "permit" and hit.found.why
    ]
    return ("nothing permits it", *near)


def _hits(opinion: Opinion) -> Iterable[RuleHit]:
    for hit in opinion.hits:
        yield RuleHit(
            rule=hit.rule.id,
            jurisdiction=opinion.jurisdiction,
            stage=hit.rule.stage,
            effect=hit.rule.effect,
            status=hit.status,
            text=hit.rule.text,
            cite=hit.rule.cite,
            because=hit.found.because,
            why=hit.found.why,
            defeated_by=hit.defeated_by or None,
        )


def _retry(
    request: Request,
    facts: Facts,
    policy: Policy,
    known_at: datetime | None,
    laws: Laws,
    names: tuple[str, ...],
    opinions: list[Opinion],
) -> datetime | None:
    """When only hours and numbers of contacts stand against it: the first instant at which they no longer do."""
    for _ in range(_SEARCHED):
        if any(
            one.outcome == "deny" and (one.deciding is None or one.deciding.stage not in ("time", "cap"))
            for one in opinions
        ):
            return None
        until = min(one.until for one in opinions)
        if until >= FOREVER:
            return None
        at = from_micros(until)
        case = Case(request, facts, policy, known_at, at, brief=True)
        opinions = [judge(case, laws.of(name)) for name in names]
        if all(one.outcome != "deny" for one in opinions):
            return at
    return None
