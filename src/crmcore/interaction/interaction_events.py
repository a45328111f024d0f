"""What the verbs on interactions return, committed with them and delivered by the feed.

Invariant: an event names the records; it does not repeat their content.
"""

from __future__ import annotations

from typing import Literal

import attrs

from crmcore.values.ids import InteractionId, PartyId
from crmcore.values.personal import Document, personal
from crmcore.values.source import Actor


@attrs.frozen(kw_only=True)
class InteractionRecorded(Document):
    """An interaction was recorded."""

    type: Literal["interaction.recorded"] = "interaction.recorded"
    interaction: InteractionId
    parties: tuple[PartyId, ...]
    actor: Actor
    reason: str | None = personal(default=None)


@attrs.frozen(kw_only=True)
class InteractionCorrected(Document):
    """*interaction* replaces *corrects*."""

    type: Literal["interaction.corrected"] = "interaction.corrected"
    interaction: InteractionId
    corrects: InteractionId
    parties: tuple[PartyId, ...]
    actor: Actor
    reason: str | None = personal(default=None)


@attrs.frozen(kw_only=True)
class InteractionRetracted(Document):
    """*interaction* takes *retracts* back."""

    type: Literal["interaction.retracted"] = "interaction.retracted"
    interaction: InteractionId
    retracts: InteractionId
    parties: tuple[PartyId, ...]
    actor: Actor
    reason: str | None = personal(default=None)
