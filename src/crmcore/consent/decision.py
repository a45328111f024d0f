"""The decision whether somebody may be contacted, and why.

Invariant: a decision is a pure function of the request, the facts, the packs and the policy, all of which are given. It
allows only by a permit that it names, in every jurisdiction that may apply.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from copy import copy
from datetime import datetime
from typing import NamedTuple

import attrs

from crmcore.consent.case import Case
from crmcore.consent.contact import Contact
from crmcore.consent.facts import Facts
from crmcore.consent.facts_hash import facts_hash
from crmcore.consent.finding import FOREVER
from crmcore.consent.fixed import asked_key
from crmcore.consent.history import shape
from crmcore.consent.judging import Opinion, judge, steady
from crmcore.consent.law import Law
from crmcore.consent.pack_reading import Laws, shipped_laws
from crmcore.consent.policy import Policy
from crmcore.consent.practice import Practice
from crmcore.consent.remembering import Memory
from crmcore.consent.request import Request
from crmcore.consent.telling import NO_PACK, in_words
from crmcore.consent.told import replaced
from crmcore.consent.words import Outcome
from crmcore.errors import InvalidConsent
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.instant import ensure_aware, from_micros, micros
from crmcore.values.personal import Document

RANK = {"deny": 0, "need_confirmation": 1, "allow": 2}
_PLAIN = Policy()
_KEPT = 4096
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

    *packs* are the ids and versions of the packs that were asked, and *facts_hash*, where it was asked for, stands for
    all that was decided on: who keeps both can show later what a decision rested on, and decide it again.

    *without_pack* are the jurisdictions that were asked for and of which no pack speaks: they were judged by the law of
    their country alone, or by the strict baseline. A reason says so of each.
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
    packs: tuple[str, ...] = ()
    facts_hash: str | None = None
    without_pack: tuple[str, ...] = ()

    def explain(self) -> str:
        """The decision in words: the answer, the rule behind it with its citation, what came near, what is missing."""
        return "\n".join(in_words(self))

    def to_html(self) -> str:
        """The decision as one page, with every rule that was looked at: to be read, printed or kept."""
        from crmcore.consent.decision_page import decision_page

        return decision_page(self)

    def _repr_html_(self) -> str:
        """Shown as the answer and why in a notebook."""
        from crmcore.consent.decision_page import decision_card

        return decision_card(self)


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
    hashed: bool = False,
) -> Decision:
    """May this be done?

    All *jurisdictions* that may apply must allow it; where none is known, the strict baseline must. What the request
    and the acts leave open is filled in from *practice*; what *policy* asks beside the law must allow it too. With
    *known_at* only what had been recorded by then counts. Without *trace* only what decides is worked out, several
    times faster, with the same answer, rule and *expires_at*. *hashed* fills in the hash of what was decided on.

    Raises:
        NaiveDatetime: if *known_at* has no zone.
        InvalidConsent: if a jurisdiction is no code, the facts name a list of which no pack asks, or the policy rules
            of which none speaks.
    """
    question = Question(request, laws=laws, policy=policy, practice=practice, known_at=known_at)
    return question.of(facts, question.laws.told(jurisdictions), trace=trace, hashed=hashed)


class Question:
    """A request that is put to the laws again and again: what of it is the same for everybody is worked out once."""

    def __init__(
        self,
        request: Request,
        *,
        laws: Laws | None = None,
        policy: Policy | None = None,
        practice: Practice | None = None,
        known_at: datetime | None = None,
    ) -> None:
        if not isinstance(policy, Policy | None):
            raise InvalidConsent("what a company does beside the law is told as Policy(...)")
        self._practice = practice
        self._own: tuple[str, ...] = ()
        if known_at is not None:
            ensure_aware(known_at, "what was known")
        if practice is not None:
            request, self._own = practice.asks(request)
        self.request, self._known_at, self._contact = request, known_at, Contact.of(request)
        self.laws, self._policy = laws or shipped_laws(), policy or _PLAIN
        self._key = asked_key(request, self._policy)
        self._repeats = known_at is None and self._policy.withdrawal_grace != "legal_max"
        self._memory = Memory().at(micros(request.at))

    def of(
        self,
        facts: Facts,
        jurisdictions: tuple[str, ...],
        *,
        point: str | None = None,
        joined: Mapping[str, datetime] | None = None,
        trace: bool = True,
        hashed: bool = False,
    ) -> Decision:
        """The answer for somebody of whom these *facts* are known; see `decide`.

        *point* stands for that of the request, *joined* for that of the facts.
        """
        facts, own = self._filled(facts)
        places = self._placed(jurisdictions)
        case = self._case(facts, point, joined, brief=not trace)
        return self._answer(case, places, own, trace=trace, hashed=hashed)

    def at(self, moment: datetime) -> Question:
        """The same question at another instant. What is remembered and still so then is not worked out again."""
        other = copy(self)
        other.request = attrs.evolve(self.request, at=moment)
        other._memory = self._memory.at(micros(moment))
        return other

    def briefly(
        self,
        facts: Facts,
        jurisdictions: tuple[str, ...],
        *,
        point: str | None = None,
        joined: Mapping[str, datetime] | None = None,
        hint: Hashable = None,
    ) -> Decision:
        """What `of` answers without a trace; worked out once for all who did the same and are known in the same way.

        *hint* is the same only for people of whom both are so: by it the answer is found again (`recall`).
        """
        facts, own = self._filled(facts)
        case = self._case(facts, point, joined, brief=True)
        known, memory = (jurisdictions, case.key, own), self._memory
        told: Hashable = shape(case) if self._repeats and memory.steady(known) else None
        if told is not None:
            told = (known, told) if hint is None else hint
        decision: Decision | None = None if told is None else memory.recall(told)
        if decision is None:
            places = self._placed(jurisdictions)
            decision = self._answer(case, places, own, trace=False, hashed=False)
            if told is not None:
                if not memory.looked_at(known):
                    until = [steady(case, law) for law in places.laws]
                    memory.look(
                        known, None if None in until else min(one for one in until if one is not None)
                    )
                memory.keep(known, told, decision)
        return decision

    def recall(self, hint: Hashable) -> Decision | None:
        """What `briefly` answered with this hint, if that is the answer to all who have it."""
        found: Decision | None = self._memory.recall(hint)
        return found

    def _filled(self, facts: Facts) -> tuple[Facts, tuple[str, ...]]:
        """*facts*, filled in from the practice, and the names of all that was filled in."""
        own = self._own
        if self._practice is not None:
            facts, more = self._practice.tells(facts)
            own = (*own, *more)
        if facts.listings or facts.checks:
            self.laws.check_lists([one.list for one in facts.listings] + [one.list for one in facts.checks])
        return facts, own

    def _case(
        self, facts: Facts, point: str | None, joined: Mapping[str, datetime] | None, *, brief: bool
    ) -> Case:
        return Case(
            self.request,
            facts,
            self._policy,
            self._known_at,
            brief=brief,
            asked=self._key,
            contact=self._contact if point is None else self._contact._replace(point=point),
            joined=joined,
        )

    def _answer(
        self, case: Case, places: _Places, own: tuple[str, ...], *, trace: bool, hashed: bool
    ) -> Decision:
        opinions = _opinions(case, places.laws)
        worst = opinions[0] if len(opinions) == 1 else min(opinions, key=lambda one: RANK[one.outcome])
        until = min([one.until for one in opinions[: _decisive(opinions)]])
        return Decision(
            answer=worst.outcome,
            purpose=worst.purpose,
            channel=case.contact.channel,
            jurisdiction=worst.jurisdiction,
            rule=worst.deciding.id if worst.deciding is not None else None,
            reasons=(*_reasons(worst), *(one.text for one in places.apart)),
            trace=(*(hit for one in opinions for hit in _hits(one)), *places.apart) if trace else (),
            missing=_missing(opinions) if worst.outcome == "need_confirmation" else (),
            practice=own,
            retry_at=_retry(case, places.laws, opinions) if worst.outcome == "deny" else None,
            expires_at=None if until >= FOREVER else from_micros(until),
            packs=places.packs,
            facts_hash=self._hash(case, places) if hashed else None,
            without_pack=places.without_pack,
        )

    def _hash(self, case: Case, places: _Places) -> str:
        request = self.request.to(case.contact.point)
        facts = replaced(case.facts, joined=FrozenMap(case.joined))
        return facts_hash(request, facts, self._policy, places.names, places.packs, self._known_at)

    def _placed(self, jurisdictions: tuple[str, ...]) -> _Places:
        """The laws of these *jurisdictions*, and those beside them; worked out once for all questions."""
        known, key = self.laws.together, (jurisdictions, self._policy.beside)
        found: _Places | None = known.get(key)
        if found is None:
            names = self.laws.names(*key)
            laws = tuple(self.laws.of(name) for name in names)
            apart = tuple(_apart(names, laws, self.laws))
            packs = tuple(dict.fromkeys(pack for law in laws for pack in law.packs))
            if len(known) >= _KEPT:
                known.clear()
            found = known[key] = _Places(names, laws, apart, packs, tuple(one.jurisdiction for one in apart))
        return found


class _Places(NamedTuple):
    """The laws of some jurisdictions. *apart* are notes on those of which no pack speaks."""

    names: tuple[str, ...]
    laws: tuple[Law, ...]
    apart: tuple[RuleHit, ...]
    packs: tuple[str, ...]
    without_pack: tuple[str, ...]


def _opinions(case: Case, laws: Iterable[Law]) -> list[Opinion]:
    """What the laws say; in brief, as far as the first that denies."""
    found = []
    for law in laws:
        found.append(judge(case, law))
        if case.brief and found[-1].outcome == "deny":
            break
    return found


def _decisive(opinions: list[Opinion]) -> int:
    """How many opinions the answer rests on: nothing that comes after a No changes it."""
    denied = (number for number, one in enumerate(opinions, 1) if one.outcome == "deny")
    return next(denied, len(opinions))


def _apart(names: Iterable[str], asked: Iterable[Law], laws: Laws) -> list[RuleHit]:
    """Notes of the jurisdictions of which no pack speaks, and of the law by which each was judged instead."""
    return [
        RuleHit(
            rule="no_pack",
            jurisdiction=name,
            stage="classify",
            effect="note",
            status="fired",
            text=f"{NO_PACK}{name}: it was judged by {_name(law)} alone",
            cite="",
        )
        for name, law in zip(names, asked, strict=True)
        if not laws.knows(name)
    ]


def _name(law: Law) -> str:
    return "the strict baseline" if law.jurisdiction == "*" else f"the law of {law.pack.name}"


def _missing(opinions: Iterable[Opinion]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in opinions for name in one.missing))


def _reasons(opinion: Opinion) -> tuple[str, ...]:
    rule = opinion.deciding
    if rule is not None:
        line = f"{rule.text} ({rule.cite})"
        if opinion.outcome != "allow":
            found = next(hit.found for hit in opinion.hits if hit.rule is rule)
            if found.why:
                return line, found.why
        return (line,)
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


def _retry(case: Case, laws: Sequence[Law], opinions: list[Opinion]) -> datetime | None:
    """When only hours and numbers of contacts stand against it: the first instant at which they no longer do."""
    if not _by_the_clock(opinions):
        return None
    opinions = [*opinions, *(judge(case, law) for law in laws[len(opinions) :])]
    for _ in range(_SEARCHED):
        until = min(one.until for one in opinions)
        if until >= FOREVER or not _by_the_clock(opinions):
            return None
        at = from_micros(until)
        later = case.later(at)
        opinions = [judge(later, law) for law in laws]
        if all(one.outcome != "deny" for one in opinions):
            return at
    return None


def _by_the_clock(opinions: Iterable[Opinion]) -> bool:
    """Whether whatever denies is of the hour or of a number of contacts."""
    return all(
        one.outcome != "deny" or (one.deciding is not None and one.deciding.stage in ("time", "cap"))
        for one in opinions
    )
