"""How common terms are among different customers, worked out although nobody knows yet who is the same.

Invariant: a customer recorded twenty times counts once. Each record counts for one divided by the number of records
that are expected to be its customer's and agree with it in the column, so that somebody's own name stays rare however
often it is recorded, and a mailbox of twenty people is found to be common.

A value that nobody else has is not infinitely rare. How much is to be expected of it follows from how many values two
customers have against one (Good, 1953), beside what is known of the column by nature.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

import attrs

from crmcore.identity.model.columns import Column, Term
from crmcore.identity.model.encoding import Table

PRESUMED = 256
"""What is known of a column by nature speaks as loudly as so many customers."""

_VALUES = 20
"""And of values that only one customer has, as loudly as so many of them."""

_LEAST = 2.0**-24


@attrs.frozen(eq=False, repr=False)
class TermTable:
    """The terms of one kind in a column.

    *accident* is how often two customers agree by accident. *rarer* has for each term how much rarer than that it is,
    in bits; *unseen* is the same for a term that nobody has.
    """

    accident: float
    rarer: dict[str, float]
    unseen: float


@attrs.frozen(eq=False, repr=False)
class Frequencies:
    """The terms of a table: for each column by kind, and for each counted level by code."""

    terms: tuple[dict[str, TermTable], ...]
    by_code: tuple[dict[int, list[float]], ...]

    @classmethod
    def of(cls, table: Table, weights: Sequence[Sequence[float]] | None = None) -> Frequencies:
        """Count the terms of *table*; *weights* has for each column what each record counts for (None: 1)."""
        masses = _masses(table, weights)
        terms: list[dict[str, TermTable]] = []
        by_code: list[dict[int, list[float]]] = []
        for column, values, mass in zip(table.columns, table.values, masses, strict=True):
            kinds = {term.kind: term for term in column.terms.values()}
            texts = {kind: ["", *map(term.of, values[1:])] for kind, term in kinds.items()}
            found = {kind: _term_table(column, texts[kind], mass) for kind in kinds}
            rarer = {kind: [found[kind].rarer.get(text, 0.0) for text in texts[kind]] for kind in kinds}
            terms.append(found)
            by_code.append({level: rarer[term.kind] for level, term in column.terms.items()})
        return cls(tuple(terms), tuple(by_code))

    def accident(self, at: int, term: Term) -> float:
        """How often two customers agree by accident on a term of a column."""
        return self.terms[at][term.kind].accident


def _masses(table: Table, weights: Sequence[Sequence[float]] | None) -> list[list[float]]:
    """For each column and code by how many customers it is borne."""
    masses = [[0.0] * len(values) for values in table.values]
    for position, row in enumerate(table.rows):
        for at, code in enumerate(row):
            masses[at][code] += 1.0 if weights is None else weights[at][position]
    for position, groups in table.more.items():
        for group, options in groups.items():
            for option in options[1:]:
                for at, code in zip(table.places[group], option, strict=True):
                    masses[at][code] += 1.0 if weights is None else weights[at][position]
    return masses


def _term_table(column: Column, texts: Sequence[str], mass: Sequence[float]) -> TermTable:
    counts: dict[str, float] = {}
    for text, share in zip(texts, mass, strict=True):
        if text:
            counts[text] = counts.get(text, 0.0) + share
    total = sum(counts.values())
    size = total + PRESUMED
    once = sum(1 for count in counts.values() if count < 1.5)
    twice = sum(1 for count in counts.values() if 1.5 <= count < 2.5)
    presumed = min(1.0, PRESUMED * 2.0**-column.rarity)
    rare = min(1.0, (2 * twice + _VALUES * presumed) / (once + _VALUES))
    floor = min(2.0**-column.most, 1 / size)
    shares = {text: max((max(count - 1, 0.0) + rare) / size, floor) for text, count in counts.items()}
    accident = (
        sum(count / total * shares[text] for text, count in counts.items()) if total else 2.0**-column.rarity
    )
    accident = max(accident, _LEAST)
    rarer = {text: log2(accident) - log2(max(share, _LEAST)) for text, share in shares.items()}
    return TermTable(accident, rarer, log2(accident) - log2(max(rare / size, floor, _LEAST)))
