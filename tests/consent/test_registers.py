"""Registers of those who want no calls: how long what they said holds, and what follows from not asking."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from crmcore.consent.facts import Listing, RegisterCheck
from tests.consent.rows import GIVEN, asked, row

TODAY = date(2026, 5, 12)
LONDON = "2026-05-12T12:00:00+01:00"
PARIS = "2026-05-12T12:00:00+02:00"


def test_a_register_that_was_perhaps_never_asked_is_to_be_asked() -> None:
    one = row("SG", "voice", "marketing", {"tz": "Asia/Singapore"}, GIVEN["SG"][1])
    voice, text = (RegisterCheck(list=f"dnc_sg_{name}", on=TODAY) for name in ("voice", "text"))
    assert asked(one, checks=()).missing == ("check:dnc_sg_voice",)
    assert asked(one, checks=(voice,)).answer == "allow"
    assert asked(one, checks=(text,)).answer == "need_confirmation"


BUYER = {
    "rel": {
        "last_purchase": "2026-01-15",
        "address_source": "sale",
        "optout_offered_at_collection": True,
        "similar": True,
    }
}


@pytest.mark.parametrize(
    ("place", "channel", "register", "days", "noon"),
    [
        ("AU", "voice", "dncr_au", 29, GIVEN["AU"][1]),
        ("AU", "fax", "dncr_au", 29, GIVEN["AU"][1]),
        ("IN", "voice", "in_preferences", 0, "2026-05-12T12:00:00+05:30"),
        ("GB", "voice", "tps", 28, LONDON),
        ("GB", "voice", "ctps", 28, LONDON),
        ("GB", "fax", "fps", 28, LONDON),
        ("AT", "email", "ecg_list", 31, PARIS),
        ("FR", "voice", "bloctel", 30, PARIS),
        ("IT", "voice", "rpo", 15, PARIS),
        ("CH", "voice", "directory_asterisk", 31, PARIS),
    ],
)
def test_what_a_register_said_holds_for_so_many_days(
    place: str, channel: str, register: str, days: int, noon: str
) -> None:
    facts = BUYER if place == "AT" else {"subject": "corporate"} if register == "fps" else {}
    one = row(place, channel, "marketing", facts, noon)
    others = (RegisterCheck(list=name, on=TODAY) for name in ("tps", "ctps") if name != register)
    also = tuple(others) if place == "GB" else ()
    for ago, expected in ((days, "allow"), (days + 1, "need_confirmation")):
        check = RegisterCheck(list=register, on=TODAY - timedelta(days=ago))
        assert asked(one, checks=(check, *also)).answer == expected


@pytest.mark.parametrize("channel", ["voice", "fax"])
def test_canada_forbids_calls_by_a_list_that_is_older_than_31_days(channel: str) -> None:
    one = row("CA", channel, "marketing", {}, GIVEN["CA"][1])
    assert asked(one, checks=()).answer == "need_confirmation"
    for ago, expected in ((31, "allow"), (32, "deny")):
        check = RegisterCheck(list="dncl_ca", on=TODAY - timedelta(days=ago))
        assert asked(one, checks=(check,)).answer == expected


@pytest.mark.parametrize(
    ("place", "register", "days", "rule"),
    [
        ("SG", "dnc_sg_voice", 21, "sg.dnc.voice"),
        ("CA", "dncl_ca", 31, "ca.dncl"),
        ("US", "national_dnc", 31, "us.dnc.national"),
    ],
)
def test_a_number_that_was_listed_after_the_check_may_be_called_as_long_as_that_holds(
    place: str, register: str, days: int, rule: str
) -> None:
    listed = TODAY - timedelta(days=3)
    facts = {"suppress": [{"list": register, "since": listed.isoformat()}]}
    noon = GIVEN[place][1] if place in GIVEN else "2026-05-12T12:00:00-04:00"
    one = row(place, "voice", "marketing", facts, noon)
    for ago, expected in ((days, "allow"), (days + 1, rule), (3, rule), (0, rule)):
        check = RegisterCheck(list=register, on=TODAY - timedelta(days=ago))
        found = asked(one, checks=(check,))
        assert expected in (found.answer, found.rule)
    before, after = (RegisterCheck(list=register, on=TODAY - timedelta(days=ago)) for ago in (days, 1))
    assert asked(one, checks=(before, after)).rule == rule


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Toronto"])
def test_a_list_that_nobody_knows_the_beginning_of_holds_everywhere(zone: str) -> None:
    facts = {"tz": zone, "suppress": [{"list": "internal"}]}
    assert asked(row("JP", "voice", "marketing", facts, GIVEN["JP"][1])).answer == "deny"


@pytest.mark.parametrize("zones", [("Europe/London",), ("Europe/London", "Pacific/Auckland")])
def test_a_listing_ends_when_its_day_has_come_wherever_the_person_may_be(zones: tuple[str, ...]) -> None:
    one = row("GB", "voice", "marketing", {}, "2026-05-12T13:00:00+00:00")
    listed = Listing(list="tps", since=date(2026, 1, 1), until=date(2026, 5, 13))
    found = asked(one, listings=(listed,), zones=zones)
    assert (found.answer, found.rule) == ("deny", "gb.tps")
    assert found.expires_at == datetime(2026, 5, 12, 23, tzinfo=UTC)
