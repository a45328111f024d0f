"""From a score to a decision: what errors cost, and what no score overrules.

Invariant: a decision compares integers. Rules look at levels alone, and the strictest that fits counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log2
from typing import Literal

import attrs

from crmcore.errors import InvalidModel
from crmcore.identity.population import POINTS_A_BIT
from crmcore.values.frozen_map import FrozenMap

UNIT = POINTS_A_BIT
"""Scores and weights are integers; so many are one bit."""

Ruling = Literal["same", "related", "different"]
STRICTNESS = ("different", "related", "same")


@attrs.frozen
class Rule:
    """What holds whatever the score says, where the levels of the columns named *where* are in the ranges given.

    Level 0 is a missing value, 1 is "different". ``"same"`` joins, ``"related"`` says that these are two customers who
    have something in common, and ``"different"`` keeps them apart also by way of third records.

    >>> Rule("one passport, one person", "same", FrozenMap({"identifier": (4, 4)})).fits({"identifier": 4})
    True
    """

    name: str
    ruling: Ruling
    where: FrozenMap[str, tuple[int, int]]

    def __attrs_post_init__(self) -> None:
        if self.ruling not in STRICTNESS:
            raise InvalidModel("a rule says 'same', 'related' or 'different': choose one of these")
        if not self.where:
            raise InvalidModel("a rule names the columns and levels at which it holds: name at least one")

    def fits(self, levels: dict[str, int]) -> bool:
        """Whether the rule speaks of a pair at these levels; a column that is not compared is at level 0."""
        return all(low <= levels.get(name, 0) <= high for name, (low, high) in self.where.items())


ANOTHER_GIVEN_NAME = Rule(
    "another given name, and nothing else of their own",
    "related",
    FrozenMap(
        {
            "given name": (1, 1),
            **dict.fromkeys(("birth date", "e-mail", "identifier"), (0, 0)),
            "street": (0, 4),
        }
    ),
)
"""Relatives and namesakes share a family name, a town, a telephone and even an employer. Where the given name is all
that a record says of the person alone, a clearly different one is another person. Of those who share a door, the model
tells."""

ANOTHER_PLACE = Rule(
    "another street, and no number or mailbox of its own",
    "related",
    FrozenMap(
        {
            "organization name": (1, 7),
            **dict.fromkeys(("given name", "family name"), (0, 0)),
            "street": (1, 1),
            "identifier": (0, 1),
            "e-mail": (0, 3),
        }
    ),
)
"""Branches share a name, a telephone and often a town: it is the place that each has for itself. A number of its own or
a mailbox outweighs it."""

USUAL_RULES = (ANOTHER_GIVEN_NAME, ANOTHER_PLACE)


@attrs.frozen(kw_only=True)
class Policy:
    """What to do with a score.

    Two records are the same customer when that is more likely than the costs of the two errors demand: with a
    *false_merge* that costs 3 and a *false_split* that costs 1, when it is three times as likely as not. Down to
    *review* bits below that a person should look. *rules* hold whatever the score. A *threshold*, in units of 2^-16
    bit, replaces what the costs demand.

    >>> Policy(false_merge=4).same_at == 2 * UNIT, Policy(threshold=UNIT // 2).same_at == UNIT // 2
    (True, True)
    """

    false_merge: int = 1
    false_split: int = 1
    review: int = 4
    rules: tuple[Rule, ...] = USUAL_RULES
    threshold: int | None = None

    def __attrs_post_init__(self) -> None:
        if min(self.false_merge, self.false_split) < 1 or self.review < 0:
            raise InvalidModel("costs are whole numbers from 1, bits to review from 0: correct the policy")

    @property
    def same_at(self) -> int:
        """The least score at which two records are the same."""
        if self.threshold is not None:
            return self.threshold
        return round((log2(self.false_merge) - log2(self.false_split)) * UNIT)

    @property
    def review_at(self) -> int:
        """The least score at which a person should look."""
        return self.same_at - self.review * UNIT

    def check(self, tops: Mapping[str, int]) -> None:
        """Refuse a rule that names a column or a level that there is not; *tops* has the best level of each column.

        The usual rules are not asked: they may find a column replaced.

        Raises:
            InvalidModel: naming the rule.
        """
        for rule in self.rules:
            if rule in USUAL_RULES:
                continue
            for name, (low, high) in rule.where.items():
                if name not in tops or not 0 <= low <= high <= tops[name]:
                    raise InvalidModel(
                        f"the rule {rule.name!r} speaks of {name!r} at levels {low} to {high}: "
                        f"name a column ({', '.join(tops)}) and its levels, of which 0 is missing"
                    )

    def ruling(self, levels: dict[str, int]) -> Rule | None:
        """The strictest rule that speaks of a pair."""
        fitting = [rule for rule in self.rules if rule.fits(levels)]
        return min(fitting, key=lambda rule: STRICTNESS.index(rule.ruling), default=None)
