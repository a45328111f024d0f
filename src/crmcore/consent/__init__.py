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
    from crmcore.consent.replay import Disagreement, replay
    from crmcore.consent.request import Message, Request, Use
    from crmcore.consent.vectors import Vector, read_vectors

__all__ = [
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
        "vectors": "Vector read_vectors",
    },
)
