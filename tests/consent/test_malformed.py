"""What is malformed is refused when it is told, in a sentence, and never taken for something that allows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest

from crmcore import Person
from crmcore.consent.customer_decision import Member
from crmcore.consent.decision import decide
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
from crmcore.consent.request import Message, Request, Use
from crmcore.errors import CrmError, InvalidConsent
from crmcore.values.frozen_map import FrozenMap
from tests.consent.asking import company
from tests.consent.cases import NOW

ASKED = Request(controller="acme", channel="email", purpose="marketing", at=NOW)
ODD: Any = "yes"


def test_what_was_known_is_asked_of_an_instant_with_a_zone() -> None:
    with pytest.raises(CrmError, match="zone"):
        decide(ASKED, Facts(), jurisdictions=["EU"], known_at=datetime(2026, 1, 1))


@pytest.mark.parametrize(
    "moment",
    [datetime(9999, 12, 31, 23), datetime(1, 1, 1), datetime(9999, 1, 2), datetime(1, 6, 1)],
)
def test_an_instant_at_the_ends_of_the_calendar_is_refused(moment: datetime) -> None:
    for here in (UTC, timezone(timedelta(hours=13))):
        with pytest.raises(CrmError, match="years"):
            attrs.evolve(ASKED, at=moment.replace(tzinfo=here))
        with pytest.raises(CrmError, match="years"):
            ConsentEvent(id="1", kind="give", occurred_at=moment.replace(tzinfo=here))


@pytest.mark.parametrize(
    "name",
    [
        "+99:99",
        "+24:00",
        "+02:60",
        "+02:00\n",
        "\u0660\u0661:00",
        "",
        None,
        5,
        ["UTC"],
        "/etc/passwd",
        "../x",
    ],
)
def test_what_is_no_zone_is_refused(name: Any) -> None:
    with pytest.raises(CrmError, match="zone"):
        Facts(zones=(name,))


@pytest.mark.parametrize("name", ["+14:00", "-12:00", "+05:45", "Europe/Berlin"])
def test_a_zone_is_a_name_or_an_offset(name: str) -> None:
    assert decide(ASKED, Facts(zones=(name,)), jurisdictions=["EU"]).answer == "deny"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Subject(deceased=ODD),
        lambda: Subject(kind="Consumer"),  # type: ignore[arg-type]  # on purpose
        lambda: Subject(adult="no"),  # type: ignore[arg-type]  # on purpose
        lambda: Subject(restricted_since="2026-01-01"),  # type: ignore[arg-type]  # on purpose
        lambda: Subject(erased_on=NOW),
        lambda: Subject(birth_dates=("2010",)),  # type: ignore[arg-type]  # on purpose
        lambda: PointFacts(line="Mobile"),  # type: ignore[arg-type]  # on purpose
        lambda: PointFacts(kind="Own"),
        lambda: Collection(published=ODD),
        lambda: Collection(source="Sale"),  # type: ignore[arg-type]  # on purpose
        lambda: Relation(kind="Purchase"),  # type: ignore[arg-type]  # on purpose
        lambda: Relation(kind="purchase", on=NOW),
        lambda: Listing(list="tps", since="2026-01-01"),  # type: ignore[arg-type]  # on purpose
        lambda: Listing(list="TPS", since=NOW.date()),
        lambda: RegisterCheck(list="tps", on=ODD),
        lambda: Attempt(at=NOW.replace(tzinfo=None)),
        lambda: Attempt(at=NOW, channel="Email"),  # type: ignore[arg-type]  # on purpose
        lambda: Facts(gpc=ODD),
        lambda: Facts(refused_in_call=NOW),
        lambda: Facts(holidays={NOW.date()}),  # type: ignore[arg-type]  # on purpose
        lambda: Facts(holidays=frozenset({"2026-01-01"})),  # type: ignore[arg-type]  # on purpose
        lambda: Facts(subject=None),  # type: ignore[arg-type]  # on purpose
        lambda: Facts(joined=FrozenMap({"a": ODD})),
        lambda: Message(promotion=ODD),
        lambda: Message(kind="Asks_to_opt_back_in"),
        lambda: Message(product="Claims management"),
        lambda: Message(offer_of="Own"),  # type: ignore[arg-type]  # on purpose
        lambda: Use(aim="marketing"),  # type: ignore[arg-type]  # on purpose
        lambda: Use(solely_automated=ODD),
        lambda: attrs.evolve(ASKED, basis="interest"),  # type: ignore[arg-type]  # on purpose
        lambda: attrs.evolve(ASKED, hours="never"),  # type: ignore[arg-type]  # on purpose
        lambda: attrs.evolve(ASKED, offered_to_children=0),  # type: ignore[arg-type]  # on purpose
        lambda: attrs.evolve(ASKED, controller=None),
        lambda: Evidence(kind="web_form", written=ODD),
        lambda: Scope(point=ODD, recipients=(1,)),
        lambda: ConsentEvent(id="1", kind="give", occurred_at=NOW, night=ODD),
        lambda: ConsentEvent(id="1", kind=None, occurred_at=NOW),  # type: ignore[arg-type]  # on purpose
    ],
)
def test_a_value_of_another_type_or_another_word_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(CrmError) as refused:
        make()
    assert "yes" not in str(refused.value)


def test_a_list_that_no_pack_knows_is_refused() -> None:
    for known in (
        Facts(listings=(Listing(list="t_p_s", since=NOW.date()),)),
        Facts(checks=(RegisterCheck(list="t_p_s", on=NOW.date()),)),
    ):
        with pytest.raises(InvalidConsent, match="list"):
            decide(ASKED, known, jurisdictions=["GB"])
    decide(ASKED, Facts(checks=(RegisterCheck(list="*", on=NOW.date()),)), jurisdictions=["GB"])


def test_jurisdictions_are_told_by_codes_and_it_is_said_how_one_is_written() -> None:
    crm = company()
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org")).id
    told: Any = {"purpose": "marketing", "channel": "email"}
    entries: tuple[Callable[[Any], object], ...] = (
        lambda names: decide(ASKED, Facts(), jurisdictions=names),
        lambda names: crm.consent.decide(ann, jurisdictions=names, **told),
        lambda names: crm.consent.matrix(ann, jurisdictions=names),
        lambda names: list(crm.consent.audience(jurisdictions=names, **told)),
        lambda names: list(crm.preferences.audience(jurisdictions=names, **told)),
        lambda names: crm.preferences.decide(ann, jurisdictions=names, **told),
        lambda names: crm.retention.customers(jurisdictions=names),
    )
    wrong: dict[str, tuple[Any, ...]] = {
        "write 'DE'": (["de"], ["Germany"], ("DE ",), ["US", "Deutschland"]),
        "write 'GB'": (["UK"], {"uk"}),
        "write 'EU'": (["eu"],),
        "write 'US-CA'": (["us-ca"],),
        "into a list": ("DE", "", b"DE"),
        "list of codes": ([None], ([],), [""], ["ZZ"], ["D", "E"], ["US-calif"], ["ZZ-CA"], 7),
    }
    for entry in entries:
        for words, names in wrong.items():
            for one in names:
                with pytest.raises(InvalidConsent, match=words):
                    entry(one)
        for known in (["DE"], ("US-CA", "EU"), {"US-TX"}, ["XK"], ["BT"], ["DE-BY"], ["*"], ()):
            entry(known)
    with pytest.raises(InvalidConsent, match="into a list"):
        Member(record="1", facts=Facts(), jurisdictions="DE")
