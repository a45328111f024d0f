"""The strict baseline: it allows nothing that some law denies or wants to know more of."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, get_args

import attrs
import pytest
from hypothesis import given

from crmcore.consent.decision import Decision, decide
from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.facts import Attempt, Collection, Facts, Listing, RegisterCheck
from crmcore.consent.pack_reading import Laws, shipped_packs
from crmcore.consent.request import Request
from crmcore.consent.words import Channel, Purpose
from tests.consent.cases import JURISDICTIONS, requests
from tests.consent.cases import facts as any_facts
from tests.consent.nearly import NOON, asked_for, known, nearly, shown

LAWS = sorted({*JURISDICTIONS} - {"*"})


def allowed(request: Request, facts: Facts, name: str) -> Decision:
    return decide(request, facts, jurisdictions=[name], trace=False)


def looser(request: Request, facts: Facts) -> list[tuple[str, str, str | None]]:
    """The laws that do not allow what the strict baseline does."""
    if allowed(request, facts, "*").answer != "allow":
        return []
    found = [(name, allowed(request, facts, name)) for name in LAWS]
    return [(name, one.answer, one.rule) for name, one in found if one.answer != "allow"]


@given(nearly())
def test_what_the_strict_baseline_allows_every_law_allows(case: tuple[Request, Facts]) -> None:
    assert looser(*case) == []


@given(requests, any_facts)
def test_and_so_whatever_is_asked(request: Request, facts: Facts) -> None:
    assert looser(request, facts) == []


@pytest.mark.parametrize("channel", get_args(Channel))
def test_what_is_as_it_should_be_is_allowed(channel: Any) -> None:
    """So the laws above are not of nothing."""
    for purpose in get_args(Purpose):
        decision = allowed(asked_for(channel, purpose, NOON), known(channel, purpose, NOON), "*")
        assert decision.answer == "allow", (purpose, decision.rule, decision.missing)


def case(channel: Any, purpose: Any, **changes: Any) -> tuple[Request, Facts]:
    """A case of which everything is as it should be, but for *changes*: ``message__kind`` is a field of the message."""
    request, facts = asked_for(channel, purpose, NOON), known(channel, purpose, NOON)
    for path, value in changes.items():
        root, _, name = path.partition("__")
        if root == "facts":
            facts = attrs.evolve(facts, **{name: value})
        elif root in ("subject", "point", "collection"):
            facts = attrs.evolve(facts, **{root: attrs.evolve(getattr(facts, root), **{name: value})})
        elif root == "request":
            request = attrs.evolve(request, **{name: value})
        elif root in ("message", "use"):
            request = attrs.evolve(request, **{root: attrs.evolve(getattr(request, root), **{name: value})})
        elif root == "no":
            facts = attrs.evolve(facts, events=(*facts.events, value))
        else:
            yes = facts.events[0]
            changed: Any = {"evidence": shown(yes, **{name: value})} if root == "evidence" else {name: value}
            facts = attrs.evolve(facts, events=(attrs.evolve(yes, **changed), *facts.events[1:]))
    return request, facts


def said_no(
    kind: Any = "withdraw", channels: Any = frozenset(), purposes: Any = frozenset(), days_ago: int = 1
) -> ConsentEvent:
    scope = Scope(controller="acme", channels=channels, purposes=purposes)
    return ConsentEvent(id="no", kind=kind, occurred_at=NOON - timedelta(days=days_ago), scope=scope)


TODAY = NOON.date()
ATTEMPTS = {"facts__attempts": tuple(Attempt(at=NOON - timedelta(days=5 * one, hours=1)) for one in range(4))}
NEEDED = {
    "strict.survey_is_advertising": (
        "DE",
        case("email", "service", message__kind="customer_satisfaction_survey"),
    ),
    "strict.child": (
        "IN",
        case(
            "in_app",
            "third_party_sharing",
            use__transfer="service_provider",
            use__contract_in_place=True,
            subject__adult=None,
            request__at=NOON + timedelta(days=300),
            facts__events=(),
        ),
    ),
    "strict.known_child": (
        "IN",
        case("email", "service", subject__adult=False, request__at=NOON + timedelta(days=300)),
    ),
    "strict.restricted": (
        "KR",
        case("email", "marketing", subject__restricted_since=date(2026, 7, 20)),
    ),
    "strict.sensitive_data": ("EU", case("in_app", "profiling", use__data={"criminal_record"})),
    "strict.pensions": ("GB", case("voice", "marketing", message__product="pension_scheme")),
    "strict.said_no": ("AU", case("email", "service", no=said_no("object"))),
    "strict.said_no_to_calls": ("AU", case("fax", "service", no=said_no("object", {"fax"}))),
    "strict.said_no_to_use": (
        "US-CA",
        case("in_app", "third_party_sharing", no=said_no("object", {"email"}, {"third_party_sharing"})),
    ),
    "strict.no_transfer": (
        "US",
        case("email", "third_party_sharing", no=said_no("withdraw", {"email"}, {"marketing"})),
    ),
    "strict.said_no_to_transactions": (
        "EU",
        case("email", "transactional", no=said_no("withdraw", (), {"transactional"})),
    ),
    "strict.asks_again": (
        "US-CA",
        case(
            "email",
            "marketing",
            message__kind="asks_to_opt_back_in_to_sale",
            no=said_no("object", (), {"third_party_sharing"}),
        ),
    ),
    "strict.global_privacy_control": ("US-CA", case("in_app", "third_party_sharing", facts__gpc=True)),
    "strict.refused_in_call": (
        "JP",
        case(
            "voice",
            "marketing",
            facts__refused_in_call=date(2026, 6, 1),
            act__occurred_at=NOON - timedelta(days=100),
        ),
    ),
    "strict.registers": (
        "IT",
        case("voice", "marketing", facts__listings=(Listing(list="rpo", since=TODAY),)),
    ),
    "strict.registers_of_letters": (
        "US",
        case(
            "post",
            "marketing",
            facts__listings=(Listing(list="usps_prohibitory_order", since=date(2026, 1, 1)),),
        ),
    ),
    "strict.hidden_sender": ("US", case("email", "transactional", message__sender_identified=False)),
    "strict.no_way_out": ("AU", case("post", "marketing", message__unsubscribe=False)),
    "strict.no_postal_address": ("JP", case("email", "marketing", message__postal_address=False)),
    "strict.no_label": ("KR", case("push", "marketing", message__advertisement_label=False)),
    "strict.hours": ("IN", case("sms", "marketing", request__at=NOON.replace(hour=9))),
    "strict.three_a_day": (
        "US-FL",
        case(
            "sms",
            "marketing",
            facts__attempts=tuple(Attempt(at=NOON - timedelta(hours=one)) for one in range(1, 4)),
        ),
    ),
    "strict.four_a_month": ("FR", case("voice", "marketing", **ATTEMPTS)),
    "strict.sixty_days_after_a_refusal": (
        "FR",
        case(
            "voice",
            "marketing",
            facts__refused_in_call=date(2026, 6, 20),
            act__occurred_at=NOON - timedelta(days=30),
        ),
    ),
    "consent: unambiguous": ("SG", case("email", "marketing", evidence__unambiguous=None)),
    "consent: disclosed": ("US", case("sms", "marketing", evidence__disclosed=None)),
    "consent: no condition of a contract": (
        "KR",
        case("email", "marketing", evidence__condition_of_contract=True),
    ),
    "consent: no condition of a purchase": (
        "US",
        case("sms", "marketing", evidence__condition_of_purchase=True),
    ),
    "consent: of the data": (
        "EU",
        case("in_app", "profiling", evidence__data={"purchases"}, use__data={"location"}),
    ),
    "consent: of the recipient": ("EU", case("in_app", "third_party_sharing", use__recipient="gamma")),
    "consent: of an adult": ("IN", case("email", "marketing", subject__adult=None)),
    "consent: informed": (
        "KR",
        case("email", "marketing", facts__collection=Collection(notice_at_collection=False)),
    ),
    "consent: a way that can be shown": ("CA", case("email", "marketing", evidence__kind="preticked_box")),
    "consent: in writing": ("US", case("voice", "marketing", evidence__written=False)),
    "consent: with the number": ("US-FL", case("sms", "marketing", evidence__names_the_number=None)),
    "consent: of who has the number": ("US", case("sms", "marketing", point__holder_since=TODAY)),
    "consent: unlapsed": (
        "AU",
        case(
            "voice",
            "marketing",
            act__open_ended=None,
            facts__listings=(),
            facts__checks=(RegisterCheck(list="*", on=date(2026, 7, 1)),),
        ),
    ),
}


@pytest.mark.parametrize("name", NEEDED)
def test_each_rule_of_the_strict_baseline_is_that_of_some_law(name: str) -> None:
    """Without it the strict baseline would allow what that law does not."""
    law, (request, facts) = NEEDED[name]
    decision = allowed(request, facts, "*")
    assert decision.answer != "allow"
    assert allowed(request, facts, law).answer != "allow"
    if name.startswith("strict."):
        strict = shipped_packs()["strict"]
        rules = tuple(rule for rule in strict.rules if rule.id != name)
        laws = Laws({**shipped_packs(), "strict": attrs.evolve(strict, rules=rules)})
        assert decide(request, facts, jurisdictions=["*"], laws=laws).answer == "allow"


@pytest.mark.parametrize(("day", "answer"), [(date(2026, 6, 1), "allow"), (date(2026, 7, 20), "deny")])
def test_our_own_list_is_no_register_and_a_later_yes_takes_somebody_off_it(day: date, answer: str) -> None:
    """They said yes on 1 July."""
    request, facts = case("voice", "marketing", facts__listings=(Listing(list="internal_dnc", since=day),))
    assert allowed(request, facts, "*").answer == answer


def test_every_rule_that_forbids_is_needed_by_one_of_them() -> None:
    denying = {rule.id for rule in shipped_packs()["strict"].rules if rule.effect in ("deny", "classify")}
    assert denying == {name for name in NEEDED if name.startswith("strict.")}
