"""What the laws of eight countries outside of Europe answer: bounds, exceptions, defeaters, beside their opposites."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime
from pathlib import Path

import attrs
import pytest

from crmcore.consent.counting import Span, last_day
from crmcore.consent.decision import decide
from crmcore.consent.facts import RegisterCheck
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


def act(kind, t, channels, **more):
    more.setdefault("pu", ["marketing"])
    if kind == "give":
        more.setdefault("ev", "web_form_active")
    return {"act": kind, "t": t, "ch": channels.split(), "to": "acme", **more}


def said(*acts, **more):
    return {"consents": list(acts), **more}


def published(statement=False, relevant=True):
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


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
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
def test_the_law_answers(vectors, number):
    one = vectors[number]
    found = decide(one.request, one.facts, jurisdictions=[one.jurisdiction], policy=one.policy)
    assert found.answer == one.expected, found.explain()


def row(vectors, place, channel, facts, at):
    """The vector of the row that was written so."""
    return vectors[
        ROWS.index(next(one for one in ROWS if one[:2] == (place, channel) and one[3:5] == (facts, at)))
    ]


LAPSING = {**AU_LISTED, "consents": [act("give", "2026-02-12T12:00:00+11:00", "voice")]}
CHECKED = {**SG, "dnc_checked": {"on": "2026-04-21", "result": "not_listed"}}


def ask(one, **facts):
    return decide(
        one.request, attrs.evolve(one.facts, **facts), jurisdictions=[one.jurisdiction], policy=one.policy
    )


def test_a_consent_whose_term_nobody_knows_is_asked_about_once_it_may_have_lapsed(vectors):
    one = row(vectors, "AU", "voice", LAPSING, AU_NOON)
    found = ask(one, events=tuple(attrs.evolve(event, open_ended=None) for event in one.facts.events))
    assert (found.answer, "act.open_ended" in found.missing) == ("need_confirmation", True)


def test_a_consent_lapses_at_midnight_where_the_person_is(vectors):
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


def test_a_register_that_was_perhaps_never_asked_is_to_be_asked(vectors):
    one = row(vectors, "SG", "voice", CHECKED, SG_NOON)
    assert ask(one, checks=()).missing == ("check:dnc_sg_voice",)
    assert ask(one, checks=(RegisterCheck(list="dnc_sg_voice", on=date(2026, 5, 12)),)).answer == "allow"
    assert (
        ask(one, checks=(RegisterCheck(list="dnc_sg_text", on=date(2026, 5, 12)),)).answer
        == "need_confirmation"
    )


def test_a_register_of_another_law_is_asked_again_after_its_time(vectors):
    one = row(vectors, "AU", "voice", S, "2026-05-12T09:00:00+10:00")
    assert ask(one, checks=(RegisterCheck(list="dncr_au", on=date(2026, 4, 12)),)).answer == "allow"
    assert (
        ask(one, checks=(RegisterCheck(list="dncr_au", on=date(2026, 4, 11)),)).answer == "need_confirmation"
    )


def test_months_are_counted_as_each_law_says():
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
