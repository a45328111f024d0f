"""What becomes of a row: a new party, a changed one, nothing, or a question for a person.

Invariant: a row that was imported before changes nothing. A blank cell erases nothing. A value that somebody
changed since the last import is never overwritten: a row that changes the same value is a conflict, and nothing of
it is written. Whatever else was changed, such as tags or the status of a contact point, stays and stops nothing. Once
the party and the row agree, the conflict is over. A record is not known to be imported until a row of it was: on a
party that somebody made for it, a row adds what is missing.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import attrs

from crmcore.exchange.facts import Read, Rejection, RowFacts, Skip
from crmcore.exchange.mark import joined, record_code
from crmcore.exchange.take_over import take_over
from crmcore.party.party import Party
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.source import Source

Outcome = Literal["created", "updated", "unchanged", "skipped", "rejected", "conflict"]
OUTCOMES: tuple[Outcome, ...] = ("created", "updated", "unchanged", "skipped", "rejected", "conflict")

REASONS: FrozenMap[str, str] = FrozenMap(
    {
        "edited": "somebody changed a value since it was imported, and the row changes the same one: decide by hand",
        "kind": "the record is stored as another kind of party: correct --kind, or the record",
        "retracted": "the party was taken back as a mistake: restore it first if it is none",
        "same_id": "an earlier row of the file has the same id and says something else: correct one of them",
        "duplicate": "an earlier row of the file is the same",
        "blank": "the row is blank",
    }
)
"""What each code of a conflict or a skipped row means."""


@attrs.frozen(kw_only=True)
class Verdict:
    """The *outcome* for a row and, if something is to be written, the *party* as it should be; *code* says why."""

    outcome: Outcome
    code: str = ""
    party: Party | None = None


class SeenRecords:
    """The records that earlier rows of a file stood for; what can be said of a row without looking into a store."""

    def __init__(self) -> None:
        self._digests: dict[Source, str] = {}

    def verdict(self, read: Read) -> Verdict | None:
        """The verdict for a row that needs no look into the store; None for the first row of a record."""
        if isinstance(read, Rejection):
            return Verdict(outcome="rejected", code=read.code)
        if isinstance(read, Skip):
            return Verdict(outcome="skipped", code=read.reason)
        earlier = self._digests.setdefault(read.source, read.digest)
        if earlier is read.digest:
            return None
        same = earlier == read.digest
        return (
            Verdict(outcome="skipped", code="duplicate")
            if same
            else Verdict(outcome="conflict", code="same_id")
        )


def decide(facts: RowFacts, existing: Party | None) -> Verdict:
    """The verdict for a row, given the party that stands for its record now.

    >>> from crmcore.exchange.mark import marked
    >>> from crmcore.party.party import Person
    >>> mark = marked(Source("shop", "1"), "d1", {})
    >>> draft = Person.of("Ann Lee", sources=(Source("shop", "1"),), imported=mark)
    >>> facts = RowFacts(number=2, line=2, source=Source("shop", "1"), party=draft, digest="d1")
    >>> first = decide(facts, None)
    >>> first.outcome, decide(facts, attrs.evolve(first.party, version=1)).outcome
    ('created', 'unchanged')
    """
    if existing is None:
        return Verdict(outcome="created", party=facts.party)
    mark = existing.imported
    if mark is not None and mark.rows.get(record_code(facts.source)) == facts.digest:
        return Verdict(outcome="unchanged")
    if existing.standing == "retracted":
        return Verdict(outcome="conflict", code="retracted")
    if existing.kind != facts.party.kind:
        return Verdict(outcome="conflict", code="kind")
    merged: Party | None = take_over(cast("Any", existing), cast("Any", facts.party))
    if merged is None:
        return Verdict(outcome="conflict", code="edited")
    assert facts.party.imported is not None  # for the type checker: every row's draft is marked
    party = attrs.evolve(merged, imported=joined(mark, facts.party.imported))
    return Verdict(outcome="updated", code="same_values" if merged == existing else "", party=party)
