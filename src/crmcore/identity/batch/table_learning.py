"""What a matcher learns of a table, with arrays.

Invariant: the model is that of the reference; where learning was done before it was cut off, it is taken over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import attrs
import numpy as np

from crmcore.identity.batch.array_counting import ArrayCounting
from crmcore.identity.batch.arrays import ArrayTable
from crmcore.identity.batch.field_encoding import Encoded
from crmcore.identity.batch.memory_needs import finding, learning
from crmcore.identity.batch.tables import table_of
from crmcore.identity.batch.texts import Ints, Longs
from crmcore.identity.batch.work import Work
from crmcore.identity.deduplication import Progress
from crmcore.identity.features import Features
from crmcore.identity.model.certificates import certify
from crmcore.identity.model.counting import Counting
from crmcore.identity.model.freezing import freeze, words_of
from crmcore.identity.model.learning import Count, Learned, Matcher
from crmcore.identity.model.training import RECORDS, train


def learned_of(
    found: Encoded, matcher: Matcher, on_progress: Progress | None, work: Work
) -> tuple[Learned, ArrayCounting | None, Ints]:
    """What a matcher learns of encoded rows, the evidence, and which record of it each row has."""
    table, where = _compared(found, matcher)
    columns = tuple(column.column for column in table.columns)
    early = certify(None, table.records, columns)
    if early:
        return Learned(model=None, certificates=early, columns=matcher.columns), None, where
    given = np.bincount(where[where >= 0], minlength=table.records)
    work.room.need("finding pairs", finding(table.records, len(columns), sum(c.size for c in table.columns)))
    evidence = ArrayCounting(table, np.minimum(given, RECORDS), matcher.budget, on_progress, work)
    learned = work.learned(matcher)
    if learned is None:
        work.room.need("learning", learning(len(evidence.a), table.records, len(columns)))
        learned = _trained(evidence, given, matcher)
        work.keep(learned)
    return learned, evidence, where


def _compared(found: Encoded, matcher: Matcher) -> tuple[ArrayTable, Ints]:
    """The records by the columns in which two of them have a value."""
    mine = [column for column in matcher.columns if column.name in found.columns]
    table, where = table_of(found, mine, None)
    columns = tuple(column.column for column in table.columns if int((column.codes > 0).sum()) > 1)
    if len(columns) < len(mine):
        table, where = table_of(found, columns, None)
    return table, where


def _trained(evidence: ArrayCounting, given: Longs, matcher: Matcher) -> Learned:
    """What is learned of the evidence on records that were given so many times."""
    table, columns = evidence.table, evidence.columns
    kinds = Counter[str]()
    for at, name in enumerate(table.kind_names):
        count = int(given[table.kinds == at].sum())
        if count:
            kinds[name] = count
    training = train(evidence, organizations=2 * kinds["organization"] > kinds.total())
    certificates = certify(training, table.records, columns)
    model = None
    if all(one.passed for one in certificates):
        model = freeze(training, words_of(table.columns), matcher.working_policy, kinds)
    return Learned(model=model, certificates=certificates, note=training.note, columns=matcher.columns)


@attrs.frozen(kw_only=True)
class Refused(Matcher):
    """A matcher that could learn nothing of the very records that it is given."""

    learned: Learned

    @classmethod
    def of(cls, matcher: Matcher, learned: Learned) -> Refused:
        """The same matcher, which need not try again."""
        return cls(columns=matcher.columns, policy=matcher.policy, budget=matcher.budget, learned=learned)

    def learn(
        self, records: Sequence[Features], *, on_progress: Progress | None = None, counting: Count = Counting
    ) -> Learned:
        return self.learned
