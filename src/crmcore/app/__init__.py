"""The one object that an app holds: `Crm`, or `AsyncCrm`."""

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
