"""How common terms are among different customers, worked out although nobody knows yet who is the same.

Invariant: a customer recorded twenty times counts once. Each record counts for one divided by the number of records
that are expected to be its customer's and agree with it in the column, so that somebody's own name stays rare however
often it is recorded, and a mailbox of twenty people is found to be common.

A value that nobody else has is not infinitely rare. How much is to be expected of it follows from how many values two
customers have against one (Good, 1953), beside what is known of the column by nature.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log2

import attrs

from crmcore.identity.model.columns import Column
from crmcore.identity.model.evidence import MASS
from crmcore.identity.model.policy import UNIT

PRESUMED = 256
"""What is known of a column by nature speaks as loudly as so many customers."""

_VALUES = 20
"""And of values that only one customer has, as loudly as so many of them."""

_LEAST = 2.0**-24


@attrs.frozen(kw_only=True)
class Frequency:
    """The terms of one kind in a column.

    *accident* is how often two customers agree by accident. *points* has for each number of bearers, in parts of
    `MASS`, how much rarer than that such a term is, in units of 2^-16 bit; *unseen* is the same for a term that nobody
    has.
    """

    accident: float
    points: Mapping[int, int]
    unseen: int


def frequency(column: Column, masses: Mapping[int, int]) -> Frequency:
    """The terms of a column, by how many of them are borne by so many customers.

    >>> from crmcore.identity.model.columns import COLUMNS
    >>> few = frequency(COLUMNS[0], {MASS: 100, 50 * MASS: 1})
    >>> few.points[50 * MASS] < few.points[MASS]
    True
    """
    terms = sorted(masses.items())
    total = sum(mass * count for mass, count in terms) / MASS
    size = total + PRESUMED
    once = sum(count for mass, count in terms if 2 * mass < 3 * MASS)
    twice = sum(count for mass, count in terms if 3 * MASS <= 2 * mass < 5 * MASS)
    presumed = min(1.0, PRESUMED * 2.0**-column.rarity)
    rare = min(1.0, (2 * twice + _VALUES * presumed) / (once + _VALUES))
    floor = min(2.0**-column.most, 1 / size)
    shares = {mass: max((max(mass / MASS - 1, 0.0) + rare) / size, floor) for mass, _ in terms}
    accident = 2.0**-column.rarity
    if total:
        accident = sum(count * mass / MASS / total * shares[mass] for mass, count in terms)
    accident = max(accident, _LEAST)
    points = {
        mass: round((log2(accident) - log2(max(share, _LEAST))) * UNIT) for mass, share in shares.items()
    }
    unseen = round((log2(accident) - log2(max(rare / size, floor, _LEAST))) * UNIT)
    return Frequency(accident=accident, points=points, unseen=unseen)
