"""What is given to somebody who asks for their data: all of it, and nothing of anybody else."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore import Crm, Person
from crmcore.consent import Bundle
from crmcore.consent.redaction import ANOTHER, Redactor, Words
from crmcore.consent.rights_words import Right
from crmcore.errors import InvalidRightsRequest
from crmcore.exchange import bundle_digest, bundle_files, bundle_schema
from crmcore.interaction import Participant
from crmcore.values.source import Actor
from tests.app.requests import Clock, collecting, customers

SAID = "ask Ann about 4711"


def bundle_of(crm: Crm, ref: str = "ann@x.example", right: Right = "access", **options: Any) -> Bundle:
    return crm.requests.bundle(collecting(crm, ref, right).id, **options)


def whole(bundle: Bundle) -> str:
    """Everything that is given, as one text."""
    return "\n".join(content.decode() for content in bundle_files(bundle).values())


def lived() -> Crm:
    """Ann, whom two systems know, and others whom she deals with."""
    crm = customers()
    ann = crm.parties.add(
        Person.of("Ann Lee", email="ann@x.example", phone="+44 20 7946 0018").with_tag("vip")
    )
    crm.parties.change(ann.id, lambda p: p.with_email("ann@y.example"))
    too = crm.parties.add(Person.of("Ann Lee", email="ann@z.example").with_source("shop", "17"))
    crm.identity.merge(ann.id, too.id, reason="she said so")
    bo = crm.parties.add(Person.of("Bo Hill", email="bo@x.example", phone="+44 20 7946 0099"))
    crm.relationships.add("reports_to", ann.id, bo.id, note="since Bo hired her")
    slip = crm.relationships.add("reports_to", too.id, bo.id, note="mistaken")
    crm.relationships.retract(slip.id, reason="a slip")
    crm.interactions.record(
        "call", direction="inbound", occurred_at=date(2026, 3, 1), with_=[ann.id, bo.id], subject=SAID
    )
    wrong = crm.interactions.record(
        "note", direction="internal", occurred_at=date(2026, 3, 2), with_=[ann.id], body="wrong number"
    )
    crm.interactions.retract(wrong.id, reason="a slip")
    crm.consent.record("give", "ann@x.example", purposes=["marketing"], channels=["email"])
    return crm


def test_everything_is_in_the_bundle_of_whoever_asks() -> None:
    bundle = bundle_of(lived())
    kinds = [item.category for item in bundle.items]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "record": 2,
        "history": 4,
        "interaction": 3,
        "relationship": 2,
        "judgement": 1,
        "consent": 1,
        "request": 1,
    }
    text = whole(bundle)
    for own in (
        "Ann Lee",
        "ann@x.example",
        "ann@y.example",
        "ann@z.example",
        SAID,
        "wrong number",
        "a slip",
        "mistaken",
    ):
        assert own in text
    assert bundle.to_review == ()
    assert bundle.about["sources"] == ["shop"]


def test_others_are_left_out_and_it_is_marked_where() -> None:
    bundle = bundle_of(lived())
    text = whole(bundle)
    for others in ("Bo", "Hill", "bo@x.example", "7946 0099"):
        assert others not in text
    (link,) = [item for item in bundle.items if "hired" in str(item.data)]
    assert link.data["note"] == f"since {ANOTHER} hired her"
    assert link.data["to"] == ANOTHER
    assert link.redactions == 2


def test_what_was_inferred_is_in_no_bundle_for_portability() -> None:
    bundle = bundle_of(lived(), right="portability")
    assert "judgement" not in {item.category for item in bundle.items}
    assert "vip" not in whole(bundle)
    assert "vip" in whole(bundle_of(lived()))


def test_whoever_of_the_company_acted_is_left_out() -> None:
    crm = customers()
    crm.acting_as(Actor(kind="person", id="carla.gomez")).parties.add(
        Person.of("Ann Lee", email="ann@x.example")
    )
    assert "carla" not in whole(bundle_of(crm))


def test_the_same_files_say_the_same_and_the_manifest_proves_them() -> None:
    bundle = bundle_of(lived(), about={"purposes": ["to sell bicycles"]}, further=[{"ticket": "=1+1"}])
    found = bundle_files(bundle)
    manifest = json.loads(found["manifest.json"])
    assert manifest["sha256"] == {
        name: hashlib.sha256(content).hexdigest()
        for name, content in found.items()
        if name != "manifest.json"
    }
    assert bundle_digest(found) == hashlib.sha256(found["manifest.json"]).hexdigest()
    rows = list(csv.DictReader(io.StringIO(found["interaction.csv"].decode())))
    assert SAID in {row["subject"] for row in rows}
    assert b"'=1+1" in found["other.csv"]
    assert b"to sell bicycles" in found["index.html"]


def test_a_bundle_is_of_its_schema() -> None:
    document, schema = json.loads(bundle_files(bundle_of(lived()))["bundle.json"]), bundle_schema()
    assert set(document) == set(schema["required"]) == set(schema["properties"])
    item = schema["properties"]["items"]["items"]
    types = {"string": str, "integer": int, "null": type(None), "object": dict}
    for one in document["items"]:
        assert set(one) == set(item["required"]) == set(item["properties"])
        for name, rule in item["properties"].items():
            if "enum" in rule:
                assert one[name] in rule["enum"]
            else:
                wanted = [rule["type"]] if isinstance(rule["type"], str) else rule["type"]
                assert isinstance(one[name], tuple(types[word] for word in wanted))


def joined_by_a_model() -> Crm:
    """Two records that a model took for one person: what is known of them says so, and no human did."""
    crm = customers()
    for number in range(2):
        crm.parties.add(
            Person.of(
                "Ann Lee",
                email=f"ann@{'xy'[number]}.example",
                phone="+44 20 7946 0018",
                birth_date="1980-02-29",
                address="1 High Street, Leeds LS1 1AA",
            ).with_tag(f"secret{number}")
        )
    crm.identity.dedupe()
    assert len(crm.customers.resolve("ann@x.example").members) == 2
    return crm


def test_what_a_model_joined_is_withheld_until_somebody_has_looked() -> None:
    bundle = bundle_of(joined_by_a_model())
    assert "secret0" in whole(bundle)
    assert "secret1" not in whole(bundle)
    assert "ann@y.example" not in whole(bundle)
    waiting = [item.id for item in bundle.to_review]
    assert len(waiting) == 2
    shown = bundle.decided(dict.fromkeys(waiting, True))
    assert "secret1" in whole(shown)
    assert "ann@y.example" in whole(shown)
    hidden = bundle.decided(dict.fromkeys(waiting, False))
    assert "secret1" not in whole(hidden)
    assert "may be about another person" in whole(hidden)
    with pytest.raises(InvalidRightsRequest, match="waits for review"):
        hidden.decided({waiting[0]: True})


def test_a_strong_link_is_trusted_if_the_app_says_so() -> None:
    bundle = bundle_of(joined_by_a_model(), reviewed="doubtful")
    sure = {item.confidence for item in bundle.items if item.category == "record"}
    assert sure == {"certain", "probable"}
    assert "secret1" in whole(bundle)


def test_whoever_shares_an_address_shares_no_history() -> None:
    crm = customers()
    crm.parties.add(Person.of("Ann Lee", email="family@x.example").with_source("shop", "1"))
    bob = crm.parties.add(Person.of("Bob Lee", email="family@x.example").with_source("shop", "2"))
    crm.interactions.record(
        "email",
        direction="inbound",
        occurred_at=date(2026, 3, 1),
        with_=[Participant(party=bob.id, address="family@x.example", role="from")],
        subject="Bob's own affair",
    )
    crm.consent.record("give", bob.id, purposes=["marketing"], channels=["email"], point="family@x.example")
    text = whole(bundle_of(crm, "shop#1"))
    assert "family@x.example" in text
    assert "affair" not in text
    assert "marketing" not in text
    assert "Bob" not in text


def test_what_came_from_an_address_of_nobody_else_is_theirs_whose_it_is() -> None:
    crm = lived()
    crm.interactions.record(
        "email",
        direction="inbound",
        occurred_at=date(2026, 3, 1),
        with_=[Participant(address="ANN@y.example", role="from")],
        subject="before we knew her",
    )
    assert "before we knew her" in whole(bundle_of(crm))


def test_what_was_said_under_another_record_stays_there_when_they_are_parted() -> None:
    clock = Clock()
    crm = customers(clock=clock)
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    clock.move(seconds=1)
    bo = crm.parties.add(Person.of("Bo Hill", email="bo@x.example"))
    taken = crm.identity.merge(ann.id, bo.id, reason="a slip")
    crm.consent.record("object", ann.id, purposes=["marketing"], words="in my own words")
    crm.identity.retract(taken.id, reason="a slip")
    assert "in my own words" in whole(bundle_of(crm, "ann@x.example"))
    assert "consent" not in {item.category for item in bundle_of(crm, "bo@x.example").items}


def test_a_bundle_is_made_only_for_a_request_that_asks_for_one() -> None:
    crm = lived()
    asked = crm.requests.receive(
        "ann@x.example", right="access", law="gdpr", channel="email", zone="Europe/Berlin"
    )
    with pytest.raises(InvalidRightsRequest, match="being collected"):
        crm.requests.bundle(asked.id)
    with pytest.raises(InvalidRightsRequest, match="not answered by a bundle"):
        crm.requests.bundle(collecting(crm, "ann@x.example", "erasure").id)


def test_the_digits_of_an_id_are_no_phone_number() -> None:
    own, other = "01890a5d-1234-7567-8901-234567890123", "01890a5d-1234-7567-8901-234567890124"
    redactor = Redactor(Words(ids=frozenset({own})), Words(ids=frozenset({other})))
    assert redactor.of({"id": own, "of": other}).value == {"id": own, "of": ANOTHER}
    assert redactor.of(f"a:{own} {other}").value == f"a:{own} {ANOTHER}"


# --- canaries -----------------------------------------------------------------------------------------

WORD = st.text("qxžjøкю", min_size=6, max_size=9).map(str.capitalize)
DIGITS = st.text("0123456789", min_size=9, max_size=9).map("+4479{}".format)
CANARIES = st.lists(st.tuples(WORD, WORD, DIGITS), min_size=1, max_size=3, unique_by=lambda one: one[2])
TELLING = st.sampled_from(
    ["{given} {family}", "{family}, {given}", "{upper}", "<{email}>", "{phone}", "{loose}"]
)
PLACES = st.sampled_from(["subject", "body", "note", "reason", "extra", "linked", "different", "participant"])


@settings(max_examples=25, deadline=None)
@given(CANARIES, st.lists(st.tuples(PLACES, TELLING, st.integers(0, 2)), min_size=1, max_size=8))
def test_no_value_of_another_customer_is_ever_in_a_bundle(
    canaries: list[tuple[str, str, str]], told: list[tuple[str, str, int]]
) -> None:
    crm = customers()
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    others = [
        crm.parties.add(
            Person.of(f"{given} {family}", email=f"{number}@canary.example", phone=digits).with_tag(family)
        )
        for number, (given, family, digits) in enumerate(canaries)
    ]
    for place, telling, which in told:
        at = which % len(others)
        given, family, digits = canaries[at]
        text = "well " + telling.format(
            given=given,
            family=family,
            upper=f"{given} {family}".upper(),
            email=f"{at}@canary.example",
            phone=digits,
            loose=f"0044 (0) {digits[3:5]} {digits[5:8]}-{digits[8:]}",
        )
        tell(crm, place, text, ann.id, others[at].id)
    given_away = whole(bundle_of(crm)).casefold()
    assert "well" in given_away or all(
        place in ("linked", "different", "participant") for place, _, _ in told
    )
    for number, (given, family, digits) in enumerate(canaries):
        for value in (given, family, f"{number}@canary", digits, digits[-7:], digits[5:8] + "-" + digits[8:]):
            assert value.casefold() not in given_away


def tell(crm: Crm, place: str, text: str, ann: Any, other: Any) -> None:
    """Write a text about somebody else where people write such things."""
    day = date(2026, 3, 1)
    if place in ("subject", "body"):
        crm.interactions.record("note", direction="internal", occurred_at=day, with_=[ann], **{place: text})
    elif place == "note":
        done = crm.interactions.record("call", direction="inbound", occurred_at=day, with_=[ann], subject="x")
        crm.interactions.correct(done.id, reason=text, subject="y")
    elif place == "reason":
        crm.parties.change(ann, lambda p: p.with_tag(f"t{p.version}"), reason=text)
    elif place == "extra":
        crm.parties.change(ann, lambda p: p.changed(extras={f"e{p.version}": text}))
    elif place == "linked" and not crm.relationships.of(ann):
        crm.relationships.add("reports_to", ann, other, note=text)
    elif place == "different":
        crm.identity.mark_different(ann, other, reason=text)
    elif place == "participant":
        crm.interactions.record("meeting", direction="inbound", occurred_at=day, with_=[ann, other])
