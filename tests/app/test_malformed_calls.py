"""Whatever is passed to a verb that asks of consent, and is no such thing, is refused in a sentence."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from crmcore import Crm, Person
from crmcore.consent import Offer, Request, SecretRing, Wished
from crmcore.errors import CrmError, InvalidConsent
from crmcore.storage import MemoryStore
from crmcore.values.ids import PartyId
from tests.app.houses import START, Clock
from tests.app.requests import collecting
from tests.consent.asking import PRACTICE, YES

WRONG: tuple[Any, ...] = (None, 5, 10**9, b"x", [[]])
OFFERS = (Offer(purpose="marketing", channel="email"),)
MARKETING: dict[str, Any] = {"purpose": "marketing", "channel": "email"}


def whole(crm: Crm, ann: PartyId) -> dict[str, dict[str, Any]]:
    """Of each verb a call that is in order."""
    shown = crm.preferences.centre(ann, OFFERS)
    token, points = crm.unsubscribe.token(ann), crm.parties.get(ann).contact_points
    of = {"id": crm.requests.receive(ann, **ASKED).id}
    sent = {**of, "processor": "mailer", "what": "rectify"}
    calls: dict[str, dict[str, Any]] = {
        "consent.record": {"kind": "withdraw", "ref": ann},
        "consent.events": {"ref": ann},
        "consent.decide": {"ref": ann, **MARKETING},
        "consent.matrix": {"ref": ann},
        "consent.audience": {"refs": [ann], **MARKETING},
        "preferences.record": {"ref": ann, "wished": Wished()},
        "preferences.of": {"ref": ann},
        "preferences.centre": {"ref": ann, "offers": OFFERS},
        "preferences.change": {
            "ref": ann,
            "before": shown,
            "after": shown.choose("marketing", "email", on=True),
            "evidence": YES,
        },
        "preferences.decide": {"ref": ann, **MARKETING},
        "preferences.audience": {"refs": [ann], **MARKETING},
        "suppression.add": {"kind": "email", "text": "q@x.org", "reason": "withdrawal"},
        "suppression.add_customer": {"ref": ann, "reason": "withdrawal"},
        "suppression.lift": {"kind": "email", "text": "q@x.org"},
        "suppression.listings": {
            "points": points,
            "request": Request(controller="c", at=START, **MARKETING),
        },
        "unsubscribe.token": {"ref": ann},
        "unsubscribe.headers": {"ref": ann, "url": "https://x.example/leave"},
        "unsubscribe.read": {"token": token},
        "unsubscribe.act": {"token": token},
        "requests.receive": {"ref": ann, **ASKED},
        "requests.of": {"ref": ann},
        "requests.decide": {**of, "item": "party", "decision": "withhold"},
        "requests.move": {**of, "to": "accept"},
        "requests.stop_clock": {**of, "cause": "identity"},
        "requests.extend": {**of, "reason": "many"},
        "requests.excuse": {**sent, "reason": "gone"},
        "requests.notify": sent,
        "requests.erase_again": {"past": ()},
        "requests.kept_too_long": {},
        "retention.customers": {},
        "retention.plan": {"things": ()},
        "retention.apply": {"plan": crm.retention.plan(())},
        "retention.kept_too_long": {},
        "retention.lapsing": {"ref": ann, "within": timedelta(days=1), **MARKETING},
        "retention.lapsing_by": {"by": date(2027, 1, 1), **MARKETING},
    }
    collected = {
        right: {"id": collecting(crm, ann, right).id} for right in ("access", "rectification", "erasure")
    }
    calls["requests.bundle"] = {**collected["access"], "about": {}, "further": ()}
    calls["requests.rectify"] = {**collected["rectification"], "change": lambda party: party}
    calls["requests.erasure_plan"] = collected["erasure"]
    calls["requests.erase"] = {**collected["erasure"], "plan_sha256": "0" * 64}
    for verb in ("carry_out", "certificate", "certificates", "due", "get", "lift", "steps"):
        calls[f"requests.{verb}"] = dict(of)
    return calls


ASKED: Any = {"right": "access", "law": "gdpr", "channel": "email", "zone": "Europe/Berlin"}


def test_what_is_no_such_thing_is_refused_in_a_sentence() -> None:
    crm = Crm(MemoryStore(), clock=Clock(), practice=PRACTICE, secrets=SecretRing({1: b"1" * 32}))
    ann = crm.parties.add(Person.of("Ann Lee", email="a@x.org")).id
    bare = []
    for name, call in whole(crm, ann).items():
        room, verb = name.split(".")
        ask = getattr(getattr(crm, room), verb)
        places = inspect.signature(ask).parameters.values()
        for place in places:
            if place.kind is place.VAR_KEYWORD:
                continue
            for wrong in WRONG:
                said = {**call, place.name: wrong}
                first = [
                    said.pop(one.name)
                    for one in places
                    if one.kind is one.POSITIONAL_OR_KEYWORD and one.name in said
                ]
                try:
                    found = ask(*first, **said)
                    list(found) if isinstance(found, Iterator) else None
                except CrmError:
                    pass
                except Exception as error:
                    bare.append((name, place.name, wrong, repr(error)))
    assert bare == []


@pytest.mark.parametrize(
    "told", [{"foo": 1}, {"unknown": {"a": 1}}, {"type": "consent.event"}, {"valid_til": None}]
)
def test_what_is_no_field_of_an_act_is_refused_with_those_that_are(told: dict[str, Any]) -> None:
    crm = Crm.open()
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org")).id
    with pytest.raises(
        InvalidConsent, match=f"^{next(iter(told))} is no field .*: leave it out, or tell any_time, "
    ):
        crm.consent.withdraw(ann, purposes=["marketing"], **told)
    assert not crm.consent.events(ann)


@pytest.mark.parametrize("told", [{"foo": 1}, {"unknown": {"a": 1}}, {"offered": True}])
def test_what_is_no_field_of_a_request_is_refused_with_those_that_are(told: dict[str, Any]) -> None:
    crm = Crm(MemoryStore(), clock=Clock(), practice=PRACTICE)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.org")).id
    asks: tuple[Callable[[], object], ...] = (
        lambda: crm.consent.decide(ann, **MARKETING, **told),
        lambda: crm.consent.matrix(ann, **told),
        lambda: list(crm.consent.audience([ann], **MARKETING, **told)),
        lambda: crm.preferences.decide(ann, **MARKETING, **told),
        lambda: list(crm.preferences.audience([ann], **MARKETING, **told)),
    )
    for ask in asks:
        with pytest.raises(
            InvalidConsent,
            match=f"^{next(iter(told))} is no field of a request: leave it out, or tell authent",
        ):
            ask()
    assert crm.consent.decide(ann, **MARKETING, offered_to_children=False, hours="at_issue", brand="x").answer
