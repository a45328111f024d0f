"""The closed vocabularies of requests that people make about their own data.

Invariant: requests, tables of deadlines and ledgers speak these words and no others.
"""

from __future__ import annotations

from typing import Literal

Right = Literal[
    "access",
    "portability",
    "rectification",
    "erasure",
    "restriction",
    "objection",
    "opt_out_of_sale",
    "limit",
    "automated_decision_review",
]
"""What somebody may ask for. *limit* is the use of sensitive data under California's law."""

RightsLaw = Literal[
    "gdpr",
    "uk_gdpr",
    "dsg_ch",
    "ccpa",
    "lgpd",
    "pipeda",
    "pdpa_sg",
    "privacy_act_au",
    "privacy_act_nz",
    "pipa_kr",
    "dpdp_in",
]
"""Under which law it is asked."""

RequesterKind = Literal["self", "agent", "parent"]

RequestState = Literal[
    "received",
    "identity_check",
    "accepted",
    "collecting",
    "review",
    "responded",
    "refused",
    "partially_refused",
    "closed",
]

StepKind = Literal[
    "receive",
    "check_identity",
    "accept",
    "collect",
    "review",
    "respond",
    "refuse",
    "refuse_partly",
    "close",
    "confirm_receipt",
    "identify",
    "stop_clock",
    "resume_clock",
    "extend",
    "decide_item",
    "must_tell",
    "notify",
    "answer",
    "excuse",
    "announce",
    "lift",
]
"""What can be done with a request: the steps from state to state, and those beside them, which leave it where it is."""

PauseCause = Literal["identity", "clarification"]
"""Why a clock may stand still: doubts about who asks, or about what is asked for."""

ItemDecision = Literal["grant", "refuse", "withhold"]
"""*withhold* keeps back a part of what is granted, as data of others."""

AnswerOutcome = Literal["done", "nothing_held", "refused"]
"""What a processor that was told answers."""

NoticeOutcome = Literal["done", "nothing_held", "refused", "excused"]
"""What came of a notice: an answer, or that none is waited for, for a reason that was stated."""
