"""What a matcher is and what it answers: whether two records are the same customer, how strongly, and why.

Invariant: comparing is symmetric and a function of its arguments alone. A match shows values only when it is asked to
explain itself.
"""

from __future__ import annotations

from typing import Literal, Protocol

import attrs

from crmcore.identity.addresses import AddressForm
from crmcore.identity.features import Features
from crmcore.identity.names import PersonForm
from crmcore.identity.population import Population
from crmcore.values.personal import personal

Verdict = Literal["same", "unsure", "different"]


@attrs.frozen
class Reason:
    """What one *field* says, at which *level*; *points* are what it adds to the score; *values* are the two compared."""

    field: str
    level: str
    points: int
    values: tuple[object, ...] = personal(default=())

    @property
    def detail(self) -> str:
        """The values for people to read, once if they are equal."""
        return " / ".join(dict.fromkeys(_readable(value) for value in self.values))


def _readable(value: object) -> str:
    if isinstance(value, (PersonForm, AddressForm)):
        return value.text
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


@attrs.frozen
class Match:
    """A *verdict* on two records, its *score* and the *reasons* for both.

    *weak* says that the verdict ``"same"`` was a near thing: not strong enough to join two groups of records alone.
    *contradicted* says that something forbids to take them for one, also by way of a third record.
    """

    verdict: Verdict
    score: int
    reasons: tuple[Reason, ...] = ()
    weak: bool = False
    contradicted: bool = False

    def explain(self) -> str:
        """The match for people to read, values included.

        >>> print(Match("unsure", 31, (Reason("name", "same", 31, ("ann lee", "ann lee")),)).explain())
        unsure (31 points)
          +31  name: same (ann lee)
        """
        lines = [f"{self.verdict}{', weakly' if self.weak else ''} ({self.score} points)"]
        for reason in self.reasons:
            detail = f" ({reason.detail})" if reason.values else ""
            lines.append(f"{reason.points:+5d}  {reason.field}: {reason.level}{detail}")
        return "\n".join(lines)


class Matcher(Protocol):
    """Whatever can compare two records. *name* names the rules or the model, with their version."""

    @property
    def name(self) -> str:
        """Which rules or model this is; every judgement of a machine carries it."""
        ...

    def keys(self, features: Features) -> frozenset[str]:
        """At most 16 texts of at most 100 bytes; records that share none need not be compared."""
        ...

    def compare(self, a: Features, b: Features, population: Population) -> Match:
        """Whether *a* and *b* are the same customer, among customers like those of *population*."""
        ...
