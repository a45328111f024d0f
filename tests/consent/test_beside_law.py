"""Rules that stand beside the law: they forbid more where a policy names them, and nothing where it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given

from crmcore.consent.decision import Decision, decide
from crmcore.consent.event import ConsentEvent, Evidence, Scope
from crmcore.consent.facts import Facts
from crmcore.consent.pack_reading import Laws, read_pack, shipped_laws, shipped_packs
from crmcore.consent.policy import Policy
from crmcore.consent.practice import Practice
from crmcore.consent.request import Message, Request
from crmcore.errors import InvalidConsent, InvalidPack
from tests.consent.cases import facts, jurisdictions, requests

BESIDE = Policy(beside=["mailbox_providers"])
AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
LETTER = Request(
    controller="acme",
    channel="email",
    purpose="marketing",
    at=AT,
    point="a@x.org",
    message=Message.marketing(
        kind="newsletter", sender_identified=True, unsubscribe=True, one_click_unsubscribe=True
    ),
    offered_to_children=False,
    bulk_sender=True,
    authentication="dmarc",
    complaints_high=False,
)
GIVEN = ConsentEvent(
    id="yes",
    kind="give",
    occurred_at=datetime(2026, 3, 1, tzinfo=UTC),
    scope=Scope(controller="acme", purposes={"marketing"}, channels={"email"}, point="a@x.org"),
    evidence=Evidence.double_opt_in(notice="n", version="1", condition_of_contract=False),
)


def asked(request: Request, policy: Policy = BESIDE, **more: Any) -> Decision:
    return decide(request, Facts(events=(GIVEN,)), jurisdictions=["EU"], policy=policy, **more)


def letter(**said: Any) -> Request:
    """The letter, with other facts of the message."""
    return attrs.evolve(LETTER, message=attrs.evolve(LETTER.message, **said))


@given(requests, facts, jurisdictions)
def test_rules_beside_the_law_never_allow_what_it_does_not(
    request: Request, known: Facts, names: list[str]
) -> None:
    plain = decide(request, known, jurisdictions=names)
    beside = decide(request, known, jurisdictions=names, policy=BESIDE)
    rank = {"deny": 0, "need_confirmation": 1, "allow": 2}
    assert rank[beside.answer] <= rank[plain.answer]
    if beside.answer == plain.answer and plain.answer != "need_confirmation":
        assert beside.rule == plain.rule
    if request.channel != "email":
        assert beside.answer == plain.answer


def test_where_no_law_is_named_the_strict_baseline_still_decides() -> None:
    assert decide(LETTER, Facts(), jurisdictions=[], policy=BESIDE).jurisdiction == "*"
    assert shipped_laws().names([], BESIDE.beside) == ("*", "mailbox_providers")


@pytest.mark.parametrize("names", [["mailbox_providers"], ["DE", "mailbox_providers"]])
def test_rules_beside_the_law_are_no_jurisdiction(names: list[str]) -> None:
    with pytest.raises(InvalidConsent, match="beside"):
        decide(LETTER, Facts(), jurisdictions=names)


@pytest.mark.parametrize("names", [["DE"], ["mailbox"]])
def test_what_no_pack_lays_down_beside_the_law_is_refused(names: list[str]) -> None:
    with pytest.raises(InvalidConsent, match="mailbox_providers"):
        asked(LETTER, Policy(beside=names))
    with pytest.raises(InvalidConsent, match="list"):
        Policy(beside="mailbox_providers")


def test_a_letter_that_keeps_to_all_of_it_is_allowed_by_the_law() -> None:
    assert (asked(LETTER).answer, asked(LETTER).rule) == ("allow", "eu.consent")


BREACHES = [
    ("no_authentication", attrs.evolve(LETTER, authentication="none", bulk_sender=False)),
    ("bulk_without_dmarc", attrs.evolve(LETTER, authentication="spf_or_dkim")),
    ("bulk_without_one_click", letter(one_click_unsubscribe=False)),
    ("too_many_complaints", attrs.evolve(LETTER, complaints_high=True)),
]


@pytest.mark.parametrize(("rule", "request_"), BREACHES, ids=[rule for rule, _ in BREACHES])
def test_each_of_its_rules_forbids(rule: str, request_: Request) -> None:
    decision = asked(request_)
    assert (decision.answer, decision.rule) == ("deny", f"mailbox_providers.{rule}")
    assert "by the rules of mailbox providers" in decision.explain()
    assert asked(request_, Policy()).answer == "allow"


@pytest.mark.parametrize("rule", ["bulk_without_link", "hidden_sender"])
def test_what_laws_ask_for_as_well_is_asked_for_here(rule: str) -> None:
    """In Brazil, by a legitimate interest, no law asks who sends it."""
    said = {"unsubscribe": False} if rule == "bulk_without_link" else {"sender_identified": False}
    hits = decide(letter(**said), Facts(), jurisdictions=["EU"], policy=BESIDE).trace
    assert [hit.rule for hit in hits if hit.status == "fired" and hit.rule.endswith(rule)]


@pytest.mark.parametrize(
    "open_",
    [
        attrs.evolve(LETTER, bulk_sender=None, authentication="spf_or_dkim"),
        attrs.evolve(LETTER, authentication=None),
        attrs.evolve(LETTER, complaints_high=None),
        letter(one_click_unsubscribe=None),
    ],
)
def test_what_is_not_known_of_it_is_asked_for(open_: Request) -> None:
    assert asked(open_).answer == "need_confirmation"


@pytest.mark.parametrize(
    "small",
    [
        attrs.evolve(letter(one_click_unsubscribe=False), bulk_sender=False),
        attrs.evolve(LETTER, bulk_sender=False, authentication="spf_or_dkim"),
    ],
)
def test_who_sends_little_has_less_to_keep_to(small: Request) -> None:
    assert asked(small).answer == "allow"


def test_a_message_about_a_transaction_needs_no_one_click() -> None:
    receipt = attrs.evolve(
        LETTER,
        purpose="transactional",
        message=Message.service(kind="receipt", sender_identified=True, one_click_unsubscribe=False),
    )
    assert asked(receipt).answer == "allow"
    assert asked(attrs.evolve(receipt, authentication="spf_or_dkim")).answer == "deny"


def test_one_click_is_asked_for_since_june_2024() -> None:
    early = attrs.evolve(GIVEN, occurred_at=datetime(2024, 3, 1, tzinfo=UTC))
    known = Facts(events=(early,))
    for at, answer in (
        (datetime(2024, 5, 31, 23, 59, 59, tzinfo=UTC), "allow"),
        (datetime(2024, 6, 1, tzinfo=UTC), "deny"),
    ):
        request = attrs.evolve(letter(one_click_unsubscribe=False), at=at)
        assert decide(request, known, jurisdictions=["EU"], policy=BESIDE).answer == answer


def test_two_days_are_the_longest_that_a_no_may_take_whatever_a_law_gives() -> None:
    """The law of the United States gives ten business days."""
    policy = Policy(withdrawal_grace="legal_max", beside=["mailbox_providers"])
    request = attrs.evolve(letter(postal_address=True), controller_kind="business")
    known = Facts(zones=("UTC",), point=attrs.evolve(Facts().point, kind="other"))
    for days, answer, alone in ((1, "allow", "allow"), (3, "deny", "allow"), (20, "deny", "deny")):
        no = ConsentEvent(
            id="no", kind="withdraw", occurred_at=AT - timedelta(days=days), scope=attrs.evolve(GIVEN.scope)
        )
        told = attrs.evolve(known, events=(GIVEN, no))
        assert decide(request, told, jurisdictions=["US"], policy=policy).answer == answer, days
        only = attrs.evolve(policy, beside=())
        assert decide(request, told, jurisdictions=["US"], policy=only).answer == alone, days


def test_a_practice_says_once_how_mail_is_sent() -> None:
    ours = Practice(bulk_sender=True, authentication="dmarc", complaints_high=False)
    bare = attrs.evolve(LETTER, bulk_sender=None, authentication=None, complaints_high=None)
    assert asked(bare).answer == "need_confirmation"
    decision = asked(bare, practice=ours)
    assert decision.answer == "allow"
    assert {"request.bulk_sender", "request.authentication", "request.complaints_high"} <= {
        *decision.practice
    }


def test_a_house_may_lay_down_rules_of_its_own() -> None:
    text = """
id = "house"
jurisdiction = "house_rules"
name = "House rules"
version = "1"
beside_law = true

[[rule]]
id = "house.else"
stage = "permit"
effect = "permit"
text = "The house has nothing against it."
cite = "House rules"

[[rule]]
id = "house.no_mail_in_may"
stage = "form"
effect = "deny"
channel = "email"
text = "We send no e-mails in May."
cite = "House rules 1"
"""
    laws = Laws({**shipped_packs(), "house": read_pack(text)})
    assert asked(LETTER, Policy(beside=["house_rules"]), laws=laws).rule == "house.no_mail_in_may"
    for wrong in (text.replace("house_rules", "HOUSE"), text.replace("beside_law = true", "")):
        with pytest.raises(InvalidPack, match="capitals"):
            read_pack(wrong)


PROMOTING = ("marketing", "fundraising", "political")
WRITTEN = ("transactional", "service", "legal_notice", "research")


def beside(request: Request, *acts: ConsentEvent) -> Decision:
    """What the rules of mailbox providers say of a letter that the law allows, or of one that it leaves open."""
    decision = decide(request, Facts(events=acts, zones=("UTC",)), jurisdictions=["BR"], policy=BESIDE)
    answers = {hit.rule for hit in decision.trace if hit.jurisdiction == "mailbox_providers"}
    assert answers
    return decision


def fired(request: Request, *acts: ConsentEvent) -> set[str]:
    """Those of their rules that forbid it."""
    return {
        hit.rule.partition(".")[2]
        for hit in beside(request, *acts).trace
        if hit.jurisdiction == "mailbox_providers" and hit.effect == "deny" and hit.status == "fired"
    }


def act(kind: Any, day: int, purpose: Any, evidence: Any = "web_form") -> ConsentEvent:
    return ConsentEvent(
        id=f"{kind}-{day}",
        kind=kind,
        occurred_at=datetime(2026, 4, day, tzinfo=UTC),
        scope=Scope(controller="acme", purposes={purpose}, channels={"email"}, point="a@x.org"),
        evidence=Evidence(kind=evidence),
    )


@pytest.mark.parametrize("purpose", PROMOTING)
def test_its_rules_are_about_all_that_promotes(purpose: Any) -> None:
    wrong = attrs.evolve(
        letter(one_click_unsubscribe=False, unsubscribe=False, sender_identified=False),
        purpose=purpose,
        complaints_high=True,
        authentication="none",
    )
    assert fired(wrong) == {
        "no_authentication",
        "bulk_without_dmarc",
        "bulk_without_one_click",
        "bulk_without_link",
        "hidden_sender",
        "too_many_complaints",
    }
    assert fired(attrs.evolve(LETTER, purpose=purpose)) == set()


@pytest.mark.parametrize("purpose", WRITTEN)
def test_what_promotes_nothing_keeps_to_less_unless_it_promotes_something(purpose: Any) -> None:
    plain = attrs.evolve(
        letter(one_click_unsubscribe=False, unsubscribe=False, promotion=False),
        purpose=purpose,
        complaints_high=True,
        authentication="spf_or_dkim",
    )
    assert fired(plain) == {"bulk_without_dmarc"}
    promoting = attrs.evolve(plain, message=attrs.evolve(plain.message, promotion=True))
    assert {"bulk_without_one_click", "bulk_without_link", "too_many_complaints"} <= fired(promoting)


@pytest.mark.parametrize("kind", ["withdraw", "refuse", "object", "invalidate", "restrict"])
@pytest.mark.parametrize("purpose", PROMOTING)
def test_every_no_counts_until_somebody_asks_for_it_again(kind: Any, purpose: Any) -> None:
    request = attrs.evolve(LETTER, purpose=purpose)
    no = act(kind, 1, purpose)
    assert fired(request, no) == {"unsubscribed"}
    for evidence in (
        "double_opt_in",
        "two_step_opt_in",
        "web_form",
        "e_signature",
        "signed_paper",
        "recorded_call",
        "sms_keyword",
        "parent_verified",
    ):
        assert fired(request, no, act("give", 2, purpose, evidence)) == set()
    for evidence in ("preticked_box", "import_without_proof", "silence"):
        assert fired(request, no, act("give", 2, purpose, evidence)) == {"unsubscribed"}


def test_its_rules_hold_since_february_2024() -> None:
    wrong = attrs.evolve(letter(unsubscribe=False), complaints_high=True, authentication="none")
    before, since = (
        datetime(2024, 1, day, tzinfo=UTC) + timedelta(days=extra) for day, extra in ((31, 0), (31, 1))
    )
    assert fired(attrs.evolve(wrong, at=before)) == set()
    assert fired(attrs.evolve(wrong, at=since)) == {
        "no_authentication",
        "bulk_without_dmarc",
        "bulk_without_link",
        "too_many_complaints",
    }


def test_other_channels_are_no_matter_of_theirs() -> None:
    wrong = attrs.evolve(letter(unsubscribe=False, sender_identified=False), authentication="none")
    for channel in ("sms", "post", "push", "in_app"):
        assert fired(attrs.evolve(wrong, channel=channel)) == set()
