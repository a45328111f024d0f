"""What the verbs on relationships return, committed with them and delivered by the feed.

Invariant: a change carries the relationship before and after, so that its history can be read.
"""

from __future__ import annotations

from typing import Literal

import attrs

from crmcore.party.relationship import Relationship
from crmcore.values.ids import RelationshipId
from crmcore.values.personal import Document, personal
from crmcore.values.source import Actor


@attrs.frozen(kw_only=True)
class RelationshipAdded(Document):
    """A relationship was recorded."""

    type: Literal["relationship.added"] = "relationship.added"
    relationship: RelationshipId
    type_key: str
    actor: Actor
    reason: str | None = personal(default=None)


@attrs.frozen(kw_only=True)
class RelationshipChanged(Document):
    """A relationship changed: it ended, or what is known of it did."""

    type: Literal["relationship.changed"] = "relationship.changed"
    relationship: RelationshipId
    before: Relationship
    after: Relationship
    actor: Actor
    reason: str | None = personal(default=None)
