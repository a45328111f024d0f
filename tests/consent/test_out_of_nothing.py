"""What the laws allow a company that knows nothing of somebody: hardly anything, and each thing by a named rule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.consent.decision import decide
from crmcore.consent.facts import Collection, Facts, PointFacts, RegisterCheck, Subject
from crmcore.consent.request import Request
from crmcore.consent.words import Channel
from tests.consent.cases import JURISDICTIONS, requests
from tests.consent.nearly import asked_for

AT = datetime(2026, 8, 11, 12, tzinfo=UTC)
KNOWN_TO_BE_FREE = Facts(
    subject=Subject(kind="consumer", adult=True),
    point=PointFacts(line="residential", kind="other", in_directory=True),
    collection=Collection(notice_at_collection=True),
    checks=(RegisterCheck(list="*", on=AT.date()),),
    zones=("UTC",),
    holidays=frozenset(),
)
"""A consumer of the directory on no register, who was told what their data are for, and did nothing yet."""
STATES = ("US", "US-CA", "US-FL", "US-TX")
BY_POST = dict.fromkeys(STATES, "us.nothing_forbids_it")


def allowed(channel: Any, known: Facts) -> dict[str, str | None]:
    """By jurisdiction, the rule by which a company may advertise that says all that it has to say of itself."""
    request = attrs.evolve(
        asked_for(channel, "marketing", AT), hours="not_at_issue", dialer="manual", exempt_seller=False
    )
    return {one: rule for one, rule in _each(request, known) if rule is not None}


def _each(request: Request, known: Facts) -> Iterator[tuple[str, str | None]]:
    for name in JURISDICTIONS:
        decision = decide(request, known, jurisdictions=[name], trace=False)
        yield name, decision.rule if decision.answer == "allow" else None


FREE = {name: rule for name, rule in BY_POST.items() if name != "US-CA"}
OUT_OF_NOTHING: dict[str, dict[str, str]] = {
    "post": FREE,
    "push": FREE,
    "in_app": {**FREE, "CA": "ca.casl.own_inbox"},
}
UNLESS_THEY_SAY_NO: dict[str, dict[str, str]] = {
    "email": dict.fromkeys(STATES, "us.canspam.opt_out_regime"),
    "sms": {
        "IN": "in.tcccpr.not_barred",
        "SG": "sg.dnc.not_listed",
        **{name: "us.tcpa.by_hand" for name in STATES if name != "US-CA"},
    },
    "voice": {
        "AU": "au.dncr.not_registered",
        "CA": "ca.utr.calls_without_register",
        "CH": "ch.calls",
        "GB": "gb.live_calls",
        "IN": "in.tcccpr.not_barred",
        "IT": "it.calls_unless_registered",
        "JP": "jp.scta.calls",
        "NZ": "nz.calls_and_letters",
        "SG": "sg.dnc.not_listed",
        **dict.fromkeys(STATES, "us.tcpa.by_hand"),
    },
    "automated_call": {
        "AU": "au.dncr.not_registered",
        "JP": "jp.scta.calls",
        "NZ": "nz.calls_and_letters",
        "SG": "sg.dnc.not_listed",
    },
    "fax": {
        "AU": "au.dncr.not_registered",
        "CA": "ca.utr.calls_without_register",
        "SG": "sg.dnc.not_listed",
    },
    "post": {"JP": "jp.appi.specified_purpose", "NZ": "nz.calls_and_letters", **BY_POST},
    "push": {"JP": "jp.appi.specified_purpose", **BY_POST},
    "in_app": {
        "CA": "ca.casl.own_inbox",
        "JP": "jp.appi.specified_purpose",
        "NZ": "nz.calls_and_letters",
        **BY_POST,
    },
}


@pytest.mark.parametrize("channel", get_args(Channel))
def test_what_is_allowed_of_whom_nothing_is_known_is_just_this(channel: str) -> None:
    assert allowed(channel, Facts()) == OUT_OF_NOTHING.get(channel, {})


@pytest.mark.parametrize("channel", get_args(Channel))
def test_what_is_allowed_until_somebody_says_no_is_just_this(channel: str) -> None:
    assert allowed(channel, KNOWN_TO_BE_FREE) == UNLESS_THEY_SAY_NO[channel]


@given(
    requests,
    st.sampled_from(JURISDICTIONS),
    st.sampled_from(("email", "sms", "fax", "voice", "automated_call")),
)
def test_from_nothing_known_a_company_may_not_advertise_in_writing_or_by_phone(
    request: Request, name: str, channel: Any
) -> None:
    """A charity may in some countries."""
    request = attrs.evolve(request, purpose="marketing", channel=channel, controller_kind="business")
    assert decide(request, Facts(), jurisdictions=[name], trace=False).answer != "allow"
