"""The one object that an app holds: `Crm`, or `AsyncCrm`."""

from typing import TYPE_CHECKING

from crmcore._lazy import lazily

if TYPE_CHECKING:
    from crmcore.app.async_crm import AsyncBatch, AsyncCrm, Events, Happened
    from crmcore.app.crm import Crm, CrmBatch
    from crmcore.app.deduplication import DedupeReport
    from crmcore.app.identity import Candidate
    from crmcore.app.interactions import Timeline
    from crmcore.app.resolve import Membership

__all__ = [
    "AsyncBatch",
    "AsyncCrm",
    "Candidate",
    "Crm",
    "CrmBatch",
    "DedupeReport",
    "Events",
    "Happened",
    "Membership",
    "Timeline",
]

__getattr__ = lazily(
    __name__,
    {
        "async_crm": "AsyncBatch AsyncCrm Events Happened",
        "crm": "Crm CrmBatch",
        "deduplication": "DedupeReport",
        "identity": "Candidate",
        "interactions": "Timeline",
        "resolve": "Membership",
    },
)
