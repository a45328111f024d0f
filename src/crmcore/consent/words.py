"""The closed vocabularies of consent: channels, contact points, purposes, acts, evidence, stages, outcomes.

Invariant: packs, facts and requests speak these words and no others; what is not among them is refused when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Channel = Literal["email", "sms", "voice", "automated_call", "fax", "post", "push", "in_app"]
"""How somebody is reached, or where their data is used. *voice* is a call by a person, *automated_call* one without."""

PointKind = Literal["email", "phone", "postal", "online"]
"""What a contact point is."""

CHANNELS_OF: Mapping[str, frozenset[Channel]] = {
    "email": frozenset(("email",)),
    "phone": frozenset(("sms", "voice", "automated_call", "fax")),
    "postal": frozenset(("post",)),
}
"""By which channels a contact point of a kind is reached; all others reach none."""

Purpose = Literal[
    "transactional",
    "service",
    "legal_notice",
    "marketing",
    "profiling",
    "third_party_sharing",
    "research",
    "fundraising",
    "political",
]
"""What for. A company's own purposes each belong to one of these."""

ActPurpose = Literal[
    "transactional",
    "service",
    "legal_notice",
    "marketing",
    "profiling",
    "third_party_sharing",
    "research",
    "fundraising",
    "political",
    "direct_marketing",
    "profiling_for_direct_marketing",
]
"""What an act is about. *direct_marketing* covers marketing by every channel and the profiling that serves it."""

ActKind = Literal[
    "give",
    "refuse",
    "request",
    "confirm",
    "withdraw",
    "object",
    "restrict",
    "lift",
    "invalidate",
    "assert_import",
]
"""What was done. *request* and *confirm* are the halves of a double opt-in, *assert_import* is what a system says."""

NOES: frozenset[str] = frozenset({"refuse", "withdraw", "object", "restrict", "invalidate"})
"""Acts that say no."""

YESES: frozenset[str] = frozenset({"give", "confirm", "assert_import"})
"""Acts that say yes."""

LIFTING: frozenset[str] = frozenset({"lift", "give", "confirm"})
"""Acts that may take back a No."""

EvidenceKind = Literal[
    "double_opt_in",
    "double_opt_in_pending",
    "two_step_opt_in",
    "web_form",
    "web_form_unverified",
    "e_signature",
    "signed_paper",
    "recorded_call",
    "unrecorded_call",
    "sms_keyword",
    "number_given",
    "parent_verified",
    "preticked_box",
    "silence",
    "bundled_terms",
    "bundled_generic",
    "import_without_proof",
]
"""How an act was done, as far as it can be shown."""

Outcome = Literal["allow", "deny", "need_confirmation"]

Stage = Literal["classify", "stop", "no", "register", "permit", "form", "time", "cap", "policy"]
"""The stages of a decision, in the order in which their answers count."""

STAGES: tuple[Stage, ...] = (
    "classify",
    "stop",
    "no",
    "register",
    "permit",
    "form",
    "time",
    "cap",
    "policy",
)
