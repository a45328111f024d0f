"""Whom of many customers may be contacted, one by one, and the count of why not.

Invariant: every customer that was asked for is told of, with a decision or with what stood in the way of one; nobody is
left out in silence, and nobody is told of twice as somebody who may be contacted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

import attrs

from crmcore.consent.decision import Decision
from crmcore.consent.telling import ANSWERS
from crmcore.consent.words import Outcome
from crmcore.values.ids import CustomerId
from crmcore.values.personal import personal

Barrier = Literal["not_found", "ambiguous", "repeated", "unreachable"]
"""Why there is no decision: the reference leads to nobody (so does a name in a store that keeps no order of texts), or
to several; the customer came before; or has no contact point for the channel, or none that may be used."""

Outcomes = Outcome | Barrier
"""What may come of asking about a customer."""

_BARRIERS: dict[Barrier, str] = {
    "not_found": "the reference leads to nobody",
    "ambiguous": "the reference fits several customers",
    "repeated": "the customer was asked about before",
    "unreachable": "there is no contact point for this channel, or none that may be used",
}


@attrs.frozen(kw_only=True)
class AudienceMember:
    """A customer of an audience. *ref* is the reference that led here, *point* the normal form of the contact point.

    Either there is a *decision*, or a *barrier* says why there is none.
    """

    ref: str = personal()
    customer: CustomerId | None = None
    point: str | None = personal(default=None)
    decision: Decision | None = None
    barrier: Barrier | None = None

    @property
    def allowed(self) -> bool:
        """Whether they may be contacted."""
        return self.decision is not None and self.decision.answer == "allow"


@attrs.frozen
class Reason:
    """Why *count* customers got their *answer*: the *rule* behind it, with its *jurisdiction*, or a barrier."""

    count: int
    answer: Outcomes
    jurisdiction: str
    rule: str | None
    text: str


@attrs.frozen(kw_only=True)
class AudienceCount:
    """How many of *total* customers may be contacted, and what the others lack, the most frequent reason first."""

    total: int
    allowed: int
    reasons: tuple[Reason, ...]

    @classmethod
    def of(cls, audience: Iterable[AudienceMember]) -> AudienceCount:
        """Count an audience, however many they are: nothing of it is kept but the counts."""
        counts: Counter[tuple[Outcomes, str, str | None]] = Counter()
        texts: dict[tuple[Outcomes, str, str | None], str] = {}
        for one in audience:
            key = _key(one)
            counts[key] += 1
            if key not in texts:
                texts[key] = reason_of(one)
        reasons = [
            Reason(count, answer, jurisdiction, rule, texts[answer, jurisdiction, rule])
            for (answer, jurisdiction, rule), count in counts.items()
        ]
        reasons.sort(key=lambda one: (-one.count, one.answer, one.jurisdiction, one.rule or ""))
        allowed = sum(one.count for one in reasons if one.answer == "allow")
        return cls(total=counts.total(), allowed=allowed, reasons=tuple(reasons))

    def text(self) -> str:
        """The count for people to read."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.allowed:,} of {self.total:,} may be contacted"
        width = len(f"{max((one.count for one in self.reasons), default=0):,}")
        for one in self.reasons:
            answer = ANSWERS.get(one.answer, "No")
            law = f" [{one.jurisdiction}]" if one.jurisdiction else ""
            yield f"{one.count:>{width},}  {answer}: {one.text}{law}"


def outcome_of(one: AudienceMember) -> Outcomes:
    """The answer, or what stood in the way of one."""
    return one.decision.answer if one.decision is not None else one.barrier or "unreachable"


def reason_of(one: AudienceMember) -> str:
    """What is behind it, in words."""
    if one.decision is None:
        return _BARRIERS[one.barrier or "unreachable"]
    return one.decision.reasons[0]


def _key(one: AudienceMember) -> tuple[Outcomes, str, str | None]:
    if one.decision is None:
        return outcome_of(one), "", None
    return one.decision.answer, one.decision.jurisdiction, one.decision.rule
