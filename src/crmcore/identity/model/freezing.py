"""From a training to a model: what was learned, in integers.

Invariant: nothing of a model depends on the machine that trained it but the rounding of its weights, which is done once
and here. Terms and words are kept only where they are worth something else than one that nobody has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log2

from crmcore.identity.features import Features
from crmcore.identity.model.columns import WEIGHTED_GROUPS, Column, variants
from crmcore.identity.model.encoding import points, word_rarity
from crmcore.identity.model.match_model import PARTS, ColumnWeights, MatchModel, Together, term_key
from crmcore.identity.model.policy import UNIT, Policy
from crmcore.identity.model.training import Training
from crmcore.values.frozen_map import FrozenMap

_A_FEW = 10
"""Of a kind of customer of which there are fewer records nothing was learned."""

_NOTEWORTHY = 0.125
"""Terms are kept that differ by so many bits from one that nobody else has."""


def freeze(training: Training, records: Sequence[Features], policy: Policy, count: int) -> MatchModel:
    """The model of a training on *count* records, of which *records* are different, in integers."""
    table, classes = training.table, training.classes
    bits, related_bits = classes.bits, classes.related_bits
    columns: list[ColumnWeights] = []
    terms: dict[str, int] = {}
    for at, column in enumerate(table.columns):
        for kind, found in training.frequencies.terms[at].items():
            for text, rarer in found.rarer.items():
                if abs(rarer - found.unseen) > _NOTEWORTHY:
                    terms[term_key(column.name, kind, text)] = round(rarer * UNIT)
        columns.append(
            ColumnWeights(
                name=column.name,
                labels=column.labels,
                same=_units(bits[at]),
                related=_units(related_bits[at]) if related_bits else (),
                unseen=FrozenMap(
                    {
                        kind: round(found.unseen * UNIT)
                        for kind, found in training.frequencies.terms[at].items()
                    }
                ),
                share_same=tuple(round(share * PARTS) for share in classes.same[at]),
                share_other=tuple(round(share * PARTS) for share in classes.other[at]),
            )
        )
    names = [column.name for column in table.columns]
    return MatchModel(
        columns=tuple(columns),
        prior=round(log2(classes.prior) * UNIT),
        related_prior=round(log2(classes.related_prior) * UNIT) if related_bits else None,
        dependences=tuple(
            Together(a=names[d.a], b=names[d.b], bits=round(d.bits * UNIT)) for d in training.dependences
        ),
        terms=FrozenMap(terms),
        words=FrozenMap(_words(records, table.columns)),
        policy=policy,
        records=count,
        kinds=_kinds(records),
        expected_same=round(classes.prior * training.total),
        expected_related=round(classes.related_prior * training.total),
    )


def _kinds(records: Sequence[Features]) -> tuple[str, ...]:
    """The kinds of customer that there are enough of to learn from."""
    found = Counter(record.kind for record in records if record.kind != "anonymous")
    return tuple(sorted(kind for kind, count in found.items() if count >= _A_FEW))


def _units(bits: Sequence[float]) -> tuple[int, ...]:
    return tuple(round(bit * UNIT) for bit in bits)


def _words(records: Sequence[Features], columns: Sequence[Column]) -> dict[str, int]:
    """The rarity of the words of organizations' names, and under the empty word that of one not seen."""
    groups = WEIGHTED_GROUPS & {column.group for column in columns}
    if not groups:
        return {}
    found = [variants(record, columns) for record in records]
    words: dict[str, int] = {}
    for group in sorted(groups):
        names = len({option[0] for one in found for option in one.get(group, ()) if option[0] is not None})
        unseen = words[term_key(group, "word", "")] = points(1, names)
        for word, worth in word_rarity(group, found).items():
            if worth != unseen:
                words[term_key(group, "word", word)] = worth
    return words
