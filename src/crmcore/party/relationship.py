"""Dated relationships between two parties, stored once and read from both ends.

Invariant: one relationship is one record; there are no two rows to keep in step. A type has a key that is stored and
labels that are shown; reports-to and parent-company never form a circle.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import attrs

from crmcore.errors import InvalidRelationship, RelationshipCycle, RelationshipOverlap
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.ids import PartyId, RelationshipId
from crmcore.values.moment import Moment, optional_moment
from crmcore.values.period import Period
from crmcore.values.personal import Document, personal
from crmcore.values.source import Source


@attrs.frozen(kw_only=True)
class RelationshipType:
    """*label* reads from *from_* to *to*, *inverse* the other way. *kinds* are the kinds of party at the two ends."""

    key: str
    label: str
    inverse: str
    kinds: tuple[frozenset[str], frozenset[str]]
    acyclic: bool = False
    one_primary: bool = False


_PERSON, _ORGANIZATION, _HOUSEHOLD = (
    frozenset({"person"}),
    frozenset({"organization"}),
    frozenset({"household"}),
)

EMPLOYMENT = RelationshipType(
    key="employment", label="works for", inverse="employs", kinds=(_PERSON, _ORGANIZATION), one_primary=True
)
MEMBERSHIP = RelationshipType(
    key="household_member", label="lives in", inverse="has member", kinds=(_PERSON, _HOUSEHOLD)
)
REPORTS_TO = RelationshipType(
    key="reports_to", label="reports to", inverse="manages", kinds=(_PERSON, _PERSON), acyclic=True
)
PARENT_COMPANY = RelationshipType(
    key="parent_company",
    label="belongs to",
    inverse="owns",
    kinds=(_ORGANIZATION, _ORGANIZATION),
    acyclic=True,
)

TYPES: FrozenMap[str, RelationshipType] = FrozenMap(
    {type_.key: type_ for type_ in (EMPLOYMENT, MEMBERSHIP, REPORTS_TO, PARENT_COMPANY)}
)


@attrs.frozen(kw_only=True)
class Relationship(Document):
    """*valid* is when it held, as far as anybody said; *observed_at* when a source saw it hold.

    A relationship that ended stays; one that was recorded by mistake is retracted.
    """

    _id: RelationshipId | None = attrs.field(default=None)
    version: int = 0
    type: str
    from_: PartyId
    to: PartyId
    title: str | None = personal(default=None)
    department: str | None = personal(default=None)
    primary: bool = False
    valid: Period[date] = Period.always()
    observed_at: Moment | None = attrs.field(default=None, converter=optional_moment)
    source: Source | None = None
    note: str | None = personal(default=None)
    retracted: bool = False

    def __attrs_post_init__(self) -> None:
        if self.from_ == self.to:
            raise InvalidRelationship("a party cannot be related to itself: give two different parties")
        if isinstance(self.valid.start, datetime) or isinstance(self.valid.end, datetime):
            raise InvalidRelationship("a relationship holds from day to day: give a period of dates")

    @property
    def id(self) -> RelationshipId:
        """The id of a stored relationship."""
        if self._id is None:
            raise InvalidRelationship("a draft has no id yet: use what crm.relationships.add(...) returns")
        return self._id

    def other(self, party: PartyId) -> PartyId:
        """The end that is not *party*."""
        return self.to if party == self.from_ else self.from_

    def ended(self, on: date) -> Relationship:
        """Ending on *on*, the first day on which it no longer holds."""
        return attrs.evolve(self, valid=Period(self.valid.start, on))


def check_kinds(type_: RelationshipType, from_kind: str, to_kind: str) -> None:
    """Refuse ends of a kind that the type does not join."""
    if from_kind not in type_.kinds[0] or to_kind not in type_.kinds[1]:
        expected = " to ".join("/".join(sorted(kinds)) for kinds in type_.kinds)
        raise InvalidRelationship(f"{type_.key!r} leads from {expected}, not from {from_kind} to {to_kind}")


def check_overlap(new: Relationship, existing: Iterable[Relationship], type_: RelationshipType) -> None:
    """Refuse the same relationship twice at one time, and a second primary one where there may be one only."""
    for old in existing:
        if old.retracted or old.type != new.type or old._id == new._id or not old.valid.overlaps(new.valid):
            continue
        if (old.from_, old.to) == (new.from_, new.to):
            raise RelationshipOverlap(
                "this relationship exists already for an overlapping time: change that one"
            )
        if type_.one_primary and old.from_ == new.from_ and old.primary and new.primary:
            raise RelationshipOverlap(
                "the party has another primary one at that time: end it or make it not primary"
            )


def check_cycle(new: Relationship, upwards: Iterable[PartyId], type_: RelationshipType) -> None:
    """Refuse a circle. *upwards* are all parties that can be reached from the far end by the same type."""
    if type_.acyclic and (new.from_ in set(upwards) or new.from_ == new.to):
        raise RelationshipCycle(
            f"this {type_.key!r} would close a circle: the far end already leads back here"
        )
