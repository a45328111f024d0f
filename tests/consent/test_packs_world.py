"""What the laws of eight countries outside of Europe answer: bounds, exceptions, defeaters, beside their opposites."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from crmcore.consent.counting import Span, last_day
from crmcore.consent.decision import decide
from crmcore.consent.facts import RegisterCheck, Relation
from crmcore.consent.pack_reading import shipped_packs
from crmcore.consent.vectors import read_vectors

T = {"tz": "America/Toronto"}
S = {"tz": "Australia/Sydney"}
CA_LISTED = {**T, "suppress": [{"list": "dncl_ca", "since": "2024-03-01"}]}
AU_LISTED = {**S, "suppress": [{"list": "dncr_au", "since": "2025-01-01"}]}
SG = {"tz": "Asia/Singapore"}
SG_TEXT = {**SG, "suppress": [{"list": "dnc_sg_text", "since": "2024-01-01"}]}
SG_VOICE = {**SG, "suppress": [{"list": "dnc_sg_voice", "since": "2024-01-01"}]}
KR = {"tz": "Asia/Seoul"}
IN = {"tz": "Asia/Kolkata"}
LEGAL_MAX = {"policy": {"withdrawal_grace": "legal_max"}}


def act(kind: Any, t: Any, channels: Any, **more: Any) -> Any:
    more.setdefault("pu", ["marketing"])
    if kind == "give":
        more.setdefault("ev", "web_form_active")
    return {"act": kind, "t": t, "ch": channels.split(), "to": "acme", **more}


def said(*acts: Any, **more: Any) -> Any:
    return {"consents": list(acts), **more}


def published(statement: Any = False, relevant: Any = True) -> Any:
    return {
        "published": {
            "conspicuous": True,
            "no_unsolicited_statement": statement,
            "relevant_to_role": relevant,
        }
    }


EMAIL = act("give", "2026-01-05T10:00:00Z", "email")
GONE = act("withdraw", "2026-04-01T10:00:00Z", "email")
NOON = "2026-05-12T12:00:00-04:00"
AU_NOON = "2026-05-12T12:00:00+10:00"
NZ_NOON = "2026-05-12T12:00:00+12:00"
SG_NOON = "2026-05-12T12:00:00+08:00"
JP_NOON = "2026-05-12T12:00:00+09:00"
IN_NOON = "2027-06-01T12:00:00+05:30"
BR_NOON = "2026-05-12T12:00:00-03:00"

ROWS = [
    # --- Canada, electronic messages
    ("CA", "email", "marketing", said(EMAIL), NOON, "allow"),
    ("CA", "sms", "marketing", said(EMAIL), NOON, "deny"),
    (
        "CA",
        "email",
        "marketing",
        said(act("give", "2026-01-05T10:00:00Z", "email", ev="pre_ticked")),
        NOON,
        "deny",
    ),
    (
        "CA",
        "email",
        "marketing",
        said(act("give", "2026-01-05T10:00:00Z", "email", ev="verbal_unrecorded")),
        NOON,
        "deny",
    ),
    (
        "CA",
        "email",
        "marketing",
        said(act("give", "2026-01-05T10:00:00Z", "email", ev="verbal_recorded")),
        NOON,
        "allow",
    ),
    (
        "CA",
        "email",
        "marketing",
        said(act("give", "2026-01-05T10:00:00Z", "email", ev="import_no_proof")),
        NOON,
        "deny",
    ),
    ("CA", "email", "marketing", {"rel": {"last_purchase": "2024-05-13"}}, NOON, "allow"),
    ("CA", "email", "marketing", {"rel": {"last_purchase": "2024-05-11"}}, NOON, "deny"),
    ("CA", "sms", "marketing", {"rel": {"last_purchase": "2024-05-13"}}, NOON, "allow"),
    (
        "CA",
        "email",
        "marketing",
        {"rel": {"last_purchase": "2026-02-28"}},
        "2028-02-29T12:00:00-05:00",
        "allow",
    ),
    ("CA", "email", "marketing", {"rel": {"last_purchase": "2024-05-13", "seller": "beta"}}, NOON, "deny"),
    ("CA", "email", "marketing", {"rel": {"last_inquiry": "2025-11-13"}}, NOON, "allow"),
    (
        "CA",
        "email",
        "marketing",
        {"rel": {"contract_kind": "written", "contract_end": "2024-06-01"}},
        NOON,
        "allow",
    ),
    (
        "CA",
        "email",
        "marketing",
        {"rel": {"contract_kind": "written", "contract_end": "2027-06-01"}},
        NOON,
        "allow",
    ),
    (
        "CA",
        "email",
        "marketing",
        {"rel": {"contract_kind": "written", "contract_active": True}},
        NOON,
        "allow",
    ),
    ("CA", "email", "marketing", {"rel": {"contract_end": "2024-06-01"}}, NOON, "deny"),
    ("CA", "email", "marketing", published(), NOON, "allow"),
    ("CA", "email", "marketing", published(relevant=False), NOON, "deny"),
    (
        "CA",
        "email",
        "marketing",
        {"disclosed": {"how": "business_card", "relevant_to_role": True}},
        NOON,
        "allow",
    ),
    (
        "CA",
        "email",
        "marketing",
        {"disclosed": {"how": "business_card", "relevant_to_role": False}},
        NOON,
        "deny",
    ),
    (
        "CA",
        "email",
        "marketing",
        {"disclosed": {"how": "business_card", "relevant_to_role": True, "no_unsolicited_statement": True}},
        NOON,
        "deny",
    ),
    (
        "CA",
        "email",
        "marketing",
        {"sender_kind": "registered_charity", "rel": {"donation": "2024-06-12"}},
        NOON,
        "allow",
    ),
    ("CA", "email", "marketing", {"rel": {"donation": "2026-04-12"}}, NOON, "deny"),
    ("CA", "email", "marketing", said(GONE, **published()), NOON, "deny"),
    ("CA", "email", "marketing", said(EMAIL, GONE), NOON, "deny"),
    ("CA", "email", "transactional", said(GONE, rel={"open_order": "2026-05-11"}), NOON, "allow"),
    (
        "CA",
        "email",
        "transactional",
        said(GONE, rel={"open_order": "2026-05-11"}, message={"contains_promotion": True}),
        NOON,
        "deny",
    ),
    (
        "CA",
        "email",
        "service",
        {"message": {"kind": "asks_for_consent"}, "rel": {"last_inquiry": "2026-05-01"}},
        NOON,
        "allow",
    ),
    ("CA", "email", "marketing", said(EMAIL, message={"has_unsubscribe": False}), NOON, "deny"),
    ("CA", "email", "marketing", said(EMAIL, message={"has_postal_address": False}), NOON, "deny"),
    (
        "CA",
        "email",
        "marketing",
        said(EMAIL, message={"unsubscribe_requires_fee_or_login": True}),
        NOON,
        "deny",
    ),
    # --- Canada, calls
    ("CA", "voice", "marketing", T, "2026-05-12T21:30:00-04:00", "allow"),
    ("CA", "voice", "marketing", T, "2026-05-12T21:30:01-04:00", "deny"),
    ("CA", "voice", "marketing", T, "2026-05-16T10:00:00-04:00", "allow"),
    ("CA", "voice", "marketing", T, "2026-05-17T18:00:00-04:00", "allow"),
    ("CA", "voice", "marketing", T, "2026-05-17T18:00:01-04:00", "deny"),
    ("CA", "fax", "marketing", {**T, "line": "fax"}, "2026-05-17T18:00:01-04:00", "deny"),
    ("CA", "voice", "marketing", {"tz": "America/Vancouver"}, "2026-05-12T10:00:00-04:00", "deny"),
    ("CA", "voice", "research", {**CA_LISTED, "message": {"kind": "opinion_poll"}}, NOON, "allow"),
    ("CA", "voice", "marketing", {**CA_LISTED, "rel": {"last_purchase": "2024-11-13"}}, NOON, "allow"),
    ("CA", "voice", "marketing", {**CA_LISTED, "rel": {"last_inquiry": "2025-11-11"}}, NOON, "deny"),
    (
        "CA",
        "voice",
        "marketing",
        {**CA_LISTED, "rel": {"contract_kind": "written", "contract_end": "2024-12-01"}},
        NOON,
        "allow",
    ),
    (
        "CA",
        "voice",
        "marketing",
        {**CA_LISTED, "rel": {"contract_kind": "written", "contract_end": "2024-11-01"}},
        NOON,
        "deny",
    ),
    ("CA", "voice", "marketing", {**CA_LISTED, "sender_kind": "registered_charity"}, NOON, "allow"),
    ("CA", "voice", "marketing", {**CA_LISTED, "sender_kind": "tax_exempt_nonprofit"}, NOON, "deny"),
    ("CA", "voice", "marketing", {**CA_LISTED, "consents": [EMAIL]}, NOON, "deny"),
    ("CA", "fax", "marketing", {**CA_LISTED, "line": "fax"}, NOON, "deny"),
    (
        "CA",
        "voice",
        "marketing",
        {
            **CA_LISTED,
            "rel": {"last_purchase": "2026-04-01"},
            "consents": [act("withdraw", "2026-04-02T12:00:00Z", "voice")],
        },
        NOON,
        "deny",
    ),
    (
        "CA",
        "automated_call",
        "marketing",
        {**T, "consents": [act("give", "2026-02-01T12:00:00Z", "automated_call")]},
        NOON,
        "allow",
    ),
    (
        "CA",
        "automated_call",
        "marketing",
        {**T, "consents": [act("give", "2026-02-01T12:00:00Z", "voice")]},
        NOON,
        "deny",
    ),
    ("CA", "automated_call", "marketing", {**T, "sender_kind": "registered_charity"}, NOON, "deny"),
    ("CA", "automated_call", "marketing", {**T, "subject": "corporate"}, NOON, "deny"),
    # --- Australia
    ("AU", "email", "marketing", {"rel": {"last_purchase": "2026-03-01"}}, AU_NOON, "deny"),
    (
        "AU",
        "email",
        "marketing",
        {"rel": {"ongoing_customer": True, "related_to_purchase": False}},
        AU_NOON,
        "deny",
    ),
    ("AU", "email", "marketing", published(statement=True), AU_NOON, "deny"),
    ("AU", "email", "marketing", published(relevant=False), AU_NOON, "deny"),
    ("AU", "email", "marketing", said(EMAIL), AU_NOON, "allow"),
    ("AU", "email", "marketing", said(EMAIL, message={"has_unsubscribe": False}), AU_NOON, "deny"),
    (
        "AU",
        "email",
        "marketing",
        said(EMAIL, act("withdraw", "2026-05-11T01:00:00Z", "email"), **S, **LEGAL_MAX),
        "2026-05-15T23:59:59+10:00",
        "allow",
    ),
    (
        "AU",
        "email",
        "marketing",
        said(EMAIL, act("withdraw", "2026-05-11T01:00:00Z", "email"), **S, **LEGAL_MAX),
        "2026-05-16T00:00:00+10:00",
        "deny",
    ),
    (
        "AU",
        "email",
        "marketing",
        said(
            EMAIL,
            act("withdraw", "2026-05-11T01:00:00Z", "email"),
            **S,
            **LEGAL_MAX,
            public_holidays=["2026-05-13"],
        ),
        "2026-05-18T23:59:59+10:00",
        "allow",
    ),
    (
        "AU",
        "email",
        "marketing",
        said(EMAIL, act("withdraw", "2026-05-11T01:00:00Z", "email"), **S),
        AU_NOON,
        "deny",
    ),
    (
        "AU",
        "email",
        "service",
        {"message": {"kind": "factual_information_only", "contains_promotion": True}},
        AU_NOON,
        "deny",
    ),
    ("AU", "voice", "marketing", S, "2026-05-12T09:00:00+10:00", "allow"),
    ("AU", "voice", "marketing", S, "2026-05-12T20:00:00+10:00", "allow"),
    ("AU", "voice", "marketing", S, "2026-05-16T17:00:00+10:00", "allow"),
    ("AU", "voice", "marketing", S, "2026-05-16T17:00:01+10:00", "deny"),
    ("AU", "voice", "marketing", S, "2026-05-17T12:00:00+10:00", "deny"),
    ("AU", "voice", "marketing", S, "2026-10-05T08:30:00+10:00", "allow"),
    ("AU", "voice", "marketing", S, "2026-04-06T08:30:00+11:00", "deny"),
    ("AU", "fax", "marketing", {**S, "line": "fax"}, "2026-05-17T12:00:00+10:00", "deny"),
    (
        "AU",
        "voice",
        "research",
        {**S, "message": {"kind": "genuine_market_research"}},
        "2026-05-17T12:00:00+10:00",
        "allow",
    ),
    (
        "AU",
        "voice",
        "research",
        {**S, "message": {"kind": "genuine_market_research"}},
        "2026-05-12T20:30:00+10:00",
        "allow",
    ),
    (
        "AU",
        "voice",
        "marketing",
        {**S, "consents": [act("give", "2026-05-01T00:00:00Z", "voice", covers_time="any")]},
        "2026-05-17T12:00:00+10:00",
        "allow",
    ),
    (
        "AU",
        "voice",
        "marketing",
        {**AU_LISTED, "consents": [act("give", "2026-02-12T23:00:00Z", "voice", period=None)]},
        "2026-05-12T19:00:00+10:00",
        "allow",
    ),
    (
        "AU",
        "voice",
        "marketing",
        {**AU_LISTED, "consents": [act("give", "2026-02-12T12:00:00+11:00", "voice")]},
        AU_NOON,
        "deny",
    ),
    (
        "AU",
        "voice",
        "marketing",
        {
            **AU_LISTED,
            "consents": [act("give", "2025-06-01T00:00:00Z", "voice", valid_until="2026-06-01T00:00:00Z")],
        },
        AU_NOON,
        "allow",
    ),
    (
        "AU",
        "voice",
        "marketing",
        {
            **AU_LISTED,
            "consents": [act("give", "2025-06-01T00:00:00Z", "voice", valid_until="2026-05-01T00:00:00Z")],
        },
        AU_NOON,
        "deny",
    ),
    ("AU", "voice", "marketing", {**AU_LISTED, "sender_kind": "registered_charity"}, AU_NOON, "allow"),
    (
        "AU",
        "voice",
        "marketing",
        {**AU_LISTED, "rel": {"ongoing_customer": True, "related_to_purchase": True}},
        AU_NOON,
        "allow",
    ),
    # --- New Zealand
    ("NZ", "email", "marketing", said(EMAIL), NZ_NOON, "allow"),
    (
        "NZ",
        "email",
        "marketing",
        said(EMAIL, act("withdraw", "2026-05-10T22:00:00Z", "email"), tz="Pacific/Auckland", **LEGAL_MAX),
        "2026-05-17T23:59:59+12:00",
        "allow",
    ),
    (
        "NZ",
        "email",
        "marketing",
        said(EMAIL, act("withdraw", "2026-05-10T22:00:00Z", "email"), tz="Pacific/Auckland", **LEGAL_MAX),
        "2026-05-18T00:00:00+12:00",
        "deny",
    ),
    ("NZ", "email", "marketing", published(), NZ_NOON, "allow"),
    ("NZ", "email", "marketing", published(statement=True), NZ_NOON, "deny"),
    ("NZ", "email", "marketing", said(EMAIL, message={"has_unsubscribe": False}), NZ_NOON, "deny"),
    ("NZ", "voice", "marketing", {}, NZ_NOON, "allow"),
    # --- Singapore
    (
        "SG",
        "sms",
        "marketing",
        {**SG_TEXT, "rel": {"ongoing_relationship": True, "message_related": True}},
        SG_NOON,
        "allow",
    ),
    (
        "SG",
        "sms",
        "marketing",
        {**SG_TEXT, "rel": {"ongoing_relationship": True, "message_related": False}},
        SG_NOON,
        "deny",
    ),
    (
        "SG",
        "sms",
        "marketing",
        {**SG_TEXT, "consents": [act("give", "2026-01-05T00:00:00Z", "sms")]},
        SG_NOON,
        "allow",
    ),
    (
        "SG",
        "sms",
        "marketing",
        {**SG_TEXT, "consents": [act("give", "2026-01-05T00:00:00Z", "sms", clear_and_unambiguous=False)]},
        SG_NOON,
        "deny",
    ),
    (
        "SG",
        "sms",
        "marketing",
        {**SG_TEXT, "consents": [act("give", "2026-01-05T00:00:00Z", "sms", ev="bundled_terms")]},
        SG_NOON,
        "deny",
    ),
    ("SG", "sms", "marketing", SG_VOICE, SG_NOON, "allow"),
    ("SG", "voice", "marketing", SG_TEXT, SG_NOON, "allow"),
    (
        "SG",
        "voice",
        "marketing",
        {**SG, "dnc_checked": {"on": "2026-04-21", "result": "not_listed"}},
        SG_NOON,
        "allow",
    ),
    (
        "SG",
        "voice",
        "marketing",
        {**SG, "dnc_checked": {"on": "2026-04-20", "result": "not_listed"}},
        SG_NOON,
        "deny",
    ),
    (
        "SG",
        "voice",
        "research",
        {**SG_VOICE, "message": {"kind": "genuine_market_research"}},
        SG_NOON,
        "allow",
    ),
    ("SG", "sms", "transactional", {**SG_TEXT, "message": {"kind": "order_confirmation"}}, SG_NOON, "allow"),
    # --- Japan
    ("JP", "email", "marketing", {"rel": {"transactional_relationship": True}}, JP_NOON, "allow"),
    ("JP", "email", "marketing", {"subject": "corporate", **published()}, JP_NOON, "allow"),
    ("JP", "email", "marketing", {"subject": "consumer", **published()}, JP_NOON, "deny"),
    ("JP", "email", "marketing", {"disclosed": {"how": "business_card"}}, JP_NOON, "allow"),
    (
        "JP",
        "email",
        "marketing",
        {"disclosed": {"how": "business_card"}, "consents": [GONE]},
        JP_NOON,
        "deny",
    ),
    (
        "JP",
        "email",
        "marketing",
        said(act("give", "2026-01-05T00:00:00Z", "email", ev="import_no_proof")),
        JP_NOON,
        "deny",
    ),
    ("JP", "email", "marketing", said(EMAIL, message={"has_unsubscribe": False}), JP_NOON, "deny"),
    ("JP", "fax", "marketing", {}, JP_NOON, "deny"),
    ("JP", "voice", "marketing", {}, JP_NOON, "allow"),
    # --- Korea
    (
        "KR",
        "sms",
        "marketing",
        {**KR, "consents": [act("give", "2026-01-05T00:00:00Z", "sms")]},
        "2026-05-12T21:00:00+09:00",
        "deny",
    ),
    (
        "KR",
        "sms",
        "marketing",
        {**KR, "consents": [act("give", "2026-01-05T00:00:00Z", "sms")]},
        "2026-05-13T07:59:59+09:00",
        "deny",
    ),
    (
        "KR",
        "push",
        "marketing",
        {**KR, "consents": [act("give", "2026-01-05T00:00:00Z", "push")]},
        "2026-05-12T22:00:00+09:00",
        "deny",
    ),
    (
        "KR",
        "push",
        "marketing",
        {
            **KR,
            "consents": [
                act("give", "2026-01-05T00:00:00Z", "push"),
                act("give", "2026-01-05T00:00:00Z", "sms", night=True),
            ],
        },
        "2026-05-12T22:00:00+09:00",
        "deny",
    ),
    (
        "KR",
        "sms",
        "marketing",
        {**KR, "rel": {"last_purchase": "2025-11-12", "same_kind": True, "contact_collected_directly": True}},
        JP_NOON,
        "allow",
    ),
    (
        "KR",
        "sms",
        "marketing",
        {**KR, "rel": {"last_purchase": "2025-11-11", "same_kind": True, "contact_collected_directly": True}},
        JP_NOON,
        "deny",
    ),
    (
        "KR",
        "sms",
        "marketing",
        {**KR, "rel": {"last_purchase": "2026-02-28", "same_kind": True, "contact_collected_directly": True}},
        "2026-08-29T12:00:00+09:00",
        "deny",
    ),
    (
        "KR",
        "sms",
        "marketing",
        {
            **KR,
            "rel": {"last_purchase": "2026-03-12", "same_kind": False, "contact_collected_directly": True},
        },
        JP_NOON,
        "deny",
    ),
    (
        "KR",
        "sms",
        "marketing",
        {**KR, "rel": {"last_purchase": "2026-03-12", "same_kind": True, "contact_collected_directly": True}},
        "2026-05-12T22:00:00+09:00",
        "deny",
    ),
    # --- India
    ("IN", "email", "marketing", IN, IN_NOON, "deny"),
    (
        "IN",
        "email",
        "marketing",
        {**IN, "consents": [act("give", "2027-05-20T00:00:00Z", "email", ev="bundled_generic")]},
        IN_NOON,
        "deny",
    ),
    (
        "IN",
        "email",
        "marketing",
        {
            **IN,
            "birth_date": "2009-06-02",
            "consents": [act("give", "2027-06-01T00:00:00Z", "email", given_by="data_principal")],
        },
        IN_NOON,
        "deny",
    ),
    (
        "IN",
        "email",
        "marketing",
        {
            **IN,
            "birth_date": "2009-06-02",
            "consents": [
                act("give", "2027-06-01T00:00:00Z", "email", ev="parent_verified", given_by="parent")
            ],
        },
        IN_NOON,
        "allow",
    ),
    (
        "IN",
        "email",
        "marketing",
        {
            **IN,
            "consents": [
                act("give", "2027-05-20T00:00:00Z", "email"),
                act("withdraw", "2027-05-25T00:00:00Z", "email"),
            ],
        },
        IN_NOON,
        "deny",
    ),
    ("IN", "email", "transactional", {**IN, "rel": {"open_order": "2027-05-31"}}, IN_NOON, "allow"),
    # --- Brazil
    ("BR", "email", "marketing", said(EMAIL, legal_basis_claimed="consent"), BR_NOON, "allow"),
    ("BR", "email", "marketing", {"legal_basis_claimed": "consent"}, BR_NOON, "deny"),
    (
        "BR",
        "email",
        "marketing",
        {"legal_basis_claimed": "legitimate_interest", "lia_passed": True},
        BR_NOON,
        "allow",
    ),
    (
        "BR",
        "email",
        "marketing",
        {"legal_basis_claimed": "legitimate_interest", "lia_passed": False},
        BR_NOON,
        "deny",
    ),
    (
        "BR",
        "email",
        "marketing",
        {
            "legal_basis_claimed": "legitimate_interest",
            "consents": [{"act": "object", "t": "2026-04-01T08:00:00Z", "scope": "direct_marketing"}],
        },
        BR_NOON,
        "deny",
    ),
    (
        "BR",
        "in_app",
        "profiling",
        said(
            act(
                "give",
                "2026-01-05T00:00:00Z",
                "in_app",
                pu=["profiling"],
                ev="parent_verified",
                given_by="parent",
            ),
            birth_date="2015-01-01",
            legal_basis_claimed="consent",
        ),
        BR_NOON,
        "allow",
    ),
    (
        "BR",
        "in_app",
        "profiling",
        said(
            act("give", "2026-01-05T12:00:00Z", "in_app", pu=["profiling"], given_by="child"),
            birth_date="2014-01-05",
            legal_basis_claimed="consent",
        ),
        BR_NOON,
        "allow",
    ),
    (
        "BR",
        "in_app",
        "profiling",
        {"data": ["health"], "legal_basis_claimed": "legitimate_interest"},
        BR_NOON,
        "deny",
    ),
]


def _common(place: Any, noon: Any, zone: Any, before: Any, mid: Any, after: Any) -> Any:
    """Rows that every one of these laws answers alike."""
    base = {"tz": zone, "legal_basis_claimed": "consent"}

    def yes(t: Any, channels: Any = "email", **more: Any) -> Any:
        return act("give", t, channels, **more)

    def no(channels: Any = "email", **more: Any) -> Any:
        return act("withdraw", mid, channels, **more)

    day = mid[:10]
    share, profile = ["third_party_sharing"], ["profiling"]
    handed = {"transfer": "service_provider_disclosure", "recipient": "host"}
    rows = [
        ("email", "marketing", {"erased": day, "consents": [yes(before)]}, "deny"),
        ("email", "marketing", {"erased": day, "consents": [yes(after)]}, "allow"),
        (
            "email",
            "marketing",
            {"suppress": [{"list": "internal", "since": day}], "consents": [yes(before)]},
            "deny",
        ),
        (
            "email",
            "marketing",
            {"suppress": [{"list": "internal", "since": day}], "consents": [yes(after)]},
            "allow",
        ),
        (
            "email",
            "marketing",
            {"suppress": [{"list": "internal_hash", "since": day}], "consents": [yes(before)]},
            "deny",
        ),
        (
            "email",
            "marketing",
            {"suppress": [{"list": "internal_hash", "since": day}], "consents": [yes(after)]},
            "allow",
        ),
        (
            "voice",
            "marketing",
            {"suppress": [{"list": "internal_dnc", "since": day}], "consents": [yes(before, "voice")]},
            "deny",
        ),
        (
            "voice",
            "marketing",
            {"suppress": [{"list": "internal_dnc", "since": day}], "consents": [yes(after, "voice")]},
            "allow",
        ),
        ("email", "transactional", {"message": {"contains_promotion": True}}, "deny"),
        ("email", "service", {"message": {"contains_promotion": True}}, "deny"),
        ("email", "transactional", {}, "allow"),
        ("email", "service", {}, "allow"),
        ("email", "legal_notice", {}, "allow"),
        ("in_app", "third_party_sharing", {**handed, "contract_in_place": True}, "allow"),
        ("in_app", "third_party_sharing", {**handed, "contract_in_place": False}, "deny"),
        (
            "in_app",
            "third_party_sharing",
            {"transfer": "sale", "consents": [yes(before, "in_app", pu=share)]},
            "allow",
        ),
        ("in_app", "third_party_sharing", {"transfer": "sale"}, "deny"),
        (
            "in_app",
            "third_party_sharing",
            {**handed, "contract_in_place": True, "consents": [no("in_app", pu=share)]},
            "deny",
        ),
        ("in_app", "profiling", {"consents": [yes(before, "in_app", pu=profile)]}, "allow"),
        (
            "in_app",
            "profiling",
            {"consents": [yes(before, "in_app", pu=profile), no("in_app", pu=profile)]},
            "deny",
        ),
        ("email", "service", {"consents": [no(pu=["service"])]}, "deny"),
        ("email", "marketing", {"consents": [yes(before, ev="silence")]}, "deny"),
    ]
    if place != "SG":  # where only what nobody asked for must be easy to leave
        burdened = {"consents": [yes(before)], "message": {"unsubscribe_requires_fee_or_login": True}}
        rows.append(("email", "marketing", burdened, "deny"))
    if place not in ("CA", "AU"):
        rows.append(("post", "marketing", {"consents": [yes(before, "post")]}, "allow"))
    rows.append(
        (
            "post",
            "marketing",
            {"consents": [yes(before, "post"), no("post")], "rel": {"last_purchase": day}},
            "deny",
        )
    )
    rows.append(("voice", "marketing", {"consents": [yes(before, "voice"), no("voice")]}, "deny"))
    if place not in ("IN", "BR"):
        rows.append(("email", "research", {}, "allow"))
    if place in ("CA", "AU", "NZ", "SG", "JP", "KR"):
        rows.append(("email", "service", {"message": {"kind": "asks_for_consent"}}, "deny"))
    if place in ("CA", "AU", "NZ", "JP"):
        rows.append(("in_app", "profiling", {"informed_and_could_object": True}, "allow"))
        rows.append(
            (
                "in_app",
                "profiling",
                {"informed_and_could_object": True, "consents": [no("in_app", pu=profile)]},
                "deny",
            )
        )
    if place in ("CA", "AU", "JP", "KR", "BR"):
        plain = yes(before, "in_app", pu=profile)
        rows.append(("in_app", "profiling", {"data": ["health"], "informed_and_could_object": True}, "deny"))
        rows.append(
            (
                "in_app",
                "profiling",
                {"data": ["health"], "consents": [plain]},
                "allow" if place in ("AU", "JP") else "deny",
            )
        )
        rows.append(
            ("in_app", "profiling", {"data": ["health"], "consents": [{**plain, "explicit": True}]}, "allow")
        )
    return [
        (place, channel, purpose, {**base, **facts}, noon, expected)
        for channel, purpose, facts, expected in rows
    ]


THEN = ("2026-02-01T01:00:00Z", "2026-03-02T01:00:00Z", "2026-04-01T01:00:00Z")
for _place, _noon, _zone in (
    ("CA", NOON, "America/Toronto"),
    ("AU", AU_NOON, "Australia/Sydney"),
    ("NZ", NZ_NOON, "Pacific/Auckland"),
    ("SG", SG_NOON, "Asia/Singapore"),
    ("JP", JP_NOON, "Asia/Tokyo"),
    ("KR", JP_NOON, "Asia/Seoul"),
    ("BR", BR_NOON, "America/Sao_Paulo"),
):
    ROWS += _common(_place, _noon, _zone, *THEN)
ROWS += _common("IN", IN_NOON, "Asia/Kolkata", *(moment.replace("2026", "2027") for moment in THEN))

CHILD = {"birth_date": "2015-01-01", "legal_basis_claimed": "legitimate_interest"}
GIRL = {**IN, "birth_date": "2012-06-02"}
PARENT = {"ev": "parent_verified", "given_by": "parent"}
FAX = {"line": "fax"}
SG_FAX = {**SG, **FAX, "suppress": [{"list": "dnc_sg_fax", "since": "2024-01-01"}]}
STALE = {**SG, "dnc_checked": {"on": "2026-04-20", "result": "not_listed"}}
RELATED = {"rel": {"ongoing_relationship": True, "message_related": True}}
ROWS += [
    # --- Canada
    ("CA", "email", "marketing", {"rel": {"ongoing_customer": True}}, NOON, "allow"),
    ("CA", "email", "marketing", {"rel": {"contract_active": True}}, NOON, "allow"),
    ("CA", "email", "marketing", {"subject": "corporate", **RELATED}, NOON, "allow"),
    (
        "CA",
        "email",
        "marketing",
        {"subject": "corporate", "rel": {"transactional_relationship": True}},
        NOON,
        "allow",
    ),
    (
        "CA",
        "email",
        "marketing",
        {"message": {"kind": "quote_requested_by_recipient", "has_unsubscribe": False}},
        NOON,
        "allow",
    ),
    ("CA", "email", "marketing", {"rel": {"quote_requested": "2026-01-12"}}, NOON, "allow"),
    (
        "CA",
        "email",
        "marketing",
        {"sender_kind": "registered_charity", "rel": {"donation": "2024-05-11"}},
        NOON,
        "deny",
    ),
    (
        "CA",
        "email",
        "marketing",
        {"sender_kind": "registered_charity", "rel": {"donation": "2024-05-13"}},
        NOON,
        "allow",
    ),
    (
        "CA",
        "email",
        "marketing",
        {"rel": {"contract_kind": "written", "contract_end": "2024-05-11"}},
        NOON,
        "deny",
    ),
    ("CA", "email", "fundraising", {"sender_kind": "registered_charity"}, NOON, "allow"),
    ("CA", "email", "fundraising", {}, NOON, "deny"),
    ("CA", "email", "political", {}, NOON, "allow"),
    ("CA", "in_app", "marketing", {}, NOON, "allow"),
    ("CA", "push", "marketing", {}, NOON, "deny"),
    ("CA", "post", "marketing", {"rel": {"last_purchase": "2020-01-01"}}, NOON, "allow"),
    ("CA", "voice", "marketing", {**CA_LISTED, "rel": {"last_inquiry": "2025-11-13"}}, NOON, "allow"),
    ("CA", "voice", "marketing", {**CA_LISTED, "line": "business"}, NOON, "allow"),
    ("CA", "voice", "political", CA_LISTED, NOON, "allow"),
    ("CA", "voice", "marketing", {**CA_LISTED, "rel": {"ongoing_customer": True}}, NOON, "allow"),
    ("CA", "voice", "marketing", T, "2026-05-16T09:59:59-04:00", "deny"),
    ("CA", "automated_call", "research", T, "2026-05-12T08:59:59-04:00", "deny"),
    ("CA", "automated_call", "research", T, "2026-05-12T09:00:00-04:00", "allow"),
    ("CA", "automated_call", "research", T, "2026-05-12T21:30:00-04:00", "allow"),
    ("CA", "automated_call", "research", T, "2026-05-12T21:30:01-04:00", "deny"),
    ("CA", "automated_call", "research", T, "2026-05-16T09:59:59-04:00", "deny"),
    ("CA", "automated_call", "research", T, "2026-05-16T10:00:00-04:00", "allow"),
    ("CA", "automated_call", "research", T, "2026-05-16T18:00:00-04:00", "allow"),
    ("CA", "automated_call", "research", T, "2026-05-16T18:00:01-04:00", "deny"),
    (
        "CA",
        "automated_call",
        "research",
        {**T, "message": {"kind": "emergency"}},
        "2026-05-12T03:00:00-04:00",
        "allow",
    ),
    (
        "CA",
        "email",
        "marketing",
        said(EMAIL, act("withdraw", "2026-03-02T15:00:00Z", "email"), **T, **LEGAL_MAX),
        "2026-03-16T23:59:59-04:00",
        "allow",
    ),
    (
        "CA",
        "email",
        "marketing",
        said(EMAIL, act("withdraw", "2026-03-02T15:00:00Z", "email"), **T, **LEGAL_MAX),
        "2026-03-17T00:00:00-04:00",
        "deny",
    ),
    (
        "CA",
        "voice",
        "marketing",
        said(act("withdraw", "2026-05-01T15:00:00Z", "voice"), **T, **LEGAL_MAX),
        "2026-05-14T14:00:00-04:00",
        "allow",
    ),
    (
        "CA",
        "voice",
        "marketing",
        said(act("withdraw", "2026-05-01T15:00:00Z", "voice"), **T, **LEGAL_MAX),
        "2026-05-15T14:00:00-04:00",
        "deny",
    ),
    # --- Australia
    (
        "AU",
        "email",
        "marketing",
        {"disclosed": {"how": "business_card", "relevant_to_role": True}},
        AU_NOON,
        "allow",
    ),
    (
        "AU",
        "email",
        "marketing",
        {"sender_kind": "registered_charity", "message": {"has_unsubscribe": False}},
        AU_NOON,
        "allow",
    ),
    ("AU", "email", "political", {}, AU_NOON, "allow"),
    ("AU", "post", "marketing", {"rel": {"last_purchase": "2020-01-01"}}, AU_NOON, "allow"),
    ("AU", "fax", "marketing", {**AU_LISTED, **FAX}, AU_NOON, "deny"),
    (
        "AU",
        "fax",
        "marketing",
        {**AU_LISTED, **FAX, "consents": [act("give", "2026-04-01T00:00:00Z", "fax")]},
        AU_NOON,
        "allow",
    ),
    ("AU", "fax", "marketing", {**AU_LISTED, **FAX, **RELATED}, AU_NOON, "allow"),
    ("AU", "fax", "marketing", {**AU_LISTED, **FAX, "sender_kind": "registered_charity"}, AU_NOON, "allow"),
    (
        "AU",
        "fax",
        "marketing",
        {**S, **FAX, "prior_calls": ["2026-05-11T12:00:01+10:00"] * 10},
        AU_NOON,
        "deny",
    ),
    (
        "AU",
        "fax",
        "marketing",
        {**S, **FAX, "prior_calls": ["2026-05-11T12:00:00+10:00"] * 10},
        AU_NOON,
        "allow",
    ),
    (
        "AU",
        "fax",
        "marketing",
        {**S, **FAX, "prior_calls": ["2026-05-11T12:00:01+10:00"] * 9},
        AU_NOON,
        "allow",
    ),
    (
        "AU",
        "fax",
        "marketing",
        {**S, "consents": [act("give", "2026-04-01T00:00:00Z", "fax", covers_time="any")]},
        "2026-05-17T12:00:00+10:00",
        "allow",
    ),
    (
        "AU",
        "voice",
        "research",
        {**S, "consents": [act("give", "2026-04-01T00:00:00Z", "voice", pu=["research"], covers_time="any")]},
        "2026-05-17T18:00:00+10:00",
        "allow",
    ),
    (
        "AU",
        "voice",
        "research",
        {**S, "public_holidays": ["2026-04-25"]},
        "2026-04-25T12:00:00+10:00",
        "deny",
    ),
    *(
        ("AU", "fax", "marketing", S, f"2026-05-{moment}+10:00", "allow")
        for moment in ("12T09:00:00", "12T20:00:00", "16T09:00:00", "16T17:00:00")
    ),
    *(
        ("AU", "fax", "marketing", S, f"2026-05-{moment}+10:00", "deny")
        for moment in ("12T08:59:59", "12T20:00:01", "16T08:59:59", "16T17:00:01")
    ),
    *(
        ("AU", "voice", "marketing", S, f"2026-05-{moment}+10:00", "allow")
        for moment in ("16T09:00:00", "11T09:00:00")
    ),
    *(
        ("AU", "voice", "marketing", S, f"2026-05-{moment}+10:00", "deny")
        for moment in ("16T08:59:59", "11T08:59:59")
    ),
    *(
        ("AU", "voice", "research", S, f"2026-05-{moment}+10:00", "allow")
        for moment in ("12T09:00:00", "16T09:00:00", "17T17:00:00")
    ),
    *(
        ("AU", "voice", "research", S, f"2026-05-{moment}+10:00", "deny")
        for moment in ("12T08:59:59", "12T20:30:01", "16T08:59:59", "17T17:00:01")
    ),
    # --- New Zealand
    ("NZ", "email", "marketing", {"rel": {"last_purchase": "2026-01-12", "similar": True}}, NZ_NOON, "allow"),
    (
        "NZ",
        "email",
        "marketing",
        {"rel": {"last_purchase": "2026-01-12", "related_to_purchase": True}},
        NZ_NOON,
        "allow",
    ),
    (
        "NZ",
        "email",
        "marketing",
        {"rel": {"last_purchase": "2026-01-12", "similar": False, "related_to_purchase": False}},
        NZ_NOON,
        "deny",
    ),
    (
        "NZ",
        "email",
        "marketing",
        {"disclosed": {"how": "business_card", "relevant_to_role": True}},
        NZ_NOON,
        "allow",
    ),
    (
        "NZ",
        "email",
        "marketing",
        {"disclosed": {"how": "business_card", "relevant_to_role": False}},
        NZ_NOON,
        "deny",
    ),
    ("NZ", "email", "marketing", published(relevant=False), NZ_NOON, "deny"),
    (
        "NZ",
        "email",
        "marketing",
        {"message": {"kind": "quote_requested_by_recipient", "has_unsubscribe": False}},
        NZ_NOON,
        "allow",
    ),
    ("NZ", "fax", "marketing", {}, NZ_NOON, "deny"),
    # --- Singapore
    ("SG", "fax", "marketing", SG_FAX, SG_NOON, "deny"),
    ("SG", "fax", "marketing", {**SG_FAX, **RELATED}, SG_NOON, "allow"),
    ("SG", "fax", "marketing", {**SG_FAX, "subject": "corporate"}, SG_NOON, "allow"),
    (
        "SG",
        "fax",
        "marketing",
        {**SG_FAX, "consents": [act("give", "2026-04-01T00:00:00Z", "fax")]},
        SG_NOON,
        "allow",
    ),
    ("SG", "sms", "marketing", {**SG_TEXT, "subject": "employee_of_corporate"}, SG_NOON, "allow"),
    (
        "SG",
        "sms",
        "marketing",
        {
            **SG_TEXT,
            "rel": {"ongoing_relationship": True, "message_related": True, "optout_in_message": False},
        },
        SG_NOON,
        "deny",
    ),
    (
        "SG",
        "voice",
        "marketing",
        {**SG_VOICE, "consents": [act("give", "2026-04-01T00:00:00Z", "voice")]},
        SG_NOON,
        "allow",
    ),
    *(
        ("SG", channel, "marketing", {**STALE, **more}, SG_NOON, expected)
        for channel in ("voice", "sms", "fax")
        for more, expected in (
            ({}, "deny"),
            ({"subject": "corporate"}, "allow"),
            ({"consents": [act("give", "2026-04-01T00:00:00Z", "voice sms fax")]}, "allow"),
            (RELATED, "deny" if channel == "voice" else "allow"),
        )
    ),
    *(
        (
            "SG",
            channel,
            "marketing",
            {**SG, "dnc_checked": {"on": f"2020-05-{checked}", "result": "not_listed"}, **more},
            "2020-06-11T12:00:00+08:00",
            expected,
        )
        for channel in ("voice", "sms", "fax")
        for checked, more, expected in (
            ("12", {}, "allow"),
            ("11", {}, "deny"),
            ("11", {"subject": "corporate"}, "allow"),
            ("11", {"consents": [act("give", "2020-04-01T00:00:00Z", "voice sms fax")]}, "allow"),
            ("11", RELATED, "deny" if channel == "voice" else "allow"),
        )
    ),
    *(
        (
            "SG",
            channel,
            "marketing",
            {**SG, "dnc_checked": {"on": "2026-04-21", "result": "not_listed"}},
            SG_NOON,
            "allow",
        )
        for channel in ("sms", "fax")
    ),
    ("SG", "voice", "fundraising", SG_VOICE, SG_NOON, "allow"),
    ("SG", "email", "marketing", SG, SG_NOON, "deny"),
    ("SG", "email", "marketing", {**SG, **RELATED}, SG_NOON, "allow"),
    ("SG", "email", "marketing", {**SG, "subject": "corporate"}, SG_NOON, "allow"),
    (
        "SG",
        "email",
        "marketing",
        {**SG, "subject": "corporate", "message": {"has_unsubscribe": False}},
        SG_NOON,
        "deny",
    ),
    ("SG", "email", "marketing", {**SG, **published()}, SG_NOON, "allow"),
    ("SG", "email", "marketing", {**SG, **published(statement=True)}, SG_NOON, "deny"),
    (
        "SG",
        "in_app",
        "profiling",
        {**SG, "legal_basis_claimed": "legitimate_interest", "lia_passed": True},
        SG_NOON,
        "allow",
    ),
    (
        "SG",
        "in_app",
        "profiling",
        {**SG, "legal_basis_claimed": "legitimate_interest", "profiling_for": "direct_marketing"},
        SG_NOON,
        "deny",
    ),
    # --- Japan
    *(
        ("JP", "voice", "marketing", {"tz": "Asia/Tokyo"}, f"2026-05-12T{moment}+09:00", "allow")
        for moment in ("08:00:00", "21:00:00")
    ),
    *(
        ("JP", "voice", "marketing", {"tz": "Asia/Tokyo"}, f"2026-05-12T{moment}+09:00", "deny")
        for moment in ("07:59:59", "21:00:01")
    ),
    (
        "JP",
        "voice",
        "marketing",
        {"tz": "Asia/Tokyo", "subject": "corporate"},
        "2026-05-12T22:00:00+09:00",
        "allow",
    ),
    ("JP", "voice", "marketing", {"tz": "Asia/Tokyo", "refused_in_call": "2026-03-01"}, JP_NOON, "deny"),
    (
        "JP",
        "voice",
        "marketing",
        {"refused_in_call": "2026-03-01", "consents": [act("give", "2026-04-01T00:00:00Z", "voice")]},
        JP_NOON,
        "allow",
    ),
    ("JP", "fax", "marketing", {"consents": [act("give", "2026-04-01T00:00:00Z", "fax")]}, JP_NOON, "allow"),
    ("JP", "fax", "marketing", {"subject": "corporate"}, JP_NOON, "allow"),
    ("JP", "email", "marketing", said(EMAIL, message={"has_postal_address": False}), JP_NOON, "deny"),
    ("JP", "post", "marketing", {"notice_at_collection": True}, JP_NOON, "allow"),
    ("JP", "in_app", "profiling", {"notice_at_collection": True}, JP_NOON, "allow"),
    # --- Korea
    (
        "KR",
        "sms",
        "marketing",
        {**KR, "consents": [act("give", "2026-01-05T00:00:00Z", "sms")]},
        "2026-05-13T08:00:00+09:00",
        "allow",
    ),
    (
        "KR",
        "sms",
        "marketing",
        {**KR, "consents": [act("give", "2026-01-05T00:00:00Z", "sms", conditional_on_contract=True)]},
        JP_NOON,
        "deny",
    ),
    (
        "KR",
        "email",
        "marketing",
        {**KR, "birth_date": "2012-01-06", "consents": [act("give", "2026-01-05T00:00:00Z", "email")]},
        JP_NOON,
        "deny",
    ),
    (
        "KR",
        "email",
        "marketing",
        {**KR, "birth_date": "2012-01-05", "consents": [act("give", "2026-01-05T00:00:00Z", "email")]},
        JP_NOON,
        "allow",
    ),
    (
        "KR",
        "email",
        "marketing",
        {
            **KR,
            "birth_date": "2014-01-05",
            "consents": [act("give", "2026-01-05T00:00:00Z", "email", **PARENT)],
        },
        JP_NOON,
        "allow",
    ),
    ("KR", "email", "marketing", said(EMAIL, message={"has_unsubscribe": False}), JP_NOON, "deny"),
    (
        "KR",
        "email",
        "marketing",
        {**KR, "restriction": {"since": "2026-03-01", "ground": "accuracy_contested"}, "consents": [EMAIL]},
        JP_NOON,
        "deny",
    ),
    # --- India
    (
        "IN",
        "in_app",
        "service",
        {**GIRL, "consents": [act("give", "2027-05-20T00:00:00Z", "in_app", pu=["service"], **PARENT)]},
        IN_NOON,
        "allow",
    ),
    (
        "IN",
        "in_app",
        "service",
        {
            **GIRL,
            "consents": [act("give", "2027-05-20T00:00:00Z", "in_app", pu=["service"], given_by="child")],
        },
        IN_NOON,
        "deny",
    ),
    (
        "IN",
        "email",
        "marketing",
        {
            **GIRL,
            "purpose_detail": "targeted_advertising",
            "consents": [act("give", "2027-05-20T00:00:00Z", "email", **PARENT)],
        },
        IN_NOON,
        "deny",
    ),
    (
        "IN",
        "in_app",
        "third_party_sharing",
        {
            **GIRL,
            "transfer": "share_cross_context_ads",
            "consents": [act("give", "2027-05-20T00:00:00Z", "in_app", pu=["third_party_sharing"], **PARENT)],
        },
        IN_NOON,
        "deny",
    ),
    (
        "IN",
        "email",
        "marketing",
        {
            **GIRL,
            "consents": [
                act("give", "2027-05-20T00:00:00Z", "email", ev="web_form_active", given_by="parent")
            ],
        },
        IN_NOON,
        "deny",
    ),
    ("IN", "voice", "marketing", IN, "2027-05-13T12:00:00+05:30", "allow"),
    ("IN", "voice", "marketing", IN, "2027-05-14T12:00:00+05:30", "deny"),
    (
        "IN",
        "voice",
        "marketing",
        {**IN, "suppress": [{"list": "in_preferences", "since": "2026-01-01"}]},
        "2026-05-12T12:00:00+05:30",
        "deny",
    ),
    (
        "IN",
        "sms",
        "marketing",
        {
            **IN,
            "suppress": [{"list": "in_preferences", "since": "2026-01-01"}],
            "consents": [act("give", "2026-04-01T00:00:00Z", "sms")],
        },
        "2026-05-12T12:00:00+05:30",
        "allow",
    ),
    *(
        ("IN", "voice", "marketing", IN, f"2026-05-12T{moment}+05:30", "allow")
        for moment in ("10:00:00", "21:00:00")
    ),
    *(
        ("IN", "voice", "marketing", IN, f"2026-05-12T{moment}+05:30", "deny")
        for moment in ("09:59:59", "21:00:01")
    ),
    (
        "IN",
        "voice",
        "marketing",
        {**IN, "consents": [act("give", "2026-04-01T00:00:00Z", "voice", covers_time="any")]},
        "2026-05-12T22:00:00+05:30",
        "allow",
    ),
    # --- Brazil
    ("BR", "email", "marketing", CHILD, BR_NOON, "deny"),
    ("BR", "email", "marketing", {**CHILD, "birth_date": "2014-05-12"}, BR_NOON, "allow"),
    (
        "BR",
        "in_app",
        "profiling",
        {
            "birth_date": "2010-01-01",
            "purpose_detail": "targeted_advertising",
            "consents": [act("give", "2026-01-05T00:00:00Z", "in_app", pu=["profiling"])],
        },
        BR_NOON,
        "deny",
    ),
    (
        "BR",
        "in_app",
        "profiling",
        {
            "birth_date": "2010-01-01",
            "purpose_detail": "targeted_advertising",
            "consents": [act("give", "2026-01-05T00:00:00Z", "in_app", pu=["profiling"])],
        },
        "2026-03-16T12:00:00-03:00",
        "allow",
    ),
    (
        "BR",
        "email",
        "marketing",
        {"restriction": {"since": "2026-03-01", "ground": "accuracy_contested"}},
        BR_NOON,
        "deny",
    ),
    (
        "BR",
        "email",
        "service",
        {"restriction": {"since": "2026-03-01", "ground": "accuracy_contested"}},
        BR_NOON,
        "deny",
    ),
    (
        "BR",
        "email",
        "service",
        {
            "restriction": {"since": "2026-03-01", "ground": "accuracy_contested"},
            "message": {"kind": "personal_data_breach_notice"},
        },
        BR_NOON,
        "allow",
    ),
    (
        "BR",
        "in_app",
        "third_party_sharing",
        {
            "data": ["health"],
            "transfer": "sale",
            "consents": [
                act("give", "2026-01-05T00:00:00Z", "in_app", pu=["third_party_sharing"], explicit=True)
            ],
        },
        BR_NOON,
        "deny",
    ),
]


DEALS = {"subject": "corporate", "rel": {"last_purchase": "2020-01-01"}}
GIRL_YES = [act("give", "2027-05-20T00:00:00Z", "in_app", pu=["third_party_sharing"], **PARENT)]
HANDED = {"how": "business_card", "relevant_to_role": True}
ROWS += [
    (
        "CA",
        "email",
        "marketing",
        {
            **DEALS,
            "related_to_profession": True,
            "rel": {"last_purchase": "2020-01-01", "message_related": False},
        },
        NOON,
        "allow",
    ),
    (
        "CA",
        "email",
        "marketing",
        {
            **DEALS,
            "related_to_profession": False,
            "published": {"relevant_to_role": False},
            "rel": {"last_purchase": "2020-01-01", "message_related": True},
        },
        NOON,
        "allow",
    ),
    (
        "CA",
        "email",
        "marketing",
        {
            **DEALS,
            "related_to_profession": False,
            "published": {"relevant_to_role": True, "conspicuous": False},
            "rel": {"last_purchase": "2020-01-01", "message_related": False},
        },
        NOON,
        "allow",
    ),
    (
        "CA",
        "email",
        "marketing",
        {
            **DEALS,
            "related_to_profession": False,
            "published": {"relevant_to_role": False},
            "rel": {"last_purchase": "2020-01-01", "message_related": False},
        },
        NOON,
        "deny",
    ),
    (
        "CA",
        "email",
        "marketing",
        {"message": {"kind": "quote_requested_by_recipient", "has_postal_address": False}},
        NOON,
        "allow",
    ),
    ("CA", "email", "political", {"rel": {"donation": "2026-04-12"}}, NOON, "allow"),
    ("CA", "voice", "marketing", {**CA_LISTED, "rel": {"contract_active": True}}, NOON, "allow"),
    (
        "CA",
        "post",
        "marketing",
        {"informed_and_could_object": False, "consents": [act("give", "2026-01-05T00:00:00Z", "post")]},
        NOON,
        "allow",
    ),
    ("CA", "post", "marketing", {"informed_and_could_object": True}, NOON, "allow"),
    ("CA", "post", "marketing", {"informed_and_could_object": False, **published()}, NOON, "allow"),
    ("CA", "post", "marketing", {"informed_and_could_object": False}, NOON, "deny"),
    ("CA", "in_app", "profiling", {"informed_and_could_object": False}, NOON, "deny"),
    (
        "AU",
        "email",
        "marketing",
        {"disclosed": {**HANDED, "no_unsolicited_statement": True}},
        AU_NOON,
        "deny",
    ),
    ("AU", "email", "marketing", {"disclosed": {**HANDED, "relevant_to_role": False}}, AU_NOON, "deny"),
    (
        "AU",
        "email",
        "marketing",
        {"rel": {"contract_active": True, "message_related": True}},
        AU_NOON,
        "allow",
    ),
    (
        "AU",
        "email",
        "marketing",
        {"sender_kind": "registered_charity", "rel": {"kind_of_offer": "partner_company_offer"}},
        AU_NOON,
        "deny",
    ),
    ("AU", "email", "political", {"message": {"has_unsubscribe": False}}, AU_NOON, "allow"),
    (
        "AU",
        "voice",
        "marketing",
        {**AU_LISTED, "rel": {"ongoing_customer": True, "related_to_purchase": False}},
        AU_NOON,
        "deny",
    ),
    (
        "AU",
        "voice",
        "marketing",
        {**AU_LISTED, "rel": {"contract_active": True, "message_related": True}},
        AU_NOON,
        "allow",
    ),
    ("AU", "voice", "political", AU_LISTED, AU_NOON, "allow"),
    ("AU", "post", "marketing", {"rel": {"contact_collected_directly": True}}, AU_NOON, "allow"),
    ("AU", "post", "marketing", {"rel": {"contact_collected_directly": False}}, AU_NOON, "deny"),
    (
        "AU",
        "post",
        "marketing",
        {
            "rel": {"contact_collected_directly": False},
            "consents": [act("give", "2026-01-05T00:00:00Z", "post")],
        },
        AU_NOON,
        "allow",
    ),
    (
        "AU",
        "post",
        "marketing",
        {"rel": {"contact_collected_directly": True}, "message": {"has_unsubscribe": False}},
        AU_NOON,
        "deny",
    ),
    ("AU", "in_app", "profiling", {"informed_and_could_object": False}, AU_NOON, "deny"),
    (
        "NZ",
        "email",
        "marketing",
        {"disclosed": {**HANDED, "no_unsolicited_statement": True}},
        NZ_NOON,
        "deny",
    ),
    ("NZ", "in_app", "profiling", {"informed_and_could_object": False}, NZ_NOON, "deny"),
    (
        "SG",
        "sms",
        "marketing",
        {**SG_TEXT, "rel": {"contract_active": True, "message_related": True}},
        SG_NOON,
        "allow",
    ),
    (
        "SG",
        "email",
        "marketing",
        {**SG, "rel": {"ongoing_relationship": True, "message_related": False}},
        SG_NOON,
        "deny",
    ),
    (
        "SG",
        "email",
        "marketing",
        {**SG, "rel": {"contract_active": True, "message_related": True}},
        SG_NOON,
        "allow",
    ),
    (
        "SG",
        "email",
        "marketing",
        {**SG, "subject": "corporate", "message": {"unsubscribe_requires_fee_or_login": True}},
        SG_NOON,
        "deny",
    ),
    ("SG", "email", "marketing", said(EMAIL, message={"has_unsubscribe": False}), SG_NOON, "allow"),
    (
        "SG",
        "sms",
        "marketing",
        {**SG_TEXT, "consents": [act("give", "2026-01-05T00:00:00Z", "sms", conditional_on_contract=True)]},
        SG_NOON,
        "deny",
    ),
    (
        "SG",
        "sms",
        "marketing",
        {**SG_TEXT, "consents": [act("give", "2026-01-05T00:00:00Z", "sms", condition_of_purchase=True)]},
        SG_NOON,
        "deny",
    ),
    (
        "SG",
        "in_app",
        "profiling",
        {**SG, "legal_basis_claimed": "legitimate_interest", "lia_passed": False},
        SG_NOON,
        "deny",
    ),
    (
        "SG",
        "sms",
        "profiling",
        {
            **SG,
            "legal_basis_claimed": "consent",
            "consents": [act("give", "2026-01-05T00:00:00Z", "sms", pu=["profiling"])],
        },
        SG_NOON,
        "allow",
    ),
    (
        "SG",
        "sms",
        "marketing",
        said(act("withdraw", "2026-05-01T02:00:00Z", "sms"), **SG_TEXT, **LEGAL_MAX, **RELATED),
        "2026-05-21T12:00:00+08:00",
        "allow",
    ),
    (
        "SG",
        "sms",
        "marketing",
        said(act("withdraw", "2026-05-01T02:00:00Z", "sms"), **SG_TEXT, **LEGAL_MAX, **RELATED),
        "2026-05-22T12:00:00+08:00",
        "deny",
    ),
    (
        "SG",
        "email",
        "marketing",
        said(EMAIL, act("withdraw", "2026-03-02T02:00:00Z", "email"), **SG, **LEGAL_MAX),
        "2026-03-16T12:00:00+08:00",
        "allow",
    ),
    (
        "SG",
        "email",
        "marketing",
        said(EMAIL, act("withdraw", "2026-03-02T02:00:00Z", "email"), **SG, **LEGAL_MAX),
        "2026-03-17T00:00:00+08:00",
        "deny",
    ),
    (
        "JP",
        "email",
        "marketing",
        {"disclosed": {**HANDED, "no_unsolicited_statement": True}},
        JP_NOON,
        "deny",
    ),
    ("JP", "email", "marketing", {"rel": {"contract_active": True}}, JP_NOON, "allow"),
    ("JP", "email", "marketing", {"rel": {"open_order": "2026-05-11"}}, JP_NOON, "allow"),
    ("JP", "email", "marketing", {"rel": {"last_purchase": "2026-05-11"}}, JP_NOON, "deny"),
    ("JP", "email", "marketing", {"subject": "corporate"}, JP_NOON, "deny"),
    (
        "JP",
        "email",
        "marketing",
        {"subject": "corporate", "disclosed": {**HANDED, "no_unsolicited_statement": True}},
        JP_NOON,
        "deny",
    ),
    *(
        (
            "JP",
            "post",
            "marketing",
            {"notice_at_collection": told, "informed_and_could_object": asked},
            JP_NOON,
            "allow" if told or asked else "deny",
        )
        for told in (True, False)
        for asked in (True, False)
    ),
    *(
        (
            "JP",
            "in_app",
            "profiling",
            {"notice_at_collection": told, "informed_and_could_object": asked},
            JP_NOON,
            "allow" if told or asked else "deny",
        )
        for told in (True, False)
        for asked in (True, False)
    ),
    (
        "JP",
        "in_app",
        "profiling",
        {
            "notice_at_collection": False,
            "informed_and_could_object": False,
            "consents": [act("give", "2026-01-05T00:00:00Z", "in_app", pu=["profiling"])],
        },
        JP_NOON,
        "allow",
    ),
    (
        "JP",
        "post",
        "marketing",
        {
            "notice_at_collection": False,
            "informed_and_could_object": False,
            "consents": [act("give", "2026-01-05T00:00:00Z", "post")],
        },
        JP_NOON,
        "allow",
    ),
    (
        "JP",
        "voice",
        "marketing",
        {"tz": "Asia/Tokyo", "consents": [act("give", "2026-01-05T00:00:00Z", "voice", covers_time="any")]},
        "2026-05-12T22:00:00+09:00",
        "allow",
    ),
    (
        "KR",
        "sms",
        "marketing",
        {
            **KR,
            "rel": {"last_purchase": "2026-03-12", "same_kind": True, "contact_collected_directly": False},
        },
        JP_NOON,
        "deny",
    ),
    (
        "KR",
        "sms",
        "marketing",
        {
            **KR,
            "rel": {
                "last_purchase": "2026-03-12",
                "same_kind": True,
                "contact_collected_directly": True,
                "kind_of_offer": "partner_company_offer",
            },
        },
        JP_NOON,
        "deny",
    ),
    (
        "KR",
        "email",
        "marketing",
        {**KR, "restriction": {"since": "2026-01-01", "ground": "accuracy_contested"}, "consents": [EMAIL]},
        JP_NOON,
        "allow",
    ),
    ("IN", "sms", "service", {**IN, "message": {"kind": "asks_for_consent"}}, IN_NOON, "deny"),
    (
        "IN",
        "email",
        "marketing",
        {
            **IN,
            "purpose_detail": "targeted_advertising",
            "consents": [act("give", "2027-05-20T00:00:00Z", "email")],
        },
        IN_NOON,
        "allow",
    ),
    (
        "IN",
        "in_app",
        "third_party_sharing",
        {**GIRL, "transfer": "sale", "purpose_detail": "targeted_advertising", "consents": GIRL_YES},
        IN_NOON,
        "deny",
    ),
    (
        "IN",
        "in_app",
        "third_party_sharing",
        {**GIRL, "transfer": "sale", "consents": GIRL_YES},
        IN_NOON,
        "allow",
    ),
    (
        "IN",
        "in_app",
        "third_party_sharing",
        {
            **IN,
            "transfer": "share_cross_context_ads",
            "consents": [{**GIRL_YES[0], "ev": "web_form_active", "given_by": "data_principal"}],
        },
        IN_NOON,
        "allow",
    ),
    (
        "IN",
        "email",
        "marketing",
        {
            **IN,
            "consents": [act("give", "2027-05-20T00:00:00Z", "email")],
            "message": {"has_unsubscribe": False},
        },
        IN_NOON,
        "deny",
    ),
    (
        "BR",
        "email",
        "service",
        {"legal_basis_claimed": "consent", "message": {"kind": "asks_to_opt_back_in"}},
        BR_NOON,
        "deny",
    ),
    ("BR", "email", "marketing", {"message": {"has_unsubscribe": False}}, BR_NOON, "deny"),
    (
        "BR",
        "email",
        "marketing",
        {"restriction": {"since": "2026-01-01", "ground": "accuracy_contested"}, "consents": [EMAIL]},
        BR_NOON,
        "allow",
    ),
    (
        "BR",
        "email",
        "legal_notice",
        {"restriction": {"since": "2026-01-01", "ground": "accuracy_contested"}},
        BR_NOON,
        "allow",
    ),
    (
        "BR",
        "in_app",
        "third_party_sharing",
        {
            "data": ["health"],
            "transfer": "service_provider_disclosure",
            "contract_in_place": True,
            "consents": [
                act("give", "2026-01-05T00:00:00Z", "in_app", pu=["third_party_sharing"], explicit=True)
            ],
        },
        BR_NOON,
        "allow",
    ),
    (
        "BR",
        "in_app",
        "profiling",
        {"birth_date": "2008-05-12", "purpose_detail": "targeted_advertising"},
        BR_NOON,
        "allow",
    ),
    (
        "BR",
        "in_app",
        "profiling",
        {"birth_date": "2008-05-13", "purpose_detail": "targeted_advertising"},
        BR_NOON,
        "deny",
    ),
]


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: Any) -> Any:
    path = Path(tmp_path_factory.mktemp("consent")) / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            "id jurisdiction channel purpose facts at expected deciding_rule citation confidence".split()
        )
        for number, (place, channel, purpose, facts, at, expected) in enumerate(ROWS):
            writer.writerow(
                [number, place, channel, purpose, json.dumps(facts), at, expected, "", "", "high"]
            )
    return list(read_vectors(path))


@pytest.mark.parametrize(
    "number", range(len(ROWS)), ids=lambda number: f"{number}-{ROWS[number][0]}-{ROWS[number][1]}"
)
def test_the_law_answers(vectors: Any, number: Any) -> None:
    one = vectors[number]
    found = decide(one.request, one.facts, jurisdictions=[one.jurisdiction], policy=one.policy)
    assert found.answer == one.expected, found.explain()


def row(vectors: Any, place: Any, channel: Any, facts: Any, at: Any) -> Any:
    """The vector of the row that was written so."""
    return vectors[
        ROWS.index(next(one for one in ROWS if one[:2] == (place, channel) and one[3:5] == (facts, at)))
    ]


LAPSING = {**AU_LISTED, "consents": [act("give", "2026-02-12T12:00:00+11:00", "voice")]}
CHECKED = {**SG, "dnc_checked": {"on": "2026-04-21", "result": "not_listed"}}


def ask(one: Any, **facts: Any) -> Any:
    return decide(
        one.request, attrs.evolve(one.facts, **facts), jurisdictions=[one.jurisdiction], policy=one.policy
    )


def test_a_consent_whose_term_nobody_knows_is_asked_about_once_it_may_have_lapsed(vectors: Any) -> None:
    one = row(vectors, "AU", "voice", LAPSING, AU_NOON)
    found = ask(one, events=tuple(attrs.evolve(event, open_ended=None) for event in one.facts.events))
    assert (found.answer, "act.open_ended" in found.missing) == ("need_confirmation", True)


def test_a_consent_lapses_at_midnight_where_the_person_is(vectors: Any) -> None:
    one = row(vectors, "AU", "voice", LAPSING, AU_NOON)
    request = attrs.evolve(one.request, at=datetime.fromisoformat("2026-05-11T12:00:00+10:00"))
    found = decide(request, one.facts, jurisdictions=["AU"])
    assert found.answer == "allow"
    over = attrs.evolve(request, at=datetime.fromisoformat("2026-05-11T23:30:00+10:00"), hours="not_at_issue")
    assert decide(over, one.facts, jurisdictions=["AU"]).answer == "allow"
    assert (
        decide(over, attrs.evolve(one.facts, zones=("Pacific/Auckland",)), jurisdictions=["AU"]).answer
        == "deny"
    )
    both = attrs.evolve(one.facts, zones=("Pacific/Auckland", "Australia/Sydney"))
    assert decide(over, both, jurisdictions=["AU"]).answer == "need_confirmation"


def test_a_register_that_was_perhaps_never_asked_is_to_be_asked(vectors: Any) -> None:
    one = row(vectors, "SG", "voice", CHECKED, SG_NOON)
    assert ask(one, checks=()).missing == ("check:dnc_sg_voice",)
    assert ask(one, checks=(RegisterCheck(list="dnc_sg_voice", on=date(2026, 5, 12)),)).answer == "allow"
    assert (
        ask(one, checks=(RegisterCheck(list="dnc_sg_text", on=date(2026, 5, 12)),)).answer
        == "need_confirmation"
    )


def test_a_register_of_another_law_is_asked_again_after_its_time(vectors: Any) -> None:
    one = row(vectors, "AU", "voice", S, "2026-05-12T09:00:00+10:00")
    assert ask(one, checks=(RegisterCheck(list="dncr_au", on=date(2026, 4, 12)),)).answer == "allow"
    assert (
        ask(one, checks=(RegisterCheck(list="dncr_au", on=date(2026, 4, 11)),)).answer == "need_confirmation"
    )


def test_months_are_counted_as_each_law_says() -> None:
    ends = {
        counting: last_day(Span.parse("P6M"), date(2026, 2, 28), counting).isoformat()
        for counting in ("calendar_months", "interpretation_act_s28", "civil_months", "months_beginning_on")
    }
    assert ends == {
        "calendar_months": "2026-08-31",
        "interpretation_act_s28": "2026-08-31",
        "civil_months": "2026-08-28",
        "months_beginning_on": "2026-08-27",
    }


YESES = [
    ("CA", NOON, "2026-02-01T01:00:00Z"),
    ("AU", AU_NOON, "2026-04-01T01:00:00Z"),
    ("NZ", NZ_NOON, "2026-02-01T01:00:00Z"),
    ("SG", SG_NOON, "2026-02-01T01:00:00Z"),
    ("JP", JP_NOON, "2026-02-01T01:00:00Z"),
    ("KR", JP_NOON, "2026-02-01T01:00:00Z"),
    ("IN", IN_NOON, "2027-05-20T01:00:00Z"),
    ("BR", BR_NOON, "2026-02-01T01:00:00Z"),
]


def vector(tmp_path: Any, *one: Any) -> Any:
    """The vector of a row that stands in no table."""
    path = tmp_path / "row.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            "id jurisdiction channel purpose facts at expected deciding_rule citation confidence".split()
        )
        place, channel, purpose, facts, at = one
        writer.writerow(["1", place, channel, purpose, json.dumps(facts), at, "allow", "", "", "high"])
    return next(iter(read_vectors(path)))


@pytest.mark.parametrize(("place", "noon", "given"), YESES)
def test_nobody_writes_to_the_dead(tmp_path: Any, place: Any, noon: Any, given: Any) -> None:
    for purpose in ("marketing", "service"):
        one = vector(
            tmp_path,
            place,
            "email",
            purpose,
            said(act("give", given, "email", pu=["marketing", "service"])),
            noon,
        )
        assert ask(one).answer == "allow"
        assert ask(one, subject=attrs.evolve(one.facts.subject, deceased=True)).answer == "deny"


@pytest.mark.parametrize(("place", "noon", "given"), YESES)
@pytest.mark.parametrize("channel", ["email", "sms", "voice"])
def test_a_sender_says_who_they_are(tmp_path: Any, place: Any, noon: Any, given: Any, channel: Any) -> None:
    one = vector(tmp_path, place, channel, "marketing", said(act("give", given, channel)), noon)
    assert ask(one).answer == "allow"
    hidden = attrs.evolve(one.request, message=attrs.evolve(one.request.message, sender_identified=False))
    found = decide(hidden, one.facts, jurisdictions=[place]).answer
    assert found == ("allow" if (place, channel) in HIDDEN else "deny")


HIDDEN = {("NZ", "voice"), ("IN", "email"), ("BR", "email"), ("BR", "sms"), ("BR", "voice")}
"""Where no law of the pack asks for it."""


@pytest.mark.parametrize(
    ("place", "facts", "noon"),
    [("KR", said(EMAIL), JP_NOON), ("SG", {"subject": "corporate"}, SG_NOON)],
)
def test_advertising_is_labelled(tmp_path: Any, place: Any, facts: Any, noon: Any) -> None:
    one = vector(tmp_path, place, "email", "marketing", facts, noon)
    assert ask(one).answer == "allow"
    bare = attrs.evolve(one.request, message=attrs.evolve(one.request.message, advertisement_label=False))
    assert decide(bare, one.facts, jurisdictions=[place]).answer == "deny"


@pytest.mark.parametrize(
    ("ended", "kind", "expected"),
    [
        ("2024-05-13", "tax_exempt_nonprofit", "allow"),
        ("2024-05-11", "tax_exempt_nonprofit", "deny"),
        ("2024-05-13", None, "deny"),
    ],
)
def test_members_may_be_written_to_for_two_years_after_they_left(
    tmp_path: Any, ended: Any, kind: Any, expected: Any
) -> None:
    facts = {} if kind is None else {"sender_kind": kind}
    one = vector(tmp_path, "CA", "email", "marketing", facts, NOON)
    left = Relation(kind="membership", until=date.fromisoformat(ended))
    assert ask(one, relations=(left,)).answer == expected


@pytest.mark.parametrize(
    ("place", "channel", "register", "days", "noon"),
    [
        ("CA", "voice", "dncl_ca", 31, NOON),
        ("CA", "fax", "dncl_ca", 31, NOON),
        ("AU", "voice", "dncr_au", 30, AU_NOON),
        ("AU", "fax", "dncr_au", 30, AU_NOON),
        ("IN", "voice", "in_preferences", 0, "2026-05-12T12:00:00+05:30"),
    ],
)
def test_what_a_register_said_holds_for_so_many_days(
    tmp_path: Any, place: Any, channel: Any, register: Any, days: Any, noon: Any
) -> None:
    one = vector(tmp_path, place, channel, "marketing", {}, noon)
    today = date(2026, 5, 12)
    for ago, expected in ((days, "allow"), (days + 1, "need_confirmation")):
        asked = RegisterCheck(list=register, on=date.fromordinal(today.toordinal() - ago))
        assert ask(one, checks=(asked,)).answer == expected


DATES = {
    "ca.dncl": "2008-09-30/",
    "ca.utr.hours": "2008-09-30/",
    "ca.utr.automated_hours": "2009-04-20/",
    "au.dncr": "2007-05-31/",
    "au.dncr.faxes": "2010-05-30/",
    "au.calls.hours": "2007-05-31/",
    "au.calls.research_hours": "2007-05-31/",
    "au.faxes.hours": "2011-05-04/",
    "au.faxes.ten_a_day": "2011-05-04/",
    "in.tcccpr.not_barred": "2019-02-28/2027-05-13",
    "br.no_targeted_advertising_at_minors": "2026-03-17/",
}
BEGINNINGS = {
    "ca.casl": "2014-07-01",
    "nz.uema": "2007-09-05",
    "sg.spam": "2007-06-15",
    "sg.dnc": "2014-01-02",
    "jp.sema": "2008-12-01",
    "kr": "2014-11-29",
    "in.dpdp": "2027-05-14",
    "in.erased": "2027-05-14",
    "in.tcccpr": "2019-02-28",
    "br": "2020-09-18",
}
"""When the acts began; what began otherwise stands above."""


def test_rules_are_in_force_from_the_day_on_which_their_act_began() -> None:
    for pack in (shipped_packs()[id] for id in ("ca", "au", "nz", "sg", "jp", "kr", "in", "br")):
        for rule in pack.rules:
            if rule.since is None and rule.until is None:
                continue
            begin, _, end = DATES.get(rule.id, "").partition("/")
            if rule.id.startswith("sg.dnc.") and "unchecked" in rule.id:
                begin, end = ("2014-01-02", "2021-01-31") if rule.id.endswith("2014") else ("2021-02-01", "")
            if rule.id == "sg.legitimate_interests":
                begin = "2021-02-01"
            begin = begin or next(
                day for act, day in BEGINNINGS.items() if f"{rule.id}.".startswith(f"{act}.")
            )
            assert (rule.since, rule.until) == (
                date.fromisoformat(begin),
                date.fromisoformat(end) if end else None,
            ), rule.id


@pytest.mark.parametrize("place", ["CA", "AU", "NZ", "SG", "JP", "KR", "IN", "BR"])
def test_a_yes_without_any_evidence_is_asked_about(tmp_path: Any, place: Any) -> None:
    at = next(noon for name, noon, _ in YESES if name == place)
    given = next(given for name, _, given in YESES if name == place)
    one = vector(tmp_path, place, "email", "marketing", said(act("give", given, "email")), at)
    bare = tuple(attrs.evolve(event, evidence=None) for event in one.facts.events)
    unsure = attrs.evolve(one.request, basis="consent")
    found = decide(unsure, attrs.evolve(one.facts, events=bare), jurisdictions=[place])
    assert (found.answer, "evidence.kind" in found.missing) == ("need_confirmation", True)


def test_a_list_that_nobody_knows_the_beginning_of_holds_everywhere(tmp_path: Any) -> None:
    for zone in ("Asia/Tokyo", "America/Toronto"):
        one = vector(
            tmp_path, "JP", "voice", "marketing", {"tz": zone, "suppress": [{"list": "internal"}]}, JP_NOON
        )
        assert ask(one).answer == "deny"
