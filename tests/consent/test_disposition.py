"""How long what is erased is kept nevertheless: from which day it counts, and until which day it holds."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import Any

import attrs
import pytest

from crmcore.app.subject_noes import last_uses
from crmcore.consent import (
    ConsentEvent,
    RetentionPolicy,
    Scope,
    deadline,
    disposition,
    plan_erasure,
    shipped_dispositions,
    shipped_retention,
)
from crmcore.consent.disposition import Held

DAY = timedelta(days=1)
BOOKED = date(2016, 2, 1)


def action(thing: Held, today: date) -> str:
    (one,) = plan_erasure([thing], today=today).disposals
    return one.action


def needed(purpose: str, kind: str = "interaction", **facts: Any) -> Held:
    return Held(place="x", kind=kind, day=BOOKED, purposes=frozenset({purpose}), **facts)


@pytest.mark.parametrize(
    ("thing", "last"),
    [
        (needed("accounting"), date(2026, 12, 31)),
        (needed("vouchers"), date(2024, 12, 31)),
        (needed("legal_claims"), date(2019, 2, 1)),
        (needed("telephone_marketing_de", "consent.event"), date(2021, 2, 1)),
        (needed("telephone_marketing_de", "consent.event", last_use=date(2020, 5, 1)), date(2025, 5, 1)),
        (Held(place="x", kind="consent.event", day=BOOKED, last_use=date(2020, 5, 1)), date(2023, 5, 1)),
        (Held(place="x", kind="consent.event", day=BOOKED, last_use=date(2015, 5, 1)), date(2019, 2, 1)),
    ],
)
def test_what_is_kept_is_kept_to_the_end_of_its_last_day(thing: Held, last: date) -> None:
    (kept,) = plan_erasure([thing], today=last).disposals
    assert (kept.action in ("keep", "restrict"), kept.until) == (True, last)
    assert action(thing, last + DAY) != kept.action


def test_the_two_tables_say_the_same_of_one_law() -> None:
    kept = {line.purpose: line for line in shipped_dispositions()}
    policies = {one.id: one for one in shipped_retention()}
    for purpose, id in (
        ("accounting", "de-account-books"),
        ("vouchers", "de-books"),
        ("telephone_marketing_de", "de-call-consent"),
    ):
        line, policy = kept[purpose], policies[id]
        assert (line.until, line.counting, line.text) == (policy.period, policy.counting, policy.text)
        assert (line.trigger == "last_use") == (policy.trigger == "last_use")


@pytest.mark.parametrize(
    ("table", "known"),
    [
        ("deadlines", deadline._KEYS),
        ("dispositions", disposition._KEYS),
        ("retention", {field.name for field in attrs.fields(RetentionPolicy)}),
    ],
)
def test_a_table_explains_no_key_that_its_reader_refuses(table: str, known: set[str]) -> None:
    text = (files("crmcore.consent") / "tables" / f"{table}.toml").read_text("utf-8")
    heading = text.partition("\n\n")[0].replace("\n# ", " ")
    explained = set(re.findall(r"(?:^#|[.;]) `?(\w+)`?:", heading))
    assert len(explained) >= 3
    assert explained <= known


TODAY = date(2026, 5, 4)


def act(kind: str, day: int, **scope: Any) -> ConsentEvent:
    return ConsentEvent(
        id=f"{kind} {day}",
        kind=kind,  # type: ignore[arg-type]  # one of the words
        occurred_at=datetime(2022, 1, day, tzinfo=UTC),
        scope=Scope(controller="acme", **scope),
    )


MAIL: dict[str, Any] = {"channels": ["email"], "purposes": ["marketing"], "point": "email:ann@x.example"}


@pytest.mark.parametrize(
    ("noes", "last"),
    [
        ([], TODAY),
        ([act("withdraw", 20)], date(2022, 1, 20)),
        ([act("withdraw", 20, **MAIL), act("object", 15, purposes=["direct_marketing"])], date(2022, 1, 15)),
        ([act("withdraw", 20, purposes=["research"])], TODAY),
        ([act("withdraw", 20, channels=["sms"])], TODAY),
        ([act("withdraw", 20, topics=["shoes"])], TODAY),
        ([act("withdraw", 20, brand="Kids")], TODAY),
        ([act("withdraw", 20, point="email:bo@x.example")], TODAY),
        ([act("withdraw", 5)], TODAY),
        ([act("restrict", 20)], TODAY),
    ],
)
def test_a_yes_could_be_relied_on_until_a_no_left_nothing_of_it(noes: list[ConsentEvent], last: date) -> None:
    said = {("ledger", number): one for number, one in enumerate([act("give", 10, **MAIL), *noes])}
    assert last_uses(said, TODAY) == {("ledger", 0): last}
    no = act("withdraw", 20)
    assert last_uses({("a", 1): act("confirm", 10), ("a", 2): no}, TODAY) == {("a", 1): date(2022, 1, 20)}
