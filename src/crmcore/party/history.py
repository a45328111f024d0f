"""What happened to a party: the events that its verbs return, and the differences that they carry.

Invariant: replaying a party's history from the beginning gives its current state: nothing that was said is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from crmcore.values.frozen_map import EMPTY, FrozenMap, freeze, thaw
from crmcore.values.ids import PartyId
from crmcore.values.personal import Document, personal
from crmcore.values.source import Actor


@attrs.frozen(kw_only=True)
class FieldChange(Document):
    """One field before and after, as JSON; None where it was or is absent."""

    field: str
    before: Any = personal(default=None, converter=freeze)
    after: Any = personal(default=None, converter=freeze)


@attrs.frozen(kw_only=True)
class PartyAdded(Document):
    """A party was recorded. Its state is the record itself; *fields* are what it held at first."""

    type: Literal["party.added"] = "party.added"
    party: PartyId
    actor: Actor
    reason: str | None = personal(default=None)
    fields: FrozenMap[str, Any] = personal(default=EMPTY)


@attrs.frozen(kw_only=True)
class PartyChanged(Document):
    """Fields of a party changed."""

    type: Literal["party.changed"] = "party.changed"
    party: PartyId
    version: int
    actor: Actor
    reason: str | None = personal(default=None)
    changes: tuple[FieldChange, ...] = personal()


PartyEvent = PartyAdded | PartyChanged


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """The fields in which two stored documents differ, in alphabetical order."""
    return tuple(
        FieldChange(field=name, before=before.get(name), after=after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )


def replay(events: tuple[PartyEvent, ...]) -> dict[str, Any]:
    """The stored document that a whole history leads to."""
    body: dict[str, Any] = {}
    for event in events:
        if isinstance(event, PartyAdded):
            body = thaw(event.fields)
            continue
        for change in event.changes:
            if change.after is None:
                body.pop(change.field, None)
            else:
                body[change.field] = thaw(change.after)
    return body
