"""How interactions lie on a store: their codecs, keys and place in the timeline.

Invariant: the timeline of a party holds the interactions that stand now; one that was corrected or retracted has left
it, but its record and its keys to what replaced it stay.
"""

from __future__ import annotations

from typing import Any

from crmcore.interaction.interaction import Interaction
from crmcore.interaction.interaction_events import (
    InteractionCorrected,
    InteractionRecorded,
    InteractionRetracted,
)
from crmcore.party.party_keys import key as text_key
from crmcore.serde import Codec
from crmcore.storage.protocol import Key, Sort
from crmcore.values.instant import to_sort
from crmcore.values.moment import moment_instant

TIMELINE = "timeline"
DEDUPE = "interaction.dedupe"
REPLACES = "interaction.replaces"

INTERACTION: Codec[Interaction] = Codec(tag="interaction", type=Interaction, versioned=False)
CODECS: tuple[Codec[Any], ...] = (
    INTERACTION,
    Codec(tag="interaction.recorded", type=InteractionRecorded),
    Codec(tag="interaction.corrected", type=InteractionCorrected),
    Codec(tag="interaction.retracted", type=InteractionRetracted),
)


def interaction_keys(interaction: Interaction) -> frozenset[Key]:
    """Exclusive keys: the deduplication key, and the record that this one replaces (which only one can)."""
    keys = set[Key]()
    if interaction.dedupe_key is not None:
        keys.add(text_key(DEDUPE, interaction.dedupe_key))
    replaced = interaction.corrects or interaction.retracts
    if replaced is not None:
        keys.add(Key(REPLACES, replaced))
    return frozenset(keys)


def interaction_sorts(interaction: Interaction) -> frozenset[Sort]:
    """One place in the timeline of each party that took part."""
    if interaction.retracts is not None:
        return frozenset()
    value = to_sort(moment_instant(interaction.occurred_at))
    return frozenset(Sort(TIMELINE, party, value) for party in interaction.parties)
