"""Requests that are acts: what later decisions make of them, how a restriction ends, and who is told of them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from crmcore import Actor, Crm, Person
from crmcore.app.rights_acts import ACTS
from crmcore.consent import Evidence, Message, Practice, RightsRequest, Use, shipped_laws
from crmcore.consent.rights_words import Right, RightsLaw
from crmcore.errors import InvalidConsent, InvalidRightsRequest
from crmcore.storage import MemoryStore
from tests.app.requests import Clock

CLERK = Actor(kind="person", id="clerk")
OURS = Practice(
    controller="acme",
    controller_kind="business",
    offered_to_children=False,
    marketing=Message.marketing(sender_identified=True, unsubscribe=True, unsubscribe_burdened=False),
)


def known(clock: Clock | None = None, store: MemoryStore | None = None) -> Crm:
    crm = Crm(store or MemoryStore(), clock=clock or Clock(), practice=OURS)
    crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    crm.consent.record(
        "give",
        "ann@x.example",
        purposes=["marketing", "profiling"],
        channels=["email", "in_app"],
        evidence=Evidence.double_opt_in(
            notice="newsletter", version="1", explicit=True, condition_of_contract=False
        ),
    )
    return crm


def received(crm: Crm, right: Right, law: RightsLaw = "gdpr") -> RightsRequest:
    zone = "America/Los_Angeles" if law == "ccpa" else "Europe/Berlin"
    return crm.requests.receive("ann@x.example", right=right, law=law, channel="web", zone=zone)


def answer(crm: Crm, purpose: Any = "marketing", where: str = "DE", **asked: Any) -> str:
    channel: Any = "email" if purpose == "marketing" else "in_app"
    found = crm.consent.decide(
        "ann@x.example", purpose=purpose, channel=channel, jurisdictions=[where], **asked
    )
    return str(found.answer)


def test_a_request_for_restriction_stops_what_was_permitted_until_it_is_lifted() -> None:
    clock = Clock()
    crm = known(clock)
    assert answer(crm) == "allow"
    clock.move(hours=1)
    request = received(crm, "restriction")
    crm.requests.carry_out(request.id)
    assert answer(crm) == "deny"
    clock.move(days=20)
    crm.requests.announce_lifting(request.id, reason="what was contested is settled")
    clock.move(days=7)
    assert answer(crm) == "deny"
    crm.requests.lift(request.id)
    assert answer(crm) == "allow"


def test_a_restriction_is_lifted_after_the_person_was_told_and_once() -> None:
    clock = Clock()
    crm = known(clock)
    request = received(crm, "restriction")
    with pytest.raises(InvalidRightsRequest, match="nothing was restricted"):
        crm.requests.lift(request.id)
    crm.requests.carry_out(request.id)
    with pytest.raises(InvalidRightsRequest, match="announce it first"):
        crm.requests.lift(request.id)
    with pytest.raises(InvalidRightsRequest, match="give the reason"):
        crm.requests.announce_lifting(request.id, reason="")
    crm.requests.announce_lifting(request.id, reason="settled")
    with pytest.raises(InvalidRightsRequest, match="announce it first"):
        crm.requests.lift(request.id)  # at the same instant
    clock.move(days=1)
    crm.requests.lift(request.id)
    with pytest.raises(InvalidRightsRequest, match="lifted already"):
        crm.requests.lift(request.id)
    assert [act.kind for act in crm.consent.events("ann@x.example")].count("lift") == 1
    with pytest.raises(InvalidRightsRequest, match="not lifted again"):
        crm.requests.announce_lifting(received(crm, "objection").id, reason="settled")


def test_a_request_that_is_closed_can_still_have_its_restriction_lifted() -> None:
    clock = Clock()
    crm = known(clock)
    request = received(crm, "restriction")
    crm.requests.carry_out(request.id)
    crm.requests.identify(request.id, "logged_in")
    for step in ("accept", "collect", "review"):
        crm.requests.move(request.id, step)
    crm.requests.move(request.id, "respond", sha256="0" * 64)
    crm.requests.move(request.id, "close")
    crm.requests.announce_lifting(request.id, reason="settled")
    clock.move(days=1)
    crm.requests.lift(request.id)
    assert crm.requests.get(request.id).state == "closed"
    assert crm.requests.steps(request.id)[-1].kind == "lift"


def test_lifting_a_restriction_lifts_no_objection() -> None:
    clock = Clock()
    crm = known(clock)
    clock.move(hours=1)
    crm.requests.carry_out(received(crm, "objection").id)
    request = received(crm, "restriction")
    crm.requests.carry_out(request.id)
    crm.requests.announce_lifting(request.id, reason="settled")
    clock.move(days=1)
    crm.requests.lift(request.id)
    assert answer(crm) == "deny"


def test_a_restriction_reaches_every_record_and_so_does_its_end() -> None:
    clock = Clock()
    crm = known(clock)
    too = crm.parties.add(Person.of("Ann Lee", email="ann@y.example"))
    crm.identity.merge("ann@x.example", too.id, reason="one person")
    clock.move(hours=1)
    request = received(crm, "restriction")
    crm.requests.carry_out(request.id)
    assert [act.kind for act in crm.consent.events(too.id)].count("restrict") == 1
    clock.move(days=1)
    crm.requests.announce_lifting(request.id, reason="settled")
    clock.move(days=1)
    crm.requests.lift(request.id)
    assert answer(crm, point="ann@x.example") == "allow"


def test_the_use_of_sensitive_data_is_limited_where_the_law_knows_that() -> None:
    crm = known()
    crm.requests.carry_out(received(crm, "limit", "ccpa").id)
    sensitive = Use(data=frozenset({"health"}), aim="inference")
    assert answer(crm, "profiling", "US-CA", use=sensitive) == "deny"
    plain = Use(data=frozenset({"purchases"}), aim="other")
    assert answer(crm, "profiling", "US-CA", use=plain) == "allow"
    assert answer(crm, "marketing", "DE") == "allow"


def test_while_an_automated_decision_is_reviewed_nothing_is_worked_out_and_a_person_ends_it() -> None:
    clock = Clock()
    crm = known(clock)
    clock.move(hours=1)
    use = Use(
        data=frozenset({"purchases"}),
        aim="other",
        solely_automated=True,
        legal_effect=True,
        human_review=True,
    )
    before = answer(crm, "profiling", use=use)
    request = received(crm, "automated_decision_review")
    crm.requests.carry_out(request.id)
    assert (before, answer(crm, "profiling", use=use), answer(crm)) == ("allow", "deny", "allow")
    crm.requests.announce_lifting(request.id, reason="looked at again, and decided otherwise")
    clock.move(days=1)
    with pytest.raises(InvalidRightsRequest, match="reviewed by a person"):
        crm.requests.lift(request.id)
    crm.acting_as(CLERK).requests.lift(request.id)
    assert answer(crm, "profiling", use=use) == "allow"
    assert crm.requests.steps(request.id)[-1].actor == CLERK


@pytest.mark.parametrize("right", ACTS)
def test_an_act_is_to_the_company_that_decisions_are_about(right: Right) -> None:
    crm = known()
    law: RightsLaw = "ccpa" if right in ("limit", "opt_out_of_sale") else "gdpr"
    act = crm.requests.carry_out(received(crm, right, law).id)
    assert act.scope.controller == "acme"


def test_the_rights_that_acts_exercise_are_known_to_a_law() -> None:
    named = {one.right for one in ACTS.values() if one.right is not None}
    assert named == {"limit_sensitive_pi"}
    assert named <= shipped_laws().rights


def test_a_right_that_no_law_knows_is_refused_with_those_that_are() -> None:
    crm = known()
    with pytest.raises(InvalidConsent, match="known are limit_sensitive_pi"):
        crm.consent.record("object", "ann@x.example", right="art21")
    assert len(crm.consent.events("ann@x.example")) == 1
    crm.consent.record("object", "ann@x.example", right="limit_sensitive_pi", purposes=["profiling"])


def test_a_batch_with_a_key_carries_out_and_lifts_once() -> None:
    clock = Clock()
    crm = known(clock)
    request = received(crm, "restriction")
    done = []
    for _ in range(2):
        with crm.batch(idem="carry out") as batch:
            done.append(batch.requests.carry_out(request.id))
    crm.requests.announce_lifting(request.id, reason="settled")
    clock.move(days=1)
    for _ in range(2):
        with crm.batch(idem="lift") as batch:
            done.append(batch.requests.lift(request.id))
    assert (done[0], done[2]) == (done[1], done[3])
    with pytest.raises(InvalidRightsRequest, match="lifted already"):
        crm.requests.carry_out(request.id)


def told(crm: Crm, request: RightsRequest) -> list[tuple[str, str, date | None]]:
    notices = crm.requests.get(request.id).notices
    return [(one.processor, one.what, one.due) for one in notices]


def test_whoever_got_the_data_is_to_be_told_of_a_restriction_and_of_no_objection() -> None:
    crm = known()
    for recipients in (["Gamma SA", "acme"], ["Delta"]):
        crm.consent.record("give", "ann@x.example", purposes=["third_party_sharing"], recipients=recipients)
    crm.consent.withdraw("ann@x.example", purposes=["third_party_sharing"], recipients=["Gamma SA"])
    crm.consent.record("refuse", "ann@x.example", purposes=["third_party_sharing"], recipients=["Never Told"])
    objection = received(crm, "objection")
    crm.requests.carry_out(objection.id)
    assert told(crm, objection) == []
    request = received(crm, "restriction")
    for _ in range(2):
        crm.requests.carry_out(request.id)
    day = date(2026, 6, 4)
    assert told(crm, request) == [("Delta", "restrict", day), ("Gamma SA", "restrict", day)]


def test_an_erasure_is_not_complete_while_a_proof_is_missing_unless_it_is_said_why() -> None:
    crm = known()
    crm.consent.record(
        "give", "ann@x.example", purposes=["third_party_sharing"], recipients=["Gamma SA", "Delta"]
    )
    request = received(crm, "erasure")
    crm.requests.identify(request.id, "logged_in")
    for step in ("accept", "collect"):
        crm.requests.move(request.id, step)
    crm.requests.move(request.id, "review")
    with pytest.raises(InvalidRightsRequest, match="nothing was erased"):
        crm.requests.move(request.id, "respond", sha256="0" * 64)
    plan = crm.requests.erasure_plan(request.id)
    for _ in range(2):
        certificate = crm.requests.erase(request.id, plan_sha256=plan.digest)
    assert [name for name, _, _ in told(crm, request)] == ["Delta", "Gamma SA"]
    crm.requests.move(request.id, "respond", sha256=certificate.sha256)

    def close() -> str:
        return str(crm.requests.move(request.id, "close").state)

    with pytest.raises(InvalidRightsRequest, match="2 who have the data were not told"):
        close()
    for name in ("Delta", "Gamma SA"):
        crm.requests.notify(request.id, name, "erase")
    with pytest.raises(InvalidRightsRequest, match="2 who were told have not answered"):
        close()
    with pytest.raises(InvalidRightsRequest, match="refuses does so for a reason"):
        crm.requests.answered(request.id, "Delta", "erase", "refused")
    crm.requests.answered(request.id, "Delta", "erase", "refused", reason="it must keep invoices")
    with pytest.raises(InvalidRightsRequest, match="give it"):
        crm.requests.excuse(request.id, "Gamma SA", "erase", reason="")
    with pytest.raises(InvalidRightsRequest, match="no open notice"):
        crm.requests.excuse(request.id, "Delta", "erase", reason="it has answered")
    with pytest.raises(InvalidRightsRequest, match="1 who were told"):
        close()
    crm.requests.excuse(request.id, "Gamma SA", "erase", reason="it was wound up")
    assert close() == "closed"
    assert [(one.outcome, one.reason) for one in crm.requests.get(request.id).notices] == [
        ("refused", "it must keep invoices"),
        ("excused", "it was wound up"),
    ]


def test_what_nobody_has_answered_is_listed_and_what_is_overdue() -> None:
    clock = Clock()
    crm = known(clock)
    one, two = received(crm, "restriction"), received(crm, "erasure")
    crm.requests.notify(two.id, "mailer", "erase", due=date(2026, 5, 20))
    crm.requests.notify(one.id, "search index", "restrict", due=date(2026, 5, 6))
    crm.requests.notify(one.id, "printer", "restrict")
    crm.requests.answered(one.id, "printer", "restrict", "nothing_held")

    def listed(on: date | None = None) -> list[tuple[str, bool]]:
        return [(found.notice.processor, found.overdue) for found in crm.requests.open_notices(on=on)]

    assert listed() == [("search index", False), ("mailer", False)]
    clock.now += timedelta(days=3)
    assert listed() == [("search index", True), ("mailer", False)]
    assert listed(date(2026, 5, 20)) == [("search index", True), ("mailer", False)]
    assert listed(date(2026, 5, 21)) == [("search index", True), ("mailer", True)]
