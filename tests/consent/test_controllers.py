"""Whom an act was said to: a No to nobody in particular speaks to everybody, and what permits goes by the very name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from crmcore.consent import decide
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Facts, PointFacts
from crmcore.consent.speaking import ends_all, lifts_all
from crmcore.consent.whose import Having, counting, telling
from crmcore.consent.wishes import Wish, in_force
from tests.consent.test_members import ASKED

START = datetime(2026, 1, 1, tzinfo=UTC)
SHOWN = Evidence(kind="double_opt_in", condition_of_contract=False)
SAID = {"n": "withdraw", "o": "object", "r": "restrict", "l": "lift", "y": "give", "v": "invalidate"}


def acts(told: str, **more: Any) -> list[ConsentEvent]:
    """One act a day, as in "n acme, y default": a No to acme, then a Yes to nobody; "-" is a scope without a name."""
    return [
        ConsentEvent(
            id=str(day),
            kind=SAID[kind],  # type: ignore[arg-type]  # a word for an act
            occurred_at=START + timedelta(days=day),
            record="ann",
            evidence=SHOWN,
            scope=Scope(
                controller=None if whom == "-" else whom,
                channels={"email"},
                purposes={"marketing"},
                point=ASKED.point,
            ),
            **more,
        )
        for day, (kind, whom) in enumerate(one.lstrip().split(" ", 1) for one in told.split(","))
    ]


def answers(told: str, place: str = "US") -> str:
    """Who may write, after all of it: acme, beta and who does not say their name, each by a letter."""
    may = ""
    for asking in ("acme", "beta", "default"):
        message = attrs.evolve(ASKED.message, postal_address=True)
        request = attrs.evolve(ASKED, controller=asking, message=message)
        facts = Facts(events=tuple(acts(told)), point=PointFacts(kind="other"))
        (answer,) = {decide(request, facts, jurisdictions=[place], trace=one).answer for one in (True, False)}
        may += asking[0] if answer == "allow" else ""
    return may


def test_a_no_to_nobody_speaks_to_everybody_and_who_says_no_name_hears_each() -> None:
    assert answers("y acme, y beta, y default", "DE") == "abd"
    for no in "nor":
        assert {answers(f"{no} {whom}") for whom in ("default", "-", "Default ", " ", "\u200b")} == {""}
        assert {answers(f"{no} {whom}") for whom in ("acme", "ACME ", "ＡＣＭＥ", "ac\u200bme")} == {"b"}
        assert answers(f"y acme, y beta, y default, {no} acme", "DE") == "b"
        assert answers(f"y acme, y beta, y default, {no} default", "DE") == ""
    assert answers("y acme, y beta, y default, v default", "DE") == ""


def test_a_yes_stays_exact_and_lifts_no_more_than_it_did() -> None:
    assert [answers(f"y {whom}", "DE") for whom in ("default", "acme", "Acme")] == ["d", "a", ""]
    for place, besides, again in (("US", "b", "ab"), ("DE", "", "a")):
        assert answers("n acme, y default", place) == besides
        assert answers("n acme, y acme", place) == again
        assert answers("n default, y acme", place) == answers("n -, y acme", place) == "a"
        assert answers("n default, y default", place) == answers("n -, y default", place) == "d"
        assert answers("n acme, n default, y default", place) == ""
        assert answers("n default, n acme, y acme", place) == "a"
        assert answers("n ACME, y acme", place) == again
    assert answers("y default, n acme, y default", "DE") == ""


def test_a_lift_ends_what_was_said_to_the_very_name() -> None:
    assert answers("r acme, l acme") == answers("r default, l default") == "abd"
    assert answers("r acme, l default") == answers("r ACME, l default") == answers("r acme, l beta") == "b"
    assert answers("r default, l acme") == answers("r -, l acme") == "a"
    assert answers("r -, l default") == "d"
    assert answers("r acme, r default, l -") == answers("r acme, l -") == "abd"
    assert answers("r acme, r default, l acme") == "a"
    assert answers("r default, r acme, l default") == "b"


def test_what_ends_a_yes_is_heard_and_what_lifts_a_restriction_is_exact() -> None:
    whom = {
        name: Scope(controller=None if name == "-" else name) for name in ("acme", "ACME", "default", "-")
    }
    ends = {(no, yes) for no in whom for yes in whom if ends_all(whom[no], whom[yes])}
    assert {(no, yes) for no in whom for yes in whom} - ends == {("acme", "-"), ("ACME", "-")}
    lifts = {(lift, no) for lift in whom for no in whom if lifts_all(whom[lift], whom[no])}
    assert lifts == {(one, one) for one in whom} | {("-", one) for one in whom}


def test_what_one_record_alone_told_nobody_ends_what_it_agreed_to_with_anybody() -> None:
    points = {one: Having({str(ASKED.point)}) for one in ("ann", "bo")}
    for whom, left in (("default", 0), ("-", 0), ("acme", 0), ("beta", 1)):
        yes, end = acts(f"y acme, n {whom}")
        counted = counting([yes, attrs.evolve(end, alone=True)], "bo", {}, points)
        assert [one.kind for one in telling(counted)].count("give") == left


def test_a_wish_is_heard_as_a_no_is_and_replaces_none_that_told_somebody_else() -> None:
    def hold(told: str, asking: str) -> list[str]:
        wishes = [
            Wish(
                id=whom,
                record="ann",
                said_at=START + timedelta(days=day),
                controller=None if whom[:-1] == "-" else whom[:-1],
                channels={"sms"},
            )
            for day, whom in enumerate(told.split())
        ]
        about = [one for one in wishes if one.about("marketing", asking)]
        return [one.id for one in in_force(about, "channels", ASKED.at, controller=asking)]

    assert hold("acme1 default2", "acme") == hold("acme1 default2", "default") == ["acme1", "default2"]
    assert hold("acme1 default2 default3", "acme") == ["acme1", "default3"]
    assert hold("acme1 -2", "acme") == hold("acme1 -2", "default") == ["-2"]
    assert hold("default1 acme2", "acme") == hold("ACME1 acme2", "acme") == ["acme2"]
    assert hold("default1 acme2", "default") == ["default1", "acme2"]
    assert hold("default1 acme2", "beta") == ["default1"]
