"""What other rules would change: how many customers may be contacted by one pack and not by another, and why.

Invariant: both audiences are of the same customers, in the same order; every one of them is counted once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import zip_longest

import attrs

from crmcore.consent.audience import AudienceMember, Outcomes, outcome_of, reason_of
from crmcore.consent.telling import ANSWERS
from crmcore.errors import InvalidConsent


@attrs.frozen(kw_only=True)
class Moved:
    """*count* customers whose answer was *before* and is *after* now, by the rules *rule_before* and *rule_after*.

    *why* is what stands behind the new answer, in words.
    """

    count: int
    before: Outcomes
    after: Outcomes
    rule_before: str | None
    rule_after: str | None
    jurisdiction: str
    why: str


@attrs.frozen(kw_only=True)
class PackDiff:
    """Of *total* customers, how many answers stay as they are, and which change: the most frequent change first."""

    total: int
    same: int
    gained: int
    """How many may be contacted that could not be before."""
    lost: int
    """How many could be contacted and may not be any more."""
    moved: tuple[Moved, ...]

    @classmethod
    def of(cls, before: Iterable[AudienceMember], after: Iterable[AudienceMember]) -> PackDiff:
        """Compare two audiences of the same customers, however many they are: nothing of them is kept but the counts.

        Raises:
            InvalidConsent: if they are not of the same customers.
        """
        counts: Counter[tuple[Outcomes, Outcomes, str | None, str | None, str]] = Counter()
        why: dict[tuple[Outcomes, Outcomes, str | None, str | None, str], str] = {}
        total = 0
        for old, new in zip_longest(before, after):
            if old is None or new is None or old.ref != new.ref:
                raise InvalidConsent("the customers changed while they were compared: compare them again")
            total += 1
            if outcome_of(old) == outcome_of(new):
                continue
            key = (outcome_of(old), outcome_of(new), _rule(old), _rule(new), _jurisdiction(new))
            counts[key] += 1
            why.setdefault(key, reason_of(new))
        moved = [
            Moved(
                count=count,
                before=key[0],
                after=key[1],
                rule_before=key[2],
                rule_after=key[3],
                jurisdiction=key[4],
                why=why[key],
            )
            for key, count in counts.items()
        ]
        moved.sort(
            key=lambda one: (-one.count, one.before, one.after, one.jurisdiction, one.rule_after or "")
        )
        return cls(
            total=total,
            same=total - counts.total(),
            gained=sum(one.count for one in moved if one.after == "allow"),
            lost=sum(one.count for one in moved if one.before == "allow"),
            moved=tuple(moved),
        )

    def text(self) -> str:
        """The comparison for people to read."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"of {self.total:,} customers {self.gained:,} may be contacted now, {self.lost:,} may not any more"
        width = len(f"{max((one.count for one in self.moved), default=0):,}")
        for one in self.moved:
            turn = f"{ANSWERS.get(one.before, 'No')} -> {ANSWERS.get(one.after, 'No')}"
            yield f"{one.count:>{width},}  {turn:<18} {one.why} [{one.jurisdiction}]"
        if not self.moved:
            yield "no answer changes"


def _rule(one: AudienceMember) -> str | None:
    return None if one.decision is None else one.decision.rule


def _jurisdiction(one: AudienceMember) -> str:
    return "" if one.decision is None else one.decision.jurisdiction
