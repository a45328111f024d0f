"""From a training to a model: what was learned, in integers.

Invariant: nothing of a model depends on the machine that trained it but the rounding of its weights, which is done once
and here. Terms and words are kept only where they are worth something else than one that nobody has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from crmcore.identity.model.columns import WEIGHTED_GROUPS, Column
from crmcore.identity.model.encoding import points
from crmcore.identity.model.match_model import PARTS, ColumnWeights, MatchModel, Together, term_key
from crmcore.identity.model.policy import UNIT, Policy
from crmcore.identity.model.training import Training
from crmcore.values.frozen_map import FrozenMap

_A_FEW = 10
"""Of a kind of customer of which there are fewer records nothing was learned."""

NOTEWORTHY = UNIT // 8
"""Terms are kept that differ by more than this from one that nobody else has: an eighth of a bit."""


def freeze(training: Training, words: Mapping[str, int], policy: Policy, kinds: Counter[str]) -> MatchModel:
    """The model of a training on so many records of each of the *kinds*; *words* is the rarity of words of names."""
    evidence, classes = training.evidence, training.classes
    tables = classes.tables(training.dependences, evidence.columns)
    columns: list[ColumnWeights] = []
    terms: dict[str, int] = {}
    for at, column in enumerate(evidence.columns):
        known = training.frequencies[at]
        for kind, found in known.items():
            for text, worth in evidence.terms(at, kind, found.unseen, NOTEWORTHY):
                terms[term_key(column.name, kind, text)] = worth
        columns.append(
            ColumnWeights(
                name=column.name,
                labels=column.labels,
                same=tables.same[at][: column.top + 1],
                related=() if tables.related is None else tables.related[at][: column.top + 1],
                unseen=FrozenMap({kind: found.unseen for kind, found in known.items()}),
                share_same=tuple(round(share * PARTS) for share in classes.same[at]),
                share_other=tuple(round(share * PARTS) for share in classes.other[at]),
            )
        )
    names = [column.name for column in evidence.columns]
    return MatchModel(
        columns=tuple(columns),
        prior=tables.prior,
        related_prior=None if tables.related is None else tables.related_prior,
        dependences=tuple(
            Together(a=names[a], b=names[b], bits=bits) for a, _, b, _, bits in tables.together
        ),
        terms=FrozenMap(terms),
        words=FrozenMap(words),
        policy=policy,
        records=kinds.total(),
        kinds=tuple(sorted(kind for kind, count in kinds.items() if count >= _A_FEW and kind != "anonymous")),
        expected_same=round(classes.prior * training.total),
        expected_related=round(classes.related_prior * training.total),
    )


class Valued(Protocol):
    """A column and its values by code, None first."""

    @property
    def column(self) -> Column: ...

    @property
    def values(self) -> Sequence[Any]: ...


def words_of(columns: Iterable[Valued]) -> dict[str, int]:
    """The rarity of the words of organizations' names, and under the empty word that of one not seen."""
    words: dict[str, int] = {}
    for known in columns:
        group = known.column.group
        if group in WEIGHTED_GROUPS:
            unseen = words[term_key(group, "word", "")] = points(1, len(known.values) - 1)
            for word, worth in {pair for value in known.values[1:] for pair in value}:
                if worth != unseen:
                    words[term_key(group, "word", word)] = worth
    return words
