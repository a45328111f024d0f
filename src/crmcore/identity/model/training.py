"""From records to a model, without labels: the one trainer.

Invariant: what is learned is a function of the set of records: not of their order, their ids, or chance, nor of how
they are counted. Pairs are compared once and their patterns counted. Three times over, the frequencies of terms, the
dependences among columns and the shares of levels are worked out, each time knowing better which records are one
customer's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

import attrs

from crmcore.identity.model.columns import Column
from crmcore.identity.model.dependence import Dependence, dependences
from crmcore.identity.model.evidence import WHOLE, Evidence
from crmcore.identity.model.expectation import Classes, Shares, fit
from crmcore.identity.model.frequencies import Frequency, frequency

LOOPS = 3
RECORDS = 10
"""A customer is taken to have no more records than this, until more is known."""

_OTHERS = 25
"""With so many others of its customer a record is compared at most, on average."""

_MOST_SHARE = 0.2

TELLING = 3
"""With fewer columns nothing is seen of one that the others do not decide: what is known by nature stays."""

_HAS_SUPPORT = frozenset({"phone", "street", "e-mail", "postcode", "city", "employer"})
_LEAST_RELATED = 20

Frequencies = tuple[Mapping[str, Frequency], ...]
"""For each column the terms of each kind."""


@attrs.define(kw_only=True)
class Training:
    """What was learned of the *evidence*; *note* says why there are two classes where there are not three."""

    evidence: Evidence
    classes: Classes
    frequencies: Frequencies = ()
    dependences: tuple[Dependence, ...] = ()
    note: str = ""

    @property
    def total(self) -> float:
        """How many pairs the records make, as often as they count."""
        count = self.evidence.given
        return count * (count - 1) / 2

    @property
    def most(self) -> float:
        """Of all pairs no more are of one customer, however that looks."""
        most = min(_MOST_SHARE, _OTHERS / max(self.evidence.given, 1))
        return min(most, 2 * self.classes.prior) if self.classes.rounds else most


def train(evidence: Evidence, *, organizations: bool) -> Training:
    """Learn from what is counted of records; *organizations* says what most of them are."""
    columns, count = evidence.columns, evidence.given
    training = Training(
        evidence=evidence,
        classes=Classes(
            same=tuple((0.0, *column.usual) for column in columns), other=(), prior=1.0 / max(count, 2)
        ),
    )
    sample = evidence.sampled()
    own = {column.name: ("organization" if organizations else "person") in column.own for column in columns}
    _presume(evidence)
    _count_terms(training)
    for loop in range(LOOPS):
        if loop and len(columns) > 1:
            _count_terms(training)
        training.classes = attrs.evolve(training.classes, other=_strangers(training, sample))
        _lean(training, known=loop > 0)
        if loop == 1:
            _add_related(training, own, organizations=organizations)
        evidence.gather(training.classes.tables(training.dependences, columns))
        # At first, when nothing is known of who is who, what is common to neighbours must not pass for one customer.
        known = count / 2 if not loop or len(columns) < TELLING else 0.0
        training.classes = fit(evidence, training.classes, training.dependences, training.total, own, known)
        if training.classes.related_prior * training.total < _LEAST_RELATED and loop:
            training.classes = attrs.evolve(training.classes, related=None, related_prior=0.0)
            training.note = training.note or (
                "two classes: too few pairs share an address or contact point and are not the same customer"
            )
        evidence.weigh(training.classes.tables(training.dependences, columns))
    if len(columns) > 1:
        _count_terms(training)
    training.classes = attrs.evolve(training.classes, other=_strangers(training, sample))
    return training


def _count_terms(training: Training) -> None:
    """How common terms are, knowing what each record counts for."""
    evidence, found = training.evidence, list[Mapping[str, Frequency]]()
    for at, column in enumerate(evidence.columns):
        kinds = {
            term.kind: frequency(column, evidence.masses(at, term.kind)) for term in column.terms.values()
        }
        for kind, known in kinds.items():
            evidence.value(at, kind, known.points)
        found.append(kinds)
    training.frequencies = tuple(found)


def _lean(training: Training, *, known: bool) -> None:
    """Which columns lean on each other."""
    evidence, classes = training.evidence, training.classes
    agreeing = [
        _agreement(column, shares) for column, shares in zip(evidence.columns, classes.same, strict=True)
    ]
    training.dependences = dependences(evidence.agreements(), agreeing, 0.0 if known else classes.prior)


def _presume(evidence: Evidence) -> None:
    """What each record counts for in each column, before anything is known of who is who.

    By nature so many records agree on a value by accident; where more do, the rest is taken to be of one customer's
    records, of which there are some at most.
    """
    for at, column in enumerate(evidence.columns):
        bearers = evidence.bearers(at)
        count = sum(n * values for n, values in bearers.items())
        accidents = count * (count - 1) / 2 * 2.0**-column.rarity
        agreeing = sum(n * (n - 1) // 2 * values for n, values in bearers.items() if n <= RECORDS)
        apart = min(1.0, accidents / agreeing) if agreeing else 1.0
        evidence.presume(at, {n: round(max((1 + (n - 1) * apart) / n, 1 / RECORDS) * WHOLE) for n in bearers})


def _strangers(training: Training, sample: Sequence[Sequence[int]]) -> Shares:
    """The levels of strangers: in closed form where terms are equal, from random pairs for the rest."""
    found: list[tuple[float, ...]] = []
    for at, column in enumerate(training.evidence.columns):
        seen = sample[at]
        present = sum(seen[1:])
        shares = [0.0] * (column.top + 1)
        for level in range(2, column.top + 1):
            share = (seen[level] + 0.2) / (present + 1)
            gone = training.classes.prior * training.classes.same[at][level]
            shares[level] = max(share - gone, share * 0.1, 1e-7)
        best = column.terms.get(column.top)
        if best is not None:
            equal = [level for level, term in column.terms.items() if term is best or term == best]
            # Who is taken for one customer explains what is seen of agreement only as far as customers go; two standard
            # errors of the random pairs are left to chance.
            equals = sum(seen[level] for level in equal)
            least = (equals - 2 * sqrt(equals)) / (present + 1) - training.most * _agreement(
                column, training.classes.same[at]
            )
            accident = max(training.frequencies[at][best.kind].accident, least)
            total = sum(seen[level] + 0.5 for level in equal)
            for level in equal:
                shares[level] = accident * (seen[level] + 0.5) / total
        shares[1] = max(1 - sum(shares[2:]), 0.01)
        found.append(tuple(shares))
    return tuple(found)


def _agreement(column: Column, shares: Sequence[float]) -> float:
    """How often two records of one customer agree in full."""
    best = column.terms.get(column.top)
    if best is None:
        return shares[column.top]
    return sum(shares[level] for level, term in column.terms.items() if term == best)


def _add_related(training: Training, own: Mapping[str, bool], *, organizations: bool) -> None:
    """Begin a class of related pairs, where something that they share can be seen."""
    names = own.keys()
    supported = (
        "street" in names if organizations else "given name" in names and not _HAS_SUPPORT.isdisjoint(names)
    )
    if not supported:
        training.note = (
            "two classes: there is no address or contact point by which related customers could be told"
        )
        return
    classes = training.classes
    learned = [
        not own[column.name] and (organizations or column.name not in ("e-mail", "occupation"))
        for column in training.evidence.columns
    ]
    related: list[tuple[float, ...]] = []
    for column, free, same, other in zip(
        training.evidence.columns, learned, classes.same, classes.other, strict=True
    ):
        if free:
            related.append((0.0, *(0.9 * share + 0.1 / column.top for share in same[1:])))
        else:
            related.append((0.0, *(0.97 * u + 0.03 * m for u, m in zip(other[1:], same[1:], strict=True))))
    # Relatives may have passed for one customer so far: what is somebody's own begins anew.
    begun = [
        (0.0, *column.usual) if own[column.name] else same
        for column, same in zip(training.evidence.columns, classes.same, strict=True)
    ]
    training.classes = attrs.evolve(
        classes, same=tuple(begun), related=tuple(related), related_prior=classes.prior * 0.2
    )
