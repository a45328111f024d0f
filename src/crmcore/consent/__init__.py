"""May we: the ledger, the rules, the packs, the decision.

The packs that come with crmcore are engineering data, not legal advice.
"""

from typing import TYPE_CHECKING

from crmcore._lazy import lazily

if TYPE_CHECKING:
    from crmcore.consent.address_forms import point_of
    from crmcore.consent.audience import AudienceCount, AudienceMember
    from crmcore.consent.bundle import Bundle, Item
    from crmcore.consent.certificate import ErasureCertificate
    from crmcore.consent.consent_matrix import ConsentMatrix, MatrixRow
    from crmcore.consent.customer_decision import Member, decide_customer, decide_each
    from crmcore.consent.deadline import DeadlineRule, deadline_for, read_deadlines, shipped_deadlines
    from crmcore.consent.decision import Decision, RuleHit, decide
    from crmcore.consent.disposition import (
        Disposition,
        ErasurePlan,
        LegalHold,
        plan_erasure,
        read_dispositions,
        shipped_dispositions,
    )
    from crmcore.consent.event import ConsentEvent, Evidence, Scope
    from crmcore.consent.facts import (
        Attempt,
        Collection,
        Facts,
        Listing,
        PointFacts,
        RegisterCheck,
        Relation,
        Subject,
    )
    from crmcore.consent.lapsing import PermitLapsing
    from crmcore.consent.linting import Lint, Linted, lint
    from crmcore.consent.pack import Pack, Rule
    from crmcore.consent.pack_diff import PackDiff
    from crmcore.consent.pack_reading import Laws, read_pack, shipped_laws, shipped_packs
    from crmcore.consent.policy import Policy
    from crmcore.consent.practice import Form, Practice
    from crmcore.consent.preference_centre import (
        Change,
        Choice,
        Offer,
        PreferenceCentre,
        centre_changes,
        preference_centre,
    )
    from crmcore.consent.preferences import Verdict, under_wishes, weigh
    from crmcore.consent.privacy_signal import signal_act, signalled, with_signal
    from crmcore.consent.propagation import OpenNotice, recipients_of
    from crmcore.consent.receipt import Controller, from_receipt, receipt_schema, to_receipt
    from crmcore.consent.register import CopiedRegister, Register, ask_registers
    from crmcore.consent.replay import Disagreement, replay
    from crmcore.consent.request import Message, Request, Use
    from crmcore.consent.retention import (
        Retained,
        RetentionPlan,
        RetentionPolicy,
        RetentionStep,
        plan_retention,
        read_retention,
        shipped_retention,
    )
    from crmcore.consent.rights_request import Notice, Requester, RightsRequest, RightsStep
    from crmcore.consent.rights_steps import Due, due_of
    from crmcore.consent.schema_of_packs import pack_schema
    from crmcore.consent.secret_ring import SecretRing
    from crmcore.consent.suppression import Suppression
    from crmcore.consent.topics import Topic, Topics
    from crmcore.consent.unsubscribe import (
        Ticket,
        is_one_click,
        read_ticket,
        sign_ticket,
        unsubscribe_act,
        unsubscribe_headers,
    )
    from crmcore.consent.vectors import Vector, read_vectors
    from crmcore.consent.wishes import Cap, QuietHours, Wish, Wished

__all__ = [
    "Attempt",
    "AudienceCount",
    "AudienceMember",
    "Bundle",
    "Cap",
    "Change",
    "Choice",
    "Collection",
    "ConsentEvent",
    "ConsentMatrix",
    "Controller",
    "CopiedRegister",
    "DeadlineRule",
    "Decision",
    "Disagreement",
    "Disposition",
    "Due",
    "ErasureCertificate",
    "ErasurePlan",
    "Evidence",
    "Facts",
    "Form",
    "Item",
    "Laws",
    "LegalHold",
    "Lint",
    "Linted",
    "Listing",
    "MatrixRow",
    "Member",
    "Message",
    "Notice",
    "Offer",
    "OpenNotice",
    "Pack",
    "PackDiff",
    "PermitLapsing",
    "PointFacts",
    "Policy",
    "Practice",
    "PreferenceCentre",
    "QuietHours",
    "Register",
    "RegisterCheck",
    "Relation",
    "Request",
    "Requester",
    "Retained",
    "RetentionPlan",
    "RetentionPolicy",
    "RetentionStep",
    "RightsRequest",
    "RightsStep",
    "Rule",
    "RuleHit",
    "Scope",
    "SecretRing",
    "Subject",
    "Suppression",
    "Ticket",
    "Topic",
    "Topics",
    "Use",
    "Vector",
    "Verdict",
    "Wish",
    "Wished",
    "ask_registers",
    "centre_changes",
    "deadline_for",
    "decide",
    "decide_customer",
    "decide_each",
    "due_of",
    "from_receipt",
    "is_one_click",
    "lint",
    "plan_erasure",
    "plan_retention",
    "preference_centre",
    "read_deadlines",
    "read_dispositions",
    "pack_schema",
    "point_of",
    "read_pack",
    "read_retention",
    "read_ticket",
    "read_vectors",
    "receipt_schema",
    "recipients_of",
    "replay",
    "shipped_deadlines",
    "shipped_dispositions",
    "shipped_laws",
    "shipped_packs",
    "shipped_retention",
    "sign_ticket",
    "signal_act",
    "signalled",
    "to_receipt",
    "under_wishes",
    "unsubscribe_act",
    "unsubscribe_headers",
    "weigh",
    "with_signal",
]

__getattr__ = lazily(
    __name__,
    {
        "address_forms": "point_of",
        "audience": "AudienceCount AudienceMember",
        "bundle": "Bundle Item",
        "certificate": "ErasureCertificate",
        "consent_matrix": "ConsentMatrix MatrixRow",
        "customer_decision": "Member decide_customer decide_each",
        "deadline": "DeadlineRule deadline_for read_deadlines shipped_deadlines",
        "decision": "Decision RuleHit decide",
        "disposition": "Disposition ErasurePlan LegalHold plan_erasure read_dispositions shipped_dispositions",
        "event": "ConsentEvent Evidence Scope",
        "facts": "Attempt Collection Facts Listing PointFacts RegisterCheck Relation Subject",
        "lapsing": "PermitLapsing",
        "linting": "Lint Linted lint",
        "pack": "Pack Rule",
        "pack_diff": "PackDiff",
        "pack_reading": "Laws read_pack shipped_laws shipped_packs",
        "schema_of_packs": "pack_schema",
        "policy": "Policy",
        "practice": "Form Practice",
        "replay": "Disagreement replay",
        "request": "Message Request Use",
        "preference_centre": "Change Choice Offer PreferenceCentre centre_changes preference_centre",
        "preferences": "Verdict under_wishes weigh",
        "privacy_signal": "signal_act signalled with_signal",
        "propagation": "OpenNotice recipients_of",
        "receipt": "Controller from_receipt receipt_schema to_receipt",
        "register": "CopiedRegister Register ask_registers",
        "secret_ring": "SecretRing",
        "suppression": "Suppression",
        "topics": "Topic Topics",
        "unsubscribe": "Ticket is_one_click read_ticket sign_ticket unsubscribe_act unsubscribe_headers",
        "wishes": "Cap QuietHours Wish Wished",
        "retention": "Retained RetentionPlan RetentionPolicy RetentionStep plan_retention read_retention "
        "shipped_retention",
        "rights_request": "Notice Requester RightsRequest RightsStep",
        "rights_steps": "Due due_of",
        "vectors": "Vector read_vectors",
    },
)
