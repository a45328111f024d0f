"""What a matcher is and what it answers: whether two records are the same customer, how strongly, and why.

Invariant: comparing is symmetric and a function of its arguments alone. Scores are integers, so that every machine
comes to the same decision. A match shows values only when it is asked to explain itself.
"""

from __future__ import annotations

from typing import Literal, Protocol

import attrs

from crmcore.identity.addresses import AddressForm
from crmcore.identity.features import Features
from crmcore.identity.names import PersonForm
from crmcore.identity.population import POINTS_A_BIT, Population
from crmcore.values.personal import personal

Verdict = Literal["same", "related", "unsure", "different"]


@attrs.frozen
class Reason:
    """What one *field* says, at which *level*, of the two *values*, and how many *points* that adds to the score.

    *agrees* tells agreement from contradiction and from silence.

    >>> Reason("e-mail", "same", 320, True, ("ann@x.org", "ann@x.org"))
    Reason(field='e-mail', level='same', points=320, agrees=True, values=<2 hidden>)
    """

    field: str
    level: str
    points: int
    agrees: bool
    values: tuple[object, object] | tuple[()] = personal(default=())

    @property
    def detail(self) -> str:
        """The values for people to read, one if they are equal.

        >>> Reason("e-mail", "typo", 240, True, ("ann@x.org", "anm@x.org")).detail
        'ann@x.org / anm@x.org'
        """
        return " / ".join(dict.fromkeys(_readable(value) for value in self.values))


def _readable(value: object) -> str:
    if isinstance(value, (PersonForm, AddressForm)):
        return value.text
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


@attrs.frozen
class Match:
    """A *verdict* on two records, its *score* in points and the *reasons* for both.

    *weak* says that the verdict "same" was a near thing: too weak to join two groups of records all by itself.
    *contradicted* says that the two must not come into one group by way of a third record either.
    """

    verdict: Verdict
    score: int
    reasons: tuple[Reason, ...] = ()
    weak: bool = False
    contradicted: bool = False

    @property
    def bits(self) -> float:
        """The score in bits: each more makes it twice as likely that the two are one."""
        return self.score / POINTS_A_BIT

    def explain(self) -> str:
        """The match for people to read, values included; amounts are in bits.

        >>> reason = Reason("name", "same", 19 * POINTS_A_BIT, True, ("ann lee", "ann lee"))
        >>> print(Match("unsure", 19 * POINTS_A_BIT, (reason,)).explain())
        unsure, 19.0 bits
          +19.0  name: same (ann lee)
        """
        lines = [f"{self.verdict}{' (weakly)' if self.weak else ''}, {self.bits:.1f} bits"]
        for reason in self.reasons:
            detail = f" ({reason.detail})" if reason.values else ""
            lines.append(f"{reason.points / POINTS_A_BIT:+7.1f}  {reason.field}: {reason.level}{detail}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Shown as a waterfall in a notebook, without values."""
        from crmcore.identity.explanation import waterfall

        return waterfall(self).svg()


class PairMatcher(Protocol):
    """Whatever can compare two records: typed rules now, a learned model behind the same three members."""

    @property
    def name(self) -> str:
        """Which rules or model this is, with its version; every judgement of a machine carries it."""
        ...

    def keys(self, features: Features) -> frozenset[str]:
        """At most 16 texts of at most 100 bytes; records that share none need not be compared."""
        ...

    def compare(self, a: Features, b: Features, population: Population) -> Match:
        """Whether *a* and *b* are the same customer, among customers like those of *population*."""
        ...
