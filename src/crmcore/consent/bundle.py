"""What is given to somebody who asks for their data: everything about them, and nothing about anybody else.

Invariant: an item is in the bundle, or withheld with a reason that stands there instead. What comes from a record that
may not be theirs is withheld until a person has looked. What was inferred is in no bundle for portability.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, cast

import attrs

from crmcore.consent.redaction import Redactor
from crmcore.errors import InvalidRightsRequest
from crmcore.serde import dump

BUNDLE_SCHEMA = "crmcore.subject-bundle/1"

Category = Literal[
    "record",
    "history",
    "interaction",
    "relationship",
    "judgement",
    "consent",
    "decision",
    "request",
    "suppression",
    "other",
]
Provenance = Literal["provided", "observed", "inferred"]
"""*provided* by the person, *observed* of what they did, or *inferred* by us: scores, tags, judgements."""

Confidence = Literal["certain", "probable", "doubtful"]
"""How sure it is that a record is the person's: *certain* if it is the one that they named or a person joined it,
*probable* if a model did, *doubtful* if by a weak link."""

RANKS: Mapping[Confidence, int] = {"certain": 0, "probable": 1, "doubtful": 2}

INFERRED_FIELDS = frozenset({"tags", "imported", "standing", "observed"})
"""Fields of a record that we set, not the person."""


@attrs.frozen(kw_only=True)
class Found:
    """A thing that a store holds about somebody, as JSON, with the record under which it is kept (*origin*)."""

    id: str
    category: Category
    origin: str | None
    provenance: Provenance
    data: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Item:
    """A thing of a bundle. *withheld* says why it is not shown; *data* is empty then."""

    id: str
    category: Category
    origin: str | None
    provenance: Provenance
    confidence: Confidence
    redactions: int = 0
    review: str | None = None
    withheld: str | None = None
    data: Mapping[str, Any] = attrs.field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """The item as it is given to the person."""
        shown = self.withheld is None and self.review is None
        return {
            "id": self.id,
            "category": self.category,
            "record": self.origin,
            "provenance": self.provenance,
            "confidence": self.confidence,
            "redactions": self.redactions,
            "withheld": None if shown else self.withheld or f"{self.review}: somebody looks at it first",
            "data": dict(self.data) if shown else None,
        }


@attrs.frozen(kw_only=True)
class Bundle:
    """An answer to a request for access or portability. *about* is what the law asks to be told beside the data."""

    right: Literal["access", "portability"]
    customer: str
    made_at: datetime
    about: Mapping[str, Any]
    items: tuple[Item, ...]

    @property
    def to_review(self) -> tuple[Item, ...]:
        """The items that wait for a person, and are withheld until then."""
        return tuple(item for item in self.items if item.review is not None)

    @property
    def redactions(self) -> int:
        """How often somebody else was left out."""
        return sum(item.redactions for item in self.items)

    def decided(self, decisions: Mapping[str, bool]) -> Bundle:
        """With items that were looked at: True shows one, False withholds it.

        Raises:
            InvalidRightsRequest: if an item does not wait for that.
        """
        waiting = {item.id for item in self.to_review}
        if decisions.keys() - waiting:
            raise InvalidRightsRequest("only what waits for review is decided: see bundle.to_review")
        return attrs.evolve(self, items=tuple(_decided(item, decisions.get(item.id)) for item in self.items))

    def to_json(self) -> dict[str, Any]:
        """The bundle as JSON, of the schema in `bundle_schema`."""
        return {
            "schema": BUNDLE_SCHEMA,
            "right": self.right,
            "customer": self.customer,
            "made_at": dump(self.made_at),
            "about": dict(self.about),
            "items": [item.to_json() for item in self.items],
        }


def _decided(item: Item, shown: bool | None) -> Item:
    if shown is None:
        return item
    withheld = None if shown else "it may be about another person"
    return attrs.evolve(item, review=None, withheld=withheld)


def assemble(
    found: Iterable[Found],
    *,
    right: Literal["access", "portability"],
    customer: str,
    confidence: Mapping[str, Confidence],
    redactor: Callable[[str | None], Redactor],
    about: Mapping[str, Any],
    made_at: datetime,
    reviewed: Confidence = "probable",
) -> Bundle:
    """The bundle of what was *found*.

    *redactor* gives, for the record under which a thing is kept, what leaves the others out of it. *confidence* is that
    of each record; what is of one as unsure as *reviewed*, or less sure, waits for review.
    """
    items: list[Item] = []
    for one in found:
        if right == "portability" and one.provenance == "inferred":
            continue
        data = _portable(one.data) if right == "portability" else one.data
        sure = confidence.get(one.origin, "doubtful") if one.origin is not None else "certain"
        clean = redactor(one.origin).of(data)
        items.append(
            Item(
                id=one.id,
                category=one.category,
                origin=one.origin,
                provenance=one.provenance,
                confidence=sure,
                redactions=clean.count,
                review=_why(sure) if is_unsure(sure, reviewed) else None,
                data=cast("Mapping[str, Any]", clean.value),
            )
        )
    return Bundle(right=right, customer=customer, made_at=made_at, about=dict(about), items=tuple(items))


def is_unsure(sure: Confidence, reviewed: Confidence) -> bool:
    """Whether what is so *sure* wants to be looked at: if it is as unsure as *reviewed*, or less sure.

    What is certain never does, so ``"certain"`` asks for all that is not, as ``"probable"`` does.

    >>> is_unsure("probable", "doubtful"), is_unsure("probable", "certain"), is_unsure("certain", "certain")
    (False, True, False)
    """
    return sure != "certain" and RANKS[sure] >= RANKS[reviewed]


def _why(sure: Confidence) -> str:
    return {
        "probable": "its record was joined by a model",
        "doubtful": "its record hangs on a weak link",
    }.get(sure, "")


def _portable(data: Mapping[str, Any]) -> dict[str, Any]:
    """*data* without the fields that we set."""
    kept = {key: value for key, value in data.items() if key not in INFERRED_FIELDS}
    changes = kept.get("changes")
    if isinstance(changes, (list, tuple)):
        kept["changes"] = [one for one in changes if one.get("field") not in INFERRED_FIELDS]
    fields = kept.get("fields")
    if isinstance(fields, Mapping):
        kept["fields"] = {key: value for key, value in fields.items() if key not in INFERRED_FIELDS}
    return kept
