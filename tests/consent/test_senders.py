"""Who sends, to whom, and what stands behind a yes: what no column of a table says."""

from __future__ import annotations

from datetime import date
from typing import Any

import attrs
import pytest

from crmcore.consent.vectors import Vector
from crmcore.values.frozen_map import FrozenMap
from tests.consent.rows import GIVEN, asked, row, said

HIDDEN = {("NZ", "voice"), ("IN", "email"), ("BR", "email"), ("BR", "sms"), ("BR", "voice")}
"""Where no law of the pack asks for the sender."""


def told(one: Vector, **message: Any) -> str:
    """What is decided about another message."""
    return asked(one, attrs.evolve(one.request, message=attrs.evolve(one.request.message, **message))).answer


@pytest.mark.parametrize("place", GIVEN)
@pytest.mark.parametrize("purpose", ["marketing", "service"])
def test_nobody_writes_to_the_dead(place: str, purpose: str) -> None:
    given, noon = GIVEN[place]
    yes = said("give", given, "email", pu=["marketing", "service"])
    one = row(place, "email", purpose, {"consents": [yes]}, noon)
    assert asked(one).answer == "allow"
    assert asked(one, subject=attrs.evolve(one.facts.subject, deceased=True)).answer == "deny"


PURPOSES = (
    "marketing",
    "fundraising",
    "political",
    "profiling",
    "third_party_sharing",
    "research",
    "service",
)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_in_europe_what_the_dead_agreed_on_is_over(purpose: str) -> None:
    yes = said("give", "2026-02-01T09:00:00Z", "email", pu=[purpose], explicit=True, recipients=["gamma"])
    one = row("EU", "email", purpose, {"consents": [yes], "recipient": "gamma"}, "2026-05-12T10:00:00+02:00")
    assert asked(one).answer == "allow"
    found = asked(one, subject=attrs.evolve(one.facts.subject, deceased=True))
    assert (found.answer, found.rule) == ("deny", "eu.deceased")


def test_a_yes_that_was_declared_invalid_is_none() -> None:
    acts = [
        said("give", "2026-02-01T09:00:00Z", "email"),
        said("invalidate", "2026-03-01T09:00:00Z", "email"),
    ]
    one = row("EU", "email", "marketing", {"consents": acts}, "2026-05-12T10:00:00+02:00")
    assert asked(one).rule == "eu.refused"
    assert asked(one, events=one.facts.events[:1]).answer == "allow"


@pytest.mark.parametrize("place", GIVEN)
@pytest.mark.parametrize("channel", ["email", "sms", "voice"])
def test_a_sender_says_who_they_are(place: str, channel: str) -> None:
    given, noon = GIVEN[place]
    one = row(place, channel, "marketing", {"consents": [said("give", given, channel)]}, noon)
    assert asked(one).answer == "allow"
    assert told(one, sender_identified=False) == ("allow" if (place, channel) in HIDDEN else "deny")


@pytest.mark.parametrize(
    ("place", "facts"),
    [
        ("KR", {"consents": [said("give", GIVEN["KR"][0], "email")]}),
        ("SG", {"subject": "corporate"}),
    ],
)
def test_advertising_is_labelled(place: str, facts: dict[str, Any]) -> None:
    one = row(place, "email", "marketing", facts, GIVEN[place][1])
    assert asked(one).answer == "allow"
    assert told(one, advertisement_label=False) == "deny"


@pytest.mark.parametrize("place", GIVEN)
def test_a_yes_without_any_evidence_is_asked_about(place: str) -> None:
    given, noon = GIVEN[place]
    one = row(place, "email", "marketing", {"consents": [said("give", given, "email")]}, noon)
    bare = tuple(attrs.evolve(event, evidence=None) for event in one.facts.events)
    found = asked(one, attrs.evolve(one.request, basis="consent"), events=bare)
    assert (found.answer, "evidence.kind" in found.missing) == ("need_confirmation", True)


@pytest.mark.parametrize("kind", [None, "other", "personal_data_breach_notice"])
def test_a_no_that_names_nothing_lets_a_notice_of_a_breach_through_and_nothing_that_is_not_known(
    kind: str | None,
) -> None:
    acts = {"consents": [{"act": "object", "t": "2026-03-01T09:00:00Z", "to": "acme"}]}
    one = row("EU", "email", "service", acts, "2026-05-12T10:00:00+02:00")
    message = attrs.evolve(one.request.message, kind=kind)
    found = asked(one, attrs.evolve(one.request, message=message))
    assert found.rule == ("eu.objected" if kind != "personal_data_breach_notice" else "eu.service")


def test_a_lift_ends_the_restriction_of_its_own_record_and_no_other() -> None:
    acts = [
        said("give", "2026-02-01T09:00:00Z", "email"),
        {"act": "lift", "t": "2026-05-01T09:00:00Z", "to": "acme"},
    ]
    told = {"consents": acts, "restriction": {"since": "2026-04-01"}}
    one = row("EU", "email", "marketing", told, "2026-05-12T10:00:00+02:00")
    assert asked(one).answer == "allow"
    theirs = FrozenMap({"subject.restricted_since": (date(2026, 3, 1),)})
    assert asked(one, others_days=theirs).rule == "eu.restricted"
