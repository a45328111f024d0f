"""May we: the ledger, the rules, the packs, the decision.

The packs that come with crmcore are engineering data, not legal advice.
"""

from typing import TYPE_CHECKING

from crmcore._lazy import lazily

if TYPE_CHECKING:
    from crmcore.consent.customer_decision import Member, decide_customer
    from crmcore.consent.decision import Decision, RuleHit, decide
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
    from crmcore.consent.linting import Lint, Linted, lint
    from crmcore.consent.pack import Pack, Rule
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
    from crmcore.consent.receipt import Controller, from_receipt, receipt_schema, to_receipt
    from crmcore.consent.register import CopiedRegister, Register, ask_registers
    from crmcore.consent.replay import Disagreement, replay
    from crmcore.consent.request import Message, Request, Use
    from crmcore.consent.secret_ring import SecretRing
    from crmcore.consent.suppression import Suppression
    from crmcore.consent.unsubscribe import (
        Ticket,
        is_one_click,
        read_ticket,
        sign_ticket,
        unsubscribe_act,
        unsubscribe_headers,
    )
    from crmcore.consent.vectors import Vector, read_vectors
    from crmcore.consent.wishes import Cap, QuietHours, Wish

__all__ = [
    "Change",
    "Choice",
    "Offer",
    "PreferenceCentre",
    "centre_changes",
    "preference_centre",
    "Verdict",
    "under_wishes",
    "weigh",
    "signal_act",
    "signalled",
    "with_signal",
    "Controller",
    "from_receipt",
    "receipt_schema",
    "to_receipt",
    "CopiedRegister",
    "Register",
    "ask_registers",
    "SecretRing",
    "Suppression",
    "Ticket",
    "is_one_click",
    "read_ticket",
    "sign_ticket",
    "unsubscribe_act",
    "unsubscribe_headers",
    "Cap",
    "QuietHours",
    "Wish",
    "Attempt",
    "Collection",
    "ConsentEvent",
    "Decision",
    "Disagreement",
    "Evidence",
    "Facts",
    "Form",
    "Laws",
    "Lint",
    "Linted",
    "Listing",
    "Member",
    "Message",
    "Pack",
    "PointFacts",
    "Policy",
    "Practice",
    "RegisterCheck",
    "Relation",
    "Request",
    "Rule",
    "RuleHit",
    "Scope",
    "Subject",
    "Use",
    "Vector",
    "decide",
    "decide_customer",
    "lint",
    "read_pack",
    "read_vectors",
    "replay",
    "shipped_laws",
    "shipped_packs",
]

__getattr__ = lazily(
    __name__,
    {
        "customer_decision": "Member decide_customer",
        "decision": "Decision RuleHit decide",
        "event": "ConsentEvent Evidence Scope",
        "facts": "Attempt Collection Facts Listing PointFacts RegisterCheck Relation Subject",
        "linting": "Lint Linted lint",
        "pack": "Pack Rule",
        "pack_reading": "Laws read_pack shipped_laws shipped_packs",
        "policy": "Policy",
        "practice": "Form Practice",
        "replay": "Disagreement replay",
        "request": "Message Request Use",
        "preference_centre": "Change Choice Offer PreferenceCentre centre_changes preference_centre",
        "preferences": "Verdict under_wishes weigh",
        "privacy_signal": "signal_act signalled with_signal",
        "receipt": "Controller from_receipt receipt_schema to_receipt",
        "register": "CopiedRegister Register ask_registers",
        "secret_ring": "SecretRing",
        "suppression": "Suppression",
        "unsubscribe": "Ticket is_one_click read_ticket sign_ticket unsubscribe_act unsubscribe_headers",
        "wishes": "Cap QuietHours Wish",
        "vectors": "Vector read_vectors",
    },
)
