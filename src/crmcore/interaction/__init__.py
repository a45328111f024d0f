"""What was said, by whom, when, through which channel; the timeline."""

from typing import TYPE_CHECKING

from crmcore._lazy import lazily

if TYPE_CHECKING:
    from crmcore.interaction.interaction import (
        Interaction,
        Participant,
        check_new,
        check_not_future,
        corrected,
        reassigned,
        retraction,
    )
    from crmcore.interaction.interaction_events import (
        InteractionCorrected,
        InteractionRecorded,
        InteractionRetracted,
    )
    from crmcore.interaction.lay import (
        CODECS,
        DEDUPE,
        INTERACTION,
        REPLACES,
        TIMELINE,
        interaction_keys,
        interaction_sorts,
    )

__all__ = [
    "CODECS",
    "DEDUPE",
    "INTERACTION",
    "REPLACES",
    "TIMELINE",
    "Interaction",
    "InteractionCorrected",
    "InteractionRecorded",
    "InteractionRetracted",
    "Participant",
    "check_new",
    "check_not_future",
    "corrected",
    "interaction_keys",
    "interaction_sorts",
    "reassigned",
    "retraction",
]

__getattr__ = lazily(
    __name__,
    {
        "interaction": "Interaction Participant check_new check_not_future corrected reassigned retraction",
        "interaction_events": "InteractionCorrected InteractionRecorded InteractionRetracted",
        "lay": "CODECS DEDUPE INTERACTION REPLACES TIMELINE interaction_keys interaction_sorts",
    },
)
