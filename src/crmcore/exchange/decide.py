"""What becomes of a row: a new party, a changed one, nothing, or a question for a person.

Invariant: a row that was imported before changes nothing. A blank cell erases nothing. What a person changed
since the last import is never overwritten: such a row is a conflict, and nothing of it is written.
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar, cast

import attrs

from crmcore.exchange.facts import Read, Rejection, RowFacts, Skip
from crmcore.party.contact_point import ContactPoint
from crmcore.party.party import ImportMark, Organization, Party, Person
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.source import Source

Outcome = Literal["created", "updated", "unchanged", "skipped", "rejected", "conflict"]
OUTCOMES: tuple[Outcome, ...] = ("created", "updated", "unchanged", "skipped", "rejected", "conflict")

R = TypeVar("R", Person, Organization)

REASONS: FrozenMap[str, str] = FrozenMap(
    {
        "edited": "somebody changed the party since it was imported, and the row would change it again: decide by hand",
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

    >>> from crmcore.party.party import Person
    >>> mark = ImportMark(digest="d1", version=1)
    >>> draft = Person.of("Ann Lee", sources=(Source("shop", "1"),), imported=mark)
    >>> facts = RowFacts(number=2, line=2, source=Source("shop", "1"), party=draft, digest="d1")
    >>> first = decide(facts, None)
    >>> first.outcome, decide(facts, attrs.evolve(first.party, version=1)).outcome
    ('created', 'unchanged')
    """
    if existing is None:
        return Verdict(outcome="created", party=facts.party)
    mark = existing.imported
    if mark is not None and mark.digest == facts.digest:
        return Verdict(outcome="unchanged")
    if existing.standing == "retracted":
        return Verdict(outcome="conflict", code="retracted")
    if existing.kind != facts.party.kind:
        return Verdict(outcome="conflict", code="kind")
    merged = _merged(cast("Any", existing), cast("Any", facts.party))
    if mark is None or mark.version != existing.version:
        if merged != existing:
            return Verdict(outcome="conflict", code="edited")
        # The mark keeps its version, so that what the person changed stays protected.
        version = 0 if mark is None else mark.version
        marked = attrs.evolve(existing, imported=ImportMark(digest=facts.digest, version=version))
        return Verdict(outcome="updated", code="same_values", party=marked)
    marked = attrs.evolve(merged, imported=ImportMark(digest=facts.digest, version=existing.version + 1))
    return Verdict(outcome="updated", party=marked)


def _merged(old: R, new: R) -> R:
    """*old* with what *new* says; where *new* says nothing, *old* stays."""
    changes: dict[str, Any] = {
        "sources": tuple(dict.fromkeys((*old.sources, *new.sources))),
        "contact_points": _points(old.contact_points, new.contact_points),
        "identifiers": _by_scheme(old, new),
        "language": new.language or old.language,
        "tags": new.tags or old.tags,
        "extras": FrozenMap({**old.extras, **new.extras}),
        "observed_at": new.observed_at or old.observed_at,
        "names": new.names or old.names,
    }
    if isinstance(old, Person) and isinstance(new, Person):
        changes["birth_date"] = new.birth_date or old.birth_date
        changes["occupation"] = new.occupation or old.occupation
    return attrs.evolve(old, **changes)


def _group(point: ContactPoint) -> tuple[str, bool]:
    return point.kind, "fax" in point.uses


def _points(old: tuple[ContactPoint, ...], new: tuple[ContactPoint, ...]) -> tuple[ContactPoint, ...]:
    """The new points of each kind in place of the old ones, in the old order of kinds; fax numbers are a kind."""
    said = {_group(point) for point in new}
    fresh = {(point.kind, point.key) for point in new}
    kept = [point for point in old if _group(point) not in said and (point.kind, point.key) not in fresh]
    order = list(dict.fromkeys(_group(point) for point in (*old, *new)))
    return tuple(sorted((*kept, *new), key=lambda point: order.index(_group(point))))


def _by_scheme(old: Any, new: Any) -> tuple[Any, ...]:
    schemes = {identifier.scheme for identifier in new.identifiers}
    return (
        *(identifier for identifier in old.identifiers if identifier.scheme not in schemes),
        *new.identifiers,
    )
