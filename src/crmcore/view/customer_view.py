"""The one view of a customer: what is known, from which record by which rule, and what is not known.

Invariant: the view is a pure function of the facts and the policy that it is given. Equal facts and policy give equal
bytes, so two people who compare digests know that they see the same customer. It holds ids of records, never versions
or times of reading.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import attrs

from crmcore.serde import dump
from crmcore.values.ids import CustomerId, InteractionId, PartyId
from crmcore.values.moment import Moment
from crmcore.values.personal import Document, personal
from crmcore.values.source import Source


@attrs.frozen(kw_only=True)
class OtherValue(Document):
    """A value that did not survive, and a record that holds it."""

    text: str = personal()
    party: PartyId
    source: Source | None = None


@attrs.frozen(kw_only=True)
class ViewField(Document):
    """One surviving value: *agree* of *of* records say the same; *rule* is why this one won."""

    field: str
    text: str = personal()
    rule: str
    party: PartyId
    source: Source | None = None
    observed_at: Moment | None = None
    agree: int = 1
    of: int = 1
    others: tuple[OtherValue, ...] = personal(default=())


@attrs.frozen(kw_only=True)
class ViewRelationship(Document):
    """How the customer is related to another one, over all records of both: when it is known to have held."""

    type: str
    label: str
    other: CustomerId
    other_name: str = personal()
    since: Moment | None = None
    until: Moment | None = None
    seen_first: Moment | None = None
    seen_last: Moment | None = None
    records: int = 1


@attrs.frozen(kw_only=True)
class ViewInteraction(Document):
    """One line of the timeline. Of a *confidential* one nobody sees more than that it was."""

    id: InteractionId
    kind: str
    direction: str
    occurred_at: Moment
    subject: str | None = personal(default=None)
    confidential: bool = False


@attrs.frozen(kw_only=True)
class ViewTimeline(Document):
    """All interactions in numbers, the latest ones in full. *more* says that there are more than *count*."""

    count: int = 0
    more: bool = False
    first: Moment | None = None
    last: Moment | None = None
    recent: tuple[ViewInteraction, ...] = personal(default=())


@attrs.frozen(kw_only=True)
class CustomerView(Document):
    """The view. `text()` is for people, `serde.dump` for programs; `repr` and `str` show nothing personal.

    *consent* is what was said about being contacted, the latest on each thing, and then what is wished; whether they
    may be is a decision.
    """

    id: CustomerId
    kind: str
    name: str = personal()
    members: tuple[PartyId, ...]
    sources: tuple[str, ...] = ()
    fields: tuple[ViewField, ...] = personal(default=())
    relationships: tuple[ViewRelationship, ...] = personal(default=())
    timeline: ViewTimeline = personal(factory=lambda: ViewTimeline())
    consent: tuple[str, ...] = personal(default=())
    unknown_fields: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    policy: str

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of the view: equal exactly when two views are."""
        text = json.dumps(dump(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def field(self, name: str) -> tuple[ViewField, ...]:
        """The surviving values of one field, in order."""
        return tuple(field for field in self.fields if field.field == name)

    def to_json(self) -> dict[str, Any]:
        """The view as plain JSON, with its digest."""
        plain: dict[str, Any] = dump(self)
        plain["digest"] = self.digest
        return plain

    def text(self) -> str:
        """The view in words."""
        from crmcore.view.view_text import view_text

        return view_text(self)
