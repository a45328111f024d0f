"""Whether what was learned can be trusted: tests that a model stands before it decides anything.

Invariant: a test that fails says what was found and what to do; it never repairs the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

import attrs

from crmcore.identity.model.columns import Column
from crmcore.identity.model.policy import UNIT
from crmcore.identity.model.training import TELLING, Training

LEAST_RECORDS = 10
LEAST_PAIRS = 10
MOST_SHARE = 0.2
_LEAST_BITS = 0.0
_BEARERS = 2.5
"""Values that so many records have on average are what customers have in common."""

_TELLS_ALONE = 12
"""One column tells by itself if two customers agree by accident in less than one case of 2 to this power."""

_ACCIDENTS = 1 / 3
"""Of the pairs that agree in both of two columns no more may be expected to do so by accident."""
_SELDOM = 0.06
"""Where one customer's records are known to differ more seldom than this, they must not differ mostly."""


@attrs.frozen
class Certificate:
    """One test: its *name*, whether it was *passed*, and what it *said*."""

    name: str
    passed: bool
    said: str


def certify(training: Training | None, records: int, columns: Sequence[Column]) -> tuple[Certificate, ...]:
    """Test a *training* on so many different *records*; without one, only what keeps one from beginning."""
    if training is None:
        return _beginning(records, columns)
    return (_enough(training), _plausible(training), _ordered(training), _open(training), _telling(training))


def _beginning(records: int, columns: Sequence[Column]) -> tuple[Certificate, ...]:
    if records < LEAST_RECORDS:
        said = f"learning takes at least {LEAST_RECORDS} different records: given {records:,}"
        return (Certificate("enough records", False, said),)
    if not columns:
        return (Certificate("something to compare", False, "no two records have a value in one column"),)
    return ()


def _enough(training: Training) -> Certificate:
    pairs = training.classes.prior * training.total
    said = f"about {pairs:,.0f} pairs of records are expected to be of one customer"
    if pairs < LEAST_PAIRS:
        said += f", fewer than {LEAST_PAIRS}: too few to learn from"
    return Certificate("enough pairs", pairs >= LEAST_PAIRS, said)


def _plausible(training: Training) -> Certificate:
    share = training.classes.prior
    said = f"{share:.2g} of all pairs are expected to be of one customer"
    if share > MOST_SHARE:
        said += ": more than one in five cannot be told from chance; are these records of few customers?"
    return Certificate("plausible share", share <= MOST_SHARE, said)


def _ordered(training: Training) -> Certificate:
    """No change of places: agreeing speaks for, and differing against, being the same, wherever it can be judged."""
    classes = training.classes
    wrong = [
        column.name
        for column, bits, same in zip(training.evidence.columns, classes.bits, classes.same, strict=True)
        if (bits[-1] <= 0 and same[-1] > 0.5) or (column.usual[0] <= _SELDOM and same[1] > 0.5)
    ]
    said = "agreement speaks for being the same in every column"
    if wrong:
        said = f"most pairs taken for one customer differ in {', '.join(wrong)}: too little to tell customers apart"
    return Certificate("no change of places", not wrong, said)


def _open(training: Training) -> Certificate:
    """No zero lock: every level can still be seen in pairs of either kind."""
    classes = training.classes
    least = min(min(row[1:]) for shares in (classes.same, classes.other) for row in shares)
    said = f"no level is ruled out; the rarest has a share of {least:.1g}"
    return Certificate("no zero lock", least > 0, said)


def _telling(training: Training) -> Certificate:
    """The columns together must be able to outweigh the prior, and be more than what strangers have in common."""
    best = sum(max(bits) for bits in training.classes.bits)
    rarest = sum(
        max((found.unseen / UNIT for found in kinds.values()), default=0.0) for kinds in training.frequencies
    )
    enough = best + max(rarest, 0.0) + log2(training.classes.prior) >= _LEAST_BITS
    said = f"agreement in everything is worth {best:.0f} bits and more"
    if not enough or _common(training):
        said += ", too little to tell customers apart: more columns are needed"
        enough = False
    return Certificate("telling columns", enough, said)


def _common(training: Training) -> bool:
    """Whether it is to be expected by accident that two records agree in everything.

    With one column or two no other would tell. What is known of one column by nature says whether it tells customers
    apart; of two, how often each agrees says how often both would by accident.
    """
    evidence, columns = training.evidence, training.evidence.columns
    if len(columns) >= TELLING:
        return False
    if any(_tells(column, evidence.bearers(at)) for at, column in enumerate(columns)):
        return False
    if len(columns) == 1:
        return True
    given = evidence.together()
    return (
        given.count > 1
        and given.one * given.other > _ACCIDENTS * given.both * given.count * (given.count - 1) / 2
    )


def _tells(column: Column, bearers: Mapping[int, int]) -> bool:
    """Whether a column tells customers apart by itself."""
    records = sum(n * values for n, values in bearers.items())
    return column.rarity >= _TELLS_ALONE and records <= _BEARERS * sum(bearers.values())
