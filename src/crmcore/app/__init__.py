"""The one object that an app holds: `Crm`, or `AsyncCrm`."""

from typing import TYPE_CHECKING

from crmcore._lazy import lazily

if TYPE_CHECKING:
    from crmcore.app.async_crm import AsyncBatch, AsyncCrm, Events, Happened
    from crmcore.app.crm import Crm, CrmBatch
    from crmcore.app.customers import CustomerPage
    from crmcore.app.deduplication import DedupeReport
    from crmcore.app.imports import ImportResult, Progress
    from crmcore.app.interactions import Timeline
    from crmcore.app.loading import LoadProgress, LoadReport, OnRefused, RefusedRow
    from crmcore.app.near_matches import Candidate, Matches
    from crmcore.app.past_erasures import ErasureNote, PastErasures
    from crmcore.app.resolve import Membership, Reference
    from crmcore.app.retaining import LapsingPage, RetainedPage
    from crmcore.app.retention_done import Applied
    from crmcore.app.reviewing import ReviewOutcome, ReviewRefusal
    from crmcore.app.subject_erasure import ErasureFacts
    from crmcore.app.subject_kinds import SUBJECT_KINDS, SubjectKind
    from crmcore.app.suppressed import Suppressed

__all__ = [
    "SUBJECT_KINDS",
    "Applied",
    "AsyncBatch",
    "AsyncCrm",
    "Candidate",
    "Crm",
    "CrmBatch",
    "CustomerPage",
    "DedupeReport",
    "ErasureFacts",
    "ErasureNote",
    "Events",
    "Happened",
    "ImportResult",
    "LapsingPage",
    "LoadProgress",
    "LoadReport",
    "Matches",
    "Membership",
    "OnRefused",
    "PastErasures",
    "Progress",
    "Reference",
    "RefusedRow",
    "RetainedPage",
    "ReviewOutcome",
    "ReviewRefusal",
    "SubjectKind",
    "Suppressed",
    "Timeline",
]

__getattr__ = lazily(
    __name__,
    {
        "async_crm": "AsyncBatch AsyncCrm Events Happened",
        "crm": "Crm CrmBatch",
        "deduplication": "DedupeReport",
        "near_matches": "Candidate Matches",
        "interactions": "Timeline",
        "customers": "CustomerPage",
        "imports": "ImportResult Progress",
        "loading": "LoadProgress LoadReport OnRefused RefusedRow",
        "past_erasures": "ErasureNote PastErasures",
        "resolve": "Membership Reference",
        "retaining": "LapsingPage RetainedPage",
        "retention_done": "Applied",
        "reviewing": "ReviewOutcome ReviewRefusal",
        "subject_erasure": "ErasureFacts",
        "subject_kinds": "SUBJECT_KINDS SubjectKind",
        "suppressed": "Suppressed",
    },
)
